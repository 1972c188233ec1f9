"""Results remembered inside one process, so that a notebook can be read again in another language.

A notebook that has run in one language is run again in the other in the same kernel. What a
function computed the first time is handed out the second time, if the arguments are equal and if
the function never asked for the language: a result that holds words is computed anew, while the
remembered functions below it are not. So no text of the first language can reach the second.

Nothing is remembered unless ``start`` was called, which the runner of notebooks does.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import types
from collections.abc import Callable, Mapping
from functools import cached_property, wraps
from pathlib import PurePath
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from helpers import i18n

P = ParamSpec("P")
R = TypeVar("R")

_store: dict[Any, tuple[Any, bool]] = {}
_keys: dict[int, tuple[Any, Any]] = {}
_on = False


def start() -> None:
    """Begin to remember; what was remembered before is forgotten."""
    global _on
    _store.clear()
    _keys.clear()
    _on = True


def stop() -> None:
    """Forget everything and remember nothing more."""
    global _on
    _store.clear()
    _keys.clear()
    _on = False


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """Make a pure function remember its results while ``start`` is in force.

    Arguments are compared by content: plain values, arrays, tables, dataclasses and containers of
    these. With an argument of another kind (a random generator, a closure) the function is simply
    called. A result that depends on the language is remembered for that language only. Arrays and
    tables are handed out as copies; other results must not be changed by who receives them, which
    holds for all results of the suite.

    Errors are not remembered.
    """
    signature = inspect.signature(function)
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def remembering(*args: P.args, **kwargs: P.kwargs) -> R:
        if not _on:
            return function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        try:
            key = (name, _key(bound.arguments))
        except _NoKey:
            return function(*args, **kwargs)
        with i18n.listening() as heard:
            result, spoke = _recall(key, function, args, kwargs)
        if spoke and not heard():
            i18n.language()  # whoever called depends on the language as well
        return _handed_out(result)

    return remembering


def _recall(key: Any, function: Callable[..., R], args: Any, kwargs: Any) -> tuple[R, bool]:
    """Return a result and whether it depends on the language, computing it if it is new."""
    spoken = (key, i18n.current())
    for known in (key, spoken):
        if known in _store:
            return _store[known]
    with i18n.listening() as heard:
        result = function(*args, **kwargs)
    filed, found = spoken if heard() else key, (_handed_out(result), heard())
    _store[filed] = found
    if dataclasses.is_dataclass(result):
        _keys[id(result)] = (result, ("made by", filed))  # equal arguments made equal results
    return found


def _handed_out(result: R) -> R:
    """Return a copy of what could be changed in place."""
    if isinstance(result, pd.DataFrame | pd.Series | np.ndarray):
        return result.copy()
    return result


class kept(cached_property, Generic[R]):
    """A ``cached_property`` that is kept for each language if its value depends on it."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Return the value, computed once, or once a language."""
        if instance is None:
            return self
        name = self.attrname
        spoken = f"{name} ({i18n.current()})"
        values = instance.__dict__
        if spoken in values:
            i18n.language()
            return values[spoken]
        with i18n.listening() as heard:
            value = self.func(instance)
        values[spoken if heard() else name] = value
        return value


class _NoKey(TypeError):
    """An argument that cannot be compared by content."""


_PLAIN = (str, bytes, int, bool, type(None), type(...), PurePath)


def _key(value: Any) -> Any:
    """Return something hashable that is equal exactly where the content is equal."""
    if isinstance(value, _PLAIN):
        return (type(value), value)
    if isinstance(value, float | complex | np.generic):
        return (type(value), repr(value))
    if isinstance(value, np.ndarray | pd.DataFrame | pd.Series | pd.Index):
        return _table_key(value)
    if isinstance(value, tuple | list):
        return (type(value), *map(_key, value))
    if isinstance(value, set | frozenset):
        return (type(value), frozenset(map(_key, value)))
    if isinstance(value, Mapping):
        return (dict, *((_key(k), _key(v)) for k, v in value.items()))
    if isinstance(value, type | types.BuiltinFunctionType):
        return (type, value)
    if isinstance(value, types.FunctionType) and value.__closure__ is None:
        return (value.__module__, value.__qualname__, value.__code__)
    return _object_key(value)


def _table_key(value: np.ndarray | pd.DataFrame | pd.Series | pd.Index) -> Any:
    """Return a digest of an array or a table with its labels and types."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return (np.ndarray, value.shape, _key(value.tolist()))
        data = np.ascontiguousarray(value)
        return (np.ndarray, value.shape, value.dtype.str, _digest(data.tobytes()))
    try:
        rows = pd.util.hash_pandas_object(value, index=not isinstance(value, pd.Index))
    except TypeError:
        raise _NoKey from None
    labels: Any = getattr(value, "name", None)
    kinds: Any = str(getattr(value, "dtype", ""))
    if isinstance(value, pd.DataFrame):
        labels = [*map(repr, value.columns)]
        kinds = [_dtype_key(t) for t in value.dtypes]
    return (type(value), _digest(rows.to_numpy().tobytes()), str(labels), str(kinds), len(value))


def _dtype_key(dtype: Any) -> str:
    """Return a column's type; of a categorical one with its categories in order."""
    categories = getattr(dtype, "categories", None)
    return str(dtype) if categories is None else f"{[*categories]}, {dtype.ordered}"


def _object_key(value: Any) -> Any:
    """Return the key of a dataclass or a validated model by its fields, once an object."""
    known = _keys.get(id(value))
    if known is not None:
        return known[1]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
    elif hasattr(value, "model_dump"):
        fields = [*value.model_dump().items()]
    else:
        raise _NoKey(type(value).__name__)
    key = (type(value), _digest(repr(_key(fields)).encode("utf-8")))
    _keys[id(value)] = (value, key)  # held, so that its id is not given to another
    return key


def _digest(data: bytes) -> bytes:
    """Return a digest that differs where the data differ."""
    return hashlib.blake2b(data, digest_size=16).digest()
