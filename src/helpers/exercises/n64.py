"""Right answers of notebook 64."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise("64-1", hint="Take matched less mismatched for each kind of failure, then the mean.")
def _match(names: Names) -> Any:
    return 0.2


@exercise("64-2", hint="Count how often six doubles until it is 48.")
def _doublings(names: Names) -> Any:
    return 0.9


@exercise("64-3", hint="The smallest of three is multiplied by three.")
def _holm(names: Names) -> Any:
    return 0.03
