"""One tile of replicates from draw to numbers: moments, estimates, retries, values.

A job is all that a process needs; tiles are independent of one another, so they may run in any
order and anywhere, and give the same numbers.
"""

from __future__ import annotations

import copyreg
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from helpers.errors import SuiteError
from helpers.sem.bootstrap_draws import TILE, Products, Units, drawn_moments, resampled, stream
from helpers.sem.bootstrap_incomplete import (
    IncompleteKernel,
    IncompleteSample,
    incomplete_sample,
)
from helpers.sem.bootstrap_kernels import (
    BatchMoments,
    FactorKernel,
    FixedMoments,
    GeneralKernel,
    Kernel,
)
from helpers.sem.bootstrap_refit import (
    Refit,
    Retried,
    aligned,
    refit_rows,
    replicate_result,
)
from helpers.sem.bootstrap_solve import Model, group_shares, solve_batch
from helpers.sem.bootstrap_values import (
    admissible_replicates,
    chi_squares,
    row_values,
    standard_values,
    with_defined,
)
from helpers.sem.expressions import Expression, parse_expression
from helpers.sem.result import SemResult

Array = np.ndarray
Samples = list[BatchMoments] | list[IncompleteSample]

OK, INADMISSIBLE, FAILED = 0, 1, 2

# A formula holds compiled code, which cannot be sent to another process; its text can.
copyreg.pickle(Expression, lambda formula: (parse_expression, (formula.text,)))


class Statistics(Protocol):
    """What is computed in every replicate besides the parameters."""

    names: tuple[str, ...]
    needs_result: bool

    def of_tests(self, chisq: Array, baseline: Array, n: Array) -> Array:
        """Values from test statistics, (b, k)."""

    def of_result(self, result: SemResult) -> Array:
        """Values from a whole fit, (k,)."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Numbers of b replicates; rows of failed ones are NaN."""

    theta: Array
    values: Array
    standard: Array
    statistics: Array
    errors: Array | None
    """Standard errors of values and standardised values, (b, 2, rows), for studentised bounds."""
    status: Array
    iterations: Array
    retried: Array
    """Whether the replicate needed more than the fast search."""
    why: tuple[str, ...]
    """Why replicates failed, one sentence each."""


@dataclass(frozen=True, slots=True)
class Job:
    """A bootstrap, compiled."""

    result: SemResult
    method: str
    seed: int
    units: Units | None
    given: Array | None
    """Counts of rows that the caller supplied."""
    products: tuple[Products, ...]
    rows: tuple[Array, ...]
    """Rows behind the products, for refits that need them."""
    model: Model | None
    """Compiled for the fast search; None where every replicate is refitted."""
    statistics: Statistics
    want_errors: bool

    def counts(self, tile: int, size: int) -> Array:
        """How often each row stands in the replicates of a tile."""
        if self.given is not None:
            return self.given[tile * TILE : tile * TILE + size]
        return self.units.draw(self.seed, tile, size)

    @property
    def incomplete(self) -> bool:
        """Tell whether rows have blanks that the likelihood takes as they are."""
        return self.result.missing == "fiml"

    def samples(self, counts: Array) -> Samples:
        """Moments of every group, or its rows where they have blanks."""
        out, first = [], 0
        if self.incomplete:
            for rows in self.rows:
                own = counts[:, first : first + len(rows)]
                out.append(incomplete_sample(self.result.table, rows, own))
                first += len(rows)
            return out
        for products in self.products:
            n = len(products.columns)
            means = self.result.meanstructure
            out.append(resampled(products, counts[:, first : first + n], means))
            first += n
        return out


def compile_model(result: SemResult) -> Model:
    """Compile all groups of a maximum likelihood fit around its estimates."""
    problem = result.context
    kernels: list[Kernel] = []
    for g, model in enumerate(result.model, start=1):
        index = {name: k for k, name in enumerate(model.names)}
        rows = [r for r in result.table.rows if r.group == g and r.exo and not r.free]
        pairs = [(index[r.lhs], index[r.rhs]) for r in rows if r.op == "~~"]
        i, j = np.array(pairs, dtype=int).reshape(-1, 2).T
        means = np.array([index[r.lhs] for r in rows if r.op == "~1"], dtype=int)
        general = GeneralKernel(model, result.meanstructure, FixedMoments(i, j, means))
        plain = not rows and FactorKernel.fits(model)
        kernel = FactorKernel(model, result.meanstructure) if plain else general
        kernels.append(IncompleteKernel(general, kernel) if result.missing == "fiml" else kernel)
    reduction = problem.reduction
    observed = {"observed": True} if result.missing == "fiml" else {}
    information = reduction.pull_matrix(problem.target.pieces(result.theta, **observed)[2])
    scale = np.sqrt(np.diag(information))
    root = np.linalg.inv(np.linalg.cholesky(information / scale / scale[:, None])).T
    root /= scale[:, None]
    if reduction.k is not None:
        root = reduction.k @ root
    return Model(tuple(kernels), result.theta, root, result.n_obs)


def run_draws(job: Job, tile: int, size: int) -> Tile:
    """Run the replicates of one tile."""
    if job.method == "parametric":
        rng = stream(job.seed, tile)
        less = 1 if job.result.likelihood == "wishart" else 0
        samples = [
            drawn_moments(rng, m.n, s.mu if job.result.meanstructure else None, s.sigma, less)
            for m, s in zip(job.result.moments, job.result.states)
        ]
        return run_samples(job, [s.take(np.arange(size)) for s in samples], None)
    return run_counts(job, job.counts(tile, size))


