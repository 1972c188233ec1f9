"""The Johnson-Neyman picture: a slope along its moderator, and where its interval holds zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.errors import check_level
from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.estimates import legend_above
from helpers.plots.style import (
    GREY,
    LINES,
    PALE,
    PALETTE,
    attach_alt_text,
    house_plot,
    new_axes,
)
from helpers.tables.numbers import format_interval, format_number
from helpers.thresholds import LEVEL


@house_plot
def plot_johnson_neyman(
    data: pd.DataFrame,
    *,
    ends: Sequence[float] = (),
    ax: Axes | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    level: float = LEVEL,
) -> Axes:
    """Draw a slope with its band along the moderator; grey where the band holds zero.

    Parameters
    ----------
    data : DataFrame
        Columns ``moderator_value slope ci_low ci_high``: ``JohnsonNeyman.curve``.
    ends : sequence of float
        ``JohnsonNeyman.ends``: where the band begins or ceases to hold zero.
    ax : Axes, optional
    xlabel, ylabel : str, optional
        Moderator with its unit; the slope.
    level : float
    """
    check_level(level, "plot_johnson_neyman")
    need_columns(data, ["moderator_value", "slope", "ci_low", "ci_high"], "plot_johnson_neyman")
    ax = new_axes() if ax is None else ax
    looks = {True: (_("{percent:g}% band, zero inside"), PALE, 0.8),
             False: (_("{percent:g}% band, zero outside"), PALETTE[0], 0.28)}  # fmt: skip
    for holds_zero, part in _regions(data, ends):
        label, colour, alpha = looks[holds_zero]
        ax.fill_between(part["moderator_value"], part["ci_low"], part["ci_high"], color=colour,
                        alpha=alpha, linewidth=0, label=label.format(percent=100 * level)
                        )  # fmt: skip
        looks[holds_zero] = ("_nolegend_", colour, alpha)
    ax.plot(data["moderator_value"], data["slope"], color=PALETTE[0], linewidth=1.7)
    ax.axhline(0, color=GREY, linewidth=0.8)
    for end in ends:
        ax.axvline(end, color=PALETTE[1], linestyle=LINES[1], linewidth=1.2)
    ax.margins(x=0)
    ax.set_xlabel(xlabel or _("Moderator"))
    ax.set_ylabel(ylabel or _("Slope of the predictor"))
    legend_above(ax)
    attach_alt_text(ax, describe_johnson_neyman(data, ends, level=level))
    return ax


def _regions(data: pd.DataFrame, ends: Sequence[float]) -> list[tuple[bool, pd.DataFrame]]:
    """Cut the curve at the borders; say of each part whether its band holds zero."""
    x = data["moderator_value"].to_numpy(float)
    grid = np.union1d(x, np.asarray(ends, dtype=float))
    own = pd.DataFrame({c: np.interp(grid, x, data[c]) for c in ("ci_low", "ci_high")})
    own["moderator_value"] = grid
    borders = [x.min(), *sorted(ends), x.max()]
    parts = []
    for low, high in zip(borders[:-1], borders[1:]):
        part = own[(grid >= low) & (grid <= high)]
        middle = part.iloc[len(part) // 2]
        parts.append((bool(middle["ci_low"] <= 0 <= middle["ci_high"]), part))
    return parts


def describe_johnson_neyman(
    data: pd.DataFrame, ends: Sequence[float], *, level: float = LEVEL
) -> str:
    """Tell the picture in words: the slope at both ends of the range, and the borders."""
    check_level(level, "describe_johnson_neyman")
    first, last = data.iloc[0], data.iloc[-1]
    text = _(
        "The slope runs from {first} {first_ci} at {low} of the moderator to {last} {last_ci} at "
        "{high}, with {percent:g}% bands."
    ).format(
        first=format_number(first["slope"]),
        first_ci=format_interval(first["ci_low"], first["ci_high"]),
        low=format_number(first["moderator_value"]),
        last=format_number(last["slope"]),
        last_ci=format_interval(last["ci_low"], last["ci_high"]),
        high=format_number(last["moderator_value"]),
        percent=100 * level,
    )
    if not ends:
        return text + " " + _("No border between the regions lies in this range.")
    places = _("; ").join(format_number(end) for end in ends)
    return text + " " + _("The regions meet at {places}.").format(places=places)
