"""Figures of the suite: every ``plot_*`` takes data and ``ax=None`` and returns the Axes.

Each figure keeps a sentence that stands for it: ``attached_alt_text(ax)``.
"""

from helpers.plots.diagram import plot_path_diagram
from helpers.plots.estimates import plot_forest, plot_group_means
from helpers.plots.flow import plot_flow, plot_missing
from helpers.plots.matrices import plot_correlations, plot_loadings, plot_residuals
from helpers.plots.power import plot_power_curve
from helpers.plots.relations import (
    binned_means,
    plot_dose_response,
    plot_interaction,
    plot_invariance,
    plot_scree,
)
from helpers.plots.shares import plot_counts, plot_likert
from helpers.plots.style import PALETTE, attached_alt_text, house_style
from helpers.plots.surface import plot_surface

__all__ = [
    "PALETTE",
    "attached_alt_text",
    "binned_means",
    "house_style",
    "plot_correlations",
    "plot_counts",
    "plot_dose_response",
    "plot_flow",
    "plot_forest",
    "plot_group_means",
    "plot_interaction",
    "plot_invariance",
    "plot_likert",
    "plot_loadings",
    "plot_missing",
    "plot_path_diagram",
    "plot_power_curve",
    "plot_residuals",
    "plot_scree",
    "plot_surface",
]
