"""Two measurements of the same people: effect sizes, equivalence, and change between groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, check_level, listing
from helpers.memo import remembered
from helpers.regression.comparisons import _noncentral_t, small_sample_factor
from helpers.regression.least_squares import robust_degrees
from helpers.thresholds import LEVEL, THRESHOLDS

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChangeEffect:
    """Effect sizes of a change within people, with a test of equivalence.

    Attributes
    ----------
    before, after, change, ci_low, ci_high : float
        Means and mean difference (after less before) with its t interval.
    t, p_value : float
    df : int
    r : float
        Correlation of the two measurements.
    dz, dz_low, dz_high : float
        Change over the SD of the differences; noncentral t interval.
    dav, dav_low, dav_high : float
        Change over the mean of the two SDs; delta-method interval (Bonett 2008).
    gav, gav_low, gav_high : float
        The same times Hedges' small-sample factor.
    bound : float
        Largest change that counts as none, in units of the outcome.
    tost_p : float
        p-value of the claim "the change is smaller than the bound in size" (two one-sided tests).
    equivalent : bool
        Whether ``tost_p`` is below ``1 - level``.
    n_used, n_dropped : int
    level : float
    method : str
    """

    before: float
    after: float
    change: float
    ci_low: float
    ci_high: float
    t: float
    p_value: float
    df: int
    r: float
    dz: float
    dz_low: float
    dz_high: float
    dav: float
    dav_low: float
    dav_high: float
    gav: float
    gav_low: float
    gav_high: float
    bound: float
    tost_p: float
    equivalent: bool
    n_used: int
    n_dropped: int
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([self.to_dict()])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@remembered
def change_effect(
    before: pd.Series,
    after: pd.Series,
    *,
    bound: float | None = None,
    level: float = LEVEL,
) -> ChangeEffect:
    """Estimate a change within people, and test whether it is practically none.

    Parameters
    ----------
    before, after : Series, same index
        Incomplete pairs are left out and counted.
    bound : float, optional
        Half-width of the region of equivalence, in units of the outcome; by default the suite's
        ``equivalence_sd`` times the mean SD of the two measurements.
    level : float

    Notes
    -----
    ``dz = mean(D) / sd(D)`` with the noncentral t interval. ``dav = mean(D) / s`` with
    ``s**2 = (s1**2 + s2**2) / 2`` and the variance of Bonett (2008) for two dependent measurements.
    Equivalence by two one-sided tests (Schuirmann 1987; Lakens 2017). Checked against base R with
    the formulas written out (tests/reference/change.R, 1e-8), dav also against the worked example
    of the R package statpsych.

    References
    ----------
    Bonett (2008), doi:10.1037/1082-989X.13.2.99.
    Lakens (2017), doi:10.1177/1948550617697177.
    """
    check_level(level, "change_effect")
    pairs = pd.DataFrame({"x": before, "y": after}).astype(float).dropna()
    n = len(pairs)
    if bound is not None and not bound > 0:
        raise DataContractError(
            f"change_effect: bound= is {bound}; a half-width above zero is needed. Leave it out "
            "for the suite's own."
        )
    gap = (pairs["y"] - pairs["x"]).to_numpy()
    if n < 4 or np.ptp(gap) < 1e-9:
        raise DataContractError(
            f"change_effect: before= and after= share {n} complete pairs whose change varies by "
            f"{np.ptp(gap) if n else 0:g}; four pairs and a change that varies are needed. Check "
            "that the columns are two measurements."
        )
    x, y = pairs["x"].to_numpy(), pairs["y"].to_numpy()
    sd, mean = float(gap.std(ddof=1)), float(gap.mean())
    se, df = sd / np.sqrt(n), n - 1
    half = float(stats.t.ppf((1 + level) / 2, df)) * se
    t = mean / se
    low, high = (end / np.sqrt(n) for end in _noncentral_t(t, df, level))
    r = float(np.corrcoef(x, y)[0, 1]) if min(np.ptp(x), np.ptp(y)) > 0 else 0.0
    average, dav, dav_half = _average_effect(x, y, mean, r, level)
    width = THRESHOLDS["equivalence_sd"].value * average if bound is None else float(bound)
    tost = float(max(stats.t.sf((mean + width) / se, df), stats.t.cdf((mean - width) / se, df)))
    small = small_sample_factor(df)
    return ChangeEffect(
        before=float(x.mean()), after=float(y.mean()), change=mean, ci_low=mean - half,
        ci_high=mean + half, t=t, p_value=float(2 * stats.t.sf(abs(t), df)), df=df, r=r,
        dz=mean / sd, dz_low=low, dz_high=high, dav=dav, dav_low=dav - dav_half,
        dav_high=dav + dav_half, gav=dav * small, gav_low=(dav - dav_half) * small,
        gav_high=(dav + dav_half) * small, bound=width, tost_p=tost,
        equivalent=tost < 1 - level, n_used=n, n_dropped=len(before) - n, level=level,
        method="paired t; noncentral t (dz), Bonett (dav), two one-sided tests; listwise",
    )  # fmt: skip


def _average_effect(
    x: Array, y: Array, mean: float, r: float, level: float
) -> tuple[float, float, float]:
    """Return the average SD, the change in its units, and half its interval (Bonett 2008)."""
    df = len(x) - 1
    v1, v2 = float(x.var(ddof=1)), float(y.var(ddof=1))
    s2 = (v1 + v2) / 2
    d = mean / np.sqrt(s2)
    spread = d**2 * (v1**2 + v2**2 + 2 * (r**2) * v1 * v2) / (8 * df * s2**2)
    own = (v1 + v2 - 2 * r * np.sqrt(v1 * v2)) / (df * s2)
    half = float(stats.norm.ppf((1 + level) / 2) * np.sqrt(spread + own))
    return float(np.sqrt(s2)), float(d), half


@dataclass(frozen=True, slots=True)
class GroupChange:
    """One contrast of two groups, told by the change score and by the analysis of covariance.

    Attributes
    ----------
    effects : DataFrame
        One row a way: way (``change``, ``ancova``, ``after``), estimate (group 1 less group 0),
        se, df, ci_low, ci_high, p_value, d (over the SD of the later measurement in group 0; blank
        if it never varies there).
    slope : float
        Of after on before within groups; where it is 1 the first two ways agree.
    before_gap : float
        Difference of the groups before.
    n_used, n_dropped, n_first : int
        Respondents, left out for a blank, and in group 1.
    effective : float
        Effective number of respondents under the weights; ``n_used`` without weights.
    level : float
    method : str
    """

    effects: pd.DataFrame
    slope: float
    before_gap: float
    n_used: int
    n_dropped: int
    n_first: int
    effective: float
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return one row a way."""
        return self.effects

    def effect(self, way: str) -> pd.Series:
        """Return one row of ``effects``."""
        return self.effects.set_index("way").loc[way]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@remembered
