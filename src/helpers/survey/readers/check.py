"""Look at an export without a study: what it is, and everything odd about it at once."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import paths
from helpers.errors import SuiteError
from helpers.survey.findings import Finding, Said, by_severity, listed, said
from helpers.survey.identifiers import distinct
from helpers.survey.readers.answers import (
    CONVENTIONAL_CODES,
    code_before_label,
    halves_around_zero,
)
from helpers.survey.readers.assemble import IDENTIFIER, PLATFORM
from helpers.survey.readers.detect import Detected, detect, read_export
from helpers.survey.readers.export import Export
from helpers.survey.readers.intake import rows_found
from helpers.survey.readers.long_form import long_found
from helpers.survey.readers.odd_rows import total_found

_NUMBER = re.compile(r"^[+-]?\d+([.,]\d+)*$")
_INTEGER = re.compile(r"^[+-]?\d+(\.0*)?$")
_BROKEN = re.compile(r"^#(REF|DIV/0|VALUE|NAME|NULL|NUM|N/A)[!?]?$")
_FEW = 30
_LONGEST_SCALE = 11
_MOSTLY = 0.5
_ENOUGH = 5
_STEP, _BITS = np.uint64(1_000_003), (1 << 64) - 1


def check_export(path: Path) -> tuple[Detected | None, list[Finding]]:
    """Say what an export is and list everything that is wrong with it, or worth knowing.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Detected or None
        None where the file cannot be read as a table at all; the finding says why.
    list of Finding
        Errors first, then marks, then notes. An error means that a study made from this file
        would not load.
    """
    place = paths.shown(Path(path))
    detected = None
    try:
        detected = detect(Path(path))
        export = read_export(Path(path), detected)
    except SuiteError as error:
        return detected, [Finding("error", place, str(error))]
    findings = [*export.findings, *rows_found(export.meta, "main", place)]
    findings += _columns(export, place) + _rows(export, place) + _left_out(export, place)
    findings += total_found(export, place)
    if "respondent_id" not in detected.columns:
        findings += long_found(export, place)
    columns = export.answers.shape[1] + len(export.dropped) + len(detected.columns)
    if detected.reader == "csv" and columns == 1:
        findings.append(_one_column(place))
    return detected, by_severity(findings)


def _columns(export: Export, place: str) -> list[Finding]:
    """Return what single columns show: blanks, one answer only, two forms, codes for blanks."""
    blank, constant, mixed, broken = [], [], [], []
    codes: dict[int, list[str]] = {}
    for column in export.answers:
        texts = {str(t).strip() for t in distinct(export.answers[column])}
        texts -= {"", *export.tokens}
        numbers = {t for t in texts if _INTEGER.match(t)}
        if not texts:
            blank.append(column)
        elif len(texts) == 1 and len(export.answers) >= _ENOUGH:
            constant.append(column)
        if any(_BROKEN.match(t) for t in texts):
            broken.append(column)
        elif words := _words_among_numbers(texts):
            mixed.append(f"{column} ({listed(sorted(words), most=2)})")
        for code in _odd_codes(numbers, texts):
            declared = export.missing_codes.get(column, {})
            if code not in declared:
                codes.setdefault(code, []).append(column)
    found = [
        ("note", said("{n} columns without a single answer: {names}.", **_counted(blank))),
        (
            "note",
            said(
                "{n} columns in which all answers given are the same: {names}.",
                **_counted(constant),
            ),
        ),
        (
            "mark",
            said(
                "{n} columns that hold errors of a spreadsheet such as #REF!: {names}.",
                **_counted(broken),
            ),
        ),
        ("mark", said("{n} columns that hold numbers and words: {names}.", **_counted(mixed))),
    ]
    found += [("mark", _odd_code(code, named)) for code, named in sorted(codes.items())]
    return [Finding(severity, place, what) for severity, what in found if what.fields["n"]]


def _one_column(place: str) -> Finding:
    """Return the finding on a table that was not split."""
    sentence = said(
        "the table has one column; if it should have more, its cells are kept apart by blanks, by "
        "fixed places, or by a sign other than comma, semicolon, tab and bar. Export it as CSV."
    )
    return Finding("mark", place, sentence)


def _words_among_numbers(texts: set[str]) -> set[str]:
    """Return the texts of a short list of answers that are no numbers, if others are.

    A code in front of its label, as in ``7 (very much)``, is no word.
    """
    words = {t for t in texts if not _NUMBER.match(t) and code_before_label(t) is None}
    return words if 0 < len(words) < len(texts) <= _FEW else set()


def _counted(columns: list[str], most: int = 8) -> dict[str, object]:
    """Return how many columns there are, and their names."""
    return {"n": len(columns), "names": listed(columns, most=most)}


def _odd_code(code: int, columns: list[str]) -> Said:
    """Return what is said of a code that looks like one for a blank."""
    return said(
        "the code {code} stands in {n} columns ({names}) beside answers of a scale; it looks "
        "like a missing code. Declare it in missing_codes of items.csv with its reason, where it "
        "is one.",
        code=code, **_counted(columns, most=5),
    )  # fmt: skip


def _odd_codes(numbers: set[str], texts: set[str]) -> list[int]:
    """Return the codes of a column that stand far from a short scale."""
    if len(texts) > _FEW or len(numbers) < _MOSTLY * len(texts):
        return []
    values = {int(float(t)) for t in numbers}
    mirrored = halves_around_zero(values)
    odd = {v for v in values if v in CONVENTIONAL_CODES or (v < 0 and not mirrored)}
    scale = values - odd
    return sorted(odd) if scale and max(scale) <= _LONGEST_SCALE and min(scale) >= 0 else []


def _rows(export: Export, place: str) -> list[Finding]:
    """Return what rows show: nothing answered, the same answers twice."""
    answers = export.answers
    if answers.empty or answers.shape[1] == 0:
        return []
    filled, digests = np.zeros(len(answers), int), np.zeros(len(answers), np.uint64)
    for column in answers:
        cells = answers[column].astype("category").array
        texts = np.array([text.strip() for text in cells.categories], dtype=object)
        filled += np.append(texts != "", False)[cells.codes]
        hashed = np.array([hash(t) & _BITS for t in texts], np.uint64)
        digests = digests * _STEP + np.append(hashed, np.uint64(0))[cells.codes]
    findings = []
    if (filled == 0).any():
        n = int((filled == 0).sum())
        sentence = said("{n} rows hold no answer at all; they are kept.", n=n)
        findings.append(Finding("note", place, sentence))
    twice = pd.Series(digests).duplicated().to_numpy() & (filled >= _ENOUGH)
    if twice.any():
        sentence = said(
            "{n} rows repeat all answers of an earlier row; they are kept. Two "
            "exports may overlap, or somebody answered twice.",
            n=int(twice.sum()),
        )
        findings.append(Finding("mark", place, sentence))
    return findings


def _left_out(export: Export, place: str) -> list[Finding]:
    """Return which columns were not read, and why."""
    findings = []
    names = {
        why: listed(c for c, reason in export.dropped.items() if reason == why)
        for why in (IDENTIFIER, PLATFORM)
    }
    if names[IDENTIFIER].values:
        sentence = said("direct identifiers were not kept: {names}.", names=names[IDENTIFIER])
        findings.append(Finding("note", place, sentence))
    if names[PLATFORM].values:
        sentence = said("columns of the platform were not kept: {names}.", names=names[PLATFORM])
        findings.append(Finding("note", place, sentence))
    n, k = len(export.meta), export.answers.shape[1]
    sentence = said("{n} rows with {k} columns of answers were read.", n=n, k=k)
    findings.append(Finding("note", place, sentence))
    return findings
