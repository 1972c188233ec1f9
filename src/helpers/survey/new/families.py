"""Which columns belong together: choices of one question, grids, and items of one construct."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.survey.new.columns import Column
from helpers.survey.new.guess import Guess
from helpers.survey.new.spans import but_for, slips_of, span_of
from helpers.survey.new.words import NEGATED, demographic

_STEM = re.compile(r"^(?P<stem>.*?[A-Za-z\u4e00-\u9fff])[_\-. ]?(?P<number>\d{1,2})$")
_ROW = re.compile(r"^(?P<stem>.+?[\]_\[])\[?(?:SQ)?0*(?P<number>\d{1,3})\]?$")
_GRID_HEAD = re.compile(r"^(\d+)\s*[、.]\s*(.*?)\s*[—\-–]+\s*1\s*[.、]\s*(.*)$")
_GRID_ROW = re.compile(r"^(\d+)\s*[.、]\s*(.+)$")
_QUESTION = re.compile(r"^(\d+)\s*[、.]")
_SPLIT_CHOICE = re.compile(r"^第(\d+)题\((.*)\)$")
_BRACKET = re.compile(r"^(.+?)\s*\[(.+)\]$")
_DASHED = re.compile(r"^(.+) - (.+)$", re.DOTALL)
_CHOSEN = frozenset({"y", "yes", "1", "是", "true", "checked"})
_GENERIC = frozenset({"q", "question", "v", "var", "item", "x", "y", "c", "col", "column", "qid"})
"""Stems that number all questions of a file and so name no concept."""

_TOP = 10
"""Highest code of usual answer scales."""

_REVERSED = -0.2
"""Correlation with the rest of a family from which an item is called a candidate for turning:
below it chance does not lead in a sample of 100 (two standard errors)."""


class Family(NamedTuple):
    """Columns with one stem, in the order of the file."""

    stem: str
    columns: tuple[str, ...]
    why: str


def grid_rows(names: Sequence[str]) -> dict[str, tuple[str, int, str]]:
    """Return column -> (question, row number, row text) of grids whose first column names both.

    Wenjuanxing writes ``7、Question—1.Row`` once and then only ``2.Row``, ``3.Row``; other forms
    write ``Question [Row]`` or ``Question - Row`` in every column.
    """
    found: dict[str, tuple[str, int, str]] = {}
    head, number = "", 0
    for name in names:
        start, row = _GRID_HEAD.match(name), _GRID_ROW.match(name)
        if start:
            head, number = f"{start[1]}、{start[2]}", 1
            found[name] = (head, 1, start[3])
        elif head and row and int(row[1]) == number + 1 and "、" not in name[:4]:
            number += 1
            found[name] = (head, number, row[2])
        else:
            head = ""
    return found


def split_choices(names: Sequence[str], columns: dict[str, Column]) -> dict[str, dict[int, str]]:
    """Return base column -> code -> column for questions whose choices have a column each."""
    found: dict[str, dict[int, str]] = {}
    for name in names:
        hit = _SPLIT_CHOICE.match(name)
        if hit:
            group = found.setdefault(f"{hit[1]}、", {})
            group[len(group) + 1] = name
    by_stem: dict[str, dict[int, str]] = {}
    for name in names:
        hit = _ROW.match(name)
        if hit and hit["stem"].endswith("_") and _is_choice(columns[name]):
            by_stem.setdefault(hit["stem"][:-1], {})[int(hit["number"])] = name
    found |= {
        stem: group
        for stem, group in by_stem.items()
        if len(group) > 1 and all(_zero_or_one(columns[n]) for n in group.values())
    }
    return found | _told_by_one_word(names, columns)


def _told_by_one_word(
    names: Sequence[str], columns: dict[str, Column]
) -> dict[str, dict[int, str]]:
    """Return questions whose choices stand in columns that hold one word, or nothing.

    ``question - choice`` holds the choice or its number, as does ``Q2_3`` if its wording ends in
    ``- choice``; ``Q3[SQ002]`` holds ``Y``.
    """
    found: dict[str, dict[int, str]] = {}
    for name in names:
        words = {text.strip().casefold() for text in columns[name].labels.values()}
        dashed, row = _DASHED.match(name), _ROW.match(name)
        asked = _DASHED.match(columns[name].wording)
        if len(words) != 1:
            continue
        number = words <= {str(code) for code in columns[name].labels}
        ticked = number and bool(columns[name].values.isna().any())
        if dashed and (ticked or words == {dashed[2].strip().casefold()}):
            group = found.setdefault(dashed[1], {})
            group[len(group) + 1] = name
        elif row and asked and words == {asked[2].strip().casefold()}:
            found.setdefault(row["stem"].rstrip("_["), {})[int(row["number"])] = name
        elif row and name.endswith("]") and words <= _CHOSEN:
            found.setdefault(row["stem"].rstrip("["), {})[int(row["number"])] = name
    return {base: group for base, group in found.items() if len(group) > 1}


def choice_label(name: str) -> str:
    """Return the choice that a column of its own names, or an empty text."""
    hit = _SPLIT_CHOICE.match(name) or _DASHED.match(name)
    return hit[2] if hit else ""


def _is_choice(column: Column) -> bool:
    """Tell whether a column can be one choice: one code, or 0 and 1."""
    return column.kind in ("category", "number", "likert") and column.values.nunique() <= 2


def _zero_or_one(column: Column) -> bool:
    """Tell whether a column holds 0 and 1, or only 1: chosen or not."""
    return set(column.values.dropna().unique()) <= {0.0, 1.0}


def families(columns: dict[str, Column]) -> list[Family]:
    """Return the groups of columns that share a stem of name or a question of several rows."""
    rows = grid_rows(list(columns))
    groups: dict[str, list[str]] = {}
    why: dict[str, str] = {}
    for name in columns:
        if name in rows:
            key, reason = rows[name][0], "they are rows of one question"
        elif hit := (_ROW.match(name) or _STEM.match(name)):
            key, reason = hit["stem"].rstrip("_[. -"), "their names share a stem"
        elif hit := (_BRACKET.match(name) or _DASHED.match(name)):
            key, reason = hit[1], "they are rows of one question"
        else:
            continue
        groups.setdefault(key, []).append(name)
        why[key] = reason
    return [Family(k, tuple(v), why[k]) for k, v in groups.items() if len(v) > 1]


def share_scale(group: Family, columns: dict[str, Column]) -> None:
    """Give the unlabelled scales of a family one span; single columns may not show their ends."""
    members = [columns[n] for n in group.columns if _may_be_scale(columns[n])]
    if is_generic(group.stem):
        members = [c for c in members if c.values.nunique() > 2 and not _about_person(c)]
    plain = [c for c in members if not c.sure and c.values.notna().any() and not _worded(c)]
    if len(plain) < 2:
        return
    pooled = pd.concat([c.values for c in plain])
    slips = slips_of(pooled)
    inside = pooled[~pooled.isin(slips)]
    low, high = inside.min(), inside.max()
    span = span_of(low, high)
    if span is None or high - low < 3:
        return
    for column in plain:
        column.kind, column.labels = "likert", {}
        column.low, column.high = span
        column.why = f"the columns {group.stem}... hold whole numbers from {low:g} to {high:g}"
        column.why += but_for(slips)
        others = [s for s in ((1, 5), (1, 7), (1, 10), (0, 10)) if s[0] <= low and s[1] >= high]
        column.alternatives = tuple(f"{a} to {b}" for a, b in others if (a, b) != span)


def _may_be_scale(column: Column) -> bool:
    """Tell whether a column can be an answer scale, seen beside its neighbours."""
    small = column.kind == "number" and (column.values.dropna() % 1 == 0).all()
    return column.kind in ("likert", "category") or (small and (column.high or 99) <= _TOP)


def _about_person(column: Column) -> bool:
    """Tell whether a column describes the respondent; numbered alike, it is no part of a scale."""
    return bool(demographic(column.name, column.wording))


def _worded(column: Column) -> bool:
    """Tell whether a column's labels are words rather than its own numbers."""
    return any(text != str(code) for code, text in column.labels.items())


