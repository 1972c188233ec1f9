"""Ordinary least squares with robust errors: the one place that calls statsmodels for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, EstimationError, listing
from helpers.memo import remembered

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """A fitted linear model, as plain numbers.

    Attributes
    ----------
    terms : tuple of str
        ``"const"`` first, then the columns.
    b : ndarray, shape (k,)
    cov : ndarray, shape (k, k)
        HC3 covariance.
    ssr, r2, adj_r2, aic : float
        Residual sum of squares; AIC as R's ``AIC(lm)``, the error variance counted.
    df_resid, n : int
    fitted, residuals, leverage : ndarray, shape (n,)
    cooks : ndarray, shape (n,)
        Cook's distance (classical).
    """

    terms: tuple[str, ...]
    b: Array
    cov: Array
    ssr: float
    r2: float
    adj_r2: float
    aic: float
    df_resid: int
    n: int
    fitted: Array
    residuals: Array
    leverage: Array
    cooks: Array

    def se(self) -> Array:
        """Return HC3 standard errors."""
        return np.sqrt(np.diag(self.cov))

    def wald(self, positions: list[int]) -> tuple[float, float]:
        """Return the robust F of several coefficients being zero, and its p-value."""
        b, cov = self.b[positions], self.cov[np.ix_(positions, positions)]
        f = float(b @ np.linalg.solve(cov, b)) / len(positions)
        return f, float(stats.f.sf(f, len(positions), self.df_resid))


@remembered
def fit_least_squares(y: Array | pd.Series, x: pd.DataFrame) -> LeastSquares:
    """Fit ``y`` on the columns of ``x`` and a constant; no blanks are allowed here.

    HC3 errors: MacKinnon & White (1985), doi:10.1016/0304-4076(85)90158-7. Checked against base R
    ``lm`` (tests/reference/regression.R).
    """
    outcome = np.asarray(y, dtype=float)
    design = np.column_stack([np.ones(len(outcome)), x.to_numpy(dtype=float)])
    terms = ("const", *(str(c) for c in x.columns))
    n, k = design.shape
    if n <= k + 1:
        raise DataContractError(
            f"fit_least_squares: x= has {k} coefficients for {n} complete rows; more rows than "
            "coefficients are needed. Enter fewer predictors."
        )
    if np.linalg.matrix_rank(design) < k:
        raise EstimationError(
            f"fit_least_squares: x= has columns that are sums of others among {listing(terms[1:])};"
            " independent columns are needed. Leave one of them out."
        )
    if np.ptp(outcome) == 0:
        raise DataContractError("fit_least_squares: y= never varies; an outcome must vary.")
    result = sm.OLS(outcome, design).fit()
    influence = result.get_influence()
    return LeastSquares(
        terms=terms,
        b=np.asarray(result.params),
        cov=np.asarray(result.cov_HC3),
        ssr=float(result.ssr),
        r2=float(result.rsquared),
        adj_r2=float(result.rsquared_adj),
        aic=float(result.aic) + 2,  # statsmodels does not count the error variance, R does
        df_resid=int(result.df_resid),
        n=n,
        fitted=np.asarray(result.fittedvalues),
        residuals=np.asarray(result.resid),
        leverage=np.asarray(influence.hat_matrix_diag),
        cooks=np.asarray(influence.cooks_distance[0]),
    )


def compare_nested(restricted: LeastSquares, free: LeastSquares) -> tuple[float, int, float]:
    """Return F, its numerator df and p of the restriction (classical F test of two nested fits)."""
    df = restricted.df_resid - free.df_resid
    if df <= 0 or restricted.n != free.n:
        raise EstimationError(
            f"compare_nested: restricted= leaves {restricted.df_resid} degrees of freedom and free="
            f" {free.df_resid} (n {restricted.n} and {free.n}); nested models on the same rows are "
            "needed."
        )
    f = (restricted.ssr - free.ssr) / df / (free.ssr / free.df_resid)
    return float(f), df, float(stats.f.sf(f, df, free.df_resid))


def leave_one_out_error(model: LeastSquares) -> float:
    """Return the root mean squared error of predicting each row without it (PRESS)."""
    return float(np.sqrt(np.mean((model.residuals / (1 - model.leverage)) ** 2)))


def inflation_factors(x: pd.DataFrame) -> Array:
    """Return each column's variance inflation factor, from the inverse correlation matrix."""
    if x.shape[1] == 1:
        return np.ones(1)
    return np.diag(np.linalg.inv(np.corrcoef(x.to_numpy(dtype=float).T)))
