"""Replicates of incomplete data: the same search on the likelihood of each resample's rows.

No saturated model and no standard errors are computed, and the information is that of the full
sample. The replicates of a tile go through the rows together (``helpers.sem.bootstrap_blanks``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.sem.bootstrap_blanks import (
    BlankLayout,
    Completed,
    PatternSums,
    blank_layout,
    complete_rows,
    pattern_sums,
    usable_resamples,
)
from helpers.sem.bootstrap_kernels import GeneralKernel, Kernel, Spread, inverted
from helpers.sem.partable import Table

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class IncompleteSample:
    """Rows of one group in b replicates, by pattern of blanks."""

    layout: BlankLayout
    counts: Array
    """How often each row stands in each replicate, (b, rows)."""
    sums: PatternSums
    usable: Array
    """(b,) False where a resample has no moments: a variable without variance, a pair never met."""
    cov: Array
    """(b, p, p), used at fixed covariates only, which have no blanks."""
    mean: Array
    n: Array

    def take(self, at: Array) -> IncompleteSample:
        """Return some of the replicates."""
        return IncompleteSample(
            self.layout, self.counts[at], self.sums.take(at), self.usable[at], self.cov[at],
            self.mean[at], self.n[at],
        )  # fmt: skip


def incomplete_sample(table: Table, rows: Array, counts: Array) -> IncompleteSample:
    """Prepare the resamples of one group: counts (b, rows) of its rows (rows, p)."""
    b, p = len(counts), rows.shape[1]
    layout = blank_layout(rows)
    x = np.array([table.names.observed.index(v) for v in table.names.covariate], dtype=int)
    cov, mean, n = np.zeros((b, p, p)), np.zeros((b, p)), counts.sum(axis=1)
    if len(x) and table.options.fixed_x:
        own = rows[:, x]
        centre = own.mean(axis=0)
        own = own - centre
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = (counts @ own) / n[:, None]
            for k, at in enumerate(x):
                cov[:, at, x] = (counts @ (own * own[:, [k]])) / n[:, None] - shift * shift[:, [k]]
        mean[:, x] = centre + shift
    usable = usable_resamples(layout, counts)
    return IncompleteSample(layout, counts, pattern_sums(layout, counts), usable, cov, mean, n)


@dataclass(slots=True)
class IncompleteKernel:
    """One group's model with blanks in the rows."""

    general: GeneralKernel
    complete: Kernel
    """The same model of complete rows."""

    @property
    def at(self) -> Array:
        """Positions of the columns of ``score``."""
        return self.complete.at

    def score(self, x: Array, sample: IncompleteSample) -> Array:
        """Return minus the gradient of f, NaN where there is no likelihood."""
        sigma, mu = self.general.implied(x, sample)
        hat = self._completed(sample, sigma, mu).moments(mu)
        return self.complete.score(x, hat)

    def value(self, x: Array, sample: IncompleteSample) -> Array:
        """Return f without the terms of the saturated model."""
        sigma, mu = self.general.implied(x, sample)
        hat = self._completed(sample, sigma, mu)
        # tr(Sigma^-1 E[e] E[e]') over completed rows is the sum of e_o' Sigma_oo^-1 e_o
        trace = np.einsum("bij,bji->b", inverted(sigma), hat.second)
        return 0.5 * (hat.logdet + trace) / hat.n

    def _completed(self, sample: IncompleteSample, sigma: Array, mu: Array) -> Completed:
        """Complete the rows by the moments of each replicate."""
        hat = complete_rows(sample.layout, sample.sums, sample.counts, sigma, mu)
        hat.second[~sample.usable] = np.nan
        return hat

    def spread(self, x: Array, sample: IncompleteSample) -> Spread:
        """Return the variances at x."""
        return self.general.spread(x, sample)
