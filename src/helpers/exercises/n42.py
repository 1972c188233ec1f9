"""Right answers of notebook 42."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise("42-1", hint="The two general dominances add up to R².")
def _second(names: Names) -> Any:
    return (0.09 + 0.22 / 0.84 - 0.25) / 2


@exercise("42-2", hint="One plus the group size less one, times the intraclass correlation.")
def _design(names: Names) -> Any:
    return 1.95


@exercise("42-3", hint="Each predictor is in or out; leave the empty set aside.")
def _subsets(names: Names) -> Any:
    return 63
