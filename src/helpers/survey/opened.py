"""Studies that a process has opened ahead, for the notebook kernels that are forked from it.

Reading a study and marking its rows takes as long as all else in a short notebook, and comes out
the same each time. The fork server does it once; a kernel then finds it done. Only what
``keep_open`` was asked for is kept, and only as long as no file of the study changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import SuiteError
from helpers.i18n import LANGUAGES, in_language

if TYPE_CHECKING:
    from helpers.survey.load import Study

MOST = 4
"""Studies kept at once; the one opened first goes."""

State = tuple[tuple[str, int, int], ...]

_kept: dict[tuple[Path, int | None], tuple[State, Study]] = {}


def kept_open(folder: Path, n_obs: int | None) -> Study | None:
    """Return a study that was opened ahead, if its files are as they were then."""
    found = _kept.get((folder, n_obs))
    return found[1] if found and found[0] == _state(folder) else None


def keep_open(name: str) -> bool:
    """Open a study, compute what every notebook asks of it, and keep it; tell whether it worked.

    A study with faults is left to the notebook, which says what they are.
    """
    from helpers.survey.load import load_study
    from helpers.survey.selection import split_name

    try:
        study = load_study(split_name(name)[0])
        for language in LANGUAGES:
            with in_language(language):
                _ = study.has_rows and (study.responses, study.marked)
    except SuiteError:
        return False
    folder = study.folder.folder
    while len(_kept) >= MOST:
        del _kept[next(iter(_kept))]
    _kept[folder, None] = (_state(folder), study)
    return True


def _state(folder: Path) -> State:
    """Return names, sizes and times of a study's files, which tell cheaply that one changed."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [(str(path), path.stat()) for path in found]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
