"""Equality of parameters: labels, equality over groups and ``==`` formulas.

Linear equalities are solved once: ``x = K z + x0`` with free ``z``. What is left (formulas with
products or powers) is carried along as ``h(z) = 0`` with its Jacobian.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space

from helpers.errors import ModelSpecError
from helpers.sem.expressions import Expression, evaluate_defined
from helpers.sem.partable import Table

Array = np.ndarray

LINEAR = 1e-10
"""Two gradients of a linear formula differ by rounding only."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Rows made equal: sums over rows that share a value."""

    place: Array
    """Position in z of every row of x."""
    order: Array
    """Rows sorted by place."""
    starts: Array
    sizes: Array

    def sums(self, values: Array) -> Array:
        """Sum the entries (or matrix rows) that belong together."""
        return np.add.reduceat(values[self.order], self.starts, axis=0)


def build_merge(place: Array, count: int) -> Merge:
    """Prepare sums over equal rows."""
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(count))
    return Merge(place, order, starts, np.bincount(place, minlength=count))


@dataclass(frozen=True, slots=True)
class Reduction:
    """The map from independent parameters ``z`` to all free rows ``x``."""

    k: Array | None
    """(n_x, n_z), or None for the identity."""
    x0: Array
    """(n_x,) shift, zero except for constants in formulas."""
    nonlinear: Callable[[Array], tuple[Array, Array]] | None
    """h(x) and dh/dx, or None."""
    inequalities: Callable[[Array], tuple[Array, Array]] | None = None
    """c(x) >= 0 and dc/dx, or None."""
    merge: Merge | None = None
    """The same map as ``k`` where it only makes rows equal; faster."""

    def expand(self, z: Array) -> Array:
        """Return x."""
        if self.merge is not None:
            return z[self.merge.place]
        return z if self.k is None else self.k @ z + self.x0

    def reduce(self, x: Array) -> Array:
        """Return the z nearest to x in least squares."""
        if self.k is None:
            return x.copy()
        if self.merge is not None:
            return self.merge.sums(x) / self.merge.sizes
        return np.linalg.lstsq(self.k, x - self.x0, rcond=None)[0]

    def pull_vector(self, g: Array) -> Array:
        """Gradient over z from the gradient over x."""
        if self.merge is not None:
            return self.merge.sums(g)
        return g if self.k is None else self.k.T @ g

    def pull_matrix(self, h: Array) -> Array:
        """Information over z from the information over x."""
        if self.merge is not None:
            return self.merge.sums(self.merge.sums(h).T)
        return h if self.k is None else self.k.T @ h @ self.k


def label_values(table: Table, x: Array) -> dict[str, complex]:
    """Value of every label at x."""
    out: dict[str, complex] = {}
    for row in table.rows:
        if row.label and row.label not in out:
            out[row.label] = complex(x[row.free - 1]) if row.free else complex(row.fixed)
    return out


def _merge_map(table: Table) -> tuple[Array, int] | None:
    """Column of K for every free row, from shared names; None if nothing is shared."""
    column: dict[str, int] = {}
    place = np.zeros(table.n_free, dtype=int)
    count = 0
    for row in table.rows:
        if not row.free:
            continue
        if row.shared and row.shared in column:
            place[row.free - 1] = column[row.shared]
            continue
        if row.shared:
            column[row.shared] = count
        place[row.free - 1] = count
        count += 1
    return None if count == table.n_free else (place, count)


def _formula_gradient(table: Table, expression: Expression, x: Array) -> tuple[float, Array]:
    """Value and gradient over x of one formula, := names included."""
    base = label_values(table, x)
    step = 1e-100
    where: dict[str, int] = {}
    for row in table.rows:
        if row.label and row.free:
            where.setdefault(row.label, row.free - 1)
    value = expression.value(evaluate_defined(table.defined, base) | base)
    gradient = np.zeros(len(x))
    for label, at in where.items():
        moved = dict(base)
        moved[label] = base[label] + 1j * step
        shifted = expression.value(evaluate_defined(table.defined, moved) | moved)
        gradient[at] = np.imag(shifted) / step
    return float(np.real(value)), gradient


def _stack(
    table: Table, expressions: list[Expression], signs: list[float]
) -> Callable[[Array], tuple[Array, Array]]:
    """Values and Jacobian of several formulas as one function of x."""

    def evaluate(x: Array) -> tuple[Array, Array]:
        parts = [_formula_gradient(table, e, x) for e in expressions]
        h = np.array([s * v for s, (v, _g) in zip(signs, parts)])
        return h, np.array([s * g for s, (_v, g) in zip(signs, parts)])

    return evaluate


def build_reduction(table: Table) -> Reduction:
    """Build the reduction of a table.

    Raises
    ------
    ModelSpecError
        Constraints contradict each other or involve fixed parameters only.
    """
    n = table.n_free
    merged = _merge_map(table)
    k = None
    merge = None
    if merged is not None:
        place, count = merged
        merge = build_merge(place, count)
        k = np.zeros((n, count))
        k[np.arange(n), place] = 1.0
    x0 = np.zeros(n)
    equal = [(t, e) for t, op, e in table.constraints if op == "=="]
    unequal = [(e, 1.0 if op == ">" else -1.0) for _t, op, e in table.constraints if op in "<>"]
    inequalities = _stack(table, [e for e, _s in unequal], [s for _e, s in unequal])
    curved: list[Expression] = []
    if equal:
        k, x0, curved = _solve_linear(table, equal, k if k is not None else np.eye(n), x0)
        merge = merge if len(curved) == len(equal) else None
    return Reduction(
        k,
        x0,
        _stack(table, curved, [1.0] * len(curved)) if curved else None,
        inequalities if unequal else None,
        merge,
    )


def _solve_linear(
    table: Table, equal: list[tuple[str, Expression]], k: Array, x0: Array
) -> tuple[Array, Array, list[Expression]]:
    """Solve the linear formulas; return K, the shift and the formulas left over."""
    rng = np.random.default_rng(20240501)
    points = [rng.uniform(0.5, 1.5, len(x0)) for _ in range(2)]
    rows, values, texts, curved = [], [], [], []
    for text, expression in equal:
        (v0, g0), (_v1, g1) = (_formula_gradient(table, expression, p) for p in points)
        if not np.any(g0):
            if abs(v0) > LINEAR:
                raise ModelSpecError(
                    f"fit: model= has '{text}', which holds fixed parameters only and is not "
                    f"true; a constraint needs a free parameter. Delete it or free a parameter."
                )
        elif np.abs(g0 - g1).max() < LINEAR * max(1.0, np.abs(g0).max()):
            rows.append(g0 @ k)
            values.append(g0 @ points[0] - v0 - g0 @ x0)
            texts.append(text)
        else:
            curved.append(expression)
    if not rows:
        return k, x0, curved
    a, b = np.array(rows), np.array(values)
    z0, *_rest = np.linalg.lstsq(a, b, rcond=None)
    miss = np.abs(a @ z0 - b)
    if miss.max() > 1e-8 * max(1.0, np.abs(b).max()):
        raise ModelSpecError(
            f"fit: model= has constraints that cannot all hold, among them "
            f"'{texts[int(miss.argmax())]}'; equalities must not contradict one another. "
            f"Delete one of them."
        )
    return k @ null_space(a), x0 + k @ z0, curved
