"""Extraction of common factors from a correlation matrix: ML, minres and principal axis.

All three search over the uniquenesses alone; given those, the loadings are eigenvectors. They stand
here because statsmodels' ``Factor`` has no minres and its ML stops beside the maximum on one of the
five reference data sets (a uniqueness off by 0.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from helpers.errors import DataContractError, EstimationError, listing, nearest
from helpers.memo import remembered

Array = NDArray[np.float64]
Extraction = Literal["ml", "minres", "pa"]

LOWEST = 0.005
"""Lower bound of a uniqueness in the search, as in R's ``factanal``."""
LEAST_EIGENVALUE = 1e-10
"""Smallest eigenvalue of a correlation matrix that can be inverted."""
TOLERANCE = 1e-9
MAX_ITER = 5000
PRECISION = 1e-15
STARTS = 6
"""Starts of a search: likelihoods of several factors can have more than one maximum."""
SAME_OPTIMUM = 1e-9
"""Two starts with criteria this close found the same optimum."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """Unrotated factors.

    Attributes
    ----------
    loadings : ndarray, shape (p, m)
        Standardised, largest sum of squares first, column sums positive.
    uniquenesses : ndarray, shape (p,)
    discrepancy : float
        ML discrepancy ``log|S| - log|R| + tr(R S^-1) - p``, S the reproduced matrix.
    converged : bool
    """

    loadings: Array
    uniquenesses: Array
    discrepancy: float
    converged: bool


@remembered
def extract(corr: ArrayLike, n_factors: int, method: Extraction = "ml") -> Extracted:
    """Extract factors by ``extract_ml``, ``extract_minres`` or ``extract_pa``."""
    methods = {"ml": extract_ml, "minres": extract_minres, "pa": extract_pa}
    if method not in methods:
        raise DataContractError(
            f"extract: method= is '{method}'; allowed are {listing(get_args(Extraction))}."
            f"{nearest(method, get_args(Extraction))} Choose one of them."
        )
    return methods[method](corr, n_factors)


def extract_ml(corr: ArrayLike, n_factors: int) -> Extracted:
    """Extract factors by maximum likelihood (Lawley & Maxwell; Jöreskog 1967).

    Minimises ``sum(e - log e)`` over the uniquenesses, e the p - m smallest eigenvalues of the
    matrix scaled by them, from ``STARTS`` starts, because a single one can end in a local maximum
    of the likelihood, most often beside a Heywood case. Checked against psych ``fa(fm = "ml")``
    and R ``factanal`` from 200 starts (tests/reference/efa_starts.R).
    """
    matrix = check_correlations(corr, function="extract_ml", n_factors=n_factors)

    def value_and_slope(psi: Array) -> tuple[float, Array]:
        scale = 1 / np.sqrt(psi)
        values, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
        small = np.maximum(values[: len(psi) - n_factors], np.finfo(float).tiny)
        value = np.sum(small - np.log(small))
        loadings = _ml_loadings(values, vectors, psi, n_factors)
        residual = loadings @ loadings.T + np.diag(psi) - matrix
        return float(value), np.diag(residual) / psi**2

    def loadings_of(psi: Array) -> Array:
        scale = 1 / np.sqrt(psi)
        values, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
        return _ml_loadings(values, vectors, psi, n_factors)

    return _search(matrix, n_factors, value_and_slope, loadings_of, starts=STARTS)


def _ml_loadings(values: Array, vectors: Array, psi: Array, m: int) -> Array:
    """Return the loadings that ML gives for fixed uniquenesses."""
    size = np.sqrt(np.maximum(values[::-1][:m] - 1, 0))
    return np.sqrt(psi)[:, None] * vectors[:, ::-1][:, :m] * size


def extract_minres(
    corr: ArrayLike, n_factors: int, *, precision: float = PRECISION, starts: int = STARTS
) -> Extracted:
    """Extract factors with the smallest sum of squared residual correlations (Harman & Jones 1966).

    The same solution is called unweighted least squares. ``precision`` is the relative change of
    the criterion at which the search ends, ``starts`` the number of starts whose best is kept;
    resamples need less of both. Checked against psych
    ``fa(fm = "minres")``.
    """
    matrix = check_correlations(corr, function="extract_minres", n_factors=n_factors)

    def value_and_slope(psi: Array) -> tuple[float, Array]:
        loadings = _reduced_loadings(matrix, psi, n_factors)
        residual = matrix - loadings @ loadings.T - np.diag(psi)
        return float(np.sum(residual**2) / 2), -np.diag(residual)

    return _search(
        matrix,
        n_factors,
        value_and_slope,
        lambda psi: _reduced_loadings(matrix, psi, n_factors),
        precision=precision,
        starts=starts,
    )


def extract_pa(corr: ArrayLike, n_factors: int) -> Extracted:
    """Extract factors by iterated principal axis, from squared multiple correlations.

    Iterates until no communality moves by more than 1e-9. Checked against psych
    ``fa(fm = "pa", min.err = 1e-10)``; psych's default stops at 0.001, and so differs in the third
    decimal.
    """
    matrix = check_correlations(corr, function="extract_pa", n_factors=n_factors)
    psi = 1 / np.diag(np.linalg.inv(matrix))
    converged = False
    for _step in range(MAX_ITER):
        loadings = _reduced_loadings(matrix, psi, n_factors)
        new = 1 - np.sum(loadings**2, axis=1)
        converged = bool(np.max(np.abs(new - psi)) < TOLERANCE)
        psi = new
        if converged:
            break
    return _finish(matrix, _reduced_loadings(matrix, psi, n_factors), psi, converged)


def _reduced_loadings(matrix: Array, psi: Array, m: int) -> Array:
    """Return the leading scaled eigenvectors of the matrix with communalities on its diagonal."""
    values, vectors = np.linalg.eigh(matrix - np.diag(psi))
    return vectors[:, ::-1][:, :m] * np.sqrt(np.maximum(values[::-1][:m], 0))


def _search(
    matrix: Array,
    m: int,
    value_and_slope: Callable[[Array], tuple[float, Array]],
    loadings_of: Callable[[Array], Array],
    *,
    precision: float = PRECISION,
    starts: int,
) -> Extracted:
    """Search the uniquenesses within (0.005, 1) from several starts; the first wins a tie."""
    options = {"maxiter": MAX_ITER, "ftol": precision, "gtol": 1e-8, "maxls": 50}
    bounds = [(LOWEST, 1.0)] * len(matrix)
    found = None
    for start in _starts(matrix, m)[:starts]:
        own = minimize(
            value_and_slope, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        if found is None or own.fun < found.fun - SAME_OPTIMUM:
            found = own
    _value, slope = value_and_slope(found.x)
    inside = (found.x > LOWEST) & (found.x < 1)
    converged = bool(np.all(np.abs(slope[inside]) < 1e-4))
    return _finish(matrix, loadings_of(found.x), found.x, converged)


def _starts(matrix: Array, m: int) -> list[Array]:
    """Return uniquenesses to start from: Joreskog's, from squared multiple correlations, others."""
    p = len(matrix)
    unique = 1 / np.diag(np.linalg.inv(matrix))
    fixed = [(1 - 0.5 * m / p) * unique, unique, np.full(p, 0.5)]
    rng = np.random.default_rng(0)
    drawn = rng.uniform(0.1, 0.9, size=(STARTS - len(fixed), p))
    return [np.clip(start, 0.01, 0.995) for start in (*fixed, *drawn)]


