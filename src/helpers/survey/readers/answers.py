"""Turn answers from text into numbers by the codebook, keeping the reason for every blank."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import listing
from helpers.specification import Scale
from helpers.survey.findings import Finding

NOT_ANSWERED = "not answered"
OUTSIDE = "outside the scale"
UNREADABLE = "not a number"

CONVENTIONAL_CODES = frozenset({97, 98, 99, 777, 888, 997, 998, 999, 9999})
"""Codes that research files use for blanks; negative numbers on a scale from 0 up count too. 77 and
88 are left out: on a scale of 7 or 8 a key pressed twice gives them, so they count as outside."""

_LEADING_CODE = re.compile(r"^(-?\d+)\s*[-–—.、:：=]\s*\D")
_OTHER_TEXT = re.compile(r"[〖].*$")


@dataclass(frozen=True, slots=True)
class Typed:
    """One question's answers.

    Attributes
    ----------
    values : Series or DataFrame
        Float codes, or text for the scale kind ``text``; for several answers one 0/1 column a
        code.
    reasons : Series
        Reason of a blank where one is known, else missing; same index.
    findings : tuple of Finding
        Faults and counts of cells set missing.
    """

    values: pd.Series | pd.DataFrame
    reasons: pd.Series
    findings: tuple[Finding, ...]


def plain(text: str) -> str:
    """Return a label as compared: narrow, trimmed, single blanks, lower case."""
    narrow = unicodedata.normalize("NFKC", text)
    return re.sub(r"\s+", " ", narrow).strip().casefold()


def label_codes(scale: Scale) -> dict[str, int]:
    """Return every label of a scale, in both languages, with its code."""
    return {plain(t): code for code, b in scale.labels.items() for t in (b.en, b.zh)}


def type_answers(
    cells: pd.Series,
    *,
    item: str,
    scale: Scale,
    missing_codes: Mapping[int, str],
    tokens: Mapping[str, str],
    place: str,
) -> Typed:
    """Type one column of text cells by its scale.

    Missing-data rule: empty cells and the platform's blank signs become missing with their
    reason; declared missing codes with the codebook's reason; codes outside the scale with
    the reason ``outside the scale``, counted in a finding. A choice that is no label of the
    scale, and a conventional missing code that the codebook does not declare, are errors,
    because guessing them would change answers in silence.
    """
    stripped = cells.str.strip()
    reasons = stripped.map(dict(tokens)).astype(object).where(lambda r: r.notna(), None)
    blank = (stripped == "") | reasons.notna()
    reasons[stripped == ""] = NOT_ANSWERED
    if scale.kind == "text":
        return Typed(stripped.astype(object).where(~blank, None), reasons, ())
    values = _numbers(stripped.where(~blank, ""), scale)
    where = f"{place}, item {item}"
    unread = values.isna() & ~blank
    findings = _unread(stripped[unread], scale, where)
    if scale.kind == "number":
        reasons[unread] = UNREADABLE
    for code, reason in missing_codes.items():
        reasons[values == code] = reason
        values = values.mask(values == code)
    outside = _outside(values, scale)
    unknown = outside & _conventional(values, scale)
    findings += _outside_findings(values[unknown], values[outside & ~unknown], scale, where)
    reasons[outside] = OUTSIDE
    return Typed(values.mask(outside), reasons, tuple(findings))


def _numbers(cells: pd.Series, scale: Scale) -> pd.Series:
    """Return cells as numbers: as written, by label, or by a code in front of a label."""
    values = pd.to_numeric(cells, errors="coerce").astype(float)
    open_cells = values.isna() & (cells != "")
    if not open_cells.any() or scale.kind == "number":
        return values
    codes = label_codes(scale)
    distinct = {text: _label_code(text, codes) for text in cells[open_cells].unique()}
    return values.where(~open_cells, cells.map(distinct)).astype(float)


def _label_code(text: str, codes: Mapping[str, int]) -> float:
    """Return the code of one choice text, or NaN; free text behind ``〖`` is cut."""
    for candidate in (plain(text), plain(_OTHER_TEXT.sub("", text))):
        if candidate in codes:
            return float(codes[candidate])
    leading = _LEADING_CODE.match(text)
    return float(leading.group(1)) if leading else np.nan


def _outside(values: pd.Series, scale: Scale) -> pd.Series:
    """Tell which numbers the scale does not allow."""
    known = values.notna()
    if scale.kind == "category":
        return known & ~values.isin([float(c) for c in scale.labels])
    outside = pd.Series(False, index=values.index)
    if scale.low is not None:
        outside |= values < scale.low
    if scale.high is not None:
        outside |= values > scale.high
    if scale.kind == "likert":
        outside |= (values - (scale.low or 0)) % 1 != 0
    return known & outside


def _conventional(values: pd.Series, scale: Scale) -> pd.Series:
    """Tell which numbers look like missing codes rather than slips."""
    lowest = min(scale.labels) if scale.kind == "category" else scale.low
    negative = (values < 0) if lowest is not None and lowest >= 0 else values < -np.inf
    return negative | values.isin(CONVENTIONAL_CODES)


def _allowed(scale: Scale) -> str:
    """Return what a scale allows, for messages."""
    if scale.kind in ("category", "multiple"):
        return "the codes " + listing(scale.labels)
    low = "-inf" if scale.low is None else f"{scale.low:g}"
    high = "inf" if scale.high is None else f"{scale.high:g}"
    return f"{low} to {high}"


def _unread(cells: pd.Series, scale: Scale, where: str) -> list[Finding]:
    """Return the finding for texts that are no number and no label."""
    if cells.empty:
        return []
    shown = listing([f"'{t}'" for t in cells.unique()], most=5)
    if scale.kind == "number":
        sentence = f"{len(cells)} answers are not numbers ({shown}); they are set missing."
        return [Finding("mark", where, sentence)]
    known = listing([b.en for b in scale.labels.values()]) or _allowed(scale)
    sentence = (
        f"{len(cells)} answers are no label of the scale: {shown}; allowed are {known}. Correct "
        "the labels of the scale in study.yml, or export codes."
    )
    return [Finding("error", where, sentence)]


def _outside_findings(
    unknown: pd.Series, outside: pd.Series, scale: Scale, where: str
) -> list[Finding]:
    """Return the findings for undeclared missing codes and for answers outside the scale."""
    findings = []
    if not unknown.empty:
        codes = listing([f"{v:g}" for v in sorted(unknown.unique())])
        sentence = (
            f"{len(unknown)} cells hold the code {codes}, which looks like a missing code; the "
            f"scale allows {_allowed(scale)} and items.csv declares no such code. Write it into "
            "missing_codes with its reason (code=reason)."
        )
        findings.append(Finding("error", where, sentence))
    if not outside.empty:
        codes = listing([f"{v:g}" for v in sorted(outside.unique())])
        sentence = (
            f"{len(outside)} answers lie outside the scale: {codes}; allowed are "
            f"{_allowed(scale)}. They are set missing and counted in the cleaning log."
        )
        findings.append(Finding("mark", where, sentence))
    return findings
