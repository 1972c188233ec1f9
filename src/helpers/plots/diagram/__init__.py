"""Path diagrams: read the estimates, arrange the nodes, place the labels, draw."""

from helpers.plots.diagram.draw import plot_path_diagram

__all__ = ["plot_path_diagram"]
