"""Standard errors of covariance residuals.

Normalised residuals divide by the standard error of the sample covariance. Standardised
residuals divide by that of the residual, ``Q Acov(s) Q'`` with
``Q = I - Delta (Delta' W Delta)^-1 Delta' W`` (Ogasawara 2001; lavaan's definition).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from helpers.errors import Unavailable
from helpers.sem.compare import free_directions
from helpers.sem.difference import moment_jacobians, weight_matrices
from helpers.sem.discrepancy import Quadratic, weigh
from helpers.sem.gamma import gamma_matrix, normal_weight
from helpers.sem.model import vech_index

if TYPE_CHECKING:
    from helpers.sem.result import SemResult

Array = np.ndarray
ROBUST = ("MLR", "MLM", "MLMV", "WLS", "DWLS", "WLSMV")


def residual_errors(result: SemResult, g: int) -> dict[str, Array] | Unavailable:
    """Standard errors of one group's residuals, ``normalized`` and ``standardized``, (p, p)."""
    if isinstance(result.vcov, Unavailable):
        return result.vcov
    p = len(result.moments[g].cov)
    top = p if result.meanstructure else 0
    acov = sample_acov(result, g)
    out = {"normalized": _square(np.diag(acov)[top:], p)}
    q = projection(result, g)
    out["standardized"] = _square(((q @ acov) * q).sum(axis=1)[top:], p)
    return out


def sample_acov(result: SemResult, g: int) -> Array:
    """Covariance matrix of one group's sample moments."""
    sample = result.moments[g]
    means = result.meanstructure
    kept = random_moments(len(sample.cov), result.context.fixed_x, means)
    if result.missing == "fiml":
        group = result.context.target.groups[g]
        information = group.observed if result.information == "observed" else group.expected
        middle = group.first_order if result.estimator == "MLR" else None
    else:
        robust = result.estimator in ROBUST and sample.data is not None
        if not result.context.fixed_x:
            gamma = gamma_matrix(sample, means) if robust else _normal_gamma(sample.cov, means)
            return gamma / sample.n
        information = normal_weight(sample.inverse, means)
        middle = information @ gamma_matrix(sample, means) @ information if robust else None
    at = np.ix_(kept, kept)
    bread = np.linalg.inv(information[at])
    out = np.zeros_like(information)
    out[at] = bread if middle is None else bread @ middle[at] @ bread
    return out / sample.n


def random_moments(p: int, fixed: tuple[int, ...], means: bool) -> Array:
    """Positions in ``[means, vech]`` of moments that are not those of fixed covariates."""
    r, s = vech_index(p)
    given = np.isin(np.arange(p), fixed)
    kept = ~(given[r] & given[s])
    return np.flatnonzero(np.concatenate([~given, kept]) if means else kept)


def _normal_gamma(cov: Array, means: bool) -> Array:
    """Gamma under normality: ``s_ik s_jl + s_il s_jk``, and S itself for the means."""
    r, s = vech_index(len(cov))
    block = cov[np.ix_(r, r)] * cov[np.ix_(s, s)] + cov[np.ix_(r, s)] * cov[np.ix_(s, r)]
    if not means:
        return block
    p = len(cov)
    out = np.zeros((p + len(r), p + len(r)))
    out[:p, :p], out[p:, p:] = cov, block
    return out


def projection(result: SemResult, g: int) -> Array:
    """Q of one group: what fitting leaves of a change in the sample moments."""
    deltas = [d @ free_directions(result) for d in moment_jacobians(result)]
    weights = h1_weights(result)
    shares = result.context.weights
    information = sum(f * d.T @ weigh(w, d) for f, d, w in zip(shares, deltas, weights))
    inverse = np.linalg.pinv(information)
    d = deltas[g]
    return np.eye(len(d)) - shares[g] * d @ inverse @ weigh(weights[g], d).T


def h1_weights(result: SemResult) -> list[Array]:
    """Information of the moments at the model, observed where the result's errors are."""
    target = result.context.target
    if result.missing == "fiml":
        from helpers.sem.fiml_likelihood import derivatives

        kind = result.information
        return [
            derivatives(group.patterns, s.mu, s.sigma, information=kind).information / group.n
            for group, s in zip(target.groups, result.states)
        ]
    if isinstance(target, Quadratic) or result.information == "expected":
        return weight_matrices(result)
    out = []
    for sample, state in zip(result.moments, result.states):
        d = sample.mean - state.mu if result.meanstructure else None
        out.append(observed_weight(state.sigma, sample.cov, d))
    return out


def observed_weight(sigma: Array, cov: Array, d: Array | None) -> Array:
    """Observed normal-theory information of ``[means, vech]`` at the model's moments."""
    inverse = np.linalg.inv(sigma)
    t = cov if d is None else cov + np.outer(d, d)
    bent = inverse @ (2.0 * t - sigma) @ inverse
    means = d is not None
    both = normal_weight(inverse + bent, False)
    block = 0.5 * (both - normal_weight(inverse, False) - normal_weight(bent, False))
    if not means:
        return block
    p = len(sigma)
    r, s = vech_index(p)
    out = np.zeros((p + len(r), p + len(r)))
    out[:p, :p], out[p:, p:] = inverse, block
    slope = inverse @ d
    c = np.where(r == s, 0.5, 1.0)
    cross = (inverse[:, r] * slope[s] + inverse[:, s] * slope[r]) * c
    out[:p, p:], out[p:, :p] = cross, cross.T
    return out


def _square(variance: Array, p: int) -> Array:
    """Square roots of the variances as a symmetric matrix; rounding below zero counts as zero."""
    r, s = vech_index(p)
    largest = float(np.max(variance, initial=0.0))
    out = np.zeros((p, p))
    values = np.sqrt(np.where(variance > 1e-14 * largest, variance, 0.0))
    out[r, s] = values
    out[s, r] = values
    return out
