"""CFI, TLI and RMSEA with incomplete rows: what they would be had every row been complete.

With blanks, the FIML statistic weighs misfit by what was observed, so indices made from it move
with the share of blanks. Zhang and Savalei's correction evaluates the complete-data discrepancy
at the saturated moments and the FIML estimates, and scales it by its own expectation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.sem.discrepancy import NormalTheory, own_jacobian
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
class _Weights:
    """Products of one group's saturated matrices, per row: W, A^-1 and J of the docstring above."""

    complete: Array
    """W."""
    traces: tuple[float, float]
    """tr(W A^-1) and tr(W A^-1 J A^-1)."""
    crossed: Array
    """W A^-1 J."""


@dataclass(frozen=True, slots=True)
class _Saturated:
    """Information of the saturated moments by group; fixed covariates are left out."""

    kept: Array
    shares: Array
    information: list[Array]
    weights: list[_Weights]
    first: list[Array]
    robust: bool


def _saturated_pieces(
    problem: Problem, groups: list[IncompleteGroup], *, robust: bool, kind: str
) -> _Saturated:
    """Gather what the model's and the baseline's correction share."""
    fixed, names = problem.fixed_x, problem.table.names
    kept = random_moments(problem.models[0].n_observed, fixed)
    at = np.ix_(kept, kept)
    covariates = tuple(names.observed.index(v) for v in names.covariate)
    explained = random_moments(len(names.observed), covariates)
    # As in lavaan, covariates count as fixed here even where they are not.
    counted = np.isin(kept, explained).astype(float)
    weights = [
        group.once(
            ("weights", fixed, covariates), partial(_weights, group, sample.inverse, at, counted)
        )
        for group, sample in zip(groups, problem.moments)
    ]
    chosen = [group.expected if kind == "expected" else group.observed for group in groups]
    return _Saturated(
        kept, problem.weights, [a[at] for a in chosen], weights,
        [group.first_order[at] for group in groups], robust,
    )  # fmt: skip


def _weights(
    group: IncompleteGroup, precision: Array, at: tuple[Array, Array], counted: Array
) -> _Weights:
    """Multiply the saturated matrices of one group."""
    complete = normal_weight(precision, True)[at] * np.outer(counted, counted)
    inverse, first = np.linalg.inv(group.observed[at]), group.first_order[at]
    turned, scores = complete @ inverse, inverse @ first
    traces = float(np.trace(turned)), float(np.sum(turned * scores))
    return _Weights(complete, traces, turned @ first)


def _corrected(
    problem: Problem, x: Array, basis: Array | None, pieces: _Saturated, df: int
) -> tuple[float, float] | None:
    """Return statistic and scaling of one model; None where the information is singular."""
    n_x = problem.table.n_free
    target = NormalTheory(problem.models, problem.moments, problem.weights, n_x, True)
    statistic = 2.0 * sum(m.n * f for m, f in zip(problem.moments, target.group_values(x)))
    places = [model.all_x for model in problem.models]
    deltas = [own_jacobian(m, m.state(x), True)[pieces.kept] for m in problem.models]
    gathered = partial(_gathered, deltas, places, pieces.shares, n_x)
    inverse, _reduced = solve_information(gathered(pieces.information), basis)
    if inverse is None:
        return None
    return float(statistic), _expectation(gathered, pieces, inverse) / df


def _gathered(
    deltas: list[Array], places: list[Array], shares: Array, n_x: int, middles: list[Array]
) -> Array:
    """Sum D' M D of the groups over all free rows; each group fills the rows of its own."""
    out = np.zeros((n_x, n_x))
    for delta, at, share, middle in zip(deltas, places, shares, middles):
        out[at[:, None], at] += share * (delta.T @ middle @ delta)
    return out


def _expectation(
    gathered: Callable[[list[Array]], Array], pieces: _Saturated, inverse: Array
) -> float:
    """Return tr(Wc Q) or tr(Wc Q J Q) with ``Q = A^-1 - D E D'`` and ``E`` the inverse over x.

    Multiplied out, every product stays within a group: groups meet in ``E`` alone, which couples
    them where they share parameters. Shares in N cancel where ``A^-1`` stands beside ``Wc``.
    """
    by_weight = gathered([w.complete for w in pieces.weights])
    if not pieces.robust:
        return sum(w.traces[0] for w in pieces.weights) - float(np.sum(by_weight * inverse))
    total = sum(w.traces[1] for w in pieces.weights)
    total -= 2.0 * float(np.sum(gathered([w.crossed for w in pieces.weights]) * inverse))
    by_scores = gathered(pieces.first)
    return total + float(np.sum((by_weight @ inverse) * (inverse @ by_scores)))


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
