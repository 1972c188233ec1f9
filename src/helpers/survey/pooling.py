"""Rubin's rules: one estimate with its error from several completed data sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataContractError, check_level, listing
from helpers.survey.imputation import Imputations
from helpers.thresholds import LEVEL

Array = np.ndarray
Estimate = Callable[[pd.DataFrame], "tuple[pd.Series, Array]"]


@dataclass(frozen=True, slots=True)
class Pooled:
    """Pooled estimates.

    Attributes
    ----------
    estimates : DataFrame
        One row a parameter: ``name, estimate, se, statistic, df, p_value, ci_low, ci_high, within,
        between, riv, lambda, fmi, efficiency``. ``riv`` is the relative increase of variance by
        missing answers, ``lambda`` the share of variance due to them, ``fmi`` the fraction of
        missing information, ``efficiency`` that of m copies against infinitely many.
    within, between : array, shape (k, k)
        Mean covariance matrix of the copies; covariance matrix between them.
    m : int
    df_complete : float
        Degrees of freedom that complete data would have; infinite for large-sample errors.
    level : float
    method : str
    """

    estimates: pd.DataFrame
    within: Array
    between: Array
    m: int
    df_complete: float
    level: float
    method: str = "Rubin's rules, degrees of freedom by Barnard & Rubin (1999)"

    def table(self) -> pd.DataFrame:
        """Return one row a parameter."""
        return self.estimates


@dataclass(frozen=True, slots=True)
class PooledTest:
    """Joint Wald test D1 of pooled estimates.

    Attributes
    ----------
    statistic : float
        F.
    df, df_error : float
    p_value : float
    riv : float
        Average relative increase of variance.
    m : int
    method : str
    """

    statistic: float
    df: int
    df_error: float
    p_value: float
    riv: float
    m: int
    method: str = "D1, Li, Raghunathan & Rubin (1991)"


def pool_estimates(
    estimates: pd.DataFrame,
    covariances: Array,
    *,
    df_complete: float = np.inf,
    level: float = LEVEL,
) -> Pooled:
    """Pool estimates of m completed data sets by Rubin's rules.

    ``q = mean(q_i)``, ``W = mean(U_i)``, ``B = cov(q_i)``, ``T = W + (1 + 1/m) B``; t tests with
    ``df = 1 / (1/df_old + 1/df_obs)``, ``df_old = (m - 1) / lambda^2``,
    ``df_obs = (v + 1) / (v + 3) v (1 - lambda)`` for v complete-data degrees of freedom.

    Parameters
    ----------
    estimates : DataFrame, shape (m, k)
        A row a data set, a column a parameter. They must be about normal: transform correlations
        (Fisher z) and variances (log) before pooling.
    covariances : array, shape (m, k, k)
        Covariance matrices of the estimates; or variances, shape (m, k).
    df_complete : float
        Residual degrees of freedom with complete data; infinity for large-sample errors.
    level : float
        Confidence level.

    Returns
    -------
    Pooled

    Raises
    ------
    DataContractError
        Shapes that do not agree, blanks among the estimates, or fewer than 2 data sets.

    Notes
    -----
    Checked against R ``mice::pool`` on the same five data sets: ``tests/reference/missing.R``.

    References
    ----------
    Rubin (1987), doi:10.1002/9780470316696. Barnard & Rubin (1999), doi:10.1093/biomet/86.4.948.
    """
    check_level(level, "pool_estimates")
    values, within_each = _checked(estimates, covariances)
    m = len(values)
    within = within_each.mean(axis=0)
    between = np.cov(values, rowvar=False).reshape(within.shape)
    center, w = values.mean(axis=0), np.diag(within)
    inflation = (1 + 1 / m) * np.diag(between)
    total = w + inflation
    riv, share = inflation / w, inflation / total
    df = _barnard_rubin(m, share, df_complete)
    se = np.sqrt(total)
    half = stats.t.ppf(0.5 + level / 2, df) * se
    fmi = (riv + 2 / (df + 3)) / (riv + 1)
    table = pd.DataFrame(
        {
            "name": list(estimates.columns),
            "estimate": center,
            "se": se,
            "statistic": center / se,
            "df": df,
            "p_value": 2 * stats.t.sf(np.abs(center / se), df),
            "ci_low": center - half,
            "ci_high": center + half,
            "within": w,
            "between": np.diag(between),
            "riv": riv,
            "lambda": share,
            "fmi": fmi,
            "efficiency": 1 / (1 + fmi / m),
        }
    )
    return Pooled(table, within, between, m, float(df_complete), level)


def pool_over(
    imputations: Imputations,
    estimate: Estimate,
    *,
    df_complete: float = np.inf,
    level: float = LEVEL,
) -> Pooled:
    """Estimate on every completed data set and pool.

    Parameters
    ----------
    imputations : Imputations
    estimate : function
        Takes one completed DataFrame; returns the estimates (a named Series) and their covariance
        matrix.

    Returns
    -------
    Pooled
    """
    results = [estimate(copy) for copy in imputations.data]
    values = pd.DataFrame([q for q, _u in results]).reset_index(drop=True)
    return pool_estimates(
        values, np.array([u for _q, u in results]), df_complete=df_complete, level=level
    )


def pooled_test(
    pooled: Pooled, names: Sequence[str] | None = None, *, null: float = 0.0
) -> PooledTest:
    """Test that several parameters all equal a value, by D1.

    ``D1 = (q - q0)' W^-1 (q - q0) / (k (1 + r))`` with ``r = (1 + 1/m) tr(B W^-1) / k``, against
    F(k, v): v by Li, Raghunathan & Rubin for large samples, by Reiter for finite ``df_complete``.
    A single parameter keeps its own degrees of freedom, so that D1 is the square of its t.

    Parameters
    ----------
    pooled : Pooled
    names : sequence of str, optional
        Parameters to test; all if not given.
    null : float
        Value of all of them under the null hypothesis.

    Raises
    ------
    DataContractError
        Unknown names, or k (m - 1) of at most 4 together with finite degrees of freedom.

    Notes
    -----
    Assumes that all parameters lose information alike. Checked against the formulas written out
    in R on data sets of mice: ``tests/reference/missing.R``.

    References
    ----------
    Li, Raghunathan & Rubin (1991), doi:10.1080/01621459.1991.10475152. Reiter (2007),
    doi:10.1093/biomet/asm028.
    """
    known = list(pooled.estimates["name"])
    wanted = known if names is None else list(names)
    unknown = [n for n in wanted if n not in known]
    if unknown or not wanted:
        raise DataContractError(
            f"pooled_test: names= {listing(unknown) or 'none'} are not pooled; known are "
            f"{listing(known)}. Name at least one of them."
        )
    at = [known.index(n) for n in wanted]
    gap = pooled.estimates["estimate"].to_numpy()[at] - null
    within, between = pooled.within[np.ix_(at, at)], pooled.between[np.ix_(at, at)]
    k, m = len(at), pooled.m
    riv = (1 + 1 / m) * float(np.trace(np.linalg.solve(within, between))) / k
    statistic = float(gap @ np.linalg.solve(within, gap)) / (k * (1 + riv))
    own = float(pooled.estimates["df"].to_numpy()[at[0]])
    df_error = own if k == 1 else _d1_df(k, m, riv, pooled.df_complete)
    p_value = float(stats.f.sf(statistic, k, df_error))
    return PooledTest(statistic, k, df_error, p_value, riv, m)


def _checked(estimates: pd.DataFrame, covariances: Array) -> tuple[Array, Array]:
    """Return both as arrays of agreeing shapes, variances spread to diagonal matrices."""
    values = estimates.to_numpy(float)
    spread = np.asarray(covariances, float)
    if spread.ndim == 2:
        spread = np.einsum("mk,kl->mkl", spread, np.eye(spread.shape[1]))
    m, k = values.shape
    sound = np.isfinite(values).all() and np.isfinite(spread).all()
    if m < 2 or spread.shape != (m, k, k) or not sound:
        raise DataContractError(
            f"pool_estimates: estimates= has shape {values.shape}, covariances= {spread.shape}; "
            "at least 2 data sets, one finite covariance matrix each and no blanks are needed. "
            "Leave out data sets on which the estimation failed, and say how many."
        )
    return values, spread


def _barnard_rubin(m: int, share: Array, df_complete: float) -> Array:
    """Degrees of freedom of each estimate; without missing information those of complete data."""
    with np.errstate(divide="ignore"):
        old = (m - 1) / share**2
    if np.isinf(df_complete):
        return old
    observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
    return 1 / (1 / old + 1 / observed)


def _d1_df(k: int, m: int, riv: float, df_complete: float) -> float:
    """Denominator degrees of freedom of D1."""
    t = k * (m - 1)
    if riv <= 0:
        return float(df_complete)
    if np.isinf(df_complete):
        if t > 4:
            return 4 + (t - 4) * (1 + (1 - 2 / t) / riv) ** 2
        return t * (1 + 1 / k) * (1 + 1 / riv) ** 2 / 2
    if t <= 4:
        raise DataContractError(
            f"pooled_test: k (m - 1) is {t}; Reiter's degrees of freedom need more than 4. Impute "
            "more data sets."
        )
    a = riv * t / (t - 2)
    v = (df_complete + 1) / (df_complete + 3) * df_complete
    c0, c1, c2 = 1 / (t - 4), v - 2 * (1 + a), v - 4 * (1 + a)
    z = 1 / c2 + c0 * (
        a**2 * c1 / ((1 + a) ** 2 * c2)
        + 8 * a**2 * c1 / ((1 + a) * c2**2)
        + 4 * a**2 / ((1 + a) * c2)
        + 4 * a**2 / (c2 * c1)
        + 16 * a**2 * c1 / c2**3
        + 8 * a**2 / c2**2
    )
    return 4 + 1 / z
