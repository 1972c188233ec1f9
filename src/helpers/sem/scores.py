"""Factor scores: estimates of every respondent's standing on the latent variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, ModelSpecError, listing, nearest

if TYPE_CHECKING:
    from helpers.sem.model import GroupModel, State
    from helpers.sem.result import SemResult

Array = np.ndarray
METHODS = ("regression", "bartlett")


class FactorScores(pd.DataFrame):
    """Regression scores of a fit; called, it gives the scores of another method."""

    _metadata = ["source"]

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        """Parts of the table are plain tables."""
        return pd.DataFrame

    def __call__(self, *, method: str = "regression") -> pd.DataFrame:
        """Return the scores of a method, see ``factor_scores``."""
        return factor_scores(self.source, method=method)


def scores_of(result: SemResult) -> FactorScores:
    """Return the regression scores of a fit, ready to be asked for another method."""
    scores = FactorScores(factor_scores(result))
    scores.source = result
    return scores


def factor_scores(result: SemResult, *, method: str = "regression") -> pd.DataFrame:
    """Estimate factor scores.

    Regression (Thurstone): ``E(eta) + Cov(eta, y) Sigma^-1 (y - mu)``; Bartlett:
    ``E(eta) + (L' Sigma^-1 L)^-1 L' Sigma^-1 (y - mu)``. An incomplete row is scored from the
    variables it answers.

    Parameters
    ----------
    result : SemResult
        A fit to rows.
    method : {"regression", "bartlett"}

    Returns
    -------
    DataFrame, one row per row used
        One column per latent variable; with groups, the group's column beside them. The index is
        that of the data where it is known.

    Raises
    ------
    ModelSpecError, DataContractError
        Unknown method; no latent variables; fit to moments, which have no rows.

    Notes
    -----
    Checked against lavaan ``lavPredict``: ``tests/reference/``.
    """
    if method not in METHODS:
        raise ModelSpecError(
            f"factor_scores: method= is '{method}'; allowed are {listing(METHODS)}."
            f"{nearest(method, METHODS)} Choose one of them."
        )
    if not result.latent:
        raise ModelSpecError(
            "factor_scores: result= has no latent variables; scores belong to latents. Use the "
            "observed columns themselves."
        )
    if any(m.data is None for m in result.moments) or result.table.names.ordered:
        raise DataContractError(
            "factor_scores: result= was fitted to moments or to ordered items; scores here need "
            "rows of continuous answers. Fit the model to data=, or use mean scores."
        )
    parts = []
    for sample, model, state in zip(result.moments, result.model, result.states):
        mu = state.mu if result.meanstructure else sample.mean
        at = _given(result, model)
        values = _score_rows(sample.data - mu, model, state, result.theta, method, at)
        p = model.n_observed
        eta = state.eta[p:] if result.meanstructure else _latent_means(result, model, sample.mean)
        part = pd.DataFrame(values + eta, columns=list(result.latent), index=sample.rows)
        if result.n_groups > 1:
            part[result.group or "group"] = sample.label
        parts.append(part)
    whole = pd.concat(parts)
    if all(m.rows is not None for m in result.moments) and whole.index.is_unique:
        order = np.argsort(np.concatenate([m.positions for m in result.moments]))
        return whole.iloc[order]
    return whole.reset_index(drop=True)


def _latent_means(result: SemResult, model: GroupModel, mean: Array) -> Array:
    """Latent means that follow from the observed predictors' sample means."""
    p = model.n_observed
    a = model.matrices(result.theta)[0]
    inner = np.eye(len(a) - p) - a[p:, p:]
    return np.linalg.solve(inner, a[p:, :p] @ mean)


def _given(result: SemResult, model: GroupModel) -> Array:
    """Observed variables that are not scored from: covariates, and effects of observed effects."""
    p = model.n_observed
    a = model.matrices(result.theta)[0]
    explained = (a[:p] != 0).any(axis=1)
    covariate = (a[:, :p] != 0).any(axis=0) & ~explained
    return np.flatnonzero(covariate | (a[:p, :p][:, explained] != 0).any(axis=1))


def _score_rows(
    d: Array, model: GroupModel, state: State, x: Array, method: str, given: Array
) -> Array:
    """Scores of centred rows, pattern by pattern where values are missing."""
    known = ~np.isnan(d)
    if known.all():
        return d @ _weights(model, state, x, method, np.arange(d.shape[1]), given).T
    out = np.full((len(d), len(model.names) - model.n_observed), np.nan)
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for k, pattern in enumerate(patterns):
        at = np.flatnonzero(pattern)
        rows = np.ravel(which) == k
        if len(at):
            out[rows] = d[np.ix_(rows, at)] @ _weights(model, state, x, method, at, given).T
    return out


def _weights(
    model: GroupModel, state: State, x: Array, method: str, at: Array, given: Array
) -> Array:
    """Weights of the observed variables ``at``, (latents, len(at))."""
    p = model.n_observed
    inverse = np.linalg.pinv(state.sigma[np.ix_(at, at)])
    if method == "regression":
        return state.total[p:, at] @ inverse
    a = model.matrices(x)[0]
    direct = a[:p, p:]
    paths = (np.eye(p) + a[:p, :p])[:, given]  # a covariate's own path to an item is no trait
    design = np.concatenate([direct, paths], axis=1)[at]
    weights = np.linalg.pinv(design.T @ inverse @ design) @ design.T @ inverse
    return weights[: direct.shape[1]]
