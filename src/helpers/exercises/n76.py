"""Right answers of notebook 76."""

from __future__ import annotations

from typing import Any

from helpers.errors import Unavailable
from helpers.exercises.registry import Names, exercise
from helpers.service.lifecycle import ratio_contrast


@exercise("76-1", hint="Ten half-years: sum the geometric series up to the tenth power.")
def _five_years(names: Names) -> Any:
    found = names["values"] and names["values"]["recovered"]
    if isinstance(found, Unavailable):
        return found
    given = found.assumptions
    q = found.retention / given.growth
    periods = round(60 / given.months)
    return given.margin * found.spend * q * (1 - q**periods) / (1 - q)


@exercise("76-2", hint="Solve R (p + (1 - p) k) = 1 for k, with p = .80.")
def _fewer_lost(names: Names) -> Any:
    known = names["changes"] and names["changes"][0].contrast
    if isinstance(known, Unavailable):
        return known
    first = names["changes"][0]
    share = (1 / ratio_contrast(first.recovered, first.none).ratio - 0.8) / 0.2
    return share if share >= 0 else -1.0


@exercise("76-3", hint="The weights know only what was known before the customer was lost.")
def _silent(names: Names) -> Any:
    return False
