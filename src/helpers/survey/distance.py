"""Mahalanobis distance of each respondent from the centre, over what he or she answered."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import linalg

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.memo import remembered

CELLS = 2_000_000
"""Numbers held at once while blanks are solved for: 16 MB."""


LEAST_EIGENVALUE = 1e-10
"""Smallest eigenvalue of the correlations up to which an item follows from the others: rounding
leaves one of a copied item a little above 0, and every distance would be noise."""


def distance_basis(covariance: pd.DataFrame) -> np.ndarray | Unavailable:
    """Return the inverse of the items' covariance matrix, or why there is none."""
    matrix = covariance.to_numpy(float)
    variances = np.diag(matrix)
    unfit = Unavailable(
        _("the Mahalanobis distance"),
        _("the covariance matrix of the items is not positive definite"),
    )
    if not len(matrix) or not np.isfinite(matrix).all() or not (variances > 0).all():
        return unfit
    spread = np.sqrt(variances)
    scale = np.outer(spread, spread)
    if linalg.eigvalsh(matrix / scale)[0] <= LEAST_EIGENVALUE:
        return unfit
    factor = linalg.cho_factor(matrix / scale, lower=True)
    return linalg.cho_solve(factor, np.eye(len(matrix))) / scale


@remembered
def mahalanobis_distance(
    items: pd.DataFrame, *, mean: pd.Series, inverse: np.ndarray
) -> pd.DataFrame:
    """Return the squared distance over the items answered, and how many they are.

    ``d2 = (x_o - m_o)' S_oo^-1 (x_o - m_o)`` with ``o`` the items answered. Instead of inverting
    ``S_oo`` for each pattern of blanks, the blanks are set to what makes the distance over all
    items smallest, which is the same number: with ``K = S^-1``, ``z`` the centred answers (blanks
    0), ``d2 = z'Kz - (Kz)_m' K_mm^-1 (Kz)_m``.

    Parameters
    ----------
    items : DataFrame, shape (n_respondents, k)
        Answers; blanks are left out respondent by respondent.
    mean : Series, length k
    inverse : array, shape (k, k)
        ``distance_basis`` of the covariance matrix.

    Returns
    -------
    DataFrame
        Columns ``d2`` (chi-square with ``df`` degrees of freedom under normality; missing without
        an answer) and ``df``, the number of items answered.

    Notes
    -----
    Complete rows equal R psych ``outlier()``; with blanks psych puts the mean in their place, which
    is too small a distance for the degrees of freedom. Checked against both formulas:
    ``tests/reference/careless.R``.

    References
    ----------
    Mahalanobis (1936); Meade & Craig (2012), doi:10.1037/a0028085.
    """
    centred = items.to_numpy(float) - mean[items.columns].to_numpy(float)
    blank = np.isnan(centred)
    z = np.where(blank, 0.0, centred)
    pulled = z @ inverse
    d2 = np.einsum("ij,ij->i", z, pulled)
    n_blank = blank.sum(axis=1)
    for m in np.unique(n_blank[n_blank > 0]):
        rows = np.flatnonzero(n_blank == m)
        step = max(1, CELLS // int(m) ** 2)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            d2[part] -= _of_blanks(blank[part], pulled[part], inverse, int(m))
    df = items.shape[1] - n_blank
    return pd.DataFrame({"d2": np.where(df > 0, d2, np.nan), "df": df}, index=items.index)


def _of_blanks(blank: np.ndarray, pulled: np.ndarray, inverse: np.ndarray, m: int) -> np.ndarray:
    """Return ``(Kz)_m' K_mm^-1 (Kz)_m`` of rows that all have m blanks."""
    at = np.nonzero(blank)[1].reshape(len(blank), m)
    own = np.take_along_axis(pulled, at, axis=1)
    blocks = inverse[at[:, :, None], at[:, None, :]]
    return np.einsum("ij,ij->i", own, np.linalg.solve(blocks, own[:, :, None])[:, :, 0])
