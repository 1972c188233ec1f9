"""Where everything stands: nodes, arrows and weights, in inches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from helpers.plots.diagram.geometry import Box, Shape
from helpers.plots.diagram.graph import Edge, Graph
from helpers.plots.diagram.labels import conflicts, place_labels
from helpers.plots.diagram.layers import Columns, make_columns
from helpers.plots.diagram.positions import (
    SMALL_SIZE,
    Measure,
    Sizes,
    Spacing,
    first_sides,
    node_sizes,
    positions,
)
from helpers.plots.diagram.routes import Route, hits, make_routes

LABEL_SIZE = 9.0
TRIES = 14


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Everything placed, in inches, y upwards.

    ``labels`` are the boxes of the weights, in the order of ``routes`` (None without a text).
    """

    shapes: dict[str, Shape]
    routes: tuple[Route, ...]
    labels: tuple[Box | None, ...]
    extent: tuple[float, float, float, float]


def arrange(graph: Graph, texts: Mapping[str, str], measure: Measure) -> Arrangement:
    """Lay out a graph; distances grow until no label covers a label or a node.

    ``texts`` are the node texts with their line breaks; ``measure(text, points)`` returns width
    and height in inches.
    """
    columns = make_columns(graph)
    sizes = node_sizes(graph, texts, measure)
    spacing = Spacing()
    sides = _clear_sides(graph, columns, sizes, spacing)
    for _attempt in range(TRIES):
        shapes, routes = _draft(graph, columns, sides, sizes, spacing)
        labels = place_labels(
            [route.points for route in routes],
            [_plate(route.edge, measure) for route in routes],
            list(shapes.values()),
        )
        if conflicts(labels, list(shapes.values())) + _run_over(shapes, routes) == 0:
            break
        spacing = spacing.wider()
    return Arrangement(shapes, routes, tuple(labels), _extent(shapes, routes, labels))


def _draft(
    graph: Graph, columns: Columns, sides: Mapping[str, str], sizes: Sizes, spacing: Spacing
) -> tuple[dict[str, Shape], tuple[Route, ...]]:
    """Return nodes and arrows for one choice of sides and distances."""
    shapes, stations = positions(graph, columns, sides, sizes, spacing)
    return shapes, tuple(make_routes(graph, columns, shapes, stations))


def _run_over(shapes: Mapping[str, Shape], routes: tuple[Route, ...]) -> int:
    """Count the points of arrows that lie on other nodes."""
    return sum(hits(route.points, route.edge, shapes) for route in routes)


def _clear_sides(graph: Graph, columns: Columns, sizes: Sizes, spacing: Spacing) -> dict[str, str]:
    """Choose for each inner latent the side of its indicators that arrows run over least."""
    sides = first_sides(graph, columns)
    least = _run_over(*_draft(graph, columns, sides, sizes, spacing))
    for name in [n for n, side in sides.items() if side in ("above", "below")]:
        if least == 0:
            break
        trial = sides | {name: "below" if sides[name] == "above" else "above"}
        count = _run_over(*_draft(graph, columns, trial, sizes, spacing))
        if count < least:
            sides, least = trial, count
    return sides


def label_size(edge: Edge) -> float:
    """Return the font size of an edge's weight."""
    return SMALL_SIZE if edge.kind in ("loading", "covariance") else LABEL_SIZE


def _plate(edge: Edge, measure: Measure) -> tuple[float, float] | None:
    """Return width and height of the plate of a weight."""
    if not edge.text:
        return None
    width, height = measure(edge.text, label_size(edge))
    return width + 0.06, height + 0.05


def _extent(
    shapes: Mapping[str, Shape], routes: tuple[Route, ...], labels: list[Box | None]
) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top of everything drawn."""
    boxes = [s.box for s in shapes.values()] + [box for box in labels if box is not None]
    x = [b.x - b.width / 2 for b in boxes] + [b.x + b.width / 2 for b in boxes]
    y = [b.y - b.height / 2 for b in boxes] + [b.y + b.height / 2 for b in boxes]
    for route in routes:
        x += [route.points[:, 0].min(), route.points[:, 0].max()]
        y += [route.points[:, 1].min(), route.points[:, 1].max()]
    return min(x), max(x), min(y), max(y)
