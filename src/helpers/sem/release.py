"""Score tests: what releasing one equality over groups would bring, without fitting again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from helpers.memo import remembered
from helpers.sem.ladder_steps import step_model
from helpers.sem.model import GroupModel, compile_table
from helpers.sem.optimize import tangent
from helpers.sem.partable import Table, build_table
from helpers.sem.result import SemResult
from helpers.sem.syntax import parse

Array = np.ndarray

TINY = 1e-10
"""A direction whose information falls below this share of the largest is not identified."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A parameter that a step holds equal over groups."""

    name: str
    op: str
    factor: str
    item: str


def candidates(result: SemResult, op: str) -> list[Candidate]:
    """List the parameters of one operator that belong to an item: of every factor and item.

    Loadings, intercepts, residual variances or thresholds; an item of two factors has its
    intercept counted with the first.
    """
    first = [row for row in result.table.rows if row.group == 1]
    observed = set(result.observed)
    factor_of: dict[str, str] = {}
    for row in first:
        if row.op == "=~" and row.rhs in observed:
            factor_of.setdefault(row.rhs, row.lhs)
    found = []
    for row in first:
        if row.op != op or row.exo:
            continue
        if op == "=~":
            if row.rhs in observed and row.free:
                found.append(Candidate(row.name, op, row.lhs, row.rhs))
        elif row.lhs in factor_of and (op != "~~" or row.lhs == row.rhs):
            found.append(Candidate(row.name, op, factor_of[row.lhs], row.lhs))
    return found


@remembered
def release_scores(
    result: SemResult,
    wanted: Sequence[Candidate],
    *,
    step: str,
    text: str,
    released: Sequence[str],
    ordered: bool,
    n_groups: int,
) -> pd.DataFrame:
    """Test each equality by its score, at the restricted estimates.

    Parameters
    ----------
    result : SemResult
        The step as fitted, with ``released`` free.
    wanted : sequence of Candidate
    step, text, released, ordered, n_groups
        As in ``step_model``.

    Returns
    -------
    DataFrame
        release, factor, item, score, score_df, score_p, change: largest score first. ``change`` is
        the expected difference to the first group, the largest over groups. Equalities without
        which the model is not identified are left out.
    """
    names = (*released, *(c.name for c in wanted))
    opened = step_model(step, text, ordered=ordered, n_groups=n_groups, released=names)
    table, x, basis = _open_table(result, opened.text, opened.options["group_partial"])
    gradient, information = _derivatives(result, table, x)
    key = {(r.lhs, r.op, r.rhs, r.group): r.free - 1 for r in table.rows if r.free}
    first = {row.name: row for row in result.table.rows if row.group == 1}
    rows = []
    for one in wanted:
        row = first[one.name]
        at = [key[(row.lhs, row.op, row.rhs, g)] for g in range(2, n_groups + 1)]
        score, change = _score(gradient, information, basis, at, result.n_obs)
        rows.append({"release": one.name, "factor": one.factor, "item": one.item, "score": score,
                     "score_df": len(at), "score_p": float(chdtrc(len(at), score)),
                     "change": change})  # fmt: skip
    found = pd.DataFrame(rows).dropna(subset=["score"])
    return found.sort_values("score", ascending=False, kind="stable").reset_index(drop=True)


def _score(
    gradient: Array, information: Array, basis: Array, at: list[int], n: int
) -> tuple[float, float]:
    """Return the score statistic of free directions added to a basis, and the expected change."""
    added = np.zeros((len(gradient), len(at)))
    added[at, np.arange(len(at))] = 1.0
    # Rows at zero in the restricted model have no column in the basis yet; the others have, so
    # the added columns are moves away from the first group.
    k = np.concatenate([basis, added], axis=1)
    inner = k.T @ information @ k
    scale = np.sqrt(np.maximum(np.diag(inner), 1e-300))
    inner = inner / scale / scale[:, None]
    if np.linalg.eigvalsh(inner)[0] < TINY:
        return float("nan"), float("nan")
    slope = (k.T @ gradient) / scale
    move = -np.linalg.solve(inner, slope)
    change = (move / scale)[-len(at) :]
    return float(-n * slope @ move), float(change[np.abs(change).argmax()])


def _open_table(result: SemResult, text: str, partial: Sequence[str]) -> tuple[Table, Array, Array]:
    """Return the table with all candidates free, its x, and the directions free at present."""
    options = replace(result.table.options, group_partial=tuple(partial))
    table = build_table(parse(text), result.table.names, options)
    own = {(r.lhs, r.op, r.rhs, r.group): r for r in result.table.rows}
    present = tangent(result.context.reduction, result.theta, 0)
    present = np.eye(len(result.theta)) if present is None else present
    x, basis = np.zeros(table.n_free), np.zeros((table.n_free, present.shape[1]))
    for row in table.rows:
        match = own.get((row.lhs, row.op, row.rhs, row.group))
        if not row.free:
            row.fixed = match.fixed
        elif match is not None and match.free:
            x[row.free - 1] = result.theta[match.free - 1]
            basis[row.free - 1] = present[match.free - 1]
        elif match is not None:
            x[row.free - 1] = match.fixed
    return table, x, basis


def _derivatives(result: SemResult, table: Table, x: Array) -> tuple[Array, Array]:
    """Gradient and expected information of the opened model."""
    target = replace(result.context.target, models=_compiled(result, table), n_x=len(x))
    _f, gradient, information = target.pieces(x)
    if hasattr(target, "information"):
        information = target.information(x, "expected")
    return gradient, information


def _compiled(result: SemResult, table: Table) -> list[GroupModel]:
    """Compile a table as the result's own was."""
    if result.table.names.ordered:
        from helpers.sem.ordinal_model import compile_ordinal

        return compile_ordinal(table, result.context.extra.samples)
    return compile_table(table)
