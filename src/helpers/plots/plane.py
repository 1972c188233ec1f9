"""Points with whiskers on a plane of two quantities, each with its name beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.estimates import legend_above
from helpers.plots.style import (
    GREY,
    INK,
    MARKERS,
    PALETTE,
    SIZES,
    attach_alt_text,
    house_plot,
    new_axes,
)
from helpers.plots.text import wrap
from helpers.tables.numbers import format_number

COLUMNS = ["label", "x", "x_low", "x_high", "y", "y_low", "y_high"]
LETTERS = 22
WAYS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
STEPS = (1.0, 2.0, 3.5, 6.0)
GAP = 4.0
"""Points of print between a mark, or the end of its whisker, and its name."""
NEAR = 14.0
"""Points of print from which a thin line leads from the name to its mark."""
HIDDEN, CROSSED, DOUBTFUL, OUTSIDE, FAR = 4.0, 1.5, 2.0, 8.0, 0.03
"""What it costs to lie on another name or mark, on a whisker, nearer to another mark, outside the
axes, and a point of print away."""


@house_plot
def plot_plane(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    corners: Sequence[str] | None = None,
    cross: tuple[float, float] | None = None,
    limits: tuple[float, float, float, float] | None = None,
    group: str | None = None,
    decimals: int = 2,
) -> Axes:
    """Draw named points with the intervals of both their coordinates.

    Parameters
    ----------
    data : DataFrame
        Columns ``label x x_low x_high y y_low y_high``.
    ax : Axes, optional
    xlabel, ylabel : str, optional
    corners : four str, optional
        Names of the quarters: lower left, lower right, upper left, upper right.
    cross : (float, float), optional
        Where the lines that part the quarters lie; the means of x and y by default.
    limits : (float, float, float, float), optional
        Ends of x, then of y; as the data need by default.
    group : str, optional
        Column whose values have their own colour and mark.
    decimals : int
        Of the numbers in the alternative text.

    Notes
    -----
    Each name goes to the free place nearest to its mark; where it cannot lie beside the mark a
    thin line leads to it.
    """
    need_columns(data, COLUMNS, "plot_plane")
    ax = new_axes(width=SIZES["wide"][0] * 0.86, height=4.7) if ax is None else ax
    kinds = ["" for _row in range(len(data))] if group is None else list(data[group].astype(str))
    for k, kind in enumerate(dict.fromkeys(kinds)):
        own = data[[name == kind for name in kinds]]
        colour = PALETTE[k % len(PALETTE)]
        ax.hlines(own["y"], own["x_low"], own["x_high"], color=colour, linewidth=1, alpha=0.65)
        ax.vlines(own["x"], own["y_low"], own["y_high"], color=colour, linewidth=1, alpha=0.65)
        ax.plot(own["x"], own["y"], linestyle="none", marker=MARKERS[k % len(MARKERS)],
                markersize=6.5, color=colour, markeredgecolor="white", markeredgewidth=0.6,
                zorder=4, label=kind)  # fmt: skip
    _set_frame(ax, data, limits)
    at = cross or (float(data["x"].mean()), float(data["y"].mean()))
    ax.axvline(at[0], color=GREY, linewidth=0.7, linestyle="--", zorder=1)
    ax.axhline(at[1], color=GREY, linewidth=0.7, linestyle="--", zorder=1)
    ax.set_xlabel(xlabel or "x")
    ax.set_ylabel(ylabel or "y")
    if group is not None:
        legend_above(ax, columns=6, narrow=True)
    taken = _name_corners(ax, corners) if corners is not None else []
    _place_names(ax, data, taken)
    attach_alt_text(ax, _alt(data, xlabel or "x", ylabel or "y", decimals))
    return ax


def _set_frame(ax: Axes, data: pd.DataFrame, limits: tuple[float, ...] | None) -> None:
    """Give the axes room for whiskers and names."""
    if limits is not None:
        ax.set_xlim(*limits[:2])
        ax.set_ylim(*limits[2:])
        return
    for axis, low, high in (("x", "x_low", "x_high"), ("y", "y_low", "y_high")):
        ends = float(data[low].min()), float(data[high].max())
        room = 0.16 * (ends[1] - ends[0] or 1.0)
        getattr(ax, f"set_{axis}lim")(ends[0] - room, ends[1] + room)


def _name_corners(ax: Axes, corners: Sequence[str]) -> list[Bbox]:
    """Write the names of the quarters into the corners; return the boxes they take."""
    drawn = []
    for name, (right, top) in zip(corners, ((0, 0), (1, 0), (0, 1), (1, 1)), strict=True):
        drawn.append(
            ax.annotate(
                name, (right, top), xycoords="axes fraction", fontsize=8.5, color=GREY,
                style="normal", textcoords="offset points",
                xytext=(-5 if right else 5, -5 if top else 5), ha="right" if right else "left",
                va="top" if top else "bottom", zorder=2,
            )
        )  # fmt: skip
    ax.figure.canvas.draw()
    return [text.get_window_extent() for text in drawn]


def _place_names(ax: Axes, data: pd.DataFrame, taken: list[Bbox]) -> None:
    """Write each name at the cheapest place, the most crowded marks first."""
    ax.figure.canvas.draw()  # the layout must be final before places are measured
    scale = ax.figure.dpi / 72
    points = ax.transData.transform(data[["x", "y"]].to_numpy(dtype=float))
    whiskers = _whisker_boxes(ax, data)
    gaps = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))
    np.fill_diagonal(gaps, np.inf)
    solid = taken + [Bbox.from_extents(*(p - 4 * scale), *(p + 4 * scale)) for p in points]
    for i in np.argsort(gaps.min(axis=1)):
        text = ax.annotate(
            wrap(str(data["label"].iloc[i]), LETTERS), tuple(data[["x", "y"]].iloc[i]),
            xytext=(0, 0), textcoords="offset points", fontsize=8.2, color=INK, zorder=5,
            linespacing=1.0,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkB": 3},
        )  # fmt: skip
        size = Text.get_window_extent(text)  # without the line to the mark
        own = Bbox.union([whiskers[i], whiskers[i + len(points)]])
        places = [_place(way, step, points[i], own, size, scale) for way in WAYS for step in STEPS]
        box = min(places, key=lambda at: _cost(at, i, points, solid, whiskers, ax.bbox) + (
            FAR * _distance(at, points[i]) / scale))  # fmt: skip
        text.set_position(tuple((np.array([box.x0, box.y0]) - points[i]) / scale))
        text.set_multialignment("right" if box.x1 < points[i][0] else "left")
        if _distance(box, points[i]) <= NEAR * scale:
            text.arrow_patch.set_visible(False)
        solid.append(box)


def _whisker_boxes(ax: Axes, data: pd.DataFrame) -> list[Bbox]:
    """Return the boxes of all whiskers on the screen."""
    across = data[["x_low", "y", "x_high", "y"]].to_numpy(dtype=float)
    along = data[["x", "y_low", "x", "y_high"]].to_numpy(dtype=float)
    ends = ax.transData.transform(np.vstack([across, along]).reshape(-1, 2)).reshape(-1, 2, 2)
    return [Bbox.from_extents(*(pair.min(axis=0) - 1), *(pair.max(axis=0) + 1)) for pair in ends]


def _place(
    way: tuple[int, int], step: float, point: np.ndarray, own: Bbox, size: Bbox, scale: float
) -> Bbox:
    """Return the box of a name in one direction: past the whisker, or beside the mark aslant."""
    gap = GAP * step * scale
    middle = point - np.array([size.width, size.height]) / 2
    sides = {
        0: {1: (own.x1 if way[1] == 0 else point[0]) + gap, 0: middle[0],
            -1: (own.x0 if way[1] == 0 else point[0]) - gap - size.width},
        1: {1: (own.y1 if way[0] == 0 else point[1]) + gap, 0: middle[1],
            -1: (own.y0 if way[0] == 0 else point[1]) - gap - size.height},
    }  # fmt: skip
    x, y = sides[0][way[0]], sides[1][way[1]]
    return Bbox.from_extents(x, y, x + size.width, y + size.height)


def _distance(box: Bbox, point: np.ndarray) -> float:
    """Return how far a point lies from a box, in pixels."""
    x = max(box.x0 - point[0], 0.0, point[0] - box.x1)
    y = max(box.y0 - point[1], 0.0, point[1] - box.y1)
    return float(np.hypot(x, y))


def _cost(
    box: Bbox, i: int, points: np.ndarray, solid: list[Bbox], thin: list[Bbox], frame: Bbox
) -> float:
    """Return how bad a place is: what it covers, and whose name it seems to be."""
    covered = sum(box.overlaps(other) for other in solid)
    crossed = sum(box.overlaps(other) for other in thin)
    own = _distance(box, points[i])
    doubtful = any(_distance(box, p) < 1.5 * own for k, p in enumerate(points) if k != i)
    inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
    return HIDDEN * covered + CROSSED * crossed + DOUBTFUL * doubtful + OUTSIDE * (not inside)


def _alt(data: pd.DataFrame, xlabel: str, ylabel: str, decimals: int) -> str:
    """Describe the plane by its points."""
    parts = [
        _("{name} at {x} and {y}").format(
            name=row["label"], x=format_number(row["x"], decimals),
            y=format_number(row["y"], decimals),
        )
        for row in data.to_dict("records")
    ]  # fmt: skip
    return _("Points by {xlabel} and {ylabel}: {points}.").format(
        xlabel=xlabel, ylabel=ylabel, points=_("; ").join(parts)
    )
