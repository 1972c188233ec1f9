"""Power by formula: noncentral chi-square tests and the test of RMSEA.

The model without the effect is fitted to the moments that the model with it implies. N times its
discrepancy is the noncentrality of the chi-square difference (Satorra & Saris 1985,
doi:10.1007/BF02294150). Tests of close and of not-close fit take the noncentralities of two values
of RMSEA (MacCallum, Browne & Sugawara 1996, doi:10.1037/1082-989X.1.2.130).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import chdtri, chndtr, ndtr, ndtri
from scipy.stats import ncx2

from helpers.errors import DataContractError, ModelSpecError, Unavailable, listing
from helpers.i18n import _
from helpers.sem.power_result import NeededN

MOST = 10_000_000
"""An N beyond this is called out of reach."""
RMSEA_VALUES = {"close": (0.05, 0.08), "not-close": (0.05, 0.01)}
"""RMSEA under the hypothesis tested and under the alternative, as MacCallum et al. (1996)."""


def power_chisq(ncp: float, df: int, alpha: float) -> float:
    """Power of a chi-square test with a noncentrality."""
    return float(1.0 - chndtr(chdtri(df, alpha), df, ncp))


def power_z(distance: float, alpha: float) -> float:
    """Power of a two-sided z test of a value that many standard errors from 0."""
    edge = ndtri(1.0 - alpha / 2.0)
    return float(ndtr(-edge - distance) + ndtr(distance - edge))


def power_rmsea(
    n_obs: int, df: int, rmsea0: float, rmsea1: float, *, alpha: float = 0.05, n_groups: int = 1
) -> float:
    """Power of a test of RMSEA.

    Parameters
    ----------
    n_obs : int
        People over all groups.
    df : int
        Degrees of freedom of the model.
    rmsea0, rmsea1 : float
        RMSEA under the hypothesis tested and in truth. ``rmsea0 < rmsea1`` tests close fit (large
        chi-squares reject), ``rmsea0 > rmsea1`` not-close fit (small ones do).

    Notes
    -----
    Noncentrality ``(N - 1) df rmsea^2 / groups``. Checked against
    ``semTools::findRMSEApower`` and Table 2 of MacCallum, Browne & Sugawara (1996):
    ``tests/reference/power.R``.
    """
    scale = (n_obs - 1) * df / n_groups
    ncp0, ncp1 = scale * rmsea0**2, scale * rmsea1**2
    if rmsea0 < rmsea1:
        return float(ncx2.sf(_quantile(1.0 - alpha, df, ncp0), df, ncp1))
    return float(chndtr(_quantile(alpha, df, ncp0), df, ncp1))


def _quantile(p: float, df: int, ncp: float) -> float:
    """Quantile of the noncentral chi-square distribution."""
    return float(ncx2.ppf(p, df, ncp)) if ncp > 0 else float(chdtri(df, 1.0 - p))


def smallest_n(
    power_at: Callable[[int], float], target: float, least: int
) -> NeededN | Unavailable:
    """Find the smallest N whose power reaches the target, for a power that rises with N."""
    high = max(least, 2)
    while power_at(high) < target:
        if high > MOST:
            why = _("the effect in the population is too small, or zero")
            return Unavailable(_("the N needed"), why)
        high *= 2
    low = least - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= target else (middle, high)
    return NeededN(high)


def check_shares(alpha: float, target: float) -> None:
    """Check the level of the test and the power wanted."""
    for name, value in (("alpha", alpha), ("target", target)):
        if not 0.0 < value < 1.0:
            raise DataContractError(
                f"power: {name}= is {value}; a number above 0 and below 1 is needed. Write 0.05 "
                f"for five per cent."
            )
    if target <= alpha:
        raise DataContractError(
            f"power: target= is {target}, not above alpha= {alpha}; a test without any effect "
            f"already rejects that often. Ask for a larger target."
        )


def check_rmsea(hypothesis: str, df: int, rmsea0: float, rmsea1: float) -> None:
    """Check that the values of RMSEA fit the hypothesis."""
    if df < 1:
        raise ModelSpecError(
            f"power: df= is {df}; a test of fit needs at least 1 degree of freedom. Restrict the "
            f"model, or ask for the power of a path."
        )
    found = listing((rmsea0, rmsea1))
    if min(rmsea0, rmsea1) < 0 or rmsea0 == rmsea1:
        raise DataContractError(
            f"power: rmsea0= and rmsea1= are {found}; two different values of at least 0 are "
            f"needed. Change one of them."
        )
    if (rmsea0 < rmsea1) != (hypothesis == "close"):
        need = "below" if hypothesis == "close" else "above"
        raise DataContractError(
            f"power: rmsea0= and rmsea1= are {found}; for '{hypothesis}' rmsea0 must be {need} "
            f"rmsea1. Exchange them, or name the other hypothesis."
        )


def grid_around(needed: NeededN | Unavailable, least: int) -> np.ndarray:
    """Choose sample sizes around the N needed, for a curve."""
    middle = 400 if isinstance(needed, Unavailable) else needed.n
    sizes = np.unique(np.round(middle * np.array([0.25, 0.5, 0.75, 0.9, 1.0, 1.25, 1.5, 2.0])))
    return np.unique(np.maximum(sizes.astype(int), least))
