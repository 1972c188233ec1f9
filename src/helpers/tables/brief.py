"""The manager's brief: what matters, in plain words, each with its interval and its notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from helpers.errors import SuiteError, Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.sem.effects import effects, model_edges, model_ways
from helpers.service.budget import paying_steps
from helpers.service.lifecycle_study import OutcomeChange
from helpers.service.pilot_design import Cuped
from helpers.service.pilot_study import OutcomeEffect
from helpers.service.priorities_study import Urgency
from helpers.service.process_study import Recovery
from helpers.service.scenario_study import LeverSlopes, Plan
from helpers.service.scenarios import scenario
from helpers.survey.load import Study
from helpers.tables.numbers import format_number, format_percent
from helpers.tables.service_kano import attribute_names
from helpers.tables.service_pilot import measure_name
from helpers.tables.service_priorities import names_of, shared_lead
from helpers.tables.service_process import part_names
from helpers.tables.service_scenarios import currency, lever_names, outcome_name
from helpers.thresholds import LEVEL

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Point:
    """One sentence of the brief, or why it is not there, and the notebook behind it."""

    text: str | Unavailable
    see: str


def asked(ask: Callable[..., R], *given: object, **options: object) -> R | Unavailable:
    """Return an answer, or why there is none: a brief goes on without one of its parts."""
    try:
        return ask(*given, **options)
    except SuiteError as error:
        return Unavailable(_("a part of the brief"), str(error).rstrip("."))


def _lacking(*parts: object) -> Unavailable:
    """Return the first part that is not there."""
    return next(part for part in parts if isinstance(part, Unavailable))


def customers(study: Study) -> Point:
    """Say whom the brief is about."""
    text = _("The answers of {n} customers are behind this brief.")
    return Point(text.format(n=f"{len(study.responses):,}"), "20")


def best_and_worst(recovery: Recovery | Unavailable, levels: pd.DataFrame | Unavailable) -> Point:
    """Say which element is done best and which worst."""
    if isinstance(recovery, Unavailable) or isinstance(levels, Unavailable):
        return Point(_lacking(recovery, levels), "70")
    names = part_names(recovery.plan.elements)
    table = levels.sort_values("mean", ascending=False)
    first, last = table.iloc[0], table.iloc[-1]
    text = _(
        "Of 100 points customers give {first} {best} {best_range} and {last} {worst} {worst_range}."
    )
    return Point(
        text.format(
            first=names[first["code"]], best=format_number(first["mean"], 0),
            best_range=_span(first["ci_low"], first["ci_high"], 0), last=names[last["code"]],
            worst=format_number(last["mean"], 0),
            worst_range=_span(last["ci_low"], last["ci_high"], 0),
        ),
        "70",
    )  # fmt: skip


def delights(study: Study, kano: pd.DataFrame | Unavailable) -> Point:
    """Say what annoys most by its absence and what pleases most."""
    if isinstance(kano, Unavailable):
        return Point(kano, "72")
    names = attribute_names(study)
    missed = kano.loc[kano["worse"].idxmin()]
    liked = kano.loc[kano["better"].idxmax()]
    text = _(
        "Missed most when it is not there: {missed}, by {missed_share} of customers "
        "{missed_range}. Most pleasing when it is there: {liked}, to {liked_share} {liked_range}."
    )
    return Point(
        text.format(
            missed=names[missed["code"]], missed_share=format_percent(-missed["worse"], 0),
            missed_range=_percents(-missed["worse_high"], -missed["worse_low"]),
            liked=names[liked["code"]], liked_share=format_percent(liked["better"], 0),
            liked_range=_percents(liked["better_low"], liked["better_high"]),
        ),
        "72",
    )  # fmt: skip


def first_of_all(urgency: Urgency | Unavailable, table: pd.DataFrame | Unavailable) -> Point:
    """Say what several methods together put first."""
    if isinstance(urgency, Unavailable) or isinstance(table, Unavailable):
        return Point(_lacking(urgency, table), "80")
    names = names_of(urgency)
    text = (
        _(
            "Asked together, {m} methods put {first} and {second} level at the top. Drawn anew "
            "from the same customers, samples put {first} first in {share} of cases."
        )
        if shared_lead(table)
        else _(
            "Asked together, {m} methods put {first} first and {second} second. Drawn anew from "
            "the same customers, samples put {first} first in {share} of cases."
        )
    )
    return Point(
        text.format(
            m=len(urgency.methods), first=names[table["code"].iloc[0]],
            second=names[table["code"].iloc[1]],
            share=format_percent(table["p_first"].iloc[0], 0),
        ),
        "80",
    )  # fmt: skip


def what_pays(plan: Plan | Unavailable, found: LeverSlopes | Unavailable, *, seed: int) -> Point:
    """Say which changes are worth their cost."""
    if isinstance(plan, Unavailable) or isinstance(found, Unavailable):
        return Point(_lacking(plan, found), "81")
    value = plan.declared.value_per_point
    steps = paying_steps(plan.levers, found.slopes, value)
    if not steps.any():
        return Point(_("At the costs assumed, no change is worth its money."), "81")
    names = lever_names(plan)
    chosen = [names[c] for c, s in zip(plan.levers.codes, steps, strict=True) if s > 0]
    one = scenario(plan.levers, found.slopes, steps, value=value, seed=seed)
    text = (
        _(
            "Worth its cost: {levers}. To raise it would cost {cost} {money} a customer and year "
            "and leave {net} {money} {range}. Costs and worth are assumptions."
        )
        if len(chosen) == 1
        else _(
            "Worth their cost: {levers}. Raised together they would cost {cost} {money} a "
            "customer and year and leave {net} {money} {range}. Costs and worth are "
            "assumptions."
        )
    )
    return Point(
        text.format(
            levers=_(", ").join(chosen), cost=format_number(one.cost), money=currency(plan),
            net=format_number(one.net[0]), range=_span(one.net[1], one.net[2], 2),
        ),
        "81",
    )  # fmt: skip


def one_lever(study: Study, plan: Plan | Unavailable, found: LeverSlopes | Unavailable) -> Point:
    """Say what a point of the strongest lever goes with."""
    if isinstance(plan, Unavailable) or isinstance(found, Unavailable):
        return Point(_lacking(plan, found), "81")
    k = int(np.argmax(found.slopes.estimate))
    ends = np.quantile(found.slopes.draws[:, k], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    text = _(
        "Customers who rate {lever} one point higher differ by {slope} points of {outcome} "
        "{range}, other things equal."
    ) if found.slopes.estimate[k] < 0 else _(
        "Customers who rate {lever} one point higher rate {outcome} {slope} points higher {range}, "
        "other things equal."
    )  # fmt: skip
    return Point(
        text.format(
            lever=lever_names(plan)[plan.levers.codes[k]], outcome=outcome_name(study, plan),
            slope=format_number(found.slopes.estimate[k]), range=_span(*ends, 2),
        ),
        "81",
    )  # fmt: skip


def recovery_to_loyalty(
    study: Study, plan: Plan | Unavailable, found: LeverSlopes | Unavailable, *, seed: int
) -> Point:
    """Say how recovery and the outcome go together as a whole."""
    if isinstance(plan, Unavailable) or isinstance(found, Unavailable):
        return Point(_lacking(plan, found), "51")
    outcome = plan.declared.outcome
    source = _last_before(found, plan)
    if source is None:
        what = _("what recovery as a whole goes with")
        return Point(Unavailable(what, _("no variable stands behind all levers")), "51")
    table = effects(found.fitted.result, source, outcome, seed=seed)
    total, indirect = table.row("total"), table.row("total_indirect")
    ratio = total["std_all"] / total["estimate"]
    text = (
        _(
            "A better {source} goes with more {outcome}: {size} {range} on a scale from 0 (not at "
            "all) to 1 (in step)."
        )
        if total["std_all"] > 0
        else _(
            "A better {source} goes with less {outcome}: {size} {range} on a scale from 0 (not at "
            "all) to −1 (in opposite step)."
        )
    ).format(
        source=study.construct_name(source), outcome=outcome_name(study, plan),
        size=format_number(total["std_all"]),
        range=_span(total["ci_low"] * ratio, total["ci_high"] * ratio, 2),
    )  # fmt: skip
    share = float("nan") if indirect is None else indirect["estimate"] / total["estimate"]
    if 0 < share < 1:  # with ways of either sign there is no share
        text = _("{first} Of this, {share} runs through {between}.").format(
            first=text, share=format_percent(share, 0),
            between=_(", ").join(study.construct_name(c) for c in _between(found, source, outcome)),
        )  # fmt: skip
    return Point(text, "51")


def _between(found: LeverSlopes, source: str, outcome: str) -> list[str]:
    """Return the constructs on the ways from source to outcome, in the order of the ways."""
    ways = model_ways(model_edges(found.fitted.result), source, outcome)
    return list(dict.fromkeys(name for way in ways for name in way[1:-1]))


def _last_before(found: LeverSlopes, plan: Plan) -> str | None:
    """Return the one construct that every lever points at, or None."""
    variables = {lever.variable for lever in plan.declared.levers}
    rows = [r for r in found.fitted.result.table.rows if r.op == "~" and r.rhs in variables]
    targets = {r.lhs for r in rows}
    return targets.pop() if len(targets) == 1 else None


def trial(
    effect: list[OutcomeEffect | Unavailable] | Unavailable, adjusted: Cuped | Unavailable
) -> Point:
    """Say what the trial of a new service found, plainly and with earlier values taken out."""
    if isinstance(effect, Unavailable) or isinstance(effect[0], Unavailable):
        return Point(effect if isinstance(effect, Unavailable) else effect[0], "77")
    first = effect[0]
    text = _(
        "In a trial where the lot decided, {name} of the new service against the old: {measure} "
        "{size} {range}: {verdict}"
    ).format(
        name=pick(first.outcome.name.model_dump()), measure=measure_name(first.effect),
        size=format_number(first.effect.estimate),
        range=_span(first.effect.ci_low, first.effect.ci_high, 2), verdict=_verdict(first.size),
    )  # fmt: skip
    if isinstance(adjusted, Unavailable):
        return Point(text, "77")
    exact = adjusted.adjusted
    more = _("{first} With earlier values taken out the difference is {size} {range}: {verdict}")
    return Point(
        more.format(
            first=text, size=format_number(exact.estimate),
            range=_span(exact.ci_low, exact.ci_high, 2),
            verdict=_verdict(exact.size(first.outcome.smallest)),
        ),
        "77",
    )  # fmt: skip


def _verdict(size: str) -> str:
    """Say whether a difference is large enough."""
    return {
        "matters": _("enough to matter."),
        "negligible": _("too little to matter."),
        "open": _("whether it is enough to matter stays open."),
    }[size]


def long_run(changes: list[OutcomeChange] | Unavailable) -> Point:
    """Say how purchases went on with and without recovery."""
    if isinstance(changes, Unavailable):
        return Point(changes, "76")
    one = next((c for c in changes if c.weighted), changes[0])
    if isinstance(one.contrast, Unavailable):
        return Point(one.contrast, "76")
    text = _(
        "After the problem, customers who got a recovery bought {with_ratio} times as often as "
        "before {with_range}, those without {without_ratio} times {without_range}."
    )
    return Point(
        text.format(
            with_ratio=format_number(one.recovered.ratio),
            with_range=_span(one.recovered.ci_low, one.recovered.ci_high, 2),
            without_ratio=format_number(one.none.ratio),
            without_range=_span(one.none.ci_low, one.none.ci_high, 2),
        ),
        "76",
    )  # fmt: skip


def money(plan: Plan | Unavailable) -> str:
    """Return the name of the money, or nothing."""
    return "" if isinstance(plan, Unavailable) else currency(plan)


@passes_unavailable
def net_picture(plan: Plan, found: LeverSlopes, *, seed: int) -> pd.DataFrame:
    """Return what one point of each lever leaves after cost, for a forest plot."""
    names, rows = lever_names(plan), []
    for code in plan.levers.codes:
        steps = plan.levers.steps({code: 1.0})
        one = scenario(
            plan.levers, found.slopes, steps, value=plan.declared.value_per_point, seed=seed
        )
        row = {"label": names[code], "estimate": one.net[0]}
        rows.append(row | {"ci_low": one.net[1], "ci_high": one.net[2]})
    table = pd.DataFrame(rows)
    return table.sort_values("estimate", ascending=False, ignore_index=True)


def _span(low: float, high: float, decimals: int) -> str:
    """Return an interval in plain words."""
    return _("({low} to {high})").format(
        low=format_number(low, decimals), high=format_number(high, decimals)
    )


def _percents(low: float, high: float) -> str:
    """Return an interval of shares in plain words."""
    return _("({low} to {high})").format(low=format_percent(low, 0), high=format_percent(high, 0))
