"""The design of a trial: allotment, balance, strata, covariates, and what it could have seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import EstimationError, check_level, listing
from helpers.service.pilot import LEAST, ArmEffect, difference_of_means
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cuped:
    """An effect on an amount, with what was spent before taken out.

    Attributes
    ----------
    plain, adjusted : ArmEffect
        Difference of means without and with the covariate.
    theta : float
        Slope of the outcome on the covariate, pooled over the arms.
    r : float
        Correlation of outcome and covariate within the arms; the variance falls by ``r^2``.
    saved : float
        Share of the sample that the covariate saves: ``1 - (SE adjusted / SE plain)^2``.
    """

    plain: ArmEffect
    adjusted: ArmEffect
    theta: float
    r: float
    saved: float


def cuped(
    outcome: pd.Series | Array,
    treated: pd.Series | Array,
    before: pd.Series | Array,
    *,
    level: float = LEVEL,
) -> Cuped:
    """Estimate an effect on an amount with what was known before taken out.

    ``y - theta (x - mean x)`` with ``theta = cov(y, x) / var(x)`` pooled within the arms, then the
    difference of means (Deng, Xu, Kohavi & Walker 2013, doi:10.1145/2433396.2433413). With the
    pooled slope it equals the analysis of covariance. The covariate must stem from before the
    allotment, else it may carry the effect away.

    Parameters
    ----------
    outcome, treated, before : Series or array, shape (n,)
        Rows with a blank in any of them are left out and counted.

    Raises
    ------
    EstimationError
        Fewer than ten customers in an arm, or a covariate that does not vary.
    """
    check_level(level, "cuped")
    y, arm, x = (np.asarray(v, dtype=float) for v in (outcome, treated, before))
    kept = ~(np.isnan(y) | np.isnan(arm) | np.isnan(x))
    dropped = int((~kept).sum())
    y, arm, x = y[kept], arm[kept], x[kept]
    sizes = [int((arm == code).sum()) for code in (0, 1)]
    if min(sizes) < LEAST:
        raise EstimationError(
            f"cuped: outcome= and before= are known of {sizes[0]} and {sizes[1]} customers in the "
            f"two arms; at least {LEAST} in each are needed. Choose another covariate."
        )
    yw, xw = (_within(v, arm) for v in (y, x))
    if not float(xw @ xw) > 0:
        raise EstimationError(
            "cuped: before= does not vary; a covariate that differs between customers is needed. "
            "Choose another one."
        )
    theta = float(yw @ xw / (xw @ xw))
    plain = difference_of_means(y[arm == 0], y[arm == 1], dropped, level)
    adjusted_y = y - theta * (x - x.mean())
    adjusted = difference_of_means(adjusted_y[arm == 0], adjusted_y[arm == 1], dropped, level)
    r = float(yw @ xw / np.sqrt((yw @ yw) * (xw @ xw)))
    width = [effect.ci_high - effect.ci_low for effect in (adjusted, plain)]
    return Cuped(plain, adjusted, theta, r, 1 - (width[0] / width[1]) ** 2)


def allocation_check(treated: pd.Series | Array, *, expected: float = 0.5) -> tuple[float, float]:
    """Return chi-square and p of the numbers in the arms against the share that was meant.

    A ratio that chance cannot explain points to a fault in the allotment or in the record of it
    (Fabijan et al. 2019, doi:10.1145/3292500.3330722). A p below .001 is the usual alarm. Blanks
    stand in no arm and are left out.
    """
    arm = np.asarray(treated, dtype=float)
    seen = np.array([(arm == code).sum() for code in (0, 1)], dtype=float)
    found = stats.chisquare(seen, seen.sum() * np.array([1 - expected, expected]))
    return float(found.statistic), float(found.pvalue)


def balance(covariates: pd.DataFrame, treated: pd.Series | Array) -> pd.DataFrame:
    """Return how far the arms differ in what was known before.

    Standardised mean difference: difference of means over the root of the mean of both variances
    (Austin 2009, doi:10.1002/sim.3697); ``expected`` is its size by chance alone,
    ``sqrt(1/n1 + 1/n0)``. No test is made: after a lottery every difference is chance.

    Returns
    -------
    DataFrame
        variable, control, treated, smd, variance_ratio, expected, n_used. NaN stands where an arm
        has fewer than two answers or where nobody differs.
    """
    arm = np.asarray(treated, dtype=float)
    rows = []
    for name in covariates:
        x = covariates[name].to_numpy(dtype=float)
        parts = [x[(arm == code) & ~np.isnan(x)] for code in (0, 1)]
        rows.append({"variable": name} | _imbalance(*parts))
    return pd.DataFrame(rows)


def _imbalance(control: Array, given: Array) -> dict[str, float]:
    """Return how far two arms differ in one covariate."""
    sizes = len(control), len(given)
    row = {"control": np.nan, "treated": np.nan, "smd": np.nan, "variance_ratio": np.nan,
           "expected": np.nan, "n_used": sum(sizes)}  # fmt: skip
    if min(sizes) < 2:
        return row
    row |= {"control": control.mean(), "treated": given.mean(),
            "expected": np.sqrt(1 / sizes[0] + 1 / sizes[1])}  # fmt: skip
    spreads = control.var(ddof=1), given.var(ddof=1)
    if sum(spreads) > 0:
        row["smd"] = (given.mean() - control.mean()) / np.sqrt(sum(spreads) / 2)
    if spreads[0] > 0:
        row["variance_ratio"] = spreads[1] / spreads[0]
    return row


def stratified_effect(
    outcome: pd.Series | Array,
    treated: pd.Series | Array,
    stratum: pd.Series | Array,
    *,
    level: float = LEVEL,
) -> tuple[ArmEffect, pd.DataFrame, float]:
    """Return the effect on a mean over the strata, the effect in each, and a test that they agree.

    ``sum_s w_s d_s`` with ``w_s = n_s / n`` and ``var = sum_s w_s^2 (s1^2/n1 + s0^2/n0)``
    (Miratrix, Sekhon & Yu 2013, doi:10.1111/j.1467-9868.2012.01048.x). The test is Cochran's Q of
    the effects in the strata.

    Returns
    -------
    (ArmEffect, DataFrame, float)
        Overall effect; columns stratum, n_used, estimate, ci_low, ci_high; p-value of the test (NaN
        for one stratum).

    Raises
    ------
    EstimationError
        A stratum without two customers in each arm, or without any spread in both: the effect
        there, and so that on everybody, has no error.
    """
    check_level(level, "stratified_effect")
    frame = pd.DataFrame({"y": outcome, "arm": treated, "stratum": stratum}).astype(float)
    whole = frame.dropna()
    thin = [f"{s:g}" for s, g in whole.groupby("stratum") if not _estimable(*_arms(g))]
    if thin or whole.empty:
        raise EstimationError(
            f"stratified_effect: stratum= {listing(thin) or 'no row'} has fewer than two customers "
            "in an arm, or answers that do not vary; merge strata."
        )
    parts = {s: difference_of_means(*_arms(g), 0, level) for s, g in whole.groupby("stratum")}
    z = stats.norm.ppf(0.5 + level / 2)
    weight = whole["stratum"].value_counts(normalize=True)
    se = {s: _welch_se(*_arms(g)) for s, g in whole.groupby("stratum")}
    estimate = sum(weight[s] * part.estimate for s, part in parts.items())
    error = float(np.sqrt(sum(weight[s] ** 2 * se[s] ** 2 for s in parts)))
    control, given = _arms(whole)
    p_value = float(2 * stats.norm.sf(abs(estimate) / error))
    overall = ArmEffect(
        "amount", float(control.mean()), float(given.mean()), float(estimate),
        float(estimate - z * error), float(estimate + z * error), p_value, 0.0,
        len(control), len(given), len(frame) - len(whole),
        "difference of means, weighted over strata; normal interval", level,
    )  # fmt: skip
    rows = [
        {"stratum": s, "n_used": p.n_control + p.n_treated, "estimate": p.estimate,
         "ci_low": p.ci_low, "ci_high": p.ci_high}
        for s, p in parts.items()
    ]  # fmt: skip
    return overall, pd.DataFrame(rows), _agreement([p.estimate for p in parts.values()], se)


def detectable(
    sd: float, n_control: int, n_treated: int, *, power: float = 0.80, level: float = LEVEL
) -> float:
    """Return the smallest difference of means found with this power.

    ``(z_{1-alpha/2} + z_power) sd sqrt(1/n1 + 1/n0)``; for a share ``sd = sqrt(p (1 - p))``.
    It says what the trial could have seen, from its size and spread alone, not from its result.
    """
    check_level(level, "detectable")
    z = stats.norm.ppf(0.5 + level / 2) + stats.norm.ppf(power)
    return float(z * sd * np.sqrt(1 / n_control + 1 / n_treated))


def _within(values: Array, arm: Array) -> Array:
    """Return values less the mean of their arm."""
    means = np.array([values[arm == code].mean() for code in (0, 1)])
    return values - means[arm.astype(int)]


def _arms(frame: pd.DataFrame) -> tuple[Array, Array]:
    """Return the outcome of the control arm and of the arm on trial."""
    y, arm = frame["y"].to_numpy(), frame["arm"].to_numpy()
    return y[arm == 0], y[arm == 1]


def _estimable(control: Array, given: Array) -> bool:
    """Tell whether a difference of means has an error."""
    return min(len(control), len(given)) > 1 and bool(np.ptp(control) + np.ptp(given) > 0)


def _welch_se(control: Array, given: Array) -> float:
    return float(np.sqrt(control.var(ddof=1) / len(control) + given.var(ddof=1) / len(given)))


def _agreement(estimates: Sequence[float], errors: dict[float, float]) -> float:
    """Return the p-value of Cochran's Q."""
    if len(estimates) < 2:
        return float("nan")
    weight = 1 / np.square(list(errors.values()))
    mean = float(np.average(estimates, weights=weight))
    q = float((weight * np.square(np.asarray(estimates) - mean)).sum())
    return float(stats.chi2.sf(q, len(estimates) - 1))
