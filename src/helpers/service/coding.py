"""How far coders agree: percent agreement, Krippendorff's alpha, Cohen's kappa, Gwet's AC1 and AC2.

Codes come as a table of cases by coders; blanks are allowed wherever a method can do with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from helpers.errors import DataContractError, EstimationError, check_level, listing
from helpers.survey.intervals import wilson_interval
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]
Scale = Literal["nominal", "ordinal", "interval"]
Resample = Literal["pairs", "cases"]

SCALES = ("nominal", "ordinal", "interval")


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient of agreement.

    Attributes
    ----------
    name : str
        ``percent``, ``alpha``, ``kappa`` or ``ac``.
    estimate, ci_low, ci_high : float
    n_cases, n_coders : int
        Cases with at least two codes (all cases for ``ac``), and coders.
    method : str
    level : float
    """

    name: str
    estimate: float
    ci_low: float
    ci_high: float
    n_cases: int
    n_coders: int
    method: str
    level: float


@dataclass(frozen=True, slots=True)
class Alpha(Coefficient):
    """Krippendorff's alpha with its draws.

    Attributes
    ----------
    draws : array
        Bootstrap values of alpha.
    n_boot, n_failed, seed : int
        ``n_failed``: draws in which all codes were equal.
    """

    draws: Array
    n_boot: int
    n_failed: int
    seed: int

    def chance_below(self, least: float) -> float:
        """Return the share of draws below a smallest acceptable value."""
        return float((self.draws < least).mean())


def _counts(codes: pd.DataFrame, function: str) -> tuple[Array, Array]:
    """Return the codes in use, shape (q,), and how many coders gave each to each case, (n, q)."""
    table = codes.to_numpy(dtype=float)
    if table.ndim != 2 or table.shape[1] < 2:
        raise DataContractError(
            f"{function}: codes= has {table.shape[1]} column; a table of cases by at least two "
            "coders is needed. Give one column for each coder."
        )
    values = np.unique(table[~np.isnan(table)])
    counts = np.stack([(table == v).sum(axis=1) for v in values], axis=1) if len(values) else None
    common = 0 if counts is None else int((counts.sum(axis=1) >= 2).sum())
    if counts is None or common < 2:
        raise DataContractError(
            f"{function}: codes= holds {common or 'no'} case that two of {table.shape[1]} coders "
            "have judged; at least 2 are needed. Let the coders judge the same cases."
        )
    return values, counts.astype(float)


def _known_scale(scale: str, function: str) -> None:
    """Refuse a scale that is not known."""
    if scale not in SCALES:
        raise DataContractError(
            f"{function}: scale= '{scale}' is not known; allowed are {listing(SCALES)}. Choose one."
        )


def _coincidences(counts: Array) -> Array:
    """Return each case's coincidence matrix, shape (n, q, q); cases with one code are left out."""
    kept = counts[counts.sum(axis=1) >= 2]
    pairs = kept[:, :, None] * kept[:, None, :]
    places = np.arange(kept.shape[1])
    pairs[:, places, places] -= kept
    return pairs / (kept.sum(axis=1) - 1)[:, None, None]


def _distances(values: Array, margins: Array, scale: Scale) -> Array:
    """Return squared differences of codes, shape (..., q, q), for margins of shape (..., q)."""
    if scale == "nominal":
        return np.broadcast_to(1.0 - np.eye(len(values)), (*margins.shape, len(values)))
    place = np.broadcast_to(values, margins.shape)
    if scale == "ordinal":  # Krippendorff's ordinal metric is the distance of mid-ranks
        place = margins.cumsum(axis=-1) - margins / 2
    return (place[..., :, None] - place[..., None, :]) ** 2


def _alpha(observed: Array, values: Array, scale: Scale) -> Array:
    """Return alpha of coincidence matrices of shape (..., q, q); NaN where codes do not differ."""
    margins = observed.sum(axis=-1)
    gaps = _distances(values, margins, scale)
    expected = (margins[..., :, None] * margins[..., None, :] * gaps).sum(axis=(-2, -1))
    seen = (observed * gaps).sum(axis=(-2, -1)) * (margins.sum(axis=-1) - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - seen / expected, np.nan)


