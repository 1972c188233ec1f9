"""Where the weights stand on their arrows: no plate on a plate, none on a node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.plots.diagram.geometry import Box, Shape, at_share

# Shares of the arrow's length, the middle first.
SHARES = (
    0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3, 0.7, 0.26, 0.74, 0.22, 0.78, 0.18, 0.82, 0.14, 0.86,
)  # fmt: skip
PASSES = 8
GAP = 0.015
OVERLAP, CROSSED = 100.0, 0.6


def place_labels(
    curves: Sequence[np.ndarray],
    plates: Sequence[tuple[float, float] | None],
    shapes: Sequence[Shape],
) -> list[Box | None]:
    """Choose a place on its curve for every plate.

    Coordinate descent: each plate in turn takes the cheapest of its places, given all others.
    Costs: a plate overlapped 100, an arrow hidden 0.6, distance from the middle up to 0.36;
    places on a node are not offered unless there is no other.
    """
    options = [
        _options(k, curves, plates[k], shapes) if plates[k] else [] for k in range(len(curves))
    ]
    chosen = [0 if places else -1 for places in options]
    order = sorted(range(len(options)), key=lambda k: len(options[k]))
    for _pass in range(PASSES):
        moved = False
        for k in order:
            if not options[k]:
                continue
            others = [options[j][chosen[j]][0] for j in order if j != k and chosen[j] >= 0]
            best = min(range(len(options[k])), key=lambda i: _cost(options[k][i], others))
            moved, chosen[k] = moved or best != chosen[k], best
        if not moved:
            break
    return [options[k][chosen[k]][0] if options[k] else None for k in range(len(options))]


def conflicts(labels: Sequence[Box | None], shapes: Sequence[Shape]) -> int:
    """Count pairs of plates that overlap, and plates that lie over a node."""
    boxes = [box for box in labels if box is not None]
    pairs = sum(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])
    return pairs + sum(shape.touches(box) for box in boxes for shape in shapes)


def _options(
    k: int,
    curves: Sequence[np.ndarray],
    plate: tuple[float, float],
    shapes: Sequence[Shape],
) -> list[tuple[Box, float]]:
    """Return the places of one plate with their own cost."""
    others = [curve for j, curve in enumerate(curves) if j != k]
    places = []
    for share in SHARES:
        x, y = at_share(curves[k], share)
        box = Box(float(x), float(y), *plate)
        crossed = sum(box.holds_any(curve) for curve in others)
        places.append((box, abs(share - 0.5) + CROSSED * crossed))
    free = [place for place in places if not any(s.touches(place[0], GAP) for s in shapes)]
    return free or places


def _cost(place: tuple[Box, float], others: Sequence[Box]) -> float:
    """Return the cost of a place, given where the other plates stand."""
    box, own = place
    return own + OVERLAP * sum(box.overlaps(other, GAP) for other in others)
