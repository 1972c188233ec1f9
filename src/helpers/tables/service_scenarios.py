"""Tables and sentences of scenarios: what a change brings, costs, and whether it pays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.results import CheckResult
from helpers.sem.effects import effects
from helpers.service.budget import first_points_pay, paying_steps
from helpers.service.scenario_checks import Straightness, planted_total
from helpers.service.scenario_study import (
    ALL,
    LeverSlopes,
    Plan,
    without_shares,
)
from helpers.service.scenarios import Scenario, prior_shares, scenario
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number, format_p, format_percent
from helpers.thresholds import LEVEL, THRESHOLDS

BUDGETS = 7
"""Rows of the table of budgets, spread over the curve."""


def lever_names(plan: Plan) -> dict[str, str]:
    """Return the levers' names in the current language, by code."""
    return {lever.code: pick(lever.name.model_dump()) for lever in plan.declared.levers}


def currency(plan: Plan) -> str:
    """Return the name of the money."""
    return pick(plan.declared.currency.model_dump())


def outcome_name(study: Study, plan: Plan) -> str:
    """Return the outcome's name."""
    name = plan.declared.outcome
    return study.construct_name(name) if name in study.construct_codes else study.item_label(name)


def segment_names(study: Study, plan: Plan) -> dict[str, str]:
    """Return the segments' names by code as text, all customers first."""
    names = {ALL: _("all customers")}
    if plan.declared.segment is not None:
        labels = study.scale_of(plan.declared.segment).labels
        for code in plan.segments:
            label = labels.get(int(code))
            names[f"{code:g}"] = f"{code:g}" if label is None else pick(label.model_dump())
    return names


@passes_unavailable
def levers_table(plan: Plan, found: LeverSlopes, *, value: float, seed: int) -> ApaTable:
    """Return each lever raised by one point, on its own."""
    names, rows = lever_names(plan), []
    for k, code in enumerate(plan.levers.codes):
        steps = plan.levers.steps({code: 1.0})
        one = scenario(plan.levers, found.slopes, steps, value=value, seed=seed)
        row = {"name": names[code], "mean": float(plan.levers.scores[:, k].mean())}
        row |= {"reach": float(one.reach[k]), "cost": one.cost, "p_pays": one.p_pays}
        for key, triple in (("gain", one.gain), ("net", one.net)):
            row |= dict(zip((key, f"{key}_low", f"{key}_high"), triple))
        rows.append(row)
    return apa_table(
        pd.DataFrame(rows),
        caption=_("Each lever raised by one point"),
        columns=[
            Column("name", _("Lever"), "text"),
            Column("mean", _("Mean now")),
            Column("reach", _("Mean rise")),
            Column("gain", _("Gain")),
            interval_column("gain_low", "gain_high"),
            Column("cost", _("Cost")),
            Column("net", _("Net benefit")),
            interval_column("net_low", "net_high"),
            Column("p_pays", _("Chance that it pays"), "percent", 0),
        ],
        note=_(
            "Gain in points of the outcome; money in {currency}, for one customer and year. {what}"
        ).format(currency=currency(plan), what=assumptions(plan)),
    )


def assumptions(plan: Plan) -> str:
    """Return the study's own words on its costs, or that they are assumptions."""
    if plan.declared.note is not None:
        return pick(plan.declared.note.model_dump())
    return _("Costs and the worth of a point are assumptions of the study file.")


@passes_unavailable
def levers_picture(plan: Plan, found: LeverSlopes) -> pd.DataFrame:
    """Return what a point of each lever brings, for a forest plot."""
    draws = found.slopes.draws
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    names = lever_names(plan)
    return pd.DataFrame(
        {
            "label": [names[c] for c in plan.levers.codes],
            "estimate": found.slopes.estimate,
            "ci_low": low,
            "ci_high": high,
        }
    ).sort_values("estimate", ascending=False, ignore_index=True)


@passes_unavailable
def slopes_axis(study: Study, plan: Plan) -> str:
    """Return the words under the axis of the levers' slopes."""
    return _("Points of {outcome} for one point of the lever").format(
        outcome=outcome_name(study, plan)
    )


@passes_unavailable
def slopes_sentence(study: Study, plan: Plan, found: LeverSlopes) -> str:
    """Say which lever brings most a point, and how surely it leads."""
    lead = int(np.argmax(found.slopes.estimate))
    picture = levers_picture(plan, found).iloc[0]
    first = float((found.slopes.draws.argmax(axis=1) == lead).mean())
    text = _(
        "One point of {lever} goes with {estimate} points of {outcome}, {percent:g}% CI "
        "{interval}; it leads in {share} of {n} draws."
    )
    return text.format(
        lever=picture["label"], outcome=outcome_name(study, plan), percent=100 * LEVEL,
        estimate=format_number(picture["estimate"]), share=format_percent(first, 0),
        interval=format_interval(picture["ci_low"], picture["ci_high"]),
        n=f"{len(found.slopes.draws):,}",
    )  # fmt: skip


