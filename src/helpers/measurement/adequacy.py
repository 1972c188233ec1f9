"""Is a correlation matrix fit for factor analysis: KMO and Bartlett's test; Harman's weak test."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.measurement.extraction import check_correlations, extract_pa
from helpers.results import CheckResult
from helpers.thresholds import THRESHOLDS


@dataclass(frozen=True, slots=True)
class SamplingAdequacy:
    """Kaiser-Meyer-Olkin measure: overall, and one value a variable (``msa``)."""

    kmo: float
    msa: tuple[float, ...]

    def table(self) -> pd.DataFrame:
        """Return one row with the overall value and its smallest part."""
        return pd.DataFrame([{"kmo": self.kmo, "lowest_msa": min(self.msa)}])

    def check(self) -> CheckResult:
        """Hold the overall value against Kaiser's lower limit."""
        rule = THRESHOLDS["kmo"]
        return CheckResult(
            name=_("Sampling adequacy (KMO)"),
            passed=rule.holds(self.kmo),
            value=self.kmo,
            threshold=rule.value,
            source=rule.source,
            text=_("KMO is {value:.2f}; at least {threshold:.2f} is asked for.").format(
                value=self.kmo, threshold=rule.value
            ),
        )


@dataclass(frozen=True, slots=True)
class SphericityTest:
    """Bartlett's test that all correlations are zero."""

    chi2: float
    df: int
    p_value: float
    n_used: int

    def table(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([asdict(self)])


@dataclass(frozen=True, slots=True)
class SingleFactorShare:
    """Harman's single factor: share of all variance under one unrotated factor.

    ``component_share`` is of the first principal component, ``factor_share`` of the first
    principal-axis factor. A small share does **not** show that method bias is absent.
    """

    component_share: float
    factor_share: float
    n_items: int

    def table(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([asdict(self)])

    def check(self) -> CheckResult:
        """Return the share for information; it is weak evidence either way."""
        return CheckResult(
            name=_("Harman's single factor (weak evidence)"),
            passed=None,
            value=self.component_share,
            threshold=None,
            source="Podsakoff et al. (2003), doi:10.1037/0021-9010.88.5.879",
            text=_(
                "The first component carries {share:.0%} of the variance of {k} items. This test "
                "is weak: a small share does not show that common method bias is absent."
            ).format(share=self.component_share, k=self.n_items),
        )


def sampling_adequacy(corr: ArrayLike) -> SamplingAdequacy:
    """Return the Kaiser-Meyer-Olkin measure of a correlation matrix.

    ``sum r^2 / (sum r^2 + sum q^2)`` over the off-diagonal correlations r and partial correlations
    q. Checked against psych ``KMO()``. Kaiser (1974), doi:10.1007/BF02291575.
    """
    matrix = check_correlations(corr, function="sampling_adequacy")
    inverse = np.linalg.inv(matrix)
    scale = 1 / np.sqrt(np.diag(inverse))
    off = ~np.eye(len(matrix), dtype=bool)
    r2 = np.where(off, matrix**2, 0)
    q2 = np.where(off, (inverse * np.outer(scale, scale)) ** 2, 0)
    msa = r2.sum(axis=0) / (r2.sum(axis=0) + q2.sum(axis=0))
    return SamplingAdequacy(float(r2.sum() / (r2.sum() + q2.sum())), tuple(msa.tolist()))


def sphericity_test(corr: ArrayLike, *, n: int | None) -> SphericityTest | Unavailable:
    """Return Bartlett's test of sphericity; without n it is ``Unavailable``.

    ``-(n - 1 - (2p + 5) / 6) log|R|`` on ``p(p - 1) / 2`` degrees of freedom. Checked against psych
    ``cortest.bartlett()``. Bartlett (1951), doi:10.2307/2332500.
    """
    matrix = check_correlations(corr, function="sphericity_test")
    if n is None:
        return Unavailable(
            _("Bartlett's test"), _("the number of respondents behind the matrix is not known")
        )
    p = len(matrix)
    chi2 = -(n - 1 - (2 * p + 5) / 6) * float(np.linalg.slogdet(matrix)[1])
    df = p * (p - 1) // 2
    return SphericityTest(chi2, df, float(stats.chi2.sf(chi2, df)), n)


def single_factor_share(corr: ArrayLike) -> SingleFactorShare:
    """Return what share of the variance one unrotated component, and one factor, carries."""
    matrix = check_correlations(corr, function="single_factor_share")
    p = len(matrix)
    factor = extract_pa(matrix, 1)
    return SingleFactorShare(
        component_share=float(np.linalg.eigvalsh(matrix)[-1] / p),
        factor_share=float(np.sum(factor.loadings**2) / p),
        n_items=p,
    )
