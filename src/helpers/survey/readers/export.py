"""What a platform's reader hands on: metadata, and answers still as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from helpers.survey.findings import Finding


@dataclass(frozen=True, slots=True)
class Export:
    """One file, taken apart but not yet typed.

    Attributes
    ----------
    meta : DataFrame
        Columns ``metadata.META``, one row a respondent.
    answers : DataFrame
        Text cells, columns as in the file, identifiers and platform columns already dropped.
    dropped : Mapping[str, str]
        Column -> why it was left out.
    findings : tuple of Finding
        What could not be read in the metadata.
    tokens : Mapping[str, str]
        Cell texts that stand for a blank -> the reason.
    separator : str
        What joins the choices of a multiple answer in one cell.
    """

    meta: pd.DataFrame
    answers: pd.DataFrame
    dropped: Mapping[str, str]
    findings: tuple[Finding, ...]
    tokens: Mapping[str, str]
    separator: str
