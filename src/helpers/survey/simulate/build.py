"""Write the raw files of the simulated study."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from helpers.errors import DataContractError, ReportError
from helpers.paths import data_folder
from helpers.study import StudyFolder, read_folder
from helpers.survey.simulate.cases import make_cases
from helpers.survey.simulate.export import qualtrics_rows, table_rows, write_csv, write_whole
from helpers.survey.simulate.main_file import Main, make_main
from helpers.survey.simulate.modules import (
    make_followup,
    make_kano,
    make_pilot,
    make_servqual,
)
from helpers.survey.simulate.population import Population, read_population

STUDY = "online_shopping"

FEWEST = 100
"""Responses below which some of the rarest faults would not occur."""


def simulate_study(folder: Path, *, seed: int | None = None, n: int | None = None) -> list[Path]:
    """Write the simulated study's raw files and true flags below a folder.

    Parameters
    ----------
    folder : Path
        Files are written to ``folder/raw`` and ``folder/truth``; existing ones are replaced,
        each as a whole. Any folder but the bundled study's own becomes a study folder that
        ``open_folder`` can open: study file (with the new sums), codebook and planted truth are
        written too.
    seed, n : int, optional
        Seed and number of responses; by default those of ``population.yml``.

    Returns
    -------
    list of Path
        The files written. The same seed and n give the same bytes.

    Raises
    ------
    DataContractError
        ``n`` is too small for all kinds of faults to occur, ``seed`` is negative, or another seed
        or n is asked for in the bundled study's own folder.
    ReportError
        The folder cannot be written to.
    """
    study = read_folder(data_folder() / STUDY)
    population = read_population(study.folder / str(study.spec.truth))
    seed = population["seed"] if seed is None else seed
    n = population["n"] if n is None else n
    own = folder.resolve() == study.folder.resolve()
    _check_request(seed, n, own and (seed, n) != (population["seed"], population["n"]))
    main = make_main(study, population, seed=seed, n=n)
    try:
        written = write_main(study, population, main, folder)
        written += write_modules(study, population, main, seed, folder)
        if not own:
            written += write_description(study, folder, written, seed=seed, n=n)
    except OSError as error:
        raise ReportError(
            f"simulate_study: folder= '{folder.name}' cannot be written to ({error.strerror}); a "
            "folder with write permission and free space is needed. Give another folder."
        ) from None
    return written


def _check_request(seed: int, n: int, changes_bundled: bool) -> None:
    """Raise if the study asked for cannot or must not be made."""
    if n < FEWEST:
        raise DataContractError(
            f"simulate_study: n= is {n}; at least {FEWEST} responses are needed, so that every "
            "planted fault occurs. Give a larger n."
        )
    if seed < 0:
        raise DataContractError(
            f"simulate_study: seed= is {seed}; a whole number from 0 is needed. Leave it out for "
            "the bundled study."
        )
    if changes_bundled:
        raise DataContractError(
            "simulate_study: folder= is that of the bundled study, whose files are fixed by their "
            "sums; another seed or n belongs in a folder of its own. Give another folder."
        )


def write_description(
    study: StudyFolder, folder: Path, written: list[Path], *, seed: int, n: int
) -> list[Path]:
    """Write study file, codebook and planted truth beside raw files made elsewhere."""
    text = (study.folder / "study.yml").read_text(encoding="utf-8")
    for path in written:
        bundled = study.folder / "raw" / path.name
        if path.parent.name == "raw" and bundled.is_file():
            text = text.replace(_digest(bundled), _digest(path))
    truth = (study.folder / str(study.spec.truth)).read_text(encoding="utf-8")
    truth = re.sub(r"^seed: \d+", f"seed: {seed}", truth, flags=re.MULTILINE)
    truth = re.sub(r"^n: \d+", f"n: {n}", truth, flags=re.MULTILINE)
    contents = {
        "study.yml": text,
        "items.csv": (study.folder / "items.csv").read_text(encoding="utf-8"),
        str(study.spec.truth): truth,
    }
    for name, content in contents.items():
        write_whole(folder / name, content.encode("utf-8"))
    return [folder / name for name in contents]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_main(study: StudyFolder, population: Population, main: Main, folder: Path) -> list[Path]:
    """Write the main file and the true flags."""
    wording = dict(zip(study.items["item"], study.items["wording_en"], strict=True))
    zone = population["field_period"]["time_zone"]
    written = [folder / "raw" / "main.csv.gz", folder / "truth" / "flags.csv.gz"]
    rows = qualtrics_rows(main.metadata, main.cells, wording, zone)
    write_csv(written[0], rows, end="\r\n")
    write_csv(written[1], table_rows(main.flags))
    return written


def write_modules(
    study: StudyFolder, population: Population, main: Main, seed: int, folder: Path
) -> list[Path]:
    """Write the modules, and the true classes of the complaint cases."""
    raw = folder / "raw"
    cases, truth = make_cases(population, main, seed)
    tables = {
        "kano": make_kano(population, main, seed),
        "followup": make_followup(population, main, seed),
        "pilot": make_pilot(population, main, seed),
        "cases": cases,
    }
    servqual = raw / "servqual.csv.gz"
    write_csv(servqual, make_servqual(study, population, main, seed), end="\r\n", mark=True)
    for name, table in tables.items():
        write_csv(raw / f"{name}.csv.gz", table_rows(table))
    write_csv(folder / "truth" / "cases.csv.gz", table_rows(truth))
    return [
        servqual,
        *(raw / f"{name}.csv.gz" for name in tables),
        folder / "truth" / "cases.csv.gz",
    ]
