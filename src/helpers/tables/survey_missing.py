"""Tables, sentences and checks of missing answers."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.results import CheckResult, Number
from helpers.survey.branches import asked
from helpers.survey.careless_indices import scale_items
from helpers.survey.load import Study
from helpers.survey.missing import (
    LittleResult,
    describe_missing,
    estimate_missing_predictors,
    little_test,
)
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number, format_p, format_percent
from helpers.tables.survey_cleaning import percent_interval
from helpers.thresholds import LEVEL, THRESHOLDS


def core_items(study: Study, model: str = "measurement") -> list[str]:
    """Return the scale items of a named model; without such a model, all scale items."""
    named = study.model(model)
    everyone = scale_items(study.folder)
    if isinstance(named, Unavailable):
        return everyone
    words = set(named.syntax.replace("+", " ").replace("*", " ").split())
    return [item for item in everyone if item in words] or everyone


def item_labels(study: Study, items: list[str]) -> dict[str, str]:
    """Return item -> "ITEM wording", for figures."""
    return {item: f"{item} {study.wording(item)}" for item in items}


def answered_items(study: Study) -> list[str]:
    """Return the coded items of the main questionnaire."""
    main = study.items.loc[study.items["module"] == "main", "item"]
    return [i for i in main if i in study.responses]


def missing_by_item(study: Study) -> pd.DataFrame:
    """Count blanks by item of the main questionnaire, among those asked."""
    items = answered_items(study)
    was_asked = asked(study.folder, study.responses, items)
    return describe_missing(study.responses, items=items, was_asked=was_asked)


def joint_test(study: Study, items: list[str]) -> LittleResult | Unavailable:
    """Return Little's test of some items, or why these cannot be tested together.

    Items without spread carry no information on blanks elsewhere and are left out.
    """
    varied = [item for item in dict.fromkeys(items) if study.responses[item].std() > 0]
    if len(varied) < 2 or len(study.responses) <= len(varied):
        why = _("fewer than two of the items vary, or there are not more respondents than items")
        return Unavailable(_("Little's test"), why)
    return little_test(study.responses, items=varied)


def missing_dependence(study: Study) -> pd.DataFrame | Unavailable:
    """Ask for each item whether its blanks depend on what is known of the respondents."""
    items = answered_items(study)
    return estimate_missing_predictors(
        study.responses,
        items=items,
        predictors=known_predictors(study),
        was_asked=asked(study.folder, study.responses, items),
    )


def missing_table(study: Study, counted: pd.DataFrame, most: int) -> ApaTable | Unavailable:
    """Return the items with most blanks."""
    shown = counted[counted["n_missing"] > 0].head(most)
    if shown.empty:
        return Unavailable(_("a table of missing answers"), _("no answer is missing"))
    return apa_table(
        shown.assign(wording=shown["item"].map(study.wording)),
        caption=_("Items with the largest share of missing answers"),
        columns=[
            Column("item", _("Item"), "text"),
            Column("wording", _("Wording"), "text"),
            Column("n_asked", _("Asked"), "integer"),
            Column("n_missing", _("Missing"), "integer"),
            Column("share", _("Share"), "percent", 1),
        ],
        note=_("Answers behind a branch that was not taken do not count as missing."),
    )


def missing_sentence(counted: pd.DataFrame) -> str:
    """Read the largest share of blanks aloud."""
    total = counted["n_missing"].sum()
    if total == 0:
        return _("No answer is missing in {k} items.").format(k=len(counted))
    top = counted.iloc[0]
    return _(
        "{share} of all answers asked for are missing; most are missing for {item}: {top} "
        "({level:.0%} CI {ci})."
    ).format(
        share=format_percent(total / counted["n_asked"].sum(), 1), item=top["item"],
        top=format_percent(top["share"], 1), level=LEVEL,
        ci=percent_interval(top["ci_low"], top["ci_high"]),
    )  # fmt: skip


def patterns_sentence(patterns: pd.DataFrame) -> str:
    """Read the complete pattern aloud."""
    complete = patterns[patterns["n_blank"] == 0]
    n = int(complete["n"].sum())
    return _(
        "{n} of {all} respondents ({share}) answered every one of these items; patterns of answers "
        "and blanks: {k}."
    ).format(
        n=n, all=int(patterns["n"].sum()), share=format_percent(n / patterns["n"].sum(), 1),
        k=len(patterns),
    )  # fmt: skip


def little_table(result: LittleResult | Unavailable) -> ApaTable | Unavailable:
    """Return Little's test as a table of one row."""
    if isinstance(result, Unavailable):
        return result
    row = {
        "statistic": result.statistic, "df": result.df, "p_value": result.p_value,
        "patterns": result.n_patterns, "n": result.n_used,
    }  # fmt: skip
    return apa_table(
        pd.DataFrame([row]),
        caption=_("Little's test of answers missing completely at random"),
        columns=[
            Column("statistic", "χ²", "number", 1),
            Column("df", "df", "integer"),
            Column("p_value", "p", "p"),
            Column("patterns", _("Patterns"), "integer"),
            Column("n", "n", "integer"),
        ],
        note=_("Moments by EM; Little (1988)."),
    )


