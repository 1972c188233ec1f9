"""The progress bar: notebooks done, the ones in work, and the time left."""

from __future__ import annotations

import sys
import threading

from tqdm import tqdm


class Progress:
    """A bar on a terminal; nothing where the output goes to a file."""

    def __init__(self, total: int, *, unit: str = "nb", shown: bool = True) -> None:
        self._lock = threading.Lock()
        self._running: list[str] = []
        self._bar = tqdm(
            total=total, unit=unit, dynamic_ncols=True,
            disable=not (shown and sys.stderr.isatty()),
            bar_format="{n_fmt}/{total_fmt} |{bar}| {elapsed} gone, {remaining} left {desc}",
        )  # fmt: skip

    def start(self, name: str) -> None:
        """Show a notebook as in work."""
        with self._lock:
            self._running.append(name)
            self._show()

    def finish(self, name: str) -> None:
        """Count a notebook as done."""
        with self._lock:
            self._running.remove(name)
            self._bar.update()
            self._show()

    def count(self, name: str) -> None:
        """Count one as done that was not shown as in work."""
        with self._lock:
            self._bar.set_description_str(name)
            self._bar.update()

    def close(self) -> None:
        """End the bar."""
        self._bar.close()

    def _show(self) -> None:
        """Write the names in work behind the bar."""
        self._bar.set_description_str(" ".join(self._running))
