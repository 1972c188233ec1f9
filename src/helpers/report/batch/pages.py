"""The batch's own pages: the index that can be searched and sorted, and the comparison."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from helpers.i18n import _, in_language, pick
from helpers.report import manifest, pandoc
from helpers.report.batch.comparison import comparison_body
from helpers.report.batch.expand import Report
from helpers.report.batch.settings import Batch
from helpers.report.files import status_word
from helpers.report.folder import write_whole
from helpers.report.index import BATCH, runs_index, seconds_text
from helpers.report.page import Frame, framed
from helpers.survey.selection import parse_selection
from helpers.tables.numbers import format_estimate
from helpers.typeset import typeset

COMPARISON = "comparison.html"
MOST_COLUMNS = 4
"""Key numbers with a column of their own in the index; the comparison shows all."""

Line = Mapping[str, Any]


def write_pages(
    batch: Batch, reports: Sequence[Report], lines: Mapping[str, Line], left: Sequence[str]
) -> None:
    """Write ``batch.json``, the index and the comparison for what is there.

    Parameters
    ----------
    batch : Batch
    reports : sequence of Report
        All of them, in the order of the configuration.
    lines : mapping
        Report -> its line of the journal.
    left : sequence of str
        Reports that were not reached.
    """
    there = [lines[r.name] for r in reports if r.name in lines]
    whole = {
        "name": batch.name,
        "study": batch.spec.study,
        "settings": batch.spec.model_dump(mode="json", by_alias=True),
        "reports": there,
        "left": list(left),
    }
    write_whole(batch.folder / BATCH, manifest.as_json(whole))
    spoken = batch.spec.languages[0]
    with in_language(spoken):
        labels = {r.name: report_label(batch, r) for r in reports}
        title = pick(batch.study.spec.title.model_dump())
        alike = [line for line in there if line["language"] == spoken]
        comparable = sum(bool(line["numbers"]) for line in alike) > 1
        more = [(COMPARISON, _("Comparison"))] if comparable else []
        links = [("../index.html", _("All runs")), *more, (BATCH, _("All data"))]
        frame = Frame(title, batch.study.is_simulated, links, _provenance(batch, there))
        body = _index_body(batch, reports, lines, labels)
        script = (pandoc.ASSETS / "batch.js").read_text(encoding="utf-8")
        page = framed(_("Batch {name}").format(name=batch.name), body, frame, script=script)
        write_whole(batch.folder / "index.html", page)
        if more:
            back = [("index.html", _("All reports of the batch"))]
            frame = Frame(title, batch.study.is_simulated, back, _provenance(batch, there))
            names = {r.name: report_label(batch, r, with_language=False) for r in reports}
            body = comparison_body(alike, names, simulated=batch.study.is_simulated)
            page = framed(_("Comparison across the batch"), body, frame)
            write_whole(batch.folder / COMPARISON, page)
    runs_index(batch.folder.parent, language=spoken)


def report_label(batch: Batch, report: Report, *, with_language: bool = True) -> str:
    """Return in words what tells a report from the others: who, with which values, for whom.

    Parameters
    ----------
    batch : Batch
    report : Report
    with_language : bool
        False where all reports that are shown have one language.
    """
    selection, spec = report.request.selection, batch.spec
    told = {*batch.study.spec.groups, "period", "where", "language"}
    values = [f"{name} = {value}" for name, value in report.axes.items() if name not in told]
    if selection:
        who = [parse_selection(selection).words(batch.study)]
    else:
        parts = spec.groups or spec.periods or any("where" in row for row in spec.include)
        who = [_("everybody")] if parts or not values else []
    spoken = {"en": _("in English"), "zh": _("in Chinese")}[report.request.language]
    tail = [spoken] if with_language and "language" in report.axes else []
    return _("; ").join([*who, *values, *tail])


def _index_body(
    batch: Batch, reports: Sequence[Report], lines: Mapping[str, Line], labels: Mapping[str, str]
) -> str:
    """Return sums, the search and the table."""
    numbers = _columns(lines.values())
    heads = [_("Report"), _("Status"), _("Time"), *numbers.values()]
    head = "".join(
        f'<th scope="col"><button type="button">{html.escape(word)}</button></th>' for word in heads
    )
    rows = "".join(
        _row(report, lines.get(report.name), labels[report.name], numbers) for report in reports
    )
    return (
        f'<p class="summary">{_summary(reports, lines)}</p>{_tools()}'
        f'<div class="wide" tabindex="0"><table class="index batch"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _columns(lines: Any) -> dict[str, str]:
    """Return the key numbers that get a column, with their labels."""
    found: dict[str, str] = {}
    for line in lines:
        for number in line["numbers"]:
            found.setdefault(number["id"], number["label"])
    return dict(list(found.items())[:MOST_COLUMNS])


def _tools() -> str:
    """Return the search field and the choice of a status."""
    options = "".join(
        f'<option value="{status}">{html.escape(word)}</option>'
        for status, word in {"": _("all"), **_words()}.items()
    )
    return (
        f'<p class="tools"><label>{html.escape(_("Search"))} '
        f'<input type="search" id="search" autocomplete="off"></label> '
        f'<label>{html.escape(_("Status"))} <select id="status">{options}</select></label> '
        '<output id="count"></output></p>'
    )


def _words() -> dict[str, str]:
    """Return the word for each way in which a report can end."""
    words = {status: status_word(status) for status in ("made", "not_applicable", "failed")}
    return {**words, "left": _("not reached")}


def _row(report: Report, line: Line | None, label: str, numbers: Mapping[str, str]) -> str:
    """Return one report's row."""
    status = "left" if line is None else line["status"]
    seconds = 0.0 if line is None else line["seconds"]
    what, word = _what(report, line, label), _words()[status]
    cells = [
        f'<td class="what">{what}</td>',
        f'<td class="state"><span class="status {status}">{html.escape(word)}</span></td>',
        f'<td class="time" data-sort="{seconds}">{seconds_text(seconds) if line else ""}</td>',
    ]
    known = {} if line is None else {n["id"]: n for n in line["numbers"]}
    cells += [_number_cell(known.get(id), label) for id, label in numbers.items()]
    return f'<tr data-status="{status}">{"".join(cells)}</tr>'


