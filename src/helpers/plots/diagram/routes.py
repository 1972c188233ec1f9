"""The run of each arrow: straight where it can be, bent where a node or an arrow is in the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from helpers.plots.diagram.geometry import Shape, arc, clipped, cubic, line, through
from helpers.plots.diagram.graph import Edge, Graph
from helpers.plots.diagram.layers import Columns, edge_stations
from helpers.plots.diagram.positions import Station, bulge

CLEARANCE = 0.04
# Two arrows nearer than this look like one; near their ends that cannot be helped.
APART, ENDS = 0.07, 0.22
HIT_COST, NEXT_COST = 1000.0, 6.0
BOWS = (0.35, -0.35, 0.6, -0.6, 0.9, -0.9, 1.3, -1.3, 1.8, -1.8, 2.4, -2.4)


@dataclass(frozen=True, slots=True)
class Route:
    """An arrow: its edge, and equally spaced points from border to border."""

    edge: Edge
    points: np.ndarray


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is placed already: nodes, stations, and the arrows so far."""

    graph: Graph
    columns: Columns
    shapes: Mapping[str, Shape]
    stations: Mapping[str, Station]
    placed: list[np.ndarray] = field(default_factory=list)

    def centre(self, name: str) -> np.ndarray:
        """Return the centre of a node."""
        return np.array([self.shapes[name].box.x, self.shapes[name].box.y])


def make_routes(
    graph: Graph,
    columns: Columns,
    shapes: Mapping[str, Shape],
    stations: Mapping[str, Station],
) -> list[Route]:
    """Return the run of every arrow, in the order of the graph's edges.

    Straight arrows are placed first, then those that skip a column, then arcs; the later ones
    keep away from the earlier.
    """
    scene = _Scene(graph, columns, shapes, stations)
    drawn = [e for e in graph.edges if e.tail in shapes and e.head in shapes]
    runs: dict[int, np.ndarray] = {}
    for k in sorted(range(len(drawn)), key=lambda k: _turn(drawn[k], columns)):
        edge = drawn[k]
        points = clipped(_run(edge, scene), shapes[edge.tail], shapes[edge.head])
        scene.placed.append(points)
        runs[k] = points
    return [Route(edge, runs[k]) for k, edge in enumerate(drawn)]


def hits(points: np.ndarray, edge: Edge, shapes: Mapping[str, Shape]) -> int:
    """Count the points of a curve that lie on nodes other than its ends."""
    return sum(
        int(shape.inside(points, CLEARANCE).sum())
        for name, shape in shapes.items()
        if name not in (edge.tail, edge.head)
    )


def _turn(edge: Edge, columns: Columns) -> int:
    """Return when an edge is placed: 0 straight, 1 through stations, 2 arcs."""
    if edge.kind == "covariance":
        return 2
    return 1 if edge_stations(columns, edge) else 0


def _run(edge: Edge, scene: _Scene) -> np.ndarray:
    """Return the curve of one edge from centre to centre, or from border to border."""
    start, end = scene.centre(edge.tail), scene.centre(edge.head)
    if edge.kind == "covariance":
        return _bow(edge, scene)
    if edge.kind == "loading":
        return line(start, end)
    names = edge_stations(scene.columns, edge)
    if names:
        inner = [np.array(scene.stations[name][:2]) for name in names]
        half = max(scene.stations[name][2] for name in names)
        curves = [through([start, *inner, end], half, level=level, reach=reach)
                  for reach in (0.45, 0.3, 0.65) for level in (False, True)]  # fmt: skip
        return _clearest(curves, edge, scene, apart=True)
    column = scene.columns.column_of()
    mutual = any(
        (e.tail, e.head) == (edge.head, edge.tail) for e in scene.graph.of_kind("path", "factor")
    )
    if edge.kind == "factor" or (column[edge.tail] < column[edge.head] and not mutual):
        curves = [line(start, end), *_s_curves(start, end), *_bows(start, end)]
        return _clearest(curves, edge, scene)
    return _clearest(_bows(start, end), edge, scene)


