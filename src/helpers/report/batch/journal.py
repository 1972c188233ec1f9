"""The journal of a batch: one line for each report that ended, on the disk before the next starts.

``--resume`` reads it: a report whose line says that it was made, whose files are as the line says,
and which would be made from the same things today, is not made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from helpers.errors import ReportError

JOURNAL = "journal.jsonl"


class Journal:
    """Lines of a file that only grows; a context manager.

    Parameters
    ----------
    folder : Path
        The batch's folder.
    resume : bool
        Keep the lines of earlier calls; without it the journal begins anew.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._path = folder / JOURNAL
        self.earlier = read_journal(folder) if resume else {}
        self._resume = resume

    def __enter__(self) -> Journal:
        self._ends_whole = not self._resume or _ends_whole(self._path)
        self._handle = self._path.open("ab" if self._resume else "wb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handle.close()

    def add(self, line: Mapping[str, Any]) -> None:
        """Write one line so that it survives a power cut.

        Raises
        ------
        ReportError
            The disk does not take it.
        """
        text = json.dumps(line, ensure_ascii=False, allow_nan=False, default=str) + "\n"
        data = ("" if self._ends_whole else "\n").encode() + text.encode("utf-8")
        try:
            self._handle.write(data)
            self._handle.flush()
            os.fsync(self._handle.fileno())
        except OSError as error:
            raise ReportError(
                f"study batch: the journal cannot be written ({error.strerror}); what was finished "
                "is whole. Make room, then call again with --resume."
            ) from None
        self._ends_whole = True


def read_journal(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the last line of each report; a torn line counts as not there."""
    path, found = folder / JOURNAL, {}
    if not path.is_file():
        return found
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(entry, dict) and "report" in entry:
            found[entry["report"]] = entry
    return found


def file_hash(path: Path) -> str:
    """Return a file's hash, or nothing if it is not there."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _ends_whole(path: Path) -> bool:
    """Tell whether a file ends with a whole line."""
    try:
        data = path.read_bytes()
    except OSError:
        return True
    return not data or data.endswith(b"\n")
