"""Two coders against each other: how often each pair of codes was given."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from helpers.errors import DataContractError
from helpers.i18n import _
from helpers.plots.style import attach_alt_text, house_plot, new_axes
from helpers.plots.text import wrap

SHARES = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#a3c9e6", "#00508a"])
ROW_LETTERS, COLUMN_LETTERS = 14, 10
"""Width of labels, a Chinese character counting two: columns stand closer."""


@house_plot
def plot_confusion(
    data: pd.DataFrame, *, ax: Axes | None = None, labels: Mapping[float, str] | None = None
) -> Axes:
    """Draw a table of two coders: counts are printed, shade is the share of the row.

    Parameters
    ----------
    data : DataFrame, shape (q, q)
        Cases by the first coder's code (rows) and the second's (columns): ``confusion``.
    ax : Axes, optional
    labels : mapping, optional
        Code to its text.

    Raises
    ------
    DataContractError
        Rows and columns name different codes.
    """
    if list(data.index) != list(data.columns) or data.empty:
        raise DataContractError(
            f"plot_confusion: data= has the rows {list(data.index)} and the columns "
            f"{list(data.columns)}; the same codes in both are needed. Take confusion()."
        )
    names = [(labels or {}).get(code, f"{code:g}") for code in data.index]
    counts = data.to_numpy(dtype=float)
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    ax = new_axes(height=1.4 + 0.52 * len(names)) if ax is None else ax
    sns.heatmap(
        shares, annot=counts.astype(int), fmt="d", cmap=SHARES, vmin=0, vmax=1, cbar=False,
        linewidths=0.8, linecolor="white", annot_kws={"size": 8}, ax=ax,
        xticklabels=[wrap(name, COLUMN_LETTERS) for name in names],
        yticklabels=[wrap(name, ROW_LETTERS) for name in names],
    )  # fmt: skip
    ax.tick_params(axis="both", length=0, rotation=0)
    ax.set_xlabel(_("second coder"))
    ax.set_ylabel(_("first coder"))
    same, total = int(np.trace(counts)), int(counts.sum())
    words = _("Table of two coders; on the diagonal: {same} of {total} cases.")
    attach_alt_text(ax, words.format(same=same, total=total))
    return ax
