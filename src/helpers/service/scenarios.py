"""What a change would bring and cost: levers of a fitted model moved by so many points.

All functions take plain arrays. A lever is a scale that a manager can move; its slope is what one
point of it brings in points of the outcome. Raising a lever by ``d`` points lifts a customer with
score ``x`` by ``min(d, top - x)`` only: who stands at the top of the scale cannot rise. The mean of
this, the reach, grows ever more slowly with ``d``, which is where returns diminish, while the cost
is paid for every customer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from helpers.errors import DataContractError, ModelSpecError, check_level, listing, nearest
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Levers:
    """What can be moved, and what it costs.

    Attributes
    ----------
    codes : tuple of str, length k
    scores : array, shape (n, k)
        Scale scores of the customers, without blanks.
    top : array, shape (k,)
        Upper end of each scale.
    cost : array, shape (k,)
        Cost of one point for one customer; not negative.
    most : array, shape (k,)
        Largest change considered, in points.
    """

    codes: tuple[str, ...]
    scores: Array
    top: Array
    cost: Array
    most: Array

    def __post_init__(self) -> None:
        if self.scores.ndim != 2 or len(self.scores) < 2 or not np.isfinite(self.scores).all():
            raise DataContractError(
                f"Levers: scores= has shape {self.scores.shape} with "
                f"{int((~np.isfinite(self.scores)).sum())} blanks; at least two customers with "
                "every score are needed. Drop the rows with blanks, or choose another segment."
            )
        wrong = [f"{c} ({v:g})" for c, v in zip(self.codes, self.cost, strict=True) if not v >= 0]
        if wrong:
            raise DataContractError(
                f"Levers: cost= is negative or blank for {listing(wrong)}; a cost is 0 or more. "
                "Correct the costs in service.scenarios of study.yml."
            )

    def of(self, rows: NDArray[np.bool_]) -> Levers:
        """Return the same levers for some of the customers."""
        return Levers(self.codes, self.scores[rows], self.top, self.cost, self.most)

    def steps(self, wanted: dict[str, float]) -> Array:
        """Return steps by code as an array; levers that are not named stay where they are.

        Raises
        ------
        ModelSpecError
            An unknown code, or a step that is negative or no number.
        """
        for code, step in wanted.items():
            if code not in self.codes:
                raise ModelSpecError(
                    f"steps: lever= '{code}' is unknown; the study declares {listing(self.codes)}."
                    f"{nearest(code, self.codes)} Name one of them."
                )
            if not (np.isfinite(step) and step >= 0):
                raise ModelSpecError(
                    f"steps: '{code}' is moved by {step}; a step is 0 or more points. "
                    "Costs are known for raising a lever only."
                )
        return np.array([float(wanted.get(code, 0.0)) for code in self.codes])


@dataclass(frozen=True, slots=True)
class Slopes:
    """Points of the outcome for one point of each lever.

    Attributes
    ----------
    estimate : array, shape (k,)
    draws : array, shape (B, k)
        Draws of the estimates together, which carry their uncertainty.
    """

    estimate: Array
    draws: Array


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a change brings and costs, for one customer.

    Attributes
    ----------
    steps, reach : array, shape (k,)
        Points by which each lever is raised, and the mean rise that the scale leaves room for.
    gain, benefit, net : tuple of float
        Estimate and the two ends of its interval: points of the outcome, their worth, worth less
        cost.
    cost : float
    p_pays : float
        Share of the draws in which the benefit exceeds the cost.
    outside : tuple of str
        Levers moved beyond what the data or the plan hold: the mean would lie above the highest
        score anybody has, or the step is larger than the largest considered.
    n_used, n_draws : int
    level : float
    """

    steps: Array
    reach: Array
    gain: tuple[float, float, float]
    benefit: tuple[float, float, float]
    net: tuple[float, float, float]
    cost: float
    p_pays: float
    outside: tuple[str, ...]
    n_used: int
    n_draws: int
    level: float


