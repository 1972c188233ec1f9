"""One run: every notebook in a kernel of its own, every page written as it is finished."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from helpers import paths
from helpers.errors import DataContractError
from helpers.i18n import in_language, pick
from helpers.report import folder, manifest
from helpers.report.bibliography import sources
from helpers.report.book import Book, Job, parameters_of
from helpers.report.cache import Cache, alone_with
from helpers.report.execute import CELL_SECONDS, Executed, execute
from helpers.report.facts import facts_of
from helpers.report.index import runs_index
from helpers.report.kernels import Kernels
from helpers.report.languages import failed_anywhere, told_in
from helpers.report.limits import Limits
from helpers.report.parameters import assign, declared
from helpers.report.progress import Progress
from helpers.report.request import Request, select_notebooks
from helpers.report.study_names import refuse_unknown_names
from helpers.study import StudyFolder, read_folder, study_folder
from helpers.survey.codebook import check_study
from helpers.survey.selection import check_terms, parse_selection


@dataclass(slots=True)
class Outcome:
    """What a run came to.

    Attributes
    ----------
    folder : Path
        Where the pages are.
    made, failed : list of str
        Names of notebooks.
    why : dict
        Notebook -> why it was run again, in words; empty words if its kept outputs were used.
    seconds : float
    why_plain : str
        Why ordinary kernels were used; empty if they were forked.
    """

    folder: Path
    made: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    why: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0
    why_plain: str = ""

    @property
    def exit_code(self) -> int:
        """0 if everything asked for was made, else 1."""
        return 1 if self.failed else 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run may use and show.

    Attributes
    ----------
    cell_seconds : int
        Longest time for one cell.
    seconds : float or None
        Longest time for all notebooks together.
    limits : Limits
        Memory and length of output of one notebook.
    just_made : bool
        What is kept was made by this very call, so that a fresh request may use it as well.
    alone : bool
        The kernels serve this run only, and a bar is shown on a terminal.
    """

    cell_seconds: int = CELL_SECONDS
    seconds: float | None = None
    limits: Limits = Limits()
    just_made: bool = False
    alone: bool = True


def run(
    request: Request, *others: Request, cell_seconds: int = CELL_SECONDS
) -> tuple[Outcome, ...]:
    """Render a study: check everything, then run and write notebook by notebook.

    Parameters
    ----------
    request : Request
        From ``make_requests``.
    *others : Request
        The same in other languages, made from the same executions.
    cell_seconds : int
        Longest time for one cell.

    Raises
    ------
    ReportError, CodebookError
        Wrong parameters, an unknown or faulty study, a folder that cannot be written or that
        another run is writing: nothing has run and nothing has been written over.
    """
    opened = read_folder(study_folder(request.study))
    if request.selection:
        refuse_selection(opened, request.selection)
    refuse_unknown_names(request.parameters, opened)
    asked = [(each, plan(each)) for each in (request, *others)]
    outcomes = []
    with Kernels(warm=not request.plain_kernels, at_once=request.workers) as kernels:
        # Before the check, so that the fork server imports meanwhile; once for all languages,
        # because code that is edited meanwhile must not part them.
        data = manifest.data_hash(manifest.data_files(request.study))
        facts = [job.facts for job in _all_with_facts(asked[0][1], data, request, kernels)]
        refuse_faulty(request.study)
        for each, _jobs in asked:
            folder.prepare(each.folder)
        for each, jobs in asked:
            terms = Terms(cell_seconds, just_made=bool(outcomes))
            jobs = [replace(job, facts=known) for job, known in zip(jobs, facts, strict=True)]
            outcomes.append(render(each, jobs, kernels, terms))
    Cache(request.base).prune()
    runs_index(request.base, language=request.language)
    return tuple(outcomes)


def render(request: Request, jobs: Sequence[Job], kernels: Kernels, terms: Terms) -> Outcome:
    """Run and write the notebooks of a request that has been checked.

    Parameters
    ----------
    request : Request
    jobs : sequence of Job
        From ``plan``, with or without their facts.
    kernels : Kernels
        Where kernels come from; it may serve many runs.
    terms : Terms
    """
    started = time.perf_counter()
    study = read_folder(study_folder(request.study))
    outcome = Outcome(request.folder)
    with folder.locked(request.folder), in_language(request.language):
        if request.fresh:
            folder.empty(request.folder)
        title = pick(study.spec.title.model_dump())
        book = Book(request, title=title, simulated=study.is_simulated, jobs=jobs)
        if not all(job.facts for job in jobs):
            jobs = _all_with_facts(jobs, book.data_hash, request, kernels)
        outcome.why = {job.name: book.reasons(job) for job in jobs}
        sources()  # every page needs them; made while the fork server imports
        try:
            _run_all(jobs, book, kernels, outcome, terms)
        finally:
            outcome.seconds = time.perf_counter() - started
            outcome.why_plain = kernels.why_plain
            book.close(seconds=outcome.seconds, kernels=kernels.why_plain)
    return outcome


