"""Write small workbooks in every binary and open form, with rows, columns and cells to be told.

    python tests/reference/workbooks.py            (needs LibreOffice Calc: ``soffice``)

The sheet ``Data`` has rows 3 to 5 and column D hidden, formulas in column E, and two formulas that
end in errors (F3, F7). The sheet ``Filtered`` shows only rows whose ``q`` is 1. LibreOffice
calculates and writes ``workbook.ods`` and ``workbook.xls``. No open program writes XLSB, so
``workbook.xlsb`` is put together here record by record ([MS-XLSB] 2.4), and LibreOffice, which
reads it, must find in it the same hidden rows, columns and errors before it is kept.
"""

from __future__ import annotations

import re
import struct
import subprocess
import tempfile
import zipfile
from pathlib import Path

import openpyxl

HERE = Path(__file__).parent
HIDDEN_ROWS, HIDDEN_COLUMN = (3, 4, 5), "D"


class Computed(float):
    """The stored value of a formula."""


def plain(path: Path) -> None:
    """Write the workbook as openpyxl can: formulas without values."""
    book = openpyxl.Workbook()
    data = book.active
    data.title = "Data"
    data.append(["id", "q1", "q2", "aside", "total", "bad"])
    for i in range(1, 13):
        data.append([i, i % 5 + 1, 2 * i % 5 + 1, i, f"=B{i + 1}+C{i + 1}", None])
    data["F3"], data["F7"] = "=1/0", "=NA()"
    for row in HIDDEN_ROWS:
        data.row_dimensions[row].hidden = True
    data.column_dimensions[HIDDEN_COLUMN].hidden = True
    filtered = book.create_sheet("Filtered")
    filtered.append(["id", "q"])
    for i in range(1, 8):
        filtered.append([i, i % 3])
        filtered.row_dimensions[i + 1].hidden = i % 3 != 1
    filtered.auto_filter.ref = "A1:B8"
    filtered.auto_filter.add_filter_column(1, ["1"])
    book.save(path)


def converted(path: Path, ending: str) -> Path:
    """Return what LibreOffice makes of a workbook."""
    home = path.parent / "profile"
    subprocess.run(
        ["soffice", f"-env:UserInstallation={home.as_uri()}", "--headless", "--convert-to", ending,
         "--outdir", str(path.parent), str(path)],
        check=True, capture_output=True,
    )  # fmt: skip
    return path.with_suffix(f".{ending}")


def record(kind: int, body: bytes = b"") -> bytes:
    """Return one record of XLSB; its kind and length are written seven bits a byte."""
    return _sevens(kind) + (_sevens(len(body)) or b"\0") + body


