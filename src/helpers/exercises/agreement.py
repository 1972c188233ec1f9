"""When an answer agrees with the right one, and what kind of answer is asked for."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.i18n import _

_SLACK = 1e-9
"""Relative room for the error of binary fractions at the edge of rounding."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Several answers of one kind that are equally right, as where the largest values are tied."""

    members: tuple[Any, ...]


def largest(values: pd.Series) -> OneOf:
    """Return the labels of the largest value, as many as are tied, blanks left out."""
    known = values.dropna()
    return OneOf(tuple(known.index[known >= known.max() - _SLACK * abs(known.max())]))


def agrees(answer: Any, right: Any, *, decimals: int) -> bool:
    """Tell whether an answer is right.

    Numbers agree within half a unit of the last decimal asked for, so that a rounded answer is
    right; texts without regard to case and blanks; one of several where right ones are tied;
    tuples and lists place by place; sets as sets; tables by their columns, in any order of
    columns, row by row.
    """
    if isinstance(right, OneOf):
        return any(agrees(answer, member, decimals=decimals) for member in right.members)
    if _is_truth(right) or _is_truth(answer):
        return _is_truth(right) and _is_truth(answer) and bool(right) == bool(answer)
    if _is_number(right):
        return _is_number(answer) and _close(_as_float(answer), float(right), decimals)
    if isinstance(right, str):
        return isinstance(answer, str) and _folded(answer) == _folded(right)
    if isinstance(right, pd.DataFrame):
        return _tables_agree(answer, right, decimals)
    if isinstance(right, set | frozenset):
        is_group = isinstance(answer, set | frozenset | list | tuple)
        return is_group and {_key(a) for a in answer} == {_key(r) for r in right}
    there, asked = _listed(answer), _listed(right)
    if there is None or asked is None or len(there) != len(asked):
        return False
    return all(agrees(a, r, decimals=decimals) for a, r in zip(there, asked, strict=True))


def expected_kind(answer: Any, right: Any) -> str:
    """Return the sentence that says what is expected if the answer is of another kind, else ''."""
    if isinstance(right, OneOf):
        return expected_kind(answer, right.members[0]) if right.members else ""
    if _is_truth(right):
        return "" if _is_truth(answer) else _("The answer is True or False.")
    if _is_number(right):
        plain = _is_number(answer) and not _is_truth(answer)
        return "" if plain else _("The answer is one number.")
    if isinstance(right, str):
        return "" if isinstance(answer, str) else _("The answer is a text in quotation marks.")
    if isinstance(right, pd.DataFrame):
        if isinstance(answer, pd.DataFrame) and {*answer.columns} == {*right.columns}:
            return ""
        names = ", ".join(map(str, right.columns))
        return _("The answer is a table with the columns {names}.").format(names=names)
    if isinstance(right, set | frozenset):
        known = isinstance(answer, set | frozenset | list | tuple)
        return "" if known else _("The answer is a set of values, in braces.")
    there, asked = _listed(answer), _listed(right) or []
    if there is None or len(there) != len(asked):
        return _("The answer is {n} values, in brackets and with commas.").format(n=len(asked))
    return next(
        (text for a, r in zip(there, asked, strict=True) if (text := expected_kind(a, r))), ""
    )


def _is_truth(value: Any) -> bool:
    """Tell whether a value is True or False and not a number."""
    return isinstance(value, bool | np.bool_)


def _is_number(value: Any) -> bool:
    """Tell whether a value is one real number."""
    return isinstance(value, numbers.Real | np.number) and not _is_truth(value)


def _as_float(number: Any) -> float:
    """Return a number as Python's; one beyond its range is infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _close(answer: float, right: float, decimals: int) -> bool:
    """Tell whether two numbers are the same when rounded."""
    if math.isnan(right) or math.isnan(answer):
        return math.isnan(right) and math.isnan(answer)
    room = 0.5 * 10.0**-decimals
    return abs(answer - right) <= room + _SLACK * max(1.0, abs(right))


def _folded(text: str) -> str:
    """Return a text without case and blanks."""
    return "".join(text.casefold().split())


def _key(value: Any) -> Any:
    """Return what a member of a set is compared by."""
    if isinstance(value, str):
        return _folded(value)
    return repr(value) if isinstance(value, list | set | dict | np.ndarray) else value


def _listed(value: Any) -> list[Any] | None:
    """Return the members of something ordered, or None."""
    if isinstance(value, list | tuple | np.ndarray | pd.Series | pd.Index):
        return list(value)
    return None


def _tables_agree(answer: Any, right: pd.DataFrame, decimals: int) -> bool:
    """Compare two small tables cell by cell."""
    if not isinstance(answer, pd.DataFrame) or {*answer.columns} != {*right.columns}:
        return False
    if len(answer) != len(right):
        return False
    return all(
        agrees(answer[name].tolist(), right[name].tolist(), decimals=decimals) for name in right
    )