def compare_change(
    before: pd.Series,
    after: pd.Series,
    group: pd.Series,
    *,
    weights: pd.Series | None = None,
    level: float = LEVEL,
) -> GroupChange:
    """Compare a change between two groups in three ways.

    Parameters
    ----------
    before, after : Series, same index
    group : Series of 0 and 1
    weights : Series, optional
        Of respondents (against attrition), above zero; none: all equal.
    level : float

    Raises
    ------
    DataContractError
        The group is not 0 and 1 with three rows each, a weight is not above zero, or the earlier
        measurement never varies within the groups.

    Notes
    -----
    ``change``: after less before on group; ``ancova``: after on group and before; ``after``: after
    on group alone. HC3 errors throughout. The first two differ when the groups differed before and
    the slope is not 1 (Lord 1967): the change score asks whether the groups changed differently,
    the covariance whether people who began alike ended differently. Where groups were not dealt
    out by chance neither answers what the recovery caused. Checked against base R and
    ``sandwich::vcovHC`` (tests/reference/change.R, 1e-8).

    References
    ----------
    Lord (1967), doi:10.1037/h0025105. Van Breukelen (2013), doi:10.1080/00273171.2013.831743.
    Imbens & Kolesar (2016), doi:10.1162/REST_a_00552, for the degrees of freedom.
    """
    check_level(level, "compare_change")
    given = pd.Series(1.0, index=before.index) if weights is None else weights
    table = pd.DataFrame({"x": before, "y": after, "g": group, "w": given}).astype(float)
    kept = table.dropna()
    if set(kept["g"].unique()) != {0.0, 1.0} or kept["g"].value_counts().min() < 3:
        raise DataContractError(
            f"compare_change: group= has the values {listing(sorted(kept['g'].unique()))} among "
            f"{len(kept)} complete rows; 0 and 1, three rows each, are needed. Code the group."
        )
    if not (kept["w"] > 0).all():
        raise DataContractError(
            f"compare_change: weights= hold {int((~(kept['w'] > 0)).sum())} that are not above "
            "zero; a weight says how many respondents one stands for. Leave these rows blank."
        )
    flat = [n for n in ("x", "y") if (kept.groupby("g")[n].nunique() < 2).all()]
    same = np.ptp(kept["y"] - kept["x"]) == 0
    if flat or same:
        raise DataContractError(
            "compare_change: before= or after= never vary within the groups, or differ by the same "
            "amount for everybody; two measurements that vary are needed. Check the columns."
        )
    ones = np.ones(len(kept))
    g, x, y = (kept[name].to_numpy() for name in ("g", "x", "y"))
    w = kept["w"].to_numpy()
    fits = {
        "change": _weighted(y - x, np.column_stack([ones, g]), w),
        "ancova": _weighted(y, np.column_stack([ones, g, x]), w),
        "after": _weighted(y, np.column_stack([ones, g]), w),
    }
    sd = float(np.std(y[g == 0], ddof=1))
    rows = []
    for way, fit in fits.items():
        b, se = float(fit.params[1]), float(fit.HC3_se[1])
        df = float(robust_degrees(fit.model.wexog)[1])
        half = float(stats.t.ppf((1 + level) / 2, df)) * se
        p = float(2 * stats.t.sf(abs(b / se), df))
        rows.append(
            {"way": way, "estimate": b, "se": se, "df": df, "ci_low": b - half, "ci_high": b + half,
             "p_value": p, "d": b / sd if sd > 0 else np.nan}
        )  # fmt: skip
    before_fit = _weighted(x, np.column_stack([ones, g]), w)
    return GroupChange(
        effects=pd.DataFrame(rows),
        slope=float(fits["ancova"].params[2]),
        before_gap=float(before_fit.params[1]),
        n_used=len(kept),
        n_dropped=len(table) - len(kept),
        n_first=int(g.sum()),
        effective=float(w.sum() ** 2 / (w**2).sum()),
        level=level,
        method="least squares, HC3, Bell-McCaffrey"
        + ("" if weights is None else ", weighted")
        + "; listwise",
    )


def _weighted(y: Array, design: Array, w: Array) -> Any:
    """Return a weighted least-squares fit."""
    return sm.WLS(y, design, weights=w).fit()
