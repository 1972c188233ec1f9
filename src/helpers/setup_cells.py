"""Which cells of a notebook set it up: they run even where the notebook does not apply."""

from __future__ import annotations

import ast


def only_setup(lines: list[str]) -> list[str]:
    """Keep cells of imports and literals, and the one with ``begin``; turn others into nothing."""
    try:
        body = ast.parse("".join(lines)).body
    except SyntaxError:
        return lines
    begins = any(_is_begin(node) for node in body)
    return lines if begins or all(_is_setup(node) for node in body) else ["None\n"]


def _is_begin(node: ast.stmt) -> bool:
    """Tell whether a statement opens a study, perhaps another one than before."""
    call = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    return named and call.func.id == "begin"


def _is_setup(node: ast.stmt) -> bool:
    """Tell whether a statement is an import or a literal assignment."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return True
