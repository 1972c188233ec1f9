"""One execution, every language: after a notebook has run, its cells run again in the others.

The second reading happens in the same kernel, where the statistics are remembered
(``helpers.memo``), so that only words, tables and drawings are made anew. Its outputs travel in
the metadata of the cells, so that the stored notebook can be rendered in either language.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode, from_dict
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.parameterize import parameterize_notebook
from traitlets import Dict

from helpers.i18n import LANGUAGES

if TYPE_CHECKING:
    from helpers.report.execute import Executed

ENGINE = "every-language"
KEY = "languages"
"""Key in the metadata of a cell (outputs by language) and of the notebook (how each ended)."""

_REMEMBER = "from helpers import rereading as _r; _r.start_remembering(); del _r"
_CLEAR = "from helpers import rereading as _r; _r.clear_names(); del _r"


class _Client(PapermillNotebookClient):
    """Runs the notebook, then the copies of it that are set to other languages."""

    others = Dict()

    def papermill_execute_cells(self) -> None:
        """Run all cells, then all cells of each copy; the outputs of copies go to metadata."""
        if self.others:
            self.wait_for_reply(self.kc.execute(_REMEMBER, silent=True))
        super().papermill_execute_cells()
        for language, copy in self.others.items():
            self.wait_for_reply(self.kc.execute(_CLEAR, silent=True))
            self._read_again(language, copy)

    def _read_again(self, language: str, copy: NotebookNode) -> None:
        """Run a copy up to its end or its first error."""
        first, self.nb = self.nb, copy
        failure = None
        try:
            for index, cell in enumerate(copy.cells):
                if failure is None:
                    failure = self._read_cell(cell, index)
        finally:
            self.nb = first
        first.metadata.setdefault(KEY, {})[language] = {"failure": failure}
        for mine, other in zip(first.cells, copy.cells, strict=True):
            if mine.cell_type == "code":
                told = {"outputs": other.outputs}
                if other.source != mine.source:
                    told["source"] = other.source
                mine.metadata.setdefault(KEY, {})[language] = told

    def _read_cell(self, cell: NotebookNode, index: int) -> dict[str, Any] | None:
        """Run one cell; return its error as plain data."""
        try:
            self.execute_cell(cell, index)
        except CellExecutionError as error:
            return {"name": error.ename, "message": error.evalue, "cell": index}
        return None


class EveryLanguageEngine(NBClientEngine):
    """papermill's engine, with our client in place of its own."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, others: Mapping[str, NotebookNode], **options: Any
    ) -> NotebookNode:
        """Run a notebook and its copies in one kernel."""
        passed_on = ("kernel_manager_class", "resources", "log_output")
        chosen = {name: options[name] for name in passed_on if name in options}
        chosen |= {"timeout": options["execution_timeout"]}
        chosen |= {"startup_timeout": options["start_timeout"]}
        client = _Client(nb_man, others=dict(others), kernel_name=kernel_name, **chosen)
        # Without a path nothing is saved: papermill would write the whole notebook at each cell.
        target, nb_man.output_path = nb_man.output_path, None
        try:
            return client.execute()
        finally:
            nb_man.output_path = target


papermill_engines.register(ENGINE, EveryLanguageEngine)


def copies(notebook: NotebookNode, parameters: Mapping[str, Any]) -> dict[str, NotebookNode]:
    """Return a notebook with its parameters set, once for each language but the one it is in.

    A notebook without a parameter ``language`` speaks none and has no copies.
    """
    if "language" not in parameters:
        return {}
    return {
        other: parameterize_notebook(
            deepcopy(notebook), {**parameters, "language": other}, kernel_name="python3",
            language="python",
        )
        for other in LANGUAGES
        if other != parameters["language"]
    }  # fmt: skip


def failed_anywhere(executed: Executed) -> bool:
    """Tell whether an execution ended early in any language."""
    ended = executed.notebook.metadata.get(KEY, {})
    return executed.failure is not None or any(each["failure"] for each in ended.values())


def told_in(executed: Executed, language: str) -> Executed:
    """Return an executed notebook as if it had run in another language.

    Parameters
    ----------
    executed : Executed
        As it ran, or as it was kept. Where it has no outputs in that language (it ran in it, or
        speaks none, or its kernel died) those it has are returned.
    language : str

    Returns
    -------
    Executed
        With the outputs of that language only.
    """
    from helpers.report.execute import Failure

    notebook = deepcopy(executed.notebook)
    ended = notebook.metadata.pop(KEY, {})
    for cell in notebook.cells:
        told = cell.metadata.pop(KEY, {}).get(language)
        if told is not None:
            cell.outputs = [from_dict(output) for output in told["outputs"]]
            cell.source = told.get("source", cell.source)
    found, failure = ended.get(language, {}).get("failure"), executed.failure
    if found:
        cell = notebook.cells[found["cell"]]
        told = next(o for o in cell.outputs if o.output_type == "error")
        trace = tuple(told.traceback)
        failure = Failure("error", found["name"], found["message"], trace, found["cell"])
    return replace(executed, notebook=notebook, failure=failure)
