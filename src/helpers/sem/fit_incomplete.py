"""Fitting a model to incomplete rows by full-information maximum likelihood."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, ModelSpecError
from helpers.sem import engine as complete
from helpers.sem.fiml_patterns import missing_patterns
from helpers.sem.fiml_saturated import saturated_em
from helpers.sem.fiml_target import IncompleteGroup, IncompleteRows
from helpers.sem.moments import GroupMoments, check_columns, split_rows, to_float
from helpers.sem.optimize import Solution, constrained_scoring, scoring
from helpers.sem.options import Settings
from helpers.sem.partable import Options, build_table, find_names
from helpers.sem.problem import (
    Problem,
    baseline_table,
    build_problem,
    check_counting,
    fill_fixed,
    with_target,
)
from helpers.sem.result import SemResult
from helpers.sem.syntax import Syntax

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class IncompleteContext:
    """What incomplete estimation adds to a problem."""

    groups: list[IncompleteGroup]
    logl: float
    logl_h1: float


def fit_incomplete(
    text: str,
    syntax: Syntax,
    data: pd.DataFrame,
    settings: Settings,
    group: str | None,
    meanstructure: bool | None,
) -> SemResult:
    """Fit by FIML: every row enters the likelihood with the variables that it answers.

    Rows without any value of the model's variables are dropped and counted, as are rows with a
    blank in a fixed covariate (its distribution is no part of the model). Starts are the
    estimates from the saturated model's moments.
    """
    if meanstructure is False:
        raise ModelSpecError(
            "fit: meanstructure= is False with missing='fiml'; the likelihood of incomplete rows "
            "needs means. Leave meanstructure= out."
        )
    names = find_names(syntax)
    check_columns(data, names.observed)
    covariates = names.covariate if settings.fixed_x else ()
    values = to_float(data, names.observed)
    groups, moments = [], []
    for label, at in split_rows(data, group):
        places = np.arange(len(data)) if at is None else at
        found, sample = _group(values[places], names.observed, covariates, label)
        used = places[sample.positions]
        groups.append(found)
        moments.append(replace(sample, positions=used, rows=data.index[used]))
    options = Options(
        n_groups=len(moments), meanstructure=True, std_lv=settings.std_lv,
        fixed_x=settings.fixed_x, group_equal=settings.group_equal,
        group_partial=settings.group_partial,
    )  # fmt: skip
    table = fill_fixed(build_table(syntax, names, options), moments, True)
    start = build_problem(table, moments, estimator="ML", means=True, fixed_x=settings.fixed_x)
    check_counting(start)
    problem, solution = _solve(start, groups, settings)
    base, base_solution = baseline(problem, groups)
    problem.extra = _context(problem, solution, groups)
    return complete.finish(text, problem, solution, base, base_solution, settings, group)


def _group(
    values: Array, observed: tuple[str, ...], covariates: tuple[str, ...], label: object
) -> tuple[IncompleteGroup, GroupMoments]:
    """Patterns with the saturated model, and moments, of one group."""
    at = [observed.index(name) for name in covariates]
    known = np.flatnonzero(~np.isnan(values[:, at]).any(axis=1))
    kept = values[known]
    key = (_digest(kept), kept.shape, observed, str(label))
    found = _groups.get(key)
    if found is None:
        found = _groups[key] = _new_group(kept, observed, label)
    patterns, saturated = found.patterns, found.moments
    sample = GroupMoments(
        label, patterns.n_used, saturated.cov, saturated.mean, kept[patterns.used_rows],
        len(values) - patterns.n_used, positions=known[patterns.used_rows],
    )  # fmt: skip
    return found, sample


_groups: WeakValueDictionary[tuple[object, ...], IncompleteGroup] = WeakValueDictionary()
"""Groups of the fits that are still held, by their rows: rungs of a ladder, nested models and
respecifications share the saturated model and its information."""


def _digest(rows: Array) -> bytes:
    """Tell rows apart by content."""
    return hashlib.blake2b(np.ascontiguousarray(rows).data, digest_size=16).digest()


def _new_group(rows: Array, observed: tuple[str, ...], label: object) -> IncompleteGroup:
    """Find the patterns and the saturated model of one group."""
    patterns = missing_patterns(rows, names=observed, group=str(label))
    p = len(observed)
    if patterns.n_used <= p:
        raise DataContractError(
            f"fit: data= has {patterns.n_used} rows with values"
            + (f" in group '{label}'" if label != "" else "")
            + f" for {p} variables; more rows than variables are needed. Add data, or reduce the "
            "model."
        )
    return IncompleteGroup(patterns, saturated_em(patterns))


def _solve(
    start: Problem, groups: list[IncompleteGroup], settings: Settings
) -> tuple[Problem, Solution]:
    """Estimate from the saturated moments first, then from the rows."""
    target = IncompleteRows(start.models, groups, start.weights, start.table.n_free)
    problem = with_target(start, target)
    first = complete.solve(start, settings.bounds)
    if start.table.n_free == 0:
        return problem, replace(first, f=target.value(first.x))
    run = constrained_scoring if start.reduction.nonlinear is not None else scoring
    solution = run(target, start.reduction, first.z)
    if not solution.converged or settings.bounds or start.reduction.inequalities:
        solution = complete.solve(problem, settings.bounds)
    return problem, solution


def baseline(problem: Problem, groups: list[IncompleteGroup]) -> tuple[Problem, Solution]:
    """The model without covariances; its estimates are each variable's own mean and variance.

    Covariates that are not fixed keep their covariances, which need a search.
    """
    table = baseline_table(problem.table, problem.moments, True)
    fixed = bool(problem.fixed_x)
    base = build_problem(table, problem.moments, estimator="ML", means=True, fixed_x=fixed)
    target = IncompleteRows(base.models, groups, base.weights, table.n_free)
    index = {name: k for k, name in enumerate(table.names.observed)}
    own = [_own_moments(group) for group in groups]
    x = np.zeros(table.n_free)
    related = False
    for row in table.rows:
        if row.free and row.op == "~~" and row.lhs != row.rhs:
            related = True
        elif row.free:
            mean, variance = own[row.group - 1]
            x[row.free - 1] = (mean if row.op == "~1" else variance)[index[row.lhs]]
    base = with_target(base, target)
    if related:
        return base, scoring(target, base.reduction, x)
    return base, Solution(x, x, target.value(x), True, 1, 0.0)


def _own_moments(group: IncompleteGroup) -> tuple[Array, Array]:
    """Mean and variance of each variable over the rows that answer it."""
    rows = group.patterns
    mask = rows.observed[rows.pattern_of_row]
    count = mask.sum(axis=0)
    mean = rows.data.sum(axis=0) / count
    return mean, (((rows.data - mean) * mask) ** 2).sum(axis=0) / count


def _context(
    problem: Problem, solution: Solution, groups: list[IncompleteGroup]
) -> IncompleteContext:
    """Log-likelihoods of the model and the saturated model, given fixed covariates."""
    h1 = sum(group.moments.loglik for group in groups)
    h1 -= sum(_covariate_loglik(m, problem.fixed_x) for m in problem.moments)
    gap = sum(g.n * f for g, f in zip(groups, problem.target.group_values(solution.x)))
    return IncompleteContext(groups, float(h1 - gap), float(h1))


def _covariate_loglik(sample: GroupMoments, fixed: tuple[int, ...]) -> float:
    """Log-likelihood of complete covariates at their own moments."""
    if not fixed:
        return 0.0
    cov = sample.cov[np.ix_(fixed, fixed)]
    k = len(fixed)
    return -0.5 * sample.n * (k * np.log(2 * np.pi) + float(np.linalg.slogdet(cov)[1]) + k)
