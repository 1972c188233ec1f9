"""Property: a search that creeps is given up early, one that does not is left as it was."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.sem.constraints import Reduction
from helpers.sem.optimize import MAX_ITER, scoring


class Bowl:
    """``1/2 x'x``, whose Hessian is told too small by a factor: the step is as much too long."""

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.n_x = 2

    def value(self, x: np.ndarray) -> float:
        """Return f."""
        return 0.5 * float(x @ x)

    def pieces(self, x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return f, its gradient, and the misleading Hessian."""
        return self.value(x), x, np.diag([1.0, self.factor])


START = np.array([1.0, 1.0])


@pytest.fixture
def free() -> Reduction:
    """No constraints at all."""
    return Reduction(None, np.zeros(2), None)


def test_creeping_search_is_given_up(free: Reduction) -> None:
    told = scoring(Bowl(1e-4), free, START, patience=5)
    assert (told.converged, told.iterations) == (False, 5)
    assert scoring(Bowl(1e-4), free, START).iterations > 5


def test_patience_does_not_touch_a_search_that_moves(free: Reduction) -> None:
    with_it, without = (scoring(Bowl(0.6), free, START, patience=k) for k in (5, None))
    assert with_it.converged and with_it.iterations == without.iterations < MAX_ITER
    np.testing.assert_array_equal(with_it.x, without.x)
