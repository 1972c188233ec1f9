"""The saturated model of incomplete data: means and covariances by accelerated EM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.errors import EstimationError, listing
from helpers.sem.fiml_likelihood import derivatives, loglik, vech_positions
from helpers.sem.fiml_patterns import Array, MissingPatterns

TOLERANCE = 1e-10
"""Largest EM step at the solution, in units of the variables' standard deviations.

EM errs by its step divided by (1 - share of missing information), so even with nine tenths of
the information missing the moments are right to 1e-9 standard deviations.
"""

MAX_ITERATIONS = 2000
_DEPTH = 6
_SINGULAR = 1e-9
"""Smallest eigenvalue of a correlation matrix that is still taken as positive definite."""

_START_EIGENVALUE = 0.05
"""Start values are drawn towards independence until no eigenvalue of their correlations is less."""


@dataclass(frozen=True, slots=True)
class SaturatedMoments:
    """Maximum-likelihood means and covariances of incomplete data.

    Attributes
    ----------
    mean : array, shape (p,)
    cov : array, shape (p, p)
        With divisor n, as maximum likelihood has it.
    loglik : float
        Log-likelihood of the saturated model.
    converged : bool
    iterations : int
        Passes over the data.
    """

    mean: Array
    cov: Array
    loglik: float
    converged: bool
    iterations: int


def saturated_em(
    patterns: MissingPatterns,
    *,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
) -> SaturatedMoments:
    """Estimate the unrestricted means and covariances by maximum likelihood.

    EM steps ``mu + S z / n`` and ``S + S (zz' - P) S / n - dd'``, with ``z`` the weighted
    deviations of the rows and ``P`` the sum of their inverse observed blocks, extrapolated by
    Anderson's method. An extrapolation that lowers the likelihood gives way to the plain step,
    so the likelihood rises throughout.

    Parameters
    ----------
    patterns : MissingPatterns
    tolerance : float
        Largest EM step, in standard deviations, that counts as none.
    max_iterations : int

    Raises
    ------
    EstimationError
        The covariance matrix becomes singular: too few rows, or variables that determine one
        another; the message names the variables.

    Notes
    -----
    Checked against lavaan ``lavInspect(fit, "sampstat")`` and the log-likelihood of its
    unrestricted model: ``tests/reference/fiml.R``. Complete rows give the sample moments in one
    step.

    References
    ----------
    Dempster, Laird & Rubin (1977), doi:10.1111/j.2517-6161.1977.tb01600.x.
    Walker & Ni (2011), doi:10.1137/10078356X (Anderson acceleration).
    """
    path = _AcceleratedPath(patterns)
    for iteration in range(1, max_iterations + 1):
        if path.step() <= tolerance:
            return path.result(patterns, converged=True, iterations=iteration)
    return path.result(patterns, converged=False, iterations=max_iterations)


class _AcceleratedPath:
    """EM from a start, with the last few steps kept for Anderson's extrapolation."""

    def __init__(self, patterns: MissingPatterns) -> None:
        self.patterns = patterns
        self.mean, self.cov = _start(patterns)
        self.row, self.column = vech_positions(len(self.mean))
        sd = np.sqrt(np.diag(self.cov))
        self.scale = np.concatenate([sd, sd[self.row] * sd[self.column]])
        self.points: list[Array] = []
        self.steps: list[Array] = []
        self.fallback: Array | None = None
        self.best = -np.inf

    def step(self) -> float:
        """Move once; return the size of the EM step at the point left, in standard deviations."""
        if _log_determinant(self.cov) == -np.inf:
            raise _singular_error(self.cov, self.patterns)
        here = derivatives(self.patterns, self.mean, self.cov)
        if self.fallback is not None and here.loglik < self.best - 1e-9 * abs(self.best):
            self._move(self.fallback)
            self._forget()
            return np.inf
        self.best = max(self.best, here.loglik)
        if _smallest_eigenvalue(self.cov) < _SINGULAR:
            raise _singular_error(self.cov, self.patterns)
        point = self._vector()
        step = self._em_step(here.d_mean, here.d_cov)
        self.points.append(point)
        self.steps.append(step)
        size = float(np.abs(step).max())
        self.fallback = point + step
        self._move(self._extrapolated())
        if not np.isfinite(_log_determinant(self.cov)):
            self._move(self.fallback)
            self._forget()
        return size

    def result(
        self, patterns: MissingPatterns, *, converged: bool, iterations: int
    ) -> SaturatedMoments:
        """Return the moments with their log-likelihood."""
        value = loglik(patterns, self.mean, self.cov)
        return SaturatedMoments(self.mean, self.cov, value, converged, iterations)

    def _forget(self) -> None:
        """Start a new history at the plain EM step."""
        self.points, self.steps, self.fallback = [], [], None

    def _vector(self) -> Array:
        """Return the moments in units of standard deviations."""
        return np.concatenate([self.mean, self.cov[self.row, self.column]]) / self.scale

    def _move(self, vector: Array) -> None:
        """Take the moments from a vector."""
        values = vector * self.scale
        p = len(self.mean)
        self.mean = values[:p]
        cov = np.empty((p, p))
        cov[self.row, self.column] = cov[self.column, self.row] = values[p:]
        self.cov = cov

    def _em_step(self, d_mean: Array, d_cov: Array) -> Array:
        """Return the plain EM step in units of standard deviations."""
        n = self.patterns.n_used
        d_sigma = np.empty_like(self.cov)
        full = np.where(self.row == self.column, 2.0, 1.0) * d_cov
        d_sigma[self.row, self.column] = d_sigma[self.column, self.row] = full
        move = self.cov @ d_mean / n
        cov = self.cov @ d_sigma @ self.cov / n - np.outer(move, move)
        return np.concatenate([move, cov[self.row, self.column]]) / self.scale

    def _extrapolated(self) -> Array:
        """Return Anderson's next point from the last few points and steps."""
        self.points, self.steps = self.points[-_DEPTH - 1 :], self.steps[-_DEPTH - 1 :]
        point, step = self.points[-1], self.steps[-1]
        if len(self.points) == 1:
            return point + step
        d_step = np.diff(np.array(self.steps), axis=0)
        d_point = np.diff(np.array(self.points), axis=0)
        weight, *_ = np.linalg.lstsq(d_step.T, step, rcond=1e-12)
        return point + step - weight @ (d_point + d_step)


def _log_determinant(cov: Array) -> float:
    """Return the log-determinant of a covariance matrix, minus infinity when not definite."""
    try:
        return float(2 * np.log(np.diag(np.linalg.cholesky(cov))).sum())
    except np.linalg.LinAlgError:
        return -np.inf


def _start(patterns: MissingPatterns) -> tuple[Array, Array]:
    """Return available-case means and pairwise covariances, drawn to a definite matrix."""
    mask = patterns.observed[patterns.pattern_of_row].astype(float)
    pairs = mask.T @ mask
    mean = patterns.data.sum(axis=0) / np.diag(pairs)
    deviation = (patterns.data - mean) * mask
    cov = deviation.T @ deviation / pairs
    sd = np.sqrt(np.diag(cov))
    corr = cov / np.outer(sd, sd)
    lowest = _smallest_eigenvalue(cov)
    if lowest < _START_EIGENVALUE:
        keep = (1 - _START_EIGENVALUE) / (1 - lowest)
        corr = keep * corr + (1 - keep) * np.eye(len(sd))
    return mean, corr * np.outer(sd, sd)


def _smallest_eigenvalue(cov: Array) -> float:
    """Return the smallest eigenvalue of the correlation matrix of a covariance matrix."""
    sd = np.sqrt(np.diag(cov))
    return float(np.linalg.eigvalsh(cov / np.outer(sd, sd))[0])


def _singular_error(cov: Array, patterns: MissingPatterns) -> EstimationError:
    """Return the error that names the variables of the singular direction."""
    sd = np.sqrt(np.diag(cov))
    share = np.abs(np.linalg.eigh(cov / np.outer(sd, sd))[1][:, 0])
    names = [patterns.names[j] for j in np.flatnonzero(share > 0.3 * share.max())]
    return EstimationError(
        f"fit: data= gives a singular covariance matrix of {listing(names)} under "
        f"missing='fiml'{patterns.where} ({patterns.n_used} rows, "
        f"{len(patterns.names)} variables); the saturated model needs a positive definite "
        "one. Drop a variable that the others determine, or collect more rows."
    )
