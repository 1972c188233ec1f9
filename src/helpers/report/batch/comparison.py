"""The page that sets the key numbers of all reports side by side."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers.i18n import _
from helpers.report.batch.compare import differences
from helpers.report.page import plain_svg
from helpers.tables.numbers import format_interval, format_number

MOST_DRAWN = 60
"""Reports in one forest plot; the table holds all."""

Line = Mapping[str, Any]


def comparison_body(lines: Sequence[Line], labels: Mapping[str, str]) -> str:
    """Return a forest plot for each key number, and the table of differences.

    Parameters
    ----------
    lines : sequence of mapping
        Lines of the journal, of one language, in the order of the configuration.
    labels : mapping
        Report -> what it is, in words.
    """
    table = differences(lines)
    parts = [f"<p>{html.escape(_introduction())}</p>"]
    for number, (id, rows) in enumerate(table.groupby("id", sort=False), start=1):
        label = rows["label"].iloc[0]
        parts.append(f"<h2>{html.escape(label)}</h2>")
        parts.append(_figure(rows, labels, number=number, label=label))
        parts.append(_table(rows, labels, number=number, label=label, id=str(id)))
    return "".join(parts)


def _introduction() -> str:
    """Return what the page shows and what it cannot show."""
    return _(
        "Each key number, report by report, with its interval, and its difference from a reference "
        "report. An interval of the difference (MOVER, Zou & Donner 2008) is given only where no "
        "respondent is in both reports; it is not adjusted for the number of comparisons. A "
        "difference between groups says something about the groups only if the scales measure "
        "them alike: see notebook 62."
    )


def _figure(rows: pd.DataFrame, labels: Mapping[str, str], *, number: int, label: str) -> str:
    """Return the forest plot of one key number."""
    import matplotlib.pyplot as plt

    from helpers.plots import attached_alt_text, house_style, plot_forest

    drawn = rows.head(MOST_DRAWN)
    data = pd.DataFrame(
        {"label": drawn["report"].map(labels), "estimate": drawn["value"], "ci_low": drawn["low"],
         "ci_high": drawn["high"]}
    )  # fmt: skip
    with house_style():
        axes = plot_forest(data.astype({"ci_low": float, "ci_high": float}), xlabel=label)
        buffer = io.BytesIO()
        axes.figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
        alt = attached_alt_text(axes)
        plt.close(axes.figure)
    svg = plain_svg(buffer.getvalue().decode("utf-8")).encode("utf-8")
    source = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}"
    caption = _("Figure {n}.").format(n=number)
    text = _("{label}: estimates with their intervals, {n} of {total} reports.").format(
        label=label, n=len(drawn), total=len(rows)
    )
    return (
        f'<figure><img src="{source}" alt="{html.escape(alt)}"><figcaption>'
        f'<span class="label">{html.escape(caption)}</span> {html.escape(text)}'
        "</figcaption></figure>"
    )


def _table(
    rows: pd.DataFrame, labels: Mapping[str, str], *, number: int, label: str, id: str
) -> str:
    """Return the table of one key number and its differences."""
    heads = (_("Report"), _("Estimate"), _("Interval"), _("Reference"), _("Difference"),
             _("Interval of the difference"))  # fmt: skip
    head = "".join(f'<th scope="col">{html.escape(word)}</th>' for word in heads)
    body = "".join(_table_row(row, labels) for row in rows.to_dict(orient="records"))
    caption = _("{label} ({id}) across the batch.").format(label=label, id=id)
    name = _("Table {n}.").format(n=number)
    return (
        f'<div class="wide" tabindex="0"><table><caption><span class="label">{html.escape(name)}'
        f"</span> {html.escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _table_row(row: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Return one report's row."""
    reference = labels.get(row["reference"], "")
    cells = [
        format_number(row["value"]), format_interval(row["low"], row["high"]), reference,
        format_number(row["difference"]),
        format_interval(row["difference_low"], row["difference_high"]),
    ]  # fmt: skip
    first = f'<th scope="row">{html.escape(labels[row["report"]])}</th>'
    return f"<tr>{first}{''.join(f'<td>{html.escape(c)}</td>' for c in cells)}</tr>"
