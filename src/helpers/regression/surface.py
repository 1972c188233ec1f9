"""Response surfaces: an outcome over two predictors and their gap (Edwards & Parry 1993)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, EstimationError, check_level, listing
from helpers.memo import remembered
from helpers.regression.counts import fit_poisson
from helpers.regression.least_squares import (
    LeastSquares,
    compare_nested,
    estimable,
    fit_least_squares,
)
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

TERMS = ("x", "y", "x2", "xy", "y2")
GRID = 41
LINES: dict[str, tuple[int, int, int, int, int]] = {
    "a1": (1, 1, 0, 0, 0),
    "a2": (0, 0, 1, 1, 1),
    "a3": (1, -1, 0, 0, 0),
    "a4": (0, 0, 1, -1, 1),
    "a5": (0, 0, 1, 0, -1),
}
"""Slope and curvature along x = y (a1, a2) and along x = -y (a3, a4); a5 = 0 keeps the ridge
parallel to x = y (Humberg, Nestler & Back 2019)."""
LEAST_ROWS = 30
STEPS, SETTLED = 25, 1e-9
"""Newton steps of the count model, which needs about four from the full-sample solution, and the
last move that counts as arrived."""
BLOCK_CELLS = 4_000_000
"""Draws times rows held at once."""


@dataclass(frozen=True, slots=True)
class ResponseSurface:
    """A polynomial of second degree over two centred predictors.

    Attributes
    ----------
    outcome, x, y : str
    centre : float
        Taken off both predictors.
    coefficients : DataFrame
        term (``const x y x2 xy y2``), b, se, ci_low, ci_high, p_value.
    lines : DataFrame
        name (``a1`` to ``a5``), estimate, se, ci_low, ci_high, p_value.
    shape : DataFrame
        name (``x0 y0``: stationary point, centred; ``p10 p11``: intercept and slope of the first
        principal axis, along which the surface curves upwards most; ``p20 p21``: of the second),
        estimate, ci_low, ci_high (percentile bootstrap).
    kind : str
        ``"bowl"``, ``"dome"`` or ``"saddle"``, by the signs of the two curvatures.
    r2, r2_linear : float
        Of the surface and of the two predictors alone (counts: share of the deviance).
    gain_statistic, gain_p : float
        Test of the three terms of second degree: F, or likelihood ratio for counts.
    gain_df : int
    grid : DataFrame
        x, y (uncentred), estimate: for drawing, over the observed range.
    points : DataFrame
        x, y of the respondents (uncentred).
    family : str
    n_used, n_dropped : int
    level : float
    n_boot, n_failed, seed : int
    method : str
    """

    outcome: str
    x: str
    y: str
    centre: float
    coefficients: pd.DataFrame
    lines: pd.DataFrame
    shape: pd.DataFrame
    kind: str
    r2: float
    r2_linear: float
    gain_statistic: float
    gain_p: float
    gain_df: int
    grid: pd.DataFrame
    points: pd.DataFrame
    family: str
    n_used: int
    n_dropped: int
    level: float
    n_boot: int
    n_failed: int
    seed: int
    method: str

    def table(self) -> pd.DataFrame:
        """Return slopes and curvatures along the two lines."""
        return self.lines

    def line(self, name: str) -> pd.Series:
        """Return one row of ``lines``."""
        return self.lines.set_index("name").loc[name]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@remembered
def response_surface(
    data: pd.DataFrame,
    outcome: str,
    predictors: Sequence[str],
    *,
    centre: float | None = None,
    family: Literal["normal", "count"] = "normal",
    n_boot: int = 1000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> ResponseSurface:
    """Fit ``z = b0 + b1 x + b2 y + b3 x**2 + b4 x y + b5 y**2`` and read its surface.

    Parameters
    ----------
    data : DataFrame
        Rows with a blank in any of the three columns are left out and counted.
    outcome : str
    predictors : two str
        x and y, asked on one scale (expected and received quality).
    centre : float, optional
        Taken off both; the mean of the two means by default. The middle of their scale is the
        usual choice.
    family : ``"normal"`` or ``"count"``
        Least squares with HC3 errors, or Poisson regression (log link) with sandwich errors; the
        surface is then that of the log of the expected count.
    n_boot, seed : int
        Of the stationary point and the principal axes.
    level : float

    Notes
    -----
    ``a1 = b1 + b2``, ``a2 = b3 + b4 + b5`` along x = y; ``a3 = b1 - b2``, ``a4 = b3 - b4 + b5``
    along x = -y; ``a5 = b3 - b5``. Stationary point ``x0 = (b2 b4 - 2 b1 b5) / (4 b3 b5 - b4**2)``.
    Slopes of the axes ``(b5 - b3 +- sqrt((b3 - b5)**2 + b4**2)) / b4``. Where the surface is nearly
    flat or b4 is near zero the point and the axes run off to infinity in some draws; their
    intervals are then wide, and say so. Checked against R ``lm``, ``glm`` and the formulas written
    out there (tests/reference/importance.R, 1e-8).

    References
    ----------
    Edwards & Parry (1993), doi:10.2307/256822.
    Humberg, Nestler & Back (2019), doi:10.1177/1948550618757600.
    """
    check_level(level, "response_surface")
    columns = [outcome, *predictors]
    absent = [name for name in columns if name not in data.columns]
    doubled = len(set(columns)) < len(columns)
    if absent or doubled or len(predictors) != 2 or family not in ("normal", "count"):
        raise DataContractError(
            f"response_surface: predictors= {list(predictors)}, family= '{family}', lacking "
            f"columns {absent}; two columns of data= other than the outcome and family 'normal' or "
            "'count' are needed. Correct the call."
        )
    if n_boot < 2:
        raise DataContractError(
            f"response_surface: n_boot= is {n_boot}; at least 2 are needed. 1000 are usual."
        )
    kept = data[columns].astype(float).dropna()
    z = kept[outcome].to_numpy()
    _check_surface(kept, z, outcome, family)
    middle = float(kept[list(predictors)].to_numpy().mean()) if centre is None else centre
    terms = _terms(kept[predictors[0]] - middle, kept[predictors[1]] - middle)
    fit = _normal(z, terms) if family == "normal" else _count(z, terms)
    half = fit["quantile"](level)
    b, cov = fit["b"], fit["cov"]
    drawn, failed = _draws(z, terms, b, family, n_boot, seed)
    shape = _shape(b)
    ends = np.quantile(_shape(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
    x_name, y_name = predictors
    return ResponseSurface(
        outcome=outcome, x=x_name, y=y_name, centre=middle,
        coefficients=_rows(np.eye(6), ["const", *TERMS], b, cov, half, fit, key="term"),
        lines=_rows(
            np.array([(0, *w) for w in LINES.values()]), list(LINES), b, cov, half, fit, key="name"
        ).rename(columns={"b": "estimate"}),
        shape=pd.DataFrame(
            {"name": SHAPE, "estimate": shape, "ci_low": ends[0], "ci_high": ends[1]}
        ),
        kind=_kind(b),
        r2=fit["r2"], r2_linear=fit["r2_linear"], gain_statistic=fit["gain"], gain_p=fit["gain_p"],
        gain_df=3, grid=_grid(kept, predictors, middle, b, family),
        points=kept[list(predictors)].set_axis(["x", "y"], axis=1).reset_index(drop=True),
        family=family, n_used=len(z), n_dropped=len(data) - len(z), level=level, n_boot=n_boot,
        n_failed=failed, seed=seed, method=fit["method"],
    )  # fmt: skip


SHAPE = ["x0", "y0", "p10", "p11", "p20", "p21"]


def _check_surface(kept: pd.DataFrame, z: Array, outcome: str, family: str) -> None:
    """Refuse too few rows, and counts that are none."""
    if len(z) < LEAST_ROWS or (kept.nunique() < 3).any():
        raise DataContractError(
            f"response_surface: data= has {len(z)} complete rows and columns with "
            f"{int(kept.nunique().min())} different values; {LEAST_ROWS} rows and three values "
            "are needed. Use a line."
        )
    terms = _terms(
        kept.iloc[:, 1] - kept.iloc[:, 1].mean(), kept.iloc[:, 2] - kept.iloc[:, 2].mean()
    )
    if len(estimable(terms)) < len(TERMS):
        raise EstimationError(
            f"response_surface: predictors= {listing(list(kept.columns[1:]))} and their squares "
            "and product are sums of one another; two predictors that vary apart are needed. "
            "Choose others."
        )
    if family == "count" and ((z < 0).any() or (z != np.floor(z)).any()):
        raise DataContractError(
            f"response_surface: outcome= '{outcome}' holds values that are no counts; family "
            "'count' takes 0, 1, 2, ... Use family='normal'."
        )


def _terms(x: pd.Series | Array, y: pd.Series | Array) -> pd.DataFrame:
    """Return the five columns of the polynomial."""
    return pd.DataFrame({"x": x, "y": y, "x2": x**2, "xy": x * y, "y2": y**2})


def _normal(z: Array, terms: pd.DataFrame) -> dict[str, Any]:
    """Return the least-squares surface with HC3 covariance."""
    full: LeastSquares = fit_least_squares(z, terms)
    plain = fit_least_squares(z, terms[["x", "y"]])
    gain, _df, p = compare_nested(plain, full)
    df = full.df_resid
    return {
        "b": full.b, "cov": full.cov, "r2": full.r2, "r2_linear": plain.r2, "gain": gain,
        "gain_p": p, "quantile": lambda level: stats.t.ppf((1 + level) / 2, df),
        "tail": lambda t: 2 * stats.t.sf(np.abs(t), df),
        "method": "OLS, HC3; percentile bootstrap for point and axes; listwise",
    }  # fmt: skip


def _count(z: Array, terms: pd.DataFrame) -> dict[str, Any]:
    """Return the Poisson surface with sandwich covariance."""
    full = fit_poisson(z, sm.add_constant(terms.to_numpy()), cov_type="HC0")
    plain = fit_poisson(z, sm.add_constant(terms[["x", "y"]].to_numpy()))
    gain = float(2 * (full.llf - plain.llf))
    return {
        "b": np.asarray(full.params), "cov": np.asarray(full.cov_params()),
        "r2": float(1 - full.deviance / full.null_deviance),
        "r2_linear": float(1 - plain.deviance / plain.null_deviance),
        "gain": gain, "gain_p": float(stats.chi2.sf(gain, 3)),
        "quantile": lambda level: stats.norm.ppf((1 + level) / 2),
        "tail": lambda t: 2 * stats.norm.sf(np.abs(t)),
        "method": "Poisson, HC0; percentile bootstrap for point and axes; listwise",
    }  # fmt: skip


def _rows(
    weights: Array, names: list[str], b: Array, cov: Array, half: float, fit: dict[str, Any],
    *, key: str,
) -> pd.DataFrame:  # fmt: skip
    """Return linear combinations of the coefficients with intervals."""
    value = weights @ b
    se = np.sqrt(np.einsum("ij,jk,ik->i", weights, cov, weights))
    return pd.DataFrame(
        {
            key: names, "b": value, "se": se, "ci_low": value - half * se,
            "ci_high": value + half * se, "p_value": fit["tail"](value / se),
        }
    )  # fmt: skip


def _shape(b: Array) -> Array:
    """Return stationary point and principal axes; shape (..., 6) from coefficients (..., 6)."""
    _b0, b1, b2, b3, b4, b5 = np.moveaxis(np.asarray(b, dtype=float), -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = 4 * b3 * b5 - b4**2
        x0, y0 = (b2 * b4 - 2 * b1 * b5) / below, (b1 * b4 - 2 * b2 * b3) / below
        root = np.sqrt((b3 - b5) ** 2 + b4**2)
        p11, p21 = (b5 - b3 + root) / b4, (b5 - b3 - root) / b4
        return np.stack([x0, y0, y0 - p11 * x0, p11, y0 - p21 * x0, p21], axis=-1)


def _kind(b: Array) -> str:
    """Return the form of the surface by the signs of its curvatures."""
    curved = np.linalg.eigvalsh(np.array([[b[3], b[4] / 2], [b[4] / 2, b[5]]]))
    if curved[0] > 0:
        return "bowl"
    return "dome" if curved[1] < 0 else "saddle"


def _draws(
    z: Array, terms: pd.DataFrame, start: Array, family: str, n_boot: int, seed: int
) -> tuple[Array, int]:
    """Return coefficients of resampled rows, and how many draws failed.

    A draw fails if its columns are collinear or its count model has no maximum.
    """
    design = np.column_stack([np.ones(len(z)), terms.to_numpy()])
    rng, n = np.random.default_rng(seed), len(z)
    block = max(1, min(n_boot, BLOCK_CELLS // n))
    parts, failed = [], 0
    for first in range(0, n_boot, block):
        b = min(block, n_boot - first)
        rows = rng.integers(0, n, size=(b, n)) + n * np.arange(b)[:, None]
        counts = np.bincount(rows.ravel(), minlength=b * n).reshape(b, n).astype(float)
        solved, sound = _solve_draws(z, design, counts, start, family)
        parts.append(solved[sound])
        failed += int((~sound).sum())
    if failed > n_boot - 2:
        raise EstimationError(
            f"response_surface: n_boot= {n_boot} draws of rows, {failed} without a surface; rows "
            "that determine it are needed. Use a line."
        )
    return np.concatenate(parts), failed


def _solve_draws(
    z: Array, design: Array, counts: Array, start: Array, family: str
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the coefficients of draws told by how often each row counts, and which are sound."""
    (n, p), n_boot = design.shape, len(counts)
    products = (design[:, :, None] * design[:, None, :]).reshape(n, p * p)
    b = np.tile(start, (n_boot, 1))
    sound = np.ones(n_boot, dtype=bool)
    move = np.zeros((n_boot, p))
    for _step in range(1 if family == "normal" else STEPS):
        eta = b @ design.T
        mean = eta if family == "normal" else np.exp(eta.clip(max=30))
        weight = counts if family == "normal" else counts * mean
        hessian = (weight @ products).reshape(n_boot, p, p)
        sound &= np.linalg.cond(hessian) < 1e12
        hessian[~sound] = np.eye(p)
        move = np.linalg.solve(hessian, ((counts * (z - mean)) @ design)[..., None])[..., 0]
        b = b + move
        if np.abs(move[sound]).max(initial=0.0) < SETTLED:
            break
    if family == "count":
        sound &= np.abs(move).max(axis=1) < SETTLED
    return b, sound


def _grid(
    kept: pd.DataFrame, predictors: Sequence[str], middle: float, b: Array, family: str
) -> pd.DataFrame:
    """Return predicted values over the observed range of both predictors."""
    low = float(kept[list(predictors)].min().min())
    high = float(kept[list(predictors)].max().max())
    axis = np.linspace(low, high, GRID)
    x, y = (part.ravel() for part in np.meshgrid(axis, axis))
    line = np.column_stack([np.ones(len(x)), _terms(x - middle, y - middle)]) @ b
    return pd.DataFrame({"x": x, "y": y, "estimate": np.exp(line) if family == "count" else line})
