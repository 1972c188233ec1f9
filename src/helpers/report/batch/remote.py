"""Reports made by the workers of a Dask cluster that already runs. Dask is an optional extra.

Each worker has the project (its folder is found as everywhere, or named by ``STUDY_ROOT``) and a
fork server of its own, started with its first report. Where the batch's folder is on a file system
that the worker shares, it writes there; elsewhere the report travels back as one archive.
"""

from __future__ import annotations

import atexit
import io
import logging
import tempfile
import threading
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.cluster import connect
from helpers.errors import ReportError
from helpers.report import folder
from helpers.report.batch.expand import Report
from helpers.report.batch.line import failed_line, made_from, one_report
from helpers.report.batch.settings import Batch
from helpers.report.kernels import Kernels
from helpers.report.run import Terms

if TYPE_CHECKING:
    from distributed import Client, Future

Line = dict[str, Any]

_mine: list[Kernels] = []
_starting = threading.Lock()


def stream_cluster(
    todo: Sequence[Report], terms: Terms, batch: Batch, address: str
) -> Iterator[Line]:
    """Yield the line of each report as a worker of the cluster finishes it.

    Raises
    ------
    EstimationError
        The scheduler cannot be reached, or has no workers.
    ReportError
        The scheduler went away, or a disk takes no more.
    """
    opened = connect(address, caller="study batch")  # imports Dask, which sets its logs
    # The client tells what it lost when it is closed, too.
    with _quiet(), opened as client, _token(batch.folder) as token:
        yield from _stream_client(client, todo, terms, token)


def _stream_client(
    client: Client, todo: Sequence[Report], terms: Terms, token: Path
) -> Iterator[Line]:
    """Submit all reports and yield their lines."""
    from distributed import CancelledError, KilledWorker, as_completed
    from distributed.comm import CommClosedError

    futures: dict[Future, Report] = {
        client.submit(make_there, report, terms, str(token), pure=False): report for report in todo
    }
    waiting = as_completed(list(futures), loop=client.loop)
    for future in waiting:
        report = futures.pop(future)
        try:
            line, archive = future.result()
        except KilledWorker:
            told = "several workers died while they made it; they may lack memory."
            yield failed_line(report, told, seconds=0.0)
            continue
        except (CancelledError, CommClosedError, TimeoutError, OSError) as error:
            raise ReportError(
                f"study batch: the scheduler went away ({type(error).__name__}); what was finished "
                "is whole. Start it and call again with --resume; without --scheduler the rest is "
                "made on this machine."
            ) from None
        yield _landed(report, line, archive)


def make_there(report: Report, terms: Terms, token: str) -> tuple[Line, bytes]:
    """Make a report on a worker; return its line and, if it is not written yet, its files."""
    path = Path(token)
    if path.is_file() and path.read_text(encoding="ascii") == path.name:
        return one_report(report, _kernels(report), terms), b""
    with tempfile.TemporaryDirectory(prefix="study-") as base:
        there = replace(report, request=replace(report.request, base=Path(base)))
        line = one_report(there, _kernels(report), terms)
        return line, _packed(there.request.folder)


def _kernels(report: Report) -> Kernels:
    """Return this worker's kernels, which serve all its reports."""
    with _starting:
        if not _mine:
            kernels = Kernels(warm=not report.request.plain_kernels).__enter__()
            atexit.register(kernels.__exit__, None, None, None)
            _mine.append(kernels)
        return _mine[0]


def _landed(report: Report, line: Line, archive: bytes) -> Line:
    """Put a report that travelled into its place; refuse one made from other things than ours."""
    if line["made_from"] not in ("", made_from(report)):
        told = (
            "the worker made it from other data, code or versions than this machine has. Give all "
            "workers the same project and packages."
        )
        return failed_line(report, told, seconds=line["seconds"])
    if archive:
        folder.prepare(report.request.folder, command="study batch")
        with folder.locked(report.request.folder, command="study batch"):
            _unpack(archive, report.request.folder)
    return line


def _packed(root: Path) -> bytes:
    """Return the files of a report as one archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.name != folder.LOCK:
                archive.write(path, path.relative_to(root).as_posix())
    return buffer.getvalue()


def _unpack(archive: bytes, root: Path) -> None:
    """Write the files of an archive, each whole, the manifest last."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        for name in sorted(packed.namelist(), key=lambda n: n == "manifest.json"):
            target = (root / name).resolve()
            if not target.is_relative_to(root.resolve()):
                raise ReportError(f"study batch: a worker sent the file '{name}'; it was refused.")
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.write_whole(target, packed.read(name))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the client from printing tracebacks of a lost scheduler: one sentence tells it."""
    logs = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(logs, before):
            log.setLevel(level)


@contextmanager
def _token(root: Path) -> Iterator[Path]:
    """Give a file by which a worker sees that it shares the batch's folder."""
    path = root / f".shared-{uuid.uuid4().hex}"
    folder.write_whole(path, path.name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
