"""Fitting a model to ordered items: thresholds and polychoric correlations by least squares."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.errors import EstimationError, ModelSpecError, listing, nearest
from helpers.sem import engine as complete
from helpers.sem.constraints import build_reduction
from helpers.sem.moments import GroupMoments, check_columns, split_rows, to_float
from helpers.sem.optimize import Solution
from helpers.sem.options import Settings
from helpers.sem.ordinal import OrdinalMoments, ordered_levels, ordinal_moments
from helpers.sem.ordinal_inference import IndependenceTarget
from helpers.sem.ordinal_model import OrdinalModel, OrdinalTarget, compile_ordinal
from helpers.sem.partable import Names, Options, Table, build_table, find_names
from helpers.sem.problem import Problem, check_counting
from helpers.sem.result import SemResult
from helpers.sem.syntax import Syntax

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class OrdinalContext:
    """What ordinal estimation adds to a problem."""

    samples: list[OrdinalMoments]


@dataclass(slots=True)
class OrdinalProblem(Problem):
    """A problem whose moments are thresholds, means, variances and correlations."""

    def group_moments(self, model: OrdinalModel) -> int:
        """Moments of one group."""
        p = model.n_observed
        n_continuous = p - len(model.ordered)
        return len(model.threshold_variable) + n_continuous + p * (p - 1) // 2


def fit_ordinal(
    text: str,
    syntax: Syntax,
    data: pd.DataFrame,
    settings: Settings,
    group: str | None,
    meanstructure: bool | None,
) -> SemResult:
    """Fit by DWLS, WLSMV, ULS or WLS with ordered items (delta parameterisation).

    Rows with a blank in a model variable are dropped and counted. Covariates enter with their own
    means, variances and correlations (lavaan's ``conditional.x = FALSE, fixed.x = FALSE``).
    """
    if meanstructure is False:
        raise ModelSpecError(
            "fit: meanstructure= is False with ordered=; thresholds are means. Leave "
            "meanstructure= out."
        )
    names = find_names(syntax, settings.ordered)
    check_columns(data, names.observed)
    _check_ordered(settings.ordered, names)
    samples, moments = _samples(data, names, group)
    levels = dict(zip(names.observed, samples[0].levels))
    options = Options(
        n_groups=len(moments), meanstructure=True, std_lv=settings.std_lv, fixed_x=False,
        group_equal=settings.group_equal, group_partial=settings.group_partial,
        thresholds={v: len(levels[v]) - 1 for v in names.ordered},
    )  # fmt: skip
    table = build_table(syntax, names, options)
    _start_thresholds(table, samples)
    problem = _problem(table, samples, moments, settings)
    check_counting(problem)
    solution = complete.solve(problem, settings.bounds)
    _fill_residuals(problem, solution.x)
    base = replace(problem, target=IndependenceTarget(samples, problem.target.weight))
    base_solution = Solution(solution.z, solution.x, 0.0, True, 0, 0.0)
    return complete.finish(text, problem, solution, base, base_solution, settings, group)


def _check_ordered(ordered: tuple[str, ...], names: Names) -> None:
    """Refuse ordered names that are not observed variables of the model."""
    absent = [name for name in ordered if name not in names.observed]
    if absent:
        raise ModelSpecError(
            f"fit: ordered= names {listing(absent)}, which the model does not use; its observed "
            f"variables are {listing(names.observed)}.{nearest(absent[0], names.observed)} "
            "Correct ordered=."
        )


def _samples(
    data: pd.DataFrame, names: Names, group: str | None
) -> tuple[list[OrdinalMoments], list[GroupMoments]]:
    """Ordinal moments of every group, and the same in the form of other estimators."""
    flags = [name in names.ordered for name in names.observed]
    values = to_float(data, names.observed)
    complete_rows = ~np.isnan(values).any(axis=1)
    levels = ordered_levels(values[complete_rows], ordered=flags, names=names.observed)
    samples, moments = [], []
    for label, at in split_rows(data, group):
        places = np.arange(len(data)) if at is None else at
        sample = ordinal_moments(
            values[places], ordered=flags, names=names.observed, levels=levels,
            group=str(label) if group is not None else None,
        )  # fmt: skip
        used = places[complete_rows[places]]
        samples.append(sample)
        moments.append(
            GroupMoments(
                label,
                sample.n_used,
                sample.cov,
                sample.mean,
                values[used],
                sample.n_dropped,
                data.index[used],
                used,
            )  # fmt: skip
        )
    return samples, moments


def _start_thresholds(table: Table, samples: list[OrdinalMoments]) -> None:
    """Start thresholds at the sample's, scales at 1."""
    for row in table.rows:
        if not row.free or np.isfinite(row.start):
            continue
        if row.op == "~*~":
            row.start = 1.0
        elif row.op == "|" and row.rhs[1:].isdigit():
            sample = samples[row.group - 1]
            own = sample.thresholds[sample.threshold_variable == sample.names.index(row.lhs)]
            if int(row.rhs[1:]) <= len(own):
                row.start = float(own[int(row.rhs[1:]) - 1])


def _problem(
    table: Table, samples: list[OrdinalMoments], moments: list[GroupMoments], settings: Settings
) -> OrdinalProblem:
    """Compile table and moments."""
    models = compile_ordinal(table, samples)
    n = sum(m.n for m in moments)
    weights = np.array([m.n / n for m in moments])
    weight = [_weight(sample, settings.discrepancy) for sample in samples]
    target = OrdinalTarget(
        models, [s.moments for s in samples], weight, weights - 1.0 / n, table.n_free, True
    )
    return OrdinalProblem(
        table, models, moments, weights, build_reduction(table), target, True, n,
        settings.discrepancy, (), OrdinalContext(samples),
    )  # fmt: skip


def _weight(sample: OrdinalMoments, discrepancy: str) -> Array:
    """Weights of the moments: diagonal (DWLS), full (WLS) or ones (ULS)."""
    if discrepancy == "DWLS":
        return sample.weights
    if discrepancy == "ULS":
        return np.ones(len(sample.moments))
    if sample.n_used <= len(sample.moments):
        raise EstimationError(
            f"fit: estimator= is 'WLS' with {sample.n_used} rows for {len(sample.moments)} "
            "moments; the weight matrix needs more rows than moments. Use estimator='WLSMV'."
        )
    return np.linalg.inv(sample.gamma)


def _fill_residuals(problem: OrdinalProblem, x: Array) -> None:
    """Write the residual variances that follow into the table."""
    for g, model in enumerate(problem.models, start=1):
        s = model.matrices(x)[1]
        ordered = {model.names[j]: j for j in model.ordered}
        for row in problem.table.rows:
            own = row.op == "~~" and row.lhs == row.rhs and row.group == g
            if own and row.lhs in ordered:
                row.fixed = float(s[ordered[row.lhs], ordered[row.lhs]])
