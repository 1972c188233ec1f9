"""Facts of a sheet of a binary workbook (XLS, XLSB), from its records.

Layouts of records are those of Microsoft's open specifications [MS-XLS] 2.4 and [MS-XLSB] 2.4.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

from helpers.survey.readers.sheet_facts import ERRORS, SheetFacts
from helpers.survey.readers.sheet_xml import targets_of

_BOUND_SHEET, _BOF, _EOF = 0x0085, 0x0809, 0x000A
_ROW, _COLUMNS, _FILTER_MODE = 0x0208, 0x007D, 0x009B
_BOOL_OR_ERROR, _FORMULA = 0x0205, 0x0006
_NO_NUMBER, _IS_ERROR = b"\xff\xff", 2
_BIFF8 = 0x0600

_XLSB_ROW, _XLSB_COLUMNS, _XLSB_SHEET, _XLSB_FILTER = 0, 60, 156, 163
_XLSB_ERROR, _XLSB_FORMULA_ERROR = 3, 11
_XLSB_FORMULAS = range(8, 12)
_XLSB_WORKBOOK, _XLSB_TARGETS = "xl/workbook.bin", "xl/_rels/workbook.bin.rels"


def facts_of_xls(path: Path, sheet: str) -> SheetFacts | None:
    """Return the facts of one sheet of an XLS workbook; None for those older than Excel 97."""
    import olefile

    with olefile.OleFileIO(path) as container:
        if not container.exists("Workbook"):
            return None
        with container.openstream("Workbook") as stream:
            content = stream.read()
    if struct.unpack_from("<H", content, 4)[0] != _BIFF8:
        return None
    start = _place_in_xls(content, sheet)
    return SheetFacts() if start is None else _gathered(_xls_records(content, start))


def facts_of_xlsb(archive: zipfile.ZipFile, sheet: str) -> SheetFacts:
    """Return the facts of one sheet of an XLSB workbook; none if its part cannot be found."""
    targets = targets_of(archive, _XLSB_TARGETS)
    for kind, body in _xlsb_records(archive.read(_XLSB_WORKBOOK)):
        if kind == _XLSB_SHEET:
            key, at = _wide(body, 8)
            if _wide(body, at)[0] == sheet and key in targets:
                return _gathered(_of_xlsb(archive.read(targets[key])))
    return SheetFacts()


def _gathered(facts: Iterator[tuple[str, object]]) -> SheetFacts:
    """Return facts that come one by one as one record."""
    kept: dict[str, list[object]] = {"rows": [], "columns": [], "errors": []}
    formulas, filtered = 0, False
    for kind, value in facts:
        if kind == "formula":
            formulas += 1
        elif kind == "filter":
            filtered = True
        else:
            kept[kind].append(value)
    return SheetFacts(
        **{kind: tuple(values) for kind, values in kept.items()},
        formulas=formulas, filtered=filtered,
    )  # fmt: skip


def _records(content: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield kind, first byte and length of each XLS record; a cut one ends it."""
    while at + 4 <= len(content):
        kind, length = struct.unpack_from("<HH", content, at)
        if at + 4 + length > len(content):
            return
        yield kind, at + 4, length
        at += 4 + length


def _place_in_xls(content: bytes, sheet: str) -> int | None:
    """Return where the records of a sheet begin; its name is one byte or two a character."""
    for kind, at, _length in _records(content, 0):
        if kind == _EOF:
            return None
        if kind == _BOUND_SHEET:
            start, letters, wide = struct.unpack_from("<I2xBB", content, at)
            size, coding = (2 * letters, "utf-16-le") if wide & 1 else (letters, "latin-1")
            if content[at + 8 : at + 8 + size].decode(coding, "replace") == sheet:
                return start
    return None


def _xls_records(content: bytes, start: int) -> Iterator[tuple[str, object]]:
    """Yield the facts that the records of a sheet hold; charts within it are passed over."""
    depth = 0
    for kind, at, length in _records(content, start):
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth == 0:
                return
        elif depth > 1:
            continue
        elif kind == _ROW and length >= 14:
            if content[at + 12] & 0x20:
                row = struct.unpack_from("<H", content, at)[0] + 1
                yield "rows", (row, row)
        elif kind == _COLUMNS and length >= 10:
            if content[at + 8] & 0x01:
                first, last = struct.unpack_from("<HH", content, at)
                yield "columns", (first + 1, last + 1)
        elif kind == _FILTER_MODE:
            yield "filter", None
        elif kind == _BOOL_OR_ERROR and length >= 8:
            if content[at + 7]:
                yield "errors", ERRORS.get(content[at + 6], "#?")
        elif kind == _FORMULA and length >= 14:
            yield "formula", None
            value = content[at + 6 : at + 14]
            if value.endswith(_NO_NUMBER) and value[0] == _IS_ERROR:
                yield "errors", ERRORS.get(value[2], "#?")


def _xlsb_records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and body of each XLSB record; seven bits of a byte count, the eighth goes on."""
    at = 0
    while at < len(content):
        kind, at = _varying(content, at, 2)
        length, at = _varying(content, at, 4)
        yield kind, content[at : at + length]
        at += length


def _varying(content: bytes, at: int, most: int) -> tuple[int, int]:
    """Return a number of varying length and where it ends."""
    value = 0
    for k in range(most):
        byte = content[at] if at < len(content) else 0
        at += 1
        value |= (byte & 0x7F) << (7 * k)
        if byte < 0x80:
            break
    return value, at


def _wide(body: bytes, at: int) -> tuple[str, int]:
    """Return a counted string of two bytes a character and where it ends."""
    letters = struct.unpack_from("<I", body, at)[0]
    end = at + 4 + 2 * letters
    return body[at + 4 : end].decode("utf-16-le", "replace"), end


def _of_xlsb(content: bytes) -> Iterator[tuple[str, object]]:
    """Yield the facts that the records of an XLSB sheet hold."""
    for kind, body in _xlsb_records(content):
        if kind == _XLSB_ROW and len(body) >= 12:
            if body[11] & 0x10:
                row = struct.unpack_from("<I", body)[0] + 1
                yield "rows", (row, row)
        elif kind == _XLSB_COLUMNS and len(body) >= 18:
            if body[16] & 0x01:
                first, last = struct.unpack_from("<II", body)
                yield "columns", (first + 1, last + 1)
        elif kind == _XLSB_FILTER:
            yield "filter", None
        if kind in _XLSB_FORMULAS:
            yield "formula", None
        if kind in (_XLSB_ERROR, _XLSB_FORMULA_ERROR) and len(body) >= 9:
            yield "errors", ERRORS.get(body[8], "#?")
