"""Printed tables of structural equation models: fit, loadings, paths, effects, rivals, groups."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, Unavailable, listing, passes_unavailable
from helpers.i18n import _
from helpers.measurement.reliability import average_variance_extracted, composite_reliability
from helpers.results import Basis
from helpers.sem.effects import Effects
from helpers.sem.result import error_kinds
from helpers.sem.study_fit import ModelFit
from helpers.survey.simulate.recovery import recovery_of_paths
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.concluding import recovery_table
from helpers.tables.numbers import format_integer, format_interval, format_number, format_p
from helpers.thresholds import THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study

CUTS = {
    "cfi": ("cfi", "cfi_low"),
    "tli": ("tli", "tli_low"),
    "rmsea": ("rmsea", "rmsea_high"),
    "srmr": ("srmr",),
}
"""Fit measure -> rows of ``THRESHOLDS``, the stricter first."""


def measure(fit: ModelFit, name: str) -> float:
    """Return a fit measure in its robust, else scaled, else plain form; NaN if there is none."""
    found = fit.fit_measures
    forms = (f"{name}_scaled", name) if name in ("chisq", "df", "pvalue") else None
    for key in forms or (f"{name}_robust", f"{name}_scaled", name):
        value = found.get(key)
        if isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    return math.nan


def rmsea_interval(fit: ModelFit) -> tuple[float, float]:
    """Return the 90 % interval of the RMSEA in the form that ``measure`` takes."""
    for form in ("_robust", "_scaled", ""):
        low = fit.fit_measures.get(f"rmsea_ci_lower{form}")
        high = fit.fit_measures.get(f"rmsea_ci_upper{form}")
        if isinstance(low, float) and isinstance(high, float) and math.isfinite(low):
            return low, high
    return math.nan, math.nan


def cut_text(name: str) -> tuple[str, str]:
    """Return the cut-off as text, and its source; two dashes for a measure without one."""
    if name not in CUTS:
        return "–", "–"
    rows = [THRESHOLDS[key] for key in CUTS[name]]
    sign = "≥" if rows[0].direction == "min" else "≤"
    limits = [f"{sign} {format_number(r.value, bounded=True)}" for r in rows]
    text = limits[0] if len(limits) == 1 else f"{limits[0]} ({limits[1]})"
    return text, _("; ").join(dict.fromkeys(_(r.source) for r in rows))


def basis_of(fit: ModelFit, *, errors: str | None = None) -> Basis:
    """Return N, estimator, kind of standard error and engine behind the numbers of a fit."""
    result = fit.result
    return Basis(
        n_used=result.n_obs if fit.n_known else None,
        estimator=result.estimator,
        errors=(result.se_type if errors is None else errors) if fit.n_known else "",
        engine=result.engine,
        version=result.version,
    )


@passes_unavailable
def fit_table(fit: ModelFit) -> ApaTable:
    """Return the fit measures, each with its cut-off and source."""
    rows = [_fit_row(name, measure(fit, name)) for name in ("chisq", "df", "pvalue", "cfi", "tli")]
    low, high = rmsea_interval(fit)
    rows.append(
        _fit_row("rmsea", measure(fit, "rmsea"), format_interval(low, high, 3, bounded=True))
    )
    rows += [_fit_row(name, measure(fit, name)) for name in ("srmr", "aic", "bic", "npar")]
    frame = pd.DataFrame([r for r in rows if not math.isnan(r["value"])])
    note = _("N = {n}; estimator {estimator}. The interval of the RMSEA is one of 90%.").format(
        n=fit.result.n_obs if fit.n_known else _("not stated by the source"),
        estimator=fit.result.estimator,
    )
    if {"chisq_scaled", "cfi_robust"} <= set(fit.fit_measures):
        note += " " + _("χ² is scaled; CFI, TLI and RMSEA are the robust ones.")
    columns = {
        "measure": _("Measure"),
        "shown": (_("Value"), "text"),
        "interval": (_("90% CI"), "text"),
        "cut": (_("Cut-off"), "text"),
        "source": (_("Source"), "text"),
    }
    caption = _("Fit of the model: {title}").format(title=fit.title)
    return apa_table(
        frame, caption=caption, columns=columns, note=note, basis=basis_of(fit, errors="")
    )


def _fit_row(name: str, value: float, interval: str = "") -> dict[str, Any]:
    """Return one fit measure with its printed form."""
    labels = {
        "chisq": "χ²", "df": "df", "pvalue": "p", "cfi": "CFI", "tli": "TLI", "rmsea": "RMSEA",
        "srmr": "SRMR", "aic": "AIC", "bic": "BIC", "npar": _("free parameters"),
    }  # fmt: skip
    if name == "pvalue":
        shown = format_p(value)
    elif name in ("df", "npar"):
        shown = format_integer(value) if not math.isnan(value) else "–"
    else:
        shown = format_number(value, 3 if name in CUTS else 2, bounded=name in CUTS)
    cut, source = cut_text(name)
    return {"measure": labels[name], "value": value, "shown": shown, "interval": interval,
            "cut": cut, "source": source}  # fmt: skip


@passes_unavailable
def loadings_table(fit: ModelFit) -> ApaTable:
    """Return the loadings, standardised and raw, each with an interval, construct by construct."""
    rows, ends = fit.rows("=~"), _standardised_ends(fit)
    frame = pd.DataFrame(
        {
            "construct": [fit.label(c) for c in rows["lhs"]],
            "item": rows["rhs"],
            "estimate": rows["est"],
            "se": rows["se"],
            "ci_low": rows["ci_low"],
            "ci_high": rows["ci_high"],
            "std_all": rows["std_all"],
            "std_low": ends["ci_low"],
            "std_high": ends["ci_high"],
        }
    )
    fixed = (rows["free"] == 0).to_numpy()  # a value that was set has no error
    frame.loc[fixed, ["se", "ci_low", "ci_high"]] = np.nan
    columns = [
        Column("item", _("Item"), "text"),
        Column("std_all", _("Standardised"), "bounded"),
        interval_column("std_low", "std_high", bounded=True),
        Column("estimate", _("Loading")),
        Column("se", "SE"),
        interval_column(),
    ]
    cut = THRESHOLDS["loading"]
    note = _(
        "Cut-off for standardised loadings: {cut}, {source}. A loading without SE is fixed at its "
        "value."
    )
    note = note.format(cut=format_number(cut.value, 3, bounded=True), source=cut.source)
    return apa_table(
        frame, caption=_("Loadings of the items"), columns=columns, note=note,
        section="construct", basis=basis_of(fit),
    )  # fmt: skip


def _standardised_ends(fit: ModelFit) -> pd.DataFrame:
    """Return the ends of the intervals of the standardised loadings, blank where N is unknown."""
    table = fit.result.standardized
    ends = table.loc[table["op"] == "=~", ["ci_low", "ci_high"]].reset_index(drop=True)
    return ends if fit.n_known else ends * np.nan


@passes_unavailable
def paths_table(fit: ModelFit) -> ApaTable:
    """Return the structural paths with errors, intervals and standardised values."""
    rows = fit.rows("~")
    frame = pd.DataFrame(
        {
            "outcome": [fit.label(v) for v in rows["lhs"]],
            "predictor": [fit.label(v) for v in rows["rhs"]],
            "estimate": rows["est"],
            "se": rows["se"],
            "ci_low": rows["ci_low"],
            "ci_high": rows["ci_high"],
            "p_value": rows["p_value"],
            "std_all": rows["std_all"],
        }
    )
    columns = [
        Column("predictor", _("Predictor"), "text"),
        Column("estimate", "B"),
        Column("se", "SE"),
        interval_column(),
        Column("p_value", "p", "p"),
        Column("std_all", "β", "bounded"),
    ]
    note = _("β is the completely standardised path.")
    if fit.n_known:
        kind = _("Standard errors: {kind}.").format(
            kind=error_kinds().get(fit.result.se_type, fit.result.se_type)
        )
        note = f"{kind} {note}"
    caption = _("Structural paths, by outcome")
    return apa_table(
        frame, caption=caption, columns=columns, note=note, section="outcome", basis=basis_of(fit)
    )


def explained(fit: ModelFit) -> pd.Series:
    """Return R squared of every variable that a path points to, in model order (first group)."""
    table = fit.result.r_squared
    own = table[table["group"] == table["group"].iloc[0]].set_index("variable")["r_squared"]
    return own.reindex(list(dict.fromkeys(fit.rows("~")["lhs"])))


@passes_unavailable
def r_squared_table(fit: ModelFit) -> ApaTable:
    """Return the explained variance of the constructs that the model predicts."""
    shares = explained(fit)
    frame = pd.DataFrame({"outcome": [fit.label(v) for v in shares.index], "r2": shares.to_numpy()})
    caption = _("Explained variance of the outcomes")
    return apa_table(frame, caption=caption, basis=basis_of(fit, errors=""))


@passes_unavailable
def effects_table(fit: ModelFit, effects: Effects) -> ApaTable:
    """Return direct, indirect and total effects with Monte Carlo intervals."""
    frame = effects.table.copy()
    frame["effect"] = effect_names(fit, frame)
    frame["way"] = [" → ".join(way) for way in frame["way"]]
    columns = [
        Column("effect", _("Effect"), "text"),
        Column("estimate", _("Estimate"), decimals=3),
        interval_column(level=effects.level, decimals=3),
        Column("std_all", _("Standardised"), "bounded", 3),
    ]
    note = ""
    if fit.n_known:
        note = _("Monte Carlo intervals from {draws} draws, seed {seed}.").format(
            draws=effects.n_draws, seed=effects.seed
        )
    caption = _("Effects of {source} on {outcome}").format(
        source=fit.label(effects.source), outcome=fit.label(effects.outcome)
    )
    basis = basis_of(fit, errors=f"Monte Carlo, {effects.n_draws} draws")
    return apa_table(frame, caption=caption, columns=columns, note=note, basis=basis)


def effect_names(fit: ModelFit, frame: pd.DataFrame) -> list[str]:
    """Return each effect's name: its way through the model, or which sum it is."""
    sums = {
        "direct": _("direct"),
        "total_indirect": _("all indirect"),
        "total": _("total"),
        "proportion": _("proportion mediated"),
    }
    return [
        sums.get(kind) or " → ".join(fit.label(v) for v in way)
        for kind, way in zip(frame["kind"], frame["way"])
    ]


