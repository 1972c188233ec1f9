"""The codes of two coders side by side: which met which, and agreement on each code."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, check_level
from helpers.service.coding_counts import Array
from helpers.survey.intervals import wilson_interval
from helpers.thresholds import LEVEL


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


def specific_agreement(codes: pd.DataFrame, *, level: float = LEVEL) -> pd.DataFrame:
    """Return for each code how far two coders agree on it: ``2 n_kk / (n_k. + n_.k)``.

    Where one coder gives a code, it is the chance that the other gives it too (Cicchetti &
    Feinstein 1990, doi:10.1016/0895-4356(90)90159-M).

    Parameters
    ----------
    codes : DataFrame, shape (n_cases, 2)
        Cases with a blank are left out.
    level : float

    Returns
    -------
    DataFrame
        code, estimate, ci_low, ci_high, n (mean use of the code).

    Notes
    -----
    Of the cases to which at least one of the two gives the code, a share ``p`` has it from both,
    and the agreement is ``2 p / (1 + p)``. The interval is Wilson's of ``p`` brought through that
    formula, so that it keeps its width where the coders always, or never, agree on a code. Checked
    by simulation.
    """
    check_level(level, "specific_agreement")
    table = confusion(codes)
    cells = table.to_numpy()
    both = np.diag(cells)
    used = cells.sum(axis=0) + cells.sum(axis=1)
    ends = [
        _from_shared(np.array(wilson_interval(int(k), int(n), level=level)))
        for k, n in zip(both, used - both, strict=True)
    ]
    low, high = np.array(ends).T
    return pd.DataFrame(
        {"code": table.index, "estimate": 2 * both / used, "ci_low": low, "ci_high": high,
         "n": used / 2}
    )  # fmt: skip


def _from_shared(share: Array) -> Array:
    """Return specific agreement from the share of cases with a code that have it from both."""
    return 2 * share / (1 + share)
