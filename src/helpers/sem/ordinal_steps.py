"""The two steps: univariate thresholds and means, then one correlation per pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.sem.bivariate_normal import INFINITE
from helpers.sem.ordinal_codes import CodedRows
from helpers.sem.ordinal_mixed import PEARSON_BOUND, POLYSERIAL_BOUND, pearson, polyserial
from helpers.sem.ordinal_pairs import (
    POLYCHORIC_BOUND,
    corrected_tables,
    count_tables,
    pad_thresholds,
    polychoric,
    thresholds_from_counts,
)

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Steps:
    """Estimates of both steps.

    Attributes
    ----------
    ordered : bool array, shape (p,)
    n_categories : int array, shape (p,)
        0 for continuous variables.
    counts : tuple of array
        Answers in each category of each ordered variable.
    thresholds, threshold_variable : arrays, shape (nth,)
        Thresholds and means, variable by variable, and the position of their variable.
    start : int array, shape (p,)
        First position of each variable in ``thresholds``.
    padded : array, shape (p, K - 1)
        Thresholds of ordered variables, padded with 38.
    mean, variance : arrays, shape (p,)
    z : array, shape (n, p)
        Standardised continuous variables; 0 elsewhere and where missing.
    first, second : int arrays, shape (pairs,)
        Pairs below the diagonal, column by column.
    rho : array, shape (pairs,)
    both_ordered : bool array, shape (pairs,)
    tables : array, shape (pairs of ordered, K, K)
        Counts as observed.
    empty, at_bound, perfect : bool arrays, shape (pairs,)
        Tables with an empty cell; correlations on the bound; 2 x 2 tables with two empty cells.
    """

    ordered: Flags
    n_categories: Index
    counts: tuple[Array, ...]
    thresholds: Array
    threshold_variable: Index
    start: Index
    padded: Array
    mean: Array
    variance: Array
    z: Array
    first: Index
    second: Index
    rho: Array
    both_ordered: Flags
    tables: Array
    empty: Flags
    at_bound: Flags
    perfect: Flags


def estimate_steps(rows: CodedRows, ordered: Flags, n_categories: Index) -> Steps:
    """Estimate thresholds, means and variances, then all correlations."""
    p = len(ordered)
    first, second = np.triu_indices(p, k=1)
    mean, variance, z = _standardised(rows, ordered)
    counts = tuple(
        np.bincount(rows.codes[rows.codes[:, j] >= 0, j], minlength=n_categories[j]).astype(float)
        for j in range(p)
    )
    per_variable = [
        thresholds_from_counts(counts[j]) if ordered[j] else mean[j : j + 1] for j in range(p)
    ]
    sizes = np.array([len(values) for values in per_variable])
    limits = [values if flag else values[:0] for values, flag in zip(per_variable, ordered)]
    padded = pad_thresholds(limits, max(int(n_categories.max()), 2))
    both = ordered[first] & ordered[second]
    tables = count_tables(rows.codes, n_categories, first[both], second[both])
    rho = _correlations(rows, ordered, z, padded, counts, n_categories, (first, second), tables)
    empty, perfect = _emptiness(tables, n_categories, first[both], second[both])
    bound = np.where(both, POLYCHORIC_BOUND, POLYSERIAL_BOUND)
    bound = np.where(~ordered[first] & ~ordered[second], PEARSON_BOUND, bound)
    return Steps(
        ordered=ordered,
        n_categories=n_categories,
        counts=counts,
        thresholds=np.concatenate(per_variable),
        threshold_variable=np.repeat(np.arange(p), sizes),
        start=np.cumsum(sizes) - sizes,
        padded=padded,
        mean=mean,
        variance=variance,
        z=z,
        first=first,
        second=second,
        rho=rho,
        both_ordered=both,
        tables=tables,
        empty=_spread(empty, both),
        at_bound=np.abs(rho) >= bound,
        perfect=_spread(perfect, both),
    )


def _standardised(rows: CodedRows, ordered: Flags) -> tuple[Array, Array, Array]:
    """Return means (0 if ordered), variances (1 if ordered) and standardised values."""
    present = rows.present & ~ordered
    count = np.maximum(present.sum(axis=0), 1)
    mean = rows.values.sum(axis=0) / count
    deviation = (rows.values - mean) * present
    variance = np.where(ordered, 1.0, (deviation**2).sum(axis=0) / count)
    return mean, variance, deviation / np.sqrt(variance)


def _correlations(
    rows: CodedRows,
    ordered: Flags,
    z: Array,
    padded: Array,
    counts: tuple[Array, ...],
    n_categories: Index,
    pairs: tuple[Index, Index],
    tables: Array,
) -> Array:
    """Return the correlation of every pair by the method of its kind."""
    first, second = pairs
    rho = np.empty(len(first))
    both, none = ordered[first] & ordered[second], ~ordered[first] & ~ordered[second]
    if both.any():
        small = (n_categories[first[both]] == 2) & (n_categories[second[both]] == 2)
        rho[both] = polychoric(
            corrected_tables(tables, small),
            padded[first[both]],
            padded[second[both]],
            _table_correlation(tables),
        )
    if none.any():
        a, b = first[none], second[none]
        rho[none] = pearson(z[:, a], z[:, b], rows.present[:, a] & rows.present[:, b])
    mixed = ~both & ~none
    if mixed.any():
        continuous, category = mixed_columns(ordered, first[mixed], second[mixed])
        upper, lower = limits_of(rows.codes[:, category], padded[category])
        rho[mixed] = polyserial(
            z[:, continuous],
            upper,
            lower,
            (rows.present[:, continuous] & rows.present[:, category]).astype(float),
            _polyserial_start(rows, z, padded, counts, continuous, category),
        )
    return rho


def mixed_columns(ordered: Flags, first: Index, second: Index) -> tuple[Index, Index]:
    """Return the continuous and the ordered variable of mixed pairs."""
    swap = ordered[first]
    return np.where(swap, second, first), np.where(swap, first, second)


def limits_of(codes: NDArray[np.intp], padded: Array) -> tuple[Array, Array]:
    """Return the thresholds above and below each answer, +-38 at the ends, shape (n, pairs)."""
    edge = np.full((len(padded), 1), INFINITE)
    grid = np.hstack([-edge, padded, edge])
    pair = np.arange(len(padded))
    safe = np.maximum(codes, 0)
    return grid[pair, safe + 1], grid[pair, safe]


def _table_correlation(tables: Array) -> Array:
    """Return the Pearson correlation of the category numbers of each table."""
    scores = np.arange(tables.shape[1], dtype=float)
    total = tables.sum(axis=(1, 2))
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    mean_a, mean_b = rows @ scores / total, columns @ scores / total
    var_a, var_b = rows @ scores**2 / total - mean_a**2, columns @ scores**2 / total - mean_b**2
    cross = np.einsum("kab,a,b->k", tables, scores, scores) / total - mean_a * mean_b
    return cross / np.sqrt(var_a * var_b)


def _polyserial_start(
    rows: CodedRows,
    z: Array,
    padded: Array,
    counts: tuple[Array, ...],
    continuous: Index,
    category: Index,
) -> Array:
    """Return correlation x SD of categories / sum of densities at the thresholds."""
    codes = np.where(rows.codes >= 0, rows.codes, 0).astype(float)
    share = [c / c.sum() if len(c) else np.ones(1) for c in counts]
    centre = np.array([np.arange(len(s)) @ s for s in share])
    deviation = (codes - centre) * rows.present
    covariance = (z.T @ deviation)[continuous, category] / len(z)
    density = (np.exp(-(padded**2) / 2) / np.sqrt(2 * np.pi)).sum(axis=1)
    return covariance / density[category]


def _emptiness(tables: Array, n_categories: Index, a: Index, b: Index) -> tuple[Flags, Flags]:
    """Tell which tables have an empty cell, and which 2 x 2 tables have two."""
    zeros = (tables == 0).sum(axis=(1, 2))
    padding = tables.shape[1] * tables.shape[2] - n_categories[a] * n_categories[b]
    empty = zeros - padding
    two_by_two = (n_categories[a] == 2) & (n_categories[b] == 2)
    return empty > 0, two_by_two & (empty >= 2)


def _spread(flags: Flags, where: Flags) -> Flags:
    """Put flags of some pairs into an array over all pairs."""
    out = np.zeros(len(where), dtype=bool)
    out[where] = flags
    return out
