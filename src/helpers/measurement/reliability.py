"""Reliability of one scale: alpha, omega, and what each item adds.

The formulas take arrays; the functions that take a table of items drop incomplete rows listwise,
count them, and return a frozen result. Items must already be turned the same way.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from helpers.errors import DataContractError, EstimationError, Unavailable, check_level
from helpers.i18n import _
from helpers.measurement.one_factor import OneFactor, estimate_one_factor, is_singular
from helpers.measurement.rows import LEAST_SPREAD, complete_rows
from helpers.memo import remembered
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReliabilityResult:
    """Reliability of one scale.

    Attributes
    ----------
    construct : str
    n_items, n_used, n_dropped : int
        Items; complete rows behind every number; rows left out because an item is blank.
    alpha, alpha_low, alpha_high : float
        Raw coefficient alpha with its Feldt interval.
    standardized_alpha : float
        Alpha of the standardised items (from the mean correlation).
    mean_inter_item_r : float
    omega : float or Unavailable
        Omega total of the one-factor ML solution.
    omega_low, omega_high : float or Unavailable
        Its delta-method interval.
    cr, ave : float or Unavailable
        Composite reliability and average variance extracted of the same solution, standardised.
    level : float
    method : str
    items : DataFrame
        One row an item: item, mean, sd, item_rest, alpha_if_deleted, std_loading.
    """

    construct: str
    n_items: int
    n_used: int
    n_dropped: int
    alpha: float
    alpha_low: float
    alpha_high: float
    standardized_alpha: float
    mean_inter_item_r: float
    omega: float | Unavailable
    omega_low: float | Unavailable
    omega_high: float | Unavailable
    cr: float | Unavailable
    ave: float | Unavailable
    level: float
    method: str
    items: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return one row with every number of the scale."""
        return pd.DataFrame([{k: v for k, v in self.to_dict().items() if k != "items"}])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary; ``items`` stays a DataFrame."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def text(self) -> str:
        """Return one sentence that reads alpha and its interval."""
        return _(
            "Coefficient alpha of {construct} is {alpha:.2f} ({level:.0%} interval {low:.2f} to "
            "{high:.2f}; {k} items, n = {n})."
        ).format(
            construct=self.construct,
            alpha=self.alpha,
            level=self.level,
            low=self.alpha_low,
            high=self.alpha_high,
            k=self.n_items,
            n=self.n_used,
        )


