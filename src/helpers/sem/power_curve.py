"""A power curve through simulated sizes, and the N at which it reaches a target.

Power of a z test rises about as ``Phi(a + b sqrt(N))``. A probit regression of rejections on the
square root of N gives a and b with their covariance; Fieller's theorem gives the interval of the N
at which the curve crosses the target.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.sem.power_result import NeededN

Array = np.ndarray


def wilson(k: Array, n: Array, level: float) -> tuple[Array, Array]:
    """Wilson's interval of a share (1927), doi:10.1080/01621459.1927.10502953."""
    z = ndtri(0.5 + level / 2.0)
    with np.errstate(all="ignore"):
        p = k / n
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def probit_line(x: Array, k: Array, n: Array) -> tuple[Array, Array] | None:
    """Fit ``share = Phi(a + b x)`` by maximum likelihood; None where it has no maximum.

    Parameters
    ----------
    x, k, n : arrays, shape (m,)
        Predictor, rejections, replicates.

    Returns
    -------
    coefficients (2,), covariance (2, 2)
    """
    share = k / n
    if len(x) < 2 or (share.max() >= 1 and np.sort(share)[-2:].min() >= 1 and share.min() >= 1):
        return None
    design = np.column_stack([np.ones_like(x), x])
    start = np.clip((k + 0.5) / (n + 1.0), 1e-3, 1 - 1e-3)
    beta = np.linalg.lstsq(design, ndtri(start), rcond=None)[0]
    for _round in range(100):
        eta = np.clip(design @ beta, -8.0, 8.0)
        density = np.exp(-0.5 * eta**2) / np.sqrt(2 * np.pi)
        p = ndtr(eta)
        weight = n * density**2 / np.exp(log_ndtr(eta) + log_ndtr(-eta))
        information = design.T @ (weight[:, None] * design)
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, design.T @ (weight * (share - p) / density))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return beta, np.linalg.inv(information)
    return None


def needed_from_curve(
    n_obs: Array, k: Array, n: Array, target: float, level: float
) -> NeededN | Unavailable:
    """Find where the curve through simulated sizes crosses the target, with Fieller's interval."""
    what = _("the N needed")
    line = probit_line(np.sqrt(n_obs.astype(float)), k.astype(float), n.astype(float))
    if line is None:
        return Unavailable(what, _("the simulated sizes do not show where the power rises"))
    (a, b), cov = line
    if b <= 0:
        return Unavailable(what, _("the power does not rise over the simulated sizes"))
    goal = ndtri(target)
    root = (goal - a) / b
    if root <= 0:
        return Unavailable(what, _("the power is above the target at every simulated size"))
    low, high = _fieller(a - goal, b, cov, ndtri(0.5 + level / 2.0))
    return NeededN(int(np.ceil(root**2)), low, high)


def _fieller(a: float, b: float, cov: Array, z: float) -> tuple[int | None, int | None]:
    """Ends of the set of N with ``(a + b x)^2 <= z^2 Var(a + b x)``, x = sqrt(N)."""
    q2 = b * b - z * z * cov[1, 1]
    q1 = 2 * (a * b - z * z * cov[0, 1])
    q0 = a * a - z * z * cov[0, 0]
    inside = q1 * q1 - 4 * q2 * q0
    if q2 <= 0 or inside < 0:
        return None, None
    ends = (-q1 + np.array([-1.0, 1.0]) * np.sqrt(inside)) / (2 * q2)
    low, high = (max(v, 0.0) for v in ends)
    return int(np.floor(low**2)), int(np.ceil(high**2))
