"""Safeguarded Newton steps for many correlations at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Slopes = Callable[[Array, NDArray[np.intp]], tuple[Array, Array]]

_TOLERANCE = 1e-8
"""Largest last step. Newton's error is of the order of its square."""

_MAX_STEPS = 60


def maximise_correlations(slopes: Slopes, start: Array, *, bound: float) -> Array:
    """Maximise one log-likelihood per pair in its correlation.

    Parameters
    ----------
    slopes : callable
        Given correlations and the positions of their pairs, the first and second derivatives of
        each pair's log-likelihood.
    start : array, shape (pairs,)
    bound : float
        Correlations stay within plus and minus this; a maximum outside ends on it.

    Notes
    -----
    The sign of each slope narrows a bracket, and a Newton step that leaves the bracket, or meets
    positive curvature, is replaced by bisection, so every pair converges.
    """
    rho = np.clip(start, -0.9 * bound, 0.9 * bound)
    low, high = np.full(len(rho), -bound), np.full(len(rho), bound)
    active = np.arange(len(rho))
    for _ in range(_MAX_STEPS):
        here = rho[active]
        slope, curvature = slopes(here, active)
        low[active] = np.where(slope > 0, here, low[active])
        high[active] = np.where(slope < 0, here, high[active])
        with np.errstate(divide="ignore", invalid="ignore"):
            new = here - slope / curvature
        middle = _towards_bound(slope, here, low[active], high[active], bound)
        inside = (curvature < 0) & (new > low[active]) & (new < high[active])
        new = np.where(slope == 0, here, np.where(inside, new, middle))
        rho[active] = new
        active = active[np.abs(new - here) > _TOLERANCE]
        if not len(active):
            break
    return rho


def _towards_bound(slope: Array, here: Array, low: Array, high: Array, bound: float) -> Array:
    """Return the middle of each bracket; a bracket still open at a bound closes on it at last."""
    middle = (low + high) / 2
    near_top = (slope > 0) & (high == bound) & (bound - here < 1e-6)
    near_bottom = (slope < 0) & (low == -bound) & (bound + here < 1e-6)
    return np.where(near_top, bound, np.where(near_bottom, -bound, middle))