@passes_unavailable
def scenario_sentence(study: Study, plan: Plan, found: Scenario, segment: str = ALL) -> str:
    """Read one scenario aloud, with a warning where it leaves the data."""
    names = lever_names(plan)
    moved = [
        _("{lever} by {step:g}").format(lever=names[c], step=round(float(s), 2))
        for c, s in zip(plan.levers.codes, found.steps, strict=True)
        if s > 0
    ]
    if not moved:
        return _("Nothing is raised, so nothing is gained and nothing spent.")
    text = _(
        "Raising {levers} (in points) for {who} (n = {n}) goes with {gain} points of {outcome}; "
        "net benefit {net} {currency} a customer and year, {percent:g}% CI {interval}. It pays in "
        "{pays} of the draws."
    ).format(
        levers=_(", ").join(moved), who=segment_names(study, plan)[segment], n=found.n_used,
        gain=format_number(found.gain[0]), outcome=outcome_name(study, plan),
        net=format_number(found.net[0]), currency=currency(plan), percent=100 * found.level,
        interval=format_interval(found.net[1], found.net[2]),
        pays=format_percent(found.p_pays, 0),
    )  # fmt: skip
    if not found.outside:
        return text
    warning = _(
        "WARNING: raised beyond what the data or the plan hold: {levers}; read this as "
        "an extrapolation."
    ).format(levers=_(", ").join(names[c] for c in found.outside))
    return f"{text} {warning}"


@passes_unavailable
def segments_table(
    study: Study, plan: Plan, found: LeverSlopes, wanted: Mapping[str, float], *,
    value: float, seed: int
) -> ApaTable | Unavailable:  # fmt: skip
    """Return one change in every segment, where it is large enough to be shown."""
    names, rows = segment_names(study, plan), []
    least = THRESHOLDS["group_size"]
    for code, name in names.items():
        n = int((plan.segment == float(code)).sum()) if code != ALL else len(plan.segment)
        if not least.holds(n):
            rows.append({"name": name, "n_used": n})
            continue
        one = scenario(
            plan.customers(code), found.slopes, plan.levers.steps(dict(wanted)), value=value,
            seed=seed,
        )  # fmt: skip
        row = {"name": name, "n_used": n, "gain": one.gain[0], "p_pays": one.p_pays}
        row |= {"net": one.net[0], "net_low": one.net[1], "net_high": one.net[2]}
        rows.append(row)
    return apa_table(
        pd.DataFrame(rows),
        caption=_("The same change in every segment"),
        columns=[
            Column("name", _("Segment"), "text"),
            Column("n_used", "n", "integer"),
            Column("gain", _("Gain")),
            Column("net", _("Net benefit")),
            interval_column("net_low", "net_high"),
            Column("p_pays", _("Chance that it pays"), "percent", 0),
        ],
        note=_(
            "Slopes are those of all customers; segments differ in how much room their scores "
            "leave. Money in {currency}."
        ).format(currency=currency(plan)),
    )


@passes_unavailable
def frontier_table(plan: Plan, table: pd.DataFrame) -> ApaTable:
    """Return the best plan for some of the budgets."""
    some = np.linspace(0, len(table) - 1, min(len(table), BUDGETS)).round().astype(int)
    names = lever_names(plan)
    return apa_table(
        table.iloc[some].reset_index(drop=True),
        caption=_("The best use of each budget"),
        columns=[
            Column("budget", _("Budget")),
            *(Column(code, names[code]) for code in plan.levers.codes),
            Column("gain", _("Gain")),
            Column("net", _("Net benefit")),
            interval_column("net_low", "net_high"),
        ],
        note=_(
            "Points by which each lever is raised. Money in {currency} for one customer and year."
        ).format(currency=currency(plan)),
    )


@passes_unavailable
def best_sentence(
    plan: Plan, found: LeverSlopes, *, value: float, seed: int, prior_weight: float = 0.0
) -> str:
    """Say which plan leaves most after cost, and how surely each part of it pays.

    With ``prior_weight`` the slopes given are those with the ratings mixed in, and it is said.
    """
    names = lever_names(plan)
    steps = paying_steps(plan.levers, found.slopes, value)
    sure = first_points_pay(plan.levers, found.slopes, value)
    bought = [
        _("{lever} by {step:g} (pays in {share} of the draws)").format(
            lever=names[c], step=round(float(s), 2), share=format_percent(p, 0)
        )
        for c, s, p in zip(plan.levers.codes, steps, sure, strict=True)
        if s > 0
    ]
    if not bought:
        return _("At these costs no lever is worth raising.")
    one = scenario(plan.levers, found.slopes, steps, value=value, seed=seed)
    text = _(
        
            "Most is left after cost by raising {levers}: {cost} {currency} are spent and "
            "{net} {currency} remain, {percent:g}% CI {interval}."
        
    ).format(
        levers=_(", ").join(bought), cost=format_number(one.cost), currency=currency(plan),
        net=format_number(one.net[0]), percent=100 * one.level,
        interval=format_interval(one.net[1], one.net[2]),
    )  # fmt: skip
    if not prior_weight:
        return text
    mixed = _("With the ratings at a weight of {share}, taken as if it were known. {plan}")
    return mixed.format(share=format_percent(prior_weight, 0), plan=text)


