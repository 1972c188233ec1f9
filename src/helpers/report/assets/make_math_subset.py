"""Make ``StudyMath.ttf`` from STIX Two Math (run by hand, once).

Usage: ``python make_math_subset.py STIXTwoMath-Regular.ttf StudyMath.ttf``.
Licence of the font: StudyMath-OFL.txt.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FAMILY = "Study Math"

RANGES = (
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x00FF),  # Latin-1: dots, accents, times, plus-minus
    (0x0300, 0x0338),  # combining accents
    (0x0391, 0x03F5),  # Greek
    (0x2010, 0x2044),  # dashes, primes, fraction slash
    (0x2061, 0x2064),  # invisible operators
    (0x20D0, 0x20D7),  # combining arrows
    (0x2102, 0x2134),  # letter-like: expectation, reals
    (0x2190, 0x21D4),  # arrows
    (0x2200, 0x22C5),  # operators: sums, roots, relations
    (0x22EE, 0x22F1),  # dots
    (0x2308, 0x230B),  # ceilings and floors
    (0x239B, 0x23B9),  # pieces of tall brackets
    (0x23DC, 0x23E1),  # horizontal brackets
    (0x27E6, 0x27EB),  # angle brackets
    (0x1D400, 0x1D467),  # bold and italic Latin
    (0x1D6A4, 0x1D6DA),  # dotless i and j, bold Greek
    (0x1D6E2, 0x1D71B),  # italic Greek
    (0x1D7CE, 0x1D7D7),  # bold digits
)


def make(source: Path, target: Path) -> None:
    """Write the subset with its MATH table and the script-size forms."""
    options = subset.Options(
        hinting=False, layout_features=["ssty", "dtls", "flac"], name_IDs=["*"],
        notdef_outline=True, drop_tables=["DSIG", "GPOS"], recalc_timestamp=False,
    )  # fmt: skip
    font = TTFont(source, recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[p for a, b in RANGES for p in range(a, b + 1)])
    subsetter.subset(font)
    short = FAMILY.replace(" ", "")
    for name_id, text in {1: FAMILY, 3: short, 4: FAMILY, 6: short}.items():
        font["name"].setName(text, name_id, 3, 1, 0x409)
    font.save(target)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
