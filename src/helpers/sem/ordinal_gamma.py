"""Asymptotic covariance matrix of two-step thresholds, variances and correlations.

The estimates solve stacked score equations: those of each variable, then those of each pair at
the estimates of its variables. Their influence functions follow from the casewise scores and the
outer products that stand for the derivatives (Muthen 1984, as lavaan has it): with scores ``s1``
of the variables and ``s2`` of the pairs, ``A11`` block-diagonal, ``A22`` diagonal,

    u1 = A11^-1 s1,   u2 = A22^-1 (s2 - A21 u1),   Gamma = n * sum over rows of u u'.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from helpers.sem.ordinal_codes import CodedRows
from helpers.sem.ordinal_mixed import pearson_scores, polyserial_scores
from helpers.sem.ordinal_pairs import CellScores, cell_scores
from helpers.sem.ordinal_steps import Steps, limits_of, mixed_columns

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_ROWS_AT_ONCE = 4096
_RANK_ONE = 1e-10
"""Squared correlations of scores closer to 1 than this count as 1."""


def asymptotic_covariance(rows: CodedRows, steps: Steps) -> Array:
    """Return lavaan's NACOV: n times the covariance matrix of the moments.

    Order: thresholds and negated means, variances of continuous variables, covariances below the
    diagonal column by column.
    """
    work = _Gamma(rows, steps)
    n = len(rows.codes)
    parts = [slice(k, min(k + _ROWS_AT_ONCE, n)) for k in range(0, n, _ROWS_AT_ONCE)]
    for part in parts:
        work.add_outer_products(part)
    total = np.zeros((work.size, work.size))
    for part in parts:
        influence = work.influence(part)
        total += influence.T @ influence
    return n * total


class _Gamma:
    """Outer products of scores (A21, A22) and, from them, influence functions."""

    def __init__(self, rows: CodedRows, steps: Steps) -> None:
        self.rows, self.steps = rows, steps
        self.nth = len(steps.thresholds)
        self.continuous = np.flatnonzero(~steps.ordered)
        self.variance_at = np.full(len(steps.ordered), -1)
        self.variance_at[self.continuous] = self.nth + np.arange(len(self.continuous))
        self.n_first = self.nth + len(self.continuous)
        self.n_pairs = len(steps.rho)
        self.size = self.n_first + self.n_pairs
        none = ~steps.ordered[steps.first] & ~steps.ordered[steps.second]
        self.ordinal = np.flatnonzero(steps.both_ordered)
        self.pearson = np.flatnonzero(none)
        self.mixed = np.flatnonzero(~steps.both_ordered & ~none)
        self.sd = np.sqrt(steps.variance)
        self.a21 = np.zeros((self.n_pairs, self.n_first))
        self.a22 = np.zeros(self.n_pairs)
        self.cells = self._ordinal_cells()
        self.category_influence = self._category_influence()

    def _ordinal_cells(self) -> CellScores | None:
        """Fill A21 and A22 for pairs of ordered variables, from their tables."""
        if not len(self.ordinal):
            return None
        steps, pairs = self.steps, self.ordinal
        first, second = steps.first[pairs], steps.second[pairs]
        cells = cell_scores(
            steps.tables, steps.padded[first], steps.padded[second], steps.rho[pairs]
        )
        self.a22[pairs] = (steps.tables * cells.by_rho**2).sum(axis=(1, 2))
        self._put_thresholds(pairs, first, cells.cross_first)
        self._put_thresholds(pairs, second, cells.cross_second)
        return cells

    def _put_thresholds(self, pairs: Index, variable: Index, cross: Array) -> None:
        """Add cross-products to the columns of A21 that hold the variable's thresholds."""
        for t in range(cross.shape[1]):
            real = t < self.steps.n_categories[variable] - 1
            self.a21[pairs[real], self.steps.start[variable[real]] + t] += cross[real, t]

    def _category_influence(self) -> dict[int, Array]:
        """Return, per ordered variable, the influence of each category on its thresholds."""
        out = {}
        for j in np.flatnonzero(self.steps.ordered):
            counts, k = self.steps.counts[j], int(self.steps.n_categories[j])
            tau = self.steps.padded[j, : k - 1]
            density = np.exp(-(tau**2) / 2) / np.sqrt(2 * np.pi)
            share = counts / counts.sum()
            scores = np.zeros((k, k - 1))
            t = np.arange(k - 1)
            scores[t, t] = density / share[:-1]
            scores[t + 1, t] = -density / share[1:]
            out[int(j)] = np.linalg.solve(scores.T @ (counts[:, None] * scores), scores.T).T
        return out

    def add_outer_products(self, part: slice) -> None:
        """Add rows to A21 and A22 for the pairs with a continuous variable."""
        if len(self.pearson):
            self._add_pearson(part)
        if len(self.mixed):
            self._add_mixed(part)

    def _add_pearson(self, part: slice) -> None:
        """Add the pairs of two continuous variables."""
        pairs, (a, b) = self.pearson, self._columns(self.pearson)
        scores = pearson_scores(*self._pearson_arguments(part))
        self.a22[pairs] += (scores.rho**2).sum(axis=0)
        start = self.steps.start
        self.a21[pairs, start[a]] += (scores.rho * scores.mean_first).sum(axis=0)
        self.a21[pairs, start[b]] += (scores.rho * scores.mean_second).sum(axis=0)
        self.a21[pairs, self.variance_at[a]] += (scores.rho * scores.variance_first).sum(axis=0)
        self.a21[pairs, self.variance_at[b]] += (scores.rho * scores.variance_second).sum(axis=0)

    def _add_mixed(self, part: slice) -> None:
        """Add the pairs of a continuous and an ordered variable."""
        pairs = self.mixed
        continuous, category = mixed_columns(self.steps.ordered, *self._columns(pairs))
        scores = polyserial_scores(*self._mixed_arguments(part))
        self.a22[pairs] += (scores.rho**2).sum(axis=0)
        start = self.steps.start
        self.a21[pairs, start[continuous]] += (scores.rho * scores.mean).sum(axis=0)
        self.a21[pairs, self.variance_at[continuous]] += (scores.rho * scores.variance).sum(axis=0)
        codes = self.rows.codes[part][:, category]
        most = self.steps.padded.shape[1] + 1
        above = _sum_by_category(scores.rho * scores.upper, codes, most)
        below = _sum_by_category(scores.rho * scores.lower, codes, most)
        self._put_thresholds(pairs, category, above[:, :-1] + below[:, 1:])

    def influence(self, part: slice) -> Array:
        """Return the influence of each row on each moment, shape (rows, m)."""
        out = np.empty((part.stop - part.start, self.size))
        self._first_influence(part, out)
        first = out[:, : self.n_first]
        second = (self._pair_scores(part) - first @ self.a21.T) / self.a22
        out[:, self.n_first :] = self._to_covariances(second, first)
        means = self.steps.start[self.continuous]
        out[:, means] *= -1
        return out

    def _first_influence(self, part: slice, out: Array) -> None:
        """Fill the influence on thresholds, means and variances."""
        steps = self.steps
        for j, table in self.category_influence.items():
            padded = np.vstack([table, np.zeros(table.shape[1])])
            columns = slice(steps.start[j], steps.start[j] + table.shape[1])
            out[:, columns] = padded[self.rows.codes[part, j]]
        for j in self.continuous:
            at = [steps.start[j], self.variance_at[j]]
            out[:, at] = self._continuous_influence(int(j))[part]

    def _continuous_influence(self, j: int) -> Array:
        """Return the influence of each row on the mean and variance of one variable.

        By outer products, as lavaan has it. A variable with two values (a dummy) has outer
        products of rank one, so there the influence is that of the mean and variance themselves.
        """
        z, present = self.steps.z[:, j], self.rows.present[:, j]
        variance = self.steps.variance[j]
        square = (z * z - 1) * present
        scores = np.column_stack([z / self.sd[j], square / (2 * variance)])
        outer = scores.T @ scores
        if outer[0, 0] * outer[1, 1] * (1 - _RANK_ONE) <= outer[0, 1] ** 2:
            share = 1 / present.sum()
            return np.column_stack([z * self.sd[j], square * variance]) * share
        return np.linalg.solve(outer, scores.T).T

    def _pair_scores(self, part: slice) -> Array:
        """Return the casewise scores of all correlations."""
        out = np.zeros((part.stop - part.start, self.n_pairs))
        if self.cells is not None:
            first, second = self._columns(self.ordinal)
            codes = self.rows.codes[part]
            a, b = codes[:, first], codes[:, second]
            scores = self.cells.by_rho[np.arange(len(self.ordinal)), a, b]
            out[:, self.ordinal] = np.where((a >= 0) & (b >= 0), scores, 0.0)
        if len(self.pearson):
            out[:, self.pearson] = pearson_scores(*self._pearson_arguments(part)).rho
        if len(self.mixed):
            out[:, self.mixed] = polyserial_scores(*self._mixed_arguments(part)).rho
        return out

    def _to_covariances(self, second: Array, first: Array) -> Array:
        """Turn the influence on correlations into that on covariances."""
        if not len(self.continuous):
            return second
        steps = self.steps
        a, b = steps.first, steps.second
        scale = self.sd[a] * self.sd[b]
        out = second * scale
        for variable in (a, b):
            moved = np.flatnonzero(~steps.ordered[variable])
            slope = (steps.rho * scale)[moved] / (2 * steps.variance[variable[moved]])
            out[:, moved] += slope * first[:, self.variance_at[variable[moved]]]
        return out

    def _columns(self, pairs: Index) -> tuple[Index, Index]:
        """Return the two variables of some pairs."""
        return self.steps.first[pairs], self.steps.second[pairs]

    def _pearson_arguments(self, part: slice) -> tuple[Array, ...]:
        """Return the arguments of the Pearson scores for some rows."""
        a, b = self._columns(self.pearson)
        z, present = self.steps.z[part], self.rows.present[part]
        both = (present[:, a] & present[:, b]).astype(float)
        return z[:, a], z[:, b], self.sd[a], self.sd[b], both, self.steps.rho[self.pearson]

    def _mixed_arguments(self, part: slice) -> tuple[Array, ...]:
        """Return the arguments of the polyserial scores for some rows."""
        continuous, category = mixed_columns(self.steps.ordered, *self._columns(self.mixed))
        upper, lower = limits_of(self.rows.codes[part][:, category], self.steps.padded[category])
        present = self.rows.present[part]
        both = (present[:, continuous] & present[:, category]).astype(float)
        z = self.steps.z[part][:, continuous]
        return z, self.sd[continuous], upper, lower, both, self.steps.rho[self.mixed]


def _sum_by_category(values: Array, codes: NDArray[np.intp], most: int) -> Array:
    """Sum each column of values within the categories of its codes, shape (pairs, most)."""
    pairs = codes.shape[1]
    cell = np.where(codes >= 0, codes, 0) + most * np.arange(pairs)
    weight = np.where(codes >= 0, values, 0.0)
    total = np.bincount(cell.ravel(), weights=weight.ravel(), minlength=pairs * most)
    return total.reshape(pairs, most)
