"""Qualtrics: current layout in any account language, renamed by other tools, and the old one."""

from __future__ import annotations

import re

import pandas as pd

from helpers.survey.findings import Finding, said
from helpers.survey.identifiers import distinct, squeezed
from helpers.survey.readers import metadata
from helpers.survey.readers.assemble import (
    Taken,
    assemble,
    blanks_apart,
    header_row,
    under_header,
)
from helpers.survey.readers.export import Export
from helpers.survey.readers.layout import Layout

IMPORT_ID = '{"ImportId"'
RESPONSE_ID = re.compile(r"^R_[0-9A-Za-z]{11,}$")
CANONICAL = {
    "StartDate": "started_at",
    "EndDate": "ended_at",
    "Status": "preview",
    "Progress": "progress",
    "Duration (in seconds)": "duration_s",
    "Finished": "finished",
    "ResponseId": "respondent_id",
    "DistributionChannel": "channel",
    "UserLanguage": "language",
    "IPAddress": "address",
}
_BY_IMPORT_ID = {
    "startDate": "StartDate", "endDate": "EndDate", "status": "Status", "ipAddress": "IPAddress",
    "progress": "Progress", "duration": "Duration (in seconds)", "finished": "Finished",
    "recordedDate": "RecordedDate", "_recordId": "ResponseId", "userLanguage": "UserLanguage",
    "recipientLastName": "RecipientLastName", "recipientFirstName": "RecipientFirstName",
    "recipientEmail": "RecipientEmail", "externalDataReference": "ExternalReference",
    "locationLatitude": "LocationLatitude", "locationLongitude": "LocationLongitude",
    "distributionChannel": "DistributionChannel",
}  # fmt: skip
_BY_LABEL = {
    "start date": "StartDate", "end date": "EndDate", "response type": "Status",
    "ip address": "IPAddress", "recorded date": "RecordedDate", "response id": "ResponseId",
    "recipient last name": "RecipientLastName", "recipient first name": "RecipientFirstName",
    "recipient email": "RecipientEmail", "external data reference": "ExternalReference",
    "location latitude": "LocationLatitude", "location longitude": "LocationLongitude",
    "distribution channel": "DistributionChannel", "user language": "UserLanguage",
}  # fmt: skip
_BY_LETTERS = {squeezed(name): name for name in (*CANONICAL, *_BY_IMPORT_ID.values())}
_DURATION = "Duration (in seconds)"
_ORDER = ("StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)",
          "Finished", "RecordedDate", "ResponseId")  # fmt: skip
_SPAM = ("spam", "8")
_PREVIEW = ("survey preview", "survey test", "1", "2")
_PLATFORM = re.compile(
    r"^(Status|RecordedDate|Browser|Version|Operating System|Resolution)$"
    r"|_(Browser|Version|Operating System|Resolution)$"
    r"|^Browser Meta Info - "
    r"|_(First Click|Last Click|Page Submit|Click Count)$"
    r"|_(FIRST_CLICK|LAST_CLICK|PAGE_SUBMIT|CLICK_COUNT)$"
    r"|_DO(_\d+)?$|Topics$"
)
_PAGE_SUBMIT = re.compile(r"_Page Submit$|_PAGE_SUBMIT$")
_NAME_IN_JSON = re.compile(r'"ImportId"\s*:\s*"([^"]*)"')
_LEGACY = {
    "ResponseID": "respondent_id", "Status": "preview", "StartDate": "started_at",
    "EndDate": "ended_at", "Finished": "finished", "IPAddress": "address",
}  # fmt: skip
_LEGACY_PLATFORM = frozenset({"ResponseSet"})


def read_qualtrics(rows: pd.DataFrame, place: str, layout: Layout) -> Export:
    """Read a Qualtrics table of text cells; one, two or three header rows.

    Parameters
    ----------
    rows : DataFrame
        All rows of the file, header rows included.
    place : str
        How messages name the file.
    layout : Layout
        What the study file declares.

    Notes
    -----
    Metadata are found by the fixed names of row 1; where other tools have put the account's
    labels there, by the import ids of row 3, by the English labels, or by the fixed order of the
    first columns, which ends in a column of ids ``R_...``. Previews and tests are marked; whether
    -99 stands for "seen but not answered" is for the codebook to say. Read and checked on exports
    in English and German.
    """
    first = [c.strip() for c in header_row(rows, 0)]
    n = header_rows(rows)
    ids = _import_ids(rows, n)
    names = blanks_apart(standard_names(first, rows, n, ids))
    metadata.refuse_doubled(names, place)
    body, headers, findings = under_header(rows, n, names, place)
    canonical = {v: k for k, v in CANONICAL.items() if k in names and k != "Status"}
    preview = None
    if "Status" in names:
        preview = previews(body["Status"])
        findings += _spam(body["Status"], place)
    labels = next((h for h in headers[1:] if not any(c.startswith(IMPORT_ID) for c in h)), [])
    questions = {name: label.strip() for name, label in zip(names, labels) if name != label}
    taken = Taken(names, headers, body, canonical, questions, tuple(findings))
    export = assemble(
        taken, layout, place, platform=is_platform, preview=preview,
        timer=lambda c: bool(_PAGE_SUBMIT.search(c)),
    )  # fmt: skip
    meta = export.meta
    meta["preview"] = meta["preview"].fillna(False) | (meta["channel"] == "preview").fillna(False)
    return export


