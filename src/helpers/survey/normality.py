"""Skewness and kurtosis, of one item and of many together (Mardia)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataContractError, listing
from helpers.i18n import _
from helpers.memo import remembered
from helpers.thresholds import LEVEL


@dataclass(frozen=True, slots=True)
class MardiaResult:
    """Mardia's multivariate skewness and kurtosis.

    Attributes
    ----------
    skewness : float
        ``b1p``; 0 for a symmetric distribution.
    skewness_chi2, skewness_df, skewness_p : float, int, float
        ``n b1p / 6`` against chi-square.
    kurtosis : float
        ``b2p``; ``p (p + 2)`` under normality.
    kurtosis_expected, kurtosis_z, kurtosis_p : float
        Expected value, standardised difference from it, two-sided p.
    n_used, n_dropped, n_items : int
        Complete rows, rows with a blank, items.
    method : str
        What was computed.
    """

    skewness: float
    skewness_chi2: float
    skewness_df: int
    skewness_p: float
    kurtosis: float
    kurtosis_expected: float
    kurtosis_z: float
    kurtosis_p: float
    n_used: int
    n_dropped: int
    n_items: int
    method: str = "Mardia (1970), complete rows, covariance with divisor n"

    def table(self) -> pd.DataFrame:
        """Return one row for skewness and one for kurtosis."""
        return pd.DataFrame(
            {
                "measure": [_("multivariate skewness"), _("multivariate kurtosis")],
                "estimate": [self.skewness, self.kurtosis],
                "expected": [0.0, self.kurtosis_expected],
                "statistic": [self.skewness_chi2, self.kurtosis_z],
                "df": pd.array([self.skewness_df, pd.NA], dtype="Int64"),
                "p_value": [self.skewness_p, self.kurtosis_p],
            }
        )

    def text(self) -> str:
        """Return one sentence in the current language."""
        normal = min(self.skewness_p, self.kurtosis_p) >= 1 - LEVEL
        verdict = (
            _("no departure from multivariate normality shows")
            if normal
            else _("the items are not multivariate normal, so robust standard errors are in order")
        )
        return _(
            "Mardia's skewness of {k} items is {b1:.1f} where normality expects 0 (p {p1}), their "
            "kurtosis {b2:.1f} where it expects {e:.1f} (z = {z:.1f}, p {p2}; n = {n}): {verdict}."
        ).format(
            k=self.n_items, b1=self.skewness, p1=told_p(self.skewness_p), b2=self.kurtosis,
            e=self.kurtosis_expected, z=self.kurtosis_z, p2=told_p(self.kurtosis_p),
            n=self.n_used, verdict=verdict,
        )  # fmt: skip


@remembered
def mardia_test(responses: pd.DataFrame, *, items: list[str]) -> MardiaResult:
    """Test multivariate normality by Mardia's skewness and kurtosis.

    With ``m_ij = (x_i - mean)' S^-1 (x_j - mean)`` and S with divisor n:
    ``b1p = sum_ij m_ij^3 / n^2`` and ``b2p = sum_i m_ii^2 / n``. b1p is computed as the sum of the
    squared third moments of the whitened items, which is the same and grows with n, not n^2.

    Parameters
    ----------
    responses : DataFrame, shape (n_respondents, ...)
        Cleaned answers.
    items : list of str
        Numeric items.

    Returns
    -------
    MardiaResult

    Raises
    ------
    DataContractError
        Too few complete rows, or items that are exact combinations of others.

    Notes
    -----
    Missing-data rule: complete rows. With Likert items and hundreds of respondents the test nearly
    always rejects; it decides between standard errors, not whether a study is valid. Checked
    against R psych ``mardia()`` (``tests/reference/survey.R``), which like semTools takes S with
    divisor n - 1: its b1p is ours times ((n - 1) / n)^3, its b2p ours times ((n - 1) / n)^2.

    References
    ----------
    Mardia (1970), doi:10.1093/biomet/57.3.519.
    """
    frame = responses[items].astype(float)
    x = frame.dropna().to_numpy()
    n, p = x.shape
    centred = x - x.mean(axis=0) if n else x
    if n <= p or np.linalg.matrix_rank(centred) < p:
        raise DataContractError(
            f"mardia_test: items= {listing(items)} with {n} complete rows; more rows than the {p} "
            "items, and no item that follows from the others, are needed. Choose other items."
        )
    white = np.linalg.solve(np.linalg.cholesky(centred.T @ centred / n), centred.T).T
    b1 = _squared_third_moments(white)
    b2 = float(((white**2).sum(axis=1) ** 2).mean())
    chi2, df = n * b1 / 6, p * (p + 1) * (p + 2) // 6
    expected = p * (p + 2.0)
    z = (b2 - expected) / np.sqrt(8 * expected / n)
    return MardiaResult(
        b1, chi2, df, float(stats.chi2.sf(chi2, df)),
        b2, expected, float(z), float(2 * stats.norm.sf(abs(z))),
        n, len(frame) - n, p,
    )  # fmt: skip


def _squared_third_moments(white: np.ndarray) -> float:
    """Return the sum over all triples of items of their squared third moment, (n, p) whitened."""
    n, p = white.shape
    return sum(float((((white * white[:, [k]]).T @ white / n) ** 2).sum()) for k in range(p))


def told_p(p_value: float) -> str:
    """Write a p-value as a sentence does: ``= .012`` or ``< .001``."""
    return "< .001" if p_value < 0.001 else f"= {p_value:.3f}".replace("0.", ".", 1)


def skewness(x: pd.Series) -> float:
    """Return the third standardised moment (divisor n); NaN without spread."""
    return _standardised_moment(x, 3)


def kurtosis(x: pd.Series) -> float:
    """Return the fourth standardised moment less 3 (divisor n); NaN without spread."""
    return _standardised_moment(x, 4) - 3


def _standardised_moment(x: pd.Series, order: int) -> float:
    values = x.dropna().to_numpy(float)
    if len(values) < 2 or np.ptp(values) == 0:
        return float("nan")
    z = (values - values.mean()) / values.std()
    return float((z**order).mean())
