"""The files that one notebook leaves in the run's folder, written as it finishes."""

from __future__ import annotations

import csv
import html
import io
from pathlib import Path

import nbformat

from helpers.i18n import _
from helpers.report.execute import Executed
from helpers.report.folder import write_whole
from helpers.report.harvest import Harvest
from helpers.report.page import plain_svg
from helpers.report.scrub import plain

EXCEL_MARK = "\ufeff"
"""Byte order mark: without it Excel shows Chinese as signs; pandas and readr pass over it."""


def write_tables(folder: Path, number: str, found: Harvest) -> list[dict[str, str]]:
    """Write each table of a notebook as CSV; return id, caption and file of each."""
    written = []
    for payload in found.of_kind("table"):
        name = f"tables/{number}_{payload['id']}.csv"
        text = stamped_csv(payload["csv"]) if payload.get("simulated") else payload["csv"]
        write_whole(folder / name, EXCEL_MARK + text)
        written.append({"id": payload["id"], "caption": payload["caption"], "file": name})
    return written


def stamped_csv(text: str) -> str:
    """Return a CSV with a last column ``data`` that says SIMULATED in every row."""
    rows = list(csv.reader(io.StringIO(text)))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for i, row in enumerate(rows):
        writer.writerow([*row, "SIMULATED" if i else "data"])
    return out.getvalue()


def write_figures(folder: Path, number: str, found: Harvest) -> list[dict[str, str]]:
    """Write each figure of a notebook as SVG that carries its description."""
    written = []
    for payload in found.of_kind("figure"):
        name = f"figures/{number}_{payload['id']}.svg"
        svg = described_svg(found.svgs[payload["id"]], payload["caption"], payload["alt"])
        write_whole(folder / name, svg)
        written.append({"id": payload["id"], "caption": payload["caption"], "file": name})
    return written


def described_svg(svg: str, title: str, description: str) -> str:
    """Return an SVG with its caption as title and its alternative text as description."""
    body = plain_svg(svg)
    end = body.find(">")
    texts = f"<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>"
    opened = body[:end] + ' role="img"' if 'role="' not in body[:end] else body[:end]
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    return f"{head}{opened}>{texts}{body[end + 1 :]}"


def write_notebook(folder: Path, name: str, executed: Executed) -> str:
    """Write the executed notebook; messages and tracebacks lose the machine's folders."""
    notebook = executed.notebook
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output["text"] = plain(output["text"])
            elif output.output_type == "error":
                output["evalue"] = plain(output["evalue"])
                output["traceback"] = [plain(line) for line in output["traceback"]]
            elif "text/plain" in output.get("data", {}):
                output["data"]["text/plain"] = plain(output["data"]["text/plain"])
    target = f"notebooks/{name}.ipynb"
    write_whole(folder / target, nbformat.writes(notebook) + "\n")
    return target


def status_word(status: str) -> str:
    """Return the word for how a notebook ended."""
    words = {"made": _("made"), "not_applicable": _("does not apply"), "failed": _("failed")}
    return words[status]
