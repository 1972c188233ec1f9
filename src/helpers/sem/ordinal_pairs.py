"""Polychoric correlations of all pairs of ordered variables, and their scores.

A pair enters only through its table of counts, so everything here is an array over (pair,
category of the first, category of the second), padded to the largest number of categories with
thresholds at infinity and counts of zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from helpers.sem.bivariate_normal import (
    INFINITE,
    bivariate_cdf,
    bivariate_density,
    density_slope,
)
from helpers.sem.ordinal_newton import maximise_correlations

Array = NDArray[np.float64]
Index = NDArray[np.intp]

POLYCHORIC_BOUND = 0.999
"""lavaan's bound; a correlation on it means that the table gives no finite estimate."""

_SMALLEST = float(np.sqrt(np.finfo(float).eps))
"""Cells less likely than this give no score, as in lavaan: their logarithm is not reliable."""

_TWO_BY_TWO_CORRECTION = 0.5
"""Added to an empty cell of a 2 x 2 table, with the margins kept (lavaan's default)."""


@dataclass(frozen=True, slots=True)
class CellScores:
    """Derivatives of every pair's log-likelihood, per cell of its table.

    Attributes
    ----------
    by_rho : array, shape (pairs, K, K)
        Derivative of the log of a cell's probability by the correlation.
    cross_first, cross_second : arrays, shape (pairs, K - 1)
        Sums over cells of count x derivative by rho x derivative by the thresholds of the
        first (second) variable: the off-diagonal block of the outer product of scores.
    """

    by_rho: Array
    cross_first: Array
    cross_second: Array


def count_tables(
    codes: NDArray[np.intp], n_categories: Index, first: Index, second: Index
) -> Array:
    """Return the tables of counts of pairs, shape (pairs, K, K).

    Parameters
    ----------
    codes : int array, shape (n, p)
        Categories 0, 1, ...; -1 where missing, which enters no table.
    n_categories : array, shape (p,)
    first, second : arrays, shape (pairs,)
        Columns of each pair.
    """
    p, most = codes.shape[1], int(n_categories.max())
    hot = (codes[:, :, None] == np.arange(most)).reshape(len(codes), -1).astype(np.float32)
    counts = _counts(hot).reshape(p, most, p, most)
    return counts[first, :, second, :]


def _counts(hot: NDArray[np.float32]) -> Array:
    """Return hot' hot in pieces small enough for single precision to count exactly."""
    total = np.zeros((hot.shape[1], hot.shape[1]))
    for start in range(0, len(hot), 1 << 20):
        part = hot[start : start + (1 << 20)]
        total += part.T @ part
    return total


def thresholds_from_counts(counts: Array) -> Array:
    """Return the K - 1 thresholds of one variable: normal quantiles of cumulated shares."""
    return ndtri(np.cumsum(counts)[:-1] / counts.sum())


