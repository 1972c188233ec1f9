"""CFI, TLI and RMSEA with incomplete rows: what they would be had every row been complete.

With blanks, the FIML statistic weighs misfit by what was observed, so indices made from it move
with the share of blanks. Zhang and Savalei's correction evaluates the complete-data discrepancy
at the saturated moments and the FIML estimates, and scales it by its own expectation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from helpers.errors import Unavailable
from helpers.sem.discrepancy import NormalTheory, moment_jacobian
from helpers.sem.fiml_target import IncompleteGroup, random_moments
from helpers.sem.fit_incomplete import baseline
from helpers.sem.gamma import normal_weight
from helpers.sem.infer import solve_information
from helpers.sem.optimize import tangent
from helpers.sem.problem import Problem

if TYPE_CHECKING:
    from helpers.sem.result import SemResult

Array = np.ndarray


def fiml_corrected(result: SemResult) -> dict[str, float] | Unavailable:
    """Return the corrected statistics of the model and of the baseline.

    The statistic is ``N F_ML(S, Sigma(theta))`` at the saturated moments ``S`` and the FIML
    estimates; its scaling is ``tr(Wc Q) / df`` under normality (estimator ML) and
    ``tr(Wc Q J Q) / df`` without it (MLR), where ``Q = A^-1 - D (D' A D)^-1 D'``, ``A`` and ``J``
    are the saturated model's observed and first-order information with blanks, ``Wc`` its
    complete-data information and ``D`` the Jacobian of the moments.

    Returns
    -------
    dict
        x, df, c, scaled = x / c; x0, df0, c0 for the baseline.

    Notes
    -----
    The forms FIML-C V6 (normal) and V3 (robust) of lavaan 0.6; checked against it.

    References
    ----------
    Zhang & Savalei (2023), doi:10.1080/10705511.2022.2118115.
    """
    problem = result.context
    groups = problem.extra.groups
    if result.test.df <= 0:
        return Unavailable(
            "robust CFI, TLI and RMSEA", "the model is saturated, there is nothing to test"
        )
    base, base_solution = baseline(problem, groups)
    z = problem.reduction.reduce(result.theta)
    basis = tangent(problem.reduction, result.theta, len(z))
    robust = result.estimator == "MLR"
    model = _corrected(problem, result.theta, basis, groups, result.test.df, robust)
    null = _corrected(base, base_solution.x, None, groups, result.baseline.df, robust)
    if model is None or null is None:
        return Unavailable(
            "robust CFI, TLI and RMSEA", "the information matrix is singular at the estimates"
        )
    (x, c), (x0, c0) = model, null
    return {
        "x": x, "df": result.test.df, "c": c, "scaled": x / c,
        "x0": x0, "df0": result.baseline.df, "c0": c0,
    }  # fmt: skip


def _corrected(
    problem: Problem,
    x: Array,
    basis: Array | None,
    groups: list[IncompleteGroup],
    df: int,
    robust: bool,
) -> tuple[float, float] | None:
    """Return statistic and scaling of one model; None where the information is singular."""
    target = NormalTheory(
        problem.models, problem.moments, problem.weights, problem.table.n_free, True
    )
    statistic = 2.0 * sum(m.n * f for m, f in zip(problem.moments, target.group_values(x)))
    kept = random_moments(problem.models[0].n_observed, problem.fixed_x)
    at = np.ix_(kept, kept)
    deltas, observed, complete, first = [], [], [], []
    for model, sample, group, share in zip(
        problem.models, problem.moments, groups, problem.weights
    ):
        deltas.append(moment_jacobian(model, model.state(x), problem.table.n_free, True)[kept])
        observed.append(share * group.observed[at])
        complete.append(share * normal_weight(sample.inverse, True)[at])
        first.append(share * group.first_order[at] if robust else None)
    inverse, _reduced = solve_information(sum(d.T @ a @ d for d, a in zip(deltas, observed)), basis)
    if inverse is None:
        return None
    k = _expectation(deltas, observed, complete, first if robust else None, inverse)
    return float(statistic), k / df


def _expectation(
    deltas: list[Array],
    observed: list[Array],
    complete: list[Array],
    first: list[Array] | None,
    inverse: Array,
) -> float:
    """Return tr(Wc Q) or tr(Wc Q J Q); Q couples groups that share parameters."""
    total = 0.0
    q = [[-(d @ inverse @ e.T) for e in deltas] for d in deltas]
    for g, a in enumerate(observed):
        q[g][g] += np.linalg.inv(a)
        if first is None:
            total += float(np.sum(complete[g] * q[g][g]))
    if first is not None:
        for g, w in enumerate(complete):
            for h, j in enumerate(first):
                total += float(np.sum((w @ q[g][h]) * (q[g][h] @ j)))
    return total
