"""The specification curve: sorted estimates above, the choices behind each of them below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.errors import check_level
from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.estimates import legend_above
from helpers.plots.style import (
    GREY,
    INK,
    PALE,
    PALETTE,
    STAMP_INCHES,
    attach_alt_text,
    house_plot,
)
from helpers.tables.numbers import format_number, format_percent
from helpers.thresholds import LEVEL

WIDTH, CURVE_INCHES, ROW_INCHES, HEAD_INCHES = 7.2, 2.3, 0.17, 0.17
"""Inches: the page, the curve, a level of a choice, the name of a choice."""


@house_plot
def plot_specification_curve(
    data: pd.DataFrame,
    *,
    choices: Sequence[str] | None = None,
    ax: Axes | None = None,
    ylabel: str | None = None,
    reference: float | None = 0.0,
    level: float = LEVEL,
) -> Axes:
    """Draw sorted estimates with intervals, and below them which choices made each.

    Parameters
    ----------
    data : DataFrame
        One row a specification: estimate, ci_low, ci_high; optional ``declared`` (True for the
        study's own way, a diamond); and one text column a choice.
    choices : sequence of str, optional
        Columns of the choices, drawn from top to bottom; all text columns by default.
    ax : Axes, optional
        Its place is divided between curve and choices; a new wide figure by default.
    ylabel : str, optional
        What the estimates are.
    reference : float or None
        Value of "no effect", a horizontal line.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    Axes
        The curve; the choices are the next axes of the figure.

    Raises
    ------
    DataContractError
        A column is missing or the table is empty.
    """
    check_level(level, "plot_specification_curve")
    need_columns(data, ["estimate", "ci_low", "ci_high"], "plot_specification_curve")
    if choices is None:
        choices = [c for c in data.columns if pd.api.types.is_string_dtype(data[c])]
    need_columns(data, choices, "plot_specification_curve")
    rows = data.sort_values("estimate", kind="stable", ignore_index=True)
    lines = len(choices) + sum(data[choice].nunique() for choice in choices)
    ax, below = _two_axes(ax, lines)
    _draw_curve(ax, rows, reference)
    ax.set_ylabel(ylabel or _("Standardised path with {percent:g}% CI").format(percent=100 * level))
    ax.tick_params(axis="x", bottom=False, labelbottom=False)
    ax.grid(axis="y")
    _draw_choices(below, rows, {choice: _levels(data[choice]) for choice in choices})
    legend_above(ax)
    attach_alt_text(ax, _described(rows, choices, reference, level))
    return ax


def _levels(column: pd.Series) -> list[str]:
    """Return the levels of a choice in order of appearance."""
    return list(dict.fromkeys(column.astype(str)))


def _two_axes(ax: Axes | None, lines: int) -> tuple[Axes, Axes]:
    """Return the axes of the curve and of the choices, one above the other."""
    matrix = max(ROW_INCHES * lines, 0.4)
    heights = [CURVE_INCHES, matrix]
    if ax is None:
        height = CURVE_INCHES + matrix + 0.6
        figure, (top, below) = plt.subplots(
            2, 1, figsize=(WIDTH, height), height_ratios=heights, sharex=True, layout="constrained"
        )
        figure.get_layout_engine().set(rect=(0, 0, 1, 1 - STAMP_INCHES / height), hspace=0.01)
        return top, below
    inner = ax.get_subplotspec().subgridspec(2, 1, height_ratios=heights, hspace=0.03)
    ax.set_subplotspec(inner[0])
    return ax, ax.figure.add_subplot(inner[1], sharex=ax)


def _draw_curve(ax: Axes, rows: pd.DataFrame, reference: float | None) -> None:
    """Draw the estimates; those whose interval excludes the reference in colour."""
    x = np.arange(len(rows))
    null = 0.0 if reference is None else reference
    clear = ((rows["ci_low"] > null) | (rows["ci_high"] < null)).to_numpy()
    if reference is not None:
        ax.axhline(reference, color=GREY, linewidth=0.9, zorder=1.5)
    for which, colour, marker, text in (
        (clear, PALETTE[0], "o", _("interval excludes {null:g}")),
        (~clear, GREY, "s", _("interval includes {null:g}")),
    ):
        if which.any():
            own = rows[which]
            ax.vlines(
                x[which], own["ci_low"], own["ci_high"], color=colour, linewidth=0.8, alpha=0.45
            )
            ax.plot(
                x[which], own["estimate"], linestyle="none", marker=marker, markersize=3,
                color=colour, label=text.format(null=null),
            )  # fmt: skip
    if "declared" in rows and rows["declared"].any():
        own = rows["declared"].to_numpy(dtype=bool)
        ax.plot(
            x[own], rows.loc[own, "estimate"], linestyle="none", marker="D", markersize=7,
            markerfacecolor="none", markeredgecolor=PALETTE[1], markeredgewidth=1.3, zorder=4,
            label=_("as declared"),
        )  # fmt: skip
    ax.set_xlim(-1, len(rows))


def _draw_choices(ax: Axes, rows: pd.DataFrame, choices: Mapping[str, Sequence[str]]) -> None:
    """Draw one line a level, with a mark below every specification that has it."""
    y, ticks, texts = 0, [], []
    for choice, levels in choices.items():
        ticks.append(y)
        texts.append(choice)
        y += 1
        for name in levels:
            here = np.flatnonzero(rows[choice].astype(str) == name)
            ax.axhline(y, color=PALE, linewidth=0.5, zorder=1)
            ax.plot(here, np.full(len(here), y), linestyle="none", marker="|", markersize=5,
                    color=INK, markeredgewidth=1.0)  # fmt: skip
            ticks.append(y)
            texts.append(name)
            y += 1
    ax.set_yticks(ticks, texts)
    for label in ax.get_yticklabels():
        label.set_color(INK if label.get_text() in choices else GREY)
    ax.set_ylim(y - 0.4, -0.6)
    ax.tick_params(axis="y", length=0, labelsize=7.5)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(axis="x", bottom=False, labelbottom=False)
    ax.set_xlabel(_("Specifications, sorted by estimate"))


def _described(
    rows: pd.DataFrame, choices: Sequence[str], reference: float | None, level: float
) -> str:
    """Describe the curve in sentences with its main numbers."""
    null = 0.0 if reference is None else reference
    clear = ((rows["ci_low"] > null) | (rows["ci_high"] < null)).mean()
    text = _(
        "Specification curve of {n} estimates sorted by size, from {low} to {high}, median "
        "{median}; {share} of the {percent:g}% intervals exclude {null:g}."
    ).format(
        n=len(rows), low=format_number(rows["estimate"].min()),
        high=format_number(rows["estimate"].max()), median=format_number(rows["estimate"].median()),
        share=format_percent(clear, 0), percent=100 * level, null=null,
    )  # fmt: skip
    if not len(choices):
        return text
    parts = [f"{c} ({len(_levels(rows[c]))})" for c in choices]
    below = _(
        "Below, a matrix marks the choices behind each, with their number of levels: {names}."
    )
    return f"{text} {below.format(names=', '.join(parts))}"