def _sevens(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def wide(text: str) -> bytes:
    """Return a counted string of two bytes a character."""
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def row(number: int, *, hidden: bool) -> bytes:
    """Return BrtRowHdr."""
    flags = 0x10 if hidden else 0
    return record(0, struct.pack("<IIHBBBI", number - 1, 0, 300, 0, flags, 0, 0))


def cell(column: int, value: object) -> bytes:
    """Return BrtCellSt, BrtCellReal, BrtCellError or BrtFmlaNum."""
    head = struct.pack("<II", column, 0)
    if isinstance(value, str) and value.startswith("#"):
        return record(3, head + bytes([{"#DIV/0!": 0x07, "#N/A": 0x2A}[value]]))
    if isinstance(value, str):
        return record(6, head + wide(value))
    if isinstance(value, Computed):
        tokens = bytes([0x1E, 1, 0, 0x1E, 1, 0, 0x03])  # 1+1
        formula = struct.pack("<I", len(tokens)) + tokens + struct.pack("<I", 0)
        return record(9, head + struct.pack("<d", value) + b"\0\0" + formula)
    return record(5, head + struct.pack("<d", float(value)))


def sheet_part(rows: list[list[object]], hidden: tuple[int, ...], *, filtered: bool) -> bytes:
    """Return a sheet of XLSB."""
    columns = b""
    if not filtered:
        columns = record(390) + record(60, struct.pack("<IIIIH", 3, 3, 2560, 0, 1)) + record(391)
    body = b""
    for n, values in enumerate(rows, start=1):
        body += row(n, hidden=n in hidden)
        body += b"".join(cell(k, v) for k, v in enumerate(values) if v is not None)
    last = struct.pack("<IIII", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)
    tail = b""
    if filtered:
        span = struct.pack("<IIII", 0, len(rows) - 1, 0, 1)
        one = record(165, struct.pack("<II", 0, 0)) + record(167, wide("1")) + record(166)
        tail = record(161, span) + record(163, struct.pack("<IH", 1, 0)) + one
        tail += record(164) + record(162)
    return (
        record(129) + record(148, last) + columns + record(145) + body + record(146) + tail
        + record(130)
    )  # fmt: skip


TYPES = """<?xml version="1.0" encoding="UTF-8"?><Types \
xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" \
ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="bin" \
ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>%s</Types>"""
SHEET_TYPE = """<Override PartName="/xl/worksheets/%s" \
ContentType="application/vnd.ms-excel.worksheet"/>"""
RELATIONS = """<?xml version="1.0" encoding="UTF-8"?><Relationships \
xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>"""
RELATION = """<Relationship Id="%s" Type=\
"http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/>"""


def write_xlsb(path: Path) -> None:
    """Write the same two sheets as XLSB; the parts are not named in their order."""
    data: list[list[object]] = [["id", "q1", "q2", "aside", "total", "bad"]]
    for i in range(1, 13):
        data.append([i, i % 5 + 1, 2 * i % 5 + 1, i, Computed(i % 5 + 2 * i % 5 + 2), None])
    data[2][5], data[6][5] = "#DIV/0!", "#N/A"
    filtered: list[list[object]] = [["id", "q"], *([i, i % 3] for i in range(1, 8))]
    away = tuple(i + 1 for i in range(1, 8) if i % 3 != 1)
    parts = {
        "b.bin": sheet_part(data, HIDDEN_ROWS, filtered=False),
        "a.bin": sheet_part(filtered, away, filtered=True),
    }
    bundle = b"".join(
        record(156, struct.pack("<II", 0, k) + wide(f"rId{k}") + wide(name))
        for k, name in enumerate(("Data", "Filtered"), start=1)
    )
    book = record(131) + record(143) + bundle + record(144) + record(132)
    relations = "".join(
        RELATION % (f"rId{k}", "worksheet", f"worksheets/{part}")
        for k, part in enumerate(parts, start=1)
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", TYPES % "".join(SHEET_TYPE % p for p in parts))
        whole = RELATION % ("rId1", "officeDocument", "xl/workbook.bin")
        archive.writestr("_rels/.rels", RELATIONS % whole)
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/_rels/workbook.bin.rels", RELATIONS % relations)
        for part, content in parts.items():
            archive.writestr(f"xl/worksheets/{part}", content)


def seen_by_libreoffice(path: Path) -> tuple[list[int], list[str]]:
    """Return how many rows and columns of both sheets are unseen, and the errors, as ODS says."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("content.xml").decode()
    unseen = []
    for line in ("row", "column"):
        tags = re.findall(rf"<table:table-{line}\b[^>]*table:visibility=[^>]*>", text)
        repeats = [re.search(r'repeated="(\d+)"', tag) for tag in tags]
        unseen.append(sum(int(r[1]) if r else 1 for r in repeats))
    return unseen, re.findall(r'calcext:value-type="error"[^>]*><text:p>([^<]*)<', text)


def main() -> None:
    """Write the three files beside this script."""
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder) / "workbook.xlsx"
        plain(start)
        for ending in ("ods", "xls"):
            (HERE / f"workbook.{ending}").write_bytes(converted(start, ending).read_bytes())
        binary = Path(folder) / "binary.xlsb"
        write_xlsb(binary)
        expected = seen_by_libreoffice(HERE / "workbook.ods")
        found = seen_by_libreoffice(converted(binary, "ods"))
        if found != expected:
            raise SystemExit(f"LibreOffice reads of the XLSB {found}, of the original {expected}")
        (HERE / "workbook.xlsb").write_bytes(binary.read_bytes())


if __name__ == "__main__":
    main()
