"""Krippendorff's alpha of a table of cases by coders, which may hold blanks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, EstimationError, check_level, listing
from helpers.resampling import check_draws
from helpers.service.coding_counts import Array, Coefficient, Scale, check_scale, code_counts
from helpers.thresholds import LEVEL

Resample = Literal["pairs", "cases"]


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
        An unknown scale or way to resample, one coder, fewer than two common cases, no draw.
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
    check_draws(n_boot, "krippendorff_alpha")
    check_scale(scale, "krippendorff_alpha")
    if resample not in get_args(Resample):
        raise DataContractError(
            f"krippendorff_alpha: resample= '{resample}' is not known; allowed are "
            f"{listing(get_args(Resample))}. Choose one."
        )
    values, counts = code_counts(codes, "krippendorff_alpha")
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
