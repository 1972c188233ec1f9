"""Sentences that read structural equation models aloud; verdicts only where they may be given."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, language
from helpers.results import CheckResult
from helpers.sem.agreement import agreement
from helpers.sem.effects import Effects
from helpers.sem.study_fit import ModelFit
from helpers.tables.apa import ApaTable
from helpers.tables.numbers import format_interval, format_number, format_p
from helpers.tables.sem_tables import (
    CUTS,
    cut_text,
    explained,
    largest_residuals,
    measure,
    rmsea_interval,
    validity_table,
)
from helpers.thresholds import LEVEL, THRESHOLDS

LARGE_RESIDUAL = 2.58
"""Two-sided 1 % quantile of the normal distribution."""


def problems_text(problems: Sequence[str]) -> str:
    """Join what was found about a solution: whole sentences, which need no sign between them."""
    return ("" if language() == "zh" else " ").join(problems)


@passes_unavailable
def state_sentence(fit: ModelFit) -> str:
    """Say whether the fit converged and is admissible, with the problems if not."""
    result = fit.result
    if fit.trustworthy:
        return _("The estimation converged and the solution is admissible.")
    found = problems_text(result.problems)
    if not result.converged:
        return _("The estimation did not converge, so no verdict is given: {found}").format(
            found=found
        )
    return _("The solution is not admissible, so no verdict is given: {found}").format(found=found)


@passes_unavailable
def fit_sentence(fit: ModelFit) -> str:
    """Read the fit of a model aloud in the form of the APA."""
    if not fit.n_known:
        text = _(
            "The source does not say how many people answered, so tests, intervals and standard "
            "errors cannot be given; SRMR = {srmr} does not depend on it."
        )
        return text.format(srmr=format_number(measure(fit, "srmr"), 3, bounded=True))
    low, high = rmsea_interval(fit)
    numbers = _(
        "χ²({df}) = {chisq}, p {p}, CFI = {cfi}, TLI = {tli}, RMSEA = {rmsea}, 90% CI {ci}, "
        "SRMR = {srmr}."
    ).format(
        df=f"{measure(fit, 'df'):.0f}",
        chisq=format_number(measure(fit, "chisq")),
        p=signed_p(measure(fit, "pvalue")),
        cfi=format_number(measure(fit, "cfi"), 3, bounded=True),
        tli=format_number(measure(fit, "tli"), 3, bounded=True),
        rmsea=format_number(measure(fit, "rmsea"), 3, bounded=True),
        ci=format_interval(low, high, 3, bounded=True),
        srmr=format_number(measure(fit, "srmr"), 3, bounded=True),
    )
    return f"{numbers} {fit_verdict(fit)}"


def fit_verdict(fit: ModelFit) -> str:
    """Say how many fit measures meet their cut-off; withheld if the fit is not trustworthy."""
    if not fit.trustworthy:
        return state_sentence(fit)
    if measure(fit, "df") == 0:
        return _("The model has no degrees of freedom: it fits by construction and tests nothing.")
    values = {name: v for name in CUTS if not math.isnan(v := measure(fit, name))}
    missed = [
        name.upper() for name, value in values.items() if not THRESHOLDS[CUTS[name][0]].holds(value)
    ]
    if not missed and len(values) == len(CUTS):
        return _("All four approximate fit measures meet the stricter cut-offs.")
    if not missed:
        names = _(", ").join(name.upper() for name in values)
        return _("The fit measures that can be given meet the stricter cut-offs: {names}.").format(
            names=names or "–"
        )
    text = _("The stricter cut-off is missed by: {missed}.").format(missed=_(", ").join(missed))
    worse = [
        name.upper()
        for name, value in values.items()
        if not THRESHOLDS[CUTS[name][-1]].holds(value)
    ]
    if worse:
        text += " " + _("The lenient one is missed too by: {worse}.").format(
            worse=_(", ").join(worse)
        )
    return text


def fit_checks(fit: ModelFit) -> list[CheckResult]:
    """Return convergence, admissibility and the fit measures as checks."""
    result = fit.result
    checks = [
        CheckResult(_("Convergence"), bool(result.converged), text=_converged_text(fit)),
        CheckResult(_("Admissibility"), bool(result.admissible), text=_admissible_text(fit)),
    ]
    for name in CUTS:
        value = measure(fit, name)
        if math.isnan(value):
            continue
        cut = THRESHOLDS[CUTS[name][0]]
        limits, source = cut_text(name)
        passed = cut.holds(value) if fit.trustworthy else None
        text = _("{name} = {value}; cut-off {limits}.").format(
            name=name.upper(), value=format_number(value, 3, bounded=True), limits=limits
        )
        checks.append(CheckResult(name.upper(), passed, value, cut.value, source, text))
    return checks


@passes_unavailable
def loading_sentence(fit: ModelFit) -> str:
    """Read the smallest standardised loading aloud."""
    rows = fit.rows("=~")
    weakest = rows.loc[rows["std_all"].abs().idxmin()]
    cut = THRESHOLDS["loading"]
    below = int((rows["std_all"].abs() < cut.value).sum())
    return _(
        "The smallest standardised loading is {value} (item {item} of {construct}); loadings below "
        "{cut}: {below} of {total}."
    ).format(
        value=format_number(weakest["std_all"], bounded=True),
        item=weakest["rhs"],
        construct=fit.label(weakest["lhs"]),
        below=below,
        total=len(rows),
        cut=format_number(cut.value, 3, bounded=True),
    )


@passes_unavailable
def path_sentence(fit: ModelFit) -> str:
    """Read the largest standardised structural path aloud, with its interval."""
    rows = fit.rows("~").dropna(subset=["std_all"])
    strongest = rows.loc[rows["std_all"].abs().idxmax()]
    values = {
        "predictor": fit.label(strongest["rhs"]),
        "outcome": fit.label(strongest["lhs"]),
        "std": format_number(strongest["std_all"], bounded=True),
        "b": format_number(strongest["est"]),
        "percent": f"{100 * LEVEL:g}",
        "ci": format_interval(strongest["ci_low"], strongest["ci_high"]),
    }
    if not fit.n_known:
        return _(
            "The strongest path runs from {predictor} to {outcome}: one standard deviation more "
            "goes with {std} standard deviations."
        ).format(**values)
    return _(
        "The strongest path runs from {predictor} to {outcome}: one unit more is associated with "
        "{b} units, {percent}% CI {ci}; standardised {std}."
    ).format(**values)


@passes_unavailable
def explained_sentence(fit: ModelFit) -> str:
    """Read the explained variance of the last outcome aloud."""
    shares = explained(fit).dropna()
    if shares.empty:
        return _("The model predicts no construct.")
    return _("The model accounts for {percent}% of the variance of {outcome}.").format(
        percent=f"{100 * shares.iloc[-1]:.0f}", outcome=fit.label(shares.index[-1])
    )


@passes_unavailable
def effect_sentence(fit: ModelFit, effects: Effects) -> str:
    """Read the sum of the indirect effects, else the total effect, aloud."""
    if not fit.trustworthy:
        return state_sentence(fit)
    if not fit.n_known:
        return _("Without the number of respondents there is no interval, and so no verdict.")
    row = effects.row("total_indirect")
    indirect = row is not None
    row = row if indirect else effects.row("total")
    values = {
        "source": fit.label(effects.source),
        "outcome": fit.label(effects.outcome),
        "estimate": format_number(row["estimate"], 3),
        "percent": f"{100 * effects.level:g}",
        "ci": format_interval(row["ci_low"], row["ci_high"], 3),
    }
    if not indirect:
        return _(
            "No indirect way leads from {source} to {outcome}; the direct effect is {estimate}, "
            "{percent}% CI {ci}."
        ).format(**values)
    return _(
        "Through other constructs, one unit more of {source} is associated with {estimate} units "
        "of {outcome}, {percent}% CI {ci}."
    ).format(**values)


def signed_p(p: float) -> str:
    """Return ``= .012``, ``< .001`` or ``> .999``."""
    text = format_p(p)
    return text if text.startswith(("<", ">")) else f"= {text}"


def _converged_text(fit: ModelFit) -> str:
    """Say that the estimation converged, or what was found."""
    if fit.result.converged:
        return _("The estimation converged.")
    return problems_text(fit.result.problems)


def _admissible_text(fit: ModelFit) -> str:
    """Say that the solution is admissible, or what was found."""
    if fit.result.admissible:
        return _("No negative variance, no correlation beyond 1, all matrices positive definite.")
    return problems_text(fit.result.problems)


@passes_unavailable
def validity_sentence(fit: ModelFit) -> str | Unavailable:
    """Read the weakest construct's composite reliability and AVE aloud."""
    table = validity_table(fit)
    if isinstance(table, Unavailable):
        return table
    frame = table.frame
    cr, ave = THRESHOLDS["composite_reliability"], THRESHOLDS["ave"]
    weakest = frame.loc[frame["ave"].idxmin()]
    below = frame[(frame["composite_reliability"] < cr.value) | (frame["ave"] < ave.value)]
    return _(
        "{construct} has the smallest average variance extracted, {ave}, with a composite "
        "reliability of {cr}. Constructs that miss a cut-off: {below} of {total}."
    ).format(
        construct=weakest["construct"],
        ave=format_number(weakest["ave"], bounded=True),
        cr=format_number(weakest["composite_reliability"], bounded=True),
        below=len(below),
        total=len(frame),
    )


