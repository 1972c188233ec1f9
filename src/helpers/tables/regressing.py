"""Tables and sentences of regressions, moderation, dose-response and the formulas F1-F7."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.regression.conditional import Moderation
from helpers.regression.dose import DoseResponse
from helpers.regression.formula_fit import FormulaTable
from helpers.regression.hierarchical import HierarchicalResult
from helpers.results import CheckResult, Number
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.thresholds import LEVEL

Regressions = Mapping[str, HierarchicalResult]


def steps_table(results: Regressions) -> ApaTable:
    """Return fit and gain of every step, one section a regression."""
    rows = pd.concat([r.steps.assign(regression=title) for title, r in results.items()])
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
            for title, r in results.items()
        )
        + " "
        + _("F tests the gain of a step; the robust p is an HC3 Wald test of the same."),
    )


def coefficients_table(results: Regressions) -> ApaTable:
    """Return the coefficients of the last step, one section a regression."""
    rows = pd.concat([r.last().assign(regression=title) for title, r in results.items()])
    references = {name: None for r in results.values() for name in r.references}
    return apa_table(
        rows.reset_index(drop=True),
        caption=_("Coefficients of the last step"),
        columns=[
            Column("term", _("Term"), "text"),
            Column("b", "B"),
            Column("se", "SE"),
            interval_column(),
            Column("p_value", "p", "p"),
            Column("beta", "β", "bounded"),
            Column("vif", "VIF"),
        ],
        section="regression",
        note=_("HC3 errors. Reference categories: {references}.").format(
            references="; ".join(references) or _("none")
        ),
    )


def slopes_picture(results: Regressions) -> pd.DataFrame:
    """Return standardised slopes of what the later steps add; the first step are the controls."""
    parts = [_later(r).assign(regression=r.outcome) for r in results.values()]
    return pd.concat(parts, ignore_index=True).rename(
        columns={"term": "label", "beta": "estimate", "beta_low": "ci_low", "beta_high": "ci_high"}
    )[["label", "estimate", "ci_low", "ci_high", "regression"]]


def slopes_label() -> str:
    """Return the axis label of standardised slopes."""
    return _("Standardised slope with {percent:g}% interval").format(percent=100 * LEVEL)


def _later(result: HierarchicalResult) -> pd.DataFrame:
    """Return the last step's rows without the terms of the first, if there is more than one."""
    first = result.coefficients.loc[result.coefficients["step"] == 1, "term"]
    last = result.last()
    rows = last[~last["term"].isin(first)]
    return (last if rows.empty else rows)[["term", "beta", "beta_low", "beta_high"]]


def gain_sentences(results: Regressions) -> str:
    """Read the last step of each regression aloud."""
    return " ".join(result.text() for result in results.values())


def slope_sentences(results: Regressions) -> str:
    """Read the largest standardised slope beyond the controls of each regression aloud."""
    parts = []
    for result in results.values():
        rows = _later(result)
        top = rows.loc[rows["beta"].abs().idxmax()]
        parts.append(
            _(
                "The largest standardised slope of {outcome} belongs to {term}: {beta:.2f} SD per "
                "SD ({level:.0%} interval {low:.2f} to {high:.2f}, n = {n})."
            ).format(
                outcome=result.outcome,
                term=top["term"],
                beta=top["beta"],
                level=result.level,
                low=top["beta_low"],
                high=top["beta_high"],
                n=result.n_used,
            )
        )
    return " ".join(parts)


def regression_checks(results: Regressions) -> list[CheckResult]:
    """Return the checks of every regression, each with its outcome in the name."""
    return [
        CheckResult(
            name=f"{check.name} - {result.outcome}", passed=check.passed, value=check.value,
            threshold=check.threshold, source=check.source, text=check.text,
        )
        for result in results.values()
        for check in result.checks()
    ]  # fmt: skip


def regression_numbers(results: Regressions) -> list[Number]:
    """Return R² and standardised slopes of every regression."""
    return [number for result in results.values() for number in result.numbers(result.outcome)]


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
            text=_("Expected: {sign}. Found {value:.3f} ({low:.3f} to {high:.3f}).").format(
                sign=sign,
                value=result.product,
                low=result.product_low,
                high=result.product_high,
            ),
        )
    ]


def moderation_sentence(result: Moderation | Unavailable) -> str | Unavailable:
    """Read the product term and the region aloud."""
    if isinstance(result, Unavailable):
        return result
    return f"{result.text()} {result.region_text()}"


