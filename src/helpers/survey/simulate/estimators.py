"""Means, shares and ratios with intervals: the estimators for which the tables were planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataContractError
from helpers.thresholds import LEVEL

_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval and the number of persons behind it."""

    value: float
    low: float
    high: float
    n: int


def mean(values: pd.Series, *, level: float = LEVEL) -> Estimate:
    """Return a mean with Student's interval; blanks are dropped."""
    x = _present(values)
    half = stats.t.ppf((1 + level) / 2, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))
    return Estimate(float(x.mean()), float(x.mean() - half), float(x.mean() + half), len(x))


def share(hits: pd.Series, *, level: float = LEVEL) -> Estimate:
    """Return a share with Wilson's interval (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    x = _present(hits)
    n, p, z = len(x), x.mean(), stats.norm.ppf((1 + level) / 2)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return Estimate(float(p), float(centre - half), float(centre + half), n)


def lift(group: pd.Series, base: pd.Series, *, level: float = LEVEL) -> Estimate:
    """Return the ratio of two independent means less 1, with a delta-method interval of its log."""
    x, y = _present(group), _present(base)
    variance = x.var(ddof=1) / len(x) / x.mean() ** 2 + y.var(ddof=1) / len(y) / y.mean() ** 2
    ratio = _log_interval(x.mean() / y.mean(), variance, len(x) + len(y), level)
    return Estimate(ratio.value - 1, ratio.low - 1, ratio.high - 1, ratio.n)


def paired_ratio(after: pd.Series, before: pd.Series, *, level: float = LEVEL) -> Estimate:
    """Return the ratio of two means of the same persons, with a delta-method interval of its log.

    The variance of ``log(mean(a) / mean(b))`` is that of the mean of ``a / mean(a) - b / mean(b)``.
    Persons with a blank in either are dropped.
    """
    both = pd.DataFrame({"after": after, "before": before}).dropna().astype(float)
    a, b = _present(both["after"]), _present(both["before"])
    influence = a / a.mean() - b / b.mean()
    return _log_interval(a.mean() / b.mean(), influence.var(ddof=1) / len(a), len(a), level)


def risk_ratio(group: pd.Series, base: pd.Series, *, level: float = LEVEL) -> Estimate:
    """Return the ratio of two shares with the interval of its log.

    Katz et al. (1978), doi:10.2307/2530610.
    """
    x, y = _present(group), _present(base)
    p, q = x.mean(), y.mean()
    if min(p, q) == 0:
        raise DataContractError(
            "risk_ratio: one of the two groups has no case; a ratio needs at least one in each. "
            "Report the two shares apart."
        )
    variance = (1 - p) / (p * len(x)) + (1 - q) / (q * len(y))
    return _log_interval(p / q, variance, len(x) + len(y), level)


def _log_interval(ratio: float, variance: float, n: int, level: float) -> Estimate:
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(variance)
    return Estimate(float(ratio), float(ratio * np.exp(-half)), float(ratio * np.exp(half)), n)


def _present(values: pd.Series) -> np.ndarray:
    """Return the values that are there; too few are an error."""
    x = values.dropna().to_numpy(dtype=float)
    if len(x) < _FEWEST:
        raise DataContractError(
            f"recovery estimator: values= '{values.name}' has {len(x)} answers; at least "
            f"{_FEWEST} are needed. Look at the groups with `study check`."
        )
    return x
