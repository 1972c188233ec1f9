"""From estimates of many replicates to parameters, standardised values, tests and verdicts."""

from __future__ import annotations

import numpy as np

from helpers.sem.admissible import ABOVE_ONE, NEGATIVE
from helpers.sem.bootstrap_incomplete import IncompleteSample
from helpers.sem.bootstrap_kernels import BatchMoments, Spread, diagonal
from helpers.sem.bootstrap_solve import Model
from helpers.sem.expressions import evaluate_defined
from helpers.sem.model import GroupModel
from helpers.sem.partable import Table
from helpers.sem.problem import Problem
from helpers.sem.standardize import find_roles, group_rows

Array = np.ndarray


def row_values(
    table: Table, x: Array, samples: list[BatchMoments] | list[IncompleteSample]
) -> Array:
    """Value of every row in every replicate, (b, rows); fixed covariates follow the sample."""
    index = {name: k for k, name in enumerate(table.names.observed)}
    out = np.empty((len(x), len(table.rows)))
    for k, row in enumerate(table.rows):
        sample = samples[row.group - 1]
        if row.free:
            out[:, k] = x[:, row.free - 1]
        elif row.exo and row.op == "~~":
            out[:, k] = sample.cov[:, index[row.lhs], index[row.rhs]]
        elif row.exo and row.op == "~1" and sample.mean is not None:
            out[:, k] = sample.mean[:, index[row.lhs]]
        else:
            out[:, k] = row.fixed
    return out


def with_defined(table: Table, values: Array) -> Array:
    """Append the ``:=`` rows."""
    if not table.defined:
        return values
    labels = {label: values[:, k] for label, k in table.label_index().items()}
    if any("abs" in e.text for _name, e in table.defined):  # abs() takes one number at a time
        single = [
            evaluate_defined(table.defined, {k: complex(v[b]) for k, v in labels.items()})
            for b in range(len(values))
        ]
        found = {name: np.array([s[name] for s in single]) for name, _e in table.defined}
    else:
        found = evaluate_defined(table.defined, labels)
    columns = [
        np.broadcast_to(np.real(found[name]), len(values))[:, None] for name, _e in table.defined
    ]
    return np.concatenate([values, *columns], axis=1)


def standard_values(
    table: Table, models: list[GroupModel], spreads: list[Spread], values: Array
) -> Array:
    """Standardise every row (``std_all``), (b, rows); formulas as in ``standardize``."""
    blocks = []
    one = np.ones((len(values), 1))
    with np.errstate(all="ignore"):
        for model, spread, rows in zip(models, spreads, group_rows(table)):
            roles = find_roles(rows, model)
            sd = np.concatenate([np.sqrt(spread.total), one], axis=1)
            own = np.concatenate([np.sqrt(np.abs(spread.residual)), one], axis=1)
            down = np.where(roles.residual, own[:, roles.down], sd[:, roles.down])
            second = np.where(roles.residual, own[:, roles.second], sd[:, roles.second])
            blocks.append(sd[:, roles.up] / (down * second))
        return values * np.concatenate(blocks, axis=1)


def admissible_replicates(
    table: Table,
    models: list[GroupModel],
    spreads: list[Spread],
    values: Array,
    standard: Array,
) -> Array:
    """Judge every replicate as ``helpers.sem.admissible`` judges a fit, (b,)."""
    good = np.isfinite(values).all(axis=1)
    index = {name: k for k, name in enumerate(models[0].names)}
    for spread in spreads:
        good &= spread.definite
        good &= spread.lowest >= NEGATIVE
    for k, row in enumerate(table.rows):
        if not row.free:
            continue
        if row.op == "~~" and row.lhs == row.rhs:
            total = np.abs(spreads[row.group - 1].total[:, index[row.lhs]])
            good &= values[:, k] >= NEGATIVE * np.maximum(total, 1e-300)
        elif row.op in ("=~", "~", "~~"):
            good &= ~(np.abs(standard[:, k]) > ABOVE_ONE)
    return good


def chi_squares(
    problem: Problem, model: Model, x: Array, samples: list[BatchMoments], less: int
) -> tuple[Array, Array]:
    """Test statistics of the model and of its baseline under ML, each (b,)."""
    tests, baselines = np.zeros(len(x)), np.zeros(len(x))
    fixed = np.array(problem.fixed_x, dtype=int)
    with np.errstate(all="ignore"):
        for kernel, sample in zip(model.kernels, samples):
            p = sample.cov.shape[-1]
            own = np.delete(np.arange(p), fixed)
            logdet = np.linalg.slogdet(sample.cov)[1]
            f = kernel.value(x, sample) - 0.5 * (logdet + p)
            tests += 2.0 * (sample.n - less) * np.maximum(f, 0.0)
            alone = np.log(diagonal(sample.cov)[:, own]).sum(axis=1)
            given = sample.cov[:, fixed[:, None], fixed]
            together = np.linalg.slogdet(given)[1] if len(fixed) else 0.0
            baselines += (sample.n - less) * (alone + together - logdet)
    return tests, baselines
