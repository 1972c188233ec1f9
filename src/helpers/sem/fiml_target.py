"""The likelihood of incomplete rows as a discrepancy function, and what inference takes from it.

Per group g with n_g rows, ``f_g = (loglik of the saturated model - loglik of the model) / n_g``
and ``f = sum_g n_g / N f_g``, so that the test statistic is ``2 N f``, as for complete rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from helpers.errors import EstimationError
from helpers.sem.discrepancy import gather_gradient, moment_jacobian
from helpers.sem.fiml_likelihood import casewise_scores, derivatives, loglik
from helpers.sem.fiml_patterns import MissingPatterns
from helpers.sem.fiml_saturated import SaturatedMoments
from helpers.sem.model import GroupModel, State

Array = np.ndarray


@dataclass(slots=True)
class IncompleteRows:
    """Full-information maximum likelihood for one or several groups.

    The Hessian that ``pieces`` returns takes the expected information of the *saturated* moments
    in place of the model's own: it is computed once, a step costs a tenth, and scoring converges
    to the same point.
    """

    models: list[GroupModel]
    patterns: list[MissingPatterns]
    saturated: list[SaturatedMoments]
    weights: Array
    """Share of every group in N, (G,)."""
    n_x: int
    information: list[Array] = field(init=False)
    """Expected information of the saturated moments per row, (p + p*, p + p*) for each group."""

    def __post_init__(self) -> None:
        self.information = [
            derivatives(rows, s.mean, s.cov, information="expected").information / rows.n_used
            for rows, s in zip(self.patterns, self.saturated)
        ]

    def value(self, x: Array) -> float:
        """Return f."""
        return float(sum(w * f for w, f in zip(self.weights, self.group_values(x))))

    def group_values(self, x: Array) -> list[float]:
        """f of every group."""
        out = []
        for model, rows, saturated in zip(self.models, self.patterns, self.saturated):
            state = model.state(x)
            out.append((saturated.loglik - loglik(rows, state.mu, state.sigma)) / rows.n_used)
        return out

    def pieces(self, x: Array) -> tuple[float, Array, Array]:
        """Return f, gradient and a positive semidefinite Hessian."""
        total, gradient, hessian = 0.0, np.zeros(self.n_x), np.zeros((self.n_x, self.n_x))
        for g, model in enumerate(self.models):
            rows, state, share = self.patterns[g], model.state(x), self.weights[g]
            try:
                here = derivatives(rows, state.mu, state.sigma)
            except EstimationError:
                return np.inf, gradient, hessian
            total += share * (self.saturated[g].loglik - here.loglik) / rows.n_used
            scale = share / rows.n_used
            gradient -= scale * model_gradient(model, state, here.d_mean, here.d_cov, self.n_x)
            delta = moment_jacobian(model, state, self.n_x, True)
            hessian += share * (delta.T @ (self.information[g] @ delta))
        return total, gradient, hessian

    def log_likelihoods(self, x: Array) -> tuple[float, float]:
        """Log-likelihood of the model and of the saturated model, all groups."""
        h1 = sum(s.loglik for s in self.saturated)
        n = [rows.n_used for rows in self.patterns]
        return h1 - sum(k * f for k, f in zip(n, self.group_values(x))), h1

    def expected_information(self, x: Array) -> Array:
        """Expected information of the model per row, given the patterns of blanks."""
        return self._model_information(x, "expected")

    def observed_information(self, x: Array) -> Array:
        """Hessian of f over all free rows, without differencing."""
        return self._model_information(x, "observed")

    def _model_information(self, x: Array, kind: str) -> Array:
        """Carry the information of the moments over to the model's parameters."""
        total = np.zeros((self.n_x, self.n_x))
        for g, model in enumerate(self.models):
            rows, state = self.patterns[g], model.state(x)
            here = derivatives(rows, state.mu, state.sigma, information=kind)
            delta = moment_jacobian(model, state, self.n_x, True)
            part = delta.T @ here.information @ delta
            if kind == "observed":
                weight = symmetric_weight(here.d_cov, len(state.mu))
                part -= model.second_order(state, weight, here.d_mean, self.n_x)
            total += self.weights[g] / rows.n_used * part
        return total

    def scores(self, x: Array) -> list[Array]:
        """Casewise derivatives of the log-likelihood over all free rows, (n_g, n_x) per group."""
        out = []
        for model, rows in zip(self.models, self.patterns):
            state = model.state(x)
            saturated = casewise_scores(rows, state.mu, state.sigma)
            out.append(saturated @ moment_jacobian(model, state, self.n_x, True))
        return out

    def meat(self, x: Array) -> Array:
        """Average outer product of casewise scores: the middle of the sandwich."""
        total = np.zeros((self.n_x, self.n_x))
        for share, scores in zip(self.weights, self.scores(x)):
            total += share * (scores.T @ scores) / len(scores)
        return total

    def saturated_trace(self) -> float:
        """tr(A^-1 B) of the saturated model, observed information and outer product of scores."""
        return float(sum(np.sum(b * np.linalg.inv(a)) for a, b in self.saturated_pieces()))

    def saturated_pieces(self) -> list[tuple[Array, Array]]:
        """Observed and first-order information of the saturated moments per row, per group."""
        out = []
        for rows, s in zip(self.patterns, self.saturated):
            here = derivatives(rows, s.mean, s.cov, information="observed")
            scores = casewise_scores(rows, s.mean, s.cov)
            n = rows.n_used
            out.append((here.information / n, scores.T @ scores / n))
        return out


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
