"""A plain coded table: one header row, columns named by the codebook."""

from __future__ import annotations

import pandas as pd

from helpers.survey.readers import metadata
from helpers.survey.readers.export import Export

BLANKS = {"NA": "not answered", "NaN": "not answered"}
"""Cell texts that other programs write for a blank."""


def read_table(rows: pd.DataFrame, place: str, columns: dict[str, str]) -> Export:
    """Read a plain table of text cells.

    Metadata are known only where the study file names their columns; without a
    ``respondent_id`` the rows are numbered in file order, from 1.
    """
    names = [str(c).strip() for c in rows.iloc[0]]
    metadata.refuse_doubled(names, place)
    body = rows.iloc[1:].reset_index(drop=True)
    body.columns = names
    canonical = metadata.declared(columns, names, place)
    if "respondent_id" not in canonical and "respondent_id" in names:
        canonical["respondent_id"] = "respondent_id"
    cells = {name: body[column] for name, column in canonical.items()}
    meta, findings = metadata.fill(metadata.empty_metadata(len(body)), cells, place)
    dropped = {c: "direct identifier" for c in names if metadata.is_identifier(c)}
    kept = [c for c in names if c not in dropped and c not in canonical.values()]
    return Export(meta, body[kept], dropped, tuple(findings), BLANKS, ";")
