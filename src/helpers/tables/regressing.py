"""Tables and sentences of regressions in steps, influence and moderation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.regression.conditional import Moderation
from helpers.regression.hierarchical import HierarchicalResult
from helpers.regression.hypotheses import hypothesis_evidence
from helpers.regression.influence import Influence
from helpers.results import CheckResult, Number
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_number
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study

Regressions = Mapping[str, HierarchicalResult | Unavailable]


def _fitted(results: Regressions) -> dict[str, HierarchicalResult]:
    """Return the regressions that these respondents allow."""
    return {t: r for t, r in results.items() if not isinstance(r, Unavailable)}


def _left_out(results: Regressions) -> str:
    """Name the predictors and categories that fell away for being the same for all."""
    parts = [
        _("{title}: {names}").format(title=title, names=", ".join(r.left_out))
        for title, r in _fitted(results).items()
        if r.left_out
    ]
    if not parts:
        return ""
    return " " + _("Left out, as they are the same for all these respondents: {parts}.").format(
        parts="; ".join(parts)
    )


@passes_unavailable
def steps_table(results: Regressions) -> ApaTable:
    """Return fit and gain of every step, one section a regression."""
    fitted = _fitted(results)
    rows = pd.concat([r.steps.assign(regression=title) for title, r in fitted.items()])
    return apa_table(
        rows.reset_index(drop=True),
        caption=_("Regressions in steps: what each step adds"),
        columns=[
            Column("step", _("Step"), "integer"),
            Column("added", _("Added"), "text"),
            Column("r2", "R²", "bounded", 3),
            Column("delta_r2", "ΔR²", "bounded", 3),
            Column("f_change", "F"),
            Column("df_added", "df1", "integer"),
            Column("df_resid", "df2", "integer"),
            Column("p_change", "p", "p"),
            Column("p_robust", _("p, robust"), "p"),
            Column("f2", "f²"),
        ],
        section="regression",
        note=" ".join(
            _("{title}: n = {n}, {dropped} left out for a blank in any step.").format(
                title=title, n=r.n_used, dropped=r.n_dropped
            )
            for title, r in fitted.items()
        )
        + " "
        + _("F tests the gain of a step; the robust p is an HC3 Wald test of the same.")
        + _left_out(results),
        missing_reason=_("a term of the step rests on one respondent, so that HC3 does not exist"),
    )


@passes_unavailable
def coefficients_table(results: Regressions) -> ApaTable:
    """Return the coefficients of the last step, one section a regression."""
    fitted = _fitted(results)
    rows = pd.concat([r.last().assign(regression=title) for title, r in fitted.items()])
    references = {name: None for r in fitted.values() for name in r.references}
    return apa_table(
        rows.reset_index(drop=True),
        caption=_("Coefficients of the last step"),
        columns=[
            Column("term", _("Term"), "text"),
            Column("b", "B", scale="se"),
            Column("se", "SE", scale="se"),
            interval_column(scale="se"),
            Column("p_value", "p", "p"),
            Column("beta", "β", "bounded"),
            Column("vif", "VIF"),
        ],
        section="regression",
        note=_coefficients_note(list(references)),
        missing_reason=_("the term rests on one respondent, so that HC3 does not exist"),
    )


def _coefficients_note(references: list[str]) -> str:
    """Say which errors these are, and what the numbers of categories refer to."""
    errors = _("HC3 errors, degrees of freedom of Bell and McCaffrey (Imbens & Kolesár 2016).")
    if not references:
        return errors
    return f"{errors} " + _(
        "Reference categories: {references}. VIF of a category: one for all its columns, whatever "
        "its reference (Fox & Monette 1992)."
    ).format(references="; ".join(references))


@passes_unavailable
def slopes_picture(results: Regressions) -> pd.DataFrame:
    """Return standardised slopes of the last step without those of the controls."""
    parts = [_beyond(r).assign(regression=r.outcome) for r in _fitted(results).values()]
    return pd.concat(parts, ignore_index=True).rename(
        columns={"term": "label", "beta": "estimate", "beta_low": "ci_low", "beta_high": "ci_high"}
    )[["label", "estimate", "ci_low", "ci_high", "regression"]]


def slopes_label() -> str:
    """Return the axis label of standardised slopes."""
    return _("Standardised slope with {percent:g}% interval").format(percent=100 * LEVEL)


def _beyond(result: HierarchicalResult) -> pd.DataFrame:
    """Return the last step's rows without the controls, if there is anything else."""
    last = result.last()
    rows = last[~last["term"].isin(result.controls)]
    return (last if rows.empty else rows)[["term", "beta", "beta_low", "beta_high"]]


