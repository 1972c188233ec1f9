"""Fonts inside a page: only the characters that the page shows, only when it needs them."""

from __future__ import annotations

import base64
import io
from functools import cache
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from helpers.i18n import language

CHINESE_FONT = Path(__file__).parents[1] / "fonts" / "NotoSansSC-subset.otf"
CHINESE_FAMILY = "Study CJK"

_FIRST_CJK = 0x2E80
_CHINESE_PUNCTUATION = "“”‘’…—·"
"""Shared with Latin script; taken from the Chinese font only on a Chinese page."""


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
    data = _subset("".join(sorted(wanted)))
    source = f'url("data:font/woff2;base64,{base64.b64encode(data).decode("ascii")}")'
    return (
        f'@font-face {{ font-family: "{CHINESE_FAMILY}"; src: {source} format("woff2"); '
        "font-weight: 100 900; font-display: block; }\n"
    )


@cache
def _subset(characters: str) -> bytes:
    """Return a WOFF2 font with these characters; those the source lacks are left out."""
    options = subset.Options(
        flavor="woff2", layout_features=[], hinting=False, notdef_outline=True,
        recalc_timestamp=False,
    )  # fmt: skip
    with TTFont(CHINESE_FONT, lazy=True, recalcTimestamp=False) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=characters)
        subsetter.subset(font)
        font.flavor = "woff2"
        buffer = io.BytesIO()
        font.save(buffer)
    return buffer.getvalue()
