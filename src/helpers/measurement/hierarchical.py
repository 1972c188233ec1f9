"""Omega hierarchical from an exploratory solution: Schmid-Leiman loadings of a general factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from helpers.errors import DataContractError, EstimationError, check_level
from helpers.measurement.efa import factor_analysis
from helpers.measurement.extraction import PRECISION, STARTS, extract_minres
from helpers.measurement.moment_draws import (
    correlation_of_draw,
    covariance_draws,
    percentile_interval,
)
from helpers.measurement.rotation import quartimin
from helpers.measurement.rows import complete_rows
from helpers.memo import remembered
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

DRAW_PRECISION = 1e-9
"""Relative change of the criterion at which the search ends in a resample."""


@dataclass(frozen=True, slots=True)
class HierarchicalOmega:
    """Omega hierarchical and total of a scale with facets, with percentile intervals.

    Attributes
    ----------
    construct : str
    omega_h, omega_h_low, omega_h_high : float
        Share of the variance of the sum that one general factor accounts for.
    omega_t, omega_t_low, omega_t_high : float
        Share that all factors account for.
    general : ndarray, shape (p,)
        Schmid-Leiman loadings on the general factor.
    n_factors, n_items, n_used, n_dropped, n_boot, n_failed, seed : int
    level : float
    method : str
    """

    construct: str
    omega_h: float
    omega_h_low: float
    omega_h_high: float
    omega_t: float
    omega_t_low: float
    omega_t_high: float
    general: Array
    n_factors: int
    n_items: int
    n_used: int
    n_dropped: int
    n_boot: int
    n_failed: int
    seed: int
    level: float
    method: str = "Schmid-Leiman from minres and oblimin; percentile bootstrap; listwise"

    def table(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([{k: v for k, v in self.to_dict().items() if k != "general"}])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def schmid_leiman(corr: ArrayLike, *, n_factors: int) -> tuple[Array, Array]:
    """Return loadings on the general factor and uniquenesses.

    Factors (minres, oblimin) are themselves factored: with pattern P and loadings g of the factors
    on one second-order factor, the items load ``P g`` on the general factor. Two factors share
    ``sqrt(r)`` each, which is the convention of psych (``option = "equal"``).

    Checked against psych ``omega(fm = "minres", rotate = "oblimin")``
    (tests/reference/reliability.R). Schmid & Leiman (1957), doi:10.1007/BF02289209.
    """
    if n_factors < 2:
        raise DataContractError(
            f"schmid_leiman: n_factors= is {n_factors}; a general factor beside facets needs at "
            "least 2. Use omega total for a scale of one factor."
        )
    solution = factor_analysis(corr, n_factors=n_factors, extraction="minres", rotation="oblimin")
    return solution.loadings @ _above(solution.phi), solution.uniquenesses


def _above(phi: Array, precision: float = PRECISION) -> Array:
    """Return the loadings of the factors on one factor above them."""
    if len(phi) == 2:
        r = float(phi[0, 1])
        return np.full(2, np.sqrt(abs(r))) * np.array([1.0, np.sign(r) or 1.0])
    starts = STARTS if precision == PRECISION else 1
    return extract_minres(phi, 1, precision=precision, starts=starts).loadings[:, 0]


def omega_coefficients(corr: ArrayLike, general: Array, unique: Array) -> tuple[float, float]:
    """Return omega hierarchical ``(sum g)^2 / sum(R)`` and total ``1 - sum(u^2) / sum(R)``."""
    total = float(np.sum(np.asarray(corr, dtype=float)))
    return float(general.sum() ** 2 / total), 1 - float(unique.sum()) / total


def _of_draw(cov: Array, n_factors: int) -> tuple[float, float]:
    """Return both coefficients of one resample, from one start and with less precision."""
    try:
        corr = correlation_of_draw(cov)
        found = extract_minres(corr, n_factors, precision=DRAW_PRECISION, starts=1)
        turned = quartimin(found.loadings)
        general = turned.loadings @ _above(turned.phi, DRAW_PRECISION)
    except EstimationError:  # counted as failed by its blanks
        return np.nan, np.nan
    return omega_coefficients(corr, general, found.uniquenesses)


@remembered
def _draws(values: Array, *, n_factors: int, n_boot: int, seed: int) -> Array:
    """Return both coefficients of every resample, one row each."""
    batches = covariance_draws(values, n_boot=n_boot, seed=seed)
    drawn = [_of_draw(cov, n_factors) for batch in batches for cov in batch]
    return np.array(drawn).reshape(-1, 2)


@remembered
def hierarchical_omega(
    items: pd.DataFrame,
    *,
    construct: str,
    n_factors: int,
    n_boot: int = 200,
    seed: int = 0,
    level: float = LEVEL,
) -> HierarchicalOmega:
    """Estimate omega hierarchical of a scale with facets, with a percentile interval.

    Parameters
    ----------
    items : DataFrame
        Numeric, turned the same way; incomplete rows are dropped and counted.
    n_factors : int
        Facets.
    n_boot, seed : int
        A draw whose factors cannot be extracted or rotated counts in ``n_failed``.

    Notes
    -----
    Zinbarg, Revelle, Yovel & Li (2005), doi:10.1007/s11336-003-0974-7. The coefficient is of the
    sum of standardised items. Checked against psych ``omega()``.
    """
    check_level(level, "hierarchical_omega")
    values, dropped = complete_rows(items, function="hierarchical_omega", least_items=4)
    corr = np.corrcoef(values.T)
    general, unique = schmid_leiman(corr, n_factors=n_factors)
    omega_h, omega_t = omega_coefficients(corr, general, unique)
    table = _draws(values, n_factors=n_factors, n_boot=n_boot, seed=seed)
    low_h, high_h, failed = percentile_interval(table[:, 0], level)
    low_t, high_t, _failed = percentile_interval(table[:, 1], level)
    return HierarchicalOmega(
        construct, omega_h, low_h, high_h, omega_t, low_t, high_t, general,
        n_factors=n_factors, n_items=len(corr), n_used=len(values), n_dropped=dropped,
        n_boot=n_boot, n_failed=failed, seed=seed, level=level,
    )  # fmt: skip
