"""Run a batch: reports side by side, each in a folder of its own, each told in the journal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from helpers.errors import ReportError
from helpers.report import folder
from helpers.report.batch.expand import Report
from helpers.report.batch.journal import Journal
from helpers.report.batch.line import is_kept, one_report
from helpers.report.batch.numbers import read_numbers
from helpers.report.batch.pages import write_pages
from helpers.report.batch.settings import Batch
from helpers.report.cache import Cache
from helpers.report.kernels import Kernels
from helpers.report.limits import Limits
from helpers.report.progress import Progress
from helpers.report.run import Terms, refuse_faulty

Line = dict[str, Any]
Tell = Callable[[str], object]


@dataclass(slots=True)
class BatchOutcome:
    """What a batch came to.

    Attributes
    ----------
    folder : Path
        Where its index is.
    lines : dict
        Report -> its line of the journal, those of earlier calls included.
    kept : list of str
        Reports that stood from an earlier call.
    left : list of str
        Reports that were not reached.
    stopped : str
        Why the batch ended early; empty if it did not.
    seconds : float
    why_plain : str
        Why ordinary kernels were used; empty if they were forked.
    """

    folder: Path
    lines: dict[str, Line] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    stopped: str = ""
    seconds: float = 0.0
    why_plain: str = ""

    def named(self, status: str) -> list[str]:
        """Return the reports that ended in one way."""
        return [name for name, line in self.lines.items() if line["status"] == status]

    @property
    def exit_code(self) -> int:
        """0 if every report was made or does not apply, else 1."""
        return 1 if self.stopped or self.left or self.named("failed") else 0


def run_batch(
    batch: Batch,
    reports: Sequence[Report],
    *,
    workers: int = 1,
    scheduler: str | None = None,
    resume: bool = False,
    tell: Tell = lambda _text: None,
) -> BatchOutcome:
    """Make the reports of a batch.

    Parameters
    ----------
    batch : Batch
        From ``read_batch``.
    reports : sequence of Report
        From ``expand``.
    workers : int
        Reports at once on this machine.
    scheduler : str, optional
        Address of a Dask scheduler whose workers make the reports.
    resume : bool
        Leave alone what an earlier call finished and what would come out the same.
    tell : callable
        Called with a sentence for each report that is made again, with the reason.

    Raises
    ------
    ReportError, DataContractError
        A faulty study, a folder that cannot be written, or one that another batch is writing:
        nothing has run.

    Notes
    -----
    A report that fails, hangs or is killed costs itself only. A disk that is full or a scheduler
    that goes away ends the batch: what was finished stays whole, the rest is named, and a call
    with ``resume`` goes on from there.
    """
    refuse_faulty(batch.spec.study)
    folder.prepare(batch.folder, parts=(), command="study batch")
    outcome = BatchOutcome(batch.folder, left=[report.name for report in reports])
    started = time.perf_counter()
    with folder.locked(batch.folder, command="study batch"):
        with Journal(batch.folder, resume=resume) as journal, _ends(batch, reports, outcome):
            todo = _leave_kept(reports, journal, outcome)
            if todo and batch.spec.memory_mb is not None and not scheduler and not _HOLDS_MEMORY:
                tell("memory_mb: only Linux holds a kernel to it; here reports run without limit")
            lines = _lines(todo, batch, outcome, workers=workers, scheduler=scheduler)
            with closing(lines):
                _collect(lines, len(todo), journal, outcome, tell)
        outcome.seconds = time.perf_counter() - started
        Cache(batch.folder).prune()
    return outcome


_HOLDS_MEMORY = sys.platform.startswith("linux")


@contextmanager
def _ends(batch: Batch, reports: Sequence[Report], outcome: BatchOutcome) -> Iterator[None]:
    """Write the batch's pages however it ends; an end that is no fault of the code is told."""
    try:
        yield
    except ReportError as error:
        outcome.stopped = str(error)
    finally:
        try:
            write_pages(batch, reports, outcome.lines, outcome.left)
        except ReportError as error:
            outcome.stopped = outcome.stopped or str(error)


def _leave_kept(reports: Sequence[Report], journal: Journal, outcome: BatchOutcome) -> list[Report]:
    """Set aside what an earlier call finished; return what is to be made."""
    todo = []
    for report in reports:
        line = journal.earlier.get(report.name)
        if line is not None and is_kept(report, line):
            numbers = read_numbers(report.request.folder, report.key_numbers)
            outcome.lines[report.name] = {**line, "numbers": numbers}
            outcome.kept.append(report.name)
            outcome.left.remove(report.name)
        else:
            todo.append(report)
    return todo


def _lines(
    todo: Sequence[Report],
    batch: Batch,
    outcome: BatchOutcome,
    *,
    workers: int,
    scheduler: str | None,
) -> Iterator[Line]:
    """Make reports and yield the line of each as it ends: on threads here, or on a cluster."""
    terms = terms_of(batch)
    if not todo:
        return
    if scheduler:
        from helpers.report.batch.remote import stream_cluster  # Dask is optional

        yield from stream_cluster(todo, terms, batch, scheduler)
        return
    with Kernels(warm=not todo[0].request.plain_kernels, at_once=workers) as kernels:
        try:
            yield from _stream_here(todo, kernels, terms, workers)
        finally:
            outcome.why_plain = kernels.why_plain


def terms_of(batch: Batch) -> Terms:
    """Return what each report of a batch may use."""
    limits = Limits(memory_mb=batch.spec.memory_mb)
    return Terms(seconds=batch.spec.timeout_s, limits=limits, alone=False)


def _stream_here(
    todo: Sequence[Report], kernels: Kernels, terms: Terms, workers: int
) -> Iterator[Line]:
    """Make reports on threads, a few ahead at a time; each drives one kernel.

    One thread more than notebooks run at once: a report is written while the next one runs.
    """
    stopping, threads = threading.Event(), workers + 1

    def work(report: Report) -> Line:
        if stopping.is_set():
            raise ReportError("study batch: stopped")
        return one_report(report, kernels, terms)

    waiting = iter(todo)
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="report") as pool:
        pending = {pool.submit(work, report) for report in islice(waiting, threads)}
        try:
            while pending:
                # A finite wait lets Ctrl-C through on every platform.
                done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                pending |= {pool.submit(work, report) for report in islice(waiting, len(done))}
                for future in done:
                    yield future.result()
        finally:
            if pending:
                stopping.set()
                kernels.stop()


def _collect(
    lines: Iterator[Line], total: int, journal: Journal, outcome: BatchOutcome, tell: Tell
) -> None:
    """Write each line into the journal as it comes, and tell why a report was made again."""
    progress = Progress(total, unit="report")
    try:
        for line in lines:
            name = line["report"]
            journal.add(line)
            outcome.lines[name] = line
            outcome.left.remove(name)
            if line["why"]:
                tell(f"{name}: {'; '.join(line['why'])}")
            progress.count(name)
    finally:
        progress.close()
