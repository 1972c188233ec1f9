"""The formulas F1 to F4 that were planted among answers, and their coefficients in the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataContractError, Unavailable
from helpers.i18n import _
from helpers.survey.simulate.recovery import COLUMNS
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study

_STEPS = 50
_CLOSE = 1e-10


def recovery_of_formulas(study: Study, *, level: float = LEVEL) -> pd.DataFrame | Unavailable:
    """Set the planted coefficients of F1 to F4 beside those of a regression on cleaned answers.

    F1 is a Poisson regression of the further failures (all but the one asked about) on the gaps
    displayed - received and expected - received quality; F2 a linear spline of delivery
    satisfaction in logistics quality with one knot at the planted kink; F3 and F4 are linear.
    Quality scores are means of three items, and only respondents with all three enter.

    Parameters
    ----------
    study : Study
        A simulated study.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame or Unavailable
        Columns as in ``recovery_table``; Unavailable for a study that was not simulated.
    """
    truth = study.truth
    if isinstance(truth, Unavailable):
        return truth
    if "formulas" not in truth:
        return Unavailable(_("the recovery of formulas"), _("the planted truth holds none"))
    return formula_rows(study.responses, truth["formulas"], level=level)


def formula_rows(responses: pd.DataFrame, planted: dict, *, level: float = LEVEL) -> pd.DataFrame:
    """Return the rows of F1 to F4 from cleaned answers, reverse-keyed items turned."""
    quality = {
        c: responses[[f"{c}1", f"{c}2", f"{c}3"]].mean(axis=1, skipna=False)
        for c in ("EQ", "IQ", "AQ", "LOGQ")
    }
    gaps = pd.DataFrame(
        {
            "displayed_gap": quality["IQ"] - quality["AQ"],
            "expected_gap": quality["EQ"] - quality["AQ"],
        }
    )
    distance = quality["LOGQ"] - planted["F2"]["kink"]
    knots = pd.DataFrame(
        {
            "slope_below": distance.clip(upper=0),
            "slope_above": distance.clip(lower=0).where(distance.notna()),
        }
    )
    personal = pd.DataFrame({"expectation_met": responses["EXM5"], "speed": responses["SPD5"]})
    honest = pd.DataFrame({"transparency": responses["TRN5"], "reputation": responses["REP5"]})
    rows = [
        *_fitted("F1", gaps, responses["NFAIL"] - 1, planted["F1"], level, counts=True),
        *_fitted("F2", knots, responses["DSAT"], planted["F2"], level),
        *_fitted("F3", personal, responses["PSAT"], planted["F3"], level),
        *_fitted("F4", honest, responses["HSAT"], planted["F4"], level),
    ]
    table = pd.DataFrame(rows)
    table["covered"] = (table["ci_low"] <= table["truth"]) & (table["truth"] <= table["ci_high"])
    return table[list(COLUMNS)]


def _names() -> dict[str, str]:
    """Return the coefficients' names in the current language."""
    return {
        "displayed_gap": _("gap displayed - received quality"),
        "expected_gap": _("gap expected - received quality"),
        "slope_below": _("logistics quality, below the kink"),
        "slope_above": _("logistics quality, above the kink"),
        "expectation_met": _("expectation met"),
        "speed": _("speed of the solution"),
        "transparency": _("transparency of the solution"),
        "reputation": _("reputation of the firm"),
    }


def _fitted(
    where: str,
    predictors: pd.DataFrame,
    outcome: pd.Series,
    planted: dict,
    level: float,
    *,
    counts: bool = False,
) -> list[dict]:
    """Return one row a predictor from a linear or a Poisson regression."""
    complete = predictors.notna().all(axis=1) & outcome.notna()
    x = predictors[complete].to_numpy(dtype=float)
    x = np.column_stack([np.ones(len(x)), x])
    y = outcome[complete].to_numpy(dtype=float)
    n, k = x.shape
    if n <= k:
        raise DataContractError(
            f"formula_rows: responses= leaves {n} complete rows for {where}; more than {k} are "
            "needed. Look at the blanks with `study check`."
        )
    estimate, variance = _poisson(x, y) if counts else _linear(x, y)
    quantile = stats.norm if counts else stats.t(n - k)
    half = quantile.ppf((1 + level) / 2) * np.sqrt(np.diag(variance))
    text = _("coefficient, Poisson regression") if counts else _("coefficient, linear regression")
    names = _names()
    return [
        {
            "quantity": names[name], "where": where, "estimator": text, "truth": planted[name],
            "estimate": estimate[i], "ci_low": estimate[i] - half[i],
            "ci_high": estimate[i] + half[i], "n": n,
        }
        for i, name in enumerate(predictors.columns, start=1)
    ]  # fmt: skip


def _linear(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return least-squares coefficients and their covariance."""
    estimate, *_rest = np.linalg.lstsq(x, y, rcond=None)
    rest = y - x @ estimate
    return estimate, rest @ rest / (len(y) - x.shape[1]) * np.linalg.inv(x.T @ x)


def _poisson(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return maximum-likelihood coefficients of a log-linear rate and their covariance."""
    estimate = np.zeros(x.shape[1])
    estimate[0] = np.log(max(y.mean(), _CLOSE))
    for _step in range(_STEPS):
        rate = np.exp(x @ estimate)
        information = x.T @ (x * rate[:, None])
        move = np.linalg.solve(information, x.T @ (y - rate))
        estimate = estimate + move
        if np.abs(move).max() < _CLOSE:
            break
    rate = np.exp(x @ estimate)
    return estimate, np.linalg.inv(x.T @ (x * rate[:, None]))
