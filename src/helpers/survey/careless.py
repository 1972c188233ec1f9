"""Indices of careless answering, one number a respondent: runs, spread, consistency.

Each index is a formula over a table of answers; which rows carry a mark is decided in
``screening``. Checked against the formulas of R careless 1.2 (Yentes & Wilhelm) written out in
``tests/reference/careless.R``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.errors import DataContractError

TINY = 1e-12
"""A variance below this is that of equal answers; scaled answers differ by 0.01 or more."""

LEAST_POINTS = 3
"""Fewer pairs than this give no correlation: two points always lie on a line."""


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
    ``tests/reference/survey.R``, ``tests/reference/careless.R``.

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


def average_run(items: pd.DataFrame) -> pd.Series:
    """Return the mean length of the runs of one and the same answer.

    The number of answers over the number of runs; a blank ends a run and is part of none.

    Returns
    -------
    Series of float
        Missing for a row without answers.

    References
    ----------
    Meade & Craig (2012), doi:10.1037/a0028085. Checked against R ``rle()``:
    ``tests/reference/careless.R``.

    Examples
    --------
    >>> average_run(pd.DataFrame([[3, 3, 3, 1], [1, 2, 1, 2]])).tolist()
    [2.0, 1.0]
    """
    values = items.to_numpy(float)
    answered = ~np.isnan(values)
    goes_on = (values[:, 1:] == values[:, :-1]).sum(axis=1)
    n = answered.sum(axis=1)
    return pd.Series(n / np.where(n > 0, n - goes_on, np.nan), index=items.index)


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


def even_odd_consistency(
    items: pd.DataFrame, *, constructs: Mapping[str, Sequence[str]]
) -> pd.Series:
    """Return each respondent's split-half correlation over the constructs.

    The items of each construct are split into the odd and the even ones in the order given; ``r``
    is the correlation, over constructs, of the two means, stepped up to full length by
    ``2 r / (1 + r)`` (Spearman-Brown) and not below -1. High is consistent (R careless prints it
    with the opposite sign).

    Parameters
    ----------
    items : DataFrame
        Answers on one common scale, reverse-keyed items turned. A blank is left out of its half;
        a construct with an empty half is left out.
    constructs : mapping
        Construct -> its items; constructs of one item are passed over.

    Returns
    -------
    Series of float
        Missing with fewer than three usable constructs, or equal halves all over.

    Raises
    ------
    DataContractError
        Fewer than three constructs have two items.

    References
    ----------
    Jackson (1976), as in Johnson (2005), doi:10.1016/j.jrp.2004.09.009; Curran (2016),
    doi:10.1016/j.jesp.2015.07.006.
    """
    blocks = [list(named) for named in constructs.values() if len(named) > 1]
    if len(blocks) < LEAST_POINTS:
        raise DataContractError(
            f"even_odd_consistency: constructs= has {len(blocks)} with two items or more; at least "
            f"{LEAST_POINTS} are needed for a correlation. Give more constructs."
        )
    odd = np.column_stack([_half_mean(items[block[0::2]]) for block in blocks])
    even = np.column_stack([_half_mean(items[block[1::2]]) for block in blocks])
    r = row_correlation(odd, even)
    with np.errstate(divide="ignore", invalid="ignore"):
        stepped = np.maximum(2 * r / (1 + r), -1.0)
    return pd.Series(np.where(r <= -1 + TINY, -1.0, stepped), index=items.index)


def _half_mean(items: pd.DataFrame) -> np.ndarray:
    """Return row means over what is answered."""
    return items.mean(axis=1).to_numpy(float)


def item_pairs(correlations: pd.DataFrame, *, least: float) -> list[tuple[str, str]]:
    """Return the pairs of items whose correlation is above ``least``, or below it if negative.

    Examples
    --------
    >>> r = pd.DataFrame([[1, .7, -.65], [.7, 1, .1], [-.65, .1, 1]], list("abc"), list("abc"))
    >>> item_pairs(r, least=0.6), item_pairs(r, least=-0.6)
    ([('b', 'a')], [('c', 'a')])
    """
    values = correlations.to_numpy(float)
    below = np.tri(len(values), k=-1, dtype=bool)
    hits = below & ((values > least) if least >= 0 else (values < least))
    names = list(correlations.columns)
    columns, rows = np.nonzero(hits.T)
    return [(names[i], names[j]) for i, j in zip(rows, columns)]


def paired_consistency(items: pd.DataFrame, *, pairs: Sequence[tuple[str, str]]) -> pd.Series:
    """Return each respondent's correlation over pairs of items (synonyms or antonyms).

    With pairs that correlate highly in the sample (``item_pairs(least=.60)``, psychometric
    synonyms) a careful respondent is near 1; with pairs that correlate negatively (antonyms) near
    -1. A random answerer is near 0 in both.

    Parameters
    ----------
    items : DataFrame
        Answers as asked, on one common scale.
    pairs : sequence of (str, str)
        The pairs; the first item of each goes into one column, the second into the other.

    Returns
    -------
    Series of float
        Missing with fewer than three pairs answered, or no variance in one of the columns. (R
        careless draws the sides of the pairs anew at random then; here nothing is random.)

    References
    ----------
    Meade & Craig (2012), doi:10.1037/a0028085; Johnson (2005), doi:10.1016/j.jrp.2004.09.009.
    """
    first = items[[a for a, _b in pairs]].to_numpy(float)
    second = items[[b for _a, b in pairs]].to_numpy(float)
    return pd.Series(row_correlation(first, second), index=items.index)


def person_total(items: pd.DataFrame, *, sums: pd.Series, counts: pd.Series) -> pd.Series:
    """Return the correlation of each respondent's answers with the item means of all others.

    Parameters
    ----------
    items : DataFrame
        Answers as asked, on one common scale; blanks are left out.
    sums, counts : Series
        Sum and number of answers of each item over all respondents, these included.

    Returns
    -------
    Series of float
        Missing with fewer than three answers or equal answers all along.

    References
    ----------
    Donlon & Fischer (1968), doi:10.1177/001316446802800110; Curran (2016),
    doi:10.1016/j.jesp.2015.07.006.
    """
    values = items.to_numpy(float)
    others = counts[items.columns].to_numpy(float) - ~np.isnan(values)
    rest = sums[items.columns].to_numpy(float) - np.nan_to_num(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = rest / others
    return pd.Series(row_correlation(values, means), index=items.index)


def largest_autocorrelation(items: pd.DataFrame, *, max_lag: int) -> pd.Series:
    """Return the largest absolute correlation of the answers with themselves some items later.

    For each lag 1 to ``max_lag`` the answers ``1 .. k - lag`` are correlated with the answers
    ``lag + 1 .. k`` (Pearson, each part about its own mean). A pattern that repeats, as 1-2-3-4-5
    over and over, gives 1 at the length of the pattern.

    Parameters
    ----------
    items : DataFrame, shape (n_respondents, k)
        Codes as asked, in the order of the questionnaire; pairs with a blank are left out.
    max_lag : int
        Longest lag; at most ``k - 3``.

    Returns
    -------
    Series of float
        Missing where every lag is undefined, as for equal answers all along (see
        ``longest_run``).

    References
    ----------
    Gottfried, Jezek, Kralova & Rihacek (2022), doi:10.7275/vyxb-gt24.
    """
    values = items.to_numpy(float)
    k = values.shape[1]
    if not 1 <= max_lag <= k - LEAST_POINTS:
        raise DataContractError(
            f"largest_autocorrelation: max_lag= {max_lag} with {k} items; 1 to {k - LEAST_POINTS} "
            "is possible. Give a shorter lag, or more items."
        )
    there = ~np.isnan(values)
    x, seen = np.where(there, values - _centre(values, there), 0.0), there.astype(float)
    squares = x * x
    largest = np.full(len(values), np.nan)
    for lag in range(1, max_lag + 1):
        first, second = slice(None, -lag), slice(lag, None)
        r = _correlation_of_sums(
            n=_dot(seen[:, first], seen[:, second]),
            sa=_dot(x[:, first], seen[:, second]),
            sb=_dot(seen[:, first], x[:, second]),
            saa=_dot(squares[:, first], seen[:, second]),
            sbb=_dot(seen[:, first], squares[:, second]),
            sab=_dot(x[:, first], x[:, second]),
        )
        largest = np.fmax(largest, np.abs(r))
    return pd.Series(largest, index=items.index)


def contradictions(items: pd.DataFrame, *, pairs: Sequence[tuple[str, str]]) -> pd.Series:
    """Return the share of opposite pairs on which a respondent agrees, or disagrees, with both.

    Parameters
    ----------
    items : DataFrame
        Answers as asked, scaled to 0-1; 0.5 is the mid-point and takes no side.
    pairs : sequence of (str, str)
        Items of one construct keyed in opposite directions.

    Returns
    -------
    Series of float
        Share of the pairs answered; missing if none is. Someone who gives the same answer all
        along because that is what he or she means does not contradict a reverse-keyed item;
        someone who does not read does.

    References
    ----------
    Weijters, Baumgartner & Schillewaert (2013), doi:10.1037/a0032121.
    """
    first = items[[a for a, _b in pairs]].to_numpy(float) - 0.5
    second = items[[b for _a, b in pairs]].to_numpy(float) - 0.5
    answered = ~(np.isnan(first) | np.isnan(second))
    same_side = (first * second > TINY).sum(axis=1)
    n = answered.sum(axis=1)
    return pd.Series(same_side / np.where(n > 0, n, np.nan), index=items.index)


def row_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Pearson's r of each row of a with the same row of b, over cells present in both."""
    present = ~(np.isnan(a) | np.isnan(b))
    a = np.where(present, a - _centre(a, present), 0.0)
    b = np.where(present, b - _centre(b, present), 0.0)
    return _correlation_of_sums(
        n=present.sum(axis=1),
        sa=a.sum(axis=1),
        sb=b.sum(axis=1),
        saa=_dot(a, a),
        sbb=_dot(b, b),
        sab=_dot(a, b),
    )


def _centre(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return row means as a column, so that sums of squares lose no digits."""
    n = present.sum(axis=1)
    sums = np.where(present, values, 0.0).sum(axis=1)
    return (sums / np.maximum(n, 1))[:, None]


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the products of each row of a with the same row of b."""
    return np.einsum("ij,ij->i", a, b)


def _correlation_of_sums(
    *,
    n: np.ndarray,
    sa: np.ndarray,
    sb: np.ndarray,
    saa: np.ndarray,
    sbb: np.ndarray,
    sab: np.ndarray,
) -> np.ndarray:
    """Return correlations from sums, sums of squares and sums of products about some centre."""
    with np.errstate(divide="ignore", invalid="ignore"):
        va, vb = saa - sa * sa / n, sbb - sb * sb / n
        r = (sab - sa * sb / n) / np.sqrt(va * vb)
    usable = (n >= LEAST_POINTS) & (va > TINY) & (vb > TINY)
    return np.where(usable, np.clip(r, -1.0, 1.0), np.nan)
