"""Make ``reference.docx`` from pandoc's own (run by hand, once).

Usage: ``python make_reference.py reference.docx``. The styles of a page: Times New Roman with a
Chinese serif beside it, three-line tables, boxes for readings and warnings, A4.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pypandoc

FONTS = (
    '<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:cs="Times New Roman" '
    'w:eastAsia="SimSun"/>'
)
FOOTER = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<w:ftr xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:p><w:pPr>'
    '<w:jc w:val="right"/></w:pPr><w:fldSimple w:instr=" PAGE "><w:r><w:rPr><w:sz w:val="18"/>'
    "</w:rPr><w:t>1</w:t></w:r></w:fldSimple></w:p></w:ftr>"
)
FOOTER_ID = "rIdFooter"
FOOTER_PLACES = {
    "[Content_Types].xml": (
        "</Types>",
        '<Override PartName="/word/footer1.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.wordprocessingml.footer+xml"/>',
    ),
    "word/_rels/document.xml.rels": (
        "</Relationships>",
        f'<Relationship Id="{FOOTER_ID}" Target="footer1.xml" Type="http://schemas.'
        'openxmlformats.org/officeDocument/2006/relationships/footer"/>',
    ),
}
A4 = (
    '<w:sectPr xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    f'<w:footerReference w:type="default" r:id="{FOOTER_ID}"/>'
    '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1418" w:right="1361" '
    'w:bottom="1361" w:left="1361" w:header="709" w:footer="709" w:gutter="0"/></w:sectPr>'
)
LINES = (
    '<w:tblBorders><w:top w:val="single" w:sz="10" w:space="0" w:color="auto"/>'
    '<w:bottom w:val="single" w:sz="10" w:space="0" w:color="auto"/></w:tblBorders>'
)
BOXES = {"Reading": "1F5A8A", "Banner": "8A5A00", "Unavailable": "8A5A00", "Trouble": "9B2226"}


def box(name: str, colour: str) -> str:
    """Return a paragraph style with a coloured line on the left."""
    return (
        f'<w:style w:type="paragraph" w:customStyle="1" w:styleId="{name}"><w:name w:val="{name}"/>'
        '<w:basedOn w:val="BodyText"/><w:qFormat/><w:pPr><w:pBdr>'
        f'<w:left w:val="single" w:sz="18" w:space="8" w:color="{colour}"/></w:pBdr>'
        '<w:ind w:left="227"/></w:pPr></w:style>'
    )


def note() -> str:
    """Return the style of the note below a table."""
    return (
        '<w:style w:type="paragraph" w:customStyle="1" w:styleId="TableNote">'
        '<w:name w:val="Table Note"/><w:basedOn w:val="BodyText"/><w:qFormat/>'
        '<w:pPr><w:spacing w:before="60" w:after="240"/></w:pPr>'
        '<w:rPr><w:sz w:val="18"/></w:rPr></w:style>'
    )


def reference() -> str:
    """Return the style of an entry in the list of references: its first line hangs."""
    return (
        '<w:style w:type="paragraph" w:customStyle="1" w:styleId="Reference">'
        '<w:name w:val="Reference"/><w:basedOn w:val="BodyText"/><w:qFormat/>'
        '<w:pPr><w:spacing w:before="0" w:after="120"/>'
        '<w:ind w:left="567" w:hanging="567"/></w:pPr>'
        "</w:style>"
    )


def restyle(styles: str) -> str:
    """Return the style sheet with our fonts, colours, tables and boxes."""
    styles = re.sub(r"<w:rFonts\b[^>]*/>", FONTS, styles)
    styles = re.sub(r'<w:color w:val="[0-9A-Fa-f]{6}"[^>]*/>', '<w:color w:val="000000"/>', styles)
    table = re.search(
        r'<w:style w:type="table"[^>]*w:styleId="Table".*?</w:style>', styles, re.DOTALL
    )
    old = table.group(0)
    narrow = old.replace('w:w="108"', 'w:w="57"')  # room for tables of many numbers
    new = re.sub(r"<w:tblPr>", f"<w:tblPr>{LINES}", narrow, count=1)
    new = re.sub(
        r"(<w:tblBorders>.*?</w:tblBorders>)(.*?)(<w:tblInd[^>]*/>)",
        r"\2\3\1",
        new,
        flags=re.DOTALL,
    )
    compact = re.search(r'<w:style [^>]*w:styleId="Compact".*?</w:style>', styles, re.DOTALL).group(
        0
    )
    small = compact.replace("</w:style>", '<w:rPr><w:sz w:val="19"/></w:rPr></w:style>')
    styles = styles.replace(compact, small)
    extra = "".join(box(*pair) for pair in BOXES.items()) + note() + reference()
    return styles.replace(old, new).replace("</w:styles>", f"{extra}</w:styles>")


def main(target: Path) -> None:
    """Write the reference document with fixed time stamps."""
    original = subprocess.run(
        [pypandoc.get_pandoc_path(), "--print-default-data-file", "reference.docx"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(original)) as source, zipfile.ZipFile(target, "w") as out:
        for name in [*source.namelist(), "word/footer1.xml"]:
            data = FOOTER.encode("utf-8") if name.endswith("footer1.xml") else source.read(name)
            if name in FOOTER_PLACES:
                end, part = FOOTER_PLACES[name]
                data = data.replace(end.encode("utf-8"), (part + end).encode("utf-8"))
            if name == "word/styles.xml":
                data = restyle(data.decode("utf-8")).encode("utf-8")
            if name == "word/document.xml":
                text = re.sub(
                    r"<w:sectPr\b[^>]*/>|<w:sectPr\b.*?</w:sectPr>",
                    "",
                    data.decode("utf-8"),
                    flags=re.DOTALL,
                )
                data = text.replace("</w:body>", f"{A4}</w:body>").encode("utf-8")
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
