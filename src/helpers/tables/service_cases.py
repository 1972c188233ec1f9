"""Tables and sentences of cases: agreement of coders, words of complaints, worked examples."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.results import CheckResult
from helpers.service.coding_counts import Coefficient
from helpers.service.coding_study import CaseLog, CodingAgreement, SurveyMatch, coder_accuracy
from helpers.service_specification import Coding
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column, interval_label
from helpers.tables.numbers import format_interval, format_number, format_percent
from helpers.thresholds import LEVEL, THRESHOLDS

Agreements = list[CodingAgreement]
MOST_TERMS = 4
"""Key terms shown of each failure type."""
MOST_PAIRS = 10
"""Pairs of terms shown."""
FALSE_SHARE = 1 - LEVEL
"""False discoveries allowed among the terms shown."""


def coding_name(coding: Coding) -> str:
    """Return the name of a judgement."""
    return pick(coding.name.model_dump())


def coefficient_name(name: str, level: str) -> str:
    """Return the name of a coefficient."""
    return {
        "percent": _("equal codes"),
        "alpha": _("Krippendorff's alpha"),
        "kappa": _("Cohen's kappa") if level == "nominal" else _("weighted kappa"),
        "ac": "Gwet's AC1" if level == "nominal" else "Gwet's AC2",
        "rho": _("rank correlation"),
    }[name]


def level_name(level: str) -> str:
    """Return the name of a scale level."""
    return {"nominal": _("nominal"), "ordinal": _("ordinal"), "interval": _("interval scale")}[
        level
    ]


def code_names(study: Study, coding: Coding) -> dict[float, str]:
    """Return the texts of a judgement's codes."""
    labels = study.scale_of(coding.items[0]).labels
    return {float(code): pick(label.model_dump()) for code, label in labels.items()}


@passes_unavailable
def examples_table(log: CaseLog) -> ApaTable | Unavailable:
    """Return the worked examples in words."""
    if not log.plan.examples:
        return _no_examples()
    rows = [
        {
            name: pick(getattr(example, name).model_dump())
            for name in ("setting", "failure", "recovery", "reading")
        }
        for example in log.plan.examples
    ]
    return apa_table(
        pd.DataFrame(rows),
        caption=_("Worked examples of a recovery"),
        columns=[
            Column("setting", _("Setting"), "text"),
            Column("failure", _("What went wrong"), "text"),
            Column("recovery", _("What was done"), "text"),
            Column("reading", _("What it teaches"), "text"),
        ],
        note=_("Made up for teaching; no firm and no customer is meant."),
    )


def _no_examples() -> Unavailable:
    """Say that there are no examples."""
    return Unavailable(_("worked examples"), _("the study file holds none"))


@passes_unavailable
def elements_table(log: CaseLog) -> ApaTable | Unavailable:
    """Return which of the five elements of recovery each example shows."""
    if not log.plan.examples:
        return _no_examples()
    words = {"yes": _("yes"), "partly": _("partly"), "no": _("no")}
    names = {
        "timeliness": _("timeliness"),
        "effectiveness": _("effectiveness"),
        "communication": _("communication"),
        "personalisation": _("personalisation"),
        "follow_up": _("follow-up"),
    }
    rows = [
        {"setting": pick(example.setting.model_dump())}
        | {name: words[getattr(example, name)] for name in names}
        for example in log.plan.examples
    ]
    return apa_table(
        pd.DataFrame(rows),
        caption=_("The five elements of recovery in the examples"),
        columns=[Column("setting", _("Setting"), "text")]
        + [Column(name, label, "text") for name, label in names.items()],
        note=_("Our reading of the table above."),
    )


