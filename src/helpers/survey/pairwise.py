"""Sums, means and pairwise covariances of many rows, a block at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, listing
from helpers.memo import remembered


@dataclass(frozen=True, slots=True)
class PairwiseMoments:
    """What a sample says of its items, each pair over the rows that answered both.

    Attributes
    ----------
    sums, counts, mean : Series, length k
        Each item over all rows that answered it.
    covariance, correlation : DataFrame, shape (k, k)
        Pairwise complete, divisor n - 1; missing where a pair has fewer than two rows, and a
        correlation where an item does not vary.
    """

    sums: pd.Series
    counts: pd.Series
    mean: pd.Series
    covariance: pd.DataFrame
    correlation: pd.DataFrame


def check_names(names: Iterable[object], function: str) -> None:
    """Raise where a column is named twice: its answers would count twice."""
    counts = Counter(str(name) for name in names)
    twice = [name for name, n in counts.items() if n > 1]
    if twice:
        raise DataContractError(
            f"{function}: columns of one name: {listing(twice)}; each may stand there once. Leave "
            "the copies out."
        )


@remembered
def pairwise_moments(
    answers: pd.DataFrame,
    *,
    items: Sequence[str],
    ends: Mapping[str, tuple[float, float]],
    block: int,
) -> PairwiseMoments:
    """Return the moments of items scaled to 0-1 by their scale ends.

    Parameters
    ----------
    answers : DataFrame
        One column an item; not modified, and never copied whole.
    items : sequence of str
    ends : mapping
        Item -> lowest and highest answer.
    block : int
        Rows read at once.

    Notes
    -----
    Checked against pandas ``DataFrame.cov()`` and ``corr()``, which need one copy of the whole
    table and are slower.
    """
    names, k = list(items), len(items)
    low = np.array([ends[i][0] for i in names], dtype=float)
    span = np.array([ends[i][1] - ends[i][0] for i in names], dtype=float)
    n, first, second, cross = (np.zeros((k, k)) for _ in range(4))
    for start in range(0, len(answers), block):
        values = answers.iloc[start : start + block][names].to_numpy(float)
        x = (values - low) / span - 0.5  # about the mid-point, so that nothing cancels
        there = ~np.isnan(x)
        x, seen = np.where(there, x, 0.0), there.astype(float)
        n += seen.T @ seen
        first += x.T @ seen
        second += (x * x).T @ seen
        cross += x.T @ x
    return _moments(names, n, first, second, cross)


def _moments(
    names: list[str], n: np.ndarray, first: np.ndarray, second: np.ndarray, cross: np.ndarray
) -> PairwiseMoments:
    """Return moments from sums over pairs; row i, column j of ``first`` sums item i where j is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = np.where(n > 1, n, np.nan)
        covariance = (cross - first * first.T / pairs) / (pairs - 1)
        variance = (second - first**2 / pairs) / (pairs - 1)
        spread = np.sqrt(variance * variance.T)
        correlation = np.where(spread > 0, covariance / spread, np.nan)
        counts = n.diagonal()
        sums = first.diagonal() + 0.5 * counts
        mean = sums / counts
    return PairwiseMoments(
        pd.Series(sums, names),
        pd.Series(counts, names),
        pd.Series(mean, names),
        pd.DataFrame(covariance, names, names),
        pd.DataFrame(correlation, names, names),
    )