def reach(scores: ArrayLike, steps: ArrayLike, top: ArrayLike) -> Array:
    """Return the mean rise that steps leave room for, one value a lever.

    ``mean(min(d, top - x))`` over customers.

    Examples
    --------
    >>> [float(x) for x in reach([[5.0], [6.5]], [1.0], [7.0])]
    [0.75]
    """
    return _rises(np.asarray(scores), np.asarray(steps), np.asarray(top)).mean(axis=0)


def _rises(scores: Array, steps: Array, top: Array) -> Array:
    """Return each customer's rise."""
    return np.minimum(steps, np.clip(top - scores, 0.0, None))


def _reach_draws(levers: Levers, steps: Array, rng: np.random.Generator, n: int) -> Array:
    """Draw mean rises from their joint normal distribution, as of a mean over customers."""
    rises = _rises(levers.scores, steps, levers.top)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(rises.T)) / len(rises))
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    return rises.mean(axis=0) + rng.standard_normal((n, len(values))) @ root.T


def scenario(
    levers: Levers,
    slopes: Slopes,
    steps: ArrayLike,
    *,
    value: float,
    seed: int,
    level: float = LEVEL,
) -> Scenario:
    """Return what raising levers brings, costs, and how surely it pays.

    Gain = sum of slope times reach; benefit = value times gain; net = benefit less the sum of cost
    times step. Intervals are quantiles over the draws of the slopes, with the reach drawn too.

    Parameters
    ----------
    levers : Levers
        Costs, and the scores of the customers (of the segment) whose levers are raised.
    slopes : Slopes
    steps : array, shape (k,)
        Points, 0 or more; a step outside the data's range is computed and named in ``outside``.
    value : float
        Worth of one point of the outcome for one customer; not negative.
    seed : int
    level : float
        Confidence level as a proportion.

    Raises
    ------
    DataContractError
        A negative value of a point, or steps that do not fit the levers.

    Notes
    -----
    Taken as known: costs and the worth of a point. Checked by hand and against the closed normal
    formula in ``quick``: ``tests/service/test_scenarios.py``.
    """
    check_level(level, "scenario")
    steps = np.asarray(steps, dtype=float)
    if steps.shape != levers.cost.shape or not (steps >= 0).all() or not value >= 0:
        raise DataContractError(
            f"scenario: steps= is {steps.tolist()} and value= {value:g}; {len(levers.codes)} steps "
            "of 0 or more and a value of 0 or more are needed. Correct them."
        )
    rng = np.random.default_rng(seed)
    mean_rise = reach(levers.scores, steps, levers.top)
    drawn = (slopes.draws * _reach_draws(levers, steps, rng, len(slopes.draws))).sum(axis=1)
    gain, cost = float(slopes.estimate @ mean_rise), float(levers.cost @ steps)
    ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    triple = (gain, float(ends[0]), float(ends[1]))
    worth = tuple(value * x for x in triple)
    return Scenario(
        steps, mean_rise, triple, worth, tuple(x - cost for x in worth), cost,
        float((value * drawn > cost).mean()), _outside(levers, steps), len(levers.scores),
        len(slopes.draws), level,
    )  # fmt: skip


def _outside(levers: Levers, steps: Array) -> tuple[str, ...]:
    """Return the codes of levers moved beyond the data or the plan."""
    beyond = levers.scores.mean(axis=0) + steps > levers.scores.max(axis=0)
    beyond |= steps > levers.most + 1e-9  # a step typed as 0.1 + 0.2 is no larger than 0.3
    return tuple(np.array(levers.codes)[beyond & (steps > 0)])


