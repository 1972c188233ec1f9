"""A compiled estimation problem: table, data, discrepancy and constraints together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from helpers.errors import ModelSpecError
from helpers.sem.constraints import Reduction, build_reduction
from helpers.sem.discrepancy import Discrepancy, NormalTheory, Quadratic
from helpers.sem.model import GroupModel, compile_table, vech_index
from helpers.sem.moments import GroupMoments
from helpers.sem.partable import Names, Options, Row, Table
from helpers.sem.start import start_values

Array = np.ndarray


@dataclass(slots=True)
class Problem:
    """Everything the optimiser and the inference need."""

    table: Table
    models: list[GroupModel]
    moments: list[GroupMoments]
    weights: Array
    reduction: Reduction
    target: Discrepancy
    means: bool
    n: int
    estimator: str
    fixed_x: tuple[int, ...]
    """Positions of fixed covariates among the observed variables."""
    extra: Any = None
    """Data of incomplete or ordinal estimation."""

    @property
    def n_moments(self) -> int:
        """Sample moments that the model explains; those of fixed covariates do not count."""
        return sum(self.group_moments(m) for m in self.models)

    def group_moments(self, model: GroupModel) -> int:
        """Moments of one group."""
        p, k = model.n_observed, len(self.fixed_x)
        count = p * (p + 1) // 2 - k * (k + 1) // 2
        return count + (p - k if self.means else 0)


def fill_fixed(table: Table, moments: list[GroupMoments], means: bool) -> Table:
    """Fix the moments of covariates (rows fixed at NaN) at their sample values."""
    index = {name: k for k, name in enumerate(table.names.observed)}
    for row in table.rows:
        if row.free or not np.isnan(row.fixed):
            continue
        sample = moments[row.group - 1]
        if row.op == "~~":
            row.fixed = float(sample.cov[index[row.lhs], index[row.rhs]])
        elif row.op == "~1" and sample.mean is not None:
            row.fixed = float(sample.mean[index[row.lhs]])
    return table


def baseline_table(table: Table, moments: list[GroupMoments], means: bool) -> Table:
    """The baseline model: no covariances, except those among observed covariates."""
    names, fixed = table.names, table.options.fixed_x
    x = set(names.covariate) if fixed else set()
    rows: list[Row] = []
    for g in range(1, table.options.n_groups + 1):
        for name in names.observed:
            rows.append(Row(name, "~~", name, g, free=0 if name in x else 1, exo=name in x))
        for k, a in enumerate(names.covariate):
            rows += [
                Row(a, "~~", b, g, free=0 if fixed else 1, exo=fixed)
                for b in names.covariate[k + 1 :]
            ]
        if means:
            rows += [
                Row(v, "~1", "", g, free=0 if v in x else 1, exo=v in x) for v in names.observed
            ]
    count = 0
    for row in rows:
        if row.free:
            count += 1
            row.free = count
    bare = Names((), names.observed, names.covariate, (), ())
    options = Options(n_groups=table.options.n_groups, meanstructure=means, fixed_x=fixed)
    return fill_fixed(Table(tuple(rows), bare, options, (), ()), moments, means)


def build_problem(
    table: Table, moments: list[GroupMoments], *, estimator: str, means: bool, fixed_x: bool
) -> Problem:
    """Compile a table against complete continuous data."""
    models = compile_table(table)
    n = sum(m.n for m in moments)
    weights = np.array([m.n / n for m in moments])
    reduction = build_reduction(table)
    observed = table.names.observed
    covariates = tuple(observed.index(v) for v in table.names.covariate) if fixed_x else ()
    target = _target(table.n_free, models, moments, weights, estimator, means, covariates)
    return Problem(
        table, models, moments, weights, reduction, target, means, n, estimator, covariates
    )


def _target(
    n_x: int,
    models: list[GroupModel],
    moments: list[GroupMoments],
    weights: Array,
    estimator: str,
    means: bool,
    fixed: tuple[int, ...],
) -> Discrepancy:
    """Choose the discrepancy of an estimator."""
    if estimator == "ML":
        return NormalTheory(models, moments, weights, n_x, means)
    less_one = weights - 1.0 / sum(m.n for m in moments)  # lavaan: (n_g - 1) / N in least squares
    if estimator == "GLS":
        return NormalTheory(models, moments, less_one, n_x, means, "GLS")
    from helpers.sem.gamma import least_squares_weight

    targets = [sample_vector(m, means) for m in moments]
    weight = [least_squares_weight(m, means, estimator, fixed) for m in moments]
    return Quadratic(models, targets, weight, less_one, n_x, means)


def sample_vector(sample: GroupMoments, means: bool) -> Array:
    """Sample moments ``[means, vech(S)]``."""
    r, s = vech_index(len(sample.cov))
    vech = sample.cov[r, s]
    return np.concatenate([sample.mean, vech]) if means else vech


def starting_point(problem: Problem) -> Array:
    """A start at which the discrepancy is finite."""
    x = start_values(problem.table, problem.models, problem.moments)
    x = start_means(problem, problem.reduction.expand(problem.reduction.reduce(x)))
    if np.isfinite(problem.target.value(x)):
        return x
    shrunk = x.copy()
    for row in problem.table.rows:
        if row.free and row.op == "~~" and row.lhs != row.rhs and not np.isfinite(row.start):
            shrunk[row.free - 1] = 0.0
    shrunk = problem.reduction.expand(problem.reduction.reduce(shrunk))
    if np.isfinite(problem.target.value(shrunk)):
        return shrunk
    x = problem.reduction.expand(problem.reduction.reduce(simple_start(problem)))
    return start_means(problem, x)


def start_means(problem: Problem, x: Array) -> Array:
    """Start intercepts and latent means by least squares on the sample means.

    Needed only where latent means are free or intercepts fixed or shared; else the intercepts
    are the sample means already.
    """
    rows = [row for row in problem.table.rows if row.op == "~1" and not row.exo]
    items = set(problem.table.names.observed)
    if not problem.means or all((row.free > 0) == (row.lhs in items) for row in rows):
        return x
    own = [row.free - 1 for row in rows if row.free and not np.isfinite(row.start)]
    design, gaps = [], []
    for model, sample in zip(problem.models, problem.moments):
        rest = x.copy()
        rest[own] = 0.0
        state = model.state(rest)
        unit = np.sqrt(np.diag(sample.cov))
        block = np.zeros((model.n_observed, len(x)))
        where, at = model.m_at
        block[:, where] = state.effect[: model.n_observed, at]
        design.append(block / unit[:, None])
        gaps.append((sample.mean - state.mu) / unit)
    k = np.eye(len(x))[:, own] if problem.reduction.k is None else problem.reduction.k
    if problem.reduction.k is not None:
        k = k[:, np.abs(k[own]).sum(axis=0) > 0]
    solved = np.linalg.lstsq(np.concatenate(design) @ k, np.concatenate(gaps), rcond=None)[0]
    out = x.copy()
    out[own] = (k @ solved)[own]
    return problem.reduction.expand(problem.reduction.reduce(out))


def simple_start(problem: Problem) -> Array:
    """Loadings at the ratio of deviations, variances at half the sample's, the rest zero."""
    x = np.zeros(problem.table.n_free)
    index = {name: k for k, name in enumerate(problem.table.names.observed)}
    anchor: dict[str, float] = {}
    for row in problem.table.rows:
        if row.op == "=~":
            anchor.setdefault(row.lhs, _variance(problem, row, row.rhs, index))
    for row in problem.table.rows:
        if not row.free:
            continue
        if row.op == "=~":
            item = _variance(problem, row, row.rhs, index)
            x[row.free - 1] = np.sqrt(item / anchor[row.lhs])
        elif row.op == "~~" and row.lhs == row.rhs:
            base = anchor.get(row.lhs) or _variance(problem, row, row.lhs, index)
            x[row.free - 1] = 0.5 * base if row.lhs not in anchor else 0.1 * base
        elif row.op == "~1" and row.lhs in index:
            x[row.free - 1] = problem.moments[row.group - 1].mean[index[row.lhs]]
    return x


