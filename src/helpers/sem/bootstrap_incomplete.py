"""Replicates of incomplete data: the same search on the likelihood of each resample's rows.

No saturated model and no standard errors are computed, and the information is that of the full
sample, so a replicate costs a dozen passes over its patterns of blanks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.errors import DataContractError, EstimationError
from helpers.sem.bootstrap_kernels import BatchMoments, GeneralKernel, Spread
from helpers.sem.bootstrap_refit import with_fixed
from helpers.sem.fiml_likelihood import derivatives, loglik
from helpers.sem.fiml_patterns import MissingPatterns, missing_patterns
from helpers.sem.fiml_target import model_gradient
from helpers.sem.model import GroupModel
from helpers.sem.moments import GroupMoments
from helpers.sem.partable import Table

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class IncompleteSample:
    """Rows of one group in b replicates, by pattern of blanks."""

    patterns: tuple[MissingPatterns | None, ...]
    """None where a resample has no moments: a variable without variance, a pair never met."""
    models: tuple[GroupModel, ...]
    """The model with each resample's moments of fixed covariates."""
    cov: Array
    """(b, p, p), used at fixed covariates only, which have no blanks."""
    mean: Array
    n: Array

    def take(self, at: Array) -> IncompleteSample:
        """Return some of the replicates."""
        return IncompleteSample(
            tuple(self.patterns[b] for b in at), tuple(self.models[b] for b in at),
            self.cov[at], self.mean[at], self.n[at],
        )  # fmt: skip


def incomplete_sample(
    table: Table, model: GroupModel, group: int, rows: Array, picked: list[Array]
) -> IncompleteSample:
    """Prepare the resamples of one group."""
    p, b = rows.shape[1], len(picked)
    x = [table.names.observed.index(v) for v in table.names.covariate]
    cov, mean = np.zeros((b, p, p)), np.zeros((b, p))
    patterns, models = [], []
    for k, at in enumerate(picked):
        own = rows[at]
        try:
            patterns.append(missing_patterns(own, names=table.names.observed))
        except DataContractError:
            patterns.append(None)
        if x and table.options.fixed_x and len(own):
            mean[k, x] = own[:, x].mean(axis=0)
            d = own[:, x] - mean[k, x]
            cov[k][np.ix_(x, x)] = d.T @ d / len(own)
        sample = GroupMoments("", len(own), cov[k], mean[k], None)
        models.append(with_fixed(model, table.rows, group, sample))
    n = np.array([len(at) for at in picked], dtype=float)
    return IncompleteSample(tuple(patterns), tuple(models), cov, mean, n)


@dataclass(slots=True)
class IncompleteKernel:
    """One group's model with blanks in the rows."""

    general: GeneralKernel
    n_x: int

    @property
    def at(self) -> Array:
        """All free rows."""
        return np.arange(self.n_x)

    def score(self, x: Array, sample: IncompleteSample) -> Array:
        """Return minus the gradient of f, NaN where there is no likelihood."""
        out = np.full((len(x), self.n_x), np.nan)
        for b, (patterns, model) in enumerate(zip(sample.patterns, sample.models)):
            if patterns is None or not np.isfinite(x[b]).all():
                continue
            state = model.state(x[b])
            try:
                here = derivatives(patterns, state.mu, state.sigma)
            except EstimationError:
                continue
            out[b] = model_gradient(model, state, here.d_mean, here.d_cov, self.n_x)
            out[b] /= patterns.n_used
        return out

    def value(self, x: Array, sample: IncompleteSample) -> Array:
        """Return f without the terms of the saturated model."""
        out = np.full(len(x), np.nan)
        for b, (patterns, model) in enumerate(zip(sample.patterns, sample.models)):
            if patterns is not None and np.isfinite(x[b]).all():
                state = model.state(x[b])
                out[b] = -loglik(patterns, state.mu, state.sigma) / patterns.n_used
        return out

    def spread(self, x: Array, sample: IncompleteSample) -> Spread:
        """Return the variances at x."""
        return self.general.spread(x, BatchMoments(sample.cov, sample.mean, sample.n))
