"""Formulas of fit indices: numbers in, numbers out, no model.

References
----------
Bentler (1990), doi:10.1037/0033-2909.107.2.238 (CFI); Tucker & Lewis (1973),
doi:10.1007/BF02291170; Steiger (1990), doi:10.1207/s15327906mbr2502_4, and Browne & Cudeck
(1992), doi:10.1177/0049124192021002005 (RMSEA); Brosseau-Liard, Savalei & Li (2012),
doi:10.1080/00273171.2012.715252, and Brosseau-Liard & Savalei (2014),
doi:10.1080/00273171.2014.933697 (robust RMSEA, CFI and TLI).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, chndtr

Array = np.ndarray

RMSEA_LEVEL = 0.90
"""Level of the RMSEA interval: 90 % by convention, so that its ends test at 5 %."""
CLOSE_FIT = 0.05
NOT_CLOSE_FIT = 0.08


def p_chisq(chisq: float, df: float) -> float:
    """Upper tail of the chi-square distribution; 1 for a saturated model is undefined."""
    return float(chdtrc(df, chisq)) if df > 0 else float("nan")


def cfi(
    chisq: float, df: float, chisq0: float, df0: float, c: float = 1.0, c0: float = 1.0
) -> float:
    """Comparative fit index, ``1 - max(X - c df, 0) / max(X0 - c0 df0, X - c df, 0)``."""
    t1 = max(chisq - c * df, 0.0)
    t2 = max(chisq - c * df, chisq0 - c0 * df0, 0.0)
    return 1.0 if t1 == 0.0 and t2 == 0.0 else 1.0 - t1 / t2


def tli(
    chisq: float, df: float, chisq0: float, df0: float, c: float = 1.0, c0: float = 1.0
) -> float:
    """Tucker-Lewis index."""
    if df <= 0:
        return 1.0
    t1 = (chisq - c * df) * df0
    t2 = (chisq0 - c0 * df0) * df
    return 1.0 - t1 / t2 if t2 != 0 else float("nan")


def rni(
    chisq: float, df: float, chisq0: float, df0: float, c: float = 1.0, c0: float = 1.0
) -> float:
    """Relative noncentrality index."""
    t2 = chisq0 - c0 * df0
    return 1.0 - (chisq - c * df) / t2 if t2 != 0 else float("nan")


def relative_indices(chisq: float, df: float, chisq0: float, df0: float) -> dict[str, float]:
    """NFI, RFI, IFI and PNFI."""
    nfi = (chisq0 - chisq) / chisq0
    if df > 0 and df0 > 0:
        t1, t2 = chisq0 / df0 - chisq / df, chisq0 / df0
        rfi = 1.0 if t1 < 0 or t2 < 0 else t1 / t2
    else:
        rfi = 1.0
    ifi = (chisq0 - chisq) / (chisq0 - df) if chisq0 > df else 1.0
    return {"rfi": rfi, "nfi": nfi, "pnfi": df / df0 * nfi, "ifi": ifi}


def rmsea(chisq: float, df: float, n: float, n_groups: int = 1, c: float = 1.0) -> float:
    """Root mean square error of approximation, times sqrt(G) for G groups."""
    if df <= 0:
        return 0.0
    return float(np.sqrt(max(chisq / n / df - c / n, 0.0) * n_groups))


def rmsea_interval(
    chisq: float, df: float, n: float, n_groups: int = 1, c: float = 1.0
) -> tuple[float, float]:
    """Interval of the RMSEA from the noncentral chi-square distribution."""
    if df < 1:
        return 0.0, 0.0
    upper, lower = 0.5 + RMSEA_LEVEL / 2, 0.5 - RMSEA_LEVEL / 2
    limit = max(n, chisq * 4)
    ends = []
    for level in (upper, lower):
        if chndtr(chisq, df, 0.0) < level or chndtr(chisq, df, limit) > level:
            ends.append(0.0)
            continue
        ncp = brentq(lambda v, q=level: chndtr(chisq, df, v) - q, 0.0, limit, xtol=1e-10)
        ends.append(float(np.sqrt(c * ncp / (n * df) * n_groups)))
    return ends[0], ends[1]


def rmsea_p(
    chisq: float, df: float, n: float, h0: float, n_groups: int = 1, c: float = 1.0
) -> float:
    """Upper tail under RMSEA = h0 (close fit: h0 = .05)."""
    if df <= 0:
        return float("nan")
    return float(1.0 - chndtr(chisq, df, n * df * h0**2 / (c * n_groups)))


def critical_n(chisq: float, df: float, n: float, alpha: float) -> float:
    """Hoelter's critical N."""
    if df <= 0 or chisq <= 0:
        return float("nan")
    return float(chdtri(df, alpha) / (chisq / n) + 1.0)


