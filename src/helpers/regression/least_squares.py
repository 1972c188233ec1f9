"""Ordinary least squares with robust errors: the one place that calls statsmodels for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import linalg, stats

from helpers.errors import DataContractError, EstimationError, listing
from helpers.memo import remembered

Array = NDArray[np.float64]

FULL, EXACT, SAME = 1e-9, 1e-20, 1e-9
"""What counts as rounding: one less the leverage of a row that is fitted exactly; the residual
share of variance of an exact fit; the share of a column's length that other columns do not hold."""


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """A fitted linear model, as plain numbers.

    Attributes
    ----------
    terms : tuple of str
        ``"const"`` first, then the columns.
    b : ndarray, shape (k,)
    cov : ndarray, shape (k, k)
        HC3 covariance; NaN for the terms in ``alone``.
    ssr, r2, adj_r2, aic : float
        Residual sum of squares; AIC as R's ``AIC(lm)``, the error variance counted.
    df_resid, n : int
    fitted, residuals, leverage : ndarray, shape (n,)
    cooks : ndarray, shape (n,)
        Cook's distance (classical); NaN for a row that is fitted exactly whatever it says.
    alone : tuple of str
        Terms that rest on a single row (a category that one respondent has): their estimate is
        that row's, and without the row there is none, so that HC3 does not exist for them.
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
    alone: tuple[str, ...] = ()

    def se(self) -> Array:
        """Return HC3 standard errors."""
        return np.sqrt(np.diag(self.cov))

    def wald(self, positions: list[int]) -> tuple[float, float]:
        """Return the robust F of several coefficients being zero, and its p-value.

        NaN if one of them rests on a single row.
        """
        b, cov = self.b[positions], self.cov[np.ix_(positions, positions)]
        f = float(b @ np.linalg.solve(cov, b)) / len(positions)
        return f, float(stats.f.sf(f, len(positions), self.df_resid))


@remembered
def fit_least_squares(y: Array | pd.Series, x: pd.DataFrame) -> LeastSquares:
    """Fit ``y`` on the columns of ``x`` and a constant; no blanks are allowed here.

    HC3 errors: MacKinnon & White (1985), doi:10.1016/0304-4076(85)90158-7. Checked against base R
    ``lm`` and ``sandwich::vcovHC`` (tests/reference/regression.R). HC3 divides by one less the
    leverage; a row of leverage 1 adds nothing to the errors of terms that do not rest on it, and
    leaves none for those that do (``alone``), where the quotient of two rounding errors would
    pass for a standard error.
    """
    outcome = np.asarray(y, dtype=float)
    design = np.column_stack([np.ones(len(outcome)), x.to_numpy(dtype=float)])
    terms = ("const", *(str(c) for c in x.columns))
    n, k = design.shape
    if not (np.isfinite(outcome).all() and np.isfinite(design).all()):
        raise DataContractError(
            "fit_least_squares: y= or x= holds blanks or infinite values; finite numbers are "
            "needed. Leave out or correct these rows."
        )
    if n <= k + 1:
        raise DataContractError(
            f"fit_least_squares: x= has {k} coefficients for {n} complete rows; more rows than "
            "coefficients are needed. Enter fewer predictors."
        )
    if len(estimable(x)) < k - 1:
        raise EstimationError(
            "fit_least_squares: x= has columns that never vary or are sums of others: "
            f"{listing([t for t in terms[1:] if t not in estimable(x)])} among {listing(terms[1:])}"
            "; independent columns are needed. Leave them out."
        )
    if np.ptp(outcome) == 0:
        raise DataContractError("fit_least_squares: y= never varies; an outcome must vary.")
    result = sm.OLS(outcome, design).fit()
    if result.ssr <= EXACT * np.sum((outcome - outcome.mean()) ** 2):
        raise EstimationError(
            "fit_least_squares: x= gives y= exactly, so that there are no errors to judge by; an "
            "outcome that is not computed from its predictors is needed. Leave the outcome out of "
            "the predictors."
        )
    leverage = np.asarray(result.get_influence().hat_matrix_diag)
    cov, alone = _robust_covariance(design, np.asarray(result.resid), leverage)
    return LeastSquares(
        terms=terms,
        b=np.asarray(result.params),
        cov=cov,
        ssr=float(result.ssr),
        r2=float(result.rsquared),
        adj_r2=float(result.rsquared_adj),
        aic=float(result.aic) + 2,  # statsmodels does not count the error variance, R does
        df_resid=int(result.df_resid),
        n=n,
        fitted=np.asarray(result.fittedvalues),
        residuals=np.asarray(result.resid),
        leverage=leverage,
        cooks=_cooks(np.asarray(result.resid), leverage, float(result.mse_resid), k),
        alone=tuple(term for term, one in zip(terms, alone, strict=True) if one),
    )


def _robust_covariance(
    design: Array, residuals: Array, leverage: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the HC3 covariance, and which terms rest on a single row (NaN there)."""
    pulls = np.linalg.pinv(design)  # how each coefficient answers to each row, shape (k, n)
    exact = leverage > 1 - FULL
    scaled = np.where(exact, 0.0, residuals / np.where(exact, 1.0, 1 - leverage))
    cov = (pulls * scaled**2) @ pulls.T
    reach = np.abs(pulls[:, exact]).max(axis=1, initial=0.0)
    alone = reach > FULL * np.abs(pulls).max(axis=1)
    cov[alone, :] = cov[:, alone] = np.nan
    return cov, alone


