"""Expected moments of incomplete rows in many resamples at once.

Resamples of the same rows differ only in how often each row stands in them, so patterns of blanks
are found once. By Fisher's identity the score of incomplete rows is that of complete rows at the
moments expected given what was answered (Dempster, Laird & Rubin 1977,
doi:10.1111/j.2517-6161.1977.tb01600.x): ``helpers.sem.bootstrap_kernels`` does the rest.

With ``K = Sigma^-1``, blanks m and deviations e of what is answered, the expected deviations of the
blanks are ``-K_mm^-1 K_mo e`` and their conditional covariance matrix is ``K_mm^-1``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.sem.bootstrap_draws import TILE
from helpers.sem.bootstrap_kernels import BatchMoments, diagonal, inverted, turned
from helpers.sem.fiml_patterns import missing_patterns

Array = np.ndarray

_MANY = 6
"""Rows from which a pattern's sums cost less than its rows."""
_SUMS_HELD = 8_000_000
"""Numbers held for sums of patterns over the replicates of a tile (64 MB)."""
_LAPACK_FROM = 8
"""Blanks from which LAPACK inverts a block faster."""
_HELD = 120_000
"""Numbers of one array while rows are completed; fits the second-level cache."""


@dataclass(frozen=True, slots=True)
class SummedPattern:
    """A pattern with many rows, of which only sums are kept in a replicate."""

    rows: Array
    """Positions in the data."""
    products: Array
    """Deviations and their pairwise products, (rows, p + p (p + 1) / 2)."""
    observed: Array
    """1 where answered, (p,)."""
    blank: Array
    """Positions of the blanks, (k,)."""


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Rows of patterns with few rows each and the same number of blanks, sorted by pattern."""

    rows: Array
    values: Array
    """Deviations from the centre, 0 where blank, (r, p)."""
    observed: Array
    """1 where answered, (r, p)."""
    pattern: Array
    """Pattern of each row in the block, (r,)."""
    starts: Array
    """First row of each pattern."""
    index: Array
    """Positions of the blanks, or of the answers when ``by_observed``, (patterns, k)."""
    by_observed: bool
    """Whether fewer variables are answered than blank."""


@dataclass(frozen=True, slots=True)
class BlankLayout:
    """Rows of one group by pattern of blanks.

    Attributes
    ----------
    n_rows : int
        Rows of the data; those without any value carry no weight.
    centre : array, shape (p,)
        Means of the answers; deviations are from them.
    spread : array, shape (p,)
        Variances of the answers.
    mask : array, shape (n_rows, p)
        1 where answered.
    summed : tuple of SummedPattern
    blocks : tuple of RowBlock
    """

    n_rows: int
    centre: Array
    spread: Array
    mask: Array
    summed: tuple[SummedPattern, ...]
    blocks: tuple[RowBlock, ...]


@dataclass(frozen=True, slots=True)
class PatternSums:
    """Sums of the patterns with many rows in b replicates (q patterns).

    ``mixed`` is ``sum_q s_q o_q'`` of sums s and answers o, ``together`` how many of these rows
    answer each pair.
    """

    n: Array
    """(b, q)."""
    first: Array
    """(b, q, p)."""
    second: Array
    """(b, q, p, p)."""
    mixed: Array
    together: Array

    def take(self, at: Array | slice) -> PatternSums:
        """Return some of the replicates."""
        return PatternSums(
            self.n[at], self.first[at], self.second[at], self.mixed[at], self.together[at]
        )


@dataclass(frozen=True, slots=True)
class Completed:
    """Sums over rows completed by expectation, about the model's means."""

    n: Array
    first: Array
    """(b, p)."""
    second: Array
    """(b, p, p), without conditional covariances."""
    conditional: Array
    """(b, p, p) sums of conditional covariances."""
    logdet: Array
    """(b,) sums of ``log|Sigma_oo|``."""

    def moments(self, mu: Array) -> BatchMoments:
        """Return expected moments, covariances about their own means."""
        shift = self.first / self.n[:, None]
        cov = (self.second + self.conditional) / self.n[:, None, None]
        cov -= shift[:, :, None] * shift[:, None, :]
        return BatchMoments(cov, mu + shift, self.n)


