"""What a run was made from and what it made: ``manifest.json`` and ``results.json``."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import helpers
from helpers import paths
from helpers.study import study_folder

MANIFEST, RESULTS = "manifest.json", "results.json"
PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "statsmodels",
    "semopy",
    "seaborn",
    "matplotlib",
    "papermill",
)
_BLOCK = 1 << 20


def data_files(study: str) -> dict[str, str]:
    """Return the sha256 of every file in the study's folder, derived ones left out."""
    folder = study_folder(study)
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and inside.parts[0] != "derived":
            found[inside.as_posix()] = file_sha256(path)
    return found


def data_hash(files: Mapping[str, str]) -> str:
    """Return one hash for all files of a study."""
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()


@cache
def versions() -> dict[str, str]:
    """Return the versions behind the numbers."""
    found = {"python": platform.python_version(), "helpers": helpers.__version__}
    for name in PACKAGES:
        found[name] = metadata.version(name)
    return found


@cache
def commit() -> str:
    """Return the commit of the project, ``+`` for local changes; empty where there is none."""
    root = paths.project_root()
    if not (root / ".git").exists():
        return ""
    head = _git(root, "rev-parse", "--short=12", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return head + ("+" if head and changed else "")


def read_json(path: Path) -> dict[str, Any]:
    """Return what a JSON file of an earlier run holds; nothing if it is missing or torn."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def as_json(values: Mapping[str, Any]) -> str:
    """Return JSON that a person can read too."""
    return json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def results_of(payloads: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the results of one notebook by kind, each with its definition."""
    groups = {"number": "numbers", "table": "tables", "checks": "checks"}
    groups |= {"sentence": "sentences", "figure": "figures", "unavailable": "unavailable"}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in groups.values()}
    for payload in payloads:
        group = groups.get(payload.get("kind", ""))
        if group is None:
            continue
        entry = {k: v for k, v in payload.items() if k not in ("kind", "csv", "checks")}
        if group == "checks":
            found[group] += payload["checks"]
        else:
            found[group].append(entry)
    return {name: entries for name, entries in found.items() if entries}


def file_sha256(path: Path) -> str:
    """Return a file's hash without holding the file."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _git(root: Path, *words: str) -> str:
    """Return what git answers, or nothing."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
