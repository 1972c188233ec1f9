"""The picture by which the convergence of multiple imputation is judged."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from helpers.i18n import _
from helpers.plots.checks import need_columns
from helpers.plots.style import PALETTE, STAMP_INCHES, attach_alt_text, house_plot
from helpers.tables.numbers import format_number

_WIDTH, _HEIGHT = 2.2, 2.1


@house_plot
def plot_imputation_trace(data: pd.DataFrame) -> Axes:
    """Draw the mean of the imputed values over the cycles, a line a chain, a panel an item.

    Chains that lie among one another and show no common trend have converged.

    Parameters
    ----------
    data : DataFrame
        Columns ``chain cycle item mean``, as ``Imputations.trace``; up to four items read well.

    Returns
    -------
    Axes
        Of the first panel; the figure holds one a item.
    """
    need_columns(data, ["chain", "cycle", "item", "mean"], "plot_imputation_trace")
    items = list(dict.fromkeys(data["item"]))
    figure, panels = plt.subplots(
        1, len(items), figsize=(max(4.6, _WIDTH * len(items)), _HEIGHT + STAMP_INCHES),
        layout="constrained", squeeze=False,
    )  # fmt: skip
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - STAMP_INCHES / figure.get_figheight()))
    for ax, item in zip(panels[0], items):
        own = data[data["item"] == item]
        for _chain, line in own.groupby("chain"):
            ax.plot(line["cycle"], line["mean"], color=PALETTE[0], linewidth=0.8, alpha=0.45)
        middle = own.groupby("cycle")["mean"].mean()
        ax.plot(middle.index, middle, color=PALETTE[1], linewidth=1.8)
        ax.set_xticks(sorted(own["cycle"].unique()))
        ax.set_title(str(item))
        ax.set_xlabel(_("Cycle"))
    panels[0][0].set_ylabel(_("Mean of imputed values"))
    attach_alt_text(panels[0][0], _described(data, items))
    return panels[0][0]


def _described(data: pd.DataFrame, items: list[str]) -> str:
    """Say in words where the chains end."""
    last = data[data["cycle"] == data["cycle"].max()]
    parts = [
        _("{item} {low} to {high}").format(
            item=item, low=format_number(own.min()), high=format_number(own.max())
        )
        for item, own in ((i, last.loc[last["item"] == i, "mean"]) for i in items)
    ]
    return _(
        "Means of imputed values over {cycles} cycles in {chains} chains; in the last cycle they "
        "lie between: {readings}."
    ).format(
        cycles=int(data["cycle"].max()), chains=data["chain"].nunique(),
        readings=_("; ").join(parts),
    )  # fmt: skip
