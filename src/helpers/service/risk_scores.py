"""How good predicted risks are: ranking, calibration, and what acting on them is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from helpers.errors import DataContractError, EstimationError, check_level
from helpers.regression.dose import restricted_cubic
from helpers.service.pilot import arm_effect
from helpers.survey.intervals import wilson_interval
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

LEAST = 10
"""Customers of either outcome that are needed before risks are judged."""

KNOTS = (0.10, 0.50, 0.90)
"""Quantiles of the three knots of the calibration curve, after Harrell (2015)."""

GRID = 60
"""Points at which the calibration curve is drawn."""

_BLOCK = 4_000_000
"""Weights held in memory at once while rows are redrawn."""


@dataclass(frozen=True, slots=True)
class Performance:
    """How well risks rank and how well they are calibrated.

    Attributes
    ----------
    auc, auc_low, auc_high : float
        Probability that a customer who leaves has the higher risk of two; 0.5 is chance.
    brier, brier_flat : float
        Mean squared error of the risks, and of the same risk for everybody.
    intercept, intercept_low, intercept_high : float
        Calibration in the large on the logit scale; 0 if the mean risk is right.
    slope, slope_low, slope_high : float
        Calibration slope; below 1 the risks are too extreme, above 1 too alike.
    n_used, n_events : int
    level : float
    """

    auc: float
    auc_low: float
    auc_high: float
    brier: float
    brier_flat: float
    intercept: float
    intercept_low: float
    intercept_high: float
    slope: float
    slope_low: float
    slope_high: float
    n_used: int
    n_events: int
    level: float = LEVEL

    @property
    def scaled_brier(self) -> float:
        """Return the share of the flat risk's error that the risks save."""
        return 1 - self.brier / self.brier_flat


def performance(outcome: Array, risk: Array, *, level: float = LEVEL) -> Performance:
    """Judge predicted risks against what happened.

    Parameters
    ----------
    outcome : array, shape (n,)
        1 where the customer left, else 0; no blanks.
    risk : array, shape (n,)
        Predicted probabilities, strictly between 0 and 1, made without the customer's own outcome.
    level : float

    Raises
    ------
    EstimationError
        Fewer than ten customers of either outcome, or risks that do not differ.
    DataContractError
        Other values than 0 and 1, or risks outside 0 to 1.

    Notes
    -----
    The interval of the area is that of DeLong, DeLong & Clarke-Pearson (1988, doi:10.2307/2531595)
    on the logit scale. Intercept: logit regression on a constant with the risk's logit as offset;
    slope: its coefficient (Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7). Checked against
    R ``pROC`` and ``glm``: tests/reference/risk.R.
    """
    check_level(level, "performance")
    y, p = checked_risks(outcome, risk, "performance")
    if np.ptp(p) == 0:
        raise EstimationError(
            "performance: risk= is the same for everybody, so nothing can be ranked. Choose a "
            "smaller penalty or other predictors."
        )
    area = arm_effect(p, y, kind="rating", level=level)
    line, z = logit(p), norm.ppf(0.5 + level / 2)
    large = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial(), offset=line).fit()
    sloped = sm.GLM(y, sm.add_constant(line), family=sm.families.Binomial()).fit()
    a, a_se, b, b_se = large.params[0], large.bse[0], sloped.params[1], sloped.bse[1]
    return Performance(
        area.estimate, area.ci_low, area.ci_high, float(np.mean((y - p) ** 2)), float(y.var()),
        float(a), float(a - z * a_se), float(a + z * a_se),
        float(b), float(b - z * b_se), float(b + z * b_se), len(y), int(y.sum()), level,
    )  # fmt: skip


def checked_risks(outcome: Array, risk: Array, function: str) -> tuple[Array, Array]:
    """Return outcome and risks as arrays, or say what is wrong with them."""
    y, p = np.asarray(outcome, dtype=float), np.asarray(risk, dtype=float)
    checked_outcome(y, function)
    if len(p) != len(y) or not np.all((p > 0) & (p < 1)):
        raise DataContractError(
            f"{function}: risk= has {len(p)} values for {len(y)} outcomes, or some outside 0 to 1; "
            "one probability a customer, strictly between 0 and 1, is needed. Give predictions."
        )
    return y, p


def checked_outcome(y: Array, function: str) -> None:
    """Raise if an outcome is not 0/1, or if one of the two hardly occurs."""
    if not np.isin(y, (0.0, 1.0)).all():
        raise DataContractError(
            f"{function}: outcome= holds other values than 0 and 1, or blanks. Code who left as 1."
        )
    events = int(y.sum())
    if min(events, len(y) - events) < LEAST:
        raise EstimationError(
            f"{function}: outcome= has {events} who leave and {len(y) - events} who stay; at least "
            f"{LEAST} of both are needed. Choose codes of the outcome that occur more often."
        )


