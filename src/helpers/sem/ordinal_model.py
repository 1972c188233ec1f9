"""Models of ordered items: thresholds, residual variances that follow, scales of groups.

Each ordered item i has a latent response with thresholds ``tau`` and scale ``delta`` (1 in the
first group; the delta parameterisation): its residual variance is whatever makes the variance of
the response ``1 / delta_i^2``, and the moments to be explained are ``delta_i (tau - mu_i)`` and
``delta_i delta_j Sigma_ij``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helpers.errors import ModelSpecError
from helpers.sem.discrepancy import Quadratic
from helpers.sem.model import GroupModel, State, compile_group, vech_index
from helpers.sem.ordinal import OrdinalMoments
from helpers.sem.partable import Row, Table

Array = np.ndarray


@dataclass(slots=True)
class OrdinalState(State):
    """State whose ``sigma`` is scaled by the deltas, as the sample's correlations are."""

    tau: Array
    """Thresholds in the order of the sample's; 0 where a mean stands."""
    delta: Array
    """Scale of each observed variable; 1 for continuous ones."""
    conditional: State
    """The state given covariates at 0, before scaling; the state itself without covariates."""


@dataclass(slots=True)
class OrdinalModel(GroupModel):
    """A group's model with ordered items."""

    ordered: Array
    """Positions of the ordered items among the observed variables."""
    given: Array
    """Positions of fixed covariates."""
    explained: Array
    """Positions of the other observed variables, in the order of the sample's moments."""
    threshold_variable: Array
    threshold_is_mean: Array
    tau0: Array
    tau_at: tuple[Array, Array]
    """Positions in x, and among the thresholds, of the free ones."""
    delta0: Array
    delta_at: tuple[Array, Array]
    """Positions in x, and among the observed variables, of the free scales."""

    def deltas(self, x: Array) -> Array:
        """Return the scale of each observed variable."""
        delta = self.delta0.copy()
        at, where = self.delta_at
        delta[where] = x[at]
        return delta

    def matrices(self, x: Array) -> tuple[Array, Array, Array]:
        """Fill A, S and m; residual variances of ordered items follow from the others."""
        a, s, m = GroupModel.matrices(self, x)
        o = self.ordered
        s[o, o] = 0.0
        inner = s.copy()
        inner[np.ix_(self.given, self.given)] = 0.0
        effect = np.linalg.inv(np.eye(len(a)) - a)[o]
        rest = np.einsum("ij,jk,ik->i", effect, inner, effect)
        s[o, o] = np.linalg.solve(effect[:, o] ** 2, 1.0 / self.deltas(x)[o] ** 2 - rest)
        return a, s, m

    def state(self, x: Array) -> OrdinalState:
        """Evaluate the model at ``x``."""
        plain = GroupModel.state(self, x)
        tau = self.tau0.copy()
        at, where = self.tau_at
        tau[where] = x[at]
        delta = self.deltas(x)
        sigma = plain.sigma * np.outer(delta, delta)
        return OrdinalState(
            plain.effect, plain.total, plain.eta, sigma, plain.mu, plain.basis, tau, delta,
            self._given_covariates(plain),
        )  # fmt: skip

    def _given_covariates(self, plain: State) -> State:
        """Take the covariates' variation and means out of a state."""
        g, p = self.given, self.n_observed
        if not len(g):
            return plain
        by_covariate = plain.effect[:, g]
        total = plain.total - by_covariate @ self.s0[np.ix_(g, g)] @ by_covariate.T
        eta = plain.eta - by_covariate @ self.m0[g]
        basis = np.concatenate([plain.effect[:p], total[:p]], axis=1)
        return State(plain.effect, total, eta, total[:p, :p], eta[:p], basis)

    def explained_cov(self, state: OrdinalState) -> Array:
        """Return the scaled covariances of the explained variables given the covariates."""
        e = self.explained
        delta = state.delta[e]
        return state.conditional.sigma[np.ix_(e, e)] * np.outer(delta, delta)

    def follow(self, state: OrdinalState, n_x: int) -> dict[int, Array]:
        """Derivatives over x of the residual variances of ordered items, by position."""
        moved = self._residual_slopes(state, self._direct(state, n_x))
        return dict(zip(self.ordered.tolist(), moved))

    def _direct(self, state: OrdinalState, n_x: int) -> Array:
        """d vech(Sigma before scaling) / d x at given residual variances, (p*, n_x)."""
        out = np.zeros((len(vech_index(self.n_observed)[0]), n_x))
        out[:, self.cov_x] = GroupModel.jacobian_sigma(self, state.conditional)
        return out

    def _residual_slopes(self, state: OrdinalState, direct: Array) -> Array:
        """Derivatives of the residual variances that keep the responses' variances."""
        r, s = vech_index(self.n_observed)
        o = self.ordered
        wanted = np.zeros((len(o), direct.shape[1]))
        at, where = self.delta_at
        wanted[np.searchsorted(o, where), at] = -2.0 / state.delta[where] ** 3
        return np.linalg.solve(
            state.effect[np.ix_(o, o)] ** 2, wanted - direct[np.flatnonzero(r == s)[o]]
        )

    def jacobian_sigma_full(self, state: OrdinalState, n_x: int) -> Array:
        """d vech(Sigma before scaling) / d x, residual variances following, (p*, n_x)."""
        r, s = vech_index(self.n_observed)
        out = self._direct(state, n_x)
        loads = state.effect[:, self.ordered]
        return out + (loads[r] * loads[s]) @ self._residual_slopes(state, out)

    def jacobian_mean_full(self, state: OrdinalState, n_x: int) -> Array:
        """d mu / d x, (p, n_x)."""
        out = np.zeros((self.n_observed, n_x))
        where, jacobian = self.jacobian_mu(state.conditional)
        np.add.at(out, (slice(None), where), jacobian)
        return out


