"""The picture of the manager's brief: up to four panels, those the study allows."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.plots.budget import plot_frontier
from helpers.plots.estimates import plot_forest
from helpers.plots.style import STAMP_INCHES

WIDTH, ROW = 7.2, 2.5
"""Inches of the figure, and of a row of panels."""

Picture = pd.DataFrame | Unavailable


def plot_brief(
    elements: Picture, places: Picture, net: Picture, curve: Picture, *, currency: str
) -> Figure | Unavailable:
    """Draw what the brief rests on, two panels a row.

    Parameters
    ----------
    elements, places, net : DataFrame or Unavailable
        As ``plot_forest`` takes them: scores of 0 to 100, places on the list, money.
    curve : DataFrame or Unavailable
        As ``plot_frontier`` takes it.
    currency : str
        Name of the money.

    Returns
    -------
    Figure or Unavailable
        The first reason if no panel can be drawn.
    """
    money = _("left after cost ({currency})").format(currency=currency)
    panels: list[tuple[Picture, str, Callable[[Axes], object]]] = [
        (elements, _("How well is it done?"),
         lambda ax: plot_forest(elements, ax=ax, reference=None, xlabel=_("points of 100"))),
        (places, _("What comes first?"),
         lambda ax: plot_forest(places, ax=ax, reference=None, xlabel=_("place, 1 first"))),
        (net, _("Does one point more pay?"),
         lambda ax: plot_forest(net, ax=ax, xlabel=money)),
        (curve, _("What does a budget leave?"),
         lambda ax: plot_frontier(curve, ax=ax, currency=currency)),
    ]  # fmt: skip
    drawn = [(title, draw) for data, title, draw in panels if not isinstance(data, Unavailable)]
    if not drawn:
        return next(data for data, _title, _draw in panels if isinstance(data, Unavailable))
    rows = math.ceil(len(drawn) / 2)
    height = ROW * rows
    figure, axes = plt.subplots(
        rows, min(2, len(drawn)), figsize=(WIDTH, height), layout="constrained", squeeze=False
    )
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - STAMP_INCHES / height))
    for ax, (title, draw) in zip(axes.ravel(), drawn):
        draw(ax)
        ax.set_title(title)
    for ax in axes.ravel()[len(drawn) :]:
        ax.set_visible(False)
    return figure
