"""The folder of a run: checked before anything runs, locked, written one whole file at a time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from helpers import paths
from helpers.errors import ReportError

PARTS = ("tables", "figures", "notebooks")
LOCK = ".lock"


def prepare(folder: Path, *, parts: Sequence[str] = PARTS, command: str = "study run") -> None:
    """Make the run's folders and prove that files can be written there.

    Raises
    ------
    ReportError
        Something is in the way, or writing is not allowed.
    """
    try:
        for part in (folder, *(folder / name for name in parts)):
            part.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=part):
                pass
    except OSError as error:
        raise ReportError(
            f"{command}: the folder {paths.shown(folder)} cannot be written "
            f"({error.strerror or error}); nothing was run. Change its permissions, or name "
            "another folder with --out."
        ) from None


@contextmanager
def locked(folder: Path, *, command: str = "study run") -> Iterator[None]:
    """Hold the folder for one run; a second run into it is refused.

    The lock is the system's, so that it goes when its owner dies.
    """
    handle = (folder / LOCK).open("a+b")
    try:
        _lock(handle.fileno())
    except OSError:
        handle.close()
        raise ReportError(
            f"{command}: another run is writing {paths.shown(folder)}; one at a time is allowed. "
            "Wait for it, or name another folder with --out."
        ) from None
    try:
        yield
    finally:
        handle.close()


def _lock(descriptor: int) -> None:
    """Lock an open file without waiting."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that a crash leaves either the old one or the new one.

    Raises
    ------
    ReportError
        The disk does not take it; its cause is the ``OSError``.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        _write_and_move(path, data)
    except OSError as error:
        raise ReportError(
            f"study: {paths.shown(path)} cannot be written ({error.strerror or error}); what "
            "was finished is whole. Make room or change the permissions, then call again."
        ) from error


def _write_and_move(path: Path, data: bytes) -> None:
    """Write beside the target, then take its place."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def empty(folder: Path) -> None:
    """Remove what earlier runs left, and nothing else."""
    for pattern in ("*.html", "*.pdf", "*.docx", "*.json", *(f"{part}/*" for part in PARTS)):
        for path in folder.glob(pattern):
            if path.is_file() and path.name != LOCK:
                path.unlink()


def remove(folder: Path, names: set[str]) -> None:
    """Remove files of a notebook that it no longer makes."""
    for name in names:
        path = (folder / name).resolve()
        if path.is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)
