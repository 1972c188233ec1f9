"""Columns of printed tables: label, kind of number, and what is guessed when nothing is said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from helpers.errors import ReportError, Unavailable, listing, nearest
from helpers.i18n import _
from helpers.tables.labels import column_label
from helpers.tables.numbers import (
    DASH,
    format_integer,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_truth,
    is_missing,
)

Kind = Literal[
    "text",
    "number",
    "bounded",
    "integer",
    "p",
    "percent",
    "truth",
    "interval",
    "percent_interval",
]
KINDS: tuple[str, ...] = get_args(Kind)

# Quantities that lie in -1..1 by definition; APA prints them without the leading zero.
_BOUNDED_NAMES = frozenset(
    {
        "adj_r2", "agfi", "alpha", "ave", "ccc", "cfi", "communality", "composite_reliability",
        "cr", "cramers_v", "delta_cfi", "delta_r2", "delta_rmsea", "delta_srmr", "eta_sq",
        "gfi", "htmt", "icc", "ifi", "item_rest", "kappa", "kmo", "loading", "msa", "nfi",
        "omega", "omega_h", "omega_sq", "partial_eta_sq", "phi", "r", "r2", "rfi", "rmsea",
        "rmsea_ci_high", "rmsea_ci_low", "srmr", "std", "std_all", "std_ci_high", "std_ci_low",
        "std_estimate", "std_lv", "tli", "uniqueness",
    }
)  # fmt: skip
_P_NAMES = ("p", "p_value", "pvalue", "p_adjusted", "rmsea_p", "delta_p")
_COUNT_NAMES = ("n", "df", "delta_df", "k", "n_items", "n_used", "n_missing", "n_dropped", "count")
_SHARE_NAMES = ("share", "percent", "missing_share", "share_missing", "variance_share")


class Parenthesised(float):
    """A number printed in brackets (a reliability among correlations); plain in the CSV."""


@dataclass(frozen=True, slots=True)
class Column:
    """One printed column.

    Attributes
    ----------
    key : str
        Column of the DataFrame. For an interval, the lower end.
    label : str
        Heading, already in the reader's language.
    kind : str
        One of ``KINDS``.
    decimals : int
        Digits after the point for ``number``, ``bounded``, ``percent`` and ``interval``.
    upper : str or None
        Column of the upper end, for intervals only (``percent_interval``: shares of 0 to 1).
    bounded : bool
        Print the ends of an interval without leading zeros.
    hide_below : float or None
        Leave a number blank whose size is below this (small loadings).
    scale : str or None
        Column of standard errors: a row whose error would print as zero (a slope per yuan) takes
        more digits, so many that two of its error count.
    """

    key: str
    label: str
    kind: Kind = "number"
    decimals: int = 2
    upper: str | None = None
    bounded: bool = False
    hide_below: float | None = None
    scale: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ReportError(
                f"Column: kind= is '{self.kind}'; allowed are {listing(KINDS)}."
                f"{nearest(self.kind, KINDS)} Choose one of them."
            )
        if self.kind.endswith("interval") != (self.upper is not None):
            raise ReportError(
                f"Column: '{self.key}' has kind '{self.kind}' and upper= {self.upper!r}; an "
                "interval needs the column of its upper end and nothing else takes one. "
                "Give upper= with kind='interval' only."
            )

    @property
    def align(self) -> str:
        """Text to the left, numbers to the right, intervals in the middle."""
        if self.kind == "text":
            return "left"
        return "center" if self.kind.endswith(("truth", "interval")) else "right"

    @property
    def keys(self) -> tuple[str, ...]:
        """The DataFrame columns this column reads."""
        return (self.key,) if self.upper is None else (self.key, self.upper)

    def show(self, row: Mapping[str, object]) -> str:
        """Return the text of one cell (``Unavailable`` is the caller's to print)."""
        value = row[self.key]
        if self.kind == "interval":
            digits = self._digits(row)
            return format_interval(value, row[self.upper], digits, bounded=self.bounded)
        if self.kind == "percent_interval":
            ends = [None if is_missing(v) else 100 * v for v in (value, row[self.upper])]
            return format_interval(*ends, self.decimals)
        if isinstance(value, str) and self.kind != "text":
            return value
        if self.hide_below is not None and not is_missing(value) and abs(value) < self.hide_below:
            return ""
        text = self._format(value, self._digits(row))
        return f"({text})" if isinstance(value, Parenthesised) else text

    def _digits(self, row: Mapping[str, object]) -> int:
        """Return the digits after the point of one row."""
        error = None if self.scale is None else row[self.scale]
        if is_missing(error) or not 0 < error < 0.5 * 10**-self.decimals:
            return self.decimals
        return 1 - math.floor(math.log10(error))

    def _format(self, value: object, digits: int) -> str:
        """Format one value by the column's kind."""
        match self.kind:
            case "text":
                return DASH if is_missing(value) else str(value)
            case "number":
                return format_number(value, digits)
            case "bounded":
                return format_number(value, self.decimals, bounded=True)
            case "integer":
                return format_integer(value)
            case "p":
                return format_p(value)
            case "percent":
                return format_percent(value, self.decimals)
            case _:
                return format_truth(value)


def interval_column(
    low: str = "ci_low",
    high: str = "ci_high",
    *,
    level: float | None = None,
    label: str | None = None,
    decimals: int = 2,
    bounded: bool = False,
    scale: str | None = None,
) -> Column:
    """Return the column that prints two DataFrame columns as ``[low, high]``."""
    heading = label or interval_label(level)
    return Column(low, heading, "interval", decimals, upper=high, bounded=bounded, scale=scale)


def interval_label(level: float | None = None) -> str:
    """Return ``95% CI`` for the level given, or for the level of the suite."""
    from helpers.thresholds import LEVEL

    return _("{percent:g}% CI").format(percent=100 * (LEVEL if level is None else level))


def guess_column(key: str, values: pd.Series) -> Column:
    """Choose label and kind from the column's name and type."""
    kind: Kind = "number"
    if key in _P_NAMES:
        kind = "p"
    elif pd.api.types.is_bool_dtype(values):
        kind = "truth"
    elif not _numeric(values):
        kind = "text"
    elif key in _SHARE_NAMES:
        kind = "percent"
    elif key in _COUNT_NAMES or pd.api.types.is_integer_dtype(values):
        kind = "integer"
    elif key in _BOUNDED_NAMES:
        kind = "bounded"
    return Column(key, column_label(key), kind, decimals=1 if kind == "percent" else 2)


def resolve_columns(
    frame: pd.DataFrame, columns: Mapping[str, object] | list[Column] | None
) -> tuple[Column, ...]:
    """Turn what the caller said about columns into ``Column`` objects.

    ``columns`` maps a DataFrame column to its heading, to ``(heading, kind)``, to
    ``(heading, kind, decimals)`` or to a ``Column``; or is a list of ``Column``; or None, when
    every column is printed and ``ci_low`` with ``ci_high`` becomes one interval.
    """
    if columns is None:
        chosen = _all_columns(frame)
    elif isinstance(columns, Mapping):
        chosen = [_one_column(frame, key, spec) for key, spec in columns.items()]
    else:
        chosen = list(columns)
    for column in chosen:
        _check_keys(frame, column)
    return tuple(chosen)


def _all_columns(frame: pd.DataFrame) -> list[Column]:
    """Describe every column of the frame, intervals joined."""
    chosen: list[Column] = []
    paired = {"ci_low", "ci_high"} <= set(frame.columns)
    for key in frame.columns:
        if paired and key == "ci_low":
            chosen.append(interval_column())
        elif not (paired and key == "ci_high"):
            chosen.append(guess_column(key, frame[key]))
    return chosen


def _one_column(frame: pd.DataFrame, key: str, spec: object) -> Column:
    """Read one entry of the ``columns`` mapping."""
    if isinstance(spec, Column):
        return spec
    if key not in frame.columns:
        _check_keys(frame, Column(key, key, "text"))
    guess = guess_column(key, frame[key])
    if isinstance(spec, str):
        return Column(key, spec, guess.kind, guess.decimals)
    label, kind, *rest = spec
    return Column(key, label, kind, *(rest or [guess.decimals]))


def _check_keys(frame: pd.DataFrame, column: Column) -> None:
    """Say which column of the DataFrame is missing."""
    for key in column.keys:
        if key not in frame.columns:
            raise ReportError(
                f"apa_table: columns= names '{key}'; the table has {listing(frame.columns, 30)}."
                f"{nearest(key, frame.columns)} Name a column that is there."
            )


def _numeric(values: pd.Series) -> bool:
    """Tell whether every cell is a number, blank or ``Unavailable``."""
    if pd.api.types.is_numeric_dtype(values):
        return True
    cells = [v for v in values if not is_missing(v) and not isinstance(v, Unavailable)]
    return bool(cells) and all(isinstance(v, int | float) for v in cells)