@dataclass(slots=True)
class OrdinalTarget(Quadratic):
    """Least squares on thresholds, means, variances and correlations."""

    def implied(self, model: OrdinalModel, state: OrdinalState) -> Array:
        """Model moments in the order of the sample's."""
        v = model.threshold_variable
        mean = state.conditional.mu[v]
        first = np.where(model.threshold_is_mean, -mean, state.delta[v] * (state.tau - mean))
        e = model.explained
        slopes = state.delta[e] * state.effect[np.ix_(e, model.given)].T
        variances = np.diag(state.conditional.sigma)[continuous(model)]
        a, b = np.triu_indices(len(e), 1)
        return np.concatenate([first, slopes.ravel(), variances, model.explained_cov(state)[a, b]])

    def jacobian(self, model: OrdinalModel, state: OrdinalState) -> Array:
        """Jacobian of ``implied`` over x."""
        r, s = vech_index(model.n_observed)
        delta, total = state.delta, state.conditional.sigma
        scaled = (delta[r] * delta[s])[:, None] * model.jacobian_sigma_full(state, self.n_x)
        for x, i in zip(*model.delta_at):
            scaled[:, x] += total[r, s] * ((r == i) * delta[s] + (s == i) * delta[r])
        place = np.empty(total.shape, dtype=int)
        place[r, s] = place[s, r] = np.arange(len(r))
        e, own = model.explained, continuous(model)
        a, b = np.triu_indices(len(e), 1)
        return np.concatenate(
            [
                self._threshold_jacobian(model, state),
                self._slope_jacobian(model, state),
                scaled[place[own, own]],
                scaled[place[e[a], e[b]]],
            ]
        )

    def _threshold_jacobian(self, model: OrdinalModel, state: OrdinalState) -> Array:
        """Rows of the thresholds and negated means."""
        v, is_mean = model.threshold_variable, model.threshold_is_mean
        scale = np.where(is_mean, 1.0, state.delta[v])
        out = -scale[:, None] * model.jacobian_mean_full(state, self.n_x)[v]
        at, where = model.tau_at
        np.add.at(out, (where, at), state.delta[v[where]])
        for x, i in zip(*model.delta_at):
            own = (v == i) & ~is_mean
            out[own, x] += (state.tau - state.conditional.mu[v])[own]
        return out

    def _slope_jacobian(self, model: OrdinalModel, state: OrdinalState) -> Array:
        """Rows of the regressions on covariates, covariate by covariate."""
        e = model.explained
        at, i, j = model.a_at
        blocks = [np.zeros((0, self.n_x))]
        for g in model.given:
            block = np.zeros((len(e), self.n_x))
            block[:, at] = state.effect[np.ix_(e, i)] * state.effect[j, g]
            block *= state.delta[e][:, None]
            for x, k in zip(*model.delta_at):
                block[e == k, x] += state.effect[k, g]
            blocks.append(block)
        return np.concatenate(blocks)


