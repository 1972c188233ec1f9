"""One model estimated in many simulated samples, from their moments alone.

Complete normal samples need not be drawn row by row: their covariance matrix follows a Wishart
distribution, so N does not count for the cost. The model is first fitted to the population's own
moments; that solution is the truth that bias and coverage are measured against (also for a model
that does not hold in the population), and the start of every replicate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.errors import ModelSpecError, Unavailable
from helpers.sem.admissible import NEGATIVE
from helpers.sem.bootstrap_batch import compile_model
from helpers.sem.bootstrap_kernels import BatchMoments, FixedMoments, GeneralKernel, turned
from helpers.sem.bootstrap_solve import Model, group_shares, solve_batch
from helpers.sem.constraints import label_values
from helpers.sem.discrepancy import NormalTheory
from helpers.sem.expressions import STEP, Expression, evaluate_defined
from helpers.sem.fit import fit_moments
from helpers.sem.moments import GroupMoments
from helpers.sem.optimize import constrained_scoring, scoring, tangent
from helpers.sem.options import check_options
from helpers.sem.partable import find_names
from helpers.sem.result import SemResult
from helpers.sem.simulate_population import Population
from helpers.sem.syntax import Syntax

Array = np.ndarray

PART = 64
"""Replicates whose information matrices are held at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A model compiled against a population.

    Attributes
    ----------
    result : SemResult
        The model fitted to the population's moments.
    order : array of int
        Positions of the model's variables in the population.
    population : Population
    batch : Model
        The same for many replicates at once.
    """

    result: SemResult
    order: Array
    population: Population
    batch: Model

    @property
    def basis(self) -> Array | None:
        """Free directions under equality constraints; None if all are free."""
        return tangent(self.result.context.reduction, self.result.theta, 0)


@dataclass(frozen=True, slots=True)
class Estimates:
    """Estimates of b replicates.

    ``x`` is (b, n_x); ``chisq``, ``converged`` and ``proper`` (no variance below zero, covariances
    of latent variables possible) are (b,).
    """

    x: Array
    chisq: Array
    converged: Array
    proper: Array


def make_plan(
    population: Population,
    syntax: Syntax,
    sizes: Sequence[int],
    *,
    std_lv: bool = False,
    group_equal: Sequence[str] = (),
    group_partial: Sequence[str] = (),
    means: bool = False,
) -> Plan:
    """Fit a model to a population's moments and prepare it for replicates.

    Parameters
    ----------
    sizes : sequence of int
        Group sizes; they set the groups' weights and the errors of the plan's own result.
    means : bool
        Estimate means; also on where the syntax or ``group_equal`` asks for them.
    """
    names = find_names(syntax)
    absent = [name for name in names.observed if name not in population.names]
    if absent:
        raise ModelSpecError(
            f"power: model= names '{absent[0]}', which the population does not have; its observed "
            f"variables are {', '.join(population.names)}. Correct the model."
        )
    order = np.array([population.names.index(name) for name in names.observed])
    moments = [
        GroupMoments(label, n, cov[np.ix_(order, order)], mean[order], None)
        for label, n, cov, mean in zip(population.labels, sizes, population.cov, population.mean)
    ]
    settings = check_options(
        estimator="ML", missing="listwise", information=None, likelihood="normal", group=None,
        group_equal=group_equal, group_partial=group_partial, ordered=(), std_lv=std_lv,
        fixed_x=False, bounds=None, has_data=False, meanstructure=None,
        grouped=population.n_groups > 1,
    )  # fmt: skip
    means = means or bool({"intercepts", "means"} & set(group_equal))
    means = means or any(t.op == "~1" for t in syntax.terms)
    result = fit_moments(
        syntax.text, syntax, names, moments, settings,
        group=population.grouping or None, means=means,
    )  # fmt: skip
    if not result.converged or isinstance(result.vcov, Unavailable):
        raise ModelSpecError(
            "power: model= does not converge, or is not identified, in the population itself; "
            "then it will not in samples either. Check the model against the population's values."
        )
    return Plan(result, order, population, compile_model(result))


def draw_moments(
    plan: Plan, sizes: Sequence[int], count: int, rng: np.random.Generator
) -> list[BatchMoments]:
    """Draw moments of complete normal samples: Bartlett's decomposition of the Wishart.

    ``S = L A A' L' / N`` with ``L L' = Sigma``, A lower triangular, normal below the diagonal and
    chi with N - 1, N - 2, ... degrees of freedom on it (divisor N).
    """
    out = []
    p = len(plan.order)
    for g, n in enumerate(sizes):
        cov = plan.population.cov[g][np.ix_(plan.order, plan.order)]
        root = np.linalg.cholesky(cov)
        a = np.tril(rng.standard_normal((count, p, p)), -1)
        at = np.arange(p)
        a[:, at, at] = np.sqrt(rng.chisquare(n - 1 - at, (count, p)))
        scaled = root @ a / np.sqrt(n)
        mean = None
        if plan.result.meanstructure:
            mean = plan.population.mean[g][plan.order]
            mean = mean + rng.standard_normal((count, p)) @ root.T / np.sqrt(n)
        out.append(BatchMoments(scaled @ turned(scaled), mean, np.full(count, float(n))))
    return out


def estimate(plan: Plan, samples: list[BatchMoments]) -> Estimates:
    """Estimate every replicate; what the common solver leaves open is tried singly."""
    result = plan.result
    share = group_shares(samples)
    if result.context.reduction.nonlinear is not None:
        x = np.tile(result.theta, (len(share), 1))
        converged = np.zeros(len(share), dtype=bool)
    else:
        x, converged, _steps = solve_batch(plan.batch, samples)
    for k in np.flatnonzero(~converged):
        x[k], converged[k] = _single(plan, [s.take(np.array([k])) for s in samples])
    total = sum(s.n for s in samples)
    with np.errstate(all="ignore"):
        f = plan.batch.value(x, samples, share) - saturated(samples, share)
        proper = _proper(plan, x, samples) & converged
    return Estimates(x, 2.0 * total * f, converged, proper)


def saturated(samples: list[BatchMoments], share: Array) -> Array:
    """Half of ``log|S| + p``, what the saturated model contributes to f, (b,)."""
    parts = [0.5 * (np.linalg.slogdet(s.cov)[1] + s.cov.shape[1]) for s in samples]
    return (share * np.stack(parts, axis=1)).sum(axis=1)


def _single(plan: Plan, samples: list[BatchMoments]) -> tuple[Array, bool]:
    """Estimate one replicate with guarded steps."""
    result = plan.result
    moments = [
        GroupMoments(label, int(s.n[0]), s.cov[0], None if s.mean is None else s.mean[0], None)
        for label, s in zip(result.group_labels, samples)
    ]
    weights = np.array([m.n for m in moments]) / sum(m.n for m in moments)
    target = NormalTheory(result.model, moments, weights, len(result.theta), result.meanstructure)
    reduction = result.context.reduction
    run = scoring if reduction.nonlinear is None else constrained_scoring
    solution = run(target, reduction, reduction.reduce(result.theta))
    return solution.x, solution.converged


def _proper(plan: Plan, x: Array, samples: list[BatchMoments]) -> Array:
    """Tell which replicates have no negative variance and possible latent covariances, (b,)."""
    out = np.isfinite(x).all(axis=1)
    for kernel, sample in zip(plan.batch.kernels, samples):
        spread = kernel.spread(np.where(out[:, None], x, plan.result.theta), sample)
        out &= (spread.residual >= 0).all(axis=1) & (spread.lowest >= NEGATIVE) & spread.definite
    return out


def gradients(plan: Plan, position: int, x: Array) -> Array:
    """Derivatives over x of one row's value (rows, then := rows), (b, n_x)."""
    table = plan.result.table
    out = np.zeros_like(x)
    if position < len(table.rows):
        out[:, table.rows[position].free - 1] = 1.0
        return out
    chain = formula_chain(plan.result, position)
    values = drawn_labels(plan, x)
    for label, at in free_labels(plan.result, chain).items():
        moved = dict(values)
        moved[label] = values[label] + 1j * STEP
        out[:, at] += np.imag(evaluate_defined(chain, moved)[chain[-1][0]]) / STEP
    return out


