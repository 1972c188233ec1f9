"""Right answers of notebook 40."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise("40-1", hint="A product does not mind the order of its factors.")
def _turned(names: Names) -> Any:
    return 0.0


@exercise("40-2", hint="Divide the gain by what is left unexplained after the step.")
def _effect(names: Names) -> Any:
    return 0.06 / 0.64


@exercise("40-3", hint="Multiply by the SD of the predictor, divide by that of the outcome.")
def _beta(names: Names) -> Any:
    return 0.5
