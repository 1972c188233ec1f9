"""What a budget buys: the frontier of net benefit, and shares of importance by a prior's weight."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.estimates import legend_above
from helpers.plots.style import GREY, LINES, PALETTE, attach_alt_text, house_plot, new_axes
from helpers.tables.numbers import format_number, format_percent


@house_plot
def plot_frontier(data: pd.DataFrame, *, currency: str, ax: Axes | None = None) -> Axes:
    """Draw the net benefit of the best plan against the budget, with its interval.

    Parameters
    ----------
    data : DataFrame
        Columns ``budget net net_low net_high``: of ``helpers.service.budget.frontier``.
    currency : str
        Name of the money.
    ax : Axes, optional
    """
    need_columns(data, ["budget", "net", "net_low", "net_high"], "plot_frontier")
    ax = new_axes() if ax is None else ax
    x = data["budget"]
    ax.fill_between(x, data["net_low"], data["net_high"], color=PALETTE[0], alpha=0.18, linewidth=0)
    ax.plot(x, data["net"], color=PALETTE[0], linewidth=1.7)
    ax.axhline(0, color=GREY, linewidth=0.8, linestyle="--")
    best = data.loc[data["net"].idxmax()]
    ax.plot(best["budget"], best["net"], marker="o", color=PALETTE[1], markersize=6)
    ax.annotate(
        _("best: {budget}").format(budget=format_number(best["budget"], 1)),
        (best["budget"], best["net_high"]), xytext=(0, 5), textcoords="offset points",
        ha="center", fontsize=8.5,
    )  # fmt: skip
    ax.margins(y=0.16)
    ax.set_xlabel(_("Budget for one customer and year ({currency})").format(currency=currency))
    ax.set_ylabel(_("Net benefit ({currency})").format(currency=currency))
    last = data.iloc[-1]
    words = _(
        "Net benefit rises to {best} at a budget of {budget} and is {last} at {end}, when every "
        "lever is raised as far as considered."
    )
    attach_alt_text(
        ax,
        words.format(
            best=format_number(best["net"]), budget=format_number(best["budget"], 1),
            last=format_number(last["net"]), end=format_number(last["budget"], 1),
        ),
    )  # fmt: skip
    return ax


@house_plot
def plot_prior_weight(
    data: pd.DataFrame, *, chosen: float = 0.0, tip: float | None = None, ax: Axes | None = None
) -> Axes:
    """Draw each lever's share of importance against the weight of the prior.

    Parameters
    ----------
    data : DataFrame
        Columns ``weight name share``.
    chosen : float
        Weight in use, marked.
    tip : float, optional
        Weight at which another lever takes the lead, marked.
    ax : Axes, optional
    """
    need_columns(data, ["weight", "name", "share"], "plot_prior_weight")
    ax = new_axes() if ax is None else ax
    for k, (name, rows) in enumerate(data.groupby("name", sort=False)):
        ax.plot(
            rows["weight"], rows["share"], color=PALETTE[k % len(PALETTE)],
            linestyle=LINES[k % len(LINES)], label=str(name), linewidth=1.7,
        )  # fmt: skip
    for place, style in ((chosen, "-"), (tip, ":")):
        if place is not None and 0 < place < 1:
            ax.axvline(place, color=GREY, linewidth=0.9, linestyle=style)
    ax.xaxis.set_major_formatter(lambda v, _at: format_percent(v, 0))
    ax.yaxis.set_major_formatter(lambda v, _at: format_percent(v, 0))
    ax.set_xlabel(_("Weight of the ratings"))
    ax.set_ylabel(_("Share of importance"))
    legend_above(ax, columns=3, narrow=True)
    ends = data[data["weight"].isin([data["weight"].min(), data["weight"].max()])]
    leaders = [str(rows.loc[rows["share"].idxmax(), "name"]) for _w, rows in ends.groupby("weight")]
    words = _("By the data alone {first} leads; by the ratings alone {last}.")
    attach_alt_text(ax, words.format(first=leaders[0], last=leaders[-1]))
    return ax
