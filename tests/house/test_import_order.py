"""Contract: any module can be imported first: no imports at module level run in a circle."""

import re
from pathlib import Path

IMPORT = re.compile(r"^from (helpers[\w.]*) import (?:\(([^)]*)\)|(.*))$", re.MULTILINE)
"""An import at module level: it starts its line; those of functions and of types are indented."""

PACKAGE = Path(__file__).parents[2] / "src" / "helpers"


def named(path: Path) -> str:
    parts = ("helpers", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {named(path): path for path in PACKAGE.rglob("*.py")}


def imported(module: str) -> set[str]:
    """What runs before the module's own lines: its imports, and the packages around them."""
    found = set()
    for source, several, single in IMPORT.findall(FILES[module].read_text(encoding="utf-8")):
        names = [name.split(" as ")[0].strip() for name in (several or single).split(",")]
        for target in (source, *(f"{source}.{name}" for name in names)):
            if target in FILES:
                parts = target.split(".")
                found |= {".".join(parts[: k + 1]) for k in range(1, len(parts))}
    return {name for name in found if not f"{module}.".startswith(f"{name}.")}


def circles() -> list[str]:
    done: set[str] = set()
    found: list[str] = []

    def visit(module: str, way: list[str]) -> None:
        for name in sorted(imported(module)):
            if name in way:
                found.append(" -> ".join([*way[way.index(name) :], name]))
            elif name not in done:
                visit(name, [*way, name])
        done.add(module)

    for module in sorted(FILES):
        if module not in done:
            visit(module, [module])
    return found


def test_no_imports_run_in_a_circle():
    assert not circles()