def formula_chain(result: SemResult, position: int) -> list[tuple[str, Expression]]:
    """Formulas that one formula is made of, itself last."""
    defined = result.table.defined[: position - len(result.table.rows) + 1]
    needed = {defined[-1][0]}
    kept = []
    for name, expression in reversed(defined):
        if name in needed:
            needed |= set(expression.names)
            kept.append((name, expression))
    return kept[::-1]


def free_labels(result: SemResult, chain: list[tuple[str, Expression]]) -> dict[str, int]:
    """Labels of free parameters in some formulas, with their positions among the estimates."""
    rows, used = result.table.rows, {n for _name, e in chain for n in e.names}
    return {
        name: rows[k].free - 1
        for name, k in result.table.label_index().items()
        if rows[k].free and name in used
    }


def drawn_labels(plan: Plan, x: Array) -> dict[str, Array]:
    """Values of every label in every replicate, each (b,)."""
    table = plan.result.table
    out = {name: np.full(len(x), np.real(v)) for name, v in label_values(table, x[0]).items()}
    for name, k in table.label_index().items():
        if table.rows[k].free:
            out[name] = x[:, table.rows[k].free - 1]
    return out


def values_of(plan: Plan, position: int, x: Array) -> Array:
    """Value of one row (rows, then := rows) in every replicate, (b,)."""
    table = plan.result.table
    if position < len(table.rows):
        row = table.rows[position]
        return x[:, row.free - 1] if row.free else np.full(len(x), row.fixed)
    chain = formula_chain(plan.result, position)
    return np.real(evaluate_defined(chain, drawn_labels(plan, x))[chain[-1][0]])


