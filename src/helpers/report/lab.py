"""JupyterLab at the first notebook."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from helpers import paths
from helpers.errors import ReportError


def open_lab(options: Sequence[str] = ()) -> int:
    """Start JupyterLab at notebook 00 and return its exit code when it ends.

    Parameters
    ----------
    options : sequence of str
        Passed on, as ``--no-browser``.
    """
    first = next(iter(sorted(paths.notebooks_folder().glob("00_*.ipynb"))), None)
    if first is None:
        raise ReportError("notebooks/ holds no file like 00_name.ipynb; it is where to start.")
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        first.relative_to(paths.project_root()).as_posix(),
    ]
    return subprocess.run([*command, *options], cwd=paths.project_root()).returncode
