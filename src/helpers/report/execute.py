"""Run one notebook in a kernel of its own, and keep what it made if it fails."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillException, PapermillExecutionError

from helpers.report.kernels import Kernels

CELL_SECONDS = 900
"""Longest time one cell may take."""

MARKER_TAG = "papermill-error-cell-tag"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a notebook did not run to its end.

    Attributes
    ----------
    kind : {"error", "timeout", "killed", "start", "page"}
        A cell raised; a cell took too long; the kernel died; no kernel came up; the page could
        not be made of what the notebook shows.
    name, message : str
        Class and text of the exception.
    traceback : tuple of str
        Lines as the kernel coloured them; empty unless ``kind`` is ``"error"``.
    cell : int or None
        Position of the cell that failed.
    """

    kind: Literal["error", "timeout", "killed", "start", "page"]
    name: str
    message: str
    traceback: tuple[str, ...] = ()
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Executed:
    """A notebook with the outputs it reached."""

    notebook: nbformat.NotebookNode
    seconds: float
    failure: Failure | None


def execute(
    source: Path,
    *,
    parameters: Mapping[str, Any],
    kernels: Kernels,
    cwd: Path,
    cell_seconds: int = CELL_SECONDS,
) -> Executed:
    """Run a notebook with papermill and return it with its outputs.

    Parameters
    ----------
    source : Path
        The notebook; it is read, never written.
    parameters : mapping
        Already checked against the notebook's own.
    kernels : Kernels
        Where the kernel comes from.
    cwd : Path
        Working folder of the kernel.
    cell_seconds : int
        Longest time for one cell.
    """
    target = kernels.folder / "executed" / source.name
    target.parent.mkdir(exist_ok=True)
    kernel_name = kernels.name()
    started = time.perf_counter()
    failure = None
    try:
        papermill.execute_notebook(
            _escaped(source), _escaped(target), dict(parameters), kernel_name=kernel_name,
            language="python", progress_bar=False, log_output=False,
            execution_timeout=cell_seconds, kernel_manager_class=kernels.manager_class,
            resources={"metadata": {"path": str(cwd)}},
        )  # fmt: skip
    except PapermillExecutionError as error:
        trace = tuple(error.traceback)
        failure = Failure("error", error.ename, error.evalue, trace, error.cell_index)
    except CellTimeoutError as error:
        failure = Failure("timeout", "CellTimeoutError", _first_line(error))
    except DeadKernelError as error:
        failure = Failure("killed", "DeadKernelError", _first_line(error))
    except (PapermillException, RuntimeError, OSError) as error:
        failure = Failure("start", type(error).__name__, _first_line(error))
    seconds = time.perf_counter() - started
    notebook = nbformat.read(target if target.exists() else source, as_version=4)
    target.unlink(missing_ok=True)
    return Executed(_tidied(notebook), seconds, failure)


def _escaped(path: Path) -> str:
    """Return a path in which papermill does not take braces for parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _first_line(error: BaseException) -> str:
    """Return the first line of an exception's text."""
    return (str(error).strip().splitlines() or [""])[0]


def _tidied(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Remove what papermill adds for itself: error marks, paths, times, and the run's kernel."""
    cells = [c for c in notebook.cells if MARKER_TAG not in c.metadata.get("tags", [])]
    notebook.cells = cells
    notebook.metadata.pop("papermill", None)
    for cell in cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3", "language": "python", "name": "python3",
    }  # fmt: skip
    return notebook
