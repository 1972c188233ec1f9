"""Importance and performance: what weighs on an outcome against how well it is done."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.style import (
    GREY,
    INK,
    MARKERS,
    PALE,
    PALETTE,
    attach_alt_text,
    house_plot,
    new_axes,
)
from helpers.plots.text import wrap
from helpers.tables.numbers import format_number
from helpers.tables.service_loyalty import quadrant_words

LABEL_LETTERS = 22
LABEL_GAP = 0.085
"""Least distance of two labels, as a share of the height."""


@house_plot
def plot_importance_map(
    data: pd.DataFrame,
    *,
    cuts: tuple[float, float],
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw causes by importance and performance, with intervals and the lines of the means.

    Parameters
    ----------
    data : DataFrame
        Columns ``label importance ci_low ci_high performance performance_low performance_high
        quadrant``.
    cuts : (float, float)
        Importance and performance at which the map is divided.
    xlabel, ylabel : str
    ax : Axes, optional

    Raises
    ------
    DataContractError
        A column is missing or the table is empty.
    """
    columns = ["label", "importance", "ci_low", "ci_high", "performance", "performance_low",
               "performance_high", "quadrant"]  # fmt: skip
    need_columns(data, columns, "plot_importance_map")
    ax = new_axes(width=6.6, height=4.2) if ax is None else ax
    x, y = data["importance"].to_numpy(float), data["performance"].to_numpy(float)
    ax.axvline(cuts[0], color=GREY, linewidth=0.9, linestyle="--", zorder=1)
    ax.axhline(cuts[1], color=GREY, linewidth=0.9, linestyle="--", zorder=1)
    if ax.get_xlim()[0] < 0 < data["ci_high"].max() and data["ci_low"].min() < 0:
        ax.axvline(0, color=PALE, linewidth=0.9, zorder=0.9)
    for k, (name, words) in enumerate(quadrant_words().items()):
        own = data[data["quadrant"] == name]
        at = own["importance"], own["performance"]
        ax.hlines(at[1], own["ci_low"], own["ci_high"], color=PALETTE[k], linewidth=1.1, alpha=0.7)
        ax.vlines(at[0], own["performance_low"], own["performance_high"], color=PALETTE[k],
                  linewidth=1.1, alpha=0.7)  # fmt: skip
        ax.plot(*at, linestyle="none", marker=MARKERS[k], color=PALETTE[k], markersize=6,
                markeredgecolor="white", markeredgewidth=0.6, label=words, zorder=3)  # fmt: skip
    _limits(ax, data, cuts)
    _labels(ax, data["label"].astype(str).tolist(), x, y)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, columnspacing=1.0,
              handletextpad=0.3, borderaxespad=0.2)  # fmt: skip
    attach_alt_text(ax, _alt(data))
    return ax


def _limits(ax: Axes, data: pd.DataFrame, cuts: tuple[float, float]) -> None:
    """Leave room around the intervals."""
    ends = [data["ci_low"].min(), data["ci_high"].max(), cuts[0]]
    room = 0.06 * (max(ends) - min(ends))
    ax.set_xlim(min(ends) - room, max(ends) + room)
    ends = [data["performance_low"].min(), data["performance_high"].max(), cuts[1]]
    room = 0.08 * (max(ends) - min(ends))
    ax.set_ylim(min(ends) - room, max(ends) + room)


def _labels(ax: Axes, labels: list[str], x: np.ndarray, y: np.ndarray) -> None:
    """Write the labels to the right of the map, each with a thin line to its point."""
    low, high = ax.get_ylim()
    wanted = (y - low) / (high - low)
    places = spread_out(wanted, gap=LABEL_GAP)
    for text, at_x, at_y, place in zip(labels, x, y, places, strict=True):
        ax.annotate(
            wrap(text, LABEL_LETTERS), xy=(at_x, at_y), xycoords="data", xytext=(1.03, place),
            textcoords="axes fraction", va="center", ha="left", fontsize=8.5, color=INK,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "alpha": 0.7,
                        "shrinkA": 1, "shrinkB": 4},
        )  # fmt: skip


def spread_out(wanted: np.ndarray, *, gap: float) -> np.ndarray:
    """Return heights in the same order as wanted, none nearer than ``gap`` to the next.

    Examples
    --------
    >>> spread_out(np.array([0.5, 0.5, 0.9]), gap=0.1).round(2).tolist()
    [0.45, 0.55, 0.9]
    """
    order = np.argsort(wanted, kind="stable")
    places = wanted[order].astype(float)
    for _round in range(100):
        close = np.flatnonzero(np.diff(places) < gap - 1e-9)
        if not len(close):
            break
        for k in close:
            push = (gap - (places[k + 1] - places[k])) / 2
            if push > 0:
                places[k] -= push
                places[k + 1] += push
    out = np.empty_like(places)
    out[order] = places
    return out


def _alt(data: pd.DataFrame) -> str:
    """Tell the map in words, the most important first."""
    words = quadrant_words()
    parts = [
        _("{name}: importance {importance}, performance {performance}, {quadrant}").format(
            name=row["label"],
            importance=format_number(row["importance"]),
            performance=format_number(row["performance"], 0),
            quadrant=words[row["quadrant"]],
        )
        for row in data.sort_values("importance", ascending=False).to_dict("records")
    ]
    return _("Map of importance and performance. {parts}.").format(parts="; ".join(parts))
