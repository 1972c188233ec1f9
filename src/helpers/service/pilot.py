"""Did a change work: the effect of one arm against another, by the kind of outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from helpers.errors import DataContractError, EstimationError, check_level, listing
from helpers.survey.intervals import difference_interval, wilson_interval
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]
Kind = Literal["amount", "share", "rating", "count"]

LEAST = 10
"""Answers an arm needs before an effect is estimated."""


@dataclass(frozen=True, slots=True)
class ArmEffect:
    """The effect of one arm against the other on one outcome.

    Attributes
    ----------
    kind : str
        ``amount``: difference of means; ``share``: difference of shares; ``rating``: probability
        of superiority; ``count``: ratio of means.
    control, treated : float
        Level in each arm: mean or share.
    estimate, ci_low, ci_high, p_value : float
    null : float
        The value of no effect: 0, 0.5 for a rating, 1 for a count.
    n_control, n_treated, n_dropped : int
        Answers used in each arm; blanks left out.
    method : str
        What was computed, in words for ``results.json``.
    level : float
    """

    kind: Kind
    control: float
    treated: float
    estimate: float
    ci_low: float
    ci_high: float
    p_value: float
    null: float
    n_control: int
    n_treated: int
    n_dropped: int
    method: str
    level: float = LEVEL

    @property
    def clear(self) -> bool:
        """Tell whether the interval leaves out "no effect"."""
        return not self.ci_low <= self.null <= self.ci_high

    def size(self, smallest: float | None) -> str:
        """Hold the interval against the smallest effect that matters.

        Returns ``matters`` (the whole interval lies beyond it), ``negligible`` (the whole interval
        lies within it), ``open`` otherwise or if none was stated. For a ratio the smallest effect
        is a relative change, as 0.3 for 30 %; for a rating it is in units of the mean.
        """
        if smallest is None or self.kind == "rating":
            return "open"
        low, high = self.null - smallest, self.null + smallest
        if self.kind == "count":
            low, high = 1 / (1 + smallest), 1 + smallest
        if self.ci_low > high or self.ci_high < low:
            return "matters"
        if low < self.ci_low and self.ci_high < high:
            return "negligible"
        return "open"


def arm_effect(
    outcome: pd.Series | Array, treated: pd.Series | Array, *, kind: Kind, level: float = LEVEL
) -> ArmEffect:
    """Estimate the effect of an arm on an outcome, by intention to treat.

    Parameters
    ----------
    outcome : Series or array, shape (n,)
        Amount, 0/1, rating or count; blanks are left out and counted.
    treated : Series or array, shape (n,)
        1 for the arm on trial, 0 for the control arm.
    kind : str
        ``amount``: Welch's interval. ``share``: difference with Newcombe's hybrid score interval
        (1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I) and the z test
        of two shares. ``rating``: ``P(T > C) + P(T = C) / 2`` with the interval of DeLong, DeLong &
        Clarke-Pearson (1988, doi:10.2307/2531595) on the logit scale, and the Mann-Whitney test;
        where the arms do not overlap, the score interval of ``separated_end``.
        ``count``: ratio of means with a sandwich interval on the log scale, right for any
        dispersion (a Poisson regression with robust errors, Zou 2004, doi:10.1093/aje/kwh090).
    level : float

    Raises
    ------
    DataContractError
        Another kind, an arm that is not 0/1, values a kind cannot take, or too few answers.
    EstimationError
        Answers that do not vary within the arms (but for a share), or a count with an empty arm.

    Notes
    -----
    Checked against R (``t.test``, ``prop.test``, ``wilcox.test``, ``pROC::ci.auc``, ``glm`` with
    ``sandwich``): tests/reference/pilot.R.
    """
    check_level(level, "arm_effect")
    y, arm, dropped = _clean(outcome, treated)
    control, given = y[arm == 0], y[arm == 1]
    if min(len(control), len(given)) < LEAST:
        raise DataContractError(
            f"arm_effect: outcome= has {len(control)} and {len(given)} answers in the two arms; at "
            f"least {LEAST} in each are needed. Choose another outcome."
        )
    makers = {"amount": difference_of_means, "share": _share, "rating": _rating, "count": _count}
    if kind not in makers:
        raise DataContractError(
            f"arm_effect: kind= '{kind}' is not known; allowed are {listing(makers)}. Choose one."
        )
    return makers[kind](control, given, dropped, level)


def _clean(outcome: pd.Series | Array, treated: pd.Series | Array) -> tuple[Array, Array, int]:
    """Return outcome and arm without blanks, and how many were blank."""
    y, arm = np.asarray(outcome, dtype=float), np.asarray(treated, dtype=float)
    if not set(np.unique(arm[~np.isnan(arm)])) <= {0.0, 1.0}:
        raise DataContractError(
            f"arm_effect: treated= holds {listing(np.unique(arm))}; 0 and 1 are needed. Code the "
            "control arm 0 and the arm on trial 1."
        )
    kept = ~(np.isnan(y) | np.isnan(arm))
    return y[kept], arm[kept], int((~kept).sum())


def difference_of_means(
    control: Array, given: Array, dropped: int = 0, level: float = LEVEL
) -> ArmEffect:
    """Return Welch's difference of means of two arms."""
    check_level(level, "difference_of_means")
    if not np.ptp(control) + np.ptp(given) > 0:
        raise _without_spread()
    found = stats.ttest_ind(given, control, equal_var=False)
    low, high = found.confidence_interval(level)
    return ArmEffect(
        "amount", float(control.mean()), float(given.mean()),
        float(given.mean() - control.mean()), float(low), float(high), float(found.pvalue), 0.0,
        len(control), len(given), dropped, "difference of means; Welch", level,
    )  # fmt: skip


