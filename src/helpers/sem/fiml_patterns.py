"""Rows with blanks, grouped by which variables they answer.

Full-information maximum likelihood needs one inverse for every pattern of answered variables,
not one for every row. Here the rows are sorted by pattern once, patterns with many rows are
replaced by their sufficient statistics, and patterns are cut into blocks that stay in cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.errors import DataContractError, listing

Array = NDArray[np.float64]

_BLOCK_NUMBERS = 250_000
"""Numbers held at once for one block of patterns (2 MB: the size of a second-level cache)."""


@dataclass(frozen=True, slots=True)
class PatternBlock:
    """Some patterns with the same number of blanks, and their stacked rows.

    Attributes
    ----------
    patterns : array, shape (b,)
        Positions of the patterns in ``MissingPatterns.observed``.
    index : array, shape (b, k)
        Positions of the missing variables, or of the observed ones when ``by_observed``.
    by_observed : bool
        True when fewer variables are observed than missing.
    rows : slice
        Stacked rows of these patterns in ``MissingPatterns.values`` and ``weight``.
    pattern_of_row : array, shape (rows,)
        Position inside the block of each stacked row's pattern.
    starts : array, shape (b,)
        First stacked row of each pattern, counted from the start of the block.
    """

    patterns: NDArray[np.intp]
    index: NDArray[np.intp]
    by_observed: bool
    rows: slice
    pattern_of_row: NDArray[np.intp]
    starts: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class MissingPatterns:
    """Incomplete data grouped by pattern of observed variables.

    Attributes
    ----------
    names : tuple of str
        Variable names, in column order.
    n_total, n_used : int
        Rows given, and rows with at least one value; the difference is dropped.
    used_rows : array, shape (n_used,)
        Positions of the used rows in the input, ascending.
    data : array, shape (n_used, p)
        Used rows with blanks set to 0; read together with ``observed[pattern_of_row]``.
    pattern_of_row : array, shape (n_used,)
        Pattern of each used row.
    observed : bool array, shape (n_patterns, p)
        The patterns, those with few blanks first.
    counts : array, shape (n_patterns,)
        Rows of each pattern.
    n_values : int
        Values observed in all.
    values, weight : arrays, shapes (r, p) and (r,)
        Stacked rows: deviations from a mean ``mu`` are ``values - weight * mu`` on the observed
        variables. A pattern of more than ``p + 1`` rows stands here as its mean times the
        root of its count and a root of its cross-products, so that the cost of the likelihood
        does not grow with the number of rows. Blanks are 0 in ``values``.
    share : array, shape (r, p)
        ``weight``, 0 where blank: deviations are ``values - share * mu``.
    blocks : tuple of PatternBlock
    where : str
        `` in group 'g'``, or empty; for messages.
    """

    names: tuple[str, ...]
    n_total: int
    n_used: int
    used_rows: NDArray[np.intp]
    data: Array
    pattern_of_row: NDArray[np.intp]
    observed: NDArray[np.bool_]
    counts: Array
    n_values: int
    values: Array
    weight: Array
    share: Array
    blocks: tuple[PatternBlock, ...]
    where: str = ""

    @property
    def n_patterns(self) -> int:
        """Number of different patterns."""
        return len(self.observed)

    @property
    def n_dropped(self) -> int:
        """Rows without a single value, which carry no information."""
        return self.n_total - self.n_used

    def coverage(self) -> Array:
        """Return the share of used rows in which each pair is observed, shape (p, p)."""
        mask = self.observed.astype(float)
        return (mask * self.counts[:, None]).T @ mask / self.n_used


def missing_patterns(
    data: Array, *, names: Sequence[str] | None = None, group: str | None = None
) -> MissingPatterns:
    """Group the rows of a data matrix by which variables are observed.

    Parameters
    ----------
    data : array, shape (n, p)
        Finite numbers, NaN where blank. Not modified. Rows without any value are dropped and
        counted in ``n_dropped``.
    names : sequence of str, optional
        Variable names for error messages; ``V1 ... Vp`` without.
    group : str, optional
        Name of the group, for error messages.

    Raises
    ------
    DataContractError
        Infinite values, a variable without any value or with only one, a constant variable, or
        a pair of variables that no row answers together (their covariance cannot be estimated
        by the saturated model).
    """
    table = np.asarray(data, dtype=float)
    labels = (
        tuple(names) if names is not None else tuple(f"V{j + 1}" for j in range(table.shape[1]))
    )
    where = f" in group '{group}'" if group else ""
    mask = ~np.isnan(table)
    _check_columns(table, mask, labels, where)
    used = np.flatnonzero(mask.any(axis=1))
    mask, values = mask[used], np.where(mask[used], table[used], 0.0)
    _check_pairs(mask, labels, where)
    observed, pattern_of_row = _unique_patterns(mask)
    counts = np.bincount(pattern_of_row, minlength=len(observed)).astype(float)
    stacked, weight, rows_of_pattern = _stack(values, pattern_of_row, observed, counts)
    return MissingPatterns(
        names=labels,
        n_total=len(table),
        n_used=len(used),
        used_rows=used,
        data=values,
        pattern_of_row=pattern_of_row,
        observed=observed,
        counts=counts,
        n_values=int(mask.sum()),
        values=stacked,
        weight=weight,
        share=weight[:, None] * np.repeat(observed, rows_of_pattern, axis=0),
        blocks=_blocks(observed, rows_of_pattern),
        where=where,
    )


def _check_columns(
    table: Array, mask: NDArray[np.bool_], names: tuple[str, ...], where: str
) -> None:
    """Refuse infinite, empty and constant columns, by name."""
    infinite = np.isinf(table).any(axis=0)
    if infinite.any():
        raise DataContractError(
            f"fit: data= has infinite values in {_named(names, infinite)}{where}; numbers must be "
            "finite, blanks NaN. Look for a division by zero, or mark the values as missing."
        )
    empty = ~mask.any(axis=0)
    if empty.any():
        raise DataContractError(
            f"fit: data= has no observed value in {_named(names, empty)}{where}; every variable "
            "of the model needs answers. Leave these variables out of the model."
        )
    high = np.where(mask, table, -np.inf).max(axis=0)
    constant = np.where(mask, table, np.inf).min(axis=0) == high
    if constant.any():
        raise DataContractError(
            f"fit: data= is constant in {_named(names, constant)}{where}; a variable needs "
            "variance. Leave these variables out of the model."
        )


def _check_pairs(mask: NDArray[np.bool_], names: tuple[str, ...], where: str) -> None:
    """Refuse pairs of variables that no row answers together."""
    together = mask.astype(float)
    never = np.argwhere(np.triu(together.T @ together == 0, k=1))
    if len(never):
        pairs = listing([f"{names[a]} with {names[b]}" for a, b in never], most=6)
        raise DataContractError(
            f"fit: data= has pairs never observed together{where}: {pairs}; the covariance of a "
            "pair needs rows that answer both. Leave one variable of each pair out, or supply rows "
            "with both."
        )


def _named(names: tuple[str, ...], which: NDArray[np.bool_]) -> str:
    """List the names where ``which`` is true."""
    return listing([name for name, hit in zip(names, which, strict=True) if hit])


def _unique_patterns(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return the different rows of a mask, fewest blanks first, and each row's position."""
    packed = np.packbits(mask, axis=1)
    keys = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    observed = mask[first]
    order = np.argsort(-observed.sum(axis=1), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return observed[order], rank[np.ravel(inverse)]


def _stack(
    values: Array, pattern_of_row: NDArray[np.intp], observed: NDArray[np.bool_], counts: Array
) -> tuple[Array, Array, NDArray[np.intp]]:
    """Sort rows by pattern; put sufficient statistics in place of many rows."""
    p = values.shape[1]
    order = np.argsort(pattern_of_row, kind="stable")
    if counts.max() <= p + 1:
        return values[order], np.ones(len(values)), counts.astype(np.intp)
    ends = np.cumsum(counts).astype(np.intp)
    parts, weights = [], []
    for j, end in enumerate(ends):
        rows = values[order[end - int(counts[j]) : end]]
        part, weight = _condense(rows) if len(rows) > p + 1 else (rows, np.ones(len(rows)))
        parts.append(part)
        weights.append(weight)
    sizes = np.array([len(weight) for weight in weights], dtype=np.intp)
    return np.concatenate(parts), np.concatenate(weights), sizes


def _condense(rows: Array) -> tuple[Array, Array]:
    """Return at most p + 1 weighted rows with the sums and cross-products of many rows."""
    n = len(rows)
    mean = rows.mean(axis=0)
    root = np.linalg.qr(rows - mean, mode="r")
    weight = np.zeros(len(root) + 1)
    weight[0] = np.sqrt(n)
    return np.vstack([np.sqrt(n) * mean, root]), weight


def _blocks(
    observed: NDArray[np.bool_], rows_of_pattern: NDArray[np.intp]
) -> tuple[PatternBlock, ...]:
    """Cut the patterns into blocks with one number of blanks and a bounded size."""
    p = observed.shape[1]
    first_row = np.concatenate([[0], np.cumsum(rows_of_pattern)])
    n_missing = p - observed.sum(axis=1)
    most = max(1, _BLOCK_NUMBERS // (p * p))
    blocks = []
    start = 0
    while start < len(observed):
        stop = start
        room = most
        while stop < len(observed) and n_missing[stop] == n_missing[start] and room > 0:
            room -= 1 + int(rows_of_pattern[stop]) // 4
            stop += 1
        chosen = np.arange(start, stop)
        by_observed = bool(2 * n_missing[start] > p)
        kept = observed[chosen] if by_observed else ~observed[chosen]
        sizes = rows_of_pattern[chosen]
        blocks.append(
            PatternBlock(
                patterns=chosen,
                index=np.nonzero(kept)[1].reshape(len(chosen), -1),
                by_observed=by_observed,
                rows=slice(int(first_row[start]), int(first_row[stop])),
                pattern_of_row=np.repeat(np.arange(len(chosen)), sizes),
                starts=first_row[start:stop] - first_row[start],
            )
        )
        start = stop
    return tuple(blocks)
