"""Estimation under inequality constraints and bounds, by sequential quadratic programming."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from helpers.sem.optimize import Solution
from helpers.sem.problem import Problem, starting_point

Array = np.ndarray

FEASIBLE = 1e-9
"""A constraint counts as kept within this distance."""


def bounded_solution(problem: Problem, free: Solution, bounds: str | None) -> Solution:
    """Keep the free solution if it obeys the bounds, else search along their edge.

    Parameters
    ----------
    bounds : {"pos_var"} or None
        ``pos_var`` keeps every free variance at zero or above.
    """
    low = lower_bounds(problem, bounds)
    unequal = problem.reduction.inequalities
    kept = bool((free.x >= low - FEASIBLE).all())
    if unequal is not None:
        kept = kept and bool((unequal(free.x)[0] >= -FEASIBLE).all())
    if kept:
        return free
    return _search(problem, low)


def lower_bounds(problem: Problem, bounds: str | None) -> Array:
    """Lower bound of every free row."""
    low = np.full(problem.table.n_free, -np.inf)
    if bounds == "pos_var":
        for row in problem.table.rows:
            if row.free and row.op == "~~" and row.lhs == row.rhs:
                low[row.free - 1] = 0.0
    return low


def _search(problem: Problem, low: Array) -> Solution:
    """Minimise under the constraints with scaled parameters."""
    reduction, target = problem.reduction, problem.target
    z0 = reduction.reduce(starting_point(problem))
    _f, _g, h = target.pieces(reduction.expand(z0))
    scale = 1.0 / np.sqrt(np.maximum(np.diag(reduction.pull_matrix(h)), 1e-12))
    k = np.eye(len(z0)) if reduction.k is None else reduction.k

    def objective(v: Array) -> tuple[float, Array]:
        f, g, _h = target.pieces(reduction.expand(v * scale))
        if not np.isfinite(f):
            return 1e6, np.zeros(len(v))
        return f, reduction.pull_vector(g) * scale

    at = np.isfinite(low)
    constraints = [
        {
            "type": "ineq",
            "fun": lambda v: reduction.expand(v * scale)[at] - low[at],
            "jac": lambda v: k[at] * scale,
        }
    ]
    for source, kind in ((reduction.inequalities, "ineq"), (reduction.nonlinear, "eq")):
        if source is not None:
            constraints.append(_constraint(source, kind, reduction.expand, k, scale))
    found = minimize(
        objective, z0 / scale, jac=True, method="SLSQP", constraints=constraints,
        options={"maxiter": 1000, "ftol": 1e-14},
    )  # fmt: skip
    z = found.x * scale
    x = reduction.expand(z)
    return Solution(z, x, float(found.fun), bool(found.success), int(found.nit), 0.0)


def _constraint(source: object, kind: str, expand: object, k: Array, scale: Array) -> dict:
    """One constraint of the search."""
    return {
        "type": kind,
        "fun": lambda v: source(expand(v * scale))[0],
        "jac": lambda v: source(expand(v * scale))[1] @ k * scale,
    }
