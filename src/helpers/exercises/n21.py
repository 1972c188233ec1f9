"""Right answers of notebook 21."""

from __future__ import annotations

from typing import Any

from helpers.exercises.agreement import largest
from helpers.exercises.registry import Names, exercise


@exercise("21-1", hint="Compare the means within the first section of the table only.")
def _highest(names: Names) -> Any:
    described = names["described"]
    own = described[described["construct"] == described["construct"].iloc[0]]
    return largest(own.set_index("item")["mean"])


@exercise("21-2", hint="Look at the column of the ceiling, over all items.")
def _ceiling(names: Names) -> Any:
    return largest(names["described"].set_index("item")["ceiling"])


@exercise("21-3", hint="How far from 1 to 5 does the mean lie, as a share?")
def _difficulty(names: Names) -> Any:
    return 3.2 / 4