def robust_degrees(design: Array) -> Array:
    """Return the degrees of freedom of each HC3 variance, by Bell and McCaffrey.

    ``2 E(v)**2 / var(v)`` with v the HC3 variance where errors are normal and equally spread. Where
    an estimate rests on few rows (a category of three beside hundreds) they are few, whatever the
    number of rows: with ``n - k`` in their place 95 % intervals would cover less than 90 %.

    Parameters
    ----------
    design : ndarray, shape (n, k)
        With its constant; for a weighted fit, rows times the root of their weights.

    Returns
    -------
    ndarray, shape (k,)
        NaN where the variance does not exist.

    Notes
    -----
    With ``a`` the pulls of the rows on the coefficient over one less their leverage, and M the
    residual maker, v is ``e' M diag(a**2) M e``; traces of the product give mean and variance
    without a matrix of n by n. Checked against the eigenvalues of that product in R
    (tests/reference/change.R and regression.R), and by simulation.

    References
    ----------
    Bell & McCaffrey (2002), Survey Methodology 28(2). Imbens & Kolesar (2016),
    doi:10.1162/REST_a_00552.
    """
    q, r = np.linalg.qr(design)
    leverage = (q**2).sum(axis=1)
    free = np.where(leverage > 1 - FULL, np.inf, 1 - leverage)
    out = np.full(len(r), np.nan)
    for j, pulls in enumerate(linalg.solve_triangular(r, q.T)):
        share = (pulls / free) ** 2
        spread = (share**2 * (1 - 2 * leverage)).sum() + (((q.T * share) @ q) ** 2).sum()
        if spread > 0:
            out[j] = (share * (1 - leverage)).sum() ** 2 / spread
    return out


def _cooks(residuals: Array, leverage: Array, variance: float, k: int) -> Array:
    """Return Cook's distances; none for rows of leverage 1."""
    free = np.where(leverage > 1 - FULL, np.nan, 1 - leverage)
    return residuals**2 * leverage / (k * variance * free**2)


def estimable(x: pd.DataFrame) -> list[str]:
    """Return the columns that vary and are no sum of a constant and the columns before them."""
    values = x.to_numpy(dtype=float)
    centred = values - values.mean(axis=0)
    size = np.sqrt((values**2).sum(axis=0))
    length = np.sqrt((centred**2).sum(axis=0))
    kept: list[int] = []
    basis = np.zeros((len(values), 0))
    for j in range(values.shape[1]):
        if length[j] <= SAME * max(size[j], 1e-300):
            continue
        rest = centred[:, j] / length[j]
        for _again in range(2):  # once more, against rounding
            rest = rest - basis @ (basis.T @ rest)
        left = np.sqrt(rest @ rest)
        if left > SAME:
            kept.append(j)
            basis = np.column_stack([basis, rest / left])
    return [str(x.columns[j]) for j in kept]


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
    """Return the root mean squared error of predicting each row without it (PRESS).

    NaN if the model cannot predict some row without it.
    """
    if (model.leverage > 1 - FULL).any():
        return float("nan")
    return float(np.sqrt(np.mean((model.residuals / (1 - model.leverage)) ** 2)))


def inflation_factors(x: pd.DataFrame, terms: Sequence[int]) -> Array:
    """Return each column's variance inflation factor, one for all columns of a category.

    Parameters
    ----------
    x : DataFrame, shape (n, k)
    terms : sequence of int, length k
        Which columns belong together.

    Notes
    -----
    ``(|R_own| |R_others| / |R|)**(1 / df)`` with R the columns' correlations and df the number of
    a term's columns: the generalised factor, which does not depend on the category of reference,
    brought to the unit of a single column's (Fox & Monette 1992); for a number it is the ordinary
    factor. Checked against R ``car::vif``.

    References
    ----------
    Fox & Monette (1992), doi:10.1080/01621459.1992.10475190.
    """
    groups = np.asarray(terms)
    r = np.atleast_2d(np.corrcoef(x.to_numpy(dtype=float).T))
    whole = np.linalg.slogdet(r)[1]
    out = np.empty(len(groups))
    for term in np.unique(groups):
        own = groups == term
        parts = (
            np.linalg.slogdet(r[np.ix_(own, own)])[1] + np.linalg.slogdet(r[np.ix_(~own, ~own)])[1]
        )
        out[own] = np.exp((parts - whole) / own.sum())
    return out
