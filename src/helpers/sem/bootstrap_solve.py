"""Estimating many replicates at once: fixed information, Anderson acceleration per replicate.

The steps are taken in coordinates y in which the full sample's information is the identity,
``x = x_hat + M y`` with ``M M' = (information)^-1`` (constraints included), so that the step of
scoring is the score itself, and its length is a distance in standard errors over ``sqrt(N)``.
Anderson's method (Walker & Ni 2011, doi:10.1137/10078356X) combines the last few steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from helpers.sem.bootstrap_kernels import BatchMoments, Kernel, solved

Array = np.ndarray

DEPTH, EARLY = 15, 6
"""Steps remembered at most, and places made for them at first: large samples need no more. In
samples of a few hundred rows and less, where the full sample's information is far from that of a
resample, the longer memory halves the steps."""
LOOSE = 3e-6
"""Converged: the last step, which is still taken, is below this many standard errors."""
MOST = 100
"""Steps until a replicate is handed to guarded scoring, which costs as much as a thousand."""
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
    roots: tuple[Array, ...] = field(init=False)
    """Rows of M in the order of each kernel's scores."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "roots", tuple(self.root[k.at] for k in self.kernels))

    def step(self, x: Array, samples: list[BatchMoments], share: Array) -> Array:
        """Step of scoring, which is minus the gradient of f over y, (b, n_z)."""
        if len(self.kernels) == 1:
            return self.kernels[0].score(x, samples[0]) @ self.roots[0]
        parts = [
            (share[:, g, None] * kernel.score(x, sample)) @ self.roots[g]
            for g, (kernel, sample) in enumerate(zip(self.kernels, samples))
        ]
        return sum(parts)

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
    """Where the unconverged replicates stand, with as many of their last steps as have a place."""

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

    def widen(self) -> None:
        """Make place for ``DEPTH`` steps."""
        more = DEPTH - self.moved.shape[1]
        self.moved = np.pad(self.moved, ((0, 0), (0, more), (0, 0)))
        self.turned = np.pad(self.turned, ((0, 0), (0, more), (0, 0)))
        self.gram = np.pad(self.gram, ((0, 0), (0, more), (0, more)))


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
    step = model.step(x, samples, share)
    memory = np.zeros((b, EARLY, n_z))
    return Paths(np.zeros((b, n_z)), step, memory, memory.copy(), np.zeros((b, EARLY, EARLY)))


def _advance(model: Model, paths: Paths, samples: list[BatchMoments], share: Array, k: int) -> None:
    """Take one accelerated step, in place."""
    y = paths.y + paths.step
    known = min(k - 1, DEPTH)
    if known:
        recent = paths.turned[:, :known]
        gram = paths.gram[:, :known, :known].copy()
        at = np.arange(known)
        gram[:, at, at] = gram[:, at, at] * (1.0 + 1e-10) + 1e-300
        weight = solved(gram, recent @ paths.step[:, :, None])
        y -= turned_sum(weight, paths.moved[:, :known]) + turned_sum(weight, recent)
    step = model.step(model.x + y @ model.root.T, samples, share)
    slot = (k - 1) % DEPTH
    if slot == paths.moved.shape[1]:
        paths.widen()
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
