"""Tables and sentences of the recovery process: levels, importance, wait, measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.regression.design import variable_label
from helpers.regression.dose import DoseResponse
from helpers.results import CheckResult
from helpers.service.process import DoublingSlope, PartImportance
from helpers.service.process_study import Recovery
from helpers.service_specification import Measured
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number, format_percent
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study


def part_names(parts: list[Measured]) -> dict[str, str]:
    """Return the names of parts by code, in the current language."""
    return {part.code: pick(part.name.model_dump()) for part in parts}


def made_of(study: Study, parts: list[Measured]) -> str:
    """Return which measures each part is made of."""
    return _("; ").join(
        f"{pick(part.name.model_dump())}: "
        + _(", ").join(variable_label(study, name) for name in part.measures)
        for part in parts
    )


@passes_unavailable
def levels_table(study: Study, levels: pd.DataFrame, parts: list[Measured], kind: str) -> ApaTable:
    """Return how well each part is done; ``kind`` is ``elements`` or ``steps``."""
    captions = {
        "elements": _("How well each element of the recovery is done"),
        "steps": _("How well each step of the recovery is done"),
    }
    return apa_table(
        levels.assign(name=levels["code"].map(part_names(parts)), place=_places(levels)),
        caption=captions[kind],
        columns=[
            Column("name", _("Part"), "text"),
            Column("mean", _("Score (0-100)"), "number", 1),
            interval_column(decimals=1),
            Column("sd", "SD", "number", 1),
            Column("place", _("Place"), "text"),
            Column("n_used", "n", "integer"),
        ],
        note=_(
            "0 and 100 are the ends of the answer scale. Place: rank by score, in brackets the "
            "places that the sample leaves possible ({percent:g}% interval). Measured by: "
            "{measures}."
        ).format(percent=100 * LEVEL, measures=made_of(study, parts)),
    )


def _places(table: pd.DataFrame) -> list[str]:
    """Return ranks with their intervals as text."""
    shown = []
    for rank, low, high in table[["rank", "rank_low", "rank_high"]].itertuples(index=False):
        shown.append(f"{rank}" if low == high else f"{rank} ({low}–{high})")
    return shown


@passes_unavailable
def levels_picture(levels: pd.DataFrame, parts: list[Measured]) -> pd.DataFrame:
    """Return the scores as ``plot_forest`` takes them."""
    return pd.DataFrame(
        {
            "label": levels["code"].map(part_names(parts)),
            "estimate": levels["mean"],
            "ci_low": levels["ci_low"],
            "ci_high": levels["ci_high"],
        }
    )


def score_axis() -> str:
    """Return the words under the axis of scores."""
    return _("Score (0-100) with {percent:g}% interval").format(percent=100 * LEVEL)


@passes_unavailable
def levels_sentence(levels: pd.DataFrame, parts: list[Measured]) -> str:
    """Read the best and the weakest part aloud."""
    names = part_names(parts)
    ordered = levels.sort_values("rank")
    best, worst = ordered.iloc[0], ordered.iloc[-1]
    text = _(
        "Best done: {best}, {high} of 100 {best_interval}. Weakest: {worst}, {low} of 100 "
        "{worst_interval}."
    ).format(
        best=names[best["code"]], high=format_number(best["mean"], 1),
        best_interval=format_interval(best["ci_low"], best["ci_high"], 1),
        worst=names[worst["code"]], low=format_number(worst["mean"], 1),
        worst_interval=format_interval(worst["ci_low"], worst["ci_high"], 1),
    )  # fmt: skip
    firm = THRESHOLDS["again"]
    clear = (
        _("The last place is firm.")
        if firm.holds(float(worst["last"]))
        else _("Which part is last is not settled by this sample.")
    )
    return f"{text} {clear}"


@passes_unavailable
def importance_table(found: PartImportance, recovery: Recovery, study: Study) -> ApaTable:
    """Return what goes with each element, the largest first."""
    table, weights = found.table(), found.weights
    names = part_names(recovery.plan.elements)
    return apa_table(
        table.assign(name=table["code"].map(names), place=_places(table)),
        caption=_("Which element goes with most of {outcome}").format(
            outcome=variable_label(study, recovery.plan.outcome)
        ),
        columns=[
            Column("name", _("Element"), "text"),
            Column("share", _("Share of R²"), "percent", 0),
            Column("share_low", _("{percent:g}% CI").format(percent=100 * weights.level),
                   "percent_interval", 0, upper="share_high"),
            Column("place", _("Place"), "text"),
            Column("first", _("Comes first"), "percent", 0),
            Column("beta", "β", "bounded"),
        ],
        note=_(
            "R² = {r2:.3f}, n = {n}, {dropped} left out for a blank. Relative weights; percentile "
            "intervals of {b} bootstrap draws. Place: in brackets the places that the draws leave "
            "possible. Comes first: share of draws."
        ).format(r2=weights.r2, n=weights.n_used, dropped=weights.n_dropped, b=weights.n_boot),
    )  # fmt: skip


@passes_unavailable
def importance_sentence(found: PartImportance, recovery: Recovery, study: Study) -> str:
    """Read the leading element aloud, and how firmly it leads."""
    table, names = found.table(), part_names(recovery.plan.elements)
    top = table.iloc[0]
    return _(
        "Of what the elements explain of {outcome}, {name} carries {share} ({low} to {high}) and "
        "comes first in {first} of the bootstrap draws; all elements together explain {r2}."
    ).format(
        name=names[top["code"]], share=format_percent(top["share"], 0),
        outcome=variable_label(study, recovery.plan.outcome),
        low=format_percent(top["share_low"], 0), high=format_percent(top["share_high"], 0),
        first=format_percent(top["first"], 0), r2=format_percent(found.weights.r2, 0),
    )  # fmt: skip


@passes_unavailable
def priority_picture(
    levels: pd.DataFrame, found: PartImportance, recovery: Recovery
) -> pd.DataFrame:
    """Return score and importance of every element as ``plot_plane`` takes them."""
    both = levels.merge(found.weights.weights, left_on="code", right_on="predictor")
    return pd.DataFrame(
        {
            "label": both["code"].map(part_names(recovery.plan.elements)),
            "x": both["mean"], "x_low": both["ci_low_x"], "x_high": both["ci_high_x"],
            "y": 100 * both["share"], "y_low": 100 * both["share_low"],
            "y_high": 100 * both["share_high"],
        }
    )  # fmt: skip


def priority_labels() -> dict[str, object]:
    """Return axis labels and the names of the four quarters."""
    return {
        "xlabel": _("Score (0-100)"),
        "ylabel": _("Share of explained satisfaction (%)"),
        "corners": (_("leave"), _("enough"), _("improve first"), _("keep up")),
        "decimals": 1,
    }


@passes_unavailable
def priority_sentence(levels: pd.DataFrame, found: PartImportance, recovery: Recovery) -> str:
    """Name the elements that matter more and are done worse than the mean element."""
    both = levels.merge(found.weights.weights, left_on="code", right_on="predictor")
    names = part_names(recovery.plan.elements)
    score, share = both["mean"].mean(), both["share"].mean()
    inside = (both["mean"] < score) & (both["share"] > share)
    near = (both["ci_low_x"] < score) & (both["share_high"] > share) & ~inside
    listed = [[names[code] for code in both.loc[which, "code"]] for which in (inside, near)]
    text = _("Weightier and done worse than the mean of the elements: {names}.").format(
        names=_(", ").join(listed[0]) or _("none")
    )
    if not listed[1]:
        return text
    return f"{text} " + _("By their intervals these may belong there too: {names}.").format(
        names=_(", ").join(listed[1])
    )


@passes_unavailable
def shape_sentence(curve: DoseResponse) -> str:
    """Say which shape fits best, and what it says at both ends of the waits drawn."""
    words = {
        "linear": _("linear"),
        "log": _("logarithmic"),
        "threshold": _("line with a break"),
        "spline": _("spline"),
    }
    own = curve.curve[curve.curve["moderator"] == curve.best].sort_values("x")
    first, last = own.iloc[0], own.iloc[-1]
    return _(
        "The best of four shapes by AIC is: {shape}. By it {outcome} is {high} after {short:.0f} "
        "hours and {low} after {long:.0f} (n = {n})."
    ).format(
        shape=words[curve.best], outcome=curve.response, high=format_number(first["estimate"]),
        short=first["x"], low=format_number(last["estimate"]), long=last["x"], n=curve.n_used,
    )  # fmt: skip


@passes_unavailable
def slope_sentence(found: DoublingSlope, recovery: Recovery, study: Study) -> str:
    """Read the change per doubling aloud, without and within measures."""
    outcome = variable_label(study, recovery.plan.outcome)
    text = _(
        "Twice the hours go with a difference of {plain} in {outcome} ({interval}, n = {n})."
    ).format(
        outcome=outcome, plain=format_number(found.plain), n=found.n_used,
        interval=format_interval(found.plain_low, found.plain_high),
    )  # fmt: skip
    if recovery.measure is None:
        return text
    within = _("Among customers who received the same measure it is {within} ({interval}).").format(
        within=format_number(found.within),
        interval=format_interval(found.within_low, found.within_high),
    )
    verdict = (
        _("So what was given does not account for all of the wait's share.")
        if not found.within_low <= 0 <= found.within_high
        else _("So the wait alone, with the measure held fixed, is not clearly told from zero.")
    )
    return f"{text} {within} {verdict}"


@passes_unavailable
def measures_table(found: pd.DataFrame, recovery: Recovery, study: Study) -> ApaTable:
    """Return hours, rating and outcome by the measure received."""
    plan = recovery.plan
    labels = study.scale_of(str(plan.measure)).labels
    words = {float(code): pick(label.model_dump()) for code, label in labels.items()}
    items = {"hours": plan.hours, "rating": plan.rating, "outcome": plan.outcome}
    named = {q: variable_label(study, name) for q, name in items.items() if name is not None}
    return apa_table(
        found.assign(name=found["measure"].map(words), what=found["quantity"].map(named)),
        caption=_("Wait and satisfaction by the measure received"),
        columns=[
            Column("name", _("Measure received"), "text"),
            Column("what", _("Quantity"), "text"),
            Column("mean", _("Mean")),
            interval_column(),
            Column("n_used", "n", "integer"),
        ],
        note=_(
            "Measures were not given by lot: they differ in the failures that went before. Groups "
            "below the smallest cell that may be shown are left out."
        ),
    )


@passes_unavailable
def planted_measures(study: Study, found: pd.DataFrame) -> list[CheckResult]:
    """Hold hours and rating by measure against table T1 of the planted truth."""
    if study.offers("truth") is not None or "T1" not in study.truth.get("tables", {}):
        return []
    planted = study.truth["tables"]["T1"]
    kinds = {"hours": planted["hours"], "rating": planted["satisfaction"]}
    rows = [
        (row, kinds[row["quantity"]][int(row["measure"])])
        for row in found.to_dict("records")
        if int(row["measure"]) in kinds.get(row["quantity"], {})
    ]
    if not rows:  # a part of the study that received none of the planted measures
        return []
    hits = [row["ci_low"] <= truth <= row["ci_high"] for row, truth in rows]
    share = sum(hits) / len(hits)
    listed = _("; ").join(
        f"{format_number(row['mean'])} ({format_number(truth, 1)})" for row, truth in rows
    )
    text = _("Intervals that cover: {hits} of {total}; found (planted): {listed}.").format(
        hits=sum(hits), total=len(hits), listed=listed
    )
    # With six intervals at 95 %, one miss is nothing unusual: 26 % of samples have one or more.
    passed = sum(hits) >= len(hits) - 1
    return [CheckResult(_("Planted table T1"), passed, share, None, "population.yml", text)]


_ROUNDING = 1e-15
"""Sums of doubles agree no better; a smaller difference is written as this one."""


def weights_check(found: PartImportance | Unavailable) -> list[CheckResult | Unavailable]:
    """Check that every element does better than noise, and that the weights add up to R²."""
    if isinstance(found, Unavailable):
        return [found]
    weights = found.weights
    gap = abs(float(weights.weights["weight"].sum()) - weights.r2)
    above = int(weights.weights["above_noise"].sum())
    return [
        CheckResult(
            _("Elements above noise"), None, float(above), None,
            "Tonidandel, LeBreton & Johnson (2009)",
            _(
            "Elements that explain more than a random variable would: {above} of {total}; "
            "the weights add up to R² within {gap:.0e}."
        ).format(above=above, total=len(weights.weights), gap=max(gap, _ROUNDING)),
        )
    ]  # fmt: skip
