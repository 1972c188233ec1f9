"""A part of a study's respondents, named with the study: ``online_shopping where platform = 2``.

The words after ``where`` are terms joined by ``and``; each compares a grouping, a coded item or
``started_at`` with codes, numbers or days. As the selection is part of the study's name, every
notebook runs on it unchanged, and it stands in its parameters cell for all to see.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, listing, nearest
from helpers.i18n import _, pick
from helpers.study import StudyFolder
from helpers.survey.readers.intake import Intake

WHERE = " where "
STARTED = "started_at"
_TERM = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*(!=|>=|<=|=|>|<)\s*([^=<>!]+?)\s*")
_COMPARE: dict[str, Callable] = {
    ">=": np.greater_equal, "<=": np.less_equal, ">": np.greater, "<": np.less,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison: ``name`` is a grouping, an item or ``started_at``."""

    name: str
    sign: str
    values: tuple[str, ...]

    def text(self) -> str:
        """Return the term as it is written."""
        return f"{self.name} {self.sign} {'|'.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Terms that all must hold."""

    terms: tuple[Term, ...]

    def text(self) -> str:
        """Return the selection as it is written, always in the same way."""
        return " and ".join(term.text() for term in self.terms)

    def words(self, folder: StudyFolder) -> str:
        """Return the selection in words of the current language."""
        return _("; ").join(_words(folder, term) for term in self.terms)


def split_name(name: str) -> tuple[str, Selection | None]:
    """Split ``study where terms`` into the study's name and its selection.

    Raises
    ------
    DataContractError
        The text after ``where`` cannot be read.
    """
    study, where, rest = name.partition(WHERE)
    return study.strip(), parse_selection(rest) if where else None


def parse_selection(text: str) -> Selection:
    """Read terms joined by ``and``.

    Examples
    --------
    >>> parse_selection("platform=1|2 and started_at >= 2024-03-01").text()
    'platform = 1|2 and started_at >= 2024-03-01'
    """
    return Selection(tuple(_parse_term(part) for part in re.split(r"\s+and\s+", text.strip())))


def _parse_term(text: str) -> Term:
    """Read one term."""
    match = _TERM.fullmatch(text)
    values = tuple(v.strip() for v in match[3].split("|")) if match else ()
    several = len(values) > 1 and match is not None and match[2] not in ("=", "!=")
    if match is None or not all(values) or several:
        raise DataContractError(
            f"selection: '{text.strip()}' cannot be read; a term is NAME = CODE, NAME = CODE|CODE, "
            "NAME >= NUMBER, or started_at >= YYYY-MM-DD; terms are joined by `and`. Correct it."
        )
    return Term(match[1], match[2], values)


def select_rows(folder: StudyFolder, intake: Intake, selection: Selection) -> pd.Series:
    """Return which received rows belong to a selection; a blank belongs to none.

    Raises
    ------
    DataContractError
        A name or a code that the study does not have, or times that the export does not hold.
    """
    chosen = pd.Series(True, index=intake.meta.index)
    for term in selection.terms:
        chosen &= _holds(folder, intake, term)
    return chosen


def restricted(intake: Intake, chosen: pd.Series) -> Intake:
    """Return the rows of an intake that were chosen, numbered anew from 0."""
    place = pd.Series(np.cumsum(chosen) - 1, index=chosen.index)[chosen]
    reasons = intake.reasons[intake.reasons["row"].isin(place.index)]
    return replace(
        intake,
        meta=intake.meta[chosen].reset_index(drop=True),
        answers=intake.answers[chosen].reset_index(drop=True),
        reasons=reasons.assign(row=reasons["row"].map(place)).reset_index(drop=True),
    )


def codes_of(folder: StudyFolder, grouping: str) -> dict[int, str]:
    """Return the codes of a grouping with their labels in the current language."""
    scale = folder.scale_of(_item(folder, grouping))
    return {code: pick(label.model_dump()) for code, label in scale.labels.items()}


def check_terms(folder: StudyFolder, selection: Selection) -> list[str]:
    """Return what is wrong with a selection for this study, as sentences, without its data."""
    faults = []
    for term in selection.terms:
        try:
            _numbers(folder, term)
        except DataContractError as error:
            faults.append(str(error))
    return faults


def _holds(folder: StudyFolder, intake: Intake, term: Term) -> pd.Series:
    """Return for which rows one term holds."""
    wanted = _numbers(folder, term)
    if term.name == STARTED:
        if intake.meta[STARTED].isna().all():
            raise DataContractError(
                f"selection: '{term.text()}' needs the time at which respondents started, and the "
                f"export of '{folder.id}' holds none. Select by a grouping instead."
            )
        column = pd.to_datetime(intake.meta[STARTED]).dt.normalize()
    else:
        column = intake.answers[_item(folder, term.name)]
    if term.sign == "=":
        return column.isin(wanted)
    if term.sign == "!=":
        return column.notna() & ~column.isin(wanted)
    return pd.Series(_COMPARE[term.sign](column, wanted[0]), index=column.index) & column.notna()


def _numbers(folder: StudyFolder, term: Term) -> list[float] | list[pd.Timestamp]:
    """Return the values of a term as the data hold them."""
    if term.name == STARTED:
        return [_day(value, term) for value in term.values]
    item = _item(folder, term.name)
    scale = folder.scale_of(item)
    if scale.kind in ("text", "multiple"):
        raise DataContractError(
            f"selection: '{term.text()}': item '{item}' is of the kind {scale.kind}; one code or "
            "number a respondent is needed. Select by another item."
        )
    try:
        numbers = [float(value) for value in term.values]
    except ValueError:
        numbers = []
    known = scale.labels
    if not numbers or (known and any(number not in known for number in numbers)):
        codes = listing(f"{c} ({pick(t.model_dump())})" for c, t in known.items()) or "numbers"
        raise DataContractError(
            f"selection: '{term.text()}': '{term.name}' has codes {codes}. Choose from these."
        )
    return numbers


def _item(folder: StudyFolder, name: str) -> str:
    """Return the item behind a grouping, or the item of that name."""
    if name in folder.spec.groups:
        return folder.spec.groups[name].item
    main = folder.items.loc[folder.items["module"] == "main", "item"]
    if name not in set(main):
        known = [*folder.spec.groups, STARTED]
        raise DataContractError(
            f"selection: '{name}' is neither a grouping nor an item of '{folder.id}'; groupings "
            f"are {listing(known)}, and every item of items.csv may be named."
            f"{nearest(name, [*known, *main])}"
        )
    return name


def _day(text: str, term: Term) -> pd.Timestamp:
    """Read a day."""
    try:
        return pd.Timestamp(date.fromisoformat(text))
    except ValueError:
        raise DataContractError(
            f"selection: '{term.text()}': '{text}' is not a day; YYYY-MM-DD is needed."
        ) from None


def _words(folder: StudyFolder, term: Term) -> str:
    """Return one term in words."""
    if term.name == STARTED:
        name, values = _("started"), list(term.values)
    else:
        grouping = folder.spec.groups.get(term.name)
        item = _item(folder, term.name)
        name = pick(grouping.title.model_dump()) if grouping else folder.item_label(item)
        labels = folder.scale_of(item).labels
        values = [pick(labels[int(float(v))].model_dump()) if labels else v for v in term.values]
    signs = {"=": "=", "!=": "≠", ">=": "≥", "<=": "≤", ">": ">", "<": "<"}
    return f"{name} {signs[term.sign]} {_(' or ').join(values)}"
