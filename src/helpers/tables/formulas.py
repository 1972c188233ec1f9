"""Tables and sentences of the formulas F1-F7, their rivals, and response surfaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.regression.design import variable_label
from helpers.regression.formulas import ABOVE_MEDIAN
from helpers.regression.hierarchical import spoken_p
from helpers.regression.study_formulas import FormulaTable
from helpers.regression.surface import ResponseSurface
from helpers.results import CheckResult, Number
from helpers.sem.formula_paths import LatentFormula
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_number

if TYPE_CHECKING:
    from helpers.survey.load import Study


def _term(name: str) -> str:
    """Return a column of a formula in words."""
    return _("LOGQ above its median") if name == ABOVE_MEDIAN else name


def formulas_table(result: FormulaTable | Unavailable) -> ApaTable | Unavailable:
    """Return one row a formula: what it says, its rival, and how they compare."""
    if isinstance(result, Unavailable):
        return result
    note = _(
        "The test is of the constraints that turn the rival into the formula: F, or for the "
        "count of F1 a likelihood ratio. Respondents: {least} to {most}, listwise by formula."
    ).format(
        least=min(r.n_used for r in result.results), most=max(r.n_used for r in result.results)
    )
    counts = [r.scaled.text() for r in result.results if not isinstance(r.scaled, Unavailable)]
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
        ],
        note=" ".join([note, *counts]),
    )


@passes_unavailable
def likelihoods_table(result: FormulaTable) -> ApaTable:
    """Return the rivals against the formulas by likelihood and by error of prediction."""
    table = result.table()
    return apa_table(
        table,
        caption=_("The rivals less the formulas: likelihood and error of prediction"),
        columns=[
            Column("formula", _("Formula"), "text"),
            Column("delta_aic", "ΔAIC", "number", 1),
            Column("delta_bic", "ΔBIC", "number", 1),
            Column("vuong_z", _("z, Vuong")),
            Column("vuong_p", _("p, Vuong"), "p"),
            Column("cv_formula", _("RMSE, formula"), "number", 3),
            Column("delta_error", "ΔRMSE", "number", 3),
            Column("delta_error_se", "SE", "number", 3),
        ],
        note=_(
            "Below zero the rival does better; z of Vuong's test is above zero where the formula "
            "is nearer to the data. RMSE: error of prediction (ten folds, five times), its SE "
            "corrected for shared rows."
        ),
    )


def weights_table(result: FormulaTable | Unavailable, study: Study) -> ApaTable | Unavailable:
    """Return the rivals' free weights beside the weights that formulas fix."""
    if isinstance(result, Unavailable):
        return result
    shown = result.weights()
    needed = dict.fromkeys(name for r in result.results for name in r.formula.needs[1:])
    codes = [f"{name} {variable_label(study, name)}" for name in needed]
    return apa_table(
        shown.assign(term=[_term(term) for term in shown["term"]]),
        note=_(
            "{codes}. A 2 after a code is its square, x between two codes their product; '1 or '2 "
            "after a code is a curved term of the spline."
        ).format(codes=_("; ").join(codes)),
        caption=_("Free weights of the rivals"),
        columns=[
            Column("term", _("Term"), "text"),
            Column("estimate", _("Estimate")),
            interval_column(),
            Column("stated", _("The formula says")),
            Column("p_stated", _("p of it"), "p"),
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


@passes_unavailable
def formulas_numbers(result: FormulaTable) -> list[Number]:
    """Return the free weight behind every weight that a formula states."""
    shown = result.weights().dropna(subset="stated")
    sizes = {r.formula.id: r.n_used for r in result.results}
    return [
        Number(
            id=f"weight_{w.formula}_{w.term}",
            value=float(w.estimate),
            definition=_("free weight of {term} in the rival of {formula}").format(
                term=w.term, formula=w.formula
            ),
            ci_low=float(w.ci_low),
            ci_high=float(w.ci_high),
            level=result.results[0].level,
            n_used=sizes[w.formula],
            method="OLS, HC3",
            engine="statsmodels",
        )
        for w in shown.itertuples()
    ]


def surface_lines() -> dict[str, str]:
    """Return what each number of a surface says."""
    return {
        "a1": _("slope along x = y"),
        "a2": _("curvature along x = y"),
        "a3": _("slope along x = −y"),
        "a4": _("curvature along x = −y"),
        "a5": _("turn of the ridge against x = y"),
    }


def surface_table(surfaces: Mapping[str, ResponseSurface] | Unavailable) -> ApaTable | Unavailable:
    """Return slopes and curvatures along the two lines, one section a surface."""
    if isinstance(surfaces, Unavailable):
        return surfaces
    words = surface_lines()
    parts = [
        s.lines.assign(reading=s.lines["name"].map(words), surface=title)
        for title, s in surfaces.items()
    ]
    first = next(iter(surfaces.values()))
    return apa_table(
        pd.concat(parts, ignore_index=True),
        caption=_("Response surfaces: slopes and curvatures"),
        columns=[
            Column("name", _("Quantity"), "text"),
            Column("reading", _("Reading"), "text"),
            Column("estimate", _("Estimate"), "number", 3),
            Column("se", "SE", "number", 3),
            interval_column(decimals=3),
            Column("p_value", "p", "p"),
        ],
        section="surface",
        note=_(
            "Polynomial of second degree in two qualities less {centre:g}, Poisson regression of "
            "the number of further problems, sandwich errors; n = {n}."
        ).format(
            centre=first.centre,
            n=" / ".join(dict.fromkeys(str(s.n_used) for s in surfaces.values())),
        ),
    )


def axes_table(surfaces: Mapping[str, ResponseSurface] | Unavailable) -> ApaTable | Unavailable:
    """Return stationary point and principal axes with bootstrap intervals."""
    if isinstance(surfaces, Unavailable):
        return surfaces
    words = {
        "x0": _("stationary point, x"),
        "y0": _("stationary point, y"),
        "p10": _("first principal axis, intercept"),
        "p11": _("first principal axis, slope"),
        "p20": _("second principal axis, intercept"),
        "p21": _("second principal axis, slope"),
    }
    parts = [
        s.shape.assign(reading=s.shape["name"].map(words), surface=title)
        for title, s in surfaces.items()
    ]
    first = next(iter(surfaces.values()))
    return apa_table(
        pd.concat(parts, ignore_index=True),
        caption=_("Stationary point and principal axes"),
        columns=[
            Column("reading", _("Quantity"), "text"),
            Column("estimate", _("Estimate")),
            interval_column(),
        ],
        section="surface",
        note=_(
            "Percentile intervals of {b} bootstrap draws, {failed} failed. Where curvatures are "
            "near zero the point and the axes run off to infinity, and the intervals show it."
        ).format(b=first.n_boot, failed=sum(s.n_failed for s in surfaces.values())),
    )


def surface_sentence(surfaces: Mapping[str, ResponseSurface] | Unavailable) -> str | Unavailable:
    """Read the slope along the line of gaps, and whether curvature is needed."""
    if isinstance(surfaces, Unavailable):
        return surfaces
    parts = []
    for title, surface in surfaces.items():
        gap, even = surface.line("a3"), surface.line("a1")
        parts.append(
            _(
                "For {title}: along the line of gaps the log count changes by {gap} a step "
                "({low} to {high}), along the line of equal qualities by {even} "
                "({even_low} to {even_high}); p {p} of the three curved terms."
            ).format(
                title=title,
                gap=format_number(gap["estimate"]),
                low=format_number(gap["ci_low"]),
                high=format_number(gap["ci_high"]),
                even=format_number(even["estimate"]),
                even_low=format_number(even["ci_low"]),
                even_high=format_number(even["ci_high"]),
                p=spoken_p(surface.gain_p),
            )
        )
    return " ".join(parts)


@passes_unavailable
def surface_grid(surfaces: Mapping[str, ResponseSurface]) -> pd.DataFrame:
    """Return the predicted counts of the last surface."""
    return list(surfaces.values())[-1].grid


def surface_axes(
    surfaces: Mapping[str, ResponseSurface] | Unavailable, study: Study
) -> dict[str, object]:
    """Return axis labels and respondents of the last surface."""
    if isinstance(surfaces, Unavailable):
        return {}
    last = list(surfaces.values())[-1]
    return {
        "xlabel": variable_label(study, last.x), "ylabel": variable_label(study, last.y),
        "label": _("expected number of further problems"), "points": last.points,
    }  # fmt: skip


@passes_unavailable
def latent_table(result: LatentFormula, study: Study) -> ApaTable:
    """Return F5 among scores and among latent variables."""
    table = result.paths
    words = [
        _("{outcome} on {predictor}").format(
            outcome=variable_label(study, a), predictor=variable_label(study, b)
        )
        for a, b in zip(table["outcome"], table["predictor"], strict=True)
    ]
    return apa_table(
        table.assign(label=words),
        caption=_("F5 among scale scores and among latent variables"),
        columns=[
            Column("label", _("Path"), "text"),
            Column("beta", _("β, scores"), "bounded"),
            interval_column("beta_low", "beta_high", bounded=True),
            Column("latent", _("β, latent"), "bounded"),
            interval_column("latent_low", "latent_high", bounded=True),
        ],
        note=_(
            "Scores: least squares, HC3. Latent: MLR with FIML, n = {n}; loyalty by the first item "
            "of each facet. Interaction left out."
        ).format(n=result.n_used),
    )


@passes_unavailable
def latent_sentence(result: LatentFormula, study: Study) -> str | Unavailable:
    """Read aloud what the first path loses to measurement error."""
    if not result.trustworthy:
        return Unavailable(
            _("the formula with latent variables"), _("the model has no admissible solution")
        )
    row = result.paths.iloc[0]
    return _(
        "The slope of {outcome} on {predictor} is {beta} among scores and {latent} among latent "
        "variables ({low} to {high})."
    ).format(
        outcome=variable_label(study, row["outcome"]),
        predictor=variable_label(study, row["predictor"]),
        beta=format_number(row["beta"]),
        latent=format_number(row["latent"]),
        low=format_number(row["latent_low"]),
        high=format_number(row["latent_high"]),
    )
