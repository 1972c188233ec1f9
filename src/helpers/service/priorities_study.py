"""What each method says of each lever of a study, in the data and in resamples of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import Unavailable, listing, passes_unavailable
from helpers.i18n import _
from helpers.regression.design import study_term
from helpers.regression.relative import raw_relative_weights
from helpers.resampling import resampled_counts
from helpers.results import Number
from helpers.service.kano import LETTERS, kano_letters
from helpers.service.priorities import (
    Agreement,
    agreement,
    priority_list,
    weighted_correlations,
    weighted_ratios,
)
from helpers.service.process import to_hundred
from helpers.service.process_study import read_process, scale_ends
from helpers.service.scenario_study import lever_slopes, read_plan
from helpers.service.scenarios import reach
from helpers.service_specification import Priorities, Priority
from helpers.survey.privacy import least_cell

if TYPE_CHECKING:
    from helpers.survey.load import Study

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]
"""Counts of the respondents in resamples, shape (b, n), to values of the levers, (b, k)."""

METHODS = ("kano", "gap", "room", "driver", "segment", "scenario")


@dataclass(frozen=True, slots=True)
class Urgency:
    """What each method says of each lever; a larger value is more urgent.

    Attributes
    ----------
    declared : Priorities
    methods : tuple of str
        Of ``METHODS``, those that the study can be asked.
    values : array, shape (m, k)
    draws : array, shape (B, m, k)
    segment : str
        Code of the segment served worst, or empty.
    n_used : int
        Respondents that are resampled.
    absent : tuple of str
        Methods that the study does not offer.
    """

    declared: Priorities
    methods: tuple[str, ...]
    values: Array
    draws: Array
    segment: str
    n_used: int
    absent: tuple[str, ...]

    @property
    def codes(self) -> list[str]:
        """Return the codes of the levers."""
        return [lever.code for lever in self.declared.levers]


@passes_unavailable
def read_urgency(study: Study, *, n_boot: int, seed: int) -> Urgency | Unavailable:
    """Ask every method the study offers about the levers it declares.

    kano: Better less Worse, mean over the lever's attributes. gap: expected less perceived quality.
    room: relative weight of the lever's elements times what they lack to 100. driver: the same for
    the drivers of loyalty. segment: as room, with what is lacking in the segment whose outcome is
    lowest. scenario: points of the outcome for one point of the lever, times the mean rise.

    Respondents are resampled once for all methods, so that ranks keep what the methods have in
    common; the slopes of the scenario are drawn from their own distribution.

    Returns
    -------
    Urgency or Unavailable
        ``Unavailable`` where fewer than two methods speak.
    """
    declared = study.spec.service.priorities
    if declared is None:
        return Unavailable(_("priorities"), _("the study file declares none"))
    worst = _worst_segment(study, declared)
    found = {
        "kano": _kano(study, declared.levers),
        "gap": _gap(study, declared.levers),
        "room": _room(study, declared.levers, None),
        "driver": _driver(study, declared.levers),
        "segment": None if worst is None else _room(study, declared.levers, worst),
    }
    n = len(study.responses)
    statistics = {name: one for name, one in found.items() if one is not None}
    drawn = _resampled(statistics, n, n_boot, seed)
    whole = {name: one(np.ones((1, n)))[0] for name, one in statistics.items()}
    fitted = _scenario(study, declared.levers, n_boot, seed)
    if fitted is not None:
        whole["scenario"], drawn["scenario"] = fitted
    methods = tuple(name for name in METHODS if name in whole)
    if len(methods) < 2:
        why = _("fewer than two methods can be asked; the study has {have}")
        return Unavailable(_("priorities"), why.format(have=listing(methods) or "–"))
    return Urgency(
        declared, methods, np.array([whole[name] for name in methods]),
        np.stack([drawn[name] for name in methods], axis=1),
        "" if worst is None else f"{worst:g}", n,
        tuple(name for name in METHODS if name not in whole),
    )  # fmt: skip


def _resampled(
    statistics: dict[str, Statistic], n: int, n_boot: int, seed: int
) -> dict[str, Array]:
    """Return every statistic in the same resamples of the respondents."""
    parts: dict[str, list[Array]] = {name: [] for name in statistics}
    for counts in resampled_counts(n, n_boot, np.random.default_rng(seed)):
        for name, one in statistics.items():
            parts[name].append(one(counts))
    return {name: np.concatenate(blocks) for name, blocks in parts.items()}


def _linked(study: Study, module: str) -> pd.DataFrame | None:
    """Return a module's answers in the order of the respondents, blank where there are none."""
    if module == "main":
        return study.responses
    answers = study.module(module)
    if isinstance(answers, Unavailable):
        return None
    if "in_sample" in answers:
        answers = answers[answers["in_sample"]]
    return answers.set_index("respondent_id").reindex(study.responses["respondent_id"])


