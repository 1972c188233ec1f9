"""What scenarios rest on: straight lines, one slope for all segments, and planted totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.service.scenario_study import Plan

if TYPE_CHECKING:
    from helpers.survey.load import Study


@dataclass(frozen=True, slots=True)
class Straightness:
    """Whether straight lines, the same for every segment, are good enough.

    Attributes
    ----------
    p_curve : float
        Joint test of the levers' squares.
    p_segments : float
        Joint test of levers by segments; NaN without segments.
    r2, r2_curve : float
        Of the outcome's score, straight and with squares.
    n_used : int
    """

    p_curve: float
    p_segments: float
    r2: float
    r2_curve: float
    n_used: int


@passes_unavailable
def straightness(study: Study, plan: Plan) -> Straightness | Unavailable:
    """Test on scale scores whether returns bend, and whether slopes differ by segment.

    Least squares of the outcome's score on the levers, with their squares or with their products
    with the segments; heteroscedasticity-robust (HC3) Wald tests by statsmodels.
    """
    import statsmodels.api as sm

    declared = plan.declared
    scores = study.scores
    names = [lever.variable for lever in declared.levers]
    if declared.outcome not in scores or not set(names) <= set(scores):
        return Unavailable(
            _("a test of straight lines"), _("the levers or the outcome have no scale score")
        )
    table = scores[[declared.outcome, *names]].copy()
    if declared.segment:
        table["segment"] = study.responses[declared.segment].to_numpy(dtype=float)
    table = table.dropna()
    y, x = table[declared.outcome].to_numpy(), table[names] - table[names].mean()
    base = sm.add_constant(x.to_numpy())
    curved = sm.OLS(y, np.c_[base, x.to_numpy() ** 2]).fit(cov_type="HC3")
    p_segments = np.nan
    if declared.segment:
        groups = pd.get_dummies(table["segment"], drop_first=True, dtype=float).to_numpy()
        products = [x.to_numpy() * column[:, None] for column in groups.T]
        by_segment = sm.OLS(y, np.c_[base, groups, *products]).fit(cov_type="HC3")
        p_segments = _joint_p(by_segment, base.shape[1] + groups.shape[1])
    straight = sm.OLS(y, base).fit()
    return Straightness(
        _joint_p(curved, base.shape[1]), p_segments, float(straight.rsquared),
        float(curved.rsquared), len(table),
    )  # fmt: skip


def _joint_p(fitted: object, first: int) -> float:
    """Return the p-value that every coefficient from ``first`` on is zero."""
    k = len(fitted.params)
    return float(fitted.f_test(np.eye(k)[first:]).pvalue)


def planted_total(truth: Mapping[str, object], source: str, outcome: str) -> float:
    """Return the planted standardised total effect of one construct on another."""
    paths = truth["structure"]["paths"]

    def total(name: str) -> float:
        if name == source:
            return 1.0
        return sum(b * total(before) for before, b in paths.get(name, {}).items())

    return float(total(outcome))
