"""Fonts inside a page: only the characters that the page shows, only when it needs them.

Without a font with a MATH table browsers draw roots and tall brackets wrong, and many machines
have none; without a Chinese font they draw boxes.
"""

from __future__ import annotations

import base64
import html
import io
import re
from functools import cache
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from helpers.i18n import language

CHINESE_FONT = Path(__file__).parents[1] / "fonts" / "NotoSansSC-subset.otf"
CHINESE_FAMILY = "Study CJK"
MATH_FONT = Path(__file__).parent / "assets" / "StudyMath.ttf"
MATH_FAMILY = "Study Math"

_FIRST_CJK = 0x2E80
_CHINESE_PUNCTUATION = "“”‘’…—·"
"""Shared with Latin script; taken from the Chinese font only on a Chinese page."""

_ALWAYS_IN_FORMULAS = "√()[]{}|‖⟨⟩0123456789+−=,"
_ITALICS = (("A", "Z", 0x1D434), ("a", "z", 0x1D44E), ("Α", "Ω", 0x1D6E2), ("α", "ω", 0x1D6FC))


def chinese_font_css(text: str) -> str:
    """Return an ``@font-face`` rule with the Chinese characters of a text, or nothing.

    Parameters
    ----------
    text : str
        What the page shows. Markup may stand in it, it holds no Chinese of its own.
    """
    wanted = {c for c in set(text) if ord(c) >= _FIRST_CJK}
    if not wanted:
        return ""
    if language() == "zh":
        wanted |= set(_CHINESE_PUNCTUATION) & set(text)
    return _face(CHINESE_FAMILY, _subset(CHINESE_FONT, "".join(sorted(wanted))))


def math_font_css(markup: str) -> str:
    """Return an ``@font-face`` rule with the characters of all formulas, or nothing.

    Roots and stretched brackets are drawn although the markup may not hold them, and a letter that
    stands alone is drawn from the italic alphabet, so these are added.
    """
    formulas = "".join(re.findall(r"<math\b.*?</math>", markup, flags=re.DOTALL))
    if not formulas:
        return ""
    characters = set(html.unescape(re.sub(r"<annotation.*?</annotation>|<[^>]*>", "", formulas)))
    wanted = characters | {italic(c) for c in characters} | set(_ALWAYS_IN_FORMULAS)
    return _face(MATH_FAMILY, _subset(MATH_FONT, "".join(sorted(wanted))))


def italic(letter: str) -> str:
    """Return the mathematical italic form of a Latin or Greek letter, else the letter."""
    if letter == "h":
        return "\u210e"
    for first, last, start in _ITALICS:
        if first <= letter <= last:
            return chr(start + ord(letter) - ord(first))
    return letter


def _face(family: str, font: bytes) -> str:
    """Return the rule that embeds a font."""
    source = f'url("data:font/woff2;base64,{base64.b64encode(font).decode("ascii")}")'
    return (
        f'@font-face {{ font-family: "{family}"; src: {source} format("woff2"); '
        "font-display: block; }\n"
    )


@cache
def _subset(source: Path, characters: str) -> bytes:
    """Return a WOFF2 font with these characters; those the source lacks are left out."""
    options = subset.Options(
        flavor="woff2", layout_features=["ssty"], hinting=False, notdef_outline=True,
        recalc_timestamp=False,
    )  # fmt: skip
    with TTFont(source, lazy=True, recalcTimestamp=False) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=characters)
        subsetter.subset(font)
        font.flavor = "woff2"
        buffer = io.BytesIO()
        font.save(buffer)
    return buffer.getvalue()
