"""Polychoric correlations of all pairs of ordered items, with errors and warnings, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataContractError, check_level, listing
from helpers.memo import remembered
from helpers.sem.ordinal import ordinal_moments
from helpers.thresholds import LEVEL


@dataclass(frozen=True, slots=True)
class Polychorics:
    """Correlations of the normal variables that are supposed to lie behind ordered answers.

    Attributes
    ----------
    pairs : DataFrame
        Columns ``first, second, n, rho, se, ci_low, ci_high, pearson, gap, smallest_cell,
        empty_cells``: ``gap`` is rho less the Pearson correlation of the codes.
    matrix, pearson : DataFrame, shape (k, k)
        Polychoric correlations; Pearson correlations of the same rows.
    at_bound : tuple of (str, str)
        Pairs without a finite estimate.
    definite : bool
        Whether the matrix is positive definite; pairs are estimated one by one, so it need not be.
    n_used, n_dropped : int
    missing : str
    level : float
    method : str
    """

    pairs: pd.DataFrame
    matrix: pd.DataFrame
    pearson: pd.DataFrame
    at_bound: tuple[tuple[str, str], ...]
    definite: bool
    n_used: int
    n_dropped: int
    missing: str
    level: float
    method: str = "two-step maximum likelihood (Olsson 1979), robust errors"

    def table(self) -> pd.DataFrame:
        """Return one row a pair."""
        return self.pairs


@remembered
def polychoric_correlations(
    responses: pd.DataFrame,
    *,
    items: list[str],
    missing: Literal["listwise", "pairwise"] = "pairwise",
    level: float = LEVEL,
) -> Polychorics:
    """Estimate the polychoric correlation of every pair of ordered items.

    Thresholds are normal quantiles of the cumulated shares of each item; each correlation
    maximises the likelihood of the pair's table at these thresholds. The interval is Fisher's:
    ``tanh(atanh(rho) +- z se / (1 - rho^2))``.

    Parameters
    ----------
    responses : DataFrame, shape (n_respondents, ...)
        Category numbers, blanks as NaN; not modified.
    items : list of str
        At least two ordered items of 2 to 20 categories.
    missing : {"pairwise", "listwise"}
        Use for each pair the people who answered both, or only those who answered all.
    level : float

    Returns
    -------
    Polychorics

    Raises
    ------
    DataContractError
        Fewer than two items, or answers that are no categories (see ``ordinal_moments``).
    EstimationError
        Two items of two categories that agree without exception.

    Notes
    -----
    A pair whose table has empty cells rests on few people there: its correlation is imprecise and
    depends on the supposed normality; ``empty_cells`` counts them over the categories in use. No
    cell but a lone empty one of a 2 x 2 table is corrected. Checked against R lavaan ``lavCor``
    (estimates and errors) and psych ``polychoric`` (estimates): ``tests/reference/missing.R``.

    References
    ----------
    Olsson (1979), doi:10.1007/BF02296207.
    """
    check_level(level, "polychoric_correlations")
    if len(items) < 2:
        raise DataContractError(
            f"polychoric_correlations: items= {listing(items) or 'none'}; at least 2 ordered items "
            "are needed. Name another item."
        )
    frame = responses[items].astype(float)
    moments = ordinal_moments(
        frame.to_numpy(), ordered=[True] * len(items), names=items, missing=missing
    )
    used = frame.dropna() if missing == "listwise" else frame
    pearson = used.corr()
    at = np.triu_indices(len(items), k=1)
    rho = moments.cor[at]
    n_pairs = len(rho)
    # Divisor n - 1 as in lavaan's errors of least squares.
    se = np.sqrt(np.diag(moments.gamma)[-n_pairs:] / (moments.n_used - 1))
    low, high = _fisher(rho, se, level)
    counts = [_cells(used[items[i]], used[items[j]]) for i, j in zip(*at)]
    pairs = pd.DataFrame(
        {
            "first": [items[i] for i in at[0]],
            "second": [items[j] for j in at[1]],
            "n": [n for n, _smallest, _empty in counts],
            "rho": rho,
            "se": se,
            "ci_low": low,
            "ci_high": high,
            "pearson": pearson.to_numpy()[at],
            "gap": rho - pearson.to_numpy()[at],
            "smallest_cell": [smallest for _n, smallest, _empty in counts],
            "empty_cells": [empty for _n, _smallest, empty in counts],
        }
    )
    matrix = pd.DataFrame(moments.cor, index=items, columns=items)
    definite = bool(np.linalg.eigvalsh(moments.cor)[0] > 0)
    return Polychorics(
        pairs, matrix, pearson, moments.at_bound, definite, moments.n_used, moments.n_dropped,
        missing, level,
    )  # fmt: skip


def _fisher(rho: np.ndarray, se: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval on Fisher's scale, so that its ends stay within -1 to 1."""
    half = stats.norm.ppf(0.5 + level / 2) * se / (1 - rho**2)
    z = np.arctanh(rho)
    return np.tanh(z - half), np.tanh(z + half)


def _cells(first: pd.Series, second: pd.Series) -> tuple[int, int, int]:
    """Return people in a pair's table, its smallest cell, and its empty cells."""
    both = first.notna() & second.notna()
    a, b = np.unique(first.dropna()), np.unique(second.dropna())
    table = np.zeros((len(a), len(b)), dtype=int)
    np.add.at(table, (np.searchsorted(a, first[both]), np.searchsorted(b, second[both])), 1)
    return int(table.sum()), int(table.min()), int((table == 0).sum())
