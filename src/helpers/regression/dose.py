"""Dose and response: does satisfaction fall with hours in a line, a logarithm, or freely?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from helpers.errors import DataContractError
from helpers.i18n import _
from helpers.regression.least_squares import (
    LeastSquares,
    compare_nested,
    fit_least_squares,
    leave_one_out_error,
)
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

KNOT_QUANTILES = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of the four knots, after Harrell (2015), doi:10.1007/978-3-319-19425-7."""
GRID = 60


@dataclass(frozen=True, slots=True)
class DoseResponse:
    """Three shapes of one relation, on the same rows.

    Attributes
    ----------
    dose, response : str
        Names of the two variables.
    shapes : DataFrame
        One row a shape: shape, n_parameters, r2, aic, delta_aic, loo_error.
    best : str
        The shape with the smallest AIC.
    slope, slope_low, slope_high : float
        Change of the response per doubling of the dose, from the logarithmic shape (HC3).
    nonlinearity_f, nonlinearity_p : float
        F test of the spline against the straight line.
    curve : DataFrame
        x, estimate, ci_low, ci_high, moderator (name of the shape), for drawing.
    n_used, n_dropped : int
    level : float
    """

    dose: str
    response: str
    shapes: pd.DataFrame
    best: str
    slope: float
    slope_low: float
    slope_high: float
    nonlinearity_f: float
    nonlinearity_p: float
    curve: pd.DataFrame
    n_used: int
    n_dropped: int
    level: float

    def table(self) -> pd.DataFrame:
        """Return one row a shape."""
        return self.shapes

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def text(self) -> str:
        """Return one sentence that reads the slope per doubling."""
        return _(
            "Twice the dose goes with a change of {slope:.2f} ({level:.0%} interval {low:.2f} to "
            "{high:.2f}; logarithmic shape, n = {n}); by AIC the best shape is: {best}."
        ).format(
            slope=self.slope,
            level=self.level,
            low=self.slope_low,
            high=self.slope_high,
            n=self.n_used,
            best=self.best,
        )


def dose_response(dose: pd.Series, response: pd.Series, *, level: float = LEVEL) -> DoseResponse:
    """Compare a linear, a logarithmic and a spline relation between dose and response.

    Parameters
    ----------
    dose : Series
        Above zero (hours); values of zero or below are an error.
    response : Series
        Rows with a blank in either are left out and counted.

    Notes
    -----
    The spline is a restricted cubic with four knots at the 5, 35, 65 and 95 % quantiles, linear
    beyond them. Bands are pointwise with HC3 errors. AIC and the spline's fit are checked against
    R ``lm`` with ``splines::ns``: tests/reference/regression.R.
    """
    frame = pd.DataFrame({"x": dose, "y": response}).astype(float).dropna()
    x, y = frame["x"].to_numpy(), frame["y"].to_numpy()
    if len(frame) < 20 or np.min(x, initial=1.0) <= 0:
        raise DataContractError(
            f"dose_response: dose= has {len(frame)} complete rows, the smallest "
            f"{np.min(x, initial=np.inf):g}; at least 20 rows with doses above 0 are needed."
        )
    knots = np.quantile(x, KNOT_QUANTILES)
    if len(np.unique(knots)) < len(knots):
        raise DataContractError(
            "dose_response: dose= has too few different values for four knots; a finer dose is "
            "needed. Compare groups instead."
        )
    names = {"linear": _("linear"), "log": _("logarithmic"), "spline": _("spline")}
    grid = np.linspace(*np.quantile(x, [0.02, 0.98]), GRID)
    fits: dict[str, LeastSquares] = {}
    curves = []
    for shape, name in names.items():
        fits[shape] = fit_least_squares(y, pd.DataFrame(_basis(x, shape, knots)))
        design = np.column_stack([np.ones(GRID), _basis(grid, shape, knots)])
        curves.append(_curve(fits[shape], design, grid, name, level))
    shapes = pd.DataFrame(
        {
            "shape": list(names.values()),
            "n_parameters": [len(f.b) for f in fits.values()],
            "r2": [f.r2 for f in fits.values()],
            "aic": [f.aic for f in fits.values()],
            "loo_error": [leave_one_out_error(f) for f in fits.values()],
        }
    )
    shapes.insert(4, "delta_aic", shapes["aic"] - shapes["aic"].min())
    log = fits["log"]
    half = float(stats.t.ppf((1 + level) / 2, log.df_resid)) * log.se()[1]
    f, _df, p = compare_nested(fits["linear"], fits["spline"])
    return DoseResponse(
        dose=str(dose.name),
        response=str(response.name),
        shapes=shapes,
        best=str(shapes.loc[shapes["aic"].idxmin(), "shape"]),
        slope=float(log.b[1]),
        slope_low=float(log.b[1] - half),
        slope_high=float(log.b[1] + half),
        nonlinearity_f=f,
        nonlinearity_p=p,
        curve=pd.concat(curves, ignore_index=True),
        n_used=len(frame),
        n_dropped=len(dose) - len(frame),
        level=level,
    )


def _basis(x: Array, shape: str, knots: Array) -> Array:
    """Return the columns of a shape; the logarithm has base 2, so its slope is per doubling."""
    if shape == "linear":
        return x[:, None]
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
