"""What is found out about a file, with reasons: separators, decimal sign, order of dates."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import pandas as pd

from helpers.i18n import _
from helpers.survey.findings import listed
from helpers.survey.readers import metadata
from helpers.survey.readers.cells import SIGNS

_LINES = 200
_DECIMAL = re.compile(r"^[+-]?\d+,\d+$")
_POINT = re.compile(r"^[+-]?\d+\.\d+$")
_LIST = re.compile(r"^\d+(,\d+){2,}$")


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing that was found out about a file.

    Attributes
    ----------
    what : str
        ``reader``, ``form``, ``encoding``, ``delimiter``, ``decimal``, ``header_rows``, ``sheet``,
        ``dates``, or ``columns.NAME`` for a metadata column.
    found : str
        What it is taken to be.
    because : str
        Why, in the language in which detection ran; no full stop.
    sure : bool
        False where the file allows something else; the user should look.
    alternatives : tuple of str
        What else it could be.
    """

    what: str
    found: str
    because: str
    sure: bool = True
    alternatives: tuple[str, ...] = ()

    def text(self) -> str:
        """Return one sentence in the current language."""
        head = _("{what}: {found}, because {why}.").format(
            what=_names()[self.what.partition(".")[0]].format(name=self.what.partition(".")[2]),
            found=_shown(self.found), why=self.because,
        )  # fmt: skip
        if self.sure:
            return head
        hint = _("This is a guess; look at it.")
        if self.alternatives:
            other = listed(map(_shown, self.alternatives))
            hint = _("This is a guess; it could also be {other}.").format(other=other)
        return _("{sentence} {hint}").format(sentence=head, hint=hint)


def _shown(found: str) -> str:
    """Return what was found in words of the current language, where it is a word."""
    words = {
        "commas": _("commas"), "semicolons": _("semicolons"), "tabs": _("tabs"),
        "bars": _("bars"), "number": _("number"), "text": _("text"), "mixed": _("mixed"),
    }  # fmt: skip
    return words.get(found, found)


def _names() -> dict[str, str]:
    """Return what guesses are about, in the current language."""
    return {
        "reader": _("source"),
        "form": _("form of the answers"),
        "encoding": _("encoding"),
        "delimiter": _("cells kept apart by"),
        "decimal": _("decimal sign"),
        "header_rows": _("header rows"),
        "sheet": _("sheet"),
        "dates": _("order of dates"),
        "columns": _("column for {name}"),
    }


def guess_delimiter(text: str, named: str | None) -> Guess:
    """Return the guess on what keeps cells apart."""
    if named in SIGNS:
        return Guess("delimiter", SIGNS[named], _("the first line names it"))
    widths = {sign: _widths(text, sign) for sign in SIGNS}
    even = {s: w[0] for s, w in widths.items() if w and len(set(w)) == 1 and w[0] > 1}
    if not even:
        even = {s: w[0] for s, w in widths.items() if w and w[0] > 1}
        if not even:
            return Guess("delimiter", SIGNS[","], _("the file has one column"))
        best = max(even, key=lambda s: _agreeing(widths[s]))
        why = _("most lines have {n} cells by it, though not all").format(n=even[best])
        others = tuple(SIGNS[s] for s in even if s != best)
        return Guess("delimiter", SIGNS[best], why, False, others)
    best = max(even, key=lambda s: even[s])
    why = _("every line looked at has {n} cells by it").format(n=even[best])
    others = tuple(SIGNS[s] for s in even if s != best)
    return Guess("delimiter", SIGNS[best], why, not others, others)


def _widths(text: str, sign: str) -> list[int]:
    """Return how many cells each of the first records has by a sign; none if it cannot be split."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    widths: list[int] = []
    try:
        for cells in reader:
            widths += [len(cells)] if cells else []
            if len(widths) >= _LINES:
                break
    except csv.Error:
        return []
    return widths[:-1] if len(widths) > _LINES // 2 else widths


def _agreeing(widths: list[int]) -> int:
    """Return how many records are as wide as the first."""
    return sum(w == widths[0] for w in widths)


def guess_dates(body: pd.DataFrame, reader: str, *, stamp: str = "") -> Guess | None:
    """Return the guess on the order of dates, or None where there is none or the year leads.

    ``stamp`` is the name of the first column: Google Forms writes it, and the dates below it, in
    the language of the form, and only American English puts the month first.
    """
    total = dict.fromkeys(("year-first", "day-first", "month-first", "either", "unread"), 0)
    for column in body:
        orders = metadata.date_orders(body[column])
        if orders["unread"] * 2 < sum(orders.values()):
            total = {k: total[k] + orders[k] for k in total}
    day, month, either = total["day-first"], total["month-first"], total["either"]
    if not (day or month or either):
        return None
    american = reader == "google_forms" and stamp.casefold() == "timestamp"
    usual = "month-first" if reader == "surveymonkey" or american else "day-first"
    if day and month:
        why = _("{a} dates can only have the day first and {b} only the month first").format(
            a=day, b=month
        )
        first = "day-first" if day >= month else "month-first"
        return Guess("dates", first, why, False, ("day-first", "month-first"))
    if total["year-first"] and (day or month or either):
        first = "month-first" if month else "day-first" if day else usual
        why = _("dates stand in several forms: {a} begin with the year, {b} do not")
        other = tuple({"day-first", "month-first"} - {first})
        found = why.format(a=total["year-first"], b=day + month + either)
        return Guess("dates", first, found, False, other)
    if day or month:
        first = "day-first" if day else "month-first"
        why = _("{n} dates allow no other order").format(n=day + month)
        return Guess("dates", first, why)
    why = _("no date tells day from month ({n} dates looked at); this is usual for the source")
    others = tuple({"day-first", "month-first"} - {usual})
    return Guess("dates", usual, why.format(n=either), False, others)


def guess_decimal(body: pd.DataFrame, delimiter: str) -> Guess | None:
    """Return the guess on the decimal sign, or None where no number has decimals."""
    texts = {str(t).strip() for column in body for t in body[column].unique()}
    commas = [t for t in texts if _DECIMAL.match(t)]
    points = sum(bool(_POINT.match(t)) for t in texts)
    lists = sum(bool(_LIST.match(t)) for t in texts)
    if not commas:
        return (
            Guess("decimal", ".", _("numbers with a point stand in the file")) if points else None
        )
    if lists and delimiter == ",":
        return None
    if points or lists or delimiter == ",":
        why = _("{n} cells such as '{cell}' could be numbers or joined choices").format(
            n=len(commas), cell=sorted(commas)[0]
        )
        return Guess("decimal", ".", why, False, (",",))
    long = any(len(t.split(",")[1]) > 1 or "0" in t.split(",") for t in commas)
    why = _("{n} numbers such as '{cell}' stand in the file").format(
        n=len(commas), cell=sorted(commas)[0]
    )
    return Guess("decimal", ",", why, long, () if long else (".",))
