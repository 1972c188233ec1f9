"""The result of a fit: one object, tables made from it on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr, ndtri

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.memo import kept
from helpers.sem import fitmeasures, residuals, standardize
from helpers.sem.model import GroupModel, State
from helpers.sem.moments import GroupMoments
from helpers.sem.partable import Table
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    import pandas as pd

    from helpers.sem.scores import FactorScores

Array = np.ndarray
ENGINE = "helpers.sem"
DISTRIBUTION = "service-recovery-notebooks"
try:
    ENGINE_VERSION = version(DISTRIBUTION)
except PackageNotFoundError:  # run from a source tree that is not installed
    ENGINE_VERSION = "source"


@dataclass(frozen=True)
class Test:
    """A test of the model: the plain statistic and, for robust estimators, the scaled one."""

    chisq: float
    df: int
    scaled: float | None = None
    df_scaled: float | None = None
    scaling: float | None = None
    shift: float | None = None
    h0_scaling: float | None = None
    h1_scaling: float | None = None
    trace: float | None = None
    """tr(U Gamma), for the scaled RMSEA."""


@dataclass(frozen=True)
class SemResult:
    """A fitted structural equation model.

    Attributes
    ----------
    estimates : DataFrame
        lhs op rhs group label free est se z p_value ci_low ci_high std_lv std_all. ``group`` is
        the group's own label, or ``""`` for a single group; ``free`` is 0 for fixed parameters,
        whose ``se`` is 0 and whose test is empty.
    fit_measures : dict
        lavaan's names with ``_`` for ``.``; what cannot be given is an ``Unavailable``.
    converged, admissible, problems
        Verdicts are to be withheld unless both hold; ``problems`` says why in sentences.
    theta, vcov : arrays
        Free rows in the order of ``free``, and their covariance matrix (or ``Unavailable``).
    """

    table: Table
    model: list[GroupModel]
    moments: list[GroupMoments]
    states: list[State]
    theta: Array
    standard_values: standardize.Standardized
    """Standardised values of all rows, then of := rows."""
    vcov: Array | Unavailable
    f: float
    """Discrepancy at the minimum, half of the textbook F (lavaan's fmin)."""
    group_f: list[float]
    npar: int
    test: Test
    baseline: Any
    iterations: int
    converged: bool
    admissible: bool
    problems: tuple[str, ...]
    syntax: str
    estimator: str
    se_type: str
    information: str
    test_name: str
    likelihood: str
    missing: str
    n_obs: int
    n_dropped: int
    n_groups: int
    group_labels: tuple[object, ...]
    group: str | None
    n_per_group: tuple[int, ...]
    meanstructure: bool
    fixed_x: bool
    context: Any = field(repr=False)
    """The compiled problem: reduction, discrepancy, information; for other rooms of the suite."""
    engine: str = ENGINE
    version: str = ENGINE_VERSION
    level: float = LEVEL

    @property
    def n_used(self) -> int:
        """Rows behind the estimates."""
        return self.n_obs

    @property
    def formula(self) -> str:
        """The model as it was given, in lavaan's language."""
        return self.syntax

    @property
    def method(self) -> str:
        """Estimator with its errors, in a phrase."""
        return f"{self.estimator} ({self.se_type} standard errors)"

    @kept
    def standard_errors(self) -> Array:
        """Standard error of every row, then of := rows; 0 for fixed ones."""
        n_rows = len(self.table.rows)
        out = np.zeros(n_rows + len(self.table.defined))
        if isinstance(self.vcov, Unavailable):
            free = [k for k, row in enumerate(self.table.rows) if row.free]
            out[free] = np.nan
            out[n_rows:] = np.nan
            return out
        with np.errstate(invalid="ignore"):
            se = np.sqrt(np.diag(self.vcov))
        for k, row in enumerate(self.table.rows):
            if row.free:
                out[k] = se[row.free - 1]
        if self.table.defined:
            jac = standardize.defined_jacobian(self.table, self.theta)
            variance = ((jac @ self.vcov) * jac).sum(axis=1)
            out[n_rows:] = np.sqrt(np.where(variance > 1e-16, variance, 0.0))
        return out

    @kept
    def values(self) -> Array:
        """Estimate of every row, then of := rows."""
        rows = standardize.row_values(self.table, self.theta)
        if not self.table.defined:
            return rows
        return np.concatenate([rows, standardize.defined_values(self.table, self.theta)])

    @kept
    def estimates(self) -> pd.DataFrame:
        """The table of estimates, unrounded."""
        import pandas as pd

        return pd.DataFrame(self.columns(self.values, self.standard_errors, standardized=True))

    def columns(self, values: Array, se: Array, *, standardized: bool) -> dict[str, Any]:
        """Columns of a table of estimates: names, values, tests and intervals."""
        rows, defined = self.table.rows, self.table.defined
        blank = [""] * len(defined)
        labels = self.group_labels if self.n_groups > 1 else ("",)
        with np.errstate(divide="ignore", invalid="ignore"):
            tested = se > 0
            z = np.where(tested, values / se, np.nan)
        width = ndtri(0.5 + self.level / 2) * se
        out: dict[str, Any] = {
            "lhs": [row.lhs for row in rows] + [name for name, _e in defined],
            "op": [row.op for row in rows] + [":="] * len(defined),
            "rhs": [row.rhs for row in rows] + [e.text for _n, e in defined],
            "group": [labels[row.group - 1] for row in rows] + blank,
            "label": [row.label for row in rows] + [name for name, _e in defined],
            "free": [row.free for row in rows] + [0] * len(defined),
            "est": values,
            "se": se,
            "z": z,
            "p_value": 2.0 * ndtr(-np.abs(z)),
            "ci_low": values - width,
            "ci_high": values + width,
        }
        if standardized:
            out["std_lv"] = self.standard_values.std_lv
            out["std_all"] = self.standard_values.std_all
        return out

    @kept
    def standardized(self) -> pd.DataFrame:
        """Standardised values (std_all) with delta-method errors, tests and intervals."""
        import pandas as pd

        values = self.standard_values.std_all
        if isinstance(self.vcov, Unavailable):
            se = np.where(self.standard_errors == 0, 0.0, np.nan)
        else:
            jac = standardize.standard_jacobian(self.table, self.model, self.states, self.theta)
            variance = ((jac @ self.vcov) * jac).sum(axis=1)
            se = np.sqrt(np.where(variance > 1e-16, variance, 0.0))
        columns = self.columns(values, se, standardized=False)
        columns["est_std"] = columns.pop("est")
        order = ["lhs", "op", "rhs", "group", "label", "est_std", "se", "z", "p_value"]
        return pd.DataFrame({k: columns[k] for k in [*order, "ci_low", "ci_high"]})

    @kept
    def fit_measures(self) -> dict[str, float | Unavailable]:
        """Fit measures under lavaan's names."""
        return fitmeasures.fit_measures(self)

    @kept
    def implied(self) -> residuals.GroupTables:
        """Model-implied ``cov``, ``mean``, ``latent_cov``; by group label if there are groups."""
        return residuals.implied(self)

    @kept
    def residuals(self) -> residuals.GroupTables:
        """Residuals raw, cor, normalized, standardized, mean; by group label if there are any."""
        return residuals.residual_tables(self)

    @kept
    def r_squared(self) -> pd.DataFrame:
        """Explained share of every dependent variable: variable, group, r_squared."""
        return residuals.r_squared(self)

    @kept
    def defined(self) -> pd.DataFrame:
        """The := rows of the table of estimates."""
        return self.estimates[self.estimates["op"] == ":="].reset_index(drop=True)

    @property
    def observed(self) -> tuple[str, ...]:
        """Observed variables in model order."""
        return self.table.names.observed

    @property
    def latent(self) -> tuple[str, ...]:
        """Latent variables in model order."""
        return self.table.names.latent

    @kept
    def scores(self) -> FactorScores:
        """Factor scores by regression; ``r.scores(method="bartlett")`` gives the others."""
        from helpers.sem.scores import scores_of

        return scores_of(self)

    def to_lavaan(self) -> str:
        """Write the model with all defaults in lavaan's language."""
        from helpers.sem.export import to_lavaan

        return to_lavaan(self)

    def to_mplus(self) -> str:
        """Write the model as an Mplus MODEL command."""
        from helpers.sem.export import to_mplus

        return to_mplus(self)

    def to_semopy(self) -> str:
        """Write the model in semopy's language."""
        from helpers.sem.export import to_semopy

        return to_semopy(self)

    def text(self) -> str:
        """Return one sentence: what was fitted, by what, to how many, and how well."""
        if not self.converged:
            return _("The model did not converge ({estimator}, N = {n}); no verdict.").format(
                estimator=self.estimator, n=self.n_obs
            )
        measures = self.fit_measures
        chisq = measures.get("chisq_scaled", measures["chisq"])
        df = measures.get("df_scaled", measures["df"])
        sentence = _(
            "{estimator} with N = {n}: chi-square {chisq} on {df} degrees of freedom, {errors} "
            "standard errors, {engine} {version}."
        ).format(
            estimator=self.estimator,
            n=self.n_obs,
            chisq=f"{chisq:.2f}" if isinstance(chisq, float) else _("not available"),
            df=f"{df:.4g}" if not isinstance(df, Unavailable) else _("unknown"),
            errors=error_kinds().get(self.se_type, self.se_type),
            engine=self.engine,
            version=self.version,
        )
        if not self.admissible:
            sentence += " " + _("The solution is not admissible; no verdict.")
        return sentence

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-safe values."""
        measures = {
            k: ({"unavailable": v.why} if isinstance(v, Unavailable) else _plain(v))
            for k, v in self.fit_measures.items()
        }
        estimates = {
            k: [_plain(v) for v in column] for k, column in self.estimates.to_dict("list").items()
        }
        return {
            "syntax": self.syntax,
            "engine": self.engine,
            "version": self.version,
            "estimator": self.estimator,
            "se_type": self.se_type,
            "information": self.information,
            "test": self.test_name,
            "n_obs": self.n_obs,
            "n_dropped": self.n_dropped,
            "n_groups": self.n_groups,
            "group_labels": [str(g) for g in self.group_labels],
            "converged": self.converged,
            "admissible": self.admissible,
            "problems": list(self.problems),
            "fit_measures": measures,
            "estimates": estimates,
        }


def error_kinds() -> dict[str, str]:
    """Kinds of standard errors in the current language."""
    return {
        "expected information": _("expected information"),
        "observed information": _("observed information"),
        "robust (Satorra-Bentler)": _("robust (Satorra-Bentler)"),
        "robust sandwich (Huber-White)": _("robust sandwich (Huber-White)"),
        "robust": _("robust"),
        "standard": _("standard"),
    }


def _plain(value: Any) -> Any:
    """Convert NumPy scalars to Python values, NaN to None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, int | float | str | bool | type(None)) else str(value)
