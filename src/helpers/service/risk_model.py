"""A penalised logit for the risk of leaving, chosen and judged on customers it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from helpers.errors import DataContractError, EstimationError, listing
from helpers.service.risk_scores import checked_outcome, performance

Array = NDArray[np.float64]
Rule = Literal["best", "one_se"]

PENALTIES = 12
"""Penalties tried, from the one that leaves every predictor out to a hundredth of it."""

SMALLEST = 0.01
"""Smallest penalty as a share of the largest."""

_EXTREME = 30.0
"""Log odds beyond which a risk cannot be told from 0 or 1 in double precision."""

_FREE = 100.0
"""Scale of the constant: liblinear penalises it, at this scale next to nothing."""


@dataclass(frozen=True, slots=True)
class PenalisedLogit:
    """A fitted lasso logit.

    Attributes
    ----------
    coefficients : array, shape (p,)
        Change of the log odds for one standard deviation of each column; 0 if left out.
    intercept : float
        Log odds of a customer at the mean of every column.
    fill, mean, sd : array, shape (p,)
        Median that stands in for a blank, mean and standard deviation of the learning rows.
    penalty : float
    """

    coefficients: Array
    intercept: float
    fill: Array
    mean: Array
    sd: Array
    penalty: float

    def predict(self, columns: Array) -> Array:
        """Return the risk of new customers, who take no part in filling and scaling."""
        return expit(self.log_odds(columns))

    def log_odds(self, columns: Array) -> Array:
        """Return the log odds of new customers, within what a risk short of 0 and 1 can hold."""
        filled = np.where(np.isnan(columns), self.fill, columns)
        line = self.intercept + (filled - self.mean) / self.sd @ self.coefficients
        return np.clip(line, -_EXTREME, _EXTREME)


@dataclass(frozen=True, slots=True)
class PenaltyChoice:
    """The penalty chosen by cross-validation: table has ``penalty deviance se``, largest first."""

    penalty: float
    table: pd.DataFrame


@dataclass(frozen=True, slots=True)
class OutOfSample:
    """Risks of customers by models that have not seen them.

    Attributes
    ----------
    risk : array, shape (n,)
        Over the repeats, the mean of the out-of-fold risks on the logit scale.
    aucs : array, shape (repeats,)
        Area under the curve of each repeat alone.
    penalties : array, shape (repeats * folds,)
        Penalties that the inner cross-validation chose.
    folds, repeats : int
    """

    risk: Array
    aucs: Array
    penalties: Array
    folds: int
    repeats: int


def fit_penalised(columns: Array, outcome: Array, *, penalty: float) -> PenalisedLogit:
    """Fit a lasso logit at one penalty.

    Minimises ``-loglik / n + penalty * sum(|b|)`` over standardised columns, the constant free.

    Parameters
    ----------
    columns : array, shape (n, p)
        Numbers; blanks are filled with the median. A constant column gets the coefficient 0.
    outcome : array, shape (n,)
        0/1 without blanks.
    penalty : float
        At least 0 and on glmnet's scale.

    Notes
    -----
    scikit-learn's liblinear; the constant is then set so that the mean risk is the observed share,
    as at the exact optimum. Checked against R ``glmnet``: tests/reference/risk.R, to 1e-3, because
    liblinear penalises its constant a little. Tibshirani (1996),
    doi:10.1111/j.2517-6161.1996.tb02080.x.
    """
    from sklearn import config_context
    from sklearn.linear_model import LogisticRegression

    if not penalty > 0:
        raise DataContractError(
            f"fit_penalised: penalty= {penalty:g}; a number above 0 is needed. Take a small one "
            "for a fit that is nearly free."
        )
    fill = _medians(columns)
    filled = np.where(np.isnan(columns), fill, columns)
    mean, sd = filled.mean(axis=0), filled.std(axis=0)
    sd = np.where(sd > 0, sd, 1.0)
    scaled = (filled - mean) / sd
    model = LogisticRegression(
        **_lasso(), C=1 / (len(outcome) * penalty), solver="liblinear", intercept_scaling=_FREE,
        tol=1e-6, max_iter=1000, random_state=0,
    )  # fmt: skip
    with config_context(assume_finite=True, skip_parameter_validation=True):  # half of the time
        model.fit(scaled, outcome)
    slopes = model.coef_[0]
    return PenalisedLogit(
        slopes, _constant(scaled @ slopes, float(outcome.mean())), fill, mean, sd, penalty
    )


@cache
def _lasso() -> dict[str, Any]:
    """Return what asks scikit-learn for a lasso: the argument changed with 1.8."""
    major, minor = (int(part) for part in version("scikit-learn").split(".")[:2])
    return {"l1_ratio": 1.0} if (major, minor) >= (1, 8) else {"penalty": "l1"}


def _medians(columns: Array) -> Array:
    """Return each column's median over its answers; 0 for a column without any."""
    empty = np.isnan(columns).all(axis=0)
    return np.nanmedian(np.where(empty, 0.0, columns), axis=0)


