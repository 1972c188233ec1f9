"""Before and after a recovery: ratios of two periods, who still buys, what the lost could do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, check_level
from helpers.survey.intervals import wilson_interval
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

LEAST = 10
"""Customers that a group needs before its change is estimated."""

LOST_SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
"""What the lost are supposed to have bought, as a share of those who answered."""


@dataclass(frozen=True, slots=True)
class ChangeRatio:
    """The mean of a later period over that of an earlier one, of the same customers.

    Attributes
    ----------
    before, after : float
        Weighted means of the two periods.
    ratio, ci_low, ci_high, se_log : float
        ``after / before``; the interval is made on the log scale.
    n_used, n_dropped : int
    effective : float
        ``sum(w)**2 / sum(w**2)``; ``n_used`` without weights.
    level : float
    method : str
    """

    before: float
    after: float
    ratio: float
    ci_low: float
    ci_high: float
    se_log: float
    n_used: int
    n_dropped: int
    effective: float
    level: float
    method: str


def change_ratio(
    before: pd.Series | Array,
    after: pd.Series | Array,
    *,
    weights: pd.Series | Array | None = None,
    level: float = LEVEL,
) -> ChangeRatio:
    """Estimate by which factor a count or an amount changed within customers.

    ``R = sum(w y1) / sum(w y0)``. With ``u = w (y1 / m1 - y0 / m0) / mean(w)`` and the weighted
    means ``m0`` and ``m1`` the variance of ``log R`` is ``n / (n - 1) * sum(u**2) / n**2``.

    Parameters
    ----------
    before, after : Series or array, shape (n,)
        Counts or amounts, not negative. Rows with a blank in any column are left out and counted.
    weights : Series or array, shape (n,), optional
        Of customers, as against attrition; none: all equal.
    level : float

    Raises
    ------
    DataContractError
        A negative value, too few customers, or a period in which nobody bought.

    Notes
    -----
    Linearisation of a ratio, right for any dispersion and any correlation of the two periods.
    Checked against ``svyratio`` of the R package survey (tests/reference/lifecycle.R, 1e-8).
    """
    check_level(level, "change_ratio")
    given = np.ones(len(before)) if weights is None else np.asarray(weights, dtype=float)
    table = np.column_stack([np.asarray(before, float), np.asarray(after, float), given])
    kept = table[~np.isnan(table).any(axis=1)]
    n = len(kept)
    if n < LEAST:
        raise DataContractError(
            f"change_ratio: before= and after= share {n} complete customers; at least {LEAST} are "
            "needed. Compare larger groups."
        )
    y0, y1, w = kept.T
    if kept.min() < 0 or min(w @ y0, w @ y1) <= 0:
        raise DataContractError(
            f"change_ratio: before= and after= have the means {y0.mean():g} and {y1.mean():g} and "
            f"{kept.min():g} as the smallest value; two means above zero and no negative value are "
            "needed. Check the columns."
        )
    m0, m1 = w @ y0 / w.sum(), w @ y1 / w.sum()
    u = w * (y1 / m1 - y0 / m0) / w.mean()
    se = float(np.sqrt(n / (n - 1) * (u @ u)) / n)
    ratio = float(m1 / m0)
    return ChangeRatio(
        float(m0), float(m1), ratio, *_ends(ratio, se, level), se, n, len(table) - n,
        float(w.sum() ** 2 / (w @ w)), level, "ratio of means; linearised, on the log scale",
    )  # fmt: skip


def _ends(ratio: float, se_log: float, level: float) -> tuple[float, float]:
    """Return the ends of an interval made on the log scale."""
    half = float(stats.norm.ppf((1 + level) / 2)) * se_log
    return ratio * float(np.exp(-half)), ratio * float(np.exp(half))


@dataclass(frozen=True, slots=True)
class RatioContrast:
    """How much more one group's ratio is than another's: a difference in differences of logs."""

    ratio: float
    ci_low: float
    ci_high: float
    p_value: float
    se_log: float
    level: float

    @property
    def clear(self) -> bool:
        """Tell whether the interval leaves out 1."""
        return not self.ci_low <= 1 <= self.ci_high


def ratio_contrast(first: ChangeRatio, second: ChangeRatio) -> RatioContrast:
    """Compare the change ratios of two groups of different customers.

    ``R1 / R0`` with ``var(log) = var(log R1) + var(log R0)``: what a log-linear model with the
    product of group and period estimates. Without randomisation it is an effect only if, without
    recovery, both groups would have changed by the same factor.
    """
    ratio = first.ratio / second.ratio
    se = float(np.hypot(first.se_log, second.se_log))
    z = float(np.log(ratio)) / se if se > 0 else float("inf")
    ends = _ends(ratio, se, first.level)
    return RatioContrast(ratio, *ends, float(2 * stats.norm.sf(abs(z))), se, first.level)


@dataclass(frozen=True, slots=True)
class Tipping:
    """How little the lost may have bought before a finding is gone.

    Attributes
    ----------
    table : DataFrame
        lost (what the lost of the first group bought later, as a share of what those who answered
        bought), ratio, ci_low, ci_high: the contrast under that supposition.
    point, interval : float
        The share at which the contrast is 1, and at which the end of its interval nearer to 1
        reaches it; NaN where no share from 0 upwards does.
    answered : float
        Share of the first group that answered.
    """

    table: pd.DataFrame
    point: float
    interval: float
    answered: float


def tipping_point(first: ChangeRatio, second: ChangeRatio, *, answered: float) -> Tipping:
    """Suppose that the lost of the first group bought less later, and see when the contrast is 1.

    With a share ``p`` that answered, and the lost buying ``k`` times what those who answered
    bought, the group's ratio is ``R1 (p + (1 - p) k)``: a pattern-mixture model. It supposes that
    the lost bought as much before, and that the second group lost nobody unlike the rest.

    Parameters
    ----------
    first, second : ChangeRatio
    answered : float
        Share of the first group that answered, above 0 and at most 1.
    """
    if not 0 < answered <= 1:
        raise DataContractError(
            f"tipping_point: answered= is {answered:g}; a share above 0 and at most 1 is needed. "
            "Give those who answered over those invited."
        )
    found = ratio_contrast(first, second)
    rows = []
    for k in LOST_SHARES:
        factor = answered + (1 - answered) * k
        rows.append(
            {"lost": k, "ratio": found.ratio * factor, "ci_low": found.ci_low * factor,
             "ci_high": found.ci_high * factor}
        )  # fmt: skip
    near = found.ci_low if found.ratio > 1 else found.ci_high
    return Tipping(
        pd.DataFrame(rows), _share_at(found.ratio, answered), _share_at(near, answered), answered
    )


def _share_at(ratio: float, answered: float) -> float:
    """Return the k at which a ratio becomes 1; NaN if none does or nobody was lost."""
    if answered == 1:
        return float("nan")
    k = (1 / ratio - answered) / (1 - answered)
    return float(k) if k >= 0 else float("nan")


@dataclass(frozen=True, slots=True)
class Retention:
    """Customers who buy again, and how far the lost could move their share.

    Attributes
    ----------
    share, ci_low, ci_high : float
        Who bought later among those who answered; Wilson interval.
    n_bought, n_answered, n_invited : int
    worst, best : float
        The share among all invited if none, and if all, of the lost bought.
    level : float
    """

    share: float
    ci_low: float
    ci_high: float
    n_bought: int
    n_answered: int
    n_invited: int
    worst: float
    best: float
    level: float


def retention(after: pd.Series | Array, *, n_invited: int, level: float = LEVEL) -> Retention:
    """Estimate the share of customers who bought in the later period.

    Parameters
    ----------
    after : Series or array
        Purchases in the later period; blank where unknown.
    n_invited : int
        Customers who were asked; those without an answer count as lost.
    level : float

    Notes
    -----
    The bounds need no assumption about the lost (Manski 1990) and are no interval: the error of
    sampling comes on top.
    """
    check_level(level, "retention")
    y = np.asarray(after, dtype=float)
    y = y[~np.isnan(y)]
    if not 1 <= len(y) <= n_invited:
        raise DataContractError(
            f"retention: after= holds {len(y)} answers of n_invited= {n_invited}; between 1 and "
            "all are needed. Check who was invited."
        )
    bought, lost = int((y > 0).sum()), n_invited - len(y)
    return Retention(
        bought / len(y), *wilson_interval(bought, len(y), level=level), bought, len(y), n_invited,
        bought / n_invited, (bought + lost) / n_invited, level,
    )  # fmt: skip


def trimmed_weights(weights: pd.Series, share: float) -> pd.Series:
    """Cap weights at their quantile ``share``, so that no single answer carries a result.

    Cole & Hernán (2008), doi:10.1093/aje/kwn164. Blanks stay blank.

    Raises
    ------
    DataContractError
        A share that is not above 0.5 and at most 1.
    """
    if not 0.5 < share <= 1:
        raise DataContractError(
            f"trimmed_weights: share= is {share:g}; a quantile above 0.5 and at most 1 is needed. "
            "Give 0.99, or 1 to leave the weights as they are."
        )
    return weights.clip(upper=float(weights.quantile(share)))
