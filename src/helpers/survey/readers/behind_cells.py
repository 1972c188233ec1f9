"""What a workbook says of a sheet that its cells do not show: formulas, errors, what is hidden."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from helpers.survey.findings import Finding, listed, said
from helpers.survey.readers.sheet_facts import SheetFacts
from helpers.survey.readers.sheet_ods import facts_of_ods
from helpers.survey.readers.sheet_records import facts_of_xls, facts_of_xlsb
from helpers.survey.readers.sheet_xml import facts_of_xlsx

_DAMAGE = (
    zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, ElementTree.ParseError,
    struct.error, KeyError, IndexError, UnicodeDecodeError,
)  # fmt: skip


def behind_cells(
    path: Path, sheet: str, cells: Sequence[Sequence[object]], place: str
) -> list[Finding]:
    """Return what a workbook says of a sheet that its cells do not show.

    Parameters
    ----------
    path : Path
        An XLSX, XLSB, ODS or XLS workbook.
    sheet : str
        Name of the sheet.
    cells : sequence of rows
        Its cells from A1 on: what is hidden and holds nothing is not named.
    place : str
        How messages name the file.
    """
    try:
        facts = _facts(path, sheet)
    except _DAMAGE:
        sentence = said("the workbook is damaged: formulas cannot be looked for. Export it again.")
        return [Finding("mark", place, sentence)]
    if facts is None:
        sentence = said(
            "a workbook as old as this does not tell whether rows or columns are hidden or cells "
            "hold errors (they would read as blank). Save it as XLSX and compare."
        )
        return [Finding("mark", place, sentence)]
    return [*_formulas(facts, place), *_hidden(facts, cells, place)]


def _facts(path: Path, sheet: str) -> SheetFacts | None:
    """Return the facts of a sheet by the form of its workbook; None where they cannot be had."""
    if not zipfile.is_zipfile(path):
        return facts_of_xls(path, sheet)
    with zipfile.ZipFile(path) as archive:
        held = archive.namelist()
        if "content.xml" in held:
            return facts_of_ods(archive, sheet)
        if "xl/workbook.bin" in held:
            return facts_of_xlsb(archive, sheet)
        return facts_of_xlsx(archive, sheet)


def _hidden(facts: SheetFacts, cells: Sequence[Sequence[object]], place: str) -> list[Finding]:
    """Return findings on hidden rows and columns that hold something."""
    width = max(map(len, cells), default=0)
    rows = [n for n in _within(facts.rows, len(cells)) if any(map(_filled, cells[n - 1]))]
    columns = [
        n for n in _within(facts.columns, width)
        if any(len(c) >= n and _filled(c[n - 1]) for c in cells)
    ]  # fmt: skip
    findings = []
    if rows:
        sentence = said(
            "{n} rows of the sheet are hidden (rows {rows}); they are read like all others. If "
            "they are no respondents, delete them there and save the workbook again.",
            n=len(rows), rows=listed(rows, most=5),
        )  # fmt: skip
        if facts.filtered:
            sentence = said(
                "{n} rows of the sheet are hidden, a filter is set (rows {rows}); they are read "
                "like all others. If they are no respondents, delete them there and save the "
                "workbook again.",
                n=len(rows), rows=listed(rows, most=5),
            )  # fmt: skip
        findings.append(Finding("mark", place, sentence))
    if columns:
        sentence = said(
            "{n} columns of the sheet are hidden (columns {columns}); they are read like all "
            "others. If they are not wanted, delete them there and save the workbook again.",
            n=len(columns), columns=listed(map(_letters, columns), most=5),
        )  # fmt: skip
        findings.append(Finding("mark", place, sentence))
    return findings


def _within(runs: Sequence[tuple[int, int]], last: int) -> list[int]:
    """Return the numbers in runs, up to the last one that there is."""
    return [n for low, high in runs for n in range(low, min(high, last) + 1)]


def _filled(cell: object) -> bool:
    return cell is not None and cell != ""


def _letters(number: int) -> str:
    """Return the letters by which a spreadsheet names a column."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _formulas(facts: SheetFacts, place: str) -> list[Finding]:
    """Return findings on cells that hold errors, or formulas with a stored value or without."""
    n, empty = facts.formulas, facts.without_value
    findings = []
    if facts.errors:
        sentence = said(
            "{n} cells hold errors of a spreadsheet ({which}); they are read as blank. Correct the "
            "formulas, or confirm that nothing belongs there.",
            n=len(facts.errors), which=listed(sorted(set(facts.errors))),
        )  # fmt: skip
        findings.append(Finding("mark", place, sentence))
    if n > empty:
        sentence = said(
            "{n} cells hold formulas; the values stored with them are read.", n=n - empty
        )
        findings.append(Finding("note", place, sentence))
    if empty:
        sentence = said(
            "{n} cells hold formulas without a stored value; values are needed. Open the "
            "workbook in a spreadsheet program, save it, and read it again.",
            n=empty,
        )
        findings.append(Finding("error", place, sentence))
    return findings
