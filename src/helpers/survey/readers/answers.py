"""Turn answers from text into numbers by the codebook, keeping the reason for every blank."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.specification import Scale
from helpers.survey.findings import Finding, in_file
from helpers.survey.readers.answer_faults import AskedColumn, faults_found
from helpers.survey.readers.units import unit_of, without_unit

NOT_ANSWERED = "not answered"
NOT_ASKED = "not asked"
OUTSIDE = "outside the scale"
UNREADABLE = "not a number"

CONVENTIONAL_CODES = frozenset({97, 98, 99, 777, 888, 997, 998, 999, 9999})
"""Codes that research files use for blanks; negative numbers on a scale from 0 up count too. 77 and
88 are left out: on a scale of 7 or 8 a key pressed twice gives them, so they count as outside."""

_NUMBER = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
_LEADING_CODE = re.compile(
    r"^(-?\d+)\s*(?:[-–—.、:：=]\s*(\D.*)|[（(]\s*([^\d()（）][^()（）]*)[)）])$"
)
_COMMA = re.compile(r"^[+-]?\d+,\d+$")
_GROUPED = {
    ".": re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"),
    ",": re.compile(r"^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$"),
}
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
        Reason of a blank where one is known, else missing; same index. Categorical or text.
    findings : tuple of Finding
        Faults and counts of cells set missing.
    """

    values: pd.Series | pd.DataFrame
    reasons: pd.Series
    findings: tuple[Finding, ...]


def plain(text: str) -> str:
    """Return a label as compared: narrow, trimmed, single blanks, lower case."""
    narrow = unicodedata.normalize("NFKC", text).replace("−", "-")
    return re.sub(r"\s+", " ", narrow).strip().casefold()


def code_before_label(text: str) -> tuple[int, str] | None:
    """Return code and label of a cell such as ``1 - not at all`` or ``7 (very much)``, or None."""
    hit = _LEADING_CODE.match(text)
    return (int(hit[1]), (hit[2] or hit[3]).strip()) if hit else None


def as_number(text: str, decimal: str) -> float | None:
    """Return a text as the number it is written as, signs between thousands left out, or None."""
    narrow = unicodedata.normalize("NFKC", text).replace("−", "-").strip()
    if _GROUPED[decimal].match(narrow):
        narrow = narrow.replace("." if decimal == "," else ",", "")
    return _written(narrow, decimal)


def _written(narrow: str, decimal: str) -> float | None:
    """Return a narrow text as a number, or None."""
    if decimal == ",":
        narrow = narrow.replace(",", ".") if narrow.count(",") == 1 else narrow
    return float(narrow) if _NUMBER.match(narrow) else None


def halves_around_zero(codes: Collection[float]) -> bool:
    """Tell whether codes are those of a scale such as -3 to 3, its last step perhaps unused."""
    whole = {v for v in codes if v not in CONVENTIONAL_CODES}
    low, high = min(whole, default=0.0), max(whole, default=0.0)
    run = set(np.arange(low, 1)) <= whole
    return low <= -2 and high >= 2 and run and abs(low + high) <= 1


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
    decimal: str = ".",
) -> Typed:
    """Type one column of text cells by its scale.

    Full-width digits and signs count as their narrow forms.

    Missing-data rule: empty cells and the platform's blank signs become missing with their
    reason; declared missing codes with the codebook's reason; codes outside the scale with
    the reason ``outside the scale``, counted in a finding. A choice that is no label of the
    scale, and a conventional missing code that the codebook does not declare, are errors,
    because guessing them would change answers in silence.

    Each distinct text is read once, so the time hardly grows with the number of respondents.
    """
    if scale.kind == "text":
        stripped = cells.str.strip()
        reasons = stripped.map(dict(tokens) | {"": NOT_ANSWERED}).astype(object)
        blank = reasons.notna()
        return Typed(stripped.astype(object).where(~blank, None), reasons.where(blank, None), ())
    where, texts = _dictionary(cells)
    rule = _Rule(scale, label_codes(scale), missing_codes, tokens, decimal)
    unit = unit_of(texts) if scale.kind == "number" else ""
    read = [_read_cell(str(text).strip(), rule) for text in texts]
    if unit:
        read = [_without_unit(cell, rule) for cell in read]
    values = np.array([cell.value for cell in read], dtype=float).take(where)
    findings = faults_found(AskedColumn(item, in_file(place, item), scale), read, where)
    reasons = _reasons(read, where)
    return Typed(
        pd.Series(values, index=cells.index, copy=False),
        pd.Series(reasons, index=cells.index, copy=False),
        findings,
    )


