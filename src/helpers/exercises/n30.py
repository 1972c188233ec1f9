"""Right answers of notebook 30."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise
from helpers.measurement.reliability import coefficient_alpha, composite_reliability


@exercise("30-1", hint="Leave column c out and take alpha of the two that remain.")
def _two_items(names: Names) -> Any:
    return coefficient_alpha(names["toy"][["a", "b"]], construct="toy").alpha


@exercise("30-2", hint="Take composite_reliability of three loadings, then of the two strong ones.")
def _weakest(names: Names) -> Any:
    three, two = composite_reliability([0.8, 0.8, 0.5]), composite_reliability([0.8, 0.8])
    return (three, two > three)


@exercise("30-3", hint="Read the conclusion again: what does a high alpha not show?")
def _one_factor(names: Names) -> Any:
    return False