@dataclass(frozen=True, slots=True)
class AlphaResult:
    """Raw coefficient alpha with its Feldt interval."""

    construct: str
    alpha: float
    ci_low: float
    ci_high: float
    n_items: int
    n_used: int
    n_dropped: int
    level: float
    method: str = "raw alpha, Feldt interval, listwise"

    def table(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([asdict(self)])


def alpha_from_covariance(cov: ArrayLike) -> float:
    """Return alpha from a covariance matrix; of a correlation matrix it is standardised alpha.

    ``k / (k - 1) * (1 - trace(C) / sum(C))`` (Cronbach 1951, doi:10.1007/BF02310555).
    """
    matrix = np.asarray(cov, dtype=float)
    k = len(matrix)
    return float(k / (k - 1) * (1 - np.trace(matrix) / matrix.sum()))


def feldt_interval(
    alpha: float, *, n: int, n_items: int, level: float = LEVEL
) -> tuple[float, float]:
    """Return the Feldt interval of alpha, from the F distribution.

    ``1 - (1 - alpha) * F(q; n - 1, (n - 1)(k - 1))`` at both tails. Checked against R psych
    ``alpha.ci()``. Feldt, Woodruff & Salih (1987), doi:10.1177/014662168701100107.
    """
    check_level(level, "feldt_interval")
    tail = (1 - level) / 2
    df1, df2 = n - 1, (n - 1) * (n_items - 1)
    low = 1 - (1 - alpha) * stats.f.ppf(1 - tail, df1, df2)
    high = 1 - (1 - alpha) * stats.f.ppf(tail, df1, df2)
    return float(low), float(high)


def coefficient_alpha(items: pd.DataFrame, *, construct: str, level: float = LEVEL) -> AlphaResult:
    """Estimate raw coefficient alpha of one scale, with a Feldt interval.

    Parameters
    ----------
    items : DataFrame, shape (n_respondents, k)
        One numeric column an item, reversed items already turned. Rows with a blank are dropped
        and counted; the input is not changed.
    construct : str
        Copied into the result.
    level : float
        Confidence level as a proportion.

    Raises
    ------
    DataContractError
        Fewer than two items, fewer than three complete rows, an item or a sum that never varies.

    Notes
    -----
    Assumes essentially tau-equivalent items; read omega beside it. Checked against R psych
    ``alpha()`` and ``alpha.ci()`` (tests/reference/psych.R).

    Examples
    --------
    >>> toy = pd.DataFrame({"SAT1": [5, 4, 2, 5, 1], "SAT2": [4, 4, 1, 5, 2]})
    >>> round(coefficient_alpha(toy, construct="SAT").alpha, 3)
    0.938
    """
    check_level(level, "coefficient_alpha")
    values, dropped = complete_rows(items, function="coefficient_alpha")
    n, k = values.shape
    cov = np.cov(values.T)
    if cov.sum() <= LEAST_SPREAD * np.trace(cov):
        raise DataContractError(
            f"coefficient_alpha: items= of construct '{construct}' have a sum that never varies; "
            "alpha divides by its variance. Look for items that mirror others."
        )
    alpha = alpha_from_covariance(cov)
    low, high = feldt_interval(alpha, n=n, n_items=k, level=level)
    return AlphaResult(construct, alpha, low, high, k, n, dropped, level)


def omega_total(loadings: ArrayLike, residual_variances: ArrayLike) -> float:
    """Return omega total of a one-factor solution.

    ``(sum l)^2 / ((sum l)^2 + sum theta)``: the denominator is the model's variance of the sum,
    residuals uncorrelated. Loadings and residual variances must be in the same units (both
    unstandardised, or both standardised). McDonald (1999); checked against lavaan ``:=``.
    """
    common = float(np.sum(np.asarray(loadings, dtype=float))) ** 2
    return common / (common + float(np.sum(np.asarray(residual_variances, dtype=float))))


def composite_reliability(std_loadings: ArrayLike) -> float:
    """Return composite reliability from standardised loadings.

    ``(sum l)^2 / ((sum l)^2 + sum(1 - l^2))`` (Fornell & Larcker 1981,
    doi:10.1177/002224378101800104).
    """
    loadings = _standardised("composite_reliability", std_loadings)
    return omega_total(loadings, 1 - loadings**2)


def average_variance_extracted(std_loadings: ArrayLike) -> float:
    """Return the mean squared standardised loading (Fornell & Larcker 1981)."""
    loadings = _standardised("average_variance_extracted", std_loadings)
    return float(np.mean(loadings**2))


def _standardised(function: str, loadings: ArrayLike) -> Array:
    """Return loadings as an array; a value beyond 1 shows that they are not standardised."""
    values = np.asarray(loadings, dtype=float)
    if values.size == 0 or not np.isfinite(values).all() or np.any(np.abs(values) > 1):
        raise DataContractError(
            f"{function}: std_loadings= is {np.round(values, 3).tolist()}; standardised loadings "
            "between -1 and 1 are needed. Standardise the solution, or look for a negative "
            "residual variance."
        )
    return values


def describe_items(items: pd.DataFrame) -> pd.DataFrame:
    """Return, for each item, mean, SD, corrected item-rest correlation, alpha without it.

    Rows with a blank are dropped listwise. The item-rest correlation is between the item and the
    sum of the *other* items. With two items alpha without one does not exist. Checked against R
    psych ``alpha()$item.stats$r.drop`` and ``$alpha.drop``.
    """
    values, _dropped = complete_rows(items, function="describe_items")
    cov = np.cov(values.T)
    total = values.sum(axis=1)
    k = values.shape[1]
    rest = [np.corrcoef(v, total - v)[0, 1] for v in values.T]
    without: list[float | Unavailable] = [
        alpha_from_covariance(np.delete(np.delete(cov, i, 0), i, 1)) if k > 2 else _one_item_left()
        for i in range(k)
    ]
    return pd.DataFrame(
        {
            "item": [str(c) for c in items.columns],
            "mean": values.mean(axis=0),
            "sd": values.std(axis=0, ddof=1),
            "item_rest": rest,
            "alpha_if_deleted": without,
        }
    )


def _one_item_left() -> Unavailable:
    """Say why alpha without an item is missing for a scale of two items."""
    return Unavailable(_("alpha without this item"), _("only one item would be left"))


def inter_item_correlations(items: pd.DataFrame) -> pd.DataFrame:
    """Return the Pearson correlations of the items; rows with a blank are dropped listwise."""
    values, _dropped = complete_rows(items, function="inter_item_correlations")
    return pd.DataFrame(np.corrcoef(values.T), index=items.columns, columns=items.columns)


@remembered
def estimate_reliability(
    items: pd.DataFrame, *, construct: str, level: float = LEVEL
) -> ReliabilityResult:
    """Estimate everything a measurement table prints about one scale, on the same rows.

    Parameters
    ----------
    items : DataFrame, shape (n_respondents, k)
        Numeric, turned the same way. Listwise deletion, counted.

    Notes
    -----
    Omega, CR and AVE come from a one-factor ML solution of this scale alone. With two items that
    solution is not identified, and they are ``Unavailable``; so are they when the solution has a
    negative residual variance. Checked against R psych and lavaan (tests/reference/psych.R).
    """
    check_level(level, "estimate_reliability")
    alpha = coefficient_alpha(items, construct=construct, level=level)
    values, dropped = complete_rows(items, function="estimate_reliability")
    corr = np.corrcoef(values.T)
    k = len(corr)
    table = describe_items(items)
    solution = one_factor_of(values)
    if isinstance(solution, Unavailable):
        omega = low = high = cr = ave = solution
        table["std_loading"] = [solution] * k
    else:
        omega = omega_total(solution.loadings, solution.residuals)
        half = stats.norm.ppf((1 + level) / 2) * solution.omega_se
        low, high = omega - half, omega + half
        cr = composite_reliability(solution.std_loadings)
        ave = average_variance_extracted(solution.std_loadings)
        table["std_loading"] = solution.std_loadings
    return ReliabilityResult(
        construct=construct,
        n_items=k,
        n_used=len(values),
        n_dropped=dropped,
        alpha=alpha.alpha,
        alpha_low=alpha.ci_low,
        alpha_high=alpha.ci_high,
        standardized_alpha=alpha_from_covariance(corr),
        mean_inter_item_r=float(corr[np.triu_indices(k, 1)].mean()),
        omega=omega,
        omega_low=low,
        omega_high=high,
        cr=cr,
        ave=ave,
        level=level,
        method="raw alpha (Feldt); omega total, one-factor ML, delta method; listwise",
        items=table,
    )


def one_factor_of(values: Array) -> OneFactor | Unavailable:
    """Return the one-factor ML solution of complete rows, or why there is none."""
    what = _("omega total, CR and AVE")
    if values.shape[1] < 3:
        return Unavailable(what, _("a one-factor model of two items is not identified"))
    cov = np.cov(values.T, bias=True)
    if is_singular(cov):
        return Unavailable(what, _("an item follows from the others, or there are too few rows"))
    try:
        return estimate_one_factor(cov, n=len(values))
    except EstimationError:
        return Unavailable(
            what, _("the one-factor solution has a negative residual variance or did not converge")
        )
