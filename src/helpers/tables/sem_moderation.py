"""Tables and sentences of moderation: latent product, simple slopes, regions, checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.results import Basis, CheckResult, Number
from helpers.sem.interaction_mediation import INDEX, ModeratedMediation
from helpers.sem.interaction_result import LatentInteraction
from helpers.sem.interaction_study import ModerationQuestion
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number
from helpers.tables.sem_sentences import problems_text, signed_p

if TYPE_CHECKING:
    from helpers.survey.load import Study


@passes_unavailable
def question_sentence(question: ModerationQuestion) -> str:
    """Say what is asked, and which sign is expected."""
    asked = _("Does {moderator} change how strongly {predictor} goes with {outcome}?").format(
        moderator=question.label(question.moderator),
        predictor=question.label(question.predictor),
        outcome=question.label(question.outcome),
    )
    if not question.hypothesis:
        return asked
    signs = {"-": _("a negative product"), "+": _("a positive product")}
    return _("{asked} Hypothesis {name}: {text} Expected: {sign}.").format(
        asked=asked, name=question.hypothesis, text=question.text,
        sign=signs.get(question.sign, _("a product of either sign")),
    )  # fmt: skip


@passes_unavailable
def state_sentence(result: LatentInteraction) -> str:
    """Say whether the fit converged and is admissible."""
    if result.trustworthy:
        return _("The estimation converged and the solution is admissible.")
    return _("The solution cannot be trusted, so no verdict is given: {found}").format(
        found=problems_text(result.problems) or _("it did not converge")
    )


def method_name(method: str) -> str:
    """Return a method's name for readers."""
    names = {"products": _("product indicators"), "lms": _("exact likelihood (LMS)")}
    return names[method]


def interaction_table(
    question: ModerationQuestion | Unavailable, *results: LatentInteraction | Unavailable
) -> ApaTable | Unavailable:
    """Return the three paths of each method that gave a result."""
    if isinstance(question, Unavailable):
        return question
    found = [r for r in results if not isinstance(r, Unavailable)]
    if not found:
        return results[0]
    parts = []
    for result in found:
        part = result.paths.copy()
        part.insert(0, "method", method_name(result.method))
        part["path"] = term_names(question)
        parts.append(part)
    columns = [
        Column("path", _("Predictor"), "text"),
        Column("estimate", "B", decimals=3),
        Column("se", "SE", decimals=3),
        interval_column(level=found[0].level, decimals=3),
        Column("p_value", "p", "p"),
        Column("std", "β", "bounded", 3),
    ]
    note = _(
        "Robust errors. β counts every construct in its own standard deviations, the product in "
        "the product of the two. n = {n}."
    ).format(n=", ".join(str(r.n_used) for r in found))
    return apa_table(
        pd.concat(parts, ignore_index=True), columns=columns, section="method", note=note,
        basis=Basis(found[0].n_used, "; ".join(r.method for r in found), "robust"),
        caption=_("Latent interaction: paths to {outcome}").format(
            outcome=question.label(question.outcome)
        ),
    )  # fmt: skip


@passes_unavailable
def product_sentence(question: ModerationQuestion, result: LatentInteraction) -> str:
    """Read the standardised product aloud, with its likelihood-ratio test where there is one."""
    if not result.trustworthy:
        return state_sentence(result)
    row = result.row("product")
    text = _(
        "By {method}: per SD of {moderator}, the standardised path from {predictor} to {outcome} "
        "changes by {value}, {percent:g}% CI {ci}."
    ).format(
        method=method_name(result.method), percent=100 * result.level,
        moderator=question.label(question.moderator),
        predictor=question.label(question.predictor), outcome=question.label(question.outcome),
        value=format_number(row["std"], 3, bounded=True),
        ci=format_interval(row["std_low"], row["std_high"], 3, bounded=True),
    )  # fmt: skip
    if isinstance(result.lr_chisq, Unavailable):
        return text
    test = _("Likelihood-ratio test of the product: χ²(1) = {chisq}, p {p}.").format(
        chisq=format_number(result.lr_chisq), p=signed_p(result.lr_p)
    )
    return f"{text} {test}"


def term_names(question: ModerationQuestion) -> list[str]:
    """Return the names of predictor, moderator and product."""
    x, z = question.label(question.predictor), question.label(question.moderator)
    return [x, z, f"{x} × {z}"]


