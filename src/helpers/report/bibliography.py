"""The list of sources of a page: who is named in its text, formatted from one bibliography.

Prose, tables and cut-offs name their sources by author and year, so that a notebook reads well in
JupyterLab. A page looks these up in ``references.bib`` and closes with the full references; a test
holds that nobody is named whom the bibliography does not know.
"""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from helpers.i18n import _
from helpers.report import pandoc
from helpers.report.harvest import Block, Markup, Picture, Prose

BIBLIOGRAPHY = pandoc.ASSETS / "references.bib"
STYLE = pandoc.ASSETS / "references.csl"

_JOINED = r"(?:[\s,，、;]|&|(?:and|et al\.?|和|与|等人?|Jr\.|III|van|von|der|de|la)(?![A-Za-z])|"
_NAME = r"[A-ZÀ-Ž](?=[\w\-’']*[a-zà-ž])[\w\-’']+)*"
_YEARS = r"(?:(?:19|20)\d\d[ab]?\s*[,，;；]\s*)*"
_ENTRY = re.compile(r"^:::+ \{#ref-(\S+) \.csl-entry\}\n(.*?)\n:::+$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"\[([^\[\]]*)\]\{\.nocase\}")
_TAG = re.compile(r"</?[a-z][^<>]*>")
_BEFORE = re.compile(r"[A-ZÀ-Ž](?=[\w\-]*[a-zà-ž])[\w\-]+(?:,|,? &|,? and|、| 和) $")
_ANYONE = re.compile(
    r"(?<![\w\-])(?!Guidelines )(?:(?:van|von|de) )?" + _NAME.removesuffix(")*")
    + r"(?:'s|’s)?" + _JOINED + _NAME + r"\s*[(（]?\s*"
    + _YEARS + r"(?P<year>(?:19|20)\d\d)(?![\d])"
)  # fmt: skip


_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the bibliography.

    Attributes
    ----------
    key : str
    authors : tuple of str
        Family names with their particles, in order.
    year, doi : str
    text : str
        The reference, formatted, as Markdown.
    """

    key: str
    authors: tuple[str, ...]
    year: str
    doi: str
    text: str


def sources() -> tuple[Source, ...]:
    """Return the whole bibliography in the order in which it is printed, made once."""
    with _making:
        return _sources()


@cache
def _sources() -> tuple[Source, ...]:
    """Have pandoc read and print the bibliography."""
    listed = json.loads(
        pandoc.run(BIBLIOGRAPHY.read_bytes(), "--from", "biblatex", "--to", "csljson")
    )
    everything = b'---\nnocite: "@*"\n---\n'
    printed = pandoc.run(
        everything, "--from", "markdown", "--to", "commonmark_x-smart", "--wrap=none", "--citeproc",
        "--bibliography", str(BIBLIOGRAPHY), "--csl", str(STYLE),
    ).decode("utf-8")  # fmt: skip
    by_key = {entry["id"]: entry for entry in listed}
    return tuple(
        Source(
            key,
            tuple(_family(author) for author in by_key[key]["author"]),
            str(by_key[key]["issued"]["date-parts"][0][0]),
            by_key[key].get("DOI", ""),
            _SPAN.sub(r"\1", text.replace("\n", " ")).replace("?.", "?"),
        )
        for key, text in _ENTRY.findall(printed)
    )


def named_in(text: str) -> list[Source]:
    """Return the sources that a text names by author and year, in printing order."""
    text = _TAG.sub("", html.unescape(text))
    return [source for source in sources() if _names(source, text)]


def unknown_in(text: str) -> list[str]:
    """Return the author-year mentions of a text that the bibliography does not know."""
    text = _TAG.sub("", html.unescape(text))
    known = [span for source in sources() for span in _spans(source, text)]
    return [
        match.group(0)
        for match in _ANYONE.finditer(text)
        if not any(begin < match.end() <= end for begin, end in known)
    ]


def reference_list(blocks: Iterable[Block]) -> str:
    """Return the closing section of a page as Markdown; empty if it names no source."""
    text = "\n".join(filter(None, map(_text_of, blocks)))
    found = named_in(text)
    if not found:
        return ""
    entries = (source.text for source in found)
    opened, closed = pandoc.raw('<div class="references">'), pandoc.raw("</div>")
    return "\n\n".join((f"## {_('References')}", opened, *entries, closed))


def _text_of(block: Block) -> str:
    """Return what a reader sees of a block, so far as it can name a source."""
    match block:
        case Prose():
            return block.markdown
        case Markup():
            return block.html
        case Picture():
            return block.caption
    return ""


def _names(source: Source, text: str) -> bool:
    return next(_spans(source, text), None) is not None


def _spans(source: Source, text: str) -> Iterable[tuple[int, int]]:
    """Yield where a text names a source: nobody else may stand between author and year."""
    if source.authors[0] not in text:  # a hundred times as fast as the pattern
        return
    for match in _pattern(source).finditer(text):
        others = set(re.findall(r"[A-ZÀ-Ž][\w\-]+", match.group("others")))
        family = {part for author in source.authors for part in re.findall(r"[\w\-]+", author)}
        behind_another = _BEFORE.search(text, 0, match.start())
        if others <= family | {"Jr", "III"} and not behind_another:
            yield match.span()


@cache
def _pattern(source: Source) -> re.Pattern[str]:
    """Return the pattern of a source's first author, others, and its year."""
    first = re.escape(source.authors[0])
    return re.compile(
        rf"(?<![\w\-]){first}(?:'s|’s)?(?P<others>{_JOINED}{_NAME})"
        rf"(?:\s*|(?: [a-z\-]+){{0,4}} ?(?=[(（]))[(（]?\s*{_YEARS}{source.year}(?!\d)"
    )


def _family(author: dict[str, str]) -> str:
    """Return a family name with its particle."""
    particle = author.get("non-dropping-particle") or author.get("dropping-particle") or ""
    return f"{particle} {author.get('family', author.get('literal', ''))}".strip()
