"""Contract: every cell of prose has a Chinese text of the same build, and no text is left over."""

import json
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CATALOGUES = ROOT / "src" / "helpers" / "locale" / "zh" / "notebooks"

CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
MATHS = re.compile(r"\$\$.+?\$\$|\$[^$\n]+?\$", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|<(https?://[^>\s]+)>")
HEADING = re.compile(r"^(#{1,6})\s", re.MULTILINE)
LIST_ITEM = re.compile(r"^\s*\d+\.\s", re.MULTILINE)
HAN = re.compile(r"[\u4e00-\u9fff]")


def cells(path: Path) -> list[str]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]


def messages(path: Path) -> list:
    file = CATALOGUES / f"{path.name[:2]}.po"
    if not file.is_file():
        return []
    with file.open("rb") as handle:
        return [m for m in read_po(handle, locale="zh") if m.id]


def build(text: str) -> dict[str, list]:
    """What must be the same in both languages: headings, maths, code, links, numbered items."""
    prose = CODE.sub("", text)
    return {
        "headings": [len(sign) for sign in HEADING.findall(prose)],
        "maths": sorted(MATHS.findall(prose)),
        "links": sorted(a or b for a, b in LINK.findall(text)),
        "numbered items": [len(LIST_ITEM.findall(prose))],
        "fenced blocks": [text.count("```")],
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestProse:
    def test_every_cell_has_a_chinese_text(self, path):
        have = {m.id for m in messages(path) if m.string and not m.fuzzy}
        lost = [text.splitlines()[0] for text in cells(path) if text not in have]
        assert not lost, f"{path.name}: no Chinese, or of an older wording: {lost}"

    def test_no_text_is_stale(self, path):
        stale = [m.id.splitlines()[0] for m in messages(path) if m.id not in cells(path)]
        assert not stale, f"{path.name}: Chinese of cells that are gone: {stale}"

    def test_both_texts_are_built_alike(self, path):
        for message in messages(path):
            assert build(message.string) == build(message.id), message.id.splitlines()[0]

    def test_the_chinese_is_chinese(self, path):
        for message in messages(path):
            assert HAN.search(message.string), message.id.splitlines()[0]


def test_no_catalogue_is_without_its_notebook():
    numbers = {path.name[:2] for path in NOTEBOOKS}
    assert {path.stem for path in CATALOGUES.glob("*.po")} <= numbers


def test_the_build_sees_what_differs():
    assert build("## A $x$") != build("# A $x$")
    assert build("$x$ [a](b.html)") != build("$x$ [a](c.html)")
    assert build("1. one\n2. two") != build("1. one")
