"""Do risks err alike for all groups: calibration and error rates by group, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from helpers.errors import EstimationError, check_level
from helpers.service.risk_scores import LEAST, checked_risks, row_weights
from helpers.survey.intervals import wilson_interval
from helpers.thresholds import LEVEL, THRESHOLDS

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fairness:
    """Errors by group at one threshold.

    Attributes
    ----------
    table : DataFrame
        One row a group that is large enough: group, n_used, observed (share that leaves),
        predicted (mean risk), called; excess with excess_low, excess_high (observed less
        predicted; 0 if the risks are right for the group); reached with reached_low, reached_high
        (share called of those who leave); in_vain with in_vain_low, in_vain_high (share called of
        those who stay).
    too_small : tuple
        Groups left out: fewer than ``THRESHOLDS["group_size"]`` people or ten of either outcome,
        or a count of errors below ``THRESHOLDS["cell_size"]``.
    gap, gap_low, gap_high : float
        Equalised-odds difference: the larger of the widest gaps in ``reached`` and ``in_vain``;
        percentile interval. It cannot fall below 0 and lies above it by chance alone.
    n_unknown : int
        Customers without a group.
    threshold, level : float
    """

    table: pd.DataFrame
    too_small: tuple[object, ...]
    gap: float
    gap_low: float
    gap_high: float
    n_unknown: int
    threshold: float
    level: float = LEVEL


def fairness(
    outcome: Array,
    risk: Array,
    group: pd.Series,
    *,
    threshold: float,
    draws: int = 1000,
    seed: int = 1,
    level: float = LEVEL,
) -> Fairness:
    """Compare calibration and errors over groups at the threshold of a call.

    Parameters
    ----------
    outcome, risk : array, shape (n,)
        As in ``performance``.
    group : Series, shape (n,)
        Code of the group; blanks are left out and counted.
    threshold : float
        Customers whose risk reaches it are called.

    Returns
    -------
    Fairness
        Rates with Wilson intervals, excess with that of a mean; checked by hand.

    Raises
    ------
    EstimationError
        Fewer than two groups are large enough.

    References
    ----------
    Hardt, Price & Srebro (2016), equality of opportunity in supervised learning.
    """
    check_level(level, "fairness")
    y, p = checked_risks(outcome, risk, "fairness")
    codes = group.to_numpy()
    known = group.notna().to_numpy()
    groups, small = [], []
    for code in sorted(set(codes[known])):
        own = codes == code
        (groups if _enough(y[own], p[own] >= threshold) else small).append(code)
    if len(groups) < 2:
        raise EstimationError(
            f"fairness: group= has {len(groups)} group of at least "
            f"{THRESHOLDS['group_size'].value:g} people with {LEAST} of either outcome; two are "
            "needed. Merge groups, or choose another grouping."
        )
    table = pd.DataFrame([_row(y, p, codes == code, code, threshold, level) for code in groups])
    members = np.column_stack([codes == code for code in groups])
    gaps = _drawn_gaps(y, p >= threshold, members, draws, seed)
    low, high = np.quantile(gaps, [(1 - level) / 2, (1 + level) / 2])
    gap = max(float(np.ptp(table["reached"])), float(np.ptp(table["in_vain"])))
    return Fairness(
        table, tuple(small), gap, float(low), float(high), int((~known).sum()), threshold, level
    )


def _enough(y: Array, called: NDArray[np.bool_]) -> bool:
    """Tell whether a group's errors can be estimated, and shown without giving anybody away."""
    events = int(y.sum())
    if len(y) < THRESHOLDS["group_size"].value or min(events, len(y) - events) < LEAST:
        return False
    cells = [
        int(((y == outcome) & (called == call)).sum()) for outcome in (0, 1) for call in (0, 1)
    ]
    return not any(0 < cell < THRESHOLDS["cell_size"].value for cell in cells)


def _row(y: Array, p: Array, own: Array, code: object, t: float, level: float) -> dict[str, Any]:
    """Return calibration and error rates of one group."""
    leave, called = y[own] == 1, p[own] >= t
    row = {
        "group": code,
        "n_used": int(own.sum()),
        "observed": float(leave.mean()),
        "predicted": float(p[own].mean()),
        "called": float(called.mean()),
    }
    excess = y[own] - p[own]
    half = norm.ppf(0.5 + level / 2) * excess.std(ddof=1) / np.sqrt(len(excess))
    row |= {"excess": float(excess.mean())}
    row |= {"excess_low": row["excess"] - half, "excess_high": row["excess"] + half}
    for name, who in (("reached", leave), ("in_vain", ~leave)):
        hits, n = int(called[who].sum()), int(who.sum())
        low, high = wilson_interval(hits, n, level=level)
        row |= {name: hits / n, f"{name}_low": low, f"{name}_high": high}
    return row


def _drawn_gaps(y: Array, called: Array, members: Array, draws: int, seed: int) -> Array:
    """Return the equalised-odds difference in each bootstrap draw of customers."""
    found = []
    rng = np.random.default_rng(seed)
    for weights in row_weights(len(y), draws, rng):
        widest = np.zeros(len(weights))
        for leaves in (1.0, 0.0):
            who = members & (y == leaves)[:, None]
            base = weights @ who
            rate = np.divide(
                weights @ (who & called[:, None]), base, out=np.zeros_like(base), where=base > 0
            )
            widest = np.maximum(widest, np.ptp(rate, axis=1))
        found.append(widest)
    return np.concatenate(found)
