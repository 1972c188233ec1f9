"""Right answers of notebook 74."""

from __future__ import annotations

from typing import Any

from helpers.errors import Unavailable
from helpers.exercises.registry import Names, exercise


@exercise("74-1", hint="Divide the chi-square of the freer model by that of the second-order one.")
def _target(names: Names) -> Any:
    return 180.0 / 200.0


@exercise("74-2", hint="Multiply the paths along each way and add the ways.")
def _total(names: Names) -> Any:
    return 0.5 * 0.4 + 0.1


@exercise("74-3", hint="Take the lowest possible answer away, divide by the range, times 100.")
def _performance(names: Names) -> Any:
    return 100 * (4.6 - 1) / (7 - 1)


@exercise("74-4", hint="Look for the name in the first row of the table of the drivers' map.")
def _first(names: Names) -> Any:
    drivers = names["drivers"]
    return drivers if isinstance(drivers, Unavailable) else str(drivers.table["name"].iloc[0])
