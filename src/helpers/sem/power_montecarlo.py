"""Power by simulation: draw samples, estimate, count rejections, and look at bias and coverage.

Replicates run in blocks of fixed size. The random numbers of a block depend on the seed, the
sample size and the block's number alone, so that any number of workers in any order gives the same
result, and one sample size does not depend on which others are asked for (Muthen & Muthen 2002,
doi:10.1207/S15328007SEM0904_8, for the quantities reported).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtri

from helpers.errors import SuiteError, Unavailable
from helpers.memo import remembered
from helpers.sem.compare import compare
from helpers.sem.fit import fit
from helpers.sem.groups import LADDER
from helpers.sem.power_curve import wilson
from helpers.sem.power_interval import tails_of_fit, tails_of_replicates
from helpers.sem.power_replicates import (
    Plan,
    draw_moments,
    errors_of,
    estimate,
    make_plan,
    values_of,
)
from helpers.sem.power_target import STEPS, find_target
from helpers.sem.result import SemResult
from helpers.sem.simulate_data import Recipe, draw, make_recipe
from helpers.sem.simulate_population import Population, parsed
from helpers.workers import run_blocks

Array = np.ndarray

BLOCK = 100
"""Replicates of a block; the numbers depend on it, so it is not an option."""


@dataclass(frozen=True)
class Job:
    """Everything a worker needs; plain values that can be sent to another process."""

    population: Population
    model: str
    hypothesis: str
    estimator: str
    seed: int
    shares: tuple[float, ...]
    """Share of every group in N."""
    data: dict[str, Any] = field(default_factory=dict)
    """Arguments of ``make_recipe``."""
    std_lv: bool = False
    interval: bool = False
    """Whether a formula is tested by a Monte Carlo interval instead of a z test."""

    def sizes(self, n: int) -> tuple[int, ...]:
        """Group sizes of a total N: rounded down, the rest to the first groups."""
        sizes = np.floor(np.array(self.shares) * n + 1e-9).astype(int)
        sizes[: n - sizes.sum()] += 1
        return tuple(int(v) for v in sizes)

    def recipe(self) -> Recipe:
        """Return how rows are drawn."""
        return make_recipe(self.population, **self.data)

    @property
    def step(self) -> bool:
        """Tell whether the hypothesis is a step of the ladder of invariance."""
        return self.hypothesis in STEPS


@dataclass(frozen=True, slots=True)
class Block:
    """Outcome of the replicates of one block, each (b,).

    ``estimate`` and ``error`` are NaN for a step, ``statistic`` and ``df`` for a parameter.
    """

    estimate: Array
    error: Array
    statistic: Array
    df: Array
    converged: Array
    proper: Array
    tail_zero: Array
    tail_truth: Array
    """Tail shares of a Monte Carlo interval, NaN for other tests."""


def plans_of(job: Job, n: int) -> tuple[Plan, ...]:
    """Compile the model, or the freer and the stricter model of a step."""
    syntax, sizes = parsed(job.model), job.sizes(n)
    if not job.step:
        return (make_plan(job.population, syntax, sizes, std_lv=job.std_lv),)
    ladder = list(LADDER)
    pair = (ladder[ladder.index(job.hypothesis) - 1], job.hypothesis)
    return tuple(
        make_plan(
            job.population, syntax, sizes, std_lv=job.std_lv, group_equal=LADDER[s], means=True
        )
        for s in pair
    )


@dataclass(frozen=True)
class _Holder:
    """A job that is looked up by its identity, as its parts cannot be hashed."""

    job: Job

    def __hash__(self) -> int:
        return id(self.job)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Holder) and other.job is self.job


@lru_cache(maxsize=8)
def _cached_plans(holder: _Holder, n: int) -> tuple[Plan, ...]:
    """Compile once per sample size and process."""
    return plans_of(holder.job, n)


def run_block(job: Job, task: tuple[int, int, int]) -> Block:
    """Run one block of replicates: a sample size, the block's number, its replicates."""
    n, block, size = task
    rng = np.random.default_rng(np.random.SeedSequence(job.seed, spawn_key=(n, block)))
    if job.estimator == "ML" and job.recipe().plain:
        return _from_moments(job, n, size, rng)
    return _from_rows(job, n, size, rng)


