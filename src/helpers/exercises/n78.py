"""Right answers of notebook 78."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise
from helpers.service.risk_scores import call_threshold


@exercise("78-1", hint="Divide the cost by what a call brings on average to one about to leave.")
def _twice_as_dear(names: Names) -> Any:
    return call_threshold(
        cost=1.5 * names["call_cost"], worth=names["worth"], kept=names["kept_by_call"]
    )


@exercise("78-2", hint="Take the difference of the two areas of the penalised logit.")
def _flattery(names: Names) -> Any:
    model = names["model"]
    return model and model.apparent.auc - model.unseen.auc  # one that is lacking stays so


@exercise(
    "78-3",
    hint="Everybody who left counts 1; everybody who stayed costs the odds of the threshold.",
)
def _everybody(names: Names) -> Any:
    left = names["data"].outcome
    return float((left - (1 - left) * 0.25 / (1 - 0.25)).mean())
