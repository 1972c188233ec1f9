"""A small project in a temporary folder: one study of 40 made-up rows, notebooks of a few cells."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.modules.setdefault("rfc3987_syntax", None)
import nbformat  # noqa: E402

STUDY = """\
id: toy
kind: {kind}
title: {{en: Toy study, zh: 示例研究}}
provenance: {{en: Made for a test., zh: 为测试而制。}}
licence: CC0
citation: none
data: {{reader: csv, file: raw/answers.csv, sha256: "{sha}"}}
scales:
  agree7: {{kind: likert, low: 1, high: 7}}
constructs:
  - {{code: SAT, name: {{en: Satisfaction, zh: 满意度}}, role: satisfaction}}
"""
ITEMS = """\
item,construct,scale,wording_en,wording_zh,reverse
SAT1,SAT,agree7,I am satisfied,我感到满意,0
SAT2,SAT,agree7,It pleased me,我很高兴,0
"""
GROUPED = """
groups:
  half: {item: HALF, title: {en: half, zh: 半}}
  side: {item: SIDE, title: {en: side, zh: 边}}
"""
GROUPED_ITEMS = "HALF,,half2,Which half?,哪一半？,0\nSIDE,,half2,Which side?,哪一边？,0\n"
PARAMETERS = (
    'study: str = "toy"  # a folder below data/\n'
    'language: str = "en"  # en or zh\n'
    "n_boot: int = 100  # resamples\n"
    "share: float = 0.5  # a share\n"
    "deep: bool = False  # a switch"
)


@dataclass(frozen=True)
class Project:
    """The temporary project."""

    root: Path

    def notebook(self, name: str, *sources: str, parameters: str = PARAMETERS) -> Path:
        """Write a notebook: text that starts with ``#`` and a space is Markdown, the rest code."""
        meta = {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}}
        book = nbformat.v4.new_notebook(metadata=meta)
        book.cells.append(nbformat.v4.new_markdown_cell(f"# Does {name} work?"))
        book.cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
        for source in sources:
            prose = source.startswith(("# ", "## "))
            make = nbformat.v4.new_markdown_cell if prose else nbformat.v4.new_code_cell
            book.cells.append(make(source))
        path = self.root / "notebooks" / f"{name}.ipynb"
        nbformat.write(book, path)
        return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project with the study ``toy``."""
    return make_project(tmp_path / "p", monkeypatch)


@pytest.fixture
def grouped(project: Project) -> Project:
    """The toy study with two groupings of two levels each."""
    folder = project.root / "data" / "toy"
    text = (folder / "study.yml").read_text(encoding="utf-8")
    labels = "{1: {en: first, zh: 第一}, 2: {en: second, zh: 第二}}"
    scale = f"scales:\n  half2: {{kind: category, labels: {labels}}}"
    study = text.replace("scales:", scale) + GROUPED
    (folder / "study.yml").write_text(study, encoding="utf-8")
    with (folder / "items.csv").open("a", encoding="utf-8") as handle:
        handle.write(GROUPED_ITEMS)
    project.notebook("10_first", "1")
    project.notebook("20_second", "1")
    return project


@pytest.fixture(scope="module")
def module_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One project for the tests of a module that share a run."""
    with pytest.MonkeyPatch.context() as patch:
        yield make_project(tmp_path_factory.mktemp("p"), patch)


def make_project(root: Path, patch: pytest.MonkeyPatch, kind: str = "simulated") -> Project:
    """Write the project and make it the current one."""
    folder = root / "data" / "toy"
    (folder / "raw").mkdir(parents=True)
    (root / "notebooks").mkdir()
    (root / "pyproject.toml").write_text("")
    rows = "".join(f"{i % 7 + 1},{(i + i // 9) % 7 + 1}\n" for i in range(40))
    answers = f"SAT1,SAT2\n{rows}".encode()
    (folder / "raw" / "answers.csv").write_bytes(answers)
    sha = hashlib.sha256(answers).hexdigest()
    (folder / "study.yml").write_text(STUDY.format(kind=kind, sha=sha), encoding="utf-8")
    (folder / "items.csv").write_text(ITEMS, encoding="utf-8")
    patch.setenv("STUDY_ROOT", str(root))
    return Project(root)


Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def study(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Call the ``study`` command; return exit code, output and messages."""
    from helpers.cli import main

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        caught = capsys.readouterr()
        return code, caught.out, caught.err

    return call
