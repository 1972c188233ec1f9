"""Contract: every text that code makes stands in the Chinese catalogue, with the same fields."""

import ast
import json
import re
import string
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from helpers.thresholds import THRESHOLDS

PACKAGE = Path(__file__).parents[2] / "src" / "helpers"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CATALOGUES = sorted((PACKAGE / "locale" / "zh").glob("*.po"))


def looked_up(function: ast.expr) -> bool:
    """Whether a call looks its text up: at once, or when what ``check`` found is shown."""
    if isinstance(function, ast.Attribute):
        return function.attr == "together"
    return isinstance(function, ast.Name) and function.id in ("_", "said")


def defined_as(number: ast.Call) -> ast.expr | None:
    """The definition of a number, which ``lesson.number`` looks up: the third argument."""
    named = [k.value for k in number.keywords if k.arg == "definition"]
    return named[0] if named else number.args[2] if len(number.args) > 2 else None


def texts_in_code() -> dict[str, str]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id == "Number":
                argument = defined_as(node)
            elif node.args and looked_up(node.func):
                argument = node.args[0]
            else:
                continue
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                found[argument.value] = f"{path.relative_to(PACKAGE)}:{node.lineno}"
    return found


def hints_of_exercises() -> dict[str, str]:
    found = {}
    for path in sorted((PACKAGE / "exercises").glob("n*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for keyword in node.keywords if isinstance(node, ast.Call) else ():
                if keyword.arg == "hint":
                    where = f"{path.name}:{node.lineno}"
                    assert isinstance(keyword.value, ast.Constant), f"{where}: a hint is a literal"
                    found[keyword.value.value] = where
    return found


def literals(call: ast.Call) -> list[str]:
    """Texts that a notebook hands to ``lesson`` for readers."""
    shown = [k.value for k in call.keywords if k.arg in ("caption", "note", "alt", "definition")]
    if isinstance(call.func, ast.Attribute) and call.func.attr == "say":
        shown += call.args
    return [n.value for n in shown if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def texts_in_notebooks() -> dict[str, str]:
    found = {}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        for i, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            if cell["cell_type"] != "code":
                continue
            for node in ast.walk(ast.parse("".join(cell["source"]))):
                if isinstance(node, ast.Call):
                    found |= dict.fromkeys(literals(node), f"{path.name}, cell {i}")
    return found


def translated() -> dict[str, str]:
    texts = {}
    for path in CATALOGUES:
        with path.open("rb") as handle:
            for message in read_po(handle, locale="zh"):
                if message.id and not message.fuzzy:
                    texts[message.id] = message.string
    return texts


def fields(text: str) -> Counter:
    return Counter(
        name.split("[")[0].split(".")[0] for _, name, _, _ in string.Formatter().parse(text) if name
    )


def test_every_text_is_translated():
    have = translated()
    used = texts_in_code() | texts_in_notebooks() | hints_of_exercises()
    lost = {text: where for text, where in used.items() if not have.get(text)}
    assert not lost, "\n".join(f"{where}: {text!r}" for text, where in lost.items())


def test_translations_keep_the_fields():
    wrong = [k for k, v in translated().items() if v and set(fields(k)) != set(fields(v))]
    assert not wrong


def test_no_text_is_translated_two_ways():
    seen: dict[str, tuple[str, str]] = {}
    wrong = []
    for path in CATALOGUES:
        with path.open("rb") as handle:
            for message in read_po(handle, locale="zh"):
                if not message.id:
                    continue
                before = seen.setdefault(message.id, (message.string, path.name))
                if before[0] != message.string:
                    wrong.append((message.id, before, (message.string, path.name)))
    assert not wrong


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.stem)
def test_texts_are_literals(path):
    """A text put together before it is looked up can never be found in a catalogue."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and looked_up(node.func):
            assert not any(isinstance(a, ast.JoinedStr | ast.BinOp) for a in node.args), (
                f"{path.name}, line {node.lineno}: _() of an f-string or a sum"
            )


def test_sources_of_cut_offs_that_hold_words_are_translated():
    have = translated()
    worded = [row.source for row in THRESHOLDS.values() if re.search(r"\b[a-z]{2,}", row.source)]
    assert len(worded) > 10
    assert not [source for source in worded if not have.get(source)]
