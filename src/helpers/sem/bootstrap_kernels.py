"""Models evaluated at many parameter values at once: scores, likelihoods, variances.

Every array has the replicates first. With ``P = Sigma^-1``, T the sample covariances plus squared
mean deviations and ``Q = P T P - P``, the score of a covariance parameter (minus the gradient of
f) is ``c (G' Q G)_uw``, see ``helpers.sem.model``. Where every observed variable is an indicator
with a residual of its own, ``Sigma = L Psi L' + D`` with diagonal D, and P comes by Woodbury's
identity from matrices as small as the number of latent variables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from helpers.sem.model import GroupModel

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class BatchMoments:
    """Sample moments of one group in b replicates."""

    cov: Array
    """(b, p, p)."""
    mean: Array | None
    """(b, p), or None without a mean structure."""
    n: Array
    """Rows of the group, (b,)."""

    def take(self, at: Array) -> BatchMoments:
        """Return some of the replicates."""
        return BatchMoments(self.cov[at], None if self.mean is None else self.mean[at], self.n[at])


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances that standardising and admissibility need (n variables, m latent)."""

    total: Array
    """(b, n) model variances of all variables."""
    residual: Array
    """(b, n) diagonal of S."""
    lowest: Array
    """(b,) smallest eigenvalue of the correlations of the latent variables."""
    definite: Array
    """(b,) whether the implied covariance matrix of the observed variables can be one."""


class Kernel(Protocol):
    """One group's model over replicates."""

    at: Array
    """Positions in x of the columns that ``score`` returns."""

    def score(self, x: Array, sample: BatchMoments) -> Array:
        """Return minus the gradient of f, (b, len(at))."""

    def value(self, x: Array, sample: BatchMoments) -> Array:
        """Return f without the terms of the saturated model, (b,)."""

    def spread(self, x: Array, sample: BatchMoments) -> Spread:
        """Return the variances at x."""


@dataclass(frozen=True, slots=True)
class FixedMoments:
    """Where moments of fixed covariates enter: they follow every replicate's sample."""

    rows: Array
    columns: Array
    means: Array


def nilpotency(pattern: Array) -> int | None:
    """Smallest k with ``A^k = 0`` for any A of this pattern; None where effects form a loop."""
    reach = pattern.astype(float)
    for k in range(1, len(pattern) + 1):
        if not reach.any():
            return k
        reach = (reach @ pattern > 0).astype(float)
    return None if reach.any() else len(pattern) + 1


def accumulate(a: Array, order: int | None) -> Array:
    """``(I - A)^-1``: a product of ``I + A^(2^k)`` where A is nilpotent of the given order."""
    eye = np.eye(a.shape[-1])
    if order is None:
        return inverted(eye - a)
    out, power, reached = eye + a, a, 2
    while reached < order:
        power = power @ power
        out = out + out @ power
        reached *= 2
    return out


def solved(a: Array, b: Array) -> Array:
    """``a^-1 b`` for stacks; NaN where a matrix is singular, which NumPy refuses for all."""
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        out = np.full(np.broadcast_shapes(a.shape[:1], b.shape[:1]) + b.shape[1:], np.nan)
        for k in range(len(out)):
            if np.linalg.cond(a[k]) < 1.0 / np.finfo(float).eps:
                out[k] = np.linalg.solve(a[k], b[k])
        return out