@passes_unavailable
def slopes_table(question: ModerationQuestion, result: LatentInteraction) -> ApaTable:
    """Return the simple slopes."""
    columns = [
        Column("at", question.label(question.moderator), "text"),
        Column("slope", _("Standardised slope"), "bounded", 3),
        Column("se", "SE", decimals=3),
        interval_column(level=result.level, decimals=3, bounded=True),
        Column("p_value", "p", "p"),
    ]
    caption = _("Simple slopes of {outcome} on {predictor}").format(
        outcome=question.label(question.outcome), predictor=question.label(question.predictor)
    )
    note = _("Method: {method}. The standard deviations are taken as known.").format(
        method=method_name(result.method)
    )
    return apa_table(result.slopes, caption=caption, columns=columns, note=note)


@passes_unavailable
def slopes_sentence(question: ModerationQuestion, result: LatentInteraction) -> str:
    """Read the two outer slopes aloud."""
    if not result.trustworthy:
        return state_sentence(result)
    low, high = result.slopes.iloc[0], result.slopes.iloc[2]
    return _(
        "One standard deviation more of {predictor} is associated with {low} standard deviations "
        "of {outcome} where {moderator} is one SD below its mean ({low_ci}), and with {high} where "
        "it is one SD above ({high_ci})."
    ).format(
        predictor=question.label(question.predictor),
        outcome=question.label(question.outcome),
        moderator=question.label(question.moderator),
        low=format_number(low["slope"], bounded=True),
        high=format_number(high["slope"], bounded=True),
        low_ci=format_interval(low["ci_low"], low["ci_high"], bounded=True),
        high_ci=format_interval(high["ci_low"], high["ci_high"], bounded=True),
    )


@passes_unavailable
def region_sentence(question: ModerationQuestion, result: LatentInteraction) -> str:
    """Read the Johnson-Neyman region aloud."""
    if not result.trustworthy:
        return state_sentence(result)
    signs = {"+": _("above zero"), "-": _("below zero"), "0": _("not distinguishable from zero")}
    parts = [
        _("{sign} from {low} to {high} SD").format(
            low=format_number(r.low, 2), high=format_number(r.high, 2), sign=signs[r.sign]
        )
        for r in result.region.regions.itertuples(index=False)
    ]
    return _("Along {moderator}, the slope is {parts}.").format(
        moderator=question.label(question.moderator), parts=_("; ").join(parts)
    )


def interaction_picture(result: LatentInteraction | Unavailable) -> pd.DataFrame | Unavailable:
    """Return the predicted lines."""
    return result if isinstance(result, Unavailable) else result.lines


def region_picture(result: LatentInteraction | Unavailable) -> pd.DataFrame | Unavailable:
    """Return the slope along the moderator."""
    return result if isinstance(result, Unavailable) else result.region.curve


def region_ends(result: LatentInteraction | Unavailable) -> tuple[float, ...]:
    """Return the borders between the regions."""
    return () if isinstance(result, Unavailable) else result.region.ends


def axis_labels(question: ModerationQuestion | Unavailable) -> dict[str, str]:
    """Return the labels of the picture of simple slopes."""
    if isinstance(question, Unavailable):
        return {}
    return {
        "xlabel": _("{name} (SD from the mean)").format(name=question.label(question.predictor)),
        "ylabel": _("{name} (SD)").format(name=question.label(question.outcome)),
        "legend_title": question.label(question.moderator),
    }


def region_labels(question: ModerationQuestion | Unavailable) -> dict[str, str]:
    """Return the labels of the Johnson-Neyman picture."""
    if isinstance(question, Unavailable):
        return {}
    return {
        "xlabel": _("{name} (SD from the mean)").format(name=question.label(question.moderator)),
        "ylabel": _("Slope of {name}").format(name=question.label(question.predictor)),
    }


@passes_unavailable
def mediation_table(study: Study, mediation: ModeratedMediation) -> ApaTable:
    """Return the conditional indirect effects and the index of moderated mediation."""
    frame = mediation.table.copy()
    index = _("index (change per SD of {moderator})").format(
        moderator=study.construct_name(mediation.moderator)
    )
    frame["effect"] = [index if k == INDEX else at for k, at in zip(frame["kind"], frame["at"])]
    columns = [
        Column("effect", study.construct_name(mediation.moderator), "text"),
        Column("estimate", _("Indirect effect"), decimals=3),
        interval_column(level=mediation.level, decimals=3),
    ]
    way = " → ".join(
        study.construct_name(v) for v in (mediation.source, mediation.mediator, mediation.outcome)
    )
    note = _("Monte Carlo intervals from {draws} draws, seed {seed}.").format(
        draws=mediation.n_draws, seed=mediation.seed
    )
    caption = _("Moderated mediation: {way}").format(way=way)
    return apa_table(frame, caption=caption, columns=columns, note=note)


