"""Contract: imports run one way, from the upper floors to the lower ones."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "helpers"

FLOORS = [
    ("cli",),
    ("commands",),
    ("report",),
    ("lesson",),
    ("exercises",),
    ("plots",),
    ("tables",),
    ("service",),
    ("sem",),
    ("regression",),
    ("measurement",),
    ("survey",),
    (
        "study",
        "results",
        "errors",
        "thresholds",
        "i18n",
        "paths",
        "specification",
        "service_specification",
        "fonts",
        "workers",
        "resampling",
        "blas",
        "memo",
        "rereading",
        "relabel",
        "setup_cells",
        "cluster",
        "typed_yaml",
        "typeset",
    ),  # fmt: skip
]
HEIGHT = {room: len(FLOORS) - i for i, floor in enumerate(FLOORS) for room in floor}
# `helpers/__init__.py` opens `load_study` lazily for outside users and belongs to no floor.
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[tuple[str, int]]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "helpers":
                names = [f"helpers.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "helpers" and len(parts) > 1:
                found.add((parts[1], node.lineno))
    return found


def test_every_room_has_a_floor():
    assert {room_of(p) for p in FILES} <= set(HEIGHT)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_run_downwards(path):
    here = room_of(path)
    wrong = [
        f"line {line}: {here} imports {room}"
        for room, line in imported_rooms(path)
        if room in HEIGHT and room != here and HEIGHT[room] > HEIGHT[here]
    ]
    sideways = [
        f"line {line}: {here} imports {room} on the same floor"
        for room, line in imported_rooms(path)
        if room in HEIGHT and room != here and HEIGHT[room] == HEIGHT[here] and HEIGHT[here] > 1
    ]
    assert not wrong + sideways


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_statistics_never_import_drawing(path):
    if HEIGHT[room_of(path)] > HEIGHT["plots"]:
        pytest.skip("an upper floor")
    if room_of(path) in ("plots", "fonts"):
        pytest.skip("the drawing room itself")
    text = path.read_text(encoding="utf-8")
    assert "import matplotlib" not in text
    assert "import seaborn" not in text


def test_only_the_report_room_imports_papermill():
    users = {
        room_of(p)
        for p in FILES
        if "papermill" in p.read_text(encoding="utf-8")
        and "import papermill" in p.read_text(encoding="utf-8")
    }
    assert users <= {"report"}
