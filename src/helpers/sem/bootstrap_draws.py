"""Seeded draws: how often each row stands in each replicate, and moments drawn from the model.

Replicates come in tiles of fixed size, each with a random stream of its own spawned from the seed
(``SeedSequence``). What a tile holds depends on the seed and its number only: not on how tiles are
spread over processes, nor on how many follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.errors import DataContractError, listing
from helpers.sem.bootstrap_kernels import BatchMoments
from helpers.sem.moments import GroupMoments

Array = np.ndarray

TILE = 128
"""Replicates that share a random stream and are solved together; fits the second-level cache."""


def stream(seed: int, tile: int) -> np.random.Generator:
    """Random numbers of one tile."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(tile,)))


@dataclass(frozen=True, slots=True)
class Units:
    """What is drawn: rows or clusters, within cells that keep their size."""

    unit_of_row: Array
    """Unit of each row; the rows of all groups one after another."""
    cells: tuple[Array, ...]
    """Units of each cell."""

    @property
    def count(self) -> int:
        """Number of units."""
        return sum(len(cell) for cell in self.cells)

    @property
    def rows_are_units(self) -> bool:
        """Tell whether single rows are drawn."""
        return self.count == len(self.unit_of_row)

    def spread(self, counts: Array) -> Array:
        """Counts of rows from counts of units."""
        return counts if self.rows_are_units else counts[:, self.unit_of_row]

    def draw(self, seed: int, tile: int, size: int) -> Array:
        """How often each row stands in each of the first ``size`` replicates, (size, N)."""
        rng = stream(seed, tile)
        counts = np.empty((size, self.count))
        base = np.arange(TILE)[:, None]
        for cell in self.cells:
            n = len(cell)
            picked = rng.integers(0, n, size=(TILE, n)) + base * n
            counts[:, cell] = np.bincount(picked.ravel(), minlength=TILE * n).reshape(TILE, n)[
                :size
            ]
        return self.spread(counts)

    def leave_one_out(self, tile: int) -> Array:
        """Counts with one unit left out each, for the units of one tile."""
        first = tile * TILE
        size = min(TILE, self.count - first)
        counts = np.ones((size, self.count))
        counts[np.arange(size), first + np.arange(size)] = 0.0
        return self.spread(counts)


def _aligned(given: object, name: str, moments: list[GroupMoments]) -> Array | None:
    """Values of a column for the rows used, in the order of the groups, coded 0, 1, ..."""
    if given is None:
        return None
    values = np.asarray(given)
    places = np.concatenate([m.positions for m in moments])
    least = max(int(places.max()) + 1, sum(m.n + m.n_dropped for m in moments))
    if values.ndim != 1 or len(values) < least:
        raise DataContractError(
            f"bootstrap: {name}= has shape {values.shape}; one value per row of the data is "
            f"needed ({least} rows). Give a column of the same data, such as data['{name}']."
        )
    used = values[places]
    missing = np.array([v is None or v != v for v in used])
    if missing.any():
        raise DataContractError(
            f"bootstrap: {name}= is missing for {int(missing.sum())} rows used; every row needs a "
            f"value. Fill it, or leave {name}= out."
        )
    return np.unique(used.astype(str) if used.dtype == object else used, return_inverse=True)[1]


def build_units(moments: list[GroupMoments], strata: object, clusters: object) -> Units:
    """Decide what is drawn within what.

    Rows are drawn within groups and strata. Clusters are drawn whole, within strata, and within
    groups unless a cluster has rows in several of them.

    Raises
    ------
    DataContractError
        A column does not fit the rows, a cluster lies in two strata, or a cell has one unit.
    """
    group = np.repeat(np.arange(len(moments)), [m.n for m in moments])
    stratum = _aligned(strata, "strata", moments)
    cluster = _aligned(clusters, "clusters", moments)
    n = len(group)
    cell = group if stratum is None else group * (stratum.max() + 1) + stratum
    if cluster is None:
        unit, owner = np.arange(n), cell
    else:
        first, unit = np.unique(cluster, return_index=True, return_inverse=True)[1:]
        if (group[first][unit] != group).any():
            cell = np.zeros(n, dtype=int) if stratum is None else stratum
        owner = cell[first]
        split = np.flatnonzero(owner[unit] != cell)
        if len(split):
            raise DataContractError(
                f"bootstrap: clusters= has a cluster in two strata (row {int(split[0])}); clusters "
                "are drawn whole within strata. Use strata that keep clusters together."
            )
    cells = tuple(np.flatnonzero(owner == c) for c in np.unique(owner))
    small = [len(c) for c in cells if len(c) < 2]
    if small:
        raise DataContractError(
            f"bootstrap: strata= and clusters= leave {len(small)} of {len(cells)} cells with a "
            f"single unit; a cell of one cannot vary. Join small strata, or use more clusters."
        )
    return Units(unit, cells)


