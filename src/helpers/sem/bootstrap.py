"""Bootstrap of a fitted model: errors, intervals and p-values from resamples.

``bootstrap`` is the public call. Work is split into tiles (``bootstrap_batch``), which run here,
or on forked processes, with the same numbers.
"""

from __future__ import annotations

import warnings

import numpy as np

from helpers.errors import EstimationError, ModelSpecError, listing, nearest
from helpers.i18n import _
from helpers.sem.bootstrap_batch import Job, compile_model
from helpers.sem.bootstrap_draws import bollen_stine, build_products, build_units, counts_of
from helpers.sem.bootstrap_intervals import KINDS
from helpers.sem.bootstrap_result import BootstrapResult
from helpers.sem.bootstrap_run import Progress, can_fork, run, summarise
from helpers.sem.bootstrap_statistics import Wanted, build_statistics
from helpers.sem.options import ROBUST
from helpers.sem.result import SemResult
from helpers.thresholds import LEVEL

Array = np.ndarray

METHODS = ("nonparametric", "bollen-stine", "parametric")
RULES = ("keep", "drop")
DRAWS = 5000


def bootstrap(
    result: SemResult,
    *,
    n_boot: int = DRAWS,
    seed: int | None = None,
    ci: str = "bca",
    method: str = "nonparametric",
    statistics: Wanted = None,
    strata: object = None,
    clusters: object = None,
    indices: object = None,
    inadmissible: str = "keep",
    level: float = LEVEL,
    workers: int = 1,
    progress: Progress | None = None,
) -> BootstrapResult:
    """Bootstrap every parameter of a fit: free, ``:=`` and standardised.

    Each replicate is estimated anew. Under ML (also MLR, MLM, MLMV: same estimates) replicates
    are solved together on their moments; incomplete data are searched the same way on their rows;
    other estimators and ordered items are refitted one by one by ``fit``. Covariates held fixed
    follow each resample.

    Parameters
    ----------
    result : SemResult
        A converged fit.
    n_boot : int
        Replicates.
    seed : int, optional
        Makes the draws repeatable; without it one is drawn and reported in the result.
    ci : {"percentile", "bc", "bca", "normal", "student"}
        ``bca`` takes its acceleration from a jackknife over rows (or clusters); ``student``
        computes standard errors in every replicate, which takes a hundred times as long.
    method : {"nonparametric", "bollen-stine", "parametric"}
        Rows; rows moved so that the model holds (for the test of the model); or normal samples
        from the implied moments.
    statistics : str, sequence of str or callable, optional
        Fit measures by name, or a function from a ``SemResult`` to a number, a list or a dict.
        ``chisq``, ``fmin``, ``cfi``, ``tli``, ``rmsea`` under ML cost nothing; all else needs a
        whole fit per replicate (milliseconds each).
    strata, clusters : array-like, optional
        One value per row of the data: rows are drawn within strata, clusters are drawn whole.
        Rows are always drawn within groups.
    indices : int array, shape (n_boot, any), optional
        Resamples to use instead of drawing, as positions of rows in the data.
    inadmissible : {"keep", "drop"}
        What happens to replicates that converge to impossible values, such as negative
        variances. Keeping them (as lavaan does) leaves the intervals unbiased by selection.
    level : float
        Confidence level as a proportion.
    workers : int
        Forked processes; one where the system cannot fork. Numbers do not depend on it.
    progress : callable, optional
        Called with (replicates done, replicates in all), the jackknife included.

    Returns
    -------
    BootstrapResult

    Raises
    ------
    ModelSpecError
        An option is unknown, or options do not go together.
    DataContractError
        ``strata``, ``clusters`` or ``indices`` do not fit the data.
    EstimationError
        The fit did not converge, came from moments alone, or no replicate could be estimated.

    Warns
    -----
    UserWarning
        BCa with fewer replicates than rows.

    Notes
    -----
    Memory: 24 bytes for each row of 128 replicates, and N p^2 / 2 products, whatever ``n_boot``.
    Missing data: rows are those of the fit; with ``missing="fiml"`` their blanks stay.
    Checked against lavaan on the same resamples and against R's boot:
    ``tests/reference/bootstrap.R``.

    References
    ----------
    Efron (1987), doi:10.1080/01621459.1987.10478410; Bollen & Stine (1992),
    doi:10.1177/0049124192021002004.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from helpers.sem import fit
    >>> z = np.random.default_rng(1).normal(size=(80, 2))
    >>> data = pd.DataFrame({"x": z[:, 0], "y": z[:, 0] + z[:, 1]})
    >>> b = bootstrap(fit("y ~ x", data), n_boot=200, seed=1)
    >>> bool(b.estimates["ci_low"][0] > 0), b.n_failed
    (True, 0)
    """
    n_boot = _check(result, n_boot, ci, method, inadmissible, level, workers, indices)
    seed = int(np.random.SeedSequence().entropy % 2**63) if seed is None else int(seed)
    job, values = _build_job(result, method, seed, ci, statistics, strata, clusters, indices)
    n_boot = n_boot if job.given is None else len(job.given)
    notes = []
    jackknife = job.units.count if ci == "bca" else 0
    if jackknife > n_boot:
        note = _(
            "BCa intervals from {n} replicates for {units} rows or clusters are unstable; use "
            "ci='percentile', or at least as many replicates as rows."
        ).format(n=n_boot, units=jackknife)
        notes.append(note)
        warnings.warn(f"bootstrap: {note}", UserWarning, stacklevel=2)
    if workers > 1 and not can_fork():
        notes.append(_("One process was used: this system cannot fork processes."))
    tiles, left_out = run(job, n_boot, jackknife, workers, progress)
    return summarise(job, values, tiles, left_out, ci, inadmissible, level, notes)


