"""The normal log-likelihood of incomplete rows and its derivatives in the saturated moments.

Everything is a function of a mean vector ``mu`` (p,) and a covariance matrix ``sigma`` (p, p);
which model implies them is not known here. Moments are ordered as in lavaan: the p means, then
the lower triangle of the covariance matrix column by column (``vech``). A derivative by a
``vech`` element moves both mirror images of a covariance. The inverse of each observed block
is a rank-k update of the full inverse, for a pattern with k blanks, so a pass costs a
factorisation of k x k per pattern and a few large matrix products.

References
----------
Savalei (2010), doi:10.1037/a0020143 (derivatives and information with incomplete data).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import lapack

from helpers.errors import EstimationError
from helpers.sem.fiml_patterns import Array, MissingPatterns, PatternBlock

Information = Literal["none", "expected", "observed"]

_PATTERNS_A_PRODUCT = 512
"""Patterns gathered before a matrix product; more only costs memory."""


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Log-likelihood of all rows with its derivatives in the saturated moments.

    Attributes
    ----------
    loglik : float
    d_mean : array, shape (p,)
    d_cov : array, shape (p (p + 1) / 2,)
        Derivative by each element of ``vech(sigma)``.
    information : array, shape (m, m) or None
        Minus the matrix of second derivatives (``"observed"``) or its expectation under ``mu``,
        ``sigma`` (``"expected"``), summed over rows, in the order of (mean, vech).
    """

    loglik: float
    d_mean: Array
    d_cov: Array
    information: Array | None


