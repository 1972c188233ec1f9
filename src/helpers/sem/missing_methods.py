"""One model under several treatments of missing answers, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import EstimationError, SuiteError, Unavailable
from helpers.i18n import _
from helpers.sem.auxiliary import fit_with_auxiliary
from helpers.sem.fit import fit
from helpers.sem.study_fit import model_data
from helpers.survey.imputation import N_IMPUTATIONS, Imputations, impute
from helpers.survey.pooling import pool_estimates
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.sem.result import SemResult
    from helpers.survey.load import Study

METHODS = ("fiml", "fiml_auxiliary", "imputation", "listwise")
"""In the order in which they are shown; the first is the suite's default."""

_KEYS = ["lhs", "op", "rhs"]


@dataclass(frozen=True, slots=True)
class MissingComparison:
    """The paths of one model by the treatment of missing answers.

    Attributes
    ----------
    paths : DataFrame
        Columns ``lhs op rhs method est se ci_low ci_high n_used fmi shift``: ``fmi`` is the
        fraction of missing information (imputation only), ``shift`` the distance from the default
        (FIML) in its standard errors.
    unavailable : dict
        Method -> why it could not be used.
    imputations : Imputations or Unavailable
    auxiliary : tuple of str
    n_failed : int
        Completed copies on which the model did not converge; they are left out of the pooling.
    level : float
    method : str
    """

    paths: pd.DataFrame
    unavailable: dict[str, Unavailable]
    imputations: Imputations | Unavailable
    auxiliary: tuple[str, ...]
    n_failed: int
    level: float
    method: str = "ML with robust (MLR) standard errors, unstandardised paths"

    def table(self) -> pd.DataFrame:
        """Return one row a path and method."""
        return self.paths


def compare_missing_methods(
    study: Study,
    model: str,
    *,
    auxiliary: pd.DataFrame,
    m: int = N_IMPUTATIONS,
    seed: int = 20240501,
) -> MissingComparison | Unavailable:
    """Fit a study's model by FIML, FIML with auxiliary variables, imputation, and complete rows.

    Parameters
    ----------
    study : Study
    model : str
        A model of the study file; its regressions are compared, or its loadings if it has none.
    auxiliary : DataFrame
        Numeric variables outside the model, rows as in ``study.responses``. They enter the FIML
        fit as saturated correlates (standardised, which changes nothing but the search) and the
        imputation model as predictors. May have no columns.
    m, seed : int
        As in ``impute``.

    Returns
    -------
    MissingComparison or Unavailable
        Unavailable if the study lacks the model, or no answer to its items is missing.

    Notes
    -----
    All four use robust errors. Rubin's rules with large-sample degrees of freedom. FIML and
    imputation agree in large samples if the imputation model is as general as the model
    (Collins, Schafer & Kam 2001, doi:10.1037/1082-989X.6.4.330); complete rows differ where
    blanks depend on anything. The parts are checked one by one against R; see their modules.
    """
    rows = model_data(study, model)
    if isinstance(rows, Unavailable):
        return rows
    if not rows.isna().to_numpy().any():
        return Unavailable(
            _("a comparison of ways to treat missing answers"), _("no answer is missing")
        )
    syntax = study.model(model).syntax
    beside = auxiliary[[c for c in auxiliary if c not in rows and auxiliary[c].std() > 0]]
    beside = beside.astype(float)
    made: Imputations | Unavailable
    try:
        made = impute(rows.join(beside), m=m, seed=seed)
    except SuiteError as error:
        made = Unavailable(_("multiple imputation"), str(error))
    n_failed = 0
    tables: dict[str, pd.DataFrame] = {}
    failed: dict[str, Unavailable] = {}
    if beside.empty:
        failed["fiml_auxiliary"] = Unavailable(
            _("an estimate by this method"),
            _("the study file names no controls that could stand beside the model"),
        )
    for method in METHODS:
        if method in failed:
            continue
        try:
            if method != "imputation":
                tables[method] = _by_likelihood(method, syntax, rows, beside)
            elif isinstance(made, Unavailable):
                failed[method] = made
            else:
                tables[method], n_failed = _imputed(syntax, list(rows), made)
        except SuiteError as error:
            failed[method] = Unavailable(_("an estimate by this method"), str(error))
    if not tables:
        return failed[METHODS[0]]
    return MissingComparison(_joined(tables), failed, made, tuple(beside), n_failed, LEVEL)


