"""One self-contained HTML page: blocks to Markdown, Markdown through pandoc, and the frame."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from string import Template

from helpers.i18n import _, language
from helpers.report import pandoc
from helpers.report.bibliography import reference_list
from helpers.report.execute import Failure
from helpers.report.fonts import chinese_font_css, math_font_css
from helpers.report.harvest import (
    Block,
    Code,
    Equation,
    Harvest,
    Markup,
    Picture,
    Printed,
    Prose,
    Sliders,
)
from helpers.report.scrub import plain, safe_html
from helpers.tables.calculator import form

_SPLIT = "<!--body-->"
_INTERVAL = re.compile(r"\[[^\[\]<>]{1,28}\]")
_SHORT = 20
_SHORT_CELL = re.compile(
    r'(<t[dh][^>]* style="text-align:[^"]*)("[^>]*>(?P<text>[^<]{1,20})</t[dh]>)'
)
_PRINTED = re.compile(r"<pre(?=[ >])")
_CJK_FIRST = {"zh": '"Study CJK",', "en": ""}


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the text of a page.

    Attributes
    ----------
    study : str
        Title of the study.
    simulated : bool
        Whether every page must say so.
    links : sequence of (str, str)
        Addresses and words of the links in the head of the page.
    provenance : sequence of (str, str)
        Names and values at the foot.
    """

    study: str
    simulated: bool
    links: Sequence[tuple[str, str]] = ()
    provenance: Sequence[tuple[str, str]] = ()


def notebook_page(
    found: Harvest, frame: Frame, *, failure: Failure | None = None, show_code: bool = True
) -> str:
    """Return the page of one notebook.

    Parameters
    ----------
    found : Harvest
        What the notebook yields.
    frame : Frame
        Head and foot.
    failure : Failure, optional
        Shown at the end, with what it kept from running.
    show_code : bool
        False leaves the code out, as for a paper.
    """
    numbering = Numbering()
    parts = [
        block_markdown(block, numbering)
        for block in found.blocks
        if show_code or not isinstance(block, Code)
    ]
    if failure is not None:
        parts.append(pandoc.raw(trouble(failure, found.skipped)))
    parts.append(reference_list(found.blocks))
    output = pandoc.convert(
        "\n\n".join(parts), "--to", "html5", "--mathml", "--toc",
        "--toc-depth=2", "--standalone", "--template", str(pandoc.ASSETS / "body.html"),
        "--metadata", "title= ", "--wrap=none",
    )  # fmt: skip
    kind = "notebook" if show_code else "paper"
    toc, _sign, body = output.decode("utf-8").partition(_SPLIT)
    moving = any(isinstance(block, Sliders) for block in found.blocks)
    script = _asset("calculator.js") if moving else ""
    body = _reachable(body.strip())
    return framed(found.title, body, frame, toc=toc.strip(), kind=kind, script=script)


def framed(
    title: str, body: str, frame: Frame, *, toc: str = "", kind: str = "index", script: str = ""
) -> str:
    """Put text into the frame: style, fonts, head and foot; nothing is fetched from elsewhere.

    A script runs because the page's policy names its hash; no other can.
    """
    heading = html.escape(unmarked(title))
    nav = "".join(
        f'<a href="{html.escape(to)}">{html.escape(word)}</a>' for to, word in frame.links
    )
    contents = (
        f'<nav class="toc" aria-label="{html.escape(_("Contents"))}">'
        f"<p>{html.escape(_('Contents'))}</p>{toc}</nav>"
    )
    badge = f' <span class="badge">{html.escape(_("SIMULATED"))}</span>' if frame.simulated else ""
    page = Template(_asset("page.html")).substitute(
        lang="zh-CN" if language() == "zh" else "en",
        title=f"{heading} · {html.escape(frame.study)}" if frame.study else heading,
        css="$css",
        kind=kind,
        skip=html.escape(_("Skip to the text")),
        study=html.escape(frame.study),
        badge=badge,
        pages_label=html.escape(_("Pages")),
        nav=nav,
        toc=contents if toc else "",
        heading=heading,
        body=body,
        footer=_provenance(frame.provenance),
    )
    if toc:
        page = page.replace('<div class="page">', '<div class="page with-toc">', 1)
    css = _asset("page.css").replace("var(--cjk-first) ", _CJK_FIRST[language()])
    if script:
        page = _with_script(page, script)
    whole = f"<style>\n{chinese_font_css(page)}{math_font_css(body)}{css}"
    return page.replace("<style>\n$css", whole, 1)


def _reachable(body: str) -> str:
    """Let the keyboard reach text and formulas wider than the page, so that they can scroll."""
    body = _PRINTED.sub('<pre tabindex="0"', body)
    return body.replace('<math display="block"', '<math tabindex="0" display="block"')


def _with_script(page: str, script: str) -> str:
    """Put a script at the end of a page and allow it by its hash."""
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    allowed = f"script-src 'sha256-{digest}'; base-uri"
    page = page.replace("base-uri", allowed, 1)
    return page.replace("</body>", f"<script>{script}</script>\n</body>", 1)


