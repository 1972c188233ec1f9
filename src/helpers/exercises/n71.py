"""Right answers of notebook 71."""

from __future__ import annotations

from typing import Any

from helpers.errors import Unavailable
from helpers.exercises.registry import Names, exercise
from helpers.service.quality_gaps import difference_reliability


@exercise("71-1", hint="Put reliabilities, equal spreads and the correlation into the formula.")
def _difference(names: Names) -> Any:
    return difference_reliability((0.8, 0.8), (1.0, 1.0), 0.6)


@exercise("71-2", hint="Sort the table of items by the gap and read the first row.")
def _item(names: Names) -> Any:
    items = names["items"]
    if isinstance(items, Unavailable):
        return items
    return items.loc[items["gap"].idxmin(), "code"]


@exercise("71-3", hint="Multiply each gap by its weight and add up, then compare with the mean.")
def _index(names: Names) -> Any:
    if isinstance(names["index"], Unavailable):
        return names["index"]
    weights = names["index"].weights["weight"].to_numpy()
    gaps = names["gaps"]["gap"].to_numpy()
    return float(weights @ gaps - gaps.mean())
