"""Discrepancy functions: the fit of a model to sample moments, with gradient and information.

Every function object offers ``value(x)`` and ``pieces(x) -> (f, g, H)`` over all free rows,
per observation and in lavaan's scale (``f`` is half of the textbook F, so that the test is
``2 N f``): ``g`` is the gradient of f and ``H`` its expected Hessian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from helpers.sem.model import GroupModel, State, vech_index
from helpers.sem.moments import GroupMoments

Array = np.ndarray


class Discrepancy(Protocol):
    """What the optimiser needs."""

    n_x: int

    def value(self, x: Array) -> float:
        """Return f; infinite where the model has no likelihood."""

    def pieces(self, x: Array) -> tuple[float, Array, Array]:
        """Return f, gradient and expected Hessian."""


def invert(matrix: Array) -> tuple[Array | None, float]:
    """Inverse and log-determinant of a symmetric matrix; ``None`` if not positive definite."""
    factor, info = dpotrf(matrix, lower=0, clean=1)
    if info != 0:
        return None, np.inf
    logdet = 2.0 * float(np.log(np.diag(factor)).sum())
    inverse, info = dpotri(factor, lower=0)
    whole = inverse + inverse.T
    whole.flat[:: len(whole) + 1] *= 0.5
    return whole, logdet


def gather_information(model: GroupModel, k: Array) -> Array:
    """``1/2 tr(W dS_j W dS_k)`` for all parameters, from ``k = G' W G``."""
    uu, ww, uw, c = model.pairs
    cross = k.take(uw)
    out = k.take(uu) * k.take(ww)
    out += cross * cross.T
    out *= c
    return out


def gather_gradient(model: GroupModel, basis: Array, weight: Array) -> Array:
    """``1/2 tr(M dS_j)`` for all parameters, for a symmetric ``weight`` M."""
    product = basis.T @ weight @ basis
    return product[model.u, model.w] * model.c


class GroupPart:
    """Products of one group that gradient and Hessians share.

    ``weight`` is W (the inverse of Sigma, or of S for GLS), ``cov`` the sample matrix, ``d`` the
    deviation of the means, or None.
    """

    __slots__ = ("model", "state", "weight", "t", "d", "wg", "k", "q")

    def __init__(
        self, model: GroupModel, state: State, weight: Array, cov: Array, d: Array | None
    ) -> None:
        self.model, self.state, self.weight, self.t, self.d = model, state, weight, cov, d
        self.wg = weight @ state.basis
        self.k = state.basis.T @ self.wg
        self.q: Array | None = None

    def add_mean_square(self) -> None:
        """Count squared mean deviations as covariance, as the normal likelihood does."""
        if self.d is not None:
            self.t = self.t + np.outer(self.d, self.d)

    def gradient(self, out: Array, share: float) -> None:
        """Add the gradient of f."""
        model = self.model
        self.q = self.wg.T @ self.t @ self.wg
        bent = self.q - self.wg.T @ self.state.sigma @ self.wg
        out[model.cov_x] -= share * bent[model.u, model.w] * model.c
        if self.d is not None:
            where, jac = model.jacobian_mu(self.state)
            np.add.at(out, where, -share * ((self.weight @ self.d) @ jac))

    def expected(self) -> Array:
        """Return the expected Hessian over the group's own parameters."""
        model = self.model
        out = np.zeros((len(model.all_x), len(model.all_x)))
        nc = len(model.cov_x)
        out[:nc, :nc] = gather_information(model, self.k)
        if self.d is not None:
            _where, jac = model.jacobian_mu(self.state)
            model.spread_means(out, jac.T @ (self.weight @ jac))
        return out

    def observed(self) -> Array:
        """Return the observed Hessian of the normal likelihood over the group's own parameters.

        ``tr(dS_j P dS_k X) - 1/2 tr(P dS_j P dS_k)`` with ``P = Sigma^-1`` and ``X = P T P``,
        mean terms, and second derivatives of the moments times the gradient.
        """
        model = self.model
        uu, ww, uw, c = model.pairs
        q = self.wg.T @ self.t @ self.wg if self.q is None else self.q
        kuu, kww, kuw = self.k.take(uu), self.k.take(ww), self.k.take(uw)
        block = kuw.T * q.take(uw)
        block = block + block.T
        block += kww * q.take(uu)
        block += kuu * q.take(ww)
        block -= kuu * kww
        block -= kuw * kuw.T
        block *= c
        slope = None if self.d is None else -(self.weight @ self.d)
        bend = 0.5 * (self.weight - self.weight @ self.t @ self.weight)
        out = model.local_second_order(self.state, bend, slope)
        nc = len(model.u)
        out[:nc, :nc] += block
        if slope is not None:
            self._observed_means(out, -slope)
        return out

    def _observed_means(self, out: Array, pd: Array) -> None:
        """Add the terms of the means, and of means with covariances."""
        model = self.model
        na, nc = len(model.a_at[0]), len(model.cov_x)
        _where, jac = model.jacobian_mu(self.state)
        gd = self.state.basis.T @ pd
        u, w = model.u, model.w
        bent = (self.wg[:, u] * gd[w] + self.wg[:, w] * gd[u]) * model.c
        cross = jac.T @ bent
        out[:na, :nc] += cross[:na]
        out[:nc, :na] += cross[:na].T
        out[nc:, :nc] += cross[na:]
        out[:nc, nc:] += cross[na:].T
        model.spread_means(out, jac.T @ (self.weight @ jac))


