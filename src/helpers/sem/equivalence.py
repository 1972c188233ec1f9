"""Equivalence tests of fit: how much misfit the data can still not rule out.

A chi-square that is not significant does not show that a model fits. The T-size is the largest
misfit that an upper confidence limit leaves possible: with probability 1 - alpha the misfit is not
larger. RMSEA's noncentrality is the value for which the observed chi-square is the alpha quantile;
CFI takes alpha / 2 for the model and for the baseline model, so that both hold together (Yuan,
Chan, Marcoulides & Bentler 2016, doi:10.1080/10705511.2015.1065414; Marcoulides & Yuan 2017,
doi:10.1080/10705511.2016.1225260).

A T-size is always worse than the index itself, so the usual cut-offs do not apply to it; the
article gives cut-offs that depend on degrees of freedom and N.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import ncx2

from helpers.errors import EstimationError, Unavailable
from helpers.i18n import _
from helpers.memo import remembered
from helpers.results import to_plain
from helpers.sem.result import SemResult
from helpers.thresholds import LEVEL

_WORDS = ("excellent", "close", "fair", "mediocre")
"""Cut-offs that stand for RMSEA .01 .05 .08 .10, and for CFI .99 .95 .92 .90."""


@dataclass(frozen=True, slots=True)
class TSize:
    """T-size RMSEA and CFI of a fit with their adjusted cut-offs.

    Attributes
    ----------
    table : DataFrame
        index, value, t_size, then the four adjusted cut-offs from strict to lenient (``excellent
        close fair mediocre``), and ``verdict``: the strictest that is met, or ``"poor"``; empty
        where no verdict may be given.
    alpha : float
        One-sided error of the T-size of RMSEA, and of CFI.
    n_used, df : int
    chisq, baseline_chisq : float
    """

    table: pd.DataFrame
    alpha: float
    n_used: int
    df: int
    chisq: float
    baseline_chisq: float

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-safe values."""
        return to_plain(self)


def noncentrality(chisq: float, df: float, p: float) -> float:
    """Noncentrality for which the observed chi-square is the p quantile; 0 if none is that small.

    Notes
    -----
    Solved exactly; the article's program takes an expansion by Venables (1975) instead.
    """
    if ncx2.cdf(chisq, df, 0.0) <= p:
        return 0.0
    high = max(4.0 * chisq, 10.0)
    while ncx2.cdf(chisq, df, high) > p:
        high *= 2.0
    return float(brentq(lambda v: ncx2.cdf(chisq, df, v) - p, 0.0, high, xtol=1e-10))


def t_size_rmsea(chisq: float, df: int, n_obs: int, alpha: float = 1.0 - LEVEL) -> float:
    """Return the T-size RMSEA, ``sqrt(delta / (df (N - 1)))``."""
    return float(np.sqrt(noncentrality(chisq, df, alpha) / (df * (n_obs - 1))))


def t_size_cfi(
    chisq: float, df: int, baseline_chisq: float, baseline_df: int, alpha: float = 1.0 - LEVEL
) -> float:
    """Return the T-size CFI, ``1 - delta / max(delta, delta_baseline)`` at alpha / 2 each."""
    delta = noncentrality(chisq, df, alpha / 2.0)
    baseline = noncentrality(baseline_chisq, baseline_df, 1.0 - alpha / 2.0)
    largest = max(delta, baseline)
    return 1.0 - delta / largest if largest > 0 else 1.0


def rmsea_cutoffs(df: int, n_obs: int) -> tuple[float, float, float, float]:
    """Cut-offs of the T-size RMSEA that stand for .01, .05, .08 and .10 (Yuan et al. 2016)."""
    d, n = np.log(df), float(n_obs - 1)
    m = np.log(n)
    exponents = (
        1.34863 - 0.51999 * d + 0.01925 * d**2 - 0.59811 * m + 0.00902 * n**0.5 + 0.01796 * d * m,
        2.06034 - 0.62974 * d + 0.02512 * d**2 - 0.98388 * m + 0.05442 * m**2 - 0.00005188 * n
        + 0.05260 * d * m,
        2.84129 - 0.54809 * d + 0.02296 * d**2 - 0.76005 * m + 0.10229 * m**2 - 1.11167 * n**0.2
        + 0.04845 * d * m,
        2.36352 - 0.49440 * d + 0.02131 * d**2 - 0.64445 * m + 0.09043 * m**2 - 1.01634 * n**0.2
        + 0.04422 * d * m,
    )  # fmt: skip
    return tuple(float(np.exp(v)) for v in exponents)