def refuse_selection(study: StudyFolder, selection: str) -> None:
    """Raise if a selection names what the study does not have."""
    faults = check_terms(study, parse_selection(selection))
    if faults:
        raise DataContractError("\n".join(faults))


def refuse_faulty(name: str) -> None:
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
    fixed = {"study": request.opened, "language": request.language}
    return [
        Job(
            source,
            {**{n: v for n, v in fixed.items() if n in allowed[source.name]}, **given[source.name]},
            allowed[source.name],
        )
        for source in sources
    ]


def with_facts(job: Job, *, data: str, request: Request) -> Job:
    """Return a job with what its outputs depend on."""
    forked = not request.plain_kernels
    facts = facts_of(job.source, parameters=parameters_of(job), data=data, forked=forked)
    return replace(job, facts=facts)


def _all_with_facts(
    jobs: Sequence[Job], data: str, request: Request, kernels: Kernels
) -> list[Job]:
    """Return jobs with their facts; the fork server begins once one of them has to run."""
    cache, known = Cache(request.base), []
    for job in jobs:
        known.append(with_facts(job, data=data, request=request))
        if request.fresh or not cache.has(known[-1].facts.key()):
            kernels.begin()
    return known


class _Clock:
    """The time of one report; it runs from the first notebook that has to be executed."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds, self._until = seconds, None
        self._starting = threading.Lock()

    def left(self) -> float | None:
        """Return the seconds that are left; None without a limit."""
        if self._seconds is None:
            return None
        with self._starting:
            if self._until is None:
                self._until = time.monotonic() + self._seconds
        return max(0.0, self._until - time.monotonic())

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let no time of the report pass: it waits for others."""
        began = time.monotonic()
        try:
            yield
        finally:
            with self._starting:
                if self._until is not None:
                    self._until += time.monotonic() - began


def _run_all(
    jobs: Sequence[Job], book: Book, kernels: Kernels, outcome: Outcome, terms: Terms
) -> None:
    """Run the jobs on threads; each thread drives one kernel at a time."""
    progress = Progress(len(jobs), shown=terms.alone)
    stopping = threading.Event()
    cache = Cache(book.request.base)
    clock = _Clock(terms.seconds)

    def work(job: Job) -> str | None:
        if stopping.is_set():
            return None
        progress.start(job.name)
        done = _kept_or_run(job, book, kernels, cache, terms, clock)
        status = None if stopping.is_set() else book.add(job, done)
        progress.finish(job.name)
        return status

    # One thread more than notebooks run at once: a page is written while the next one runs.
    threads = book.request.workers + (1 if terms.alone else 0)
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="notebook") as pool:
        pending = {pool.submit(work, job): job for job in book.longest_first(jobs)}
        try:
            _collect(pending, outcome)
        except BaseException:
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            if terms.alone:
                kernels.stop()
            raise
        finally:
            progress.close()


def _kept_or_run(
    job: Job, book: Book, kernels: Kernels, cache: Cache, terms: Terms, clock: _Clock
) -> Executed:
    """Return an executed notebook: the kept one if all it depends on is as it was.

    Of two reports that need the same execution at once, one waits for the other's.
    """
    language, key = book.request.language, job.facts.key()
    with alone_with(key):
        fresh = book.request.fresh and not terms.just_made
        kept = None if fresh else cache.get(key)
        if kept is not None:
            return told_in(kept, language)
        done = _executed(job, kernels, terms, clock)
        if not failed_anywhere(done):
            cache.put(key, done)
    return told_in(done, language)


def _executed(job: Job, kernels: Kernels, terms: Terms, clock: _Clock) -> Executed:
    """Run a notebook within the terms, as soon as there is place for it."""
    with ExitStack() as held:
        with clock.stopped():
            kernels.name()  # waits for the fork server
            held.enter_context(kernels.place)
        return execute(
            job.source, parameters=job.given, kernels=kernels, cwd=paths.project_root(),
            cell_seconds=terms.cell_seconds, limits=terms.limits,
            seconds_left=clock.left(),
        )  # fmt: skip


def _collect(pending: dict[Future[str | None], Job], outcome: Outcome) -> None:
    """Sort finished jobs into made and failed."""
    while pending:
        # A finite wait lets Ctrl-C through on every platform.
        done, _rest = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in done:
            job = pending.pop(future)
            (outcome.failed if future.result() == "failed" else outcome.made).append(job.name)
