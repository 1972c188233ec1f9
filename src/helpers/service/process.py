"""Recovery as a process: how well each part is done, and which part carries most satisfaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, EstimationError, check_level
from helpers.memo import remembered
from helpers.regression.least_squares import fit_least_squares
from helpers.regression.relative import RelativeWeights, raw_relative_weights, relative_weights
from helpers.regression.subsets import complete_numbers, resampled_correlations
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

DRAWS = 5000
LEAST = 10
"""Answers a part or a group needs before its mean is given an interval."""


@dataclass(frozen=True, slots=True)
class PartImportance:
    """What goes with the outcome, part by part, with ranks.

    Attributes
    ----------
    weights : RelativeWeights
        R² shared out among the parts.
    ranks : DataFrame
        One row a part in the order given: code, rank, rank_low, rank_high (percentile interval of
        the bootstrap ranks), first (share of draws in which the part comes first).
    """

    weights: RelativeWeights
    ranks: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return weights and ranks, the largest weight first."""
        both = self.weights.weights.merge(self.ranks, left_on="predictor", right_on="code")
        return both.sort_values("rank", ignore_index=True)


@dataclass(frozen=True, slots=True)
class DoublingSlope:
    """Change of an outcome when the hours double, without and with the measure held fixed.

    Attributes
    ----------
    plain, plain_low, plain_high : float
    within, within_low, within_high : float
        Slope among customers who received the same measure; equal to the plain one if none is
        given.
    n_used, n_dropped : int
    level : float
    """

    plain: float
    plain_low: float
    plain_high: float
    within: float
    within_low: float
    within_high: float
    n_used: int
    n_dropped: int
    level: float


def to_hundred(values: pd.DataFrame, low: float, high: float) -> pd.DataFrame:
    """Return answers as percent of the way from one end of their scale to the other.

    ``100 (y - low) / (high - low)``; Cohen, Cohen, Aiken & West (1999),
    doi:10.1207/S15327906MBR3403_2.
    """
    if not high > low:
        raise DataContractError(
            f"to_hundred: high= {high:g} is not above low= {low:g}; both ends of the answer scale "
            "are needed. Correct the scale in study.yml."
        )
    return 100 * (values - low) / (high - low)


def mean_intervals(scores: pd.DataFrame, *, level: float = LEVEL) -> pd.DataFrame:
    """Return the mean of each column with Student's interval.

    Parameters
    ----------
    scores : DataFrame, shape (n, k)
        Blanks are left out column by column and counted.

    Returns
    -------
    DataFrame
        code, mean, sd, ci_low, ci_high, n_used, n_dropped.

    Raises
    ------
    DataContractError
        A column with fewer than ten answers.

    Notes
    -----
    Checked against R ``t.test``: tests/reference/process.R.
    """
    check_level(level, "mean_intervals")
    rows = []
    for name in scores:
        values = scores[name].dropna().to_numpy(dtype=float)
        n = len(values)
        if n < LEAST:
            raise DataContractError(
                f"mean_intervals: scores= has {n} answers in '{name}'; at least {LEAST} are "
                "needed. Leave it out."
            )
        half = stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
        mean = float(values.mean())
        rows.append((name, mean, values.std(ddof=1), mean - half, mean + half, n, len(scores) - n))
    columns = ["code", "mean", "sd", "ci_low", "ci_high", "n_used", "n_dropped"]
    return pd.DataFrame(rows, columns=columns)


def rank_intervals(draws: Array, names: Sequence[str], *, level: float = LEVEL) -> pd.DataFrame:
    """Return how firmly quantities are ordered, the largest having rank 1.

    Parameters
    ----------
    draws : ndarray, shape (b, k)
        Draws of the k quantities from their joint sampling distribution.
    names : sequence of str

    Returns
    -------
    DataFrame
        code, rank_low, rank_high (percentile interval), first, last (share of draws with the
        largest and with the smallest value).
    """
    check_level(level, "rank_intervals")
    ranks = stats.rankdata(-draws, axis=1)
    low, high = np.quantile(ranks, [(1 - level) / 2, (1 + level) / 2], axis=0, method="nearest")
    return pd.DataFrame(
        {
            "code": list(names), "rank_low": np.floor(low).astype(int),
            "rank_high": np.ceil(high).astype(int), "first": (ranks == 1).mean(axis=0),
            "last": (ranks == draws.shape[1]).mean(axis=0),
        }
    )  # fmt: skip