def quick(
    levers: Levers, slopes: Slopes, steps: ArrayLike, *, value: float, level: float = LEVEL
) -> tuple[float, float, float, float]:
    """Return net benefit, its interval and the chance that it pays, by a normal formula.

    The variance of the gain is ``r' V r`` with the reach ``r`` and the covariances ``V`` of the
    slopes' draws. What the sliders of a page compute, which have no draws.
    """
    check_level(level, "quick")
    steps = np.asarray(steps, dtype=float)
    rise = reach(levers.scores, steps, levers.top)
    cov = np.atleast_2d(np.cov(slopes.draws.T))
    net = float(value * slopes.estimate @ rise - levers.cost @ steps)
    sd = float(value * np.sqrt(rise @ cov @ rise))
    half = float(ndtri((1 + level) / 2)) * sd
    pays = float(ndtr(net / sd)) if sd > 0 else float(net > 0)
    return net, net - half, net + half, pays


def with_prior(slopes: Slopes, prior: ArrayLike, weight: float) -> Slopes:
    """Return slopes mixed with prior importance.

    ``(1 - w) b + w sum(b) p`` with the prior shares ``p``: what all levers bring together stays
    as the data say; the prior shares it out among them.

    Parameters
    ----------
    slopes : Slopes
    prior : array, shape (k,)
        Importances, not negative; divided by their sum.
    weight : float
        0 data alone, 1 prior alone.

    Raises
    ------
    DataContractError
        The weight lies outside 0 to 1, or importances are negative, blank or all 0.

    Examples
    --------
    >>> mixed = with_prior(Slopes(np.array([0.3, 0.1]), np.array([[0.3, 0.1]])), [1, 1], 0.5)
    >>> [round(float(x), 2) for x in mixed.estimate]
    [0.25, 0.15]
    """
    shares = prior_shares(prior)
    if not 0 <= weight <= 1:
        raise DataContractError(
            f"with_prior: weight= is {weight}; a number from 0 (data alone) to 1 (prior alone) is "
            "needed. Choose one."
        )
    total = slopes.draws.sum(axis=1, keepdims=True)
    return Slopes(
        (1 - weight) * slopes.estimate + weight * slopes.estimate.sum() * shares,
        (1 - weight) * slopes.draws + weight * total * shares,
    )


def prior_shares(prior: ArrayLike) -> Array:
    """Return importances over their sum."""
    prior = np.asarray(prior, dtype=float)
    if not ((prior >= 0).all() and prior.sum() > 0):
        raise DataContractError(
            f"prior_shares: prior= is {prior.tolist()}; importances of 0 or more, not all 0, are "
            "needed. Correct them, or leave the prior out."
        )
    return prior / prior.sum()


def prior_sensitivity(
    codes: tuple[str, ...], slopes: Slopes, prior: ArrayLike, weights: ArrayLike
) -> pd.DataFrame:
    """Return each lever's share of the total at every weight of the prior.

    Columns weight, code, share; shares add up to 1 at each weight.
    """
    rows = []
    for weight in np.asarray(weights, dtype=float):
        mixed = with_prior(slopes, prior, float(weight)).estimate
        shares = mixed / mixed.sum()
        rows += [
            {"weight": float(weight), "code": c, "share": float(s)}
            for c, s in zip(codes, shares, strict=True)
        ]
    return pd.DataFrame(rows)


def tipping_weight(slopes: Slopes, prior: ArrayLike) -> float | None:
    """Return the smallest weight of the prior at which another lever leads; None if none does.

    Shares are straight lines in the weight, so two levers cross where
    ``w = (a_i - a_j) / ((a_i - a_j) - (p_i - p_j))``.

    Raises
    ------
    DataContractError
        Slopes that do not add up to more than 0, of which there are no shares.
    """
    if not slopes.estimate.sum() > 0:
        raise DataContractError(
            f"tipping_weight: slopes= add up to {slopes.estimate.sum():g}; shares of a sum above 0 "
            "are needed. Leave the prior out."
        )
    shares = slopes.estimate / slopes.estimate.sum()
    prior = prior_shares(prior)
    lead = int(np.argmax(shares))
    ahead, behind = shares[lead] - shares, prior - prior[lead]
    crossing = np.flatnonzero(behind > 0)
    if len(crossing) == 0:
        return None
    return float(np.min(ahead[crossing] / (ahead[crossing] + behind[crossing])))
