"""Ordered items whose categories are not all chosen in every group: neighbours joined.

Thresholds can be compared over groups only if every category is chosen in each. A category that a
group leaves empty is joined with its neighbour towards the middle of the scale, in all groups
alike, and every join is logged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.errors import DataContractError


def join_categories(
    data: pd.DataFrame, items: Sequence[str], group: str, *, least: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join categories that fewer than ``least`` people of some group chose.

    Parameters
    ----------
    data : DataFrame
        Items as numbers, and the grouping column. Rows with a missing answer are counted where
        they have one. Never modified.
    items : sequence of str
    group : str
    least : int
        Answers wanted in every category of every group.

    Returns
    -------
    tuple of DataFrame
        The data with joined answers, and the log: item, category, joined_with, group, n.

    Raises
    ------
    DataContractError
        An item keeps fewer than two categories.
    """
    out, log = data.copy(), []
    for item in items:
        while True:
            counts = pd.crosstab(out[group], out[item])
            levels = counts.columns.to_numpy()
            scarce = counts.min(axis=0).to_numpy() < least
            if not scarce.any() or len(levels) < 2:
                break
            k = _outermost(scarce)
            other = k + 1 if k < (len(levels) - 1) / 2 else k - 1
            who = str(counts.iloc[:, k].idxmin())
            log.append({"item": item, "category": levels[k], "joined_with": levels[other],
                        "group": who, "n": int(counts.iloc[:, k].min())})  # fmt: skip
            out[item] = out[item].where(out[item] != levels[k], levels[other])
        if out[item].nunique() < 2:
            raise DataContractError(
                f"join_categories: data= has one category left of '{item}' once those without "
                f"{least} answers in every group are joined; two are needed. Leave the item out."
            )
    return out, pd.DataFrame(log, columns=["item", "category", "joined_with", "group", "n"])


def _outermost(scarce: np.ndarray) -> int:
    """Position of the scarce category farthest from the middle of the scale."""
    at = np.flatnonzero(scarce)
    return int(at[np.abs(at - (len(scarce) - 1) / 2).argmax()])
