"""Make quasi-identifiers coarser, step by step, until everybody hides among k alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from helpers.i18n import _
from helpers.specification import Scale
from helpers.survey.privacy import Anonymity, k_anonymity
from helpers.thresholds import THRESHOLDS

_STEPS = (12, 6, 3, 2)
"""Into about how many bands the range of a number is cut, finest first."""

_NICE = (1, 2, 5)

_MOST_TRIED = 5000
"""Combinations of levels up to which all are tried."""


@dataclass(frozen=True, slots=True)
class Level:
    """One way to show a column: codes, their labels, and what was done to it.

    Attributes
    ----------
    values : Series
        Codes; missing where blank.
    labels : Mapping[int, str]
        Code -> label; empty for exact numbers.
    what : str
        What was done, without a full stop; empty for the column as it is.
    """

    values: pd.Series
    labels: Mapping[int, str]
    what: str = ""


@dataclass(frozen=True, slots=True)
class Coarsened:
    """Quasi-identifiers that can be shared.

    Attributes
    ----------
    table : DataFrame
        Codes, columns as given; a removed column is wholly missing.
    labels : Mapping[str, Mapping[int, str]]
        Column -> code -> label.
    done : Mapping[str, str]
        Column -> what was done, for those that were changed.
    n_blanked : int
        Respondents whose quasi-identifiers were all blanked.
    before, after : Anonymity
        How well respondents hide in the table as it was, and as it is now.
    """

    table: pd.DataFrame
    labels: Mapping[str, Mapping[int, str]]
    done: Mapping[str, str]
    n_blanked: int
    before: Anonymity
    after: Anonymity


def coarsen(
    data: pd.DataFrame,
    scales: Mapping[str, Scale],
    labels: Mapping[str, Mapping[int, str]],
    *,
    k: int,
) -> Coarsened:
    """Return quasi-identifiers of which every combination belongs to at least k respondents.

    Each column has a ladder: as it is; numbers in bands of about a twelfth, a sixth, a third and
    a half of their range, categories with those of fewer than k joined, answer scales in pairs;
    removed. Of all combinations of levels that leave at most ``THRESHOLDS["blanked_share"]`` of
    the respondents in small cells, the one with the least loss is taken; those left are blanked.

    Parameters
    ----------
    data : DataFrame
        Quasi-identifiers, one row a respondent.
    scales : Mapping[str, Scale]
        Column -> answer scale.
    labels : Mapping[str, Mapping[int, str]]
        Column -> code -> label.
    k : int
        Size that every cell must have.

    Notes
    -----
    Loss is counted as in Sweeney's precision: the mean share of its ladder that each column has
    climbed. With more than 5,000 combinations they are not all tried: the step that frees most
    respondents for its loss is taken again and again, and what was not needed is taken back; the
    result is k-anonymous too, but a finer one may exist. With fewer than k respondents k cannot be
    reached; ``after`` says so.

    References
    ----------
    Sweeney (2002), doi:10.1142/S021848850200165X. Samarati (2001), doi:10.1109/69.971193.
    """
    ladders = {c: _ladder(data[c], scales[c], labels.get(c, {}), k) for c in data}
    allowed = int(THRESHOLDS["blanked_share"].value * len(data))
    numbers = {c: [_numbered(level) for level in ladder] for c, ladder in ladders.items()}
    small = math.prod(len(ladder) for ladder in ladders.values()) <= _MOST_TRIED
    levels = (_all_tried if small else _step_by_step)(numbers, k, allowed)
    table = _table(ladders, levels)
    table, n_blanked = _blanked(table, k)
    chosen = {c: ladders[c][level] for c, level in levels.items()}
    return Coarsened(
        table=table,
        labels={c: level.labels for c, level in chosen.items()},
        done={c: level.what for c, level in chosen.items() if level.what},
        n_blanked=n_blanked,
        before=k_anonymity(data, list(data), k=k),
        after=k_anonymity(table, list(table), k=k),
    )


def _ladder(values: pd.Series, scale: Scale, labels: Mapping[int, str], k: int) -> list[Level]:
    """Return the levels of one column, from the exact values to nothing."""
    levels = [Level(values, labels)]
    if scale.kind == "number":
        widths = dict.fromkeys(_width(values, n) for n in _STEPS)
        levels += [_bands(values, width) for width in widths if width > 1]
    else:
        levels += _joined(values, labels, k)
        if scale.kind == "likert":
            levels.append(_pairs(values, labels))
    gone = pd.Series(np.nan, index=values.index, name=values.name)
    return [*levels, Level(gone, {}, _("removed"))]


def _width(values: pd.Series, n: int) -> int:
    """Return a round width of bands, of which about n cover the range."""
    wanted = max(1.0, float(values.max() - values.min()) / n) if values.notna().any() else 1.0
    sizes = [d * 10**e for e in range(7) for d in _NICE]
    return next(s for s in sizes if s >= wanted)


def _bands(values: pd.Series, width: int) -> Level:
    """Return numbers in bands that begin at multiples of the width; codes are the lower ends."""
    low = np.floor(values / width) * width
    labels = {int(v): f"{v:.0f}–{v + width - 1:.0f}" for v in sorted(low.dropna().unique())}
    return Level(low, labels, _("in bands of {width}").format(width=width))


def _joined(values: pd.Series, labels: Mapping[int, str], k: int) -> list[Level]:
    """Return categories with the rare ones joined under one code, if there are any."""
    counts = values.value_counts()
    rare = sorted(int(c) for c in counts.index[counts < k])
    if not rare or len(rare) == len(counts):
        return []
    code = int(max(counts.index)) + 1
    names = _(", ").join(labels.get(c, str(c)) for c in rare)
    kept = {c: t for c, t in labels.items() if c not in rare}
    what = _("rare categories joined: {names}").format(names=names)
    return [Level(values.mask(values.isin(rare), code), {**kept, code: _("other")}, what)]


def _pairs(values: pd.Series, labels: Mapping[int, str]) -> Level:
    """Return neighbouring codes of an answer scale in pairs, under the lower code."""
    lowest = values.min()
    lower = values - (values - lowest) % 2
    shown = {
        int(c): f"{labels.get(int(c), f'{c:.0f}')} / {labels.get(int(c) + 1, f'{c + 1:.0f}')}"
        for c in sorted(lower.dropna().unique())
    }
    return Level(lower, shown, _("neighbouring answers joined in pairs"))


def _table(ladders: Mapping[str, list[Level]], levels: Mapping[str, int]) -> pd.DataFrame:
    """Return the table at some levels."""
    return pd.DataFrame({c: ladders[c][level].values for c, level in levels.items()})


def _numbered(level: Level) -> np.ndarray:
    """Return the values of a level as numbers from 0; blanks are one value."""
    return pd.factorize(level.values, use_na_sentinel=False)[0]


def _below(numbers: Mapping[str, list[np.ndarray]], levels: Mapping[str, int], k: int) -> int:
    """Return how many respondents stand in cells smaller than k."""
    cells = np.zeros(len(next(iter(numbers.values()))[0]), dtype=np.int64)
    for column, level in levels.items():
        codes = numbers[column][level]
        cells = cells * (codes.max(initial=0) + 1) + codes
        cells = np.unique(cells, return_inverse=True)[1]
    sizes = np.bincount(cells)
    return int(sizes[sizes < k].sum())


def _all_tried(numbers: Mapping[str, list[np.ndarray]], k: int, allowed: int) -> dict[str, int]:
    """Return the levels with the least loss that leave few in small cells, by trying all."""
    if not numbers:
        return {}
    tops = [len(ladder) - 1 for ladder in numbers.values()]
    trials = product(*(range(top + 1) for top in tops))
    for trial in sorted(trials, key=lambda t: sum(a / b for a, b in zip(t, tops, strict=True))):
        levels = dict(zip(numbers, trial, strict=True))
        if _below(numbers, levels, k) <= allowed:
            return levels
    return dict(zip(numbers, tops, strict=True))


def _step_by_step(numbers: Mapping[str, list[np.ndarray]], k: int, allowed: int) -> dict[str, int]:
    """Return levels that leave few in small cells, found one step at a time."""
    levels = dict.fromkeys(numbers, 0)
    while (now := _below(numbers, levels, k)) > allowed:
        gains = {
            c: (now - _below(numbers, {**levels, c: level + 1}, k)) * (len(numbers[c]) - 1)
            for c, level in levels.items()
            if level + 1 < len(numbers[c])
        }
        if not gains:
            break
        levels[max(gains, key=lambda c: gains[c])] += 1
    for column in sorted(levels, key=lambda c: -levels[c]):
        while levels[column]:
            trial = {**levels, column: levels[column] - 1}
            if _below(numbers, trial, k) > allowed:
                break
            levels = trial
    return levels


def _blanked(table: pd.DataFrame, k: int) -> tuple[pd.DataFrame, int]:
    """Blank the rows of small cells, and of the next cells until the blank ones are k or none."""
    sizes = table.groupby(list(table), dropna=False).transform("size") if len(table) else None
    if sizes is None or not (sizes < k).any():
        return table, 0
    hit = sizes < k
    blank = table.isna().all(axis=1)
    while 0 < (hit | blank).sum() < k and not (hit | blank).all():
        smallest = sizes[~(hit | blank)].min()
        first = table[~(hit | blank) & (sizes == smallest)].iloc[0]
        alike = ((table == first) | (table.isna() & first.isna())).all(axis=1)
        hit = hit | alike
    return table.mask(hit), int(hit.sum())
