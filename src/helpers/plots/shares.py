"""Answers and categories: Likert shares and bars of counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from helpers.errors import DataContractError
from helpers.i18n import _
from helpers.plots import describe
from helpers.plots.checks import need_columns
from helpers.plots.estimates import legend_above
from helpers.plots.style import (
    PALETTE,
    attach_alt_text,
    house_plot,
    new_axes,
)
from helpers.plots.text import wrap
from helpers.tables.numbers import format_integer, format_number

# From disagreement (warm) over neutral grey to agreement (cool); dark ends tell apart in print.
AGREEMENT = LinearSegmentedColormap.from_list(
    "agreement", ["#a04a00", "#e8a66a", "#ececec", "#7fb3d9", "#00508a"]
)
LEAST_PRINTED = 0.07
ROW_INCHES = 0.34
SHARES_ADD_UP = 0.005  # shares rounded to two decimals still pass


@house_plot
def plot_likert(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
    answers: Mapping[float, str] | None = None,
    xlabel: str | None = None,
) -> Axes:
    """Draw the share of each answer as stacked bars from 0 to 100 %, one row an item.

    Parameters
    ----------
    data : DataFrame
        Columns ``item answer share``, shares of 0 to 1 that add up to 1 within an item; optional
        ``n``. Items keep their order of appearance. Answers that an item has no row of are not on
        its scale: a colour then stands for the place on the item's own scale, not for a code.
    ax : Axes, optional
    labels : mapping, optional
        Item to the text printed beside its bar.
    answers : mapping, optional
        Answer code to its label (usually only the scale ends have one); not printed where items
        have different scales.
    xlabel : str, optional

    Raises
    ------
    DataContractError
        A column is missing, or the shares of an item do not add up to 1.
    """
    need_columns(data, ["item", "answer", "share"], "plot_likert")
    wide = data.pivot(index="item", columns="answer", values="share")
    wide = wide.loc[list(dict.fromkeys(data["item"]))]
    _check_shares(wide)
    if ax is None:
        ax = new_axes(height=max(1.7, 1.0 + (ROW_INCHES if len(wide) <= 12 else 0.26) * len(wide)))
    one_scale = bool(wide.notna().to_numpy().all())
    key = _key(answers) if one_scale else ""
    colours, left = _places(wide), np.zeros(len(wide))
    for k, answer in enumerate(wide.columns):
        share = wide[answer].fillna(0).to_numpy()
        ax.barh(range(len(wide)), 100 * share, left=100 * left, height=0.72,
                color=AGREEMENT(colours[:, k]), edgecolor="white", linewidth=0.6,
                label=_code(answer) if one_scale else None)  # fmt: skip
        _print_shares(ax, share, left, AGREEMENT(colours[:, k]))
        left += share
    if not one_scale:
        _name_ends(ax)
    below = (xlabel or _("Share of answers (%)"), wrap(key, 48))
    texts = [wrap((labels or {}).get(item, str(item)), 34) for item in wide.index]
    _likert_axes(ax, texts, "\n".join(filter(None, below)))
    attach_alt_text(ax, describe.likert(wide, labels or {}))
    return ax


def _places(wide: pd.DataFrame) -> np.ndarray:
    """Return where each answer stands on its item's own scale, lowest 0 and highest 1."""
    own = wide.notna().to_numpy()
    steps = np.maximum(own.sum(axis=1, keepdims=True) - 1, 1)
    return np.clip((own.cumsum(axis=1) - 1) / steps, 0, 1)


def _name_ends(ax: Axes) -> None:
    """Put the ends of any scale into the legend, where items have different ones."""
    for place, name in ((0.0, _("lowest answer of its scale")), (1.0, _("highest answer"))):
        ax.bar(0, 0, color=AGREEMENT(place), label=name)


def _check_shares(wide: pd.DataFrame) -> None:
    """Stop if the shares of an item do not make a whole."""
    total = wide.sum(axis=1)
    wrong = total[(total - 1).abs() > SHARES_ADD_UP]
    if not wrong.empty:
        raise DataContractError(
            f"plot_likert: data= has shares of item '{wrong.index[0]}' that add up to "
            f"{wrong.iloc[0]:.3f}; 1 is needed. Give shares of those who answered, 0 to 1."
        )


def _code(answer: object) -> str:
    """Return an answer code without needless decimals."""
    return f"{answer:g}" if isinstance(answer, int | float) else str(answer)


def _key(answers: Mapping[float, str] | None) -> str:
    """Return ``1 = disagree strongly, 7 = agree strongly``."""
    return _(", ").join(f"{_code(answer)} = {text}" for answer, text in (answers or {}).items())


def _print_shares(ax: Axes, share: np.ndarray, left: np.ndarray, colours: np.ndarray) -> None:
    """Print the percentage inside each piece that is wide enough."""
    for row, (own, start, colour) in enumerate(zip(share, left, colours)):
        red, green, blue = to_rgb(colour)
        ink = "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.55 else "#1a1a1a"
        if own >= LEAST_PRINTED:
            ax.text(100 * (start + own / 2), row, format_number(100 * own, 0), ha="center",
                    va="center_baseline", fontsize=7.5, color=ink)  # fmt: skip


def _likert_axes(ax: Axes, texts: Sequence[str], xlabel: str) -> None:
    """Label the axes of stacked shares."""
    ax.set_yticks(range(len(texts)), texts)
    ax.set_ylim(len(texts) - 0.5, -0.5)
    ax.set_xlim(0, 100)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(xlabel)
    legend_above(ax, columns=7, narrow=True)


@house_plot
def plot_counts(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    xlabel: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw a bar of counts for each category, with share and interval where they are given.

    Parameters
    ----------
    data : DataFrame
        Columns ``category n``; with ``share`` (0 to 1) bars show percentages, with ``ci_low
        ci_high`` their intervals too. Rows keep their order.
    ax : Axes, optional
    xlabel : str, optional
    labels : mapping, optional
        Category to its text.
    """
    need_columns(data, ["category", "n"], "plot_counts")
    shares = "share" in data.columns
    width = 100 * data["share"] if shares else data["n"]
    if ax is None:
        ax = new_axes(height=max(1.5, 0.8 + 0.3 * len(data)))
    rows = np.arange(len(data))
    ax.barh(rows, width, height=0.66, color=PALETTE[5], edgecolor="none", zorder=2)
    reach = width
    if shares and {"ci_low", "ci_high"} <= set(data.columns):
        reach = (100 * data["ci_high"]).fillna(width)
        ax.hlines(rows, 100 * data["ci_low"], reach, color="#1a1a1a", linewidth=1.1, zorder=3)
    for row, end, n in zip(rows, reach, data["n"]):
        ax.annotate(
            _("n = {n}").format(n=format_integer(n)), (end, row), xytext=(4, 0),
            textcoords="offset points", va="center", fontsize=7.5, color="#4d4d4d",
        )  # fmt: skip
    names = [(labels or {}).get(name, str(name)) for name in data["category"]]
    ax.set_yticks(rows, [wrap(name, 34) for name in names])
    ax.set_ylim(len(data) - 0.45, -0.55)
    ax.set_xlim(0, 1.14 * float(np.nanmax(reach)) if len(data) else 1)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.set_xlabel(xlabel or (_("Share (%)") if shares else _("Number of respondents")))
    attach_alt_text(ax, describe.counts(data, labels or {}))
    return ax
