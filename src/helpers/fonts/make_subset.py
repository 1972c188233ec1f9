"""Make ``NotoSansSC-subset.otf`` from the Noto Sans CJK collection (run by hand, once).

Usage: ``python make_subset.py NotoSansCJK-Regular.ttc NotoSansSC-subset.otf``; see README.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

SOURCE_FAMILY = "Noto Sans CJK SC"
FAMILY = "Noto Sans SC Subset"
"""Own family name: a full Noto on the user's machine must never take the subset's place."""

# Fixed instead of the time of the run, so that the same source gives the same bytes.
TIMESTAMP = 3_700_000_000

RANGES = (
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x017F),  # Latin-1 and Latin Extended-A (authors' names)
    (0x0370, 0x03FF),  # Greek
    (0x2010, 0x205F),  # dashes, quotes, ellipsis, primes, thin spaces
    (0x2070, 0x209C),  # superscripts and subscripts
    (0x20A0, 0x20BF),  # currencies
    (0x2100, 0x214F),  # letter-like
    (0x2150, 0x218B),  # fractions, Roman numerals
    (0x2190, 0x21FF),  # arrows
    (0x2200, 0x22FF),  # mathematical operators
    (0x2460, 0x2473),  # circled digits
    (0x2500, 0x25FF),  # box drawing, blocks, shapes
    (0x2605, 0x2606),  # stars
    (0x2713, 0x2717),  # ticks and crosses
    (0x3000, 0x303F),  # CJK punctuation
    (0xFE30, 0xFE4F),  # vertical forms
    (0xFF01, 0xFF5E),  # full-width forms
    (0xFFE0, 0xFFE5),  # full-width currencies
)


def gb2312_characters() -> set[int]:
    """Return the code points of GB 2312: both levels of hanzi and the symbol rows."""
    points = set()
    for row in (*range(0xA1, 0xAA), *range(0xB0, 0xF8)):
        for cell in range(0xA1, 0xFF):
            try:
                points.add(ord(bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return points


def wanted() -> set[int]:
    """Return every code point the subset asks for."""
    points = gb2312_characters()
    for first, last in RANGES:
        points.update(range(first, last + 1))
    return points


def source_font(path: Path) -> TTFont:
    """Open the simplified-Chinese face of a collection, or a single font file."""
    if path.suffix.lower() != ".ttc":
        return TTFont(path, recalcTimestamp=False)
    for font in TTCollection(path, recalcTimestamp=False).fonts:
        if font["name"].getBestFamilyName() == SOURCE_FAMILY:
            return font
    raise SystemExit(f"{path.name} holds no face named {SOURCE_FAMILY}")


def rename(font: TTFont) -> None:
    """Give the subset its own family name in the records that font managers read."""
    short = FAMILY.replace(" ", "")
    names = {1: FAMILY, 2: "Regular", 3: f"{short}-Regular", 4: FAMILY, 6: f"{short}-Regular"}
    table = font["name"]
    table.names = [record for record in table.names if record.nameID in (0, 5, 13, 14)]
    for name_id, text in names.items():
        table.setName(text, name_id, 3, 1, 0x409)
    top = font["CFF "].cff
    top.fontNames = [names[6]]
    top[0].FamilyName, top[0].FullName = FAMILY, FAMILY


def make(source: Path, target: Path) -> None:
    """Write the subset: no hints, no vertical metrics, kerning kept."""
    options = subset.Options(
        hinting=False, layout_features=["kern", "palt"], name_IDs=["*"], name_languages=[0x409],
        notdef_outline=True, drop_tables=["VORG", "vhea", "vmtx", "BASE", "DSIG"],
        recalc_timestamp=False,
    )  # fmt: skip
    font = source_font(source)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted())
    subsetter.subset(font)
    rename(font)
    font["head"].modified = TIMESTAMP
    font.save(target)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
