"""Layered layout: which column, which order in the column, which height.

Sugiyama, Tagawa & Toda (1981), doi:10.1109/TSMC.1981.4308636: longest-path layers, barycentre
sweeps against crossings, then heights by least squares under the distances that the nodes need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from helpers.plots.diagram.graph import Edge, Graph

SWEEPS = 12
Arc = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Columns:
    """Nodes by column, top to bottom; ``dummies[edge]`` are the stations of a long edge."""

    order: tuple[tuple[str, ...], ...]
    dummies: dict[Arc, tuple[str, ...]]

    def column_of(self) -> dict[str, int]:
        """Return the column of each node and station."""
        return {name: k for k, names in enumerate(self.order) for name in names}


def make_columns(graph: Graph) -> Columns:
    """Assign columns and order them so that few arrows cross."""
    arcs = _acyclic(graph.nodes, layout_arcs(graph))
    layer = _longest_path(graph.nodes, arcs)
    layer = _pull_sources(graph, arcs, layer)
    order, segments, dummies = _with_dummies(graph.nodes, arcs, layer)
    return Columns(_few_crossings(order, segments), dummies)


def layout_arcs(graph: Graph) -> list[Arc]:
    """Return left-to-right relations: paths, and first-order factors on the outer side."""
    paths = [(edge.tail, edge.head) for edge in graph.of_kind("path")]
    heads = {head for _tail, head in paths}
    arcs = list(dict.fromkeys(paths))
    for edge in graph.of_kind("factor"):
        # An exogenous second-order factor has its faces to the left, an endogenous to the right;
        # without any path, the reading goes from the factor to its faces.
        outward = edge.tail in heads or not paths
        arcs.append((edge.tail, edge.head) if outward else (edge.head, edge.tail))
    return list(dict.fromkeys(arcs))


def _acyclic(nodes: Sequence[str], arcs: Sequence[Arc]) -> list[Arc]:
    """Drop from the layout the arcs that close a loop (they are still drawn)."""
    kept: list[Arc] = []
    for tail, head in arcs:
        if tail != head and not _reaches(head, tail, kept):
            kept.append((tail, head))
    return kept


def _reaches(start: str, goal: str, arcs: Sequence[Arc]) -> bool:
    """Tell whether arcs lead from start to goal."""
    seen, frontier = {start}, [start]
    while frontier:
        here = frontier.pop()
        if here == goal:
            return True
        fresh = [head for tail, head in arcs if tail == here and head not in seen]
        seen.update(fresh)
        frontier += fresh
    return False


def _longest_path(nodes: Sequence[str], arcs: Sequence[Arc]) -> dict[str, int]:
    """Return for each node the length of the longest way to it."""
    layer = dict.fromkeys(nodes, 0)
    for _round in nodes:
        for tail, head in arcs:
            layer[head] = max(layer[head], layer[tail] + 1)
    return layer


def _pull_sources(graph: Graph, arcs: Sequence[Arc], layer: dict[str, int]) -> dict[str, int]:
    """Move nodes without causes next to what they explain; covarying ones stay together."""
    heads = {head for _tail, head in arcs}
    room = {
        tail: min(layer[head] for t, head in arcs if t == tail) - 1
        for tail, _head in arcs
        if tail not in heads
    }
    explained = {edge.head for edge in graph.of_kind("path")}
    exogenous = {tail for tail, _head in arcs if tail not in explained}
    tied = {
        name
        for edge in graph.of_kind("covariance")
        for name in (edge.tail, edge.head)
        if name in exogenous
    }
    moved = dict(layer)
    if tied:
        common = max(layer[name] for name in tied)
        for name in tied & room.keys():
            moved[name] = min(common, room[name])
    for name in room.keys() - tied:
        moved[name] = room[name]
    return moved


def _with_dummies(
    nodes: Sequence[str], arcs: Sequence[Arc], layer: Mapping[str, int]
) -> tuple[list[list[str]], list[Arc], dict[Arc, tuple[str, ...]]]:
    """Split arcs that skip columns into pieces from column to column."""
    order: list[list[str]] = [[] for _column in range(max(layer.values()) + 1)]
    for name in nodes:
        order[layer[name]].append(name)
    segments: list[Arc] = []
    dummies: dict[Arc, tuple[str, ...]] = {}
    for tail, head in arcs:
        between = range(layer[tail] + 1, layer[head])
        stations = tuple(f"{tail}>{head}@{k}" for k in between)
        for k, station in zip(between, stations):
            order[k].append(station)
        if stations:
            dummies[tail, head] = stations
        chain = (tail, *stations, head)
        segments += list(zip(chain, chain[1:]))
    return order, segments, dummies


def crossings(order: Sequence[Sequence[str]], segments: Iterable[Arc]) -> int:
    """Count crossing pairs of segments between neighbouring columns."""
    place = {name: (k, i) for k, names in enumerate(order) for i, name in enumerate(names)}
    by_gap: dict[int, list[tuple[int, int]]] = {}
    for tail, head in segments:
        (k, i), (_next, j) = place[tail], place[head]
        by_gap.setdefault(k, []).append((i, j))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for pairs in by_gap.values()
        for n, a in enumerate(pairs)
        for b in pairs[n + 1 :]
    )


def _few_crossings(
    order: Sequence[Sequence[str]], segments: Sequence[Arc]
) -> tuple[tuple[str, ...], ...]:
    """Sweep forwards and backwards by barycentres, then swap neighbours; keep the best."""
    starts = ([list(names) for names in order], [list(names)[::-1] for names in order])
    best, fewest = starts[0], crossings(starts[0], segments)
    for start in starts:
        now = start
        for sweep in range(SWEEPS):
            now = _swap(_sweep(now, segments, forward=sweep % 2 == 0), segments)
            count = crossings(now, segments)
            if count < fewest:
                best, fewest = now, count
    return tuple(tuple(names) for names in best)


def _sweep(
    order: Sequence[Sequence[str]], segments: Sequence[Arc], *, forward: bool
) -> list[list[str]]:
    """Sort each column by the mean place of its neighbours in the column before it."""
    result = [list(names) for names in order]
    columns = range(1, len(result)) if forward else range(len(result) - 2, -1, -1)
    for k in columns:
        fixed = {name: i for i, name in enumerate(result[k - 1 if forward else k + 1])}
        pairs = [(head, tail) if forward else (tail, head) for tail, head in segments]
        here = {name: i for i, name in enumerate(result[k])}
        scale = len(fixed) / max(len(here), 1)

        def centre(name: str, fixed=fixed, pairs=pairs, here=here, scale=scale) -> float:
            near = [fixed[other] for own, other in pairs if own == name and other in fixed]
            return float(np.mean(near)) if near else here[name] * scale

        result[k].sort(key=centre)
    return result


def _swap(order: list[list[str]], segments: Sequence[Arc]) -> list[list[str]]:
    """Swap neighbours in a column as long as that removes crossings."""
    now, count = order, crossings(order, segments)
    improved = count > 0
    while improved:
        improved = False
        for k, names in enumerate(now):
            for i in range(len(names) - 1):
                trial = [list(column) for column in now]
                trial[k][i], trial[k][i + 1] = trial[k][i + 1], trial[k][i]
                fewer = crossings(trial, segments)
                if fewer < count:
                    now, count, improved = trial, fewer, True
    return now


def heights(
    columns: Columns,
    segments: Sequence[tuple[str, str, float]],
    distance: Callable[[str, str], float],
) -> dict[str, float]:
    """Return the height of each node and station, the picture centred on zero.

    Minimises ``sum(weight * (y_tail - y_head)**2)`` over the segments, subject to neighbours in
    a column standing at least ``distance`` apart. With the gaps as unknowns this is least squares
    with bounds, so the solution is unique and symmetrical where the model is.
    """
    names = [name for column in columns.order for name in column]
    index = {name: i for i, name in enumerate(names)}
    basis = np.zeros((len(names), len(names)))
    offset = np.zeros(len(names))
    low = np.full(len(names), -np.inf)
    for column in columns.order:
        for i, name in enumerate(column):
            row = index[name]
            if i == 0:
                basis[row, row] = 1
                continue
            above = index[column[i - 1]]
            basis[row] = basis[above]
            basis[row, row] = -1
            offset[row] = offset[above] - distance(column[i - 1], name)
            low[row] = 0
    system, target = _pull(names, index, segments, basis, offset)
    solution = lsq_linear(system, target, bounds=(low, np.inf), method="bvls").x
    y = basis @ solution + offset
    return dict(zip(names, y - (y.max() + y.min()) / 2))


def _pull(
    names: Sequence[str],
    index: Mapping[str, int],
    segments: Sequence[tuple[str, str, float]],
    basis: np.ndarray,
    offset: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the least-squares system: level arrows, and a weak pull of all to the middle."""
    rows, target = [], []
    for tail, head, weight in segments:
        step = np.sqrt(weight) * (basis[index[tail]] - basis[index[head]])
        rows.append(step)
        target.append(-np.sqrt(weight) * (offset[index[tail]] - offset[index[head]]))
    for name in names:
        rows.append(0.05 * basis[index[name]])
        target.append(-0.05 * offset[index[name]])
    return np.array(rows), np.array(target)


def pieces(columns: Columns, arcs: Iterable[Arc]) -> list[tuple[str, str, float]]:
    """Return the segments of all arcs with weights; long edges are kept straighter."""
    result = []
    for arc in arcs:
        stations = columns.dummies.get(arc, ())
        chain = (arc[0], *stations, arc[1])
        for one, other in zip(chain, chain[1:]):
            inner = (one in stations) + (other in stations)
            result.append((one, other, (1.0, 3.0, 400.0)[inner]))
    return result


def forward_arcs(graph: Graph, columns: Columns) -> list[Arc]:
    """Return the layout arcs that run from left to right in these columns."""
    column = columns.column_of()
    return [(a, b) for a, b in layout_arcs(graph) if column[a] < column[b]]


def edge_stations(columns: Columns, edge: Edge) -> tuple[str, ...]:
    """Return the stations of an edge in the direction of its arrow."""
    straight = columns.dummies.get((edge.tail, edge.head))
    if straight is not None:
        return straight
    return columns.dummies.get((edge.head, edge.tail), ())[::-1]