def krippendorff_alpha(
    codes: pd.DataFrame,
    *,
    scale: Scale = "nominal",
    resample: Resample = "cases",
    n_boot: int = 5000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> Alpha:
    """Estimate Krippendorff's alpha: one less observed over expected disagreement.

    ``alpha = 1 - (n - 1) sum(o_ck d_ck) / sum(n_c n_k d_ck)``: ``o`` the coincidences of codes
    within cases, ``n_c`` their margins, ``d`` the squared difference of two codes.

    Parameters
    ----------
    codes : DataFrame, shape (n_cases, n_coders)
        Numbers; blanks where a coder did not judge. Cases with fewer than two codes say nothing.
    scale : str
        ``nominal``, ``ordinal`` or ``interval``: what a difference of codes means.
    resample : str
        ``cases``: whole cases are drawn; ``pairs``: pairs of codes are drawn and the expected
        disagreement is held (Hayes & Krippendorff 2007), which takes the pairs of one case for
        independent: with more than two coders its intervals are too narrow.
    n_boot, seed : int
    level : float

    Raises
    ------
    DataContractError
        An unknown scale or way to resample, one coder, fewer than two common cases.
    EstimationError
        All codes are equal: there is no disagreement that chance could have made.

    Notes
    -----
    Checked against Krippendorff's (2011) worked data (nominal .743, ordinal .815, interval .849)
    and a plain R script (tests/reference/coding.R).

    References
    ----------
    Hayes & Krippendorff (2007), doi:10.1080/19312450709336664.
    Krippendorff (2004), doi:10.1111/j.1468-2958.2004.tb00738.x.
    """
    check_level(level, "krippendorff_alpha")
    _known_scale(scale, "krippendorff_alpha")
    if resample not in get_args(Resample):
        raise DataContractError(
            f"krippendorff_alpha: resample= '{resample}' is not known; allowed are "
            f"{listing(get_args(Resample))}. Choose one."
        )
    values, counts = _counts(codes, "krippendorff_alpha")
    each = _coincidences(counts)
    observed = each.sum(axis=0)
    estimate = float(_alpha(observed, values, scale))
    if np.isnan(estimate):
        raise EstimationError(
            f"krippendorff_alpha: codes= all are {values[0]:g}; agreement beyond chance needs "
            "codes that differ. Report the percent agreement."
        )
    rng = np.random.default_rng(seed)
    if resample == "pairs":
        pairs = int((counts.sum(axis=1) * (counts.sum(axis=1) - 1) / 2).sum())
        draws = _drawn_pairs(observed, values, scale, pairs, n_boot, rng)
    else:
        draws = _drawn_cases(each, values, scale, n_boot, rng)
    kept = draws[~np.isnan(draws)]
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return Alpha(
        "alpha", estimate, float(low), float(high), len(each), codes.shape[1],
        f"Krippendorff's alpha, {scale}; bootstrap of {resample}", level, kept, n_boot,
        n_boot - len(kept), seed,
    )  # fmt: skip


def _drawn_pairs(
    observed: Array, values: Array, scale: Scale, pairs: int, n_boot: int, rng: np.random.Generator
) -> Array:
    """Return alpha of drawn pairs of codes, the expected disagreement held."""
    margins = observed.sum(axis=1)
    n = margins.sum()
    gaps = _distances(values, margins, scale)
    expected = float(margins @ gaps @ margins) / (n * (n - 1))
    drawn = rng.multinomial(pairs, (observed / n).ravel(), size=n_boot)
    return 1 - (drawn @ gaps.ravel()) / pairs / expected


def _drawn_cases(
    each: Array, values: Array, scale: Scale, n_boot: int, rng: np.random.Generator
) -> Array:
    """Return alpha of resampled cases."""
    q = len(values)
    # cases that are coded alike are drawn together: as many numbers for ten cases as for millions
    kinds, often = np.unique(each.reshape(len(each), -1), axis=0, return_counts=True)
    drawn = rng.multinomial(len(each), often / len(each), size=n_boot)
    return _alpha((drawn @ kinds).reshape(n_boot, q, q), values, scale)


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
    _known_scale(scale, "gwet_ac")
    values, counts = _counts(codes, "gwet_ac")
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
    _known_scale(scale, "cohen_kappa")
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
    _values, counts = _counts(codes, "percent_agreement")
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


def confusion(codes: pd.DataFrame) -> pd.DataFrame:
    """Return how often the first coder's code (rows) met the second's (columns), shape (q, q)."""
    pairs = codes.iloc[:, :2].dropna()
    if pairs.empty:
        raise DataContractError(
            "confusion: codes= holds no case that both coders have judged; agreement needs common "
            "cases. Let the coders judge the same cases."
        )
    values = np.unique(pairs.to_numpy(dtype=float))
    table = pd.crosstab(pairs.iloc[:, 0].astype(float), pairs.iloc[:, 1].astype(float))
    return table.reindex(index=values, columns=values, fill_value=0)


def specific_agreement(
    codes: pd.DataFrame, *, n_boot: int = 5000, seed: int = 20261121, level: float = LEVEL
) -> pd.DataFrame:
    """Return for each code how far two coders agree on it: ``2 n_kk / (n_k. + n_.k)``.

    Columns code, estimate, ci_low, ci_high (bootstrap of cases), n (mean use of the code). Where
    one coder gives a code, it is the chance that the other gives it too (Cicchetti & Feinstein
    1990, doi:10.1016/0895-4356(90)90159-M).
    """
    check_level(level, "specific_agreement")
    table = confusion(codes)
    q, n = len(table), int(table.to_numpy().sum())
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n, table.to_numpy().ravel() / n, size=n_boot).reshape(-1, q, q)
    found = _specific(table.to_numpy(dtype=float)[None])[0]
    ends = np.nanquantile(_specific(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
    used = (table.sum(axis=0).to_numpy() + table.sum(axis=1).to_numpy()) / 2
    return pd.DataFrame(
        {"code": table.index, "estimate": found, "ci_low": ends[0], "ci_high": ends[1], "n": used}
    )


def _specific(tables: Array) -> Array:
    """Return specific agreement of tables of shape (..., q, q); NaN where a code is unused."""
    same = np.diagonal(tables, axis1=-2, axis2=-1)
    used = tables.sum(axis=-1) + tables.sum(axis=-2)
    return np.divide(2.0 * same, used, out=np.full(used.shape, np.nan), where=used > 0)


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