def rmsea_block(
    chisq: float,
    df: float,
    n: float,
    n_groups: int,
    suffix: str = "",
    *,
    c: float = 1.0,
    chisq_ci: float | None = None,
    c_ci: float | None = None,
) -> dict[str, float]:
    """RMSEA with interval and both p-values under lavaan's names."""
    x = chisq if chisq_ci is None else chisq_ci
    k = c if c_ci is None else c_ci
    low, high = rmsea_interval(x, df, n, n_groups, k)
    return {
        f"rmsea{suffix}": rmsea(chisq, df, n, n_groups, c),
        f"rmsea_ci_lower{suffix}": low,
        f"rmsea_ci_upper{suffix}": high,
        f"rmsea_pvalue{suffix}": rmsea_p(x, df, n, CLOSE_FIT, n_groups, k),
        f"rmsea_notclose_pvalue{suffix}": _not_close(x, df, n, n_groups, k),
    }


def _not_close(chisq: float, df: float, n: float, n_groups: int, c: float) -> float:
    """Lower tail under RMSEA = .08."""
    if df <= 0:
        return float("nan")
    return float(chndtr(chisq, df, n * df * NOT_CLOSE_FIT**2 / (c * n_groups)))


def residual_summaries(
    cov: Array, sigma: Array, mean: Array | None, mu: Array | None
) -> dict[str, float]:
    """RMR, SRMR, CRMR (Bentler, Bollen, Mplus forms) of one group."""
    p = len(cov)
    rows, cols = np.tril_indices(p)
    below = rows != cols
    raw = (cov - sigma)[rows, cols]
    sd, sd_model = np.sqrt(np.diag(cov)), np.sqrt(np.abs(np.diag(sigma)))
    bentler = raw / (sd[rows] * sd[cols])
    bollen = (cov / np.outer(sd, sd) - sigma / np.outer(sd_model, sd_model))[rows, cols]
    spread = ((np.diag(cov) - np.diag(sigma)) / np.diag(cov)) ** 2
    mplus = float((bollen[below] ** 2).sum() + spread.sum())
    k = len(raw)
    off = max(k - p, 1)
    out = {
        "rmr_nomean": np.sqrt((raw**2).sum() / k),
        "srmr_bentler_nomean": np.sqrt((bentler**2).sum() / k),
        "crmr_nomean": np.sqrt((bollen[below] ** 2).sum() / off),
        "srmr_mplus_nomean": np.sqrt(mplus / k),
    }
    if mean is None or mu is None:
        out |= {name[:-7]: value for name, value in out.items()}
    else:
        r = mean - mu
        scaled = mean / sd - mu / sd_model
        out |= {
            "rmr": np.sqrt(((raw**2).sum() + (r**2).sum()) / (k + p)),
            "srmr_bentler": np.sqrt(((bentler**2).sum() + ((r / sd) ** 2).sum()) / (k + p)),
            "crmr": np.sqrt(((bollen[below] ** 2).sum() + ((r / sd) ** 2).sum()) / (off + p)),
            "srmr_mplus": np.sqrt((mplus + (scaled**2).sum()) / (k + p)),
        }
    return {name: float(value) for name, value in out.items()}
