"""Tell from the first rows of a table which platform wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from helpers.i18n import _
from helpers.survey.readers import qualtrics
from helpers.survey.readers.assemble import header_row
from helpers.survey.readers.fixed_columns import lime_names, monkey_names
from helpers.survey.readers.wenjuanxing import NEEDED, plain_header

_STAMPS = frozenset({
    "timestamp", "时间戳记", "时间戳", "時間戳記", "zeitstempel", "horodateur", "marca temporal",
    "informazioni cronologiche", "carimbo de data/hora", "タイムスタンプ", "타임스탬프",
    "отметка времени", "tijdstempel",
})  # fmt: skip
_SPLIT_NUMBER = re.compile(r"^第\d+题\(")
_NUMBER = re.compile(r"^[+-]?\d+([.,]\d*)?$")
_LEGACY = re.compile(r"^V\d+$")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A platform, why it is taken, and how many header rows its file has.

    Attributes
    ----------
    reader : str
        One of ``specification.READERS``.
    because : str
        The reason, a sentence without its full stop.
    header_rows : int
        0 where the header seems to be missing.
    sure : bool
        False where another reader could be meant.
    others : tuple of str
        Which.
    """

    reader: str
    because: str
    header_rows: int = 1
    sure: bool = True
    others: tuple[str, ...] = ()


def recognise(rows: pd.DataFrame) -> Recognised:
    """Return which platform wrote a table of text cells, header rows included."""
    first = [c.strip() for c in header_row(rows, 0)]
    second = [c.strip() for c in header_row(rows, 1)] if len(rows) > 1 else []
    low = [c.casefold() for c in first]
    if {"id", "submitdate"} <= set(low) or {"response id", "date submitted"} <= set(low):
        why = _("there are columns for the id and the date of submission as LimeSurvey names them")
        return Recognised("limesurvey", why)
    for test in (_qualtrics, _wenjuanxing):
        found = test(rows, first, second)
        if found:
            return found
    if low[0] in ("respondent id", "respondent_id") and second and not second[0]:
        why = _("the first column is 'Respondent ID', and the second row is blank under it")
        return Recognised("surveymonkey", why, 2)
    if low[0] in _STAMPS:
        why = _("the first column is a time stamp ('{name}') and there is no id")
        return Recognised("google_forms", why.format(name=first[0]))
    return _by_cells(rows) or _plain(first)


def _by_cells(rows: pd.DataFrame) -> Recognised | None:
    """Return the platform whose fixed first columns stand there, under other names."""
    for reader, names, n in (
        ("limesurvey", lime_names(rows), 1), ("surveymonkey", monkey_names(rows), 2),
    ):  # fmt: skip
        if names:
            why = _("the first {k} columns hold what {platform} writes there, under other names")
            name = {"limesurvey": "LimeSurvey", "surveymonkey": "SurveyMonkey"}[reader]
            why = why.format(k=len(names), platform=name)
            return Recognised(reader, why, n, False, ("csv",))
    return None


def _qualtrics(rows: pd.DataFrame, first: list[str], second: list[str]) -> Recognised | None:
    """Return Qualtrics if the header, or the order of the first columns, is its own."""
    n = qualtrics.header_rows(rows)
    if qualtrics.holds_ids(header_row(rows, n - 1)):
        why = _("row {n} holds the platform's import ids; the answers begin below it")
        return Recognised("qualtrics", why.format(n=n), n)
    if sum(bool(_LEGACY.match(c)) for c in first) >= _ENOUGH and second[:1] == ["ResponseID"]:
        why = _("the columns are called V1, V2, ... and the second row begins with 'ResponseID'")
        return Recognised("qualtrics_legacy", why, 2)
    known = sum(name in qualtrics.CANONICAL for name in first)
    if "ResponseId" in first or known >= _ENOUGH:
        why = _("{k} columns carry the platform's fixed names; {n} header rows")
        return Recognised("qualtrics", why.format(k=known, n=n), n)
    if "ResponseId" in qualtrics.standard_names(first, rows, n):
        why = _("the columns stand in the platform's fixed order, under other names")
        return Recognised("qualtrics", why, n, False, ("csv",))
    return None


_ENOUGH = 4
"""Fixed column names from which a table counts as a Qualtrics export."""


def _wenjuanxing(rows: pd.DataFrame, first: list[str], _second: list[str]) -> Recognised | None:
    """Return Wenjuanxing if its two fixed columns are there."""
    plain = [plain_header(c) for c in first]
    if not set(NEEDED) <= set(plain):
        return None
    why = _("there are the columns '{a}' and '{b}'").format(a=NEEDED[0], b=NEEDED[1])
    return Recognised("wenjuanxing", why)


def _plain(first: list[str]) -> Recognised:
    """Return a plain table, with or without a header row."""
    numbers = sum(bool(_NUMBER.match(c)) for c in first)
    if 2 * numbers > len(first):
        why = _("the first row holds numbers: the row with the names of the columns is missing")
        return Recognised("csv", why, 0, False)
    why = _("no platform's header was found; one row of column names")
    return Recognised("csv", why)


def form_of(answers: pd.DataFrame, tokens: frozenset[str]) -> str:
    """Return whether answers stand as codes or as text: ``number``, ``text`` or ``mixed``.

    Columns with more than 30 distinct cells, or without any, are not counted: they hold open
    answers or ids. ``mixed`` means that at least a tenth of the columns are of either form.
    """
    numbers = texts = 0
    for column in answers:
        cells = {str(c).strip() for c in answers[column].unique()} - tokens - {""}
        if not cells or len(cells) > _MOST:
            continue
        written = sum(bool(_NUMBER.match(c)) for c in cells)
        numbers += 2 * written > len(cells)
        texts += 2 * written <= len(cells)
    total = numbers + texts
    if not total:
        return "text"
    if min(numbers, texts) >= _SHARE * total:
        return "mixed"
    return "number" if numbers > texts else "text"


_MOST, _SHARE = 30, 0.1
