"""Ordered and continuous variables regressed on covariates, one at a time.

The first step of estimation given covariates: an ordered variable by ordinal probit regression,
``P(y <= k | x) = Phi(tau_k - x' b)``, a continuous one by least squares. Each margin keeps what
the pairs need from it: its limits or residuals row by row, the design of its parameters, and its
casewise scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from helpers.errors import EstimationError
from helpers.sem.bivariate_normal import INFINITE

Array = NDArray[np.float64]

_TOLERANCE = 1e-10
"""Largest last Newton step, in units of the latent response's residual deviation."""

_MAX_STEPS = 50


@dataclass(frozen=True, slots=True)
class Margin:
    """One variable given the covariates.

    Attributes
    ----------
    ordered : bool
    first : array
        Thresholds of an ordered variable, the intercept of a continuous one.
    slopes : array, shape (q,)
    variance : float
        Residual variance; 1 for an ordered variable.
    z : array, shape (n,)
        Residuals of a continuous variable over their deviation; zeros for an ordered one.
    upper, lower : arrays, shape (n,)
        Limits of the answered category, less the prediction; zeros for a continuous variable.
    upper_design, lower_design : arrays, shape (n, len(first) + q)
        Derivatives of the limits by (first, slopes); for a continuous variable the first is the
        derivative of its prediction.
    scores : array, shape (n, k)
        Casewise scores of (first, slopes, variance if continuous).
    """

    ordered: bool
    first: Array
    slopes: Array
    variance: float
    z: Array
    upper: Array
    lower: Array
    upper_design: Array
    lower_design: Array
    scores: Array


def linear_margin(y: Array, x: Array) -> Margin:
    """Regress a continuous variable on covariates by least squares, variance with divisor n."""
    design = np.column_stack([np.ones(len(y)), x])
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    residual = y - design @ coefficients
    variance = float(residual @ residual) / len(y)
    by_variance = (residual**2 / variance - 1) / (2 * variance)
    zero = np.zeros(len(y))
    return Margin(
        False, coefficients[:1], coefficients[1:], variance, residual / np.sqrt(variance), zero,
        zero, design, np.zeros_like(design),
        np.column_stack([design * (residual / variance)[:, None], by_variance]),
    )  # fmt: skip


def probit_margin(codes: NDArray[np.intp], n_categories: int, x: Array, name: str) -> Margin:
    """Regress an ordered variable on covariates by maximum likelihood (Newton's method).

    The log-likelihood is concave, so Newton steps, halved while they lower it, converge.

    Raises
    ------
    EstimationError
        The covariates separate the categories, or are linearly dependent.
    """
    k = n_categories - 1
    centre, spread = x.mean(axis=0), x.std(axis=0)
    scaled = (x - centre) / np.where(spread > 0, spread, 1.0)
    upper_design, lower_design = _designs(codes, k, scaled)
    share = np.cumsum(np.bincount(codes, minlength=n_categories))[:-1] / len(codes)
    theta = np.concatenate([ndtri(share), np.zeros(x.shape[1])])
    value = _probit_value(theta, codes, k, upper_design, lower_design)
    for _ in range(_MAX_STEPS):
        step = _probit_step(theta, codes, k, upper_design, lower_design)
        if step is None or not np.isfinite(step).all():
            raise _separated(name)
        size = 1.0
        new = _probit_value(theta + step, codes, k, upper_design, lower_design)
        while new < value - 1e-10 * abs(value) and size > 1e-6:
            size /= 2
            new = _probit_value(theta + size * step, codes, k, upper_design, lower_design)
        theta, value = theta + size * step, new
        if np.abs(size * step).max() < _TOLERANCE:
            break
    else:
        raise _separated(name)
    slopes = theta[k:] / np.where(spread > 0, spread, 1.0)
    first = theta[:k] + centre @ slopes
    return _probit_result(first, slopes, codes, x)


def _separated(name: str) -> EstimationError:
    """Return the error of a probit regression without a finite maximum."""
    return EstimationError(
        f"fit: the probit regression of {name} on the covariates has no finite solution; a "
        "covariate separates the categories, or covariates determine one another. Leave a "
        "covariate out, or join categories."
    )


def _designs(codes: NDArray[np.intp], k: int, x: Array) -> tuple[Array, Array]:
    """Return the derivatives of the upper and lower limits by thresholds and slopes."""
    threshold = np.arange(k)
    upper = (codes[:, None] == threshold).astype(float)
    lower = (codes[:, None] - 1 == threshold).astype(float)
    return np.hstack([upper, -x]), np.hstack([lower, -x])


def _limits(
    theta: Array, codes: NDArray[np.intp], k: int, upper: Array, lower: Array
) -> tuple[Array, Array]:
    """Return the limits of each row's category, +-38 at the ends."""
    high = np.where(codes == k, INFINITE, upper @ theta)
    return high, np.where(codes == 0, -INFINITE, lower @ theta)


def _probit_value(
    theta: Array, codes: NDArray[np.intp], k: int, upper: Array, lower: Array
) -> float:
    """Return the log-likelihood, minus infinity where a category has no room."""
    high, low = _limits(theta, codes, k, upper, lower)
    chance = ndtr(high) - ndtr(low)
    if (chance <= 0).any():
        return -np.inf
    return float(np.log(chance).sum())


def _slopes_of_limits(high: Array, low: Array) -> tuple[Array, Array, Array]:
    """Return the derivatives of the log-probability by both limits, and the probability."""
    chance = ndtr(high) - ndtr(low)
    normal = 1 / np.sqrt(2 * np.pi)
    by_high = normal * np.exp(-high * high / 2) / chance
    by_low = -normal * np.exp(-low * low / 2) / chance
    return by_high, by_low, chance


def _probit_step(
    theta: Array, codes: NDArray[np.intp], k: int, upper: Array, lower: Array
) -> Array | None:
    """Return the Newton step, None where the Hessian is singular."""
    high, low = _limits(theta, codes, k, upper, lower)
    by_high, by_low, _chance = _slopes_of_limits(high, low)
    gradient = upper.T @ by_high + lower.T @ by_low
    cross = upper.T @ (-(by_high * by_low)[:, None] * lower)
    hessian = upper.T @ ((-high * by_high - by_high**2)[:, None] * upper)
    hessian += lower.T @ ((-low * by_low - by_low**2)[:, None] * lower)
    hessian += cross + cross.T
    try:
        return np.linalg.solve(-hessian, gradient)
    except np.linalg.LinAlgError:
        return None


def _probit_result(first: Array, slopes: Array, codes: NDArray[np.intp], x: Array) -> Margin:
    """Put a probit regression together, in units of the covariates."""
    k = len(first)
    upper, lower = _designs(codes, k, x)
    high, low = _limits(np.concatenate([first, slopes]), codes, k, upper, lower)
    by_high, by_low, _chance = _slopes_of_limits(high, low)
    scores = by_high[:, None] * upper + by_low[:, None] * lower
    return Margin(True, first, slopes, 1.0, np.zeros(len(x)), high, low, upper, lower, scores)
