"""Moments of ordered and continuous variables given covariates (lavaan's ``conditional.x``).

Thresholds, intercepts and slopes come from each variable's own regression, residual correlations
from each pair given both regressions, and the asymptotic covariance matrix from the casewise
scores of all of them, as without covariates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from helpers.sem.bivariate_normal import bivariate_cdf, bivariate_density, density_slope
from helpers.sem.ordinal import OrdinalMoments
from helpers.sem.ordinal_codes import CodedRows, code_rows
from helpers.sem.ordinal_margins import Margin, linear_margin, probit_margin
from helpers.sem.ordinal_mixed import pearson, pearson_scores, polyserial, polyserial_scores
from helpers.sem.ordinal_newton import maximise_correlations
from helpers.sem.ordinal_pairs import POLYCHORIC_BOUND

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_SMALLEST = float(np.sqrt(np.finfo(float).eps))
"""Rows less likely than this give no score, as in lavaan."""

_NUMBERS_AT_ONCE = 400_000


def conditional_moments(
    data: Array,
    covariates: Array,
    *,
    ordered: Sequence[bool],
    names: Sequence[str],
    covariate_names: Sequence[str],
    levels: Sequence[Array],
    group: str | None = None,
) -> OrdinalMoments:
    """Estimate thresholds, slopes and residual correlations given covariates.

    Parameters
    ----------
    data : array, shape (n, p)
        Complete rows of the variables to explain.
    covariates : array, shape (n, q)
        Complete rows of the covariates.
    ordered, names, levels : sequences of length p
        As in ``ordinal_moments``.

    Returns
    -------
    OrdinalMoments
        ``thresholds`` are those at covariates of 0, ``slopes`` (p, q) the regressions, ``variance``
        and ``cov`` residual. ``moments`` holds, after the thresholds, the slopes of all variables
        on the first covariate, then on the second, and so on.

    Raises
    ------
    DataContractError, EstimationError
        As ``ordinal_moments``; a probit regression without a finite solution.

    Notes
    -----
    Checked against lavaan 0.6-14: ``tests/reference/sem_ordinal.R``.

    References
    ----------
    Muthen (1984), doi:10.1007/BF02294210.
    """
    rows = code_rows(
        data, levels=levels, ordered=ordered, names=names, missing="listwise", group=group
    )
    margins = [
        probit_margin(rows.codes[:, j], len(levels[j]), covariates, names[j])
        if ordered[j]
        else linear_margin(rows.values[:, j], covariates)
        for j in range(len(names))
    ]
    first, second = np.triu_indices(len(names), 1)
    rho = _pair_correlations(margins, first, second)
    gamma = _Gamma(margins, first, second, rho).matrix()
    return _collect(rows, margins, rho, gamma, ordered, names, covariate_names, levels)


def _pair_correlations(margins: list[Margin], first: Index, second: Index) -> Array:
    """Return the residual correlation of every pair."""
    rho = np.empty(len(first))
    flags = np.array([m.ordered for m in margins])
    both, none = flags[first] & flags[second], ~flags[first] & ~flags[second]
    width = max(1, _NUMBERS_AT_ONCE // (4 * len(margins[0].z)))
    pairs = np.flatnonzero(both)
    for start in range(0, len(pairs), width):
        part = pairs[start : start + width]
        rho[part] = _polychoric(*_limits(margins, first[part], second[part]))
    n = len(margins[0].z)
    z = np.column_stack([m.z for m in margins])
    pairs = np.flatnonzero(none)
    if len(pairs):
        rho[pairs] = pearson(z[:, first[pairs]], z[:, second[pairs]], np.ones((n, len(pairs))))
    pairs = np.flatnonzero(~both & ~none)
    if len(pairs):
        swap = flags[first[pairs]]
        number = np.where(swap, second[pairs], first[pairs])
        category = np.where(swap, first[pairs], second[pairs])
        upper = np.column_stack([margins[j].upper for j in category])
        lower = np.column_stack([margins[j].lower for j in category])
        present = np.ones((n, len(pairs)))
        rho[pairs] = polyserial(z[:, number], upper, lower, present, np.zeros(len(pairs)))
    return rho


def _limits(
    margins: list[Margin], first: Index, second: Index
) -> tuple[Array, Array, Array, Array]:
    """Return the limits of both variables of pairs, shape (pairs, n) each."""
    return (
        np.array([margins[j].upper for j in first]),
        np.array([margins[j].lower for j in first]),
        np.array([margins[j].upper for j in second]),
        np.array([margins[j].lower for j in second]),
    )


def _rectangles(a: Array, b: Array, c: Array, d: Array, rho: Array) -> Array:
    """Return P(b < X <= a, d < Y <= c) of each row, shape (pairs, n)."""
    h = np.concatenate([a, b, a, b], axis=1)
    k = np.concatenate([c, c, d, d], axis=1)
    parts = bivariate_cdf(h, k, rho).reshape(len(rho), 4, -1)
    return parts[:, 0] - parts[:, 1] - parts[:, 2] + parts[:, 3]


def _polychoric(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Return the maximum-likelihood correlation of pairs of ordered variables."""

    def slopes(rho: Array, active: Index) -> tuple[Array, Array]:
        limits = a[active], b[active], c[active], d[active]
        probability = _rectangles(*limits, rho)
        slope, bend = _density_sums(*limits, rho)
        sound = probability > _SMALLEST
        safe = np.where(sound, probability, 1.0)
        ratio = np.where(sound, slope / safe, 0.0)
        return ratio.sum(axis=1), (np.where(sound, bend / safe, 0.0) - ratio**2).sum(axis=1)

    return maximise_correlations(slopes, np.zeros(len(a)), bound=POLYCHORIC_BOUND)


