"""Dominance analysis: which predictor adds more, in every subset of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import DataContractError, check_level
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.subsets import complete_numbers, resampled_correlations, subset_r2
from helpers.results import Number
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

LEVELS = ("complete", "conditional", "general")
TIE = 1e-12
"""R² gains that differ by less are equal: the size of rounding in double precision."""


@dataclass(frozen=True, slots=True)
class Dominance:
    """Dominance of predictors over each other.

    Attributes
    ----------
    outcome : str
    general : DataFrame
        One row a predictor: predictor, general (mean gain over subset sizes; part of R²), ci_low,
        ci_high, share (of R²), alone (R² by itself), last (gain over all others).
    conditional : DataFrame
        predictor, size (number of other predictors already in), gain (mean over such subsets).
    pairs : DataFrame
        One row a pair: first, second, and for complete, conditional and general dominance 1 (first
        dominates), 0 (second) or 0.5 (neither), each with ``<level>_again``, the share of bootstrap
        draws with the same answer.
    r2 : float
    n_used, n_dropped : int
        Listwise.
    level : float
    n_boot, n_failed, seed : int
    method : str
    """

    outcome: str
    general: pd.DataFrame
    conditional: pd.DataFrame
    pairs: pd.DataFrame
    r2: float
    n_used: int
    n_dropped: int
    level: float
    n_boot: int
    n_failed: int
    seed: int
    method: str

    def table(self) -> pd.DataFrame:
        """Return one row a predictor, the largest general dominance first."""
        return self.general.sort_values("general", ascending=False, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def numbers(self) -> list[Number]:
        """Return each predictor's general dominance with its definition."""
        return [
            Number(
                id=f"general_dominance_{row['predictor']}",
                value=row["general"],
                definition=_("mean gain in R² of {outcome} over subset sizes").format(
                    outcome=self.outcome
                ),
                ci_low=row["ci_low"],
                ci_high=row["ci_high"],
                level=self.level,
                n_used=self.n_used,
                method=self.method,
            )
            for row in self.general.to_dict("records")
        ]


def conditional_gains(r2: Array, k: int) -> Array:
    """Return each predictor's mean gain in R² by the number of others already in.

    Parameters
    ----------
    r2 : ndarray, shape (..., 2**k)
        From ``subset_r2``.

    Returns
    -------
    ndarray, shape (..., k, k)
        Predictor, then size of the subset it joins (0 to k - 1).
    """
    masks = np.arange(2**k)
    out = np.empty((*r2.shape[:-1], k, k))
    for i in range(k):
        without = masks[(masks >> i) & 1 == 0]
        sizes = np.bitwise_count(without)
        mean = (sizes[:, None] == np.arange(k)) / np.bincount(sizes, minlength=k)
        out[..., i, :] = (r2[..., without | (1 << i)] - r2[..., without]) @ mean
    return out


def pair_dominance(r2: Array, gains: Array, k: int) -> Array:
    """Return dominance of every pair at the three levels: 1, 0, or 0.5 where neither dominates.

    Returns
    -------
    ndarray, shape (..., number of pairs, 3)
        Pairs as ``itertools.combinations(range(k), 2)``; levels as ``LEVELS``.
    """
    masks = np.arange(2**k)
    found = []
    for i, j in combinations(range(k), 2):
        others = masks[((masks >> i) & 1 == 0) & ((masks >> j) & 1 == 0)]
        complete = _verdict(r2[..., others | (1 << i)] - r2[..., others | (1 << j)])
        conditional = _verdict(gains[..., i, :] - gains[..., j, :])
        general = _verdict((gains[..., i, :] - gains[..., j, :]).mean(axis=-1)[..., None])
        found.append(np.stack([complete, conditional, general], axis=-1))
    return np.stack(found, axis=-2)


def _verdict(differences: Array) -> Array:
    """Return 1 where all differences are at least zero and one is more, 0 the reverse, else .5."""
    up = (differences > -TIE).all(axis=-1) & (differences > TIE).any(axis=-1)
    down = (differences < TIE).all(axis=-1) & (differences < -TIE).any(axis=-1)
    return np.where(up, 1.0, np.where(down, 0.0, 0.5))


