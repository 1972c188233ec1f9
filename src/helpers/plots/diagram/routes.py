"""The run of each arrow: straight where it can be, bent where a node stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from helpers.plots.diagram.geometry import Shape, arc, clipped, cubic, line, through
from helpers.plots.diagram.graph import Edge, Graph
from helpers.plots.diagram.layers import Columns, edge_stations
from helpers.plots.diagram.positions import Station, bulge

CLEARANCE = 0.04
BOWS = (0.35, -0.35, 0.6, -0.6, 0.9, -0.9, 1.3, -1.3, 1.8, -1.8, 2.4, -2.4)


@dataclass(frozen=True, slots=True)
class Route:
    """An arrow: its edge, and equally spaced points from border to border."""

    edge: Edge
    points: np.ndarray


def make_routes(
    graph: Graph,
    columns: Columns,
    shapes: Mapping[str, Shape],
    stations: Mapping[str, Station],
) -> list[Route]:
    """Return the run of every arrow."""
    routes = []
    for edge in graph.edges:
        tail, head = shapes.get(edge.tail), shapes.get(edge.head)
        if tail is None or head is None:
            continue
        if edge.kind == "covariance":
            points = _bow(edge, columns, shapes)
        elif edge.kind == "loading":
            points = line(_centre(tail), _centre(head))
        else:
            points = _arrow(edge, graph, columns, shapes, stations)
        routes.append(Route(edge, clipped(points, tail, head)))
    return routes


def _centre(shape: Shape) -> np.ndarray:
    """Return the centre of a node."""
    return np.array([shape.box.x, shape.box.y])


def _arrow(
    edge: Edge,
    graph: Graph,
    columns: Columns,
    shapes: Mapping[str, Shape],
    stations: Mapping[str, Station],
) -> np.ndarray:
    """Return the first of straight line, S-curve and bow that runs clear of other nodes."""
    start, end = _centre(shapes[edge.tail]), _centre(shapes[edge.head])
    names = edge_stations(columns, edge)
    if names:
        inner = [np.array(stations[name][:2]) for name in names]
        half = max(stations[name][2] for name in names)
        return _clearest([through([start, *inner, end], half, level=level)
                          for level in (False, True)], edge, shapes)  # fmt: skip
    column = columns.column_of()
    mutual = any(
        (e.tail, e.head) == (edge.head, edge.tail) for e in graph.of_kind("path", "factor")
    )
    forward = column[edge.tail] < column[edge.head] and not mutual
    if not forward and edge.kind != "factor":
        return _clear_bow(edge, shapes)
    return _clearest([line(start, end), *_s_curves(start, end), *_bows(start, end)], edge, shapes)


def _s_curves(start: np.ndarray, end: np.ndarray) -> list[np.ndarray]:
    """Return curves that leave and arrive level, so that they pass under a row of indicators."""
    across = end[0] - start[0]
    pairs = ((0.6, 0.0), (0.0, 0.6), (0.5, 0.5), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8))
    return [
        cubic(start, start + np.array([out * across, 0.0]), end - np.array([into * across, 0.0]),
              end)
        for out, into in pairs
    ]  # fmt: skip


def _bows(start: np.ndarray, end: np.ndarray) -> list[np.ndarray]:
    """Return bows to both sides, the flattest first."""
    along = end - start
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    return [arc(start, end, size * across) for size in BOWS]


def hits(points: np.ndarray, edge: Edge, shapes: Mapping[str, Shape]) -> int:
    """Count the points of a curve that lie on nodes other than its ends."""
    return sum(
        int(shape.inside(points, CLEARANCE).sum())
        for name, shape in shapes.items()
        if name not in (edge.tail, edge.head)
    )


def _clearest(curves: list[np.ndarray], edge: Edge, shapes: Mapping[str, Shape]) -> np.ndarray:
    """Return the first curve with the fewest hits."""
    return min(curves, key=lambda points: hits(points, edge, shapes))


def _clear_bow(edge: Edge, shapes: Mapping[str, Shape]) -> np.ndarray:
    """Return the flattest bow that runs through no other node."""
    start, end = _centre(shapes[edge.tail]), _centre(shapes[edge.head])
    return _clearest(_bows(start, end), edge, shapes)


def _bow(edge: Edge, columns: Columns, shapes: Mapping[str, Shape]) -> np.ndarray:
    """Return a covariance arc: outside the column if both ends share it."""
    column = columns.column_of()
    tail, head = shapes[edge.tail].box, shapes[edge.head].box
    if column[edge.tail] != column[edge.head]:
        return _clear_bow(edge, shapes)
    side = 1.0 if column[edge.tail] == len(columns.order) - 1 > 0 else -1.0
    apart = abs(tail.y - head.y)
    sign = 1.0 if tail.y > head.y else -1.0
    names = [n for n in columns.order[column[edge.tail]] if n in shapes]
    if column[edge.tail] > 0 and abs(names.index(edge.tail) - names.index(edge.head)) == 1:
        # Between two columns of arrows there is room only in the gap of the neighbours.
        down = np.array([0.0, -sign])
        start = np.array([tail.x, tail.y]) + down * tail.height / 2
        end = np.array([head.x, head.y]) - down * head.height / 2
        reach = (0.12, -0.12, *(k * size for size in BOWS[:8] for k in (side, -side)))
        bows = [arc(start, end, np.array([size, 0.0])) for size in reach]
        return _clearest(bows, edge, shapes)
    # Longer arcs leave nearer to the middle of the side and swing wider, so that arcs nest.
    angle = np.deg2rad(max(12.0, 55.0 - 18.0 * apart))
    out = np.array([np.cos(angle) * side, np.sin(angle)])
    start = np.array([tail.x + out[0] * tail.width / 2, tail.y - sign * out[1] * tail.height / 2])
    end = np.array([head.x + out[0] * head.width / 2, head.y + sign * out[1] * head.height / 2])
    return arc(start, end, np.array([side * bulge(apart), 0.0]))
