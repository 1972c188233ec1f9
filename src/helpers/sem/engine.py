"""From a compiled problem to a result: estimation, inference, problems found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import null_space
from scipy.linalg.lapack import dpotrf

from helpers.errors import ModelSpecError, Unavailable, listing
from helpers.i18n import _
from helpers.sem.admissible import find_problems
from helpers.sem.optimize import Solution, constrained_scoring, scoring, tangent
from helpers.sem.options import Settings
from helpers.sem.problem import Problem, simple_start, starting_point, unidentified_rows
from helpers.sem.result import SemResult, Test
from helpers.sem.robust import chi_square, robust_inference
from helpers.sem.standardize import standardize

Array = np.ndarray

RANK = 1e-7
"""Share of a parameter's information not owed to the others; below it the rank is in doubt."""
VIOLATED = 1e-5
"""A constraint missed by more than this at the end of the search is not met."""
ACTIVE = 1e-6
"""An inequality closer to equality than this holds the estimates, and their errors."""


def solve(problem: Problem, bounds: str | None = None) -> Solution:
    """Estimate: scoring from closed-form starts, then from plain ones, then quasi-Newton."""
    if problem.table.n_free == 0:
        x = np.zeros(0)
        return Solution(x, x, problem.target.value(x), True, 0, 0.0)
    run = constrained_scoring if problem.reduction.nonlinear is not None else scoring
    z = problem.reduction.reduce(starting_point(problem))
    first = problem.target.pieces(problem.reduction.expand(z))
    check_rank(problem, first[2])
    if run is scoring:
        solution = scoring(problem.target, problem.reduction, z, first=first)
    else:
        solution = constrained_scoring(problem.target, problem.reduction, z)
    if not solution.converged:
        named = unidentified_rows(problem)
        if named:
            raise_unidentified(named)
        solution = _second_attempt(problem, run, solution)
    if bounds is not None or problem.reduction.inequalities is not None:
        from helpers.sem.bounded import bounded_solution

        solution = bounded_solution(problem, solution, bounds)
    check_constraints(problem, solution)
    return solution


def check_rank(problem: Problem, information: Array) -> None:
    """Raise, before fitting, for a model that no data determine.

    A singular information at the start alone proves nothing (a covariance may start at zero);
    it is then looked at again at a random point.
    """
    reduced = problem.reduction.pull_matrix(information)
    scale = np.sqrt(np.maximum(np.diag(reduced), 1e-300))
    factor, info = dpotrf(reduced / scale / scale[:, None])
    if info == 0 and np.diag(factor).min() ** 2 > RANK:
        return
    if problem.reduction.nonlinear is None:
        named = unidentified_rows(problem)
        if named:
            raise_unidentified(named)


def check_constraints(problem: Problem, solution: Solution) -> None:
    """Raise if constraints by formula are not met where the search ended."""
    reduction = problem.reduction
    for source, signed in ((reduction.nonlinear, True), (reduction.inequalities, False)):
        if source is None:
            continue
        values = source(solution.x)[0]
        miss = np.abs(values) if signed else np.maximum(-values, 0.0)
        if solution.converged and miss.max() <= VIOLATED:
            continue
        if not np.isfinite(miss).all() or miss.max() > VIOLATED:
            kinds = ("==",) if signed else ("<", ">")
            texts = [text for text, op, _e in problem.table.constraints if op in kinds]
            raise ModelSpecError(
                f"fit: model= has constraints that cannot be met, among {listing(texts)}; no "
                f"parameter values were found that keep them all. Check their signs and limits."
            )


def _second_attempt(problem: Problem, run: Any, first: Solution) -> Solution:
    """Start again from plain values, then polish by a quasi-Newton search."""
    best = first
    for start in (simple_start(problem), best.x):
        z = problem.reduction.reduce(start)
        if problem.reduction.nonlinear is None:
            z = _quasi_newton(problem, z)
        again = run(problem.target, problem.reduction, z)
        if again.converged and again.f <= best.f + 1e-9 or again.f < best.f and not best.converged:
            best = again
        if best.converged:
            break
    return best


