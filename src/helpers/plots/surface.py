"""The response surface as a map: predicted outcome over two predictors of one scale."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.style import GREY, INK, attach_alt_text, house_plot, new_axes
from helpers.tables.numbers import format_number

LEVELS = 9


@house_plot
def plot_surface(
    data: pd.DataFrame,
    *,
    points: pd.DataFrame | None = None,
    ax: Axes | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    label: str | None = None,
) -> Axes:
    """Draw the predicted outcome as contours, with the line of equality.

    Parameters
    ----------
    data : DataFrame
        Columns ``x y estimate`` on a full grid: ``ResponseSurface.grid``.
    points : DataFrame, optional
        Columns ``x y``: where respondents lie; outside them the surface is extrapolated.
    ax : Axes, optional
    xlabel, ylabel, label : str, optional
        The predictors with their scale; the outcome.
    """
    need_columns(data, ["x", "y", "estimate"], "plot_surface")
    ax = new_axes() if ax is None else ax
    grid = data.pivot(index="y", columns="x", values="estimate")
    x, y = grid.columns.to_numpy(float), grid.index.to_numpy(float)
    filled = ax.contourf(x, y, grid.to_numpy(), levels=LEVELS, cmap="cividis_r", alpha=0.75)
    lines = ax.contour(x, y, grid.to_numpy(), levels=filled.levels, colors=INK, linewidths=0.5)
    ax.clabel(lines, fontsize=7, fmt=lambda v: format_number(v, 1))
    if points is not None:
        ax.plot(points["x"], points["y"], linestyle="none", marker=".", markersize=2.2,
                color=INK, alpha=0.25)  # fmt: skip
    ends = [max(x.min(), y.min()), min(x.max(), y.max())]
    ax.plot(ends, ends, color=GREY, linestyle="--", linewidth=1.2)
    ax.set_aspect("equal")
    ax.figure.colorbar(filled, ax=ax, label=label or _("Predicted outcome"), shrink=0.85)
    ax.set_xlabel(xlabel or "x")
    ax.set_ylabel(ylabel or "y")
    attach_alt_text(ax, _alt(data))
    return ax


def _alt(data: pd.DataFrame) -> str:
    """Describe the surface by its corners."""
    corners = {
        (cx, cy): data.loc[((data["x"] - cx).abs() + (data["y"] - cy).abs()).idxmin(), "estimate"]
        for cx in (data["x"].min(), data["x"].max())
        for cy in (data["y"].min(), data["y"].max())
    }
    parts = [
        _("{value} at x = {x} and y = {y}").format(
            value=format_number(value), x=format_number(cx, 1), y=format_number(cy, 1)
        )
        for (cx, cy), value in corners.items()
    ]
    text = _("Map of the predicted outcome over two predictors; at the corners: {corners}.")
    return text.format(corners=_("; ").join(parts))
