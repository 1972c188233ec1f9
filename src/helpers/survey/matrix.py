"""A published correlation matrix in place of respondents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, Unavailable, listing
from helpers.i18n import _, pick
from helpers.specification import Matrix

SYMMETRY_TOLERANCE = 1e-9
"""Printed matrices are entered, not computed: two halves must agree to the last digit."""


@dataclass(frozen=True, slots=True)
class StudyMatrix:
    """Moments of a study of kind ``matrix``.

    Attributes
    ----------
    names : tuple of str
        Variables, k of them.
    corr, cov : DataFrame, shape (k, k)
        Correlations as printed, and covariances ``sd_i sd_j r_ij``.
    sds, means : Series of length k
        ``means`` is Unavailable if the source prints none.
    n : int or Unavailable
        Respondents behind the matrix; without it no standard error or test can be given.
    reliability : Mapping[str, float]
        As printed.
    n_items : Mapping[str, int]
        Items behind each variable, as printed.
    """

    names: tuple[str, ...]
    corr: pd.DataFrame
    cov: pd.DataFrame
    sds: pd.Series
    means: pd.Series | Unavailable
    n: int | Unavailable
    reliability: Mapping[str, float]
    n_items: Mapping[str, int]


def study_matrix(matrix: Matrix, *, n_obs: int | None = None) -> StudyMatrix:
    """Return the checked moments of a matrix study.

    Parameters
    ----------
    matrix : Matrix
        As printed.
    n_obs : int, optional
        Respondents, given by the user; goes before what the study file says.

    Raises
    ------
    DataContractError
        ``n_obs`` is not above the number of variables; or the matrix is not symmetric, has no 1 on
        the diagonal or an entry outside -1 to 1 (each named), or is not positive definite (with
        the smallest eigenvalue and the variables that carry it).
    """
    names = list(matrix.names)
    corr = _full(matrix.correlations, names)
    _check_entries(corr)
    _check_definite(corr)
    sds = pd.Series(matrix.sds, index=names)
    means: pd.Series | Unavailable = (
        pd.Series(matrix.means, index=names)
        if matrix.means is not None
        else Unavailable(_("the means"), _("the source prints none"))
    )
    if n_obs is not None and n_obs <= len(names):
        raise DataContractError(
            f"study_matrix: n_obs= is {n_obs}; it must be above {len(names)}, the number of "
            "variables. Take the sample size from the article that printed the matrix."
        )
    n: int | Unavailable = (
        n_obs
        or matrix.n
        or Unavailable(
            _("the number of respondents"),
            pick(matrix.n_reason.model_dump())
            if matrix.n_reason
            else _("the study file gives none"),
        )
    )
    cov = corr * np.outer(sds, sds)
    return StudyMatrix(
        tuple(names), corr, cov, sds, means, n, dict(matrix.reliability), dict(matrix.n_items)
    )


def _full(rows: list[list[float]], names: list[str]) -> pd.DataFrame:
    """Return the square matrix from a lower triangle, or from all rows."""
    k = len(names)
    if all(len(row) == k for row in rows):
        return pd.DataFrame(rows, index=names, columns=names, dtype=float)
    values = np.zeros((k, k))
    for i, row in enumerate(rows):
        values[i, : i + 1] = row
        values[: i + 1, i] = row
    return pd.DataFrame(values, index=names, columns=names)


def _check_entries(corr: pd.DataFrame) -> None:
    """Raise with every entry that cannot stand in a correlation matrix."""
    values, names = corr.to_numpy(), list(corr)
    lower = [(i, j) for i in range(len(names)) for j in range(i)]
    faults = [
        f"{names[i]}-{names[j]} is {values[i, j]:g} below and {values[j, i]:g} above the diagonal"
        for i, j in lower
        if abs(values[i, j] - values[j, i]) > SYMMETRY_TOLERANCE
    ]
    faults += [
        f"{n}-{n} is {v:g} in place of 1" for n, v in zip(names, values.diagonal()) if v != 1
    ]
    faults += [
        f"{names[i]}-{names[j]} is {values[i, j]:g}, outside -1 to 1"
        for i, j in lower
        if not abs(values[i, j]) <= 1
    ]
    if faults:
        raise DataContractError(
            f"study_matrix: correlations= {'; '.join(faults)}; a correlation matrix is symmetric "
            "with 1 on the diagonal. Compare these entries with the source in study.yml."
        )


def _check_definite(corr: pd.DataFrame) -> None:
    """Raise if some combination of the variables would have no positive variance."""
    values, vectors = np.linalg.eigh(corr.to_numpy())
    if values[0] > np.finfo(float).eps * len(values):
        return
    weights = pd.Series(np.abs(vectors[:, 0]), index=list(corr)).sort_values(ascending=False)
    raise DataContractError(
        f"study_matrix: correlations= not positive definite, smallest eigenvalue {values[0]:.4g}; "
        "it must be above 0. The variables most involved are "
        f"{listing(weights.index[:3])}: compare their entries with the source in study.yml."
    )
