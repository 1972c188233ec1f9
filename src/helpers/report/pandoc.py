"""Pandoc as a process: one document in, one out, without network or files."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pypandoc

from helpers.errors import ReportError
from helpers.i18n import language

ASSETS = Path(__file__).parent / "assets"

READER = (
    "commonmark_x+east_asian_line_breaks-subscript-superscript-emoji-yaml_metadata_block"
    "-fancy_lists-definition_lists-bracketed_spans-attributes-fenced_divs"
)
"""Markdown as JupyterLab reads it, plus mathematics."""

_SECONDS = 120


@cache
def _program() -> str:
    """Return where the bundled pandoc lies."""
    return pypandoc.get_pandoc_path()


def convert(markdown: str, *options: str, resources: Sequence[Path] = ()) -> bytes:
    """Convert Markdown to what the options say and return it.

    Raises
    ------
    ReportError
        Pandoc refuses; its message is passed on.
    """
    # On a Chinese page curly quotes belong to Chinese text; English prose keeps its straight ones.
    reader = READER + ("-smart" if language() == "zh" else "")
    settings = ["--from", reader, "--lua-filter", str(ASSETS / "page.lua"), *options]
    settings += [f"--resource-path={folder}" for folder in resources]
    return run(markdown.encode("utf-8"), *settings)


def run(document: bytes, *options: str) -> bytes:
    """Run pandoc with these options on a document and return what it makes.

    Raises
    ------
    ReportError
        Pandoc refuses; its message is passed on.
    """
    try:
        done = subprocess.run(
            [_program(), *options], input=document, capture_output=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ReportError(
            f"pandoc: did not finish within {_SECONDS} s. Look for a very large table."
        ) from None
    if done.returncode:
        message = done.stderr.decode("utf-8", "replace").strip()
        raise ReportError(f"pandoc: {message or 'ended without a message'}.")
    return done.stdout


def raw(markup: str) -> str:
    """Return a block of clean HTML that pandoc passes on untouched."""
    fence = "`" * max(3, _longest_run(markup) + 1)
    return f"{fence}{{=page}}\n{markup}\n{fence}\n"


def code(source: str, name: str = "python") -> str:
    """Return a fenced code block, whatever the source holds."""
    fence = "`" * max(3, _longest_run(source) + 1)
    return f"{fence} {name}\n{source}\n{fence}\n"


def _longest_run(text: str) -> int:
    """Return the length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)
