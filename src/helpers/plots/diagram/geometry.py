"""Shapes, boxes and curves of a diagram, in inches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = 60


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle by its centre."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box, margin: float = 0.0) -> bool:
        """Tell whether two boxes come closer than the margin."""
        return (
            abs(self.x - other.x) < (self.width + other.width) / 2 + margin
            and abs(self.y - other.y) < (self.height + other.height) / 2 + margin
        )

    def holds_any(self, points: np.ndarray, margin: float = 0.0) -> bool:
        """Tell whether a point of the curve lies in the box."""
        inside = (np.abs(points[:, 0] - self.x) < self.width / 2 + margin) & (
            np.abs(points[:, 1] - self.y) < self.height / 2 + margin
        )
        return bool(inside.any())


@dataclass(frozen=True, slots=True)
class Shape:
    """A node as drawn: an ellipse or a rectangle round its centre."""

    name: str
    box: Box
    ellipse: bool

    def inside(self, points: np.ndarray, margin: float = 0.0) -> np.ndarray:
        """Tell which points lie in the shape, grown by a margin."""
        dx = np.abs(points[:, 0] - self.box.x) / (self.box.width / 2 + margin)
        dy = np.abs(points[:, 1] - self.box.y) / (self.box.height / 2 + margin)
        return dx**2 + dy**2 < 1 if self.ellipse else np.maximum(dx, dy) < 1

    def touches(self, box: Box, margin: float = 0.0) -> bool:
        """Tell whether a box overlaps the shape; exact for both kinds."""
        if not self.ellipse:
            return self.box.overlaps(box, margin)
        # Scaled so that the ellipse is the unit circle, the box is still upright.
        a, b = self.box.width / 2 + margin, self.box.height / 2 + margin
        dx = max(abs(box.x - self.box.x) - box.width / 2, 0.0) / a
        dy = max(abs(box.y - self.box.y) - box.height / 2, 0.0) / b
        return dx**2 + dy**2 < 1


def line(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return points of a straight line."""
    t = np.linspace(0, 1, STEPS)[:, None]
    return (1 - t) * start + t * end


def cubic(p0: np.ndarray, p1: np.ndarray, p2: np.ndarray, p3: np.ndarray) -> np.ndarray:
    """Return points of a cubic Bezier curve."""
    t = np.linspace(0, 1, STEPS)[:, None]
    s = 1 - t
    return s**3 * p0 + 3 * s**2 * t * p1 + 3 * s * t**2 * p2 + t**3 * p3


def through(
    points: list[np.ndarray], half_width: float, *, level: bool = False, reach: float = 0.45
) -> np.ndarray:
    """Return a smooth curve that crosses each inner column level, at its station's height.

    ``level`` also leaves and arrives level; ``reach`` is how far handles go, as a share.
    """
    flat = np.array([half_width, 0.0])
    curve, here, flat_here = [], points[0], level
    direction = 1.0 if points[-1][0] > points[0][0] else -1.0
    for k, goal in enumerate(points[1:], start=1):
        last = k == len(points) - 1
        enter = goal if last else goal - direction * flat
        ahead = np.array([reach * (enter[0] - here[0]), 0.0])
        aim = 0.8 * reach * (enter - here)
        leaving = ahead if flat_here else aim
        arriving = aim if last and not level else ahead
        curve.append(cubic(here, here + leaving, enter - arriving, enter))
        if not last:
            leave = goal + direction * flat
            curve.append(line(enter, leave))
            here, flat_here = leave, True
    return np.vstack(curve)


def arc(start: np.ndarray, end: np.ndarray, bulge: np.ndarray) -> np.ndarray:
    """Return a bow from start to end, both handles moved by ``bulge``."""
    return cubic(start, start + bulge, end + bulge, end)


def clipped(points: np.ndarray, tail: Shape, head: Shape, gap: float = 0.02) -> np.ndarray:
    """Return the part of a curve outside both shapes."""
    first, last = 0, len(points) - 1
    dense = _dense(points)
    outside_tail = ~tail.inside(dense, gap)
    outside_head = ~head.inside(dense, gap)
    first = int(np.argmax(outside_tail))
    last = len(dense) - 1 - int(np.argmax(outside_head[::-1]))
    return dense[first : last + 1] if last > first else dense


def _dense(points: np.ndarray, step: float = 0.01) -> np.ndarray:
    """Return points at equal steps along the curve."""
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0, lengths[-1], max(int(lengths[-1] / step), 8))
    return np.column_stack([np.interp(at, lengths, points[:, k]) for k in (0, 1)])


def at_share(points: np.ndarray, share: float) -> np.ndarray:
    """Return the point at a share of an equally spaced curve's length."""
    return points[round(share * (len(points) - 1))]