@passes_unavailable
def agreement_table(found: Agreements) -> ApaTable:
    """Return the coefficients of every judgement."""
    rows: list[dict[str, object]] = []
    for each in found:
        name = f"{coding_name(each.coding)} ({level_name(each.coding.level)})"
        if isinstance(each.found, Unavailable):
            rows.append({"coding": name, "coefficient": each.found.text()})
            continue
        rows += [
            {
                "coding": name,
                "coefficient": coefficient_name(c.name, each.coding.level),
                "estimate": c.estimate,
                "ci_low": c.ci_low,
                "ci_high": c.ci_high,
                "n_used": c.n_cases,
            }
            for c in each.found
        ]
    names = ["coding", "coefficient", "estimate", "ci_low", "ci_high", "n_used"]
    known = [c for each in found if not isinstance(each.found, Unavailable) for c in each.found]
    return apa_table(
        pd.DataFrame(rows, columns=names),
        caption=_("How far the coders agree"),
        columns=[
            Column("coding", _("Judgement"), "text"),
            Column("coefficient", _("Coefficient"), "text"),
            Column("estimate", _("Estimate"), "bounded"),
            interval_column("ci_low", "ci_high", bounded=True),
            Column("n_used", _("Cases"), "integer"),
        ],
        note=_(
            "Alpha counts a difference of codes by the scale level. Kappa has linear weights for "
            "ordinal and quadratic ones for interval codes; AC2 has Gwet's ordinal weights."
        )
        + _without_width(known),
    )


def _without_width(found: list[Coefficient]) -> str:
    """Return what to make of intervals without width, after a space; nothing where none has."""
    if not any(c.flat for c in found):
        return ""
    return " " + _(
        "Where all codes agree the intervals of the coefficients beyond chance have no width, "
        "which is no certainty: read that of the equal codes."
    )


@passes_unavailable
def agreement_sentence(found: Agreements) -> str:
    """Read the weakest judgement against Krippendorff's marks."""
    known = [each for each in found if each.alpha is not None]
    if not known:
        return _("No judgement could be compared between coders.")
    worst = min(known, key=lambda each: each.alpha.estimate)
    alpha, good, low = worst.alpha, THRESHOLDS["coding"], THRESHOLDS["coding_low"]
    if alpha.flat:
        return _unanimous(worst, among=len(known))
    text = (
        _("The coders agree least on {name}: alpha {estimate}, {percent:g}% CI {interval}.")
        if len(known) > 1
        else _("On {name} the coders agree with alpha {estimate}, {percent:g}% CI {interval}.")
    ).format(
        name=coding_name(worst.coding), estimate=format_number(alpha.estimate, bounded=True),
        percent=100 * alpha.level,
        interval=format_interval(alpha.ci_low, alpha.ci_high, bounded=True),
    )  # fmt: skip
    if good.holds(alpha.estimate):
        verdict = _("It reaches {good}, what firm conclusions ask for by {source}.")
    elif low.holds(alpha.estimate):
        verdict = _(
            "By {source} it allows tentative conclusions only: {low} is reached, {good} is not."
        )
    else:
        verdict = _("It stays below {low}, the mark of {source}: define the codes anew before use.")
    return f"{text} " + verdict.format(
        good=format_number(good.value, bounded=True),
        low=format_number(low.value, 3, bounded=True),
        source=good.source,
    )


def _unanimous(each: CodingAgreement, *, among: int) -> str:
    """Read a judgement on which all codes agree, by the interval that still has a width."""
    share = each.coefficient("percent")
    text = (
        _("On each judgement all codes agree, on {name} in {n} cases.")
        if among > 1
        else _("On {name} all codes agree, in {n} cases.")
    )
    rest = _(
        "Alpha is 1 and has no interval; the share of equal codes has the {percent:g}% CI {shares}."
    )
    return f"{text} {rest}".format(
        name=coding_name(each.coding), n=share.n_cases, percent=100 * share.level,
        shares=f"[{format_percent(share.ci_low, 0)}, {format_percent(share.ci_high, 0)}]",
    )  # fmt: skip


