"""Write the raw files of the simulated study."""

from __future__ import annotations

from pathlib import Path

from helpers.paths import data_folder
from helpers.study import StudyFolder, read_folder
from helpers.survey.simulate.cases import make_cases
from helpers.survey.simulate.export import qualtrics_rows, table_rows, write_csv
from helpers.survey.simulate.main_file import Main, make_main
from helpers.survey.simulate.modules import (
    make_followup,
    make_kano,
    make_pilot,
    make_servqual,
)
from helpers.survey.simulate.population import Population, read_population

STUDY = "online_shopping"


def simulate_study(folder: Path, *, seed: int | None = None, n: int | None = None) -> list[Path]:
    """Write the simulated study's raw files and true flags below a folder.

    Parameters
    ----------
    folder : Path
        Files are written to ``folder/raw`` and ``folder/truth``; existing ones are replaced,
        each as a whole.
    seed, n : int, optional
        Seed and number of responses; by default those of ``population.yml``.

    Returns
    -------
    list of Path
        The files written. The same seed and n give the same bytes.
    """
    study = read_folder(data_folder() / STUDY)
    population = read_population(study.folder / str(study.spec.truth))
    main = make_main(study, population, seed=seed or population["seed"], n=n or population["n"])
    return [
        *write_main(study, population, main, folder),
        *write_modules(study, population, main, seed or population["seed"], folder),
    ]


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
