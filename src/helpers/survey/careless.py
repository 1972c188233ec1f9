"""Indices of careless answering, one number a respondent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd


def longest_run(items: pd.DataFrame) -> pd.Series:
    """Return the longest run of one and the same answer, in the order of the columns.

    Parameters
    ----------
    items : DataFrame, shape (n_respondents, k)
        Answers as asked, in the order of the questionnaire. A blank ends a run.

    Returns
    -------
    Series of int
        0 for a row without answers.

    References
    ----------
    Johnson (2005), doi:10.1016/j.jrp.2004.09.009. Checked against R ``rle()``:
    ``tests/reference/survey.R``.

    Examples
    --------
    >>> longest_run(pd.DataFrame([[3, 3, 3, 1], [1, 2, 1, 2]])).tolist()
    [3, 1]
    """
    values = items.to_numpy(float)
    run = np.zeros(len(values), int)
    longest = np.zeros(len(values), int)
    previous = np.full(len(values), np.nan)
    for column in values.T:
        answered = ~np.isnan(column)
        run = np.where(answered, np.where(column == previous, run + 1, 1), 0)
        longest = np.maximum(longest, run)
        previous = column
    return pd.Series(longest, index=items.index)


def unit_scaled(items: pd.DataFrame, ends: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Return items scaled to 0-1 by their scale ends, so that scales of any length compare."""
    return pd.DataFrame({c: (items[c] - ends[c][0]) / (ends[c][1] - ends[c][0]) for c in items})


def intra_individual_variability(items: pd.DataFrame) -> pd.Series:
    """Return the standard deviation over each respondent's own answers (n - 1, blanks left out).

    References
    ----------
    Dunn, Heggestad, Shanock & Theilgard (2018), doi:10.1007/s10869-016-9479-0. Checked against R
    ``sd()``: ``tests/reference/survey.R``.

    Examples
    --------
    >>> intra_individual_variability(pd.DataFrame([[1.0, 1.0], [0.0, 1.0]])).round(3).tolist()
    [0.0, 0.707]
    """
    return items.std(axis=1, ddof=1)