def _means_of(values: Array, groups: list[list[int]]) -> Array:
    """Return means over the columns that belong to each lever; blank where none do."""
    return np.stack(
        [values[:, g].mean(axis=1) if g else np.full(len(values), np.nan) for g in groups], axis=1
    )


def _groups(levers: list[Priority], method: str, codes: list[str]) -> list[list[int]]:
    """Return which columns belong to each lever."""
    return [[codes.index(code) for code in getattr(lever, method)] for lever in levers]


def _kano(study: Study, levers: list[Priority]) -> Statistic | None:
    """Return Better less Worse of each lever's attributes."""
    plan = study.spec.service.kano
    groups = _groups(levers, "kano", [a.code for a in plan.attributes]) if plan else []
    answers = _linked(study, plan.module) if plan else None
    if plan is None or answers is None or not any(groups):
        return None
    letters = [
        kano_letters(answers[a.functional], answers[a.dysfunctional], plan.answers)
        for a in plan.attributes
    ]
    both = np.array([_among(x, "AO") + _among(x, "OM") for x in letters]).T
    counted = np.array([_among(x, "AOMI") for x in letters]).T
    return lambda counts: _means_of(weighted_ratios(counts, both, counted), groups)


def _among(letters: Array, wanted: str) -> Array:
    """Return 1 where a pair's class is among those wanted, else 0; half a pair is in none."""
    return np.isin(letters, [LETTERS.index(letter) for letter in wanted]).astype(float)


def _gap(study: Study, levers: list[Priority]) -> Statistic | None:
    """Return expected less perceived quality of each lever's dimensions."""
    plan = study.spec.service.servqual
    groups = _groups(levers, "servqual", [d.code for d in plan.dimensions]) if plan else []
    answers = _linked(study, plan.module) if plan else None
    if plan is None or answers is None or not any(groups):
        return None
    gaps = []
    for dimension in plan.dimensions:
        ends = [
            answers[_items(study, name, plan.module)].astype(float).mean(axis=1, skipna=False)
            for name in (dimension.expected, dimension.perceived)
        ]
        gaps.append((ends[0] - ends[1]).to_numpy())
    table = np.array(gaps).T
    known = np.isfinite(table).astype(float)
    table = np.nan_to_num(table)
    return lambda counts: _means_of(weighted_ratios(counts, table, known), groups)


def _items(study: Study, name: str, module: str) -> list[str]:
    """Return the items of a construct in a module, or the item itself."""
    return study.items_of(name, module) if name in study.construct_codes else [name]


def _weight_times_room(
    scores: pd.DataFrame, outcome: pd.Series, groups: list[list[int]], where: NDArray[np.bool_]
) -> Statistic:
    """Return relative weight of each column times what it lacks to 100 among some respondents."""
    table = scores.assign(_outcome=outcome.to_numpy()).astype(float)
    kept = table.notna().all(axis=1).to_numpy()
    values = table.to_numpy()[kept]
    room = 100 - values[:, :-1]
    seen = where[kept, None].astype(float)

    def statistic(counts: Array) -> Array:
        own = counts[:, kept]
        weights = raw_relative_weights(weighted_correlations(own, values))
        shares = weights / weights.sum(axis=1, keepdims=True)
        lacking = weighted_ratios(own, room * seen, np.broadcast_to(seen, room.shape))
        return _means_of(shares * lacking, groups)

    return statistic