def inverted(a: Array) -> Array:
    """Inverses of a stack; NaN where a matrix is singular."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return solved(a, np.broadcast_to(np.eye(a.shape[-1]), a.shape))


def turned(a: Array) -> Array:
    """Transpose the matrices of a stack."""
    return np.swapaxes(a, -1, -2)


def diagonal(a: Array) -> Array:
    """Diagonals of a stack, as a view."""
    return np.einsum("...ii->...i", a)


def filled(base: Array, x: Array, at: tuple[Array, Array, Array], symmetric: bool) -> Array:
    """Copies of a matrix of fixed values with the free ones of every replicate."""
    out = np.empty((len(x), *base.shape))
    out[:] = base
    where, i, j = at
    out[:, i, j] = x[:, where]
    if symmetric:
        out[:, j, i] = x[:, where]
    return out


def lowest_eigenvalue(matrices: Array) -> Array:
    """Smallest eigenvalue of each covariance matrix, on the correlation scale, (b,)."""
    if matrices.shape[-1] == 0:
        return np.ones(len(matrices))
    d = np.sqrt(np.maximum(np.abs(diagonal(matrices)), 1e-300))
    unit = matrices / d[:, :, None] / d[:, None, :]
    whole = np.isfinite(unit).all(axis=(1, 2))
    out = np.full(len(unit), -np.inf)
    out[whole] = np.linalg.eigvalsh(unit[whole])[:, 0]
    return out


@dataclass(slots=True)
class _Inverse:
    """Intermediate products of a ``FactorKernel``."""

    reach: Array
    effect: Array
    psi: Array
    residual: Array
    w: Array
    k: Array
    bend: Array
    tw: Array
    h: Array
    square: Array
    d: Array | None
    eta: Array | None


@dataclass(slots=True)
class FactorKernel:
    """Every observed variable is an indicator with an uncorrelated residual (Woodbury)."""

    model: GroupModel
    means: bool
    p: int = field(init=False)
    at: Array = field(init=False)
    order: int | None = field(init=False)
    loads: tuple[Array, Array, Array] = field(init=False)
    paths: tuple[Array, Array, Array] = field(init=False)
    inner: tuple[Array, Array, Array] = field(init=False)
    outer: tuple[Array, Array] = field(init=False)

    def __post_init__(self) -> None:
        m = self.model
        p = self.p = m.n_observed
        (xa, ia, ja), (xs, i, j) = m.a_at, m.s_at
        own, latent = ia < p, i >= p
        self.loads = xa[own], ia[own], ja[own] - p
        self.paths = xa[~own], ia[~own] - p, ja[~own] - p
        self.inner = xs[latent], i[latent] - p, j[latent] - p
        self.outer = xs[~latent], i[~latent]
        pattern = m.a0[p:, p:] != 0
        pattern[self.paths[1:]] = True
        self.order = nilpotency(pattern)
        parts = [self.loads[0], self.paths[0], self.inner[0], self.outer[0]]
        self.at = np.concatenate([*parts, m.m_at[0]] if self.means else parts)

    @staticmethod
    def fits(model: GroupModel) -> bool:
        """Tell whether a model has this form."""
        p = model.n_observed
        s = model.s0.copy()
        _x, i, j = model.s_at
        s[i, j] = s[j, i] = 1.0
        mixed = s[:p].copy()
        mixed[np.arange(p), np.arange(p)] = 0.0
        leaves = not np.isin(np.arange(p), model.core).any()
        return leaves and not mixed.any() and bool((np.diag(s)[:p] != 0).all())

    def parts(self, x: Array) -> tuple[Array, Array, Array, Array]:
        """Loadings on independent parts L (b, p, m), E and Psi (b, m, m), residuals (b, p)."""
        m, p = self.model, self.p
        load = filled(m.a0[:p, p:], x, self.loads, symmetric=False)
        psi = filled(m.s0[p:, p:], x, self.inner, symmetric=True)
        residual = np.empty((len(x), p))
        residual[:] = np.diag(m.s0)[:p]
        residual[:, self.outer[1]] = x[:, self.outer[0]]
        if self.order == 1:
            effect = np.broadcast_to(np.eye(len(psi[0])), psi.shape)
            return load, effect, psi, residual
        effect = accumulate(filled(m.a0[p:, p:], x, self.paths, symmetric=False), self.order)
        return load @ effect, effect, psi, residual

    def means_of(self, x: Array, reach: Array, effect: Array) -> tuple[Array, Array]:
        """Means of the latent variables, (b, m), and of the observed, (b, p)."""
        m, p = self.model, self.p
        own = np.empty((len(x), len(m.names)))
        own[:] = m.m0
        own[:, m.m_at[1]] = x[:, m.m_at[0]]
        latent = own[:, p:, None]
        return (effect @ latent)[..., 0], own[:, :p] + (reach @ latent)[..., 0]

    def _inverse(self, x: Array, sample: BatchMoments) -> _Inverse:
        """Products around ``P = D^-1 - W C W'`` that score and value share."""
        reach, effect, psi, residual = self.parts(x)
        w = reach / residual[:, :, None]
        wt = turned(w)
        k = wt @ reach
        bend = np.eye(k.shape[-1]) + k @ psi
        tw, square, d, eta = sample.cov @ w, diagonal(sample.cov), None, None
        if self.means:
            eta, mu = self.means_of(x, reach, effect)
            d = sample.mean - mu
            tw += d[:, :, None] * (d[:, None, :] @ w)
            square = square + d * d
        return _Inverse(reach, effect, psi, residual, w, k, bend, tw, wt @ tw, square, d, eta)

    def score(self, x: Array, sample: BatchMoments) -> Array:
        """Return minus the gradient of f.

        With ``W = D^-1 L``, ``K = L' W`` and ``U = (I + K Psi)^-1``: ``C = Psi U`` and
        ``P L = W U'``, so that ``Q L = (D^-1 T W - W (C W' T W + I)) U'``.
        """
        v = self._inverse(x, sample)
        u = inverted(v.bend)
        c, ut = v.psi @ u, turned(u)
        tw = v.tw / v.residual[:, :, None]
        ch = c @ v.h + np.eye(c.shape[-1])
        q = tw - v.w @ ch
        onward = v.psi if self.order == 1 else v.psi @ turned(v.effect)
        small = (v.h - v.k @ ch) @ ut
        both = (q + tw) @ c
        own = (v.square / v.residual - 1.0) / v.residual - np.einsum("bij,bij->bi", both, v.w)
        _x, i, j = self.inner
        load = q @ (ut @ onward)
        path = small if self.order == 1 else small @ onward
        out = [
            load[:, self.loads[1], self.loads[2]], path[:, self.paths[1], self.paths[2]],
            small[:, i, j] * np.where(i == j, 0.5, 1.0), 0.5 * own[:, self.outer[1]],
        ]  # fmt: skip
        if self.means:
            pd = v.d / v.residual - (v.w @ (c @ (v.d[:, None, :] @ v.w).swapaxes(1, 2)))[..., 0]
            back = (pd[:, None, :] @ v.reach)[:, 0]
            out[0] = out[0] + pd[:, self.loads[1]] * v.eta[:, self.loads[2]]
            out[1] = out[1] + back[:, self.paths[1]] * v.eta[:, self.paths[2]]
            out.append(np.concatenate([pd, back], axis=1)[:, self.model.m_at[1]])
        return np.concatenate(out, axis=1)

    def value(self, x: Array, sample: BatchMoments) -> Array:
        """Return f without the terms of the saturated model."""
        v = self._inverse(x, sample)
        logdet = np.linalg.slogdet(v.bend)[1] + np.log(np.abs(v.residual)).sum(axis=1)
        inside = solved(turned(v.bend), v.psi)
        trace = (v.square / v.residual).sum(axis=1) - (inside * v.h).sum(axis=(1, 2))
        return 0.5 * (logdet + trace)

    def spread(self, x: Array, sample: BatchMoments) -> Spread:
        """Return the variances at x."""
        reach, effect, psi, residual = self.parts(x)
        latent = psi if self.order == 1 else effect @ psi @ turned(effect)
        own = np.einsum("bij,bij->bi", reach @ psi, reach) + residual
        total = np.concatenate([own, diagonal(latent)], axis=1)
        lowest = lowest_eigenvalue(latent)
        definite = (residual > 0).all(axis=1) & (lowest > 0)
        for b in np.flatnonzero(~definite):
            sigma = reach[b] @ psi[b] @ reach[b].T + np.diag(residual[b])
            definite[b] = np.isfinite(sigma).all() and np.linalg.eigvalsh(sigma)[0] > 0
        return Spread(total, np.concatenate([residual, diagonal(psi)], axis=1), lowest, definite)