def counts_of(indices: object, moments: list[GroupMoments]) -> Array:
    """Counts of rows from given resamples: positions of rows in the data, (n_boot, any)."""
    picked = np.asarray(indices)
    places = np.concatenate([m.positions for m in moments])
    if picked.ndim != 2 or not np.issubdtype(picked.dtype, np.integer):
        raise DataContractError(
            f"bootstrap: indices= has shape {picked.shape} and type {picked.dtype}; whole numbers, "
            "one replicate per row, are needed. Give positions of rows in the data, from 0."
        )
    known = np.full(max(int(places.max()), int(picked.max(initial=0))) + 1, -1)
    known[places] = np.arange(len(places))
    at = known[picked]
    if (picked < 0).any() or (at < 0).any():
        wrong = picked[(picked < 0) | (at < 0)]
        raise DataContractError(
            f"bootstrap: indices= has {listing(sorted(set(wrong[:3].tolist())))}, which are not "
            f"rows used in the fit; {len(places)} rows were used. Draw from those."
        )
    n = len(places)
    base = np.arange(len(at))[:, None] * n
    return np.bincount((at + base).ravel(), minlength=len(at) * n).reshape(-1, n).astype(float)


@dataclass(frozen=True, slots=True)
class Products:
    """Rows of one group with their pairwise products, about the sample means."""

    columns: Array
    """(n, p + p (p + 1) / 2)."""
    mean: Array
    square: Array
    """Column of the product of every pair of variables, (p * p,)."""
    divisor: int


def build_products(rows: Array, divisor: int) -> Products:
    """Prepare the moments of resamples of these rows."""
    mean = rows.mean(axis=0)
    centred = rows - mean
    i, j = np.triu_indices(rows.shape[1])
    square = np.empty((rows.shape[1],) * 2, dtype=int)
    square[i, j] = square[j, i] = np.arange(len(i))
    columns = np.concatenate([centred, centred[:, i] * centred[:, j]], axis=1)
    return Products(columns, mean, square.ravel(), divisor)


def resampled(products: Products, counts: Array, means: bool) -> BatchMoments:
    """Moments of every resample: one matrix product of counts and product columns."""
    n = counts.sum(axis=1)
    p = len(products.mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = (counts @ products.columns) / n[:, None]
        shift = sums[:, :p]
        cov = np.take(sums[:, p:], products.square, axis=1).reshape(len(n), p, p)
        cov -= shift[:, :, None] * shift[:, None, :]
        if products.divisor:
            cov *= (n / (n - 1.0))[:, None, None]
    return BatchMoments(cov, shift + products.mean if means else None, n)


def drawn_moments(
    rng: np.random.Generator, n: int, mean: Array | None, cov: Array, divisor: int
) -> BatchMoments:
    """Moments of normal samples of n rows, without drawing rows (Bartlett's decomposition)."""
    p = len(cov)
    root = np.linalg.cholesky(cov)
    factor = np.zeros((TILE, p, p))
    i, j = np.tril_indices(p, -1)
    factor[:, i, j] = rng.standard_normal((TILE, len(i)))
    factor[:, np.arange(p), np.arange(p)] = np.sqrt(
        rng.chisquare(n - 1.0 - np.arange(p), size=(TILE, p))
    )
    noise = rng.standard_normal((TILE, p)) @ root.T / np.sqrt(n)
    half = root @ factor
    drawn = half @ np.swapaxes(half, 1, 2) / (n - divisor)
    return BatchMoments(drawn, None if mean is None else mean + noise, np.full(TILE, float(n)))


def bollen_stine(rows: Array, sample: Array, sigma: Array, mean: Array | None) -> Array:
    """Rows moved so that the model holds exactly (Bollen & Stine 1992).

    ``(Y - mean) S^-1/2 Sigma^1/2``, doi:10.1177/0049124192021002004.
    """
    centre = rows.mean(axis=0)
    turn = _power(sample, -0.5) @ _power(sigma, 0.5)
    return (rows - centre) @ turn + (centre if mean is None else mean)


def _power(matrix: Array, exponent: float) -> Array:
    """Symmetric power of a positive definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T
