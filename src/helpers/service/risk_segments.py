"""Where calls to customers at risk bring most: by segment, and never by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import Unavailable, check_level, passes_unavailable
from helpers.i18n import _
from helpers.service.risk_data import RiskData
from helpers.service.risk_scores import call_threshold, row_weights
from helpers.service.risk_study import RiskModel
from helpers.survey.small_cells import guard_small_cells
from helpers.thresholds import LEVEL, THRESHOLDS

Array = NDArray[np.float64]

OTHER = "other"
"""Segment that holds those of segments too small to be shown."""

BETWEEN = "|"
"""Stands between the codes of a segment, one a grouping."""


@passes_unavailable
def risk_segments(
    data: RiskData,
    model: RiskModel,
    *,
    cost: float,
    worth: float,
    kept: float,
    draws: int = 1000,
    seed: int = 1,
    level: float = LEVEL,
) -> pd.DataFrame | Unavailable:
    """Return the segments, the one whose customers gain most from calls first.

    A call goes to customers whose risk reaches ``call_threshold``. It costs ``cost`` and brings
    ``worth * kept`` if the customer was about to leave.

    Returns
    -------
    DataFrame
        segment (codes joined by ``|``, one a grouping; ``other`` for the small ones together),
        n_used, expected (leavers expected from the risks), predicted (mean risk), observed (share
        that left), called (share), gain with ci_low and ci_high: money per 100 customers of the
        segment, from what happened, with a bootstrap interval of its customers. Where a table of
        leavers and calls by segment would have to hide a count, observed, called and gain lack.
    """
    check_level(level, "risk_segments")
    if data.segments.empty or not len(data.segments.columns):
        return Unavailable(_("segments"), _("the study file names none for the risk of leaving"))
    threshold = call_threshold(cost=cost, worth=worth, kept=kept)
    y, p = data.outcome, model.honest.risk
    gain = np.where(p >= threshold, y * worth * kept - cost, 0.0)
    labels = _segment_labels(data.segments)
    calls = p >= threshold
    cells = {(out, call): (y == out) & (calls == call) for out in (0, 1) for call in (0, 1)}
    counts = pd.DataFrame(cells).astype(int).groupby(labels.to_numpy(), sort=True).sum()
    shown = guard_small_cells(counts).table.notna().all(axis=1)
    rng = np.random.default_rng(seed)
    rows = []
    for segment in counts.index:
        own = (labels == segment).to_numpy()
        rows.append(_segment(segment, y[own], p[own], gain[own], threshold, draws, rng, level))
    table = pd.DataFrame(rows)
    hidden = ~shown.to_numpy()
    table.loc[hidden, ["observed", "called", "gain", "ci_low", "ci_high"]] = np.nan
    return table.sort_values("gain", ascending=False, kind="stable").reset_index(drop=True)


def _segment_labels(codes: pd.DataFrame) -> pd.Series:
    """Return each customer's segment; small ones together, blank where that is still too few."""
    least = THRESHOLDS["group_size"].value
    labels = codes.map("{:g}".format).agg(BETWEEN.join, axis=1).where(codes.notna().all(axis=1))
    sizes = labels.map(labels.value_counts())
    labels = labels.where(labels.isna() | (sizes >= least), OTHER)
    return labels if (labels == OTHER).sum() >= least else labels.where(labels != OTHER)


def _segment(
    segment: str,
    y: Array,
    p: Array,
    gain: Array,
    threshold: float,
    draws: int,
    rng: np.random.Generator,
    level: float,
) -> dict[str, object]:
    """Return one row of the list."""
    drawn = np.concatenate([w @ gain for w in row_weights(len(y), draws, rng)]) / len(y)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return {
        "segment": segment,
        "n_used": len(y),
        "expected": float(p.sum()),
        "predicted": float(p.mean()),
        "observed": float(y.mean()),
        "called": float((p >= threshold).mean()),
        "gain": 100 * float(gain.mean()),
        "ci_low": 100 * float(low),
        "ci_high": 100 * float(high),
    }
