"""Means of groups compared: Welch, Hedges g, omega squared."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.oneway import anova_oneway

from helpers.errors import DataContractError, EstimationError, Unavailable, check_level
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.hierarchical import spoken_p
from helpers.thresholds import LEVEL, THRESHOLDS

Array = NDArray[np.float64]

FAR_T = 1000.0
"""A t beyond which the noncentral t is not computed: the ends of its normal
approximation are within 0.3 % of t."""


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """Means of groups, tests of their equality, and effect sizes.

    Attributes
    ----------
    means : DataFrame
        One row a group: group, n, mean, sd, ci_low, ci_high (t interval of the group's own SD),
        compared (whether it is large enough to be tested).
    pairs : DataFrame
        One row a pair of compared groups: group_1, group_2, difference, ci_low, ci_high (Welch),
        t, df, p_value, p_adjusted (Holm), g, g_low, g_high (Hedges).
    welch_f, welch_df1, welch_df2, welch_p : float or Unavailable
    omega_sq, omega_sq_low, omega_sq_high : float or Unavailable
        Share of variance between groups (not below 0) with the noncentral F interval.
    n_used, n_dropped : int
    level : float
    method : str
    """

    means: pd.DataFrame
    pairs: pd.DataFrame
    welch_f: float | Unavailable
    welch_df1: float | Unavailable
    welch_df2: float | Unavailable
    welch_p: float | Unavailable
    omega_sq: float | Unavailable
    omega_sq_low: float | Unavailable
    omega_sq_high: float | Unavailable
    n_used: int
    n_dropped: int
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return one row a pair."""
        return self.pairs

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def text(self) -> str | Unavailable:
        """Return one sentence with the test and omega squared."""
        if isinstance(self.welch_f, Unavailable):
            return self.welch_f
        return _(
            "Welch's test of equal means: F({df1:.0f}, {df2:.1f}) = {f:.2f}, p {p}; group carries "
            "{omega:.1%} of the variance ({level:.0%} interval {low:.1%} to {high:.1%}; n = {n})."
        ).format(
            df1=self.welch_df1,
            df2=self.welch_df2,
            f=self.welch_f,
            p=spoken_p(float(self.welch_p)),
            omega=self.omega_sq,
            level=self.level,
            low=self.omega_sq_low,
            high=self.omega_sq_high,
            n=int(self.means.loc[self.means["compared"], "n"].sum()),
        )


@remembered
def compare_groups(
    values: pd.Series,
    groups: pd.Series,
    *,
    level: float = LEVEL,
    least: int | None = None,
) -> GroupComparison:
    """Compare the means of a variable between groups, without assuming equal variances.

    Parameters
    ----------
    values, groups : Series, same index
        Rows with a blank in either are left out and counted.
    least : int, optional
        Smallest group that is tested; the suite's ``group_size`` if not given. Smaller groups are
        described only.

    Notes
    -----
    Welch's F and t tests; p-values of pairs adjusted by Holm. Hedges g uses the pooled SD, its
    interval the noncentral t. Omega squared is ``(SSB - df MSW) / (SST + MSW)``, its interval from
    the noncentral F (Steiger 2004, doi:10.1037/1082-989X.9.2.164). Checked against base R and
    psych ``cohen.d.ci``: tests/reference/regression.R.
    """
    check_level(level, "compare_groups")
    frame = pd.DataFrame({"value": values.astype(float), "group": groups}).dropna()
    size = int(THRESHOLDS["group_size"].value) if least is None else least
    order = list(pd.Categorical(frame["group"]).remove_unused_categories().categories)
    parts = {name: frame.loc[frame["group"] == name, "value"].to_numpy() for name in order}
    if len(parts) < 2:
        raise DataContractError(
            f"compare_groups: groups= has {len(parts)} group(s) with values; at least 2 are "
            "needed. Check the grouping item."
        )
    tested = {name: x for name, x in parts.items() if len(x) >= max(size, 2) and np.ptp(x) > 0}
    means = pd.DataFrame([_mean_row(name, x, level, name in tested) for name, x in parts.items()])
    head: dict[str, Any] = {
        "means": means, "n_used": len(frame), "n_dropped": len(values) - len(frame),
        "level": level, "method": "Welch tests, Holm; Hedges g, omega squared; listwise",
    }  # fmt: skip
    if len(tested) < 2:
        lacking = Unavailable(
            _("a comparison of the groups"),
            _("fewer than two groups have {least} or more respondents whose answers vary").format(
                least=size
            ),
        )
        empty = dict.fromkeys(
            ("welch_f", "welch_df1", "welch_df2", "welch_p", "omega_sq", "omega_sq_low",
             "omega_sq_high"), lacking)  # fmt: skip
        return GroupComparison(pairs=pd.DataFrame(), **head, **empty)
    arrays = list(tested.values())
    welch = anova_oneway(arrays, use_var="unequal", welch_correction=True)
    omega, low, high = omega_squared(arrays, level=level)
    return GroupComparison(
        pairs=_pairs(tested, level),
        welch_f=float(welch.statistic),
        welch_df1=float(welch.df_num),
        welch_df2=float(welch.df_denom),
        welch_p=float(welch.pvalue),
        omega_sq=omega,
        omega_sq_low=low,
        omega_sq_high=high,
        **head,
    )


def _mean_row(name: object, x: Array, level: float, compared: bool) -> dict[str, Any]:
    """Return one group's description."""
    n = len(x)
    sd = float(np.std(x, ddof=1)) if n > 1 else float("nan")
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * sd / np.sqrt(n) if n > 1 else sd
    mean = float(x.mean())
    return {
        "group": str(name), "n": n, "mean": mean, "sd": sd, "ci_low": mean - half,
        "ci_high": mean + half, "compared": compared,
    }  # fmt: skip


def _pairs(groups: dict[object, Array], level: float) -> pd.DataFrame:
    """Return every pair's Welch test and Hedges g; positive: the first group is higher."""
    rows = []
    for (first, a), (second, b) in combinations(groups.items(), 2):
        test = stats.ttest_ind(a, b, equal_var=False)
        interval = test.confidence_interval(level)
        g, low, high = hedges_g(a, b, level=level)
        rows.append(
            {
                "group_1": str(first), "group_2": str(second),
                "difference": float(a.mean() - b.mean()),
                "ci_low": float(interval.low), "ci_high": float(interval.high),
                "t": float(test.statistic), "df": float(test.df), "p_value": float(test.pvalue),
                "g": g, "g_low": low, "g_high": high,
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    adjusted = multipletests(table["p_value"], method="holm")[1]
    table.insert(table.columns.get_loc("p_value") + 1, "p_adjusted", adjusted)
    return table


def hedges_g(a: ArrayLike, b: ArrayLike, *, level: float = LEVEL) -> tuple[float, float, float]:
    """Return Hedges g of two groups with its noncentral t interval.

    ``J(df) * (mean a - mean b) / pooled SD`` with the exact gamma-function J. Hedges (1981),
    doi:10.3102/10769986006002107.
    """
    check_level(level, "hedges_g")
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    n1, n2 = len(x), len(y)
    df = n1 + n2 - 2
    if min(n1, n2) < 2 or max(np.ptp(x), np.ptp(y)) == 0:
        raise EstimationError(
            f"hedges_g: a= and b= hold {n1} and {n2} values; two of each, and values that vary in "
            "one of them, are needed. Describe the means only."
        )
    pooled = np.sqrt(((n1 - 1) * x.var(ddof=1) + (n2 - 1) * y.var(ddof=1)) / df)
    scale = np.sqrt(1 / n1 + 1 / n2)
    t = float((x.mean() - y.mean()) / (pooled * scale))
    correction = small_sample_factor(df)
    low, high = (bound * scale * correction for bound in _noncentral_t(t, df, level))
    return t * scale * correction, low, high


def small_sample_factor(df: float) -> float:
    """Return Hedges' correction J of a standardised mean difference."""
    from scipy.special import gammaln

    return float(np.exp(gammaln(df / 2) - gammaln((df - 1) / 2) - np.log(df / 2) / 2))


def _noncentral_t(t: float, df: float, level: float) -> tuple[float, float]:
    """Return the noncentrality values whose t distribution has t at its tails."""
    tail = (1 - level) / 2

    if abs(t) > FAR_T:
        # scipy's noncentral t has no values here; the normal law of t (Johnson & Welch 1940)
        half = float(stats.norm.ppf((1 + level) / 2)) * np.sqrt(1 + t**2 / (2 * df))
        return t - half, t + half

    def bound(probability: float, side: int) -> float:
        def distance(d: float) -> float:
            return float(stats.nct.cdf(t, df, d)) - probability

        # step outwards: scipy's distribution has no values far from t
        step = max(1.0, abs(t) / 50)
        end = t + side * step
        while side * distance(end) > 0:
            end += side * step
        return float(optimize.brentq(distance, *sorted((t - side * step, end)), xtol=1e-12))

    return bound(1 - tail, -1), bound(tail, 1)


def omega_squared(groups: list[Array], *, level: float = LEVEL) -> tuple[float, float, float]:
    """Return omega squared of a one-way layout with its noncentral F interval."""
    check_level(level, "omega_squared")
    n, k = sum(len(x) for x in groups), len(groups)
    grand = np.concatenate(groups).mean()
    between = float(sum(len(x) * (x.mean() - grand) ** 2 for x in groups))
    within = float(sum(((x - x.mean()) ** 2).sum() for x in groups))
    df1, df2 = k - 1, n - k
    if k < 2 or df2 < 1 or within <= 0:
        raise EstimationError(
            f"omega_squared: groups= are {k} with {n} values that do not vary within them; two "
            "groups and a spread within are needed. Describe the means only."
        )
    mean_within = within / df2
    omega = max(0.0, (between - df1 * mean_within) / (between + within + mean_within))
    f = between / df1 / mean_within
    low, high = (_noncentral_f(f, df1, df2, tail) for tail in ((1 + level) / 2, (1 - level) / 2))
    return omega, low / (low + n), high / (high + n)


def _noncentral_f(f: float, df1: int, df2: int, probability: float) -> float:
    """Return the noncentrality at which F has the given cumulative probability, at least 0."""
    if stats.f.cdf(f, df1, df2) <= probability:
        return 0.0

    def distance(d: float) -> float:
        return float(special.ncfdtr(df1, df2, d, f)) - probability

    top = 1.0
    while distance(top) > 0:
        top *= 2
    if not np.isfinite(distance(top)):
        # beyond the reach of the noncentral F: its numerator less f times its denominator, normal
        tail = float(stats.norm.ppf(1 - probability))
        return max(
            0.0, f * df1 - df1 + tail * np.sqrt(2 * (df1 + 2 * f * df1) + 2 * (f * df1) ** 2 / df2)
        )
    return float(optimize.brentq(distance, 1e-12, top))
