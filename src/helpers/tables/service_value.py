"""Tables and sentences of models of the long run: counts, amounts, and a customer's worth."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.service.lifecycle_models import CountModel
from helpers.service.lifecycle_study import Wave
from helpers.service.lifecycle_value import CustomerValue, value_difference, value_under
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number, format_p, format_percent
from helpers.tables.service_lifecycle import group_name
from helpers.tables.service_pilot import variable_name

Amounts = tuple[pd.DataFrame, int, int]
Values = dict[str, CustomerValue | Unavailable]


def term_name(study: Study, term: str) -> str:
    """Return the name of a term of a regression."""
    known = {
        "(intercept)": _("rate where all else is average"),
        "recovered": _("recovery received"),
        "log_before": _("earlier purchases (log)"),
    }
    return known.get(term) or variable_name(study, term)


@passes_unavailable
def count_table(study: Study, found: CountModel) -> ApaTable:
    """Return the ratios of rates of later purchases."""
    table = found.terms.assign(name=[term_name(study, term) for term in found.terms["term"]])
    return apa_table(
        table,
        caption=_("Purchases a month after the problem"),
        columns=[
            Column("name", _("Variable"), "text"),
            Column("ratio", _("Ratio of rates")),
            interval_column("ci_low", "ci_high"),
            Column("p_value", "p", "p"),
        ],
        note=_(
            "n = {n}. Negative binomial, weighted, robust errors; dispersion {a}. Ratios of one "
            "unit, the other variables held equal; the first row is a rate."
        ).format(n=found.n_used, a=format_number(found.dispersion, 3)),
    )


@passes_unavailable
def count_sentence(found: CountModel) -> str:
    """Read the ratio of recovery aloud."""
    row = found.terms.set_index("term").loc["recovered"]
    return _(
        "Among customers alike in earlier purchases and in the other variables, recovery goes with "
        "{ratio} times the later purchases, {percent:g}% CI {interval}."
    ).format(
        ratio=format_number(row["ratio"]), percent=100 * found.level,
        interval=format_interval(row["ci_low"], row["ci_high"]),
    )  # fmt: skip


@passes_unavailable
def rivals_table(found: CountModel) -> ApaTable:
    """Return the models of the count side by side."""
    names = {
        "poisson": _("Poisson"),
        "negative_binomial": _("negative binomial"),
        "hurdle": _("hurdle (any, then how many)"),
    }
    return apa_table(
        found.rivals.assign(name=found.rivals["model"].map(names)),
        caption=_("Which model of counts fits"),
        columns=[
            Column("name", _("Model"), "text"),
            Column("parameters", _("Parameters"), "integer"),
            Column("loglik", _("Log-likelihood"), decimals=1),
            Column("aic", "AIC", decimals=1),
            Column("bic", "BIC", decimals=1),
            Column("zeros", _("Zeros expected"), "percent", 1),
        ],
        note=_(
            "Without weights. Customers without a later purchase: {zeros}. Test of more spread "
            "than Poisson's: χ² = {lr}, p {p}."
        ).format(
            zeros=format_percent(found.zeros),
            lr=format_number(found.lr),
            p=_signed(found.p_poisson),
        ),
    )


@passes_unavailable
def amount_table(study: Study, found: Amounts) -> ApaTable:
    """Return the regressions of the later amount."""
    names = {
        "any": _("bought at all: odds ratio"),
        "size": _("amount of those who bought: ratio"),
        "whole": _("amount of all: ratio"),
    }
    table = found[0][found[0]["term"] != "(intercept)"]
    table = table.assign(
        name=[term_name(study, term) for term in table["term"]], part=table["part"].map(names)
    )
    return apa_table(
        table,
        caption=_("The amount spent after the problem, in two parts and as a whole"),
        columns=[
            Column("part", _("Part"), "text"),
            Column("name", _("Variable"), "text"),
            Column("ratio", _("Ratio")),
            interval_column("ci_low", "ci_high"),
            Column("p_value", "p", "p"),
            Column("n_used", "n", "integer"),
        ],
        note=_("Logit, gamma and Tweedie models; weighted, robust errors."),
    )


@passes_unavailable
def value_table(wave: Wave, found: Values) -> ApaTable:
    """Return what a customer is worth, with and without recovery, and the difference."""
    rows = [
        {"group": f"{group_name(name)}: {part.text()}"}
        if isinstance(part, Unavailable)
        else {
            "group": group_name(name), "retention": part.retention, "spend": part.spend,
            "value": part.value, "ci_low": part.ci_low, "ci_high": part.ci_high,
            "n_used": part.n_used,
        }
        for name, part in found.items()
    ]  # fmt: skip
    if all(found.values()):
        gap = value_difference(found["recovered"], found["none"])
        rows.append(
            {"group": _("difference"), "value": gap[0], "ci_low": gap[1], "ci_high": gap[2]}
        )  # fmt: skip
    known = next(part for part in found.values() if part)
    given = known.assumptions
    note = _(
        "In {currency}. Assumed, not measured: margin {margin}, discount {discount} a year, "
        "{periods} periods of {months:g} months, retention the same in each. Bootstrap over "
        "customers, {n} draws."
    ).format(
        currency=pick(wave.plan.currency.model_dump()), margin=format_percent(given.margin),
        discount=format_percent(given.discount), periods=given.periods, months=given.months,
        n=known.n_boot,
    )  # fmt: skip
    return apa_table(
        pd.DataFrame(rows),
        caption=_("What a customer is worth over the years ahead"),
        columns=[
            Column("group", _("Customers"), "text"),
            Column("retention", _("Retention"), "percent", 1),
            Column("spend", _("Spent a period"), decimals=0),
            Column("value", _("Worth"), decimals=0),
            interval_column("ci_low", "ci_high", decimals=0),
            Column("n_used", "n", "integer"),
        ],
        note=note,
    )


@passes_unavailable
def value_sentence(wave: Wave, found: Values) -> str | Unavailable:
    """Read the difference of worth aloud, or say of which group it is not known."""
    for part in found.values():
        if isinstance(part, Unavailable):
            return part
    gap, low, high = value_difference(found["recovered"], found["none"])
    text = (
        _(
            "Under these assumptions a customer with recovery is worth {gap} {currency} more than "
            "one without, {percent:g}% CI {interval}. The interval holds the error of sampling "
            "only."
        )
        if gap >= 0
        else _(
            "Under these assumptions a customer with recovery is worth {gap} {currency} less than "
            "one without; the difference with recovery less without has the {percent:g}% CI "
            "{interval}. The interval holds the error of sampling only."
        )
    )
    return text.format(
        gap=format_number(abs(gap), 0), currency=pick(wave.plan.currency.model_dump()),
        percent=100 * found["none"].level, interval=format_interval(low, high, 0),
    )  # fmt: skip


@passes_unavailable
def moves_table(found: Values) -> ApaTable | Unavailable:
    """Return the worth with recovery when an assumption moves by five points."""
    if isinstance(found["recovered"], Unavailable):
        return found["recovered"]
    names = {
        "margin": _("margin"),
        "discount": _("discount"),
        "retention": _("retention"),
    }
    table = value_under(found["recovered"])
    return apa_table(
        table.assign(name=table["what"].map(names)),
        caption=_("Worth of a customer with recovery when one assumption moves"),
        columns=[
            Column("name", _("Assumption"), "text"),
            Column("lower", _("5 points lower"), decimals=0),
            Column("higher", _("5 points higher"), decimals=0),
        ],
        note=_("Everything else is kept."),
    )


def _signed(p: float) -> str:
    """Return a p-value with its sign of relation."""
    text = format_p(p)
    return text if text.startswith("<") else f"= {text}"
