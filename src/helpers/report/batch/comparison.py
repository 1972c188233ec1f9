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
from helpers.report.page import Numbering, numbered, plain_svg, unbroken
from helpers.tables import ApaTable, apa_table
from helpers.tables.labels import column_label
from helpers.tables.numbers import format_interval

MOST_DRAWN = 60
"""Reports in one forest plot; the table holds all."""

Line = Mapping[str, Any]


def comparison_body(lines: Sequence[Line], labels: Mapping[str, str], *, simulated: bool) -> str:
    """Return a forest plot for each key number, and the table of differences.

    Parameters
    ----------
    lines : sequence of mapping
        Lines of the journal, of one language, in the order of the configuration; reports without
        a key number too, which are named below it.
    labels : mapping
        Report -> what it is, in words.
    simulated : bool
        Whether tables and figures must say so.
    """
    numbering = Numbering()
    parts = [f"<p>{html.escape(_introduction())}</p>"]
    for id, rows in differences(lines).groupby("id", sort=False):
        label = rows["label"].iloc[0]
        parts.append(f"<h2>{html.escape(label)}</h2>")
        drawn = _figure(rows, labels, numbering, label=label, total=len(lines), simulated=simulated)
        table = _table(rows, labels, label=label, id=str(id), simulated=simulated)
        parts += [drawn, numbered(unbroken(table.html()), numbering), _absent(rows, lines, labels)]
    return "".join(parts)


def _absent(rows: pd.DataFrame, lines: Sequence[Line], labels: Mapping[str, str]) -> str:
    """Return which reports lack a key number; nothing if none does."""
    names = [line["report"] for line in lines]
    lacking = [labels[name] for name in names if name not in set(rows["report"])]
    if not lacking:
        return ""
    text = _("Without this number, because its notebook failed or does not apply: {reports}.")
    return f'<p class="table-note">{html.escape(text.format(reports=_(", ").join(lacking)))}</p>'


def _introduction() -> str:
    """Return what the page shows and what it cannot show."""
    return _(
        "Each key number, report by report, with the interval that its notebook gives (95%, unless "
        "the notebook names another level), and its difference from a reference report: the first "
        "of other respondents with the same parameters, or else the first of all. An interval of "
        "the difference (MOVER, Zou & Donner 2008) is given only where no "
        "respondent is in both reports; it is not adjusted for the number of comparisons. A "
        "difference between groups says something about the groups only if the scales measure "
        "them alike: see notebook 62."
    )


def _figure(
    rows: pd.DataFrame,
    labels: Mapping[str, str],
    numbering: Numbering,
    *,
    label: str,
    total: int,
    simulated: bool,
) -> str:
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
    caption = numbering.figure()
    text = _("{label}: estimates with their intervals, {n} of {total} reports.").format(
        label=label, n=len(drawn), total=total
    )
    text += f" [{_('SIMULATED')}]" if simulated else ""
    return (
        f'<figure><img src="{source}" alt="{html.escape(alt)}"><figcaption>'
        f'<span class="label">{html.escape(caption)}</span> {html.escape(text)}'
        "</figcaption></figure>"
    )


def _table(
    rows: pd.DataFrame, labels: Mapping[str, str], *, label: str, id: str, simulated: bool
) -> ApaTable:
    """Return the table of one key number and its differences."""
    shown = pd.DataFrame(
        {
            "report": rows["report"].map(labels),
            "n": rows["n"],
            "value": rows["value"],
            "interval": _intervals(rows, "low", "high"),
            "reference": rows["reference"].map(lambda name: labels.get(name, "")),
            "difference": rows["difference"],
            "of_difference": _intervals(rows, "difference_low", "difference_high"),
        }
    )
    columns = {
        "report": _("Report"), "n": column_label("n"), "value": _("Estimate"),
        "interval": _("Interval"), "reference": _("Reference"), "difference": _("Difference"),
        "of_difference": _("Interval of the difference"),
    }  # fmt: skip
    caption = _("{label} ({id}) across the batch.").format(label=label, id=id)
    why = _("there is no reference, the two share respondents, or a value was not given")
    return apa_table(
        shown, caption=caption, columns=columns, missing_reason=why, simulated=simulated
    )


def _intervals(rows: pd.DataFrame, low: str, high: str) -> list[str]:
    """Return intervals as text."""
    return [format_interval(a, b) for a, b in zip(rows[low], rows[high])]
