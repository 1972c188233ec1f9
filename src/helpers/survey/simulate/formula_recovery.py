"""The formulas F1 to F7, the product of H8, and their coefficients in the data."""

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

MIDDLE = 4
"""Middle of the agreement scale."""

LOYALTY = ("LREP", "LREC", "LPRI", "LTOL", "LFEE")

_STEPS = 50
_CLOSE = 1e-10


def recovery_of_formulas(study: Study, *, level: float = LEVEL) -> pd.DataFrame | Unavailable:
    """Set the coefficients of the formulas beside those of a regression on cleaned answers.

    F1 is a Poisson regression of the further failures (all but the one asked about) on the gaps
    displayed - received and expected - received quality; F2 a linear spline of delivery
    satisfaction in logistics quality with one knot at the planted kink; F3 and F4 are linear.
    F5 to F7 and H8 are linear in scale scores; what they aim at follows from the structural model
    and was computed on a large simulated sample (``targets.scores`` of population.yml). Scores are
    means of items, and only respondents with all of them enter; products are taken of scores less
    the middle of the scale.

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
    return formula_rows(study.responses, truth, level=level)


def formula_rows(responses: pd.DataFrame, truth: dict, *, level: float = LEVEL) -> pd.DataFrame:
    """Return the rows of the formulas from cleaned answers, reverse-keyed items turned."""
    rows = [
        *_planted_rows(responses, truth["formulas"], level),
        *_score_rows(responses, truth["targets"]["scores"]["regressions"], level),
    ]
    table = pd.DataFrame(rows)
    table["covered"] = (table["ci_low"] <= table["truth"]) & (table["truth"] <= table["ci_high"])
    return table[list(COLUMNS)]


def score_terms(answers: pd.DataFrame, terms: list[str]) -> pd.DataFrame:
    """Return scale scores and products of scores; ``A*B`` is a product of centred scores."""
    return pd.DataFrame(
        {
            term: score(answers, term)
            if "*" not in term
            else np.prod([score(answers, name) - MIDDLE for name in term.split("*")], axis=0)
            for term in terms
        }
    )


def score(answers: pd.DataFrame, construct: str) -> pd.Series:
    """Return the mean of a construct's items; loyalty is the mean of its faces' items."""
    codes = LOYALTY if construct == "LOY" else (construct,)
    items = [c for c in answers if c[:-1] in codes and c[-1].isdigit()]
    return answers[items].mean(axis=1, skipna=False)


def _score_rows(responses: pd.DataFrame, targets: dict, level: float) -> list[dict]:
    """Rows of F5 to F7 and H8: regressions among scale scores."""
    rows = []
    for target in targets.values():
        predictors = score_terms(responses, list(target["terms"]))
        outcome = score(responses, target["outcome"])
        for row in _fitted(target["where"], predictors, outcome, target["terms"], level):
            rows.append({**row, "quantity": f"{target['outcome']} ~ {row['quantity']}"})
    return rows


def _planted_rows(responses: pd.DataFrame, planted: dict, level: float) -> list[dict]:
    """Rows of F1 to F4: what was planted among the answers themselves."""
    quality = {c: score(responses, c) for c in ("EQ", "IQ", "AQ", "LOGQ")}
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
    return [
        *_fitted("F1", gaps, responses["NFAIL"] - 1, planted["F1"], level, counts=True),
        *_fitted("F2", knots, responses["DSAT"], planted["F2"], level),
        *_fitted("F3", personal, responses["PSAT"], planted["F3"], level),
        *_fitted("F4", honest, responses["HSAT"], planted["F4"], level),
    ]


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
            "quantity": names.get(name, name), "where": where, "estimator": text,
            "truth": planted[name], "estimate": estimate[i], "ci_low": estimate[i] - half[i],
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