def dose_table(result: DoseResponse | Unavailable) -> ApaTable | Unavailable:
    """Return the three shapes side by side."""
    if isinstance(result, Unavailable):
        return result
    return apa_table(
        result.table(),
        caption=_("Three shapes of the relation to the dose"),
        columns=[
            Column("shape", _("Shape"), "text"),
            Column("n_parameters", _("Parameters"), "integer"),
            Column("r2", "R²", "bounded", 3),
            Column("aic", "AIC", "number", 1),
            Column("delta_aic", "ΔAIC", "number", 1),
            Column("loo_error", _("Error of prediction"), "number", 3),
        ],
        note=_(
            "The error is the root mean square of predicting each row without it; n = {n}, "
            "{dropped} left out for a blank."
        ).format(n=result.n_used, dropped=result.n_dropped),
    )


def dose_picture(result: DoseResponse | Unavailable) -> pd.DataFrame | Unavailable:
    """Return the three fitted curves."""
    return result if isinstance(result, Unavailable) else result.curve


def dose_labels(result: DoseResponse | Unavailable) -> dict[str, str]:
    """Return the axis labels of the fitted curves."""
    if isinstance(result, Unavailable):
        return {}
    return {"xlabel": result.dose, "ylabel": result.response}


def dose_sentence(result: DoseResponse | Unavailable) -> str | Unavailable:
    """Read the slope per doubling aloud."""
    return result if isinstance(result, Unavailable) else result.text()


def doublings_sentence(
    result: DoseResponse | Unavailable, first: float, last: float
) -> str | Unavailable:
    """Read the difference between two doses aloud, by the logarithmic shape."""
    if isinstance(result, Unavailable):
        return result
    doublings = math.log2(last / first)
    return _(
        "From {first:g} to {last:g} is {doublings:.1f} doublings: a change of {change:.2f} "
        "({level:.0%} interval {low:.2f} to {high:.2f}; n = {n})."
    ).format(
        first=first,
        last=last,
        doublings=doublings,
        change=doublings * result.slope,
        level=result.level,
        low=doublings * result.slope_low,
        high=doublings * result.slope_high,
        n=result.n_used,
    )


def formulas_table(result: FormulaTable | Unavailable) -> ApaTable | Unavailable:
    """Return one row a formula: what it says, its rival, and how they compare."""
    if isinstance(result, Unavailable):
        return result
    return apa_table(
        result.table(),
        caption=_("The formulas F1 to F7 and their freer rivals"),
        columns=[
            Column("formula", _("Formula"), "text"),
            Column("says", _("It says"), "text"),
            Column("rival", _("Rival"), "text"),
            Column("statistic", _("F or LR")),
            Column("df", "df", "integer"),
            Column("p_value", "p", "p"),
            Column("delta_aic", "ΔAIC", "number", 1),
            Column("delta_error", "ΔRMSE", "number", 3),
        ],
        note=_(
            "The test is of the constraints that turn the rival into the formula: F, or for the "
            "count of F1 a likelihood ratio. ΔAIC and ΔRMSE are the rival's AIC and error of "
            "prediction (root mean square, ten folds) less the formula's: below zero the rival "
            "does better. Respondents: {least} to {most}, listwise by formula."
        ).format(
            least=min(r.n_used for r in result.results),
            most=max(r.n_used for r in result.results),
        ),
    )


def weights_table(result: FormulaTable | Unavailable) -> ApaTable | Unavailable:
    """Return the rivals' free weights beside the weights that formulas fix."""
    if isinstance(result, Unavailable):
        return result
    return apa_table(
        result.weights(),
        caption=_("Free weights of the rivals"),
        columns=[
            Column("term", _("Term"), "text"),
            Column("estimate", _("Estimate")),
            interval_column(),
            Column("stated", _("The formula says")),
        ],
        section="formula",
        missing_reason=_("the formula fixes no weight here"),
    )


def formulas_sentence(result: FormulaTable | Unavailable, name: str = "") -> str | Unavailable:
    """Read one formula aloud, or, without a name, how many rivals do better."""
    if isinstance(result, Unavailable):
        return result
    if not name:
        return result.text()
    one = result.result(name)
    return one if isinstance(one, Unavailable) else one.text()


def formulas_checks(result: FormulaTable | Unavailable) -> list[CheckResult | Unavailable]:
    """Return the checks of the weights that formulas fix."""
    return [result] if isinstance(result, Unavailable) else list(result.checks())
