"""Tables and sentences of a trial: what changed, how surely, and whether it matters."""

from __future__ import annotations

import math

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.results import CheckResult
from helpers.service.pilot import ArmEffect
from helpers.service.pilot_design import Cuped
from helpers.service.pilot_study import OutcomeEffect, Trial, planted_effects
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number, format_p, format_percent
from helpers.thresholds import THRESHOLDS

Effects = list[OutcomeEffect | Unavailable]


def outcome_name(effect: OutcomeEffect) -> str:
    """Return an outcome's name in the current language."""
    return pick(effect.outcome.name.model_dump())


def measure_name(effect: ArmEffect) -> str:
    """Return what an effect is, by its kind."""
    return {
        "amount": _("difference of means"),
        "share": _("difference of shares"),
        "rating": _("probability of superiority"),
        "count": _("ratio of means"),
    }[effect.kind]


def size_words(effect: OutcomeEffect) -> str:
    """Return whether an effect matters in practice, as far as the interval tells."""
    if effect.outcome.smallest is None or effect.effect.kind == "rating":
        return "–"
    return {
        "matters": _("matters"),
        "negligible": _("too small"),
        "open": _("left open"),
    }[effect.size]


@passes_unavailable
def effects_table(effects: Effects) -> ApaTable:
    """Return every outcome with its level in both arms and the effect."""
    rows = []
    for i, found in enumerate(effects):
        if isinstance(found, Unavailable):
            rows.append({"outcome": found.text()})
            continue
        effect = found.effect
        rows.append(
            {
                "outcome": _outcome_cell(found, primary=i == 0),
                "control": effect.control,
                "treated": effect.treated,
                "estimate": effect.estimate,
                "ci_low": effect.ci_low,
                "ci_high": effect.ci_high,
                "p_value": found.p_holm,
                "size": size_words(found),
                "n_used": effect.n_control + effect.n_treated,
            }
        )
    return apa_table(
        pd.DataFrame(rows),
        caption=_("What differs between the two services"),
        columns=[
            Column("outcome", _("Outcome"), "text"),
            Column("control", _("As before")),
            Column("treated", _("On trial")),
            Column("estimate", _("Estimate")),
            interval_column("ci_low", "ci_high"),
            Column("p_value", "p", "p"),
            Column("size", _("Practical size"), "text"),
        ],
        note=_sizes(effects)
        + _(
            "By intention to treat. No effect is 0 for a difference, .50 for a probability of "
            "superiority, 1 for a ratio. The p of the primary outcome stands alone; the others are "
            "Holm's. Practical size holds the whole interval against the smallest effect that "
            "matters."
        ),
    )


def _outcome_cell(found: OutcomeEffect, *, primary: bool) -> str:
    """Return an outcome with what its effect is."""
    name = outcome_name(found) + (f" ({_('primary')})" if primary else "")
    return _("{name}: {measure}").format(name=name, measure=measure_name(found.effect))


def _sizes(effects: Effects) -> str:
    """Return how many answers were used."""
    known = [found.effect for found in effects if not isinstance(found, Unavailable)]
    sizes = [effect.n_control + effect.n_treated for effect in known] or [0]
    low, high = min(sizes), max(sizes)
    return f"n = {low}. " if low == high else f"n = {low}–{high}. "


@passes_unavailable
def effects_sentence(effects: Effects) -> str:
    """Read the primary outcome aloud, then name the others that differ."""
    known = [found for found in effects[1:] if not isinstance(found, Unavailable)]
    clear = [outcome_name(found) for found in known if found.p_holm < 1 - found.effect.level]
    text = _primary_words(effects[0])
    if not known:
        return text
    others = _(", ").join(clear) or _("none")
    return f"{text} " + _("Further outcomes that differ after correction: {names}.").format(
        names=others
    )


def _primary_words(first: OutcomeEffect | Unavailable) -> str:
    """Read the primary outcome aloud, or say why it cannot be compared."""
    if isinstance(first, Unavailable):
        return _("The primary outcome cannot be compared. {why}").format(why=first.text())
    text = _("Primary outcome, {name}: {measure} {estimate}, {percent:g}% CI {interval}.").format(
        name=outcome_name(first),
        measure=measure_name(first.effect),
        estimate=format_number(first.effect.estimate),
        percent=100 * first.effect.level,
        interval=format_interval(first.effect.ci_low, first.effect.ci_high),
    )
    verdict = (
        _("The interval excludes “no effect”.")
        if first.effect.clear
        else _(
            "The interval includes “no effect”, so this comparison alone leaves the question open."
        )
    )
    return f"{text} {verdict}"


