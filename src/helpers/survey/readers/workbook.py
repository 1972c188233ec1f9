"""Read a sheet of an XLSX, XLS, XLSB or ODS workbook as a table of text cells."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.errors import DataContractError, listing, nearest
from helpers.survey.findings import Finding, listed, said
from helpers.survey.readers.behind_cells import behind_cells
from helpers.survey.readers.cells import bare
from helpers.survey.readers.opening import protected
from helpers.survey.readers.top_rows import below_titles, titles_found

_EXACT_DIGITS = 15
"""Digits that a spreadsheet keeps of a number; later ones are lost."""


@dataclass(frozen=True, slots=True)
class Sheets:
    """The sheets of a workbook.

    Attributes
    ----------
    chosen : str
        The one that is read.
    others : tuple of str
        Further visible sheets that hold cells.
    hidden : tuple of str
        Sheets that are not shown; they are never taken by themselves.
    first : bool
        Whether the chosen sheet is the first visible one that holds cells.
    """

    chosen: str
    others: tuple[str, ...]
    hidden: tuple[str, ...]
    first: bool = True


def read_workbook(
    path: Path, place: str, *, sheet: str | None = None
) -> tuple[pd.DataFrame, Sheets, list[Finding]]:
    """Return one sheet as text cells, which sheets there are, and what is odd about the cells.

    Parameters
    ----------
    path, place : Path, str
        The file, and how messages name it.
    sheet : str, optional
        A sheet's name; by default the visible one of most rows, the first of equal ones.

    Notes
    -----
    Stored values are read, formulas are not computed. Hidden rows and columns are read like all
    others, and named. Whole numbers lose their ``.0``; dates
    become ``2026-03-02 09:21:07``. Read by calamine.
    """
    from python_calamine import (
        CalamineError,
        CalamineWorkbook,
        PasswordError,
        SheetVisibleEnum,
        ZipError,
    )

    try:
        with path.open("rb") as handle:  # by its bytes; a path would be judged by its ending
            book = CalamineWorkbook.from_filelike(handle)
            rows = {m.name: book.get_sheet_by_name(m.name) for m in book.sheets_metadata
                    if "WorkSheet" in str(m.typ)}  # fmt: skip
            visible = {m.name: m.visible == SheetVisibleEnum.Visible for m in book.sheets_metadata}
            sheets = _choose(rows, visible, sheet, place)
            cells = rows[sheets.chosen].to_python(skip_empty_area=False)
            merged = rows[sheets.chosen].merged_cell_ranges or []
    except PasswordError:
        raise protected(place) from None
    except (CalamineError, ZipError, OSError) as error:
        raise DataContractError(
            f"read_source: file= {place} cannot be read as a workbook ({error}); a whole XLSX or "
            "XLS file is needed. It was cut off or damaged: export it again."
        ) from None
    findings = behind_cells(path, sheets.chosen, cells, place)
    findings += _merged(merged, place)
    findings += _long_numbers(cells, place)
    texts, titles = below_titles(_texts(cells, sheets.chosen, place))
    findings += titles_found(titles, place)
    return _table(texts), sheets, findings


def _choose(
    rows: dict[str, object], visible: dict[str, bool], sheet: str | None, place: str
) -> Sheets:
    """Return which sheet is read."""
    if sheet is not None and sheet not in rows:
        raise DataContractError(
            f"read_source: sheet= '{sheet}' is not in {place}; it has {listing(rows)}."
            f"{nearest(sheet, rows)} Correct the key sheet."
        )
    filled = [n for n, s in rows.items() if s.total_height > 0]
    shown = [n for n in filled if visible[n]]
    hidden = tuple(n for n in rows if not visible[n])
    if sheet is None and not shown:
        kept = f"; hidden sheets: {listing(hidden)}" if hidden else ""
        raise DataContractError(
            f"read_source: file= {place} has no visible sheet with cells{kept}; one with a header "
            "and at least one respondent is needed. Export it again, or name the sheet."
        )
    longest = max(shown, key=lambda name: rows[name].total_height) if shown else ""
    chosen = sheet if sheet is not None else longest
    first = not shown or chosen == shown[0]
    return Sheets(chosen, tuple(n for n in shown if n != chosen), hidden, first)


def _texts(cells: list[list[object]], sheet: str, place: str) -> list[list[str]]:
    """Return cells as text; blank rows, and columns that are blank at the edge, are left out."""
    texts = [[cell_text(cell) for cell in row] for row in cells]
    filled = [row for row in texts if any(row)]
    if not filled:
        raise DataContractError(
            f"read_source: sheet= '{sheet}' of {place} is empty; a header and at least one "
            "respondent are needed. Export it again, or name another sheet."
        )
    width = max(max(i for i, cell in enumerate(row, start=1) if cell) for row in filled)
    return [row[:width] for row in filled]


def _table(rows: list[list[str]]) -> pd.DataFrame:
    """Return rows of text as a table."""
    return pd.DataFrame({i: pd.Categorical(column) for i, column in enumerate(zip(*rows))})


def cell_text(cell: object) -> str:
    """Return a typed cell as the text that a CSV export would hold."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() else format(cell, ".15g")
    if isinstance(cell, dt.datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, dt.timedelta):
        return str(cell.total_seconds())
    return "" if cell is None else bare(str(cell))


def _merged(ranges: list[tuple[tuple[int, int], tuple[int, int]]], place: str) -> list[Finding]:
    """Return the finding on merged cells that reach below the header rows."""
    below = [(a, b) for a, b in ranges if b[0] >= _HEADERS]
    if not below:
        return []
    sentence = said(
        "{n} groups of cells are merged (first rows: {rows}); only the first cell of a "
        "group holds the value, the others would read as blank. Split the cells and fill them.",
        n=len(below), rows=listed((a[0] + 1 for a, _b in below), most=5),
    )  # fmt: skip
    return [Finding("error", place, sentence)]


_HEADERS = 2
"""Rows at the top in which merged cells are part of a header."""


def _long_numbers(cells: list[list[object]], place: str) -> list[Finding]:
    """Return the finding on whole numbers too long for a spreadsheet to keep."""
    limit = 10**_EXACT_DIGITS
    n = sum(isinstance(c, float | int) and abs(c) >= limit for row in cells for c in row)
    if not n:
        return []
    sentence = said(
        "{n} cells hold numbers of more than {most} digits; a spreadsheet keeps only "
        "{most}, so the last ones may be lost. Export such numbers as text or as CSV.",
        n=n, most=_EXACT_DIGITS,
    )  # fmt: skip
    return [Finding("mark", place, sentence)]
