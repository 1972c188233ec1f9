"""Which of the suite's code a notebook runs on, and one hash a room of it.

Read from the imports as they are written, functions' own imports included, so that a change in a
room that a notebook never reaches does not make it run again.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

import nbformat

from helpers.report.syntax import parsed

PACKAGE = Path(__file__).resolve().parents[1]
_NAME = PACKAGE.name
_ON_DEMAND = f"{_NAME}.exercises.registry"
"""Imports the exercises of one notebook by name, which no import line shows."""
_PARTS = ("body", "orelse", "finalbody", "handlers", "cases")
"""Where statements stand within statements."""
_MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)


def notebook_hash(notebook: Path) -> str:
    """Return a hash of a notebook's cells: kind, tags and source, not what they put out."""
    return _cells_hash(notebook, notebook.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _cells_hash(notebook: Path, _changed: int) -> str:
    """Hash the cells of one state of the file."""
    digest = hashlib.sha256()
    for cell in nbformat.read(notebook, as_version=4).cells:
        tags = ",".join(cell.metadata.get("tags", []))
        digest.update(f"{cell.cell_type}\0{tags}\0{cell.source}\0".encode())
    return digest.hexdigest()


def room_hashes(notebook: Path) -> dict[str, str]:
    """Return room -> hash of the modules in it that a notebook reaches.

    Parameters
    ----------
    notebook : Path
        Its imports are the start; ``helpers.exercises.nNN`` of its number is added where answers
        are checked. Catalogues of texts count as the room ``helpers.locale`` where words are made.
    """
    reached = _reached(frozenset(_imports(_code_of(notebook))), notebook.name[:2])
    rooms: dict[str, list[str]] = {}
    for module in sorted(reached):
        rooms.setdefault(".".join(module.split(".")[:2]), []).append(module)
    hashes = {room: _hash_of([_file(m) for m in modules]) for room, modules in rooms.items()}
    if f"{_NAME}.i18n" in reached:
        hashes[f"{_NAME}.locale"] = _hash_of(sorted((PACKAGE / "locale").glob("*/*.po")))
    return hashes


def _reached(start: frozenset[str], number: str) -> set[str]:
    """Return the modules that are imported from a start on, directly or not."""
    left, reached = set(start), set()
    while left:
        module = left.pop()
        path = _file(module)
        if module in reached or path is None:
            continue
        reached.add(module)
        left |= _module_imports(path, path.stat().st_mtime_ns)
        if module == _ON_DEMAND:
            left.add(f"{_NAME}.exercises.n{number}")
    return reached


@lru_cache(maxsize=4096)
def _module_imports(path: Path, _changed: int) -> frozenset[str]:
    """Return what one state of a module imports from the package."""
    return frozenset(_imports(path.read_text(encoding="utf-8")))


def _imports(source: str) -> set[str]:
    """Return the package's modules that a source names in imports, with the packages above."""
    found = set()
    for node in _at_run_time(parsed(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            found |= _homes(node.module, [alias.name for alias in node.names])
    ours = {name for name in found if name.split(".")[0] == _NAME}
    return {parent for name in ours for parent in _with_parents(name) if _file(parent)}


def _homes(package: str, names: list[str]) -> frozenset[str]:
    """Return the modules from which a package fetches names when they are first asked for."""
    path = _file(package) if package.split(".")[0] == _NAME else None
    if path is None or all(_file(f"{package}.{name}") for name in names):
        return frozenset()
    return _named_modules(path, path.stat().st_mtime_ns) if path.stem == "__init__" else frozenset()


@lru_cache(maxsize=256)
def _named_modules(path: Path, _changed: int) -> frozenset[str]:
    """Return the modules that a source names in plain strings."""
    nodes = ast.walk(parsed(path.read_text(encoding="utf-8")))
    texts = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return frozenset(t for t in texts if t.startswith(f"{_NAME}.") and _file(t))


def _at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements but those that only a type checker sees."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            left += node.orelse
        else:
            for part in _PARTS:
                left += getattr(node, part, ())


def _with_parents(name: str) -> list[str]:
    """Return ``a``, ``a.b``, ``a.b.c`` for ``a.b.c``."""
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _code_of(notebook: Path) -> str:
    """Return the code cells of a notebook that are Python, without lines for the shell."""
    sources = []
    for cell in nbformat.read(notebook, as_version=4).cells:
        text = _MAGIC.sub("", cell.source) if cell.cell_type == "code" else ""
        if text and not cell.source.startswith("%%"):
            sources.append(text if _parses(text) else "")
    return "\n".join(sources)


def _parses(text: str) -> bool:
    """Tell whether a cell is Python; one that is not fails when it runs, and says so there."""
    try:
        parsed(text)
    except SyntaxError:
        return False
    return True


@cache
def _file(module: str) -> Path | None:
    """Return the file of a module of the package, if it is one."""
    base = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _hash_of(paths: Iterable[Path | None]) -> str:
    """Return one hash of several files."""
    digest = hashlib.sha256()
    for path in paths:
        if path is not None:
            digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
            digest.update(_content(path, path.stat().st_mtime_ns))
    return digest.hexdigest()[:16]


@lru_cache(maxsize=4096)
def _content(path: Path, _changed: int) -> bytes:
    """Return the hash of one state of a file."""
    return hashlib.sha256(path.read_bytes()).digest()
