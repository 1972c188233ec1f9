"""Right answers of notebook 73."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercises.registry import Names, exercise
from helpers.service.profiles import entropy

CHANCES = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])


@exercise("73-1", hint="Only the third person is put into it; divide by the sum of the chances.")
def _kept(names: Names) -> Any:
    return 0.7 / (0.1 + 0.2 + 0.7)


@exercise("73-2", hint="Add p times the logarithm of p, divide by n log k, and add one.")
def _entropy(names: Names) -> Any:
    return entropy(CHANCES)


@exercise("73-3", hint="Each group's mean mixes the segments' means by who was put into it.")
def _corrected(names: Names) -> Any:
    first, second = np.array([0.8, 0.3]) / 1.1, np.array([0.2, 0.7]) / 0.9
    return float(np.linalg.solve(np.array([first, second]), [5.0, 4.0])[0])


@exercise("73-4", hint="Ask whether the segment was settled before the recovery.")
def _after(names: Names) -> Any:
    return False
