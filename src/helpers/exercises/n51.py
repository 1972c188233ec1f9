"""Right answers of notebook 51."""

from __future__ import annotations

import math
from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise("51-1", hint="What is not direct is indirect: take the direct part off the total.")
def _share(names: Names) -> Any:
    parts = names["effects"].table.groupby("kind")["estimate"].sum()
    return 1 - parts.get("direct", 0.0) / parts["total"]


@exercise("51-2", hint="The squared error of a product is b² var(a) + a² var(b); take the root.")
def _delta_error(names: Names) -> Any:
    return math.hypot(0.50 * 0.10, 0.60 * 0.12)


@exercise("51-3", hint="Think of the shape of the distribution of a product of two estimates.")
def _symmetric(names: Names) -> Any:
    return False
