"""Write a smallest XLS file by hand (BIFF8 records in a compound file), for the tests."""

from __future__ import annotations

import struct

_SECTOR, _SMALLEST = 512, 4096
_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def xls(rows: list[list[str | float]], sheet: str = "Sheet1") -> bytes:
    """Return a workbook of one sheet with texts and numbers."""
    return _compound(_biff(rows, sheet))


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _biff(rows: list[list[str | float]], sheet: str) -> bytes:
    """Return the stream of records: globals with one sheet, then its cells."""
    begin = {part: _record(0x0809, struct.pack("<HHHHII", 0x0600, part, 0, 0, 0, 6))
             for part in (0x0005, 0x0010)}  # fmt: skip
    named = struct.pack("<BB", len(sheet), 0) + sheet.encode("latin-1")
    length = len(begin[0x0005]) + 4 + 6 + len(named) + 4
    bound = _record(0x0085, struct.pack("<IBB", length, 0, 0) + named)
    cells = b""
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if isinstance(cell, str):
                text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
                cells += _record(0x0204, struct.pack("<HHH", r, c, 0) + text)
            else:
                cells += _record(0x0203, struct.pack("<HHHd", r, c, 0, cell))
    size = struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0)
    end = _record(0x000A)
    return begin[0x0005] + bound + end + begin[0x0010] + _record(0x0200, size) + cells + end


def _compound(stream: bytes) -> bytes:
    """Return a compound file with the stream ``Workbook``: table, directory, then the stream."""
    stream = stream.ljust(max(_SMALLEST, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    n = len(stream) // _SECTOR
    chain = [_TABLE, _END, *range(3, n + 2), _END]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(_SECTOR, b"\xff")
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, _SMALLEST, _END, 0, _END, 0)
    head += struct.pack("<I", 0) + b"\xff" * (108 * 4)
    entries = _entry("Root Entry", 5, 1, _END, 0) + _entry("Workbook", 2, _FREE, 2, len(stream))
    return head + table + entries.ljust(_SECTOR, b"\0") + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    """Return one entry of the directory."""
    wide = (name + "\0").encode("utf-16-le")
    links = struct.pack("<BBIII", kind, 1, _FREE, _FREE, child)
    return (
        wide.ljust(64, b"\0") + struct.pack("<H", len(wide)) + links + bytes(36)
        + struct.pack("<IQ", start, size)
    )  # fmt: skip
