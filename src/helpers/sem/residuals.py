"""Implied moments, residuals and explained variance of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from helpers.sem.result import SemResult

Array = np.ndarray

PATHS = ("=~", "~")
ROUNDING = 1e-6
"""A residual with an error below this share of its covariance's own is zero by construction."""


def _labels(result: SemResult) -> tuple[object, ...]:
    """Group labels; a single group is ``""``."""
    return result.group_labels if result.n_groups > 1 else ("",)


class GroupTables(dict[object, dict[str, "pd.DataFrame | pd.Series"]]):
    """Tables by group label; with a single group, its tables by their own names too.

    ``result.implied["north"]["cov"]`` with groups, ``result.implied["cov"]`` without.
    """

    def __missing__(self, key: object) -> pd.DataFrame | pd.Series:
        """Look a table of the only group up."""
        if len(self) == 1:
            only = next(iter(self.values()))
            if key in only:
                return only[key]
        raise KeyError(key)


def implied(result: SemResult) -> GroupTables:
    """Implied covariances and means of observed, and covariances and means of latent variables."""
    import pandas as pd

    observed, latent = list(result.observed), list(result.latent)
    p = len(observed)
    out = GroupTables()
    for label, sample, state in zip(_labels(result), result.moments, result.states):
        mean = state.mu if result.meanstructure else sample.mean
        out[label] = {
            "cov": pd.DataFrame(state.sigma, observed, observed),
            "latent_cov": pd.DataFrame(state.total[p:, p:], latent, latent),
            "latent_mean": pd.Series(state.eta[p:], latent),
        }
        if mean is not None:
            out[label]["mean"] = pd.Series(mean, observed)
    return out


def residual_tables(result: SemResult) -> GroupTables:
    """Residuals of the covariances (and means) of every group.

    ``raw`` is S - Sigma; ``cor`` the difference of the correlations; ``normalized`` divides by
    the standard error of the sample covariance; ``standardized`` by the standard error of the
    residual itself (Joreskog & Sorbom), which is smaller.
    """
    import pandas as pd

    from helpers.sem.residual_errors import residual_errors

    observed = list(result.observed)
    out = GroupTables()
    for g, label in enumerate(_labels(result)):
        sample, state = result.moments[g], result.states[g]
        raw = sample.cov - state.sigma
        sd, sd_model = np.sqrt(np.diag(sample.cov)), np.sqrt(np.abs(np.diag(state.sigma)))
        cor = sample.cov / np.outer(sd, sd) - state.sigma / np.outer(sd_model, sd_model)
        tables: dict[str, pd.DataFrame | pd.Series] = {
            "raw": pd.DataFrame(raw, observed, observed),
            "cor": pd.DataFrame(cor, observed, observed),
        }
        errors = {} if result.table.names.ordered else residual_errors(result, g)
        for kind in errors or ():
            with np.errstate(divide="ignore", invalid="ignore"):
                known = errors[kind] > ROUNDING * errors["normalized"]
                tables[kind] = pd.DataFrame(
                    np.where(known, raw / errors[kind], 0.0), observed, observed
                )
        if result.meanstructure:
            tables["mean"] = pd.Series(sample.mean - state.mu, observed)
        out[label] = tables
    return out


def r_squared(result: SemResult) -> pd.DataFrame:
    """One minus residual over total variance, for every variable with predictors."""
    import pandas as pd

    ends = {row.rhs if row.op == "=~" else row.lhs for row in result.table.rows if row.op in PATHS}
    rows = []
    for label, model, state in zip(_labels(result), result.model, result.states):
        s = model.matrices(result.theta)[1]
        for k in (k for k, name in enumerate(model.names) if name in ends):
            share = 1.0 - s[k, k] / state.total[k, k]
            rows.append((model.names[k], label, share))
    return pd.DataFrame(rows, columns=["variable", "group", "r_squared"])
