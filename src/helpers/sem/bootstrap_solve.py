"""Estimating many replicates at once: fixed information, Anderson acceleration per replicate.

The steps are taken in coordinates y in which the full sample's information is the identity,
``x = x_hat + M y`` with ``M M' = (information)^-1`` (constraints included), so that the step of
scoring is the score itself, and its length is a distance in standard errors over ``sqrt(N)``.
Anderson's method (Walker & Ni 2011, doi:10.1137/10078356X) combines the last few steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.sem.bootstrap_kernels import BatchMoments, Kernel

Array = np.ndarray

DEPTH = 6
"""Steps remembered."""
LOOSE = 3e-6
"""Converged: the last step, which is still taken, is below this many standard errors."""
MOST = 40
"""Steps until a replicate is handed to guarded scoring."""
SHRINK = 0.7
"""Converged replicates leave the arrays once fewer than this share is still moving."""


@dataclass(frozen=True, slots=True)
class Model:
    """The compiled model of all groups, around the full-sample estimates."""

    kernels: tuple[Kernel, ...]
    x: Array
    """Full-sample estimates, (n_x,)."""
    root: Array
    """M, (n_x, n_z)."""
    n: int

    def score(self, x: Array, samples: list[BatchMoments], share: Array) -> Array:
        """Minus the gradient of f over all free rows, (b, n_x)."""
        out = np.zeros_like(x)
        for g, (kernel, sample) in enumerate(zip(self.kernels, samples)):
            out[:, kernel.at] += share[:, g, None] * kernel.score(x, sample)
        return out

    def value(self, x: Array, samples: list[BatchMoments], share: Array) -> Array:
        """f without the terms of the saturated model, (b,)."""
        parts = [k.value(x, s) for k, s in zip(self.kernels, samples)]
        return (share * np.stack(parts, axis=1)).sum(axis=1)


def group_shares(samples: list[BatchMoments]) -> Array:
    """Share of every group in the rows of every replicate, (b, G)."""
    n = np.stack([s.n for s in samples], axis=1)
    return n / n.sum(axis=1, keepdims=True)


@dataclass(slots=True)
class Paths:
    """Where the unconverged replicates stand, with their last steps."""

    y: Array
    step: Array
    moved: Array
    """(b, depth, n_z) differences of y."""
    turned: Array
    """(b, depth, n_z) differences of the steps."""
    gram: Array
    """(b, depth, depth) products of ``turned``."""

    def keep(self, at: Array) -> Paths:
        """Return some of the replicates."""
        return Paths(self.y[at], self.step[at], self.moved[at], self.turned[at], self.gram[at])


def solve_batch(model: Model, samples: list[BatchMoments]) -> tuple[Array, Array, Array]:
    """Estimate every replicate from the full-sample estimates.

    Returns
    -------
    x : array, shape (b, n_x)
    converged : array of bool, shape (b,)
    iterations : array of int, shape (b,)
    """
    share = group_shares(samples)
    b, n_z = len(share), model.root.shape[1]
    found, converged = np.zeros((b, n_z)), np.zeros(b, dtype=bool)
    iterations = np.full(b, MOST)
    limit = LOOSE / np.sqrt(model.n)
    active, done = np.arange(b), np.zeros(b, dtype=bool)
    with np.errstate(all="ignore"):
        paths = _first(model, samples, share)
        for k in range(1, MOST):
            size = np.sqrt((paths.step * paths.step).sum(axis=1))
            ready = (size < limit) & ~done
            found[active[ready]] = paths.y[ready] + paths.step[ready]
            converged[active[ready]] = True
            iterations[active[ready]] = k
            done |= ready | ~(size < 1e6)
            if done.all():
                break
            if (~done).mean() < SHRINK:
                stay = np.flatnonzero(~done)
                active, done = active[stay], np.zeros(len(stay), dtype=bool)
                paths, share = paths.keep(stay), share[stay]
                samples = [s.take(stay) for s in samples]
            _advance(model, paths, samples, share, k)
    return model.x + found @ model.root.T, converged, iterations


def _first(model: Model, samples: list[BatchMoments], share: Array) -> Paths:
    """Stand at the full-sample estimates."""
    b, n_z = len(share), model.root.shape[1]
    x = np.empty((b, len(model.x)))
    x[:] = model.x
    step = model.score(x, samples, share) @ model.root
    memory = np.zeros((b, DEPTH, n_z))
    return Paths(np.zeros((b, n_z)), step, memory, memory.copy(), np.zeros((b, DEPTH, DEPTH)))


def _advance(model: Model, paths: Paths, samples: list[BatchMoments], share: Array, k: int) -> None:
    """Take one accelerated step, in place."""
    y = paths.y + paths.step
    known = min(k - 1, DEPTH)
    if known:
        recent = paths.turned[:, :known]
        gram = paths.gram[:, :known, :known].copy()
        at = np.arange(known)
        gram[:, at, at] = gram[:, at, at] * (1.0 + 1e-10) + 1e-300
        weight = np.linalg.solve(gram, recent @ paths.step[:, :, None])
        y -= turned_sum(weight, paths.moved[:, :known]) + turned_sum(weight, recent)
    step = model.score(model.x + y @ model.root.T, samples, share) @ model.root
    slot = (k - 1) % DEPTH
    paths.moved[:, slot] = y - paths.y
    paths.turned[:, slot] = step - paths.step
    paths.y, paths.step = y, step
    now = min(k, DEPTH)
    row = (paths.turned[:, :now] @ paths.turned[:, slot, :, None])[..., 0]
    paths.gram[:, slot, :now] = row
    paths.gram[:, :now, slot] = row


def turned_sum(weight: Array, stack: Array) -> Array:
    """Weighted sum over the memory, (b, n_z)."""
    return (np.swapaxes(weight, 1, 2) @ stack)[:, 0]
