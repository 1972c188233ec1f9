"""Right answers of notebook 77."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise
from helpers.service.sequential import crossing


@exercise("77-1", hint="Twice the customers in each arm divide the difference by the root of two.")
def _twice(names: Names) -> Any:
    first = names["effects"][0]
    return first and first.detectable / 2**0.5  # one that is lacking stays so


@exercise("77-2", hint="Sum the crossing probabilities of three equal looks at 1.96.")
def _three_looks(names: Names) -> Any:
    return float(crossing([1 / 3, 2 / 3, 1.0], [1.959964] * 3).sum())


@exercise("77-3", hint="A covariate that the service itself can change carries part of the effect.")
def _during(names: Names) -> Any:
    return False
