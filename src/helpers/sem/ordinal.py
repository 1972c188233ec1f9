"""Moments of ordered and continuous variables for least squares: two-step, as in lavaan.

Thresholds come first, each from one variable; then each correlation by maximum likelihood from
one pair at those thresholds; then the asymptotic covariance matrix of all of them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from helpers.errors import EstimationError, listing
from helpers.sem.ordinal_codes import CodedRows, code_rows, ordered_levels
from helpers.sem.ordinal_gamma import asymptotic_covariance
from helpers.sem.ordinal_steps import Steps, estimate_steps

__all__ = ["OrdinalMoments", "ordered_levels", "ordinal_moments"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OrdinalMoments:
    """Sample moments of one group, with the asymptotic covariance matrix of their vector.

    Attributes
    ----------
    names : tuple of str
    ordered : tuple of bool
    levels : tuple of array
        Categories of each ordered variable; empty for a continuous one.
    n_used, n_dropped : int
    thresholds : array, shape (nth,)
        Variable by variable: the thresholds of an ordered one, the mean of a continuous one.
    threshold_variable : int array, shape (nth,)
        Position of the variable of each element.
    threshold_is_mean : bool array, shape (nth,)
    mean, variance : arrays, shape (p,)
        0 and 1 for ordered variables; divisor n.
    cor, cov : arrays, shape (p, p)
        Polychoric, polyserial and Pearson correlations; ``cov`` in units of the continuous ones.
    moments : array, shape (m,)
        lavaan's ``wls.obs``: thresholds with means **negated**, variances of the continuous
        variables, then ``cov`` below the diagonal column by column.
    gamma : array, shape (m, m)
        Asymptotic covariance matrix of ``sqrt(n) * moments`` (lavaan's NACOV).
    weights : array, shape (m,)
        Diagonally weighted least squares: 1 / diag(gamma).
    empty_cells : tuple of (str, str)
        Pairs of ordered variables whose table has an empty cell.
    at_bound : tuple of (str, str)
        Pairs whose correlation stopped at the bound of the search.
    covariates : tuple of str
        Covariates that the moments are given; empty for none.
    slopes : array, shape (p, q), or None
        Regressions on the covariates.
    """

    names: tuple[str, ...]
    ordered: tuple[bool, ...]
    levels: tuple[Array, ...]
    n_used: int
    n_dropped: int
    thresholds: Array
    threshold_variable: NDArray[np.intp]
    threshold_is_mean: NDArray[np.bool_]
    mean: Array
    variance: Array
    cor: Array
    cov: Array
    moments: Array
    gamma: Array
    weights: Array
    empty_cells: tuple[tuple[str, str], ...]
    at_bound: tuple[tuple[str, str], ...]
    covariates: tuple[str, ...] = ()
    slopes: Array | None = None


def ordinal_moments(
    data: Array,
    *,
    ordered: Sequence[bool],
    names: Sequence[str] | None = None,
    levels: Sequence[Array] | None = None,
    missing: Literal["listwise", "pairwise"] = "listwise",
    group: str | None = None,
) -> OrdinalMoments:
    """Estimate thresholds, correlations and their asymptotic covariance matrix.

    Parameters
    ----------
    data : array, shape (n, p)
        Category numbers of ordered variables, values of continuous ones, NaN where missing.
        Not modified.
    ordered : sequence of bool, length p
    names : sequence of str, optional
        For messages; ``V1 ... Vp`` without.
    levels : sequence of array, optional
        Categories of each variable over all groups, from :func:`ordered_levels`.
    missing : {"listwise", "pairwise"}
        Drop every row with a blank, or use for each moment the rows that have it.
    group : str, optional
        Name of the group, for messages.

    Raises
    ------
    DataContractError
        A category without an answer in this group, a constant variable, ordered values that are
        not whole numbers, fewer than 2 or more than 20 categories, infinite values.
    EstimationError
        A pair of two-category variables that agree (or oppose) without exception: their
        correlation is 1 (or -1) and has no standard error.

    Notes
    -----
    Two-step maximum likelihood. A 2 x 2 table with one empty cell gets 0.5 there with its margins
    kept; other tables are not corrected. Checked against lavaan 0.6-14 ``lavInspect(fit,
    "sampstat")``, ``"gamma"`` and ``"WLS.V"``: ``tests/reference/ordinal.R``.

    References
    ----------
    Muthen (1984), doi:10.1007/BF02294210. Olsson (1979), doi:10.1007/BF02296207.
    """
    labels = tuple(names or (f"V{j + 1}" for j in range(np.shape(data)[1])))
    flags = tuple(bool(flag) for flag in ordered)
    scale = tuple(levels or ordered_levels(data, ordered=flags, names=labels))
    rows = code_rows(data, levels=scale, ordered=flags, names=labels, missing=missing, group=group)
    steps = estimate_steps(rows, np.array(flags), np.array([len(v) for v in scale]))
    _refuse_perfect(steps, labels)
    gamma = asymptotic_covariance(rows, steps)
    return _collect(rows, steps, gamma, labels, flags, scale)


def _refuse_perfect(steps: Steps, names: tuple[str, ...]) -> None:
    """Raise for pairs whose 2 x 2 table has two empty cells."""
    pairs = _pair_names(steps, names, steps.perfect)
    if pairs:
        raise EstimationError(
            "fit: data= has two-category variables that agree or oppose in every row: "
            f"{listing([f'{a} with {b}' for a, b in pairs])}; their correlation is 1 or -1, "
            "without a standard error. Leave one variable of each pair out."
        )


def _pair_names(
    steps: Steps, names: tuple[str, ...], which: NDArray[np.bool_]
) -> tuple[tuple[str, str], ...]:
    """Return the names of the chosen pairs."""
    return tuple((names[steps.first[k]], names[steps.second[k]]) for k in np.flatnonzero(which))


def _collect(
    rows: CodedRows,
    steps: Steps,
    gamma: Array,
    names: tuple[str, ...],
    ordered: tuple[bool, ...],
    levels: tuple[Array, ...],
) -> OrdinalMoments:
    """Put the moments into their matrices and their vector."""
    p = len(names)
    cor = np.eye(p)
    cor[steps.first, steps.second] = cor[steps.second, steps.first] = steps.rho
    sd = np.sqrt(steps.variance)
    cov = cor * np.outer(sd, sd)
    continuous = ~np.array(ordered)
    is_mean = continuous[steps.threshold_variable]
    signed = np.where(is_mean, -steps.thresholds, steps.thresholds)
    vector = np.concatenate([signed, steps.variance[continuous], cov[steps.first, steps.second]])
    return OrdinalMoments(
        names=names,
        ordered=ordered,
        levels=levels,
        n_used=len(rows.codes),
        n_dropped=rows.n_dropped,
        thresholds=steps.thresholds,
        threshold_variable=steps.threshold_variable,
        threshold_is_mean=is_mean,
        mean=steps.mean,
        variance=steps.variance,
        cor=cor,
        cov=cov,
        moments=vector,
        gamma=gamma,
        weights=1 / np.diag(gamma),
        empty_cells=_pair_names(steps, names, steps.empty),
        at_bound=_pair_names(steps, names, steps.at_bound),
    )
