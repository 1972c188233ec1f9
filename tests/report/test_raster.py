"""Contract: a figure for Word has the picture's proportions and states its resolution."""

import struct
import zlib

import pytest

from helpers.errors import ReportError
from helpers.report.raster import PNG_DPI, png_of

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="144pt" height="72pt" viewBox="0 0 144 72">'
    '<rect width="144" height="72" fill="#ff0000"/></svg>'
)


def chunks(png):
    at = 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + size]
        (crc,) = struct.unpack(">I", png[at + 8 + size : at + 12 + size])
        assert crc == zlib.crc32(kind + body)
        yield kind, body
        at += 12 + size


def test_size_and_resolution_give_the_figure_its_inches():
    found = dict(chunks(png_of(SVG)))
    width, height = struct.unpack(">II", found[b"IHDR"][:8])
    across, down, unit = struct.unpack(">IIB", found[b"pHYs"])
    assert (width, height, unit) == (2 * PNG_DPI, PNG_DPI, 1)
    assert across == down
    assert width / across / 0.0254 == pytest.approx(2.0, rel=1e-3)


def test_what_is_no_svg_is_told():
    with pytest.raises(ReportError, match="typst: "):
        png_of("<p>no drawing</p>")
