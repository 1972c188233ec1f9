"""Complete rows of numeric items: the one missing-data rule of this room."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, listing


def complete_rows(
    data: pd.DataFrame, *, function: str, least_items: int = 2, least_rows: int = 3
) -> tuple[np.ndarray, int]:
    """Return the rows without a blank as floats, and how many rows were left out.

    Listwise deletion over the columns given. A column that is not numeric, or that never
    varies among the complete rows, is an error: its correlations do not exist.
    """
    names = [str(c) for c in data.columns]
    if len(names) < least_items:
        raise DataContractError(
            f"{function}: items= has {len(names)} column(s) {names}; at least {least_items} are "
            "needed. Check the rows of this construct in items.csv."
        )
    text = [str(c) for c in data.columns if not pd.api.types.is_numeric_dtype(data[c])]
    if text:
        raise DataContractError(
            f"{function}: items= has columns that are not numeric: {listing(text)}; coded answers "
            "are needed. Give coded columns only."
        )
    values = data.to_numpy(dtype=float, na_value=np.nan)
    kept = values[np.isfinite(values).all(axis=1)]
    if len(kept) < least_rows:
        raise DataContractError(
            f"{function}: items= has {len(kept)} complete rows of {len(values)}; at least "
            f"{least_rows} are needed. Look at the missing answers of {listing(names)}."
        )
    flat = [name for name, column in zip(names, kept.T, strict=True) if np.ptp(column) == 0]
    if flat:
        raise DataContractError(
            f"{function}: items= has columns that never vary: {listing(flat)}; a correlation needs "
            "variance. Leave them out and say so."
        )
    return kept, len(values) - len(kept)
