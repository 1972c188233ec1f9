"""Tables and sentences of method bias: marker, latent method factor, Harman's share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.measurement.adequacy import SingleFactorShare
from helpers.results import CheckResult
from helpers.sem.method_results import VARIANTS, MarkerModels, MethodPaths
from helpers.sem.study_fit import variable_labels
from helpers.sem.study_method import MarkerPaths, StudyMarker
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_number
from helpers.thresholds import LEVEL


def model_name(key: str) -> str:
    """Return what a reader calls a model with a method factor."""
    return {
        "base": _("Without a method factor"),
        "cfa": _("CFA, marker correlated"),
        "baseline": _("Baseline, marker uncorrelated"),
        "method_c": _("Method-C, equal loadings"),
        "method_u": _("Method-U, free loadings"),
        "method_r": _("Method-R, correlations held"),
        "marker_equal": _("Marker, equal loadings"),
        "marker_free": _("Marker, free loadings"),
        "factor_equal": _("Latent method factor, equal loadings"),
        "factor_free": _("Latent method factor, free loadings"),
    }[key]


def short_name(key: str) -> str:
    """Return a model's name for a column or a legend."""
    return {
        "base": _("Uncorrected"),
        "marker_equal": _("Marker, equal"),
        "marker_free": _("Marker, free"),
        "factor_equal": _("Factor, equal"),
        "factor_free": _("Factor, free"),
    }[key]


def state_name(state: str) -> str:
    """Return the state of a model in words."""
    return {
        "ok": _("converged, admissible"),
        "held": _("method variance below 0, held at 0"),
        "inadmissible": _("not admissible"),
        "not converged": _("not converged"),
        "not fitted": _("not fitted"),
    }[state]


@passes_unavailable
def marker_sentence(study: Study, marker: StudyMarker) -> str:
    """Say which construct is the marker."""
    text = _(
        "The marker is {name}, asked by {k} items; the study file names it as unrelated in theory "
        "to every other construct."
    )
    return text.format(name=study.construct_name(marker.code), k=len(marker.items))


def harman_sentence(share: SingleFactorShare) -> str:
    """Read Harman's share aloud, with what it cannot say."""
    return _(
        "One unrotated factor carries {factor:.0%} of the variance of {k} items (the first "
        "component {component:.0%}). This says nothing about method bias by itself: a large share "
        "can be one real cause, and bias can hide in a small one."
    ).format(factor=share.factor_share, component=share.component_share, k=share.n_items)


@passes_unavailable
def marker_correlations_table(study: Study, found: MarkerPaths) -> ApaTable:
    """Return the correlation of the marker with every scale."""
    rows = found.adjustment.marker_rows()
    frame = rows.assign(construct=[study.construct_name(c) for c in rows["construct"]])
    note = _(
        "n = {n}, {dropped} left out for a blank. Scale means; intervals by Fisher's z."
    ).format(n=found.adjustment.n_used, dropped=found.adjustment.n_dropped)
    return apa_table(
        frame,
        caption=_("Correlations of the marker with the scales"),
        columns=[Column("construct", _("Construct"), "text"),
                 Column("r", _("r with the marker"), "bounded", 3),
                 interval_column(bounded=True, decimals=3)],
        note=note,
    )  # fmt: skip


@passes_unavailable
def adjusted_pairs_table(study: Study, found: MarkerPaths) -> ApaTable:
    """Return every correlation before and after the correction of Lindell and Whitney."""
    rows = found.adjustment.pairs
    frame = rows.assign(
        pair=[f"{study.construct_name(a)} – {study.construct_name(b)}"
              for a, b in zip(rows["a"], rows["b"])]
    )  # fmt: skip
    columns = [
        Column("pair", _("Pair"), "text"),
        Column("r", "r", "bounded"),
        Column("p_value", "p", "p"),
        Column("r_adjusted", _("r adjusted"), "bounded"),
        Column("p_adjusted", _("p adjusted"), "p"),
        Column("r_adjusted_high", _("r, upper bound"), "bounded"),
        Column("p_adjusted_high", _("p, upper bound"), "p"),
    ]
    note = _(
        "Scale means, n = {n}. Adjusted for a marker correlation of {low}; in the last columns for "
        "{high}, its upper {level:.0%} bound."
    ).format(
        n=found.adjustment.n_used,
        low=format_number(found.adjustment.r_marker, 3, bounded=True),
        high=format_number(found.adjustment.r_marker_high, 3, bounded=True),
        level=found.adjustment.level,
    )
    if (rows["r"] < 0).any():
        note += " " + _(
            "The method is taken to add the same to every correlation, so that a negative one "
            "grows in size."
        )
    if (rows[["r_adjusted", "r_adjusted_high"]].abs() > 1).any(axis=None):
        note += " " + _(
            "A dash for p: the adjusted value lies outside −1 to 1, so that a method which adds to "
            "every correlation cannot be the reason for this pair."
        )
    caption = _("Correlations before and after the marker correction")
    return apa_table(frame, caption=caption, columns=columns, note=note)