def mean_ranks(
    scores: pd.DataFrame, *, n_draws: int = DRAWS, seed: int = 20261121, level: float = LEVEL
) -> pd.DataFrame:
    """Return how firmly the means of several parts are ordered.

    Draws come from the joint normal distribution of the means, ``N(mean, S / n)`` over complete
    rows: their limit for large n, at the same cost for any n.

    Returns
    -------
    DataFrame
        As ``rank_intervals``, with rank and mean.
    """
    values = scores.dropna().to_numpy(dtype=float)
    n, k = values.shape
    if n < LEAST or k < 2:
        raise DataContractError(
            f"mean_ranks: scores= has {n} complete rows of {k} columns; {LEAST} rows of two "
            "columns are needed. Leave columns with many blanks out."
        )
    rng = np.random.default_rng(seed)
    draws = rng.multivariate_normal(values.mean(axis=0), np.cov(values.T) / n, size=n_draws)
    table = rank_intervals(draws, list(scores.columns), level=level)
    means = values.mean(axis=0)
    return table.assign(mean=means, rank=stats.rankdata(-means).astype(int))


@remembered
def part_importance(
    data: pd.DataFrame,
    outcome: str,
    parts: Sequence[str],
    *,
    n_boot: int = DRAWS,
    seed: int = 20261121,
    level: float = LEVEL,
) -> PartImportance:
    """Share out R² of the outcome among the parts, with bootstrap intervals of weight and rank.

    Parameters
    ----------
    data : DataFrame
        One row a respondent; rows with a blank in any column used are left out and counted.
    outcome : str
    parts : sequence of str
    n_boot, seed : int
        Rows drawn with replacement; the ranks come from the same draws as the intervals.
    level : float

    Notes
    -----
    Relative weights: Johnson (2000), doi:10.1207/S15327906MBR3501_1; see
    ``helpers.regression.relative_weights``.
    """
    check_level(level, "part_importance")
    weights = relative_weights(data, outcome, parts, n_boot=n_boot, seed=seed, level=level)
    values, _dropped = complete_numbers(data, outcome, parts, caller="part_importance")
    draws, _failed = resampled_correlations(values, n_boot=n_boot, seed=seed)
    ranks = rank_intervals(raw_relative_weights(draws), list(parts), level=level)
    own = stats.rankdata(-weights.weights["weight"].to_numpy()).astype(int)
    return PartImportance(weights, ranks.assign(rank=own))


def doubling_slope(
    hours: pd.Series, outcome: pd.Series, measure: pd.Series | None = None, *, level: float = LEVEL
) -> DoublingSlope:
    """Return the change of the outcome when the hours double, without and within measures.

    Least squares on ``log2(hours)`` and, for the slope within measures, 0/1 columns of the measure
    received; HC3 errors. What is given often decides how long it takes, so that the plain slope
    mixes the wait with the gift.

    Parameters
    ----------
    hours : Series
        Above zero.
    outcome : Series
    measure : Series, optional
        Codes; rows with a blank in any of the three are left out and counted.

    Raises
    ------
    DataContractError
        Too few complete rows, or hours of zero or below.
    EstimationError
        The hours do not vary.

    Notes
    -----
    Checked against R ``lm`` with ``sandwich::vcovHC``: tests/reference/process.R.
    """
    check_level(level, "doubling_slope")
    parts = {"hours": hours, "y": outcome}
    if measure is not None:
        parts["measure"] = measure
    frame = pd.DataFrame(parts).astype(float).dropna()
    if len(frame) < 2 * LEAST or (frame["hours"] <= 0).any():
        raise DataContractError(
            f"doubling_slope: hours= has {len(frame)} complete rows, the smallest "
            f"{frame['hours'].min():g}; {2 * LEAST} rows above 0 are needed. Check the item."
        )
    if frame["hours"].nunique() < 2:
        raise EstimationError(
            "doubling_slope: hours= do not vary; different waits are needed. Choose another item."
        )
    log = np.log2(frame[["hours"]])
    plain = _slope(frame["y"], log, level)
    within = plain
    if measure is not None and frame["measure"].nunique() > 1:
        dummies = pd.get_dummies(frame["measure"], drop_first=True, dtype=float)
        within = _slope(frame["y"], pd.concat([log, dummies], axis=1), level)
    return DoublingSlope(*plain, *within, len(frame), len(hours) - len(frame), level)


def _slope(y: pd.Series, x: pd.DataFrame, level: float) -> tuple[float, float, float]:
    """Return the first slope with its interval."""
    fit = fit_least_squares(y, x)
    half = float(stats.t.ppf((1 + level) / 2, fit.df_resid)) * float(fit.se()[1])
    return float(fit.b[1]), float(fit.b[1]) - half, float(fit.b[1]) + half
