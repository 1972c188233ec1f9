"""Direct, indirect and total effects, found from the model's own arrows.

Nothing is wired by hand: every directed way from a source to an outcome is one specific indirect
effect, the product of its paths (Bollen 1987, doi:10.2307/271028). Intervals are Monte Carlo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np
import pandas as pd

from helpers.errors import (
    ModelSpecError,
    Unavailable,
    check_level,
    listing,
    nearest,
    passes_unavailable,
)
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.montecarlo import DRAWS, parameter_draws
from helpers.sem.result import SemResult
from helpers.sem.study_fit import ModelFit
from helpers.thresholds import LEVEL

MOST_WAYS = 200
"""Specific effects listed at most; a denser model gets the sums only."""


@dataclass(frozen=True, slots=True)
class Effects:
    """All effects of one variable on another.

    Attributes
    ----------
    source, outcome : str
    table : DataFrame
        Columns kind (``direct``, ``indirect``, ``total_indirect``, ``total``), way (tuple of
        variables), estimate, ci_low, ci_high, std_all.
    n_draws, seed : int
    level : float
    """

    source: str
    outcome: str
    table: pd.DataFrame
    n_draws: int
    seed: int
    level: float

    def row(self, kind: str) -> pd.Series | None:
        """Return the one row of a kind, or None."""
        found = self.table[self.table["kind"] == kind]
        return None if found.empty else found.iloc[0]


@remembered
def effects(
    result: SemResult,
    source: str,
    outcome: str,
    *,
    n_draws: int = DRAWS,
    seed: int,
    level: float = LEVEL,
) -> Effects:
    """Decompose the effect of one variable on another.

    Parameters
    ----------
    result : SemResult
        A single-group fit without loops among its regressions, with standard errors.
    source, outcome : str
        Variables of the model.
    n_draws, seed : int
        Monte Carlo draws of the estimates.
    level : float
        Confidence level as a proportion.

    Returns
    -------
    Effects
        ``std_all`` multiplies by the model-implied standard deviations, SD(source) / SD(outcome).

    Raises
    ------
    ModelSpecError
        A name is not in the model, no way leads from source to outcome, or arrows form a loop.
    EstimationError
        There are no standard errors.
    """
    check_level(level, "effects")
    edges = model_edges(result)
    ways = model_ways(edges, source, outcome)
    rows = {pair: result.table.rows[k] for pair, k in edges.items()}
    draws = parameter_draws(result, n_draws, np.random.default_rng(seed))
    drawn = {p: draws[:, r.free - 1] if r.free else np.full(n_draws, r.fixed)
             for p, r in rows.items()}  # fmt: skip
    values = {p: result.theta[r.free - 1] if r.free else r.fixed for p, r in rows.items()}
    ratio = _sd(result, source) / _sd(result, outcome)
    table = _table(ways, values, drawn, ratio, level)
    return Effects(source, outcome, table, n_draws, seed, level)


def model_edges(result: SemResult) -> dict[tuple[str, str], int]:
    """Return (from, to) -> row of the table for every regression of the first group."""
    return {
        (row.rhs, row.lhs): k
        for k, row in enumerate(result.table.rows)
        if row.op == "~" and row.group == 1
    }


def _refuse_loops(edges: dict[tuple[str, str], int]) -> None:
    """Raise if the arrows form a loop; effects are then no sums of products of paths."""
    before: dict[str, set[str]] = {}
    for start, end in edges:
        before.setdefault(end, set()).add(start)
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        raise ModelSpecError(
            f"effects: the arrows {' -> '.join(error.args[1])} form a loop; specific effects are "
            "defined for models without loops."
        ) from None


def model_ways(
    edges: dict[tuple[str, str], int], source: str, outcome: str
) -> list[tuple[str, ...]]:
    """Return every directed way from source to outcome; raise if there is none, or a loop."""
    known = {v for pair in edges for v in pair}
    for role, name in (("source", source), ("outcome", outcome)):
        if name not in known:
            raise ModelSpecError(
                f"effects: {role}= '{name}' has no path in the model; known are "
                f"{listing(sorted(known))}.{nearest(name, known)}"
            )
    _refuse_loops(edges)
    ways = list(_ways(edges, source, outcome))
    if not ways:
        raise ModelSpecError(
            f"effects: no way leads from source= '{source}' to outcome= '{outcome}'; choose two "
            "variables that arrows connect."
        )
    return ways


def _ways(
    edges: dict[tuple[str, str], int], source: str, outcome: str
) -> Iterator[tuple[str, ...]]:
    """Yield every directed way from source to outcome."""
    after: dict[str, list[str]] = {}
    for start, end in edges:
        after.setdefault(start, []).append(end)

    def walk(way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for step in after.get(way[-1], []):
            if step == outcome:
                yield (*way, step)
            else:
                yield from walk((*way, step))

    yield from walk((source,))


def _table(
    ways: list[tuple[str, ...]],
    values: dict[tuple[str, str], float],
    drawn: dict[tuple[str, str], np.ndarray],
    ratio: float,
    level: float,
) -> pd.DataFrame:
    """Return direct, specific indirect, total indirect and total effects with their intervals."""
    n_draws = len(next(iter(drawn.values())))
    rows = []
    sums = {"total_indirect": [0.0, np.zeros(n_draws)], "total": [0.0, np.zeros(n_draws)]}
    for way in sorted(ways, key=len):
        pairs = list(zip(way[:-1], way[1:]))
        estimate = float(np.prod([values[p] for p in pairs]))
        sample = np.prod([drawn[p] for p in pairs], axis=0)
        kind = "direct" if len(pairs) == 1 else "indirect"
        if kind == "direct" or len(ways) <= MOST_WAYS:
            rows.append(_row(kind, way, estimate, sample, ratio, level))
        for name in ("total",) if kind == "direct" else ("total_indirect", "total"):
            sums[name][0] += estimate
            sums[name][1] = sums[name][1] + sample
    for name, (estimate, sample) in sums.items():
        if name == "total" or any(len(way) > 2 for way in ways):
            ends = (ways[0][0], ways[0][-1])
            rows.append(_row(name, ends, estimate, sample, ratio, level))
    return pd.DataFrame(rows)


def _row(
    kind: str,
    way: tuple[str, ...],
    estimate: float,
    sample: np.ndarray,
    ratio: float,
    level: float,
) -> dict[str, object]:
    """Return one effect with the quantiles of its draws."""
    tail = (1 - level) / 2
    low, high = np.quantile(sample, [tail, 1 - tail])
    return {
        "kind": kind,
        "way": way,
        "estimate": estimate,
        "ci_low": float(low),
        "ci_high": float(high),
        "std_all": estimate * ratio,
    }


def _sd(result: SemResult, name: str) -> float:
    """Return the model-implied standard deviation of a variable."""
    position = result.model[0].names.index(name)
    return float(np.sqrt(result.states[0].total[position, position]))


@passes_unavailable
def study_effects(
    fit: ModelFit,
    *,
    source: str = "",
    outcome: str = "",
    n_draws: int = DRAWS,
    seed: int,
) -> Effects | Unavailable:
    """Decompose an effect of a study's model, or say why it cannot be done.

    Where the number of respondents is not known, the intervals are blank. Without names, the
    source is the first variable that nothing points to and the outcome the last that points to
    nothing.
    """
    ends = ends_of(fit, source, outcome)
    if isinstance(ends, Unavailable):
        return ends
    if isinstance(fit.result.vcov, Unavailable):
        return Unavailable(_("the effects"), fit.result.vcov.why)
    found = effects(fit.result, *ends, n_draws=n_draws, seed=seed)
    if not fit.n_known:
        found.table[["ci_low", "ci_high"]] = np.nan
    return found


def ends_of(fit: ModelFit, source: str = "", outcome: str = "") -> tuple[str, str] | Unavailable:
    """Return the variables named, or the first cause and the last outcome of the model."""
    rows = fit.rows("~")
    if rows.empty:
        return Unavailable(_("the effects"), _("the model has no paths"))
    free = [v for v in dict.fromkeys(rows["rhs"]) if v not in set(rows["lhs"])]
    ends = [v for v in dict.fromkeys(rows["lhs"]) if v not in set(rows["rhs"])]
    if not (source or free) or not (outcome or ends):
        return Unavailable(_("the effects"), _("the arrows of the model form a loop"))
    return source or free[0], outcome or ends[-1]
