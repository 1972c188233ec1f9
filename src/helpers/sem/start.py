"""Starting values from closed formulas on the sample covariances."""

from __future__ import annotations

import numpy as np

from helpers.sem.model import GroupModel
from helpers.sem.moments import GroupMoments
from helpers.sem.partable import Row, Table

Array = np.ndarray


def start_values(table: Table, models: list[GroupModel], moments: list[GroupMoments]) -> Array:
    """Return a start for every free row; ``start()`` in the model text goes first."""
    x = np.zeros(table.n_free)
    by_group: list[list[Row]] = [[] for _ in models]
    for row in table.rows:
        by_group[row.group - 1].append(row)
    for model, sample, rows in zip(models, moments, by_group):
        _start_group(rows, model, sample, x)
    return x


def _loading_ratios(block: Array, anchor: int) -> Array:
    """Loadings of one factor relative to the anchor item: sums of triads (FABIN 2).

    ``sum_j s_ij s_aj / sum_j s_aj^2`` over items j other than i and the anchor a.
    """
    own = block[anchor]
    diagonal = np.diag(block)
    square = own @ own
    top = block @ own - diagonal * own - own * own[anchor]
    bottom = square - own**2 - own[anchor] ** 2
    scale = np.sqrt(diagonal / own[anchor])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = top / bottom
        usable = (bottom > 0) & (np.abs(ratio) > 0.05 * scale) & (np.abs(ratio) < 20.0 * scale)
    out = np.where(usable, ratio, np.where(own >= 0, scale, -scale))
    out[anchor] = 1.0
    return out


def _start_group(rows: list[Row], model: GroupModel, sample: GroupMoments, x: Array) -> None:
    """Start one group."""
    index = {name: k for k, name in enumerate(model.names)}
    n, p = len(model.names), model.n_observed
    cov = np.full((n, n), np.nan)
    cov[:p, :p] = sample.cov
    loads: dict[str, list[Row]] = {}
    for row in rows:
        if row.op == "=~":
            loads.setdefault(row.lhs, []).append(row)
    fixed_variance = {
        row.lhs: row.fixed for row in rows if row.op == "~~" and row.lhs == row.rhs and not row.free
    }
    pending = list(loads)
    while pending:
        ready = [f for f in pending if not any(r.rhs in pending for r in loads[f])]
        if not ready:
            break
        for factor in ready:
            _start_factor(factor, loads[factor], index, cov, fixed_variance, x)
        _latent_covariances(ready, loads, index, cov, x)
        pending = [f for f in pending if f not in ready]
    _start_structure(rows, index, cov, sample, x)


def _value(row: Row, x: Array) -> float:
    """Current value of a row."""
    return x[row.free - 1] if row.free else row.fixed


def _start_factor(
    factor: str, rows: list[Row], index: dict[str, int], cov: Array, fixed: dict, x: Array
) -> None:
    """Start loadings and variance of one factor from the covariances of its items."""
    at = [index[row.rhs] for row in rows]
    f = index[factor]
    anchors = [k for k, row in enumerate(rows) if not row.free and row.fixed]
    anchor = anchors[0] if anchors else 0
    unit = rows[anchor].fixed if anchors else 1.0
    block = cov[np.ix_(at, at)]
    if len(at) > 1:
        ratio = _loading_ratios(block, anchor)
        square = ratio**2
        total = float(ratio @ block @ ratio) - float(np.diag(block) @ square)
        common = total / (float(square.sum()) ** 2 - float(square @ square))
        biggest = 0.95 * float((np.diag(block) / square).min())
    else:
        ratio, common = np.ones(1), float(block[0, 0])
        biggest = common
    common = min(max(common, 0.1 * float(block[anchor, anchor])), biggest)
    if not anchors:
        target = fixed.get(factor, 1.0)
        target = target if target and target > 0 else 1.0
        unit = float(np.sqrt(common / target))
    for k, row in enumerate(rows):
        if row.free:
            x[row.free - 1] = row.start if np.isfinite(row.start) else ratio[k] * unit
    cov[f, f] = common / unit**2


def _latent_covariances(
    factors: list[str], loads: dict[str, list[Row]], index: dict[str, int], cov: Array, x: Array
) -> None:
    """Covariances of new factors with everything known, by weighting their items."""
    for factor in factors:
        rows = loads[factor]
        at = [index[row.rhs] for row in rows]
        weights = np.array([_value(row, x) for row in rows])
        f = index[factor]
        total = float(weights @ weights) or 1.0
        column = weights @ cov[at] / total
        known = np.isfinite(column)
        known[f] = False
        cov[f, known] = cov[known, f] = column[known]
        cov[f, at] = cov[at, f] = weights * cov[f, f]
    f = np.array([index[factor] for factor in factors])
    block = cov[f[:, None], f]
    deviation = np.sqrt(np.diag(block))
    limit = 0.9 * deviation * deviation[:, None]
    own = np.eye(len(f), dtype=bool)
    cov[f[:, None], f] = np.where(own, block, np.clip(block, -limit, limit))


def _start_structure(
    rows: list[Row], index: dict[str, int], cov: Array, sample: GroupMoments, x: Array
) -> None:
    """Start regressions by least squares on the covariances, then variances and means."""
    cov = np.where(np.isfinite(cov), cov, 0.0)
    predictors: dict[int, list[Row]] = {}
    into: dict[int, list[tuple[int, Row]]] = {}
    for row in rows:
        if row.op == "~":
            predictors.setdefault(index[row.lhs], []).append(row)
            into.setdefault(index[row.lhs], []).append((index[row.rhs], row))
        elif row.op == "=~":
            into.setdefault(index[row.rhs], []).append((index[row.lhs], row))
    for y, terms in predictors.items():
        at = [index[row.rhs] for row in terms]
        block = cov[np.ix_(at, at)] + 1e-3 * np.diag(np.diag(cov)[at])
        slopes = np.linalg.lstsq(block, cov[at, y], rcond=None)[0]
        for row, slope in zip(terms, slopes):
            if row.free:
                x[row.free - 1] = row.start if np.isfinite(row.start) else slope
    for row in rows:
        if not row.free or row.op in ("=~", "~"):
            continue
        i = index[row.lhs]
        if np.isfinite(row.start):
            x[row.free - 1] = row.start
        elif row.op == "~~" and row.lhs == row.rhs:
            x[row.free - 1] = _residual(i, into.get(i, []), cov, x)
        elif row.op == "~~":
            x[row.free - 1] = _covariance(i, index[row.rhs], into, cov)
        elif row.op == "~1":
            known = sample.mean is not None and i < len(sample.mean)
            x[row.free - 1] = sample.mean[i] if known else 0.0


def _residual(i: int, terms: list[tuple[int, Row]], cov: Array, x: Array) -> float:
    """Variance not explained by the predictors, at least a tenth."""
    total = float(cov[i, i])
    if not terms:
        return total if total > 0 else 1.0
    if len(terms) == 1:
        j, row = terms[0]
        explained = _value(row, x) ** 2 * float(cov[j, j])
    else:
        at = [j for j, _row in terms]
        b = np.array([_value(row, x) for _j, row in terms])
        explained = float(b @ cov[np.ix_(at, at)] @ b)
    return min(max(total - explained, 0.1 * total), total)


def _covariance(i: int, j: int, into: dict, cov: Array) -> float:
    """Covariances of exogenous variables start at their estimate, residual ones at zero."""
    if i in into or j in into:
        return 0.0
    return float(cov[i, j])
