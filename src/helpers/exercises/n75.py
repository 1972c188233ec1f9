"""Right answers of notebook 75."""

from __future__ import annotations

from typing import Any

from helpers.errors import Unavailable
from helpers.exercises.registry import Names, exercise
from helpers.service.coding_alpha import krippendorff_alpha


@exercise("75-1", hint="Ask for the scale nominal: every difference of codes counts the same.")
def _nominal(names: Names) -> Any:
    log, known = names["log"], names["found"][-1].found
    if isinstance(known, Unavailable):
        return known
    codes = log.codes(log.plan.codings[-1])
    return krippendorff_alpha(codes, scale="nominal", n_boot=10).estimate


@exercise("75-2", hint="Take the share of equal codes from the coefficient of that name.")
def _gap(names: Names) -> Any:
    first = names["found"][0]
    if isinstance(first.found, Unavailable):
        return first.found
    return first.coefficient("ac").estimate - first.coefficient("percent").estimate


@exercise("75-3", hint="Every word with a digit or an at sign goes.")
def _left(names: Names) -> Any:
    return 4
