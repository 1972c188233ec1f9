"""One run: every notebook in a kernel of its own, every page written as it is finished."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from helpers import paths
from helpers.errors import DataContractError
from helpers.i18n import in_language, pick
from helpers.report import folder
from helpers.report.book import Book, Job
from helpers.report.execute import CELL_SECONDS, execute
from helpers.report.index import runs_index
from helpers.report.kernels import Kernels
from helpers.report.parameters import assign, declared
from helpers.report.progress import Progress
from helpers.report.request import Request, select_notebooks
from helpers.study import read_folder, study_folder
from helpers.survey.codebook import check_study


@dataclass(slots=True)
class Outcome:
    """What a run came to.

    Attributes
    ----------
    folder : Path
        Where the pages are.
    made, failed : list of str
        Names of notebooks.
    seconds : float
    why_plain : str
        Why ordinary kernels were used; empty if they were forked.
    """

    folder: Path
    made: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    why_plain: str = ""

    @property
    def exit_code(self) -> int:
        """0 if everything asked for was made, else 1."""
        return 1 if self.failed else 0


def run(request: Request, *, cell_seconds: int = CELL_SECONDS) -> Outcome:
    """Render a study: check everything, then run and write notebook by notebook.

    Parameters
    ----------
    request : Request
        From ``make_request``.
    cell_seconds : int
        Longest time for one cell.

    Raises
    ------
    ReportError, CodebookError
        Wrong parameters, an unknown or faulty study, a folder that cannot be written or that
        another run is writing: nothing has run and nothing has been written over.
    """
    study = read_folder(study_folder(request.study))
    _refuse_faulty(request.study)
    jobs = plan(request)
    folder.prepare(request.folder)
    started = time.perf_counter()
    with folder.locked(request.folder):
        if request.fresh:
            folder.empty(request.folder)
        warm = not request.plain_kernels
        with Kernels(warm=warm) as kernels, in_language(request.language):
            title = pick(study.spec.title.model_dump())
            book = Book(request, title=title, simulated=study.is_simulated, jobs=jobs)
            outcome = Outcome(request.folder)
            try:
                _run_all(jobs, book, kernels, outcome, workers=request.workers, limit=cell_seconds)
            finally:
                outcome.seconds = time.perf_counter() - started
                outcome.why_plain = kernels.why_plain
                book.close(seconds=outcome.seconds, kernels=kernels.why_plain)
    runs_index(request.base, language=request.language)
    return outcome


def _refuse_faulty(name: str) -> None:
    """Raise if the study's files have faults, so that no earlier page is written over."""
    faults = [finding for finding in check_study(name) if finding.severity == "error"]
    if faults:
        told = "\n".join(f"  - {fault.place}: {fault.sentence}" for fault in faults)
        raise DataContractError(
            f"study run: '{name}' has {len(faults)} faults in its files; nothing was run and "
            f"nothing written over. Correct them until `study check {name}` finds none.\n{told}"
        )


def plan(request: Request) -> list[Job]:
    """Return the notebooks with the parameters each is given; nothing has run yet."""
    sources = select_notebooks(request.only)
    allowed = {source.name: declared(source) for source in sources}
    given = assign(request.parameters, allowed)
    fixed = {"study": request.study, "language": request.language}
    return [
        Job(
            source,
            {**{n: v for n, v in fixed.items() if n in allowed[source.name]}, **given[source.name]},
            allowed[source.name],
        )
        for source in sources
    ]


def _run_all(
    jobs: Sequence[Job], book: Book, kernels: Kernels, outcome: Outcome, *, workers: int, limit: int
) -> None:
    """Run the jobs on threads; each thread drives one kernel at a time."""
    progress = Progress(len(jobs))
    stopping = threading.Event()

    def work(job: Job) -> str | None:
        if stopping.is_set():
            return None
        progress.start(job.name)
        done = execute(
            job.source, parameters=job.given, kernels=kernels, cwd=paths.project_root(),
            cell_seconds=limit,
        )  # fmt: skip
        status = None if stopping.is_set() else book.add(job, done)
        progress.finish(job.name)
        return status

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="notebook") as pool:
        pending = {pool.submit(work, job): job for job in book.longest_first(jobs)}
        try:
            _collect(pending, outcome)
        except BaseException:
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            kernels.stop()
            raise
        finally:
            progress.close()


def _collect(pending: dict[Future[str | None], Job], outcome: Outcome) -> None:
    """Sort finished jobs into made and failed."""
    while pending:
        # A finite wait lets Ctrl-C through on every platform.
        done, _rest = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in done:
            job = pending.pop(future)
            (outcome.failed if future.result() == "failed" else outcome.made).append(job.name)
