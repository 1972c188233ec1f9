"""The one-factor model by maximum likelihood, with the information matrix behind its errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.errors import EstimationError
from helpers.measurement.extraction import LEAST_EIGENVALUE, extract_ml

Array = NDArray[np.float64]

LEAST_UNIQUENESS = 0.006
"""A uniqueness that ends at the lower bound of the search (0.005) is an improper solution."""


@dataclass(frozen=True, slots=True)
class OneFactor:
    """A one-factor ML solution, factor variance 1.

    Attributes
    ----------
    loadings, residuals : ndarray, shape (k,)
        Unstandardised loadings and residual variances.
    std_loadings : ndarray, shape (k,)
        Loadings divided by the items' model-implied standard deviations.
    omega_se : float
        Delta-method standard error of omega total, from the expected information.
    """

    loadings: Array
    residuals: Array
    std_loadings: Array
    omega_se: float


def estimate_one_factor(cov: ArrayLike, *, n: int) -> OneFactor:
    """Fit one factor to a covariance matrix by ML.

    Parameters
    ----------
    cov : array_like, shape (k, k)
        Covariances with divisor n, at least three items.
    n : int
        Respondents behind it.

    Raises
    ------
    EstimationError
        The solution is improper (a residual variance at or below zero) or was not found.

    Notes
    -----
    Checked against lavaan ``cfa(std.lv = TRUE)`` with ``omega :=`` (tests/reference/psych.R).
    """
    matrix = np.asarray(cov, dtype=float)
    sds = np.sqrt(np.diag(matrix))
    solution = extract_ml(matrix / np.outer(sds, sds), 1)
    if not solution.converged or solution.uniquenesses.min() < LEAST_UNIQUENESS:
        raise EstimationError(
            "estimate_one_factor: cov= gives an improper one-factor solution (uniquenesses "
            f"{np.round(solution.uniquenesses, 3).tolist()}); positive residual variances are "
            "needed. Look at the inter-item correlations for a pair that is nearly the same."
        )
    std = solution.loadings[:, 0]
    std = std * (np.sign(std.sum()) or 1.0)
    loadings, residuals = std * sds, solution.uniquenesses * sds**2
    return OneFactor(loadings, residuals, std, _omega_se(loadings, residuals, n))


def is_singular(cov: ArrayLike) -> bool:
    """Tell whether some item follows from the others, so that no likelihood exists."""
    matrix = np.asarray(cov, dtype=float)
    sds = np.sqrt(np.diag(matrix))
    return bool(np.linalg.eigvalsh(matrix / np.outer(sds, sds))[0] <= LEAST_EIGENVALUE)


def one_factor_covariance(loadings: Array, residuals: Array, n: int) -> Array:
    """Return the covariance of (loadings, residual variances) from the expected information."""
    k = len(loadings)
    inverse = np.linalg.inv(np.outer(loadings, loadings) + np.diag(residuals))
    slopes = np.zeros((2 * k, k, k))
    for i in range(k):
        slopes[i, i, :] += loadings
        slopes[i, :, i] += loadings
        slopes[k + i, i, i] = 1.0
    scaled = inverse @ slopes
    return np.linalg.inv(n / 2 * np.einsum("aij,bji->ab", scaled, scaled))


def _omega_se(loadings: Array, residuals: Array, n: int) -> float:
    """Return the delta-method error of omega."""
    k = len(loadings)
    total, error = loadings.sum(), residuals.sum()
    below = (total**2 + error) ** 2
    gradient = np.r_[np.full(k, 2 * total * error / below), np.full(k, -(total**2) / below)]
    return float(np.sqrt(gradient @ one_factor_covariance(loadings, residuals, n) @ gradient))
