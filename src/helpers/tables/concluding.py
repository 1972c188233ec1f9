"""Ready tables of results: regression steps, group comparisons, recovery, hypotheses."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from helpers.i18n import _
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.describing import present
from helpers.tables.numbers import format_integer, format_number, format_p, is_missing


def regression_table(
    coefficients: pd.DataFrame,
    *,
    steps: pd.DataFrame | None = None,
    labels: Mapping[str, str] | None = None,
    caption: str | None = None,
) -> ApaTable:
    """Return the coefficients of hierarchical steps, the fit of each step in the note.

    Parameters
    ----------
    coefficients : DataFrame
        Columns ``term estimate ci_low ci_high``; optional ``step se beta p_value vif``. Several
        steps become sub-headings.
    steps : DataFrame, optional
        Columns ``step r2``; optional ``adj_r2 delta_r2 p_value n``.
    labels : mapping, optional
        Term to its text.
    caption : str, optional
    """
    names = labels or {}
    frame = coefficients
    if "term" in frame.columns:
        frame = frame.assign(term=[names.get(term, term) for term in frame["term"]])
    wanted = [
        Column("term", _("Term"), "text"),
        Column("estimate", "B"),
        Column("se", "SE"),
        interval_column(),
        Column("beta", "β", "bounded"),
        Column("p_value", "p", "p"),
        Column("vif", "VIF"),
    ]
    several = "step" in frame.columns and frame["step"].nunique() > 1
    if several:
        frame = frame.assign(step=[_("Step {step}").format(step=step) for step in frame["step"]])
    return apa_table(
        frame,
        caption=caption or _("Regression in steps"),
        columns=present(frame, wanted, ("term", "estimate"), "regression_table"),
        section="step" if several else None,
        note=None if steps is None else _steps_note(steps),
    )


def _steps_note(steps: pd.DataFrame) -> str:
    """Return R² of each step, its gain and the test of the gain."""
    parts = []
    for row in steps.to_dict("records"):
        text = _("Step {step}").format(step=row["step"])
        text += ": R² = " + format_number(row["r2"], bounded=True)
        if not is_missing(row.get("delta_r2")):
            text += ", ΔR² = " + format_number(row["delta_r2"], bounded=True)
            p = format_p(row.get("p_value"))
            text += f", p {p}" if p[0] in "<>–" else f", p = {p}"
        if not is_missing(row.get("n")):
            text += ", n = " + format_integer(row["n"])
        parts.append(text)
    return _("; ").join(parts) + "."


def comparison_table(data: pd.DataFrame, *, caption: str | None = None) -> ApaTable:
    """Return means of groups with their intervals, a sub-heading for each outcome.

    Columns ``group mean``; optional ``outcome n sd ci_low ci_high``, and the test on the first
    row of an outcome: ``statistic df1 df2 p_value effect_size`` (blank cells elsewhere).
    """
    tests = [key for key in ("statistic", "df1", "df2", "p_value", "effect_size")
             if key in data.columns]  # fmt: skip
    # A test belongs to the outcome, not to each group: the other rows are blank, not missing.
    frame = data.astype(dict.fromkeys(tests, object))
    for key in tests:
        frame[key] = ["" if is_missing(value) else value for value in frame[key]]
    wanted = [
        Column("group", _("Group"), "text"),
        Column("n", "n", "integer"),
        Column("mean", "M"),
        interval_column(),
        Column("sd", "SD"),
        Column("statistic", _("Statistic")),
        Column("df1", "df1", "integer"),
        Column("df2", "df2", "number", 1),
        Column("p_value", "p", "p"),
        Column("effect_size", _("Effect size")),
    ]
    return apa_table(
        frame,
        caption=caption or _("Comparison of groups"),
        columns=present(frame, wanted, ("group", "mean"), "comparison_table"),
        section="outcome" if "outcome" in frame.columns else None,
    )


def recovery_table(data: pd.DataFrame, *, caption: str | None = None) -> ApaTable:
    """Return planted truth beside estimates, and whether each interval covers it.

    Columns ``label truth estimate ci_low ci_high``; optional ``covered`` (otherwise computed) and
    ``table`` (sub-headings, such as T1 to T7). The note counts the intervals that cover.
    """
    frame = data
    if "covered" not in frame.columns:
        inside = (frame["ci_low"] <= frame["truth"]) & (frame["truth"] <= frame["ci_high"])
        known = frame[["ci_low", "ci_high"]].notna().all(axis=1)
        frame = frame.assign(covered=inside.astype(object).where(known, None))
    wanted = [
        Column("label", _("Quantity"), "text"),
        Column("truth", _("Planted truth")),
        Column("estimate", _("Estimate")),
        interval_column(),
        Column("covered", _("Covered"), "truth"),
    ]
    tested = [bool(value) for value in frame["covered"] if not is_missing(value)]
    note = _("Intervals that cover the planted truth: {hits} of {of}.").format(
        hits=sum(tested), of=len(tested)
    )
    return apa_table(
        frame,
        caption=caption or _("Planted truth and estimates"),
        columns=present(frame, wanted, ("label", "truth", "estimate"), "recovery_table"),
        section="table" if "table" in frame.columns else None,
        note=note,
    )


def hypotheses_table(data: pd.DataFrame, *, caption: str | None = None) -> ApaTable:
    """Return the hypotheses with what was expected and what was found.

    Columns ``hypothesis finding``; optional ``statement expected_sign estimate ci_low ci_high
    p_value``. Findings are sentences or words in the reader's language.
    """
    wanted = [
        Column("hypothesis", "H", "text"),
        Column("statement", _("Statement"), "text"),
        Column("expected_sign", _("Expected sign"), "text"),
        Column("estimate", _("Estimate")),
        interval_column(),
        Column("p_value", "p", "p"),
        Column("finding", _("Finding"), "text"),
    ]
    return apa_table(
        data,
        caption=caption or _("Hypotheses and findings"),
        columns=present(data, wanted, ("hypothesis", "finding"), "hypotheses_table"),
    )
