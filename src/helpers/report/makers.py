"""Which function made each result of a notebook, read from the source of its cells.

A number in ``results.json`` is traced to its formula by the name of the function that returned
it: ``helpers.tables.sem_tables.paths_table``. The name is the same from run to run and in every
language, and the function's docstring holds formula and source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nbformat import NotebookNode

from helpers.report.syntax import parsed

_SHOWN_BY = ("table", "figure")


def makers(notebook: NotebookNode) -> dict[str, str]:
    """Return id of table or figure -> full name of the function whose result it shows.

    A result that was given a name in an earlier line is followed back to the call; one that no
    call of an imported function returned is left out.
    """
    nodes = list(_nodes(notebook))
    modules = dict(_imports(nodes))
    given = {
        target.id: node.value
        for node in nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = {}
    for node in nodes:
        id = _shown_id(node)
        if id:
            name = _function(node.args[0], given)
            head, dot, rest = name.partition(".")
            if head in modules:
                found[id] = modules[head] + dot + rest
    return found


def _nodes(notebook: NotebookNode) -> Iterable[ast.AST]:
    """Yield the syntax of all code cells; a cell that is no plain Python is passed over."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            try:
                yield from ast.walk(parsed(cell.source))
            except SyntaxError:
                continue


def _imports(nodes: Iterable[ast.AST]) -> Iterable[tuple[str, str]]:
    """Yield each imported name with what it stands for."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, alias.name


def _shown_id(node: ast.AST) -> str:
    """Return the id of the result that a call shows; empty for any other node."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return ""
    if node.func.attr not in _SHOWN_BY:
        return ""
    ids = [k.value for k in node.keywords if k.arg == "id"]
    return str(ids[0].value) if ids and isinstance(ids[0], ast.Constant) else ""


def _function(value: ast.expr, given: dict[str, ast.expr]) -> str:
    """Return the dotted name of the function whose result a value is; empty if none is."""
    seen: set[str] = set()
    while isinstance(value, ast.IfExp) or (isinstance(value, ast.Name) and value.id not in seen):
        if isinstance(value, ast.IfExp):  # the other branch says why there is nothing to show
            value = value.body
            continue
        seen.add(value.id)
        value = given.get(value.id, value)
    if not isinstance(value, ast.Call):
        return ""
    parts: list[str] = []
    function = value.func
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    return ".".join([function.id, *reversed(parts)]) if isinstance(function, ast.Name) else ""
