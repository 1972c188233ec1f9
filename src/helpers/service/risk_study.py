"""Who needs help first: the risk of leaving that a study declares, by segment and never by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import EstimationError, Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.results import Number
from helpers.service.risk_data import RiskData
from helpers.service.risk_fairness import Fairness, fairness
from helpers.service.risk_model import (
    OutOfSample,
    PenalisedLogit,
    PenaltyChoice,
    Rule,
    choose_penalty,
    chosen_again,
    fit_penalised,
    out_of_sample,
)
from helpers.service.risk_optimism import Optimism, plain_optimism
from helpers.service.risk_scores import (
    LEAST,
    Performance,
    calibration_curve,
    net_benefit,
    performance,
)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RiskModel:
    """The model, and how well it does on customers it has not seen.

    Attributes
    ----------
    fit : PenalisedLogit
        Fitted on everybody, at the penalty chosen on everybody.
    choice : PenaltyChoice
    honest : OutOfSample
    apparent, unseen : Performance
        On the customers it was fitted on; on customers it has not seen.
    plain : Optimism or Unavailable
        The unpenalised logit, corrected by bootstrap.
    coefficients : DataFrame
        column, coefficient (log odds for one standard deviation), odds, chosen (share of half
        samples in which it is chosen), largest first.
    """

    fit: PenalisedLogit
    choice: PenaltyChoice
    honest: OutOfSample
    apparent: Performance
    unseen: Performance
    plain: Optimism | Unavailable
    coefficients: pd.DataFrame


@passes_unavailable
def risk_model(
    data: RiskData,
    *,
    rule: Rule = "best",
    folds: int = 5,
    repeats: int = 5,
    draws: int = 200,
    seed: int = 1,
) -> RiskModel | Unavailable:
    """Fit the risk of leaving and judge it on customers it has not seen.

    Returns ``Unavailable`` if nearly everybody, or nearly nobody, left.
    """
    x, y = data.matrix, data.outcome
    events = int(y.sum())
    if min(events, len(y) - events) < LEAST:
        why = _(
            "{events} of {n} customers left; at least {least} who left and who stayed are needed"
        )
        return Unavailable(
            _("the risk of leaving"), why.format(events=events, n=len(y), least=LEAST)
        )
    try:
        choice = choose_penalty(x, y, rule=rule, seed=seed)
        fit = fit_penalised(x, y, penalty=choice.penalty)
        honest = out_of_sample(x, y, rule=rule, folds=folds, repeats=repeats, seed=seed)
        apparent = performance(y, fit.predict(x))
        unseen = performance(y, honest.risk)
    except EstimationError:  # nothing varies, or the same risk for everybody
        why = _("nothing that was known before tells those who left from those who stayed")
        return Unavailable(_("the risk of leaving"), why)
    try:
        plain: Optimism | Unavailable = plain_optimism(data.filled, y, draws=draws, seed=seed)
    except EstimationError:
        plain = Unavailable(
            _("the plain logit"), _("it has no finite estimate with so few leavers")
        )
    table = pd.DataFrame(
        {
            "column": data.columns.columns,
            "coefficient": fit.coefficients,
            "odds": np.exp(fit.coefficients),
            "chosen": chosen_again(x, y, penalty=choice.penalty, draws=draws, seed=seed),
        }
    )
    order = table["coefficient"].abs().sort_values(ascending=False, kind="stable").index
    return RiskModel(
        fit, choice, honest, apparent, unseen, plain, table.loc[order].reset_index(drop=True)
    )


@passes_unavailable
def risk_calibration(data: RiskData, model: RiskModel) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ``calibration_curve`` of unseen customers."""
    return calibration_curve(data.outcome, model.honest.risk)


@passes_unavailable
def risk_benefit(
    data: RiskData, model: RiskModel, thresholds: Sequence[float], *, seed: int = 1
) -> pd.DataFrame:
    """Return ``net_benefit`` of unseen customers."""
    return net_benefit(data.outcome, model.honest.risk, thresholds, seed=seed)


@passes_unavailable
def risk_fairness(
    data: RiskData, model: RiskModel, *, threshold: float, seed: int = 1
) -> dict[str, Fairness | Unavailable]:
    """Return errors over each grouping that the study file names."""
    found: dict[str, Fairness | Unavailable] = {}
    for name in data.fairness:
        try:
            found[name] = fairness(
                data.outcome, model.honest.risk, data.fairness[name],
                threshold=threshold, seed=seed,
            )  # fmt: skip
        except EstimationError:
            why = _("fewer than two groups are large enough to be shown")
            found[name] = Unavailable(_("errors by group"), why)
    return found


@passes_unavailable
def leaks(data: RiskData, model: RiskModel, *, seed: int = 1) -> tuple[str, float, Performance]:
    """Look for signs that the future has leaked into the predictors.

    Returns
    -------
    (str, float, Performance)
        The column that ranks best alone, its area under the curve (turned to lie above 0.5), and
        the performance of the whole procedure when the outcomes are shuffled, which should be that
        of chance.
    """
    y = data.outcome
    ones = int(y.sum())
    areas = {}
    for name, values in data.columns.items():
        ranks = values.fillna(values.median()).fillna(0.0).rank().to_numpy()
        area = (ranks[y == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones))
        areas[str(name)] = max(area, 1 - area)
    best = max(areas, key=lambda name: areas[name])
    shuffled = np.random.default_rng(seed).permutation(y)
    chance = out_of_sample(
        data.matrix, shuffled, folds=model.honest.folds, repeats=1, seed=seed
    )  # fmt: skip
    return best, float(areas[best]), performance(shuffled, chance.risk)


def risk_numbers(model: RiskModel | Unavailable) -> list[Number]:
    """Return how well the risks do, for ``results.json``; of no single customer."""
    if isinstance(model, Unavailable):
        return []
    found, honest = model.unseen, "nested cross-validation"
    return [
        Number(
            "risk_auc", found.auc, "area under the curve, unseen customers", found.auc_low,
            found.auc_high, found.level, found.n_used, method=f"{honest}; DeLong, logit scale",
        ),
        Number("risk_brier", found.brier, "mean squared error of the risk", n_used=found.n_used,
               method=honest),
        Number(
            "risk_slope", found.slope, "calibration slope, unseen customers", found.slope_low,
            found.slope_high, found.level, found.n_used, method=f"{honest}; Wald",
        ),
    ]  # fmt: skip
