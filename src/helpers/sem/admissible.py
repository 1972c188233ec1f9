"""Is a solution one that could be the truth? Convergence and admissibility, in sentences."""

from __future__ import annotations

import numpy as np

from helpers.errors import Unavailable, listing
from helpers.i18n import _
from helpers.sem.model import State
from helpers.sem.optimize import Solution
from helpers.sem.problem import Problem
from helpers.sem.standardize import Standardized

Array = np.ndarray

NEGATIVE = -1e-7
"""Relative size below which a negative value is more than rounding."""
ABOVE_ONE = 1.0 + 1e-6
"""Standardised values above this cannot be rounding of 1."""


def find_problems(
    problem: Problem,
    solution: Solution,
    states: list[State],
    vcov: Array | Unavailable,
    standard: Standardized,
) -> tuple[tuple[str, ...], bool]:
    """Return sentences on what is wrong, and whether the solution is admissible."""
    found: list[str] = []
    if not solution.converged:
        found.append(
            _("The estimation did not converge in {n} iterations.").format(n=solution.iterations)
        )
    faults = _negative_variances(problem, solution.x, states)
    for g, state in enumerate(states):
        faults += _indefinite(problem, state, g)
    faults += _above_one(problem, standard.std_all)
    faults += _missing_errors(problem, vcov)
    return tuple(found + faults), not faults


def _where(problem: Problem, g: int) -> str:
    """Name the group, if there are several."""
    if len(problem.moments) == 1:
        return ""
    return " " + _("(group {group})").format(group=problem.moments[g].label)


def _negative_variances(problem: Problem, x: Array, states: list[State]) -> list[str]:
    """Variances estimated below zero."""
    out = []
    index = {name: k for k, name in enumerate(problem.models[0].names)}
    for row in problem.table.rows:
        derived = row.lhs in problem.table.names.ordered  # follows from the loadings
        if row.op != "~~" or row.lhs != row.rhs or not (row.free or derived):
            continue
        total = abs(states[row.group - 1].total[index[row.lhs], index[row.lhs]])
        value = x[row.free - 1] if row.free else row.fixed
        if value < NEGATIVE * max(total, 1e-300):
            out.append(
                _("The variance of {name} is estimated below zero ({value}){where}.").format(
                    name=row.lhs, value=f"{value:.3g}", where=_where(problem, row.group - 1)
                )
            )
    return out


def _lowest(matrix: Array) -> float:
    """Smallest eigenvalue of a covariance matrix on the correlation scale."""
    d = np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-300))
    return float(np.linalg.eigvalsh(matrix / d / d[:, None])[0])


def _indefinite(problem: Problem, state: State, g: int) -> list[str]:
    """Latent or implied covariance matrices that are not positive definite."""
    p = problem.models[g].n_observed
    out = []
    if not np.isfinite(state.total).all():
        return [
            _("The implied covariances are not finite{where}.").format(where=_where(problem, g))
        ]
    if len(state.total) > p and _lowest(state.total[p:, p:]) < NEGATIVE:
        out.append(
            _("The covariance matrix of the latent variables is not positive definite{where}.")
            .format(where=_where(problem, g))
        )  # fmt: skip
    if _lowest(state.sigma) < NEGATIVE:
        out.append(
            _("The implied covariance matrix is not positive definite{where}.").format(
                where=_where(problem, g)
            )
        )
    return out


def _above_one(problem: Problem, values: Array) -> list[str]:
    """Standardised loadings, paths or correlations beyond one."""
    named = []
    for row, value in zip(problem.table.rows, values):
        relation = row.op in ("=~", "~") or (row.op == "~~" and row.lhs != row.rhs)
        if relation and row.free and np.isfinite(value) and abs(value) > ABOVE_ONE:
            named.append(f"{row.lhs} {row.op} {row.rhs}" + _where(problem, row.group - 1))
    if not named:
        return []
    return [
        _("Standardised values exceed 1 in absolute size: {names}.").format(names=listing(named))
    ]


def _missing_errors(problem: Problem, vcov: Array | Unavailable) -> list[str]:
    """Standard errors that could not be computed."""
    if isinstance(vcov, Unavailable):
        return [_("Standard errors are missing, because {why}.").format(why=vcov.why)]
    scale = np.abs(np.diag(vcov)).max(initial=1e-300)
    bad = np.diag(vcov) < -1e-12 * scale
    named = [row.name for row in problem.table.rows if row.free and bad[row.free - 1]]
    if not named:
        return []
    return [_("Standard errors are missing for {names}.").format(names=listing(named))]