@passes_unavailable
def projects_table(plan: Plan, table: pd.DataFrame, budget: float) -> ApaTable:
    """Return which levers to take as whole projects within a budget."""
    names = lever_names(plan)
    return apa_table(
        table.assign(name=table["code"].map(names)),
        caption=_("Projects taken whole, budget {budget:g} {currency}").format(
            budget=budget, currency=currency(plan)
        ),
        columns=[
            Column("name", _("Lever"), "text"),
            Column("step", _("Points")),
            Column("gain", _("Gain")),
            Column("cost", _("Cost")),
            Column("taken", _("Taken"), "truth"),
        ],
    )


@passes_unavailable
def prior_table(plan: Plan, found: LeverSlopes) -> ApaTable | Unavailable:
    """Return each lever's share of the whole effect beside its prior share."""
    lacking = without_shares(plan, found)
    if lacking is not None:
        return lacking
    shares = found.slopes.draws / found.slopes.draws.sum(axis=1, keepdims=True)
    low, high = np.quantile(shares, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    names = lever_names(plan)
    return apa_table(
        pd.DataFrame(
            {
                "name": [names[c] for c in plan.levers.codes],
                "share": found.slopes.estimate / found.slopes.estimate.sum(),
                "low": low,
                "high": high,
                "rated": plan.prior,
                "prior": prior_shares(plan.prior),
            }
        ),
        caption=_("Importance by the data and by those who were asked"),
        columns=[
            Column("name", _("Lever"), "text"),
            Column("share", _("Share by the data"), "percent", 0),
            Column("low", _("{percent:g}% CI").format(percent=100 * LEVEL), "percent_interval",
                   0, upper="high"),
            Column("rated", _("Rated importance")),
            Column("prior", _("Share by rating"), "percent", 0),
        ],
    )  # fmt: skip


@passes_unavailable
def prior_sentence(plan: Plan, tip: float | None) -> str:
    """Say from which weight of the prior on another lever leads."""
    if tip is None or tip >= 1:
        return _("Whatever weight the ratings are given, the same lever leads.")
    return _(
        "The lever that leads by the data keeps the lead until the ratings weigh {share}."
    ).format(share=format_percent(tip, 0))


@passes_unavailable
def prior_lines(plan: Plan, table: pd.DataFrame) -> pd.DataFrame:
    """Return shares by weight with the levers' names."""
    return table.assign(name=table["code"].map(lever_names(plan)))


@passes_unavailable
def straight_checks(found: Straightness) -> list[CheckResult]:
    """Return whether straight lines, the same for all segments, are good enough."""
    alpha = 1 - LEVEL
    rows = [
        (_("Straight lines"), found.p_curve,
         _("Squares of the levers, joint test p {p}; R² {r2} straight, {bent} with squares.")),
    ]  # fmt: skip
    if not np.isnan(found.p_segments):
        rows.append(
            (_("One slope for all segments"), found.p_segments,
             _("Levers by segments, joint test p {p}."))
        )  # fmt: skip
    return [
        CheckResult(
            name, bool(p >= alpha), p, alpha, "White (1980)",
            text.format(p=_signed(p), r2=format_number(found.r2, bounded=True),
                        bent=format_number(found.r2_curve, bounded=True)),
        )
        for name, p, text in rows
    ]  # fmt: skip


@passes_unavailable
def draws_check(one: LeverSlopes, other: LeverSlopes) -> CheckResult:
    """Hold slopes from all respondents beside those of resampled complete ones."""
    gap = float(np.abs(one.slopes.estimate - other.slopes.estimate).max())
    spread = float(np.mean(other.slopes.draws.std(axis=0) / one.slopes.draws.std(axis=0)))
    text = _(
        "Resampling the {n} respondents without blanks moves no slope by more than {gap}; its "
        "errors are {spread:.2f} times as large as those from all {all}."
    )
    words = text.format(n=other.n_used, gap=format_number(gap), spread=spread, all=one.n_used)
    return CheckResult(_("Draws made another way"), None, gap, None, "", words)


@passes_unavailable
def planted_checks(study: Study, plan: Plan, found: LeverSlopes) -> list[CheckResult]:
    """Hold the total effect of the recovery on loyalty against what was planted."""
    if study.offers("truth") is not None:
        return []
    truth = planted_total(study.truth, "REC", plan.declared.outcome)
    row = effects(found.fitted.result, "REC", plan.declared.outcome, seed=0).row("total")
    ratio = float(row["std_all"] / row["estimate"])
    low, high = float(row["ci_low"] * ratio), float(row["ci_high"] * ratio)
    text = _("Planted {truth}, estimated {estimate} {interval}.").format(
        truth=format_number(truth, bounded=True),
        estimate=format_number(row["std_all"], bounded=True),
        interval=format_interval(low, high, bounded=True),
    )
    name = _("Planted total effect of the recovery (standardised)")
    inside = bool(low <= truth <= high)
    return [CheckResult(name, inside, float(row["std_all"]), truth, "population.yml", text)]


def _signed(p: float) -> str:
    """Return a p-value with its sign of relation."""
    text = format_p(p)
    return text if text.startswith("<") else f"= {text}"
