"""Tables and sentences of the recovery paradox and of change over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.regression.attrition import Attrition
from helpers.regression.change import GroupChange
from helpers.regression.design import variable_label
from helpers.regression.study_change import Later, Paradox
from helpers.results import CheckResult, Number
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_number

if TYPE_CHECKING:
    from helpers.survey.load import Study

DE_MATOS = "de Matos, Henrique & Rossi (2007), doi:10.1177/1094670507303012"


def _groups(paradox: Paradox) -> dict[str, str]:
    """Return the groups in words."""
    return {
        "all": _("all"),
        "recovered": _("with a recovery"),
        "excellent": _("with an excellent recovery (satisfaction {cut:g} or more)").format(
            cut=paradox.excellent_from
        ),
        "none": _("without recovery (double deviation)"),
    }


def _effect_columns() -> list[Column]:
    """Return the columns that tell a change."""
    return [
        Column("n", "n", "integer"),
        Column("before", _("Before")),
        Column("after", _("After")),
        Column("change", _("Change")),
        interval_column(),
    ]


def _effects_table(rows: pd.DataFrame, caption: str) -> ApaTable:
    """Return effect sizes and the test of no change, one row a label."""
    return apa_table(
        rows,
        caption=caption,
        columns=[
            Column("label", _("Group or outcome"), "text"),
            Column("dz", "dz"),
            interval_column("dz_low", "dz_high", label=_("CI of dz")),
            Column("gav", "g"),
            interval_column("gav_low", "gav_high", label=_("CI of g")),
            Column("bound", _("None below")),
            Column("tost_p", _("p none"), "p"),
        ],
        note=_(
            "dz: change over the SD of the differences, noncentral t interval; g: over the mean SD "
            "of the two, small-sample corrected (Bonett 2008). p none: two one-sided tests of a "
            "change smaller in size than a fifth of that SD (none below)."
        ),
    )


@passes_unavailable
def paradox_table(paradox: Paradox, study: Study) -> ApaTable:
    """Return before and after, one row a group."""
    words = _groups(paradox)
    lost = [f"{words[g]} (n = {n})" for g, n in paradox.n_failed.items()]
    note = _("Paired differences, t intervals.")
    if lost:
        note += " " + _("Too few answers, or no change that varies: {groups}.").format(
            groups=_("; ").join(lost)
        )
    if paradox.hidden:
        note += " " + _(
            "Not shown, as fewer than {k} persons are in the group or beside it: {groups}."
        ).format(k=paradox.least, groups=_("; ").join(words[g] for g in paradox.hidden))
    return apa_table(
        paradox.paired.assign(label=paradox.paired["group"].map(words)),
        caption=_("The same people twice: {before} and {after}").format(
            before=variable_label(study, paradox.before), after=variable_label(study, paradox.after)
        ),
        columns=[
            Column("label", _("Group"), "text"),
            *_effect_columns(),
            Column("p_value", "p", "p"),
        ],
        note=note,
    )


@passes_unavailable
def paradox_effects(paradox: Paradox) -> ApaTable:
    """Return the effect sizes of each group."""
    rows = paradox.paired.assign(label=paradox.paired["group"].map(_groups(paradox)))
    return _effects_table(rows, _("Size of the change, and whether there is practically none"))


@passes_unavailable
def changes_effects(table: pd.DataFrame, study: Study) -> ApaTable:
    """Return the effect sizes of several outcomes."""
    labels = [variable_label(study, name) for name in table["after_item"]]
    return _effects_table(table.assign(label=labels), _("Size of the change by outcome"))


@passes_unavailable
def paradox_picture(paradox: Paradox) -> pd.DataFrame:
    """Return the change of each group as ``plot_forest`` takes it."""
    table = paradox.paired.assign(label=paradox.paired["group"].map(_groups(paradox)))
    return table.rename(columns={"change": "estimate"})[["label", "estimate", "ci_low", "ci_high"]]


def change_label() -> str:
    """Return the axis label of a change."""
    return _("Change, after less before, with interval")


@passes_unavailable
def paradox_sentence(paradox: Paradox) -> str:
    """Say of each group whether satisfaction is higher, lower or the same after than before."""
    words, parts = _groups(paradox), []
    for row in paradox.paired.to_dict("records"):
        if row["ci_low"] > 0:
            text = _("{group}: higher after than before (change {change}, {low} to {high})")
        elif row["ci_high"] < 0:
            text = _("{group}: lower after than before (change {change}, {low} to {high})")
        elif row["equivalent"]:
            text = _("{group}: practically the same ({change}, {low} to {high})")
        else:
            text = _("{group}: undecided ({change}, {low} to {high})")
        parts.append(
            text.format(
                group=words[row["group"]], change=format_number(row["change"]),
                low=format_number(row["ci_low"]), high=format_number(row["ci_high"]),
            )
        )  # fmt: skip
    return _("; ").join(parts) + _(".")


@passes_unavailable
def paradox_numbers(paradox: Paradox) -> list[Number]:
    """Return the change of each group with its definition."""
    return [
        Number(
            id=f"paradox_{row['group']}",
            value=float(row["change"]),
            definition=_("mean of {after} less {before}, the same people").format(
                after=paradox.after, before=paradox.before
            ),
            ci_low=float(row["ci_low"]),
            ci_high=float(row["ci_high"]),
            level=paradox.level,
            n_used=int(row["n"]),
            method="paired t",
        )
        for row in paradox.paired.to_dict("records")
    ]


@passes_unavailable
def control_table(table: pd.DataFrame, study: Study) -> ApaTable:
    """Return each outcome with against without recovery."""
    return apa_table(
        table.assign(label=[variable_label(study, name) for name in table["outcome"]]),
        caption=_("With a recovery less without, by outcome"),
        columns=[
            Column("label", _("Outcome"), "text"),
            Column("difference", _("Difference")),
            interval_column(),
            Column("p_value", "p", "p"),
            Column("g", "g"),
            interval_column("g_low", "g_high", label=_("CI of g")),
            Column("adjusted", _("Adjusted")),
        ],
        note=_(
            "At most {with_n} with and {without_n} without a recovery. HC3 intervals with the "
            "degrees of freedom of Bell and McCaffrey (Imbens & Kolesár 2016); g by Hedges, "
            "noncentral t. Adjusted: satisfaction before the failure held equal."
        ).format(with_n=int(table["n_with"].max()), without_n=int(table["n_without"].max())),
    )


@passes_unavailable
def control_sentence(table: pd.DataFrame, study: Study) -> str:
    """Read the effects that are largest and smallest in size aloud."""
    order = table.reindex(table["g"].abs().sort_values(ascending=False).index)
    top, low = order.iloc[0], order.iloc[-1]
    values = {
        "top": variable_label(study, top["outcome"]),
        "g": format_number(top["g"]),
        "low": format_number(top["g_low"]),
        "high": format_number(top["g_high"]),
    }
    if len(order) == 1:
        text = _("Against people without recovery, {top} differs by g = {g} ({low} to {high}).")
        return text.format(**values)
    return _(
        "Against people without recovery the difference is largest in size for {top} (g = {g}, "
        "{low} to {high}) and smallest for {last} (g = {last_g}, {last_low} to {last_high})."
    ).format(
        **values,
        last=variable_label(study, low["outcome"]),
        last_g=format_number(low["g"]),
        last_low=format_number(low["g_low"]),
        last_high=format_number(low["g_high"]),
    )


@passes_unavailable
def changes_table(table: pd.DataFrame, study: Study) -> ApaTable:
    """Return the change of several outcomes, one row a pair of questions."""
    words = [
        f"{variable_label(study, a)} → {variable_label(study, b)}"
        for a, b in zip(table["before_item"], table["after_item"], strict=True)
    ]
    return apa_table(
        table.assign(label=words),
        caption=_("Change by outcome: the same people twice"),
        columns=[
            Column("label", _("Outcome"), "text"),
            *_effect_columns(),
            Column("ratio", _("Ratio")),
            interval_column("ratio_low", "ratio_high", label=_("CI of the ratio")),
        ],
        note=_(
            "Only people with both answers. Ratio: mean after over mean before, delta method on "
            "the log scale. Later answers come from those who could be reached again."
        ),
    )


@passes_unavailable
def changes_sentence(table: pd.DataFrame, study: Study) -> str | Unavailable:
    """Read the ratio of the first pair aloud."""
    row = table.iloc[0]
    if isinstance(row["ratio"], Unavailable):
        return row["ratio"]
    return _(
        "The mean of {after} is {ratio:.2f} times that of {before} ({low:.2f} to {high:.2f}; "
        "n = {n})."
    ).format(
        after=variable_label(study, row["after_item"]),
        before=variable_label(study, row["before_item"]),
        ratio=row["ratio"],
        low=row["ratio_low"],
        high=row["ratio_high"],
        n=int(row["n"]),
    )  # fmt: skip


@passes_unavailable
def attrition_table(later: Later, study: Study) -> ApaTable:
    """Return who answered again, and the balance before and after weighting."""
    lost: Attrition = later.attrition
    table = lost.model.merge(lost.balance, on="term")
    return apa_table(
        table.assign(label=[variable_label(study, name) for name in table["term"]]),
        caption=_("Who answered again"),
        columns=[
            Column("label", _("Predictor"), "text"),
            Column("odds_ratio", _("Odds ratio")),
            interval_column(),
            Column("p_value", "p", "p"),
            Column("difference", _("Difference, SD")),
            Column("weighted", _("Difference, weighted")),
        ],
        note=_(
            "{answered} of {invited} answered again. Difference: mean of those who answered less "
            "that of all, in SD. Effective number under the weights {effective:.0f}, largest "
            "weight {largest:.2f}."
        ).format(
            answered=lost.n_answered,
            invited=lost.n_invited,
            effective=lost.effective,
            largest=lost.largest,
        ),
    )


@passes_unavailable
def later_table(later: Later, study: Study) -> ApaTable:
    """Return the three ways of a group's change, without and with weights."""
    words = {
        "change": _("change score: after less before"),
        "ancova": _("analysis of covariance: before held equal"),
        "after": _("after only"),
    }
    titles = {_("unweighted"): later.plain, _("weighted against attrition"): later.weighted}
    parts = [
        fit.effects.assign(label=fit.effects["way"].map(words), weights=title)
        for title, fit in titles.items()
    ]
    return apa_table(
        pd.concat(parts, ignore_index=True),
        caption=_("With a recovery less without: {after}").format(
            after=variable_label(study, later.after)
        ),
        columns=[
            Column("label", _("Way"), "text"),
            Column("estimate", _("Difference")),
            Column("se", "SE"),
            interval_column(),
            Column("p_value", "p", "p"),
            Column("d", "d"),
        ],
        section="weights",
        note=_(
            "HC3 errors, degrees of freedom of Bell and McCaffrey (Imbens & Kolesár 2016); d over "
            "the SD without recovery; n = {n}, {first} with a recovery."
        ).format(n=later.plain.n_used, first=later.plain.n_first),
    )


