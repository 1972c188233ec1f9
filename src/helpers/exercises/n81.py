"""Right answers of notebook 81."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise
from helpers.service.scenarios import scenario


@exercise("81-1", hint="Halve the step; customers near the top of the scale have room for it.")
def _half(names: Names) -> Any:
    plan = names["plan"]
    steps = plan.levers.steps({names["lever"]: names["step"] / 2})
    customers = plan.customers(names["segment"])
    slopes = names["found"].slopes
    return scenario(customers, slopes, steps, value=names["value"], seed=names["seed"]).net[0]


@exercise("81-2", hint="Set the worth times the gain equal to the cost.")
def _break_even(names: Names) -> Any:
    return names["chosen"].cost / names["chosen"].gain[0]


@exercise("81-3", hint="Look at the frontier to the right of its highest point.")
def _doubled(names: Names) -> Any:
    return False
