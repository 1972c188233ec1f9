"""Tables and sentences of relative weights, dominance, a single item, and nested data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.regression.design import variable_label
from helpers.regression.dominance import Dominance
from helpers.regression.hierarchical import spoken_p
from helpers.regression.mixed import MixedModel
from helpers.regression.ordered import OrderedLogit
from helpers.regression.study_importance import Importance
from helpers.results import CheckResult, Number
from helpers.survey.privacy import least_cell
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_number
from helpers.thresholds import THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study


def _named(names: pd.Series, study: Study) -> list[str]:
    """Return variables by their labels."""
    return [variable_label(study, name) for name in names]


@passes_unavailable
def weights_table(result: Importance, study: Study) -> ApaTable:
    """Return relative weights, the largest first."""
    table = result.weights.table()
    table = table.assign(label=_named(table["predictor"], study))
    weights = result.weights
    return apa_table(
        table,
        caption=_("What goes with {outcome}: R² shared out among its predictors").format(
            outcome=variable_label(study, result.outcome)
        ),
        columns=[
            Column("label", _("Predictor"), "text"),
            Column("r", "r", "bounded"),
            Column("beta", "β", "bounded"),
            Column("weight", _("Relative weight"), "bounded", 3),
            interval_column(decimals=3, bounded=True),
            Column("share", _("Share of R²"), "percent", 1),
            Column("above_noise", _("Above noise"), "truth"),
        ],
        note=_(
            "R² = {r2:.3f}, n = {n}, {dropped} left out for a blank. Percentile intervals of {b} "
            "bootstrap draws, {failed} failed. Above noise: the weight exceeds that of a random "
            "variable."
        ).format(
            r2=weights.r2,
            n=weights.n_used,
            dropped=weights.n_dropped,
            b=weights.n_boot,
            failed=weights.n_failed,
        ),
    )


@passes_unavailable
def dominance_table(result: Importance, study: Study) -> ApaTable:
    """Return general dominance, the largest first."""
    table = result.dominance.table()
    return apa_table(
        table.assign(label=_named(table["predictor"], study)),
        caption=_("General dominance: what each predictor adds, over all subsets of the others"),
        columns=[
            Column("label", _("Predictor"), "text"),
            Column("general", _("General dominance"), "bounded", 3),
            interval_column(decimals=3, bounded=True),
            Column("share", _("Share of R²"), "percent", 1),
            Column("alone", _("Alone"), "bounded", 3),
            Column("last", _("Last"), "bounded", 3),
        ],
        note=_(
            "Percentile intervals of {b} bootstrap draws, {failed} failed. Alone: R² of the "
            "predictor by itself; last: what it adds to all others."
        ).format(b=result.dominance.n_boot, failed=result.dominance.n_failed),
    )


@passes_unavailable
def weights_picture(result: Importance, study: Study) -> pd.DataFrame:
    """Return both shares with intervals as ``plot_forest`` takes them."""
    one, two = result.weights.table(), result.dominance.table()
    parts = [
        one.assign(way=_("relative weight"), estimate=one["weight"]),
        two.assign(way=_("general dominance"), estimate=two["general"]),
    ]
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(label=_named(whole["predictor"], study))[
        ["label", "estimate", "ci_low", "ci_high", "way"]
    ]


def weights_label() -> str:
    """Return the axis label of parts of R²."""
    return _("Part of R² with interval")


@passes_unavailable
def weights_sentence(result: Importance, study: Study) -> str:
    """Read the two largest weights aloud, and whether the two ways order alike."""
    table, other = result.weights.table(), result.dominance.table()
    top = table.iloc[0]
    text = _(
        "Of what is explained of {outcome} (R² = {r2}), {first} carries {share:.0%} ({level:.0%} "
        "interval {low:.0%} to {high:.0%}), followed by {second} with {second_share:.0%}."
    ).format(
        r2=format_number(result.weights.r2, bounded=True),
        first=variable_label(study, top["predictor"]),
        share=top["share"],
        outcome=variable_label(study, result.outcome),
        level=result.weights.level,
        low=top["share_low"],
        high=top["share_high"],
        second=variable_label(study, table.iloc[1]["predictor"]),
        second_share=table.iloc[1]["share"],
    )
    alike = table["predictor"].tolist() == other["predictor"].tolist()
    order = (
        _("General dominance gives the same order.")
        if alike
        else _("General dominance gives another order.")
    )
    above = _("Predictors whose weight is above noise: {k} of {of}.").format(
        k=int(table["above_noise"].sum()), of=len(table)
    )
    return f"{text} {above} {order}"


@passes_unavailable
def pairs_table(result: Importance, study: Study) -> ApaTable:
    """Return which predictor dominates which, with reproducibility."""
    pairs = result.dominance.pairs
    flipped = pairs["general"] == 0
    shown = pd.DataFrame({
        "first": _named(pairs["first"].where(~flipped, pairs["second"]), study),
        "second": _named(pairs["second"].where(~flipped, pairs["first"]), study),
    })  # fmt: skip
    for name in ("complete", "conditional", "general"):
        won = pairs[name].where(~flipped, 1 - pairs[name])
        shown[name] = won.map({1.0: _("yes"), 0.0: _("reversed"), 0.5: _("neither")})
        shown[f"{name}_again"] = pairs[f"{name}_again"]
    return apa_table(
        shown,
        caption=_("Does the first dominate the second?"),
        columns=[
            Column("first", _("First"), "text"),
            Column("second", _("Second"), "text"),
            Column("complete", _("Complete"), "text"),
            Column("complete_again", _("again"), "percent", 0),
            Column("conditional", _("Conditional"), "text"),
            Column("conditional_again", _("again"), "percent", 0),
            Column("general_again", _("General"), "percent", 0),
        ],
        note=_(
            "The first is ahead in general dominance. Complete: adds more in every subset of the "
            "others; conditional: in the mean of every subset size; general: in the mean of these. "
            "Again, and "
            "general: share of {b} bootstrap draws with the same verdict."
        ).format(b=result.dominance.n_boot),
    )


@passes_unavailable
def pairs_sentence(result: Importance) -> str:
    """Count the pairs that are settled, and those that a new sample might turn."""
    pairs, cut = result.dominance.pairs, THRESHOLDS["again"].value
    complete = pairs["complete"] != 0.5
    firm = complete & (pairs["complete_again"] >= cut)
    return _(
        "Complete dominance: {complete} of {of} pairs; the same in at least {cut:.0%} "
        "of the draws: {firm} of these."
    ).format(complete=int(complete.sum()), of=len(pairs), firm=int(firm.sum()), cut=cut)


@passes_unavailable
def importance_numbers(result: Importance) -> list[Number]:
    """Return shares of R² and general dominance with their definitions."""
    return [*result.weights.numbers(), *result.dominance.numbers()]


def importance_checks(result: Importance | Unavailable) -> list[CheckResult | Unavailable]:
    """Check that both ways add up to R², and how well the largest verdict comes again."""
    if isinstance(result, Unavailable):
        return [result]
    dominance: Dominance = result.dominance
    gap = max(
        abs(float(result.weights.weights["weight"].sum()) - dominance.r2),
        abs(float(dominance.general["general"].sum()) - dominance.r2),
    )
    top, second = dominance.table()["predictor"].iloc[:2]
    pairs = dominance.pairs
    row = pairs[
        pairs["first"].isin([top, second]) & pairs["second"].isin([top, second])
    ].iloc[0]  # fmt: skip
    cut = THRESHOLDS["again"]
    return [
        CheckResult(
            name=_("Weights add up to R²"),
            passed=gap < 1e-9,
            value=gap,
            threshold=None,
            source="Johnson (2000), doi:10.1207/S15327906MBR3501_1",
            text=_("Sum of the parts and R² differ by {gap:.1e}.").format(gap=gap),
        ),
        CheckResult(
            name=_("The first place comes again"),
            passed=cut.holds(float(row["general_again"])),
            value=float(row["general_again"]),
            threshold=cut.value,
            source="Azen & Budescu (2003), doi:10.1037/1082-989X.8.2.129",
            text=_("In {share:.0%} of the draws the first is ahead of the second again.").format(
                share=row["general_again"]
            ),
        ),
    ]


@passes_unavailable
def ordered_table(result: OrderedLogit, study: Study) -> ApaTable:
    """Return odds ratios of the single item with Brant's test of each."""
    table = result.coefficients.merge(result.top_share, on="term")
    if not isinstance(result.brant, Unavailable):
        own = result.brant[["term", "p_value"]].rename(columns={"p_value": "brant_p"})
        table = table.merge(own, on="term")
    else:
        table = table.assign(brant_p=result.brant)
    return apa_table(
        table.assign(label=_named(table["term"], study)),
        caption=_("Ordered logit of the single item: {item}").format(
            item=variable_label(study, result.outcome)
        ),
        columns=[
            Column("label", _("Predictor"), "text"),
            Column("odds_ratio", _("Odds ratio")),
            interval_column(),
            Column("at_low", _("Top, −1 SD"), "percent", 0),
            Column("at_high", _("Top, +1 SD"), "percent", 0),
            Column("brant_p", _("p, Brant"), "p"),
        ],
        note=_(
            "Odds of a higher answer per step of the predictor, Wald intervals; n = {n}, {dropped} "
            "left out. Top: mean chance of the highest answer with the predictor one SD "
            "below and above its mean. A small p of Brant's test says that the odds ratio is not "
            "the same at every step of the item."
        ).format(n=result.n_used, dropped=result.n_dropped),
    )