@passes_unavailable
def gain_sentences(results: Regressions) -> str:
    """Read the last step of each regression aloud; say which could not be fitted."""
    return " ".join(result.text() for result in results.values())


@passes_unavailable
def slope_sentences(results: Regressions) -> str:
    """Read the largest standardised slope beyond the controls of each regression aloud."""
    parts = []
    for result in _fitted(results).values():
        rows = _beyond(result).dropna()
        if rows.empty:
            continue
        top = rows.loc[rows["beta"].abs().idxmax()]
        parts.append(
            _(
                "Controls aside, the standardised slope of {outcome} that is largest in size "
                "belongs to {term}: "
                "{beta} SD per SD ({level:.0%} interval {low} to {high}, n = {n})."
            ).format(
                outcome=result.outcome,
                term=top["term"],
                beta=format_number(top["beta"]),
                level=result.level,
                low=format_number(top["beta_low"]),
                high=format_number(top["beta_high"]),
                n=result.n_used,
            )
        )
    return " ".join(parts)


def regression_checks(results: Regressions | Unavailable) -> list[CheckResult | Unavailable]:
    """Return the checks of every regression, each with its outcome in the name."""
    if isinstance(results, Unavailable):
        return [results]
    return [
        CheckResult(
            name=f"{check.name} - {result.outcome}", passed=check.passed, value=check.value,
            threshold=check.threshold, source=check.source, text=check.text,
        )
        for result in _fitted(results).values()
        for check in result.checks()
    ]  # fmt: skip


def regression_numbers(results: Regressions | Unavailable) -> list[Number]:
    """Return R² and standardised slopes of every regression."""
    known = {} if isinstance(results, Unavailable) else _fitted(results)
    return [number for result in known.values() for number in result.numbers(result.name)]


def moderation_table(result: Moderation | Unavailable) -> ApaTable | Unavailable:
    """Return the simple slopes."""
    if isinstance(result, Unavailable):
        return result
    return apa_table(
        result.table(),
        caption=_("Slope of {outcome} on {predictor} at three levels of {moderator}").format(
            outcome=result.outcome, predictor=result.predictor, moderator=result.moderator
        ),
        columns=[
            Column("at", result.moderator, "text"),
            Column("moderator_value", _("Value")),
            Column("slope", _("Slope")),
            Column("se", "SE"),
            interval_column(),
            Column("p_value", "p", "p"),
        ],
        note=_("n = {n}, {dropped} left out for a blank; HC3 errors.").format(
            n=result.n_used, dropped=result.n_dropped
        ),
    )


def moderation_picture(result: Moderation | Unavailable) -> pd.DataFrame | Unavailable:
    """Return the predicted lines."""
    return result if isinstance(result, Unavailable) else result.lines


def moderation_labels(result: Moderation | Unavailable) -> dict[str, str]:
    """Return the axis labels of the predicted lines."""
    if isinstance(result, Unavailable):
        return {}
    labels = {"xlabel": result.predictor, "ylabel": result.outcome}
    return labels | {"legend_title": result.moderator}


def moderation_checks(
    result: Moderation | Unavailable, sign: str
) -> list[CheckResult | Unavailable]:
    """Hold the product against the sign that was expected, ``"+"`` or ``"-"``."""
    if isinstance(result, Unavailable):
        return [result]
    met = result.product_low > 0 if sign == "+" else result.product_high < 0
    return [
        CheckResult(
            name=_("The product has the expected sign"),
            passed=bool(met),
            value=result.product,
            threshold=0.0,
            source=_("stated before the result"),
            text=_("Expected {sign}. Found {value} ({low} to {high}).").format(
                sign=_("above zero") if sign == "+" else _("below zero"),
                value=format_number(result.product, 3),
                low=format_number(result.product_low, 3),
                high=format_number(result.product_high, 3),
            ),
        )
    ]


