"""Power curves: the formula as a line, simulated sizes as points with intervals."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from helpers.errors import check_level
from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.estimates import legend_above
from helpers.plots.style import GREY, MARKERS, PALETTE, attach_alt_text, house_plot, new_axes
from helpers.tables.numbers import format_integer, format_interval, format_number
from helpers.thresholds import LEVEL


@house_plot
def plot_power_curve(
    data: pd.DataFrame, *, target: float, ax: Axes | None = None, level: float = LEVEL
) -> Axes:
    """Draw power over the number of people.

    Parameters
    ----------
    data : DataFrame
        Columns ``source n_obs power ci_low ci_high``; rows with source ``"formula"`` are drawn as a
        line, those with ``"simulation"`` as points with intervals.
    target : float
        Power wanted; drawn as a dashed line.
    ax : Axes, optional
    level : float
        Level of the intervals, for the legend.
    """
    check_level(level, "plot_power_curve")
    need_columns(data, ["source", "n_obs", "power", "ci_low", "ci_high"], "plot_power_curve")
    ax = new_axes() if ax is None else ax
    line, points = (data[data["source"] == name] for name in ("formula", "simulation"))
    ax.axhline(target, color=GREY, linestyle="--", linewidth=1.0)
    ax.plot(line["n_obs"], line["power"], color=PALETTE[0], linewidth=1.7, label=_("Formula"))
    if not points.empty:
        ax.vlines(points["n_obs"], points["ci_low"], points["ci_high"], color=PALETTE[1],
                  linewidth=1.5)  # fmt: skip
        ax.plot(points["n_obs"], points["power"], linestyle="none", marker=MARKERS[1],
                color=PALETTE[1], markeredgecolor="white", markeredgewidth=0.6, zorder=4,
                label=_("Simulation with {percent:g}% interval").format(percent=100 * level),
                )  # fmt: skip
    ax.set_ylim(0.0, 1.02)
    ax.set_xlabel(_("Number of people"))
    ax.set_ylabel(_("Power"))
    legend_above(ax)
    attach_alt_text(ax, _described(line, points, target))
    return ax


def _described(line: pd.DataFrame, points: pd.DataFrame, target: float) -> str:
    """Say the curve in words."""
    ends = line.iloc[[0, -1]]
    text = _(
        "Power by formula rises from {first} at {low} people to {last} at {high}; the power wanted "
        "is {target}."
    ).format(
        first=format_number(ends["power"].iloc[0], bounded=True),
        last=format_number(ends["power"].iloc[1], bounded=True),
        low=format_integer(ends["n_obs"].iloc[0]),
        high=format_integer(ends["n_obs"].iloc[1]),
        target=format_number(target, bounded=True),
    )
    if points.empty:
        return text
    readings = [
        f"{format_integer(r.n_obs)}: {format_number(r.power, bounded=True)} "
        f"{format_interval(r.ci_low, r.ci_high, bounded=True)}"
        for r in points.itertuples(index=False)
    ]
    return text + " " + _("Simulated: {readings}.").format(readings=_("; ").join(readings))
