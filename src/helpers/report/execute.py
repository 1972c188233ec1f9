"""Run one notebook in a kernel of its own, and keep what it made if it fails."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillException, PapermillExecutionError
from papermill.iorw import load_notebook_node

from helpers.report.kernels import Kernels
from helpers.report.languages import ENGINE, copies
from helpers.report.limits import Limits
from helpers.survey.selection import WHERE

CELL_SECONDS = 900
"""Longest time one cell may take."""

_AGAIN_SECONDS = 0.2
MARKER_TAG = "papermill-error-cell-tag"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a notebook did not run to its end.

    Attributes
    ----------
    kind : {"error", "timeout", "late", "killed", "start", "page"}
        A cell raised; a cell took too long; the report took too long; the kernel died; no kernel
        came up; the page could not be made of what the notebook shows.
    name, message : str
        Class and text of the exception.
    traceback : tuple of str
        Lines as the kernel coloured them; empty unless ``kind`` is ``"error"``.
    cell : int or None
        Position of the cell that failed.
    """

    kind: Literal["error", "timeout", "late", "killed", "start", "page"]
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
    seconds_left: float | None = None,
    limits: Limits | None = None,
) -> Executed:
    """Run a notebook with papermill and return it with its outputs, in every language.

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
    seconds_left : float, optional
        Time left for the report that the notebook belongs to; its kernel is ended after it.
    limits : Limits, optional
        Memory and length of output.
    """
    if seconds_left is not None and seconds_left <= 0:
        late = Failure("late", "ReportTimeout", "the time of its report was over before it began")
        return Executed(_tidied(nbformat.read(source, as_version=4)), 0.0, late)
    folder = Path(tempfile.mkdtemp(dir=kernels.folder))
    target = folder / source.name
    kernel_name = kernels.name()
    if "study" in parameters:
        kernels.open_ahead(str(parameters["study"]).partition(WHERE)[0].strip())
    started = time.perf_counter()
    failure = None
    managers: list[AsyncKernelManager] = []
    guard = _Guard(kernels, managers, seconds_left)
    env = (limits or Limits()).environment()
    others = copies(load_notebook_node(str(source)), parameters)
    try:
        papermill.execute_notebook(
            _escaped(source), _escaped(target), dict(parameters), kernel_name=kernel_name,
            engine_name=ENGINE, others=others, language="python", progress_bar=False,
            log_output=False, execution_timeout=cell_seconds,
            kernel_manager_class=kernels.manager_class(managers, env=env),
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
    finally:
        guard.end()
    if guard.fired:
        failure = Failure("late", "ReportTimeout", f"no time was left after {seconds_left:.0f} s")
    seconds = time.perf_counter() - started
    notebook = nbformat.read(target if target.exists() else source, as_version=4)
    shutil.rmtree(folder, ignore_errors=True)
    failure = failure or _passed_over(notebook)
    return Executed(_tidied(notebook), seconds, failure)


class _Guard:
    """Ends a notebook's kernel when the time of its report is over."""

    def __init__(
        self, kernels: Kernels, managers: list[AsyncKernelManager], seconds: float | None
    ) -> None:
        self.fired = False
        self._kernels, self._managers, self._seconds = kernels, managers, seconds
        self._over = threading.Event()
        if seconds is not None:
            threading.Thread(target=self._watch, daemon=True).start()

    def end(self) -> None:
        """Stop watching."""
        self._over.set()

    def _watch(self) -> None:
        """Wait, then end the kernel; again, in case it had not started yet."""
        wait = self._seconds
        while not self._over.wait(max(wait, 0.0)):
            self.fired = True
            for manager in self._managers:
                self._kernels.kill(manager)
            wait = _AGAIN_SECONDS


def _escaped(path: Path) -> str:
    """Return a path in which papermill does not take braces for parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _passed_over(notebook: nbformat.NotebookNode) -> Failure | None:
    """Return the error that papermill lets pass: ``sys.exit()`` with nothing or 0."""
    for position, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                trace = tuple(output.traceback)
                return Failure("error", output.ename, output.evalue, trace, position)
    return None


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
