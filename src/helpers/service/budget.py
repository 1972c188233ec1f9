"""The best use of a recovery budget: linear programme, frontier, and projects taken whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from helpers.errors import DataContractError, EstimationError, check_level
from helpers.service.scenarios import Levers, Slopes, reach, scenario
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Levers cut where their returns change: each piece brings the same for every point.

    Attributes
    ----------
    lever : array of int, shape (m,)
    width : array, shape (m,)
        Points.
    gain, cost : array, shape (m,)
        Points of the outcome, and money, for one point of the piece.
    """

    lever: NDArray[np.int64]
    width: Array
    gain: Array
    cost: Array


def pieces(levers: Levers, slopes: Slopes) -> Pieces:
    """Cut levers at the steps where some customers reach the top of the scale.

    Between two cuts the reach is a straight line whose slope is the share of customers with room.
    """
    found: list[tuple[int, float, float, float]] = []
    for k, (slope, cost, most) in enumerate(
        zip(slopes.estimate, levers.cost, levers.most, strict=True)
    ):
        room = np.clip(levers.top[k] - levers.scores[:, k], 0.0, None)
        inner = np.unique(np.round(room[(room > 0) & (room < most)], 9))
        cuts = np.r_[0.0, inner, most]
        for low, high in zip(cuts[:-1], cuts[1:]):
            share = float((room > (low + high) / 2).mean())
            found.append((k, float(high - low), float(slope) * share, float(cost)))
    lever, width, gain, cost = (np.array(column) for column in zip(*found))
    return Pieces(lever.astype(np.int64), width, gain, cost)


def best_steps(levers: Levers, slopes: Slopes, budget: float) -> Array:
    """Return the steps that bring most for at most ``budget`` a customer.

    Maximise the gain subject to the cost, a linear programme over pieces. Returns diminish, so
    pieces of one lever are bought in order. Levers with a slope of zero or less are left alone.

    Parameters
    ----------
    levers : Levers
    slopes : Slopes
        Its estimates.
    budget : float
        Money for one customer, 0 or more.

    Returns
    -------
    array, shape (k,)

    Raises
    ------
    DataContractError
        The budget is negative.
    EstimationError
        The programme has no solution.

    Notes
    -----
    Checked against brute force over a grid of steps and against buying pieces in the order of gain
    per cost (fractional knapsack, Dantzig 1957, doi:10.1287/opre.5.2.266):
    ``tests/service/test_budget.py``.
    """
    if not budget >= 0:
        raise DataContractError(
            f"best_steps: budget= is {budget:g}; an amount of 0 or more for each customer is "
            "needed. Correct it."
        )
    cut = pieces(levers, slopes)
    width = np.where(cut.gain > 0, cut.width, 0.0)
    found = linprog(
        -cut.gain, A_ub=cut.cost[None, :], b_ub=[budget], bounds=np.c_[np.zeros_like(width), width]
    )
    if found.status != 0:
        raise EstimationError(f"best_steps: linprog= says '{found.message}'. Check the costs.")
    return np.bincount(cut.lever, weights=found.x, minlength=len(levers.codes))


def paying_steps(levers: Levers, slopes: Slopes, value: float) -> Array:
    """Return the steps that bring most after cost: every piece whose worth exceeds its cost."""
    cut = pieces(levers, slopes)
    bought = np.where(value * cut.gain > cut.cost, cut.width, 0.0)
    return np.bincount(cut.lever, weights=bought, minlength=len(levers.codes))


def frontier(
    levers: Levers,
    slopes: Slopes,
    budgets: ArrayLike,
    *,
    value: float,
    seed: int,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return the best plan for each budget.

    Returns
    -------
    DataFrame
        budget, cost, gain, gain_low, gain_high, net, net_low, net_high, p_pays, and the step of
        each lever under its code. The plan is chosen on the estimates; intervals say what that
        plan brings over the draws of the slopes.
    """
    check_level(level, "frontier")
    rows = []
    for budget in np.asarray(budgets, dtype=float):
        steps = best_steps(levers, slopes, float(budget))
        found = scenario(levers, slopes, steps, value=value, seed=seed, level=level)
        row: dict[str, float] = {"budget": float(budget), "cost": found.cost}
        for name, triple in (("gain", found.gain), ("net", found.net)):
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), triple))
        row["p_pays"] = found.p_pays
        rows.append(row | dict(zip(levers.codes, map(float, steps))))
    return pd.DataFrame(rows)


def default_budgets(levers: Levers, n: int = 25, *, best: float = 0.0) -> Array:
    """Return budgets from nothing to the cost of every lever at its largest step.

    ``best``, what the plan that pays costs, is among them: the top of the curve lies on it.
    """
    even = np.linspace(0.0, float(levers.cost @ levers.most), n)
    return np.unique(np.append(even, best).round(9))


def first_points_pay(levers: Levers, slopes: Slopes, value: float) -> Array:
    """Return, for each lever, the share of draws in which its first points are worth their cost."""
    room = (levers.top - levers.scores > 0).mean(axis=0)
    return (value * slopes.draws * room > levers.cost).mean(axis=0)


def whole_projects(gain: ArrayLike, cost: ArrayLike, budget: float) -> NDArray[np.bool_]:
    """Return which projects to take whole for most gain within a budget (0/1 knapsack).

    Parameters
    ----------
    gain, cost : array, shape (k,)
    budget : float

    Notes
    -----
    Solved by ``scipy.optimize.milp``; checked against all subsets.

    Examples
    --------
    >>> whole_projects([3, 2, 2], [3, 2, 2], 4).tolist()
    [False, True, True]
    """
    gain, cost = np.asarray(gain, dtype=float), np.asarray(cost, dtype=float)
    if gain.shape != cost.shape or not (cost >= 0).all() or not budget >= 0:
        raise DataContractError(
            f"whole_projects: cost= is {cost.tolist()} and budget= {budget:g}; as many costs as "
            "gains, and nothing negative, are needed. Correct them."
        )
    found = milp(
        -np.maximum(gain, 0.0), constraints=LinearConstraint(cost[None, :], ub=budget),
        integrality=np.ones(len(gain)), bounds=Bounds(0, 1),
    )  # fmt: skip
    if found.x is None:
        raise EstimationError(f"whole_projects: milp= says '{found.message}'. Check the costs.")
    return (found.x > 0.5) & (gain > 0)


def project_table(levers: Levers, slopes: Slopes, budget: float) -> pd.DataFrame:
    """Return every lever as a project of its largest step, and whether it is taken.

    Columns code, step, gain, cost, taken.
    """
    gain = slopes.estimate * reach(levers.scores, levers.most, levers.top)
    cost = levers.cost * levers.most
    taken = whole_projects(gain, cost, budget)
    columns = {"code": levers.codes, "step": levers.most, "gain": gain, "cost": cost}
    return pd.DataFrame(columns | {"taken": taken})
