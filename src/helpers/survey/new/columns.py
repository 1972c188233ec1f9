"""What kind of question each column of an export answers: looked at one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from helpers.survey.identifiers import distinct, within_text
from helpers.survey.new.spans import ALONE, but_for, codes_apart, slips_of, span_of
from helpers.survey.new.words import OTHER_TEXT, demographic, ordered_labels
from helpers.survey.readers.answers import (
    as_number,
    code_before_label,
    plain,
)
from helpers.survey.readers.export import Export
from helpers.survey.readers.metadata import parse_times
from helpers.survey.readers.units import unit_of, without_unit

MOST_CATEGORIES = 20
"""Different answers up to which a column is a choice rather than a number or text."""

_BY_WORDS = "its words form a scale of"
_CODE = re.compile(r"^-?\d+$")
_DATE = re.compile(r"\d[-/.年]\s*\d")
_MOST_NUMBERS = 0.95
_STEPS = 3
"""Labelled codes from which an order that the file declares makes a scale."""
_LONGEST_LABEL = 200
"""Characters from which on a cell is what somebody wrote, not a choice offered."""

_ONLY_JOINS = "┋"
"""Wenjuanxing's sign between choices; it stands nowhere else."""
_WRITTEN_IN = re.compile(r"〖[^〗]*〗?")


@dataclass(slots=True)
class Column:
    """One question, or one column of a question with several answers.

    Attributes
    ----------
    name : str
        Column of the file.
    wording : str
        What was asked, if the file holds it.
    kind : str
        ``likert``, ``category``, ``multiple``, ``number`` or ``text``.
    labels : dict
        Code -> label.
    low, high : float or None
        Ends of the scale.
    missing : dict
        Missing code -> reason.
    values : Series
        Codes or numbers; missing where blank (not for text and several answers).
    why : str
        What the kind rests on.
    sure : bool
        Whether the file itself says so.
    alternatives : tuple of str
        What else the kind could be.
    missing_guessed : tuple of int
        Those missing codes that the file does not declare.
    """

    name: str
    wording: str
    kind: str
    values: pd.Series
    labels: dict[int, str] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    missing: dict[int, str] = field(default_factory=dict)
    why: str = ""
    sure: bool = False
    alternatives: tuple[str, ...] = ()
    missing_guessed: tuple[int, ...] = ()


def read_column(export: Export, name: str) -> Column:
    """Return what kind of question a column answers, judged by its cells alone."""
    places, texts = pd.factorize(export.answers[name])
    distinct = np.array([*(str(t).strip() for t in texts), ""], dtype=object)
    cells = pd.Series(distinct[places], index=export.answers.index)
    blanks = {"", *export.tokens}
    filled = cells[~cells.isin(blanks)]
    wording = " ".join(str(export.questions.get(name, "")).split())
    labels = dict(export.value_labels.get(name, {}))
    if filled.empty:
        blank = pd.Series(np.nan, index=cells.index)
        return Column(name, wording, "text", blank, why="every cell is blank")
    coded = _codes_before_labels(filled)
    if coded:
        labels, filled, cells = coded, filled.map(_code_of), cells.map(_code_of)
    found = {t: as_number(t, export.decimal) for t in cells.unique() if t not in blanks}
    numbers = cells.map({t: v for t, v in found.items() if v is not None}).astype(float)
    if numbers.notna().sum() >= _MOST_NUMBERS * len(filled):
        return _numeric(name, wording, numbers, labels, export)
    if unit := unit_of(filled.unique()):
        bare = {t: as_number(without_unit(t), export.decimal) for t in cells.unique()}
        numbers = cells.map({t: v for t, v in bare.items() if v is not None}).astype(float)
        if numbers.notna().sum() >= _MOST_NUMBERS * len(filled):
            why = f"numbers beside their unit, '{unit}'"
            ends = {"low": numbers.min(), "high": numbers.max()}
            return Column(name, wording, "number", numbers, **ends, why=why)
    if why := _written_freely(name, wording, filled):
        return Column(name, wording, "text", pd.Series(np.nan, index=cells.index), why=why)
    return _worded(name, wording, filled, cells.index, export.separator)


def _written_freely(name: str, wording: str, filled: pd.Series) -> str:
    """Return why the cells are what respondents wrote, however few they are; else nothing.

    Choices become labels, which stand in tables and figures; what somebody wrote must not.
    """
    if n := within_text(distinct(filled)):
        return f"{n} cells hold an e-mail address, or the number of a phone or an identity card"
    ticked = filled.nunique() == 1 and wording.endswith(f" - {filled.iloc[0]}")
    if OTHER_TEXT.search(name) or (OTHER_TEXT.search(wording) and not ticked):
        return "it holds what was written beside a choice"
    if parse_times(filled, order="day-first").notna().all() and filled.str.contains(_DATE).all():
        return "its cells are dates or times"
    if filled.str.len().max() > _LONGEST_LABEL:
        return "its cells are long texts"
    return ""


