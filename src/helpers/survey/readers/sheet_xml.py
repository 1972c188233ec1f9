"""What a sheet's own XML says beside its cells: formulas, errors, hidden rows and columns."""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from helpers.survey.findings import Finding, listed, said

_FORMULA = re.compile(rb"<f[ >/]")
_ERROR = re.compile(rb'<c [^>]*\bt="e"[^>]*>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?<v>([^<]*)</v>')
_WITHOUT_VALUE = re.compile(rb"(?:</f>|<f[^>]*/>)\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_HIDING = (b' hidden="1"', b' hidden="true"', b' ht="0"', b' width="0"')
_TAG = re.compile(rb"<(?:\w+:)?(row|col)\s")
_ROW_NUMBER = re.compile(rb'\sr="(\d+)"')
_SPAN = tuple(re.compile(rb'\s%s="(\d+)"' % end) for end in (b"min", b"max"))
_FILTER = re.compile(rb"<(?:\w+:)?filterColumn\b")
_WORKBOOK, _TARGETS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


def behind_cells(
    path: Path, sheet: str, cells: Sequence[Sequence[object]], place: str
) -> list[Finding]:
    """Return what an XLSX workbook says of a sheet that its cells do not show; else nothing.

    Parameters
    ----------
    path : Path
        The workbook; for other formats nothing is known.
    sheet : str
        Name of the sheet.
    cells : sequence of rows
        Its cells from A1 on: what is hidden and holds nothing is not named.
    place : str
        How messages name the file.
    """
    if not zipfile.is_zipfile(path):
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            member = _member(archive, sheet)
            content = archive.read(member) if member else b""
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, ElementTree.ParseError):
        sentence = said("the workbook is damaged: formulas cannot be looked for. Export it again.")
        return [Finding("mark", place, sentence)]
    return [*_formulas(content, place), *_hidden(content, cells, place)]


def _member(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return where a sheet lies in the archive; sheets need not be numbered in their order."""
    held = set(archive.namelist())
    if not {_WORKBOOK, _TARGETS} <= held:
        return None
    targets = {
        one.get("Id"): str(one.get("Target"))
        for one in ElementTree.fromstring(archive.read(_TARGETS))
    }
    for one in ElementTree.fromstring(archive.read(_WORKBOOK)).iter():
        if one.tag.endswith("}sheet") and one.get("name") == sheet:
            key = next((v for k, v in one.attrib.items() if k.endswith("}id")), None)
            member = posixpath.normpath(posixpath.join("/xl", targets.get(key, ""))).lstrip("/")
            return member if member in held and member.endswith(".xml") else None
    return None


def _hidden(content: bytes, cells: Sequence[Sequence[object]], place: str) -> list[Finding]:
    """Return findings on hidden rows and columns that hold something."""
    tags = [_TAG.match(tag) for tag in _hiding_tags(content)]
    width = max(map(len, cells), default=0)
    rows = [n for n in _rows(tags) if n <= len(cells) and any(map(_filled, cells[n - 1]))]
    columns = [
        n for n in _columns(tags, width) if any(len(c) >= n and _filled(c[n - 1]) for c in cells)
    ]  # fmt: skip
    findings = []
    if rows:
        sentence = said(
            "{n} rows of the sheet are hidden (rows {rows}); they are read like all others. If "
            "they are no respondents, delete them there and save the workbook again.",
            n=len(rows), rows=listed(rows, most=5),
        )  # fmt: skip
        if _FILTER.search(content):
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


def _filled(cell: object) -> bool:
    return cell is not None and cell != ""


def _hiding_tags(content: bytes) -> list[bytes]:
    """Return the tags that hide something; found by the sign, for there are many other tags."""
    found: set[tuple[int, bytes]] = set()
    for sign in _HIDING:
        at = content.find(sign)
        while at >= 0:
            start = content.rfind(b"<", 0, at)
            found.add((start, content[start : content.find(b">", at) + 1]))
            at = content.find(sign, at + 1)
    return [tag for _at, tag in sorted(found)]


def _rows(tags: list[re.Match[bytes] | None]) -> list[int]:
    """Return the numbers of hidden rows, counted from 1."""
    numbers = [_ROW_NUMBER.search(tag.string) for tag in tags if tag and tag[1] == b"row"]
    return [int(number[1]) for number in numbers if number]


def _columns(tags: list[re.Match[bytes] | None], width: int) -> list[int]:
    """Return the numbers of hidden columns, counted from 1; the XML keeps them as spans."""
    found: list[int] = []
    for tag in tags:
        low, high = (end.search(tag.string) if tag else None for end in _SPAN)
        if low and high and tag[1] == b"col":
            found += range(int(low[1]), min(int(high[1]), width) + 1)
    return found


def _letters(number: int) -> str:
    """Return the letters by which a spreadsheet names a column."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _formulas(content: bytes, place: str) -> list[Finding]:
    """Return findings on cells that hold errors, or formulas with a stored value or without."""
    broken = [hit.decode() for hit in _ERROR.findall(content)] if b't="e"' in content else []
    n = len(_FORMULA.findall(content)) if b"<f" in content else 0
    empty = len(_WITHOUT_VALUE.findall(content)) if n else 0
    findings = []
    if broken:
        sentence = said(
            "{n} cells hold errors of a spreadsheet ({which}); they are read as blank. Correct the "
            "formulas, or confirm that nothing belongs there.",
            n=len(broken), which=listed(sorted(set(broken))),
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
