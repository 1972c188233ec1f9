"""Property: plates find places of their own, on the arrow, off the nodes."""

import numpy as np
import pytest

from helpers.plots.diagram.geometry import Box, Shape, line
from helpers.plots.diagram.labels import conflicts, place_labels


def lines(count, gap):
    """Level lines of equal length, one above the other."""
    return [line(np.array([0.0, gap * k]), np.array([3.0, gap * k])) for k in range(count)]


def apart(a, b):
    return abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2


@pytest.mark.parametrize("count", [2, 3, 4])
def test_plates_of_close_arrows_are_spread_along_them(count):
    curves = lines(count, 0.05)
    boxes = place_labels(curves, [(0.4, 0.2)] * count, [])
    assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])
    assert [box.y for box in boxes] == pytest.approx([0.05 * k for k in range(count)])


def test_a_plate_leaves_the_middle_if_a_node_is_there():
    node = Shape("n", Box(1.5, 0.0, 0.8, 0.5), ellipse=True)
    (box,) = place_labels(lines(1, 1), [(0.3, 0.15)], [node])
    assert abs(box.x - 1.5) > 0.4 + 0.1
    assert conflicts([box], [node]) == 0


def test_conflicts_are_counted():
    one, other = Box(0, 0, 1, 1), Box(0.9, 0, 1, 1)
    assert conflicts([one, other, None, Box(5, 5, 1, 1)], []) == 1
    corner = Shape("e", Box(1.0, 1.0, 1.2, 1.2), ellipse=True)
    assert conflicts([Box(0.0, 0.0, 1, 1)], [corner]) == 0  # the ellipse's corner is empty
    assert conflicts([Box(0.3, 0.3, 1, 1)], [corner]) == 1
