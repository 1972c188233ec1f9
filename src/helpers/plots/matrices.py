"""Square pictures: correlations, residuals, and loadings of several factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from scipy.stats import norm

from helpers.errors import DataContractError
from helpers.i18n import _
from helpers.plots import describe
from helpers.plots.checks import need_columns
from helpers.plots.style import GREY, MARKERS, PALE, PALETTE, attach_alt_text, house_plot, new_axes
from helpers.plots.text import wrap
from helpers.tables.numbers import format_number, is_missing
from helpers.thresholds import LEVEL, THRESHOLDS

SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#b3500a", "#f0c39b", "#ffffff", "#a3c9e6", "#00508a"]
)
MOST_PRINTED = 14


@house_plot
def plot_correlations(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw the lower triangle of a correlation matrix, values printed.

    Parameters
    ----------
    data : DataFrame, shape (k, k)
        Correlations; index and columns name the variables in the same order.
    ax : Axes, optional
    labels : mapping, optional

    Raises
    ------
    DataContractError
        Not square, names of rows and columns differ, or a value outside -1 to 1.
    """
    _check_square(data, "plot_correlations")
    if np.nanmax(np.abs(data.to_numpy(float))) > 1 + 1e-8:
        raise DataContractError(
            "plot_correlations: data= has a value outside -1 to 1; correlations are needed. "
            "Standardise the covariance matrix first."
        )
    ax = _lower_triangle(data, ax, labels or {}, limit=1.0, decimals=2, cut=0.0)
    attach_alt_text(ax, describe.correlations(data, labels or {}))
    return ax


@house_plot
def plot_residuals(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
    standardised: bool = True,
) -> Axes:
    """Draw residual correlations; those beyond chance are printed.

    Parameters
    ----------
    data : DataFrame, shape (k, k)
        Standardised or normalised residuals (z), or with ``standardised=False`` residual
        correlations, of which those above .10 in size are printed.
    ax : Axes, optional
    labels : mapping, optional
    standardised : bool
    """
    _check_square(data, "plot_residuals")
    cut = float(norm.ppf((1 + LEVEL) / 2)) if standardised else THRESHOLDS["residual_r"].value
    values = data.to_numpy(float)
    off = np.abs(values[np.tril_indices(len(values), -1)])
    limit = max(float(np.nanmax(off)) if len(off) else 0.0, 1.5 * cut)
    ax = _lower_triangle(data, ax, labels or {}, limit=limit, decimals=1 if standardised else 2,
                         cut=cut)  # fmt: skip
    attach_alt_text(ax, describe.residuals(data, labels or {}, cut=cut))
    return ax


def _check_square(data: pd.DataFrame, function: str) -> None:
    """Stop unless rows and columns carry the same names."""
    need_columns(data, [], function)
    if list(data.index) != list(data.columns):
        raise DataContractError(
            f"{function}: data= has {len(data)} rows and {len(data.columns)} columns whose names "
            "differ; a square matrix with the same names is needed. Set index and columns alike."
        )


def _lower_triangle(
    data: pd.DataFrame,
    ax: Axes | None,
    labels: Mapping[str, str],
    *,
    limit: float,
    decimals: int,
    cut: float,
) -> Axes:
    """Draw the triangle below the diagonal as coloured squares with printed values."""
    k = len(data)
    cell = 0.36 if k <= MOST_PRINTED else 0.26
    ax = new_axes(width=2.0 + cell * k, height=1.3 + cell * k) if ax is None else ax
    shown = data.iloc[1:, :-1].astype(float)
    above = np.triu(np.ones(shown.shape, dtype=bool), 1)
    texts = [
        ["" if is_missing(v) or abs(v) < cut else format_number(v, decimals, bounded=decimals == 2)
         for v in row]
        for row in shown.to_numpy()
    ]  # fmt: skip
    size = 7.5 if k <= MOST_PRINTED else 5.5
    sns.heatmap(
        shown, mask=above, annot=np.array(texts), fmt="", cmap=SIGNED, vmin=-limit, vmax=limit,
        square=True, linewidths=0.8, linecolor="white", annot_kws={"size": size}, ax=ax,
        cbar_kws={"shrink": 0.6, "aspect": 18, "pad": 0.02},
    )  # fmt: skip
    rows = [wrap(labels.get(name, str(name)), 26) for name in shown.index]
    columns = [wrap(labels.get(name, str(name)), 26) for name in shown.columns]
    ax.set_yticks(np.arange(k - 1) + 0.5, rows, rotation=0)
    angle = 0 if max(len(text) for text in columns) <= 4 else 45
    angle = 90 if k > MOST_PRINTED else angle
    ax.set_xticks(
        np.arange(k - 1) + 0.5,
        columns,
        rotation=angle,
        ha="right" if angle else "center",
        va="center" if angle == 90 else "top",
        rotation_mode="anchor",
    )
    ax.tick_params(length=0)
    ax.set_xlabel("")
    ax.set_ylabel("")
    ax.collections[0].colorbar.outline.set_visible(False)
    return ax


