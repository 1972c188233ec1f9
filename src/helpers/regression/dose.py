"""Dose and response: does it fall with hours in a line, a logarithm, from a threshold, freely?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from helpers.errors import DataContractError, check_level
from helpers.memo import remembered
from helpers.regression.least_squares import (
    EXACT,
    LeastSquares,
    compare_nested,
    fit_least_squares,
    leave_one_out_error,
)
from helpers.regression.prediction import Predict, cross_validate
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

KNOT_QUANTILES = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of the four knots, after Harrell (2015), doi:10.1007/978-3-319-19425-7."""
GRID = 60
SHAPES = ("linear", "log", "threshold", "spline")
SAME = 1e-12
BREAKS = 41
"""Places tried for the break of the threshold shape, between the 10 and 90 % quantiles."""


@dataclass(frozen=True, slots=True)
class DoseResponse:
    """Four shapes of one relation, on the same rows.

    Attributes
    ----------
    dose, response : str
        Names of the two variables.
    shapes : DataFrame
        One row a shape: shape (``linear log threshold spline``), n_parameters, r2, aic, delta_aic,
        bic, loo_error (each row predicted without it, the break held), cv_error, cv_gain (error
        less that of the straight line, the same folds), cv_se (of the gain).
    best : str
        The shape with the smallest AIC.
    break_at, break_low, break_high : float
        Dose at which the slope of the threshold shape changes, with its likelihood interval.
    break_open : tuple of bool
        Whether the interval reaches the lower and the upper end of the places tried: the data then
        do not say where it ends on that side.
    slope, slope_low, slope_high : float
        Change of the response per doubling of the dose, from the logarithmic shape (HC3).
    nonlinearity_f, nonlinearity_p : float
        F test of the spline against the straight line.
    curve : DataFrame
        x, estimate, ci_low, ci_high, moderator (the shape), for drawing.
    n_used, n_dropped : int
    level : float
    n_zero : int
        Of those left out, rows with a dose of zero, which has no logarithm.
    """

    dose: str
    response: str
    shapes: pd.DataFrame
    best: str
    break_at: float
    break_low: float
    break_high: float
    break_open: tuple[bool, bool]
    slope: float
    slope_low: float
    slope_high: float
    nonlinearity_f: float
    nonlinearity_p: float
    curve: pd.DataFrame
    n_used: int
    n_dropped: int
    level: float
    n_zero: int = 0

    def table(self) -> pd.DataFrame:
        """Return one row a shape."""
        return self.shapes

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@remembered
def dose_response(
    dose: pd.Series, response: pd.Series, *, level: float = LEVEL, seed: int = 20261121
) -> DoseResponse:
    """Compare a linear, a logarithmic, a threshold and a spline relation of dose and response.

    Parameters
    ----------
    dose : Series
        Hours, or another amount; values below zero are an error. Rows of zero are left out and
        counted, so that all shapes are compared on the same rows: zero has no logarithm.
    response : Series
        Rows with a blank in either are left out and counted.
    level : float
    seed : int
        Of the folds.

    Raises
    ------
    DataContractError
        A dose is below zero or infinite, fewer than 20 rows lie above zero, the doses have too few
        values, or the response never varies.
    EstimationError
        A shape gives the response exactly.

    Notes
    -----
    The spline is a restricted cubic with four knots at the 5, 35, 65 and 95 % quantiles, linear
    beyond them. The threshold shape is two lines that meet at a break, found by the smallest sum
    of squares and counted as a parameter; its interval holds the breaks whose likelihood ratio is
    below the chi-square(1) quantile (a 95 % one covers about 93 %), and it is searched anew in
    every fold. Bands are pointwise
    with HC3 errors. AIC and the spline's fit are checked against R ``lm`` with ``splines::ns``
    (tests/reference/regression.R), the break against a search in R (tests/reference/change.R).
    """
    check_level(level, "dose_response")
    frame = pd.DataFrame({"x": dose, "y": response}).astype(float).dropna()
    n_zero = int((frame["x"] == 0).sum())
    frame = frame[frame["x"] != 0]
    x, y = frame["x"].to_numpy(), frame["y"].to_numpy()
    _check_doses(x, y, n_zero)
    knots = np.quantile(x, KNOT_QUANTILES)
    if len(np.unique(knots)) < len(knots) or len(np.unique(x)) < len(knots) + 1:
        raise DataContractError(
            "dose_response: dose= has too few different values for four knots; a finer dose is "
            "needed. Compare groups instead."
        )
    at, low, high, reached = _break(x, y, level)
    grid = np.linspace(*np.quantile(x, [0.02, 0.98]), GRID)
    fits: dict[str, LeastSquares] = {}
    curves = []
    for shape in SHAPES:
        fits[shape] = fit_least_squares(y, pd.DataFrame(_basis(x, shape, knots, at)))
        design = np.column_stack([np.ones(GRID), _basis(grid, shape, knots, at)])
        curves.append(_curve(fits[shape], design, grid, shape, level))
    log = fits["log"]
    half = float(stats.t.ppf((1 + level) / 2, log.df_resid)) * log.se()[1]
    f, _df, p = compare_nested(fits["linear"], fits["spline"])
    shapes = _shape_table(fits, x, y, knots, seed)
    return DoseResponse(
        dose=str(dose.name),
        response=str(response.name),
        shapes=shapes,
        best=str(shapes.loc[shapes["aic"].idxmin(), "shape"]),
        break_at=at,
        break_low=low,
        break_high=high,
        break_open=reached,
        slope=float(log.b[1]),
        slope_low=float(log.b[1] - half),
        slope_high=float(log.b[1] + half),
        nonlinearity_f=f,
        nonlinearity_p=p,
        curve=pd.concat(curves, ignore_index=True),
        n_used=len(frame),
        n_dropped=len(dose) - len(frame),
        level=level,
        n_zero=n_zero,
    )


