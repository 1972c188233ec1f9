"""R² of every subset of predictors, and correlations of resampled rows, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from helpers.errors import DataContractError, EstimationError, listing
from helpers.resampling import resampled_counts

Array = NDArray[np.float64]

MOST_PREDICTORS = 15
"""Above it the number of subsets passes 32,767."""
COLLINEAR = 1e12
"""Condition number of predictors' correlations above which one of them is a sum of others."""
BLOCK_BYTES = 40_000_000


def complete_numbers(
    data: pd.DataFrame, outcome: str, predictors: Sequence[str], *, caller: str
) -> tuple[Array, int]:
    """Return the complete rows of predictors and outcome (last column), and how many were left out.

    Raises
    ------
    DataContractError
        A column is missing, doubled or constant, or fewer rows than columns plus three remain.
    EstimationError
        A predictor is a weighted sum of others.
    """
    names = [*predictors, outcome]
    absent = [name for name in names if name not in data.columns]
    if absent or len(set(names)) < len(names) or not predictors:
        raise DataContractError(
            f"{caller}: predictors= are {listing(list(predictors))} and outcome= '{outcome}'; "
            f"different columns of data= are needed ({listing(list(data.columns))}). Correct the "
            "names."
        )
    kept = data[names].astype(float).dropna()
    if not np.isfinite(kept.to_numpy()).all():
        raise DataContractError(
            f"{caller}: data= holds infinite values in {listing(names)}; finite numbers are "
            "needed. Correct these rows."
        )
    constant = [name for name in names if kept[name].nunique() < 2]
    if constant or len(kept) < len(names) + 3:
        raise DataContractError(
            f"{caller}: data= has {len(kept)} complete rows and {listing(constant) or 'no'} "
            f"constant columns; {len(names) + 3} rows of columns that vary are needed. Leave "
            "columns out or check their blanks."
        )
    values = kept.to_numpy()
    if len(predictors) > 1 and np.linalg.cond(np.corrcoef(values[:, :-1].T)) > COLLINEAR:
        raise EstimationError(
            f"{caller}: predictors= {listing(list(predictors))} hold one that is a sum of others; "
            "independent columns are needed. Leave one of them out."
        )
    return values, len(data) - len(kept)


def subset_r2(correlations: ArrayLike) -> Array:
    """Return R² of every subset of predictors, from correlations alone.

    Parameters
    ----------
    correlations : ndarray, shape (..., k + 1, k + 1)
        Of k predictors and, last, the outcome; leading axes are samples.

    Returns
    -------
    ndarray, shape (..., 2**k)
        At position ``m`` the predictors are the bits of ``m``; the empty set has R² 0.

    Notes
    -----
    ``R²(S) = r_S' R_SS^{-1} r_S``; subsets of one size are solved in one call.
    """
    correlations = np.asarray(correlations, dtype=float)
    k = correlations.shape[-1] - 1
    if k > MOST_PREDICTORS:
        raise DataContractError(
            f"subset_r2: correlations= have {k} predictors, 2**{k} subsets; at most "
            f"{MOST_PREDICTORS} are taken. Use relative weights or fewer predictors."
        )
    lead = correlations.shape[:-2]
    out = np.zeros((*lead, 2**k))
    for size in range(1, k + 1):
        sets = np.array(list(combinations(range(k), size)))
        step = max(1, BLOCK_BYTES // (8 * size * size * max(1, int(np.prod(lead)))))
        for start in range(0, len(sets), step):
            part = sets[start : start + step]
            inner = correlations[..., part[:, :, None], part[:, None, :]]
            outer = correlations[..., part, k]
            solved = np.linalg.solve(inner, outer[..., None])[..., 0]
            out[..., (1 << part).sum(axis=1)] = np.einsum("...ij,...ij->...i", outer, solved)
    return out


def resampled_correlations(values: Array, *, n_boot: int, seed: int) -> tuple[Array, int]:
    """Return correlation matrices of rows drawn with replacement, and how many draws failed.

    Parameters
    ----------
    values : ndarray, shape (n, p)
    n_boot : int
    seed : int
        Given to ``numpy.random.default_rng``.

    Returns
    -------
    ndarray, shape (b, p, p), and int
        Draws in which a column is constant have no correlations, and those in which the predictors
        (all columns but the last) are collinear no regression; both are counted as failed.

    Raises
    ------
    EstimationError
        Fewer than two draws are left.
    """
    n, p = values.shape
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    upper = np.triu_indices(p)
    products = np.column_stack([z, z[:, upper[0]] * z[:, upper[1]]])
    rng = np.random.default_rng(seed)
    parts, failed = [], 0
    for counts in resampled_counts(n, n_boot, rng):
        sums = counts @ products / n
        cov = np.empty((len(counts), p, p))
        cov[:, upper[0], upper[1]] = sums[:, p:] - sums[:, upper[0]] * sums[:, upper[1]]
        cov[:, upper[1], upper[0]] = cov[:, upper[0], upper[1]]
        sd = np.sqrt(np.einsum("bii->bi", cov).clip(min=0))
        sound = (sd > 1e-8).all(axis=1)
        failed += int((~sound).sum())
        scale = sd[sound]
        drawn = cov[sound] / scale[:, :, None] / scale[:, None, :]
        apart = np.linalg.cond(drawn[:, :-1, :-1]) < COLLINEAR
        failed += int((~apart).sum())
        parts.append(drawn[apart])
    if n_boot - failed < 2:
        raise EstimationError(
            f"resampled_correlations: n_boot= {n_boot} draws, {failed} of them with columns that "
            "are constant or collinear; two draws are needed. Use more draws or fewer predictors."
        )
    return np.concatenate(parts), failed
