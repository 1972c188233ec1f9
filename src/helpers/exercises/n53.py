"""Right answers of notebook 53."""

from __future__ import annotations

import math
from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise("53-1", hint="Subtract the chi-squares and the degrees of freedom; take the upper tail.")
def _difference(names: Names) -> Any:
    return math.exp(-(95.2 - 88.1) / 2)  # the upper tail of chi-square with 2 degrees of freedom


@exercise("53-2", hint="Look for the size of a BIC difference that says little.")
def _told_apart(names: Names) -> Any:
    return False


@exercise(
    "53-3", hint="Equivalent models imply the same covariances; what does that do to the fit?"
)
def _reversed(names: Names) -> Any:
    return 0