def _room(study: Study, levers: list[Priority], segment: float | None) -> Statistic | None:
    """Return weight times room of the elements of the recovery, in a segment or everywhere."""
    recovery = read_process(study)
    if isinstance(recovery, Unavailable):
        return None
    groups = _groups(levers, "elements", list(recovery.elements))
    if not any(groups):
        return None
    where = np.ones(len(study.responses), dtype=bool)
    if segment is not None:
        item = str(study.spec.service.priorities.segment)
        where = study.responses[item].to_numpy(dtype=float) == segment
    return _weight_times_room(recovery.elements, recovery.outcome, groups, where)


def _driver(study: Study, levers: list[Priority]) -> Statistic | None:
    """Return weight times room of the drivers of loyalty."""
    plan = study.spec.service.loyalty
    groups = _groups(levers, "drivers", plan.drivers) if plan else []
    if plan is None or not any(groups):
        return None
    scores = pd.concat(
        [
            to_hundred(study_term(study, name).columns.iloc[:, [0]], *scale_ends(study, name))
            for name in plan.drivers
        ],
        axis=1,
    )
    outcome = study_term(study, plan.concept).columns.iloc[:, 0]
    return _weight_times_room(scores, outcome, groups, np.ones(len(scores), dtype=bool))


def _worst_segment(study: Study, declared: Priorities) -> float | None:
    """Return the code of the segment with the lowest mean outcome, among those large enough."""
    recovery = read_process(study)
    if declared.segment is None or isinstance(recovery, Unavailable):
        return None
    codes = study.responses[declared.segment].to_numpy(dtype=float)
    table = pd.DataFrame({"code": codes, "y": recovery.outcome.to_numpy()}).dropna()
    groups = table.groupby("code")["y"].agg(["mean", "size"])
    groups = groups[groups["size"] >= least_cell(study)]
    return None if groups.empty else float(groups["mean"].idxmin())


def _scenario(
    study: Study, levers: list[Priority], n_boot: int, seed: int
) -> tuple[Array, Array] | None:
    """Return what a point of each lever goes with by the fitted model, and draws of it."""
    plan = read_plan(study)
    if isinstance(plan, Unavailable):
        return None
    found = lever_slopes(study, plan, n_draws=n_boot, seed=seed)
    if isinstance(found, Unavailable):
        return None
    rise = reach(plan.levers.scores, np.ones(len(plan.levers.codes)), plan.levers.top)
    at = {code: k for k, code in enumerate(plan.levers.codes)}
    values = np.full(len(levers), np.nan)
    draws = np.full((len(found.slopes.draws), len(levers)), np.nan)
    for j, lever in enumerate(levers):
        if lever.code in at:
            k = at[lever.code]
            values[j] = found.slopes.estimate[k] * rise[k]
            draws[:, j] = found.slopes.draws[:, k] * rise[k]
    return values, draws


@passes_unavailable
def study_list(urgency: Urgency) -> pd.DataFrame:
    """Return the levers as one list; see ``priority_list``."""
    return priority_list(urgency.codes, urgency.values, urgency.draws)


@passes_unavailable
def study_agreement(urgency: Urgency, *, seed: int) -> Agreement | Unavailable:
    """Return whether the methods agree, over the levers of which all speak."""
    if np.isfinite(urgency.values).all(axis=0).sum() < 3:
        return Unavailable(
            _("a test of agreement"), _("fewer than three levers are known to every method")
        )
    return agreement(urgency.values, seed=seed)


@passes_unavailable
def priority_numbers(table: pd.DataFrame) -> list[Number]:
    """Return ranks for ``results.json``."""
    return [
        Number(
            f"rank_{row['code']}", row["rank"], "rank by mean place over methods, 1 first",
            row["rank_low"], row["rank_high"], method="percentiles of resampled ranks",
        )
        for row in table.to_dict("records")
    ]  # fmt: skip