def cfi_cutoffs(df: int, n_obs: int, n_variables: int) -> tuple[float, float, float, float]:
    """Cut-offs of the T-size CFI that stand for .99, .95, .92 and .90 (Yuan et al. 2016)."""
    d, n, free = np.log(df), float(n_obs - 1), n_variables * (n_variables - 1) / 2
    m, i = np.log(n), np.log(free)
    exponents = (
        4.67603 - 0.50827 * d + 0.87087 * df**0.2 - 0.59613 * free**0.2 - 1.89602 * m
        + 0.10190 * m**2 + 0.03729 * d * m,
        4.12132 - 0.46285 * d + 0.52478 * df**0.2 - 0.31832 * free**0.2 - 1.74422 * m
        + 0.13042 * m**2 - 0.02360 * n**0.5 + 0.04215 * d * m,
        6.31234 - 0.41762 * d + 0.01554 * d**2 - 0.00563 * i**2 - 1.30229 * m + 0.19999 * m**2
        - 2.17429 * n**0.2 + 0.05342 * d * m - 0.01520 * i * m,
        5.96633 - 0.40425 * d + 0.01384 * d**2 - 0.00411 * i**2 - 1.20242 * m + 0.18763 * m**2
        - 2.06704 * n**0.2 + 0.05245 * d * m - 0.01533 * i * m,
    )  # fmt: skip
    return tuple(float(1.0 - np.exp(v)) for v in exponents)


@remembered
def equivalence_test(result: SemResult, *, alpha: float = 1.0 - LEVEL) -> TSize | Unavailable:
    """Give the T-size RMSEA and CFI of a fit, with cut-offs for its df and N.

    Parameters
    ----------
    result : SemResult
        One group, continuous items. The plain chi-square is used; with a robust estimator the
        scaled one, which the article does not cover, so the cut-offs are then an approximation.
    alpha : float
        The article's cut-offs belong to .05.

    Returns
    -------
    TSize, or Unavailable
        For several groups, ordinal items, models without degrees of freedom, or a fit that did not
        converge.

    Raises
    ------
    EstimationError
        ``alpha`` is not between 0 and 0.5.

    Notes
    -----
    Noncentralities are checked against R's ``pchisq``, the RMSEA cut-offs against the T-size of a
    chi-square whose RMSEA is the usual cut-off: ``tests/reference/power.R``.
    """
    if not 0.0 < alpha < 0.5:
        raise EstimationError(
            f"equivalence_test: alpha= is {alpha}; a number above 0 and below 0.5 is needed. "
            f"Write 0.05 for five per cent."
        )
    what = _("the equivalence test of fit")
    if result.n_groups > 1:
        return Unavailable(what, _("its cut-offs are known for one group only"))
    if result.table.names.ordered:
        return Unavailable(what, _("its cut-offs are known for continuous items only"))
    if result.test.df < 1:
        return Unavailable(what, _("the model has no degrees of freedom"))
    if not result.converged:
        return Unavailable(what, _("the estimation did not converge"))
    return _t_size(result, alpha)


def _t_size(result: SemResult, alpha: float) -> TSize:
    """Compute both indices."""
    test, base, n = result.test, result.baseline, result.n_obs
    scaled = test.scaled is not None and base.scaled is not None
    chisq, baseline = (test.scaled, base.scaled) if scaled else (test.chisq, base.chisq)
    p = len(result.observed)
    rmsea = np.sqrt(max(chisq - test.df, 0.0) / (test.df * (n - 1)))
    lost, most = max(chisq - test.df, 0.0), max(baseline - base.df, chisq - test.df, 0.0)
    rows = [
        ("RMSEA", rmsea, t_size_rmsea(chisq, test.df, n, alpha), rmsea_cutoffs(test.df, n)),
        ("CFI", 1.0 - lost / most if most else 1.0,
         t_size_cfi(chisq, test.df, baseline, base.df, alpha), cfi_cutoffs(test.df, n, p)),
    ]  # fmt: skip
    table = pd.DataFrame(
        [
            (name, float(value), t_size, *cuts, _verdict(t_size, cuts) if result.admissible else "")
            for name, value, t_size, cuts in rows
        ],
        columns=["index", "value", "t_size", *_WORDS, "verdict"],
    )
    return TSize(table, alpha, n, int(test.df), float(chisq), float(baseline))


def _verdict(t_size: float, cuts: tuple[float, ...]) -> str:
    """Name the strictest cut-off that is met; cut-offs that rise are upper limits."""
    rising = cuts[0] < cuts[-1]
    for word, cut in zip(_WORDS, cuts):
        if (t_size <= cut) if rising else (t_size >= cut):
            return word
    return "poor"
