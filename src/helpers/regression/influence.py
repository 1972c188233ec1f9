"""Influence of single rows on a regression: Cook, DFBETAS, leverage, the slopes without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataContractError, check_level
from helpers.regression.least_squares import (
    LeastSquares,
    estimable,
    fit_least_squares,
    robust_degrees,
)
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
        rows above Cook's cut; shift (of b in its standard errors). NaN where a slope cannot be
        estimated without these rows (a category that nobody else has).
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
    check_level(level, "influence")
    whole = predictors.assign(__outcome=outcome).astype(float)
    kept = whole.dropna()
    x = kept.drop(columns="__outcome")
    y = kept["__outcome"].to_numpy()
    n, k = len(kept), x.shape[1] + 1
    fit = fit_least_squares(y, x)
    dfbetas, studentised = _deletion(fit, x.to_numpy())
    worst = np.nan_to_num(np.abs(dfbetas)).argmax(axis=1)
    rows = pd.DataFrame(
        {
            "row": kept.index, "cooks": fit.cooks, "leverage": fit.leverage,
            "studentised": studentised,
            "dfbetas": dfbetas[np.arange(n), worst], "term": np.asarray(x.columns)[worst],
        }
    )  # fmt: skip
    keep = ~(fit.cooks > 4 / n)
    varying = estimable(x[keep])
    if not varying:
        raise DataContractError(
            f"influence: predictors= vary only among the {int((~keep).sum())} influential of {n} "
            "rows; more rows are needed to judge them. Use fewer predictors."
        )
    without = fit_least_squares(y[keep], x.loc[keep, varying])
    everybody = _slopes(fit, x, level)
    others = _slopes(without, x.loc[keep, varying], level).reindex(list(fit.terms[1:]))
    slopes = everybody.join(others.set_axis(["b_without", "low_without", "high_without"], axis=1))
    slopes["shift"] = (slopes["b_without"] - slopes["b"]) / fit.se()[1:]
    return Influence(
        rows=rows.sort_values("cooks", ascending=False, ignore_index=True),
        slopes=slopes.rename_axis("term").reset_index(),
        above_cook=int((~keep).sum()),
        above_dfbetas=int((np.abs(dfbetas) > 2 / np.sqrt(n)).any(axis=1).sum()),
        above_leverage=int((fit.leverage > 2 * k / n).sum()),
        n_used=n,
        n_dropped=len(whole) - n,
        level=level,
        method="OLS, HC3, Bell-McCaffrey; listwise",
    )


def _deletion(fit: LeastSquares, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return DFBETAS (rows, slopes) and externally studentised residuals, by their closed forms.

    NaN for a row of leverage 1, without which the model cannot be fitted.
    """
    free = np.where(np.isnan(fit.cooks), np.nan, 1 - fit.leverage)
    others = (fit.ssr - fit.residuals**2 / free) / (fit.df_resid - 1)
    pulls = np.linalg.pinv(np.column_stack([np.ones(fit.n), x]))[1:]
    scale = np.sqrt(others[:, None] * (pulls**2).sum(axis=1))
    dfbetas = pulls.T * (fit.residuals / free)[:, None] / scale
    return dfbetas, fit.residuals / np.sqrt(others * free)


def _slopes(fit: LeastSquares, x: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the slopes with their robust intervals, by term."""
    df = robust_degrees(np.column_stack([np.ones(fit.n), x]))
    half = stats.t.ppf((1 + level) / 2, df) * fit.se()
    table = pd.DataFrame({"b": fit.b, "ci_low": fit.b - half, "ci_high": fit.b + half})
    return table.set_axis(list(fit.terms), axis=0).iloc[1:]
