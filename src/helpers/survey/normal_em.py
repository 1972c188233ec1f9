"""Mean and covariance of incomplete normal data by EM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.errors import EstimationError

TOLERANCE = 1e-8
"""Largest change of a standardised moment at which EM stops: two orders below what is printed."""

MOST_STEPS = 2000


@dataclass(frozen=True, slots=True)
class NormalMoments:
    """Maximum-likelihood moments.

    Attributes
    ----------
    mean : ndarray, shape (p,)
    cov : ndarray, shape (p, p)
        Divisor n, not n - 1.
    steps : int
        EM steps taken.
    """

    mean: np.ndarray
    cov: np.ndarray
    steps: int


def complete_moments(values: np.ndarray) -> NormalMoments:
    """Return the ML mean and covariance of rows with blanks (NaN), by EM over patterns.

    Each step replaces blanks by their expectation given the answers of the row, and adds the
    conditional covariance: Dempster, Laird & Rubin (1977),
    doi:10.1111/j.2517-6161.1977.tb01600.x. Works on standardised columns, so the stop rule does
    not depend on units. Checked against R lavaan's saturated FIML moments
    (``tests/reference/survey.R``).

    Parameters
    ----------
    values : ndarray, shape (n, p)
        Each column with spread, each row with at least one answer.

    Raises
    ------
    EstimationError
        No convergence, as when two items are never answered together.
    """
    center, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    z = (values - center) / scale
    patterns = _patterns(z)
    p = z.shape[1]
    mean, cov = np.zeros(p), np.eye(p)
    for step in range(1, MOST_STEPS + 1):
        new_mean, new_cov = _em_step(patterns, mean, cov, len(z))
        change = max(np.abs(new_mean - mean).max(), np.abs(new_cov - cov).max())
        mean, cov = new_mean, new_cov
        if change < TOLERANCE:
            return NormalMoments(center + scale * mean, cov * np.outer(scale, scale), step)
    raise EstimationError(
        f"complete_moments: values= EM has not settled after {MOST_STEPS} steps (last change "
        f"{change:.2g}); every pair of items must be answered together by some respondents. Leave "
        "out items with very many blanks."
    )


def _patterns(z: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (observed mask, rows) for each pattern of blanks."""
    observed = ~np.isnan(z)
    unique, inverse = np.unique(observed, axis=0, return_inverse=True)
    return [(mask, z[inverse.ravel() == i]) for i, mask in enumerate(unique)]


def _em_step(
    patterns: list[tuple[np.ndarray, np.ndarray]], mean: np.ndarray, cov: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Take one EM step."""
    p = len(mean)
    total, squares = np.zeros(p), np.zeros((p, p))
    for seen, rows in patterns:
        filled = rows
        if not seen.all():
            blank = ~seen
            weights = np.linalg.solve(cov[np.ix_(seen, seen)], cov[np.ix_(seen, blank)])
            filled = rows.copy()
            filled[:, blank] = mean[blank] + (rows[:, seen] - mean[seen]) @ weights
            rest = cov[np.ix_(blank, blank)] - cov[np.ix_(blank, seen)] @ weights
            squares[np.ix_(blank, blank)] += len(rows) * rest
        total += filled.sum(axis=0)
        squares += filled.T @ filled
    new_mean = total / n
    return new_mean, squares / n - np.outer(new_mean, new_mean)