def errors_of(plan: Plan, position: int, x: Array, samples: list[BatchMoments]) -> Array:
    """Standard error of one row's value in every replicate, by expected information, (b,)."""
    slope = gradients(plan, position, x)[:, :, None]
    with np.errstate(all="ignore"):
        return np.sqrt(covariances(plan, x, samples, slope)[:, 0, 0])


def covariances(plan: Plan, x: Array, samples: list[BatchMoments], slopes: Array) -> Array:
    """Covariances of k functions of the estimates in every replicate, (b, k, k).

    ``slopes`` (b, n_x, k) are their derivatives; ``slopes' H^-1 slopes / N`` with expected
    information H and constraints taken into account.
    """
    basis, k = plan.basis, slopes.shape[2]
    out = np.full((len(x), k, k), np.nan)
    share, total = group_shares(samples), sum(s.n for s in samples)
    for first in range(0, len(x), PART):
        at = slice(first, first + PART)
        h, g = _information(plan, x[at], share[at]), slopes[at]
        if basis is not None:
            h, g = basis.T @ h @ basis, basis.T @ g
        with np.errstate(all="ignore"):
            out[at] = turned(g) @ _solve_each(h, g) / total[at, None, None]
    return out


def _solve_each(h: Array, g: Array) -> Array:
    """Solve every system; one that is singular gives NaN and leaves the others whole."""
    try:
        return np.linalg.solve(h, g)
    except np.linalg.LinAlgError:
        out = np.full_like(g, np.nan)
        for k in range(len(g)):
            if np.linalg.cond(h[k]) < 1e14:
                out[k] = np.linalg.solve(h[k], g[k])
        return out


def _information(plan: Plan, x: Array, share: Array) -> Array:
    """Expected information per observation over all free rows, (b, n_x, n_x)."""
    out = np.zeros((len(x), x.shape[1], x.shape[1]))
    none = np.zeros(0, dtype=int)
    for g, model in enumerate(plan.result.model):
        p = model.n_observed
        kernel = GeneralKernel(model, plan.result.meanstructure, FixedMoments(none, none, none))
        empty = BatchMoments(np.zeros((len(x), p, p)), np.zeros((len(x), p)), np.ones(len(x)))
        effect = kernel.effects(x)
        total = effect @ kernel.undirected(x, empty) @ turned(effect)
        weight = np.linalg.inv(total[:, :p, :p])
        basis = np.concatenate([effect[:, :p], total[:, :p]], axis=2)
        k = turned(basis) @ weight @ basis
        u, w, c = model.u, model.w, model.c
        cross = k[:, u[:, None], w]
        block = k[:, u[:, None], u] * k[:, w[:, None], w] + cross * turned(cross)
        block *= c * c[:, None]
        at = model.cov_x
        out[:, at[:, None], at] += share[:, g, None, None] * block
        if plan.result.meanstructure:
            xa, ia, ja = model.a_at
            eta = kernel.means_of(x, effect, empty)
            slope = effect[:, :p][:, :, ia] * eta[:, None, ja]
            slope = np.concatenate([slope, effect[:, :p][:, :, model.m_at[1]]], axis=2)
            at = np.concatenate([xa, model.m_at[0]])
            block = turned(slope) @ weight @ slope
            out[:, at[:, None], at] += share[:, g, None, None] * block
    return out


def with_terms(syntax: Syntax, *, keep_defined: bool, terms: tuple) -> Syntax:
    """Copy a syntax with other terms; formulas of labels may be left out."""
    if keep_defined:
        return replace(syntax, terms=terms)
    return replace(syntax, terms=terms, defined=(), constraints=())
