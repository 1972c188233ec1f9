"""Rows that are no respondents although they stand among them: units on top, totals at the end."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.survey.findings import Finding, listed, said
from helpers.survey.identifiers import distinct
from helpers.survey.readers.export import Export

_TOTALS = frozenset({
    "total", "totals", "sum", "mean", "average", "合计", "总计", "平均", "平均值", "均值",
    "summe", "mittelwert", "gesamt", "moyenne", "somme",
})  # fmt: skip
_NUMBER = re.compile(r"^[+-]?\d+([.,]\d+)*$")
_COLUMNS, _ROWS = 2, 4
"""Columns and rows from which a row can be told to be none of the respondents."""
_ROUNDED = 0.051


def total_found(export: Export, place: str) -> list[Finding]:
    """Return the finding on a last row that sums up the others, by its word or by its numbers."""
    if export.meta.empty:
        return []
    columns = [export.meta["respondent_id"], *(export.answers[c] for c in export.answers)]
    last = [(column, str(column.iloc[-1]).strip()) for column in columns]
    words = [word for column, word in last
             if word.casefold() in _TOTALS and (column == column.iloc[-1]).sum() == 1]  # fmt: skip
    if words:
        sentence = said(
            "the last row says '{word}'; it may sum up the others and be no respondent. Remove it "
            "from the file if it is so.",
            word=words[0],
        )  # fmt: skip
        return [Finding("mark", place, sentence)]
    if _sums_up(export.answers):
        sentence = said(
            "the numbers of the last row are the sums or means of the rows above; it seems to be "
            "no respondent. Remove it from the file if it is so."
        )
        return [Finding("mark", place, sentence)]
    return []


def without_total(export: Export) -> Export:
    """Return an export without its last row, to judge the columns by; for no other use."""
    return replace(export, meta=export.meta.iloc[:-1], answers=export.answers.iloc[:-1])


def _sums_up(answers: pd.DataFrame) -> bool:
    """Tell whether the last row holds the sums, or the means, of all columns of numbers."""
    if len(answers) < _ROWS:
        return False
    sums, means = [], []
    for column in answers:
        last = str(answers[column].iloc[-1]).strip()
        if not _NUMBER.match(last):
            continue
        above = pd.to_numeric(answers[column].iloc[:-1].astype("str"), errors="coerce").to_numpy()
        value = float(last) if last.count(".") <= 1 and "," not in last else np.nan
        known = above[~np.isnan(above)]
        if len(known) < _ROWS - 1 or np.isnan(value):
            continue
        sums.append(abs(value - known.sum()) < _ROUNDED and value > known.max())
        means.append(abs(value - known.mean()) < _ROUNDED)
        if not (all(sums) or all(means)):
            return False
    fractions = sum("." in str(answers[c].iloc[-1]) for c in answers) >= _COLUMNS
    return len(sums) >= _COLUMNS and (all(sums) or (all(means) and fractions))


def units_found(body: pd.DataFrame, blanks: frozenset[str], place: str) -> list[Finding]:
    """Return the finding on a first row that names units: words where all others hold numbers."""
    if len(body) < _ROWS:
        return []
    first = [str(cell).strip() for cell in body.iloc[0]]
    if any(_NUMBER.match(cell) for cell in first):
        return []
    words = [
        cell
        for i, cell in enumerate(first)
        if cell not in blanks and _all_numbers(body.iloc[1:, i], blanks)
    ]
    if len(words) < _COLUMNS:
        return []
    sentence = said(
        "the first row below the names holds words ({words}) where all other rows hold numbers; "
        "it seems to hold units or further names and is no respondent. Write the names into one "
        "row, and remove this one.",
        words=listed(dict.fromkeys(words), most=5),
    )  # fmt: skip
    return [Finding("error", place, sentence)]


def _all_numbers(cells: pd.Series, blanks: frozenset[str]) -> bool:
    """Tell whether a column holds numbers and nothing else."""
    texts = {str(text).strip() for text in distinct(cells)} - blanks
    return bool(texts) and all(map(_NUMBER.match, texts))
