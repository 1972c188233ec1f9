"""Read an executed notebook: its results as data, and its cells as the blocks of a page."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from nbformat import NotebookNode

from helpers.i18n import prose
from helpers.lesson import MIME
from helpers.report.comments import with_translated_comments
from helpers.report.execute import Failure
from helpers.report.makers import makers

LONGEST_TEXT = 20_000
"""Characters of printed text that a page shows of one output."""

WIDGET = "application/vnd.jupyter.widget-view+json"
"""A widget needs a kernel; what it shows stands beside it as a result."""

_INTERVAL = re.compile(r"\[[^\]]*\d[^\]]*\]")
_SECTION = re.compile(r"^##\s+(.+?)\s*$", re.MULTILINE)
_NUMBER = re.compile(r"^(?:#\s+)?(?:\d\d\s+)?")
_HEADING = re.compile(r"^#\s+(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown that the notebook's author wrote."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Code:
    """The source of a code cell."""

    source: str
    kind: Literal["code", "parameters", "solution"]


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML of one output: a table, a sentence, a banner."""

    html: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure; ``svg`` or ``png`` may be empty."""

    svg: str
    png: bytes
    caption: str
    alt: str


@dataclass(frozen=True, slots=True)
class Sliders:
    """Sliders over scenarios: what a page needs to compute, and their first position in HTML."""

    key: str
    data: dict[str, Any]
    sentence: str
    html: str


@dataclass(frozen=True, slots=True)
class Printed:
    """Text that a cell printed, returned, or wrote to its error stream."""

    text: str
    kind: Literal["output", "messages"]


@dataclass(frozen=True, slots=True)
class Equation:
    """LaTeX that a cell displayed."""

    latex: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence with the section it stands in, and whether its cell is tagged ``report``."""

    text: str
    section: str
    tagged: bool


Block = Prose | Code | Markup | Sliders | Picture | Printed | Equation


@dataclass(slots=True)
class Harvest:
    """What one notebook yields.

    Attributes
    ----------
    title : str
        Its first heading.
    blocks : list
        What the page shows, in order; nothing after a cell that failed or after a ``stop``.
    payloads : list of dict
        Results as data, in order, as ``helpers.lesson`` wrote them.
    svgs : dict
        Figure id -> SVG.
    readings : list of Reading
        Sentences that read results aloud, for the choice of the one in the index.
    skipped : int
        Code cells that were not reached.
    """

    title: str
    blocks: list[Block] = field(default_factory=list)
    payloads: list[dict[str, Any]] = field(default_factory=list)
    svgs: dict[str, str] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    skipped: int = 0

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Return the payloads of one kind."""
        return [p for p in self.payloads if p.get("kind") == kind]

    @property
    def stopped(self) -> str:
        """The sentence that says why the notebook does not apply, or an empty string."""
        return next((p["text"] for p in self.of_kind("stop")), "")

    @property
    def unsolved(self) -> list[str]:
        """Exercises whose answer in the notebook is wrong or not there."""
        answers = self.of_kind("answer")
        return [a["id"] for a in answers if a["status"] in ("wrong", "unanswered")]

    @property
    def simulated(self) -> bool:
        """Whether the study behind the notebook is simulated."""
        return any(p.get("study_kind") == "simulated" for p in self.of_kind("lesson"))

    @property
    def key_sentence(self) -> str:
        """The sentence for the index.

        Why the notebook does not apply; else what its author tagged ``report``; else the first
        sentence of the results that gives an interval; else the first of them.
        """
        if self.stopped:
            return self.stopped
        chosen = [r for r in self.readings if r.tagged]
        results = [r for r in self.readings if r.section == "Result"] or self.readings
        chosen += [r for r in results if _INTERVAL.search(r.text)]
        return next((r.text for r in (*chosen, *results)), "")


def harvest(notebook: NotebookNode, *, name: str, failure: Failure | None = None) -> Harvest:
    """Read a notebook that ran.

    Parameters
    ----------
    notebook : NotebookNode
        With outputs.
    name : str
        Its file name without ending; the title where it has no heading. Its first two digits
        name the catalogue in which prose is looked up in the current language.
    failure : Failure, optional
        Why it did not run to its end; the cells that never ran are counted, not shown.
    """
    found = Harvest(title=name)
    titled, section = False, ""
    for index, cell in enumerate(notebook.cells):
        if found.stopped or (failure is not None and _never_ran(notebook, index, failure)):
            found.skipped += cell.cell_type == "code"
            continue
        if cell.cell_type == "markdown":
            section = (_SECTION.findall(cell.source) or [section])[-1]
            source = prose(cell.source, number=name[:2])
            match = None if titled else _HEADING.search(source)
            if match:
                found.title, titled = _NUMBER.sub("", match.group(1)), True
                source = source[: match.start()] + source[match.end() :]
            if source.strip():
                found.blocks.append(Prose(source.strip()))
        elif cell.cell_type == "code":
            _read_code(cell, found, section)
    made_by = makers(notebook)
    found.payloads = [
        {**p, "formula": made_by[p["id"]]} if p.get("id") in made_by else p for p in found.payloads
    ]
    return found


def _never_ran(notebook: NotebookNode, index: int, failure: Failure) -> bool:
    """Tell whether a cell stands after the last one that was started."""
    if failure.cell is not None:
        return index > failure.cell
    ran = [i for i, c in enumerate(notebook.cells) if c.get("execution_count") or c.get("outputs")]
    return index > (ran[-1] if ran else -1) + 1


def _read_code(cell: NotebookNode, found: Harvest, section: str) -> None:
    """Add a code cell's source and outputs."""
    tags = cell.metadata.get("tags", [])
    if "hide-input" not in tags and cell.source.strip():
        source = with_translated_comments(cell.source)
        _add_code(found.blocks, Code(source, _code_kind(tags)))
    for output in cell.get("outputs", []):
        found.blocks += _blocks_of(output, found)
        payload = output.get("data", {}).get(MIME) or {}
        if payload.get("kind") == "sentence":
            found.readings.append(Reading(payload["text"], section, "report" in tags))


