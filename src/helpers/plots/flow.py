"""The flow of exclusions and the picture of missing answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from helpers.errors import DataContractError
from helpers.i18n import _
from helpers.plots import describe
from helpers.plots.checks import need_columns
from helpers.plots.style import (
    FILL,
    GREY,
    INK,
    PALE,
    PALETTE,
    attach_alt_text,
    house_plot,
    new_axes,
)
from helpers.plots.text import wrap
from helpers.tables.numbers import format_integer, format_number

STEP = 0.5
BOX = (2.0, 0.42)
SIDE_LETTERS = 46


@house_plot
def plot_flow(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
    received: str | None = None,
    analysed: str | None = None,
) -> Axes:
    """Draw who was received, excluded with reason, and analysed; the numbers must add up.

    Parameters
    ----------
    data : DataFrame
        Columns ``rule n_before n_hit n_after``, in the order of application. Rules that hit
        nobody are left out of the picture.
    ax : Axes, optional
    labels : mapping, optional
        Rule to its text.
    received, analysed : str, optional
        Texts of the first and last box.

    Raises
    ------
    DataContractError
        ``n_before - n_hit`` is not ``n_after``, or a step does not start where the last ended.
    """
    need_columns(data, ["rule", "n_before", "n_hit", "n_after"], "plot_flow")
    _check_flow(data)
    hit = data[data["n_hit"] > 0]
    height = STEP * (len(hit) + 1) + 2 * BOX[1]
    ax = new_axes(width=5.2, height=max(1.5, height + 0.1)) if ax is None else ax
    top, bottom = height - BOX[1] / 2, BOX[1] / 2
    first, last = int(data["n_before"].iloc[0]), int(data["n_after"].iloc[-1])
    _flow_box(ax, 1.1, top, received or _("Answers received"), first, main=True)
    _flow_box(ax, 1.1, bottom, analysed or _("Respondents analysed"), last, main=True)
    _flow_arrow(ax, (1.1, top - BOX[1] / 2), (1.1, bottom + BOX[1] / 2))
    for i, row in enumerate(hit.itertuples(index=False)):
        y = top - BOX[1] / 2 - STEP * (i + 0.85)
        name = wrap((labels or {}).get(row.rule, str(row.rule)), SIDE_LETTERS)
        _flow_arrow(ax, (1.1, y), (2.3, y))
        _flow_box(ax, 2.3, y, name, int(row.n_hit), main=False)
    ax.set_xlim(0, 5.2)
    ax.set_ylim(-0.02, height + 0.02)
    ax.axis("off")
    attach_alt_text(ax, describe.flow(data, labels or {}))
    return ax


def _check_flow(data: pd.DataFrame) -> None:
    """Stop unless every row is accounted for exactly once."""
    before = data["n_before"].to_numpy()
    after = data["n_after"].to_numpy()
    adds_up = (before - data["n_hit"].to_numpy() == after).all()
    if not (adds_up and (before[1:] == after[:-1]).all()):
        raise DataContractError(
            "plot_flow: data= has steps that do not add up; n_before - n_hit must be n_after, and "
            "each step must start with the n_after of the last. Use the log of exclude_marked."
        )


def _flow_box(ax: Axes, x: float, y: float, text: str, n: int, *, main: bool) -> None:
    """Draw a box with a text and a number; side boxes start at x, main boxes are centred."""
    width = BOX[0] if main else 2.8
    left = x - width / 2 if main else x
    ax.add_patch(
        FancyBboxPatch(
            (left, y - BOX[1] / 2 + 0.03), width, BOX[1] - 0.06, boxstyle="round,pad=0,"
            "rounding_size=0.05", facecolor=FILL if main else "white",
            edgecolor=INK if main else GREY, linewidth=1.0 if main else 0.7,
        )
    )  # fmt: skip
    number = "n = " + format_integer(n)
    if main:
        ax.text(x, y, f"{text}\n{number}", ha="center", va="center", fontsize=8.5)
        return
    ax.text(left + 0.1, y, text, ha="left", va="center", fontsize=7.5)
    ax.text(left + width - 0.1, y, number, ha="right", va="center", fontsize=7.5)


def _flow_arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a straight arrow."""
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=8, linewidth=0.9, color=INK,
                        shrinkA=0, shrinkB=0)
    )  # fmt: skip


@house_plot
def plot_missing(
    data: pd.DataFrame,
    *,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
    most_patterns: int = 12,
    most_items: int = 30,
) -> Axes:
    """Draw which items are blank together: a row a pattern, a column an item.

    Parameters
    ----------
    data : DataFrame
        Answers, one column an item, blanks as missing values; or booleans, True for blank. Only
        items with a blank are drawn, those with most blanks if there are too many.
    ax : Axes, optional
    labels : mapping, optional
        Item to its text.
    most_patterns, most_items : int
        How many patterns (most frequent first) and items are drawn.
    """
    need_columns(data, [], "plot_missing")
    blank = data if all(pd.api.types.is_bool_dtype(t) for t in data.dtypes) else data.isna()
    counts = blank.sum()
    items = counts[counts > 0].nlargest(most_items).index
    items = [item for item in blank.columns if item in items]
    if not items:
        return _nothing_missing(ax, len(blank))
    patterns = blank[items].value_counts().head(most_patterns)
    grid = np.array([list(key) for key in patterns.index], dtype=float)
    if ax is None:
        ax = new_axes(width=max(4.6, 1.6 + 0.24 * len(items)), height=1.5 + 0.22 * len(patterns))
    _draw_patterns(ax, grid)
    _missing_axes(ax, [(labels or {}).get(i, str(i)) for i in items], patterns, len(blank))
    for x, item in enumerate(items):
        ax.text(x, -0.62, format_integer(counts[item]), ha="center", va="bottom", fontsize=6.5,
                color=GREY)  # fmt: skip
    attach_alt_text(ax, describe.missing(blank, labels or {}))
    return ax


def _nothing_missing(ax: Axes | None, n: int) -> Axes:
    """Say that there is no blank."""
    ax = new_axes(height=1.2) if ax is None else ax
    text = _("No answer is missing (n = {n}).").format(n=format_integer(n))
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)
    ax.axis("off")
    attach_alt_text(ax, text)
    return ax


def _draw_patterns(ax: Axes, grid: np.ndarray) -> None:
    """Draw a filled square for blank, a pale one for answered."""
    rows, columns = np.indices(grid.shape)
    for value, colour in ((0, PALE), (1, PALETTE[1])):
        at = grid == value
        for x, y in zip(columns[at], rows[at]):
            ax.add_patch(
                FancyBboxPatch((x - 0.4, y - 0.36), 0.8, 0.72, boxstyle="square,pad=0",
                               facecolor=colour, edgecolor="none",
                               alpha=1.0 if value else 0.55)
            )  # fmt: skip


def _missing_axes(ax: Axes, names: list[str], patterns: pd.Series, n: int) -> None:
    """Label items below and the size of each pattern to the right."""
    ax.set_xticks(range(len(names)), names, rotation=90)
    shares = [
        f"{format_integer(count)}  ({format_number(100 * count / n, 1)}%)" for count in patterns
    ]
    ax.set_yticks(range(len(patterns)), shares)
    ax.yaxis.tick_right()
    ax.set_xlim(-0.6, len(names) - 0.4)
    ax.set_ylim(len(patterns) - 0.5, -1.2)
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_title(
        _("Patterns of missing answers (filled: missing); above: blanks, right: respondents")
    )
