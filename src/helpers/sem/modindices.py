"""Modification indices: what freeing one fixed parameter would bring.

``mi = N g_j^2 / V_jj`` and expected change ``epc = -g_j / V_jj``, with the gradient g of f at the
estimates and ``V = I_jj - I_j. I^-1 I_.j`` from the expected information (score test;
Sorbom 1989, doi:10.1007/BF02294623).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.errors import EstimationError, Unavailable
from helpers.memo import remembered
from helpers.sem.discrepancy import moment_jacobian
from helpers.sem.gamma import normal_weight
from helpers.sem.infer import solve_information
from helpers.sem.model import compile_group
from helpers.sem.optimize import tangent
from helpers.sem.partable import Row
from helpers.sem.residual_errors import random_moments
from helpers.sem.standardize import group_rows, scale_factors

if TYPE_CHECKING:
    import pandas as pd

    from helpers.sem.result import SemResult

Array = np.ndarray

TINY = 6e-6
"""Information below this cannot be told from zero (lavaan's bound, cube root of rounding)."""


def candidates(result: SemResult, rows: list[Row]) -> list[tuple[str, str, str]]:
    """Parameters that could be added to a group: loadings, covariances, paths, intercepts."""
    names = result.table.names
    own = [v for v in names.observed if v not in names.covariate]
    ends = [v for row in rows if row.op == "~" for v in (row.lhs, row.rhs)]
    equations = list(dict.fromkeys(ends))
    items = {row.rhs for row in rows if row.op == "=~"}
    latent = set(names.latent)
    found = [(f, "=~", v) for f in names.latent for v in own if v not in equations]
    found += [
        (a, "~~", b) for a, b in combinations_with_replacement(own, 2)
        if {a, b} <= items and not (a == b and a in names.ordered)
    ]  # fmt: skip
    found += [(a, "~~", b) for a, b in combinations_with_replacement(names.latent, 2)]
    found += [
        (a, "~", b) for a in equations for b in equations
        if a != b and not (a in items and a not in latent and b in latent)
    ]  # fmt: skip
    if result.meanstructure and not names.ordered:
        found += [(v, "~1", "") for v in [*names.observed, *names.latent]]
    return found


def _extended(result: SemResult) -> tuple[list[list[Row]], list[Row], Array]:
    """Rows of every group with candidates added as free, the added rows, and x for all."""
    n = len(result.theta)
    x, added, groups = list(result.theta), [], []
    for g, rows in enumerate(group_rows(result.table), start=1):
        kept = [replace(row) for row in rows]
        place = {(row.lhs, row.op, row.rhs): row for row in kept}
        place |= {(row.rhs, row.op, row.lhs): row for row in kept if row.op == "~~"}
        for key in candidates(result, rows):
            row = place.get(key)
            if row is None:
                row = Row(*key, group=g, fixed=0.0)
                kept.append(row)
            elif row.free or row.exo:
                continue
            n += 1
            x.append(row.fixed)
            row.free = n
            added.append(row)
        groups.append(kept)
    return groups, added, np.array(x)


@remembered
def modification_indices(
    result: SemResult, *, minimum: float = 0.0, sort: bool = True
) -> pd.DataFrame:
    """List what every parameter left out would change.

    Parameters
    ----------
    result : SemResult
    minimum : float
        Smallest index listed.
    sort : bool
        Largest first.

    Returns
    -------
    DataFrame
        lhs op rhs group mi epc sepc_lv sepc_all; ``epc`` in raw units, the others standardised.
        Parameters whose information is nil given the others (they would not be identified) are
        left out. Equality constraints are kept as they are.

    Raises
    ------
    EstimationError
        The model did not converge, or has no standard errors.

    Notes
    -----
    Checked against lavaan ``modindices``: ``tests/reference/``.
    """
    if not result.converged or isinstance(result.vcov, Unavailable):
        raise EstimationError(
            "modification_indices: result= did not converge or has no standard errors; indices "
            "are slopes at a minimum. Repair the model first."
        )
    groups, added, x = _extended(result)
    if not added:
        return _table([], np.zeros(0), np.zeros(0), result, groups, x)
    models = _compiled(result, groups)
    gradient, information = _derivatives(result, models, x)
    n_old = len(result.theta)
    old, new = slice(0, n_old), slice(n_old, len(x))
    basis = tangent(result.context.reduction, result.theta, 0)
    inverse, _reduced = solve_information(information[old, old], basis)
    if inverse is None:
        raise EstimationError(
            "modification_indices: the information of result= is singular; the model is not "
            "identified at its estimates. Fix or equate parameters first."
        )
    cross = information[new, old]
    v = np.diag(information)[new] - ((cross @ inverse) * cross).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        usable = v > TINY
        mi = np.where(usable, result.n_obs * gradient[new] ** 2 / v, np.nan)
        epc = np.where(usable, -gradient[new] / v, np.nan)
    table = _table(added, mi, epc, result, groups, x)
    table = table[np.isfinite(table["mi"]) & (table["mi"] >= minimum)]
    if sort:
        table = table.sort_values("mi", ascending=False, kind="stable")
    return table.reset_index(drop=True)


def _compiled(result: SemResult, groups: list[list[Row]]) -> list:
    """Compile the extended rows as the result's own were."""
    if result.table.names.ordered:
        from helpers.sem.ordinal_model import compile_ordinal

        table = replace(result.table, rows=tuple(row for rows in groups for row in rows))
        return compile_ordinal(table, result.context.extra.samples)
    return [compile_group(rows, result.observed, result.latent) for rows in groups]


def _derivatives(result: SemResult, models: list, x: Array) -> tuple[Array, Array]:
    """Gradient and expected information of the extended model."""
    target = replace(result.context.target, models=models, n_x=len(x))
    _f, gradient, hessian = target.pieces(x)
    if hasattr(target, "information"):
        kept = _free_moments(result) if result.context.fixed_x else None
        hessian = target.information(x, "expected", kept)
    elif target.weights is not result.context.weights:  # least squares: lavaan's two weights
        hessian = replace(target, weights=result.context.weights).pieces(x)[2]
    elif result.context.fixed_x:
        hessian = _given_covariates(result, models, x)
    return gradient, hessian


def _free_moments(result: SemResult) -> Array:
    """Positions of the moments that are not those of fixed covariates."""
    return random_moments(len(result.observed), result.context.fixed_x, result.meanstructure)


def _given_covariates(result: SemResult, models: list, x: Array) -> Array:
    """Expected information in which the moments of fixed covariates tell nothing.

    Only a path added to a covariate would change those moments; they are taken as given.
    """
    means, kept = result.meanstructure, _free_moments(result)
    out = np.zeros((len(x), len(x)))
    for share, model in zip(result.context.weights, models):
        state = model.state(x)
        delta = moment_jacobian(model, state, len(x), means)[kept]
        weight = normal_weight(np.linalg.inv(state.sigma), means)[np.ix_(kept, kept)]
        out += share * (delta.T @ weight @ delta)
    return out


def _table(
    added: list[Row], mi: Array, epc: Array, result: SemResult, groups: list[list[Row]], x: Array
) -> pd.DataFrame:
    """Assemble the table with standardised expected changes."""
    import pandas as pd

    labels = result.group_labels if result.n_groups > 1 else ("",)
    scaled: dict[str, Array] = {}
    for key, latent_only in (("sepc_lv", True), ("sepc_all", False)):
        factor: dict[int, float] = {}
        for rows, model, state in zip(groups, result.model, result.states):
            values = scale_factors(rows, model, state, result.theta, latent_only=latent_only)
            factor |= {row.free: f for row, f in zip(rows, values) if row.free}
        scaled[key] = epc * np.array([factor[row.free] for row in added])
    columns: dict[str, Any] = {
        "lhs": [row.lhs for row in added],
        "op": [row.op for row in added],
        "rhs": [row.rhs for row in added],
        "group": [labels[row.group - 1] for row in added],
        "mi": mi,
        "epc": epc,
        **scaled,
    }
    return pd.DataFrame(columns)
