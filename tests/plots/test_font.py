"""Contract: the vendored font holds what the suite prints, and its licence lies beside it."""

import ast
from pathlib import Path

from babel.messages.pofile import read_po
from fontTools.ttLib import TTFont
from matplotlib import font_manager

from helpers.plots.fonts import FAMILY, FONT_FILE, register_fonts

LEVELS_1_AND_2 = 6763  # hanzi in GB 2312-80
LARGEST = 2_000_000  # bytes; the one large file of the repository


def characters():
    return set(TTFont(FONT_FILE).getBestCmap())


def gb2312_hanzi():
    found = set()
    for row in range(0xB0, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return found


def test_every_hanzi_of_gb2312_is_inside():
    wanted = gb2312_hanzi()
    assert len(wanted) == LEVELS_1_AND_2
    assert wanted <= characters()


def test_signs_of_the_reports_are_inside():
    signs = "αβγηλξχωΔΣ²³×−±≤≥≠≈√∞→←↔↑↓–—…‘’“”《》「」、。，；：？！（）％·■●○◆▲"
    assert {ord(sign) for sign in signs} <= characters()


def test_every_chinese_text_of_the_suite_can_be_printed():
    folder = FONT_FILE.parents[1] / "locale" / "zh"
    used = set()
    for path in folder.glob("*.po"):
        with path.open("rb") as handle:
            used |= {ord(letter) for m in read_po(handle, locale="zh") for letter in m.string}
    hanzi = {point for point in used if 0x4E00 <= point <= 0x9FFF}
    lost = "".join(map(chr, sorted(hanzi - characters())))
    assert not lost


def test_registering_twice_adds_one_font():
    register_fonts()
    register_fonts.cache_clear()
    register_fonts()
    assert sum(entry.name == FAMILY for entry in font_manager.fontManager.ttflist) == 1


def test_licence_lies_beside_the_font():
    licence = (FONT_FILE.parent / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "PERMISSION & CONDITIONS" in licence
    assert FONT_FILE.stat().st_size < LARGEST


def test_nothing_is_drawn_at_import():
    """Style is a context: no module of the room sets rcParams at its top level."""
    for path in (Path(FONT_FILE).parents[1] / "plots").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            assert "rcParams" not in ast.unparse(node) or isinstance(node, ast.FunctionDef)
