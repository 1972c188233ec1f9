"""Intervals from bootstrap draws, and p-values that agree with them.

Quantiles follow R's package boot: the order statistic at ``(B + 1) alpha``, interpolated on the
normal scale. A p-value is the level at which the interval's end reaches zero, found by inverting
the same formula, so an interval excludes zero exactly where p lies below its level; it is never
below ``2 / (B + 1)``.

References
----------
Efron (1987), doi:10.1080/01621459.1987.10478410; Davison & Hinkley (1997), chapter 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

Array = np.ndarray

KINDS = ("percentile", "bc", "bca", "normal", "student")


@dataclass(frozen=True, slots=True)
class Intervals:
    """Bounds of k quantities; NaN where there are no draws."""

    se: Array
    bias: Array
    low: Array
    high: Array
    p: Array
    extreme: Array
    """Whether a bound is the smallest or largest draw because more draws are needed, (k,)."""


def quantile(ordered: Array, level: float) -> float:
    """Quantile of sorted draws, interpolated on the normal scale as ``boot::boot.ci`` does."""
    b = len(ordered)
    rank = (b + 1) * level
    k = int(np.floor(rank + 1e-12))
    if k < 1:
        return float(ordered[0])
    if k >= b:
        return float(ordered[-1])
    if abs(rank - k) < 1e-12:
        return float(ordered[k - 1])
    lower, upper = ndtri(k / (b + 1)), ndtri((k + 1) / (b + 1))
    share = (ndtri(level) - lower) / (upper - lower)
    return float(ordered[k - 1] + share * (ordered[k] - ordered[k - 1]))


def level_at(ordered: Array, value: float) -> float:
    """Level whose quantile is ``value``: the inverse of ``quantile``, in [0, 1]."""
    b = len(ordered)
    below, upto = np.searchsorted(ordered, value, "left"), np.searchsorted(ordered, value, "right")
    if upto == 0:
        return 0.0
    if below == b:
        return 1.0
    if upto > below:
        return 0.5 * float(below + 1 + upto) / (b + 1)
    k = int(below)
    lower, upper = ndtri(k / (b + 1)), ndtri((k + 1) / (b + 1))
    share = (value - ordered[k - 1]) / (ordered[k] - ordered[k - 1])
    return float(ndtr(lower + share * (upper - lower)))


def acceleration(left_out: Array) -> Array:
    """Skewness of the jackknife influence, ``sum l^3 / (6 (sum l^2)^1.5)``, per column."""
    out = np.zeros(left_out.shape[1])
    for k, column in enumerate(left_out.T):
        kept = column[np.isfinite(column)]
        influence = kept.mean() - kept if len(kept) else kept
        spread = float((influence**2).sum())
        scale = float(np.abs(kept).max(initial=0.0))
        if spread > 1e-24 * max(scale, 1e-300) ** 2:
            out[k] = float((influence**3).sum()) / (6.0 * spread**1.5)
    return out


def _clipped(level: float, b: int) -> float:
    """Keep a level where draws can tell it."""
    return min(max(level, 1.0 / (b + 1)), b / (b + 1.0))


def _two_sided(level: float, b: int) -> float:
    """p from the one-sided level at zero."""
    return float(min(1.0, max(2.0 * min(level, 1.0 - level), 2.0 / (b + 1))))


def _adjusted(ordered: Array, value: float, a: float, level: float) -> tuple[float, ...]:
    """Bounds and p of the (accelerated) bias-corrected percentile interval."""
    b = len(ordered)
    z0 = float(ndtri(_clipped(np.searchsorted(ordered, value, "left") / b, b)))
    tail, wanted = (1.0 - level) / 2.0, []
    for side in (tail, 1.0 - tail):
        z = z0 + float(ndtri(side))
        wanted.append(float(ndtr(z0 + z / (1.0 - a * z))))
    low, high = (quantile(ordered, w) for w in wanted)
    extreme = min(wanted) < 1.0 / (b + 1) or max(wanted) > b / (b + 1.0)
    here = level_at(ordered, 0.0)
    if not 0.0 < here < 1.0:
        return low, high, 2.0 / (b + 1), extreme
    w = float(ndtri(here)) - z0
    return low, high, _two_sided(float(ndtr(w / (1.0 + a * w) - z0)), b), extreme


def _percentile(ordered: Array, level: float) -> tuple[float, ...]:
    """Bounds and p of the percentile interval."""
    b, tail = len(ordered), (1.0 - level) / 2.0
    low, high = quantile(ordered, tail), quantile(ordered, 1.0 - tail)
    return low, high, _two_sided(level_at(ordered, 0.0), b), tail < 1.0 / (b + 1)


def _normal(draws: Array, value: float, level: float) -> tuple[float, ...]:
    """Bounds and p of the bias-corrected normal interval."""
    se, bias = float(draws.std(ddof=1)), float(draws.mean() - value)
    centre, width = value - bias, float(ndtri(0.5 + level / 2.0)) * se
    return centre - width, centre + width, _two_sided(float(ndtr(-centre / se)), len(draws)), False


def _student(ratios: Array, value: float, se: float, level: float) -> tuple[float, ...]:
    """Bounds and p of the studentised interval, from ``(t* - t) / se*``."""
    b, tail = len(ratios), (1.0 - level) / 2.0
    low, high = (value - se * quantile(ratios, q) for q in (1.0 - tail, tail))
    return low, high, _two_sided(level_at(ratios, value / se), b), tail < 1.0 / (b + 1)


def intervals(
    draws: Array,
    values: Array,
    kind: str,
    level: float,
    *,
    acceleration: Array | None = None,
    errors: Array | None = None,
    standard_errors: Array | None = None,
) -> Intervals:
    """Compute bounds and p-values of all columns.

    Parameters
    ----------
    draws : array, shape (B, k)
        Replicates; entries that are not finite are left out.
    values : array, shape (k,)
        Estimates from the full sample.
    kind : one of ``KINDS``
    level : float
        Confidence level as a proportion.
    acceleration : array, shape (k,), for ``"bca"``
    errors, standard_errors : arrays, shapes (B, k) and (k,), for ``"student"``

    Returns
    -------
    Intervals
        A column without spread gets its value as both bounds, error 0 and p NaN.
    """
    out = np.full((6, draws.shape[1]), np.nan)
    for k in range(draws.shape[1]):
        keep = np.isfinite(draws[:, k])
        if kind == "student":
            keep &= np.isfinite(errors[:, k]) & (errors[:, k] > 0)
        own, value = draws[keep, k], float(values[k])
        if len(own) < 2 or not np.isfinite(value):
            continue
        if np.ptp(own) <= 1e-12 * max(abs(value), 1e-300):
            out[:, k] = 0.0, float(own.mean() - value), value, value, np.nan, 0.0
            continue
        if kind == "student":
            ratios = np.sort((own - value) / errors[keep, k])
            found = _student(ratios, value, float(standard_errors[k]), level)
        elif kind == "normal":
            found = _normal(own, value, level)
        elif kind == "percentile":
            found = _percentile(np.sort(own), level)
        else:
            a = float(acceleration[k]) if kind == "bca" else 0.0
            found = _adjusted(np.sort(own), value, a, level)
        out[:, k] = own.std(ddof=1), own.mean() - value, *found
    return Intervals(*out[:5], out[5] == 1.0)
