"""Moderation: how a slope depends on a third variable, with simple slopes and Johnson-Neyman."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, check_level
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.design import Term
from helpers.regression.hierarchical import spoken_p
from helpers.regression.least_squares import LeastSquares, compare_nested, fit_least_squares
from helpers.regression.process_slopes import SlopeLine, johnson_neyman, simple_slopes, three_levels
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

GRID = 40


@dataclass(frozen=True, slots=True)
class Moderation:
    """A product term and what it means.

    Attributes
    ----------
    predictor, moderator, outcome : str
    product, product_low, product_high, product_p : float
        Change of the slope per unit of the moderator (HC3).
    delta_r2, f_change, p_change : float
        Gain of the product term (classical F test).
    slopes : DataFrame
        at, moderator_value, slope, se, ci_low, ci_high, p_value; one SD below the moderator's mean,
        at it, and one above.
    region : tuple of float
        Johnson-Neyman values of the moderator, within its observed range, at which the slope's
        interval begins or ceases to hold zero; empty if it never does.
    regions : DataFrame
        low, high, sign (``+ - 0``): where the interval lies above zero, below it, or holds it, over
        the observed range.
    lines : DataFrame
        x, estimate, ci_low, ci_high, moderator: lines for drawing, controls at their means.
    n_used, n_dropped : int
    level : float
    method : str
    """

    predictor: str
    moderator: str
    outcome: str
    product: float
    product_low: float
    product_high: float
    product_p: float
    delta_r2: float
    f_change: float
    p_change: float
    slopes: pd.DataFrame
    region: tuple[float, ...]
    regions: pd.DataFrame
    lines: pd.DataFrame
    n_used: int
    n_dropped: int
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return the simple slopes."""
        return self.slopes

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def text(self) -> str:
        """Return one sentence that reads the product term."""
        return _(
            "Per unit of {moderator}, the slope of {outcome} on {predictor} changes by "
            "{product} ({level:.0%} interval {low} to {high}, p {p}; n = {n})."
        ).format(
            moderator=self.moderator,
            outcome=self.outcome,
            predictor=self.predictor,
            product=_signed(self.product),
            level=self.level,
            low=_signed(self.product_low),
            high=_signed(self.product_high),
            p=spoken_p(self.product_p),
            n=self.n_used,
        )

    def region_text(self) -> str:
        """Return one sentence on the Johnson-Neyman values."""
        words = {
            "+": _("lies above zero from {low:.2f} to {high:.2f}"),
            "-": _("lies below zero from {low:.2f} to {high:.2f}"),
            "0": _("holds zero from {low:.2f} to {high:.2f}"),
        }
        parts = [
            words[row["sign"]].format(low=row["low"], high=row["high"])
            for row in self.regions.to_dict("records")
        ]
        return _(
            "By Johnson and Neyman, over the observed range of {moderator} the interval of the "
            "slope {parts}."
        ).format(moderator=self.moderator, parts=_("; ").join(parts))


@remembered
def moderation(
    outcome: pd.Series,
    predictor: Term,
    moderator: Term,
    *,
    controls: Sequence[Term] = (),
    label: str = "",
    level: float = LEVEL,
) -> Moderation:
    """Fit an outcome on predictor, moderator and their product, predictor and moderator centred.

    Parameters
    ----------
    outcome : Series
    predictor, moderator : Term
        Each one column of numbers.
    controls : sequence of Term
    label : str
        Name of the outcome.
    level : float

    Notes
    -----
    Rows with a blank in any variable are left out and counted. HC3 errors. Scale scores carry
    measurement error, which shrinks the product most: a latent interaction is the stricter test.
    Johnson & Neyman (1936); Bauer & Curran (2005), doi:10.1207/s15327906mbr4003_5. Checked against
    base R: tests/reference/regression.R.
    """
    check_level(level, "moderation")
    for term in (predictor, moderator):
        if term.columns.shape[1] != 1 or term.reference:
            raise DataContractError(
                f"moderation: '{term.name}' is a category; predictor and moderator must be "
                "numbers. Compare groups for a categorical moderator."
            )
    x_all, w_all = predictor.columns.iloc[:, 0], moderator.columns.iloc[:, 0]
    parts = [outcome.rename("__y"), x_all.rename("__x"), w_all.rename("__w")]
    frame = pd.concat([*parts, *(term.columns for term in controls)], axis=1).astype(float)
    kept = frame.dropna()
    centre_x, centre_w = kept["__x"].mean(), kept["__w"].mean()
    x, w = kept["__x"] - centre_x, kept["__w"] - centre_w
    others = kept.drop(columns=["__y", "__x", "__w"])
    design = pd.concat([x, w, (x * w).rename("__xw"), others - others.mean()], axis=1)
    fit = fit_least_squares(kept["__y"], design)
    without = fit_least_squares(kept["__y"], design.drop(columns="__xw"))
    f, _df, p = compare_nested(without, fit)
    critical = float(stats.t.ppf((1 + level) / 2, fit.df_resid))
    half = critical * fit.se()[3]
    sd = float(kept["__w"].std(ddof=1))
    line = SlopeLine(
        float(fit.b[1]), float(fit.b[3]), fit.cov[np.ix_([1, 3], [1, 3])], 0.0, sd,
        float(w.min()), float(w.max()), fit.df_resid, level,
    )  # fmt: skip
    found = johnson_neyman(line)
    return Moderation(
        predictor=predictor.label,
        moderator=moderator.label,
        outcome=label,
        product=float(fit.b[3]),
        product_low=float(fit.b[3] - half),
        product_high=float(fit.b[3] + half),
        product_p=float(2 * stats.t.sf(abs(fit.b[3] / fit.se()[3]), fit.df_resid)),
        delta_r2=fit.r2 - without.r2,
        f_change=f,
        p_change=p,
        slopes=_uncentred(simple_slopes(line), centre_w),
        region=tuple(float(root + centre_w) for root in found.ends),
        regions=found.regions.assign(
            low=found.regions["low"] + centre_w, high=found.regions["high"] + centre_w
        ),
        lines=_lines(fit, kept["__x"], centre_x, sd, critical),
        n_used=len(kept),
        n_dropped=len(frame) - len(kept),
        level=level,
        method="OLS with a product of centred variables, HC3; listwise",
    )


def _uncentred(slopes: pd.DataFrame, centre: float) -> pd.DataFrame:
    """Return simple slopes with the moderator's values in its own unit."""
    return slopes.assign(moderator_value=slopes["moderator_value"] + centre)


def _signed(value: float) -> str:
    """Return a number with three decimals and a true minus sign."""
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def _lines(
    fit: LeastSquares, x: pd.Series, centre: float, sd: float, critical: float
) -> pd.DataFrame:
    """Return predicted lines at three levels of the moderator, controls at their means."""
    grid = np.linspace(float(x.min()), float(x.max()), GRID)
    parts = []
    for name, step in three_levels():
        at = step * sd
        design = np.zeros((GRID, len(fit.b)))
        design[:, 0], design[:, 1], design[:, 2] = 1, grid - centre, at
        design[:, 3] = (grid - centre) * at
        line = design @ fit.b
        half = critical * np.sqrt(np.einsum("ij,jk,ik->i", design, fit.cov, design))
        parts.append(
            pd.DataFrame({"x": grid, "estimate": line, "ci_low": line - half,
                          "ci_high": line + half, "moderator": name})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)
