"""Estimating all deals of a permutation test together.

The search of ``helpers.sem.bootstrap_solve`` with a longer memory: a deal puts few respondents
into a small group, so its moments lie farther from the start than those of a resample, and the
start is a solution that holds for no deal in particular.
"""

from __future__ import annotations

import numpy as np

from helpers.sem.bootstrap_kernels import BatchMoments, solved
from helpers.sem.bootstrap_solve import SHRINK, Model, group_shares, turned_sum

Array = np.ndarray

DEPTH = 15
"""Steps remembered: halves the time for groups of 50 and 31 items against a memory of 6."""
CLOSE = 3e-5
"""Stop when the step, which is still taken, is below this many standard errors in sum: the
chi-square is then off by less than 1e-8."""
MOST = 120
"""Steps until a deal is handed to guarded scoring."""


def solve_deals(model: Model, samples: list[BatchMoments]) -> tuple[Array, Array]:
    """Estimate every deal from the common start by Anderson-accelerated steps.

    Returns
    -------
    x : array, shape (b, n_x)
    converged : array of bool, shape (b,)
    """
    share = group_shares(samples)
    b, n_z = len(share), model.root.shape[1]
    found, converged, active = np.zeros((b, n_z)), np.zeros(b, dtype=bool), np.arange(b)
    limit = CLOSE / np.sqrt(model.n)
    y = np.zeros((b, n_z))
    moved, turned = np.zeros((b, DEPTH, n_z)), np.zeros((b, DEPTH, n_z))
    with np.errstate(all="ignore"):
        step = _step(model, y, samples, share)
        for k in range(MOST):
            size = np.sqrt((step * step).sum(axis=1))
            ready = (size < limit) & ~converged[active]
            found[active[ready]] = y[ready] + step[ready]
            converged[active[ready]] = True
            going = ~converged[active] & (size < 1e6)
            if not going.any():
                break
            if going.mean() < SHRINK:
                stay = np.flatnonzero(going)
                active, y, step, share = active[stay], y[stay], step[stay], share[stay]
                moved, turned = moved[stay], turned[stay]
                samples = [s.take(stay) for s in samples]
            ahead = _accelerated(y, step, moved, turned, min(k, DEPTH))
            new = _step(model, ahead, samples, share)
            moved[:, k % DEPTH], turned[:, k % DEPTH] = ahead - y, new - step
            y, step = ahead, new
    return model.x + found @ model.root.T, converged


def _step(model: Model, y: Array, samples: list[BatchMoments], share: Array) -> Array:
    """Return the step of scoring with the information of the start, (b, n_z)."""
    return model.step(model.x + y @ model.root.T, samples, share)


def _accelerated(y: Array, step: Array, moved: Array, turned: Array, known: int) -> Array:
    """Return the next point: the step, less what the remembered ones foretell."""
    ahead = y + step
    if not known:
        return ahead
    recent = turned[:, :known]
    gram = recent @ np.swapaxes(recent, 1, 2)
    at = np.arange(known)
    gram[:, at, at] = gram[:, at, at] * (1.0 + 1e-10) + 1e-300
    weight = solved(gram, recent @ step[:, :, None])
    return ahead - turned_sum(weight, moved[:, :known]) - turned_sum(weight, recent)