def _check(
    result: SemResult,
    n_boot: object,
    ci: str,
    method: str,
    inadmissible: str,
    level: float,
    workers: int,
    indices: object,
) -> int:
    """Check options and what goes together."""
    for name, value, allowed in (
        ("ci", ci, KINDS), ("method", method, METHODS), ("inadmissible", inadmissible, RULES),
    ):  # fmt: skip
        if value not in allowed:
            raise ModelSpecError(
                f"bootstrap: {name}= is '{value}'; allowed are {listing(allowed)}."
                f"{nearest(str(value), allowed)} Choose one of them."
            )
    for name, value in (("n_boot", n_boot), ("workers", workers)):
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise ModelSpecError(
                f"bootstrap: {name}= is {value!r}; a whole number of at least 1 is needed. "
                f"Use for example {name}={DRAWS if name == 'n_boot' else 2}."
            )
    if not 0.0 < level < 1.0:
        raise ModelSpecError(
            f"bootstrap: level= is {level}; a proportion between 0 and 1 is needed. Use .95."
        )
    if not result.converged:
        raise EstimationError(
            "bootstrap: result= did not converge; replicates of it would mean nothing. Look at "
            "result.problems and mend the model first."
        )
    if ci == "bca" and method != "nonparametric":
        raise ModelSpecError(
            f"bootstrap: ci= is 'bca' with method='{method}'; the acceleration is that of "
            "resampled rows. Use ci='percentile', or method='nonparametric'."
        )
    if indices is not None and method == "parametric":
        raise ModelSpecError(
            "bootstrap: indices= was given with method='parametric', which draws no rows. Leave "
            "one of them out."
        )
    return int(n_boot)


def _build_job(
    result: SemResult,
    method: str,
    seed: int,
    ci: str,
    statistics: Wanted,
    strata: object,
    clusters: object,
    indices: object,
) -> tuple[Job, Array]:
    """Compile what every tile needs; also the statistics of the full sample."""
    batched, incomplete = _can_batch(result), result.missing == "fiml"
    found, values = build_statistics(result, statistics)
    whole = found.needs_result or ci == "student"
    _check_source(result, method, batched and not incomplete, whole)
    if incomplete and (whole or found.names):  # tests of incomplete rows need whole fits
        batched = False
    rows = _rows(result, method)
    less = 1 if result.likelihood == "wishart" else 0
    products = rows if batched and not incomplete and method != "parametric" else ()
    job = Job(
        result=result, method=method, seed=seed,
        units=None if method == "parametric" else build_units(result.moments, strata, clusters),
        given=None if indices is None else counts_of(indices, result.moments),
        products=tuple(build_products(r, less) for r in products), rows=rows,
        model=compile_model(result) if batched else None, statistics=found,
        want_errors=ci == "student",
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