@passes_unavailable
def residual_sentence(fit: ModelFit) -> str:
    """Read the worst pair of items aloud."""
    pairs = largest_residuals(fit)
    worst = pairs.iloc[0]
    text = _(
        "The worst pair is {a} with {b}: observed correlation {observed}, implied {implied}."
    ).format(
        a=worst["item_a"],
        b=worst["item_b"],
        observed=format_number(worst["observed"], bounded=True),
        implied=format_number(worst["implied"], bounded=True),
    )
    if not fit.n_known:
        return text
    count = _("Pairs with a normalised residual beyond {cut}: {large} of {total}.").format(
        large=int((pairs["normalized"].abs() > LARGE_RESIDUAL).sum()),
        total=len(pairs),
        cut=format_number(LARGE_RESIDUAL),
    )
    return f"{text} {count}"


@passes_unavailable
def agreement_sentence(fit: ModelFit) -> str:
    """Say how far semopy lies from this engine for the model, by plain ML on complete rows."""
    plain = fit.plain()
    return plain.text() if isinstance(plain, Unavailable) else agreement(plain).text()


@passes_unavailable
def recovery_sentence(recovered: ApaTable) -> str:
    """Say how many intervals cover the planted value."""
    covered = recovered.frame["covered"]
    return _(
        "{hits} of {total} intervals of {percent}% cover the value that was planted; about "
        "{expected} are expected to."
    ).format(
        hits=int(covered.sum()),
        total=len(covered),
        percent=f"{100 * LEVEL:g}",
        expected=round(LEVEL * len(covered)),
    )