@passes_unavailable
def adjusted_sentence(study: Study, found: MarkerPaths) -> str:
    """Read the marker correction aloud."""
    own, rows = found.adjustment, found.adjustment.pairs
    clear = rows["p_value"] < 1 - own.level
    still, cautious = (
        int((clear & (rows[key] < 1 - own.level)).sum())
        for key in ("p_adjusted", "p_adjusted_high")
    )
    text = _(
        "The correlation that stands for the method is that of the marker with {name}, {r}. Once "
        "its size is taken out, {still} of the {clear} correlations that differed from 0 "
        "(p < {alpha}) still do, and {cautious} with its upper bound; the median size goes from "
        "{before} to {after}."
    )
    return text.format(
        name=study.construct_name(own.taken_from),
        r=format_number(float(own.marker_correlations[own.taken_from]), 3, bounded=True),
        still=still,
        clear=int(clear.sum()),
        cautious=cautious,
        alpha=format_number(1 - own.level, bounded=True),
        before=format_number(float(rows["r"].abs().median()), 3, bounded=True),
        after=format_number(float(rows["r_adjusted"].abs().median()), 3, bounded=True),
    )


@passes_unavailable
def models_table(found: MarkerModels | MethodPaths) -> ApaTable:
    """Return the models with a method factor, their state, fit and mean method share."""
    frame = found.table() if isinstance(found, MarkerModels) else found.fits()
    frame = frame.assign(
        model=[model_name(k) for k in frame["key"]], words=[state_name(s) for s in frame["state"]]
    )
    columns = [
        Column("model", _("Model"), "text"),
        Column("chisq", "χ²", "number", 1),
        Column("df", "df", "integer"),
        Column("cfi", "CFI", "bounded", 3),
        Column("rmsea", "RMSEA", "bounded", 3),
        Column("srmr", "SRMR", "bounded", 3),
        Column("share", _("Method share"), "percent", 1),
        Column("words", _("State"), "text"),
    ]
    note = _(
        "Maximum likelihood, n = {n}, {dropped} left out for a blank. Method share: mean squared "
        "standardised loading of the items on the method factor."
    ).format(n=found.n_used, dropped=found.n_dropped)
    caption = (
        _("The CFA marker technique")
        if isinstance(found, MarkerModels)
        else _("Structural models without and with a method factor")
    )
    return apa_table(frame, caption=caption, columns=columns, note=note)


def changes_table(
    study: Study, found: MethodPaths | Unavailable, scores: MarkerPaths | Unavailable
) -> ApaTable | Unavailable:
    """Return every structural path under every correction, in one table."""
    if isinstance(found, Unavailable):
        return found
    frame, names = found.paths, _labels(study, found)
    columns = [
        Column("name", _("Predictor"), "text"),
        Column("base", "β", "bounded"),
        interval_column(bounded=True),
    ]
    signs = dict(zip(VARIANTS, ("M =", "M ≠", "F =", "F ≠"), strict=True))
    columns += [Column(key, signs[key], "bounded") for key in found.variants]
    if not isinstance(scores, Unavailable):
        frame = frame.merge(scores.paths, on=["outcome", "predictor"], how="left")
        columns += [
            Column("scores", _("Means"), "bounded"),
            Column("scores_adjusted", _("Adjusted"), "bounded"),
        ]
    frame = frame.assign(
        name=[names.get(p, p) for p in frame["predictor"]],
        group=[names.get(o, o) for o in frame["outcome"]],
    )
    return apa_table(
        frame,
        caption=_("Every structural path under every correction for method bias"),
        columns=columns,
        section="group",
        note=_changes_note(found, scores),
    )


