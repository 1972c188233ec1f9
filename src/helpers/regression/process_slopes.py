"""Simple slopes and the Johnson-Neyman region, from two coefficients and their covariance.

The slope at a value ``w`` of the moderator is ``b1 + b3 w``; its variance is
``v11 + 2 w v13 + w^2 v33``. The region's ends are the values of ``w`` at which the slope squared
equals the critical value squared times that variance (Bauer & Curran 2005,
doi:10.1207/s15327906mbr4003_5). Observed and latent moderators share these formulas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError
from helpers.i18n import _
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

CURVE_POINTS = 81
LINE_POINTS = 25


@dataclass(frozen=True, slots=True)
class SlopeLine:
    """How a slope depends on a moderator.

    Attributes
    ----------
    slope, change : float
        b1, the slope where the moderator is 0, and b3, its change per unit of the moderator.
    cov : ndarray, shape (2, 2)
        Covariance of b1 and b3.
    mean, sd : float
        Of the moderator, on the scale on which b1 belongs to 0.
    low, high : float
        Range of the moderator within which the region is looked for.
    df : float
        Degrees of freedom of Student's t; infinite for the normal distribution.
    level : float
    """

    slope: float
    change: float
    cov: Array
    mean: float
    sd: float
    low: float
    high: float
    df: float = np.inf
    level: float = LEVEL

    @property
    def critical(self) -> float:
        """Two-sided critical value."""
        return float(stats.t.ppf((1 + self.level) / 2, self.df))

    def at(self, values: Array) -> tuple[Array, Array]:
        """Return the slopes at values of the moderator, and their standard errors."""
        variance = self.cov[0, 0] + 2 * values * self.cov[0, 1] + values**2 * self.cov[1, 1]
        return self.slope + self.change * values, np.sqrt(np.clip(variance, 0.0, None))


@dataclass(frozen=True, slots=True)
class JohnsonNeyman:
    """Where in the moderator's range the slope's interval holds zero.

    Attributes
    ----------
    ends : tuple of float
        Values within the range at which that begins or ceases.
    regions : DataFrame
        Columns low, high, sign: ``+`` or ``-`` where the interval lies on one side of zero, ``0``
        where it holds zero; from the lower to the upper end of the range.
    curve : DataFrame
        Columns moderator_value, slope, ci_low, ci_high: a grid over the range for drawing.
    level : float
    """

    ends: tuple[float, ...]
    regions: pd.DataFrame
    curve: pd.DataFrame
    level: float


def three_levels() -> tuple[tuple[str, float], ...]:
    """Return names and distances in SD of the three usual values of a moderator."""
    return (
        (_("one SD below the mean"), -1.0),
        (_("mean"), 0.0),
        (_("one SD above the mean"), 1.0),
    )


def simple_slopes(line: SlopeLine) -> pd.DataFrame:
    """Return the slope at the moderator's mean and one SD below and above it.

    Columns at, moderator_value, slope, se, ci_low, ci_high, p_value. The SD is taken as known.
    Aiken & West (1991).
    """
    names, steps = zip(*three_levels())
    values = line.mean + line.sd * np.array(steps)
    slope, se = line.at(values)
    with np.errstate(divide="ignore"):
        p = 2 * stats.t.sf(np.abs(slope / se), line.df)
    half = line.critical * se
    return pd.DataFrame(
        {"at": names, "moderator_value": values, "slope": slope, "se": se,
         "ci_low": slope - half, "ci_high": slope + half, "p_value": p}
    )  # fmt: skip


def johnson_neyman(line: SlopeLine) -> JohnsonNeyman:
    """Find the Johnson-Neyman region of a slope within the moderator's range.

    Raises
    ------
    DataContractError
        The range is empty: the moderator has one value.

    Notes
    -----
    Checked by the definition: at every end the interval touches zero.
    """
    if not line.high > line.low:
        raise DataContractError(
            f"johnson_neyman: line= has a moderator from {line.low:g} to {line.high:g}; a range is "
            "needed. Choose a moderator that varies."
        )
    ends = _ends(line)
    borders = [line.low, *ends, line.high]
    middles = np.array([(a + b) / 2 for a, b in zip(borders[:-1], borders[1:])])
    slope, se = line.at(middles)
    sign = np.where(np.abs(slope) <= line.critical * se, "0", np.where(slope > 0, "+", "-"))
    regions = pd.DataFrame({"low": borders[:-1], "high": borders[1:], "sign": sign})
    grid = np.linspace(line.low, line.high, CURVE_POINTS)
    slope, se = line.at(grid)
    half = line.critical * se
    curve = pd.DataFrame({"moderator_value": grid, "slope": slope, "ci_low": slope - half,
                          "ci_high": slope + half})  # fmt: skip
    return JohnsonNeyman(tuple(ends), regions, curve, line.level)


def _ends(line: SlopeLine) -> list[float]:
    """Return the real roots, within the range, of slope squared = critical squared * variance."""
    c2 = line.critical**2
    a = line.change**2 - c2 * line.cov[1, 1]
    b = 2 * (line.slope * line.change - c2 * line.cov[0, 1])
    c = line.slope**2 - c2 * line.cov[0, 0]
    roots = np.roots([a, b, c])
    real = sorted(float(r.real) for r in roots if abs(r.imag) < 1e-12 * max(1.0, abs(r)))
    return [r for r in real if line.low < r < line.high]


def prediction_lines(
    coefficients: Array, cov: Array, *, x: tuple[float, float], moderator: tuple[float, float],
    critical: float,
) -> pd.DataFrame:  # fmt: skip
    """Return predicted outcomes along the predictor at three values of the moderator.

    Parameters
    ----------
    coefficients, cov : ndarray, shapes (3,) and (3, 3)
        Predictor, moderator, product. The outcome is counted from its value at both means.
    x, moderator : (mean, sd)
        The predictor runs from two SD below to two SD above its mean.

    Returns
    -------
    DataFrame
        Columns x, estimate, ci_low, ci_high, moderator, as ``plots.plot_interaction`` takes them.
    """
    grid = np.linspace(-2.0, 2.0, LINE_POINTS) * x[1] + x[0]
    origin = np.array([x[0], moderator[0], x[0] * moderator[0]])
    parts = []
    for name, step in three_levels():
        w = moderator[0] + step * moderator[1]
        design = np.column_stack([grid, np.full_like(grid, w), grid * w]) - origin
        line = design @ coefficients
        half = critical * np.sqrt(np.einsum("ij,jk,ik->i", design, cov, design))
        parts.append(
            pd.DataFrame({"x": grid, "estimate": line, "ci_low": line - half,
                          "ci_high": line + half, "moderator": name})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)
