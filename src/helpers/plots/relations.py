"""Curves: scree with parallel analysis, simple slopes, dose and response, invariance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy.stats import t as student

from helpers.errors import DataContractError, check_level
from helpers.i18n import _
from helpers.plots import describe
from helpers.plots.checks import need_columns
from helpers.plots.estimates import legend_above
from helpers.plots.style import (
    GREY,
    LINES,
    MARKERS,
    PALE,
    PALETTE,
    attach_alt_text,
    house_plot,
    new_axes,
)
from helpers.plots.text import wrap
from helpers.thresholds import LEVEL, THRESHOLDS


@house_plot
def plot_scree(data: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw eigenvalues beside those of random data (parallel analysis).

    Parameters
    ----------
    data : DataFrame
        Columns ``position eigenvalue random_eigenvalue``: number, observed eigenvalue, and that of
        random data which it must exceed.
    ax : Axes, optional
    """
    need_columns(data, ["position", "eigenvalue", "random_eigenvalue"], "plot_scree")
    ax = new_axes() if ax is None else ax
    ax.plot(data["position"], data["eigenvalue"], marker="o", color=PALETTE[0],
            markeredgecolor="white", markeredgewidth=0.5, label=_("Observed"))  # fmt: skip
    ax.plot(data["position"], data["random_eigenvalue"], marker="s", markersize=4, linestyle="--",
            color=PALETTE[1], markeredgecolor="white", markeredgewidth=0.5,
            label=_("Random data (parallel analysis)"))  # fmt: skip
    kept = describe.factors_kept(data)
    if kept:
        ax.axvspan(float(data["position"].iloc[0]) - 0.5, kept + 0.5, color=PALE, alpha=0.35,
                   linewidth=0, zorder=0)  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlim(float(data["position"].iloc[0]) - 0.5, float(data["position"].iloc[-1]) + 0.5)
    ax.set_ylim(bottom=min(0.0, float(data[["eigenvalue", "random_eigenvalue"]].min().min())))
    ax.set_xlabel(_("Factor (shaded: kept)"))
    ax.set_ylabel(_("Eigenvalue"))
    legend_above(ax)
    attach_alt_text(ax, describe.scree(data))
    return ax


@house_plot
def plot_interaction(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend_title: str | None = None,
    level: float = LEVEL,
) -> Axes:
    """Draw simple slopes: the predicted outcome along x at chosen values of the moderator.

    Parameters
    ----------
    data : DataFrame
        Columns ``x estimate ci_low ci_high moderator``; the last names the line.
    ax : Axes, optional
    xlabel, ylabel, legend_title : str, optional
        Predictor and outcome with their scales; the moderator.
    level : float
    """
    check_level(level, "plot_interaction")
    need_columns(data, ["x", "estimate", "ci_low", "ci_high", "moderator"], "plot_interaction")
    ax = new_axes() if ax is None else ax
    for k, (name, rows) in enumerate(data.groupby("moderator", sort=False)):
        rows = rows.sort_values("x")
        colour = PALETTE[k % len(PALETTE)]
        ax.fill_between(rows["x"], rows["ci_low"], rows["ci_high"], color=colour, alpha=0.16,
                        linewidth=0)  # fmt: skip
        ax.plot(rows["x"], rows["estimate"], color=colour, linestyle=LINES[k % len(LINES)],
                linewidth=1.7, label=str(name))  # fmt: skip
    ax.grid(axis="y")
    ax.margins(x=0.02)
    ax.set_xlabel(xlabel or _("Predictor"))
    ax.set_ylabel(ylabel or _("Predicted outcome with {percent:g}% band").format(
        percent=100 * level))  # fmt: skip
    legend_above(ax, title=legend_title)
    attach_alt_text(ax, describe.interaction(data, level=level))
    return ax


def binned_means(
    data: pd.DataFrame, *, x: str, y: str, bins: int = 8, level: float = LEVEL
) -> pd.DataFrame:
    """Return the mean of y with its t interval in bins of x of nearly equal size.

    Columns ``x mean ci_low ci_high n``; x is the mean of x in the bin. Rows with a blank are
    left out; a bin with one row has no interval.
    """
    check_level(level, "binned_means")
    used = data[[x, y]].dropna().astype(float)
    groups = pd.qcut(used[x], bins, duplicates="drop")
    rows = []
    for _bin, own in used.groupby(groups, observed=True):
        n = len(own)
        half = np.nan
        if n > 1:
            half = student.ppf((1 + level) / 2, n - 1) * own[y].std() / np.sqrt(n)
        rows.append((own[x].mean(), own[y].mean(), own[y].mean() - half, own[y].mean() + half, n))
    return pd.DataFrame(rows, columns=["x", "mean", "ci_low", "ci_high", "n"])


