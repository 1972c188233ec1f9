"""How firm latent profiles are: intervals of their shares and means from resampled respondents."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from helpers.errors import check_level
from helpers.memo import remembered
from helpers.service.mixture import BLOCK_BYTES, climb
from helpers.service.profiles import Profiles
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProfileDraws:
    """Bootstrap of a solution.

    Attributes
    ----------
    means : DataFrame
        profile (from 1), name, estimate, ci_low, ci_high: in standard deviations.
    shares : DataFrame
        profile, estimate, ci_low, ci_high.
    switched : int
        Draws whose profiles had to be put in order again (by nearest means).
    n_boot, seed : int
    level : float
    """

    means: pd.DataFrame
    shares: pd.DataFrame
    switched: int
    n_boot: int
    seed: int
    level: float


@remembered
def resample_profiles(
    data: pd.DataFrame,
    found: Profiles,
    *,
    n_boot: int = 5000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> ProfileDraws:
    """Give means and shares of profiles percentile intervals.

    Rows are drawn with replacement and the fit is begun at the estimate, so that profiles keep
    their numbers; draws whose profiles lie nearer to another one are put in order and counted.
    """
    check_level(level, "resample_profiles")
    values = data.astype(float).to_numpy()[found.rows]
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    size = max(1, min(50, BLOCK_BYTES // (8 * len(z) * max(found.k, z.shape[1]))))
    counts = [min(size, n_boot - start) for start in range(0, n_boot, size)]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        blocks = list(pool.map(partial(_drawn_profiles, z, found, seed), enumerate(counts)))
    shares, means = (np.concatenate([block[i] for block in blocks]) for i in (0, 1))
    switched = sum(block[2] for block in blocks)
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(means, ends, axis=0)
    s_low, s_high = np.quantile(shares, ends, axis=0)
    profile = np.arange(1, found.k + 1)
    p = len(found.names)
    return ProfileDraws(
        means=pd.DataFrame(
            {
                "profile": np.repeat(profile, p), "name": list(found.names) * found.k,
                "estimate": found.standard.ravel(), "ci_low": low.ravel(), "ci_high": high.ravel(),
            }
        ),
        shares=pd.DataFrame(
            {"profile": profile, "estimate": found.shares, "ci_low": s_low, "ci_high": s_high}
        ),
        switched=switched, n_boot=n_boot, seed=seed, level=level,
    )  # fmt: skip


def _drawn_profiles(
    z: Array, found: Profiles, seed: int, block: tuple[int, int]
) -> tuple[Array, Array, int]:
    """Return shares (size, k) and means (size, k, p) of a block of resamples, and the switches.

    A block draws from its own seed, so that the number of threads changes no number.
    """
    number, size = block
    rows = np.random.default_rng([seed, number]).integers(0, len(z), size=(size, len(z)))
    begin = found.fitted.take(np.zeros(size, dtype=int))
    drawn = climb(z[rows], begin, found.spread, steps=300, tolerance=1e-8)
    away = np.square(drawn.means[:, :, None] - found.standard).sum(axis=-1)
    order = np.array([linear_sum_assignment(each.T)[1] for each in away])
    switched = int((order != np.arange(found.k)).any(axis=1).sum())
    shares = np.take_along_axis(drawn.shares, order, axis=1)
    return shares, np.take_along_axis(drawn.means, order[..., None], axis=1), switched
