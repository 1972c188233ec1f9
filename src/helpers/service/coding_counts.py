"""Tables of codes, cases by coders: what a coefficient of agreement is, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import DataContractError, listing

Array = NDArray[np.float64]
Scale = Literal["nominal", "ordinal", "interval"]

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

    @property
    def flat(self) -> bool:
        """Tell whether the interval has no width because all codes agree.

        Resamples of cases, and errors over cases, show no disagreement where there was none among
        the cases at hand; that another case would show none is more than the data say.
        """
        return self.estimate == self.ci_low == 1


def code_counts(codes: pd.DataFrame, function: str) -> tuple[Array, Array]:
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


def check_scale(scale: str, function: str) -> None:
    """Refuse a scale that is not known."""
    if scale not in SCALES:
        raise DataContractError(
            f"{function}: scale= '{scale}' is not known; allowed are {listing(SCALES)}. Choose one."
        )
