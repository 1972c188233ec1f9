"""Exploratory factor analysis: extraction, rotation, fit and a printable pattern matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.measurement.extraction import Extraction, check_correlations, extract
from helpers.measurement.rotation import Rotation, rotate
from helpers.measurement.rows import complete_rows

Array = NDArray[np.float64]


FIT = ("chi2", "p_value", "rmsea", "tli", "bic")


@dataclass(frozen=True, slots=True)
class FactorSolution:
    """A rotated factor solution.

    Attributes
    ----------
    items : tuple of str
    loadings : ndarray, shape (p, m)
        Pattern loadings.
    phi : ndarray, shape (m, m)
        Factor correlations.
    communalities, uniquenesses : ndarray, shape (p,)
    variance_share : ndarray, shape (m,)
        Share of the total variance that belongs to each factor.
    chi2, p_value, rmsea, tli, bic : float or Unavailable
        Likelihood-ratio test of m factors with Bartlett's correction; the RMSEA from it; TLI of
        the discrepancy;
        ``chi2 - df log n`` (smaller is better).
    df : int
    n_used : int or None
    n_dropped : int
    extraction, rotation : str
    converged, proper : bool
        ``proper`` is False where a uniqueness is at its lower bound (Heywood case).
    """

    items: tuple[str, ...]
    loadings: Array
    phi: Array
    communalities: Array
    uniquenesses: Array
    variance_share: Array
    chi2: float | Unavailable
    df: int
    p_value: float | Unavailable
    rmsea: float | Unavailable
    tli: float | Unavailable
    bic: float | Unavailable
    n_used: int | None
    n_dropped: int
    extraction: str
    rotation: str
    converged: bool
    proper: bool

    @property
    def n_factors(self) -> int:
        """Return the number of factors."""
        return self.loadings.shape[1]

    def table(self) -> pd.DataFrame:
        """Return one row an item: pattern loadings ``f1``, ``f2``, ..., communality, uniqueness."""
        names = [f"f{j + 1}" for j in range(self.n_factors)]
        frame = pd.DataFrame(self.loadings, columns=names)
        frame.insert(0, "item", list(self.items))
        return frame.assign(communality=self.communalities, uniqueness=self.uniquenesses)

    def correlation_table(self) -> pd.DataFrame:
        """Return the factor correlations, one row a factor."""
        names = [f"f{j + 1}" for j in range(self.n_factors)]
        frame = pd.DataFrame(self.phi, columns=names)
        frame.insert(0, "factor", names)
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def text(self) -> str:
        """Return one sentence that reads the largest loading."""
        row, column = np.unravel_index(np.argmax(np.abs(self.loadings)), self.loadings.shape)
        return _(
            "The number of factors is {k}; they carry {share:.0%} of the variance of {p} "
            "variables. The largest loading is {loading:.2f} ({item} on factor {factor})."
        ).format(
            k=self.n_factors,
            share=float(self.variance_share.sum()),
            p=len(self.items),
            loading=self.loadings[row, column],
            item=self.items[row],
            factor=column + 1,
        )

    def weakest_text(self) -> str:
        """Return one sentence on the variable that the factors explain least."""
        row = int(np.argmin(self.communalities))
        return _("The factors explain least of {item}: {share:.0%} of its variance.").format(
            item=self.items[row], share=float(self.communalities[row])
        )


def factor_analysis(
    corr: ArrayLike,
    *,
    n_factors: int,
    n: int | None = None,
    n_dropped: int = 0,
    items: Sequence[str] | None = None,
    extraction: Extraction = "ml",
    rotation: Rotation = "oblimin",
) -> FactorSolution:
    """Factor a correlation matrix.

    Parameters
    ----------
    corr : array_like, shape (p, p)
        A DataFrame brings the item names along.
    n_factors : int
    n : int or None
        Respondents; without it there is no test of fit.
    extraction : {"ml", "minres", "pa"}
    rotation : {"none", "varimax", "promax", "oblimin"}

    Notes
    -----
    The test statistic is the ML discrepancy of the solution times
    ``n - 1 - (2p + 5) / 6 - 2m / 3``; it has its chi-square distribution for ML only.
    Loadings, communalities, test, RMSEA, TLI and BIC are checked against R ``factanal`` and psych
    ``fa``. Tucker & Lewis (1973), doi:10.1007/BF02291170.
    """
    matrix = check_correlations(
        corr, function="factor_analysis", n_factors=n_factors, least_factors=1
    )
    p = len(matrix)
    names = items or (corr.columns if isinstance(corr, pd.DataFrame) else range(1, p + 1))
    found = extract(matrix, n_factors, extraction)
    turned = rotate(found.loadings, rotation)
    structure = turned.loadings @ turned.phi
    df = ((p - n_factors) ** 2 - p - n_factors) // 2
    fit = _fit(matrix, found.discrepancy, n, n_factors, df, extraction)
    return FactorSolution(
        items=tuple(str(name) for name in names),
        loadings=turned.loadings,
        phi=turned.phi,
        communalities=1 - found.uniquenesses,
        uniquenesses=found.uniquenesses,
        variance_share=np.sum(turned.loadings * structure, axis=0) / p,
        df=df,
        **fit,
        n_used=n,
        n_dropped=n_dropped,
        extraction=extraction,
        rotation=rotation,
        converged=found.converged,
        proper=bool(found.uniquenesses.min() > 0.006),
    )


def factor_scores(items: pd.DataFrame, solution: FactorSolution) -> pd.DataFrame:
    """Return factor scores by regression (Thurstone): ``Z R^-1 Lambda Phi``.

    Parameters
    ----------
    items : DataFrame
        The items of the solution. A row with a blank has blank scores; standardised by the mean and
        SD of the complete rows.
    solution : FactorSolution

    Notes
    -----
    Scores are not the factors: their correlation with them is below 1, and scores of different
    factors correlate otherwise than the factors do. Checked against psych
    ``factor.scores(method = "Thurstone")`` (tests/reference/efa.R).
    """
    names = list(solution.items)
    values, _dropped = complete_rows(items[names], function="factor_scores")
    weights = np.linalg.solve(np.corrcoef(values.T), solution.loadings @ solution.phi)
    raw = items[names].to_numpy(dtype=float, na_value=np.nan)
    standard = (raw - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    columns = [f"f{j + 1}" for j in range(solution.n_factors)]
    return pd.DataFrame(standard @ weights, index=items.index, columns=columns)


def explore_factors(
    items: pd.DataFrame,
    *,
    n_factors: int,
    extraction: Extraction = "ml",
    rotation: Rotation = "oblimin",
) -> FactorSolution:
    """Factor the Pearson correlations of items; rows with a blank are dropped and counted."""
    values, dropped = complete_rows(items, function="explore_factors", least_items=3)
    return factor_analysis(
        np.corrcoef(values.T),
        n_factors=n_factors,
        n=len(values),
        n_dropped=dropped,
        items=[str(c) for c in items.columns],
        extraction=extraction,
        rotation=rotation,
    )


def _fit(
    matrix: Array, discrepancy: float, n: int | None, m: int, df: int, extraction: str
) -> dict[str, float | Unavailable]:
    """Return chi-square, p, RMSEA, TLI and BIC, or why they are missing."""
    what = _("the test of fit")
    missing: Unavailable | None = None
    if extraction != "ml":
        missing = Unavailable(what, _("only maximum likelihood gives one"))
    elif n is None:
        missing = Unavailable(what, _("the number of respondents behind the matrix is not known"))
    elif df == 0:
        missing = Unavailable(what, _("the model has no degrees of freedom"))
    if missing is not None or n is None:
        return dict.fromkeys(FIT, missing)
    p = len(matrix)
    factor = n - 1 - (2 * p + 5) / 6 - 2 * m / 3
    chi2 = discrepancy * factor
    return {
        "chi2": chi2,
        "p_value": float(stats.chi2.sf(chi2, df)),
        "rmsea": float(np.sqrt(max(chi2 / df - 1, 0) / (n - 1))),
        "tli": _tucker_lewis(matrix, chi2, df, factor),
        "bic": chi2 - df * float(np.log(n)),
    }


def _tucker_lewis(matrix: Array, chi2: float, df: int, factor: float) -> float:
    """Return the Tucker-Lewis index: discrepancy over df against that of no factor at all."""
    p = len(matrix)
    null = -float(np.linalg.slogdet(matrix)[1]) / (p * (p - 1) / 2)
    return (null - chi2 / factor / df) / (null - 1 / factor)