def trouble(failure: Failure, skipped: int) -> str:
    """Return the box that says why a notebook ended early."""
    sentences = {
        "error": _("A cell raised an error; the page ends there."),
        "timeout": _("A cell took longer than allowed; the page ends there."),
        "late": _("The report took longer than allowed; the page ends there."),
        "killed": _("The process that ran the notebook died; the page ends there."),
        "start": _("The notebook could not be started."),
        "page": _("The notebook ran, but its page could not be made."),
    }
    lines = [f"<h2>{html.escape(_('This notebook did not run to its end'))}</h2>"]
    lines.append(f"<p>{html.escape(sentences[failure.kind])}</p>")
    name, message = html.escape(failure.name), html.escape(plain(failure.message))
    lines.append(f"<p><strong>{name}</strong>{': ' if message else ''}{message}</p>")
    if skipped:
        text = _("Code cells after it that did not run: {n}.").format(n=skipped)
        lines.append(f"<p>{html.escape(text)}</p>")
    if failure.traceback:
        trace = html.escape(plain("\n".join(failure.traceback)))
        label = html.escape(_("Traceback"))
        lines.append(
            f'<details class="code"><summary>{label}</summary><pre>{trace}</pre></details>'
        )
    return f'<section class="trouble" role="alert">{"".join(lines)}</section>'


class Numbering:
    """Counts the tables and figures of a page."""

    def __init__(self) -> None:
        self.tables = 0
        self.figures = 0

    def table(self) -> str:
        """Return the next table's label."""
        self.tables += 1
        return _("Table {n}.").format(n=self.tables)

    def figure(self) -> str:
        """Return the next figure's label."""
        self.figures += 1
        return _("Figure {n}.").format(n=self.figures)


def block_markdown(block: Block, numbering: Numbering) -> str:
    """Return a block as Markdown, its HTML marked as such."""
    match block:
        case Prose():
            return block.markdown
        case Code():
            opened = f'<details class="code"><summary>{html.escape(_label(block))}</summary>'
            return "\n".join(
                (pandoc.raw(opened), pandoc.code(block.source), pandoc.raw("</details>"))
            )
        case Markup():
            return pandoc.raw(numbered(unbroken(plain(safe_html(block.html))), numbering))
        case Sliders():
            return pandoc.raw(form(block.data, block.sentence, key=block.key))
        case Picture():
            return pandoc.raw(_figure(block, numbering))
        case Equation():
            return f"$${block.latex}$$"
        case Printed(kind="messages"):
            label = html.escape(_("Messages"))
            text = html.escape(plain(block.text))
            return pandoc.raw(
                f'<details class="code"><summary>{label}</summary><pre>{text}</pre></details>'
            )
        case Printed():
            return pandoc.raw(f"<pre>{html.escape(plain(block.text))}</pre>")


def _label(block: Code) -> str:
    """Return the word that opens a folded cell."""
    words = {"code": _("Code"), "parameters": _("Set-up"), "solution": _("Solution")}
    return words[block.kind]


def numbered(markup: str, numbering: Numbering) -> str:
    """Give a table its number and room to scroll."""
    if "<table" not in markup:
        return markup
    if "<caption>" in markup:
        label = f'<caption><span class="label">{html.escape(numbering.table())}</span> '
        markup = markup.replace("<caption>", label, 1)
    return f'<div class="wide" tabindex="0">{markup}</div>'


def unbroken(markup: str) -> str:
    """Keep intervals and short table cells on one line."""
    markup = _INTERVAL.sub(lambda m: m.group(0).replace(" ", "\u00a0"), markup)
    return _SHORT_CELL.sub(_one_line, markup)


def _one_line(cell: re.Match[str]) -> str:
    """Keep a cell on one line if it is short; a Chinese character is as wide as two others."""
    width = sum(2 if character > "\u2e7f" else 1 for character in cell.group("text"))
    return f"{cell[1]};white-space:nowrap{cell[2]}" if width <= _SHORT else cell[0]


def _figure(block: Picture, numbering: Numbering) -> str:
    """Return a figure as an embedded picture with its text."""
    if block.svg:
        kind, data = "image/svg+xml", plain_svg(block.svg).encode("utf-8")
    else:
        kind, data = "image/png", block.png
    source = f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
    caption = ""
    if block.caption:
        label = f'<span class="label">{html.escape(numbering.figure())}</span> '
        mark = html.escape(f"[{_('SIMULATED')}]")
        words = html.escape(block.caption).replace(mark, f'<span class="simulated">{mark}</span>')
        caption = f"<figcaption>{label}{words}</figcaption>"
    alt = html.escape(block.alt or _("Figure without a description"))
    return f'<figure><img src="{source}" alt="{alt}">{caption}</figure>'


def plain_svg(svg: str) -> str:
    """Return an SVG without the XML head and without scripts."""
    svg = re.sub(r"<script\b.*?</script\s*>", "", svg, flags=re.DOTALL | re.IGNORECASE)
    return svg[svg.find("<svg") :] if "<svg" in svg else svg


def _provenance(rows: Sequence[tuple[str, str]]) -> str:
    """Return the foot of a page."""
    if not rows:
        return ""
    items = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in rows
    )
    return f"<h2>{html.escape(_('Where this comes from'))}</h2><dl>{items}</dl>"


def unmarked(title: str) -> str:
    """Return a heading without Markdown emphasis."""
    return re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", title)


@cache
def _asset(name: str) -> str:
    """Return the text of a file of this package."""
    return (pandoc.ASSETS / name).read_text(encoding="utf-8")
