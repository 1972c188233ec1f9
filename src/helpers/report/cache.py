"""Executed notebooks, kept under the hash of all they depend on (``reports/.cache``).

A notebook that was run before on the same data, with the same parameters, code and versions is
taken from here and not run again; its page is made anew. What failed is not kept. The folder may
be removed at any time.
"""

from __future__ import annotations

import gzip
import json
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from helpers.errors import ReportError
from helpers.report.execute import Executed
from helpers.report.folder import write_whole

FOLDER = ".cache"
MOST_BYTES = 2 << 30
"""Beyond this, what was used longest ago goes."""
_KEPT_SHARE = 0.8
_COMPRESSION = 3


_AT_WORK: dict[str, threading.Lock] = {}
_AT_WORK_LOCK = threading.Lock()


@contextmanager
def alone_with(key: str) -> Iterator[None]:
    """Hold a key, so that what two reports need is executed once and the other one waits."""
    with _AT_WORK_LOCK:
        lock = _AT_WORK.setdefault(key, threading.Lock())
    with lock:
        yield


class Cache:
    """The kept notebooks below one reports folder.

    Parameters
    ----------
    base : Path
        The reports folder.
    most_bytes : int
        Size to which ``prune`` holds the cache.
    """

    def __init__(self, base: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = base / FOLDER
        self._most = most_bytes

    def has(self, key: str) -> bool:
        """Return whether a file is kept; only ``get`` knows whether it is whole."""
        return self._path(key).is_file()

    def get(self, key: str) -> Executed | None:
        """Return a kept notebook; None if there is none, or if its file is not whole."""
        path = self._path(key)
        try:
            found = json.loads(gzip.decompress(path.read_bytes()))
            os.utime(path)
        except (OSError, EOFError, zlib.error, ValueError):
            return None
        notebook = nbformat.from_dict(found["notebook"])
        return Executed(notebook, found["seconds"], None)

    def put(self, key: str, done: Executed) -> None:
        """Keep a notebook that ran to its end."""
        if done.failure is not None:
            return
        path = self._path(key)
        text = json.dumps({"seconds": done.seconds, "notebook": done.notebook})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, gzip.compress(text.encode("utf-8"), _COMPRESSION, mtime=0))
        except (OSError, ReportError):
            return  # a report does not fail for want of a place to keep a copy

    def prune(self) -> int:
        """Remove what was used longest ago until the cache is small enough; return how much."""
        found = sorted(
            (path.stat().st_mtime, path.stat().st_size, path)
            for path in self._folder.glob("*/*.json.gz")
        )
        size, removed = sum(entry[1] for entry in found), 0
        if size <= self._most:
            return 0
        for _used, bytes_, path in found:
            if size <= self._most * _KEPT_SHARE:
                break
            path.unlink(missing_ok=True)
            size, removed = size - bytes_, removed + 1
        return removed

    def _path(self, key: str) -> Path:
        """Return the file of one notebook."""
        return self._folder / key[:2] / f"{key}.json.gz"
