"""Say everything that is wrong with a study at once, without stopping at the first fault."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from helpers.errors import SuiteError
from helpers.specification import Source
from helpers.study import StudyFolder, read_folder, study_folder
from helpers.survey.findings import Finding, by_severity, listed, said
from helpers.survey.item_checks import ALREADY_TURNED, NOT_TURNED, item_directions
from helpers.survey.matrix import study_matrix
from helpers.survey.new.reviews import open_reviews
from helpers.survey.readers import Intake, read_source
from helpers.survey.scoring import reverse_coded
from helpers.survey.screening import exclude_marked, mark_responses
from helpers.survey.translations import untranslated


def looks_like_export(name: str) -> bool:
    """Tell whether a name is that of a file rather than of a study."""
    path = Path(name)
    return not path.is_dir() and (path.is_file() or path.is_symlink() or bool(path.suffix))


def check_study(study: str | Path) -> list[Finding]:
    """List every fault and every remark about a study's files.

    Parameters
    ----------
    study : str or Path
        A study's name below ``data/``, or a folder with ``study.yml`` and ``items.csv``.

    Returns
    -------
    list of Finding
        Errors first, then marks, then notes; empty if nothing is to be said. ``load_study`` raises
        exactly where this lists an error.
    """
    name = str(study)
    folder = study if isinstance(study, Path) else Path(study)
    try:
        read = read_folder(folder if (folder / "study.yml").is_file() else study_folder(name))
    except SuiteError as error:
        return [Finding("error", name, str(error))]
    findings = _check_matrix(read)
    findings += _check_sources(read)
    findings += open_reviews(read.folder) + untranslated(read)
    return by_severity(findings)


def _check_matrix(folder: StudyFolder) -> list[Finding]:
    """Check a published matrix."""
    if folder.spec.matrix is None:
        return []
    place = f"{folder.id}/study.yml"
    try:
        study_matrix(folder.spec.matrix)
    except SuiteError as error:
        return [Finding("error", place, str(error))]
    if folder.spec.matrix.n is None:
        sentence = said(
            "the number of respondents is not known; tests need it. Give n_obs when you run."
        )
        return [Finding("note", place, sentence)]
    return []


def _check_sources(folder: StudyFolder) -> list[Finding]:
    """Read every declared file and collect what it says."""
    sources: dict[str, Source] = {n: m.source for n, m in folder.spec.modules.items()}
    if folder.spec.data is not None:
        sources = {"main": folder.spec.data, **sources}
    findings: list[Finding] = []
    for module, source in sources.items():
        try:
            intake = read_source(folder, source, module=module, strict=False)
        except SuiteError as error:
            findings.append(Finding("error", f"{folder.id}, {module}", str(error)))
            continue
        findings += intake.findings
        whole = not any(f.severity == "error" for f in intake.findings)
        if module == "main" and whole:
            findings += _check_main(folder, intake)
    return findings


def _check_main(folder: StudyFolder, intake: Intake) -> list[Finding]:
    """Check what needs whole main data: exclusions, items already turned, dropped columns."""
    findings = []
    try:
        cleaned = exclude_marked(
            mark_responses(folder, intake.meta, intake.answers), folder.spec.screening
        )
        sentence = said(
            "{received} rows received, {analysed} analysed.",
            received=cleaned.n_received, analysed=cleaned.n_analysed,
        )  # fmt: skip
        findings.append(Finding("note", intake.place, sentence))
        findings += turned_items(folder, intake.answers[cleaned.kept], intake.place)
    except SuiteError as error:
        findings.append(Finding("error", intake.place, str(error)))
    identifiers = [c for c, why in intake.dropped.items() if why == "direct identifier"]
    if identifiers:
        sentence = said("direct identifiers were not kept: {names}.", names=listed(identifiers))
        findings.append(Finding("note", intake.place, sentence))
    return findings


def turned_items(folder: StudyFolder, answers: pd.DataFrame, place: str) -> list[Finding]:
    """Find items that run against the rest of their construct after reverse coding.

    Such an item was turned before the export, or its reverse key is wrong. The rest of a construct
    is taken along its first axis, so that one wrong item does not put the others in doubt
    (``item_checks.item_directions``); constructs of two items and formative ones are left out.
    """
    constructs = {c.code: c for c in folder.spec.constructs}
    table = item_directions(folder, reverse_coded(folder, answers))
    findings = []
    for code, items in table.groupby("construct", sort=False):
        wrong = items[items["verdict"].isin([ALREADY_TURNED, NOT_TURNED])]
        if constructs[code].formative or len(items) < 3:
            continue
        for row in wrong.itertuples():
            sentence = said(
                "item '{item}' correlates {r:.2f} with the other items of {code} "
                "after reverse coding; it may already be turned in the file, or its reverse "
                "key is wrong. Compare wording and file.",
                item=row.item, r=row.r, code=code,
            )  # fmt: skip
            findings.append(Finding("mark", place, sentence))
    return findings