def is_generic(stem: str) -> bool:
    """Tell whether a stem only numbers questions."""
    return stem.strip("_- ").casefold() in _GENERIC


def reverse_candidates(
    code: str, items: Sequence[str], values: pd.DataFrame, wordings: dict[str, str]
) -> list[Guess]:
    """Return the items that run against the rest of their family, or are worded so but do not.

    Nothing is turned: whether a file's items were already turned shows only in questionnaire and
    wording, and turning twice is worse than not at all.
    """
    found = []
    for item, r in _with_the_rest(values[list(items)]).items():
        negated = bool(NEGATED.search(wordings.get(item, "")))
        if r < _REVERSED:
            because = f"it correlates {r:.2f} with the other items of {code}"
            because += ", and is worded against them" if negated else ""
            found.append(Guess(item, "reverse 0, not turned", because, False, ("reverse 1",)))
        elif negated and r > -_REVERSED:
            because = f"it is worded with a negation, but correlates +{r:.2f} with the others"
            alternatives = ("reverse 1, if the concept itself is negative",)
            found.append(
                Guess(item, "reverse 0, as if already turned", because, False, alternatives)
            )
    return found


def _with_the_rest(table: pd.DataFrame) -> pd.Series:
    """Return each item's correlation with the others, those that run against most of them turned.

    The signs are those of the first principal component; what most items share counts as upwards.
    """
    if table.shape[1] < 3 or (table.std() == 0).any():
        return pd.Series(dtype=float)
    correlations = table.corr()
    if correlations.isna().any().any():
        return pd.Series(dtype=float)
    signs = np.sign(np.linalg.eigh(correlations.to_numpy())[1][:, -1])
    signs *= np.sign(signs.sum()) or 1.0
    turned = (table - table.mean()) / table.std() * signs
    return pd.Series({i: table[i].corr(turned.drop(columns=i).mean(axis=1)) for i in table})