def vech_positions(p: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and column of each element of vech in lavaan's order."""
    column, row = np.triu_indices(p)
    return row, column


def loglik(patterns: MissingPatterns, mu: Array, sigma: Array) -> float:
    """Return the log-likelihood; minus infinity when ``sigma`` is not positive definite.

    Formula: the sum over rows of ``-1/2 [k log 2 pi + log|S_oo| + e' S_oo^-1 e]``, where ``o``
    are the k variables the row answers and ``e`` its deviations from ``mu``.
    """
    factor = _factor(sigma)
    if factor is None:
        return -np.inf
    total = patterns.n_values * np.log(2 * np.pi)
    for block in patterns.blocks:
        roots, logdet = _block_roots(block, sigma, *factor)
        total += patterns.counts[block.patterns] @ logdet
        deviation = _deviations(patterns, block, mu)
        total += np.vdot(deviation, _weighted(block, deviation, roots, factor[0]))
    return float(-0.5 * total)


def gradient(patterns: MissingPatterns, mu: Array, sigma: Array) -> tuple[Array, Array]:
    """Return the derivatives of the log-likelihood by the means and by ``vech(sigma)``."""
    result = derivatives(patterns, mu, sigma)
    return result.d_mean, result.d_cov


def expected_information(patterns: MissingPatterns, sigma: Array) -> Array:
    """Return the expected information of (mean, vech), summed over rows, given the patterns.

    The block of the means is ``sum_j n_j P_j`` with ``P_j`` the inverse of the observed block
    embedded in zeros; that of the covariances ``1/2 D' (sum_j n_j P_j x P_j) D``; between them 0.
    """
    mu = np.zeros(len(sigma))
    return _required(derivatives(patterns, mu, sigma, information="expected"))


def observed_information(patterns: MissingPatterns, mu: Array, sigma: Array) -> Array:
    """Return minus the second derivatives of the log-likelihood in (mean, vech).

    A model with moments ``m(theta)`` and Jacobian ``D`` has the observed information
    ``D' H D - sum_j g_j d2 m_j / d theta2``, with this matrix as ``H`` and the derivatives by the
    moments as ``g``.
    """
    return _required(derivatives(patterns, mu, sigma, information="observed"))


def derivatives(
    patterns: MissingPatterns, mu: Array, sigma: Array, *, information: Information = "none"
) -> Derivatives:
    """Return log-likelihood, gradient and, when asked, an information matrix in one pass.

    Parameters
    ----------
    patterns : MissingPatterns
    mu, sigma : arrays, shapes (p,) and (p, p)
    information : {"none", "expected", "observed"}

    Raises
    ------
    EstimationError
        ``sigma`` is not positive definite.

    Notes
    -----
    Checked against finite differences and against lavaan (``tests/reference/fiml.R``).
    """
    factor = _factor(sigma)
    if factor is None:
        raise EstimationError(
            "derivatives: sigma= is not positive definite; the likelihood of incomplete rows needs "
            "a positive definite covariance matrix. Use better starting values or fewer variables."
        )
    sums = _Sums(len(sigma), information)
    for block in patterns.blocks:
        sums.add(patterns, block, mu, sigma, factor)
    return sums.result(patterns)


def casewise_scores(patterns: MissingPatterns, mu: Array, sigma: Array) -> Array:
    """Return each used row's gradient in (mean, vech), shape (n_used, p + p (p + 1) / 2).

    Rows stand in the order of the data (``patterns.used_rows``). With scores ``S``, the
    first-order information is ``S' S``; a model's is ``D' S' S D``.
    """
    p = len(sigma)
    row, column = vech_positions(p)
    half = np.where(row == column, 0.5, 1.0)
    precision, logdet = _required_factor(sigma)
    z = np.empty((patterns.n_used, p))
    trace = np.empty((patterns.n_patterns, len(row)))
    order = np.argsort(patterns.pattern_of_row, kind="stable")
    ends = np.cumsum(patterns.counts).astype(np.intp)
    starts = ends - patterns.counts.astype(np.intp)
    for block in patterns.blocks:
        roots, _ = _block_roots(block, sigma, precision, logdet)
        inverse = _inverses(block, roots, precision)
        trace[block.patterns] = inverse[:, row, column]
        chosen = order[starts[block.patterns[0]] : ends[block.patterns[-1]]]
        of_row = patterns.pattern_of_row[chosen]
        deviation = (patterns.data[chosen] - mu) * patterns.observed[of_row]
        local = of_row - block.patterns[0]
        z[chosen] = np.matmul(inverse[local], deviation[:, :, None])[:, :, 0]
    d_cov = (z[:, row] * z[:, column] - trace[patterns.pattern_of_row]) * half
    return np.hstack([z, d_cov])


class _Sums:
    """Sums over rows and patterns that the derivatives need, gathered block by block."""

    def __init__(self, p: int, information: Information) -> None:
        self.p = p
        self.information = information
        self.row, self.column = vech_positions(p)
        size = len(self.row)
        self.minus_two = 0.0
        self.z = np.zeros(p)
        self.zz = np.zeros((p, p))
        self.inverse = np.zeros((p, p))
        self.products = np.zeros((size, size)) if information != "none" else np.zeros((0, 0))
        self.cross = np.zeros((p, size)) if information == "observed" else np.zeros((0, 0))
        self.waiting: list[tuple[Array, Array]] = []
        self.n_waiting = 0

    def add(
        self,
        patterns: MissingPatterns,
        block: PatternBlock,
        mu: Array,
        sigma: Array,
        factor: tuple[Array, float],
    ) -> None:
        """Add one block of patterns."""
        counts = patterns.counts[block.patterns]
        roots, logdet = _block_roots(block, sigma, *factor)
        deviation = _deviations(patterns, block, mu)
        z = _weighted(block, deviation, roots, factor[0])
        weighted = patterns.weight[block.rows, None] * z
        self.minus_two += counts @ logdet + np.vdot(deviation, z)
        self.z += weighted.sum(axis=0)
        self.zz += z.T @ z
        self.inverse += _sum_of_inverses(roots, counts, block, factor[0])
        if self.information != "none":
            self._add_products(block, counts, _inverses(block, roots, factor[0]), z, weighted)

    def _add_products(
        self, block: PatternBlock, counts: Array, inverse: Array, z: Array, weighted: Array
    ) -> None:
        """Add the sums of products of two elements of the inverses, or of inverse and zz'."""
        flat = inverse[:, self.row, self.column]
        second = counts[:, None] * flat
        if self.information == "observed":
            squares = np.add.reduceat(z[:, self.row] * z[:, self.column], block.starts, axis=0)
            second = 2 * squares - second
            self.cross += np.add.reduceat(weighted, block.starts, axis=0).T @ flat
        self.waiting.append((flat, second))
        self.n_waiting += len(flat)
        if self.n_waiting >= _PATTERNS_A_PRODUCT:
            self._flush()

    def _flush(self) -> None:
        """Multiply what waits: one product of many patterns is faster than many of few."""
        if self.waiting:
            first, second = (np.concatenate(parts) for parts in zip(*self.waiting, strict=True))
            self.products += first.T @ second
        self.waiting, self.n_waiting = [], 0

    def result(self, patterns: MissingPatterns) -> Derivatives:
        """Put the sums together."""
        half = np.where(self.row == self.column, 0.5, 1.0)
        d_cov = (self.zz - self.inverse)[self.row, self.column] * half
        total = patterns.n_values * np.log(2 * np.pi) + self.minus_two
        matrix = self._matrix(half) if self.information != "none" else None
        return Derivatives(float(-0.5 * total), self.z, d_cov, matrix)

    def _matrix(self, half: Array) -> Array:
        """Return the information matrix of (mean, vech)."""
        self._flush()
        p, size = self.p, len(self.row)
        out = np.zeros((p + size, p + size))
        out[:p, :p] = self.inverse
        symmetric = (self.products + self.products.T) / 2
        out[p:, p:] = _pair_products(symmetric, self.row, self.column)
        out[p:, p:] *= half[:, None] * half
        if self.information == "observed":
            position = _vech_lookup(p)
            first = self.cross[self.row[:, None], position[self.column]]
            second = self.cross[self.column[:, None], position[self.row]]
            out[p:, :p] = (first + second) * half[:, None]
            out[:p, p:] = out[p:, :p].T
        return out


def _vech_lookup(p: int) -> np.ndarray:
    """Return the (p, p) table of positions in vech."""
    row, column = vech_positions(p)
    table = np.empty((p, p), dtype=np.intp)
    table[row, column] = table[column, row] = np.arange(len(row))
    return table


def _pair_products(products: Array, row: np.ndarray, column: np.ndarray) -> Array:
    """Turn M[ab, cd] = sum P_ab P_cd into sum (P_ac P_bd + P_ad P_bc) for pairs (a,b), (c,d).

    One index c at a time: the slice M[ac, bd] over a, b, d is small enough to stay in cache.
    """
    p = int(row[-1]) + 1
    size = len(row)
    position = _vech_lookup(p)
    out = np.empty((size, size))
    start = 0
    for c in range(p):
        pairs = position[:, c:]
        cube = products[position[:, c]].take(pairs.ravel(), axis=1).reshape(p * p, p - c)
        stop = start + p - c
        out[:, start:stop] = cube.take(row * p + column, axis=0)
        out[:, start:stop] += cube.take(column * p + row, axis=0)
        start = stop
    return out


def _factor(sigma: Array) -> tuple[Array, float] | None:
    """Return the inverse and log-determinant of a covariance matrix, None when not definite."""
    root, fail = lapack.dpotrf(sigma, lower=1)
    if fail:
        return None
    inverse, fail = lapack.dpotri(root, lower=1)
    if fail:
        return None
    full = inverse + inverse.T  # both leave the upper triangle 0
    full.flat[:: len(full) + 1] *= 0.5
    return full, float(2 * np.log(np.diag(root)).sum())


def _required_factor(sigma: Array) -> tuple[Array, float]:
    """Return :func:`_factor` or raise."""
    factor = _factor(sigma)
    if factor is None:
        raise EstimationError(
            "casewise_scores: sigma= is not positive definite; scores need a positive definite "
            "covariance matrix. Check that the fit converged."
        )
    return factor


def _block_roots(
    block: PatternBlock, sigma: Array, precision: Array, logdet: float
) -> tuple[Array, Array]:
    """Return roots Y and log-determinants: the inverses are Y Y', or precision - Y Y'.

    With few blanks ``m``, ``(S_oo)^-1 = K_oo - K_om (K_mm)^-1 K_mo`` for ``K = S^-1``, and
    ``log|S_oo| = log|S| + log|K_mm|``.
    """
    index = block.index
    if index.shape[1] == 0:
        return np.zeros((len(index), len(sigma), 0)), np.full(len(index), logdet)
    if index.shape[1] == 1 and not block.by_observed:  # nearly all blocks: no need of LAPACK
        at = index[:, 0]
        corner = precision[at, at]
        return (precision[at] / np.sqrt(corner)[:, None])[:, :, None], logdet + np.log(corner)
    source = sigma if block.by_observed else precision
    corner = source[index[:, :, None], index[:, None, :]]
    lower = np.linalg.cholesky(corner)
    half_logdet = np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
    inverse = np.linalg.inv(lower)
    if block.by_observed:
        roots = np.zeros((len(index), len(sigma), index.shape[1]))
        roots[np.arange(len(index))[:, None], index] = inverse.transpose(0, 2, 1)
        return roots, 2 * half_logdet
    columns = precision[:, index].transpose(1, 0, 2)
    return columns @ inverse.transpose(0, 2, 1), logdet + 2 * half_logdet


def _inverses(block: PatternBlock, roots: Array, precision: Array) -> Array:
    """Return the inverse observed blocks embedded in zeros, shape (b, p, p)."""
    product = roots @ roots.transpose(0, 2, 1)
    return product if block.by_observed else precision - product


def _sum_of_inverses(roots: Array, counts: Array, block: PatternBlock, precision: Array) -> Array:
    """Return the sum of the inverses weighted by the counts of rows."""
    if roots.shape[2] == 0:
        return counts.sum() * precision
    wide = (roots * np.sqrt(counts)[:, None, None]).transpose(1, 0, 2).reshape(len(precision), -1)
    product = wide @ wide.T
    return product if block.by_observed else counts.sum() * precision - product


def _deviations(patterns: MissingPatterns, block: PatternBlock, mu: Array) -> Array:
    """Return the stacked rows of a block as deviations from the mean, 0 where blank."""
    return patterns.values[block.rows] - patterns.share[block.rows] * mu


def _weighted(block: PatternBlock, deviation: Array, roots: Array, precision: Array) -> Array:
    """Return the inverse observed block times the deviation, for each stacked row."""
    if roots.shape[2] == 0:
        return deviation @ precision
    if len(block.starts) < len(deviation):
        roots = roots[block.pattern_of_row]
    inner = deviation[:, None, :] @ roots
    product = (inner @ roots.transpose(0, 2, 1))[:, 0, :]
    return product if block.by_observed else deviation @ precision - product


def _required(result: Derivatives) -> Array:
    """Return the information matrix of a pass that computed one."""
    if result.information is None:
        raise EstimationError("derivatives: information='none'; choose 'expected' or 'observed'.")
    return result.information
