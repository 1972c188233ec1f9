"""Right answers of notebook 22."""

from __future__ import annotations

from math import pi, sin
from typing import Any

import numpy as np

from helpers.errors import Unavailable
from helpers.exercises.registry import Names, exercise


@exercise("22-1", hint="Put p = .40 into the formula of the check.")
def _median_cuts(names: Names) -> Any:
    return sin(2 * pi * 0.15)


@exercise("22-2", hint="Read again from how many steps on the codes may count as continuous.")
def _few_steps(names: Names) -> Any:
    return "WLSMV"


@exercise("22-3", hint="Leave out the diagonal and second-order scales with their own parts.",
          decimals=2)  # fmt: skip
def _largest(names: Names) -> Any:
    scales = names["scales"]
    if isinstance(scales, Unavailable):
        return scales
    facets = {c.code: c.facets for c in names["lesson"].study.spec.constructs}
    values = scales.to_numpy()
    off = [
        values[i, j]
        for i, a in enumerate(scales)
        for j, b in enumerate(scales)
        if i < j and a not in facets[b] and b not in facets[a]
    ]
    return float(off[int(np.argmax(np.abs(off)))])
