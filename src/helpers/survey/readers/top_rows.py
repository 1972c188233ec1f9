"""Rows of a table that are neither names nor respondents: titles above, blank rows anywhere."""

from __future__ import annotations

import re
from itertools import compress

import numpy as np
import pandas as pd

from helpers.survey.findings import Finding, listed, said

_NUMBER = re.compile(r"^[+-]?[\d.,:/ -]+$")
_TITLES = 3
"""Most rows of titles above the names."""


def below_titles(rows: list[list[str]]) -> tuple[list[list[str]], list[list[str]]]:
    """Return the table from the row of names on, and the titles of each row above it.

    A title stands above several columns, so that half of its row's cells are blank or more; the
    names are the first row in which every cell holds a text of its own. Where no such row follows
    at the top, nothing is a title. Columns that are blank from there on are left out.
    """
    for k in range(min(_TITLES + 1, len(rows))):
        used = [any(cells) for cells in zip(*rows[k:], strict=True)]
        row = list(compress(rows[k], used))
        if _are_names(row):
            table = [list(compress(below, used)) for below in rows[k:]]
            return table, [[cell for cell in above if cell] for above in rows[:k]]
        if 2 * sum(map(bool, row)) > len(row):
            break
    return rows, []


def _are_names(row: list[str]) -> bool:
    """Tell whether every cell of a row holds a text of its own, and none a number."""
    texts = [cell.strip() for cell in row]
    plain = all(text and not _NUMBER.match(text) for text in texts)
    return plain and len(set(texts)) == len(texts) and len(texts) > 1


def titles_found(titles: list[list[str]], place: str) -> list[Finding]:
    """Return the finding on rows of titles above the names."""
    if not titles:
        return []
    sentence = said(
        "{n} rows above the names hold titles ({titles}); the names are taken from row {row} "
        "of the cells, and the titles are not kept.",
        n=len(titles), titles=listed(sum(titles, []), most=5), row=len(titles) + 1,
    )  # fmt: skip
    return [Finding("note", place, sentence)]


def tidied(rows: pd.DataFrame, place: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Return a text table without blank rows and titles, and findings on both.

    A workbook's blank rows are none; a spreadsheet that saves as text writes them as rows of
    separators, which would otherwise count as respondents.
    """
    findings = []
    blank = _blank_rows(rows)
    if blank.any():
        rows = rows[~blank].reset_index(drop=True)
        sentence = said(
            "{n} rows are blank in every cell; they are no respondents and were left out.",
            n=int(blank.sum()),
        )
        findings.append(Finding("note", place, sentence))
    if rows.empty or 2 * sum(map(bool, map(str, rows.iloc[0]))) > rows.shape[1]:
        return rows, findings
    head = [[str(cell) for cell in rows.iloc[i]] for i in range(min(_TITLES + 2, len(rows)))]
    _table, titles = below_titles(head)
    if titles:
        rows = rows.iloc[len(titles) :]
        used = [column for column in rows if (rows[column] != "").any()]
        rows = rows[used].reset_index(drop=True).set_axis(range(len(used)), axis=1)
    return rows, findings + titles_found(titles, place)


def _blank_rows(rows: pd.DataFrame) -> np.ndarray:
    """Tell of each row whether all its cells are blank; stops at the first column if none is."""
    blank = np.ones(len(rows), dtype=bool)
    for column in rows:
        if not blank.any():
            break
        blank[blank] = np.asarray(rows[column].array[blank] == "")
    return blank
