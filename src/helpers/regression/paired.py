"""Two measurements of the same people: change of the mean, and ratio of the means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, Unavailable, check_level
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.comparisons import small_sample_factor
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairedChange:
    """The same people asked twice.

    Attributes
    ----------
    before, after : float
        Means.
    change, ci_low, ci_high : float
        Mean difference, after minus before, with its t interval.
    t, p_value : float
    df : int
    g_av, g_low, g_high : float
        Change over the average SD of the two times, small-sample corrected; its interval is that of
        the change rescaled.
    ratio, ratio_low, ratio_high : float or Unavailable
        Mean after over mean before, interval by the delta method on the log scale.
    share_up : float
        Share of people who rose.
    n_used, n_dropped : int
    level : float
    """

    before: float
    after: float
    change: float
    ci_low: float
    ci_high: float
    t: float
    p_value: float
    df: int
    g_av: float
    g_low: float
    g_high: float
    ratio: float | Unavailable
    ratio_low: float | Unavailable
    ratio_high: float | Unavailable
    share_up: float
    n_used: int
    n_dropped: int
    level: float

    def table(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([self.to_dict()])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def text(self) -> str:
        """Return one sentence that reads the change."""
        return _(
            "The mean moves from {before:.2f} to {after:.2f}, a change of {change:.2f} "
            "({level:.0%} interval {low:.2f} to {high:.2f}; n = {n} pairs)."
        ).format(
            before=self.before,
            after=self.after,
            change=self.change,
            level=self.level,
            low=self.ci_low,
            high=self.ci_high,
            n=self.n_used,
        )


@remembered
def compare_paired(before: pd.Series, after: pd.Series, *, level: float = LEVEL) -> PairedChange:
    """Compare two measurements of the same people; incomplete pairs are left out and counted.

    Checked against base R ``t.test(paired = TRUE)`` and, for the ratio, R's formula by hand:
    tests/reference/regression.R.
    """
    check_level(level, "compare_paired")
    frame = pd.DataFrame({"before": before, "after": after}).astype(float).dropna()
    n = len(frame)
    if n < 3:
        raise DataContractError(
            f"compare_paired: before= and after= share {n} complete pairs; at least 3 are needed."
        )
    x, y = frame["before"].to_numpy(), frame["after"].to_numpy()
    difference = y - x
    se = float(np.std(difference, ddof=1) / np.sqrt(n))
    if np.ptp(difference) < 1e-9 * max(1.0, float(np.abs(y).max())):
        raise DataContractError(
            "compare_paired: after= differs from before= by the same amount for everybody; a "
            "change that varies is needed. Check that the columns are two measurements."
        )
    change = float(difference.mean())
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * se
    average_sd = np.sqrt((x.var(ddof=1) + y.var(ddof=1)) / 2)
    scale = small_sample_factor(n - 1) / average_sd
    ratio, low, high = _ratio_of_means(x, y, level)
    return PairedChange(
        before=float(x.mean()),
        after=float(y.mean()),
        change=change,
        ci_low=change - half,
        ci_high=change + half,
        t=change / se,
        p_value=float(2 * stats.t.sf(abs(change / se), n - 1)),
        df=n - 1,
        g_av=float(change * scale),
        g_low=float((change - half) * scale),
        g_high=float((change + half) * scale),
        ratio=ratio,
        ratio_low=low,
        ratio_high=high,
        share_up=float((difference > 0).mean()),
        n_used=n,
        n_dropped=len(before) - n,
        level=level,
    )


def _ratio_of_means(
    x: Array, y: Array, level: float
) -> tuple[float | Unavailable, float | Unavailable, float | Unavailable]:
    """Return mean y over mean x of paired values with a log-scale delta interval."""
    if x.mean() <= 0 or y.mean() <= 0:
        lacking = Unavailable(_("a ratio of means"), _("a mean is not above zero"))
        return lacking, lacking, lacking
    n = len(x)
    cov = np.cov(x, y)
    gradient = np.array([-1 / x.mean(), 1 / y.mean()])
    se = float(np.sqrt(gradient @ cov @ gradient / n))
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * se
    log = float(np.log(y.mean() / x.mean()))
    return float(np.exp(log)), float(np.exp(log - half)), float(np.exp(log + half))