@remembered
@remembered
def dominance(
    data: pd.DataFrame,
    outcome: str,
    predictors: Sequence[str],
    *,
    n_boot: int = 1000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> Dominance:
    """Compare predictors by what each adds to R² in every subset of the others.

    Parameters
    ----------
    data : DataFrame
        One row a respondent; rows with a blank in any column used are left out and counted.
    outcome : str
    predictors : sequence of str
        Two to fifteen numeric columns.
    n_boot, seed : int
        Draws of rows with replacement; 0 leaves intervals and reproducibility out (NaN).
    level : float

    Notes
    -----
    Complete dominance: the first adds at least as much in every subset; conditional: in the mean of
    every subset size; general: in the mean of these means, which add up to R² (Azen & Budescu
    2003). Checked against the published values for R's ``swiss`` (Groemping 2006), against all
    regressions run one by one in R (tests/reference/importance.R) and by hand for two predictors.

    References
    ----------
    Azen & Budescu (2003), doi:10.1037/1082-989X.8.2.129.
    Groemping (2006), doi:10.18637/jss.v017.i01.
    """
    check_level(level, "dominance")
    values, dropped = complete_numbers(data, outcome, predictors, caller="dominance")
    k = len(predictors)
    if k < 2:
        raise DataContractError(
            f"dominance: predictors= holds '{predictors[0]}' alone; two are needed to compare. Add "
            "one."
        )
    r2 = subset_r2(np.corrcoef(values.T))
    gains = conditional_gains(r2, k)
    pairs = pair_dominance(r2, gains, k)
    low = high = np.full(k, np.nan)
    again, failed = np.full(pairs.shape, np.nan), 0
    if n_boot:
        drawn, failed = resampled_correlations(values, n_boot=n_boot, seed=seed)
        low, high, again = _bootstrap(drawn, pairs, k, level)
    mean = gains.mean(axis=1)
    general = pd.DataFrame(
        {
            "predictor": list(predictors), "general": mean, "ci_low": low, "ci_high": high,
            "share": mean / r2[-1], "alone": gains[:, 0], "last": gains[:, -1],
        }
    )  # fmt: skip
    return Dominance(
        outcome=outcome, general=general, conditional=_long(gains, predictors),
        pairs=_pair_table(pairs, again, predictors), r2=float(r2[-1]), n_used=len(values),
        n_dropped=dropped, level=level, n_boot=n_boot, n_failed=failed, seed=seed,
        method="percentile bootstrap of rows; listwise",
    )  # fmt: skip


def _bootstrap(drawn: Array, pairs: Array, k: int, level: float) -> tuple[Array, Array, Array]:
    """Return the ends of the intervals and how often each verdict on a pair comes again."""
    general, same = [], np.zeros(pairs.shape)
    step = max(1, 4_000_000 // 2**k)
    for start in range(0, len(drawn), step):
        r2 = subset_r2(drawn[start : start + step])
        gains = conditional_gains(r2, k)
        general.append(gains.mean(axis=-1))
        same += (pair_dominance(r2, gains, k) == pairs).sum(axis=0)
    low, high = np.quantile(np.concatenate(general), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high, same / len(drawn)


def _long(gains: Array, predictors: Sequence[str]) -> pd.DataFrame:
    """Return conditional gains, one row a predictor and size."""
    k = len(predictors)
    return pd.DataFrame(
        {
            "predictor": np.repeat(list(predictors), k),
            "size": np.tile(np.arange(k), k),
            "gain": gains.ravel(),
        }
    )


def _pair_table(pairs: Array, again: Array, predictors: Sequence[str]) -> pd.DataFrame:
    """Return the verdicts on pairs with their reproducibility."""
    table = pd.DataFrame(list(combinations(predictors, 2)), columns=["first", "second"])
    for column, name in enumerate(LEVELS):
        table[name] = pairs[:, column]
        table[f"{name}_again"] = again[:, column]
    return table
