"""Discriminant validity: Fornell-Larcker table, HTMT and HTMT2 with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from helpers.errors import DataContractError, check_level, listing
from helpers.i18n import _
from helpers.measurement.moment_draws import varying
from helpers.measurement.rows import complete_rows
from helpers.memo import remembered
from helpers.resampling import resampled_counts
from helpers.results import CheckResult
from helpers.thresholds import LEVEL, THRESHOLDS

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HtmtResult:
    """Heterotrait-monotrait ratios of every pair of constructs.

    Attributes
    ----------
    pairs : DataFrame
        One row a pair: construct_1, construct_2, htmt, htmt_low, htmt_high, htmt2, htmt2_low,
        htmt2_high (percentile intervals; the bounds are absent when n_boot = 0).
    left_out : tuple of str
        Constructs with one item, for which no ratio exists.
    n_used, n_dropped, n_boot, n_failed : int
        ``n_failed`` counts draws without a finite ratio for some pair; they are left out of that
        pair's interval.
    seed : int or None
    level : float
    method : str
    constant : tuple of str
        Items that whoever called left out because their answers never vary.
    """

    pairs: pd.DataFrame
    left_out: tuple[str, ...]
    n_used: int
    n_dropped: int
    n_boot: int
    n_failed: int
    seed: int | None
    level: float
    method: str
    constant: tuple[str, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row a pair, largest HTMT first."""
        return self.pairs.sort_values("htmt", ascending=False, ignore_index=True)

    def matrix(self, which: str = "htmt") -> pd.DataFrame:
        """Return the ratios as a lower triangle, blank above."""
        names = list(dict.fromkeys([*self.pairs["construct_1"], *self.pairs["construct_2"]]))
        out = pd.DataFrame(np.nan, index=names, columns=names)
        for row in self.pairs.to_dict("records"):
            out.loc[row["construct_2"], row["construct_1"]] = row[which]
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def text(self) -> str:
        """Return one sentence on the largest ratio."""
        top = self.table().iloc[0]
        if self.n_boot == 0:
            return _("The largest HTMT is {value:.2f} ({a} with {b}; n = {n}).").format(
                value=top["htmt"], a=top["construct_1"], b=top["construct_2"], n=self.n_used
            )
        return _(
            "The largest HTMT is {value:.2f} ({a} with {b}; {level:.0%} percentile interval "
            "{low:.2f} to {high:.2f}, {boot} draws, n = {n})."
        ).format(
            value=top["htmt"],
            a=top["construct_1"],
            b=top["construct_2"],
            level=self.level,
            low=top["htmt_low"],
            high=top["htmt_high"],
            boot=self.n_boot,
            n=self.n_used,
        )

    def checks(self) -> tuple[CheckResult, ...]:
        """Hold the largest ratio, and its upper bound, against the cut-offs."""
        top = self.table().iloc[0]
        pair = f"{top['construct_1']} – {top['construct_2']}"
        out = [_ratio_check(name, pair, float(top["htmt"])) for name in ("htmt_strict", "htmt")]
        if self.n_boot:
            upper = float(self.pairs["htmt_high"].max())
            out.append(
                CheckResult(
                    name=_("All HTMT intervals below 1"),
                    passed=upper < 1,
                    value=upper,
                    threshold=1.0,
                    source=THRESHOLDS["htmt"].source,
                    text=_("The largest upper bound of an interval is {value:.2f}.").format(
                        value=upper
                    ),
                )
            )
        return tuple(out)


def _ratio_check(name: str, pair: str, value: float) -> CheckResult:
    """Hold one ratio against one cut-off."""
    rule = THRESHOLDS[name]
    return CheckResult(
        name=_("HTMT below {cut:.2f}").format(cut=rule.value),
        passed=rule.holds(value),
        value=value,
        threshold=rule.value,
        source=rule.source,
        text=_("The largest HTMT is {value:.2f} ({pair}); the cut-off is {cut:.2f}.").format(
            value=value, pair=pair, cut=rule.value
        ),
    )


