"""Resamples of rows as counts, so that sums over all resamples are one matrix product."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from helpers.errors import DataContractError

CELLS = 2_000_000
"""Counts held at once, rows times resamples: 16 MB, which stay in the cache of the processor."""
MOST_DRAWS = 500


def check_draws(n: int, function: str) -> None:
    """Raise unless at least one draw is asked for.

    Raises
    ------
    DataContractError
        Fewer than one.
    """
    if n < 1:
        raise DataContractError(
            f"{function}: n_boot= is {n}; at least 1 draw is needed, and thousands for an "
            "interval. Ask for 5000."
        )


def resampled_counts(
    n: int, n_boot: int, rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Yield how often each of ``n`` rows stands in each resample, in blocks of resamples.

    Parameters
    ----------
    n : int
        Rows drawn from, and drawn, with replacement.
    n_boot : int
        Resamples in all.
    rng : Generator
        Draws come in one order, whatever the size of the blocks.

    Yields
    ------
    ndarray, shape (b, n)
        Every row sums to ``n``; ``counts @ columns / n`` are the means in b resamples.
    """
    size = max(1, min(MOST_DRAWS, CELLS // n))
    for start in range(0, n_boot, size):
        b = min(size, n_boot - start)
        picked = rng.integers(0, n, size=(b, n)) + n * np.arange(b)[:, None]
        yield np.bincount(picked.ravel(), minlength=b * n).reshape(b, n).astype(float)