@passes_unavailable
def detectable_sentence(trial: Trial, effects: Effects) -> str:
    """Say what the trial could have seen on its primary outcome."""
    first = effects[0]
    if isinstance(first, Unavailable):
        return first.text()
    text = _(
        "With {control} and {treated} customers the trial finds a difference of {size} in "
        "{outcome} with power .80; rows of neither service: {n}."
    ).format(
        control=first.effect.n_control, treated=first.effect.n_treated,
        size=format_number(first.detectable), n=trial.n_other,
        outcome=outcome_name(first),
    )  # fmt: skip
    if first.outcome.smallest is None:
        return text
    smallest = _smallest_difference(first)
    verdict = (
        _("That is no more than the smallest difference that matters, {smallest}.")
        if first.detectable <= smallest
        else _("The smallest difference that matters is {smallest}, so the plain trial is small.")
    )
    return f"{text} {verdict.format(smallest=format_number(smallest))}"


def _smallest_difference(found: OutcomeEffect) -> float:
    """Return the smallest difference that matters as a difference of means.

    A count states it as a relative change: it is that share of the mean as before.
    """
    smallest = float(found.outcome.smallest or 0.0)
    return smallest * found.effect.control if found.effect.kind == "count" else smallest


@passes_unavailable
def balance_table(study: Study, found: tuple[pd.DataFrame, float, float]) -> ApaTable | Unavailable:
    """Return what was known before, in both arms."""
    table = found[0]
    if table.empty:
        return Unavailable(
            _("a table of balance"), _("the study file names nothing known before the trial")
        )
    named = table.assign(variable=[variable_name(study, name) for name in table["variable"]])
    return apa_table(
        named,
        caption=_("What was known before, in both services"),
        columns=[
            Column("variable", _("Variable"), "text"),
            Column("control", _("As before")),
            Column("treated", _("On trial")),
            Column("smd", _("Standardised difference"), "bounded"),
            Column("variance_ratio", _("Ratio of variances")),
            Column("n_used", "n", "integer"),
        ],
        note=_("By chance alone the standardised difference has a spread of about {sd}.").format(
            sd=format_number(table["expected"].mean(), bounded=True)
        ),
    )


def variable_name(study: Study, name: str) -> str:
    """Return the name of a construct, or the short name of an item."""
    if name in study.construct_codes:
        return study.construct_name(name)
    return study.item_label(name)


@passes_unavailable
def design_checks(trial: Trial, found: tuple[pd.DataFrame, float, float]) -> list[CheckResult]:
    """Return the check of the allotment and of the largest imbalance."""
    table, chisq, p = found
    text = _(
        "χ²(1) = {chisq}, p {p}: {share} of the customers on trial, where {meant} were meant."
    ).format(
        chisq=format_number(chisq), p=_signed(p), meant=format_percent(trial.plan.share),
        share=format_percent((trial.frame["arm"] == 1).mean()),
    )  # fmt: skip
    alarm = THRESHOLDS["allocation_p"]
    checks = [CheckResult(_("Allotment"), alarm.holds(p), p, alarm.value, alarm.source, text)]
    if len(table) and table["smd"].notna().any():
        worst = table.loc[table["smd"].abs().idxmax()]
        ratio = abs(worst["smd"]) / worst["expected"]
        words = _("The largest standardised difference is {ratio:.1f} times its spread by chance.")
        checks.append(
            CheckResult(_("Balance"), None, float(worst["smd"]), None, "Austin (2009)",
                        words.format(ratio=ratio))
        )  # fmt: skip
    return checks


def estimators_picture(
    effects: Effects,
    strata: tuple[ArmEffect, pd.DataFrame, float] | Unavailable,
    adjusted: Cuped | Unavailable,
) -> pd.DataFrame | Unavailable:
    """Return the primary effect by up to three estimators of the same difference of means."""
    first = effects[0]
    if isinstance(first, Unavailable):
        return first
    rows = [(_("plain difference"), first.effect)]
    if not isinstance(strata, Unavailable):
        rows.append((_("over strata"), strata[0]))
    if not isinstance(adjusted, Unavailable):
        rows.append((_("earlier spending taken out (CUPED)"), adjusted.adjusted))
    if first.effect.kind != "amount" or len(rows) < 2:
        return Unavailable(
            _("a picture of several estimators"),
            _("there is one estimator only of the primary effect"),
        )
    return pd.DataFrame(
        {
            "label": [name for name, _effect in rows],
            "estimate": [effect.estimate for _name, effect in rows],
            "ci_low": [effect.ci_low for _name, effect in rows],
            "ci_high": [effect.ci_high for _name, effect in rows],
        }
    )


@passes_unavailable
def difference_axis(trial: Trial) -> str:
    """Return the words under the axis of the primary effect."""
    return _("Difference in {name}").format(name=pick(trial.primary.name.model_dump()))


