"""Complete rows of numeric items: the one missing-data rule of this room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, listing
from helpers.i18n import _


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
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataContractError(
            f"{function}: items= has columns of one name: {listing(twice)}; each item may stand "
            "there once. Leave the copies out."
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


def without_constants(
    answers: pd.DataFrame, blocks: Mapping[str, Sequence[str]]
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Return scales without the items to which all gave one answer, and these items.

    A scale of which no item is left is left out.
    """
    constant = tuple(
        item for items in blocks.values() for item in items if answers[item].nunique() < 2
    )
    kept = {code: [i for i in items if i not in constant] for code, items in blocks.items()}
    return {code: items for code, items in kept.items() if items}, constant


def constants_text(constant: Sequence[str]) -> str:
    """Return one sentence on the items left out, in the language of the run; empty if none is."""
    if not constant:
        return ""
    return _("Left out because their answers never vary: {items}.").format(items=listing(constant))


LEAST_SPREAD = 1e-12
"""Variance of a sum, as a share of its items' variances, up to which only rounding is left."""


def scale_fault(items: pd.DataFrame) -> str:
    """Return why these answers have no reliability, in the language of the run; empty if they do.

    Parameters
    ----------
    items : DataFrame, shape (n_respondents, k)
        Numeric items of one scale; rows with a blank are left out, as in ``complete_rows``.
    """
    if items.shape[1] < 2:
        return _("the construct has a single item")
    kept = items.dropna().astype(float)
    if len(kept) < 3:
        return _("complete rows of the scale: {n}; at least 3 are needed").format(n=len(kept))
    flat = [str(c) for c in kept if kept[c].nunique() == 1]
    if flat:
        return _("answers that never vary: {items}").format(items=listing(flat))
    if kept.sum(axis=1).var() <= LEAST_SPREAD * kept.var().sum():
        return _("the sum of the items never varies")
    return ""