@passes_unavailable
def agreement_checks(found: Agreements) -> list[CheckResult]:
    """Return the alpha of each judgement against Krippendorff's lower mark."""
    low = THRESHOLDS["coding_low"]
    checks = []
    for each in found:
        alpha = each.alpha
        if alpha is None:
            continue
        text = _("Alpha lies below {low} in {share} of {n} bootstrap draws.").format(
            low=format_number(low.value, 3, bounded=True),
            share=format_percent(alpha.chance_below(low.value)), n=len(alpha.draws),
        )  # fmt: skip
        if alpha.flat:
            text = _("All codes agree in {n} cases, so that no draw differs from another.").format(
                n=alpha.n_cases
            )
        name = _("Agreement: {name}").format(name=coding_name(each.coding))
        checks.append(
            CheckResult(
                name, low.holds(alpha.estimate), alpha.estimate, low.value, low.source, text
            )
        )
    return checks


@passes_unavailable
def specific_table(study: Study, found: tuple[Coding, pd.DataFrame, pd.DataFrame]) -> ApaTable:
    """Return how far two coders agree on each code."""
    names = code_names(study, found[0])
    table = found[2].assign(name=[names.get(code, f"{code:g}") for code in found[2]["code"]])
    return apa_table(
        table,
        caption=_("Agreement on each code"),
        columns=[
            Column("name", coding_name(found[0]), "text"),
            Column("estimate", _("Specific agreement"), "bounded"),
            interval_column("ci_low", "ci_high", bounded=True),
            Column("n", _("Mean use"), decimals=1),
        ],
        note=_("The chance that the other coder gives the code if one does."),
    )


@passes_unavailable
def matches_table(study: Study, found: list[SurveyMatch]) -> ApaTable:
    """Return what coders read in complaints against what customers said."""
    rows = [
        {
            "coding": coding_name(match.coding),
            "who": _reader(study, match),
            "coefficient": coefficient_name(c.name, match.coding.level),
            "estimate": c.estimate,
            "ci_low": c.ci_low,
            "ci_high": c.ci_high,
            "n_used": c.n_cases,
        }
        for match in found
        for c in match.found
        if c.name in ("percent", "alpha", "rho")
    ]
    return apa_table(
        pd.DataFrame(rows),
        caption=_("The coders against the customers' own answers"),
        columns=[
            Column("coding", _("Judgement"), "text"),
            Column("who", _("Read by"), "text"),
            Column("coefficient", _("Coefficient"), "text"),
            Column("estimate", _("Estimate"), "bounded"),
            interval_column("ci_low", "ci_high", bounded=True),
            Column("n_used", _("Cases"), "integer"),
        ],
        note=_(
            "Together: the code that all coders gave, or their mean. Where coder and customer "
            "use different scales the ranks are correlated."
        )
        + _without_width([c for match in found for c in match.found]),
    )


def _reader(study: Study, match: SurveyMatch) -> str:
    """Return who read the complaints."""
    if match.who == "consensus":
        return _("all coders together")
    return _("coder {k}").format(k=match.coding.items.index(match.who) + 1)


@passes_unavailable
def matches_sentence(study: Study, found: list[SurveyMatch]) -> str:
    """Read the first comparison with the customers aloud, that of all coders if there is one."""
    together = next((match for match in found if match.who == "consensus"), found[0])
    first = together.found[0]
    name = coding_name(together.coding)
    if first.name == "rho":
        text = _(
            "{name}: the ranks of codes and answers correlate with rho {estimate}, {percent:g}% CI "
            "{interval}."
        )
    elif together.who != "consensus":
        text = _(
            "On {name} the customer says the same as {who} in {share} of the cases, {percent:g}% "
            "CI {shares}."
        )
    else:
        text = _(
            "Where the coders agree on {name}, the customer says the same in {share} of the cases, "
            "{percent:g}% CI {shares}."
        )
    return text.format(
        name=name, who=_reader(study, together),
        estimate=format_number(first.estimate, bounded=True),
        interval=format_interval(first.ci_low, first.ci_high, bounded=True),
        share=format_percent(first.estimate, 0), percent=100 * LEVEL,
        shares=f"[{format_percent(first.ci_low, 0)}, {format_percent(first.ci_high, 0)}]",
    )  # fmt: skip


