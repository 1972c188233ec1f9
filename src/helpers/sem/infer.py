"""Information, sandwich errors and scaled tests for complete continuous data.

Notation per group: N rows, p variables; W is the normal-theory weight matrix of the moments at
the model's Sigma, Delta the Jacobian of the moments, Gamma N times the covariance of the sample
moments. Nothing of size p(p+1)/2 squared is formed unless the mean-and-variance-adjusted test
asks for it: casewise scores are gathered from ``d' Sigma^-1 G``.

References
----------
Satorra & Bentler (1994); Yuan & Bentler (2000), doi:10.1111/0081-1750.00078;
Asparouhov & Muthen (2005) for the Mplus form of the Yuan-Bentler correction.
"""

from __future__ import annotations

import numpy as np

from helpers.sem.discrepancy import NormalTheory, invert
from helpers.sem.model import GroupModel, State
from helpers.sem.moments import GroupMoments

Array = np.ndarray

CHUNK = 4096
"""Rows whose scores are held at once; keeps memory flat in N and the scores in cache."""


def observed_information(
    models: list[GroupModel], moments: list[GroupMoments], weights: Array, x: Array, means: bool
) -> Array:
    """Hessian of ML's f over all free rows, per observation, without differencing."""
    target = NormalTheory(models, moments, weights, len(x), means)
    return target.pieces(x, observed=True)[2]


def casewise_scores(
    model: GroupModel, state: State, inverse: Array, data: Array, mean: Array, n_x: int, means: bool
) -> Array:
    """Derivative of every row's log-likelihood over all free rows of the table, (N, n_x)."""
    d = data - mean
    wg = inverse @ state.basis
    t = d @ wg
    k = state.basis.T @ wg
    u, w = model.u, model.w
    out = np.zeros((len(d), n_x))
    out[:, model.cov_x] = (t[:, u] * t[:, w] - k[u, w]) * model.c
    if means:
        where, jac = model.jacobian_mu(state)
        out_mu = d @ (inverse @ jac)
        np.add.at(out, (slice(None), where), out_mu)
    return out


def meat(
    models: list[GroupModel],
    moments: list[GroupMoments],
    weights: Array,
    x: Array,
    *,
    means: bool,
    centred: bool,
    fixed: tuple[int, ...] = (),
) -> Array:
    """Average outer product of casewise scores, ``sum_g w_g Delta' W Gamma W Delta``.

    ``centred`` subtracts the group's average score, which turns moments about the model into
    moments about the sample (Satorra-Bentler); without it they are the scores of the likelihood
    (Huber-White). With fixed covariates the centred form counts a row's deviation from its own
    regression on them.
    """
    total = np.zeros((len(x), len(x)))
    for model, sample, share in zip(models, moments, weights):
        state = model.state(x)
        inverse, _logdet = invert(state.sigma)
        centre = state.mu if means and not centred else sample.mean
        data, n = sample.data, len(sample.data)
        hat = fitted_rows(data - sample.mean, fixed) + sample.mean if centred and fixed else None
        product, summed = np.zeros_like(total), np.zeros(len(x))
        for at in range(0, n, CHUNK):
            rows = slice(at, at + CHUNK)
            scores = casewise_scores(model, state, inverse, data[rows], centre, len(x), means)
            if hat is not None:
                scores -= casewise_scores(model, state, inverse, hat[rows], centre, len(x), means)
            product += scores.T @ scores
            summed += scores.sum(axis=0)
        if centred:
            product -= np.outer(summed, summed) / n
        total += share / n * product
    return total


def trace_weight_gamma(
    model: GroupModel,
    sample: GroupMoments,
    x: Array,
    *,
    means: bool,
    structured: bool,
    fixed: tuple[int, ...] = (),
) -> float:
    """tr(W Gamma) of one group; W at the model's Sigma or at the sample covariance.

    ``1/2 [mean((d' P d)^2) - tr((P S)^2)] + tr(P S)`` (last term with means only). The same sum
    over fixed covariates alone is taken off, because their moments are no data.
    """
    d = sample.data - sample.mean
    sigma = model.state(x).sigma if structured else d.T @ d / len(d)
    total = _trace_block(d, sigma, means)
    if fixed:
        at = list(fixed)
        total -= _trace_block(d[:, at], sigma[np.ix_(at, at)], means)
    return total


def fitted_rows(d: Array, fixed: tuple[int, ...]) -> Array:
    """Centred rows as predicted from the fixed covariates, which predict themselves."""
    at = list(fixed)
    slopes = np.linalg.lstsq(d[:, at], d, rcond=None)[0]
    hat = d[:, at] @ slopes
    hat[:, at] = d[:, at]
    return hat


def trace_weight_gamma_fixed(
    model: GroupModel, sample: GroupMoments, x: Array, means: bool, fixed: tuple[int, ...]
) -> float:
    """tr(W Gamma) at the model's Sigma, given fixed covariates."""
    inverse, _logdet = invert(model.state(x).sigma)
    d = sample.data - sample.mean
    hat = fitted_rows(d, fixed)
    own, both, other = (
        np.einsum("ij,ij->i", a @ inverse, b) for a, b in ((d, d), (d, hat), (hat, hat))
    )
    centre = inverse @ ((d.T @ d - hat.T @ hat) / len(d))
    value = 0.5 * float(np.mean(own**2 - 2.0 * both**2 + other**2) - np.sum(centre * centre.T))
    rest = d - hat
    return value + (float(np.mean(np.einsum("ij,ij->i", rest @ inverse, rest))) if means else 0.0)


def _trace_block(d: Array, sigma: Array, means: bool) -> float:
    """tr(W Gamma) from centred rows and the matrix W is taken at."""
    inverse = np.linalg.inv(sigma)
    ps = inverse @ (d.T @ d / len(d))
    distance = ((d @ inverse) * d).sum(axis=1)
    value = 0.5 * (float(np.mean(distance**2)) - float(np.sum(ps * ps.T)))
    return value + (float(np.trace(ps)) if means else 0.0)


def solve_information(h: Array, basis: Array | None) -> tuple[Array | None, Array]:
    """Inverse information over all free rows, ``T (T' H T)^-1 T'``, and ``T' H T``.

    ``None`` where the information is singular.
    """
    reduced = h if basis is None else basis.T @ h @ basis
    if not reduced.size:
        return np.zeros_like(h), reduced
    reduced = 0.5 * (reduced + reduced.T)
    scale = np.sqrt(np.maximum(np.abs(np.diag(reduced)), 1e-300))
    unit = reduced / scale / scale[:, None]
    inverse, _logdet = invert(unit)
    if inverse is None:
        try:
            inverse = np.linalg.inv(unit)
        except np.linalg.LinAlgError:
            return None, reduced
    if not np.isfinite(inverse).all() or np.abs(inverse).max() > 1e12:
        return None, reduced
    inverse = inverse / scale / scale[:, None]
    return (inverse if basis is None else basis @ inverse @ basis.T), reduced
