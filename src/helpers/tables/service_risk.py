"""Tables and sentences of the risk of leaving: how good it is, whom it serves, where to call."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.regression.design import variable_label
from helpers.results import Basis
from helpers.service.risk_data import BLANK, RiskData
from helpers.service.risk_fairness import Fairness
from helpers.service.risk_scores import Performance
from helpers.service.risk_segments import BETWEEN, OTHER
from helpers.service.risk_study import RiskModel
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column, interval_label
from helpers.tables.numbers import format_interval, format_number, format_percent
from helpers.thresholds import THRESHOLDS


def code_label(study: Study, item: str, code: float) -> str:
    """Return an answer's label in the current language, or the code itself."""
    words = {float(k): pick(v.model_dump()) for k, v in study.scale_of(item).labels.items()}
    return words.get(float(code), f"{code:g}")


def column_label(study: Study, column: str) -> str:
    """Return a predictor column in words: a variable, one of its categories, or its blanks."""
    name, _sign, code = column.partition("=")
    label = variable_label(study, name)
    if not code:
        return label
    if code == BLANK:
        return _("{name}: none, or not answered").format(name=label)
    return _("{name}: {category}").format(name=label, category=code_label(study, name, float(code)))


def segment_label(study: Study, data: RiskData, segment: str) -> str:
    """Return a segment in words."""
    if segment == OTHER:
        return _("all other segments")
    items = [study.spec.groups[name].item for name in data.segments]
    return " × ".join(
        code_label(study, item, float(code))
        for item, code in zip(items, segment.split(BETWEEN), strict=True)
    )


@passes_unavailable
def performance_table(model: RiskModel) -> ApaTable:
    """Return ranking and calibration: on the same customers, and on unseen ones."""
    rows = [
        _performance_row(_("penalised, customers it was fitted on"), model.apparent),
        _performance_row(_("penalised, customers it has not seen"), model.unseen),
    ]
    note = _("n = {n}, of whom {events} left. A flat risk has a Brier score of {flat}.").format(
        n=model.unseen.n_used, events=model.unseen.n_events,
        flat=format_number(model.unseen.brier_flat, 3),
    )  # fmt: skip
    if isinstance(model.plain, Unavailable):
        note += " " + model.plain.text()
    else:
        plain = model.plain.table.set_index("measure")
        for key, label in (
            ("apparent", _("plain logit, customers it was fitted on")),
            ("corrected", _("plain logit, corrected for optimism")),
        ):
            values = {name: plain.loc[name, key] for name in ("auc", "brier", "slope")}
            rows.append({"which": label, **values})
        note += " " + _("Optimism from {n} bootstrap draws, {failed} failed.").format(
            n=model.plain.n_boot, failed=model.plain.n_failed
        )
    return apa_table(
        pd.DataFrame(rows),
        caption=_("How well the risk of leaving is told"),
        columns=[
            Column("which", _("Logit and customers"), "text"),
            Column("auc", _("Area under the curve"), "bounded"),
            interval_column("auc_low", "auc_high"),
            Column("brier", _("Brier score"), "bounded", 3),
            Column("slope", _("Calibration slope")),
            interval_column("slope_low", "slope_high"),
        ],
        note=note,
        basis=Basis(model.unseen.n_used, "lasso logit", "DeLong; Wald"),
    )


def _performance_row(label: str, found: Performance) -> dict[str, object]:
    """Return one row of the table of performance."""
    return {
        "which": label,
        "auc": found.auc,
        "auc_low": found.auc_low,
        "auc_high": found.auc_high,
        "brier": found.brier,
        "slope": found.slope,
        "slope_low": found.slope_low,
        "slope_high": found.slope_high,
    }


@passes_unavailable
def performance_sentence(model: RiskModel) -> str:
    """Read the honest performance aloud."""
    found = model.unseen
    ranking = _(
        "Of a customer who left and one who stayed, neither seen before, the one who left has the "
        "higher risk in {auc} of pairs ({percent:g}% CI {low} to {high}; chance is 50%). Fitted "
        "and judged on the same customers it would seem to be {apparent}."
    ).format(
        auc=format_percent(found.auc), low=format_percent(found.auc_low), percent=100 * found.level,
        high=format_percent(found.auc_high), apparent=format_percent(model.apparent.auc),
    )  # fmt: skip
    error = (
        _("The risks save {share} of the error of a flat risk.")
        if found.scaled_brier > 0
        else _("The risks are no better than a flat risk: their error is {share} larger.")
    ).format(share=format_percent(abs(found.scaled_brier)))
    return _("{first} {second}").format(first=ranking, second=error)


