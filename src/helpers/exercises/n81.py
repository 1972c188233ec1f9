"""Right answers of notebook 81."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise
from helpers.service.scenario_study import raised, study_scenario


@exercise("81-1", hint="Halve the step; customers near the top of the scale have room for it.")
def _half(names: Names) -> Any:
    half = raised(names["plan"], names["lever"], names["step"] / 2)
    found = study_scenario(
        names["plan"], names["found"], half, value=names["value"], seed=names["seed"],
        segment=names["segment"],
    )  # fmt: skip
    return found.net[0] if found else found


@exercise("81-2", hint="Set the worth times the gain equal to the cost.")
def _break_even(names: Names) -> Any:
    chosen = names["chosen"]
    return chosen.cost / chosen.gain[0] if chosen else chosen


@exercise("81-3", hint="Look at the frontier to the right of its highest point.")
def _doubled(names: Names) -> Any:
    return False