def _codes_before_labels(filled: pd.Series) -> dict[int, str]:
    """Return code -> label where cells hold ``7 (very much)`` or ``1 - not at all``, else nothing.

    Scales labelled at their ends stand so: every cell begins with a code, and each code has one
    label at most.
    """
    labels: dict[int, str] = {}
    for text in filled.unique():
        both = code_before_label(text)
        if both is None and not _CODE.match(text):
            return {}
        if both and labels.setdefault(*both) != both[1]:
            return {}
    return labels


def _code_of(text: str) -> str:
    """Return the code in front of a label, or the text itself."""
    both = code_before_label(text)
    return str(both[0]) if both else text


def _numeric(
    name: str, wording: str, values: pd.Series, labels: dict[int, str], export: Export
) -> Column:
    """Return a column of numbers: a scale, a choice by code, or a count."""
    missing = dict(export.missing_codes.get(name, {}))
    named = pd.concat([values, pd.Series(list(labels), dtype=float)])
    apart = [c for c in codes_apart(named) if c not in missing]
    missing |= {c: labels.get(c, f"code {c} of the file") for c in apart}
    kept = values[~values.isin(list(missing))]
    low, high = (kept.min(), kept.max()) if kept.notna().any() else (0.0, 0.0)
    whole = bool((kept.dropna() % 1 == 0).all())
    slips = slips_of(kept) if whole else []
    if slips:
        low, high = kept[~kept.isin(slips)].min(), kept[~kept.isin(slips)].max()
    column = Column(name, wording, "number", kept, low=low, high=high, missing=missing)
    column.missing_guessed = tuple(apart)
    labels = {code: text for code, text in labels.items() if code not in missing}
    if labels and whole:
        inside = kept.dropna().isin(list(labels)).all()
        ordered = ordered_labels([labels[c] for c in sorted(labels)])
        declared = name in export.ordered and len(labels) >= _STEPS
        column.kind = "likert" if ordered or declared or not inside else "category"
        column.labels, column.why, column.sure = labels, "the file labels its codes", bool(inside)
        if declared and not ordered:
            column.why, column.sure = "the file labels its codes and declares them ordered", False
            column.alternatives = ("category",)
        column.low, column.high = _ends(low, high, labels)
        return column
    distinct = kept[~kept.isin(slips)].nunique()
    about = demographic(name, wording)
    if about == "age" and high > 20 or not whole or distinct > MOST_CATEGORIES or high > 100:
        column.why, column.sure = f"numbers from {low:g} to {high:g}", True
        return column
    span = span_of(low, high)
    if span not in ALONE or about or distinct <= 2 or high - low > 12:
        small = distinct <= 12 and about != "age" and distinct <= kept.notna().sum() / 2
        column.kind = "category" if small else "number"
        column.why = f"{distinct} different whole numbers"
        column.alternatives = ("number",) if small else ("category",)
        if small:
            shown = kept[~kept.isin(slips)].dropna().unique()
            column.labels = {int(v): str(int(v)) for v in sorted(shown)}
        return column
    column.kind, (column.low, column.high) = "likert", span
    column.why = f"whole numbers from {low:g} to {high:g}, without labels{but_for(slips)}"
    column.alternatives = ("category", "number")
    return column


def _ends(low: float, high: float, labels: Mapping[int, str]) -> tuple[float, float]:
    """Return the ends of a scale of which some codes bear labels: usual ends, unless labelled."""
    low, high = float(min(low, *labels)), float(max(high, *labels))
    return (low, high) if {low, high} <= set(labels) else span_of(low, high) or (low, high)


def _worded(name: str, wording: str, filled: pd.Series, index: pd.Index, separator: str) -> Column:
    """Return a column of words: a scale, a choice, several choices, or free text."""
    whole = filled
    spelled: dict[str, str] = {}
    bare = {t: _WRITTEN_IN.sub("", t).strip() for t in dict.fromkeys(filled)}
    bare = {t: spelled.setdefault(plain(b), b) for t, b in bare.items()}
    filled = filled.map(bare)
    distinct = list(dict.fromkeys(bare.values()))
    blank = pd.Series(np.nan, index=index)
    joined = _joined(whole, separator)
    if joined and (len(distinct) > len(joined) or separator == _ONLY_JOINS):
        numbers = all(part.isdigit() for part in joined)
        labels = {int(p) if numbers else k: p for k, p in enumerate(joined, start=1)}
        why = f"cells hold several answers joined by '{separator}'"
        return Column(name, wording, "multiple", blank, labels, why=why)
    ordered = ordered_labels(distinct) if len(distinct) <= 11 else None
    if ordered:
        return _ordered(name, wording, filled, index, ordered)
    if len(distinct) <= MOST_CATEGORIES and len(filled) >= 2 * len(distinct):
        labels = dict(enumerate(sorted(distinct, key=_natural), start=1))
        codes = {text: code for code, text in labels.items()}
        column = Column(name, wording, "category", filled.map(codes).astype(float).reindex(index))
        column.labels, column.low, column.high = labels, 1.0, float(len(labels))
        column.why = f"{len(labels)} different texts; their codes are given here, in order of text"
        column.alternatives = ("text",)
        return column
    why = f"{len(distinct)} different texts in {len(filled)} cells"
    return Column(name, wording, "text", blank, why=why, sure=len(distinct) > MOST_CATEGORIES)


