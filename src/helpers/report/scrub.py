"""What may stand on a page: no paths of the machine, no foreign markup.

Pages travel. Text that a library wrote (messages, tracebacks) loses the folders in it, and markup
from a notebook's outputs passes only if it is on a short list, so that a respondent's free text
cannot bring a script or a remote image along.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path

from helpers import paths

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Signs that turn the direction of all text after them; letters of such scripts need none.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Each of the next three starts where a word does: tried at every letter of a flood of text without
# spaces, it would take hours.
_CELL = re.compile(r"(?<![^\s\"'<>])[^\s\"'<>]*/ipykernel_\d+/\d+\.py")
_LIBRARY = re.compile(r"(?<![^\s\"'<>()])[^\s\"'<>()]*/(?:site|dist)-packages/")
_STANDARD = re.compile(r"(?<![^\s\"'<>()])[^\s\"'<>()]*/lib/python3(?:\.\d+)?/")
_WINDOWS = re.compile(r"\b[A-Za-z]:\\(?:[^\s\"'<>:*?|\\]+\\)+")
_FOLDERS = re.compile(
    r"(?<![\w/.:<])/(?:home|root|Users|tmp|var|opt|mnt|work|private)/(?:[^\s\"'<>:()]*/)?"
)

ALLOWED = {
    "a", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "div", "dl", "dt",
    "em", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_VOID = {"br", "col", "hr"}
_SILENT = {"script", "style", "template", "iframe", "object", "svg", "math", "head", "title"}
_ATTRIBUTES = {"class", "colspan", "rowspan", "scope", "lang", "dir", "title"}
_STYLE = re.compile(
    r"(?:text-align|border(?:-[a-z]+)*|padding(?:-[a-z]+)?|font-weight|font-style"
    r"|vertical-align|white-space)\s*:\s*[\w.# %-]+"
)
_LINK = re.compile(r"(?:https://doi\.org/|#|\d\d_[a-z0-9_]+\.html\Z)")


def plain(text: str) -> str:
    """Return text without colours, without turns of direction, without folders of this machine."""
    text = _TURNS.sub("", _ANSI.sub("", text))
    text = _CELL.sub("cell", text)
    text = text.replace(str(paths.project_root()) + "/", "")
    for pattern in (_LIBRARY, _STANDARD):
        text = pattern.sub("", text)
    text = text.replace(str(Path.home()) + "/", "~/") if len(str(Path.home())) > 1 else text
    return _WINDOWS.sub("", _FOLDERS.sub("", text))


def safe_html(markup: str) -> str:
    """Return markup with only the tags, attributes and styles of a printed page.

    Scripts, styles, embedded documents and drawings go with their content; other unknown tags go
    and leave their text. Links are kept to DOIs, to places on the page, and to the pages of other
    notebooks beside it.
    """
    cleaner = _Cleaner()
    cleaner.feed(markup)
    cleaner.close()
    return cleaner.result()


class _Cleaner(HTMLParser):
    """Write again what is allowed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif not self._silent and tag in ALLOWED:
            self._parts.append(f"<{tag}{_attributes(tag, attrs)}>")
            if tag not in _VOID:
                self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID and not self._silent:
            self._parts.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif not self._silent and tag in self._open:
            while self._open:
                last = self._open.pop()
                self._parts.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(html.escape(data, quote=False))

    def result(self) -> str:
        """Return the markup with everything closed that was left open."""
        return "".join(self._parts) + "".join(f"</{tag}>" for tag in reversed(self._open))


def _attributes(tag: str, attrs: list[tuple[str, str | None]]) -> str:
    """Return the attributes that may stay, each with a space before it."""
    kept = []
    for name, value in attrs:
        text = value or ""
        if name == "style":
            text = ";".join(m.group(0) for m in map(_style, text.split(";")) if m)
        elif not (name in _ATTRIBUTES or (tag == "a" and name == "href" and _LINK.match(text))):
            continue
        if text:
            kept.append(f' {name}="{html.escape(text)}"')
    return "".join(kept)


def _style(rule: str) -> re.Match[str] | None:
    """Match one style rule as a whole."""
    return _STYLE.fullmatch(rule.strip())
