"""Correlations that involve continuous variables: polyserial and Pearson, with casewise scores.

Continuous variables come standardised with their own mean and standard deviation (divisor n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from helpers.sem.ordinal_newton import maximise_correlations

Array = NDArray[np.float64]
Index = NDArray[np.intp]

POLYSERIAL_BOUND = 0.995
PEARSON_BOUND = 0.999
"""lavaan's bounds of its searches."""

_SMALLEST = float(np.finfo(float).eps)
"""Least conditional probability of a category, as in lavaan."""

_NUMBERS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class MixedScores:
    """Casewise derivatives for pairs of a continuous and an ordered variable, shape (n, pairs).

    Attributes
    ----------
    rho, mean, variance : arrays
        By the correlation, and by the mean and variance of the continuous variable.
    upper, lower : arrays
        By the threshold above and by the one below the answered category.
    """

    rho: Array
    mean: Array
    variance: Array
    upper: Array
    lower: Array


@dataclass(frozen=True, slots=True)
class PearsonScores:
    """Casewise derivatives for pairs of continuous variables, shape (n, pairs)."""

    rho: Array
    mean_first: Array
    mean_second: Array
    variance_first: Array
    variance_second: Array


def polyserial(z: Array, upper: Array, lower: Array, present: Array, start: Array) -> Array:
    """Return the maximum-likelihood correlation of each pair at given thresholds.

    Parameters
    ----------
    z : array, shape (n, pairs)
        The standardised continuous variable of each pair.
    upper, lower : arrays, shape (n, pairs)
        Thresholds around the answered category, +-38 at the ends.
    present : array of 0 and 1, shape (n, pairs)
        Rows that answer both.
    start : array, shape (pairs,)

    References
    ----------
    Olsson, Drasgow & Dorans (1982), doi:10.1007/BF02294164 (two-step estimator).
    """
    rho = np.empty(len(start))
    width = max(1, _NUMBERS_AT_ONCE // max(1, len(z)))
    for first in range(0, len(start), width):
        part = slice(first, first + width)
        slopes = _PolyserialSlopes(z[:, part], upper[:, part], lower[:, part], present[:, part])
        rho[part] = maximise_correlations(slopes, start[part], bound=POLYSERIAL_BOUND)
    return rho


class _PolyserialSlopes:
    """First and second derivatives of the conditional log-likelihood of the categories."""

    def __init__(self, z: Array, upper: Array, lower: Array, present: Array) -> None:
        self.z, self.upper, self.lower, self.present = z, upper, lower, present

    def __call__(self, rho: Array, active: Index) -> tuple[Array, Array]:
        z, present = self.z[:, active], self.present[:, active]
        rest = 1 - rho * rho
        above = self._limit(self.upper[:, active], z, rho, rest)
        below = self._limit(self.lower[:, active], z, rho, rest)
        probability = np.maximum(above[0] - below[0], _SMALLEST)
        ratio = (above[1] - below[1]) / probability
        bend = (above[2] - below[2]) / probability - ratio**2
        return (present * ratio).sum(axis=0), (present * bend).sum(axis=0)

    @staticmethod
    def _limit(limit: Array, z: Array, rho: Array, rest: Array) -> tuple[Array, Array, Array]:
        """Return Phi(a), a = (limit - rho z) / sqrt(1 - rho^2), and two derivatives by rho."""
        root = np.sqrt(rest)
        a = (limit - rho * z) / root
        shift = rho * limit - z
        slope = shift / (rest * root)
        bend = limit / (rest * root) + 3 * rho * shift / (rest * rest * root)
        density = np.exp(-a * a / 2) / np.sqrt(2 * np.pi)
        return ndtr(a), density * slope, density * (bend - a * slope**2)


def polyserial_scores(
    z: Array, sd: Array, upper: Array, lower: Array, present: Array, rho: Array
) -> MixedScores:
    """Return casewise scores of (continuous, ordered) pairs; 0 where a value is missing."""
    root = np.sqrt(1 - rho * rho)
    a, b = (upper - rho * z) / root, (lower - rho * z) / root
    chance = np.maximum(ndtr(a) - ndtr(b), _SMALLEST)
    high = present * np.exp(-a * a / 2) / np.sqrt(2 * np.pi) / chance
    low = present * np.exp(-b * b / 2) / np.sqrt(2 * np.pi) / chance
    pull = rho / root * (high - low)
    return MixedScores(
        rho=(high * (upper * rho - z) - low * (lower * rho - z)) / root**3,
        mean=(present * z + pull) / sd,
        variance=(present * (z * z - 1) + z * pull) / (2 * sd * sd),
        upper=high / root,
        lower=-low / root,
    )


def pearson(first: Array, second: Array, present: Array) -> Array:
    """Return the maximum-likelihood correlation of pairs of standardised variables.

    With complete rows this is the Pearson correlation; with blanks, means and variances are
    those of all answers of each variable, and the correlation maximises the likelihood of the
    rows that have both.
    """
    count = present.sum(axis=0)
    cross = (present * first * second).sum(axis=0) / count
    squares = (present * (first**2 + second**2)).sum(axis=0) / count

    def slopes(rho: Array, active: Index) -> tuple[Array, Array]:
        c, s, rest = cross[active], squares[active], 1 - rho * rho
        slope = (rho * rest + (1 + rho * rho) * c - rho * s) / rest**2
        d_top = 1 - 3 * rho * rho + 2 * rho * c - s
        return slope, d_top / rest**2 + 4 * rho / rest * slope

    return maximise_correlations(slopes, cross, bound=PEARSON_BOUND)


def pearson_scores(
    first: Array, second: Array, sd_first: Array, sd_second: Array, present: Array, rho: Array
) -> PearsonScores:
    """Return casewise scores of pairs of continuous variables; 0 where a value is missing."""
    rest = 1 - rho * rho
    pull_first = present * (first - rho * second) / rest
    pull_second = present * (second - rho * first) / rest
    distance = first**2 - 2 * rho * first * second + second**2
    return PearsonScores(
        rho=present * (rho / rest + first * second / rest - distance * rho / rest**2),
        mean_first=pull_first / sd_first,
        mean_second=pull_second / sd_second,
        variance_first=(first * pull_first - present) / (2 * sd_first**2),
        variance_second=(second * pull_second - present) / (2 * sd_second**2),
    )
