"""Relative weights: R² shared out among correlated predictors (Johnson 2000)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import EstimationError, check_level
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.subsets import complete_numbers, resampled_correlations
from helpers.results import Number
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

NOTHING = 1e-12
"""R² that is zero but for rounding."""


@dataclass(frozen=True, slots=True)
class RelativeWeights:
    """R² of a regression shared out among its predictors.

    Attributes
    ----------
    outcome : str
    weights : DataFrame
        One row a predictor, in the order given: predictor, weight (part of R²), ci_low, ci_high,
        share (of R²), share_low, share_high, beta (standardised slope), r (with the outcome),
        noise_low, noise_high (interval of the weight less that of a random variable), above_noise
        (whether that interval lies above zero).
    r2 : float
    n_used, n_dropped : int
        Listwise.
    level : float
    n_boot, n_failed, seed : int
    method : str
    """

    outcome: str
    weights: pd.DataFrame
    r2: float
    n_used: int
    n_dropped: int
    level: float
    n_boot: int
    n_failed: int
    seed: int
    method: str

    def table(self) -> pd.DataFrame:
        """Return one row a predictor, the largest weight first."""
        return self.weights.sort_values("weight", ascending=False, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def numbers(self) -> list[Number]:
        """Return each predictor's share of R² with its definition."""
        return [
            Number(
                id=f"relative_weight_{row['predictor']}",
                value=row["share"],
                definition=_("relative weight over R² of {outcome} (Johnson 2000)").format(
                    outcome=self.outcome
                ),
                ci_low=row["share_low"],
                ci_high=row["share_high"],
                level=self.level,
                n_used=self.n_used,
                method=self.method,
            )
            for row in self.weights.to_dict("records")
        ]


def raw_relative_weights(correlations: Array) -> Array:
    """Return Johnson's relative weights from correlations; the outcome stands last.

    ``Lambda = R_xx^{1/2}`` (symmetric root), ``b = Lambda^{-1} r_xy``,
    ``weight_j = sum_k Lambda_jk**2 b_k**2``; they add up to R².

    Parameters
    ----------
    correlations : ndarray, shape (..., k + 1, k + 1)

    Returns
    -------
    ndarray, shape (..., k)
    """
    values, vectors = np.linalg.eigh(correlations[..., :-1, :-1])
    root = np.sqrt(values.clip(min=0))
    turned = np.swapaxes(vectors, -1, -2)
    straight = (vectors * root[..., None, :]) @ turned
    r = correlations[..., :-1, -1, None]
    slopes = vectors @ ((turned @ r) / root[..., :, None])
    return (straight**2 @ slopes**2)[..., 0]


@remembered
def relative_weights(
    data: pd.DataFrame,
    outcome: str,
    predictors: Sequence[str],
    *,
    n_boot: int = 5000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> RelativeWeights:
    """Share out R² among predictors that correlate, with bootstrap intervals.

    Parameters
    ----------
    data : DataFrame
        One row a respondent; rows with a blank in any column used are left out and counted.
    outcome : str
    predictors : sequence of str
        Numeric columns.
    n_boot, seed : int
        Draws of rows with replacement. Percentile intervals.
    level : float

    Notes
    -----
    A weight cannot be negative, so that its interval never holds zero; whether a predictor matters
    at all is judged by ``noise_low``: each draw also enters a random normal variable, and the
    interval is that of the difference of the two weights (Tonidandel, LeBreton & Johnson 2009).
    Checked against the formula written in R (tests/reference/importance.R, 1e-8), and the sum of
    the weights against R². Weights say how much of what is explained goes with a predictor; they
    say nothing of causes and depend on which predictors are entered.

    References
    ----------
    Johnson (2000), doi:10.1207/S15327906MBR3501_1.
    Tonidandel, LeBreton & Johnson (2009), doi:10.1037/a0017735.
    """
    check_level(level, "relative_weights")
    values, dropped = complete_numbers(data, outcome, predictors, caller="relative_weights")
    k = len(predictors)
    corr = np.corrcoef(values.T)
    weight = raw_relative_weights(corr)
    if weight.sum() < NOTHING:
        raise EstimationError(
            f"relative_weights: predictors= explain nothing of outcome= '{outcome}' (R2 "
            f"{weight.sum():.1e}); there is nothing to share out. Choose other predictors."
        )
    noise = np.random.default_rng(seed + 1).standard_normal(len(values))
    wide = np.column_stack([values[:, :k], noise, values[:, k]])
    draws, failed = resampled_correlations(wide, n_boot=n_boot, seed=seed)
    with_noise = raw_relative_weights(draws)
    own = [*range(k), k + 1]
    drawn = raw_relative_weights(draws[:, own][:, :, own])
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(drawn, ends, axis=0)
    shares = drawn / drawn.sum(axis=1, keepdims=True)
    share_low, share_high = np.quantile(shares, ends, axis=0)
    noise_low, noise_high = np.quantile(with_noise[:, :k] - with_noise[:, [k]], ends, axis=0)
    table = pd.DataFrame(
        {
            "predictor": list(predictors), "weight": weight, "ci_low": low, "ci_high": high,
            "share": weight / weight.sum(), "share_low": share_low, "share_high": share_high,
            "beta": np.linalg.solve(corr[:k, :k], corr[:k, k]), "r": corr[:k, k],
            "noise_low": noise_low, "noise_high": noise_high, "above_noise": noise_low > 0,
        }
    )  # fmt: skip
    return RelativeWeights(
        outcome=outcome, weights=table, r2=float(weight.sum()), n_used=len(values),
        n_dropped=dropped, level=level, n_boot=n_boot, n_failed=failed, seed=seed,
        method="percentile bootstrap of rows; listwise",
    )  # fmt: skip
