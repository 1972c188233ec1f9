"""Estimates with their intervals: coefficient plots and group means."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.errors import check_level
from helpers.i18n import _
from helpers.plots import describe
from helpers.plots.checks import need_columns
from helpers.plots.style import (
    GREY,
    INK,
    LINES,
    MARKERS,
    PALETTE,
    attach_alt_text,
    house_plot,
    new_axes,
)
from helpers.plots.text import display_width, wrap
from helpers.thresholds import LEVEL

ROW_INCHES, LINE_INCHES = 0.27, 0.155
LABEL_LETTERS = 34
LEGEND_LOOK = {
    "borderaxespad": 0.2,
    "handletextpad": 0.4,
    "columnspacing": 1.2,
    "borderpad": 0.1,
    "handlelength": 1.4,
    "alignment": "left",
    "title_fontsize": 8.5,
}


@house_plot
def plot_forest(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    reference: float | None = 0.0,
    xlabel: str | None = None,
    group: str | None = None,
    level: float = LEVEL,
) -> Axes:
    """Draw estimates as points with intervals, one row each, first row on top.

    Parameters
    ----------
    data : DataFrame
        Columns ``label estimate ci_low ci_high``; optional ``truth`` (planted value, a hollow
        diamond). Rows without an estimate are left empty; a missing interval is not drawn.
    ax : Axes, optional
        Where to draw; a new figure, as tall as the rows need, by default.
    reference : float or None
        Value of "no effect", a vertical line.
    xlabel : str, optional
        What the estimates are, with their unit.
    group : str, optional
        Column whose values are set side by side within a label (models, groups); a label with one
        of them only has it on its line.
    level : float
        Confidence level of the intervals, for the axis label.

    Raises
    ------
    DataContractError
        A column is missing or the table is empty.
    """
    check_level(level, "plot_forest")
    need_columns(data, ["label", "estimate", "ci_low", "ci_high"], "plot_forest")
    labels = list(dict.fromkeys(data["label"].astype(str)))
    levels = [None] if group is None else list(dict.fromkeys(data[group]))
    if ax is None:
        lines = max(wrap(label, LABEL_LETTERS).count("\n") + 1 for label in labels)
        row = max(ROW_INCHES * (1 + 0.45 * (len(levels) - 1)), LINE_INCHES * lines + 0.08)
        ax = new_axes(height=max(1.6, 0.9 + row * len(labels)))
    if reference is not None:
        ax.axvline(reference, color=GREY, linewidth=0.9, zorder=1.5)
    shared = data["label"].astype(str).duplicated(keep=False)
    for k, name in enumerate(levels):
        inside = pd.Series(True, index=data.index) if name is None else data[group] == name
        _forest_rows(
            ax, data[inside], labels, k=k, of=len(levels), name=name, shared=shared[inside]
        )
    if "truth" in data.columns:
        _forest_truth(ax, data.drop_duplicates("label"), labels)
    _forest_axes(ax, labels, xlabel, level)
    if len(levels) > 1 or "truth" in data.columns:
        legend_above(ax)
    attach_alt_text(ax, describe.forest(data, group=group, level=level))
    return ax


def _forest_rows(
    ax: Axes, rows: pd.DataFrame, labels: Sequence[str], *, k: int, of: int, name: object,
    shared: pd.Series,
) -> None:  # fmt: skip
    """Draw the points and intervals of one group, moved off the line where groups share a label."""
    offset = (k - (of - 1) / 2) * 0.5 / of if of > 1 else 0.0
    y = np.array([labels.index(str(label)) for label in rows["label"]]) + offset * shared
    colour = PALETTE[k % len(PALETTE)]
    ax.hlines(y, rows["ci_low"], rows["ci_high"], color=colour, linewidth=1.5, zorder=2)
    ax.plot(
        rows["estimate"], y, linestyle="none", marker=MARKERS[k % len(MARKERS)], markersize=5,
        color=colour, markeredgecolor="white", markeredgewidth=0.6, zorder=3,
        label=_("Estimate") if name is None else str(name),
    )  # fmt: skip


def _forest_truth(ax: Axes, rows: pd.DataFrame, labels: Sequence[str]) -> None:
    """Draw the planted values as hollow diamonds above the estimates."""
    y = [labels.index(str(label)) for label in rows["label"]]
    ax.plot(
        rows["truth"], y, linestyle="none", marker="D", markersize=7, markerfacecolor="none",
        markeredgecolor=PALETTE[1], markeredgewidth=1.2, zorder=4, label=_("Planted truth"),
    )  # fmt: skip


def _forest_axes(ax: Axes, labels: Sequence[str], xlabel: str | None, level: float) -> None:
    """Label the axes of a forest plot."""
    ax.set_yticks(range(len(labels)), [wrap(label, LABEL_LETTERS) for label in labels])
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel(xlabel or _("Estimate with {percent:g}% interval").format(percent=100 * level))


def legend_above(
    ax: Axes, *, columns: int = 4, title: str | None = None, narrow: bool = False
) -> None:
    """Put the legend above the axes, where no point can lie under it.

    It takes as many columns as the axes have room for: a wider one would make the axes narrow.
    """
    look = LEGEND_LOOK | ({"handlelength": 0.9, "columnspacing": 0.9} if narrow else {})
    names = ax.get_legend_handles_labels()[1]
    room = ax.figure.get_figwidth() * 0.85 / (mpl.rcParams["font.size"] * 0.0072)
    columns = _columns_within(room, names, most=columns)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, title=title, **look)


def _columns_within(room: float, names: Sequence[str], *, most: int) -> int:
    """Return how many columns of a legend, filled one after the other, have room."""
    widths = [display_width(name) + 5 for name in names]  # with the sign before each
    for columns in range(min(most, len(names)), 1, -1):
        if sum(max(part) for part in np.array_split(widths, columns)) <= room:
            return columns
    return 1


@house_plot
def plot_group_means(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    ylabel: str | None = None,
    xlabel: str | None = None,
    series: str | None = None,
    scale: tuple[float, float] | None = None,
    connect: bool = False,
    level: float = LEVEL,
) -> Axes:
    """Draw group means as points with intervals.

    Parameters
    ----------
    data : DataFrame
        Columns ``group mean ci_low ci_high``; optional ``n`` (printed below the group) and
        ``truth``. One row a group, or a group and series.
    ax : Axes, optional
    ylabel, xlabel : str, optional
        The scale ("Satisfaction (1-7 mean)") and the grouping.
    series : str, optional
        Column that splits each group (before and after; treated and control).
    scale : (float, float), optional
        Ends of the answer scale. The axis then spans the scale, unless the means use less than
        a third of it.
    connect : bool
        Join the means of a series by a line: for ordered groups only.
    level : float
        Confidence level, for the axis label.
    """
    check_level(level, "plot_group_means")
    need_columns(data, ["group", "mean", "ci_low", "ci_high"], "plot_group_means")
    groups = list(dict.fromkeys(data["group"].astype(str)))
    names = [None] if series is None else list(dict.fromkeys(data[series]))
    ax = new_axes() if ax is None else ax
    for k, name in enumerate(names):
        rows = data if name is None else data[data[series] == name]
        _mean_points(ax, rows, groups, k=k, of=len(names), name=name, connect=connect)
    ax.set_xticks(range(len(groups)), _group_labels(data, groups, ax, split=series is not None))
    ax.set_xlim(-0.6, len(groups) - 0.4)
    ax.grid(axis="y")
    ax.set_ylabel(ylabel or _("Mean with {percent:g}% interval").format(percent=100 * level))
    if xlabel:
        ax.set_xlabel(xlabel)
    _scale_axis(ax, data, scale)
    if series is not None or "truth" in data.columns:
        legend_above(ax)
    attach_alt_text(ax, describe.group_means(data, series=series, level=level))
    return ax


def _mean_points(
    ax: Axes,
    rows: pd.DataFrame,
    groups: Sequence[str],
    *,
    k: int,
    of: int,
    name: object,
    connect: bool,
) -> None:
    """Draw one series of means."""
    offset = (k - (of - 1) / 2) * 0.16
    x = np.array([groups.index(str(group)) for group in rows["group"]]) + offset
    colour = PALETTE[k % len(PALETTE)]
    ax.vlines(x, rows["ci_low"], rows["ci_high"], color=colour, linewidth=1.5, zorder=2)
    ax.plot(
        x, rows["mean"], linestyle=LINES[k % len(LINES)] if connect else "none", linewidth=1.1,
        marker=MARKERS[k % len(MARKERS)], markersize=6, color=colour, markeredgecolor="white",
        markeredgewidth=0.6, zorder=3, label=_("Mean") if name is None else str(name),
    )  # fmt: skip
    if "truth" in rows.columns:
        ax.plot(
            x, rows["truth"], linestyle="none", marker="_", markersize=13, color=INK,
            markeredgewidth=1.2, zorder=4, label=_("Planted truth") if k == 0 else None,
        )  # fmt: skip


def _group_labels(data: pd.DataFrame, groups: Sequence[str], ax: Axes, *, split: bool) -> list[str]:
    """Return the group names, wrapped to their share of the width, with n below."""
    inches = ax.figure.get_figwidth() * 0.85
    letters = max(6, int(inches / len(groups) / (mpl.rcParams["font.size"] * 0.0072)))
    texts = [wrap(group, letters) for group in groups]
    if "n" not in data.columns or split:
        return texts
    counts = dict(zip(data["group"].astype(str), data["n"]))
    return [
        f"{text}\n" + _("n = {n:,}").format(n=int(counts[group]))
        for text, group in zip(texts, groups)
    ]


def _scale_axis(ax: Axes, data: pd.DataFrame, scale: tuple[float, float] | None) -> None:
    """Span the answer scale where the means make use of it."""
    if scale is None:
        return
    low, high = data["ci_low"].min(), data["ci_high"].max()
    if high - low >= (scale[1] - scale[0]) / 3:
        ax.set_ylim(scale[0], scale[1])
