"""Contract: the rules for notebooks; each fault names file, cell, rule and cure."""

import ast
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
TAGS = {"parameters", "solution", "hide-input", "report"}
HEADINGS = ("## Question", "## Method", "## Result", "## Check", "## Conclusion", "## Exercises")
WITHOUT_LESSON_FORM = ("00_", "95_", "96_")
MOST_LINES, MOST_CELLS, MOST_KILOBYTES = 15, 60, 100


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell):
    text = cell["source"]
    return text if isinstance(text, str) else "".join(text)


def code_cells(path):
    return [(i, c) for i, c in enumerate(cells(path)) if c["cell_type"] == "code"]


def tags(cell):
    return set(cell.get("metadata", {}).get("tags", []))


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 14


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestNotebook:
    def test_stores_no_outputs(self, path):
        stored = [i for i, c in code_cells(path) if c.get("outputs") or c.get("execution_count")]
        assert not stored, f"{path.name}, cells {stored}: stored outputs; clear them before commit"

    def test_has_one_parameters_cell_before_all_code(self, path):
        tagged = [i for i, c in code_cells(path) if "parameters" in tags(c)]
        first = code_cells(path)[0][0]
        assert tagged == [first], f"{path.name}: the first code cell alone is tagged parameters"

    def test_parameters_are_plain_literals_with_type_and_help(self, path):
        cell = source(code_cells(path)[0][1])
        for line in filter(str.strip, cell.splitlines()):
            node = ast.parse(line).body[0]
            assert isinstance(node, ast.AnnAssign), f"{path.name}: '{line}': name: type = value"
            assert isinstance(node.annotation, ast.Name), f"{path.name}: '{line}': plain type"
            ast.literal_eval(node.value)
            assert "  # " in line, f"{path.name}: '{line}': the comment is the help text"
            assert line.count("=") == 1, f"{path.name}: '{line}': papermill skips a second ="

    def test_takes_study_and_language(self, path):
        cell = source(code_cells(path)[0][1])
        assert 'study: str = "online_shopping"' in cell
        assert 'language: str = "en"' in cell

    def test_cells_are_short(self, path):
        long = {i: source(c).count("\n") + 1 for i, c in code_cells(path)}
        long = {i: n for i, n in long.items() if n > MOST_LINES}
        assert not long, f"{path.name}: cells {long} are over {MOST_LINES} lines; move to helpers"

    def test_has_few_cells_and_little_weight(self, path):
        assert len(cells(path)) < MOST_CELLS
        assert path.stat().st_size < MOST_KILOBYTES * 1000

    def test_defines_nothing(self, path):
        for i, cell in code_cells(path):
            text = source(cell)
            for word in ("sys.path", "!pip", "%pip", "%run", "filterwarnings", "importlib"):
                assert word not in text, f"{path.name}, cell {i}: {word}; move to helpers"
            for node in ast.walk(ast.parse(text)):
                kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
                assert not isinstance(node, kinds), f"{path.name}, cell {i}: def or class"

    def test_uses_known_tags(self, path):
        unknown = {t for c in cells(path) for t in tags(c)} - TAGS
        assert not unknown, f"{path.name}: tags {unknown}; allowed are {sorted(TAGS)}"

    def test_has_unique_cell_ids(self, path):
        ids = [c.get("id") for c in cells(path)]
        assert None not in ids, f"{path.name}: a cell has no id"
        assert len(set(ids)) == len(ids), f"{path.name}: cell ids are not unique"

    def test_has_one_title(self, path):
        titles = [
            line
            for c in cells(path)
            if c["cell_type"] == "markdown"
            for line in source(c).splitlines()
            if line.startswith("# ")
        ]
        assert len(titles) == 1, f"{path.name}: one '# ' title, found {titles}"
        start = f"# {path.name[:2]} "
        assert titles[0].startswith(start), f"{path.name}: the title starts with '{start}'"
        assert "#" not in titles[0][1:], f"{path.name}: a sign of markup in the title"

    def test_reads_as_a_lesson(self, path):
        if path.name.startswith(WITHOUT_LESSON_FORM):
            pytest.skip("start page, paper and brief have a form of their own")
        prose = "\n".join(source(c) for c in cells(path) if c["cell_type"] == "markdown")
        places = [prose.find(f"\n{h}") if not prose.startswith(h) else 0 for h in HEADINGS]
        absent = [h for h, place in zip(HEADINGS, places) if place < 0]
        assert not absent, f"{path.name}: headings {absent} are missing"
        assert places == sorted(places), f"{path.name}: headings out of order"

    def test_depends_on_no_machine(self, path):
        kernel = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("kernelspec", {})
        assert kernel.get("name", "python3") == "python3"
        assert "widgets" not in json.loads(path.read_text(encoding="utf-8"))["metadata"]
