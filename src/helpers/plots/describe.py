"""Alternative texts: what a picture shows, in sentences with its main numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import check_level
from helpers.i18n import _
from helpers.tables.numbers import (
    format_integer,
    format_interval,
    format_number,
    format_percent,
    is_missing,
)
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


def forest(data: pd.DataFrame, *, group: str | None = None, level: float = LEVEL) -> str:
    """Describe a coefficient plot; a label that groups share is followed by the group."""
    check_level(level, "forest")
    shared = data["label"].astype(str).duplicated(keep=False)
    parts = []
    for row, both in zip(data.to_dict("records"), shared, strict=True):
        name = row["label"] if group is None or not both else f"{row['label']}, {row[group]}"
        parts.append(_reading(name, row["estimate"], row["ci_low"], row["ci_high"]))
    return _("Coefficient plot of {n} estimates with {percent:g}% intervals: {readings}.").format(
        n=len(data), percent=100 * level, readings=_joined(parts)
    )


def group_means(data: pd.DataFrame, *, series: str | None = None, level: float = LEVEL) -> str:
    """Describe a plot of group means."""
    check_level(level, "group_means")
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
    text = _("Path diagram of {n} constructs.").format(n=len(graph.latents))
    if paths:
        text += " " + _("Standardised weights: {paths}.").format(paths=_joined(paths))
    correlated = graph.of_kind("covariance")
    if correlated:
        text += " " + _("Correlations: {pairs}.").format(
            pairs=_joined([_pair_text((e.tail, e.head, e.weight), labels) for e in correlated])
        )
    if shares:
        text += " " + _("Explained variance: {shares}.").format(shares=_joined(shares))
    return text


def likert(wide: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Describe stacked shares: per item, the share of the upper two answers."""
    parts = [
        f"{labels.get(item, item)} {format_number(100 * shares.dropna().iloc[-2:].sum(), 0)}%"
        for item, shares in wide.iterrows()
    ]
    if wide.isna().to_numpy().any():
        text = _(
            "Stacked bars of answers, each item on its own scale. Share of the two highest "
            "answers: {readings}."
        )
        return text.format(readings=_joined(parts))
    return _(
        "Stacked bars of answers on a scale of {k} steps. Share of the two highest answers: "
        "{readings}."
    ).format(k=wide.shape[1], readings=_joined(parts))


