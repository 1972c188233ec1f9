"""Influence of single rows on a regression: Cook, DFBETAS, leverage, the slopes without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from helpers.errors import DataContractError
from helpers.regression.least_squares import fit_least_squares
from helpers.thresholds import LEVEL


@dataclass(frozen=True, slots=True)
class Influence:
    """How far single rows carry a regression.

    Attributes
    ----------
    rows : DataFrame
        One row a complete case, the largest Cook's distance first: row (index of the data), cooks,
        leverage, studentised (external), dfbetas (largest in size), term (where).
    slopes : DataFrame
        term, b, ci_low, ci_high with everybody; b_without, low_without, high_without without the
        rows above Cook's cut; shift (of b in its standard errors).
    above_cook, above_dfbetas, above_leverage : int
        Rows above ``4 / n``, ``2 / sqrt(n)`` and ``2 k / n`` (k coefficients).
    n_used, n_dropped : int
    level : float
    method : str
    """

    rows: pd.DataFrame
    slopes: pd.DataFrame
    above_cook: int
    above_dfbetas: int
    above_leverage: int
    n_used: int
    n_dropped: int
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return slopes with and without the influential rows."""
        return self.slopes

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def influence(outcome: pd.Series, predictors: pd.DataFrame, *, level: float = LEVEL) -> Influence:
    """Measure each row's influence and refit without the rows above ``4 / n`` (Cook's distance).

    Parameters
    ----------
    outcome : Series
    predictors : DataFrame, same index
        Rows with a blank in either are left out and counted.
    level : float

    Notes
    -----
    Cook's distance and DFBETAS are the classical ones. Leaving rows out for their influence is a
    sensitivity analysis, never the result. Checked against R ``cooks.distance``, ``dfbetas``,
    ``hatvalues`` and ``rstudent`` (tests/reference/change.R, 1e-8).

    References
    ----------
    Belsley, Kuh & Welsch (1980), doi:10.1002/0471725153.
    """
    whole = predictors.assign(__outcome=outcome).astype(float)
    kept = whole.dropna()
    x = kept.drop(columns="__outcome")
    y = kept["__outcome"].to_numpy()
    n, k = len(kept), x.shape[1] + 1
    fit = fit_least_squares(y, x)
    result = sm.OLS(y, sm.add_constant(x.to_numpy(), has_constant="add")).fit().get_influence()
    dfbetas = np.asarray(result.dfbetas)[:, 1:]
    worst = np.abs(dfbetas).argmax(axis=1)
    rows = pd.DataFrame(
        {
            "row": kept.index, "cooks": fit.cooks, "leverage": fit.leverage,
            "studentised": result.resid_studentized_external,
            "dfbetas": dfbetas[np.arange(n), worst], "term": np.asarray(x.columns)[worst],
        }
    )  # fmt: skip
    keep = fit.cooks <= 4 / n
    if (x[keep].nunique() < 2).any():
        raise DataContractError(
            "influence: predictors= hold a category that only influential rows have; it cannot be "
            "judged without them. Join it with another category."
        )
    without = fit_least_squares(y[keep], x[keep])
    ends = [_ends(f, level) for f in (fit, without)]
    slopes = pd.DataFrame(
        {
            "term": list(x.columns), "b": fit.b[1:], "ci_low": ends[0][0], "ci_high": ends[0][1],
            "b_without": without.b[1:], "low_without": ends[1][0], "high_without": ends[1][1],
            "shift": (without.b - fit.b)[1:] / fit.se()[1:],
        }
    )  # fmt: skip
    return Influence(
        rows=rows.sort_values("cooks", ascending=False, ignore_index=True),
        slopes=slopes,
        above_cook=int((~keep).sum()),
        above_dfbetas=int((np.abs(dfbetas).max(axis=1) > 2 / np.sqrt(n)).sum()),
        above_leverage=int((fit.leverage > 2 * k / n).sum()),
        n_used=n,
        n_dropped=len(whole) - n,
        level=level,
        method="OLS, HC3; listwise",
    )


def _ends(fit: Any, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the slopes' robust intervals."""
    half = stats.t.ppf((1 + level) / 2, fit.df_resid) * fit.se()
    return (fit.b - half)[1:], (fit.b + half)[1:]
