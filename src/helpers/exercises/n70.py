"""Right answers of notebook 70."""

from __future__ import annotations

from typing import Any

from helpers.errors import Unavailable
from helpers.exercises.registry import Names, exercise
from helpers.service.process import part_importance


@exercise(
    "70-1", hint="How far is it from the lower end, as a part of the whole length?", decimals=1
)
def _percent_of_scale(names: Names) -> Any:
    return 100 * (4.4 - 1) / (7 - 1)


@exercise("70-2", hint="From 6 to 48 hours the wait doubles how many times?")
def _three_doublings(names: Names) -> Any:
    slope = names["slope"]
    return slope if isinstance(slope, Unavailable) else 3 * slope.plain


@exercise("70-3", hint="Share R² out again among the elements that remain.")
def _without_the_first(names: Names) -> Any:
    recovery = names["recovery"]
    if isinstance(names["importance"], Unavailable):
        return names["importance"]
    first = names["importance"].table()["code"].iloc[0]
    rest = [code for code in recovery.elements if code != first]
    data = recovery.elements.assign(y=recovery.outcome.to_numpy())
    return part_importance(data, "y", rest, n_boot=100).table()["code"].iloc[0]
