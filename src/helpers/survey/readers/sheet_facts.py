"""What a workbook says of a sheet beside the values of its cells."""

from __future__ import annotations

from dataclasses import dataclass

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
"""Errors of a spreadsheet by their codes in binary workbooks ([MS-XLS] 2.5.10, BErr)."""


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What stands behind the cells of one sheet.

    Attributes
    ----------
    rows, columns : tuple of (int, int)
        First and last of each run of hidden rows or columns, counted from 1; a run may reach
        beyond the cells.
    filtered : bool
        Whether a filter is set.
    formulas, without_value : int
        Cells that hold a formula, and those of them without a stored value.
    errors : tuple of str
        The error of each cell that holds one, such as ``#REF!``.
    """

    rows: tuple[tuple[int, int], ...] = ()
    columns: tuple[tuple[int, int], ...] = ()
    filtered: bool = False
    formulas: int = 0
    without_value: int = 0
    errors: tuple[str, ...] = ()