def _add_code(blocks: list[Block], code: Code) -> None:
    """Add source; cells that follow each other without output become one."""
    last = blocks[-1] if blocks else None
    if isinstance(last, Code) and "solution" not in (last.kind, code.kind):
        blocks[-1] = Code(f"{last.source}\n\n{code.source}", last.kind)
    else:
        blocks.append(code)


def _code_kind(tags: list[str]) -> Literal["code", "parameters", "solution"]:
    """Return what a code cell is for."""
    if "solution" in tags:
        return "solution"
    return "parameters" if {"parameters", "injected-parameters"} & set(tags) else "code"


def _blocks_of(output: NotebookNode, found: Harvest) -> Iterator[Block]:
    """Yield what one output shows; its payload and figure are kept on the way."""
    if output.output_type == "stream":
        text = output.text[:LONGEST_TEXT]
        if text.strip():
            yield Printed(text, "output" if output.name == "stdout" else "messages")
        return
    if output.output_type == "error":
        return
    data = output.get("data", {})
    payload = data.get(MIME) or {}
    if payload:
        found.payloads.append(payload)
    svg = _joined(data.get("image/svg+xml", ""))
    if svg and payload.get("kind") == "figure":
        found.svgs[payload["id"]] = svg
    if payload.get("kind") == "number" or WIDGET in data:
        return
    if svg or "image/png" in data:
        png = base64.b64decode(data.get("image/png", "") or b"")
        alt = payload.get("alt", "")
        yield Picture(svg, png, payload.get("caption", ""), alt)
    elif payload.get("kind") == "calculator":
        shown = _joined(data.get("text/html", ""))
        yield Sliders(payload["id"], payload["data"], payload["sentence"], shown)
    elif "text/html" in data:
        yield Markup(_joined(data["text/html"]))
    elif "text/latex" in data:
        yield Equation(_joined(data["text/latex"]).strip().strip("$"))
    elif _joined(data.get("text/plain", "")).strip():
        yield Printed(_joined(data["text/plain"])[:LONGEST_TEXT], "output")


def _joined(text: str | list[str]) -> str:
    """Return text that a notebook may hold as lines."""
    return text if isinstance(text, str) else "".join(text)