@passes_unavailable
def ordered_sentence(result: OrderedLogit, study: Study) -> str:
    """Read the largest odds ratio aloud, and Brant's joint test."""
    top = result.coefficients.loc[(result.coefficients["z"]).abs().idxmax()]
    text = _(
        "One step more of {term} goes with {odds:.2f} times the odds of a higher answer "
        "({level:.0%} interval {low:.2f} to {high:.2f}; n = {n})."
    ).format(
        term=variable_label(study, top["term"]),
        odds=top["odds_ratio"],
        level=result.level,
        low=top["ci_low"],
        high=top["ci_high"],
        n=result.n_used,
    )
    if isinstance(result.brant, Unavailable):
        return f"{text} {result.brant.text()}"
    joint = result.brant.iloc[0]
    return (
        text
        + " "
        + _("Brant's joint test: χ²({df}) = {chi2:.1f}, p {p}.").format(
            df=int(joint["df"]), chi2=joint["chi2"], p=spoken_p(joint["p_value"])
        )
    )


def nested_titles() -> dict[str, str]:
    """Return the two nestings in words."""
    return {
        "group": _("respondents within the grouping"),
        "person": _("outcomes within respondents"),
    }


def nested_table(
    models: Mapping[str, MixedModel | Unavailable], study: Study
) -> ApaTable | Unavailable:
    """Return how much of the outcome lies between groups, one row a nesting."""
    known = {k: m for k, m in models.items() if not isinstance(m, Unavailable)}
    if not known:
        return next(iter(models.values()))  # type: ignore[return-value]
    words = nested_titles()
    rows = [
        {"nesting": words[key], "groups": m.n_groups, "n": m.n_used,
         "sizes": _sizes(m, least_cell(study) if key == "group" else 1),
         "icc": m.icc, "icc_left": m.icc_left, "design_effect": m.design_effect, "lr": m.lr,
         "p_value": m.p_value}
        for key, m in known.items()
    ]  # fmt: skip
    return apa_table(
        pd.DataFrame(rows),
        caption=_("Do rows of one group resemble each other?"),
        columns=[
            Column("nesting", _("Nesting"), "text"),
            Column("groups", _("Groups"), "integer"),
            Column("sizes", _("Rows a group"), "text"),
            Column("icc", "ICC", "bounded", 3),
            Column("icc_left", _("ICC left"), "bounded", 3),
            Column("design_effect", _("Design effect")),
            Column("p_value", "p", "p"),
        ],
        note=_(
            "Random intercept by REML. ICC: share of variance between groups; ICC left: the same "
            "with the predictors in. Design effect: factor by which the variance of a mean grows "
            "(Kish 1965), groups of unequal size counted as they are. "
            "p: likelihood ratio of the random intercept given the predictors, half the chi-square "
            "tail, as a variance cannot be negative."
        ),
    )


