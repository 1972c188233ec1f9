"""Right answers of notebook 54."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise("54-1", hint="For small paths the misfit grows with the square of the path.", decimals=2)
def _factor(names: Names) -> Any:
    return 2.25


@exercise("54-2", hint="The formula of the method multiplies two numbers.")
def _noncentrality(names: Names) -> Any:
    return 8


@exercise(
    "54-3", hint="First the critical value of the central distribution, then the tail of the other."
)
def _power(names: Names) -> Any:
    # With one degree of freedom, noncentral chi-square is a squared normal variable.
    normal, root = NormalDist(), 8**0.5
    cut = normal.inv_cdf(0.975)
    return normal.cdf(root - cut) + normal.cdf(-root - cut)
