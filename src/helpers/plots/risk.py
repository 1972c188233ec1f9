"""Predicted risks: are they right, and what does acting on them bring."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.estimates import legend_above
from helpers.plots.style import GREY, PALETTE, attach_alt_text, house_plot, new_axes
from helpers.tables.numbers import format_percent

_ROOM = 1.1
"""Room above the highest line."""


@house_plot
def plot_calibration(curves: tuple[pd.DataFrame, pd.DataFrame], *, ax: Axes | None = None) -> Axes:
    """Draw the share that left against the predicted risk, with the line of right risks.

    Parameters
    ----------
    curves : (DataFrame, DataFrame)
        Smooth curve and groups of ``calibration_curve``: ``predicted observed ci_low ci_high``.
    ax : Axes, optional
    """
    curve, groups = curves
    needed = ["predicted", "observed", "ci_low", "ci_high"]
    need_columns(curve, needed, "plot_calibration")
    need_columns(groups, needed, "plot_calibration")
    ax = new_axes(height=3.6) if ax is None else ax
    top = min(1.0, max(groups["ci_high"].max(), curve["predicted"].max()) * _ROOM)
    ax.plot([0, top], [0, top], color=GREY, linestyle="--", linewidth=1, label=_("right risks"))
    ax.fill_between(
        curve["predicted"], curve["ci_low"], curve["ci_high"], color=PALETTE[0], alpha=0.15,
        linewidth=0,
    )  # fmt: skip
    ax.plot(curve["predicted"], curve["observed"], color=PALETTE[0], label=_("smoothed"))
    ax.vlines(groups["predicted"], groups["ci_low"], groups["ci_high"], color=PALETTE[1], lw=1.2)
    ax.plot(
        groups["predicted"], groups["observed"], linestyle="none", marker="s", markersize=4.5,
        color=PALETTE[1], label=_("groups of equal size"),
    )  # fmt: skip
    ax.set_xlim(0, top)
    ax.set_ylim(0, top)
    ax.set_xlabel(_("predicted risk of leaving"))
    ax.set_ylabel(_("share that left"))
    legend_above(ax)
    first, last = groups.iloc[0], groups.iloc[-1]
    words = _(
        "Share that left by predicted risk: {low} where {low_risk} was predicted, {high} where "
        "{high_risk} was."
    ).format(
        low=format_percent(first["observed"]), low_risk=format_percent(first["predicted"]),
        high=format_percent(last["observed"]), high_risk=format_percent(last["predicted"]),
    )  # fmt: skip
    attach_alt_text(ax, words)
    return ax


@house_plot
def plot_decision(data: pd.DataFrame, threshold: float, *, ax: Axes | None = None) -> Axes:
    """Draw the net benefit of calling by risk, of calling everybody and of calling nobody.

    Parameters
    ----------
    data : DataFrame
        Result of ``net_benefit``: columns ``threshold model ci_low ci_high everybody``.
    threshold : float
        The threshold of the costs in force, a vertical line.
    ax : Axes, optional
    """
    need_columns(data, ["threshold", "model", "ci_low", "ci_high", "everybody"], "plot_decision")
    ax = new_axes(height=3.4) if ax is None else ax
    t = data["threshold"]
    ax.fill_between(t, data["ci_low"], data["ci_high"], color=PALETTE[0], alpha=0.15, linewidth=0)
    ax.plot(t, data["model"], color=PALETTE[0], linewidth=1.8, label=_("call by risk"))
    ax.plot(t, data["everybody"], color=PALETTE[1], linestyle="--", label=_("call everybody"))
    ax.axhline(0, color=GREY, linewidth=1, label=_("call nobody"))
    ax.axvline(threshold, color=GREY, linewidth=0.9, linestyle=":", label=_("costs in force"))
    ax.set_ylim(-0.05, max(float(data[["ci_high", "everybody"]].max().max()), 0.05) * _ROOM)
    ax.set_xlim(float(t.min()), float(t.max()))
    ax.set_xlabel(_("risk above which a call is made"))
    ax.set_ylabel(_("net benefit per customer"))
    legend_above(ax, columns=2)
    better = data[data["model"] > data["everybody"].clip(lower=0)]["threshold"]
    words = (
        _("Calling by risk is nowhere better than calling everybody or nobody.")
        if better.empty
        else _("Calling by risk is ahead for thresholds from {low} to {high}.").format(
            low=format_percent(better.min()), high=format_percent(better.max())
        )
    )
    attach_alt_text(ax, words)
    return ax