def _without_spread() -> EstimationError:
    """Say that answers without any spread carry no error of estimation."""
    return EstimationError(
        "arm_effect: outcome= does not vary within the arms, so nothing tells how sure a "
        "difference is. Choose another outcome."
    )


def _share(control: Array, given: Array, dropped: int, level: float) -> ArmEffect:
    """Difference of shares with Newcombe's interval."""
    if not set(np.unique(np.r_[control, given])) <= {0.0, 1.0}:
        raise DataContractError(
            "arm_effect: outcome= of a share holds other values than 0 and 1; state which codes "
            "count as success. Add the key success to study.yml."
        )
    hits = [int(part.sum()) for part in (given, control)]
    sizes = [len(given), len(control)]
    parts = [(h / n, *wilson_interval(h, n, level=level)) for h, n in zip(hits, sizes, strict=True)]
    estimate, low, high = difference_interval(*parts)
    pooled = sum(hits) / sum(sizes)
    se = np.sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
    p = float(2 * stats.norm.sf(abs(estimate) / se)) if se > 0 else 1.0
    return ArmEffect(
        "share", parts[1][0], parts[0][0], estimate, low, high, p, 0.0, sizes[1], sizes[0], dropped,
        "difference of shares; Newcombe's hybrid score interval, z test", level,
    )  # fmt: skip


def _rating(control: Array, given: Array, dropped: int, level: float) -> ArmEffect:
    """Probability of superiority with DeLong's variance on the logit scale."""
    ranks = stats.rankdata(np.r_[given, control])
    n1, n0 = len(given), len(control)
    above = (ranks[:n1] - stats.rankdata(given)) / n0
    below = 1 - (ranks[n1:] - stats.rankdata(control)) / n1
    theta = float(above.mean())
    se = float(np.sqrt(above.var(ddof=1) / n1 + below.var(ddof=1) / n0))
    p = float(stats.mannwhitneyu(given, control, method="asymptotic").pvalue)
    if not 0 < theta < 1:
        end = separated_end(n0, n1, level=level)
        low, high = (end, 1.0) if theta else (0.0, 1 - end)
    elif not se > 0:
        raise _without_spread()
    else:
        z = stats.norm.ppf(0.5 + level / 2) * se / (theta * (1 - theta))
        low, high = (
            1 / (1 + np.exp(-(np.log(theta / (1 - theta)) + sign * z))) for sign in (-1, 1)
        )
    return ArmEffect(
        "rating", float(control.mean()), float(given.mean()), theta, float(low), float(high), p,
        0.5, n0, n1, dropped, "probability of superiority; DeLong on the logit scale, Mann-Whitney",
        level,
    )  # fmt: skip


def separated_end(n_control: int, n_treated: int, *, level: float = LEVEL) -> float:
    """Return the lower end of the probability of superiority where every pair speaks for one arm.

    The value ``t`` from which 1 lies ``z`` standard errors away, with the variance under ``t``:
    ``t (1 - t) (1 + (N - 1) ((1 - t) / (2 - t) + t / (1 + t))) / (n1 n0)``, ``N`` half of all
    customers (Newcombe 2006, method 5, doi:10.1002/sim.2324). DeLong's variance is 0 there.
    """
    check_level(level, "separated_end")
    z = float(stats.norm.ppf(0.5 + level / 2))
    others = (n_control + n_treated) / 2 - 1

    def distance(t: float) -> float:
        spread = t * (1 - t) * (1 + others * ((1 - t) / (2 - t) + t / (1 + t)))
        return float((1 - t) ** 2 * n_control * n_treated - z**2 * spread)

    return float(brentq(distance, 0.0, 1 - 1e-12))


def _count(control: Array, given: Array, dropped: int, level: float) -> ArmEffect:
    """Ratio of means with a sandwich interval on the log scale."""
    if min(control.min(), given.min()) < 0:
        raise DataContractError(
            "arm_effect: outcome= of a count goes below 0; counts from 0 are needed. Take the kind "
            "amount."
        )
    means = control.mean(), given.mean()
    if min(means) <= 0:
        raise EstimationError(
            "arm_effect: outcome= counts nothing in one of the arms; a ratio needs both means "
            "above zero. Compare shares instead."
        )
    if not np.ptp(control) + np.ptp(given) > 0:
        raise _without_spread()
    log_ratio = float(np.log(means[1] / means[0]))
    se = float(
        np.sqrt(
            given.var(ddof=0) / (len(given) * means[1] ** 2)
            + control.var(ddof=0) / (len(control) * means[0] ** 2)
        )
    )
    z = stats.norm.ppf(0.5 + level / 2)
    return ArmEffect(
        "count", float(means[0]), float(means[1]), float(np.exp(log_ratio)),
        float(np.exp(log_ratio - z * se)), float(np.exp(log_ratio + z * se)),
        float(2 * stats.norm.sf(abs(log_ratio) / se)), 1.0, len(control), len(given), dropped,
        "ratio of means; sandwich interval on the log scale", level,
    )  # fmt: skip
