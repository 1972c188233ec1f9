"""What differs between the reports of a batch: each key number against the report it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers.survey.intervals import difference_interval
from helpers.survey.selection import STARTED, Selection, parse_selection

Line = Mapping[str, Any]
_EQUAL = "="


def disjoint(first: str, second: str) -> bool:
    """Tell whether no respondent can belong to both of two selections."""
    if not first or not second:
        return False
    return any(
        _apart(a, b)
        for a in parse_selection(first).terms
        for b in parse_selection(second).terms
        if a.name == b.name
    ) or _periods_apart(parse_selection(first), parse_selection(second))


def reference_of(line: Line, lines: Sequence[Line]) -> Line | None:
    """Return the report that another is held against; None for the first of its kind.

    It is the first with the same parameters whose respondents are all others, or else the first of
    the batch.
    """
    fixed = _parameters(line)
    for other in lines:
        if other is line:
            break
        if _parameters(other) == fixed and disjoint(line["selection"], other["selection"]):
            return other
    return lines[0] if lines and lines[0] is not line else None


def differences(lines: Sequence[Line]) -> pd.DataFrame:
    """Return each key number of each report with its difference from the reference report.

    Returns
    -------
    DataFrame
        Columns ``id label report n value low high reference difference difference_low
        difference_high``, number by number; a report is held against one that has the number too.
        Limits of a difference only where no respondent is in both reports.
    """
    known = {line["report"]: {n["id"]: n for n in line["numbers"]} for line in lines}
    rows = []
    for id in dict.fromkeys(n["id"] for line in lines for n in line["numbers"]):
        having = [line for line in lines if id in known[line["report"]]]
        for line in having:
            other = reference_of(line, having)
            against = None if other is None else known[other["report"]][id]
            rows.append(_row(line, known[line["report"]][id], other, against))
    columns = [
        "id", "label", "report", "n", "value", "low", "high", "reference", "difference",
        "difference_low", "difference_high",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _row(line: Line, number: Mapping[str, Any], other: Line | None, against: Any) -> tuple:
    """Return one row of the table of differences."""
    difference: tuple[float | None, ...] = (None, None, None)
    if other is not None:
        apart = disjoint(line["selection"], other["selection"])
        both = [(n["value"], n["low"], n["high"]) for n in (number, against)]
        if apart and None not in (*both[0], *both[1]):
            difference = difference_interval(*both)
        else:
            difference = (number["value"] - against["value"], None, None)
    reference = "" if other is None else other["report"]
    shown = (number["n"], number["value"], number["low"], number["high"])
    return (number["id"], number["label"], line["report"], *shown, reference, *difference)


def _parameters(line: Line) -> dict[str, Any]:
    """Return what of a report's axes is no part of its selection."""
    named = set(re.findall(r"[A-Za-z]\w*", line["selection"])) | {"period", "where"}
    return {n: v for n, v in line["axes"].items() if n not in named}


def _apart(a: Any, b: Any) -> bool:
    """Tell whether two terms on one name share no code."""
    if a.name != STARTED and a.sign == b.sign == _EQUAL:
        return not {float(v) for v in a.values} & {float(v) for v in b.values}
    return False


def _periods_apart(first: Selection, second: Selection) -> bool:
    """Tell whether one period ends before the other starts."""
    (start_a, end_a), (start_b, end_b) = _span(first), _span(second)
    return bool((end_a and start_b and end_a < start_b) or (end_b and start_a and end_b < start_a))


def _span(selection: Selection) -> tuple[str, str]:
    """Return first and last day of a selection, as text; empty where it is open."""
    terms = [t for t in selection.terms if t.name == STARTED]
    start = max((t.values[0] for t in terms if t.sign == ">="), default="")
    end = min((t.values[0] for t in terms if t.sign == "<="), default="")
    return start, end
