"""Intervals for shares."""

from __future__ import annotations

import math

from scipy.stats import norm

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
