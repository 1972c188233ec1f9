"""Poisson regression that says when it has no answer: the one place that calls statsmodels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

from helpers.errors import EstimationError

Array = NDArray[np.float64]

NO_END = 50.0
"""Standard error, per SD of a column in log counts, from which on the likelihood is flat: the
weight has no end."""


def fit_poisson(y: Array, design: Array, *, cov_type: str = "nonrobust") -> Any:
    """Fit a Poisson regression with a log link.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Counts.
    design : ndarray, shape (n, k)
        With its constant; no blanks.
    cov_type : str
        Of the errors, as statsmodels names it.

    Returns
    -------
    statsmodels GLMResults

    Raises
    ------
    EstimationError
        Nobody counts above zero, or the likelihood has no maximum: columns tell completely who
        counts zero (Santos Silva & Tenreyro 2010), or fit every count exactly.

    References
    ----------
    Santos Silva & Tenreyro (2010), doi:10.1016/j.econlet.2010.02.020.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PerfectSeparationWarning)
            warnings.simplefilter("error", ConvergenceWarning)
            warnings.simplefilter("error", RuntimeWarning)
            if not y.any():
                raise ValueError("every count is zero")
            fit = sm.GLM(y, design, family=sm.families.Poisson()).fit(cov_type=cov_type)
    except (ValueError, PerfectSeparationWarning, ConvergenceWarning, RuntimeWarning):
        raise _without_maximum() from None
    errors = np.sqrt(np.diag(np.asarray(fit.normalized_cov_params)))
    spread = design.std(axis=0)
    if not np.all(errors * np.where(spread > 0, spread, 1.0) < NO_END):
        raise _without_maximum()
    return fit


def _without_maximum() -> EstimationError:
    """Return the error of a likelihood that has no maximum."""
    return EstimationError(
        "fit_poisson: y= are counts whose likelihood has no maximum; counts above zero, and "
        "columns that do not tell completely who counts zero, are needed. Use fewer columns."
    )
