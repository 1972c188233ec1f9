"""Formatting of results: numbers as text, and three-line tables in HTML, Markdown and CSV."""

from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column, interval_label
from helpers.tables.numbers import (
    format_estimate,
    format_integer,
    format_interval,
    format_number,
    format_p,
    format_percent,
)

__all__ = [
    "ApaTable",
    "Column",
    "apa_table",
    "format_estimate",
    "format_integer",
    "format_interval",
    "format_number",
    "format_p",
    "format_percent",
    "interval_column",
    "interval_label",
]