def calibration_curve(
    outcome: Array, risk: Array, *, groups: int = 10, level: float = LEVEL
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the share that leaves by predicted risk: a smooth curve with band, and by groups.

    Parameters
    ----------
    outcome, risk : array, shape (n,)
        As in ``performance``.
    groups : int
        Groups of equal size; fewer if risks are tied.

    Returns
    -------
    (DataFrame, DataFrame)
        Both with ``predicted observed ci_low ci_high``; groups also ``n_used``. The curve is a
        logit regression on a restricted cubic spline of the risk's logit with three knots and
        pointwise Wald bands (Harrell 2015, doi:10.1007/978-3-319-19425-7); groups carry Wilson
        intervals.
    """
    check_level(level, "calibration_curve")
    y, p = checked_risks(outcome, risk, "calibration_curve")
    line = logit(p)
    knots = np.quantile(line, KNOTS)
    curved = len(np.unique(knots)) == len(KNOTS)

    def basis(x: Array) -> Array:
        columns = restricted_cubic(x, knots) if curved else x[:, None]
        return np.column_stack([np.ones(len(x)), columns])

    fit = sm.GLM(y, basis(line), family=sm.families.Binomial()).fit()
    grid = np.linspace(*np.quantile(line, (0.01, 0.99)), GRID)
    design = basis(grid)
    middle = design @ fit.params
    half = norm.ppf(0.5 + level / 2) * np.sqrt(
        np.einsum("ij,jk,ik->i", design, fit.cov_params(), design)
    )
    curve = pd.DataFrame(
        {
            "predicted": expit(grid),
            "observed": expit(middle),
            "ci_low": expit(middle - half),
            "ci_high": expit(middle + half),
        }
    )
    return curve, _by_groups(y, p, groups, level)


def _by_groups(y: Array, p: Array, groups: int, level: float) -> pd.DataFrame:
    """Return mean risk and observed share in groups of equal size."""
    cut = pd.qcut(p, groups, labels=False, duplicates="drop")
    rows = []
    for part in np.unique(cut):
        own = cut == part
        low, high = wilson_interval(int(y[own].sum()), int(own.sum()), level=level)
        rows.append(
            {
                "predicted": float(p[own].mean()),
                "observed": float(y[own].mean()),
                "ci_low": low,
                "ci_high": high,
                "n_used": int(own.sum()),
            }
        )
    return pd.DataFrame(rows)


def net_benefit(
    outcome: Array,
    risk: Array,
    thresholds: Sequence[float],
    *,
    draws: int = 1000,
    seed: int = 1,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return the net benefit of calling everybody whose risk reaches a threshold.

    ``TP / n - FP / n * t / (1 - t)``: leavers reached, less customers called in vain, weighted by
    the odds of the threshold.

    Returns
    -------
    DataFrame
        threshold, model with ci_low and ci_high, everybody (net benefit of calling all), and
        better_low, better_high: interval of the model less the better of calling all or nobody,
        both from the same bootstrap draws of customers. Calling nobody has net benefit 0.

    Raises
    ------
    DataContractError
        A threshold outside 0 to 1, and as ``performance``.

    References
    ----------
    Vickers & Elkin (2006), doi:10.1177/0272989X06295361.
    """
    check_level(level, "net_benefit")
    y, p = checked_risks(outcome, risk, "net_benefit")
    t = np.asarray(thresholds, dtype=float)
    if not np.all((t > 0) & (t < 1)):
        raise DataContractError(
            "net_benefit: thresholds= hold values outside 0 to 1; a threshold is a risk above "
            "which a call pays, strictly between 0 and 1. Correct them."
        )
    gain = y[:, None] - (1 - y[:, None]) * (t / (1 - t))
    called = np.where(p[:, None] >= t, gain, 0.0)
    drawn = [
        (weights @ called / len(y), weights @ gain / len(y))
        for weights in row_weights(len(y), draws, np.random.default_rng(seed))
    ]
    model, everybody = (np.vstack(part) for part in zip(*drawn, strict=True))
    tails = [(1 - level) / 2, (1 + level) / 2]
    own = np.quantile(model, tails, axis=0)
    everyone = gain.mean(axis=0)
    rival = np.where(everyone > 0, everybody, 0.0)  # the rival is chosen once, on the data
    better = np.quantile(model - rival, tails, axis=0)
    return pd.DataFrame(
        {
            "threshold": t,
            "model": called.mean(axis=0),
            "ci_low": own[0],
            "ci_high": own[1],
            "everybody": everyone,
            "better_low": better[0],
            "better_high": better[1],
        }
    )


def row_weights(n: int, draws: int, rng: np.random.Generator) -> Iterator[Array]:
    """Yield how often each of n rows is drawn, in blocks of bootstrap draws."""
    block = max(1, _BLOCK // n)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        yield rng.multinomial(n, np.full(n, 1 / n), size=size).astype(float)


def call_threshold(*, cost: float, worth: float, kept: float) -> float:
    """Return the risk above which a call pays: ``cost / (worth * kept)``.

    Parameters
    ----------
    cost : float
        Cost of one call.
    worth : float
        What a customer who stays is worth, in the same money.
    kept : float
        Share of those about to leave whom a call keeps.

    Raises
    ------
    DataContractError
        A negative cost, a worth or share that is not positive, or a call that never pays.
    """
    if cost < 0 or worth <= 0 or not 0 < kept <= 1:
        raise DataContractError(
            f"call_threshold: cost= {cost:g}, worth= {worth:g}, kept= {kept:g}; a cost of at least "
            "0, a worth above 0 and a share between 0 and 1 are needed. Correct the parameters."
        )
    threshold = cost / (worth * kept)
    if not 0 < threshold < 1:
        found = "nothing" if threshold == 0 else f"{cost:g}"
        raise DataContractError(
            f"call_threshold: cost= a call costs {found} and brings {worth * kept:g} at best, so "
            "nobody or everybody is to be called, whatever the risk. Set other amounts."
        )
    return threshold
