"""Checks of ordered answers, and their recoding to 0, 1, 2, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from helpers.errors import DataContractError, listing

Array = NDArray[np.float64]

MOST_CATEGORIES = 20
"""Beyond this, tables of pairs are mostly empty and the variable is better taken as continuous."""


@dataclass(frozen=True, slots=True)
class CodedRows:
    """Rows ready for ordinal moments.

    Attributes
    ----------
    values : array, shape (n, p)
        Numbers of the continuous variables; 0 elsewhere and where missing.
    codes : int array, shape (n, p)
        Categories 0, 1, ... of the ordered variables; -1 elsewhere and where missing.
    present : bool array, shape (n, p)
    n_dropped : int
        Rows left out.
    """

    values: Array
    codes: NDArray[np.intp]
    present: NDArray[np.bool_]
    n_dropped: int


def ordered_levels(
    data: Array, *, ordered: Sequence[bool], names: Sequence[str]
) -> tuple[Array, ...]:
    """Return the categories of each ordered variable over all rows, empty for continuous ones.

    Categories are the distinct numbers that occur, in ascending order, so a scale point that
    nobody chose is no category. With groups, call this on the rows of all groups.

    Raises
    ------
    DataContractError
        An ordered variable with numbers that are not whole, with one category, or with more
        than 20; infinite values.
    """
    table = np.asarray(data, dtype=float)
    found = []
    for j, name in enumerate(names):
        column = table[:, j]
        if np.isinf(column).any():
            raise DataContractError(
                f"fit: data= has infinite values in {name}; numbers must be finite, blanks NaN. "
                "Mark the values as missing."
            )
        found.append(_levels(column[~np.isnan(column)], name) if ordered[j] else np.empty(0))
    return tuple(found)


def _levels(answers: Array, name: str) -> Array:
    """Return the categories of one ordered variable."""
    levels = np.unique(answers)
    if len(levels) and (levels != np.round(levels)).any():
        raise DataContractError(
            f"fit: ordered= names {name}, whose values are not whole numbers (such as "
            f"{levels[levels != np.round(levels)][0]:g}); ordered variables hold category numbers. "
            f"Take {name} out of ordered=, or recode it."
        )
    if len(levels) < 2:
        raise DataContractError(
            f"fit: ordered= names {name}, which has {len(levels)} categories; an ordered variable "
            "needs at least 2. Leave it out of the model."
        )
    if len(levels) > MOST_CATEGORIES:
        raise DataContractError(
            f"fit: ordered= names {name}, which has {len(levels)} categories; at most "
            f"{MOST_CATEGORIES} are taken. Treat it as continuous, or join categories."
        )
    return levels


def code_rows(
    data: Array,
    *,
    levels: Sequence[Array],
    ordered: Sequence[bool],
    names: Sequence[str],
    missing: Literal["listwise", "pairwise"],
    group: str | None,
) -> CodedRows:
    """Drop rows as asked, recode ordered answers, and check that every category is answered."""
    table = np.asarray(data, dtype=float)
    present = ~np.isnan(table)
    kept = present.all(axis=1) if missing == "listwise" else present.any(axis=1)
    table, present = table[kept], present[kept]
    codes = np.full(table.shape, -1, dtype=np.intp)
    values = np.where(present, table, 0.0)
    empty: list[str] = []
    for j, name in enumerate(names):
        if not ordered[j]:
            _check_continuous(values[present[:, j], j], name, group)
            continue
        codes[present[:, j], j] = np.searchsorted(levels[j], table[present[:, j], j])
        values[:, j] = 0.0
        empty += [f"{v:g} of {name}" for v in _empty_categories(codes[:, j], levels[j])]
    if empty:
        raise DataContractError(
            f"fit: data= has no answer in category {listing(empty)}{_where(group)}; every category "
            "of an ordered variable needs answers in every group. Join the category with its "
            "neighbour in all groups."
        )
    return CodedRows(values, codes, present, int(len(kept) - kept.sum()))


def _check_continuous(answers: Array, name: str, group: str | None) -> None:
    """Refuse a continuous variable without variance."""
    if len(answers) < 2 or answers.min() == answers.max():
        raise DataContractError(
            f"fit: data= is constant in {name}{_where(group)}; a variable needs variance. "
            "Leave it out of the model."
        )


def _empty_categories(codes: NDArray[np.intp], levels: Array) -> Array:
    """Return the categories without an answer among the rows in use."""
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    return levels[counts == 0]


def _where(group: str | None) -> str:
    """Return ' in group g', or nothing."""
    return f" in group {group}" if group is not None else " among the complete rows"
