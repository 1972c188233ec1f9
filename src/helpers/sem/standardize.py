"""Standardised values and their delta-method errors.

A loading or path is multiplied by the standard deviation of its predictor and divided by that of
its outcome; a covariance is divided by the standard deviations of what it connects (residual
deviations for residuals, as lavaan); an intercept by the standard deviation of its variable.
``std_lv`` standardises latent variables only, ``std_all`` all variables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.sem.constraints import label_values
from helpers.sem.expressions import evaluate_defined
from helpers.sem.model import GroupModel, State
from helpers.sem.partable import Row, Table

Array = np.ndarray
STEP = 1e-100


@dataclass(frozen=True, slots=True)
class Standardized:
    """Standardised values of all rows, then of the := rows."""

    std_lv: Array
    std_all: Array


def row_values(table: Table, x: Array) -> Array:
    """Unstandardised value of every row."""
    fixed = np.array([row.fixed for row in table.rows])
    free = np.array([row.free for row in table.rows])
    return np.where(free > 0, x[free - 1] if len(x) else 0.0, fixed)


def _scales(row: Row, index: dict[str, int]) -> tuple[int, int, int]:
    """Variable multiplied by, variable divided by, second variable divided by (-1: none)."""
    if row.op == "=~":
        return index[row.lhs], index[row.rhs], -1
    if row.op == "~":
        return index[row.rhs], index[row.lhs], -1
    if row.op == "~~":
        return -1, index[row.lhs], index[row.rhs]
    if row.op in ("~1", "|"):
        return -1, index[row.lhs], -1
    return -1, -1, -1


@dataclass(frozen=True, slots=True)
class Roles:
    """Which deviations scale each row of a group; n stands for none (a factor of 1)."""

    up: Array
    down: Array
    second: Array
    residual: Array
    """True for covariances, which are scaled by residual deviations."""


def find_roles(rows: list[Row], model: GroupModel) -> Roles:
    """Look up the variables that scale every row."""
    index = {name: k for k, name in enumerate(model.names)}
    n = len(index)
    found = np.array([_scales(row, index) for row in rows]).reshape(-1, 3)
    found[found < 0] = n
    residual = np.array([row.op == "~~" and row.lhs != row.rhs for row in rows])
    return Roles(found[:, 0], found[:, 1], found[:, 2], residual)


def _factors(roles: Roles, sd: Array, own: Array, first: int) -> Array:
    """Factor by which every row is multiplied; variables below ``first`` do not scale."""
    one = np.ones(1)
    sd, own = np.concatenate([sd, one]), np.concatenate([own, one])
    sd[:first] = own[:first] = 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        down = np.where(roles.residual, own[roles.down], sd[roles.down])
        second = np.where(roles.residual, own[roles.second], sd[roles.second])
        return sd[roles.up] / (down * second)


def _residual_deviations(model: GroupModel, x: Array) -> Array:
    """Square roots of the residual variances."""
    return np.sqrt(np.abs(np.diag(model.matrices(x)[1])))


def scale_factors(
    rows: list[Row], model: GroupModel, state: State, x: Array, *, latent_only: bool
) -> Array:
    """Factor from raw to standardised units for rows of one group, also for rows not fitted."""
    first = model.n_observed if latent_only else 0
    own = _residual_deviations(model, x)
    return _factors(find_roles(rows, model), _deviations(state), own, first)


def _defined_values(table: Table, values: Array) -> Array:
    """Values of := rows at given row values."""
    space: dict[str, complex] = {}
    for row, value in zip(table.rows, values):
        if row.label:
            space.setdefault(row.label, complex(value))
    found = evaluate_defined(table.defined, space)
    return np.array([float(np.real(found[name])) for name, _e in table.defined])


def standardize(
    table: Table, models: list[GroupModel], states: list[State], x: Array
) -> Standardized:
    """Standardise every row; := rows are computed from standardised values."""
    values = row_values(table, x)
    lv, every = [], []
    for model, state, rows in zip(models, states, group_rows(table)):
        roles, sd, own = find_roles(rows, model), _deviations(state), _residual_deviations(model, x)
        lv.append(_factors(roles, sd, own, model.n_observed))
        every.append(_factors(roles, sd, own, 0))
    out = []
    scales = np.array([row.op == "~*~" for row in table.rows])
    for factors in (lv, every):
        scaled = values * np.concatenate(factors)
        if factors is every:
            scaled[scales] = 1.0  # a standardised response has the scale 1
        out.append(np.concatenate([scaled, _defined_values(table, scaled)]))
    return Standardized(*out)


def _deviations(state: State) -> Array:
    """Standard deviations of all variables; NaN where the implied variance is not positive."""
    v = np.diag(state.total)
    return np.sqrt(np.where(v > 0, v, np.nan))


def group_rows(table: Table) -> list[list[Row]]:
    """Rows of every group, in table order."""
    out: list[list[Row]] = [[] for _ in range(table.options.n_groups)]
    for row in table.rows:
        out[row.group - 1].append(row)
    return out


def standard_jacobian(
    table: Table,
    models: list[GroupModel],
    states: list[State],
    x: Array,
    *,
    latent_only: bool = False,
) -> Array:
    """Derivatives of all standardised values over x, (rows + defined, n_x)."""
    blocks = []
    for model, state, rows in zip(models, states, group_rows(table)):
        blocks.append(_group_jacobian(rows, model, state, x, latent_only))
    jac = np.concatenate(blocks)
    if not table.defined:
        return jac
    values = standardize(table, models, states, x)
    scaled = (values.std_lv if latent_only else values.std_all)[: len(table.rows)]
    return np.concatenate([jac, _defined_jacobian(table, scaled, jac)])


def _group_jacobian(
    rows: list[Row], model: GroupModel, state: State, x: Array, latent_only: bool
) -> Array:
    """One group's block: product rule on value times deviations."""
    s = model.matrices(x)[1]
    n, first = len(model.names), model.n_observed if latent_only else 0
    sd, roles = _deviations(state), find_roles(rows, model)
    factor = _factors(roles, sd, _residual_deviations(model, x), first)
    full = np.concatenate([state.effect, state.total], axis=1)
    dlog_sd = np.zeros((n + 1, len(x)))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = full[:, model.u] * full[:, model.w] * model.c / sd[:, None] ** 2
        dlog_sd[:n, model.cov_x] = slope
        dlog_res = np.zeros((n + 1, len(x)))
        xs, i, j = model.s_at
        own = i == j
        dlog_res[i[own], xs[own]] = 0.5 / s[i[own], i[own]]
    follow = model.follow(state, len(x))
    for k, moved in follow.items():
        dlog_sd[:n] += np.outer(state.effect[:, k] ** 2 / (2.0 * sd**2), moved)
        dlog_res[k] += moved / (2.0 * s[k, k])
    dlog_sd[:first] = dlog_res[:first] = 0.0
    own_rows = roles.residual[:, None]
    log_slope = dlog_sd[roles.up]
    log_slope -= np.where(own_rows, dlog_res[roles.down], dlog_sd[roles.down])
    log_slope -= np.where(own_rows, dlog_res[roles.second], dlog_sd[roles.second])
    value = np.array([x[row.free - 1] if row.free else row.fixed for row in rows])
    out = (value * factor)[:, None] * log_slope
    free = np.array([row.free for row in rows])
    at = np.flatnonzero(free)
    out[at, free[at] - 1] += factor[at]
    for k, row in enumerate(rows):
        if roles.down[k] in follow and row.op == "~~" and row.lhs == row.rhs:
            out[k] += factor[k] * follow[roles.down[k]]
        if row.op == "~*~" and not latent_only:
            out[k] = 0.0
    return out


def _defined_jacobian(table: Table, values: Array, jac: Array) -> Array:
    """Chain rule through := formulas, from values of the rows."""
    first = table.label_index()
    base = {label: complex(values[k]) for label, k in first.items()}
    out = np.zeros((len(table.defined), jac.shape[1]))
    used = {name for _n, e in table.defined for name in e.names}
    for label in used & set(first):
        moved = dict(base)
        moved[label] = base[label] + 1j * STEP
        found = evaluate_defined(table.defined, moved)
        slope = np.array([np.imag(found[name]) / STEP for name, _e in table.defined])
        out += np.outer(slope, jac[first[label]])
    return out


def defined_jacobian(table: Table, x: Array) -> Array:
    """Derivatives of := rows over x, unstandardised."""
    jac = np.zeros((len(table.rows), len(x)))
    for k, row in enumerate(table.rows):
        if row.free:
            jac[k, row.free - 1] = 1.0
    return _defined_jacobian(table, row_values(table, x), jac)


def defined_values(table: Table, x: Array) -> Array:
    """Values of := rows."""
    found = evaluate_defined(table.defined, label_values(table, x))
    return np.array([float(np.real(found[name])) for name, _e in table.defined])
