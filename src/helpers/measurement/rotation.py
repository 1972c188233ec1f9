"""Rotation of factor loadings: varimax, promax and oblimin.

Oblimin is found by gradient projection from the unrotated solution (Jennrich 2002). statsmodels
gives the same to 1e-4 but does not say whether it converged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.errors import DataContractError, EstimationError, listing, nearest
from helpers.memo import remembered

Array = NDArray[np.float64]
Rotation = Literal["none", "varimax", "promax", "oblimin"]

PROMAX_POWER = 4
VARIMAX_STEPS, VARIMAX_TOLERANCE = 5000, 1e-14
GRADIENT_STEPS, GRADIENT_TOLERANCE = 5000, 1e-7
STARTS = 8
"""Random starts of oblimin beside the unrotated axes."""
SAME_CRITERION = 1e-9
"""Two starts with criteria this close found the same optimum."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """Rotated loadings.

    Attributes
    ----------
    loadings : ndarray, shape (p, m)
        Pattern loadings, largest sum of squares first, column sums positive.
    phi : ndarray, shape (m, m)
        Factor correlations; the identity for an orthogonal rotation.
    """

    loadings: Array
    phi: Array


@remembered
def rotate(loadings: ArrayLike, method: Rotation = "oblimin", *, seed: int = 0) -> Rotated:
    """Rotate loadings.

    Parameters
    ----------
    loadings : array_like, shape (p, m)
        Orthogonal loadings; one factor comes back as it is.
    method : {"none", "varimax", "promax", "oblimin"}
        Varimax with Kaiser's row weights; promax with power 4 from that varimax; oblimin with
        gamma 0 (quartimin) without row weights, as ``GPArotation::oblimin`` by default.
    seed : int
        Of the random starts of oblimin.

    Notes
    -----
    Quartimin can have local optima: it is started from the unrotated axes and from ``STARTS``
    random ones, and the smallest criterion is kept; the first start wins a tie, so that a single
    optimum is found as other programs find it. Factors come back with the largest sum of squares
    first and positive column sums. Checked against R ``varimax``, psych ``Promax``, lavaan's
    oblimin (tests/reference/psych.R) and ``GPArotation::oblimin`` (tests/reference/efa.R).

    References
    ----------
    Kaiser (1958), doi:10.1007/BF02289233. Hendrickson & White (1964),
    doi:10.1111/j.2044-8317.1964.tb00244.x. Jennrich (2002), doi:10.1007/BF02294706.
    """
    unrotated = np.asarray(loadings, dtype=float)
    allowed = get_args(Rotation)
    if method not in allowed:
        raise DataContractError(
            f"rotate: method= is '{method}'; allowed are {listing(allowed)}."
            f"{nearest(method, allowed)} Choose one of them."
        )
    m = unrotated.shape[1]
    if m == 1 or method == "none":
        return _ordered(unrotated, np.eye(m))
    if method == "varimax":
        return _ordered(_varimax(unrotated), np.eye(m))
    if method == "promax":
        return _ordered(*_promax(unrotated))
    return _ordered(*_best_oblimin(unrotated, seed))


def _varimax(loadings: Array) -> Array:
    """Return varimax loadings with Kaiser's row weights, by singular value steps."""
    size = np.sqrt(np.sum(loadings**2, axis=1))[:, None]
    rows = loadings / size
    turn, last = np.eye(rows.shape[1]), 0.0
    for _step in range(VARIMAX_STEPS):
        z = rows @ turn
        target = rows.T @ (z**3 - z * np.mean(z**2, axis=0))
        left, values, right = np.linalg.svd(target)
        turn = left @ right
        total = float(values.sum())
        if total < last * (1 + VARIMAX_TOLERANCE):
            break
        last = total
    return rows @ turn * size


def _promax(loadings: Array) -> tuple[Array, Array]:
    """Return promax loadings and factor correlations: a least-squares fit to powered varimax."""
    simple = _varimax(loadings)
    target = simple * np.abs(simple) ** (PROMAX_POWER - 1)
    turn = np.linalg.lstsq(simple, target, rcond=None)[0]
    turn = turn * np.sqrt(np.diag(np.linalg.inv(turn.T @ turn)))
    inverse = np.linalg.inv(turn)
    return simple @ turn, inverse @ inverse.T


def quartimin(loadings: ArrayLike) -> Rotated:
    """Rotate by oblimin from the unrotated axes alone: for resamples, where time counts."""
    _value, rotated, phi = _oblimin(
        np.asarray(loadings, dtype=float), np.eye(np.shape(loadings)[1])
    )
    return _ordered(rotated, phi)


def _best_oblimin(loadings: Array, seed: int) -> tuple[Array, Array]:
    """Return the quartimin solution with the smallest criterion over several starts."""
    m = loadings.shape[1]
    rng = np.random.default_rng(seed)
    starts = [np.eye(m), *(np.linalg.qr(rng.normal(size=(m, m)))[0] for _start in range(STARTS))]
    best: tuple[float, Array, Array] | None = None
    for start in starts:
        try:
            found = _oblimin(loadings, start)
        except EstimationError:
            if start is starts[-1] and best is None:
                raise
            continue
        if best is None or found[0] < best[0] - SAME_CRITERION:
            best = found
    return best[1], best[2]


def _oblimin(loadings: Array, turn: Array) -> tuple[float, Array, Array]:
    """Return the quartimin criterion, loadings and factor correlations from one start."""
    step = 1.0
    value, slope = _quartimin(loadings, turn)
    for _iteration in range(GRADIENT_STEPS):
        projected = slope - turn * np.sum(turn * slope, axis=0)
        size = float(np.linalg.norm(projected))
        if size < GRADIENT_TOLERANCE:
            rotated = loadings @ np.linalg.inv(turn).T
            return value, rotated, turn.T @ turn
        step *= 2
        while True:
            trial = turn - step * projected
            trial = trial / np.linalg.norm(trial, axis=0)
            new_value, new_slope = _quartimin(loadings, trial)
            if new_value < value - 0.5 * size**2 * step or step < 1e-12:
                break
            step /= 2
        turn, value, slope = trial, new_value, new_slope
    raise EstimationError(
        f"rotate: method= 'oblimin' did not converge in {GRADIENT_STEPS} steps (gradient "
        f"{size:.1e}); a gradient below {GRADIENT_TOLERANCE} is needed. Ask for fewer factors, "
        "or use promax."
    )


def _quartimin(loadings: Array, turn: Array) -> tuple[float, Array]:
    """Return the quartimin criterion and its slope in the turn."""
    inverse = np.linalg.inv(turn)
    rotated = loadings @ inverse.T
    squares = rotated**2
    others = squares.sum(axis=1, keepdims=True) - squares
    slope = -(rotated.T @ (rotated * others) @ inverse).T
    return float(np.sum(squares * others)) / 4, slope


def _ordered(loadings: Array, phi: Array) -> Rotated:
    """Order factors by sum of squares and make column sums positive; phi follows."""
    order = np.argsort(-np.sum(loadings**2, axis=0), kind="stable")
    sign = np.where(loadings[:, order].sum(axis=0) < 0, -1.0, 1.0)
    return Rotated(loadings[:, order] * sign, phi[np.ix_(order, order)] * np.outer(sign, sign))
