"""The reliability rho_A of construct scores weighted by partial least squares, mode A."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from helpers.errors import DataContractError, EstimationError, check_level, listing
from helpers.measurement.moment_draws import (
    correlation_of_draw,
    covariance_draws,
    percentile_interval,
)
from helpers.measurement.rows import complete_rows
from helpers.memo import remembered
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

STEPS, TOLERANCE = 500, 1e-10


@dataclass(frozen=True, slots=True)
class RhoA:
    """rho_A of every construct, with percentile intervals.

    Attributes
    ----------
    rows : DataFrame
        One row a construct of two items and more: construct, rho_a, rho_a_low, rho_a_high.
    n_used, n_dropped, n_boot, n_failed, seed : int
    level : float
    method : str
    """

    rows: pd.DataFrame
    n_used: int
    n_dropped: int
    n_boot: int
    n_failed: int
    seed: int
    level: float
    method: str = "PLS mode A, factorial inner weights; percentile bootstrap; listwise"

    def table(self) -> pd.DataFrame:
        """Return one row a construct."""
        return self.rows

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def pls_weights(corr: ArrayLike, blocks: Sequence[Sequence[int]], links: ArrayLike) -> Array:
    """Return outer weights of PLS mode A with factorial inner weights, (p, k).

    In turn: scores ``y = X w`` of variance 1; inner proxies, the sums of the neighbours' scores
    weighted by their correlations; weights, the correlations of a block's items with its proxy.

    Parameters
    ----------
    corr : array_like, shape (p, p)
    blocks : sequence of index sequences
    links : array_like, shape (k, k)
        1 where two constructs are neighbours in the model, symmetric.
    """
    matrix, near = np.asarray(corr, dtype=float), np.asarray(links, dtype=float)
    mask = np.zeros((len(matrix), len(blocks)))
    for j, block in enumerate(blocks):
        mask[list(block), j] = 1.0
    weights = _unit(mask, matrix)
    for _step in range(STEPS):
        inner = (weights.T @ matrix @ weights) * near
        new = _unit((matrix @ weights @ inner) * mask, matrix)
        new = new * np.where(new.sum(axis=0) < 0, -1.0, 1.0)
        if np.max(np.abs(new - weights)) < TOLERANCE:
            return new
        weights = new
    raise EstimationError(
        f"pls_weights: corr= gave weights that still move after {STEPS} steps; a fixed point is "
        "needed. Look for a construct that is unrelated to its neighbours."
    )


def _unit(weights: Array, matrix: Array) -> Array:
    """Scale weights so that every score has variance 1."""
    return weights / np.sqrt(np.sum(weights * (matrix @ weights), axis=0))


def rho_a_values(corr: ArrayLike, blocks: Sequence[Sequence[int]], links: ArrayLike) -> Array:
    """Return rho_A of every block: 1 for a single item.

    ``(w'w)^2 * w'(S - diag S) w / w'(ww' - diag(ww')) w`` with the block's correlations S and
    weights w of variance-1 scores.
    """
    matrix = np.asarray(corr, dtype=float)
    weights = pls_weights(matrix, blocks, links)
    out = np.ones(len(blocks))
    for j, block in enumerate(blocks):
        if len(block) < 2:
            continue
        w, own = weights[list(block), j], matrix[np.ix_(block, block)]
        size = float(w @ w)
        above = w @ (own - np.diag(np.diag(own))) @ w
        out[j] = size**2 * above / (size**2 - np.sum(w**4))
    return out


@remembered
def estimate_rho_a(
    items: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    *,
    links: Sequence[tuple[str, str]] | None = None,
    n_boot: int = 500,
    seed: int = 0,
    level: float = LEVEL,
) -> RhoA:
    """Estimate rho_A of every construct of a model.

    Parameters
    ----------
    items : DataFrame
        Numeric, turned the same way; rows with a blank in any item are dropped and counted.
    scales : mapping
        Construct -> items; at least two constructs, because weights come from the neighbours.
    links : sequence of pairs, optional
        Neighbours in the model; by default every construct is linked with every other.
    n_boot, seed : int

    Notes
    -----
    Depends on the model through the weights, unlike alpha and omega. Checked against the formulas
    of the paper in R (tests/reference/reliability.R). Dijkstra & Henseler (2015),
    doi:10.25300/MISQ/2015/39.2.02.
    """
    check_level(level, "estimate_rho_a")
    names = list(scales)
    if len(names) < 2:
        raise DataContractError(
            f"estimate_rho_a: scales= has {listing(names)}; at least two constructs are needed, "
            "because the weights come from the others. Give the whole model."
        )
    columns = [item for name in names for item in scales[name]]
    values, dropped = complete_rows(items[columns], function="estimate_rho_a")
    ends = np.cumsum([0] + [len(scales[name]) for name in names])
    blocks = [list(range(a, b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    near = np.ones((len(names), len(names))) - np.eye(len(names))
    if links is not None:
        near = _neighbours(names, links)
    found = rho_a_values(np.corrcoef(values.T), blocks, near)
    drawn = []
    for batch in covariance_draws(values, n_boot=n_boot, seed=seed):
        for cov in batch:
            try:
                drawn.append(rho_a_values(correlation_of_draw(cov), blocks, near))
            except EstimationError:  # counted as failed by its blanks
                drawn.append(np.full(len(names), np.nan))
    table = np.array(drawn).reshape(-1, len(names))
    rows = [
        {"construct": name, "rho_a": float(found[j]),
         **dict(zip(("rho_a_low", "rho_a_high"), percentile_interval(table[:, j], level)[:2]))}
        for j, name in enumerate(names) if len(scales[name]) > 1
    ]  # fmt: skip
    failed = int(np.sum(~np.isfinite(table).all(axis=1)))
    return RhoA(pd.DataFrame(rows), len(values), dropped, n_boot, failed, seed, level)


def _neighbours(names: Sequence[str], links: Sequence[tuple[str, str]]) -> Array:
    """Return the symmetric matrix of links."""
    near = np.zeros((len(names), len(names)))
    for a, b in links:
        i, j = names.index(a), names.index(b)
        near[i, j] = near[j, i] = 1.0
    return near
