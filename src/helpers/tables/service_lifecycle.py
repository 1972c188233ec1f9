"""Tables and sentences of the long run: who was lost, and purchases before and after a recovery."""

from __future__ import annotations

import math

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.regression.change import GroupChange
from helpers.results import CheckResult
from helpers.service.lifecycle import Retention, Tipping
from helpers.service.lifecycle_models import CountModel
from helpers.service.lifecycle_study import GROUPS, OutcomeChange, Wave, planted_ratios
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column, interval_label
from helpers.tables.numbers import format_interval, format_number, format_percent
from helpers.tables.service_pilot import variable_name

Changes = list[OutcomeChange]


def group_name(group: str) -> str:
    """Return the name of a group of customers."""
    return {"recovered": _("with recovery"), "none": _("without recovery")}[group]


def outcome_name(outcome: str) -> str:
    """Return the name of an outcome."""
    return {"purchases": _("purchases"), "amount": _("amount spent")}[outcome]


@passes_unavailable
def attrition_table(study: Study, wave: Wave) -> ApaTable | Unavailable:
    """Return who answered again, and the balance before and after weighting."""
    lost = wave.attrition
    if isinstance(lost, Unavailable):
        return lost
    table = lost.model.merge(lost.balance, on="term")
    table["name"] = [variable_name(study, term) for term in table["term"]]
    return apa_table(
        table,
        caption=_("Who answered again, and what the weights make up for"),
        columns=[
            Column("name", _("Variable"), "text"),
            Column("odds_ratio", _("Odds ratio")),
            interval_column("ci_low", "ci_high"),
            Column("p_value", "p", "p"),
            Column("difference", _("Gap"), "bounded"),
            Column("weighted", _("Gap, weighted"), "bounded"),
        ],
        note=_(
            
            "Odds ratios of one unit of the variable. Gap: mean of those who answered less "
            "that of all, in standard deviations. Answered: {n} of {all}; weights capped: "
            "{cut}, the largest is {largest}; the weighted answers count like "
            "{effective:.0f}."
        
        ).format(
            n=lost.n_answered, all=lost.n_invited, cut=wave.n_trimmed,
            largest=format_number(lost.largest), effective=lost.effective,
        ),
    )  # fmt: skip


@passes_unavailable
def attrition_sentence(study: Study, wave: Wave) -> str:
    """Say how many were lost, on whom it depends, and what the weights leave."""
    lost = wave.attrition
    if isinstance(lost, Unavailable):
        n, answered = len(wave.frame), int(wave.frame["answered"].sum())
        return _("{answered} of {n} customers answered again; all count alike.").format(
            answered=answered, n=n
        )
    clear = lost.model.loc[lost.model["p_value"] < 1 - lost.level, "term"]
    names = _(", ").join(variable_name(study, term) for term in clear) or _("none")
    return _(
        "{share} of {all} customers answered again. Answering is associated with: {names}. The "
        "largest gap is {before} standard deviations without and {after} with weights."
    ).format(
        share=format_percent(lost.n_answered / lost.n_invited), all=lost.n_invited, names=names,
        before=format_number(lost.balance["difference"].abs().max(), bounded=True),
        after=format_number(lost.balance["weighted"].abs().max(), bounded=True),
    )  # fmt: skip


@passes_unavailable
def changes_table(changes: Changes) -> ApaTable:
    """Return means before and after and their ratio, by group, plain and weighted."""
    rows = []
    for change in changes:
        for group in GROUPS:
            found = getattr(change, group)
            what = _("{outcome}, {group}").format(
                outcome=outcome_name(change.outcome), group=group_name(group)
            )
            if isinstance(found, Unavailable):  # once, not with and without weights
                rows += [] if change.weighted else [{"what": what, "weights": found.text()}]
                continue
            rows.append(
                {
                    "what": what,
                    "weights": _weights_name(change.weighted),
                    "before": found.before,
                    "after": found.after,
                    "ratio": found.ratio,
                    "ci_low": found.ci_low,
                    "ci_high": found.ci_high,
                    "n_used": found.n_used,
                }
            )
    names = ["what", "weights", "before", "after", "ratio", "ci_low", "ci_high", "n_used"]
    return apa_table(
        pd.DataFrame(rows, columns=names),
        caption=_("Purchases and amounts before the problem and after it was settled"),
        columns=[
            Column("what", _("What"), "text"),
            Column("weights", _("Answers"), "text"),
            Column("before", _("Before")),
            Column("after", _("After")),
            Column("ratio", _("Ratio")),
            interval_column("ci_low", "ci_high"),
            Column("n_used", "n", "integer"),
        ],
        note=_(
            "Mean of a customer and period. A ratio of 1 is no change. Weighted answers stand for "
            "all who were asked."
        ),
    )


