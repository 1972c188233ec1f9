"""Bootstrap of a fitted model: errors, intervals and p-values from resamples.

This module holds the public call alone, so that the engine is imported quickly; checks and work
stand in ``bootstrap_job`` and the modules it uses.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from helpers.sem.result import SemResult
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.sem.bootstrap_result import BootstrapResult
    from helpers.sem.bootstrap_run import Progress
    from helpers.sem.bootstrap_statistics import Wanted

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
    scheduler: str | None = None,
    keep: str | Path | None = None,
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
        computes standard errors in every replicate, which takes some thirty times as long.
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
    workers, scheduler, keep
        Where tiles of 128 replicates run, and a folder for finished ones, as in
        ``helpers.workers.run_blocks``. Numbers do not depend on it.
    progress : callable, optional
        Called with (tiles done, tiles in all), the jackknife included.

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
    from helpers.sem.bootstrap_job import Wish, bootstrap_fit

    wish = Wish(
        n_boot, seed, ci, method, statistics, strata, clusters, indices, inadmissible, level,
        workers, scheduler, keep, progress,
    )  # fmt: skip
    return bootstrap_fit(result, wish)
