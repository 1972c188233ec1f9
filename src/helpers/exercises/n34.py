"""Right answers of notebook 34."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise
from helpers.measurement.method_bias import partial_for_marker


@exercise("34-1", hint="Take r_M from r, then divide by 1 - r_M.")
def _adjusted(names: Names) -> Any:
    return float(partial_for_marker(0.40, 0.10))


@exercise("34-2", hint="The adjusted correlation is 0 where its numerator is.")
def _to_zero(names: Names) -> Any:
    return 0.30


@exercise("34-3", hint="Read again what the first method in the list can and cannot show.")
def _harman(names: Names) -> Any:
    return False


@exercise("34-4", hint="Square the sum of the loadings on the marker; D stands in the method part.")
def _method_reliability(names: Names) -> Any:
    true, way = (4 * 0.70) ** 2, (4 * 0.20) ** 2
    return way / (true + way + 4 * 0.47)