def run_jackknife(job: Job, tile: int) -> Tile:
    """Run the replicates that leave one unit out."""
    return run_counts(job, job.units.leave_one_out(tile))


def run_counts(job: Job, counts: Array) -> Tile:
    """Run replicates given how often each row stands in them."""
    if job.model is None:
        return stack_refits(job, [refit_rows(job.result, job.rows, c) for c in counts])
    return run_samples(job, job.samples(counts), counts)


def run_samples(job: Job, samples: Samples, counts: Array | None) -> Tile:
    """Solve, retry what did not converge, compute everything wanted."""
    x, converged, iterations = solve_batch(job.model, samples)
    share = group_shares(samples)
    with np.errstate(all="ignore"):
        start = np.broadcast_to(job.model.x, x.shape)
        worse = ~(
            job.model.value(x, samples, share)
            <= job.model.value(start, samples, share) + 1e-12 * len(share)
        )
    retried = ~converged | worse | ~np.isfinite(x).all(axis=1)
    failed = np.zeros(len(x), dtype=bool)
    why = []
    for b in np.flatnonzero(retried):
        again = _again(job, samples, counts, b)
        if again.x is None:
            failed[b] = True
            why.append(again.why)
        else:
            x[b], iterations[b] = again.x, again.iterations
    x[failed] = job.model.x  # placeholder that keeps the batch regular; blanked below
    return _numbers(job, x, samples, counts, failed, iterations, retried, tuple(why))


def _again(job: Job, samples: Samples, counts: Array | None, b: int) -> Retried:
    """Estimate one replicate by the engine."""
    if not job.incomplete:
        return Refit(job.result, [s.take(np.array([b])) for s in samples]).solve()
    found = refit_rows(job.result, job.rows, counts[b])
    if isinstance(found, str):
        return Retried(None, 0, found)
    return Retried(found.theta, found.iterations, "")


def _numbers(
    job: Job,
    x: Array,
    samples: Samples,
    counts: Array | None,
    failed: Array,
    iterations: Array,
    retried: Array,
    why: tuple[str, ...],
) -> Tile:
    """Parameters, standardised values, statistics and verdicts at the solutions."""
    result = job.result
    with np.errstate(all="ignore"):
        spreads = [k.spread(x, s) for k, s in zip(job.model.kernels, samples)]
        rows = row_values(result.table, x, samples)
        standard = standard_values(result.table, result.model, spreads, rows)
        values = with_defined(result.table, rows)
        good = admissible_replicates(result.table, result.model, spreads, rows, standard)
        standard = with_defined(result.table, standard)
    statistics = np.full((len(x), len(job.statistics.names)), np.nan)
    errors = np.full((len(x), 2, values.shape[1]), np.nan) if job.want_errors else None
    if job.statistics.needs_result or job.want_errors:
        for b in np.flatnonzero(~failed):
            own = None if counts is None else counts[b]
            here = [s.take(np.array([b])) for s in samples]
            try:
                fit = replicate_result(result, job.rows, here, own, x[b])
            except SuiteError:  # the information is singular: no errors, no tests
                continue
            if job.statistics.names:
                statistics[b] = job.statistics.of_result(fit)
            if errors is not None:
                errors[b] = fit.standard_errors, fit.standardized["se"]
    elif job.statistics.names:
        less = 1 if result.likelihood == "wishart" else 0
        tests = chi_squares(result.context, job.model, x, samples, less)
        statistics[:] = job.statistics.of_tests(*tests, sum(s.n for s in samples))
    for block in (x, values, standard, statistics):
        block[failed] = np.nan
    status = np.where(failed, FAILED, np.where(good, OK, INADMISSIBLE))
    return Tile(x, values, standard, statistics, errors, status, iterations, retried, why)


def stack_refits(job: Job, fits: list[SemResult | str]) -> Tile:
    """Collect replicates that were fitted one by one; a text says why one failed."""
    result, b = job.result, len(fits)
    k = len(result.values)
    theta, values = np.full((b, len(result.theta)), np.nan), np.full((b, k), np.nan)
    standard, status = np.full((b, k), np.nan), np.full(b, FAILED)
    statistics = np.full((b, len(job.statistics.names)), np.nan)
    errors = np.full((b, 2, k), np.nan) if job.want_errors else None
    iterations = np.zeros(b, dtype=int)
    free = [(k, r.free - 1) for k, r in enumerate(result.table.rows) if r.free]
    rows, columns = np.array(free, dtype=int).reshape(-1, 2).T
    for at, fit in enumerate(fits):
        if isinstance(fit, str):
            continue
        place = np.array(aligned(result, fit))
        known = place >= 0
        values[at, known] = fit.values[place[known]]
        standard[at, known] = fit.standard_values.std_all[place[known]]
        theta[at, columns] = values[at, rows]
        status[at] = OK if fit.admissible else INADMISSIBLE
        iterations[at] = fit.iterations
        if job.statistics.names:
            statistics[at] = job.statistics.of_result(fit)
        if errors is not None:
            both = np.stack([fit.standard_errors, fit.standardized["se"].to_numpy()])
            errors[at][:, known] = both[:, place[known]]
    why = tuple(f for f in fits if isinstance(f, str))
    return Tile(theta, values, standard, statistics, errors, status, iterations,
                np.zeros(b, dtype=bool), why)  # fmt: skip
