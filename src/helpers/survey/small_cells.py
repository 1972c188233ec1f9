"""Hide small counts of a table so that neither the rest nor the margins give them away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from helpers.errors import DataContractError
from helpers.i18n import _
from helpers.thresholds import THRESHOLDS

_EXACT = 0.5
"""Counts are whole: an interval narrower than this leaves one count."""


@dataclass(frozen=True, slots=True)
class GuardedTable:
    """A table of counts that can be shown.

    Attributes
    ----------
    table : DataFrame
        The counts; hidden ones are missing.
    primary : DataFrame
        True where the count itself is too small.
    secondary : DataFrame
        True where a count is hidden only because it would give a small one away.
    k : int
        Counts from 1 to ``k - 1`` are too small.
    """

    table: pd.DataFrame
    primary: pd.DataFrame
    secondary: pd.DataFrame
    k: int

    @property
    def n_hidden(self) -> int:
        """Return how many counts are hidden."""
        return int(self.primary.to_numpy().sum() + self.secondary.to_numpy().sum())

    def note(self) -> str:
        """Return the note below the table, in the current language; empty if nothing is hidden."""
        if not self.n_hidden:
            return ""
        return _(
            "Hidden: counts below {k}: {small}; others that would give them away: {more}."
        ).format(
            small=int(self.primary.to_numpy().sum()),
            more=int(self.secondary.to_numpy().sum()),
            k=self.k,
        )


def guard_small_cells(table: pd.DataFrame | pd.Series, k: int | None = None) -> GuardedTable:
    """Hide the counts below k, and as few others as needed to keep them hidden.

    Parameters
    ----------
    table : DataFrame or Series
        Counts of respondents, without margins. The sums of rows and columns (for a Series: the
        total) count as known, whether they are shown or not.
    k : int, optional
        Smallest count that may be shown; ``THRESHOLDS["cell_size"]`` if not given. Zeros are
        shown: nobody stands behind them.

    Returns
    -------
    GuardedTable
        A Series becomes a table of one column.

    Raises
    ------
    DataContractError
        Counts that are negative, blank or not whole.

    Notes
    -----
    A reader knows the margins, every count shown, and that a hidden count is at least 1. From these
    the smallest and largest possible value of every small count follow by linear programming;
    where the two agree, the count is given away, and the smallest count beside it is hidden too,
    until none is. (With margins, whole-numbered bounds of a two-way table are exact, since its
    matrix is totally unimodular.) Where everything that could be hidden is, and a count still
    follows from the margins alone, the margins themselves must not be shown; then the total of the
    table is below k, or one row or column holds nobody else.
    Checked by hand and by trying every table with the same margins.

    References
    ----------
    Hundepool et al. (2012), Statistical Disclosure Control, doi:10.1002/9781118348239.

    Examples
    --------
    >>> counts = pd.DataFrame({"a": [2, 20], "b": [30, 40]}, index=["x", "y"])
    >>> guard_small_cells(counts, k=5).n_hidden
    4
    """
    frame = table.to_frame() if isinstance(table, pd.Series) else table
    least = int(THRESHOLDS["cell_size"].value) if k is None else k
    counts = frame.to_numpy(dtype=float)
    if not np.all((counts >= 0) & (counts == np.floor(counts))):
        raise DataContractError(
            "guard_small_cells: table= holds counts that are negative, blank or not whole; counts "
            "of respondents are needed. Hand over the counts, not shares."
        )
    primary = (counts > 0) & (counts < least)
    hidden = primary.copy()
    while (known := _given_away(counts, hidden, primary)) is not None:
        for place in _beside(counts, hidden, known):
            hidden[place] = True
    return GuardedTable(
        frame.astype(float).mask(hidden),
        pd.DataFrame(primary, index=frame.index, columns=frame.columns),
        pd.DataFrame(hidden & ~primary, index=frame.index, columns=frame.columns),
        least,
    )


def _given_away(
    counts: np.ndarray, hidden: np.ndarray, primary: np.ndarray
) -> tuple[int, int] | None:
    """Return a small count that follows from what is shown and has something left beside it."""
    for place in zip(*np.nonzero(primary)):
        if _width(counts, hidden, place) < _EXACT and _beside(counts, hidden, place):
            return int(place[0]), int(place[1])
    return None


def _width(counts: np.ndarray, hidden: np.ndarray, place: tuple[int, int]) -> float:
    """Return the largest minus the smallest value that a hidden count can have."""
    cells = list(zip(*np.nonzero(hidden)))
    sums, totals = _margins(counts, hidden, cells)
    goal = np.zeros(len(cells))
    goal[cells.index(place)] = 1.0
    bounds = [(1, None)] * len(cells)
    ends = [
        linprog(sign * goal, A_eq=sums, b_eq=totals, bounds=bounds, method="highs").fun
        for sign in (1.0, -1.0)
    ]
    return -ends[1] - ends[0]


def _margins(
    counts: np.ndarray, hidden: np.ndarray, cells: list[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return which hidden counts each known sum holds, and what is left of the sum for them.

    A table of one column has its total only; the sum of a row would be the count itself.
    """
    rest = np.where(hidden, counts, 0.0)
    rows = [[float(c[1] == j) for c in cells] for j in range(counts.shape[1])]
    totals = list(rest.sum(axis=0))
    if counts.shape[1] > 1:
        rows += [[float(c[0] == i) for c in cells] for i in range(counts.shape[0])]
        totals += list(rest.sum(axis=1))
    if counts.shape[0] == 1 and counts.shape[1] > 1:  # one row: its own total only
        rows, totals = rows[counts.shape[1] :], totals[counts.shape[1] :]
    return np.array(rows), np.array(totals)


def _beside(
    counts: np.ndarray, hidden: np.ndarray, place: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return the counts to hide beside a small one: the cheapest set that lets it move.

    In a two-way table a count can move by one if three others, at the corners of a rectangle, move
    with it; each of the falling ones must stay at least 1. Where zeros leave no such rectangle,
    the smallest count still shown is taken.
    """
    options = [
        (sum(counts[c] for c in corners if not hidden[c]), corners)
        for corners in _partners(counts, place)
        if not all(hidden[c] for c in corners)
    ]
    if options:
        return [c for c in min(options)[1] if not hidden[c]]
    free = (counts > 0) & ~hidden
    if not free.any():
        return []
    i, j = np.unravel_index(np.argmin(np.where(free, counts, np.inf)), counts.shape)
    return [(int(i), int(j))]


def _partners(counts: np.ndarray, place: tuple[int, int]) -> list[tuple[tuple[int, int], ...]]:
    """Return the sets of counts with which a count can move while all sums stay as they are."""
    i, j = place
    n_rows, n_columns = counts.shape
    if 1 in (n_rows, n_columns):
        line = [(r, c) for r in range(n_rows) for c in range(n_columns) if (r, c) != place]
        return [(c,) for c in line if counts[c] > 0 and max(counts[c], counts[place]) > 1]
    found = []
    for r in range(n_rows):
        for c in range(n_columns):
            if r == i or c == j or min(counts[r, j], counts[i, c], counts[r, c]) == 0:
                continue
            falls = min(counts[i, j], counts[r, c]), min(counts[r, j], counts[i, c])
            if max(falls) > 1:
                found.append(((r, j), (i, c), (r, c)))
    return found