@passes_unavailable
def later_sentence(later: Later) -> str:
    """Say how far the two ways lie apart, and why."""
    fit: GroupChange = later.plain
    change, ancova = fit.effect("change"), fit.effect("ancova")
    return _(
        "The change score says {change}, the covariance {ancova}: they differ by (1 − "
        "{slope}) × {gap}, the slope of after on before within groups and the gap of the "
        "groups before (Lord's paradox)."
    ).format(
        change=format_number(change["estimate"]),
        ancova=format_number(ancova["estimate"]),
        slope=format_number(fit.slope),
        gap=format_number(fit.before_gap),
    )


def paradox_checks(
    paradox: Paradox | Unavailable, later: Later | Unavailable
) -> list[CheckResult | Unavailable]:
    """Hold change by group against what was expected, and the two ways against each other."""
    out: list[CheckResult | Unavailable] = []
    if isinstance(paradox, Unavailable):
        out.append(paradox)
    else:
        for group, sign in (("excellent", 1), ("none", -1)):
            row = paradox.row(group)
            if row is None:
                continue
            end = row["ci_low"] if sign > 0 else row["ci_high"]
            out.append(
                CheckResult(
                    name=_groups(paradox)[group],
                    passed=bool(sign * end > 0),
                    value=float(row["change"]),
                    threshold=0.0,
                    source=DE_MATOS,
                    text=_("Expected {sign}. Found {value} ({low} to {high}).").format(
                        sign=_("above zero") if sign > 0 else _("below zero"),
                        value=format_number(row["change"]),
                        low=format_number(row["ci_low"]),
                        high=format_number(row["ci_high"]),
                    ),
                )
            )
    if isinstance(later, Unavailable):
        return [*out, later]
    fit = later.plain
    gap = fit.effect("ancova")["estimate"] - fit.effect("change")["estimate"]
    by_hand = (1 - fit.slope) * fit.before_gap
    out.append(
        CheckResult(
            name=_("Covariance and change score differ as they must"),
            passed=abs(gap - by_hand) < 1e-8,
            value=float(gap),
            threshold=float(by_hand),
            source="Lord (1967), doi:10.1037/h0025105",
            text=_("Difference {gap}; by the formula {hand}.").format(
                gap=format_number(gap, 3), hand=format_number(by_hand, 3)
            ),
        )
    )
    return out
