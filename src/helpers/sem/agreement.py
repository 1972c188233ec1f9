"""The engine-agreement line: one fit by this engine and by semopy, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.sem.outside import Agreement, agreement_with_semopy

if TYPE_CHECKING:
    from helpers.sem.result import SemResult

__all__ = ["Agreement", "agreement"]


def agreement(result: SemResult) -> Agreement | Unavailable:
    """Fit the model of a result again with semopy and report the largest differences.

    Plain ML depends on the data through means and covariances only, so a result that was fitted
    to moments is compared on rows made to have exactly these moments.

    Parameters
    ----------
    result : SemResult
        A plain-ML fit of one group.

    Returns
    -------
    Agreement or Unavailable
        ``Unavailable`` says what semopy cannot do.
    """
    what = _("a comparison with semopy")
    if result.n_groups > 1:
        return Unavailable(what, _("semopy cannot hold parameters equal over groups"))
    if result.missing == "fiml":
        return Unavailable(what, _("semopy's treatment of missing answers is not correct"))
    if result.likelihood == "wishart":
        return Unavailable(what, _("semopy divides by N, not N - 1"))
    if result.fixed_x and result.table.names.covariate:
        return Unavailable(what, _("semopy counts the moments of observed covariates wrongly"))
    sample = result.moments[0]
    rows = sample.data if sample.data is not None else rows_with_moments(sample.cov, sample.n)
    return agreement_with_semopy(result, pd.DataFrame(rows, columns=list(result.observed)))


def rows_with_moments(cov: np.ndarray, n: int) -> np.ndarray:
    """Rows with exactly this covariance matrix (divisor N) and mean zero."""
    rng = np.random.default_rng(20240501)
    z = rng.standard_normal((n, len(cov)))
    z -= z.mean(axis=0)
    q, _r = np.linalg.qr(z)
    return q @ np.linalg.cholesky(cov).T * np.sqrt(n)
