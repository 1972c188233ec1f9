"""Testing formulas of estimates, such as indirect effects, by Monte Carlo intervals.

The labels of a formula are drawn from their joint normal distribution around the estimates, the
formula is evaluated at every draw, and the effect counts as found if 0 lies outside the interval
(MacKinnon, Lockwood & Williams 2004, doi:10.1207/s15327906mbr3901_4). A z test of a product is too
timid in small samples, because products are skewed.
"""

from __future__ import annotations

import numpy as np

from helpers.sem.bootstrap_kernels import BatchMoments
from helpers.sem.expressions import evaluate_defined
from helpers.sem.power_replicates import (
    Plan,
    covariances,
    drawn_labels,
    formula_chain,
    free_labels,
)
from helpers.sem.result import SemResult

Array = np.ndarray

DRAWS = 2000
"""Draws of a replicate."""


def tails_of_replicates(
    plan: Plan, position: int, x: Array, samples: list[BatchMoments], rng: np.random.Generator
) -> tuple[Array, Array]:
    """Two-sided tail shares of 0 and of the population's value in every replicate, each (b,).

    A share below alpha says that the value lies outside the interval of level 1 - alpha.
    """
    chain = formula_chain(plan.result, position)
    free = free_labels(plan.result, chain)
    slopes = np.zeros((len(x), x.shape[1], len(free)))
    slopes[:, list(free.values()), np.arange(len(free))] = 1.0
    root = _roots(covariances(plan, x, samples, slopes))
    z = rng.standard_normal((DRAWS, len(free)))
    values = {name: v[:, None] for name, v in drawn_labels(plan, x).items()}
    for k, name in enumerate(free):
        values[name] = values[name] + (z @ root[:, k].T).T
    draws = np.real(evaluate_defined(chain, values)[chain[-1][0]])
    truth = float(plan.result.values[position])
    return _tail(draws, 0.0), _tail(draws, truth)


def tails_of_fit(
    result: SemResult, position: int, truth: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Give the same tail shares for one fit with its own standard errors."""
    chain = formula_chain(result, position)
    free = free_labels(result, chain)
    at = list(free.values())
    root = _roots(result.vcov[np.ix_(at, at)][None])[0]
    draws = rng.standard_normal((DRAWS, len(at))) @ root.T
    values = {
        name: np.full(DRAWS, result.values[k]) for name, k in result.table.label_index().items()
    }
    for k, name in enumerate(free):
        values[name] = values[name] + draws[:, k]
    found = np.real(evaluate_defined(chain, values)[chain[-1][0]])[None]
    return float(_tail(found, 0.0)[0]), float(_tail(found, truth)[0])


def _roots(cov: Array) -> Array:
    """Square roots of covariance matrices, which equal labels make singular, (b, k, k)."""
    usable = np.isfinite(cov).all(axis=(1, 2))
    safe = np.where(usable[:, None, None], cov, 0.0)
    values, vectors = np.linalg.eigh(safe)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))[:, None, :]
    root[~usable] = np.nan
    return root


def _tail(draws: Array, value: float) -> Array:
    """Twice the smaller share of draws beyond a value, never 0, (b,)."""
    below = (draws < value).sum(axis=1)
    least = np.minimum(below, draws.shape[1] - below)
    out = np.minimum(2.0 * (least + 1.0) / (draws.shape[1] + 1.0), 1.0)
    return np.where(np.isfinite(draws).all(axis=1), out, np.nan)