@passes_unavailable
def calibration_sentence(model: RiskModel) -> str:
    """Say whether the risks are right in size."""
    found = model.unseen
    if found.slope_low <= 1 <= found.slope_high:
        verdict = _("the interval holds 1, the value of risks that are spread rightly")
    elif found.slope < 1:
        verdict = _("below 1: high risks are too high and low ones too low")
    else:
        verdict = _("above 1: the risks are more alike than they should be")
    return _("On unseen customers the calibration slope is {slope} {interval}; {verdict}.").format(
        slope=format_number(found.slope),
        interval=format_interval(found.slope_low, found.slope_high),
        verdict=verdict,
    )


@passes_unavailable
def coefficients_table(study: Study, model: RiskModel) -> ApaTable:
    """Return what the model takes notice of, and how often it does so again."""
    table = model.coefficients.assign(
        column=[column_label(study, name) for name in model.coefficients["column"]]
    )
    kept = table[(table["coefficient"] != 0) | (table["chosen"] >= THRESHOLDS["again"].value)]
    return apa_table(
        kept,
        caption=_("What goes with leaving"),
        columns=[
            Column("column", _("Known before"), "text"),
            Column("odds", _("Odds ratio for one SD")),
            Column("chosen", _("Chosen in half samples"), "percent", 0),
        ],
        note=_(
            "Columns left out: {out} of {all}. The penalty draws ratios towards 1, and "
            "choosing and estimating on the same customers leaves no honest interval; the "
            "share of half samples in which a column is chosen says how firm it is."
        ).format(out=len(table) - len(kept), all=len(table)),
        basis=Basis(model.unseen.n_used, "lasso logit"),
    )


@passes_unavailable
def coefficients_sentence(study: Study, model: RiskModel) -> str:
    """Name what is chosen nearly always."""
    cut = THRESHOLDS["again"].value
    firm = model.coefficients[model.coefficients["chosen"] >= cut]
    up = [column_label(study, c) for c in firm.loc[firm["coefficient"] > 0, "column"]]
    down = [column_label(study, c) for c in firm.loc[firm["coefficient"] < 0, "column"]]
    if not up and not down:
        return _("No predictor is chosen in at least {share} of half samples.").format(
            share=format_percent(cut, 0)
        )
    none = _("none")
    return _(
        "Chosen in at least {share} of half samples: associated with more leaving: {up}; with "
        "less: {down}."
    ).format(
        share=format_percent(cut, 0), up=_("; ").join(up) or none, down=_("; ").join(down) or none
    )  # fmt: skip


@passes_unavailable
def fairness_table(
    study: Study, found: dict[str, Fairness | Unavailable]
) -> ApaTable | Unavailable:
    """Return calibration and error rates by group."""
    rows, notes = [], []
    for name, part in found.items():
        if isinstance(part, Unavailable):
            notes.append(part.text())
            continue
        item = study.spec.groups[name].item
        for row in part.table.to_dict("records"):
            rows.append(row | {"group": code_label(study, item, row["group"])})
        if part.too_small:
            notes.append(
                _("Too small to be shown: {names}.").format(
                    names=_(", ").join(code_label(study, item, float(c)) for c in part.too_small)
                )
            )
    if not rows:
        return Unavailable(_("errors by group"), _("no group is large enough"))
    return apa_table(
        pd.DataFrame(rows),
        caption=_("Whom the calls reach: shares called of leavers and of stayers, by group"),
        columns=[
            Column("group", _("Group"), "text"),
            Column("n_used", "n", "integer"),
            Column("observed", _("Left"), "percent", 0),
            Column("predicted", _("Risk"), "percent", 0),
            Column("reached", _("Leavers"), "percent", 0),
            Column("reached_low", interval_label(), "percent_interval", 0, "reached_high"),
            Column("in_vain", _("Stayers"), "percent", 0),
            Column("in_vain_low", interval_label(), "percent_interval", 0, "in_vain_high"),
        ],
        note=" ".join(notes),
    )


@passes_unavailable
def groups_picture(
    study: Study, found: dict[str, Fairness | Unavailable]
) -> pd.DataFrame | Unavailable:
    """Return the share that left less the mean risk of each group, as rows of a forest."""
    rows = [
        {
            "label": code_label(study, study.spec.groups[name].item, row["group"]),
            "estimate": 100 * row["excess"],
            "ci_low": 100 * row["excess_low"],
            "ci_high": 100 * row["excess_high"],
        }
        for name, part in found.items()
        if not isinstance(part, Unavailable)
        for row in part.table.to_dict("records")
    ]
    if not rows:
        return Unavailable(_("errors by group"), _("no group is large enough"))
    return pd.DataFrame(rows)