def _changes_note(found: MethodPaths, scores: MarkerPaths | Unavailable) -> str:
    """Explain the columns that the table of paths has."""
    parts = [
        _("Standardised paths, n = {n}. β and its interval: the model without a method factor.")
    ]
    if not isinstance(found.marker, Unavailable):
        parts.append(_("M: with the marker behind all items."))
    parts.append(
        _("F: with a latent method factor. =: equal unstandardised loadings; ≠: free loadings.")
    )
    base = found.models["base"].result
    ends = set(found.paths["outcome"]) | set(found.paths["predictor"])
    if not isinstance(base, Unavailable) and ends - set(base.latent):
        parts.append(_("Observed variables of a path do not load on a method factor."))
    if found.paths[list(found.variants)].isna().any(axis=None):
        parts.append(_("A dash stands for a model without an admissible solution."))
    note = " ".join(parts).format(n=found.n_used)
    if isinstance(scores, Unavailable):
        return note
    return f"{note} " + _(
        "Means: regressions among scale means (n = {n}), before and after the correction of "
        "Lindell and Whitney (2001); they are attenuated by measurement error."
    ).format(n=scores.adjustment.n_used)


@passes_unavailable
def changes_sentence(study: Study, found: MethodPaths) -> str:
    """Say which path moves most under any correction, and whether it leaves its interval."""
    rows = found.changes()
    if rows.empty:
        return _("No model with a method factor has an admissible solution.")
    top, names = rows.loc[rows["change"].abs().idxmax()], _labels(study, found)
    place = (
        _("This lies outside the interval of the uncorrected path.")
        if top["outside"]
        else _("This lies inside the interval of the uncorrected path.")
    )
    text = _(
        "The path that moves most is {predictor} → {outcome}: from {before} to {after} ({model})."
    ).format(
        predictor=names.get(top["predictor"], top["predictor"]),
        outcome=names.get(top["outcome"], top["outcome"]),
        before=format_number(top["base"], bounded=True),
        after=format_number(top["adjusted"], bounded=True),
        model=model_name(top["variant"]),
    )
    return f"{text} {place}"


@passes_unavailable
def changes_picture(study: Study, found: MethodPaths) -> pd.DataFrame:
    """Return the paths uncorrected, and under the correction that moves one most, for a forest."""
    rows, names, changes = [], _labels(study, found), found.changes()
    far = [] if changes.empty else [changes.loc[changes["change"].abs().idxmax(), "variant"]]
    for record in found.paths.to_dict("records"):
        label = " → ".join(names.get(record[end], record[end]) for end in ("predictor", "outcome"))
        low, high = record["ci_low"], record["ci_high"]
        rows.append({"label": label, "estimate": record["base"], "ci_low": low, "ci_high": high,
                     "model": short_name("base")})  # fmt: skip
        for key in far:
            rows.append({"label": label, "estimate": record[key], "ci_low": np.nan,
                         "ci_high": np.nan, "model": short_name(key)})  # fmt: skip
    return pd.DataFrame(rows)


def _labels(study: Study, found: MethodPaths) -> dict[str, str]:
    """Return what a reader calls the variables of the model."""
    return variable_labels(study, found.models["base"].syntax)


@passes_unavailable
def method_checks(found: MethodPaths) -> list[CheckResult]:
    """Say for each correction whether every path stays in its uncorrected interval."""
    return [_method_check(found, key) for key in found.variants]


def _method_check(found: MethodPaths, key: str) -> CheckResult:
    """Hold the paths of one correction against their uncorrected intervals."""
    name = _("{model}: paths inside their intervals").format(model=model_name(key))
    if not found.models[key].trustworthy:
        state = state_name(found.models[key].state)
        return CheckResult(name, None, text=_("No paths to compare: {state}.").format(state=state))
    base, value = found.paths["base"], found.paths[key]
    largest = float((value - base).abs().max())
    kept = value.between(found.paths["ci_low"], found.paths["ci_high"])
    text = _(
        "{k} of {of} paths stay inside the {level:.0%} interval of the uncorrected model; the "
        "largest change is {change}; sign changes: {turned}."
    ).format(
        k=int(kept.sum()),
        of=len(kept),
        level=LEVEL,
        change=format_number(largest, 3, bounded=True),
        turned=int((base * value < 0).sum()),
    )
    return CheckResult(name=name, passed=bool(kept.all()), value=largest, text=text)