@dataclass(slots=True)
class GeneralKernel:
    """Any model: residual covariances, observed predictors, fixed covariates."""

    model: GroupModel
    means: bool
    fixed: FixedMoments
    at: Array = field(init=False)
    order: int | None = field(init=False)
    heads: Array = field(init=False)

    def __post_init__(self) -> None:
        m = self.model
        self.at = m.all_x if self.means else m.cov_x
        pattern = m.a0 != 0
        pattern[m.a_at[1:]] = True
        self.order = nilpotency(pattern[np.ix_(m.core, m.core)])
        self.heads = np.unique(m.u)

    def effects(self, x: Array) -> Array:
        """(I - A)^-1, (b, n, n); only variables with outgoing effects need a matrix inverse."""
        m = self.model
        a = filled(m.a0, x, m.a_at, symmetric=False)
        core, leaf = m.core, m.leaf
        inner = accumulate(a[:, core[:, None], core], self.order)
        out = np.zeros_like(a)
        out[:, leaf, leaf] = 1.0
        out[:, core[:, None], core] = inner
        out[:, leaf[:, None], core] = a[:, leaf[:, None], core] @ inner
        return out

    def undirected(self, x: Array, sample: BatchMoments) -> Array:
        """S, (b, n, n), with moments of fixed covariates from the sample."""
        s = filled(self.model.s0, x, self.model.s_at, symmetric=True)
        i, j = self.fixed.rows, self.fixed.columns
        s[:, i, j] = s[:, j, i] = sample.cov[:, i, j]
        return s

    def means_of(self, x: Array, effect: Array, sample: BatchMoments) -> Array:
        """Means of all variables, (b, n)."""
        m = self.model
        own = np.empty((len(x), len(m.names)))
        own[:] = m.m0
        own[:, m.m_at[1]] = x[:, m.m_at[0]]
        own[:, self.fixed.means] = sample.mean[:, self.fixed.means]
        return (effect @ own[:, :, None])[..., 0]

    def score(self, x: Array, sample: BatchMoments) -> Array:
        """Return minus the gradient of f."""
        m, p = self.model, self.model.n_observed
        effect = self.effects(x)
        total = effect @ self.undirected(x, sample) @ turned(effect)
        inverse = inverted(total[:, :p, :p])
        inverse = 0.5 * (inverse + turned(inverse))
        t, d, eta = sample.cov, None, None
        if self.means:
            eta = self.means_of(x, effect, sample)
            d = sample.mean - eta[:, :p]
            t = t + d[:, :, None] * d[:, None, :]
        q = inverse @ t @ inverse - inverse
        columns = effect[:, :p][:, :, self.heads]
        half = turned(columns) @ q
        spot = np.searchsorted(self.heads, m.u)
        product = half @ np.concatenate([effect[:, :p], total[:, :p]], axis=2)
        out = product[:, spot, m.w] * m.c
        if d is None:
            return out
        xa, ia, ja = m.a_at
        back = ((inverse @ d[:, :, None]).swapaxes(1, 2) @ effect[:, :p])[:, 0]
        out[:, : len(xa)] += back[:, ia] * eta[:, ja]
        return np.concatenate([out, back[:, m.m_at[1]]], axis=1)

    def implied(self, x: Array, sample: BatchMoments) -> tuple[Array, Array | None]:
        """Return the moments of the observed variables, (b, p, p) and (b, p)."""
        effect, p = self.effects(x), self.model.n_observed
        sigma = effect[:, :p] @ self.undirected(x, sample) @ turned(effect[:, :p])
        return sigma, self.means_of(x, effect, sample)[:, :p] if self.means else None

    def value(self, x: Array, sample: BatchMoments) -> Array:
        """Return f without the terms of the saturated model."""
        sigma, mean = self.implied(x, sample)
        t = sample.cov
        if mean is not None:
            d = sample.mean - mean
            t = t + d[:, :, None] * d[:, None, :]
        trace = np.einsum("bii->b", solved(sigma, t))
        return 0.5 * (np.linalg.slogdet(sigma)[1] + trace)

    def spread(self, x: Array, sample: BatchMoments) -> Spread:
        """Return the variances at x."""
        p = self.model.n_observed
        effect, s = self.effects(x), self.undirected(x, sample)
        total = effect @ s @ turned(effect)
        definite = lowest_eigenvalue(total[:, :p, :p]) > 0
        return Spread(diagonal(total), diagonal(s), lowest_eigenvalue(total[:, p:, p:]), definite)
