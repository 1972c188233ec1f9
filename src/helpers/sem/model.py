"""Compiling the parameter table to matrices, and everything that follows from them.

The model is written in reticular form: all variables of a group, observed first, then latent,
stand in one vector ``v = A v + e`` with ``Cov(e) = S`` and ``E(e) = m``. With
``E = (I - A)^-1`` and the selection ``F`` of observed variables

    Sigma = F E S E' F',    mu = F E m.

Every derivative of Sigma has rank two: with ``G = F [E, E S E']`` a parameter has columns
``u, w`` of G and a weight c such that ``dSigma = c (g_u g_w' + g_w g_u')``. Gradient and
information are then gathered from the products ``G' M G``.
(McArdle & McDonald 1984, doi:10.1111/j.2044-8317.1984.tb00802.x.)
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from helpers.sem.partable import Row, Table

Array = np.ndarray


@dataclass(slots=True)
class State:
    """One group's matrices at a parameter value (n variables, p observed)."""

    effect: Array
    """E = (I - A)^-1, (n, n)."""
    total: Array
    """V = E S E', covariance of all variables, (n, n)."""
    eta: Array
    """E m, means of all variables, (n,)."""
    sigma: Array
    """(p, p)."""
    mu: Array
    """(p,)."""
    basis: Array
    """G = F [E, V], (p, 2n)."""


@dataclass(slots=True)
class GroupModel:
    """Where each parameter of one group stands in the matrices."""

    names: tuple[str, ...]
    n_observed: int
    a0: Array
    s0: Array
    m0: Array
    a_at: tuple[Array, Array, Array]
    """Positions in x, rows, columns of free directed effects."""
    s_at: tuple[Array, Array, Array]
    m_at: tuple[Array, Array]
    u: Array = field(init=False)
    w: Array = field(init=False)
    c: Array = field(init=False)
    all_x: Array = field(init=False)
    """Positions in x of all the group's parameters: directed effects, S, means."""
    core: Array = field(init=False)
    """Variables that others depend on."""
    leaf: Array = field(init=False)
    """Variables that nothing depends on, mostly items."""
    cov_x: Array = field(init=False)
    """Positions in x of the parameters that enter Sigma: directed effects, then S."""
    pairs: tuple[Array, Array, Array, Array] = field(init=False)
    """Flat positions of (u, u), (w, w), (u, w) in ``G' M G``, and the weights c c'."""

    def __post_init__(self) -> None:
        n = len(self.names)
        xa, ia, ja = self.a_at
        xs, is_, js = self.s_at
        self.u = np.concatenate([ia, is_])
        self.w = np.concatenate([ja + n, js])
        self.c = np.concatenate([np.ones(len(ia)), np.where(is_ == js, 0.5, 1.0)])
        row, wide = self.u[:, None] * (2 * n), self.w[:, None] * (2 * n)
        self.pairs = (row + self.u, wide + self.w, row + self.w, self.c[:, None] * self.c)
        self.cov_x = np.concatenate([xa, xs])
        self.all_x = np.concatenate([self.cov_x, self.m_at[0]])
        sends = (self.a0 != 0).any(axis=0)
        sends[ja] = True
        self.core, self.leaf = np.flatnonzero(sends), np.flatnonzero(~sends)

    def matrices(self, x: Array) -> tuple[Array, Array, Array]:
        """Fill A, S and m."""
        a, s, m = self.a0.copy(), self.s0.copy(), self.m0.copy()
        xa, ia, ja = self.a_at
        a[ia, ja] = x[xa]
        xs, is_, js = self.s_at
        s[is_, js] = x[xs]
        s[js, is_] = x[xs]
        xm, im = self.m_at
        m[im] = x[xm]
        return a, s, m

    def state(self, x: Array) -> State:
        """Evaluate the model at ``x`` (all free rows)."""
        a, s, m = self.matrices(x)
        p = self.n_observed
        effect = self.total_effects(a)
        total = effect @ s @ effect.T
        eta = effect @ m
        basis = np.concatenate([effect[:p], total[:p]], axis=1)
        return State(effect, total, eta, total[:p, :p], eta[:p], basis)

    def follow(self, state: State, n_x: int) -> dict[int, Array]:
        """Derivatives over x of variances that follow from parameters, by position; none here."""
        return {}

    def total_effects(self, a: Array) -> Array:
        """(I - A)^-1; only variables with outgoing effects need a matrix inverse."""
        core, leaf = self.core, self.leaf
        out = np.eye(len(a))
        inner = np.linalg.inv(np.eye(len(core)) - a[core[:, None], core])
        out[core[:, None], core] = inner
        out[leaf[:, None], core] = a[leaf[:, None], core] @ inner
        return out

    def jacobian_sigma(self, state: State) -> Array:
        """d vech(Sigma) / d x over ``cov_x``; rows run down the columns of the lower triangle."""
        r, s = vech_index(self.n_observed)
        gu, gw = state.basis[:, self.u], state.basis[:, self.w]
        return (gu[r] * gw[s] + gw[r] * gu[s]) * self.c

    def jacobian_mu(self, state: State) -> tuple[Array, Array]:
        """d mu / d x: positions in x (directed effects, then means) and (p, k) values."""
        xa, ia, ja = self.a_at
        xm, im = self.m_at
        fe = state.effect[: self.n_observed]
        return (
            np.concatenate([xa, xm]),
            np.concatenate([fe[:, ia] * state.eta[ja], fe[:, im]], axis=1),
        )

    def local_second_order(self, state: State, weight: Array, slope: Array | None) -> Array:
        """Sum over moments of weight times second derivative, over the group's own parameters.

        ``sum_rs weight_rs d2 Sigma_rs + sum_r slope_r d2 mu_r`` for symmetric ``weight`` (p, p)
        and ``slope`` (p,), in the order of ``all_x``: directed effects, S, means.
        """
        n = len(self.names)
        fe, fv = state.basis[:, :n], state.basis[:, n:]
        half = weight @ fe
        ee, ve = fe.T @ half, fv.T @ half
        _xa, ia, ja = self.a_at
        _xs, is_, js = self.s_at
        na, nc = len(ia), len(ia) + len(is_)
        effect = state.effect
        out = np.zeros((len(self.all_x), len(self.all_x)))
        back = effect[ja[:, None], ia]
        left = ve[ja[:, None], ia] * back.T
        block = left + left.T
        block += state.total[ja[:, None], ja] * ee[ia[:, None], ia]
        block *= 2.0
        cross = effect[ja[:, None], is_] * ee[ia[:, None], js]
        cross += effect[ja[:, None], js] * ee[ia[:, None], is_]
        cross *= 2.0 * self.c[na:]
        out[:na, na:nc] = cross
        out[na:nc, :na] = cross.T
        if slope is not None:
            t = fe.T @ slope
            one = back * t[ia][:, None] * state.eta[ja]
            block += one + one.T
            im = self.m_at[1]
            am = t[ia][:, None] * effect[ja[:, None], im]
            out[:na, nc:] = am
            out[nc:, :na] = am.T
        out[:na, :na] = block
        return out

    def spread_means(self, out: Array, block: Array) -> None:
        """Add a matrix over (directed effects, means) to one over the group's parameters."""
        na, nc = len(self.a_at[0]), len(self.cov_x)
        out[:na, :na] += block[:na, :na]
        out[:na, nc:] += block[:na, na:]
        out[nc:, :na] += block[na:, :na]
        out[nc:, nc:] += block[na:, na:]