def _check_doses(x: Array, y: Array, n_zero: int) -> None:
    """Refuse doses without a logarithm, too few rows, and a response that never varies."""
    bad = int(((x < 0) | ~np.isfinite(x)).sum())
    if bad or len(x) < 20:
        raise DataContractError(
            f"dose_response: dose= has {len(x) - bad} complete rows above 0, {n_zero} of 0, and "
            f"{bad} below 0 or infinite; at least 20 rows with doses above 0 and none below are "
            "needed. Leave out or correct the others."
        )
    if np.ptp(y) == 0:
        raise DataContractError(
            "dose_response: response= never varies among the rows used; a response that varies is "
            "needed. Choose another."
        )


def _shape_table(
    fits: dict[str, LeastSquares], x: Array, y: Array, knots: Array, seed: int
) -> pd.DataFrame:
    """Return fit and error of prediction of each shape."""
    rows = []
    line = _predictor(x, y, "linear", knots)
    for shape, fit in fits.items():
        k = len(fit.b) + (shape == "threshold")  # the break is estimated too
        aic = fit.aic + 2 * (k - len(fit.b))
        crossed = cross_validate(y, line, _predictor(x, y, shape, knots), seed=seed)
        rows.append(
            {
                "shape": shape, "n_parameters": k, "r2": fit.r2, "aic": aic,
                "bic": aic + (np.log(fit.n) - 2) * (k + 1),
                "loo_error": leave_one_out_error(fit), "cv_error": crossed.second,
                "cv_gain": crossed.difference, "cv_se": crossed.se,
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    table.insert(4, "delta_aic", table["aic"] - table["aic"].min())
    return table


def _predictor(x: Array, y: Array, shape: str, knots: Array) -> Predict:
    """Return the function that learns a shape on some rows and predicts others."""

    def predict(learn: NDArray[np.bool_], new: NDArray[np.bool_]) -> Array:
        at = 0.0
        if shape == "threshold":
            places = _places(x[learn])
            at = float(places[_break_squares(x[learn], y[learn], places).argmin()])
        design = np.column_stack([np.ones(len(x)), _basis(x, shape, knots, at)])
        return design[new] @ np.linalg.lstsq(design[learn], y[learn], rcond=None)[0]

    return predict


def _places(x: Array) -> Array:
    """Return the places tried for the break."""
    return np.linspace(*np.quantile(x, [0.1, 0.9]), BREAKS)


def _break_squares(x: Array, y: Array, places: Array) -> Array:
    """Return the residual sum of squares with the break at each of some places."""
    plain = np.column_stack([np.ones(len(x)), x])
    inverse = np.linalg.pinv(plain)
    rest = y - plain @ (inverse @ y)
    bends = np.maximum(x[:, None] - places, 0)
    bends = bends - plain @ (inverse @ bends)
    size = (bends**2).sum(axis=0)
    # beyond a heap of equal doses at either end the two lines are one
    apart = size > SAME * float((plain[:, 1] ** 2).sum())
    gain = np.where(apart, (rest @ bends) ** 2 / np.where(apart, size, 1.0), 0.0)
    return float(rest @ rest) - gain


def _break(x: Array, y: Array, level: float) -> tuple[float, float, float, tuple[bool, bool]]:
    """Return the best break, its likelihood interval, and whether that reaches the last places."""
    places, n = _places(x), len(x)
    squares = _break_squares(x, y, places)
    least = max(float(squares.min()), EXACT * float(squares.max()))  # if lines fit exactly
    cut = float(stats.chi2.ppf(level, 1))

    def beyond(place: float) -> float:
        """Return by how much the likelihood ratio of a place passes the cut."""
        own = float(_break_squares(x, y, np.array([place]))[0])
        return n * float(np.log(max(own, least) / least)) - cut

    inside = np.flatnonzero(n * np.log(np.maximum(squares, least) / least) <= cut)
    ends, reached = [], []
    for own, step in ((inside[0], -1), (inside[-1], 1)):
        reached.append(not 0 <= own + step < BREAKS)
        # the interval ends between the last place inside and the first one outside
        bracket = () if reached[-1] else sorted((places[own], places[own + step]))
        ends.append(float(optimize.brentq(beyond, *bracket) if bracket else places[own]))
    return float(places[squares.argmin()]), ends[0], ends[1], (reached[0], reached[1])


def _basis(x: Array, shape: str, knots: Array, at: float) -> Array:
    """Return the columns of a shape; the logarithm has base 2, so its slope is per doubling."""
    if shape == "linear":
        return x[:, None]
    if shape == "threshold":
        return np.column_stack([x, np.maximum(x - at, 0)])
    return np.log2(x)[:, None] if shape == "log" else restricted_cubic(x, knots)


def _curve(fit: LeastSquares, design: Array, grid: Array, name: str, level: float) -> pd.DataFrame:
    """Return a shape's predicted line with its pointwise band."""
    line = design @ fit.b
    se = np.sqrt(np.einsum("ij,jk,ik->i", design, fit.cov, design))
    half = stats.t.ppf((1 + level) / 2, fit.df_resid) * se
    return pd.DataFrame(
        {"x": grid, "estimate": line, "ci_low": line - half, "ci_high": line + half,
         "moderator": name}
    )  # fmt: skip


def restricted_cubic(x: ArrayLike, knots: ArrayLike) -> Array:
    """Return the columns of a restricted cubic spline: x itself and k - 2 curved terms.

    Cubic between the knots, linear beyond the outer two; curved terms divided by the squared range
    of the knots, as in Harrell's ``rcs``.
    """
    value, knot = np.asarray(x, dtype=float), np.asarray(knots, dtype=float)

    def cube(at: float) -> Array:
        return np.maximum(value - at, 0) ** 3

    last, before, spread = knot[-1], knot[-2], (knot[-1] - knot[0]) ** 2
    curved = [
        (
            cube(t)
            - cube(before) * (last - t) / (last - before)
            + cube(last) * (before - t) / (last - before)
        )
        / spread
        for t in knot[:-2]
    ]
    return np.column_stack([value, *curved])
