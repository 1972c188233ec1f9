"""Latent moderated structural equations: the exact likelihood of one latent interaction.

For ``eta = g1 xi + g2 zeta + g3 xi zeta + d`` the items of eta are not normal, but given zeta all
items are (Klein & Moosbrugger 2000, doi:10.1007/BF02296338). Each construct's items enter through
the weighted mean ``f = s sum(l d / t)``, ``s = 1 / sum(l^2 / t)``, with loadings l, residual
variances t and deviations d from the intercepts: f is sufficient for the construct, and normal
around it with variance s. What remains is an integral over zeta of a bivariate normal density of
the means of xi and eta. It is taken by Gauss-Hermite quadrature around each respondent's own
posterior of zeta, given the items of zeta, so that few nodes are exact.

Scores come by Fisher's identity, as the posterior mean of the complete-data scores. A blank item
leaves its respondent's sums; nothing is imputed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

Array = np.ndarray

LOG_2PI = float(np.log(2 * np.pi))
NODES = 24
STRUCTURE = ("regression", "g1", "g2", "g3", "log_within", "log_moderator", "log_disturbance")
"""Last parameters: regression of xi on zeta, the three paths, log variances of xi given zeta, of
zeta, and of eta's disturbance."""


@dataclass(slots=True)
class Side:
    """One construct at a parameter value: what its items say of it, for n respondents."""

    loading: Array
    residual: Array
    deviation: Array
    """(n, k), zero where blank."""
    seen: Array
    """(n, k), 1 where answered."""
    mean: Array
    """f, (n,)."""
    error: Array
    """s, (n,)."""
    rest: Array
    """Log density of the items beyond that of f, (n,)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where parameters stand: per construct k - 1 loadings, k intercepts, k log variances."""

    sizes: tuple[int, int, int]

    @property
    def n_parameters(self) -> int:
        """Length of the parameter vector."""
        return sum(3 * k - 1 for k in self.sizes) + len(STRUCTURE)

    def blocks(self) -> list[tuple[slice, slice, slice]]:
        """Return the places of loadings, intercepts and log variances of each construct."""
        out, at = [], 0
        for k in self.sizes:
            out.append(
                (slice(at, at + k - 1), slice(at + k - 1, at + 2 * k - 1),
                 slice(at + 2 * k - 1, at + 3 * k - 1))
            )  # fmt: skip
            at += 3 * k - 1
        return out


def read_side(values: Array, loading: Array, intercept: Array, residual: Array) -> Side:
    """Condense the items of one construct to a mean with its error variance."""
    seen = np.isfinite(values).astype(float)
    deviation = np.where(seen > 0, values - intercept, 0.0)
    weight = loading / residual
    information = seen @ (loading * weight)
    error = 1.0 / information
    mean = error * (deviation @ weight)
    rest = -0.5 * (
        seen @ (np.log(residual) + LOG_2PI)
        - LOG_2PI
        + np.log(information)
        + (deviation**2) @ (1 / residual)
        - mean**2 * information
    )
    return Side(loading, residual, deviation, seen, mean, error, rest)


def item_scores(side: Side, first: Array, second: Array) -> Array:
    """Return scores of loadings 2..k, intercepts, log variances from moments of the construct.

    ``first`` and ``second`` are the posterior mean and mean square of the construct, (n,).
    """
    loading, residual = side.loading, side.residual
    distance = side.seen * (side.deviation - first[:, None] * loading)
    by_loading = side.seen * (
        side.deviation * first[:, None] - second[:, None] * loading
    ) / residual  # fmt: skip
    square = side.seen * (
        side.deviation**2
        - 2 * side.deviation * first[:, None] * loading
        + second[:, None] * loading**2
    )
    by_log = 0.5 * (square / residual - side.seen)
    return np.concatenate([by_loading[:, 1:], distance / residual, by_log], axis=1)


def log_likelihood(
    theta: Array, items: tuple[Array, Array, Array], *, nodes: int = NODES
) -> tuple[Array, Array]:
    """Return each respondent's log-likelihood, (n,), and its scores, (n, n_parameters).

    Parameters
    ----------
    theta : ndarray
        As ``Layout`` orders it, ``STRUCTURE`` last.
    items : three ndarrays, shapes (n, k)
        Items of xi, zeta and eta, the marker first; NaN where blank, at least one answered each.
    nodes : int
        Quadrature points.
    """
    layout = Layout(tuple(v.shape[1] for v in items))
    sides = [
        read_side(values, np.concatenate([[1.0], theta[a]]), theta[b], np.exp(theta[c]))
        for values, (a, b, c) in zip(items, layout.blocks())
    ]
    xi, zeta, eta = sides
    slope, g1, g2, g3 = theta[-7:-3]
    within, spread, disturbance = np.exp(theta[-3:])
    t, w = hermegauss(nodes)
    total = spread + zeta.error
    centre = spread / total * zeta.mean
    z = centre[:, None] + np.sqrt(spread * zeta.error / total)[:, None] * t
    b = g1 + g3 * z
    xx = within + xi.error[:, None]
    xy = b * within
    yy = b**2 * within + disturbance + eta.error[:, None]
    rx = xi.mean[:, None] - slope * z
    ry = eta.mean[:, None] - (g2 + b * slope) * z
    det = xx * yy - xy**2
    pxx, pxy, pyy = yy / det, -xy / det, xx / det
    hx, hy = pxx * rx + pxy * ry, pxy * rx + pyy * ry
    log_g = -LOG_2PI - 0.5 * (np.log(det) + rx * hx + ry * hy)
    top = log_g.max(axis=1)
    mass = np.exp(log_g - top[:, None]) * w
    sums = mass.sum(axis=1)
    value = (
        top + np.log(sums / w.sum())
        - 0.5 * (LOG_2PI + np.log(total) + zeta.mean**2 / total)
        + sum(side.rest for side in sides)
    )  # fmt: skip
    post = mass / sums[:, None]
    gxx, gxy, gyy = 0.5 * (hx**2 - pxx), 0.5 * (hx * hy - pxy), 0.5 * (hy**2 - pyy)
    by_g1 = hy * slope * z + 2 * within * (gxy + b * gyy)

    def mean(values: Array) -> Array:
        return (post * values).sum(axis=1)

    z2 = mean(z**2)
    structure = [
        mean((hx + hy * b) * z), mean(by_g1), mean(hy * z), mean(by_g1 * z),
        within * mean(gxx + 2 * b * gxy + b**2 * gyy),
        0.5 * (z2 / spread - 1), disturbance * mean(gyy),
    ]  # fmt: skip
    moments = [
        construct_moments(xi, -mean(hx), mean(gxx)),
        (mean(z), z2),
        construct_moments(eta, -mean(hy), mean(gyy)),
    ]
    parts = [item_scores(side, *m) for side, m in zip(sides, moments)]
    return value, np.concatenate([*parts, np.column_stack(structure)], axis=1)


def construct_moments(side: Side, by_mean: Array, by_error: Array) -> tuple[Array, Array]:
    """Return posterior mean and mean square of a construct from the slopes of log p(f).

    As f is normal around the construct with variance s, the posterior mean is ``f + s dlogp/df``
    and the mean of ``(f - construct)^2`` is ``s + 2 s^2 dlogp/ds``.
    """
    first = side.mean + side.error * by_mean
    squared = side.error + 2 * side.error**2 * by_error
    return first, squared - side.mean**2 + 2 * side.mean * first