def header_rows(rows: pd.DataFrame) -> int:
    """Return how many of the first rows are header: up to the import ids, else by the dates."""
    for i in range(min(3, len(rows))):
        if holds_ids(header_row(rows, i)):
            return i + 1
    if len(rows) < 2:
        return 1
    first, second = header_row(rows, 0), header_row(rows, 1)
    for name in ("StartDate", "ResponseId"):
        at = [i for i, c in enumerate(first) if c.strip() == name]
        if at:
            cell = second[at[0]].strip()
            return 2 if cell and not any(sign.isdigit() for sign in cell) else 1
    return 1


def holds_ids(cells: list[str]) -> bool:
    """Tell whether a row is that of the import ids: one in most of its filled cells."""
    filled = [cell for cell in cells if cell.strip()]
    return 0 < len(filled) <= 2 * sum(cell.startswith(IMPORT_ID) for cell in filled)


def _import_ids(rows: pd.DataFrame, n: int) -> list[str]:
    """Return the import ids of the columns, or an empty list."""
    for i in range(n):
        found = [_NAME_IN_JSON.search(cell) for cell in header_row(rows, i)]
        if any(found):
            return [hit[1] if hit else "" for hit in found]
    return []


def standard_names(
    names: list[str], rows: pd.DataFrame, n: int, ids: list[str] | None = None
) -> list[str]:
    """Return the names of the columns, metadata under their fixed names."""
    if "ResponseId" in names or "StartDate" in names:
        return [_DURATION if fixed_name(name) == _DURATION else name for name in names]
    if ids:
        return [_BY_IMPORT_ID.get(i, name) for name, i in zip(names, ids, strict=True)]
    by_label = [_BY_LABEL.get(name.casefold(), name) for name in names]
    if "ResponseId" in by_label:
        return by_label
    by_letters = [fixed_name(name) for name in names]
    if {"ResponseId", "StartDate"} <= set(by_letters):
        return by_letters
    return _by_order(names, rows, n)


def fixed_name(name: str) -> str:
    """Return the platform's name of a column that another program wrote in its own manner.

    ``start_date`` and ``Start.Date`` are ``StartDate``; ``Duration__in_seconds_`` is SPSS's.
    """
    return _BY_LETTERS.get(squeezed(name), name)


def previews(status: pd.Series) -> pd.Series:
    """Return as text which rows of the column Status are previews or tests."""
    hit = status.isin(_written(status, _PREVIEW)).to_numpy().astype("int8")
    return pd.Series(pd.Categorical.from_codes(hit, ["False", "True"]), index=status.index)


def _written(status: pd.Series, known: tuple[str, ...]) -> list[str]:
    """Return the distinct cells that are one of the known words, however they are written."""
    return [text for text in distinct(status) if str(text).strip().lower() in known]


def _spam(status: pd.Series, place: str) -> list[Finding]:
    """Return the finding on rows that the platform itself holds for spam."""
    n = int(status.isin(_written(status, _SPAM)).sum())
    if not n:
        return []
    sentence = said(
        "{n} rows are spam to the platform (column Status); they are kept. Look at them, and take "
        "them out of the file if it is right.",
        n=n,
    )  # fmt: skip
    return [Finding("mark", place, sentence)]


def is_platform(column: str) -> bool:
    """Tell whether a column is the platform's own."""
    return bool(_PLATFORM.search(column))


def _by_order(names: list[str], rows: pd.DataFrame, n: int) -> list[str]:
    """Return names where the fixed order tells the first columns: they end in the ids."""
    if len(rows) <= n:
        return names
    sample = rows.iloc[n : n + 20]
    for whole in (_ORDER, tuple(c for c in _ORDER if c != "IPAddress")):
        at = len(whole) - 1
        if len(names) > at and all(RESPONSE_ID.match(str(c)) for c in sample.iloc[:, at]):
            return [*whole, *names[len(whole) :]]
    return names


def read_qualtrics_legacy(rows: pd.DataFrame, place: str, layout: Layout) -> Export:
    """Read the old Qualtrics layout: columns ``V1`` to ``V10``, one label row, a last comma."""
    first, labels = ([c.strip() for c in header_row(rows, i)] for i in (0, 1))
    names = [label if re.fullmatch(r"V\d+", name) else name for name, label in zip(first, labels)]
    names = blanks_apart(names)
    metadata.refuse_doubled(names, place)
    body, headers, findings = under_header(rows, 2, names, place)
    canonical = {v: k for k, v in _LEGACY.items() if k in names and k != "Status"}
    preview = None
    if "Status" in names:
        preview = body["Status"].astype("str").str.strip().isin(["1", "2"]).astype("str")
    questions = {name: label for name, label in zip(names, labels) if name != label}
    taken = Taken(names, headers, body, canonical, questions, tuple(findings))
    return assemble(
        taken, layout, place,
        platform=lambda c: c in _LEGACY_PLATFORM or bool(_PLATFORM.search(c)), preview=preview,
    )  # fmt: skip
