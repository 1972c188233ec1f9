"""Tables and sentences of dose and response, and of the match of failure and recovery."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.regression.contrasts import Match
from helpers.regression.design import variable_label
from helpers.regression.dose import DoseResponse
from helpers.regression.hierarchical import spoken_p
from helpers.results import CheckResult, Number
from helpers.survey.privacy import least_cell
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_number

if TYPE_CHECKING:
    from helpers.survey.load import Study


def _shapes() -> dict[str, str]:
    """Return the shapes in words."""
    return {
        "linear": _("linear"),
        "log": _("logarithmic"),
        "threshold": _("line with a break"),
        "spline": _("spline"),
    }


@passes_unavailable
def dose_table(result: DoseResponse) -> ApaTable:
    """Return the shapes side by side."""
    table = result.table()
    return apa_table(
        table.assign(shape=table["shape"].map(_shapes())),
        caption=_("Four shapes: {response} against {dose}").format(
            response=result.response, dose=result.dose
        ),
        columns=[
            Column("shape", _("Shape"), "text"),
            Column("n_parameters", _("Parameters"), "integer"),
            Column("r2", "R²", "bounded", 3),
            Column("delta_aic", "ΔAIC", "number", 1),
            Column("cv_error", "RMSE", "number", 3),
            Column("cv_gain", "ΔRMSE", "number", 3),
            Column("cv_se", "SE", "number", 3),
        ],
        note=_(
            "RMSE: root mean square error of predicting each fold from the others (ten folds, five "
            "times); ΔRMSE: less that of the straight line. The break counts as a parameter and is "
            "searched anew in every fold. n = {n}, {dropped} left out for a "
            "blank."
        ).format(n=result.n_used, dropped=result.n_dropped - result.n_zero)
        + _zeros(result),
    )


def _zeros(result: DoseResponse) -> str:
    """Say how many rows had a dose of zero, if any."""
    if not result.n_zero:
        return ""
    return " " + _("Left out for a dose of zero, which has no logarithm: {zero}.").format(
        zero=result.n_zero
    )


@passes_unavailable
def dose_picture(result: DoseResponse) -> pd.DataFrame:
    """Return the fitted curves under their names."""
    return result.curve.assign(moderator=result.curve["moderator"].map(_shapes()))


def dose_labels(result: DoseResponse | Unavailable) -> dict[str, str]:
    """Return the axis labels of the fitted curves."""
    if isinstance(result, Unavailable):
        return {}
    return {"xlabel": result.dose, "ylabel": result.response}


@passes_unavailable
def dose_sentence(result: DoseResponse) -> str:
    """Read the slope per doubling and the best shape aloud."""
    return _(
        "Twice the dose goes with a change of {slope} in {response} ({level:.0%} interval "
        "{low} to {high}; logarithmic shape, n = {n}); by AIC the best shape is: {best}."
    ).format(
        slope=format_number(result.slope),
        response=result.response,
        level=result.level,
        low=format_number(result.slope_low),
        high=format_number(result.slope_high),
        n=result.n_used,
        best=_shapes()[result.best],
    )


def _dose(value: float) -> str:
    """Return a dose with three digits that count."""
    return format_number(value, max(0, 2 - math.floor(math.log10(value))))


@passes_unavailable
def break_sentence(result: DoseResponse) -> str:
    """Read the break of the threshold shape aloud, and whether it predicts better than a line."""
    row = result.shapes.set_index("shape").loc["threshold"]
    text = _(
        "If there is a break in {dose}, it lies at {at} (likelihood interval {low} to {high}); "
        "with it, the error of prediction differs by {gain} (SE {se}) from the line's."
    ).format(
        dose=result.dose,
        at=_dose(result.break_at),
        low=_dose(result.break_low),
        high=_dose(result.break_high),
        gain=format_number(row["cv_gain"], 3),
        se=format_number(row["cv_se"], 3),
    )
    if any(result.break_open):
        text += " " + _(
            "The interval reaches the end of the doses at which a break was looked for (from the "
            "10% to the 90% quantile): where it ends, these answers do not say."
        )
    return text + _zeros(result)


@passes_unavailable
def doublings_sentence(result: DoseResponse, first: float, last: float) -> str:
    """Read the difference between two doses aloud, by the logarithmic shape."""
    doublings = math.log2(last / first)
    return _(
        "From {first:g} to {last:g} is {doublings:.1f} doublings: a change of {change} "
        "({level:.0%} interval {low} to {high}; n = {n})."
    ).format(
        first=first,
        last=last,
        doublings=doublings,
        change=format_number(doublings * result.slope),
        level=result.level,
        low=format_number(doublings * result.slope_low),
        high=format_number(doublings * result.slope_high),
        n=result.n_used,
    )


def _codes(study: Study, item: str, codes: tuple[int, ...]) -> str:
    """Return the labels of some codes of an item."""
    labels = study.scale_of(item).labels
    return " / ".join(pick(labels[c].model_dump()) for c in codes if c in labels)


@passes_unavailable
def match_table(matches: list[Match], study: Study) -> ApaTable:
    """Return the planned contrasts, one section an outcome."""
    words = {
        "first_class": _("match less mismatch after: {failures}"),
        "second_class": _("match less mismatch after: {failures}"),
        "match": _("match less mismatch, both kinds of failure"),
    }
    parts = []
    for match in matches:
        names = {
            "first_class": _codes(study, match.failure, match.failure_codes),
            "second_class": _codes(study, match.failure, match.other_failures),
            "match": "",
        }
        table = match.planned.contrasts
        shown = [words[n].format(failures=names[n]) for n in table["name"]]
        parts.append(table.assign(shown=shown, outcome=variable_label(study, match.outcome)))
    first = matches[0]
    return apa_table(
        pd.concat(parts, ignore_index=True),
        caption=_("Does a recovery that matches the failure go with more? Planned contrasts"),
        columns=[
            Column("shown", _("Contrast"), "text"),
            Column("estimate", _("Difference")),
            interval_column("joint_low", "joint_high", label=_("Joint interval")),
            Column("t", "t"),
            Column("p_adjusted", _("p, Holm"), "p"),
            Column("g", "g"),
        ],
        section="outcome",
        note=_(
            "A match is {own} after {failures}, and {other} after the other failures. Welch's "
            "degrees of freedom; joint intervals by Bonferroni over the three contrasts; n = {n}."
        ).format(
            own=_codes(study, first.measure, first.measure_codes),
            failures=_codes(study, first.failure, first.failure_codes),
            other=_codes(study, first.measure, first.other_measures),
            n=first.planned.n_used,
        ),
    )


@passes_unavailable
def match_picture(matches: list[Match], study: Study) -> pd.DataFrame | Unavailable:
    """Return the cell means of the first outcome: a series a measure, a group a failure.

    Cells of fewer respondents than the study's k are left out: they would show single persons.
    """
    whole = matches[0].fine
    fine = whole[whole["n"] >= least_cell(study)]
    if fine.empty:
        return Unavailable(
            _("the means by kind of failure and measure"), _("every cell has too few respondents")
        )
    labels = {
        name: {c: pick(t.model_dump()) for c, t in study.scale_of(item).labels.items()}
        for name, item in (("failure", matches[0].failure), ("measure", matches[0].measure))
    }
    return fine.assign(
        group=fine["failure"].map(labels["failure"]), series=fine["measure"].map(labels["measure"])
    )


def match_axis(matches: list[Match] | Unavailable, study: Study) -> dict[str, str]:
    """Return the axis label of the cell means."""
    if isinstance(matches, Unavailable):
        return {}
    return {"ylabel": variable_label(study, matches[0].outcome)}


@passes_unavailable
def match_sentence(matches: list[Match], study: Study) -> str:
    """Read the overall match and the two single contrasts of each outcome aloud."""
    parts = []
    for match in matches:
        rows = match.planned.contrasts.set_index("name")
        both, one, two = (rows.loc[n] for n in ("match", "first_class", "second_class"))
        if both["joint_low"] > 0:
            text = _(
                "Where recovery and failure match, {outcome} is {both} higher (joint interval "
                "{low} to {high}, p {p} by Holm); by kind of failure the difference is {one} and "
                "{two}."
            )
        elif both["joint_high"] < 0:
            text = _(
                "Where recovery and failure match, {outcome} is {both} lower (joint interval of "
                "the difference {low} to {high}, p {p} by Holm); by kind of failure the difference "
                "is {one} and {two}."
            )
        else:
            text = _(
                "Whether {outcome} is higher where recovery and failure match is not settled: the "
                "difference is {signed} (joint interval {low} to {high}, p {p} by Holm); by kind "
                "of failure it is {one} and {two}."
            )
        parts.append(
            text.format(
                outcome=variable_label(study, match.outcome),
                both=format_number(abs(both["estimate"])),
                signed=format_number(both["estimate"]),
                low=format_number(both["joint_low"]),
                high=format_number(both["joint_high"]),
                p=spoken_p(both["p_adjusted"]),
                one=format_number(one["estimate"]),
                two=format_number(two["estimate"]),
            )
        )
    return " ".join(parts)


@passes_unavailable
def match_numbers(matches: list[Match]) -> list[Number]:
    """Return the overall match of each outcome with its definition."""
    return [
        Number(
            id=f"match_{m.outcome}",
            value=float(row["estimate"]),
            definition="mean of matched less mismatched cells, four cells of equal weight",
            ci_low=float(row["joint_low"]),
            ci_high=float(row["joint_high"]),
            level=m.planned.level,
            n_used=m.planned.n_used,
            method=m.planned.method,
        )
        for m in matches
        for row in [m.planned.contrast("match")]
    ]


def match_checks(
    matches: list[Match] | Unavailable, study: Study
) -> list[CheckResult | Unavailable]:
    """Hold the overall match of each outcome against the sign that was expected."""
    if isinstance(matches, Unavailable):
        return [matches]
    out: list[CheckResult | Unavailable] = []
    for match in matches:
        row = match.planned.contrast("match")
        out.append(
            CheckResult(
                name=_("Match goes with more: {outcome}").format(
                    outcome=variable_label(study, match.outcome)
                ),
                passed=bool(row["joint_low"] > 0),
                value=float(row["estimate"]),
                threshold=0.0,
                source="Roschk & Gelbrich (2014), doi:10.1177/1094670513507486",
                text=_("Expected above zero. Found {value} ({low} to {high}).").format(
                    value=format_number(row["estimate"]),
                    low=format_number(row["joint_low"]),
                    high=format_number(row["joint_high"]),
                ),
            )
        )
    return out
