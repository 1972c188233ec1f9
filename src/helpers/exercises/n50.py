"""Right answers of notebook 50."""

from __future__ import annotations

from typing import Any

from helpers.exercises.agreement import largest
from helpers.exercises.registry import Names, exercise


@exercise(
    "50-1",
    hint="Give fit_model the estimator ML and listwise, and subtract the column est of both "
    "rows('~').",
)
def _largest_change(names: Names) -> Any:
    fitted = names["fitted"]
    before = fitted.rows("~").set_index(["lhs", "rhs"])["est"]
    after = fitted.plain().estimates.query("op == '~'").set_index(["lhs", "rhs"])["est"]
    return (after - before).abs().max()


@exercise("50-2", hint="The table of explained variance holds a row for every question as well.")
def _best_explained(names: Names) -> Any:
    fitted = names["fitted"]
    shares = fitted.result.r_squared
    return largest(
        shares[shares["variable"].isin(fitted.latents)].set_index("variable")["r_squared"]
    )
