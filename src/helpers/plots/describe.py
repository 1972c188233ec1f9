"""Alternative texts: what a picture shows, in sentences with its main numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from helpers.i18n import _
from helpers.tables.numbers import format_interval, format_number
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.plots.diagram.graph import Graph

MOST_ROWS = 12


def _joined(parts: list[str]) -> str:
    """Join readings; a long list is cut and the rest counted."""
    text = _("; ").join(parts[:MOST_ROWS])
    if len(parts) > MOST_ROWS:
        text += _("; and {n} more").format(n=len(parts) - MOST_ROWS)
    return text


def _reading(name: object, value: float, low: float, high: float) -> str:
    """Return ``name 0.31 [0.12, 0.45]``."""
    return f"{name} {format_number(value)} {format_interval(low, high)}"


def forest(data: pd.DataFrame, *, level: float = LEVEL) -> str:
    """Describe a coefficient plot."""
    parts = [
        _reading(row.label, row.estimate, row.ci_low, row.ci_high)
        for row in data.itertuples(index=False)
    ]
    return _("Coefficient plot of {n} estimates with {percent:g}% intervals: {readings}.").format(
        n=len(data), percent=100 * level, readings=_joined(parts)
    )


def group_means(data: pd.DataFrame, *, series: str | None = None, level: float = LEVEL) -> str:
    """Describe a plot of group means."""
    parts = []
    for row in data.to_dict("records"):
        name = row["group"] if series is None else f"{row['group']}, {row[series]}"
        parts.append(_reading(name, row["mean"], row["ci_low"], row["ci_high"]))
    return _("Means with {percent:g}% intervals: {readings}.").format(
        percent=100 * level, readings=_joined(parts)
    )


def path_diagram(graph: Graph, labels: Mapping[str, str]) -> str:
    """Describe a path diagram: its constructs, each weight, and the explained variances."""

    def name(node: str) -> str:
        return " ".join(str(labels.get(node, node)).split())

    paths = [
        _("{tail} to {head} {weight}{sign}").format(
            tail=name(edge.tail), head=name(edge.head), weight=edge.text,
            sign=_(" (not significant)") if edge.significant is False else "",
        )
        for edge in graph.of_kind("path", "factor")
    ]  # fmt: skip
    shares = [f"{name(node)} {format_number(r2, bounded=True)}" for node, r2 in graph.r2.items()]
    text = _("Path diagram of {n} constructs. Standardised weights: {paths}.").format(
        n=len(graph.latents), paths=_joined(paths)
    )
    if shares:
        text += " " + _("Explained variance: {shares}.").format(shares=_joined(shares))
    return text
