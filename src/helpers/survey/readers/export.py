"""What a platform's reader hands on: metadata, and answers still as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
        Text cells (categorical: each distinct text once), columns as in the file, identifiers and
        platform columns already dropped.
    dropped : Mapping[str, str]
        Column -> why it was left out.
    findings : tuple of Finding
        What could not be read in the metadata, and what is odd about the file.
    tokens : Mapping[str, str]
        Cell texts that stand for a blank -> the reason.
    separator : str
        What joins the choices of a multiple answer in one cell.
    questions : Mapping[str, str]
        Column -> the question's text, where the file holds one.
    value_labels : Mapping[str, Mapping[int, str]]
        Column -> code -> label, where the file holds them (SPSS, Stata).
    missing_codes : Mapping[str, Mapping[int, str]]
        Column -> code -> reason, for codes that the file itself declares missing.
    decimal : str
        The sign before decimals in numbers.
    ordered : frozenset of str
        Columns whose codes the file itself declares to be ordered (SPSS).
    """

    meta: pd.DataFrame
    answers: pd.DataFrame
    dropped: Mapping[str, str]
    findings: tuple[Finding, ...]
    tokens: Mapping[str, str]
    separator: str
    questions: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    missing_codes: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    decimal: str = "."
    ordered: frozenset[str] = frozenset()
