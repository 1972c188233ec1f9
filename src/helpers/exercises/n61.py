"""Right answers of notebook 61."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise("61-1", hint="Put F, its first degrees of freedom and N into the formula.")
def _omega(names: Names) -> Any:
    return 12.6 / 412.6


@exercise("61-2", hint="Divide the familywise level by the number of pairs.", decimals=4)
def _bonferroni(names: Names) -> Any:
    return 0.05 / 6


@exercise("61-3", hint="Which other differences does such an interval hold beside zero?")
def _same(names: Names) -> Any:
    return False