def counts(data: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Describe bars of counts."""
    shares = "share" in data.columns
    parts = []
    for row in data.to_dict("records"):
        text = f"{labels.get(row['category'], row['category'])} {format_integer(row['n'])}"
        parts.append(text + (f" ({format_percent(row['share'])})" if shares else ""))
    return _("Bars of {k} categories: {readings}.").format(k=len(data), readings=_joined(parts))


def flow(data: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Describe the flow of exclusions."""
    parts = [
        f"{labels.get(row.rule, row.rule)} {format_integer(row.n_hit)}"
        for row in data.itertuples(index=False)
        if row.n_hit > 0
    ]
    return _("Flow of exclusions: {first} received; excluded: {readings}; {last} analysed.").format(
        first=format_integer(data["n_before"].iloc[0]),
        readings=_joined(parts) or _("nobody"),
        last=format_integer(data["n_after"].iloc[-1]),
    )


def missing(blank: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Describe missing answers: complete rows and the items with most blanks."""
    share = blank.mean().sort_values(ascending=False)
    worst = share[share > 0].head(5)
    parts = [f"{labels.get(item, item)} {format_percent(value)}" for item, value in worst.items()]
    return _(
        "Patterns of missing answers; complete rows: {complete} of {n}; most often "
        "missing: {readings}."
    ).format(
        complete=format_integer((~blank.any(axis=1)).sum()),
        n=format_integer(len(blank)),
        readings=_joined(parts),
    )


def _pairs(data: pd.DataFrame) -> list[tuple[str, str, float]]:
    """Return the pairs below the diagonal with their values."""
    names = list(data.columns)
    return [
        (names[i], names[j], float(data.iloc[i, j]))
        for i in range(len(names))
        for j in range(i)
        if not is_missing(data.iloc[i, j])
    ]


def _pair_text(pair: tuple[str, str, float], labels: Mapping[str, str]) -> str:
    """Return ``A and B .45``."""
    return _("{one} and {other} {value}").format(
        one=labels.get(pair[0], pair[0]),
        other=labels.get(pair[1], pair[1]),
        value=format_number(pair[2], bounded=True),
    )


def correlations(data: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Describe a correlation matrix: its highest and lowest value."""
    pairs = sorted(_pairs(data), key=lambda pair: pair[2])
    if not pairs:
        return _("Correlation matrix of {k} variables.").format(k=len(data))
    return _("Correlation matrix of {k} variables. Lowest: {lowest}. Highest: {highest}.").format(
        k=len(data), lowest=_pair_text(pairs[0], labels), highest=_pair_text(pairs[-1], labels)
    )


def residuals(data: pd.DataFrame, labels: Mapping[str, str], *, cut: float) -> str:
    """Describe residuals: how many are large, and the largest."""
    pairs = sorted(_pairs(data), key=lambda pair: -abs(pair[2]))
    large = sum(abs(pair[2]) > cut for pair in pairs)
    return _(
        "Residual matrix of {k} variables: {large} of {all} residuals exceed {cut} in size; "
        "largest: {readings}."
    ).format(
        k=len(data),
        large=large,
        all=len(pairs),
        cut=format_number(cut),
        readings=_joined([_pair_text(pair, labels) for pair in pairs[:3]]),
    )


def loadings(data: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Describe loadings: range, and the weakest item."""
    strongest = data.loc[
        data.groupby("item", sort=False)["loading"].apply(lambda own: own.abs().idxmax())
    ]
    weakest = strongest.loc[strongest["loading"].abs().idxmin()]
    return _(
        "Loadings of {k} items; main loadings from {low} to {high} in size, the weakest {item}."
    ).format(
        k=len(strongest),
        low=format_number(strongest["loading"].abs().min(), bounded=True),
        high=format_number(strongest["loading"].abs().max(), bounded=True),
        item=labels.get(weakest["item"], weakest["item"]),
    )


def factors_kept(data: pd.DataFrame) -> int:
    """Return how many eigenvalues in a row exceed those of random data."""
    above = (data["eigenvalue"] > data["random_eigenvalue"]).tolist()
    return above.index(False) if False in above else len(above)


def scree(data: pd.DataFrame) -> str:
    """Describe a scree plot."""
    values = [format_number(value) for value in data["eigenvalue"].head(6)]
    return _("Scree plot: eigenvalues {values}; {kept} exceed those of random data.").format(
        values=_joined(values), kept=factors_kept(data)
    )


def interaction(data: pd.DataFrame, *, level: float = LEVEL) -> str:
    """Describe simple slopes: each line's value at both ends."""
    check_level(level, "interaction")
    parts = []
    for name, rows in data.groupby("moderator", sort=False):
        ends = rows.sort_values("x").iloc[[0, -1]]
        parts.append(
            _("{name} from {first} to {last}").format(
                name=name,
                first=format_number(ends["estimate"].iloc[0]),
                last=format_number(ends["estimate"].iloc[1]),
            )
        )
    return _("Predicted outcome along the predictor with {percent:g}% bands: {readings}.").format(
        percent=100 * level, readings=_joined(parts)
    )


def dose_response(means: pd.DataFrame, xlabel: str, ylabel: str, n: int) -> str:
    """Describe binned means."""
    parts = [
        f"{format_number(row.x, 1)}: {format_number(row.mean)}"
        for row in means.itertuples(index=False)
    ]
    return _("{ylabel} by {xlabel}, n = {n}. Means of bins: {readings}.").format(
        ylabel=ylabel, xlabel=xlabel, n=format_integer(n), readings=_joined(parts)
    )


def invariance(data: pd.DataFrame) -> str:
    """Describe the ladder of invariance."""
    parts = [
        f"{row.step} {format_number(row.cfi, 3, bounded=True)}"
        for row in data.itertuples(index=False)
    ]
    return _("CFI of each step of invariance: {readings}.").format(readings=_joined(parts))
