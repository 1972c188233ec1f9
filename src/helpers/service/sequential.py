"""Looking at a trial more than once: what repeated looks cost, and boundaries that pay for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from helpers.errors import DataContractError, check_level, listing
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]
Spending = Literal["obrien_fleming", "pocock"]

MOST_LOOKS = 100
"""Looks of one trial that are followed: more would be a look at nearly every customer."""

_NODES = 401
"""Points of the numerical integration; with 401 the boundaries agree to 1e-4 with 801."""

_REACH = 8.0
"""Standard deviations beyond which a density is not carried on: 1e-15 of it lies there."""

_HIGHEST = 37.0
"""The largest boundary: beyond it a normal tail is no number any more and is never crossed."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The boundaries of a trial with several looks.

    Attributes
    ----------
    table : DataFrame
        One row a look: look, information (share of the whole), spent (two-sided error spent so
        far), bound (|z| at which the trial may stop), p_nominal (the p-value that the bound means).
    spending : str
        Name of the spending function.
    level : float
        One less the two-sided error of the whole trial.
    """

    table: pd.DataFrame
    spending: Spending
    level: float


def spend(information: Array, *, spending: Spending, level: float = LEVEL) -> Array:
    """Return how much of the two-sided error may be spent by a share of the information.

    O'Brien-Fleming type: ``2 (1 - Phi(z_{alpha/2} / sqrt(t)))``, each tail on its own; Pocock type:
    ``alpha ln(1 + (e - 1) t)`` (Lan & DeMets 1983, doi:10.1093/biomet/70.3.659).
    """
    check_level(level, "spend")
    if spending not in get_args(Spending):
        raise DataContractError(
            f"spend: spending= '{spending}' is not known; allowed are "
            f"{listing(get_args(Spending))}. Choose one."
        )
    half = (1 - level) / 2
    if spending == "obrien_fleming":
        one_sided = 2 * stats.norm.sf(stats.norm.isf(half / 2) / np.sqrt(information))
    else:
        one_sided = half * np.log1p((np.e - 1) * information)
    return 2 * one_sided


def boundaries(
    information: Sequence[float], *, spending: Spending = "obrien_fleming", level: float = LEVEL
) -> Looks:
    """Return two-sided group-sequential boundaries by error spending.

    The first boundary is a normal quantile. At each later look the joint density of the statistic
    and of not having stopped before is carried on by numerical integration (Armitage, McPherson &
    Rowe 1969, doi:10.2307/2343787), and the boundary is where the crossing probability reaches what
    may be spent.

    Parameters
    ----------
    information : sequence of float
        Share of the whole information at each look, rising, the last one 1.
    spending : str
        ``"obrien_fleming"`` or ``"pocock"``.
    level : float
        One less the two-sided error.

    Raises
    ------
    DataContractError
        Shares that do not rise, or lie outside (0, 1]; a spending function that is not known.

    Notes
    -----
    A look so early that next to nothing may be spent has the boundary infinity. Checked against
    published boundaries for five equal looks, and by simulated trials.
    """
    check_level(level, "boundaries")
    t = np.asarray(information, dtype=float)
    if not len(t) or (t <= 0).any() or (t > 1).any() or (np.diff(t) <= 0).any():
        raise DataContractError(
            f"boundaries: information= {list(information)}; rising shares above 0 and up to 1 are "
            "needed, one for each look. Correct them."
        )
    spent = spend(t, spending=spending, level=level)
    bounds = _solve(t, np.diff(spent, prepend=0.0))
    table = pd.DataFrame(
        {
            "look": np.arange(1, len(t) + 1),
            "information": t,
            "spent": spent,
            "bound": bounds,
            "p_nominal": 2 * stats.norm.sf(bounds),
        }
    )
    return Looks(table, spending, level)


def crossing(information: Sequence[float], bounds: Sequence[float], *, drift: float = 0.0) -> Array:
    """Return the probability of crossing ``|z| >= bound`` for the first time at each look.

    Parameters
    ----------
    information, bounds : sequence of float, shape (looks,)
        Shares of the information, and boundaries; 1.96 throughout is peeking without correction.
    drift : float
        Expected z at full information: 0 under no effect; then the sum is the false-alarm rate.
    """
    t = np.asarray(information, dtype=float)
    found = []
    state: tuple[Array, Array] | None = None
    for i, bound in enumerate(bounds):
        state, out = _advance(state, t, i, float(bound), drift)
        found.append(out)
    return np.asarray(found)


def _solve(t: Array, increments: Array) -> Array:
    """Return the boundary of each look, given the error it may spend."""
    bounds: list[float] = []
    state: tuple[Array, Array] | None = None
    for i, increment in enumerate(increments):
        bounds.append(_bound(state, t, i, float(increment)))
        state = _advance(state, t, i, bounds[-1], 0.0)[0]
    return np.asarray(bounds)


def _bound(state: tuple[Array, Array] | None, t: Array, i: int, increment: float) -> float:
    """Return the boundary of one look, infinity where it would lie beyond what can be told."""

    def missing(bound: float) -> float:
        return _advance(state, t, i, bound, 0.0)[1] - increment

    if increment <= 0 or missing(_HIGHEST) >= 0:
        return float("inf")
    return float(optimize.brentq(missing, 0.0, _HIGHEST, xtol=1e-9))


def _advance(
    state: tuple[Array, Array] | None, t: Array, i: int, bound: float, drift: float
) -> tuple[tuple[Array, Array], float]:
    """Carry the density of the score statistic from one look to the next.

    The score is ``s = z sqrt(t)``; its increments are independent with variance ``t_i - t_{i-1}``.
    Returns nodes and density inside the boundary, and the probability outside.
    """
    step = t[i] - (t[i - 1] if i else 0.0)
    sd, limit = np.sqrt(step), bound * np.sqrt(t[i])
    kept = min(bound, _REACH) * np.sqrt(t[i])
    nodes = np.linspace(-kept, kept, _NODES)
    if state is None:
        density = stats.norm.pdf(nodes, drift * step, sd)
        out = stats.norm.sf((limit - drift * step) / sd) + stats.norm.cdf(
            (-limit - drift * step) / sd
        )
        return (nodes, density), float(out)
    before, inside = state
    weight = inside * _simpson(before)
    shift = before[:, None] + drift * step
    density = weight @ (stats.norm.pdf((nodes[None, :] - shift) / sd) / sd)
    upper = stats.norm.sf((limit - shift[:, 0]) / sd)
    lower = stats.norm.cdf((-limit - shift[:, 0]) / sd)
    return (nodes, density), float(weight @ (upper + lower))


def _simpson(nodes: Array) -> Array:
    """Return the weights of Simpson's rule on equally spaced nodes."""
    weight = np.full(len(nodes), 2.0)
    weight[1::2] = 4.0
    weight[[0, -1]] = 1.0
    return weight * (nodes[1] - nodes[0]) / 3