def _s_curves(start: np.ndarray, end: np.ndarray) -> list[np.ndarray]:
    """Return curves that leave and arrive level, so that they pass under a row of indicators."""
    across = np.array([end[0] - start[0], 0.0])
    pairs = ((0.6, 0.0), (0.0, 0.6), (0.5, 0.5), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8))
    return [cubic(start, start + out * across, end - into * across, end) for out, into in pairs]


def _bows(start: np.ndarray, end: np.ndarray) -> list[np.ndarray]:
    """Return bows to both sides, the flattest first."""
    along = end - start
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    return [arc(start, end, size * across) for size in BOWS]


def _clearest(
    curves: Sequence[np.ndarray], edge: Edge, scene: _Scene, *, apart: bool = False
) -> np.ndarray:
    """Return the cheapest curve; the earlier ones are preferred.

    A point on a node costs most. With ``apart``, so does running beside an arrow placed before.
    """
    tree = cKDTree(np.vstack(scene.placed)) if apart and scene.placed else None

    def cost(k: int) -> float:
        own = NEXT_COST * k + HIT_COST * hits(curves[k], edge, scene.shapes)
        return own if tree is None else own + _beside(curves[k], edge, scene, tree)

    return curves[min(range(len(curves)), key=cost)]


def _beside(points: np.ndarray, edge: Edge, scene: _Scene, tree: cKDTree) -> int:
    """Count the points of a curve that run beside an arrow placed before."""
    run = clipped(points, scene.shapes[edge.tail], scene.shapes[edge.head])
    free = np.ones(len(run), dtype=bool)
    for end in (run[0], run[-1]):
        free &= np.hypot(*(run - end).T) > ENDS
    distances, _index = tree.query(run[free], distance_upper_bound=APART)
    return int(np.isfinite(distances).sum())


def _bow(edge: Edge, scene: _Scene) -> np.ndarray:
    """Return a covariance arc: in the gap of neighbours, or outside their column."""
    column = scene.columns.column_of()
    start, end = scene.centre(edge.tail), scene.centre(edge.head)
    if column[edge.tail] != column[edge.head]:
        return _clearest(_bows(start, end), edge, scene, apart=True)
    first, last = column[edge.tail] == 0, column[edge.tail] == len(scene.columns.order) - 1
    if first:
        return _side_arc(edge, scene, side=-1.0)
    names = [n for n in scene.columns.order[column[edge.tail]] if n in scene.shapes]
    curves = []
    if abs(names.index(edge.tail) - names.index(edge.head)) == 1:
        # Between two columns of arrows there is room only in the gap of the neighbours.
        curves = _gap_arcs(edge, scene)
    sides = (1.0, -1.0) if last else (-1.0, 1.0)
    curves += [_side_arc(edge, scene, side=side, wider=w) for w in (1.0, 1.5) for side in sides]
    return _clearest(curves, edge, scene, apart=True)


def _gap_arcs(edge: Edge, scene: _Scene) -> list[np.ndarray]:
    """Return short bows from the bottom of the upper node to the top of the lower."""
    tail, head = scene.shapes[edge.tail].box, scene.shapes[edge.head].box
    down = np.array([0.0, -1.0 if tail.y > head.y else 1.0])
    start = np.array([tail.x, tail.y]) + down * tail.height / 2
    end = np.array([head.x, head.y]) - down * head.height / 2
    sizes = (-0.12, 0.12, *(side * size for size in BOWS[:8:2] for side in (-1.0, 1.0)))
    return [arc(start, end, np.array([size, 0.0])) for size in sizes]


def _side_arc(edge: Edge, scene: _Scene, *, side: float, wider: float = 1.0) -> np.ndarray:
    """Return an arc beside the column; longer ones swing wider, so that arcs nest."""
    tail, head = scene.shapes[edge.tail].box, scene.shapes[edge.head].box
    apart = abs(tail.y - head.y)
    sign = 1.0 if tail.y > head.y else -1.0
    angle = np.deg2rad(max(12.0, 55.0 - 18.0 * apart))
    out = np.array([np.cos(angle) * side, np.sin(angle)])
    start = np.array([tail.x + out[0] * tail.width / 2, tail.y - sign * out[1] * tail.height / 2])
    end = np.array([head.x + out[0] * head.width / 2, head.y + sign * out[1] * head.height / 2])
    return arc(start, end, np.array([wider * side * bulge(apart), 0.0]))
