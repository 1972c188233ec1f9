"""Which answer scale numbers lie on: its ends, slips outside of it, codes that stand for blanks."""

from __future__ import annotations

import pandas as pd

from helpers.survey.readers.answers import CONVENTIONAL_CODES, halves_around_zero

_SPANS = ((1, 5), (1, 7), (1, 10), (0, 10), (1, 4), (1, 6), (1, 9), (0, 4), (0, 6), (1, 11))
"""Answer scales met in practice, commonest first."""

_BIPOLAR = ((-2, 2), (-3, 3), (-4, 4), (-5, 5))
"""Scales around a middle of 0; thought of only where negative codes are answers."""

_COMMON = _SPANS[:4]
"""Those that a column can be taken for in spite of slips beside them."""

ALONE = (*_COMMON, *_BIPOLAR)
"""Those that a column can be taken for alone."""

_TAIL = 0.1
"""A value next to an end of a scale, chosen more than this often against the end, is its tail."""

_FEWEST = 1000
"""Answers from which on rare ones can be told to be slips."""

_SLIP, _SLIPS = 0.005, 0.01
"""Shares of answers up to which one value, and all values outside together, count as slips."""


def slips_of(values: pd.Series) -> list[float]:
    """Return rare values outside a common answer scale that holds nearly all others.

    Such values are slips of the hand or of the export; they are read as outside of the scale,
    marked and counted. In a small file a single answer may be the only one at an end of a longer
    scale, so there none is called a slip; nor where the values outside go on counting.
    """
    shares = values.dropna().value_counts(normalize=True)
    if values.notna().sum() < _FEWEST:
        return []
    for low, high in _COMMON:
        outside = shares[(shares.index < low) | (shares.index > high)]
        if outside.empty:
            return []
        tail = any(
            outside.get(beyond, 0.0) > _TAIL * shares.get(end, 0.0)
            for beyond, end in ((low - 1, low), (high + 1, high))
        )
        counts_on = {low - 2, low - 1} <= set(outside.index) or {high + 1, high + 2} <= set(
            outside.index
        )
        if not (tail or counts_on) and outside.max() <= _SLIP and outside.sum() <= _SLIPS:
            return sorted(float(v) for v in outside.index)
    return []


def but_for(slips: list[float]) -> str:
    """Return the words on slips for a reason, or nothing."""
    return f", but for {', '.join(f'{v:g}' for v in slips[:5])} as slips" if slips else ""


def span_of(low: float, high: float) -> tuple[float, float] | None:
    """Return the shortest usual answer scale that holds two values, or None."""
    spans = _BIPOLAR if low < 0 else _SPANS
    fits = [s for s in spans if s[0] <= low and high <= s[1]]
    enough = high >= (1 if low < 0 else 3)
    return min(fits, key=lambda s: (s[1] - s[0], s[0])) if fits and enough else None


def codes_apart(values: pd.Series) -> list[int]:
    """Return values that look like codes for a blank: conventional, and far from all others.

    A 98 among ages stands near other ages and is kept; a 98 among answers from 1 to 10 is not.
    Negative codes that mirror the positive ones around 0 are answers.
    """
    codes = set(values.dropna().unique())
    mirrored = halves_around_zero(codes)
    found = [v for v in codes if v in CONVENTIONAL_CODES or (v <= -1 and not mirrored)]
    usual = values.dropna()[~values.dropna().isin(found)]
    if usual.empty:
        return []
    top, bottom = usual.max(), usual.min()
    apart = [v for v in found if v > 2 * max(top, 5) or (v < 0 <= bottom)]
    return sorted(int(v) for v in apart)
