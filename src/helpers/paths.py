"""Where things lie: the project's folders, found from the working folder or the package."""

from __future__ import annotations

import os
from pathlib import Path

from helpers.errors import ReportError

_MARK = "pyproject.toml"


def project_root() -> Path:
    """Return the folder that holds ``notebooks/`` and ``data/``.

    Looked for in the environment variable ``STUDY_ROOT``, then upwards from the working folder,
    then upwards from this file.
    """
    named = os.environ.get("STUDY_ROOT")
    if named:
        return Path(named).resolve()
    for start in (Path.cwd(), Path(__file__).resolve().parent):
        for folder in (start, *start.parents):
            if (folder / _MARK).is_file() and (folder / "notebooks").is_dir():
                return folder
    raise ReportError(
        "project_root: no folder with notebooks/ and pyproject.toml above the working folder; "
        "one is needed. Change into the project, or set STUDY_ROOT to it."
    )


def data_folder() -> Path:
    """Return the folder of the studies."""
    return project_root() / "data"


def notebooks_folder() -> Path:
    """Return the folder of the notebooks."""
    return project_root() / "notebooks"


def reports_folder() -> Path:
    """Return the folder below which everything rendered is built."""
    return project_root() / "reports"


def shown(path: Path) -> str:
    """Return a path for messages: from the project, or the bare name outside of it."""
    try:
        return path.resolve().relative_to(project_root()).as_posix()
    except (ValueError, ReportError, OSError, RuntimeError):  # the last two: links in a loop
        return path.name