def _from_moments(job: Job, n: int, size: int, rng: np.random.Generator) -> Block:
    """Complete normal data: estimate from moments, all replicates at once."""
    plans = _cached_plans(_Holder(job), n)
    samples = draw_moments(plans[0], job.sizes(n), BLOCK, rng)
    samples = [s.take(np.arange(size)) for s in samples]
    found = [estimate(plan, samples) for plan in plans]
    converged = np.all([e.converged for e in found], axis=0)
    proper = np.all([e.proper for e in found], axis=0)
    nothing = np.full(size, np.nan)
    if job.step:
        difference = found[1].chisq - found[0].chisq
        df = plans[1].result.test.df - plans[0].result.test.df
        degrees = np.full(size, df)
        return Block(nothing, nothing, difference, degrees, converged, proper, nothing, nothing)
    plan, x = plans[0], found[0].x
    at = find_target(plan.result.table, job.hypothesis).position
    value, error = values_of(plan, at, x), errors_of(plan, at, x, samples)
    usable = converged & np.isfinite(error) & (error > 0)
    zero, truth = nothing, nothing
    if job.interval:
        zero, truth = tails_of_replicates(plan, at, x, samples, rng)
        usable &= np.isfinite(zero)
    return Block(value, error, nothing, nothing, usable, proper & usable, zero, truth)


def _from_rows(job: Job, n: int, size: int, rng: np.random.Generator) -> Block:
    """Any other data: draw rows and fit each set."""
    recipe, sizes = job.recipe(), job.sizes(n)
    seeds = rng.integers(0, 2**63 - 1, BLOCK)[:size]
    truth = _truth(job, n) if job.interval else np.nan
    rows = [_one_set(job, recipe, sizes, truth, np.random.default_rng(s)) for s in seeds]
    columns = list(np.array(rows, dtype=float).reshape(size, len(FAILED)).T)
    columns[4:6] = [c.astype(bool) for c in columns[4:6]]
    return Block(*columns)


def _truth(job: Job, n: int) -> float:
    """Return the formula's value in the population."""
    result = _cached_plans(_Holder(job), n)[0].result
    return float(result.values[find_target(result.table, job.hypothesis).position])


FAILED = (np.nan, np.nan, np.nan, np.nan, False, False, np.nan, np.nan)
"""A replicate without a result, in the order of ``Block``."""


def _one_set(
    job: Job, recipe: Recipe, sizes: Sequence[int], truth: float, rng: np.random.Generator
) -> tuple[float, ...]:
    """Draw and fit one data set; returns its entries of ``Block``."""
    data = draw(recipe, sizes, rng)
    try:
        if job.step:
            return _one_step(job, data)
        result = fit(job.model, data, **_fit_options(job, data))
    except SuiteError:  # counted as a replicate that failed
        return FAILED
    at = find_target(result.table, job.hypothesis).position
    error = float(result.standard_errors[at])
    if not result.converged or not error > 0:
        return FAILED
    tails = tails_of_fit(result, at, truth, rng) if job.interval else (np.nan, np.nan)
    return (float(result.values[at]), error, np.nan, np.nan, True, result.admissible, *tails)


def _one_step(job: Job, data: pd.DataFrame) -> tuple[float, ...]:
    """Fit the two models of a step."""
    ladder = list(LADDER)
    pair = (ladder[ladder.index(job.hypothesis) - 1], job.hypothesis)
    free, strict = (fit(job.model, data, group_equal=LADDER[s], **_fit_options(job, data))
                    for s in pair)  # fmt: skip
    difference = compare(strict, free)
    both = free.converged and strict.converged
    if not both or isinstance(difference.p_value, Unavailable):
        return FAILED
    proper = free.admissible and strict.admissible
    statistic, df = float(difference.chisq_diff), float(difference.df_diff)
    return (np.nan, np.nan, statistic, df, True, proper, np.nan, np.nan)


