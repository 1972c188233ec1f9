"""The same blocks for print: PDF through typst, DOCX with native tables and equations."""

from __future__ import annotations

import html
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import typst

from helpers.errors import ReportError
from helpers.i18n import _, language
from helpers.report import pandoc
from helpers.report.bibliography import reference_list
from helpers.report.execute import Failure
from helpers.report.harvest import Block, Code, Harvest, Markup, Picture, Printed, Sliders
from helpers.report.page import Frame, Numbering, block_markdown, plain_svg, trouble, unmarked
from helpers.report.raster import height_mm, png_of
from helpers.report.word import with_whole_rows

FONTS = Path(__file__).parents[1] / "fonts"

_TALLEST_MM = 215
"""A figure of this height leaves room for its caption on the page of Word."""

_BOXED = re.compile(r'<p class="(reading|banner|unavailable|table-note)[^"]*">(.*?)</p>', re.DOTALL)
_FOLDED = re.compile(r"<details\b.*?</details>", re.DOTALL)


class Unnumbered(Numbering):
    """For a program that counts tables and figures itself."""

    def table(self) -> str:
        return ""

    def figure(self) -> str:
        return ""


def pdf(
    found: Harvest, frame: Frame, *, failure: Failure | None = None, paper: bool = False
) -> bytes:
    """Return the notebook as a PDF document, without code.

    A ``paper`` shows the sentences that read results as plain text, other notebooks as boxes.

    Raises
    ------
    ReportError
        pandoc or typst refuses the document.
    """
    with tempfile.TemporaryDirectory(prefix="study-pdf-") as name:
        folder = Path(name)

        def picture(block: Picture, label: str) -> str:
            return _typst_figure(block, folder)

        markdown = _document(found, Unnumbered(), picture, failure)
        body = pandoc.convert(markdown, "--to", "typst", "--shift-heading-level-by=-1")
        text = body.decode("utf-8").replace("align(center)[#table", "align(left)[#table")
        source = folder / "paper.typ"
        source.write_text(_preamble(found, frame, paper) + text, encoding="utf-8")
        try:
            return typst.compile(
                source, root=folder, font_paths=[FONTS], ignore_system_fonts=True
            )  # fmt: skip
        except RuntimeError as error:
            raise ReportError(f"typst: {str(error).splitlines()[0]}.") from None


def docx(
    found: Harvest, frame: Frame, *, failure: Failure | None = None, paper: bool = False
) -> bytes:
    """Return the notebook as a Word document, without code; tables and equations are native."""
    mark = f" [{_('SIMULATED')}]" if frame.simulated else ""
    rows = "\n\n".join(f"**{name}:** {_literal(value)}" for name, value in frame.provenance)
    head = {"title": unmarked(found.title), "subtitle": _literal(frame.study + mark)}
    with tempfile.TemporaryDirectory(prefix="study-docx-") as name:
        folder = Path(name)

        def picture(block: Picture, label: str) -> str:
            return _docx_figure(block, label, folder)

        markdown = _document(found, Numbering(), picture, failure)
        if paper:
            markdown = markdown.replace('<div class="reading">', "<div>")
        meta = folder / "meta.json"
        meta.write_text(json.dumps(head), encoding="utf-8")
        return with_whole_rows(pandoc.convert(
            f"{markdown}\n\n## {_('Where this comes from')}\n\n{rows}",
            "--to", "docx", "--output", "-", "--shift-heading-level-by=-1",
            "--metadata-file", str(meta), "--metadata", f"lang={_tag()}",
            "--reference-doc", str(pandoc.ASSETS / "reference.docx"), resources=[folder],
        ))  # fmt: skip


def _document(
    found: Harvest,
    numbering: Numbering,
    picture: Callable[[Picture, str], str],
    failure: Failure | None,
) -> str:
    """Return the blocks as Markdown for print: no code, no folded parts."""
    parts = []
    for block in found.blocks:
        if isinstance(block, Sliders):
            block = Markup(block.html)  # paper does not move
        if _only_on_screen(block):
            continue
        if isinstance(block, Picture):
            parts.append(picture(block, numbering.figure()))
        else:
            parts.append(_for_print(block_markdown(block, numbering)))
    if failure is not None:
        box = _FOLDED.sub("", trouble(failure, found.skipped))
        parts.append(pandoc.raw(re.sub(r"</?h2>", lambda m: m.group(0).replace("h2", "p"), box)))
    parts.append(reference_list(found.blocks))
    return "\n\n".join(parts)


def _only_on_screen(block: Block) -> bool:
    """Tell whether a block is code, a message of a library, or the mark of an exercise."""
    match block:
        case Code():
            return True
        case Printed():
            return block.kind == "messages"
        case Markup():
            return block.html.startswith('<p class="answer')
    return False


def _for_print(markdown: str) -> str:
    """Turn paragraphs with a class into boxes, which keep it; drop empty labels."""
    markdown = markdown.replace('<span class="label"></span> ', "")
    return _BOXED.sub(r'<div class="\1"><p>\2</p></div>', markdown)


def _typst_figure(block: Picture, folder: Path) -> str:
    """Write a figure beside the source and return the call that shows it."""
    kind, data = ("svg", plain_svg(block.svg).encode("utf-8")) if block.svg else ("png", block.png)
    name = f"figure{len(list(folder.iterdir())) + 1}.{kind}"
    (folder / name).write_bytes(data)
    alt, caption = _quoted(block.alt), _quoted(block.caption)
    image = f'image("{name}", alt: {alt})'
    return f"```{{=typst}}\n#figure({image}, caption: text({caption}))\n```\n"


def _docx_figure(block: Picture, label: str, folder: Path) -> str:
    """Write a figure as PNG, as Word has no use for SVG, and return the block that shows it."""
    name = f"figure{len(list(folder.iterdir())) + 1}.png"
    image = png_of(plain_svg(block.svg)) if block.svg else block.png
    (folder / name).write_bytes(image)
    size = f' height="{_TALLEST_MM}mm"' if height_mm(image) > _TALLEST_MM else ""
    return pandoc.raw(
        f'<figure><img src="{name}"{size} alt="{html.escape(block.alt)}">'
        f'<figcaption><span class="label">{html.escape(label)}</span> '
        f"{html.escape(block.caption)}</figcaption></figure>"
    )


def _preamble(found: Harvest, frame: Frame, paper: bool) -> str:
    """Return the template and the call that applies it."""
    rows = "".join(f"({_quoted(n)}, {_quoted(v)}), " for n, v in frame.provenance)
    fields = {
        "title": _quoted(unmarked(found.title)),
        "study": _quoted(frame.study),
        "mark": _quoted(_("SIMULATED") if frame.simulated else ""),
        "language": _quoted(language()),
        "region": _quoted("cn") if language() == "zh" else "none",
        "provenance": f"({rows})",
    }
    call = ", ".join(f"{name}: {value}" for name, value in fields.items())
    template = (pandoc.ASSETS / "paper.typ").read_text(encoding="utf-8")
    plain = "#let reading(body) = body\n" if paper else ""
    return f"{template}\n{plain}#show: paper.with({call})\n\n"


def _quoted(text: str) -> str:
    """Return text as a string of typst."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def _literal(text: str) -> str:
    """Return text that Markdown shows as it stands."""
    return re.sub(r"([\\`*_{}\[\]<>#$|~^])", r"\\\1", text)


def _tag() -> str:
    """Return the language tag of a document."""
    return "zh-CN" if language() == "zh" else "en-GB"
