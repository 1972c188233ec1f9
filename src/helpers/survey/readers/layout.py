"""How a file is laid out: what a study file declares, or what detection found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from helpers.specification import Source

Dates = Literal["year-first", "day-first", "month-first"]


@dataclass(frozen=True, slots=True)
class Layout:
    """What is needed to read a file.

    Attributes
    ----------
    reader : str
        Name of the platform or program, one of ``specification.READERS``.
    encoding, delimiter, decimal : str
        Of a text file.
    sheet : str or None
        Of a workbook; None takes the first visible sheet that holds cells.
    dates : {"year-first", "day-first", "month-first"}
        Order in dates that do not begin with the year.
    columns : Mapping[str, str]
        Canonical metadata name -> column, where the file does not name it itself.
    """

    reader: str
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    sheet: str | None = None
    dates: Dates = "year-first"
    columns: Mapping[str, str] = field(default_factory=dict)


def of_source(source: Source) -> Layout:
    """Return the layout that a study file declares."""
    return Layout(
        source.reader, source.encoding, source.delimiter, source.decimal, source.sheet,
        source.dates, dict(source.columns),
    )  # fmt: skip
