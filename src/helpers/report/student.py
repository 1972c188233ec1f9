"""Student copies: the notebooks without solutions, in the language of the reader."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers import paths
from helpers.errors import ReportError
from helpers.i18n import _, in_language, prose
from helpers.report.comments import with_translated_comments
from helpers.report.folder import prepare, write_whole
from helpers.report.request import select_notebooks
from helpers.report.syntax import parsed
from helpers.study import study_folder

FOLDER = "student"


def write_student_copies(
    study: str, *, language: str = "en", only: Sequence[str] = (), out: Path | None = None
) -> list[Path]:
    """Write a copy of each notebook in which the exercises are left to the reader.

    Solution cells become ``answer_k = ...``; the cells that check the answers stay. Prose, and the
    help texts of the parameters, are in the chosen language, and the parameters name the study and
    the language, so that a copy runs as it is.

    Parameters
    ----------
    study : str
        Name of a folder below ``data/``.
    language : str
        ``"en"`` or ``"zh"``.
    only : sequence of str
        Two-digit numbers of notebooks; empty for all.
    out : Path, optional
        Folder to write into; by default ``reports/student/<study>/<language>``.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ReportError
        The folder holds a copy already, which may hold somebody's answers: nothing is written.
    """
    study_folder(study)
    with in_language(language):
        copies = {
            source.name: student_copy(
                nbformat.read(source, as_version=4), number=source.name[:2],
                parameters={"study": study, "language": language},
            )
            for source in select_notebooks(only, option="study student: --only")
        }  # fmt: skip
    folder = out or paths.reports_folder() / FOLDER / study / language
    _refuse_answers(folder, list(copies))
    prepare(folder, parts=(), command="study student")
    for name, copy in copies.items():
        write_whole(folder / name, nbformat.writes(copy) + "\n")
    return [folder / name for name in copies]


def student_copy(
    notebook: NotebookNode, *, number: str, parameters: dict[str, str]
) -> NotebookNode:
    """Return a notebook without solutions, in the current language.

    Parameters
    ----------
    notebook : NotebookNode
        The author's; not changed.
    number : str
        First two digits of its name.
    parameters : dict
        New values of parameters of type text.
    """
    copy = deepcopy(notebook)
    for cell in copy.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            cell.source = prose(cell.source, number=number)
            continue
        if "solution" in tags:
            cell.source = _unanswered(cell.source)
            cell.metadata["tags"] = [tag for tag in tags if tag != "solution"]
        elif "parameters" in tags:
            cell.source = _with_values(cell.source, parameters)
        cell.source = with_translated_comments(cell.source)
    return copy


def _unanswered(solution: str) -> str:
    """Return the lines in which the answers of a solution cell are still to be given."""
    names = [
        target.id
        for node in parsed(solution).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.startswith("answer_")
    ]
    return "\n".join(f"{name} = ...  # {_('your answer')}" for name in names)


def _with_values(source: str, values: dict[str, str]) -> str:
    """Return a parameters cell with new defaults; everything else stays as it is."""
    lines = source.splitlines()
    for i, line in enumerate(lines):
        name = line.partition(":")[0].strip()
        if name in values:
            start, _sign, rest = line.partition("=")
            _value, mark, help_text = rest.partition("  #")
            told = json.dumps(values[name], ensure_ascii=False)
            lines[i] = f"{start}= {told}{mark}{help_text}"
    return "\n".join(lines)


def _refuse_answers(folder: Path, names: list[str]) -> None:
    """Raise if a copy is there already."""
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise ReportError(
            f"study student: {paths.shown(folder)} holds {there[0]} already, perhaps with answers "
            "in it; nothing was written. Name another folder with --out, or move it away."
        )
