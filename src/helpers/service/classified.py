"""Outcomes of latent profiles, with the error of classification carried on.

People are put into their most likely profile, which is sometimes not theirs, so that means of the
groups lie too close together. How often that happens is known from the posteriors, and both
corrections here undo it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from helpers.errors import DataContractError, EstimationError, check_level, listing, nearest
from helpers.service.mixture import FLOOR
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]
Method = Literal["modal", "bch", "ml"]
METHODS = ("modal", "bch", "ml")
MOST_STEPS = 5000


@dataclass(frozen=True, slots=True)
class ProfileMeans:
    """Means of one outcome by profile.

    Attributes
    ----------
    table : DataFrame
        profile (from 1), estimate, se, ci_low, ci_high.
    chisq, p_value : float
        Wald test that all means are equal.
    df : int
    method : str
    n_used, n_dropped : int
    level : float
    """

    table: pd.DataFrame
    chisq: float
    p_value: float
    df: int
    method: str
    n_used: int
    n_dropped: int
    level: float


def classification(posterior: ArrayLike) -> Array:
    """Return how often people of a profile (row) are put into each profile (column).

    ``D[t, s] = sum_i p_it 1[i put into s] / sum_i p_it``; rows add up to 1.

    Examples
    --------
    >>> classification([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]).round(2).tolist()
    [[0.85, 0.15], [0.3, 0.7]]
    """
    posterior = np.asarray(posterior, dtype=float)
    put = np.eye(posterior.shape[1])[posterior.argmax(axis=1)]
    return (posterior.T @ put) / posterior.sum(axis=0)[:, None]


def profile_means(
    outcome: ArrayLike,
    posterior: ArrayLike,
    *,
    method: Method = "bch",
    level: float = LEVEL,
) -> ProfileMeans:
    """Estimate the mean of an outcome in every profile.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows with a blank are left out of the last step and counted.
    posterior : array-like, shape (n, k)
        Chances of the profiles, rows adding up to 1.
    method : {"modal", "bch", "ml"}
        ``modal`` takes everybody's most likely profile for certain (to show the error). ``bch``
        weighs everybody by the inverse of the classification table; sandwich errors. ``ml``
        maximises ``prod_i sum_t pi_t D[t, s_i] N(y_i; mu_t, sigma_t)``; errors from the outer
        product of gradients. The spread is each profile's own: with one for all, the means of
        profiles that differ in spread come out wrong, those of a wide one most.
    level : float

    Raises
    ------
    DataContractError
        An unknown method, posteriors that are not chances, or an outcome that nobody gave or that
        never varies.
    EstimationError
        A profile into which fewer than two people with an outcome are put, or one that cannot be
        told from another.

    Notes
    -----
    Errors take the profiles as known; where they overlap much, intervals cover somewhat less than
    they say. Checked by hand for two profiles, against R code of the likelihood
    (tests/reference/segments.R) and in samples with planted means, of equal and unequal spread.

    References
    ----------
    Bolck, Croon & Hagenaars (2004), doi:10.1093/pan/mph001.
    Vermunt (2010), doi:10.1093/pan/mpq025.
    Bakk & Vermunt (2016), doi:10.1080/10705511.2014.955104 (unequal spread).
    """
    check_level(level, "profile_means")
    if method not in METHODS:
        raise DataContractError(
            f"profile_means: method= is '{method}'; allowed are {listing(METHODS)}."
            f"{nearest(method, METHODS)} Choose one of them."
        )
    p = np.asarray(posterior, dtype=float)
    y = np.asarray(outcome, dtype=float)
    if p.ndim != 2 or len(p) != len(y) or not np.allclose(p.sum(axis=1), 1) or (p < 0).any():
        raise DataContractError(
            f"profile_means: posterior= has shape {p.shape} for {len(y)} outcomes; one row of "
            "chances that add up to 1 is needed for each. Hand over Profiles.posterior."
        )
    table = _sound(classification(p), p)
    known = ~np.isnan(y)
    y, put = y[known], p.argmax(axis=1)[known]
    _check_outcome(y, put, p.shape[1])
    if method == "ml":
        means, cov = _likelihood(y, put, table)
    else:
        unit = np.eye(p.shape[1])[put]
        means, cov = _weighted(y, unit if method == "modal" else unit @ np.linalg.inv(table))
    return _result(means, cov, method, int(known.sum()), int((~known).sum()), level)


def _sound(table: Array, posterior: Array) -> Array:
    """Refuse profiles that nobody is put into, or that cannot be told apart."""
    empty = [t + 1 for t in range(len(table)) if not (posterior.argmax(axis=1) == t).any()]
    if empty or np.linalg.cond(table) > 1e6:
        what = f"nobody is put into {listing(empty)}" if empty else "two rows are alike"
        raise EstimationError(
            f"profile_means: posterior= gives a classification table in which {what}; every "
            "profile must be told from the others. Take fewer profiles."
        )
    return table


def _check_outcome(y: Array, put: NDArray[np.intp], k: int) -> None:
    """Refuse an outcome that never varies, or that profiles have no mean of."""
    if len(y) == 0 or np.ptp(y) == 0:
        found = "blank" if len(y) == 0 else f"{y[0]:g}"
        raise DataContractError(
            f"profile_means: outcome= is {found} for everybody; an outcome must vary. Choose "
            "another one."
        )
    few = [t + 1 for t in range(k) if (put == t).sum() < 2]
    if few:
        raise EstimationError(
            f"profile_means: outcome= was given by fewer than two of the people put into "
            f"{listing(few)}; every profile needs two. Take fewer profiles or another outcome."
        )


def _weighted(y: Array, weights: Array) -> tuple[Array, Array]:
    """Return weighted means of all profiles and their sandwich covariance."""
    total = weights.sum(axis=0)
    means = (weights.T @ y) / total
    gradient = weights * (y[:, None] - means) / total
    return means, gradient.T @ gradient


def _likelihood(y: Array, put: NDArray[np.intp], table: Array) -> tuple[Array, Array]:
    """Return means that maximise the likelihood given the classification table.

    Every profile has its own variance, not below ``FLOOR`` of the whole.
    """
    k = len(table)
    chance = table[:, put].T
    means, _cov = _weighted(y, np.eye(k)[put] @ np.linalg.inv(table))
    shares, variances, before = np.full(k, 1 / k), np.full(k, y.var()), -np.inf
    for _step in range(MOST_STEPS):
        logs = -0.5 * (np.square(y[:, None] - means) / variances + np.log(variances))
        top = logs.max(axis=1, keepdims=True)
        joint = shares * chance * np.exp(logs - top)
        total = joint.sum(axis=1, keepdims=True)
        after = joint / total
        loglik = float(np.log(total[:, 0]).sum() + top.sum())
        sizes = after.sum(axis=0)
        shares, means = sizes / len(y), (after.T @ y) / sizes
        squares = (after * np.square(y[:, None] - means)).sum(axis=0) / sizes
        variances = np.maximum(squares, FLOOR * y.var())
        if loglik - before < 1e-10 * abs(loglik):
            break
        before = loglik
    away = y[:, None] - means
    by_mean = after * away / variances
    by_variance = after * (np.square(away) / variances - 1) / (2 * variances)
    by_share = after[:, 1:] / shares[1:] - after[:, :1] / shares[0]
    gradient = np.column_stack([by_mean, by_variance, by_share])
    return means, np.linalg.pinv(gradient.T @ gradient)[:k, :k]


def _result(
    means: Array, cov: Array, method: str, n_used: int, n_dropped: int, level: float
) -> ProfileMeans:
    """Return means with intervals and the Wald test of their equality."""
    k = len(means)
    se = np.sqrt(np.diag(cov))
    half = stats.norm.ppf(0.5 + level / 2) * se
    chisq, p_value = float("nan"), float("nan")
    if k > 1:
        contrast = np.eye(k)[1:] - np.eye(k)[0]
        away = contrast @ means
        chisq = float(away @ np.linalg.solve(contrast @ cov @ contrast.T, away))
        p_value = float(stats.chi2.sf(chisq, k - 1))
    table = pd.DataFrame(
        {
            "profile": np.arange(1, k + 1), "estimate": means, "se": se,
            "ci_low": means - half, "ci_high": means + half,
        }
    )  # fmt: skip
    return ProfileMeans(table, chisq, p_value, k - 1, method, n_used, n_dropped, level)
