"""How far coders agree: percent agreement, Cohen's kappa, Gwet's AC1 and AC2, and all of them.

Codes come as a table of cases by coders; blanks are allowed wherever a method can do with them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from helpers.errors import DataContractError, EstimationError, check_level
from helpers.service.coding_alpha import Resample, krippendorff_alpha
from helpers.service.coding_counts import Array, Coefficient, Scale, check_scale, code_counts
from helpers.service.coding_pairs import confusion
from helpers.survey.intervals import wilson_interval
from helpers.thresholds import LEVEL


def gwet_ac(codes: pd.DataFrame, *, scale: Scale = "nominal", level: float = LEVEL) -> Coefficient:
    """Estimate Gwet's AC1 (nominal) or AC2 (weighted), which bears one-sided margins.

    ``AC = (p_a - p_e) / (1 - p_e)`` with ``p_e = T_w sum(pi_k (1 - pi_k)) / (q (q - 1))``, ``T_w``
    the sum of the weights. Ordinal weights count the pairs of codes in between, interval weights
    are quadratic.

    Parameters
    ----------
    codes, scale, level
        As in ``krippendorff_alpha``.

    Notes
    -----
    Variance of Gwet (2008) over cases, t interval. Checked against the printed example of the R
    package irrCAC and a plain R script (tests/reference/coding.R).

    References
    ----------
    Gwet (2008), doi:10.1348/000711006X126600.
    """
    check_level(level, "gwet_ac")
    check_scale(scale, "gwet_ac")
    values, counts = code_counts(codes, "gwet_ac")
    q = len(values)
    if q < 2:
        raise EstimationError(
            f"gwet_ac: codes= all are {values[0]:g}; agreement beyond chance needs codes that "
            "differ. Report the percent agreement."
        )
    counts = counts[counts.sum(axis=1) > 0]
    weights = _agreement_weights(values, scale)
    m, n = counts.sum(axis=1), len(counts)
    several = m >= 2
    seen = (counts * (counts @ weights - 1)).sum(axis=1)
    each = np.divide(seen, m * (m - 1), out=np.zeros(n), where=several)
    pa = float(each[several].mean())
    share = (counts / m[:, None]).mean(axis=0)
    scale_up = weights.sum() / (q * (q - 1))
    pe = float(scale_up * (share * (1 - share)).sum())
    ac = (pa - pe) / (1 - pe)
    chance = scale_up * (counts @ (1 - share)) / m
    part = n / several.sum() * (each - pe * several) / (1 - pe)
    influence = part - 2 * (1 - ac) * (chance - pe) / (1 - pe)
    se = float(np.sqrt(((influence - ac) ** 2).sum() / (n * (n - 1))))
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * se
    name = "AC1" if scale == "nominal" else "AC2"
    return Coefficient(
        "ac", ac, ac - half, min(1.0, ac + half), n, codes.shape[1],
        f"Gwet's {name}, {scale} weights; t interval over cases", level,
    )  # fmt: skip


def _agreement_weights(values: Array, scale: Scale) -> Array:
    """Return weights of agreement, 1 on the diagonal, shape (q, q)."""
    q = len(values)
    if scale == "nominal":
        return np.eye(q)
    if scale == "interval":
        return 1 - (values[:, None] - values[None, :]) ** 2 / (values[-1] - values[0]) ** 2
    steps = np.abs(np.subtract.outer(np.arange(q), np.arange(q)))
    return 1 - steps * (steps + 1) / (q * (q - 1))


def cohen_kappa(
    codes: pd.DataFrame, *, scale: Scale = "nominal", level: float = LEVEL
) -> Coefficient:
    """Estimate Cohen's kappa of two coders; linear weights for ordinal, quadratic for interval.

    Linear weights count the codes in use, quadratic ones the squared difference of their values.

    Parameters
    ----------
    codes : DataFrame, shape (n_cases, 2)
        Cases with a blank are left out.
    scale, level

    Notes
    -----
    ``statsmodels.stats.inter_rater.cohens_kappa``: large-sample error of Fleiss, Cohen & Everitt
    (1969, doi:10.1037/h0028106). Where all codes agree that
    error is 0 and the interval says nothing: read the one of ``percent_agreement``. Checked against
    the printed example of irrCAC and R ``psych::cohen.kappa`` (tests/reference/coding.R).
    """
    check_level(level, "cohen_kappa")
    check_scale(scale, "cohen_kappa")
    if codes.shape[1] != 2:
        raise DataContractError(
            f"cohen_kappa: codes= has {codes.shape[1]} columns; kappa compares two coders. Take "
            "krippendorff_alpha for more."
        )
    table = confusion(codes).to_numpy(dtype=float)
    if len(table) < 2:
        raise EstimationError(
            "cohen_kappa: codes= all are equal; agreement beyond chance needs codes that differ. "
            "Report the percent agreement."
        )
    kind = {"nominal": None, "ordinal": "linear", "interval": "quadratic"}[scale]
    kappa, se = 1.0, 0.0
    if np.any(table[~np.eye(len(table), dtype=bool)]):
        places = np.unique(codes.dropna().to_numpy(dtype=float)) if kind == "quadratic" else None
        found = cohens_kappa(table, weights=places, wt=kind)
        kappa, se = float(found.kappa), float(found.std_kappa)
    half = float(stats.norm.ppf((1 + level) / 2)) * se
    return Coefficient(
        "kappa", kappa, kappa - half, min(1.0, kappa + half), int(table.sum()), 2,
        f"Cohen's kappa, weights: {kind or 'none'}; large-sample interval", level,
    )  # fmt: skip


def percent_agreement(codes: pd.DataFrame, *, level: float = LEVEL) -> Coefficient:
    """Estimate the share of pairs of codes that are equal, over cases with at least two codes.

    Two coders, or more who agree (or part) on every case: Wilson interval. Else the mean over cases
    with a t interval.
    """
    check_level(level, "percent_agreement")
    _values, counts = code_counts(codes, "percent_agreement")
    kept = counts[counts.sum(axis=1) >= 2]
    m = kept.sum(axis=1)
    each = (kept * (kept - 1)).sum(axis=1) / (m * (m - 1))
    share, n = float(each.mean()), len(each)
    if codes.shape[1] == 2 or share in (0.0, 1.0):
        low, high = wilson_interval(int(each.sum()), n, level=level)
        words = "Wilson interval"
    else:
        half = float(stats.t.ppf((1 + level) / 2, n - 1) * each.std(ddof=1) / np.sqrt(n))
        low, high, words = max(0.0, share - half), min(1.0, share + half), "t interval over cases"
    return Coefficient(
        "percent", share, low, high, n, codes.shape[1], f"equal pairs of codes; {words}", level
    )


def code_agreement(
    codes: pd.DataFrame,
    *,
    scale: Scale = "nominal",
    resample: Resample = "cases",
    n_boot: int = 5000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> list[Coefficient]:
    """Return percent agreement, alpha, kappa (two coders only) and AC1 or AC2 of a table."""
    found: list[Coefficient] = [
        percent_agreement(codes, level=level),
        krippendorff_alpha(
            codes, scale=scale, resample=resample, n_boot=n_boot, seed=seed, level=level
        ),
    ]
    if codes.shape[1] == 2:
        found.append(cohen_kappa(codes, scale=scale, level=level))
    return [*found, gwet_ac(codes, scale=scale, level=level)]
