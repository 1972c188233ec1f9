"""What one notebook may use: memory, and the length of what it prints; set inside its kernel.

The run hands the limits over in the kernel's environment, and a start-up file of the run's private
IPython folder calls ``install`` before the first cell, in forked and in ordinary kernels alike.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRINTED_MB = 8
"""Text that a notebook may print; a page shows a small part of it anyway."""
SHOWN_MB = 16
"""Tables and figures that a notebook may show."""

_MB = 1 << 20
_MEMORY, _PRINTED, _SHOWN = "STUDY_MEMORY_MB", "STUDY_PRINTED_MB", "STUDY_SHOWN_MB"

STARTUP = "import helpers.report.limits as _limits\n_limits.install(get_ipython())\ndel _limits\n"
"""The start-up file of every kernel."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one notebook may use.

    Attributes
    ----------
    memory_mb : int or None
        Memory that the kernel may take beyond what it has when it starts; Linux only.
    printed_mb, shown_mb : int
        Text printed, and tables and figures shown.
    """

    memory_mb: int | None = None
    printed_mb: int = PRINTED_MB
    shown_mb: int = SHOWN_MB

    def environment(self) -> dict[str, str]:
        """Return the limits as the kernel reads them."""
        memory = {} if self.memory_mb is None else {_MEMORY: str(self.memory_mb)}
        return {**memory, _PRINTED: str(self.printed_mb), _SHOWN: str(self.shown_mb)}


class OutputTooLong(RuntimeError):
    """A notebook printed or showed more than a report can hold."""


class NotebookExit(RuntimeError):
    """A notebook called ``exit()`` or ``quit()``."""


class Budget:
    """Counts output and refuses what goes beyond; other threads than the first stay silent."""

    def __init__(self, megabytes: int, verb: str) -> None:
        self._left = megabytes * _MB
        self._refusal = (
            f"this notebook {verb} more than {megabytes} MB; what follows is cut. Show less, "
            "such as the first rows."
        )

    def take(self, size: int, *, whole: bool = False) -> int:
        """Return how much of ``size`` may pass; raise once nothing is left.

        With ``whole``, a part of it is of no use: all or nothing passes.
        """
        granted = max(0, min(size, self._left))
        granted = granted if granted == size or not whole else 0
        self._left -= size
        if granted == 0 and size > 0 and threading.current_thread() is threading.main_thread():
            raise OutputTooLong(self._refusal)
        return granted


def install(shell: Any) -> None:
    """Put the limits of the environment in force; leave none of them to child processes."""
    given = {name: os.environ.pop(name, "") for name in (_MEMORY, _PRINTED, _SHOWN)}
    if given[_MEMORY]:
        _limit_memory(int(given[_MEMORY]))
    printed = Budget(int(given[_PRINTED] or PRINTED_MB), "printed")
    for stream in (sys.stdout, sys.stderr):
        stream.write = _cut_writer(stream.write, printed)
    publisher, shown = shell.display_pub, Budget(int(given[_SHOWN] or SHOWN_MB), "showed")
    publisher.publish = _counted(publisher.publish, shown)
    shell.ask_exit = _refuse_exit


def _cut_writer(write: Callable[[str], Any], budget: Budget) -> Callable[[str], int]:
    """Return a stream's ``write`` that passes on what the budget allows."""

    def cut(text: str) -> int:
        granted = budget.take(len(text))
        if granted:
            write(text[:granted])
        return len(text)

    return cut


def _counted(publish: Callable[..., Any], budget: Budget) -> Callable[..., Any]:
    """Return a display publisher that shows nothing beyond the budget."""

    def counted(data: dict[str, Any], *args: Any, **options: Any) -> Any:
        size = sum(len(value) for value in data.values() if isinstance(value, str | bytes))
        if budget.take(size, whole=True) == size:
            return publish(data, *args, **options)
        return None

    return counted


def _refuse_exit() -> None:
    """Make ``exit()`` an error: it would leave the rest of the notebook out without a word."""
    raise NotebookExit("exit() ends the kernel before the notebook's end. Remove the call.")


def _limit_memory(megabytes: int) -> None:
    """Allow the process so much address space beyond what it has now."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + megabytes * _MB
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
