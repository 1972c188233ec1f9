"""Formatting of results: numbers as text, and three-line tables in HTML, Markdown and CSV."""

from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column, interval_label
from helpers.tables.concluding import (
    comparison_table,
    hypotheses_table,
    recovery_table,
    regression_table,
)
from helpers.tables.describing import (
    categories_table,
    correlation_table,
    descriptives_table,
    efa_table,
    reliability_table,
)
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
    "categories_table",
    "comparison_table",
    "correlation_table",
    "descriptives_table",
    "efa_table",
    "format_estimate",
    "format_integer",
    "format_interval",
    "format_number",
    "format_p",
    "format_percent",
    "hypotheses_table",
    "interval_column",
    "interval_label",
    "recovery_table",
    "regression_table",
    "reliability_table",
]