def moderation_sentence(result: Moderation | Unavailable) -> str | Unavailable:
    """Read the product term and the region aloud."""
    if isinstance(result, Unavailable):
        return result
    return f"{result.text()} {result.region_text()}"


def block_sentence(study: Study, hypothesis: str) -> str | Unavailable:
    """Read aloud how R² is shared between the two blocks that a hypothesis weighs."""
    what = _("the share of R² of the block that a hypothesis names")
    declared = {h.id: h for h in study.spec.hypotheses}.get(hypothesis)
    if declared is None or declared.kind != "comparison":
        return Unavailable(what, _("the study states no hypothesis that weighs one block"))
    found = hypothesis_evidence(study, declared)[0]
    if isinstance(found, Unavailable):
        return found
    if found.ci_low > found.null:
        verdict = _("More than half, so that this block weighs most")
    elif found.ci_high < found.null:
        verdict = _("Less than half, so that the other block weighs more")
    else:
        verdict = _("Whether it is more than half is not settled")
    return _(
        "{id}: the {quantity} is {value:.0%} ({level:.0%} bootstrap interval {low:.0%} to "
        "{high:.0%}; n = {n}). {verdict}; the larger block has the better start."
    ).format(
        id=hypothesis, quantity=found.quantity, value=found.estimate, level=LEVEL,
        low=found.ci_low, high=found.ci_high, n=found.n_used, verdict=verdict,
    )  # fmt: skip


@passes_unavailable
def influence_table(result: Influence, *, first: int = 8) -> ApaTable:
    """Return the slopes that move most when the influential rows are left out."""
    width = result.slopes["ci_high"] - result.slopes["ci_low"]
    order = result.slopes["shift"].abs().sort_values(ascending=False).index[:first]
    return apa_table(
        result.slopes.assign(se=width / 4).loc[order].reset_index(drop=True),
        caption=_("Slopes with everybody and without the most influential respondents"),
        columns=[
            Column("term", _("Term"), "text"),
            Column("b", "B", scale="se"),
            interval_column(scale="se"),
            Column("b_without", _("B without them"), scale="se"),
            interval_column(
                "low_without", "high_without", label=_("Interval without them"), scale="se"
            ),
            Column("shift", _("Shift in SE")),
        ],
        note=_(
            "Left out: {left} of {n} respondents with a Cook's distance above 4/n. The slopes that "
            "move most are shown; a shift is that of B in its standard errors. HC3 errors."
        ).format(left=result.above_cook, n=result.n_used),
        missing_reason=_("cannot be estimated without these respondents"),
    )


@passes_unavailable
def influence_sentence(result: Influence) -> str:
    """Read aloud how many respondents are influential and what it changes."""
    text = _(
        "Respondents above the cuts: {cook} of {n} by Cook's distance (4/n), {dfbetas} by DFBETAS "
        "(2/√n), {leverage} by leverage (twice its mean)."
    ).format(
        cook=result.above_cook, n=result.n_used, dfbetas=result.above_dfbetas,
        leverage=result.above_leverage,
    )  # fmt: skip
    both = result.slopes.dropna(subset=["shift"])
    if result.above_cook == 0 or both.empty:
        return text
    top = both.loc[both["shift"].abs().idxmax()]
    crossed = (both["ci_low"] > 0) | (both["ci_high"] < 0)
    still = (both["low_without"] > 0) | (both["high_without"] < 0)
    return f"{text} " + _(
        "Without those above Cook's cut the slope of {term} moves most, by {shift} standard "
        "errors; intervals that change whether they hold zero: {changed} of {k}."
    ).format(
        term=top["term"], shift=format_number(top["shift"], 1),
        changed=int((crossed != still).sum()), k=len(both),
    )  # fmt: skip
