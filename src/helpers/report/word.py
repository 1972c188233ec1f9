"""What pandoc leaves out of a Word document: which rows of a table stay on one page."""

from __future__ import annotations

import io
import re
import zipfile

SHORT_ROWS = 14
"""A table of so many rows, its head included, stands on one page."""
_KEPT_ENDS = 2
"""Of a longer table, so many rows stay with its head, and with its note."""

_DOCUMENT = "word/document.xml"
_TABLE = re.compile(r'<w:tbl>.*?</w:tbl>(?=\s*(<w:p><w:pPr><w:pStyle w:val="TableNote")?)', re.S)
_ROW = re.compile(r"<w:tr>.*?</w:tr>", re.S)
_STYLE = re.compile(r"<w:pPr><w:pStyle [^>]*/>")


def with_whole_rows(document: bytes) -> bytes:
    """Return a DOCX in which no row is broken and no short table is parted.

    A sub-heading stays with the row below it, the note with the last rows.

    Parameters
    ----------
    document : bytes
        As pandoc wrote it.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == _DOCUMENT:
                data = _TABLE.sub(_kept, data.decode("utf-8")).encode("utf-8")
            target.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _kept(table: re.Match[str]) -> str:
    """Return a table whose rows say what they stay with."""
    noted = table.group(1) is not None
    last = len(_ROW.findall(table.group(0))) - 1
    places = iter(range(last + 1))

    def row(found: re.Match[str]) -> str:
        place, text = next(places), _unbroken(found.group(0))
        at_an_end = place < _KEPT_ENDS or place > last - _KEPT_ENDS
        stays = last < SHORT_ROWS or at_an_end or text.count("<w:tc>") == 1
        if place == last:
            stays = noted
        return _STYLE.sub(r"\g<0><w:keepNext/>", text) if stays else text

    return _ROW.sub(row, table.group(0))


def _unbroken(row: str) -> str:
    """Return a row that no page break parts."""
    if "<w:trPr>" in row:
        return row.replace("<w:trPr>", "<w:trPr><w:cantSplit/>", 1)
    return row.replace("<w:tr>", "<w:tr><w:trPr><w:cantSplit/></w:trPr>", 1)