def fornell_larcker(ave: Mapping[str, float], correlations: pd.DataFrame) -> pd.DataFrame:
    """Return the Fornell-Larcker table: root AVE on the diagonal, correlations below it.

    Parameters
    ----------
    ave : mapping
        Average variance extracted of each construct.
    correlations : DataFrame, shape (k, k)
        Correlations among the constructs, of the latents or of scale scores; say which. Those of
        scale scores are attenuated, so the table is then too kind.

    Returns
    -------
    DataFrame
        ``construct``, one column a construct (blank above the diagonal), ``largest_r`` (the
        largest size of a correlation with another construct) and ``met`` (root AVE above it).

    References
    ----------
    Fornell & Larcker (1981), doi:10.1177/002224378101800104.
    """
    names = list(ave)
    unknown = [name for name in names if name not in correlations.columns]
    if unknown or len(names) < 2:
        raise DataContractError(
            f"fornell_larcker: ave= names {listing(names)}; at least two are needed, all among the "
            f"correlations ({listing(correlations.columns)}). Missing there: {listing(unknown)}."
        )
    matrix = correlations.loc[names, names].to_numpy(dtype=float)
    roots = np.sqrt([float(ave[name]) for name in names])
    shown = np.where(np.tri(len(names), k=-1, dtype=bool), matrix, np.nan)
    shown[np.diag_indices(len(names))] = roots
    largest = np.abs(matrix - np.diag(np.diag(matrix))).max(axis=0)
    out = pd.DataFrame(shown, columns=names)
    out.insert(0, "construct", names)
    return out.assign(largest_r=largest, met=roots > largest)


def htmt_ratios(
    corr: ArrayLike, blocks: Sequence[Sequence[int]], *, geometric: bool = False
) -> Array:
    """Return HTMT of every pair of blocks from item correlations; batched over leading axes.

    ``mean |r_ij between| / sqrt(mean |r within a| * mean |r within b|)``; with ``geometric`` all
    means are geometric (HTMT2).

    Parameters
    ----------
    corr : array_like, shape (..., p, p)
    blocks : sequence of index sequences
        Positions of each construct's items, at least two.

    Returns
    -------
    ndarray, shape (..., n_pairs)
        Pairs in the order (0, 1), (0, 2), ..., (1, 2), ...

    Notes
    -----
    Absolute correlations, as in R semTools ``htmt()``, against which it is checked. Henseler,
    Ringle & Sarstedt (2015), doi:10.1007/s11747-014-0403-8. HTMT2: Roemer, Schuberth & Henseler
    (2021), doi:10.1108/IMDS-02-2021-0082.
    """
    matrix = np.asarray(corr, dtype=float)
    rows, columns = np.triu_indices(matrix.shape[-1], 1)
    return _ratios(
        np.abs(matrix[..., rows, columns]), _averages(blocks, matrix.shape[-1]), geometric
    )


def _averages(blocks: Sequence[Sequence[int]], p: int) -> tuple[Array, Array, Array, Array]:
    """Return weights that average item pairs within blocks and between them, and the pairs."""
    owner = np.full(p, -1)
    for number, block in enumerate(blocks):
        owner[list(block)] = number
    rows, columns = np.triu_indices(p, 1)
    low = np.minimum(owner[rows], owner[columns])
    high = np.maximum(owner[rows], owner[columns])
    first, second = np.triu_indices(len(blocks), 1)
    within = np.array([(low == k) & (high == k) for k in range(len(blocks))], dtype=float)
    between = np.array([(low == a) & (high == b) for a, b in zip(first, second)], dtype=float)
    within /= within.sum(axis=1, keepdims=True)
    between /= between.sum(axis=1, keepdims=True)
    return within, between, first, second


def _ratios(sizes: Array, weights: tuple[Array, Array, Array, Array], geometric: bool) -> Array:
    """Return the ratios from absolute correlations, shape (..., pairs of items)."""
    within, between, first, second = weights
    average = _geometric_means if geometric else _means
    inner, outer = average(sizes, within), average(sizes, between)
    with np.errstate(divide="ignore", invalid="ignore"):
        return outer / np.sqrt(inner[..., first] * inner[..., second])


def _means(sizes: Array, weights: Array) -> Array:
    """Return weighted means over the last axis, one for each row of weights."""
    return sizes @ weights.T


def _geometric_means(sizes: Array, weights: Array) -> Array:
    """Return weighted geometric means: 0 where a size that counts is 0."""
    zero = sizes == 0
    means = np.exp(np.log(np.where(zero, 1.0, sizes)) @ weights.T)
    return np.where(zero.astype(float) @ weights.T > 0, 0.0, means)


