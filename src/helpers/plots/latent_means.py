"""Differences of latent means from a reference group, construct by construct."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from helpers.errors import check_level
from helpers.i18n import _
from helpers.plots import describe
from helpers.plots.checks import need_columns
from helpers.plots.estimates import legend_above, plot_forest
from helpers.plots.style import attach_alt_text, house_plot
from helpers.thresholds import LEVEL


@house_plot
def plot_latent_means(data: pd.DataFrame, *, ax: Axes | None = None, level: float = LEVEL) -> Axes:
    """Draw latent differences from one reference group as points with intervals.

    Parameters
    ----------
    data : DataFrame
        Columns ``label group reference estimate ci_low ci_high``: construct, the group compared,
        the group it is compared with (one for all rows), difference in standard deviations.
    ax : Axes, optional
    level : float
        Confidence level of the intervals, for the axis label.

    Raises
    ------
    DataContractError
        A column is missing or the table is empty.
    """
    check_level(level, "plot_latent_means")
    wanted = ["label", "group", "reference", "estimate", "ci_low", "ci_high"]
    need_columns(data, wanted, "plot_latent_means")
    reference = data["reference"].iloc[0]
    xlabel = _("Difference from '{reference}' in standard deviations, {percent:g}% interval")
    xlabel = xlabel.format(reference=reference, percent=100 * level)
    ax = plot_forest(data, ax=ax, xlabel=xlabel, group="group", level=level)
    legend_above(ax, columns=1)  # names of groups are long; side by side they would not fit
    told = data.assign(label=[f"{r.label} ({r.group})" for r in data.itertuples()])
    attach_alt_text(ax, describe.forest(told, level=level))
    return ax
