"""Total effects of a structural model in the metric of the items below its variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from helpers.errors import EstimationError, listing
from helpers.sem.result import SemResult

Array = NDArray[np.float64]
Ranges = Mapping[str, tuple[float, float]]


def total_effects(result: SemResult, values: Array) -> tuple[list[str], Array, Array]:
    """Return the variables of the structure, their direct and their total effects.

    With ``A`` the matrix of paths (row: effect, column: cause), the total effects are
    ``(I - A)^{-1} - I``.

    Parameters
    ----------
    result : SemResult
        A fit to one group.
    values : ndarray, shape (b, rows)
        Values of the rows of the table of estimates; more columns are not read.

    Returns
    -------
    list of str, ndarray (b, v, v), ndarray (b, v, v)
    """
    paths = [(k, row) for k, row in enumerate(result.table.rows) if row.op == "~"]
    names = list(dict.fromkeys(v for _k, row in paths for v in (row.rhs, row.lhs)))
    direct = np.zeros((len(values), len(names), len(names)))
    for k, row in paths:
        direct[:, names.index(row.lhs), names.index(row.rhs)] = values[:, k]
    unit = np.eye(len(names))
    return names, direct, np.linalg.inv(unit - direct) - unit


def percent_scale(result: SemResult, name: str, values: Array, ranges: Ranges) -> Array:
    """Return the points (0 to 100) that one unit of a variable of the model stands for.

    For a latent variable this is the mean loading of its items, each item on 0 to 100: with it the
    latent variable has the metric of the mean of its items (effects coding of Little, Slegers &
    Card 2006, doi:10.1207/s15328007sem1301_3). A factor of factors takes the mean over its own.
    """
    own = [(k, r.rhs) for k, r in enumerate(result.table.rows) if r.op == "=~" and r.lhs == name]
    if not own:
        low, high = ranges[name]
        return np.full(len(values), 100.0 / (high - low))
    parts = [values[:, k] * percent_scale(result, rhs, values, ranges) for k, rhs in own]
    return np.mean(parts, axis=0)


def items_below(result: SemResult, name: str) -> list[list[str]]:
    """Return the items of a variable of the model, in one list for each of its factors."""
    own = [r.rhs for r in result.table.rows if r.op == "=~" and r.lhs == name]
    if not own:
        return [[name]]
    latent = set(result.latent)
    if any(rhs in latent for rhs in own):
        return [items for rhs in own for items in items_below(result, rhs)]
    return [own]


def need_one_direction(result: SemResult, names: Sequence[str], caller: str) -> None:
    """Refuse variables whose items, or factors, load in both directions.

    Effects coding gives a latent variable the metric of the mean of its items. Where one of them
    runs the other way, it takes away from that mean what the others add, and the effect on it
    comes out too large: the item has to be turned first.
    """
    rows = [(r, float(v)) for r, v in zip(result.table.rows, result.estimates["est"])]
    for name in names:
        own = [(r.rhs, value) for r, value in rows if r.op == "=~" and r.lhs == name]
        sign = 1.0 if sum(value > 0 for _rhs, value in own) * 2 >= len(own) else -1.0
        against = [rhs for rhs, value in own if sign * value < 0]
        if against:
            raise EstimationError(
                f"{caller}: result= has {listing(against)} loading against the other parts of "
                f"'{name}'; the mean of parts that run both ways measures nothing. Turn them: set "
                "reverse in items.csv."
            )
        need_one_direction(result, [rhs for rhs, _v in own if rhs in set(result.latent)], caller)