def blank_layout(data: Array) -> BlankLayout:
    """Sort the rows of a group by pattern; NaN is a blank, errors as ``missing_patterns``."""
    found = missing_patterns(data)
    p = data.shape[1]
    answered = ~np.isnan(data)
    centre = np.nanmean(data[found.used_rows], axis=0)
    deviations = np.where(answered, data - centre, 0.0)
    order = np.argsort(found.pattern_of_row, kind="stable")
    rows = np.split(found.used_rows[order], np.cumsum(found.counts.astype(int))[:-1])
    most = max(1, _SUMS_HELD // (TILE * p * p))
    largest = np.argsort(-found.counts, kind="stable")[:most]
    many = {int(j) for j in largest if found.counts[j] >= _MANY or found.observed[j].all()}
    i, j = np.triu_indices(p)
    summed = []
    for at in sorted(many):
        own = deviations[rows[at]]
        products = np.concatenate([own, own[:, i] * own[:, j]], axis=1)
        seen = found.observed[at]
        summed.append(SummedPattern(rows[at], products, seen.astype(float), np.flatnonzero(~seen)))
    few = [at for at in range(found.n_patterns) if at not in many]
    blocks = _row_blocks(deviations, found.observed, rows, few)
    mask = answered.astype(float)
    spread = (deviations**2).sum(axis=0) / mask.sum(axis=0)
    return BlankLayout(len(data), centre, spread, mask, tuple(summed), blocks)


def _row_blocks(
    deviations: Array, observed: Array, rows: list[Array], few: list[int]
) -> tuple[RowBlock, ...]:
    """Join patterns with equally many blanks, up to a bounded size."""
    p = observed.shape[1]
    blocks, start = [], 0
    n_blank = p - observed.sum(axis=1)
    while start < len(few):
        stop, held = start, 0
        while stop < len(few) and n_blank[few[stop]] == n_blank[few[start]] and held < _HELD:
            held += len(rows[few[stop]]) * p
            stop += 1
        chosen = few[start:stop]
        by_observed = bool(2 * n_blank[chosen[0]] > p)
        kept = observed[chosen] if by_observed else ~observed[chosen]
        sizes = np.array([len(rows[at]) for at in chosen])
        own = np.concatenate([rows[at] for at in chosen])
        pattern = np.repeat(np.arange(len(chosen)), sizes)
        blocks.append(
            RowBlock(
                own, deviations[own], observed[chosen][pattern].astype(float), pattern,
                np.cumsum(sizes) - sizes, np.nonzero(kept)[1].reshape(len(chosen), -1), by_observed,
            )
        )  # fmt: skip
        start = stop
    return tuple(blocks)


def pattern_sums(layout: BlankLayout, counts: Array) -> PatternSums:
    """Sum the patterns with many rows in every replicate, by the counts of rows (b, n_rows)."""
    b, q, p = len(counts), len(layout.summed), len(layout.centre)
    n, first, second = np.zeros((b, q)), np.zeros((b, q, p)), np.zeros((b, q, p, p))
    i, j = np.triu_indices(p)
    for k, pattern in enumerate(layout.summed):
        own = counts[:, pattern.rows]
        n[:, k] = own.sum(axis=1)
        sums = own @ pattern.products
        first[:, k] = sums[:, :p]
        second[:, k, i, j] = second[:, k, j, i] = sums[:, p:]
    seen = np.array([s.observed for s in layout.summed]).reshape(q, p)
    mixed = turned(first) @ seen
    together = turned(seen * n[:, :, None]) @ seen
    return PatternSums(n, first, second, mixed, together)


def usable_resamples(layout: BlankLayout, counts: Array) -> Array:
    """Tell where every variable varies and every pair is answered by someone, (b,)."""
    p = layout.mask.shape[1]
    flat = np.where(layout.mask > 0, 1.0, 0.0)
    out = np.empty(len(counts), dtype=bool)
    values = np.zeros((layout.n_rows, p))
    for part in (*layout.summed, *layout.blocks):
        values[part.rows] = part.products[:, :p] if isinstance(part, SummedPattern) else part.values
    n = counts @ flat
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (counts @ values) / n
        variance = (counts @ (values * values)) / n - mean * mean
    varied = (variance > 1e-12 * layout.spread).all(axis=1)
    for b, own in enumerate(counts):
        out[b] = varied[b] and ((flat * own[:, None]).T @ flat > 0).all()
    return out


def complete_rows(
    layout: BlankLayout, sums: PatternSums, counts: Array, sigma: Array, mu: Array
) -> Completed:
    """Complete the rows of b replicates, each by its own moments.

    Parameters
    ----------
    layout : BlankLayout
    sums : PatternSums
        Of the same replicates.
    counts : array, shape (b, n_rows)
    sigma, mu : arrays, shapes (b, p, p) and (b, p)
        NaN comes out where ``sigma`` is not positive definite.
    """
    widest = max([b.values.size for b in layout.blocks], default=0)
    size = max(1, _HELD // max(widest, 4 * sigma.shape[1] ** 2))
    parts = [
        _complete(layout, sums.take(at), counts[at], sigma[at], mu[at] - layout.centre)
        for at in (slice(k, k + size) for k in range(0, len(mu), size))
    ]
    return Completed(*(
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("n", "first", "second", "conditional", "logdet")
    ))  # fmt: skip


def _complete(
    layout: BlankLayout, sums: PatternSums, counts: Array, sigma: Array, shift: Array
) -> Completed:
    """Complete the rows of some replicates; ``shift`` is the model's mean less the centre."""
    precision, logdet = _definite_inverse(sigma)
    b, p = shift.shape
    n, logs = sums.n.sum(axis=1), sums.n.sum(axis=1) * logdet
    cross = sums.mixed * shift[:, None, :]
    second = sums.second.sum(axis=1) - cross - turned(cross)
    second += sums.together * (shift[:, :, None] * shift[:, None, :])
    first = sums.first.sum(axis=1) - diagonal(sums.together) * shift
    conditional = np.zeros((b, p, p))
    for k, pattern in enumerate(layout.summed):
        if len(pattern.blank):
            corner = _add_pattern(
                pattern, sums.n[:, k], sums.first[:, k], sums.second[:, k],
                precision, shift * pattern.observed, (first, second, conditional),
            )  # fmt: skip
            logs += sums.n[:, k] * corner
    for block in layout.blocks:
        own = counts[:, block.rows]
        n = n + own.sum(axis=1)
        full = _filled(block, own, precision, sigma, shift, logdet, conditional)
        logs += full[1]
        weighted = full[0] * own[:, :, None]
        first += weighted.sum(axis=1)
        second += turned(weighted) @ full[0]
    return Completed(n, first, second, conditional, logs)


def _add_pattern(
    pattern: SummedPattern,
    n: Array,
    first: Array,
    second: Array,
    precision: Array,
    shift: Array,
    into: tuple[Array, Array, Array],
) -> Array:
    """Add what the blanks of a summed pattern are expected to be; return ``log|K_mm|``."""
    blank = pattern.blank
    inverse, logdet = _corner_inverses(precision, blank[None])
    inverse = inverse[..., 0].transpose(2, 0, 1)
    slope = -(inverse @ precision[:, blank])
    at_first, at_shift = slope @ first[:, :, None], slope @ shift[:, :, None]
    mixed = slope @ second - at_first * shift[:, None, :]
    mixed -= at_shift * (first - n[:, None] * shift)[:, None, :]
    into[0][:, blank] += (at_first - n[:, None, None] * at_shift)[..., 0]
    into[1][:, blank] += mixed
    into[1][:, :, blank] += turned(mixed)
    into[1][:, blank[:, None], blank] += mixed @ turned(slope)
    into[2][:, blank[:, None], blank] += n[:, None, None] * inverse
    return logdet[:, 0]


def _filled(
    block: RowBlock,
    own: Array,
    precision: Array,
    sigma: Array,
    shift: Array,
    logdet: Array,
    conditional: Array,
) -> tuple[Array, Array]:
    """Return completed deviations (b, r, p) and sums of ``log|Sigma_oo|``; add covariances."""
    b, p = shift.shape
    deviation = block.values - block.observed * shift[:, None, :]
    weight = np.add.reduceat(own, block.starts, axis=1)
    inverse, corner = _corner_inverses(sigma if block.by_observed else precision, block.index)
    sums = _scattered(inverse * weight, block.index, p)
    row, columns = np.arange(len(block.rows)), block.index[block.pattern].T
    if block.by_observed:
        z = np.zeros_like(deviation)
        for at, part in zip(columns, _times(inverse, block.pattern, deviation, columns)):
            z[:, row, at] = part
        conditional += weight.sum(axis=1)[:, None, None] * sigma - sigma @ sums @ sigma
        return z @ sigma, (weight * corner).sum(axis=1)
    pull = deviation @ precision
    for at, part in zip(columns, _times(inverse, block.pattern, pull, columns)):
        deviation[:, row, at] = -part
    conditional += sums
    return deviation, (weight * (corner + logdet[:, None])).sum(axis=1)


def _times(inverse: Array, pattern: Array, full: Array, columns: Array) -> Array:
    """Products of each pattern's matrix with some columns of its rows, (k, b, r)."""
    row = np.arange(len(pattern))
    parts = [full[:, row, at] for at in columns]
    of_row = inverse if len(pattern) == inverse.shape[-1] else inverse[..., pattern]
    return sum(of_row[:, k] * part for k, part in enumerate(parts))


def _scattered(values: Array, index: Array, p: int) -> Array:
    """Add the elements (k, k, b, patterns) up at their variables, (b, p, p)."""
    b = values.shape[2]
    spots = index.T[:, None] * p + index.T
    spots = spots[:, :, None] + np.arange(b)[:, None] * (p * p)
    return np.bincount(spots.ravel(), values.ravel(), b * p * p).reshape(b, p, p)


def _corner_inverses(matrices: Array, index: Array) -> tuple[Array, Array]:
    """Invert the blocks at each row of ``index`` (patterns, k) in every matrix (b, p, p).

    Returns inverses (k, k, b, patterns) and log-determinants (b, patterns). Gauss-Jordan without
    pivots, which definite matrices do not need, runs over all blocks at once where LAPACK would
    be called for each.
    """
    (b, p, _p), (n, k) = matrices.shape, index.shape
    if k > _LAPACK_FROM:
        corner = matrices[:, index[:, :, None], index[:, None, :]]
        inverse = inverted(corner.reshape(-1, k, k)).reshape(b, n, k, k)
        return np.ascontiguousarray(inverse.transpose(2, 3, 0, 1)), np.linalg.slogdet(corner)[1]
    spots = index.T[:, None] * p + index.T
    out = matrices.reshape(b, p * p)[:, spots].transpose(1, 2, 0, 3).copy()
    logdet = np.zeros((b, n))
    for j in range(k):
        pivot = out[j, j].copy()
        logdet += np.log(pivot)
        out[j, j] = 1.0
        out[j] /= pivot
        factor = out[:, j].copy()
        factor[j] = 0.0
        own = out[j, j].copy()
        out[:, j] = 0.0
        out[j, j] = own
        out -= factor[:, None] * out[j]
    return out, logdet


def _definite_inverse(sigma: Array) -> tuple[Array, Array]:
    """Inverses and log-determinants; NaN where a matrix is not positive definite."""
    try:
        root = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        good = np.isfinite(sigma).all(axis=(1, 2))
        good[good] = np.linalg.eigvalsh(sigma[good])[:, 0] > 0
        inverse, logdet = np.full_like(sigma, np.nan), np.full(len(sigma), np.nan)
        if good.any():
            inverse[good], logdet[good] = _definite_inverse(sigma[good])
        return inverse, logdet
    inverse = inverted(sigma)
    return 0.5 * (inverse + turned(inverse)), 2.0 * np.log(diagonal(root)).sum(axis=1)