def _dictionary(cells: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return for each cell the place of its text, and the distinct texts."""
    if not isinstance(cells.dtype, pd.CategoricalDtype):
        where, texts = pd.factorize(cells)
        return where, list(texts)
    codes, texts = cells.array.codes, cells.array.categories.to_numpy(object)
    found = np.zeros(len(texts), dtype=bool)
    found[codes] = True
    used = np.flatnonzero(found)  # the header's texts stand in the dictionary, too
    place = np.zeros(len(texts), dtype=codes.dtype)
    place[used] = np.arange(len(used))
    return place[codes], [texts[i] for i in used]


def _reasons(read: list[_Cell], where: np.ndarray) -> pd.Categorical:
    """Return the reason of each blank cell as a dictionary."""
    named = tuple(dict.fromkeys(cell.reason for cell in read if cell.reason is not None))
    number = {reason: i for i, reason in enumerate(named)}
    codes = np.array([number.get(cell.reason, -1) for cell in read], dtype=np.int16)
    return pd.Categorical.from_codes(codes.take(where), dtype=_kind(named), validate=False)


@lru_cache(maxsize=64)
def _kind(reasons: tuple[str, ...]) -> pd.CategoricalDtype:
    """Return the kind of a column of reasons; most columns share one."""
    return pd.CategoricalDtype(pd.Index(reasons, dtype=object))


class _Rule(NamedTuple):
    """What decides how a cell of one item is read."""

    scale: Scale
    labels: Mapping[str, int]
    missing_codes: Mapping[int, str]
    tokens: Mapping[str, str]
    decimal: str


class _Cell(NamedTuple):
    """One distinct text, read: its value, why it is blank, and what is wrong with it."""

    text: str
    value: float
    reason: str | None = None
    fault: str = ""


def _read_cell(text: str, rule: _Rule) -> _Cell:
    """Read one text by an item's rule."""
    if not text:
        return _Cell(text, np.nan, NOT_ANSWERED)
    if text in rule.tokens:
        return _Cell(text, np.nan, rule.tokens[text])
    value = _number(text, rule)
    if value is None:
        comma = rule.decimal == "." and _COMMA.match(text)
        return _Cell(text, np.nan, UNREADABLE, "comma" if comma else "unread")
    if _contradicts(text, value, rule):
        return _Cell(text, np.nan, UNREADABLE, "contradicts")
    if value in rule.missing_codes:
        return _Cell(text, np.nan, rule.missing_codes[int(value)])
    if not _allows(rule.scale, value):
        unknown = _looks_missing(rule.scale, value)
        return _Cell(text, np.nan, OUTSIDE, "unknown" if unknown else "outside")
    return _Cell(text, value, fault="grouped" if _grouped(text, rule) else "")


def _without_unit(cell: _Cell, rule: _Rule) -> _Cell:
    """Return a cell that holds a number beside its unit as that number; others as they are."""
    if cell.fault not in ("unread", "comma"):
        return cell
    again = _read_cell(without_unit(cell.text), rule)
    known = again.fault in ("", "grouped")
    return again._replace(text=cell.text, fault="unit") if known else cell


def _number(text: str, rule: _Rule) -> float | None:
    """Return a text as a number: as written, by label, or by a code in front of a label."""
    narrow = unicodedata.normalize("NFKC", text).replace("−", "-").strip()
    if _grouped(narrow, rule):
        narrow = narrow.replace("." if rule.decimal == "," else ",", "")
    written = _written(narrow, rule.decimal)
    if written is not None:
        return written
    if rule.scale.kind == "number":
        return None
    for candidate in (plain(text), plain(_OTHER_TEXT.sub("", text))):
        if candidate in rule.labels:
            return float(rule.labels[candidate])
    leading = code_before_label(text)
    return float(leading[0]) if leading else None


def _grouped(text: str, rule: _Rule) -> bool:
    """Tell whether a number is written with signs between its thousands."""
    return rule.scale.kind == "number" and bool(_GROUPED[rule.decimal].match(text))


def _contradicts(text: str, value: float, rule: _Rule) -> bool:
    """Tell whether a cell names a code and a label that the scale gives another code."""
    leading = code_before_label(text)
    label = plain(leading[1]) if leading else ""
    return label in rule.labels and rule.labels[label] != value


def _allows(scale: Scale, value: float) -> bool:
    """Tell whether a scale has a number."""
    if scale.kind == "category":
        return value in scale.labels
    if scale.low is not None and value < scale.low:
        return False
    if scale.high is not None and value > scale.high:
        return False
    return scale.kind != "likert" or (value - (scale.low or 0)) % 1 == 0


def _looks_missing(scale: Scale, value: float) -> bool:
    """Tell whether a number outside the scale looks like a missing code rather than a slip."""
    lowest = min(scale.labels) if scale.kind == "category" else scale.low
    negative = lowest is not None and lowest >= 0 and value < 0
    return negative or value in CONVENTIONAL_CODES