@remembered
def estimate_htmt(
    items: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    *,
    n_boot: int = 5000,
    seed: int = 0,
    level: float = LEVEL,
) -> HtmtResult:
    """Estimate HTMT and HTMT2 of every pair of constructs, with percentile intervals.

    Parameters
    ----------
    items : DataFrame
        Numeric items, turned the same way. Rows with a blank in any item used are dropped and
        counted.
    scales : mapping
        Construct code to its items. Constructs with one item are left out and named.
    n_boot : int
        Bootstrap draws of whole rows; 0 gives no intervals.
    seed : int
        Given to ``numpy.random.default_rng``.

    Raises
    ------
    DataContractError
        Fewer than two constructs with two items, or columns that are missing or never vary.
    """
    check_level(level, "estimate_htmt")
    used = {code: list(names) for code, names in scales.items() if len(names) > 1}
    if len(used) < 2:
        raise DataContractError(
            f"estimate_htmt: scales= has {len(used)} construct(s) with at least two items; two are "
            "needed. Check the constructs in items.csv."
        )
    columns = [name for names in used.values() for name in names]
    missing = [name for name in columns if name not in items.columns]
    if missing or len(set(columns)) < len(columns):
        raise DataContractError(
            f"estimate_htmt: scales= names items that are missing ({listing(missing)}) or belong "
            "to two constructs; each item must be a column of items= and have one construct."
        )
    values, dropped = complete_rows(items[columns], function="estimate_htmt")
    ends = np.cumsum([0] + [len(names) for names in used.values()])
    blocks = [range(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    weights = _averages(blocks, len(columns))
    upper = np.triu_indices(len(columns), 1)
    sizes = np.abs(np.corrcoef(values.T)[upper])
    codes = list(used)
    table = pd.DataFrame(
        {
            "construct_1": [codes[a] for a in weights[2]],
            "construct_2": [codes[b] for b in weights[3]],
            "htmt": _ratios(sizes, weights, False),
            "htmt2": _ratios(sizes, weights, True),
        }
    )
    failed = 0
    if n_boot:
        draws = _ratios_of_draws(values, weights, n_boot, seed)
        failed = int(sum(~np.isfinite(np.concatenate(draws, axis=1)).all(axis=1)))
        for name, ratios in zip(("htmt", "htmt2"), draws, strict=True):
            finite = np.where(np.isfinite(ratios), ratios, np.nan)
            limits = np.nanquantile(finite, [(1 - level) / 2, (1 + level) / 2], axis=0)
            table[f"{name}_low"], table[f"{name}_high"] = limits
    return HtmtResult(
        pairs=table,
        left_out=tuple(code for code in scales if code not in used),
        n_used=len(values),
        n_dropped=dropped,
        n_boot=n_boot,
        n_failed=failed,
        seed=seed if n_boot else None,
        level=level,
        method="HTMT and HTMT2 from Pearson item correlations; percentile bootstrap; listwise",
    )


def _ratios_of_draws(
    values: Array, weights: tuple[Array, Array, Array, Array], n_boot: int, seed: int
) -> tuple[Array, Array]:
    """Return HTMT and HTMT2 of every bootstrap draw.

    A draw is a vector of counts, so that the moments of all draws are one matrix product.
    """
    n, p = values.shape
    rng = np.random.default_rng(seed)
    centred = (values - values.mean(axis=0)) / values.std(axis=0)
    rows, columns = np.triu_indices(p)
    products = np.hstack([centred, centred[:, rows] * centred[:, columns]])
    diagonal, above = rows == columns, rows != columns
    parts = []
    for counts in resampled_counts(n, n_boot, rng):
        moments = counts @ products / n
        means, second = moments[:, :p], moments[:, p:]
        cov = second - means[:, rows] * means[:, columns]
        sds = np.sqrt(varying(cov[:, diagonal], np.ones(p)))
        with np.errstate(divide="ignore", invalid="ignore"):
            sizes = np.abs(cov[:, above] / (sds[:, rows[above]] * sds[:, columns[above]]))
            parts.append((_ratios(sizes, weights, False), _ratios(sizes, weights, True)))
    arithmetic, geometric = (np.concatenate(kind) for kind in zip(*parts, strict=True))
    return arithmetic, geometric
