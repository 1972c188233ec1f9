"""Tables with one row an answer, or a wave, in place of one row a respondent."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd

from helpers.survey.findings import Finding, said
from helpers.survey.readers.export import Export

_PEOPLE, _TIMES, _MOST_TIMES = 10, 3, 300
"""Fewest values of a column of people, and of one of items; most of the latter."""
_WHOLE = 0.8
"""Share of all pairs of person and item that must be there: some blanks are left out."""


def long_found(export: Export, place: str) -> list[Finding]:
    """Return the finding on rows that repeat a person, once for each value of another column."""
    found = _repeated(export)
    if found is None:
        return []
    person, item, times = found
    sentence = said(
        "the rows seem to be answers, not respondents: each value of '{person}' stands in up to "
        "{n} rows, one for each value of '{item}'. One row a respondent is needed: spread the "
        "table (restructure cases into variables in SPSS, pivot in a spreadsheet, R or pandas).",
        person=person, n=times, item=item,
    )  # fmt: skip
    return [Finding("mark", place, sentence)]


def _repeated(export: Export) -> tuple[str, str, int] | None:
    """Return the columns of people and of items, and how many items there are."""
    n = len(export.answers)
    codes = {c: pd.factorize(export.answers[c])[0] for c in export.answers}
    sizes = {c: int(one.max(initial=-1)) + 1 for c, one in codes.items()}
    for person, item in permutations(codes, 2):
        k, times = sizes[person], sizes[item]
        if k < _PEOPLE or not _TIMES <= times <= min(k, _MOST_TIMES):
            continue
        if _WHOLE * k * times <= n <= k * times:
            pairs = codes[person].astype(np.int64) * times + codes[item]
            if len(np.unique(pairs)) == n:
                return person, item, times
    return None
