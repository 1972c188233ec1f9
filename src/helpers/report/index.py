"""The two lists: the notebooks of a run, and the runs of the reports folder."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from helpers.i18n import _, in_language
from helpers.report.files import status_word
from helpers.report.folder import write_whole
from helpers.report.manifest import MANIFEST, read_json
from helpers.report.page import Frame, framed, unbroken
from helpers.typeset import typeset

BATCH = "batch.json"
"""What a batch leaves in its folder, beside its index."""


def run_index(manifest: Mapping[str, Any], frame: Frame) -> str:
    """Return the page that lists the notebooks of a run.

    Parameters
    ----------
    manifest : mapping
        As in ``manifest.json``.
    frame : Frame
        Head and foot.
    """
    entries = dict(sorted(manifest["notebooks"].items()))
    rows = "".join(_notebook_row(name, entry) for name, entry in entries.items())
    head = "".join(
        f'<th scope="col">{html.escape(word)}</th>'
        for word in (_("No."), _("Question"), _("Status"), _("Time"))
    )
    body = f'<p class="summary">{_summary(entries)}</p>'
    body += f'<table class="index"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return framed(_("Notebooks of this run"), body, frame)


def runs_index(base: Path, *, language: str) -> None:
    """Write ``index.html`` of the reports folder from the manifests found below it."""
    found = []
    for path in sorted(base.glob(f"*/*/{MANIFEST}")):
        manifest = read_json(path)
        if manifest.get("notebooks"):
            found.append((path.parent.relative_to(base).as_posix(), manifest))
    batches = [(path.parent.name, read_json(path)) for path in sorted(base.glob(f"*/{BATCH}"))]
    with in_language(language):
        rows = "".join(_run_row(where, manifest) for where, manifest in found)
        rows += "".join(_batch_row(where, batch) for where, batch in batches if batch)
        head = "".join(
            f'<th scope="col">{html.escape(word)}</th>'
            for word in (_("Language"), _("Study and run"), _("Status"), _("Time"))
        )
        table = f'<table class="index"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        write_whole(base / "index.html", framed(_("Reports"), table, Frame("", False)))


def _notebook_row(name: str, entry: Mapping[str, Any]) -> str:
    """Return one notebook's line."""
    page = html.escape(entry["page"])
    links = [(file, name.upper()) for name, file in entry.get("printed", {}).items()]
    links.append((entry["notebook"], _("notebook")))
    first = len(links)
    links += [(t["file"], _("table {id}").format(id=t["id"])) for t in entry["tables"]]
    links += [(f["file"], _("figure {id}").format(id=f["id"])) for f in entry["figures"]]
    shown = " ".join(
        f'<a href="{html.escape(to)}">{html.escape(word)}</a>' for to, word in links[:first]
    )
    files = _file_list(links[first:])
    sentence = unbroken(html.escape(entry["key_sentence"]))
    key = f'<p class="key">{sentence}</p>' if sentence else ""
    return (
        f'<tr><td class="number">{html.escape(name[:2])}</td>'
        f'<td class="what"><a class="title" href="{page}">{html.escape(entry["title"])}</a>{key}'
        f'<div class="links">{shown}{files}</div></td>'
        f'<td class="state"><span class="status {entry["status"]}">'
        f"{html.escape(status_word(entry['status']))}</span></td>"
        f'<td class="time">{seconds_text(entry["seconds"])}</td></tr>'
    )


def _file_list(links: list[tuple[str, str]]) -> str:
    """Return the folded list of a notebook's tables and figures."""
    if not links:
        return ""
    items = " ".join(f'<a href="{html.escape(to)}">{html.escape(word)}</a>' for to, word in links)
    label = html.escape(_("tables and figures: {n}").format(n=len(links)))
    return f"<details><summary>{label}</summary>{items}</details>"


def _run_row(where: str, manifest: Mapping[str, Any]) -> str:
    """Return one run's line."""
    entries = manifest["notebooks"]
    failed = any(e["status"] == "failed" for e in entries.values())
    status = "failed" if failed else "made"
    title = manifest.get("title") or manifest["study"]
    badge = ""
    if manifest.get("simulated"):
        badge = f' <span class="badge">{html.escape(_("SIMULATED"))}</span>'
    return (
        f'<tr><td class="number">{html.escape(manifest["language"])}</td>'
        f'<td class="what"><a class="title" href="{html.escape(where)}/index.html">'
        f"{html.escape(title)}</a>{badge}"
        f'<p class="key">{html.escape(where)} · {_summary(entries)}</p></td>'
        f'<td class="state"><span class="status {status}">{html.escape(status_word(status))}'
        f'</span></td><td class="time">{seconds_text(manifest.get("seconds", 0.0))}</td></tr>'
    )


def _batch_row(where: str, batch: Mapping[str, Any]) -> str:
    """Return one batch's line."""
    entries = {line["report"]: line for line in batch["reports"]}
    failed = batch["left"] or any(e["status"] == "failed" for e in entries.values())
    status = "failed" if failed else "made"
    title = html.escape(_("Batch {name}").format(name=batch["name"]))
    languages = "/".join(batch["settings"]["languages"])
    seconds = sum(line["seconds"] for line in entries.values())
    return (
        f'<tr><td class="number">{html.escape(languages)}</td>'
        f'<td class="what"><a class="title" href="{quote(where)}/index.html">{title}</a>'
        f'<p class="key">{html.escape(where)} · {_summary(entries)}</p></td>'
        f'<td class="state"><span class="status {status}">{html.escape(status_word(status))}'
        f'</span></td><td class="time">{seconds_text(seconds)}</td></tr>'
    )


def _summary(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the counts of a run in one sentence."""
    counts = dict.fromkeys(("made", "not_applicable", "failed"), 0)
    for entry in entries.values():
        counts[entry["status"]] += 1
    words = ((status, status_word(status)) for status in counts)
    parts = [f"{word}: {counts[status]}" for status, word in words if counts[status]]
    return html.escape(typeset(" · ".join(parts)))


def seconds_text(seconds: float) -> str:
    """Return a duration as a reader wants it."""
    if seconds < 60:
        return _("{seconds:.1f} s").format(seconds=seconds)
    return _("{minutes} min {seconds} s").format(
        minutes=int(seconds // 60), seconds=int(seconds % 60)
    )
