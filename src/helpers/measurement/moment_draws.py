"""Bootstrap draws of a covariance matrix, many at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from helpers.errors import check_level
from helpers.resampling import resampled_counts
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


def covariance_draws(values: Array, *, n_boot: int, seed: int) -> Iterator[Array]:
    """Yield covariance matrices (divisor n - 1) of resampled rows, in batches (b, p, p).

    A draw is a vector of counts, so that the moments of a batch are one matrix product.
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
        cov[:, rows, columns] = half
        cov[:, columns, rows] = half
        yield cov


def percentile_interval(draws: Array, level: float = LEVEL) -> tuple[float, float, int]:
    """Return the percentile interval of the finite draws, and how many were not finite."""
    check_level(level, "percentile_interval")
    finite = draws[np.isfinite(draws)]
    if len(finite) < 2:
        return float("nan"), float("nan"), len(draws) - len(finite)
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high), len(draws) - len(finite)