@house_plot
def plot_dose_response(
    data: pd.DataFrame,
    *,
    x: str,
    y: str,
    ax: Axes | None = None,
    bins: int = 8,
    xlabel: str | None = None,
    ylabel: str | None = None,
    smooth: bool = True,
    level: float = LEVEL,
) -> Axes:
    """Draw respondents as pale points, binned means with intervals, and a lowess curve.

    Parameters
    ----------
    data : DataFrame
        One row a respondent. Rows with a blank in x or y are left out.
    x, y : str
        Columns: the dose (hours to response) and the response (satisfaction).
    ax : Axes, optional
    bins : int
        Bins of nearly equal size.
    xlabel, ylabel : str, optional
    smooth : bool
        Draw the locally weighted curve (seaborn's lowess, two thirds of the points).
    level : float

    Raises
    ------
    DataContractError
        A column is missing or fewer than ten complete rows remain.
    """
    check_level(level, "plot_dose_response")
    need_columns(data, [x, y], "plot_dose_response")
    used = data[[x, y]].dropna().astype(float)
    if len(used) < 10:
        raise DataContractError(
            f"plot_dose_response: data= has {len(used)} rows with both '{x}' and '{y}'; at least "
            "10 are needed. Show the single values in a table instead."
        )
    ax = new_axes() if ax is None else ax
    sns.regplot(
        data=used, x=x, y=y, ax=ax, lowess=smooth, fit_reg=smooth, color=PALETTE[0],
        y_jitter=_jitter(used[y]), seed=0,
        scatter_kws={"s": 7, "alpha": 0.22, "linewidths": 0, "color": GREY},
        line_kws={"linewidth": 1.8, "label": _("Smoothed")},
    )  # fmt: skip
    means = binned_means(used, x=x, y=y, bins=bins, level=level)
    ax.vlines(means["x"], means["ci_low"], means["ci_high"], color=PALETTE[1], linewidth=1.5)
    ax.plot(means["x"], means["mean"], linestyle="none", marker=MARKERS[1], color=PALETTE[1],
            markeredgecolor="white", markeredgewidth=0.6, zorder=4,
            label=_("Mean of a bin with {percent:g}% interval").format(percent=100 * level),
            )  # fmt: skip
    ax.set_xlabel(xlabel or x)
    ax.set_ylabel(ylabel or y)
    legend_above(ax)
    attach_alt_text(ax, describe.dose_response(means, xlabel or x, ylabel or y, len(used)))
    return ax


def _jitter(values: pd.Series) -> float:
    """Return the vertical spread for points that would lie on each other."""
    distinct = np.sort(values.unique())
    return 0.25 * float(np.diff(distinct).min()) if 1 < len(distinct) <= 15 else 0.0


@house_plot
def plot_invariance(data: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the ladder of invariance: CFI at each rung, and how far it may fall.

    Parameters
    ----------
    data : DataFrame
        Columns ``step cfi``, from the freest to the strictest model.
    ax : Axes, optional

    Notes
    -----
    The grey bar reaches from the CFI of the rung before down to the largest fall allowed
    (``THRESHOLDS["delta_cfi"]``).
    """
    need_columns(data, ["step", "cfi"], "plot_invariance")
    ax = new_axes() if ax is None else ax
    allowed = THRESHOLDS["delta_cfi"].value
    cfi = data["cfi"].to_numpy(float)
    rungs = np.arange(len(cfi))
    ax.bar(rungs[1:], allowed, bottom=cfi[:-1] - allowed, width=0.5, color=PALE, zorder=1,
           label=_("Allowed fall (ΔCFI ≤ {cut:g})").format(cut=allowed))  # fmt: skip
    ax.plot(rungs, cfi, marker="o", color=PALETTE[0], markeredgecolor="white",
            markeredgewidth=0.6, zorder=3, label="CFI")  # fmt: skip
    low = min(np.nanmin(cfi), np.nanmin(cfi - allowed))
    ax.set_ylim(low - 0.3 * allowed, min(1.0, np.nanmax(cfi)) + 0.3 * allowed)
    ax.set_xticks(rungs, [wrap(str(step), 14) for step in data["step"]])
    ax.set_xlim(-0.5, len(cfi) - 0.5)
    ax.grid(axis="y")
    ax.set_ylabel("CFI")
    legend_above(ax)
    attach_alt_text(ax, describe.invariance(data))
    return ax
