"""Drawing variables of a given skewness, kurtosis and correlation (Vale & Maurelli).

A standard normal Z becomes ``Y = -c + b Z + c Z^2 + d Z^3`` with mean 0, variance 1 and the wanted
skewness and excess kurtosis (Fleishman 1978, doi:10.1007/BF02293811). Two such variables correlate
at r if their normals correlate at rho, a root of

    r = rho (b1 b2 + 3 b1 d2 + 3 d1 b2 + 9 d1 d2) + rho^2 2 c1 c2 + rho^3 6 d1 d2

(Vale & Maurelli 1983, doi:10.1007/BF02293687).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import least_squares

from helpers.errors import EstimationError, ModelSpecError, listing, nearest

Array = np.ndarray

SOLVED = 1e-9
"""Largest error of a moment that counts as solved."""


def fleishman(skewness: float, kurtosis: float) -> tuple[float, float, float]:
    """Return Fleishman's b, c, d for a skewness and an excess kurtosis.

    Raises
    ------
    EstimationError
        No cubic of a normal variable has this pair; the kurtosis is too small for the skewness.

    Notes
    -----
    Checked against lavaan's routine and Fleishman's printed table: ``tests/reference/power.R``.
    """
    if skewness == 0.0 and kurtosis == 0.0:
        return 1.0, 0.0, 0.0

    def gaps(v: Array) -> Array:
        b, c, d = v
        first = b * b + 6 * b * d + 2 * c * c + 15 * d * d - 1
        second = 2 * c * (b * b + 24 * b * d + 105 * d * d + 2) - skewness
        third = b * d + c * c * (1 + b * b + 28 * b * d)
        third = 24 * (third + d * d * (12 + 48 * b * d + 141 * c * c + 225 * d * d)) - kurtosis
        return np.array([first, second, third])

    for start in ((1.0, 0.0, 0.0), (0.9, 0.3 * np.sign(skewness), 0.0), (0.6, 0.0, 0.15)):
        found = least_squares(gaps, start, xtol=1e-15, ftol=1e-15, gtol=1e-15)
        if np.abs(found.fun).max() < SOLVED and found.x[0] > 0:
            return tuple(float(v) for v in found.x)
    least = 1.15 * skewness**2 - 1.2
    raise EstimationError(
        f"simulate: skewness= {skewness:g} with kurtosis= {kurtosis:g} cannot be made from a cubic "
        f"of a normal variable; excess kurtosis must be above about {least:.2f} here. Raise "
        f"kurtosis=, or bring skewness= nearer to 0."
    )


def normal_correlations(cor: Array, shapes: Sequence[tuple[float, float, float]]) -> Array:
    """Return the correlations of the normals behind variables of given shapes.

    Parameters
    ----------
    cor : array, shape (p, p)
        Correlations wanted.
    shapes : sequence of (b, c, d)
        From ``fleishman``, one for each variable.
    """
    out = np.eye(len(cor))
    for i in range(len(cor)):
        for j in range(i):
            out[i, j] = out[j, i] = _normal_correlation(cor[i, j], shapes[i], shapes[j])
    if np.linalg.eigvalsh(out)[0] <= 1e-10:
        raise EstimationError(
            "simulate: skewness= and kurtosis= need correlations of the normal variables that are "
            "not positive definite; the shapes and the model's correlations exclude each other. "
            "Choose shapes nearer to the normal."
        )
    return out


def _normal_correlation(r: float, one: Sequence[float], two: Sequence[float]) -> float:
    """Solve the cubic of one pair; of several roots take the one nearest to r."""
    (b1, c1, d1), (b2, c2, d2) = one, two
    linear = b1 * b2 + 3 * b1 * d2 + 3 * d1 * b2 + 9 * d1 * d2
    roots = np.roots([6 * d1 * d2, 2 * c1 * c2, linear, -r])
    real = roots.real[(np.abs(roots.imag) < 1e-8) & (np.abs(roots.real) <= 1.0)]
    if not len(real):
        raise EstimationError(
            f"simulate: skewness= and kurtosis= do not allow a correlation of {r:.3f} between two "
            f"of the variables; shapes that differ strongly limit it. Choose shapes nearer to "
            f"one another."
        )
    return float(real[np.argmin(np.abs(real - r))])


def per_variable(
    given: float | Mapping[str, float] | None, names: Sequence[str], what: str
) -> Array:
    """Spread one value, or a value for some variables, over all variables; the rest get 0."""
    if given is None:
        return np.zeros(len(names))
    if isinstance(given, Mapping):
        absent = [name for name in given if name not in names]
        if absent:
            raise ModelSpecError(
                f"simulate: {what}= names '{absent[0]}', which is not an observed variable; "
                f"variables are {listing(names)}.{nearest(absent[0], names)} Correct the name."
            )
        return np.array([float(given.get(name, 0.0)) for name in names])
    return np.full(len(names), float(given))
