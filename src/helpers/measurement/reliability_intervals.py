"""Intervals of what a reliability table prints: standardised alpha, items, CR and AVE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import Unavailable, check_level
from helpers.measurement.moment_draws import ROUNDING, covariance_draws, percentile_interval
from helpers.measurement.one_factor import one_factor_covariance
from helpers.measurement.reliability import (
    average_variance_extracted,
    composite_reliability,
    one_factor_of,
)
from helpers.measurement.rows import complete_rows
from helpers.memo import remembered
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReliabilityIntervals:
    """Intervals of one scale.

    Attributes
    ----------
    construct : str
    standardized_alpha, standardized_low, standardized_high : float
        Standardised alpha with its percentile interval.
    cr, cr_low, cr_high, ave, ave_low, ave_high : float or Unavailable
        Of the one-factor ML solution, delta-method intervals.
    items : DataFrame
        One row an item: item, item_rest, item_rest_low, item_rest_high, alpha_if_deleted,
        alpha_if_deleted_low, alpha_if_deleted_high (percentile; blank for a scale of two items).
    n_used, n_dropped, n_boot, n_failed, seed : int
    level : float
    method : str
    """

    construct: str
    standardized_alpha: float
    standardized_low: float
    standardized_high: float
    cr: float | Unavailable
    cr_low: float | Unavailable
    cr_high: float | Unavailable
    ave: float | Unavailable
    ave_low: float | Unavailable
    ave_high: float | Unavailable
    items: pd.DataFrame
    n_used: int
    n_dropped: int
    n_boot: int
    n_failed: int
    seed: int
    level: float
    method: str = "percentile bootstrap; CR and AVE by the delta method; listwise"

    def table(self) -> pd.DataFrame:
        """Return one row with the numbers of the scale."""
        return pd.DataFrame([{k: v for k, v in self.to_dict().items() if k != "items"}])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary; ``items`` stays a DataFrame."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@remembered
def reliability_intervals(
    items: pd.DataFrame,
    *,
    construct: str,
    n_boot: int = 2000,
    seed: int = 0,
    level: float = LEVEL,
) -> ReliabilityIntervals:
    """Return intervals of standardised alpha, CR, AVE, item-rest and alpha without an item.

    Parameters
    ----------
    items : DataFrame, shape (n_respondents, k)
        Numeric, turned the same way; incomplete rows are dropped and counted.
    construct : str
    n_boot, seed : int
        Resamples of whole rows.
    level : float

    Raises
    ------
    DataContractError
        As ``coefficient_alpha``.

    Notes
    -----
    Item-rest and alpha without an item are functions of the covariance matrix, so that all draws
    are computed at once. CR and AVE have delta-method errors from the expected information of the
    one-factor model. Checked against R: ``boot`` on the same resamples, lavaan ``:=``
    (tests/reference/reliability.R).
    """
    check_level(level, "reliability_intervals")
    values, dropped = complete_rows(items, function="reliability_intervals")
    k = values.shape[1]
    cov = np.cov(values.T)
    draws = [_statistics(batch) for batch in covariance_draws(values, n_boot=n_boot, seed=seed)]
    drawn = np.concatenate(draws)
    limits = [percentile_interval(column, level)[:2] for column in drawn.T]
    found = _statistics(cov[None])[0]
    table = pd.DataFrame({"item": [str(c) for c in items.columns]})
    for j, name in enumerate(("item_rest", "alpha_if_deleted")):
        places = range(1 + j * k, 1 + (j + 1) * k)
        table[name] = found[list(places)]
        table[f"{name}_low"] = [limits[i][0] for i in places]
        table[f"{name}_high"] = [limits[i][1] for i in places]
    factor = _factor_intervals(values, level)
    return ReliabilityIntervals(
        construct, float(found[0]), *limits[0], *factor,
        items=table, n_used=len(values), n_dropped=dropped, n_boot=n_boot,
        n_failed=int(np.sum(~np.isfinite(drawn[:, : 1 + k]).all(axis=1))), seed=seed, level=level,
    )  # fmt: skip


def _statistics(cov: Array) -> Array:
    """Return standardised alpha, item-rest r and alpha without each item, (b, 1 + 2k)."""
    k = cov.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
        corr = cov / (sd[:, :, None] * sd[:, None, :])
        standard = k / (k - 1) * (1 - k / corr.sum(axis=(1, 2)))
        total, own = cov.sum(axis=(1, 2))[:, None], cov.sum(axis=2)
        variance = np.diagonal(cov, axis1=1, axis2=2)
        rest = total - 2 * own + variance
        rest = np.where(rest > ROUNDING * variance.sum(axis=1, keepdims=True), rest, np.nan)
        item_rest = (own - variance) / (sd * np.sqrt(rest))
        traces = variance.sum(axis=1, keepdims=True) - variance
        without = (k - 1) / (k - 2) * (1 - traces / rest) if k > 2 else np.full_like(rest, np.nan)
    return np.hstack([standard[:, None], item_rest, without])


def _factor_intervals(values: Array, level: float) -> tuple[float | Unavailable, ...]:
    """Return CR and AVE of one scale with delta-method intervals, or why there are none."""
    solution = one_factor_of(values)
    if isinstance(solution, Unavailable):
        return (solution,) * 6
    lam, std = solution.loadings, solution.std_loadings
    variance = lam**2 + solution.residuals
    cov = one_factor_covariance(lam, solution.residuals, len(values))
    to_std = np.hstack(
        [np.diag(solution.residuals / variance**1.5), np.diag(-lam / (2 * variance**1.5))]
    )
    own = to_std @ cov @ to_std.T
    total, errors = std.sum(), np.sum(1 - std**2)
    below = total**2 + errors
    slopes = (2 * total * errors / below**2 + 2 * std * total**2 / below**2, 2 * std / len(std))
    half = stats.norm.ppf((1 + level) / 2)
    out: list[float | Unavailable] = []
    for value, slope in zip((composite_reliability(std), average_variance_extracted(std)), slopes):
        se = float(np.sqrt(slope @ own @ slope))
        out += [value, value - half * se, value + half * se]
    return tuple(out)