def _variance(problem: Problem, row: Row, name: str, index: dict[str, int]) -> float:
    """Sample variance of an item, 1 for a latent."""
    if name not in index:
        return 1.0
    return float(problem.moments[row.group - 1].cov[index[name], index[name]])


def check_counting(problem: Problem) -> None:
    """Raise if the model has more free parameters than moments."""
    k = problem.reduction.k
    n_par = problem.table.n_free if k is None else k.shape[1]
    if n_par > problem.n_moments:
        suspect = unidentified_rows(problem)
        named = f", among them '{suspect[0]}'" if suspect else ""
        raise ModelSpecError(
            f"fit: model= is not identified: it has {n_par} free parameters for "
            f"{problem.n_moments} variances, covariances and means{named}; there cannot be more "
            f"parameters than moments. Fix or equate parameters, or add indicators."
        )


def unidentified_rows(problem: Problem) -> list[str]:
    """Names of parameters that no data could determine, the clearest first.

    The information matrix is taken at a random point near the start, where it is singular only
    if the model is not identified (and not because of the data).
    """
    x = starting_point(problem)
    rng = np.random.default_rng(20240501)
    spread = np.where(x == 0, 0.1, 0.1 * np.abs(x))
    moved = x + spread * rng.uniform(-1, 1, len(x))
    moved = problem.reduction.expand(problem.reduction.reduce(moved))
    f, _g, h = problem.target.pieces(moved)
    if not np.isfinite(f):
        return []
    hz = problem.reduction.pull_matrix(h)
    scale = np.sqrt(np.maximum(np.diag(hz), 1e-300))
    values, vectors = np.linalg.eigh(hz / scale / scale[:, None])
    if values[0] > 1e-9 * values[-1]:
        return []
    weight = np.abs(vectors[:, values < 1e-9 * values[-1]]).max(axis=1)
    order = np.argsort(-weight)
    if problem.reduction.k is not None:
        owner = np.abs(problem.reduction.k).argmax(axis=0)
    else:
        owner = np.arange(len(x))
    by_free = {row.free: row.name for row in problem.table.rows if row.free}
    return [by_free[int(owner[k]) + 1] for k in order if weight[k] > 0.2]


def with_target(problem: Problem, target: Discrepancy) -> Problem:
    """Copy a problem with another discrepancy."""
    return replace(problem, target=target)
