"""Later purchases and amounts of a wave, regressed on recovery and what was known before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.errors import (
    DataContractError,
    EstimationError,
    Unavailable,
    check_level,
    passes_unavailable,
)
from helpers.i18n import _
from helpers.service.lifecycle_models import CountModel, amount_model, count_model
from helpers.service.lifecycle_study import Wave
from helpers.thresholds import LEVEL


@passes_unavailable
def wave_count(wave: Wave, *, level: float = LEVEL) -> CountModel | Unavailable:
    """Return the regression of later purchases a month on recovery and what was known."""
    check_level(level, "wave_count")
    try:
        return count_model(
            wave.frame["after"], _predictors(wave), exposure=wave.plan.months,
            weights=wave.frame["weight"], level=level,
        )  # fmt: skip
    except (DataContractError, EstimationError):
        return Unavailable(_("a regression of later purchases"), _no_regression())


def _no_regression() -> str:
    """Say why what customers did later cannot be regressed on what was known."""
    return _(
        "too few customers are complete, nothing varies, or the variables repeat each other or "
        "tell an outcome without error"
    )


@passes_unavailable
def wave_amount(wave: Wave, *, level: float = LEVEL) -> tuple[pd.DataFrame, int, int] | Unavailable:
    """Return the regressions of the later amount on recovery and what was known."""
    check_level(level, "wave_amount")
    if wave.plan.amount_after is None:
        return Unavailable(_("a model of the amount"), _("the later wave did not ask for it"))
    try:
        return amount_model(
            wave.frame["amount_after"], _predictors(wave), weights=wave.frame["weight"], level=level
        )
    except (DataContractError, EstimationError):
        return Unavailable(_("a model of the amount"), _no_regression())


def _predictors(wave: Wave) -> pd.DataFrame:
    """Return recovery, earlier purchases, and the declared predictors about their means."""
    frame = wave.frame[list(dict.fromkeys(wave.plan.predictors))]
    centred = frame - frame.mean()
    earlier = np.log1p(wave.frame["before"])
    head = {"recovered": wave.frame["recovered"], "log_before": earlier - earlier.mean()}
    return pd.DataFrame(head).join(centred)
