"""JupyterLab at the first notebook."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from helpers import paths
from helpers.errors import ReportError
from helpers.report.forkserver import ONE_THREAD


def open_lab(options: Sequence[str] = ()) -> int:
    """Start JupyterLab at notebook 00 and return its exit code when it ends.

    Parameters
    ----------
    options : sequence of str
        Passed on, as ``--no-browser``.

    Notes
    -----
    Kernels get one thread for linear algebra, as those of ``study run``, unless the environment
    says otherwise: the matrices here are small, and threads that wait for one another on a busy
    machine make a fit up to a hundred times slower.
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
    environment = ONE_THREAD | dict(os.environ)
    done = subprocess.run([*command, *options], cwd=paths.project_root(), env=environment)
    return done.returncode
