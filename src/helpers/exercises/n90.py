"""Right answers of notebook 90."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise("90-1", hint="Every choice can be combined with every other.")
def _combinations(names: Names) -> Any:
    return 48


@exercise("90-2", hint="A score keeps the root of its reliability; both scores weaken the path.")
def _attenuated(names: Names) -> Any:
    return 0.60 * 0.9 * 0.8


@exercise("90-3", hint="Do the specifications share their answers?")
def _independent(names: Names) -> Any:
    return False
