"""Profiles of respondents: how each lies above or below everybody, indicator by indicator."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.style import (
    GREY,
    LINES,
    MARKERS,
    PALETTE,
    attach_alt_text,
    house_plot,
    new_axes,
)
from helpers.plots.text import wrap
from helpers.tables.numbers import format_number

LABEL_LETTERS = 12


@house_plot
def plot_profiles(data: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw means of indicators by profile, in standard deviations, with intervals.

    Parameters
    ----------
    data : DataFrame
        Columns ``profile label estimate ci_low ci_high``: one row a profile (its name) and
        indicator, indicators in the order of drawing.
    ax : Axes, optional

    Raises
    ------
    DataContractError
        A column is missing or the table is empty.
    """
    need_columns(data, ["profile", "label", "estimate", "ci_low", "ci_high"], "plot_profiles")
    ax = new_axes(width=6.6, height=3.9) if ax is None else ax
    labels = list(dict.fromkeys(data["label"]))
    profiles = list(dict.fromkeys(data["profile"]))
    ax.axhline(0, color=GREY, linewidth=0.9)
    for k, name in enumerate(profiles):
        own = data[data["profile"] == name]
        x = np.arange(len(own)) + (k - (len(profiles) - 1) / 2) * 0.09
        look = k % len(PALETTE)
        ax.vlines(x, own["ci_low"], own["ci_high"], color=PALETTE[look], linewidth=1.3)
        ax.plot(x, own["estimate"], color=PALETTE[look], linestyle=LINES[look], linewidth=1.2,
                marker=MARKERS[look], markersize=5.5, markeredgecolor="white",
                markeredgewidth=0.6, label=name)  # fmt: skip
    ax.set_xticks(range(len(labels)), [wrap(label, LABEL_LETTERS) for label in labels])
    ax.set_ylabel(_("Standard deviations from the mean of all"))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, columnspacing=1.2,
              borderaxespad=0.2)  # fmt: skip
    attach_alt_text(ax, _alt(data, profiles))
    return ax


def _alt(data: pd.DataFrame, profiles: list[str]) -> str:
    """Tell the highest and lowest indicator of every profile."""
    parts = []
    for name in profiles:
        own = data[data["profile"] == name]
        high, low = own.loc[own["estimate"].idxmax()], own.loc[own["estimate"].idxmin()]
        parts.append(
            _("{profile}: highest {high} ({high_value}), lowest {low} ({low_value})").format(
                profile=name,
                high=high["label"],
                high_value=format_number(high["estimate"]),
                low=low["label"],
                low_value=format_number(low["estimate"]),
            )
        )
    return _("Profiles in standard deviations from the mean. {parts}.").format(
        parts=_("; ").join(parts)
    )
