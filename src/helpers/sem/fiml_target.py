"""The likelihood of incomplete rows as a discrepancy function, and what inference takes from it.

Per group g with n_g rows, ``f_g = (loglik of the saturated model - loglik of the model) / n_g``
and ``f = sum_g n_g / N f_g``, so that the test statistic is ``2 N f``, as for complete rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from helpers.errors import EstimationError
from helpers.sem.discrepancy import gather_gradient, own_jacobian
from helpers.sem.fiml_likelihood import Information, casewise_scores, derivatives, loglik
from helpers.sem.fiml_patterns import MissingPatterns
from helpers.sem.fiml_saturated import SaturatedMoments
from helpers.sem.model import GroupModel, State

Array = np.ndarray
T = TypeVar("T")


@dataclass(frozen=True)
class IncompleteGroup:
    """One group's rows and its saturated model; its information, per row, is made on demand."""

    patterns: MissingPatterns
    moments: SaturatedMoments

    @property
    def n(self) -> int:
        """Rows used."""
        return self.patterns.n_used

    @cached_property
    def expected(self) -> Array:
        """Expected information of the saturated (mean, vech), given the patterns of blanks."""
        return self._information("expected")

    @cached_property
    def observed(self) -> Array:
        """Observed information of the saturated (mean, vech)."""
        return self._information("observed")

    @cached_property
    def first_order(self) -> Array:
        """Average outer product of the casewise scores of the saturated (mean, vech)."""
        scores = casewise_scores(self.patterns, self.moments.mean, self.moments.cov)
        return scores.T @ scores / self.n

    def trace(self, fixed: tuple[int, ...], kind: Information) -> float:
        """Return tr(A^-1 B) of information and outer product, without moments of ``fixed``."""

        def make() -> float:
            at = np.ix_(*[random_moments(len(self.moments.mean), fixed)] * 2)
            information = self.observed if kind == "observed" else self.expected
            return float(np.trace(np.linalg.solve(information[at], self.first_order[at])))

        return self.once(("trace", fixed, kind), make)

    def once(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """Return what ``make`` computes of the rows alone; it runs the first time only."""
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    @cached_property
    def _known(self) -> dict[tuple[object, ...], Any]:
        """What was computed so far."""
        return {}

    def _information(self, kind: Information) -> Array:
        """Return information per row at the saturated moments."""
        here = derivatives(self.patterns, self.moments.mean, self.moments.cov, information=kind)
        return here.information / self.n


@dataclass(slots=True)
class IncompleteRows:
    """Full-information maximum likelihood for one or several groups.

    The Hessian that ``pieces`` returns takes the expected information of the *saturated* moments
    in place of the model's own: it is computed once, a step costs a tenth, and scoring converges
    to the same point.
    """

    models: list[GroupModel]
    groups: list[IncompleteGroup]
    weights: Array
    """Share of every group in N, (G,)."""
    n_x: int

    def value(self, x: Array) -> float:
        """Return f."""
        return float(sum(w * f for w, f in zip(self.weights, self.group_values(x))))

    def group_values(self, x: Array) -> list[float]:
        """f of every group."""
        out = []
        for model, group in zip(self.models, self.groups):
            state = model.state(x)
            here = loglik(group.patterns, state.mu, state.sigma)
            out.append((group.moments.loglik - here) / group.n)
        return out

    @property
    def newton(self) -> bool:
        """Tell that ``pieces`` offers the observed Hessian, which converges quadratically."""
        return True

    def pieces(self, x: Array, *, observed: bool = False) -> tuple[float, Array, Array]:
        """Return f, gradient and a positive semidefinite (or the observed) Hessian."""
        total, gradient, hessian = 0.0, np.zeros(self.n_x), np.zeros((self.n_x, self.n_x))
        for model, group, share in zip(self.models, self.groups, self.weights):
            state = model.state(x)
            try:
                here = derivatives(
                    group.patterns, state.mu, state.sigma,
                    information="observed" if observed else "none",
                )  # fmt: skip
            except EstimationError:
                return np.inf, gradient, hessian
            total += share * (group.moments.loglik - here.loglik) / group.n
            scale = share / group.n
            gradient -= scale * model_gradient(model, state, here.d_mean, here.d_cov, self.n_x)
            delta = own_jacobian(model, state, True)
            if observed:
                weight = symmetric_weight(here.d_cov, len(state.mu))
                part = delta.T @ here.information @ delta
                part -= model.local_second_order(state, weight, here.d_mean)
                part *= scale
            else:
                part = share * (delta.T @ (group.expected @ delta))
            hessian[model.all_x[:, None], model.all_x] += part
        return total, gradient, hessian

    def information(self, x: Array, kind: Information, kept: Array | None = None) -> Array:
        """Return the model's information per row over all free rows, without differencing.

        ``"expected"`` is taken given the patterns of blanks, from the moments at the positions
        ``kept`` if given; ``"observed"`` is the Hessian of f.
        """
        total = np.zeros((self.n_x, self.n_x))
        for model, group, share in zip(self.models, self.groups, self.weights):
            state = model.state(x)
            here = derivatives(group.patterns, state.mu, state.sigma, information=kind)
            delta = own_jacobian(model, state, True)
            if kept is None:
                part = delta.T @ here.information @ delta
            else:
                part = delta[kept].T @ here.information[np.ix_(kept, kept)] @ delta[kept]
            if kind == "observed":
                weight = symmetric_weight(here.d_cov, len(state.mu))
                part -= model.local_second_order(state, weight, here.d_mean)
            total[model.all_x[:, None], model.all_x] += share / group.n * part
        return total

    def meat(self, x: Array) -> Array:
        """Average outer product of casewise scores: the middle of the sandwich."""
        total = np.zeros((self.n_x, self.n_x))
        for model, group, share in zip(self.models, self.groups, self.weights):
            state = model.state(x)
            by_moment = casewise_scores(group.patterns, state.mu, state.sigma)
            scores = by_moment @ own_jacobian(model, state, True)
            part = share * (scores.T @ scores) / len(scores)
            total[model.all_x[:, None], model.all_x] += part
        return total


def model_gradient(model: GroupModel, state: State, d_mean: Array, d_cov: Array, n_x: int) -> Array:
    """Carry derivatives by (mean, vech) over to all free rows."""
    out = np.zeros(n_x)
    weight = 2.0 * symmetric_weight(d_cov, len(d_mean))
    out[model.cov_x] = gather_gradient(model, state.basis, weight)
    where, jacobian = model.jacobian_mu(state)
    np.add.at(out, where, d_mean @ jacobian)
    return out


def symmetric_weight(d_cov: Array, p: int) -> Array:
    """Return W with ``sum_rs W_rs S_rs = d_cov' vech(S)`` for symmetric S."""
    column, row = np.triu_indices(p)
    out = np.zeros((p, p))
    out[row, column] += 0.5 * d_cov
    out[column, row] += 0.5 * d_cov
    return out


def random_moments(p: int, fixed: tuple[int, ...]) -> Array:
    """Return the positions in (mean, vech) of moments that are not those of fixed covariates."""
    column, row = np.triu_indices(p)
    given = np.isin(np.arange(p), fixed)
    return np.flatnonzero(np.concatenate([~given, ~(given[row] & given[column])]))
