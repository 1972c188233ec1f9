"""Importance and performance on one map: what weighs on an outcome, and how well it is done.

Everything is on 0 to 100, so that importance reads as points of the outcome for one point more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import DataContractError, EstimationError, ModelSpecError, listing, nearest
from helpers.memo import remembered
from helpers.regression.subsets import complete_numbers
from helpers.resampling import check_draws, resampled_counts
from helpers.results import Number
from helpers.sem.bootstrap import bootstrap
from helpers.sem.result import SemResult
from helpers.service.effect_metric import (
    Ranges,
    items_below,
    need_one_direction,
    percent_scale,
    total_effects,
)
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]
QUADRANTS = ("act", "keep", "enough", "later")
"""Important and done worse; important and done better; the reverse: better, worse."""


@dataclass(frozen=True, slots=True)
class ImportanceMap:
    """Importance and performance of the causes of one outcome.

    Attributes
    ----------
    outcome : str
    way : {"model", "drivers"}
        Total effects of a structural model, or slopes of a regression.
    table : DataFrame
        One row a cause: name, importance (points of the outcome, 0 to 100, for one point more),
        ci_low, ci_high, raw (the same in the metric of the model), raw_low, raw_high, direct (of
        importance), performance (mean on 0 to 100) with performance_low and performance_high,
        rank of importance with rank_low and rank_high, first (share of draws with rank 1),
        quadrant (one of ``QUADRANTS``; of a single cause it says nothing), again (share of draws
        in that quadrant), turned (True
        where more of the cause goes with less of the outcome: its size is shown, and 100 less
        its mean).
    outcome_performance : float
        Mean of the outcome on 0 to 100.
    cuts : (float, float)
        Mean importance and mean performance: the lines of the map.
    draws : DataFrame
        Importance of every cause in every draw used.
    performance_draws : DataFrame
        Performance of the same draws.
    n_used, n_boot, n_failed, seed : int
    level : float
    method : str
    """

    outcome: str
    way: Literal["model", "drivers"]
    table: pd.DataFrame
    outcome_performance: float
    cuts: tuple[float, float]
    draws: pd.DataFrame
    performance_draws: pd.DataFrame
    n_used: int
    n_boot: int
    n_failed: int
    seed: int
    level: float
    method: str

    def numbers(self) -> list[Number]:
        """Return importance and performance with their definitions."""
        what = {
            "model": "total effect, points of 100 for one point of 100 (effects coding)",
            "drivers": "slope, points of 100 for one point of 100",
        }[self.way]
        rows = self.table.to_dict("records")
        return [
            Number(
                f"importance_{self.way}_{r['name']}", r["importance"], what, r["ci_low"],
                r["ci_high"], self.level, self.n_used, method=self.method,
            )
            for r in rows
        ] + [
            Number(
                f"performance_{self.way}_{r['name']}", r["performance"],
                "mean of the items, each on 0 to 100", r["performance_low"],
                r["performance_high"], self.level, self.n_used, method=self.method,
            )
            for r in rows
        ]  # fmt: skip


@remembered
def model_map(
    result: SemResult,
    data: pd.DataFrame,
    outcome: str,
    *,
    ranges: Ranges,
    n_boot: int = 5000,
    seed: int = 20261121,
    level: float = LEVEL,
    workers: int = 1,
) -> ImportanceMap:
    """Map the causes of an outcome in a structural model.

    Importance is the unstandardised total effect with both variables on 0 to 100; performance is
    the mean of a variable's items on 0 to 100.

    Parameters
    ----------
    result : SemResult
        A single-group fit without loops, fitted to ``data``.
    data : DataFrame
        Items, one row a respondent. Means are over those who answered an item.
    outcome : str
        A variable that paths lead to.
    ranges : mapping
        Item -> lowest and highest possible answer.
    n_boot, seed : int
        Draws of respondents; both coordinates come from the same draws. Percentile intervals.
    level : float
    workers : int
        Processes that share the draws; any number gives the same map.

    Raises
    ------
    ModelSpecError
        No path leads to the outcome.
    DataContractError
        An item has no range.
    EstimationError
        No draw could be estimated, or items of a latent variable load in both directions.

    Notes
    -----
    Checked against lavaan with effects coding on rescaled items (tests/reference/importance_map.R)
    and by hand for one path.

    References
    ----------
    Ringle & Sarstedt (2016), doi:10.1108/IMDS-10-2015-0449.
    Martilla & James (1977), doi:10.1177/002224297704100112.
    """
    names = _model_causes(result, outcome, ranges)
    need_one_direction(result, [*names, outcome], "model_map")
    columns = list(result.observed)
    answered = data[columns].notna().to_numpy()
    rows = np.flatnonzero(answered.any(1) if result.missing != "listwise" else answered.all(1))
    chosen = np.random.default_rng(seed).integers(0, len(rows), size=(n_boot, len(rows)))
    boot = bootstrap(
        result, n_boot=n_boot, seed=seed, ci="percentile", indices=rows[chosen], workers=workers
    )
    kept = boot.draws.used
    if not kept.any():
        raise EstimationError(
            "model_map: result= could be estimated in no draw; intervals need draws. Simplify the "
            "model or ask for more draws."
        )
    values = np.vstack([result.values[None, :], boot.draws.values[kept]])
    direct, total, raw = _scaled_effects(result, names, outcome, values, ranges)
    means = _item_means(data[columns].to_numpy(dtype=float)[rows], chosen[kept])
    performance = _performance(result, [*names, outcome], means, columns, ranges)
    return _map(
        "model", outcome, names, total, performance, raw=raw, direct=direct,
        n_used=result.n_used, n_boot=n_boot, n_failed=int(n_boot - kept.sum()), seed=seed,
        level=level, method="percentile bootstrap of respondents",
    )  # fmt: skip


@remembered
def driver_map(
    data: pd.DataFrame,
    outcome: str,
    drivers: Sequence[str],
    *,
    ranges: Ranges,
    n_boot: int = 5000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> ImportanceMap:
    """Map drivers of an outcome: slopes of a regression on all of them, and their means.

    Parameters
    ----------
    data : DataFrame
        One row a respondent; rows with a blank in a column used are left out.
    outcome : str
    drivers : sequence of str
        Two or more columns; a slope is what goes with a driver while the others are equal.
    ranges : mapping
        Column -> lowest and highest possible value.
    n_boot, seed : int
    level : float

    Notes
    -----
    Checked against R ``lm`` on rescaled columns (tests/reference/importance_map.R).
    """
    names = list(drivers)
    _need_ranges([*names, outcome], ranges, "driver_map")
    values, _dropped = complete_numbers(data, outcome, names, caller="driver_map")
    span = np.array([ranges[name] for name in [*names, outcome]], dtype=float)
    percent = 100 * (values - span[:, 0]) / (span[:, 1] - span[:, 0])
    check_draws(n_boot, "driver_map")
    moments, means = _resampled_moments(percent, n_boot=n_boot, seed=seed)
    spread = np.linalg.det(moments[:, :-1, :-1]) > 0
    slopes = np.linalg.solve(moments[spread, :-1, :-1], moments[spread, :-1, -1:])[..., 0]
    raw = slopes * (span[-1, 1] - span[-1, 0]) / (span[:-1, 1] - span[:-1, 0])
    return _map(
        "drivers", outcome, names, slopes, means[spread], raw=raw, direct=slopes,
        n_used=len(values), n_boot=n_boot, n_failed=int((~spread).sum()), seed=seed, level=level,
        method="percentile bootstrap of respondents; listwise",
    )  # fmt: skip


def _model_causes(result: SemResult, outcome: str, ranges: Ranges) -> list[str]:
    """Return the variables from which a way leads to the outcome."""
    ahead = {(r.rhs, r.lhs) for r in result.table.rows if r.op == "~"}
    reached, more = {outcome}, True
    while more:
        found = {start for start, end in ahead if end in reached} - reached
        reached |= found
        more = bool(found)
    order = list(dict.fromkeys(r.rhs for r in result.table.rows if r.op == "~"))
    names = [name for name in order if name in reached and name != outcome]
    if not names:
        ends = sorted({end for _start, end in ahead})
        raise ModelSpecError(
            f"model_map: outcome= is '{outcome}', to which no path leads; the model's effects are "
            f"{listing(ends)}.{nearest(outcome, ends)} Choose one of them."
        )
    items = [i for name in [*names, outcome] for own in items_below(result, name) for i in own]
    _need_ranges(items, ranges, "model_map")
    return names


def _need_ranges(names: Sequence[str], ranges: Ranges, caller: str) -> None:
    """Refuse variables whose lowest and highest value are not known."""
    absent = [n for n in names if n not in ranges or not ranges[n][1] > ranges[n][0]]
    if absent:
        raise DataContractError(
            f"{caller}: ranges= say no lowest and highest value of {listing(absent)}; a map on 0 "
            "to 100 needs both. Give the scale low and high in study.yml."
        )


def _scaled_effects(
    result: SemResult, names: Sequence[str], outcome: str, values: Array, ranges: Ranges
) -> tuple[Array, Array, Array]:
    """Return direct and total effects on 0 to 100, and total effects as the model has them."""
    known, direct, total = total_effects(result, values)
    end = known.index(outcome)
    at = [known.index(name) for name in names]
    below = np.column_stack([percent_scale(result, n, values, ranges) for n in names])
    ratio = percent_scale(result, outcome, values, ranges)[:, None] / below
    return direct[:, end, at] * ratio, total[:, end, at] * ratio, total[:, end, at]


def _item_means(values: Array, chosen: NDArray[np.int64]) -> Array:
    """Return the means of the answers, first as observed and then of every draw."""
    n = len(values)
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    counts = np.ones((len(chosen) + 1, n))
    counts[1:] = [np.bincount(rows, minlength=n) for rows in chosen]
    return (counts @ filled) / (counts @ known)


def _performance(
    result: SemResult, names: Sequence[str], means: Array, columns: list[str], ranges: Ranges
) -> Array:
    """Return means on 0 to 100 of the variables of a model, from means of items."""
    out = np.empty((len(means), len(names)))
    for j, name in enumerate(names):
        parts = []
        for own in items_below(result, name):
            span = np.array([ranges[item] for item in own], dtype=float)
            at = [columns.index(item) for item in own]
            parts.append((100 * (means[:, at] - span[:, 0]) / np.ptp(span, axis=1)).mean(axis=1))
        out[:, j] = np.mean(parts, axis=0)
    return out


def _resampled_moments(values: Array, *, n_boot: int, seed: int) -> tuple[Array, Array]:
    """Return covariances and means of the rows, first as observed and then of every draw."""
    n, p = values.shape
    upper = np.triu_indices(p)
    products = np.column_stack([values, values[:, upper[0]] * values[:, upper[1]]])
    rng = np.random.default_rng(seed)
    parts = [products.mean(axis=0)[None, :]]
    parts += [counts @ products / n for counts in resampled_counts(n, n_boot, rng)]
    sums = np.vstack(parts)
    means = sums[:, :p]
    cov = np.empty((len(sums), p, p))
    cov[:, upper[0], upper[1]] = sums[:, p:] - means[:, upper[0]] * means[:, upper[1]]
    cov[:, upper[1], upper[0]] = cov[:, upper[0], upper[1]]
    return cov, means


def _map(
    way: Literal["model", "drivers"],
    outcome: str,
    names: list[str],
    importance: Array,
    performance: Array,
    *,
    raw: Array,
    direct: Array,
    level: float,
    **about: object,
) -> ImportanceMap:
    """Put a map together; row 0 of every array is the estimate, the others are draws."""
    ends = [(1 - level) / 2, (1 + level) / 2]
    raw_low, raw_high = np.quantile(raw[1:], ends, axis=0)
    turned = np.quantile(importance[1:], ends[1], axis=0) < 0
    sign = np.where(turned, -1.0, 1.0)
    strength = importance * sign
    reached = np.where(turned, 100 - performance[:, :-1], performance[:, :-1])
    ranks = (-strength).argsort(axis=1).argsort(axis=1) + 1
    places = _quadrants(strength, reached)
    low, high = np.quantile(strength[1:], ends, axis=0)
    p_low, p_high = np.quantile(reached[1:], ends, axis=0)
    r_low, r_high = np.quantile(ranks[1:], ends, axis=0, method="nearest")
    table = pd.DataFrame(
        {
            "name": names, "importance": strength[0], "ci_low": low, "ci_high": high,
            "raw": raw[0], "raw_low": raw_low, "raw_high": raw_high, "direct": direct[0] * sign,
            "performance": reached[0], "performance_low": p_low, "performance_high": p_high,
            "rank": ranks[0], "rank_low": r_low.astype(int), "rank_high": r_high.astype(int),
            "first": (ranks[1:] == 1).mean(axis=0),
            "quadrant": [QUADRANTS[k] for k in places[0]],
            "again": (places[1:] == places[0]).mean(axis=0), "turned": turned,
        }
    )  # fmt: skip
    return ImportanceMap(
        outcome=outcome, way=way, table=table.sort_values("rank", ignore_index=True),
        outcome_performance=float(performance[0, -1]),
        cuts=(float(strength[0].mean()), float(reached[0].mean())),
        draws=pd.DataFrame(strength[1:], columns=names),
        performance_draws=pd.DataFrame(reached[1:], columns=names), level=level, **about,
    )  # fmt: skip


def _quadrants(importance: Array, performance: Array) -> NDArray[np.int64]:
    """Return the position of each cause in ``QUADRANTS``, by the means of each row."""
    weighty = importance >= importance.mean(axis=1, keepdims=True)
    good = performance >= performance.mean(axis=1, keepdims=True)
    return np.where(weighty, np.where(good, 1, 0), np.where(good, 2, 3))
