"""Figures of the suite: every ``plot_*`` takes data and ``ax=None`` and returns the Axes."""

from helpers.plots.diagram import plot_path_diagram
from helpers.plots.estimates import plot_forest, plot_group_means
from helpers.plots.style import PALETTE, attached_alt_text, house_style

__all__ = [
    "PALETTE",
    "attached_alt_text",
    "house_style",
    "plot_forest",
    "plot_group_means",
    "plot_path_diagram",
]
