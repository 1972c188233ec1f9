"""From a file and its layout to an export: open, split, take apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from helpers.errors import DataContractError, listing
from helpers.survey import identifiers
from helpers.survey.findings import Finding
from helpers.survey.readers.cells import split_rows
from helpers.survey.readers.export import Export
from helpers.survey.readers.labelled import Labelled, read_spss, read_stata
from helpers.survey.readers.layout import Layout
from helpers.survey.readers.opening import kind_of, utf8_text
from helpers.survey.readers.qualtrics import read_qualtrics, read_qualtrics_legacy
from helpers.survey.readers.table import read_labelled, read_table
from helpers.survey.readers.top_rows import tidied
from helpers.survey.readers.wenjuanxing import read_wenjuanxing
from helpers.survey.readers.western import read_google_forms, read_limesurvey, read_surveymonkey
from helpers.survey.readers.workbook import read_workbook

PLATFORMS: dict[str, Callable[[pd.DataFrame, str, Layout], Export]] = {
    "qualtrics": read_qualtrics,
    "qualtrics_legacy": read_qualtrics_legacy,
    "wenjuanxing": read_wenjuanxing,
    "surveymonkey": read_surveymonkey,
    "limesurvey": read_limesurvey,
    "google_forms": read_google_forms,
    "csv": read_table,
}
"""What reads a table of text cells, by the reader's name in study.yml."""

_PROGRAMS = ("spss", "stata")


def read_file(path: Path, layout: Layout, place: str) -> Export:
    """Read one file by its layout.

    Parameters
    ----------
    path : Path
        The file; packed by gzip or zip, or not.
    layout : Layout
        Who wrote it, and how.
    place : str
        How messages name it.

    Returns
    -------
    Export

    Raises
    ------
    DataContractError
        The file is no table, is damaged, or is not what the layout says.
    """
    kind = kind_of(path, place)
    if (kind in _PROGRAMS) != (layout.reader in _PROGRAMS) or (
        kind in _PROGRAMS and kind != layout.reader
    ):
        raise _other_kind(place, kind, layout.reader)
    if kind in _PROGRAMS:
        return read_labelled(labelled(path, layout, place), place, layout)
    rows, findings = table(path, kind, layout, place)
    export = PLATFORMS[layout.reader](rows, place, layout)
    return replace(export, findings=(*findings, *export.findings)) if findings else export


def labelled(path: Path, layout: Layout, place: str) -> Labelled:
    """Return the table of a statistics program; ``utf-8`` stands for what its file declares."""
    encoding = None if layout.encoding.lower() in ("utf-8", "utf8") else layout.encoding
    read = read_spss if layout.reader == "spss" else read_stata
    return read(path, place, encoding=encoding)


def table(path: Path, kind: str, layout: Layout, place: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Return a text file or a workbook as text cells, with what is odd about it."""
    if kind == "workbook":
        rows, _sheets, findings = read_workbook(path, place, sheet=layout.sheet)
        return rows, findings
    with utf8_text(path, layout.encoding, place) as handle:
        skip_separator_line(handle)
        rows = split_rows(handle, place, delimiter=layout.delimiter, skip=_unread(layout))
    return tidied(rows, place)


def _unread(layout: Layout) -> Callable[[str], bool]:
    """Return what tells which columns need not even be read: identifiers, but not addresses."""
    named = set(layout.columns.values())

    def unread(name: str) -> bool:
        known = identifiers.plain_name(name)
        asked = name in named or known in _ADDRESSES
        return not asked and (identifiers.is_named_so(name) or known in _UNUSED)

    return unread


_ADDRESSES = frozenset({"ipaddress", "ip address", "ip_address", "ipaddr", "来自ip"})
"""Numbered in order of appearance, so that it can be seen when two rows share one."""
_UNUSED = frozenset({"recordeddate"})


def skip_separator_line(handle: object) -> str | None:
    """Pass over a first line ``sep=;``, which spreadsheets write, and return its sign."""
    start = handle.tell()
    line = handle.readline(16).strip(b'\r\n"')
    if line[:4].lower() == b"sep=" and len(line) == 5:
        return line[4:].decode()
    handle.seek(start)
    return None


def _other_kind(place: str, kind: str, reader: str) -> DataContractError:
    """Return the error for a file that the named reader cannot read."""
    names = {"text": "a text file", "workbook": "a workbook", "spss": "SPSS data",
             "stata": "Stata data"}  # fmt: skip
    allowed = [kind] if kind in _PROGRAMS else list(PLATFORMS)
    return DataContractError(
        f"read_source: reader= '{reader}' does not fit {place}, which is {names[kind]}; allowed "
        f"are {listing(allowed)}. Correct the key reader in study.yml."
    )