def corrected_tables(tables: Array, two_by_two: NDArray[np.bool_]) -> Array:
    """Return tables in which 2 x 2 tables with one empty cell are smoothed, margins kept."""
    small = tables[:, :2, :2]
    lone = two_by_two & ((small == 0).sum(axis=(1, 2)) == 1)
    if not lone.any():
        return tables
    corrected = tables.copy()
    on_diagonal = (small[:, 0, 0] == 0) | (small[:, 1, 1] == 0)
    sign = np.where(on_diagonal, 1.0, -1.0)[lone] * _TWO_BY_TWO_CORRECTION
    corrected[lone, :2, :2] += sign[:, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return corrected


def polychoric(tables: Array, th_first: Array, th_second: Array, start: Array) -> Array:
    """Return the maximum-likelihood correlation of each table at given thresholds.

    Parameters
    ----------
    tables : array, shape (pairs, K, K)
    th_first, th_second : arrays, shape (pairs, K - 1)
        Thresholds of the two variables, padded with 38.
    start : array, shape (pairs,)
        Pearson correlations of the categories.

    References
    ----------
    Olsson (1979), doi:10.1007/BF02296207 (two-step estimator).
    """
    grid = _grid(th_first, th_second)

    def slopes(rho: Array, active: Index) -> tuple[Array, Array]:
        h, k = grid[0][active], grid[1][active]
        probability = _cells(h, k, rho, th_first[active], th_second[active])
        density = bivariate_density(h, k, rho[:, None, None])
        slope = _differences(density)
        bend = _differences(density * density_slope(h, k, rho[:, None, None]))
        sound = probability > _SMALLEST
        safe = np.where(sound, probability, 1.0)
        counts = np.where(sound, tables[active], 0.0)
        ratio = slope / safe
        first = (counts * ratio).sum(axis=(1, 2))
        return first, (counts * (bend / safe - ratio**2)).sum(axis=(1, 2))

    return maximise_correlations(slopes, start, bound=POLYCHORIC_BOUND)


def cell_scores(tables: Array, th_first: Array, th_second: Array, rho: Array) -> CellScores:
    """Return the scores of all cells, and their cross-products with the threshold scores."""
    h, k = _grid(th_first, th_second)
    probability = _cells(h, k, rho, th_first, th_second)
    sound = probability > _SMALLEST
    safe = np.where(sound, probability, 1.0)
    slope = _differences(bivariate_density(h, k, rho[:, None, None]))
    by_rho = np.where(sound, slope / safe, 0.0)
    weight = np.where(sound, tables * by_rho / safe, 0.0)
    first = _threshold_cross(weight, th_first, th_second, rho)
    second = _threshold_cross(weight.transpose(0, 2, 1), th_second, th_first, rho)
    return CellScores(by_rho=by_rho, cross_first=first, cross_second=second)


def _threshold_cross(weight: Array, own: Array, other: Array, rho: Array) -> Array:
    """Sum weight times the derivative of the cells' probabilities by the own thresholds.

    A threshold moves probability from the category above it to the one below:
    ``phi(t) [Phi((s_b - rho t) / R) - Phi((s_{b-1} - rho t) / R)]`` for column b.
    """
    root = np.sqrt(1 - rho * rho)[:, None, None]
    inner = ndtr((other[:, None, :] - rho[:, None, None] * own[:, :, None]) / root)
    edge = np.zeros((*inner.shape[:2], 1))
    share = np.diff(np.concatenate([edge, inner, edge + 1], axis=2), axis=2)
    density = np.exp(-own * own / 2) / np.sqrt(2 * np.pi)
    return ((weight[:, :-1, :] - weight[:, 1:, :]) * share).sum(axis=2) * density


def _grid(th_first: Array, th_second: Array) -> tuple[Array, Array]:
    """Return the thresholds of both variables on the (K - 1) x (K - 1) grid of each pair."""
    h, k = np.broadcast_arrays(th_first[:, :, None], th_second[:, None, :])
    return h, k


def _cells(h: Array, k: Array, rho: Array, th_first: Array, th_second: Array) -> Array:
    """Return the probabilities of all cells, shape (pairs, K, K)."""
    pairs, rows, columns = h.shape
    cdf = np.zeros((pairs, rows + 2, columns + 2))
    flat = bivariate_cdf(h.reshape(pairs, -1), k.reshape(pairs, -1), rho)
    cdf[:, 1:-1, 1:-1] = flat.reshape(h.shape)
    cdf[:, 1:-1, -1] = ndtr(th_first)
    cdf[:, -1, 1:-1] = ndtr(th_second)
    cdf[:, -1, -1] = 1.0
    return np.diff(np.diff(cdf, axis=1), axis=2)


def _differences(grid: Array) -> Array:
    """Return the second differences of a function that is 0 on the edges of the grid."""
    padded = np.pad(grid, ((0, 0), (1, 1), (1, 1)))
    return np.diff(np.diff(padded, axis=1), axis=2)


def pad_thresholds(thresholds: list[Array], most: int) -> Array:
    """Return thresholds of several variables as rows, padded with 38."""
    rows = np.full((len(thresholds), most - 1), INFINITE)
    for row, values in zip(rows, thresholds, strict=True):
        row[: len(values)] = values
    return rows
