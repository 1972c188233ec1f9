"""Sizes from the texts, and where nodes and indicators stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from helpers.plots.diagram.geometry import Box, Shape
from helpers.plots.diagram.graph import Graph
from helpers.plots.diagram.layers import Columns, forward_arcs, heights, pieces

Measure = Callable[[str, float], tuple[float, float]]
Station = tuple[float, float, float]
NODE_SIZE, SMALL_SIZE = 9.5, 8.0


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances in inches that grow when labels find no room."""

    column: float = 0.72
    row: float = 0.3
    indicator: float = 0.85

    def wider(self) -> Spacing:
        return replace(
            self, column=self.column * 1.12, row=self.row * 1.15, indicator=self.indicator * 1.08
        )


@dataclass(frozen=True, slots=True)
class Sizes:
    """Common width and height of ellipses, rectangles and indicators."""

    ellipse: tuple[float, float]
    box: tuple[float, float]
    indicator: tuple[float, float]


def node_sizes(graph: Graph, texts: Mapping[str, str], measure: Measure) -> Sizes:
    """Return one size for each kind of node, from its largest text."""

    def largest(names: list[str], size: float) -> tuple[float, float]:
        boxes = [measure(texts[name], size) for name in names] or [(0.3, 0.15)]
        return max(box[0] for box in boxes), max(box[1] for box in boxes)

    width, height = largest(list(graph.latents), NODE_SIZE)
    a = max(width / 2 * 1.18 + 0.05, 0.45)
    b = max(height / 2 / np.sqrt(1 - (width / 2 / a) ** 2) + 0.03, 0.25)
    box = largest(list(graph.observed), NODE_SIZE)
    items = [item for names in graph.indicators.values() for item in names]
    small = largest(items, SMALL_SIZE)
    return Sizes(
        (2 * a, 2 * b), (max(box[0] + 0.2, 0.7), box[1] + 0.16), (small[0] + 0.12, small[1] + 0.08)
    )


def positions(
    graph: Graph, columns: Columns, sides: Mapping[str, str], sizes: Sizes, spacing: Spacing
) -> tuple[dict[str, Shape], dict[str, Station]]:
    """Return the node shapes, and centre and half width of each station."""
    spans = {name: _span(name, graph, sides, sizes, spacing) for name in columns.column_of()}

    linked = {frozenset((e.tail, e.head)) for e in graph.of_kind("covariance")}

    def distance(upper: str, lower: str) -> float:
        stations = (upper not in graph.nodes) + (lower not in graph.nodes)
        room = spacing.row * (1.0, 0.8, 0.6)[stations]
        if frozenset((upper, lower)) in linked and columns.column_of()[upper] > 0:
            room += 0.2
        return spans[upper][1] + spans[lower][0] + room

    y = heights(columns, pieces(columns, forward_arcs(graph, columns)), distance)
    x, shapes, stations, edge = 0.0, {}, {}, None
    for names in columns.order:
        half = max([_half_width(name, graph, sides, sizes) for name in names])
        x = 0.0 if edge is None else edge + spacing.column + half
        edge = x + half
        for name in names:
            if name in graph.nodes:
                shapes[name] = _shape(name, x, y[name], graph, sizes)
            else:
                stations[name] = (x, y[name], half)
    reach = _reach(graph, columns, y, spacing)
    for name, items in graph.indicators.items():
        if name in shapes:
            away = reach if sides[name] == "left" else spacing.indicator
            shapes |= _indicator_shapes(shapes[name], items, sides[name], sizes, away)
    return shapes, stations


def _reach(graph: Graph, columns: Columns, y: Mapping[str, float], spacing: Spacing) -> float:
    """Return how far the left indicators stand off, so that the covariance arcs lie between."""
    first = set(columns.order[0])
    spreads = [
        abs(y[edge.tail] - y[edge.head])
        for edge in graph.of_kind("covariance")
        if {edge.tail, edge.head} <= first
    ]
    if not spreads:
        return spacing.indicator
    # A cubic arc reaches three quarters of the way to its handles.
    return max(spacing.indicator, 0.75 * bulge(max(spreads)) + 0.45)


def first_sides(graph: Graph, columns: Columns) -> dict[str, str]:
    """Choose where the indicators of each latent stand."""
    column, last = columns.column_of(), len(columns.order) - 1
    sides = {}
    for name in graph.indicators:
        names = [other for other in columns.order[column[name]] if other in graph.nodes]
        if column[name] == last:
            sides[name] = "right"
        elif column[name] == 0:
            sides[name] = "left"
        else:
            sides[name] = "above" if names.index(name) < len(names) / 2 else "below"
    return sides


def _span(
    name: str, graph: Graph, sides: Mapping[str, str], sizes: Sizes, spacing: Spacing
) -> tuple[float, float]:
    """Return the room a node needs above and below its centre, indicators included."""
    if name not in graph.nodes:
        return 0.0, 0.0
    half = (sizes.ellipse if name in graph.latents else sizes.box)[1] / 2
    items = graph.indicators.get(name, ())
    if not items:
        return half, half
    if sides[name] in ("left", "right"):
        stack = len(items) * (sizes.indicator[1] + 0.07) / 2
        return max(half, stack), max(half, stack)
    row = half + 0.75 * spacing.indicator + sizes.indicator[1]
    return (row, half) if sides[name] == "above" else (half, row)


def _half_width(name: str, graph: Graph, sides: Mapping[str, str], sizes: Sizes) -> float:
    """Return half the width a node takes in its column."""
    if name not in graph.nodes:
        return 0.2
    half = (sizes.ellipse if name in graph.latents else sizes.box)[0] / 2
    if sides.get(name) in ("above", "below"):
        row = len(graph.indicators[name]) * (sizes.indicator[0] + 0.08) / 2
        return max(half, row)
    return half


def _shape(name: str, x: float, y: float, graph: Graph, sizes: Sizes) -> Shape:
    """Return the shape of a node."""
    ellipse = name in graph.latents
    width, height = sizes.ellipse if ellipse else sizes.box
    return Shape(name, Box(x, y, width, height), ellipse)


def _indicator_shapes(
    latent: Shape, items: tuple[str, ...], side: str, sizes: Sizes, away: float
) -> dict[str, Shape]:
    """Return the rectangles of one latent's indicators."""
    width, height = sizes.indicator
    middle = (len(items) - 1) / 2
    shapes = {}
    for i, item in enumerate(items):
        if side in ("left", "right"):
            reach = latent.box.width / 2 + away + width / 2
            x = latent.box.x + (reach if side == "right" else -reach)
            y = latent.box.y + (middle - i) * (height + 0.07)
        else:
            reach = latent.box.height / 2 + 0.75 * away + height / 2
            x = latent.box.x + (i - middle) * (width + 0.08)
            y = latent.box.y + (reach if side == "above" else -reach)
        shapes[item] = Shape(item, Box(x, y, width, height), False)
    return shapes


def bulge(apart: float) -> float:
    """Return how far the handles of an arc stand out, by the distance of its ends."""
    return 0.25 + 0.2 * apart
