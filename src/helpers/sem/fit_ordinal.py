"""Fitting a model to ordered items: thresholds and polychoric correlations by least squares."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.errors import EstimationError, ModelSpecError, listing, nearest
from helpers.i18n import _
from helpers.sem import engine as complete
from helpers.sem.constraints import build_reduction
from helpers.sem.moments import GroupMoments, check_columns, split_rows, to_float
from helpers.sem.optimize import Solution
from helpers.sem.options import Settings
from helpers.sem.ordinal import OrdinalMoments, ordered_levels, ordinal_moments
from helpers.sem.ordinal_conditional import conditional_moments
from helpers.sem.ordinal_inference import IndependenceTarget
from helpers.sem.ordinal_model import OrdinalModel, OrdinalTarget, compile_ordinal
from helpers.sem.partable import Names, Options, Table, build_table, find_names
from helpers.sem.problem import Problem, check_counting, fill_fixed
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
        p, ordered = len(model.explained), len(model.ordered)
        slopes = p * len(model.given)
        return len(model.threshold_variable) + slopes + p - ordered + p * (p - 1) // 2


def fit_ordinal(
    text: str,
    syntax: Syntax,
    data: pd.DataFrame,
    settings: Settings,
    group: str | None,
    meanstructure: bool | None,
) -> SemResult:
    """Fit by DWLS, WLSMV, ULS or WLS with ordered items (delta parameterisation).

    Rows with a blank in a model variable are dropped and counted. Fixed covariates are conditioned
    on, as in lavaan (``conditional.x = TRUE``): the moments are regressions on them and residual
    correlations. With ``fixed_x=False`` covariates are variables like the others.
    """
    if meanstructure is False:
        raise ModelSpecError(
            "fit: meanstructure= is False with ordered=; thresholds are means. Leave "
            "meanstructure= out."
        )
    names = find_names(syntax, settings.ordered)
    check_columns(data, names.observed)
    covariates = names.covariate if settings.fixed_x else ()
    known = set(data.columns) if names.ordered else set()  # columns the model leaves out may stay
    listed = tuple(v for v in settings.ordered if v in names.observed or v not in known)
    _check_ordered(listed, names, covariates)
    samples, moments = _samples(data, names, covariates, group)
    levels = dict(zip(samples[0].names, samples[0].levels))
    options = Options(
        n_groups=len(moments), meanstructure=True, std_lv=settings.std_lv, fixed_x=bool(covariates),
        group_equal=settings.group_equal, group_partial=settings.group_partial,
        thresholds={v: len(levels[v]) - 1 for v in names.ordered},
    )  # fmt: skip
    table = fill_fixed(build_table(syntax, names, options), moments, True)
    _start_thresholds(table, samples)
    problem = _problem(table, samples, moments, settings)
    check_counting(problem)
    solution = complete.solve(problem, settings.bounds)
    _fill_residuals(problem, solution.x)
    related = () if covariates else names.covariate
    base = replace(problem, target=IndependenceTarget(samples, problem.target.weight, related))
    base_solution = Solution(solution.z, solution.x, 0.0, True, 0, 0.0)
    result = complete.finish(text, problem, solution, base, base_solution, settings, group)
    return _with_bounds(result, samples)


def _with_bounds(result: SemResult, samples: list[OrdinalMoments]) -> SemResult:
    """Report correlations that stopped at the limit of the search."""
    pairs = [f"{a} - {b}" for sample in samples for a, b in sample.at_bound]
    if not pairs:
        return result
    problem = _(
        "The correlation of {pairs} stopped at the limit of the search: the answers give no finite "
        "estimate."
    ).format(pairs=listing(dict.fromkeys(pairs)))
    return replace(result, problems=(*result.problems, problem), admissible=False)


def _check_ordered(ordered: tuple[str, ...], names: Names, covariates: tuple[str, ...]) -> None:
    """Refuse ordered names that are not observed variables of the model, or are covariates."""
    absent = [name for name in ordered if name not in names.observed]
    if absent:
        raise ModelSpecError(
            f"fit: ordered= names {listing(absent)}, which the model does not use; its observed "
            f"variables are {listing(names.observed)}.{nearest(absent[0], names.observed)} "
            "Correct ordered=."
        )
    fixed = [name for name in ordered if name in covariates]
    if fixed:
        raise ModelSpecError(
            f"fit: ordered= names the covariates {listing(fixed)}; a fixed covariate enters as the "
            "numbers it holds. Leave it out of ordered= (code categories as 0/1 columns), or set "
            "fixed_x=False."
        )


def _samples(
    data: pd.DataFrame, names: Names, covariates: tuple[str, ...], group: str | None
) -> tuple[list[OrdinalMoments], list[GroupMoments]]:
    """Ordinal moments of every group, and the same in the form of other estimators."""
    explained = [name for name in names.observed if name not in covariates]
    at = [names.observed.index(name) for name in explained]
    given = [names.observed.index(name) for name in covariates]
    flags = [name in names.ordered for name in explained]
    values = to_float(data, names.observed)
    complete_rows = ~np.isnan(values).any(axis=1)
    levels = ordered_levels(values[complete_rows][:, at], ordered=flags, names=explained)
    samples, moments = [], []
    for label, rows in split_rows(data, group):
        places = np.arange(len(data)) if rows is None else rows
        used = places[complete_rows[places]]
        text = str(label) if group is not None else None
        own = values[used]
        if given:
            sample = conditional_moments(
                own[:, at], own[:, given], ordered=flags, names=explained,
                covariate_names=covariates, levels=levels, group=text,
            )  # fmt: skip
        else:
            sample = ordinal_moments(
                own[:, at], ordered=flags, names=explained, levels=levels, group=text
            )
        mean, cov = _joint(sample, own[:, given], at, given)
        dropped = len(places) - len(used)
        samples.append(sample)
        moments.append(
            GroupMoments(label, len(used), cov, mean, own, dropped, data.index[used], used)
        )
    return samples, moments


def _joint(
    sample: OrdinalMoments, x: Array, at: list[int], given: list[int]
) -> tuple[Array, Array]:
    """Means and covariances of all observed variables, from those given the covariates."""
    if not given:
        return sample.mean, sample.cov
    p = len(at) + len(given)
    mean, cov = np.empty(p), np.empty((p, p))
    s = np.atleast_2d(np.cov(x.T))  # divisor n - 1: as lavaan lists fixed covariates here
    b = sample.slopes
    mean[given], mean[at] = x.mean(axis=0), sample.mean + b @ x.mean(axis=0)
    cov[np.ix_(given, given)] = s
    cov[np.ix_(at, at)] = sample.cov + b @ s @ b.T
    cov[np.ix_(at, given)] = b @ s
    cov[np.ix_(given, at)] = (b @ s).T
    return mean, cov


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
        settings.discrepancy, tuple(models[0].given.tolist()), OrdinalContext(samples),
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
