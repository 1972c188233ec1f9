"""Single replicates by the engine itself: hard cases, and estimators without a fast search."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from helpers.errors import SuiteError
from helpers.sem.bootstrap_kernels import BatchMoments
from helpers.sem.discrepancy import NormalTheory
from helpers.sem.engine import finish
from helpers.sem.fit import baseline_solution, fit
from helpers.sem.model import GroupModel
from helpers.sem.moments import GroupMoments
from helpers.sem.optimize import Solution, constrained_scoring, scoring
from helpers.sem.options import Settings, check_options
from helpers.sem.partable import Row
from helpers.sem.problem import (
    Problem,
    baseline_table,
    build_problem,
    simple_start,
    starting_point,
)
from helpers.sem.result import SemResult

Array = np.ndarray

PATIENCE = 5
"""Creeping steps in a row after which the next start is tried: where two predictors hardly
differ, some resamples have no minimum near a start, and halving would go on without end."""


@dataclass(frozen=True, slots=True)
class Retried:
    """A solution, or why there is none."""

    x: Array | None
    iterations: int
    why: str


@dataclass(slots=True)
class Refit:
    """One replicate of an ML fit, estimated by guarded scoring."""

    result: SemResult
    samples: list[BatchMoments]

    def problem(self, data: list[Array | None] | None = None) -> Problem:
        """Compile the replicate."""
        whole = self.result.context
        moments = [
            GroupMoments(m.label, int(s.n[0]), s.cov[0], _mean(s, own), own)
            for m, s, own in zip(whole.moments, self.samples, data or [None] * len(self.samples))
        ]
        models = [
            with_fixed(model, whole.table.rows, g, moments[g - 1])
            for g, model in enumerate(whole.models, start=1)
        ]
        n = sum(m.n for m in moments)
        weights = np.array([m.n / n for m in moments])
        target = NormalTheory(models, moments, weights, whole.table.n_free, whole.means)
        return replace(whole, models=models, moments=moments, weights=weights, target=target, n=n)

    def solve(self) -> Retried:
        """Try the full-sample estimates, closed-form starts and plain starts in turn."""
        for sample in self.samples:
            if not np.isfinite(sample.cov).all() or not (np.diag(sample.cov[0]) > 0).all():
                return Retried(None, 0, "a variable has no variance in the resample")
            if np.linalg.eigvalsh(sample.cov[0])[0] <= 0:
                return Retried(None, 0, "the resample's covariance matrix is singular")
        problem = self.problem()
        nonlinear = problem.reduction.nonlinear is not None
        run = constrained_scoring if nonlinear else partial(scoring, patience=PATIENCE)
        total = 0
        for start in (lambda p: self.result.theta, starting_point, simple_start):
            with np.errstate(all="ignore"):
                z = problem.reduction.reduce(start(problem))
                if not np.isfinite(problem.target.value(problem.reduction.expand(z))):
                    continue
                found = run(problem.target, problem.reduction, z)
            total += found.iterations
            if found.converged:
                return Retried(found.x, total, "")
        return Retried(None, total, "the search did not converge from three starts")


def _mean(sample: BatchMoments, rows: Array | None) -> Array | None:
    """Means of a replicate; robust errors need them even without a mean structure."""
    if sample.mean is not None:
        return sample.mean[0]
    return None if rows is None else rows.mean(axis=0)


def with_fixed(
    model: GroupModel, rows: tuple[Row, ...], group: int, sample: GroupMoments
) -> GroupModel:
    """Return the model with the moments of fixed covariates taken from the replicate."""
    fixed = [r for r in rows if r.group == group and r.exo and not r.free]
    if not fixed:
        return model
    index = {name: k for k, name in enumerate(model.names)}
    s0, m0 = model.s0.copy(), model.m0.copy()
    for row in fixed:
        i = index[row.lhs]
        if row.op == "~~":
            j = index[row.rhs]
            s0[i, j] = s0[j, i] = sample.cov[i, j]
        elif row.op == "~1" and sample.mean is not None:
            m0[i] = sample.mean[i]
    return replace(model, s0=s0, m0=m0)


def settings_of(result: SemResult) -> Settings:
    """The options behind a result."""
    options = result.table.options
    return check_options(
        estimator=result.estimator, missing=result.missing, information=result.information,
        likelihood=result.likelihood, group=result.group, group_equal=options.group_equal,
        group_partial=options.group_partial, ordered=result.table.names.ordered,
        std_lv=options.std_lv, fixed_x=result.fixed_x, bounds=None, has_data=True,
        meanstructure=result.meanstructure, grouped=result.n_groups > 1,
    )  # fmt: skip


def replicate_result(
    result: SemResult,
    rows: tuple[Array, ...],
    samples: list[BatchMoments],
    counts: Array | None,
    x: Array,
) -> SemResult:
    """The whole result of one replicate at its estimates: errors, tests, fit measures."""
    data = (
        None if counts is None else [rows[g][at] for g, at in enumerate(picked_rows(rows, counts))]
    )
    problem = Refit(result, samples).problem(data)
    z = problem.reduction.reduce(x)
    solution = Solution(z, x, problem.target.value(x), True, 0, 0.0)
    whole = result.context
    base = build_problem(
        baseline_table(whole.table, problem.moments, problem.means), problem.moments,
        estimator="ML", means=problem.means, fixed_x=bool(problem.fixed_x),
    )  # fmt: skip
    found = baseline_solution(base)
    settings = settings_of(result)
    return finish(result.syntax, problem, solution, base, found, settings, result.group)


def picked_rows(rows: tuple[Array, ...], counts: Array) -> list[Array]:
    """Return the rows of every group in a resample, repeated as often as they were drawn."""
    out, first = [], 0
    for own in rows:
        here = counts[first : first + len(own)].astype(int)
        out.append(np.repeat(np.arange(len(own)), here))
        first += len(own)
    return out


def refit_rows(result: SemResult, rows: tuple[Array, ...], counts: Array) -> SemResult | str:
    """Fit one resample from its rows by ``fit``; a text says why it failed."""
    tables = []
    names = list(result.observed)
    for m, own, at in zip(result.moments, rows, picked_rows(rows, counts)):
        part = pd.DataFrame(own[at], columns=names)
        if result.group is not None:
            part[result.group] = m.label
        tables.append(part)
    data = pd.concat(tables, ignore_index=True)
    options = result.table.options
    try:
        found = fit(
            result.syntax, data, estimator=result.estimator, missing=result.missing,
            group=result.group, group_equal=options.group_equal,
            group_partial=options.group_partial, ordered=result.table.names.ordered,
            meanstructure=result.meanstructure, std_lv=options.std_lv, fixed_x=result.fixed_x,
            information=result.information, likelihood=result.likelihood,
        )  # fmt: skip
    except SuiteError as error:
        return str(error).removeprefix("fit: ")
    if not found.converged:
        return "the search did not converge"
    return found


def aligned(result: SemResult, found: SemResult) -> list[int]:
    """Where each row of the result stands among the rows of a refit, -1 where it has none.

    A category that no one in the resample chose takes a threshold with it: all thresholds of
    that item are left out, because their numbers no longer mean the same.
    """
    if len(found.table.rows) == len(result.table.rows):
        return list(range(len(result.values)))

    def steps(fit_result: SemResult) -> Counter:
        return Counter((r.lhs, r.group) for r in fit_result.table.rows if r.op == "|")

    whole, own = steps(result), steps(found)
    place = {(r.lhs, r.op, r.rhs, r.group): k for k, r in enumerate(found.table.rows)}
    out = []
    for r in result.table.rows:
        lost = r.op == "|" and whole[r.lhs, r.group] != own[r.lhs, r.group]
        out.append(-1 if lost else place.get((r.lhs, r.op, r.rhs, r.group), -1))
    first = len(found.table.rows)
    return out + list(range(first, first + len(result.table.defined)))
