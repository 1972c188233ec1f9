"""CFI, TLI and RMSEA with incomplete rows: what they would be had every row been complete.

With blanks, the FIML statistic weighs misfit by what was observed, so indices made from it move
with the share of blanks. Zhang and Savalei's correction evaluates the complete-data discrepancy
at the saturated moments and the FIML estimates, and scales it by its own expectation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.sem.discrepancy import NormalTheory, moment_jacobian
from helpers.sem.fiml_likelihood import expected_information, vech_positions
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
    complete-data information and ``D`` the Jacobian of the moments. With expected information
    asked for, the ``A`` inside the parentheses is the expected one, as in lavaan.

    Returns
    -------
    dict
        x, df, c, scaled = x / c; x0, df0, c0 for the baseline.

    Notes
    -----
    The forms FIML-C V6 (normal) and V3 (robust) of lavaan 0.6; checked against it.

    References
    ----------
    Zhang & Savalei (2023), doi:10.1037/met0000445.
    """
    problem = result.context
    groups = problem.extra.groups
    if result.test.df <= 0:
        return Unavailable(
            _("robust CFI, TLI and RMSEA"), _("the model is saturated, there is nothing to test")
        )
    base, base_solution = baseline(problem, groups)
    z = problem.reduction.reduce(result.theta)
    basis = tangent(problem.reduction, result.theta, len(z))
    pieces = _saturated_pieces(
        problem, groups, robust=result.estimator == "MLR", kind=result.information
    )
    model = _corrected(problem, result.theta, basis, pieces, result.test.df)
    null = _corrected(base, base_solution.x, None, pieces, result.baseline.df)
    if model is None or null is None:
        return Unavailable(
            _("robust CFI, TLI and RMSEA"),
            _("the information matrix is singular at the estimates"),
        )
    (x, c), (x0, c0) = model, null
    return {
        "x": x, "df": result.test.df, "c": c, "scaled": x / c,
        "x0": x0, "df0": result.baseline.df, "c0": c0,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Saturated:
    """Information of the saturated moments, times each group's share; fixed covariates left out."""

    kept: Array
    information: list[Array]
    inverse: list[Array]
    complete: list[Array]
    first: list[Array] | None


def _saturated_pieces(
    problem: Problem, groups: list[IncompleteGroup], *, robust: bool, kind: str
) -> _Saturated:
    """Gather what the model's and the baseline's correction share."""
    kept = random_moments(problem.models[0].n_observed, problem.fixed_x)
    at = np.ix_(kept, kept)
    shares = problem.weights
    observed = [share * group.observed[at] for group, share in zip(groups, shares)]
    names = problem.table.names
    covariates = tuple(names.observed.index(v) for v in names.covariate)
    explained = random_moments(len(names.observed), covariates)
    # As in lavaan, covariates count as fixed here even where they are not.
    counted = np.isin(kept, explained).astype(float)
    complete = [
        share * normal_weight(sample.inverse, True)[at] * np.outer(counted, counted)
        for sample, share in zip(problem.moments, shares)
    ]
    first = [share * group.first_order[at] for group, share in zip(groups, shares)]
    inverse = [np.linalg.inv(a) for a in observed]
    information = observed
    if kind == "expected":
        information = [share * group.expected[at] for group, share in zip(groups, shares)]
    return _Saturated(kept, information, inverse, complete, first if robust else None)


def _corrected(
    problem: Problem, x: Array, basis: Array | None, pieces: _Saturated, df: int
) -> tuple[float, float] | None:
    """Return statistic and scaling of one model; None where the information is singular."""
    n_x = problem.table.n_free
    target = NormalTheory(problem.models, problem.moments, problem.weights, n_x, True)
    statistic = 2.0 * sum(m.n * f for m, f in zip(problem.moments, target.group_values(x)))
    deltas = [
        moment_jacobian(model, model.state(x), n_x, True)[pieces.kept] for model in problem.models
    ]
    information = sum(d.T @ a @ d for d, a in zip(deltas, pieces.information))
    inverse, _reduced = solve_information(information, basis)
    if inverse is None:
        return None
    return float(statistic), _expectation(deltas, pieces, inverse) / df


def _expectation(deltas: list[Array], pieces: _Saturated, inverse: Array) -> float:
    """Return tr(Wc Q) or tr(Wc Q J Q); Q couples groups that share parameters."""
    q = [[-(d @ inverse @ e.T) for e in deltas] for d in deltas]
    for g, a_inverse in enumerate(pieces.inverse):
        q[g][g] += a_inverse
    if pieces.first is None:
        return float(sum(np.sum(w * q[g][g]) for g, w in enumerate(pieces.complete)))
    total = 0.0
    for g, w in enumerate(pieces.complete):
        for h, j in enumerate(pieces.first):
            total += float(np.sum((w @ q[g][h]) * (q[g][h] @ j)))
    return total


def gfi_incomplete(result: SemResult) -> list[float]:
    """Return the goodness-of-fit index of each group with incomplete rows.

    As in lavaan, the residuals are those of the pairwise-available moments, weighed by the
    expected information at the model.
    """
    problem = result.context
    kept = random_moments(problem.models[0].n_observed, problem.fixed_x)
    out = []
    for group, state in zip(problem.extra.groups, result.states):
        row, column = vech_positions(len(state.mu))
        mean, cov = _pairwise_moments(group)
        sample = np.concatenate([mean, cov[row, column]])[kept]
        residual = sample - np.concatenate([state.mu, state.sigma[row, column]])[kept]
        weight = expected_information(group.patterns, state.sigma)[np.ix_(kept, kept)]
        out.append(1 - float(residual @ weight @ residual) / float(sample @ weight @ sample))
    return out


def _pairwise_moments(group: IncompleteGroup) -> tuple[Array, Array]:
    """Return available-case means and pairwise covariances, the latter times (n - 1) / n."""
    rows = group.patterns
    mask = rows.observed[rows.pattern_of_row].astype(float)
    mean = rows.data.sum(axis=0) / mask.sum(axis=0)
    centred = (rows.data - mean) * mask
    count = mask.T @ mask
    first = centred.T @ mask
    cov = (centred.T @ centred - first * first.T / count) / (count - 1)
    return mean, cov * (group.n - 1) / group.n