@passes_unavailable
def effects_forest(fit: ModelFit, effects: Effects) -> pd.DataFrame:
    """Return the effects as ``plot_forest`` takes them."""
    frame = effects.table[["estimate", "ci_low", "ci_high"]].copy()
    frame.insert(0, "label", effect_names(fit, effects.table))
    return frame


@passes_unavailable
def standardised_loadings(fit: ModelFit) -> pd.DataFrame:
    """Return construct, item and standardised loading."""
    rows = fit.rows("=~")
    return pd.DataFrame(
        {
            "construct": [fit.label(c) for c in rows["lhs"]],
            "item": rows["rhs"],
            "loading": rows["std_all"],
        }
    )


@passes_unavailable
def validity_table(fit: ModelFit) -> ApaTable | Unavailable:
    """Return composite reliability and AVE of every construct, from standardised loadings.

    A standardised loading beyond 1 goes with a negative residual variance; then there are none.
    """
    rows = fit.rows("=~")
    beyond = rows.loc[rows["std_all"].astype(float).abs() > 1, "rhs"]
    if len(beyond):
        return Unavailable(
            _("CR and AVE of the constructs"),
            _("standardised loadings lie beyond 1: {items}").format(items=listing(beyond)),
        )
    table = []
    for construct, own in rows.groupby("lhs", sort=False):
        loadings = own["std_all"].to_numpy(float)
        table.append(
            {
                "construct": fit.label(construct),
                "n_items": len(own),
                "smallest": loadings.min(),
                "composite_reliability": composite_reliability(loadings),
                "ave": average_variance_extracted(loadings),
            }
        )
    columns = {
        "construct": _("Construct"),
        "n_items": (_("Items"), "integer"),
        "smallest": (_("Smallest loading"), "bounded"),
        "composite_reliability": ("CR", "bounded"),
        "ave": ("AVE", "bounded"),
    }
    cr, ave = THRESHOLDS["composite_reliability"], THRESHOLDS["ave"]
    note = _("Cut-offs: CR {cr}, AVE {ave}, {source}.").format(
        cr=format_number(cr.value, bounded=True),
        ave=format_number(ave.value, bounded=True),
        source=cr.source,
    )
    caption = _("Composite reliability and average variance extracted")
    frame, basis = pd.DataFrame(table), basis_of(fit, errors="")
    return apa_table(frame, caption=caption, columns=columns, note=note, basis=basis)