def _density_sums(a: Array, b: Array, c: Array, d: Array, rho: Array) -> tuple[Array, Array]:
    """Return first and second derivative of the rectangles' probabilities by rho."""
    r = rho[:, None]
    slope, bend = np.zeros_like(a), np.zeros_like(a)
    for h, k, sign in ((a, c, 1), (b, c, -1), (a, d, -1), (b, d, 1)):
        density = sign * bivariate_density(h, k, r)
        slope += density
        bend += density * density_slope(h, k, r)
    return slope, bend


class _Gamma:
    """Asymptotic covariance matrix from casewise scores."""

    def __init__(self, margins: list[Margin], first: Index, second: Index, rho: Array) -> None:
        self.margins, self.first, self.second, self.rho = margins, first, second, rho
        sizes = [m.scores.shape[1] for m in margins]
        ends = np.cumsum(sizes)
        self.at = [slice(int(e - s), int(e)) for e, s in zip(ends, sizes)]
        self.n = len(margins[0].z)

    def matrix(self) -> Array:
        """Return n times the covariance matrix of the moments, in lavaan's order."""
        own = np.hstack([_influence(m.scores) for m in self.margins])
        scores = np.empty((self.n, len(self.rho)))
        a21 = np.zeros((len(self.rho), own.shape[1]))
        for k in range(len(self.rho)):
            scores[:, k] = self._pair(k, a21[k])
        pairs = (scores - own @ a21.T) / (scores**2).sum(axis=0)
        influence = self._ordered_columns(own, pairs)
        return self.n * influence.T @ influence

    def _pair(self, k: int, a21: Array) -> Array:
        """Return the scores of one correlation, and fill its row of A21."""
        i, j = int(self.first[k]), int(self.second[k])
        a, b = self.margins[i], self.margins[j]
        if a.ordered and b.ordered:
            return self._ordered_pair(i, j, k, a21)
        if not a.ordered and not b.ordered:
            return self._continuous_pair(i, j, k, a21)
        if a.ordered:
            i, j, a, b = j, i, b, a
        column = [v[:, None] for v in (a.z, b.upper, b.lower)]
        sd = np.array([np.sqrt(a.variance)])
        one = np.ones((self.n, 1))
        found = polyserial_scores(column[0], sd, column[1], column[2], one, self.rho[k : k + 1])
        score = found.rho[:, 0]
        a21[self.at[i]] = self._continuous_cross(a, score, found.mean[:, 0], found.variance[:, 0])
        a21[self.at[j]] = (score * found.upper[:, 0]) @ b.upper_design
        a21[self.at[j]] += (score * found.lower[:, 0]) @ b.lower_design
        return score

    def _continuous_pair(self, i: int, j: int, k: int, a21: Array) -> Array:
        """Two continuous variables."""
        a, b = self.margins[i], self.margins[j]
        sd = np.sqrt([a.variance, b.variance])
        found = pearson_scores(
            a.z[:, None], b.z[:, None], sd[:1], sd[1:], np.ones((self.n, 1)), self.rho[k : k + 1]
        )
        score = found.rho[:, 0]
        a21[self.at[i]] = self._continuous_cross(
            a, score, found.mean_first[:, 0], found.variance_first[:, 0]
        )
        a21[self.at[j]] = self._continuous_cross(
            b, score, found.mean_second[:, 0], found.variance_second[:, 0]
        )
        return score

    @staticmethod
    def _continuous_cross(margin: Margin, score: Array, mean: Array, variance: Array) -> Array:
        """Cross-products with the intercept, slopes and variance of a continuous variable."""
        return np.append((score * mean) @ margin.upper_design, score @ variance)

    def _ordered_pair(self, i: int, j: int, k: int, a21: Array) -> Array:
        """Two ordered variables."""
        a, b = self.margins[i], self.margins[j]
        rho = self.rho[k : k + 1]
        limits = tuple(v[None, :] for v in (a.upper, a.lower, b.upper, b.lower))
        probability = _rectangles(*limits, rho)[0]
        sound = probability > _SMALLEST
        safe = np.where(sound, probability, 1.0)
        score = np.where(sound, _density_sums(*limits, rho)[0][0] / safe, 0.0)
        weight = np.where(sound, score / safe, 0.0)
        for at, own, other in ((self.at[i], a, b), (self.at[j], b, a)):
            high = weight * _edge(own.upper, other, float(rho[0]))
            low = weight * _edge(own.lower, other, float(rho[0]))
            a21[at] = high @ own.upper_design - low @ own.lower_design
        return score

    def _ordered_columns(self, own: Array, pairs: Array) -> Array:
        """Put influences in lavaan's order: thresholds, slopes by covariate, variances, cov."""
        margins = self.margins
        blocks = [own[:, at] for at in self.at]
        counts = [len(m.first) for m in margins]
        q = len(margins[0].slopes)
        first = [
            block[:, :c] * (1.0 if m.ordered else -1.0)
            for block, c, m in zip(blocks, counts, margins)
        ]
        slopes = [block[:, c + x : c + x + 1] for x in range(q) for block, c in zip(blocks, counts)]
        variances = [block[:, -1:] for block, m in zip(blocks, margins) if not m.ordered]
        return np.hstack([*first, *slopes, *variances, self._covariances(blocks, pairs)])

    def _covariances(self, blocks: list[Array], pairs: Array) -> Array:
        """Turn the influence on correlations into that on covariances."""
        sd = np.sqrt([m.variance for m in self.margins])
        out = pairs * (sd[self.first] * sd[self.second])
        for k in range(len(self.rho)):
            cov = self.rho[k] * sd[self.first[k]] * sd[self.second[k]]
            for j in (int(self.first[k]), int(self.second[k])):
                margin = self.margins[j]
                if not margin.ordered:
                    out[:, k] += cov / (2 * margin.variance) * blocks[j][:, -1]
        return out


