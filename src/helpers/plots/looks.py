"""A trial looked at more than once: the statistic at each look, and where the trial may stop."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.estimates import legend_above
from helpers.plots.style import GREY, PALETTE, attach_alt_text, house_plot, new_axes
from helpers.tables.numbers import format_number


@house_plot
def plot_looks(data: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw z at each look between the boundaries of the plan and those of an uncorrected test.

    Parameters
    ----------
    data : DataFrame
        Columns ``look n_used z bound uncorrected``: second result of ``trial_looks``.
    ax : Axes, optional
    """
    need_columns(data, ["look", "n_used", "z", "bound", "uncorrected"], "plot_looks")
    ax = new_axes() if ax is None else ax
    n = data["n_used"]
    for sign in (1, -1):
        label = _("boundary that pays for the looks") if sign > 0 else "_nolegend_"
        ax.plot(n, sign * data["bound"], color=PALETTE[1], marker="s", markersize=4, label=label)
        label = _("uncorrected test") if sign > 0 else "_nolegend_"
        ax.plot(n, sign * data["uncorrected"], color=GREY, linestyle="--", linewidth=1, label=label)
    ax.plot(n, data["z"], color=PALETTE[0], marker="o", linewidth=1.7, label=_("this trial"))
    ax.axhline(0, color=GREY, linewidth=0.6)
    ax.set_xlabel(_("customers so far"))
    ax.set_ylabel("z")
    legend_above(ax)
    last = data.iloc[-1]
    words = _(
        "z of the primary outcome at {k} looks; at the last it is {z}, the boundary {bound}."
    ).format(k=len(data), z=format_number(last["z"]), bound=format_number(last["bound"]))
    attach_alt_text(ax, words)
    return ax
