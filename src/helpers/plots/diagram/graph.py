"""The picture's nodes and edges, read from a table of estimates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, ModelSpecError, listing, nearest
from helpers.tables.numbers import format_number, is_missing
from helpers.thresholds import LEVEL

NEEDED = ("lhs", "op", "rhs")


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow.

    ``kind`` is ``"path"`` (regression), ``"factor"`` (latent to latent loading), ``"loading"``
    (latent to indicator) or ``"covariance"`` (two-headed). ``significant`` is None where
    nothing was tested (a fixed loading).
    """

    tail: str
    head: str
    kind: str
    weight: float
    significant: bool | None

    @property
    def text(self) -> str:
        """The weight as printed on the plate; blank if there is none."""
        return "" if is_missing(self.weight) else format_number(self.weight, bounded=True)


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and edges of a diagram.

    Attributes
    ----------
    latents, observed : tuple of str
        Ellipses, and rectangles that take part in regressions, in order of appearance.
    indicators : dict
        Latent to the names of its indicators, only if they are shown.
    edges : tuple of Edge
    r2 : dict
        Explained variance of the endogenous nodes.
    """

    latents: tuple[str, ...]
    observed: tuple[str, ...]
    indicators: dict[str, tuple[str, ...]]
    edges: tuple[Edge, ...]
    r2: dict[str, float]

    @property
    def nodes(self) -> tuple[str, ...]:
        """Latents and observed variables, without indicators."""
        return self.latents + self.observed

    def of_kind(self, *kinds: str) -> list[Edge]:
        """Return the edges of these kinds."""
        return [edge for edge in self.edges if edge.kind in kinds]


def read_graph(
    estimates: pd.DataFrame,
    *,
    latents: Iterable[str],
    weight: str = "std_all",
    show_indicators: bool = False,
    show_covariances: bool = True,
    omit: Sequence[str] = (),
    r2: Mapping[str, float] | None = None,
) -> Graph:
    """Read nodes and edges from rows ``lhs op rhs`` with standardised weights.

    Variances give R² (one minus the standardised residual variance); intercepts, thresholds and
    defined parameters are not drawn. Covariances are drawn between nodes, never between
    indicators.
    """
    names = tuple(latents)
    _check(estimates, names, weight)
    rows = estimates[~(estimates["lhs"].isin(omit) | estimates["rhs"].isin(omit))]
    regressions = rows[rows["op"] == "~"]
    taking_part = dict.fromkeys([*regressions["rhs"], *regressions["lhs"]])
    observed = tuple(name for name in taking_part if name not in names)
    nodes = set(names) | set(observed)
    edges = [_edge(row, nodes, set(names), weight) for row in rows.to_dict("records")]
    kept = [e for e in edges if e is not None and (show_covariances or e.kind != "covariance")]
    indicators = _indicators(rows, names) if show_indicators else {}
    if not show_indicators:
        kept = [edge for edge in kept if edge.kind != "loading"]
    shown = tuple(name for name in names if name not in omit)
    return Graph(shown, observed, indicators, tuple(kept), _r2(rows, kept, weight, r2))


def _check(estimates: pd.DataFrame, latents: Sequence[str], weight: str) -> None:
    """Stop on missing columns, several groups, or a latent without rows."""
    for column in (*NEEDED, weight):
        if column not in estimates.columns:
            raise DataContractError(
                f"plot_path_diagram: estimates= has the columns "
                f"{listing(estimates.columns, 20)}; '{column}' is needed."
                f"{nearest(column, estimates.columns)} Give the table of a fitted model."
            )
    if "group" in estimates.columns:
        groups = estimates.loc[estimates["op"].isin(("~", "=~")), "group"].dropna().unique()
        if len(groups) > 1:
            raise ModelSpecError(
                f"plot_path_diagram: estimates= holds the groups {listing(groups)}; one group "
                "is needed. Draw each group apart: estimates[estimates['group'] == 1]."
            )
    known = set(estimates["lhs"]) | set(estimates["rhs"])
    for name in latents:
        if name not in known:
            raise ModelSpecError(
                f"plot_path_diagram: latents= names '{name}', which no row has; the rows name "
                f"{listing(sorted(map(str, known)), 20)}.{nearest(name, known)} "
                "Name the latent variables of this model."
            )


def _edge(
    row: Mapping[str, object], nodes: set[str], latents: set[str], weight: str
) -> Edge | None:
    """Turn one row into an edge, or None if it is not drawn."""
    left, op, right = row["lhs"], row["op"], row["rhs"]
    value, significant = float(row[weight]), _significant(row)
    if op == "~":
        return Edge(right, left, "path", value, significant)
    if op == "=~":
        kind = "factor" if right in latents else "loading"
        return Edge(left, right, kind, value, significant)
    if op == "~~" and left != right and {left, right} <= nodes:
        # A covariance fixed to zero is the absence of an arrow.
        fixed_to_zero = row.get("est", value) == 0 and is_missing(row.get("p_value"))
        return None if fixed_to_zero else Edge(left, right, "covariance", value, significant)
    return None


def _significant(row: Mapping[str, object]) -> bool | None:
    """Judge by the p value, or by the interval where there is no p."""
    p = row.get("p_value")
    if not is_missing(p):
        return bool(p < 1 - LEVEL)
    low, high = row.get("ci_low"), row.get("ci_high")
    if is_missing(low) or is_missing(high) or low == high:
        return None
    return bool(low > 0 or high < 0)


def _indicators(rows: pd.DataFrame, latents: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the indicators of each latent that has any."""
    loadings = rows[(rows["op"] == "=~") & ~rows["rhs"].isin(latents)]
    found = {name: tuple(loadings.loc[loadings["lhs"] == name, "rhs"]) for name in latents}
    return {name: items for name, items in found.items() if items}


def _r2(
    rows: pd.DataFrame, edges: Sequence[Edge], weight: str, given: Mapping[str, float] | None
) -> dict[str, float]:
    """Return R² of every endogenous node, from the residual variances unless given."""
    if given is not None:
        return dict(given)
    heads = {edge.head for edge in edges if edge.kind == "path"}
    variances = rows[(rows["op"] == "~~") & (rows["lhs"] == rows["rhs"])]
    values = dict(zip(variances["lhs"], variances[weight].astype(float)))
    return {
        name: 1 - values[name] for name in heads if name in values and np.isfinite(values[name])
    }