def _constant(line: Array, share: float) -> float:
    """Return the constant that makes the mean risk equal to the observed share."""
    middle, width = logit(share), float(np.ptp(line)) + np.abs(line).max() + 1
    return float(brentq(lambda a: expit(a + line).mean() - share, middle - width, middle + width))


def penalty_path(columns: Array, outcome: Array) -> Array:
    """Return the penalties to try: the largest leaves every predictor out."""
    fill = _medians(columns)
    filled = np.where(np.isnan(columns), fill, columns)
    sd = filled.std(axis=0)
    scaled = (filled - filled.mean(axis=0)) / np.where(sd > 0, sd, 1.0)
    largest = float(np.abs(scaled.T @ (outcome - outcome.mean())).max() / len(outcome))
    if largest <= 0:
        raise EstimationError(
            "penalty_path: columns= do not vary with the outcome at all; choose other predictors."
        )
    return np.geomspace(largest, largest * SMALLEST, PENALTIES)


def choose_penalty(
    columns: Array, outcome: Array, *, rule: Rule = "best", folds: int = 5, seed: int = 1
) -> PenaltyChoice:
    """Choose the penalty by the cross-validated deviance.

    ``best`` takes the smallest mean deviance; ``one_se`` the largest penalty whose deviance lies
    within one standard error of it (Hastie, Tibshirani & Friedman 2009,
    doi:10.1007/978-0-387-84858-7, section 7.10).
    """
    if rule not in get_args(Rule):
        raise DataContractError(
            f"choose_penalty: rule= '{rule}' is not known; allowed are {listing(get_args(Rule))}."
        )
    path = penalty_path(columns, outcome)
    losses = np.array(
        [
            [_deviance(columns, outcome, learn, new, penalty) for penalty in path]
            for learn, new in _folds(outcome, folds, seed)
        ]
    )
    mean, se = losses.mean(axis=0), losses.std(axis=0, ddof=1) / np.sqrt(folds)
    at = int(mean.argmin())
    if rule == "one_se":
        at = int(np.flatnonzero(mean <= mean[at] + se[at])[0])
    table = pd.DataFrame({"penalty": path, "deviance": mean, "se": se})
    return PenaltyChoice(float(path[at]), table)


def _deviance(columns: Array, y: Array, learn: Array, new: Array, penalty: float) -> float:
    """Return the mean deviance on rows that took no part in the fit."""
    line = fit_penalised(columns[learn], y[learn], penalty=penalty).log_odds(columns[new])
    return float(2 * np.mean(np.logaddexp(0, (1 - 2 * y[new]) * line)))


def _folds(outcome: Array, folds: int, seed: int) -> list[tuple[Array, Array]]:
    """Return learning and new rows of each fold, leavers spread evenly over them."""
    from sklearn.model_selection import StratifiedKFold

    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return list(split.split(np.zeros((len(outcome), 1)), outcome))


def out_of_sample(
    columns: Array,
    outcome: Array,
    *,
    rule: Rule = "best",
    folds: int = 5,
    repeats: int = 5,
    seed: int = 1,
) -> OutOfSample:
    """Predict every customer by models that have not seen him or her: nested cross-validation.

    In each outer fold, blanks are filled, columns scaled and the penalty chosen (by an inner
    cross-validation) from the other folds alone, so that nothing of the held-out customers leaks.
    The whole is repeated with other folds.

    Raises
    ------
    EstimationError
        Fewer than ten customers of either outcome.

    References
    ----------
    Varma & Simon (2006), doi:10.1186/1471-2105-7-91.
    """
    y = np.asarray(outcome, dtype=float)
    checked_outcome(y, "out_of_sample")
    lines, penalties = np.empty((repeats, len(y))), []
    for k in range(repeats):
        for learn, new in _folds(y, folds, seed + k):
            choice = choose_penalty(columns[learn], y[learn], rule=rule, seed=seed + k)
            fit = fit_penalised(columns[learn], y[learn], penalty=choice.penalty)
            lines[k, new] = fit.log_odds(columns[new])
            penalties.append(choice.penalty)
    aucs = np.array([performance(y, expit(line)).auc for line in lines])
    return OutOfSample(expit(lines.mean(axis=0)), aucs, np.array(penalties), folds, repeats)


def chosen_again(
    columns: Array, outcome: Array, *, penalty: float, draws: int = 200, seed: int = 1
) -> Array:
    """Return how often each column is chosen when half of the customers are drawn at random.

    Meinshausen & Bühlmann (2010), doi:10.1111/j.1467-9868.2010.00740.x.
    """
    y, rng = np.asarray(outcome, dtype=float), np.random.default_rng(seed)
    hits = np.zeros(columns.shape[1])
    for _half in range(draws):
        own = np.sort(rng.choice(len(y), len(y) // 2, replace=False))
        hits += fit_penalised(columns[own], y[own], penalty=penalty).coefficients != 0
    return hits / draws
