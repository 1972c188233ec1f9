"""Scaled difference tests that need more than two scaling factors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers.errors import EstimationError, ModelSpecError
from helpers.sem.compare import free_directions, restriction_matrix
from helpers.sem.discrepancy import NormalTheory, invert, moment_jacobian, weigh
from helpers.sem.gamma import gamma_matrix, normal_weight
from helpers.sem.infer import observed_information
from helpers.sem.optimize import Solution
from helpers.sem.result import SemResult

Array = np.ndarray


def moment_jacobians(result: SemResult) -> list[Array]:
    """Jacobian of the moments over the free rows, per group, at the estimates."""
    target = result.context.target
    if hasattr(target, "jacobian"):
        return [target.jacobian(m, s) for m, s in zip(result.model, result.states)]
    return [
        moment_jacobian(m, s, len(result.theta), result.meanstructure)
        for m, s in zip(result.model, result.states)
    ]


def weight_matrices(result: SemResult) -> list[Array]:
    """Weight of the moments per group: the estimator's own, or normal theory at the model."""
    target = result.context.target
    if isinstance(target, NormalTheory):
        if target.kind == "GLS":
            return [normal_weight(m.inverse, result.meanstructure) for m in result.moments]
        return [normal_weight(invert(s.sigma)[0], result.meanstructure) for s in result.states]
    return list(target.weight)


def gamma_matrices(result: SemResult) -> list[Array]:
    """Gamma of the moments per group."""
    if result.table.names.ordered:
        return [sample.gamma for sample in result.context.extra.samples]
    fixed = result.context.fixed_x
    return [gamma_matrix(m, result.meanstructure, fixed) for m in result.moments]


def satorra_2000(
    restricted: SemResult, free: SemResult, plain: float, df: int
) -> tuple[float, float]:
    """Difference test by Satorra (2000) with mean and variance adjustment.

    ``U = W Delta P A' (A P A')^-1 A P Delta' W`` at the free model, ``P`` its inverse information
    and ``A`` the restrictions; the difference is scaled and shifted to the mean and variance of
    chi-square with ``df`` degrees of freedom.
    """
    if restricted.missing == "fiml":
        raise ModelSpecError(
            "compare: method= is 'satorra.2000' with missing='fiml'; it needs complete rows. Use "
            "method='satorra.bentler.2001'."
        )
    deltas, weights, gammas = moment_jacobians(free), weight_matrices(free), gamma_matrices(free)
    shares = free.context.weights
    t1, t0 = free_directions(free), free_directions(restricted)
    d1 = np.concatenate(deltas) @ t1
    d0 = np.concatenate(moment_jacobians(restricted)) @ t0
    a = restriction_matrix(d1, d0)
    info = sum(f * (d @ t1).T @ weigh(w, d @ t1) for f, d, w in zip(shares, deltas, weights))
    if free.information == "observed":  # the inverse information behind the errors, as lavaan
        hessian = observed_information(
            free.model, free.moments, shares, free.theta, free.meanstructure
        )
        info = t1.T @ hessian @ t1
    p = np.linalg.inv(info)
    core = p @ a.T @ np.linalg.pinv(a @ p @ a.T) @ a @ p
    middle = np.zeros_like(p)
    for share, delta, weight, gamma in zip(shares, deltas, weights, gammas):
        wd = weigh(weight, delta @ t1)
        middle += share * (wd.T @ gamma @ wd)
    ug = core @ middle
    trace, square = float(np.trace(ug)), float(np.sum(ug * ug.T))
    scale = float(np.sqrt(df / square))
    return plain * scale + df - scale * trace, 1.0 / scale


def factor_at(free: SemResult, restricted: SemResult) -> float:
    """Scaling factor of the free model evaluated at the restricted model's estimates (2010)."""
    from helpers.sem.robust import robust_inference

    if free.test.df <= 0:
        return 1.0
    problem = free.context
    x = _carry(free, restricted)
    settings = replace_settings(free)
    solution = Solution(x, x, problem.target.value(x), True, 0, 0.0)
    basis = free_directions(free)
    test = robust_inference(problem, solution, basis, settings).test
    if test.scaling is None:
        raise EstimationError(
            "compare: the scaling factor at the restricted estimates cannot be computed; the "
            "information is singular there. Use method='satorra.bentler.2001'."
        )
    return float(test.scaling)


def replace_settings(result: SemResult) -> object:
    """Settings under which a result was made."""
    from helpers.sem.options import check_options

    made = check_options(
        estimator=result.estimator, missing=result.missing, information=result.information,
        likelihood=result.likelihood, group=result.group, group_equal=(), group_partial=(),
        ordered=result.table.names.ordered, std_lv=False, fixed_x=result.fixed_x, bounds=None,
        has_data=True, meanstructure=None, grouped=True,
    )  # fmt: skip
    return replace(made, fixed_x=result.fixed_x)


def _carry(free: SemResult, restricted: SemResult) -> Array:
    """The restricted estimates in the free model's rows, zero for rows it lacks (as lavaan)."""
    known = {}
    for row in restricted.table.rows:
        value = restricted.theta[row.free - 1] if row.free else row.fixed
        known[(row.lhs, row.op, row.rhs, row.group)] = value
        if row.op == "~~":
            known[(row.rhs, row.op, row.lhs, row.group)] = value
    x = np.zeros(len(free.theta))
    for row in free.table.rows:
        if row.free:
            x[row.free - 1] = known.get((row.lhs, row.op, row.rhs, row.group), 0.0)
    return x
