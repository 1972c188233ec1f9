"""One list from several methods: ranks, how firm they are, and whether the methods agree.

All functions take arrays. Methods are rows, levers columns; a larger value is more urgent; a blank
means that a method says nothing of a lever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from helpers.errors import DataContractError, check_level
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Kendall's coefficient of concordance among methods.

    Attributes
    ----------
    w : float
        0 no agreement, 1 the same order in every method; corrected for ties.
    p_value : float
        Share of permutations with at least this agreement, ``(k + 1) / (B + 1)``.
    n_methods, n_levers, n_permutations : int
        Levers of which every method speaks.
    """

    w: float
    p_value: float
    n_methods: int
    n_levers: int
    n_permutations: int


def ranks(values: ArrayLike) -> Array:
    """Return ranks along the last axis, 1 the largest; ties share their mean, blanks stay.

    Examples
    --------
    >>> ranks([[3.0, 9.0, np.nan, 3.0]]).tolist()
    [[2.5, 1.0, nan, 2.5]]
    """
    return rankdata(-np.asarray(values, dtype=float), axis=-1, nan_policy="omit")


def joint_score(values: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Return each lever's mean place over the methods, 1 always first and 0 always last.

    A place is ``(k - rank) / (k - 1)`` among the ``k`` levers of which a method speaks (Borda's
    count, brought to 0 to 1); methods that say nothing of a lever do not count for it.

    Parameters
    ----------
    values : array, shape (..., m, k)
    weights : array, shape (m,), optional
        Of the methods; equal without it.

    Raises
    ------
    DataContractError
        A weight is negative, or all are 0.

    Examples
    --------
    >>> joint_score([[3.0, 2.0, 1.0], [1.0, 2.0, np.nan]]).tolist()
    [0.5, 0.75, 0.0]
    """
    given = np.asarray(values, dtype=float)
    w = np.ones(given.shape[-2]) if weights is None else np.asarray(weights, dtype=float)
    if w.shape != given.shape[-2:-1] or not (w >= 0).all() or not w.sum() > 0:
        raise DataContractError(
            f"joint_score: weights= is {w.tolist()} for {given.shape[-2]} methods; one weight of "
            "0 or more for each, not all 0, is needed. Correct them."
        )
    order = ranks(given)
    k = np.isfinite(order).sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        places = (k - order) / (k - 1)
        heard = np.where(np.isfinite(places), w[:, None], 0.0)
        return (np.nan_to_num(places) * heard).sum(axis=-2) / heard.sum(axis=-2)


def priority_list(
    codes: list[str],
    values: Array,
    draws: Array,
    *,
    weights: ArrayLike | None = None,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return one list of levers with the firmness of their ranks.

    Parameters
    ----------
    codes : list of str, length k
    values : array, shape (m, k)
    draws : array, shape (B, m, k)
        The same values in resamples of the respondents.
    weights : array, shape (m,), optional
    level : float

    Returns
    -------
    DataFrame
        The most urgent first: code, score, rank, rank_low, rank_high (percentiles of the resampled
        ranks), p_first, p_top3, n_methods (which speak of the lever).
    """
    check_level(level, "priority_list")
    score = joint_score(values, weights)
    order = ranks(joint_score(draws, weights))
    low, high = np.quantile(order, [(1 - level) / 2, (1 + level) / 2], axis=0)
    table = pd.DataFrame(
        {
            "code": codes, "score": score, "rank": ranks(score), "rank_low": low,
            "rank_high": high, "p_first": (order < 1.5).mean(axis=0),
            "p_top3": (order <= 3).mean(axis=0), "n_methods": np.isfinite(values).sum(axis=0),
        }
    )  # fmt: skip
    return table.sort_values("rank", ignore_index=True)


def concordance(values: ArrayLike) -> float:
    """Return Kendall's W of methods by levers without blanks, corrected for ties.

    ``W = 12 S / (m^2 (k^3 - k) - m sum(T))`` with ``S`` the sum of squared deviations of the rank
    sums and ``T = sum(t^3 - t)`` over ties of size ``t`` in each method.

    Notes
    -----
    ``m (k - 1) W`` is Friedman's chi-square; checked against scipy and R ``friedman.test``.

    References
    ----------
    Kendall & Babington Smith (1939), doi:10.1214/aoms/1177732186.
    """
    order = ranks(values)
    m, k = order.shape
    sums = order.sum(axis=0)
    ties = sum(
        float((counts**3 - counts).sum())
        for counts in (np.unique(row, return_counts=True)[1] for row in order)
    )
    below = m**2 * (k**3 - k) - m * ties
    return float(12 * ((sums - sums.mean()) ** 2).sum() / below) if below > 0 else float("nan")


def agreement(values: ArrayLike, *, n_permutations: int = 5000, seed: int) -> Agreement:
    """Test whether methods order levers more alike than chance.

    Ranks are permuted within each method; ties stay, so that only the rank sums change.

    Parameters
    ----------
    values : array, shape (m, k)
        Levers with a blank in any method are left out.
    n_permutations, seed : int

    Raises
    ------
    DataContractError
        Fewer than two methods, or fewer than three levers of which all methods speak.
    """
    given = np.asarray(values, dtype=float)
    given = given[:, np.isfinite(given).all(axis=0)]
    m, k = given.shape
    if m < 2 or k < 3:
        raise DataContractError(
            f"agreement: values= has {m} methods and {k} levers in all of them; at least 2 and 3 "
            "are needed. Name more in service.priorities of study.yml."
        )
    rng = np.random.default_rng(seed)
    order = ranks(given)
    drawn = rng.permuted(np.broadcast_to(order, (n_permutations, m, k)), axis=-1).sum(axis=1)
    spread = ((drawn - drawn.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    sums = order.sum(axis=0)
    seen = ((sums - sums.mean()) ** 2).sum()
    at_least = int((spread >= seen - 1e-9).sum())  # sums of halves, so equal ones differ by less
    return Agreement(
        concordance(given), (at_least + 1) / (n_permutations + 1), m, k, n_permutations
    )


def without_each(codes: list[str], methods: list[str], values: Array) -> pd.DataFrame:
    """Return which lever comes first when each method is left out.

    Columns method (left out), first, moved (levers whose rank changes by one place or more).
    """
    whole = ranks(joint_score(values))
    rows = []
    for i, method in enumerate(methods):
        rest = joint_score(np.delete(values, i, axis=0))
        order = ranks(rest)
        moved = int((np.abs(order - whole) >= 1).sum())
        rows.append({"method": method, "first": codes[int(np.nanargmin(order))], "moved": moved})
    return pd.DataFrame(rows)


def weighted_ratios(counts: Array, top: Array, bottom: Array) -> Array:
    """Return sums of ``top`` over sums of ``bottom`` in each resample; shapes (b, n), (n, p)."""
    return (counts @ top) / (counts @ bottom)


def weighted_correlations(counts: Array, values: Array) -> Array:
    """Return the correlations of columns in each resample, shape (b, p, p); no blanks."""
    n, p = values.shape
    centred = values - values.mean(axis=0)
    rows, columns = np.triu_indices(p)
    total = counts.sum(axis=1, keepdims=True)
    means = counts @ centred / total
    products = counts @ (centred[:, rows] * centred[:, columns]) / total
    cov = np.empty((len(counts), p, p))
    cov[:, rows, columns] = products
    cov[:, columns, rows] = products
    cov -= means[:, :, None] * means[:, None, :]
    sd = np.sqrt(np.einsum("bii->bi", cov))
    return cov / (sd[:, :, None] * sd[:, None, :])