def _ordered(
    name: str, wording: str, filled: pd.Series, index: pd.Index, ordered: list[str | None]
) -> Column:
    """Return a column whose words form a known scale."""
    labels = {code: text for code, text in enumerate(ordered, start=1) if text is not None}
    codes = {plain(text): float(code) for code, text in labels.items()}
    column = Column(name, wording, "likert", filled.map(plain).map(codes).reindex(index), labels)
    column.low, column.high = 1.0, float(len(ordered))
    column.why, column.sure = (
        f"its words form a scale of {len(ordered)} points",
        None not in ordered,
    )
    if len(ordered) % 2 == 0:
        column.alternatives = (f"{len(ordered) + 1} points with a middle nobody chose",)
    return column


def share_words(columns: Mapping[str, Column], families: Sequence[Sequence[str]]) -> None:
    """Give columns whose words belong to one scale the same codes.

    Not every label is chosen in every column; read one by one, the same word would get different
    codes. Columns of a family, and columns that have a word in common, are ordered together.
    """
    worded = [n for n, c in columns.items() if c.kind == "likert" and _in_words(c)]
    group = {name: {name} for name in worded}
    pairs = [(a, b) for f in families for a, b in pairwise(n for n in f if n in group)]
    by_word: dict[str, list[str]] = {}
    for name in worded:
        for word in _words(columns[name]):
            by_word.setdefault(word, []).append(name)
    pairs += [pair for sharing in by_word.values() for pair in pairwise(sharing)]
    for a, b in pairs:
        if group[a] is group[b]:
            continue
        joined = group[a] | group[b]
        if ordered_labels(_all_labels(columns, joined)):
            group |= dict.fromkeys(joined, joined)
    for joined in {id(g): g for g in group.values()}.values():
        ordered = ordered_labels(_all_labels(columns, joined))
        for name in joined if len(joined) > 1 and ordered else ():
            _recode(columns[name], ordered)


def _in_words(column: Column) -> bool:
    """Tell whether a column's codes were given here, by its words."""
    return column.why.startswith(_BY_WORDS)


def _words(column: Column) -> set[str]:
    return {plain(text) for text in column.labels.values()}


def _all_labels(columns: Mapping[str, Column], names: Iterable[str]) -> list[str]:
    """Return the labels of some columns, each once, in a fixed order."""
    found = {plain(t): t for n in sorted(names) for t in columns[n].labels.values()}
    return list(found.values())


def _recode(column: Column, ordered: list[str | None]) -> None:
    """Give a column the codes of a longer scale."""
    new = {plain(text): k for k, text in enumerate(ordered, start=1) if text is not None}
    codes = {old: float(new[plain(text)]) for old, text in column.labels.items()}
    column.values = column.values.map(codes)
    column.labels = {k: text for k, text in enumerate(ordered, start=1) if text is not None}
    column.low, column.high = 1.0, float(len(ordered))
    column.why = f"{_BY_WORDS} {len(ordered)} points, together with other columns"
    column.sure = None not in ordered
    column.alternatives = _with_middle(len(ordered))


def _with_middle(points: int) -> tuple[str, ...]:
    """Return what else a scale of an even number of points could be."""
    return (f"{points + 1} points with a middle nobody chose",) if points % 2 == 0 else ()


def _joined(filled: pd.Series, separator: str) -> list[str]:
    """Return the choices of cells that join several, or nothing if the column is not so."""
    holding = {text for text in dict.fromkeys(filled) if separator in text}
    if separator.isspace() or not holding or filled.isin(holding).sum() < 2:
        return []
    parts = filled.str.replace(_WRITTEN_IN, "", regex=True).str.split(separator).explode()
    parts = parts.str.strip()
    counts = parts[parts != ""].value_counts()
    often = counts[counts >= 2]
    few = 2 <= len(counts) <= MOST_CATEGORIES and often.sum() >= _MOST_NUMBERS * counts.sum()
    return sorted(counts.index, key=_natural) if few else []


def _natural(text: str) -> tuple[float, str]:
    """Order texts by the first number in them, then by letters."""
    number = re.search(r"\d+(?:\.\d+)?", text.replace(",", ""))
    below = bool(re.search(r"以下|below|under|less|<", text))
    return (float(number[0]) - 0.5 * below if number else np.inf, text)


def value_table(columns: Mapping[str, Column]) -> pd.DataFrame:
    """Return the numbers of all columns that have some, missing codes blanked."""
    return pd.DataFrame({name: c.values for name, c in columns.items() if c.values.notna().any()})