def _quasi_newton(problem: Problem, z: Array) -> Array:
    """BFGS on scaled parameters; slow and sure."""
    from scipy.optimize import minimize

    reduction, target = problem.reduction, problem.target
    f0, _g, h = target.pieces(reduction.expand(z))
    if not np.isfinite(f0):
        return z
    scale = 1.0 / np.sqrt(np.maximum(np.diag(reduction.pull_matrix(h)), 1e-12))

    def objective(v: Array) -> tuple[float, Array]:
        f, g, _h = target.pieces(reduction.expand(v * scale))
        return (f, reduction.pull_vector(g) * scale) if np.isfinite(f) else (1e10, np.zeros(len(v)))

    found = minimize(objective, z / scale, jac=True, method="BFGS", options={"maxiter": 500})
    return found.x * scale


def raise_unidentified(named: list[str]) -> None:
    """Raise for a model that no data determine."""
    raise ModelSpecError(
        f"fit: model= is not identified through '{named[0]}'"
        + (f" (with {', '.join(named[1:4])})" if len(named) > 1 else "")
        + "; different values of it give the same moments. Fix or equate one of these parameters, "
        "or add indicators."
    )


def active_basis(problem: Problem, x: Array, basis: Array | None) -> Array | None:
    """Free directions that also keep inequalities that hold with equality; None if none do."""
    unequal = problem.reduction.inequalities
    if unequal is None:
        return None
    values, jac = unequal(x)
    active = np.abs(values) < ACTIVE
    if not active.any():
        return None
    k = np.eye(len(x)) if basis is None else basis
    return k @ null_space(jac[active] @ k)


def finish(
    text: str,
    problem: Problem,
    solution: Solution,
    base: Problem,
    base_solution: Solution,
    settings: Settings,
    group: str | None,
) -> SemResult:
    """Inference, problems and the result object."""
    basis = tangent(problem.reduction, solution.x, len(solution.z))
    base_basis = tangent(base.reduction, base_solution.x, len(base_solution.z))
    inference = robust_inference(problem, solution, basis, settings)
    held = active_basis(problem, solution.x, basis)
    if held is not None:
        inference = replace(
            inference, vcov=robust_inference(problem, solution, held, settings).vcov
        )
    if settings.test_name == "standard" and settings.missing != "fiml" and not settings.ordered:
        df = base.n_moments - len(base_solution.z)
        base_test = Test(chi_square(base, base_solution, settings), df)
    else:
        base_test = robust_inference(base, base_solution, base_basis, settings).test
    if inference.vcov is None:
        named = unidentified_rows(problem)
        if named:
            raise_unidentified(named)
    vcov: Array | Unavailable = (
        inference.vcov if inference.vcov is not None
        else Unavailable(
            _("standard errors"), _("the information matrix is singular at the estimates")
        )
    )  # fmt: skip
    states = [m.state(solution.x) for m in problem.models]
    standard = standardize(problem.table, problem.models, states, solution.x)
    problems, admissible = find_problems(problem, solution, states, vcov, standard)
    labels = tuple(m.label for m in problem.moments)
    return SemResult(
        table=problem.table, model=problem.models, moments=problem.moments, states=states,
        theta=solution.x,
        standard_values=standard, vcov=vcov, f=solution.f,
        group_f=[float(f) for f in problem.target.group_values(solution.x)],
        npar=inference.npar, test=inference.test,
        baseline=base_test, iterations=solution.iterations,
        converged=solution.converged, admissible=admissible, problems=problems, syntax=text,
        estimator=settings.estimator, se_type=settings.se_type, information=settings.information,
        test_name=settings.test_name, likelihood=settings.likelihood, missing=settings.missing,
        n_obs=problem.n, n_dropped=sum(m.n_dropped for m in problem.moments),
        n_groups=len(problem.moments), group_labels=labels, group=group,
        n_per_group=tuple(m.n for m in problem.moments), meanstructure=problem.means,
        fixed_x=settings.fixed_x, context=problem,
    )  # fmt: skip
