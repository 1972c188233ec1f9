"""Right answers of notebook 52."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise("52-1", hint="Put the moderator's value into the slope: the first path plus the product.")
def _slope(names: Names) -> Any:
    return 0.20


@exercise("52-2", hint="Set the slope equal to zero and solve for the moderator.")
def _zero(names: Names) -> Any:
    return 2.5


@exercise("52-3", hint="Read again what the method says about the product of scores.", decimals=2)
def _reliability(names: Names) -> Any:
    return 0.56
