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
    if row.op == "~*~":
        return index[row.lhs], -1, -1
    return -1, -1, -1


def _log_scale(
    rows: list[Row], model: GroupModel, s: Array, sd: Array, latent_only: bool
) -> tuple[Array, list[tuple[Row, int, int, int]]]:
    """Factor by which every row of a group is multiplied."""
    index = {name: k for k, name in enumerate(model.names)}
    p = model.n_observed
    factor = np.ones(len(rows))
    roles = []
    residual = np.sqrt(np.abs(np.diag(s)))
    for k, row in enumerate(rows):
        up, down, second = _scales(row, index)
        if latent_only:
            up, down, second = (v if v >= p else -1 for v in (up, down, second))
        own = residual if row.op == "~~" and row.lhs != row.rhs else sd
        with np.errstate(divide="ignore", invalid="ignore"):
            if up >= 0:
                factor[k] *= sd[up]
            if down >= 0:
                factor[k] /= own[down]
            if second >= 0:
                factor[k] /= own[second]
        roles.append((row, up, down, second))
    return factor, roles


def scale_factors(
    rows: list[Row], model: GroupModel, state: State, x: Array, *, latent_only: bool
) -> Array:
    """Factor from raw to standardised units for rows of one group, also for rows not fitted."""
    s = model.matrices(x)[1]
    return _log_scale(rows, model, s, _deviations(state), latent_only)[0]


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
    out = {}
    for key, latent_only in (("std_lv", True), ("std_all", False)):
        factor = np.ones(len(values))
        at = 0
        for model, state, rows in zip(models, states, group_rows(table)):
            s = model.matrices(x)[1]
            sd = _deviations(state)
            factor[at : at + len(rows)], _roles = _log_scale(rows, model, s, sd, latent_only)
            at += len(rows)
        scaled = values * factor
        out[key] = np.concatenate([scaled, _defined_values(table, scaled)])
    return Standardized(**out)


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
    sd = _deviations(state)
    factor, roles = _log_scale(rows, model, s, sd, latent_only)
    full = np.concatenate([state.effect, state.total], axis=1)
    dlog_sd = np.zeros((len(sd), len(x)))
    dlog_sd[:, model.cov_x] = full[:, model.u] * full[:, model.w] * model.c / sd[:, None] ** 2
    dlog_res = np.zeros((len(sd), len(x)))
    xs, i, j = model.s_at
    own = i == j
    dlog_res[i[own], xs[own]] = 0.5 / s[i[own], i[own]]
    follow = model.follow(state, len(x))
    for k, slope in follow.items():
        dlog_sd += np.outer(state.effect[:, k] ** 2 / (2.0 * sd**2), slope)
        dlog_res[k] += slope / (2.0 * s[k, k])
    out = np.zeros((len(rows), len(x)))
    for k, (row, up, down, second) in enumerate(roles):
        value = x[row.free - 1] if row.free else row.fixed
        slope = np.zeros(len(x))
        table = dlog_res if row.op == "~~" and row.lhs != row.rhs else dlog_sd
        if up >= 0:
            slope += dlog_sd[up]
        if down >= 0:
            slope -= table[down]
        if second >= 0:
            slope -= table[second]
        out[k] = value * factor[k] * slope
        if row.free:
            out[k, row.free - 1] += factor[k]
        elif row.op == "~~" and row.lhs == row.rhs and down in follow:
            out[k] += factor[k] * follow[down]
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
