"""Names inside a result replaced by others: one computation, told in two languages."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import pandas as pd

R = TypeVar("R")


def relabelled(result: R, names: Mapping[str, str]) -> R:
    """Return a result in which every text that is a key of ``names`` is replaced by its value.

    Texts are replaced where they stand alone: in fields of dataclasses, in tuples, lists, sets and
    mappings (keys too), in cells, indexes and column names of tables, and in arrays of objects.
    The result itself is not changed; parts without such texts are shared with it. What a
    dataclass has kept (``helpers.memo.kept``) is carried over in the same way, not computed again.

    Examples
    --------
    >>> relabelled({"men": (1, "men")}, {"men": "Maenner"})
    {'Maenner': (1, 'Maenner')}
    """
    if all(old == new for old, new in names.items()):
        return result
    return _replaced(result, dict(names), {})


def _replaced(value: Any, names: Mapping[str, str], done: dict[int, Any]) -> Any:
    """Return one part with the new names; what was seen before is not walked through again."""
    if isinstance(value, str):
        return _in_text(value, names)
    if value is None or isinstance(value, int | float | complex | bytes | np.generic | type):
        return value
    known = done.get(id(value))
    if known is not None:
        return known[1]
    new = _rebuilt(value, names, done)
    done[id(value)] = (value, new)
    return new


def _in_text(text: str, names: Mapping[str, str]) -> str:
    """Return a name's other name; in a sentence written in Chinese also where it stands within."""
    if text in names or text.isascii():
        return names.get(text, text)
    for old, new in names.items():
        text = text.replace(old, new)
    return text


def _rebuilt(value: Any, names: Mapping[str, str], done: dict[int, Any]) -> Any:
    """Return a container with the new names, or the value itself if it is none."""
    if isinstance(value, Mapping) and type(value) is dict:
        return {_replaced(k, names, done): _replaced(v, names, done) for k, v in value.items()}
    if type(value) in (tuple, list, set, frozenset):
        return type(value)(_replaced(part, names, done) for part in value)
    if isinstance(value, np.ndarray):
        if value.dtype != object:
            return value
        flat = [_replaced(part, names, done) for part in value.ravel()]
        out = np.empty(value.size, dtype=object)
        out[:] = flat
        return out.reshape(value.shape)
    if isinstance(value, pd.DataFrame):
        columns = {i: _column(value.iloc[:, i], names) for i in range(value.shape[1])}
        table = pd.DataFrame(columns, index=_labels(value.index, names))
        table.columns = _labels(value.columns, names)
        return table
    if isinstance(value, pd.Series):
        return _column(value, names).set_axis(_labels(value.index, names))
    if dataclasses.is_dataclass(value):
        return _with_fields(value, names, done)
    return value


def _with_fields(value: Any, names: Mapping[str, str], done: dict[int, Any]) -> Any:
    """Return a copy of a dataclass, slotted or not, with the new names in all it holds."""
    new = copy.copy(value)
    done[id(value)] = (value, new)
    held = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    held |= getattr(value, "__dict__", {})
    for name, part in held.items():
        object.__setattr__(new, name, _replaced(part, names, done))
    return new


def _column(column: pd.Series, names: Mapping[str, str]) -> pd.Series:
    """Return a column with the new names in its cells."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = {c: names.get(c, c) for c in column.cat.categories}
        return column.cat.rename_categories(known)
    if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
        return column.map(lambda cell: names.get(cell, cell) if isinstance(cell, str) else cell)
    return column


def _labels(labels: pd.Index, names: Mapping[str, str]) -> pd.Index:
    """Return an index with the new names."""
    if isinstance(labels, pd.MultiIndex):
        return labels.map(lambda key: tuple(names.get(k, k) for k in key))
    if labels.dtype == object or isinstance(labels.dtype, pd.StringDtype):
        return labels.map(lambda key: names.get(key, key))
    return labels