def excess_axis() -> str:
    """Return the axis of the picture of groups."""
    return _("share that left less mean risk, percentage points, 95% CI")


@passes_unavailable
def fairness_sentence(study: Study, found: dict[str, Fairness | Unavailable]) -> str:
    """Say how far error rates lie apart."""
    parts = []
    for name, part in found.items():
        if isinstance(part, Unavailable):
            continue
        parts.append(
            _("Widest gap of the two error rates by {group}: {gap} {interval}.").format(
                group=variable_label(study, study.spec.groups[name].item),
                gap=format_percent(part.gap),
                interval=f"[{format_percent(part.gap_low)}, {format_percent(part.gap_high)}]",
            )
        )
    if not parts:
        return _("Errors cannot be compared over groups.")
    return " ".join(parts) + " " + _("A gap is never below 0 and lies above it by chance alone.")


@passes_unavailable
def decision_sentence(decided: pd.DataFrame, threshold: float) -> str:
    """Say what calling by risk brings at the costs in force, against the better of all or nobody.

    ``decided`` is ``net_benefit`` at the one threshold.
    """
    row = decided.iloc[0]
    rival = _("calling everybody") if row["everybody"] > 0 else _("calling nobody")
    if row["better_low"] > 0:
        verdict = _("the interval lies above 0: calling by risk pays")
    elif row["better_high"] < 0:
        verdict = _("the interval lies below 0: calling by risk loses")
    else:
        verdict = _("the interval holds 0: whether calling by risk pays is open")
    return _(
        "At these costs a call pays above a risk of {t}. Calling by risk has a net benefit of "
        "{nb}; against {rival} it gains {low} to {high} (95% CI); {verdict}."
    ).format(
        t=format_percent(threshold), nb=format_number(row["model"], 3), rival=rival,
        low=format_number(row["better_low"], 3), high=format_number(row["better_high"], 3),
        verdict=verdict,
    )  # fmt: skip


@passes_unavailable
def segments_table(study: Study, data: RiskData, segments: pd.DataFrame) -> ApaTable:
    """Return where calls bring most, a segment a row; no customer is named."""
    shown = segments.assign(segment=[segment_label(study, data, s) for s in segments["segment"]])
    left_out = len(data.outcome) - int(segments["n_used"].sum())
    return apa_table(
        shown,
        caption=_("Who needs help first, by segment"),
        columns=[
            Column("segment", _("Segment"), "text"),
            Column("n_used", "n", "integer"),
            Column("expected", _("Expected to leave"), "number", 0),
            Column("called", _("Called"), "percent", 0),
            Column("gain", _("Gain per 100 customers"), "number", 0),
            interval_column("ci_low", "ci_high", decimals=0),
        ],
        note=_(
            "Segments of fewer than {least} customers stand together; customers of no "
            "segment that can be shown: {out}. A dash hides what a small count would give "
            "away. Gain in the money in which call and customer are valued among the "
            "parameters."
        ).format(least=int(THRESHOLDS["group_size"].value), out=left_out),
    )


@passes_unavailable
def segments_picture(
    study: Study, data: RiskData, segments: pd.DataFrame
) -> pd.DataFrame | Unavailable:
    """Return the gains as rows of a forest."""
    shown = segments.dropna(subset=["gain"])
    if shown.empty:
        return Unavailable(_("gains by segment"), _("no segment can be shown"))
    return pd.DataFrame(
        {
            "label": [segment_label(study, data, s) for s in shown["segment"]],
            "estimate": shown["gain"].to_numpy(),
            "ci_low": shown["ci_low"].to_numpy(),
            "ci_high": shown["ci_high"].to_numpy(),
        }
    )


def gain_axis() -> str:
    """Return the axis of the picture of segments."""
    return _("gain of calls per 100 customers of the segment, 95% CI")


@passes_unavailable
def segments_sentence(study: Study, data: RiskData, segments: pd.DataFrame) -> str:
    """Name the first segment and say how firm the order is."""
    known = segments.dropna(subset=["gain"])
    if known.empty:
        return _("Every segment is too small to be shown.")
    first = known.iloc[0]
    sure = int((known["ci_low"] > 0).sum())
    return _(
        "First stands: {segment}, with {expected} expected leavers among {n} customers; calls gain "
        "{gain} per 100 customers {interval}. The gain is clearly above 0 in {sure} of {all} "
        "segments; where intervals overlap, the order is open."
    ).format(
        segment=segment_label(study, data, first["segment"]),
        expected=format_number(first["expected"], 0), n=int(first["n_used"]),
        gain=format_number(first["gain"], 0),
        interval=format_interval(first["ci_low"], first["ci_high"], 0), sure=sure, all=len(known),
    )  # fmt: skip
