"""From the arguments of ``bootstrap`` to a compiled job and its result.

Work is split into tiles (``bootstrap_batch``), which run here, on processes or on a cluster, with
the same numbers.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.errors import EstimationError, ModelSpecError, listing, nearest
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.bootstrap_batch import Job, compile_model
from helpers.sem.bootstrap_draws import bollen_stine, build_products, build_units, counts_of
from helpers.sem.bootstrap_intervals import KINDS
from helpers.sem.bootstrap_result import BootstrapResult
from helpers.sem.bootstrap_run import Progress, run, summarise
from helpers.sem.bootstrap_statistics import Wanted, build_statistics
from helpers.sem.options import ROBUST
from helpers.sem.result import SemResult

Array = np.ndarray

METHODS = ("nonparametric", "bollen-stine", "parametric")
RULES = ("keep", "drop")


@dataclass(frozen=True, slots=True)
class Wish:
    """The arguments of ``bootstrap``, as given."""

    n_boot: object
    seed: int | None
    ci: str
    method: str
    statistics: Wanted
    strata: object
    clusters: object
    indices: object
    inadmissible: str
    level: float
    workers: int = 1
    scheduler: str | None = None
    keep: str | Path | None = None
    progress: Progress | None = None


@remembered
def bootstrap_fit(result: SemResult, wish: Wish) -> BootstrapResult:
    """Check, compile, run and summarise."""
    _check(result, wish)
    seed = wish.seed
    seed = int(np.random.SeedSequence().entropy % 2**63) if seed is None else int(seed)
    job, values = build_job(result, wish, seed)
    n_boot = int(wish.n_boot) if job.given is None else len(job.given)
    notes = []
    jackknife = job.units.count if wish.ci == "bca" else 0
    if jackknife > n_boot:
        note = _(
            "BCa intervals from {n} replicates for {units} rows or clusters are unstable; use "
            "ci='percentile', or at least as many replicates as rows."
        ).format(n=n_boot, units=jackknife)
        notes.append(note)
        warnings.warn(f"bootstrap: {note}", UserWarning, stacklevel=3)
    tiles, left_out = run(
        job, n_boot, jackknife, workers=wish.workers, scheduler=wish.scheduler, keep=wish.keep,
        progress=wish.progress,
    )  # fmt: skip
    return summarise(job, values, tiles, left_out, wish.ci, wish.inadmissible, wish.level, notes)


def _check(result: SemResult, wish: Wish) -> None:
    """Check options and what goes together."""
    for name, value, allowed in (
        ("ci", wish.ci, KINDS),
        ("method", wish.method, METHODS),
        ("inadmissible", wish.inadmissible, RULES),
    ):
        if value not in allowed:
            raise ModelSpecError(
                f"bootstrap: {name}= is '{value}'; allowed are {listing(allowed)}."
                f"{nearest(str(value), allowed)} Choose one of them."
            )
    for name, value in (("n_boot", wish.n_boot), ("workers", wish.workers)):
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise ModelSpecError(
                f"bootstrap: {name}= is {value!r}; a whole number of at least 1 is needed. "
                f"Use for example {name}={1000 if name == 'n_boot' else 2}."
            )
    if not 0.0 < wish.level < 1.0:
        raise ModelSpecError(
            f"bootstrap: level= is {wish.level}; a proportion between 0 and 1 is needed. Use .95."
        )
    if not result.converged:
        raise EstimationError(
            "bootstrap: result= did not converge; replicates of it would mean nothing. Look at "
            "result.problems and mend the model first."
        )
    if wish.ci == "bca" and wish.method != "nonparametric":
        raise ModelSpecError(
            f"bootstrap: ci= is 'bca' with method='{wish.method}'; the acceleration is that of "
            "resampled rows. Use ci='percentile', or method='nonparametric'."
        )
    if wish.indices is not None and wish.method == "parametric":
        raise ModelSpecError(
            "bootstrap: indices= was given with method='parametric', which draws no rows. Leave "
            "one of them out."
        )


def build_job(result: SemResult, wish: Wish, seed: int) -> tuple[Job, Array]:
    """Compile what every tile needs; also the statistics of the full sample."""
    batched, incomplete = _can_batch(result), result.missing == "fiml"
    found, values = build_statistics(result, wish.statistics)
    whole = found.needs_result or wish.ci == "student"
    _check_source(result, wish.method, batched and not incomplete, whole)
    if incomplete and (whole or found.names):  # tests of incomplete rows need whole fits
        batched = False
    rows = _rows(result, wish.method)
    less = 1 if result.likelihood == "wishart" else 0
    products = rows if batched and not incomplete and wish.method != "parametric" else ()
    job = Job(
        result=result, method=wish.method, seed=seed,
        units=None if wish.method == "parametric"
        else build_units(result.moments, wish.strata, wish.clusters),
        given=None if wish.indices is None else counts_of(wish.indices, result.moments),
        products=tuple(build_products(r, less) for r in products), rows=rows,
        model=compile_model(result) if batched else None, statistics=found,
        want_errors=wish.ci == "student",
    )  # fmt: skip
    return job, values


def _can_batch(result: SemResult) -> bool:
    """Tell whether replicates can be solved together: maximum likelihood, linear constraints."""
    reduction = result.context.reduction
    return (
        result.context.estimator == "ML"
        and not result.table.names.ordered
        and len(result.theta) > 0
        and reduction.nonlinear is None
        and reduction.inequalities is None
    )


def _rows(result: SemResult, method: str) -> tuple[Array, ...]:
    """Rows that are drawn from, per group; none where moments are."""
    if method == "bollen-stine":
        return tuple(
            bollen_stine(m.data, m.cov, s.sigma, s.mu if result.meanstructure else None)
            for m, s in zip(result.moments, result.states)
        )
    return tuple(m.data for m in result.moments if m.data is not None)


def _check_source(result: SemResult, method: str, complete: bool, whole: bool) -> None:
    """Check that the fit offers what a method draws from."""
    known = all(m.data is not None for m in result.moments)
    if not known and (method != "parametric" or not complete):
        raise EstimationError(
            "bootstrap: result= was fitted to moments (sample_cov=), which cannot be resampled; "
            "rows are needed. Fit with data=, or use method='parametric', ci='percentile'."
        )
    if method != "nonparametric" and not complete:
        raise ModelSpecError(
            f"bootstrap: method= is '{method}' for a fit by {result.estimator}, "
            f"missing='{result.missing}'; it is available for ML on complete data without "
            "nonlinear constraints. Use method='nonparametric'."
        )
    if method == "parametric" and whole and result.estimator in ROBUST:
        raise ModelSpecError(
            f"bootstrap: method= is 'parametric' for {result.estimator}, with statistics= or "
            "ci='student' that need robust tests or errors; these need rows. Use "
            "method='bollen-stine' or 'nonparametric'."
        )
