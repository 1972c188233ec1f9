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
from helpers.sem.compare import compare
from helpers.sem.fit import fit
from helpers.sem.groups import LADDER
from helpers.sem.power_curve import wilson
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
        return Block(nothing, nothing, difference, np.full(size, df), converged, proper)
    plan, x = plans[0], found[0].x
    at = find_target(plan.result.table, job.hypothesis).position
    value, error = values_of(plan, at, x), errors_of(plan, at, x, samples)
    usable = converged & np.isfinite(error) & (error > 0)
    return Block(value, error, nothing, nothing, usable, proper & usable)


def _from_rows(job: Job, n: int, size: int, rng: np.random.Generator) -> Block:
    """Any other data: draw rows and fit each set."""
    recipe, sizes = job.recipe(), job.sizes(n)
    seeds = rng.integers(0, 2**63 - 1, BLOCK)[:size]
    rows = [_one_set(job, draw(recipe, sizes, np.random.default_rng(s))) for s in seeds]
    columns = np.array(rows, dtype=float).reshape(size, 6).T
    return Block(*columns[:4], columns[4].astype(bool), columns[5].astype(bool))


def _one_set(job: Job, data: pd.DataFrame) -> tuple[float, ...]:
    """Fit one data set: estimate, error, statistic, df, converged, proper."""
    failed = (np.nan, np.nan, np.nan, np.nan, False, False)
    try:
        if job.step:
            return _one_step(job, data)
        result = fit(job.model, data, **_fit_options(job, data))
        at = find_target(result.table, job.hypothesis).position
    except SuiteError:  # counted as a replicate that failed
        return failed
    error = float(result.standard_errors[at])
    if not result.converged or not error > 0:
        return failed
    return (float(result.values[at]), error, np.nan, np.nan, True, result.admissible)


def _one_step(job: Job, data: pd.DataFrame) -> tuple[float, ...]:
    """Fit the two models of a step."""
    ladder = list(LADDER)
    pair = (ladder[ladder.index(job.hypothesis) - 1], job.hypothesis)
    free, strict = (fit(job.model, data, group_equal=LADDER[s], **_fit_options(job, data))
                    for s in pair)  # fmt: skip
    difference = compare(strict, free)
    both = free.converged and strict.converged
    if not both or isinstance(difference.p_value, Unavailable):
        return (np.nan, np.nan, np.nan, np.nan, False, False)
    proper = free.admissible and strict.admissible
    return (np.nan, np.nan, float(difference.chisq_diff), float(difference.df_diff), True, proper)


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
        if np.isnan(block.statistic).all():
            return np.abs(block.estimate / block.error) > ndtri(1.0 - alpha / 2.0)
        return chdtrc(block.df, np.maximum(block.statistic, 0.0)) < alpha


def _accuracy(block: Block, truth: float, level: float) -> dict[str, float]:
    """Bias of estimates and errors, and coverage of the normal intervals."""
    value, error = block.estimate[block.converged], block.error[block.converged]
    if len(value) < 2:
        return {}
    bias, spread = float(value.mean() - truth), float(value.std(ddof=1))
    width = ndtri(0.5 + level / 2.0) * error
    return {
        "mean": float(value.mean()), "bias": bias,
        "relative_bias": bias / truth if abs(truth) > 1e-12 else np.nan,
        "sd": spread, "mean_se": float(error.mean()), "se_bias": float(error.mean()) / spread - 1.0,
        "coverage": float((np.abs(value - truth) <= width).mean()),
    }  # fmt: skip


def misfit(result: SemResult) -> float:
    """RMSEA of the fitted model in the population itself."""
    if result.test.df <= 0:
        return 0.0
    return float(np.sqrt(max(2.0 * result.f, 0.0) / result.test.df * result.n_groups))
