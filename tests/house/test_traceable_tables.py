"""Contract: every table of every notebook says what its numbers are and which function made it."""

import ast
import importlib
from pathlib import Path

import nbformat
import pytest

from helpers.report.makers import makers

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def shown_tables(notebook):
    """Each ``lesson.table`` call with an id."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                named = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                if named and node.func.attr == "table":
                    keywords = {k.arg: k.value for k in node.keywords}
                    if "id" in keywords:
                        yield keywords["id"].value, keywords.get("definition")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem[:2])
def test_every_table_has_a_definition(path):
    lost = [
        id
        for id, definition in shown_tables(nbformat.read(path, 4))
        if not (isinstance(definition, ast.Constant) and str(definition.value).strip())
    ]
    assert not lost, f"{path.name}: lesson.table({lost[0]!r}) needs definition= as a literal"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem[:2])
def test_every_table_is_traced_to_a_documented_function(path):
    notebook = nbformat.read(path, 4)
    made_by = makers(notebook)
    for id, _definition in shown_tables(notebook):
        assert id in made_by, f"{path.name}: what lesson.table({id!r}) shows is no call's result"
        module, _dot, function = made_by[id].rpartition(".")
        assert getattr(importlib.import_module(module), function).__doc__, made_by[id]


def test_a_maker_is_followed_through_names_and_renamed_imports():
    cells = (
        "from helpers.tables import sem_tables as tables\nimport pandas",
        "first = tables.paths_table(fit)\nsecond = first\nloop = loop",
        "lesson.table(second, id='a')\nlesson.table(tables.fit_table(fit), id='b')",
        "lesson.table(loop, id='c')\nlesson.table(unknown(1), id='d')\n%matplotlib",
        "lesson.table(pandas.DataFrame(), id='e')",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    # Cell 4 holds a line that is no Python, so that nothing in it is read.
    assert makers(notebook) == {
        "a": "helpers.tables.sem_tables.paths_table",
        "b": "helpers.tables.sem_tables.fit_table",
        "e": "pandas.DataFrame",
    }