@passes_unavailable
def mediation_sentence(study: Study, mediation: ModeratedMediation) -> str:
    """Read the index of moderated mediation aloud."""
    index = mediation.index
    verdict = (
        _("the interval does not hold zero: the indirect effect depends on {moderator}")
        if index["ci_low"] * index["ci_high"] > 0
        else _("the interval holds zero: no dependence on {moderator} is shown")
    ).format(moderator=study.construct_name(mediation.moderator))
    return _("Index of moderated mediation: {value}, {percent:g}% CI {ci}; {verdict}.").format(
        value=format_number(index["estimate"], 3), percent=100 * mediation.level,
        ci=format_interval(index["ci_low"], index["ci_high"], 3), verdict=verdict,
    )  # fmt: skip


def interaction_checks(
    study: Study,
    question: ModerationQuestion | Unavailable,
    *results: LatentInteraction | Unavailable,
) -> list[CheckResult | Unavailable]:
    """Return the checks: expected sign, agreement of methods, planted truth."""
    if isinstance(question, Unavailable):
        return [question]
    found = [r for r in results if not isinstance(r, Unavailable)]
    lost = [r for r in results if isinstance(r, Unavailable)]
    checks: list[CheckResult | Unavailable] = [
        CheckResult(
            name=_("Convergence and admissibility: {method}").format(method=method_name(r.method)),
            passed=r.trustworthy, text=state_sentence(r),
        )
        for r in found
    ]  # fmt: skip
    checks += [_sign_check(question, r) for r in found if r.trustworthy]
    if len(found) == 2 and all(r.trustworthy for r in found):
        checks.append(_agreement_check(*found))
    truth = planted_product(study, question)
    if truth is not None:
        checks += [_truth_check(truth, r) for r in found if r.trustworthy]
    return [*checks, *lost]


def _sign_check(question: ModerationQuestion, result: LatentInteraction) -> CheckResult:
    """Hold the product against the sign stated before."""
    row = result.row("product")
    met = {"-": row["ci_high"] < 0, "+": row["ci_low"] > 0}.get(question.sign)
    return CheckResult(
        name=_("Sign of the product: {method}").format(method=method_name(result.method)),
        passed=None if met is None else bool(met), value=float(row["std"]), threshold=0.0,
        source=_("stated before the result"),
        text=_("Standardised {value}, interval {ci}.").format(
            value=format_number(row["std"], 3, bounded=True),
            ci=format_interval(row["std_low"], row["std_high"], 3, bounded=True),
        ),
    )  # fmt: skip


def _agreement_check(one: LatentInteraction, two: LatentInteraction) -> CheckResult:
    """Ask whether each method's estimate lies in the other's interval."""
    a, b = one.row("product"), two.row("product")
    inside = a["ci_low"] <= b["estimate"] <= a["ci_high"]
    inside &= b["ci_low"] <= a["estimate"] <= b["ci_high"]
    return CheckResult(
        name=_("The two methods agree"),
        passed=bool(inside), value=float(a["estimate"] - b["estimate"]),
        text=_("The products are {one} and {two}; each should lie in the other's interval.").format(
            one=format_number(a["estimate"], 3), two=format_number(b["estimate"], 3)
        ),
    )  # fmt: skip


def _truth_check(truth: float, result: LatentInteraction) -> CheckResult:
    """Ask whether the interval holds the planted product."""
    row = result.row("product")
    return CheckResult(
        name=_("Planted product: {method}").format(method=method_name(result.method)),
        passed=bool(row["std_low"] <= truth <= row["std_high"]), value=float(row["std"]),
        threshold=truth, source=_("population of the simulated study"),
        text=_(
            "Planted {truth} among latent variables of variance 1; interval {ci}. In answers of "
            "seven unequal steps 10 to 15 % of it are lost."
        ).format(
            truth=format_number(truth, bounded=True),
            ci=format_interval(row["std_low"], row["std_high"], 3, bounded=True),
        ),
    )  # fmt: skip


def planted_product(study: Study, question: ModerationQuestion) -> float | None:
    """Return the planted weight of the product, if the study is simulated and has one."""
    truth = study.truth
    if isinstance(truth, Unavailable):
        return None
    products = truth.get("structure", {}).get("products", {}).get(question.outcome, [])
    for first, second, weight in products:
        if {first, second} == {question.predictor, question.moderator}:
            return float(weight)
    return None


def interaction_numbers(*results: LatentInteraction | Unavailable) -> list[Number]:
    """Return the standardised products as numbers of the report."""
    return [
        Number(
            id=f"moderation-{r.method}", value=float(r.row("product")["std"]),
            definition="standardised latent interaction (Wen, Marsh & Hau 2010)",
            ci_low=float(r.row("product")["std_low"]), ci_high=float(r.row("product")["std_high"]),
            level=r.level, n_used=r.n_used, method=r.method,
        )
        for r in results
        if not isinstance(r, Unavailable)
    ]  # fmt: skip
