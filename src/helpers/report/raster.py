"""A figure as PNG, for Word: made from its SVG by typst, when a document asks for it."""

from __future__ import annotations

import struct
import tempfile
import zlib
from pathlib import Path

import typst

from helpers.errors import ReportError

PNG_DPI = 220
_HEAD = 8 + 25
"""Bytes of a PNG's signature and its first chunk, behind which its resolution belongs."""
_METRES_AN_INCH = 0.0254
_PAGE = '#set page(width: auto, height: auto, margin: 0pt, fill: white)\n#image("figure.svg")\n'


def png_of(svg: str) -> bytes:
    """Return a figure as PNG that states its resolution, so that it keeps its size in print.

    Parameters
    ----------
    svg : str
        Letters are outlines in it, as in all figures of the suite: no font is needed.

    Raises
    ------
    ReportError
        typst cannot read the SVG.
    """
    with tempfile.TemporaryDirectory(prefix="study-png-") as name:
        folder = Path(name)
        (folder / "figure.svg").write_text(svg, encoding="utf-8")
        source = folder / "figure.typ"
        source.write_text(_PAGE, encoding="utf-8")
        try:
            image = typst.compile(
                source, root=folder, format="png", ppi=float(PNG_DPI), ignore_system_fonts=True
            )
        except RuntimeError as error:
            raise ReportError(f"typst: {str(error).splitlines()[0]}.") from None
    return image[:_HEAD] + _resolution() + image[_HEAD:]


def _resolution() -> bytes:
    """Return the chunk of a PNG that says how many dots a metre has."""
    dots = round(PNG_DPI / _METRES_AN_INCH)
    body = b"pHYs" + struct.pack(">IIB", dots, dots, 1)
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def height_mm(image: bytes) -> float:
    """Return how high a PNG is when printed at the resolution of ``png_of``."""
    rows = struct.unpack(">I", image[20:24])[0]
    return rows / PNG_DPI * _METRES_AN_INCH * 1000