def _weights_name(weighted: bool) -> str:
    """Return whether answers were weighted."""
    return _("weighted") if weighted else _("as they are")


@passes_unavailable
def changes_picture(changes: Changes) -> pd.DataFrame:
    """Return the weighted change ratios by group, for a forest plot."""
    rows = []
    for change in changes:
        if not change.weighted:
            continue
        for group in GROUPS:
            found = getattr(change, group)
            if isinstance(found, Unavailable):
                continue
            rows.append(
                {"label": outcome_name(change.outcome), "group": group_name(group),
                 "estimate": found.ratio, "ci_low": found.ci_low, "ci_high": found.ci_high}
            )  # fmt: skip
    return pd.DataFrame(rows)


def ratio_axis() -> str:
    """Return the words under an axis of change ratios."""
    return _("After as a multiple of before")


@passes_unavailable
def contrasts_table(
    changes: Changes, differences: dict[str, GroupChange | Unavailable]
) -> ApaTable:
    """Return the difference in differences of each outcome, as a ratio and in its unit."""
    rows = []
    for change in changes:
        if not change.weighted:
            continue
        found, apart = change.contrast, differences[change.outcome]
        if isinstance(found, Unavailable) or isinstance(apart, Unavailable):
            lacking = found if isinstance(found, Unavailable) else apart
            rows.append({"what": outcome_name(change.outcome), "way": lacking.text()})
            continue
        gap = apart.effect("change")
        rows += [
            {
                "what": outcome_name(change.outcome),
                "way": way,
                "estimate": part["estimate"],
                "ci_low": part["ci_low"],
                "ci_high": part["ci_high"],
                "p_value": part["p_value"],
            }
            for way, part in (
                (_("ratio of ratios"), {
                    "estimate": found.ratio, "ci_low": found.ci_low, "ci_high": found.ci_high,
                    "p_value": found.p_value,
                }),
                (_("difference of changes"), gap),
            )
        ]  # fmt: skip
    return apa_table(
        pd.DataFrame(rows, columns=["what", "way", "estimate", "ci_low", "ci_high", "p_value"]),
        caption=_("The change with recovery against the change without"),
        columns=[
            Column("what", _("Outcome"), "text"),
            Column("way", _("Compared as"), "text"),
            Column("estimate", _("Estimate")),
            interval_column("ci_low", "ci_high"),
            Column("p_value", "p", "p"),
        ],
        note=_(
            "Weighted answers. No difference is 1 for a ratio of ratios, 0 for a difference of "
            "changes. The two ways ask whether both groups would have changed by the same factor, "
            "or by the same amount, without recovery."
        ),
    )


@passes_unavailable
def contrasts_sentence(changes: Changes) -> str | Unavailable:
    """Read the change of purchases aloud, or say why the two groups cannot be compared."""
    change = next(c for c in changes if c.weighted)
    found = change.contrast
    if isinstance(found, Unavailable):
        return found
    text = _(
        "After the problem customers with recovery bought {one} times as often as before, those "
        "without {two} times; the first ratio is {ratio} times the second, {percent:g}% CI "
        "{interval}."
    ).format(
        one=format_number(change.recovered.ratio), two=format_number(change.none.ratio),
        ratio=format_number(found.ratio), percent=100 * found.level,
        interval=format_interval(found.ci_low, found.ci_high),
    )  # fmt: skip
    if found.clear and found.ratio > 1:
        return text + " " + _("Recovery is associated with more purchases in the long run.")
    if found.clear:
        return text + " " + _("Recovery is associated with fewer purchases in the long run.")
    return text + " " + _("The interval holds 1, so this comparison leaves it open.")


@passes_unavailable
def retention_table(found: dict[str, Retention | Unavailable]) -> ApaTable:
    """Return who bought in the later period, with bounds over the lost."""
    names = ["group", "share", "ci_low", "ci_high", "worst", "best", "n_used", "n_lost"]
    rows = [
        {"group": f"{group_name(name)}: {part.text()}"}
        if isinstance(part, Unavailable)
        else {
            "group": group_name(name),
            "share": part.share,
            "ci_low": part.ci_low,
            "ci_high": part.ci_high,
            "worst": part.worst,
            "best": part.best,
            "n_used": part.n_answered,
            "n_lost": part.n_invited - part.n_answered,
        }
        for name, part in found.items()
    ]
    return apa_table(
        pd.DataFrame(rows, columns=names),
        caption=_("Customers who bought in the later period"),
        columns=[
            Column("group", _("Customers"), "text"),
            Column("share", _("Share"), "percent", 1),
            Column("ci_low", interval_label(), "percent_interval", 1, upper="ci_high"),
            Column("worst", _("None of the lost"), "percent", 1),
            Column("best", _("All of the lost"), "percent", 1),
            Column("n_used", "n", "integer"),
            Column("n_lost", _("Lost"), "integer"),
        ],
        note=_(
            "Wilson intervals. The bounds are the share of all who were asked if none, and if all, "
            "of the lost had bought."
        ),
    )