def _finish(matrix: Array, loadings: Array, psi: Array, converged: bool) -> Extracted:
    """Order and sign the factors and compute the ML discrepancy."""
    ordered = order_factors(loadings)
    floor = np.maximum(psi, LOWEST)
    implied = ordered @ ordered.T + np.diag(floor)
    value = np.linalg.slogdet(implied)[1] - np.linalg.slogdet(matrix)[1]
    value += np.trace(np.linalg.solve(implied, matrix)) - len(matrix)
    return Extracted(ordered, psi, float(value), converged)


def order_factors(loadings: Array) -> Array:
    """Return loadings with the largest sum of squares first and positive column sums."""
    ordered = loadings[:, np.argsort(-np.sum(loadings**2, axis=0), kind="stable")]
    return ordered * np.where(ordered.sum(axis=0) < 0, -1.0, 1.0)


def check_correlations(
    corr: ArrayLike, *, function: str, n_factors: int = 0, least_factors: int = 0
) -> Array:
    """Return a correlation matrix as an array, or say what is wrong with it or with n_factors."""
    matrix = np.asarray(corr, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise DataContractError(
            f"{function}: corr= has shape {matrix.shape}; a square correlation matrix of at least "
            "2 variables is needed."
        )
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, atol=1e-8):
        raise DataContractError(
            f"{function}: corr= is not symmetric or has blanks; a correlation matrix is needed."
        )
    if not np.allclose(np.diag(matrix), 1, atol=1e-8):
        raise DataContractError(
            f"{function}: corr= has a diagonal other than 1; a correlation matrix is needed. "
            "Divide covariances by the standard deviations."
        )
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest <= LEAST_EIGENVALUE:
        raise EstimationError(
            f"{function}: corr= has the smallest eigenvalue {smallest:.2g}; a positive definite "
            "matrix is needed. Look for items that are sums or copies of others, and whether there "
            "are more respondents than items."
        )
    p = len(matrix)
    if n_factors > most_factors(p):
        raise DataContractError(
            f"{function}: n_factors= is {n_factors} for {p} variables; at most {most_factors(p)} "
            "are identified. Ask for fewer."
        )
    if n_factors < least_factors:
        raise DataContractError(f"{function}: n_factors= is {n_factors}; at least 1 is needed.")
    return matrix


def most_factors(p: int) -> int:
    """Return how many factors p variables identify: ``(p - m)^2 >= p + m``."""
    return max(m for m in range(p) if (p - m) ** 2 >= p + m)