@passes_unavailable
def mediation_verdict(fit: ModelFit, effects: Effects) -> str:
    """Name the kind of mediation after Zhao, Lynch & Chen (2010, doi:10.1086/651257)."""
    if not fit.trustworthy:
        return state_sentence(fit)
    indirect, direct = effects.row("total_indirect"), effects.row("direct")
    if indirect is None:
        return _("The model has no indirect way, so mediation cannot be judged.")
    if direct is None:
        return _(
            "The model has no direct path, so full mediation is assumed here and must be tested "
            "against a model with the path."
        )
    if not fit.n_known:
        return _("Without the number of respondents there is no interval, and so no verdict.")
    return _("In the terms of Zhao, Lynch and Chen: {kind}.").format(
        kind=_mediation_kind(indirect, direct)
    )


def _mediation_kind(indirect: pd.Series, direct: pd.Series) -> str:
    """Return the kind of mediation from two intervals."""
    some_indirect = indirect["ci_low"] > 0 or indirect["ci_high"] < 0
    some_direct = direct["ci_low"] > 0 or direct["ci_high"] < 0
    if some_indirect and some_direct:
        same = indirect["estimate"] * direct["estimate"] > 0
        return _("complementary mediation") if same else _("competitive mediation")
    if some_indirect:
        return _("indirect-only mediation")
    if some_direct:
        return _("direct effect only, no mediation")
    return _("no effect, direct or indirect, whose interval excludes zero")
