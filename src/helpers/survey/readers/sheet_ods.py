"""Facts of a sheet of an OpenDocument workbook, from its ``content.xml``.

Tags and attributes stand as in OpenDocument 1.3, part 3, sections 9.1 and 19.
"""

from __future__ import annotations

import html
import re
import zipfile

from helpers.survey.readers.sheet_facts import SheetFacts

_TABLE = re.compile(rb"<table:table [^>]*>")
_NAME = re.compile(rb'\stable:name="([^"]*)"')
_LINES = {
    "rows": re.compile(rb"<table:table-row\b[^>]*>"),
    "columns": re.compile(rb"<table:table-column\b[^>]*>"),
}
_REPEATED = re.compile(rb'\stable:number-(?:rows|columns)-repeated="(\d+)"')
_UNSEEN = re.compile(rb'\stable:visibility="(collapse|filter)"')
_FORMULA = re.compile(rb"\stable:formula=")
_ERROR = re.compile(rb'calcext:value-type="error"[^>]*><text:p>([^<]*)<')


def facts_of_ods(archive: zipfile.ZipFile, sheet: str) -> SheetFacts:
    """Return the facts of one sheet of an ODS workbook; none if it cannot be found."""
    content = _sheet(archive.read("content.xml"), sheet)
    formulas = [_tag_at(content, hit.start()) for hit in _FORMULA.finditer(content)]
    return SheetFacts(
        rows=_unseen(content, _LINES["rows"]),
        columns=_unseen(content, _LINES["columns"]),
        filtered=b'table:visibility="filter"' in content,
        formulas=len(formulas),
        without_value=sum(b"office:value-type=" not in cell for cell in formulas),
        errors=tuple(html.unescape(hit.decode()) for hit in _ERROR.findall(content)),
    )


def _sheet(content: bytes, sheet: str) -> bytes:
    """Return the part of the document that holds a sheet."""
    for table in _TABLE.finditer(content):
        name = _NAME.search(table[0])
        if name and html.unescape(name[1].decode()) == sheet:
            return content[table.end() : content.find(b"</table:table>", table.end())]
    return b""


def _tag_at(content: bytes, at: int) -> bytes:
    """Return the tag around a place within it."""
    return content[content.rfind(b"<", 0, at) : content.find(b">", at) + 1]


def _unseen(content: bytes, line: re.Pattern[bytes]) -> tuple[tuple[int, int], ...]:
    """Return the runs of rows or columns that are hidden; equal ones stand as one repeated tag."""
    found: list[tuple[int, int]] = []
    if b"table:visibility=" not in content:
        return ()
    at = 0
    for tag in line.findall(content):
        repeated = _REPEATED.search(tag)
        first, at = at + 1, at + (int(repeated[1]) if repeated else 1)
        if _UNSEEN.search(tag):
            found.append((first, at))
    return tuple(found)