def little_sentence(result: LittleResult | Unavailable) -> str | Unavailable:
    """Read Little's test aloud."""
    return result if isinstance(result, Unavailable) else result.text()


def known_predictors(study: Study) -> pd.DataFrame:
    """Return what is known of everybody and may explain blanks: controls that are numbers.

    Categories with an order count by their code; questions with two categories as 0/1.
    """
    columns = {}
    for item in study.spec.controls:
        if item not in study.responses:
            continue
        scale, values = study.scale_of(item), study.responses[item]
        if scale.kind in ("number", "likert") or len(scale.labels) == 2:
            columns[item] = values
    return pd.DataFrame(columns, index=study.responses.index)


def predictors_table(table: pd.DataFrame | Unavailable) -> ApaTable | Unavailable:
    """Return the logit models of blanks."""
    if isinstance(table, Unavailable):
        return table
    return apa_table(
        table,
        caption=_("Do blanks depend on what is known of the respondents?"),
        columns=[
            Column("item", _("Item"), "text"),
            Column("n_missing", _("Missing"), "integer"),
            Column("chi2", "χ²", "number"),
            Column("df", "df", "integer"),
            Column("p_value", "p", "p"),
            Column("q_value", "q", "p"),
            Column("strongest", _("Strongest"), "text"),
            Column("odds_ratio", _("Odds ratio"), "number"),
            interval_column(),
        ],
        note=_(
            "Odds ratio for one standard deviation of the predictor. q: false discovery rate, "
            "Benjamini & Hochberg (1995)."
        ),
    )


def predictors_sentence(table: pd.DataFrame | Unavailable) -> str:
    """Read the strongest dependence aloud."""
    if isinstance(table, Unavailable):
        return _("So it cannot be asked here who leaves answers blank.")
    top = table.loc[table["q_value"].idxmin()]
    return _(
        "The clearest dependence is that of blanks in {item} on {predictor}: the odds of a blank "
        "change by a factor of {ratio} ({level:.0%} CI {ci}) with one standard deviation, "
        "q (false discovery rate) {p}."
    ).format(
        item=top["item"], predictor=top["strongest"], ratio=format_number(top["odds_ratio"]),
        level=LEVEL, ci=format_interval(top["ci_low"], top["ci_high"]), p=_p(top["q_value"]),
    )  # fmt: skip


def missing_checks(
    counted: pd.DataFrame,
    little: LittleResult | Unavailable,
    dependence: pd.DataFrame | Unavailable,
) -> list[CheckResult]:
    """Check the amount and the mechanism of missing answers."""
    most = THRESHOLDS["missing_share"]
    top = float(counted["share"].max())
    checks = [
        CheckResult(
            _("No item is blank too often"), most.holds(top), top, most.value, _(most.source),
            _("The largest share is {share}; up to {limit} is usual.").format(
                share=format_percent(top, 1), limit=format_percent(most.value, 0)
            ),
        )
    ]  # fmt: skip
    if not isinstance(little, Unavailable):
        text = _("Little's test gives p {p}.").format(p=_p(little.p_value))
        source = "Little (1988), doi:10.1080/01621459.1988.10478722"
        passed = little.p_value >= 1 - LEVEL
        name = _('Blanks fit "completely at random"')
        checks.append(CheckResult(name, passed, little.p_value, 1 - LEVEL, source, text))
    if not isinstance(dependence, Unavailable):
        low = float(dependence["q_value"].min())
        hits = int((dependence["q_value"] < 1 - LEVEL).sum())
        text = _(
            "Blanks of {n} of {k} items depend on what is known of the respondents, smallest "
            "q {p}; if any do, use every answer (FIML) with these predictors."
        ).format(n=hits, k=len(dependence), p=_p(low))
        name = _("Blanks do not depend on what is known")
        checks.append(
            CheckResult(name, hits == 0, low, 1 - LEVEL, "Benjamini & Hochberg (1995)", text)
        )
    return checks


def missing_numbers(counted: pd.DataFrame, little: LittleResult | Unavailable) -> list[Number]:
    """Return the amount of blanks and Little's test for ``results.json``."""
    share = float(counted["n_missing"].sum() / counted["n_asked"].sum())
    asked_for = int(counted["n_asked"].max())
    numbers = [
        Number(
            "missing_share", share, "blank answers / answers asked for, all items",
            n_used=asked_for,
        )
    ]  # fmt: skip
    if not isinstance(little, Unavailable):
        chi = Number(
            "little_chi2", little.statistic, "Little's d2, moments by EM", n_used=little.n_used
        )
        tail = _("chi-square with {df} df").format(df=little.df)
        numbers += [chi, Number("little_p", little.p_value, tail)]
    return numbers


def _p(value: float) -> str:
    """Return ``= .012`` or ``< .001``."""
    text = format_p(value)
    return text if text[0] in "<>" else f"= {text}"
