"""The vendored font: registered with matplotlib once, so that Chinese shows on a bare machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from matplotlib import font_manager

FONT_FILE = Path(__file__).parents[1] / "fonts" / "NotoSansSC-subset.otf"
FAMILY = "Noto Sans SC Subset"
FALLBACK = "DejaVu Sans"


@cache
def register_fonts() -> tuple[str, str]:
    """Make the vendored font known to matplotlib and return ``font.family``.

    The Chinese font stands first in both languages. Its Latin letters are those of a text face,
    and matplotlib takes only signs outside the subset from the fallback.
    """
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    if FAMILY not in known:
        font_manager.fontManager.addfont(FONT_FILE)
    return FAMILY, FALLBACK
