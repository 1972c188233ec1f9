"""A plain coded table: one header row, columns named by the codebook."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from helpers.survey.readers import metadata
from helpers.survey.readers.assemble import (
    Taken,
    assemble,
    blanks_apart,
    header_row,
    under_header,
)
from helpers.survey.readers.export import Export
from helpers.survey.readers.labelled import Labelled
from helpers.survey.readers.layout import Layout
from helpers.survey.readers.odd_rows import units_found
from helpers.survey.readers.qualtrics import CANONICAL as _QUALTRICS
from helpers.survey.readers.qualtrics import fixed_name, is_platform, previews

_NOT = "not answered"
BLANKS = dict.fromkeys(
    ("NA", "NaN", "nan", "N/A", "n/a", "#N/A", "#NULL!", "NULL", "null", "<NA>", ".", "-", "--"),
    _NOT,
)
"""Cell texts that other programs, and people, write for a blank."""

_FEW = 3


def read_table(rows: pd.DataFrame, place: str, layout: Layout) -> Export:
    """Read a plain table of text cells.

    Metadata are known only where the study file names their columns; without a
    ``respondent_id`` the rows are numbered in file order, from 1.
    """
    names = blanks_apart([c.strip() for c in header_row(rows, 0)])
    metadata.refuse_headerless(names, place)
    metadata.refuse_doubled(names, place)
    body, headers, findings = under_header(rows, 1, names, place)
    findings += units_found(body, frozenset({"", *BLANKS}), place)
    canonical = {}
    if "respondent_id" in names:
        canonical["respondent_id"] = "respondent_id"
    taken = Taken(names, headers, body, canonical, {}, tuple(findings))
    return assemble(taken, layout, place, tokens=BLANKS, separator=";")


def read_labelled(found: Labelled, place: str, layout: Layout) -> Export:
    """Read a table from a statistics program, with its labels and declared missing codes.

    A download that keeps Qualtrics' own names keeps their meaning.
    """
    rows = found.rows
    names = header_row(rows, 0)
    body, headers, findings = under_header(rows, 1, names, place)
    fixed = {fixed_name(name): name for name in names}
    known = {v: fixed[k] for k, v in _QUALTRICS.items() if k in fixed and k != "Status"}
    downloaded = len(known) >= _FEW
    canonical = known if downloaded else {}
    preview = previews(body[fixed["Status"]]) if downloaded and "Status" in fixed else None
    if "respondent_id" in names:
        canonical["respondent_id"] = "respondent_id"
    taken = Taken(
        names, headers, body, canonical, found.questions, (*found.findings, *findings)
    )  # fmt: skip
    export = assemble(
        taken, layout, place, tokens=BLANKS | dict(found.tokens), separator=";", preview=preview,
        platform=lambda column: downloaded and is_platform(column),
    )  # fmt: skip
    kept = set(export.answers)
    return replace(
        export,
        value_labels={c: v for c, v in found.value_labels.items() if c in kept},
        missing_codes={c: v for c, v in found.missing_codes.items() if c in kept},
        ordered=found.ordered & kept,
    )
