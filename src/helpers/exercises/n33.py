"""Right answers of notebook 33."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise
from helpers.measurement.reliability import average_variance_extracted


@exercise("33-1", hint="Square the loadings, then take their mean.")
def _extracted(names: Names) -> Any:
    return average_variance_extracted([0.9, 0.8, 0.6])


@exercise("33-2", hint="The criterion holds the correlation against the root of the AVE.")
def _limit(names: Names) -> Any:
    return 0.8


@exercise("33-3", hint="Divide by the geometric mean of the two correlations within.")
def _ratio(names: Names) -> Any:
    return float(0.30 / (0.60 * 0.40) ** 0.5)