def continuous(model: OrdinalModel) -> Array:
    """Positions of the explained continuous variables among the observed ones."""
    return model.explained[~np.isin(model.explained, model.ordered)]


def compile_ordinal(table: Table, samples: Sequence[OrdinalMoments]) -> list[OrdinalModel]:
    """Compile every group of a table with thresholds.

    Raises
    ------
    ModelSpecError
        A residual variance of an ordered item is free, or a threshold beyond the categories.
    """
    out = []
    for g, sample in enumerate(samples, start=1):
        rows = [row for row in table.rows if row.group == g]
        plain = compile_group(rows, table.names.observed, table.names.latent)
        out.append(_with_thresholds(plain, rows, sample, table.names.observed))
    return out


def _with_thresholds(
    plain: GroupModel, rows: list[Row], sample: OrdinalMoments, observed: tuple[str, ...]
) -> OrdinalModel:
    """Add thresholds and scales to a compiled group."""
    index = {name: k for k, name in enumerate(observed)}
    explained = np.array([index[name] for name in sample.names], dtype=int)
    ordered = np.sort(explained[np.array(sample.ordered)])
    start = {int(v): k for k, v in reversed(list(enumerate(explained[sample.threshold_variable])))}
    tau0, delta0 = np.zeros(len(sample.thresholds)), np.ones(len(observed))
    tau_at: tuple[list[int], list[int]] = ([], [])
    delta_at: tuple[list[int], list[int]] = ([], [])
    for row in rows:
        if row.op == "|":
            number = _threshold_number(row, sample)
            _place(row, start[index[row.lhs]] + number - 1, tau0, tau_at)
        elif row.op == "~*~" and row.lhs in index:
            _place(row, index[row.lhs], delta0, delta_at)
        elif row.op == "~~" and row.lhs == row.rhs and row.free and index.get(row.lhs) in ordered:
            raise ModelSpecError(
                f"fit: model= frees the variance of the ordered item '{row.lhs}'; it follows from "
                "its loadings, because the scale of a response behind categories is a convention. "
                f"Leave '{row.lhs} ~~ {row.lhs}' out."
            )
    return OrdinalModel(
        plain.names, plain.n_observed, plain.a0, plain.s0, plain.m0, plain.a_at, plain.s_at,
        plain.m_at, ordered, np.array([index[v] for v in sample.covariates], dtype=int), explained,
        explained[sample.threshold_variable], sample.threshold_is_mean, tau0,
        (np.array(tau_at[0], dtype=int), np.array(tau_at[1], dtype=int)), delta0,
        (np.array(delta_at[0], dtype=int), np.array(delta_at[1], dtype=int)),
    )  # fmt: skip


def _place(row: Row, at: int, fixed: Array, free: tuple[list[int], list[int]]) -> None:
    """Note where a threshold or scale stands, free or fixed."""
    if row.free:
        free[0].append(row.free - 1)
        free[1].append(at)
    else:
        fixed[at] = row.fixed


def _threshold_number(row: Row, sample: OrdinalMoments) -> int:
    """Return k of ``item | tk``, checked against the item's categories."""
    count = 0
    if row.lhs in sample.names and sample.ordered[sample.names.index(row.lhs)]:
        count = len(sample.levels[sample.names.index(row.lhs)]) - 1
    number = row.rhs[1:] if row.rhs.startswith("t") else ""
    if not number.isdigit() or not 1 <= int(number) <= count:
        found = f"{count + 1} categories" if count else "no categories (it is not in ordered=)"
        raise ModelSpecError(
            f"fit: model= names the threshold '{row.lhs} | {row.rhs}', but {row.lhs} has {found}; "
            "thresholds are t1, t2, ... up to one less than the categories. Correct the term."
        )
    return int(number)
