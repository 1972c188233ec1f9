"""Checks of what is handed to a plot function."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from helpers.errors import DataContractError, listing, nearest


def need_columns(frame: pd.DataFrame, columns: Iterable[str], function: str) -> None:
    """Stop unless the table has these columns and at least one row."""
    if not isinstance(frame, pd.DataFrame):
        raise DataContractError(
            f"{function}: data= is a {type(frame).__name__}; a DataFrame is needed. "
            "Give the table of the result, for example result.table()."
        )
    for column in columns:
        if column not in frame.columns:
            raise DataContractError(
                f"{function}: data= has the columns {listing(frame.columns, 20)}; '{column}' is "
                f"needed.{nearest(column, frame.columns)} Rename the column or compute it."
            )
    if frame.empty:
        raise DataContractError(
            f"{function}: data= has no rows; at least one is needed. "
            "Check the filter that made the table."
        )
