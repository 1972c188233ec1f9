"""Right answers of notebook 12."""

from __future__ import annotations

from typing import Any

from helpers.errors import Unavailable
from helpers.exercises.registry import Names, exercise
from helpers.tables.survey_missing import joint_test


@exercise("12-1", hint="Give the test the list items, and nothing of known.")
def _items_alone(names: Names) -> Any:
    result = joint_test(names["lesson"].study, names["items"])
    return result if isinstance(result, Unavailable) else result.p_value


@exercise("12-2", hint="Add the mean squared error and 4/3 of the variance of the three estimates.")
def _pooled(names: Names) -> Any:
    # Variance of .30, .34, .38 is .0016: sqrt(.0025 + 4/3 * .0016).
    return (0.05**2 + 4 / 3 * 0.04**2) ** 0.5


@exercise("12-3", hint="Read again what the method section says no test can show.")
def _unseen(names: Names) -> Any:
    return False