_VECH: dict[int, tuple[Array, Array]] = {}


def vech_index(p: int) -> tuple[Array, Array]:
    """Rows and columns of the lower triangle, column by column."""
    if p not in _VECH:
        columns, rows = np.triu_indices(p)
        _VECH[p] = (rows, columns)
    return _VECH[p]


def _positions(rows: list[Row], index: dict[str, int]) -> tuple[Array, Array, Array]:
    """Positions in x, rows and columns of free directed or undirected parameters."""
    free = [row for row in rows if row.free]
    x = np.array([row.free - 1 for row in free], dtype=int)
    i = np.array([index[row.rhs if row.op == "=~" else row.lhs] for row in free], dtype=int)
    j = np.array([index[row.lhs if row.op == "=~" else row.rhs] for row in free], dtype=int)
    return x, i, j


def compile_group(
    rows: list[Row], observed: tuple[str, ...], latent: tuple[str, ...]
) -> GroupModel:
    """Compile the rows of one group; rows fixed at NaN must have been filled before."""
    names = (*observed, *latent)
    index = {name: k for k, name in enumerate(names)}
    n = len(names)
    a0, s0, m0 = np.zeros((n, n)), np.zeros((n, n)), np.zeros(n)
    directed = [row for row in rows if row.op in ("=~", "~")]
    undirected = [row for row in rows if row.op == "~~"]
    means = [row for row in rows if row.op == "~1"]
    for row in directed:
        i, j = index[row.rhs], index[row.lhs]
        a0[(i, j) if row.op == "=~" else (j, i)] = 0.0 if row.free else row.fixed
    for row in undirected:
        i, j = index[row.lhs], index[row.rhs]
        s0[i, j] = s0[j, i] = 0.0 if row.free else row.fixed
    for row in means:
        m0[index[row.lhs]] = 0.0 if row.free else row.fixed
    xm = np.array([row.free - 1 for row in means if row.free], dtype=int)
    im = np.array([index[row.lhs] for row in means if row.free], dtype=int)
    return GroupModel(
        names,
        len(observed),
        a0,
        s0,
        m0,
        _positions(directed, index),
        _positions(undirected, index),
        (xm, im),
    )


def compile_table(table: Table) -> list[GroupModel]:
    """Compile every group of the table."""
    by_group: list[list[Row]] = [[] for _ in range(table.options.n_groups)]
    for row in table.rows:
        by_group[row.group - 1].append(row)
    return [compile_group(rows, table.names.observed, table.names.latent) for rows in by_group]
