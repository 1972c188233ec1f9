"""Does a bad mark cost more than a good one brings: slopes below and above the middle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataContractError, check_level, listing
from helpers.regression.least_squares import fit_least_squares
from helpers.thresholds import LEVEL


def penalty_reward(
    data: pd.DataFrame, outcome: str, ratings: Sequence[str], *, level: float = LEVEL
) -> tuple[pd.DataFrame, int]:
    """Return how steeply an outcome goes with each rating below and above its median.

    ``y = c + sum_j [b_j x_j + d_j max(x_j - m_j, 0)]``: slope ``b_j`` below the median ``m_j``,
    ``b_j + d_j`` above it. ``d_j < 0``: what is done badly costs more than what is done well brings
    (a basic factor); ``d_j > 0``: the reverse (an exciting one).

    Parameters
    ----------
    data : DataFrame
        Rows with a blank in any column used are left out.
    outcome : str
    ratings : sequence of str
    level : float

    Returns
    -------
    (DataFrame, int)
        One row a rating: code, middle, below, below_low, below_high, above (and ends), bend (d),
        bend_low, bend_high, p_value (of the bend), kind (``basic exciting even``); and the number
        of rows used.

    Raises
    ------
    DataContractError
        A column is missing, or a rating has no values on both sides of its median.

    Notes
    -----
    Brandt's (1987) contrast of penalties and rewards puts 0/1 columns of low and of high marks in
    the place of the slopes. It depends on how far the low and the high marks lie from the middle,
    so that a straight line looks bent where ratings are skewed; slopes do not. HC3 errors. Checked
    against R ``lm`` with ``sandwich``: tests/reference/kano.R.
    """
    check_level(level, "penalty_reward")
    absent = [name for name in (outcome, *ratings) if name not in data.columns]
    if absent or not ratings:
        raise DataContractError(
            f"penalty_reward: ratings= are {listing(list(ratings))}, data= lacks "
            f"{listing(absent) or 'none'}; an outcome and ratings are needed. Correct the names."
        )
    rows = data[[outcome, *ratings]].astype(float).dropna()
    middles = rows[list(ratings)].median()
    columns = {}
    for name in ratings:
        if not (rows[name].min() < middles[name] < rows[name].max()):
            raise DataContractError(
                f"penalty_reward: ratings= holds '{name}', whose median lies at the end of its "
                "values; marks on both sides are needed. Leave it out."
            )
        columns[name] = rows[name] - middles[name]
        columns[f"{name}+"] = (rows[name] - middles[name]).clip(lower=0)
    fit = fit_least_squares(rows[outcome], pd.DataFrame(columns))
    half = float(stats.t.ppf((1 + level) / 2, fit.df_resid))
    found = []
    for j, name in enumerate(ratings):
        at = 1 + 2 * j
        row: dict[str, object] = {"code": name, "middle": float(middles[name])}
        for key, weights in (("below", (1, 0)), ("above", (1, 1)), ("bend", (0, 1))):
            w = np.array(weights, dtype=float)
            value = float(w @ fit.b[at : at + 2])
            se = float(np.sqrt(w @ fit.cov[at : at + 2, at : at + 2] @ w))
            row |= {key: value, f"{key}_low": value - half * se, f"{key}_high": value + half * se}
            row["p_value"] = float(2 * stats.t.sf(abs(value / se), fit.df_resid))
        row["kind"] = _kind(float(row["bend_low"]), float(row["bend_high"]))
        found.append(row)
    return pd.DataFrame(found), len(rows)


def _kind(low: float, high: float) -> str:
    """Return the kind of factor by the interval of the bend."""
    if high < 0:
        return "basic"
    return "exciting" if low > 0 else "even"
