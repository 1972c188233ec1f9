"""Latent means compared between groups.

Latent means may be compared once intercepts are held equal, in full or in part. The first group's
means are zero; every pair of groups is compared. The effect size is the difference in units of the
pooled latent standard deviation (Hancock 2001, doi:10.1007/BF02294440):

    d = (kappa_b - kappa_a) / sqrt((n_a phi_a + n_b phi_b) / (n_a + n_b)).

Errors follow from the joint covariance matrix of the estimates by the delta method.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from helpers.errors import EstimationError, Unavailable, check_level
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.result import SemResult
from helpers.thresholds import LEVEL

Array = np.ndarray

STEP = 1e-5
"""Relative step of central differences: their error is about 1e-10 of the value."""


@remembered
def latent_means(result: SemResult, *, level: float = LEVEL) -> pd.DataFrame | Unavailable:
    """Compare latent means between each two groups.

    Parameters
    ----------
    result : SemResult
        A fit with groups, intercepts (or thresholds) equal over groups, in full or in part.
    level : float

    Returns
    -------
    DataFrame or Unavailable
        construct, group_a, group_b, difference (b less a, in the units of the latent variable),
        se, ci_low, ci_high, z, p_value, d, d_se, d_low, d_high. ``Unavailable`` where the solution
        has no standard errors.

    Raises
    ------
    EstimationError
        One group, or latent means that are all fixed.

    Notes
    -----
    Checked against lavaan, the effect size as a ``:=`` parameter: ``tests/reference/invariance.R``.
    """
    check_level(level, "latent_means")
    _check_groups(result)
    if isinstance(result.vcov, Unavailable):
        return Unavailable(_("a comparison of latent means"), result.vcov.why)
    latent = result.latent
    means, variances = _moments_of(result, result.theta)
    if not np.abs(means - means[0]).max() > 0:
        raise EstimationError(
            "latent_means: result= has the same latent means in all groups; intercepts have to be "
            "equal for the means to be free. Fit with group_equal=('loadings', 'intercepts')."
        )
    pairs = list(combinations(range(result.n_groups), 2))

    def compared(theta: Array) -> Array:
        """Differences, then effect sizes, of all pairs and constructs."""
        kappa, phi = _moments_of(result, theta)
        n = np.array(result.n_per_group, dtype=float)
        raw = np.array([kappa[b] - kappa[a] for a, b in pairs])
        pooled = np.array([(n[a] * phi[a] + n[b] * phi[b]) / (n[a] + n[b]) for a, b in pairs])
        return np.concatenate([raw, raw / np.sqrt(pooled)]).ravel()

    with np.errstate(invalid="ignore"):  # an inadmissible variance has no root: NaN
        values = compared(result.theta)
        errors = delta_errors(compared, result)
    size = len(pairs) * len(latent)
    frame = pd.DataFrame(
        {
            "construct": list(latent) * len(pairs),
            "group_a": np.repeat([str(result.group_labels[a]) for a, _b in pairs], len(latent)),
            "group_b": np.repeat([str(result.group_labels[b]) for _a, b in pairs], len(latent)),
        }
    )
    frame = frame.assign(**tested(values[:size], errors[:size], level))
    width = ndtri(0.5 + level / 2) * errors[size:]
    d = values[size:]
    return frame.assign(d=d, d_se=errors[size:], d_low=d - width, d_high=d + width)


def tested(values: Array, errors: Array, level: float) -> dict[str, Array]:
    """Columns of a Wald test: difference, se, ci_low, ci_high, z, p_value."""
    width = ndtri(0.5 + level / 2) * errors
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(errors > 0, values / errors, np.nan)
    return {"difference": values, "se": errors, "ci_low": values - width,
            "ci_high": values + width, "z": z, "p_value": 2 * ndtr(-np.abs(z))}  # fmt: skip


def delta_errors(function: Callable[[Array], Array], result: SemResult) -> Array:
    """Return standard errors of functions of the free parameters (delta method)."""
    theta = result.theta
    jacobian = np.empty((len(function(theta)), len(theta)))
    for j in range(len(theta)):
        step = STEP * max(1.0, abs(theta[j]))
        up, down = theta.copy(), theta.copy()
        up[j] += step
        down[j] -= step
        jacobian[:, j] = (function(up) - function(down)) / (2 * step)
    variance = ((jacobian @ result.vcov) * jacobian).sum(axis=1)
    return np.sqrt(np.maximum(variance, 0.0))


def _moments_of(result: SemResult, theta: Array) -> tuple[Array, Array]:
    """Return latent means and variances of every group, each (G, m)."""
    p = len(result.observed)
    states = [model.state(theta) for model in result.model]
    means = np.array([s.eta[p:] for s in states])
    return means, np.array([np.diag(s.total)[p:] for s in states])


def _check_groups(result: SemResult) -> None:
    """Refuse fits without groups or means."""
    if result.n_groups < 2 or not result.meanstructure:
        raise EstimationError(
            f"latent_means: result= has {result.n_groups} group(s), "
            f"{'with' if result.meanstructure else 'without'} means; at least two groups with "
            "means are needed. Fit with group= and group_equal=('loadings', 'intercepts')."
        )