def _sizes(model: MixedModel, k: int) -> str:
    """Return the sizes of the groups, of fewer than k only that they are fewer."""
    if model.smallest == model.largest:
        return str(model.largest) if model.largest >= k else f"< {k}"
    if model.smallest >= k:
        return f"{model.smallest} - {model.largest}"
    # of two groups the size of one tells that of the other
    return f"< {k}" if model.n_groups == 2 or model.largest < k else f"< {k} - {model.largest}"


def nested_sentence(models: Mapping[str, MixedModel | Unavailable]) -> str | Unavailable:
    """Read each ICC aloud, with a warning where groups are few."""
    words, cut = nested_titles(), THRESHOLDS["clusters"]
    parts = []
    for key, model in models.items():
        if isinstance(model, Unavailable):
            continue
        text = _("{nesting}: {icc:.1%} of the variance lies between {groups} groups.").format(
            nesting=words[key], icc=model.icc, groups=model.n_groups
        )
        if not cut.holds(model.n_groups):
            text += " " + _(
                "That is fewer than the {least:.0f} groups a random intercept asks for ({source}); "
                "0/1 columns of the groups, as in notebook 40, are the sounder way."
            ).format(least=cut.value, source=cut.source)
        parts.append(text[0].upper() + text[1:])
    return " ".join(parts) or next(iter(models.values()))  # type: ignore[return-value]
