"""Qualtrics CSV: one to three header rows, found by the row of import ids."""

from __future__ import annotations

import re

import pandas as pd

from helpers.survey.readers import metadata
from helpers.survey.readers.export import Export

_IMPORT_ID = '{"ImportId"'
_CANONICAL = {
    "StartDate": "started_at",
    "EndDate": "ended_at",
    "Progress": "progress",
    "Duration (in seconds)": "duration_s",
    "Finished": "finished",
    "ResponseId": "respondent_id",
    "DistributionChannel": "channel",
    "UserLanguage": "language",
    "IPAddress": "address",
}
_PREVIEW = ("survey preview", "survey test", "1", "2")
_PLATFORM = re.compile(
    r"^(Status|RecordedDate|Browser|Version|Operating System|Resolution)$"
    r"|_(Browser|Version|Operating System|Resolution)$"
    r"|_(First Click|Last Click|Page Submit|Click Count)$"
    r"|_DO(_\d+)?$|Topics$"
)


def read_qualtrics(rows: pd.DataFrame, place: str, columns: dict[str, str]) -> Export:
    """Read a Qualtrics table of text cells.

    Parameters
    ----------
    rows : DataFrame
        All rows of the file, header rows included.
    place : str
        How messages name the file.
    columns : dict
        Canonical name -> column, where the study file says so itself.

    Notes
    -----
    The label row cannot be used to find columns, since it is in the account's language; the
    names of row 1 are fixed. The layout is described from real exports, see ``data/README.md``.
    """
    names = [str(c).strip() for c in rows.iloc[0]]
    metadata.refuse_doubled(names, place)
    body = rows.iloc[_header_rows(rows, names) :].reset_index(drop=True)
    body.columns = names
    canonical = {v: k for k, v in _CANONICAL.items() if k in names}
    canonical |= metadata.declared(columns, names, place)
    cells = {name: body[column] for name, column in canonical.items()}
    if "preview" not in cells and "Status" in names:
        cells["preview"] = body["Status"].str.strip().str.lower().isin(_PREVIEW).astype(str)
    meta, findings = metadata.fill(metadata.empty_metadata(len(body)), cells, place)
    meta["preview"] = meta["preview"].fillna(False) | (meta["channel"] == "preview").fillna(False)
    dropped = {
        c: "direct identifier" if metadata.is_identifier(c) else "platform column"
        for c in names
        if metadata.is_identifier(c) or _PLATFORM.search(c)
    }
    kept = [c for c in names if c not in dropped and c not in canonical.values()]
    return Export(meta, body[kept], dropped, tuple(findings), {}, ",")


def _header_rows(rows: pd.DataFrame, names: list[str]) -> int:
    """Return how many of the first rows are header: up to the import ids, else by the dates."""
    for i in range(min(3, len(rows))):
        if rows.iloc[i].str.startswith(_IMPORT_ID).any():
            return i + 1
    if "StartDate" in names and len(rows) > 1:
        second = rows.iloc[1, names.index("StartDate")]
        if second.strip() and not second.strip()[:1].isdigit():
            return 2
    return 1
