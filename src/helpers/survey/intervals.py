"""Intervals for shares."""

from __future__ import annotations

import math

from scipy.stats import norm

from helpers.errors import check_level
from helpers.thresholds import LEVEL


def wilson_interval(hits: int, n: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    ``(p + z2/2n -+ z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n)``; it stays inside 0 to 1 and holds its
    level for small counts. Wilson (1927), doi:10.1080/01621459.1927.10502953. Checked against R
    ``prop.test(correct = FALSE)``: ``tests/reference/survey.R``.

    Examples
    --------
    >>> [round(x, 4) for x in wilson_interval(5, 20)]
    [0.1119, 0.4687]
    """
    check_level(level, "wilson_interval")
    if n == 0:
        return (math.nan, math.nan)
    z = float(norm.ppf(0.5 + level / 2))
    share, z2 = hits / n, z * z
    middle = share + z2 / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    low = 0.0 if hits == 0 else (middle - half) / scale  # exact at the ends, where rounding is not
    high = 1.0 if hits == n else (middle + half) / scale
    return (low, high)


def difference_interval(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return the difference ``first - second`` of two independent estimates, with its interval.

    Only estimates and intervals are needed (MOVER): ``d - sqrt((a - l_a)^2 + (u_b - b)^2)`` and
    ``d + sqrt((u_a - a)^2 + (b - l_b)^2)``. With symmetric intervals this is the interval of Wald;
    with others, as of a bootstrap, it keeps their shape. Zou & Donner (2008), doi:10.1002/sim.3095.

    Parameters
    ----------
    first, second : (float, float, float)
        Estimate, lower and upper limit, at one confidence level, from different respondents.

    Examples
    --------
    >>> [round(x, 3) for x in difference_interval((0.6, 0.4, 0.8), (0.3, 0.1, 0.5))]
    [0.3, 0.017, 0.583]
    """
    (a, low_a, high_a), (b, low_b, high_b) = first, second
    difference = a - b
    return (
        difference,
        difference - math.hypot(a - low_a, high_b - b),
        difference + math.hypot(high_a - a, b - low_b),
    )