def _what(report: Report, line: Line | None, label: str) -> str:
    """Return what a report is, with its links, and what went wrong in it."""
    root = f"{quote(report.request.study)}/{quote(report.name)}"
    if line is None or not line["notebooks"]:
        shown = f'<span class="title">{html.escape(label)}</span>'
    else:
        shown = f'<a class="title" href="{root}/index.html">{html.escape(label)}</a>'
    states = {} if line is None else line["notebooks"]
    passed = [name[:2] for name, status in states.items() if status == "not_applicable"]
    if passed:
        text = _("Notebooks that do not apply: {numbers}").format(numbers=", ".join(passed))
        told = [text, line.get("reason", "")] if line else []
        shown += "".join(f'<p class="key">{html.escape(words)}</p>' for words in told if words)
    for failure in line["failures"] if line else ():
        text = html.escape(f"{failure['notebook']} {failure['message']}".strip())
        if failure.get("page"):
            text = f'<a href="{root}/{quote(failure["page"])}">{text}</a>'
        shown += f'<p class="key">{text}</p>'
    return shown


def _number_cell(number: Mapping[str, Any] | None, label: str) -> str:
    """Return the cell of one key number."""
    if number is None:
        return "<td></td>"
    text = format_estimate(number["value"], number["low"], number["high"])
    text = text.replace(" ", "\u00a0")
    where = f'class="time" data-label="{html.escape(label)}" data-sort="{number["value"]!r}"'
    return f"<td {where}>{html.escape(text)}</td>"


def _summary(reports: Sequence[Report], lines: Mapping[str, Line]) -> str:
    """Return how many reports ended in which way."""
    states = ["left" if r.name not in lines else lines[r.name]["status"] for r in reports]
    parts = [f"{word}: {states.count(s)}" for s, word in _words().items() if s in states]
    return html.escape(typeset(" · ".join(parts)))


def _provenance(batch: Batch, lines: Sequence[Line]) -> list[tuple[str, str]]:
    """Return what the foot of the batch's pages says about their origin."""
    rows = [(_("Study"), batch.spec.study), (_("Reports"), str(len(lines)))]
    versions = ", ".join(f"{n} {v}" for n, v in manifest.versions().items())
    return [*rows, (_("Versions"), versions)]