def _influence(scores: Array) -> Array:
    """Return each row's influence on the parameters of one margin."""
    return np.linalg.solve(scores.T @ scores, scores.T).T


def _edge(limit: Array, other: Margin, rho: float) -> Array:
    """Return the derivative of a rectangle's probability by a limit (its sign for the upper)."""
    root = np.sqrt(1 - rho * rho)
    share = ndtr((other.upper - rho * limit) / root) - ndtr((other.lower - rho * limit) / root)
    return np.exp(-limit * limit / 2) / np.sqrt(2 * np.pi) * share


def _collect(
    rows: CodedRows,
    margins: list[Margin],
    rho: Array,
    gamma: Array,
    ordered: Sequence[bool],
    names: Sequence[str],
    covariate_names: Sequence[str],
    levels: Sequence[Array],
) -> OrdinalMoments:
    """Put the moments into their matrices and their vector."""
    p = len(names)
    first, second = np.triu_indices(p, 1)
    variance = np.array([m.variance for m in margins])
    cor = np.eye(p)
    cor[first, second] = cor[second, first] = rho
    cov = cor * np.sqrt(np.outer(variance, variance))
    thresholds = np.concatenate([m.first for m in margins])
    owner = np.repeat(np.arange(p), [len(m.first) for m in margins])
    continuous = ~np.array(ordered, dtype=bool)
    slopes = np.array([m.slopes for m in margins])
    signed = np.where(continuous[owner], -thresholds, thresholds)
    return OrdinalMoments(
        names=tuple(names),
        ordered=tuple(bool(flag) for flag in ordered),
        levels=tuple(levels),
        n_used=len(rows.codes),
        n_dropped=rows.n_dropped,
        thresholds=thresholds,
        threshold_variable=owner,
        threshold_is_mean=continuous[owner],
        mean=np.array([0.0 if m.ordered else float(m.first[0]) for m in margins]),
        variance=variance,
        cor=cor,
        cov=cov,
        moments=np.concatenate(
            [signed, slopes.T.ravel(), variance[continuous], cov[first, second]]
        ),
        gamma=gamma,
        weights=1 / np.diag(gamma),
        empty_cells=(),
        at_bound=tuple(
            (names[first[k]], names[second[k]])
            for k in np.flatnonzero(np.abs(rho) >= POLYCHORIC_BOUND)
        ),
        covariates=tuple(covariate_names),
        slopes=slopes,
    )
