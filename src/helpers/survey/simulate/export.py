"""Write the files: Qualtrics and Wenjuanxing layouts, plain tables, gzip without a time stamp."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.survey.simulate.draws import Draws

_ALPHABET = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"))
_QUALTRICS = {
    "StartDate": ("Start Date", "startDate"),
    "EndDate": ("End Date", "endDate"),
    "Status": ("Response Type", "status"),
    "IPAddress": ("IP Address", "ipAddress"),
    "Progress": ("Progress", "progress"),
    "Duration (in seconds)": ("Duration (in seconds)", "duration"),
    "Finished": ("Finished", "finished"),
    "RecordedDate": ("Recorded Date", "recordedDate"),
    "ResponseId": ("Response ID", "_recordId"),
    "LocationLatitude": ("Location Latitude", "locationLatitude"),
    "LocationLongitude": ("Location Longitude", "locationLongitude"),
    "DistributionChannel": ("Distribution Channel", "distributionChannel"),
    "UserLanguage": ("User Language", "userLanguage"),
}
_DATED = ("StartDate", "EndDate", "RecordedDate")
EMBEDDED = ("PANEL",)
"""Items that the platform passes on without asking; their import id is the name itself."""


def response_ids(seed: int, name: str, n: int) -> list[str]:
    """Return n different response numbers of the form ``R_`` and fifteen letters and digits."""
    letters = np.floor(Draws(seed, name).uniform(n, 15) * len(_ALPHABET)).astype(int)
    return ["R_" + "".join(row) for row in _ALPHABET[letters]]


def qualtrics_rows(
    metadata: pd.DataFrame, cells: pd.DataFrame, wording: dict[str, str], time_zone: str
) -> Iterable[list[str]]:
    """Yield the rows of a Qualtrics numeric export, three header rows first."""
    yield [*metadata.columns, *cells.columns]
    yield [_QUALTRICS[c][0] for c in metadata.columns] + [wording[c] for c in cells.columns]
    ids = []
    for column in metadata.columns:
        entry = {"ImportId": _QUALTRICS[column][1]}
        if column in _DATED:
            entry["timeZone"] = time_zone
        ids.append(_json(entry))
    asked = [c for c in cells.columns if c not in EMBEDDED]
    number = {item: f"QID{k}" for k, item in enumerate(asked, start=1)}
    yield ids + [_json({"ImportId": number.get(c, c)}) for c in cells.columns]
    together = pd.concat([metadata, cells], axis=1)
    yield from together.to_numpy(dtype=object).tolist()


def _json(entry: dict[str, str]) -> str:
    return json.dumps(entry, separators=(",", ":"))


def write_csv(
    path: Path, rows: Iterable[Sequence[object]], *, end: str = "\n", mark: bool = False
) -> None:
    """Write rows as gzip-packed UTF-8 CSV; the same rows give the same bytes.

    Parameters
    ----------
    path : Path
        The file; it appears whole or not at all.
    rows : iterable of sequences
        The cells.
    end : str
        Line end.
    mark : bool
        Whether to begin with a byte-order mark, as Wenjuanxing does.
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows(rows)
    content = text.getvalue().encode("utf-8-sig" if mark else "utf-8")
    if path.is_file() and _unpacked(path) == content:
        return  # another build of zlib may pack the same content into other bytes
    packed = io.BytesIO()
    # no file name and no time in the header, so that equal content gives equal files
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0, filename="") as out:
        out.write(content)
    write_whole(path, packed.getvalue())


def _unpacked(path: Path) -> bytes | None:
    """Return the content of a packed file, or None if it is damaged."""
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        return None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves either the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def table_rows(table: pd.DataFrame) -> Iterable[list[object]]:
    """Yield a header row and the rows of a table; blanks are empty cells."""
    yield list(table.columns)
    yield from table.astype(object).where(table.notna(), "").to_numpy(dtype=object).tolist()