def recovered_paths(study: Study, fit: ModelFit) -> ApaTable | Unavailable:
    """Return planted and estimated paths of a simulated study's structural model."""
    if isinstance(fit, Unavailable):
        return fit
    truth = study.truth
    if isinstance(truth, Unavailable):
        return truth
    try:
        recovered = recovery_of_paths(fit.estimates, truth)
    except DataContractError as error:
        return Unavailable(_("the recovery of planted paths"), str(error))
    recovered = recovered.rename(columns={"quantity": "label", "where": "table"})
    recovered["label"] = [_told(fit, name) for name in recovered["label"]]
    return recovery_table(
        recovered.sort_values("table", kind="stable"),
        caption=_("Planted paths and their estimates, in the metric of the marker items"),
    )


def _told(fit: ModelFit, name: str) -> str:
    """Return a path, ``RSAT ~ REC``, or a defined effect in words."""
    outcome, _sign, predictor = name.partition(" ~ ")
    return f"{fit.label(predictor)} → {fit.label(outcome)}" if predictor else fit.label(name)


@passes_unavailable
def residuals_table(fit: ModelFit, *, most: int = 8) -> ApaTable:
    """Return the pairs of items with the largest normalised residuals."""
    frame = largest_residuals(fit).head(most)
    columns = {
        "item_a": (_("Item"), "text"),
        "item_b": (_("Item"), "text"),
        "observed": (_("Observed r"), "bounded"),
        "implied": (_("Implied r"), "bounded"),
        "normalized": (_("Normalised residual"), "number"),
    }
    caption = _("Pairs that the model reproduces worst")
    return apa_table(frame, caption=caption, columns=columns, basis=basis_of(fit))


def largest_residuals(fit: ModelFit) -> pd.DataFrame:
    """Return every pair of items with observed and implied correlation, worst first.

    Columns item_a, item_b, observed, implied, normalized; the last is blank if N is not known.
    """
    own = next(iter(fit.result.residuals.values()))
    implied = next(iter(fit.result.implied.values()))["cov"]
    sample = implied + own["raw"]
    names = list(implied.index)
    observed, model = _correlations(sample), _correlations(implied)
    rows, columns = np.tril_indices(len(names), -1)
    frame = pd.DataFrame(
        {
            "item_a": [names[i] for i in rows],
            "item_b": [names[j] for j in columns],
            "observed": observed[rows, columns],
            "implied": model[rows, columns],
            "normalized": own["normalized"].to_numpy()[rows, columns] if fit.n_known else np.nan,
        }
    )
    size = frame["normalized"].abs().fillna((frame["observed"] - frame["implied"]).abs())
    return frame.loc[size.sort_values(ascending=False).index].reset_index(drop=True)


def _correlations(cov: pd.DataFrame) -> np.ndarray:
    """Return the correlation matrix of a covariance matrix."""
    values = cov.to_numpy()
    sd = np.sqrt(np.diag(values))
    return values / np.outer(sd, sd)