@passes_unavailable
def cuped_sentence(trial: Trial, found: Cuped) -> str:
    """Say what taking out earlier values changes, and whether the difference then matters."""
    effect = found.adjusted
    text = _(
        "With earlier values taken out (r = {r} within the services) the difference is {estimate}, "
        "{percent:g}% CI {interval}; the interval is as narrow as one from {times:.1f} times as "
        "many customers."
    ).format(
        r=format_number(found.r, bounded=True), estimate=format_number(effect.estimate),
        percent=100 * effect.level, interval=format_interval(effect.ci_low, effect.ci_high),
        times=1 / (1 - found.saved) if found.saved < 1 else math.inf,
    )  # fmt: skip
    smallest = trial.primary.smallest
    if smallest is None:
        return text
    verdict = {
        "matters": _("The whole interval lies beyond {smallest:g}: large enough to matter."),
        "negligible": _("The whole interval lies within {smallest:g}: too small to matter."),
        "open": _("Held against {smallest:g}, its practical size stays open."),
    }[effect.size(smallest)]
    return _("{first} {second}").format(first=text, second=verdict.format(smallest=smallest))


@passes_unavailable
def strata_table(
    study: Study, trial: Trial, found: tuple[ArmEffect, pd.DataFrame, float]
) -> ApaTable:
    """Return the primary effect in each stratum."""
    labels = study.scale_of(str(trial.plan.stratum)).labels
    words = {float(code): pick(label.model_dump()) for code, label in labels.items()}
    table = found[1].assign(name=found[1]["stratum"].map(lambda code: words.get(code, f"{code:g}")))
    return apa_table(
        table,
        caption=_("The primary effect by stratum of the lot"),
        columns=[
            Column("name", _("Stratum"), "text"),
            Column("estimate", _("Difference")),
            interval_column("ci_low", "ci_high"),
            Column("n_used", "n", "integer"),
        ],
        note=""
        if math.isnan(found[2])
        else _("Test that the strata agree (Cochran's Q): p {p}.").format(p=_signed(found[2])),
    )


@passes_unavailable
def looks_table(found: tuple[object, pd.DataFrame]) -> ApaTable:
    """Return z and boundaries at every look."""
    return apa_table(
        found[1],
        caption=_("Looks on the way, had they been planned"),
        columns=[
            Column("look", _("Look"), "integer"),
            Column("n_used", _("Customers so far"), "integer"),
            Column("z", "z"),
            Column("bound", _("Boundary")),
            Column("uncorrected", _("Uncorrected")),
            Column("false_alarms", _("False alarms of uncorrected looks"), "percent"),
        ],
        note=_(
            "Customers in the order of the file. Boundaries spend the error as chosen; false "
            "alarms are computed for a trial without any effect."
        ),
    )


@passes_unavailable
def looks_sentence(found: tuple[object, pd.DataFrame]) -> str:
    """Say where the trial would have stopped, and what uncorrected peeking costs."""
    table = found[1]
    crossed = table[table["z"].abs() >= table["bound"]]
    peeked = table[table["z"].abs() >= table["uncorrected"]]
    stop = (
        _("With planned looks the trial runs to its end without crossing a boundary.")
        if crossed.empty
        else _("With planned looks the trial stops at look {look}.").format(
            look=int(crossed["look"].iloc[0])
        )
    )
    naive = (
        _("An uncorrected test crosses its line at no look.")
        if peeked.empty
        else _("An uncorrected test first crosses its line at look {look}.").format(
            look=int(peeked["look"].iloc[0])
        )
    )
    if len(table) == 1:
        return f"{stop} {naive}"
    cost = _("Peeking {k} times without correction raises false alarms to {share}.").format(
        k=len(table), share=format_percent(table["false_alarms"].iloc[-1])
    )
    return f"{stop} {naive} {cost}"


@passes_unavailable
def planted_checks(study: Study, effects: Effects) -> list[CheckResult]:
    """Hold the effects of the simulated trial against what was planted."""
    lacking = study.offers("truth")
    if lacking is not None:
        return []
    planted = planted_effects(study.truth)
    checks = []
    for found in effects:
        if isinstance(found, Unavailable) or found.outcome.item not in planted:
            continue
        truth, effect = planted[found.outcome.item], found.effect
        text = _("Planted {truth}, estimated {estimate} {interval}.").format(
            truth=format_number(truth), estimate=format_number(effect.estimate),
            interval=format_interval(effect.ci_low, effect.ci_high),
        )  # fmt: skip
        inside = bool(effect.ci_low <= truth <= effect.ci_high)
        name = _("Planted effect: {name}").format(name=outcome_name(found))
        checks.append(CheckResult(name, inside, effect.estimate, truth, "population.yml", text))
    return checks


def _signed(p: float) -> str:
    """Return a p-value with its sign of relation."""
    text = format_p(p)
    return text if text.startswith("<") else f"= {text}"
