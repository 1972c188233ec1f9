"""Right answers of notebook 20."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise
from helpers.survey.intervals import wilson_interval


@exercise("20-1", hint="Put p = .25 and n = 400 into the formula of the method section.")
def _upper(names: Names) -> Any:
    return wilson_interval(100, 400)[1]


@exercise("20-2", hint="Compare the widths at 4 n and n; the standard error halves.", decimals=2)
def _narrower(names: Names) -> Any:
    n, hits = names["n"], names["n"] // 3
    (low, high), (low4, high4) = wilson_interval(hits, n), wilson_interval(4 * hits, 4 * n)
    return (high4 - low4) / (high - low)


@exercise("20-3", hint="Subtract what is shown from the total.")
def _given_away(names: Names) -> Any:
    return True
