"""Bootstrap draws of a covariance matrix, many at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from helpers.errors import EstimationError, check_level
from helpers.resampling import resampled_counts
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

ROUNDING = 1e-10
"""Variance of a resample, as a share of the sample's, up to which an item counts as constant: one
answer of n that differs leaves a share of about 1 / n."""


def covariance_draws(values: Array, *, n_boot: int, seed: int) -> Iterator[Array]:
    """Yield covariance matrices (divisor n - 1) of resampled rows, in batches (b, p, p).

    A draw is a vector of counts, so that the moments of a batch are one matrix product. An item
    that is constant in a draw has the variance 0, so that its correlations are blank.
    """
    n, p = values.shape
    rng = np.random.default_rng(seed)
    centred = values - values.mean(axis=0)
    rows, columns = np.triu_indices(p)
    products = np.hstack([centred, centred[:, rows] * centred[:, columns]])
    for counts in resampled_counts(n, n_boot, rng):
        moments = counts @ products / n
        means, second = moments[:, :p], moments[:, p:]
        cov = np.empty((len(counts), p, p))
        half = (second - means[:, rows] * means[:, columns]) * n / (n - 1)
        half[:, rows == columns] = varying(half[:, rows == columns], centred.var(axis=0))
        cov[:, rows, columns] = half
        cov[:, columns, rows] = half
        yield cov


def varying(variances: Array, whole: Array) -> Array:
    """Return variances of resamples, 0 where an item is constant in a resample but for rounding.

    Parameters
    ----------
    variances : array, shape (b, p)
        Differences of moments, which are not exactly 0 for a constant item.
    whole : array, shape (p,)
        Variances of the whole sample.
    """
    return np.where(variances > ROUNDING * whole, variances, 0.0)


def correlation_of_draw(cov: Array) -> Array:
    """Return the correlation matrix of one draw; ``EstimationError`` where an item is constant."""
    sd = np.sqrt(np.diag(cov))
    if not sd.all():
        raise EstimationError(
            f"correlation_of_draw: cov= has {int(np.sum(sd == 0))} item(s) that are constant in a "
            "resample; every item must vary. Count the draw as failed."
        )
    return cov / np.outer(sd, sd)


def percentile_interval(draws: Array, level: float = LEVEL) -> tuple[float, float, int]:
    """Return the percentile interval of the finite draws, and how many were not finite."""
    check_level(level, "percentile_interval")
    finite = draws[np.isfinite(draws)]
    if len(finite) < 2:
        return float("nan"), float("nan"), len(draws) - len(finite)
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high), len(draws) - len(finite)