@house_plot
def plot_loadings(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
    hide_below: float | None = None,
) -> Axes:
    """Draw loadings: points by construct (measurement model), or squares (exploratory factors).

    Parameters
    ----------
    data : DataFrame
        Columns ``item construct loading``, optional ``ci_low ci_high``: points with intervals,
        the cut-offs as lines. Or ``item factor loading``, or a column a factor (``item f1 f2
        ...``): each item on each factor, as squares.
    ax : Axes, optional
    labels : mapping, optional
        Item to its text.
    hide_below : float, optional
        Squares only: values of smaller size are not printed.
    """
    need_columns(data, ["item"], "plot_loadings")
    if "f1" in data.columns:
        factors = [key for key in data.columns if str(key)[:1] == "f" and str(key)[1:].isdigit()]
        data = data.melt("item", factors, var_name="factor", value_name="loading")
    need_columns(data, ["loading"], "plot_loadings")
    exploratory = "factor" in data.columns
    if not exploratory:
        need_columns(data, ["construct"], "plot_loadings")
    names = labels or {}
    ax = (
        _loading_squares(data, ax, names, hide_below)
        if exploratory
        else _loading_points(data, ax, names)
    )
    attach_alt_text(ax, describe.loadings(data, names))
    return ax


def _loading_squares(
    data: pd.DataFrame, ax: Axes | None, labels: Mapping[str, str], hide_below: float | None
) -> Axes:
    """Draw items by factors."""
    wide = data.pivot(index="item", columns="factor", values="loading")
    wide = wide.loc[list(dict.fromkeys(data["item"])), list(dict.fromkeys(data["factor"]))]
    if ax is None:
        ax = new_axes(width=2.4 + 0.55 * wide.shape[1], height=0.9 + 0.24 * len(wide))
    least = hide_below or 0.0
    texts = [["" if abs(v) < least else format_number(v, bounded=True) for v in row]
             for row in wide.to_numpy()]  # fmt: skip
    sns.heatmap(
        wide, annot=np.array(texts), fmt="", cmap=SIGNED, vmin=-1, vmax=1, linewidths=0.8,
        linecolor="white", annot_kws={"size": 7.5}, ax=ax,
        cbar_kws={"shrink": 0.6, "aspect": 18, "pad": 0.03},
    )  # fmt: skip
    names = [wrap(labels.get(item, str(item)), 34) for item in wide.index]
    ax.set_yticks(np.arange(len(wide)) + 0.5, names, rotation=0)
    ax.tick_params(length=0)
    ax.set_xlabel(_("Factor"))
    ax.set_ylabel("")
    ax.collections[0].colorbar.outline.set_visible(False)
    return ax


def _loading_points(data: pd.DataFrame, ax: Axes | None, labels: Mapping[str, str]) -> Axes:
    """Draw one point an item, coloured by construct, with the cut-offs."""
    rows = np.arange(len(data))
    ax = new_axes(height=0.9 + 0.2 * len(data)) if ax is None else ax
    _cut_lines(ax, [THRESHOLDS["loading_low"].value, THRESHOLDS["loading"].value])
    for k, (name, own) in enumerate(data.assign(_row=rows).groupby("construct", sort=False)):
        _construct_points(ax, own, str(name), k)
    ax.set_yticks(rows, [wrap(labels.get(item, str(item)), 34) for item in data["item"]])
    ax.set_ylim(len(data) - 0.3, -0.7)
    ax.set_xlim(min(0.0, 1.05 * float(data["loading"].min())), max(1.0, data["loading"].max()))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.set_xlabel(_("Standardised loading (dashed: cut-offs)"))
    return ax


def _construct_points(ax: Axes, own: pd.DataFrame, name: str, k: int) -> None:
    """Draw the items of one construct, its name beside them and a thin line above."""
    colour = PALETTE[k % (len(PALETTE) - 1)]
    if {"ci_low", "ci_high"} <= set(own.columns):
        ax.hlines(own["_row"], own["ci_low"], own["ci_high"], color=colour, linewidth=1.3)
    ax.plot(own["loading"], own["_row"], linestyle="none", marker=MARKERS[k % len(MARKERS)],
            markersize=6,
            color=colour, markeredgecolor="white", markeredgewidth=0.5, zorder=3)  # fmt: skip
    # A legend of nine constructs would be wider than the axes.
    ax.text(1.02, own["_row"].mean(), wrap(name, 20), transform=ax.get_yaxis_transform(),
            va="center", fontsize=8.5)  # fmt: skip
    if k:
        ax.axhline(own["_row"].min() - 0.5, color=PALE, linewidth=0.7, zorder=0)


def _cut_lines(ax: Axes, cuts: Sequence[float]) -> None:
    """Draw cut-offs as dashed lines."""
    for cut in cuts:
        ax.axvline(cut, color=GREY, linestyle=(0, (4, 3)), linewidth=0.8, zorder=1)