@passes_unavailable
def keyness_table(study: Study, log: CaseLog, found: dict[float, pd.DataFrame]) -> ApaTable:
    """Return the key terms of every failure type."""
    coding = log.first("nominal")
    names = code_names(study, coding)
    rows, silent = [], []
    for code, table in found.items():
        clear = table[(table["log_ratio"] > 0) & (table["p_fdr"] < FALSE_SHARE)]
        name = names.get(code, f"{code:g}")
        if clear.empty:
            silent.append(name)
        rows.append(clear.head(MOST_TERMS).assign(name=name))
    note = _(
        "Terms in at least {least:g} complaints of the type, false discoveries held at {fdr}. Log "
        "ratio: 1 means twice as often as in the other types. Dispersion: 0 even, 1 piled up."
    ).format(least=THRESHOLDS["cell_size"].value, fdr=format_percent(FALSE_SHARE, 0))
    if silent:
        note += " " + _("Without such a term: {names}.").format(names=_(", ").join(silent))
    return apa_table(
        pd.concat(rows, ignore_index=True),
        caption=_("The words by which failure types are told"),
        columns=[
            Column("name", coding_name(coding), "text"),
            Column("term", _("Word"), "text"),
            Column("cases", _("Cases"), "integer"),
            Column("n_rest", _("Uses elsewhere"), "integer"),
            Column("log_ratio", _("Log ratio"), decimals=1),
            interval_column("ci_low", "ci_high", decimals=1),
            Column("g2", "G²", decimals=1),
            Column("dispersion", _("Dispersion"), "bounded"),
        ],
        note=note,
    )


@passes_unavailable
def pairs_table(study: Study, log: CaseLog, found: pd.DataFrame) -> ApaTable:
    """Return the closest pairs of terms."""
    names = code_names(study, log.first("nominal"))
    table = found[(found["lift"] > 1) & (found["p_fdr"] < FALSE_SHARE)]
    table = table.head(MOST_PAIRS)
    table = table.assign(
        pair=table["first"] + " + " + table["second"],
        name=[names.get(code, f"{code:g}") for code in table["type"]],
    )
    return apa_table(
        table,
        caption=_("Terms that stand in the same complaints"),
        columns=[
            Column("pair", _("Terms"), "text"),
            Column("cases", _("Cases"), "integer"),
            Column("lift", _("Lift"), decimals=1),
            Column("overlap", _("Overlap"), "percent", 0),
            Column("ci_low", interval_label(), "percent_interval", 0, upper="ci_high"),
            Column("name", _("Most often in"), "text"),
            Column("share", _("Share there"), "percent", 0),
        ],
        note=_(
            "Lift: cases with both over what chance would bring. Overlap: of the cases with the "
            "rarer term, those that hold the other."
        ),
    )


@passes_unavailable
def planted_checks(study: Study, log: CaseLog) -> list[CheckResult]:
    """Hold each simulated coder's share of right codes against what was planted."""
    if study.offers("truth") is not None:
        return []
    checks = []
    for k, (_item, share, low, high, planted) in enumerate(
        coder_accuracy(study, log, study.truth), start=1
    ):
        text = _("Planted {truth}, estimated {estimate} {interval}.").format(
            truth=format_number(planted, bounded=True),
            estimate=format_number(share, bounded=True),
            interval=format_interval(low, high, bounded=True),
        )
        name = _("Planted share of right codes: coder {k}").format(k=k)
        checks.append(
            CheckResult(name, bool(low <= planted <= high), share, planted, "population.yml", text)
        )
    return checks