@dataclass(slots=True)
class NormalTheory:
    """ML or GLS on means and covariances of one or several groups."""

    models: list[GroupModel]
    moments: list[GroupMoments]
    weights: Array
    """Share of every group in N, (G,)."""
    n_x: int
    means: bool
    kind: str = "ML"

    def _deviation(self, state: State, g: int) -> Array | None:
        """Sample minus model means."""
        return self.moments[g].mean - state.mu if self.means else None

    def _group_value(self, state: State, g: int) -> tuple[float, Array | None]:
        """f of one group and the weight matrix used."""
        sample = self.moments[g]
        p = len(sample.cov)
        d = self._deviation(state, g)
        if self.kind == "GLS":
            weight = sample.inverse
            product = weight @ (sample.cov - state.sigma)
            f = 0.25 * float(np.sum(product * product.T))
        else:
            weight, logdet = invert(state.sigma)
            if weight is None:
                return np.inf, None
            f = 0.5 * (logdet + float(np.sum(weight * sample.cov)) - sample.logdet - p)
        if d is not None:
            f += 0.5 * float(d @ weight @ d)
        return f, weight

    def value(self, x: Array) -> float:
        """Return f."""
        return float(sum(w * f for w, f in zip(self.weights, self.group_values(x))))

    def group_values(self, x: Array) -> list[float]:
        """f of every group."""
        return [self._group_value(m.state(x), g)[0] for g, m in enumerate(self.models)]

    @property
    def newton(self) -> bool:
        """Whether ``pieces`` offers the observed Hessian, which converges quadratically."""
        return self.kind == "ML"

    def pieces(self, x: Array, *, observed: bool = False) -> tuple[float, Array, Array]:
        """Return f, gradient and expected (or observed) Hessian."""
        total, gradient, hessian = 0.0, np.zeros(self.n_x), np.zeros((self.n_x, self.n_x))
        for g, model in enumerate(self.models):
            state = model.state(x)
            f, weight = self._group_value(state, g)
            share = self.weights[g]
            total += share * f
            if weight is None:
                return np.inf, gradient, hessian
            part = GroupPart(model, state, weight, self.moments[g].cov, self._deviation(state, g))
            if self.kind == "ML":
                part.add_mean_square()
            part.gradient(gradient, share)
            at = model.all_x
            hessian[at[:, None], at] += share * (part.observed() if observed else part.expected())
        return total, gradient, hessian


@dataclass(slots=True)
class Quadratic:
    """Least squares ``1/2 r' W r`` on the stacked moments ``[means, vech(S)]`` (WLS, DWLS, ULS)."""

    models: list[GroupModel]
    targets: list[Array]
    """Sample moment vector of every group."""
    weight: list[Array]
    """(k,) for diagonal weights or (k, k)."""
    weights: Array
    n_x: int
    means: bool

    def implied(self, model: GroupModel, state: State) -> Array:
        """Model moments in the order of the target."""
        r, s = vech_index(model.n_observed)
        sigma = state.sigma[r, s]
        return np.concatenate([state.mu, sigma]) if self.means else sigma

    def jacobian(self, model: GroupModel, state: State) -> Array:
        """Jacobian of ``implied`` over x, (k, n_x)."""
        return moment_jacobian(model, state, self.n_x, self.means)

    def value(self, x: Array) -> float:
        """Return f."""
        return float(sum(w * f for w, f in zip(self.weights, self.group_values(x))))

    def group_values(self, x: Array) -> list[float]:
        """f of every group."""
        out = []
        for g, model in enumerate(self.models):
            r = self.targets[g] - self.implied(model, model.state(x))
            out.append(0.5 * float(r @ weigh(self.weight[g], r)))
        return out

    def pieces(self, x: Array) -> tuple[float, Array, Array]:
        """Return f, gradient and Gauss-Newton Hessian."""
        total, gradient, hessian = 0.0, np.zeros(self.n_x), np.zeros((self.n_x, self.n_x))
        for g, model in enumerate(self.models):
            state = model.state(x)
            r = self.targets[g] - self.implied(model, state)
            delta = self.jacobian(model, state)
            wd = weigh(self.weight[g], delta)
            share = self.weights[g]
            total += 0.5 * share * float(r @ weigh(self.weight[g], r))
            gradient -= share * (wd.T @ r)
            hessian += share * (delta.T @ wd)
        return total, gradient, hessian


def weigh(weight: Array, values: Array) -> Array:
    """Apply a diagonal or full weight matrix to a vector or the columns of a matrix."""
    if weight.ndim == 2:
        return weight @ values
    return weight * values if values.ndim == 1 else weight[:, None] * values


def moment_jacobian(model: GroupModel, state: State, n_x: int, means: bool) -> Array:
    """Jacobian of ``[mu, vech(Sigma)]`` (or vech(Sigma) alone) over x."""
    own = own_jacobian(model, state, means)
    out = np.zeros((len(own), n_x))
    out[:, model.all_x if means else model.cov_x] = own
    return out


def own_jacobian(model: GroupModel, state: State, means: bool) -> Array:
    """The same over the group's own parameters: directed effects, S and, if wanted, means."""
    p, na, nc = model.n_observed, len(model.a_at[0]), len(model.cov_x)
    if not means:
        return model.jacobian_sigma(state)
    out = np.zeros((p + p * (p + 1) // 2, len(model.all_x)))
    out[p:, :nc] = model.jacobian_sigma(state)
    by_mean = model.jacobian_mu(state)[1]
    out[:p, :na], out[:p, nc:] = by_mean[:, :na], by_mean[:, na:]
    return out