def _by_likelihood(
    method: str, syntax: str, rows: pd.DataFrame, beside: pd.DataFrame
) -> pd.DataFrame:
    """Return the paths of one fit to the rows as they are."""
    if method == "fiml":
        return _single(fit(syntax, rows, estimator="MLR", missing="fiml"))
    if method == "listwise":
        return _single(fit(syntax, rows.dropna(), estimator="MLR"))
    return _with_auxiliary(syntax, rows, beside)


def _paths(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return the free regressions, or the free loadings of a model without any."""
    for op in ("~", "=~"):
        own = estimates[(estimates["op"] == op) & (estimates["free"] > 0)]
        if len(own):
            return own
    return estimates[estimates["free"] > 0]


def _single(result: SemResult) -> pd.DataFrame:
    """Return the paths of one fit."""
    own = _paths(result.estimates)[[*_KEYS, "est", "se", "ci_low", "ci_high"]]
    return own.assign(n_used=result.n_used, fmi=np.nan)


def _with_auxiliary(syntax: str, rows: pd.DataFrame, beside: pd.DataFrame) -> pd.DataFrame:
    """Return the paths of the fit with auxiliary variables."""
    scaled = (beside - beside.mean()) / beside.std()
    joint = fit_with_auxiliary(syntax, rows.join(scaled), auxiliary=list(scaled))
    own = _paths(joint.estimates)[[*_KEYS, "est", "se", "ci_low", "ci_high"]]
    return own.assign(n_used=joint.n_used, fmi=np.nan)


def _imputed(syntax: str, names: list[str], imputed: Imputations) -> tuple[pd.DataFrame, int]:
    """Fit every completed copy and pool; copies that do not converge are left out and counted."""
    sound = []
    for copy in imputed.data:
        try:
            result = fit(syntax, copy[names], estimator="MLR")
        except EstimationError:
            continue  # counted below as a copy on which the model failed
        if result.converged:
            sound.append(_paths(result.estimates))
    if len(sound) < 2:
        raise EstimationError(
            f"compare_missing_methods: model= converged on {len(sound)} of {imputed.m} imputed "
            "data sets; at least 2 are needed. Impute more, or simplify the model."
        )
    keys = sound[0][_KEYS].reset_index(drop=True)
    values = pd.DataFrame([own["est"].to_numpy() for own in sound])
    variances = np.array([own["se"].to_numpy() ** 2 for own in sound])
    pooled = pool_estimates(values, variances).estimates
    table = keys.assign(
        est=pooled["estimate"], se=pooled["se"], ci_low=pooled["ci_low"],
        ci_high=pooled["ci_high"], n_used=imputed.n_used, fmi=pooled["fmi"],
    )  # fmt: skip
    return table, imputed.m - len(sound)


def _joined(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return all methods below one another, with the distance from the default."""
    named = [tables[k].assign(method=k) for k in METHODS if k in tables]
    long = pd.concat(named, ignore_index=True)
    first = long[long["method"] == long["method"].iloc[0]].set_index(_KEYS)
    at = pd.MultiIndex.from_frame(long[_KEYS])
    base, error = first["est"].reindex(at).to_numpy(), first["se"].reindex(at).to_numpy()
    long["shift"] = (long["est"] - base) / error
    columns = [*_KEYS, "method", "est", "se", "ci_low", "ci_high", "n_used", "fmi", "shift"]
    return long[columns]