@passes_unavailable
def tipping_table(found: Tipping) -> ApaTable:
    """Return the contrast for what the lost may have bought."""
    return apa_table(
        found.table,
        caption=_("If the lost with recovery bought less than those who answered"),
        columns=[
            Column("lost", _("Their later purchases, of the others'"), "percent", decimals=0),
            Column("ratio", _("Ratio of ratios")),
            interval_column("ci_low", "ci_high"),
        ],
        note=_("{share} of the customers with recovery answered.").format(
            share=format_percent(found.answered)
        ),
    )


@passes_unavailable
def tipping_sentence(found: Tipping) -> str:
    """Say at which loss the finding is gone."""
    if found.answered == 1:
        return _("All customers with recovery answered, so nobody of them was lost.")
    if math.isnan(found.interval) and math.isnan(found.point):
        return _(
            "No supposition from none to as many purchases of the lost brings the contrast to 1."
        )
    equal = found.table.loc[found.table["lost"] == 1].iloc[0]
    if equal["ci_low"] <= 1 <= equal["ci_high"]:
        first = _("The interval holds 1 even if the lost bought as much as those who answered.")
    elif math.isnan(found.interval):
        first = _("The interval does not reach 1 even if the lost bought nothing.")
    else:
        first = _(
            "The interval reaches 1 if the lost bought {share} of what the others bought."
        ).format(share=format_percent(found.interval, 0))
    if math.isnan(found.point):
        second = _("The estimate itself stays away from 1 even if they bought nothing.")
    else:
        second = _("The estimate itself is 1 if they bought {share} of it.").format(
            share=format_percent(found.point, 0)
        )
    return f"{first} {second}"


def planted_checks(study: Study, changes: Changes | Unavailable) -> list[CheckResult]:
    """Hold the change ratios of those who answered against what was planted."""
    if isinstance(changes, Unavailable) or study.offers("truth") is not None:
        return []
    planted = planted_ratios(study.truth)
    checks = []
    for change in changes:
        for group in () if change.weighted else GROUPS:
            found, truth = getattr(change, group), planted[change.outcome, group]
            if isinstance(found, Unavailable):
                continue
            text = _("Planted {truth}, estimated {estimate} {interval}.").format(
                truth=format_number(truth), estimate=format_number(found.ratio),
                interval=format_interval(found.ci_low, found.ci_high),
            )  # fmt: skip
            name = _("Planted ratio: {name}, {group}").format(
                name=outcome_name(change.outcome), group=group_name(group)
            )
            inside = bool(found.ci_low <= truth <= found.ci_high)
            checks.append(CheckResult(name, inside, found.ratio, truth, "population.yml", text))
    return checks


def wave_checks(
    wave: Wave | Unavailable, count: CountModel | Unavailable
) -> list[CheckResult | Unavailable]:
    """Return whether the weights balance, and which model of counts the data prefer."""
    if isinstance(wave, Unavailable):
        return [wave]
    checks: list[CheckResult | Unavailable] = []
    if not isinstance(wave.attrition, Unavailable):
        worst = float(wave.attrition.balance["weighted"].abs().max())
        text = _("The largest gap that the weights leave is {gap} standard deviations.").format(
            gap=format_number(worst, bounded=True)
        )
        checks.append(CheckResult(_("Balance after weighting"), None, worst, None, "", text))
    return [*checks, count if isinstance(count, Unavailable) else _zeros(count)]


def _zeros(count: CountModel) -> CheckResult:
    """Return whether zeros ask for a model of their own."""
    fitted = set(count.rivals.dropna(subset=["bic"])["model"])
    if "hurdle" not in fitted:
        words, same = _("A separate model of zeros could not be fitted to these counts."), None
    elif count.best != "hurdle":
        words, same = _("A separate model of zeros fits no better by BIC."), True
    else:
        words = _("A separate model of zeros fits better by BIC: read the two parts apart.")
        same = False
    return CheckResult(_("Zeros"), same, None, None, "", words)
