"""One step of expectation and maximisation, for many Gaussian mixtures at once.

The log of share times density is linear in a row of a design: the indicators, with own variances
also their squares, and 1. So a pass over the rows is one product of matrices, the posteriors, and
a second product that gathers the sums. What all profiles share, the quadratic form in a common
spread, cancels from the posteriors and enters the log likelihood by sums taken once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Spread = Literal["equal", "free", "tied"]
Parameters = tuple[Array, Array, Array]
"""Shares (s, k), means (s, k, p), and variances (s, k, p) or the common covariances (s, p, p)."""

CACHE_BYTES = 1_000_000
_LEAST_ROWS = 256
_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True)
class Sample:
    """Samples of equal size, ready for steps.

    Attributes
    ----------
    design : ndarray, shape (s or 1, n, q)
        Indicators, with ``free`` their squares, and 1.
    second : ndarray, shape (s or 1, p) or, for ``tied``, (s or 1, p, p)
        Means of squares, or of products, of the indicators.
    floor : ndarray, shape (s or 1, p)
        Smallest variances; for ``tied`` what is added to the diagonal.
    spread : str
    """

    design: Array
    second: Array
    floor: Array
    spread: Spread

    def take(self, rows: NDArray[np.intp]) -> Sample:
        """Return some of the samples; one that serves all mixtures goes on to serve them."""
        if len(self.design) == 1:
            return self
        return Sample(self.design[rows], self.second[rows], self.floor[rows], self.spread)


def sampled(x: Array, spread: Spread, *, floor: Array) -> Sample:
    """Return samples, (s or 1, n, p), ready for steps."""
    n = x.shape[1]
    squares = np.square(x)
    one = np.ones((*x.shape[:2], 1), dtype=x.dtype)
    parts = (x, squares, one) if spread == "free" else (x, one)
    second = np.swapaxes(x, -1, -2) @ x / n if spread == "tied" else squares.mean(axis=1)
    return Sample(np.concatenate(parts, axis=-1), second, floor, spread)


def step_up(sample: Sample, here: Parameters) -> tuple[Parameters, Array]:
    """Return the parameters after one step, and the log likelihoods before it."""
    sums, loglik = _expect(sample, here)
    return _maximise(sample, sums), loglik


def _expect(sample: Sample, here: Parameters) -> tuple[Array, Array]:
    """Return posterior sums of the design, (s, k, q), and the log likelihoods, (s,).

    Rows are taken a stretch at a time that stays in the cache, and stand last: sums over a few
    profiles then run along memory.
    """
    slope, common = _linear(sample, here)
    s, k, _q = slope.shape
    n = sample.design.shape[1]
    length = max(_LEAST_ROWS, CACHE_BYTES // (8 * s * k))
    sums, loglik = np.zeros_like(slope), n * common
    for start in range(0, n, length):
        own = sample.design[:, start : start + length]
        logs = slope @ np.swapaxes(own, -1, -2)
        top = logs.max(axis=-2, keepdims=True)
        logs -= top
        np.exp(logs, out=logs)
        total = logs.sum(axis=-2, keepdims=True)
        logs /= total
        loglik += (np.log(total) + top).sum(axis=(-1, -2))
        sums += logs @ own
    return sums, loglik


def _linear(sample: Sample, here: Parameters) -> tuple[Array, Array]:
    """Return coefficients of the design, (s, k, q), and what an average row has besides, (s,)."""
    shares, means, within = here
    p = means.shape[-1]
    if sample.spread == "tied":
        lower = np.linalg.cholesky(within)
        half = np.linalg.inv(lower)
        precision = np.swapaxes(half, -1, -2) @ half
        logdet = 2 * np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum(axis=-1)[:, None]
        slope = means @ precision
        common = -0.5 * (precision * sample.second).sum(axis=(-1, -2))
    else:
        precision = 1 / within
        logdet = np.log(within).sum(axis=-1)
        slope = means * precision
        common = -0.5 * (precision[:, 0] * sample.second).sum(axis=-1)
    with np.errstate(divide="ignore"):  # a profile that has died out has share 0
        fixed = np.log(shares) - 0.5 * ((slope * means).sum(axis=-1) + logdet + p * _LOG_2PI)
    if sample.spread == "free":
        parts = (slope, -0.5 * precision, fixed[..., None])
        return np.concatenate(parts, axis=-1), np.zeros_like(common)
    return np.concatenate((slope, fixed[..., None]), axis=-1), common


def _maximise(sample: Sample, sums: Array) -> Parameters:
    """Return shares, means and spread that the sums lead to."""
    p = sample.floor.shape[-1]
    sizes = sums[..., -1] + 1e-12
    means = sums[..., :p] / sizes[..., None]
    shares = sizes / sample.design.shape[1]
    if sample.spread == "tied":
        between = np.swapaxes(means, -1, -2) @ (shares[..., None] * means)
        eye = np.eye(p) * sample.floor[:, None, :]
        return shares, means, sample.second - between + eye
    if sample.spread == "free":
        within = sums[..., p : 2 * p] / sizes[..., None] - np.square(means)
    else:
        between = (shares[..., None] * np.square(means)).sum(axis=-2)
        within = np.repeat((sample.second - between)[:, None], means.shape[1], axis=1)
    return shares, means, np.maximum(within, sample.floor[:, None, :])
