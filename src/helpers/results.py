"""What every result is made of: plain values, checks, and numbers that say what they are."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers import __version__


@dataclasses.dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of an assumption, a sensitivity or a planted truth; it reports, never raises.

    Attributes
    ----------
    name : str
        What is checked.
    passed : bool or None
        ``None`` where the check informs without a verdict.
    value, threshold : float or None
        What was found and what it is held against.
    source : str
        Where the threshold comes from.
    text : str
        One sentence, in the language of the run.
    """

    name: str
    passed: bool | None
    value: float | None = None
    threshold: float | None = None
    source: str = ""
    text: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Number:
    """One number of a report with its definition.

    Attributes
    ----------
    id : str
        Name that stays the same from run to run.
    value : float
        The estimate, unrounded.
    definition : str
        Formula or estimator, in words a reviewer can check.
    ci_low, ci_high, level : float or None
        Interval and its confidence level as a proportion.
    n_used : int or None
        Respondents behind the number.
    unit, method, engine, version : str
        Unit; kind of standard error or interval; program and version that computed it.
    """

    id: str
    value: float
    definition: str
    ci_low: float | None = None
    ci_high: float | None = None
    level: float | None = None
    n_used: int | None = None
    unit: str = ""
    method: str = ""
    engine: str = "helpers"
    version: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Basis:
    """What the numbers of a table rest on, as far as whoever made the table knows it.

    Attributes
    ----------
    n_used : int or None
        Respondents behind all numbers; None where rows differ, and then a column says it.
    estimator, errors : str
        Estimator and kind of standard error, in the words of the engine; empty if none.
    engine, version : str
        Program that computed the numbers.
    """

    n_used: int | None = None
    estimator: str = ""
    errors: str = ""
    engine: str = "helpers"
    version: str = __version__


def to_plain(value: Any) -> Any:
    """Return a value as JSON can hold it: NaN and infinities become ``None``.

    DataFrames become a list of records, dataclasses and mappings dictionaries.
    """
    if isinstance(value, pd.DataFrame):
        return [to_plain(row) for row in value.to_dict(orient="records")]
    if isinstance(value, pd.Series):
        return to_plain(value.to_dict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist())
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    return value if isinstance(value, str | int | bool) else str(value)
