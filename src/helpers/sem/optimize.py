"""Minimising a discrepancy: Fisher scoring with step halving, and what to do when it stalls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space
from scipy.linalg.lapack import dposv

from helpers.sem.constraints import Reduction
from helpers.sem.discrepancy import Discrepancy

Array = np.ndarray

DECREMENT = 1e-18
"""Stop at this expected gain ``g' H^-1 g``: a distance of 1e-9 sqrt(N) standard errors."""
NEWTON = 1e-3
"""Below this gain the observed Hessian takes over, which converges quadratically."""
LOOSE_DECREMENT = 1e-12
"""Counts as converged when rounding stops progress earlier: 1e-6 sqrt(N) standard errors."""
MAX_ITER = 200
HALVINGS = 25
CREEP = 2.0**-6
"""A step below this share of the scoring step creeps: the expected Hessian misleads here."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Where the optimiser stopped."""

    z: Array
    x: Array
    f: float
    converged: bool
    iterations: int
    decrement: float


def solve_step(h: Array, g: Array) -> Array:
    """Solve ``H step = -g``; a ridge is added while H is not positive definite."""
    scale = np.sqrt(np.maximum(np.diag(h), 1e-300))
    unit = h / scale / scale[:, None]
    ridge = 0.0
    for _attempt in range(12):
        damped = unit + ridge * np.eye(len(g)) if ridge else unit
        _factor, step, info = dposv(damped, -g / scale)
        if info == 0:
            return step / scale
        ridge = max(ridge * 10.0, 1e-8)
    return -g / scale**2


def scoring(
    target: Discrepancy,
    reduction: Reduction,
    z: Array,
    max_iter: int = MAX_ITER,
    *,
    first: tuple[float, Array, Array] | None = None,
    patience: int | None = None,
) -> Solution:
    """Minimise by Fisher scoring from ``z``; ``first`` is ``pieces`` there, if known.

    With ``patience``, a search that crept for so many steps in a row is given up unconverged.
    """
    newton = getattr(target, "newton", False)
    x = reduction.expand(z)
    f, g, h = target.pieces(x) if first is None else first
    decrement, it, crept = np.inf, 0, 0
    while it < max_iter and crept != patience:
        it += 1
        gz, hz = reduction.pull_vector(g), reduction.pull_matrix(h)
        step = solve_step(hz, gz)
        decrement = float(-(gz @ step))
        if not np.isfinite(decrement):
            break
        last = decrement < DECREMENT
        options = {"observed": True} if newton and decrement < NEWTON else {}
        size, moved = 1.0, False
        for _halving in range(HALVINGS):
            ahead = reduction.expand(z + size * step)
            new = (target.value(ahead), g, h) if last else target.pieces(ahead, **options)
            if new[0] <= f + 1e-14 * max(1.0, abs(f)):
                moved = True
                break
            size *= 0.5
        if not moved:
            break
        z, x = z + size * step, ahead
        f, g, h = new
        crept = crept + 1 if size < CREEP else 0
        if last:
            break
    return Solution(z, x, f, bool(decrement < LOOSE_DECREMENT), it, decrement)


def constrained_scoring(
    target: Discrepancy, reduction: Reduction, z: Array, max_iter: int = MAX_ITER
) -> Solution:
    """Minimise under ``h(x) = 0`` by Newton steps on the Lagrangian with expected information."""
    decrement, penalty, it, f = np.inf, 1.0, 0, np.inf
    while it < max_iter:
        it += 1
        x = reduction.expand(z)
        f, g, info = target.pieces(x)
        gz, hz = reduction.pull_vector(g), reduction.pull_matrix(info)
        h, jac = reduction.nonlinear(x)
        jz = jac if reduction.k is None else jac @ reduction.k
        m = len(h)
        kkt = np.block([[hz, jz.T], [jz, np.zeros((m, m))]])
        solved = np.linalg.lstsq(kkt, np.concatenate([-gz, -h]), rcond=None)[0]
        step, multipliers = solved[: len(z)], solved[len(z) :]
        decrement = float(step @ hz @ step) + float(h @ h)
        penalty = max(penalty, 2.0 * float(np.abs(multipliers).max(initial=0.0)))
        if decrement < DECREMENT:
            z = z + step
            break
        z = (
            z
            + _merit_size(target, reduction, z, step, f + penalty * np.abs(h).sum(), penalty) * step
        )
    x = reduction.expand(z)
    return Solution(z, x, target.value(x), bool(decrement < LOOSE_DECREMENT), it, decrement)


def _merit_size(
    target: Discrepancy, reduction: Reduction, z: Array, step: Array, merit: float, penalty: float
) -> float:
    """Halve the step until fit plus weighted violation does not grow."""
    size = 1.0
    for _halving in range(HALVINGS):
        x = reduction.expand(z + size * step)
        now = target.value(x) + penalty * float(np.abs(reduction.nonlinear(x)[0]).sum())
        if now <= merit + 1e-12 * max(1.0, abs(merit)):
            return size
        size *= 0.5
    return size


def tangent(reduction: Reduction, x: Array, n_z: int) -> Array | None:
    """Basis of the directions in which x may move: ``K`` times the null space of dh/dz."""
    if reduction.nonlinear is None:
        return reduction.k
    _h, jac = reduction.nonlinear(x)
    k = np.eye(len(x)) if reduction.k is None else reduction.k
    return k @ null_space(jac @ k)