def _fit_options(job: Job, data: pd.DataFrame) -> dict[str, Any]:
    """Return the options of ``fit`` for a simulated set."""
    options: dict[str, Any] = {"estimator": job.estimator, "std_lv": job.std_lv}
    ordered = tuple(job.population.thresholds)
    if ordered:
        options["ordered"] = ordered
    elif job.data.get("missing"):
        options["missing"] = "fiml"
    if job.population.grouping:
        options["group"] = job.population.grouping
    return options


@remembered
def run_sizes(
    job: Job,
    sizes: Sequence[int],
    n_sets: int,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    keep: str | Path | None = None,
) -> dict[int, Block]:
    """Run all blocks of all sample sizes; see ``helpers.workers.run_blocks`` for where."""
    full, rest = divmod(n_sets, BLOCK)
    parts = [BLOCK] * full + ([rest] if rest else [])
    tasks = [(int(n), k, part) for n in sizes for k, part in enumerate(parts)]
    done = run_blocks(
        partial(run_block, job), tasks, workers=workers, scheduler=scheduler, keep=keep
    )
    out = {}
    for n in sizes:
        own = [b for b, task in zip(done, tasks) if task[0] == n]
        out[int(n)] = Block(
            *(np.concatenate([getattr(b, f) for b in own]) for f in Block.__slots__)
        )
    return out


def summarise(
    blocks: dict[int, Block], truth: float | None, *, alpha: float, level: float
) -> pd.DataFrame:
    """One row a sample size: power with its interval, failures, bias and coverage."""
    rows = []
    for n, block in blocks.items():
        used = block.converged
        hits = rejected(block, alpha)[used]
        low, high = wilson(np.array(hits.sum()), np.array(used.sum()), level)
        row = {
            "n_obs": n, "power": float(hits.mean()) if used.any() else np.nan,
            "ci_low": float(low), "ci_high": float(high), "n_sets": len(used),
            "n_used": int(used.sum()), "n_failed": int((~used).sum()),
            "n_improper": int((used & ~block.proper).sum()),
        }  # fmt: skip
        rows.append(row | ({} if truth is None else _accuracy(block, truth, level)))
    return pd.DataFrame(rows)


def rejected(block: Block, alpha: float) -> Array:
    """Tell which replicates reject, (b,)."""
    with np.errstate(all="ignore"):
        if not np.isnan(block.tail_zero).all():
            return block.tail_zero < alpha
        if np.isnan(block.statistic).all():
            return np.abs(block.estimate / block.error) > ndtri(1.0 - alpha / 2.0)
        return chdtrc(block.df, np.maximum(block.statistic, 0.0)) < alpha


def _accuracy(block: Block, truth: float, level: float) -> dict[str, float]:
    """Bias of estimates and errors, and coverage of the intervals that go with the test."""
    value, error = block.estimate[block.converged], block.error[block.converged]
    if len(value) < 2:
        return {}
    bias, spread = float(value.mean() - truth), float(value.std(ddof=1))
    tail = block.tail_truth[block.converged]
    covered = np.abs(value - truth) <= ndtri(0.5 + level / 2.0) * error
    if not np.isnan(tail).all():
        covered = tail >= 1.0 - level
    return {
        "mean": float(value.mean()), "bias": bias,
        "relative_bias": bias / truth if abs(truth) > 1e-12 else np.nan,
        "sd": spread, "mean_se": float(error.mean()), "se_bias": float(error.mean()) / spread - 1.0,
        "coverage": float(covered.mean()),
    }  # fmt: skip


def misfit(result: SemResult) -> float:
    """RMSEA of the fitted model in the population itself."""
    if result.test.df <= 0:
        return 0.0
    return float(np.sqrt(max(2.0 * result.f, 0.0) / result.test.df * result.n_groups))
