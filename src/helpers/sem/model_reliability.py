"""Reliability from confirmatory models: omega categorical, and omega of a second-order factor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from helpers.errors import (
    DataContractError,
    EstimationError,
    ModelSpecError,
    Unavailable,
    check_level,
    listing,
)
from helpers.memo import remembered
from helpers.sem.bivariate_normal import bivariate_cdf
from helpers.sem.fit import fit
from helpers.sem.result import SemResult
from helpers.thresholds import LEVEL

Array = np.ndarray

STEP = 1e-5
"""Relative step of the numerical derivative behind a delta-method error."""


@dataclass(frozen=True, slots=True)
class ModelReliability:
    """A coefficient from a confirmatory model, with its delta-method interval.

    Attributes
    ----------
    construct, coefficient : str
        ``coefficient`` is ``"omega_categorical"``, ``"omega_h"`` or ``"omega_t"``.
    value, se, ci_low, ci_high : float
    n_items, n_used, n_dropped : int
    level : float
    method : str
    """

    construct: str
    coefficient: str
    value: float
    se: float
    ci_low: float
    ci_high: float
    n_items: int
    n_used: int
    n_dropped: int
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([self.to_dict()])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def green_yang(loadings: Array, thresholds: Sequence[Array]) -> float:
    """Return the reliability of the sum of ordered items that share one normal factor.

    With standardised loadings l of the latent responses and thresholds t, the true covariance of
    two items is ``sum_c sum_d Phi2(t_c, t_d; l_i l_j) - sum_c Phi(t_c) sum_d Phi(t_d)``; so is
    that of an item with a parallel copy of itself. The variance of the sum replaces it on the
    diagonal by the item's own variance. Green & Yang (2009), doi:10.1007/s11336-008-9099-3,
    equation 21, with model-implied correlations.
    """
    k = len(loadings)
    means = [float(ndtr(t).sum()) for t in thresholds]
    true, total = 0.0, 0.0
    for i in range(k):
        for j in range(k):
            h, g = (a.ravel() for a in np.meshgrid(thresholds[i], thresholds[j], indexing="ij"))
            shared = bivariate_cdf(h, g, np.asarray(loadings[i] * loadings[j]))
            own = float(shared.sum()) - means[i] * means[j]
            true += own
            total += own if i != j else float(ndtr(np.minimum(h, g)).sum()) - means[i] ** 2
    return true / total


@remembered
def omega_categorical(
    items: pd.DataFrame, *, construct: str, level: float = LEVEL
) -> ModelReliability:
    """Estimate the reliability of the sum of ordered items, as they were answered.

    Parameters
    ----------
    items : DataFrame, shape (n_respondents, k)
        At least three ordered items, turned the same way; incomplete rows are dropped and counted.
    construct : str
    level : float

    Raises
    ------
    DataContractError
        Fewer than three items.
    EstimationError
        The one-factor model of the latent responses did not converge or is not admissible.

    Notes
    -----
    One factor by WLSMV on polychoric correlations; interval by the delta method with numerical
    derivatives over loadings and thresholds, from their robust covariance. Unlike omega of the
    polychoric matrix ("ordinal alpha"), the coefficient is of the sum of the answers themselves.
    Checked against semTools ``compRelSEM(ord.scale = TRUE, obs.var = FALSE)``
    (tests/reference/reliability.R).
    """
    check_level(level, "omega_categorical")
    names = [str(c) for c in items.columns]
    if len(names) < 3:
        raise DataContractError(
            f"omega_categorical: items= has {listing(names)}; at least 3 are needed, because one "
            "factor of two items is not identified."
        )
    result = _admissible(
        fit(f"F =~ {' + '.join(names)}", items, estimator="WLSMV", ordered=names, std_lv=True),
        "omega_categorical",
    )
    rows = result.table.rows
    load = {row.rhs: k for k, row in enumerate(rows) if row.op == "=~"}
    cuts = {n: [k for k, row in enumerate(rows) if row.op == "|" and row.lhs == n] for n in names}

    def value(values: Array) -> float:
        loadings = np.array([values[load[n]] for n in names])
        return green_yang(loadings, [values[cuts[n]] for n in names])

    return _with_interval(result, value, construct, "omega_categorical", len(names), level)


@remembered
def second_order_omega(
    items: pd.DataFrame,
    facets: Mapping[str, Sequence[str]],
    *,
    construct: str,
    level: float = LEVEL,
) -> tuple[ModelReliability, ModelReliability]:
    """Estimate omega hierarchical and total of a scale with facets, from a second-order model.

    ``omega_h = psi (sum_f a_f g_f)^2 / V`` and ``omega_t = 1 - sum(theta) / V`` with ``a_f`` the
    sum of the loadings of facet f, ``g_f`` its loading on the second-order factor of variance psi,
    theta the residual variances of the items and V the implied variance of the sum of the items.

    Parameters
    ----------
    items : DataFrame
        Numeric, turned the same way; incomplete rows are dropped and counted.
    facets : mapping
        Facet -> items; at least three facets.
    construct : str
        Name of the second-order factor.

    Notes
    -----
    ML; delta-method intervals. Checked against semTools ``compRelSEM(higher = ..., obs.var =
    FALSE)`` (tests/reference/reliability.R). Zinbarg, Revelle, Yovel & Li (2005),
    doi:10.1007/s11336-003-0974-7.
    """
    check_level(level, "second_order_omega")
    if len(facets) < 3:
        raise ModelSpecError(
            f"second_order_omega: facets= has {listing(facets)}; at least 3 are needed, because a "
            "second-order factor of two is not identified."
        )
    columns = [item for own in facets.values() for item in own]
    text = "\n".join(f"{name} =~ {' + '.join(own)}" for name, own in facets.items())
    text += f"\n{construct} =~ {' + '.join(facets)}"
    result = _admissible(fit(text, items[columns]), "second_order_omega")
    rows = result.table.rows
    own = {f: [k for k, r in enumerate(rows) if r.op == "=~" and r.lhs == f] for f in facets}
    above = {r.rhs: k for k, r in enumerate(rows) if r.op == "=~" and r.lhs == construct}
    spread = {r.lhs: k for k, r in enumerate(rows) if r.op == "~~" and r.lhs == r.rhs}

    def parts(values: Array) -> tuple[float, float, float]:
        sums = {f: float(values[places].sum()) for f, places in own.items()}
        common = sum(sums[f] * values[above[f]] for f in facets) ** 2 * values[spread[construct]]
        special = sum(sums[f] ** 2 * values[spread[f]] for f in facets)
        return float(common), float(special), float(sum(values[spread[i]] for i in columns))

    def hierarchical(values: Array) -> float:
        common, special, error = parts(values)
        return common / (common + special + error)

    def total(values: Array) -> float:
        common, special, error = parts(values)
        return (common + special) / (common + special + error)

    return (
        _with_interval(result, hierarchical, construct, "omega_h", len(columns), level),
        _with_interval(result, total, construct, "omega_t", len(columns), level),
    )


def _admissible(result: SemResult, function: str) -> SemResult:
    """Return a result that may be read, or say why it may not."""
    if not result.converged or not result.admissible or isinstance(result.vcov, Unavailable):
        raise EstimationError(
            f"{function}: items= gave a model that may not be read "
            f"({' '.join(result.problems) or 'no standard errors'}); a converged and admissible "
            "solution is needed. Look at the correlations of the items."
        )
    return result


def _with_interval(
    result: SemResult,
    value: Callable[[Array], float],
    construct: str,
    coefficient: str,
    n_items: int,
    level: float,
) -> ModelReliability:
    """Return a function of the parameters with a delta-method interval."""
    base = result.values[: len(result.table.rows)].astype(float)
    free: dict[int, list[int]] = {}
    for k, row in enumerate(result.table.rows):
        if row.free:
            free.setdefault(row.free - 1, []).append(k)
    slope = np.zeros(len(free))
    for place, rows in free.items():
        step = STEP * max(1.0, abs(base[rows[0]]))
        up, down = base.copy(), base.copy()
        up[rows] += step
        down[rows] -= step
        slope[place] = (value(up) - value(down)) / (2 * step)
    estimate, se = value(base), float(np.sqrt(slope @ result.vcov @ slope))
    half = float(ndtri(0.5 + level / 2)) * se
    return ModelReliability(
        construct, coefficient, estimate, se, estimate - half, estimate + half, n_items,
        result.n_obs, result.n_dropped, level, f"{result.estimator}, delta method, listwise",
    )  # fmt: skip
