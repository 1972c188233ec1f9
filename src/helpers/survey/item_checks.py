"""Items before any model: is each turned the right way, and does it use its scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import check_level
from helpers.study import StudyFolder
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study

ALREADY_TURNED, NOT_TURNED, UNCLEAR, FINE = "already_turned", "not_turned", "unclear", "fine"
"""Verdicts of ``item_directions``."""

_DOUBT = 0.5
"""Weight of reverse-keyed items, against 1 of the others, in saying which way a scale runs."""

_NO_DIRECTION = 1e-6
"""Loadings that cancel out, as those of two items that merely disagree."""


def already_turned(study: Study, *, level: float = LEVEL) -> list[str]:
    """Return the reverse-keyed items of a study whose answers were turned before they came in.

    Such an item would be turned twice by the codebook's ``reverse``; see ``item_directions``.
    """
    table = item_directions(study.folder, study.responses, level=level)
    return table.loc[table["verdict"] == ALREADY_TURNED, "item"].tolist()


def item_directions(
    folder: StudyFolder, responses: pd.DataFrame, *, level: float = LEVEL
) -> pd.DataFrame:
    """Check for each item whether it points the same way as the rest of its scale.

    The rest is the mean of the construct's other items, standardised, each with the sign that it
    has on the first principal axis. The axis is turned so that the items load positively on the
    whole; reverse-keyed items count half, because their turning is what is in question.

    Parameters
    ----------
    folder : StudyFolder
        The study, for constructs and reverse keys.
    responses : DataFrame
        Answers after turning by the codebook (``Study.responses``).
    level : float
        Confidence level of the interval.

    Returns
    -------
    DataFrame
        Columns ``item, construct, reverse, n, r, ci_low, ci_high, verdict``: correlation with the
        rest, Fisher's interval, and the verdict by the sign that the interval allows:
        ``already_turned`` (reverse-keyed and negative: the answers came in turned),
        ``not_turned`` (not reverse-keyed and negative: it seems worded the other way),
        ``unclear`` (the interval holds 0), ``fine``.

    Notes
    -----
    Missing-data rule: people who answered the item and at least one of the rest. The check
    supposes that most items of a scale are keyed rightly; two items alone can only tell that they
    disagree. Checked by hand and on a published study whose item marked as reversed is stored
    turned (``tests/survey/test_items_direction.py``).
    """
    check_level(level, "item_directions")
    rows = []
    for code in folder.construct_codes:
        items = [i for i in folder.items_of(code) if folder.scale_of(i).kind == "likert"]
        items = [i for i in items if i in responses and responses[i].std() > 0]
        keyed = folder.items.set_index("item").loc[items, "reverse"].astype(bool)
        signs = _signs(responses[items], ~keyed) if len(items) > 1 else pd.Series(dtype=float)
        for item in signs.index:
            rest = responses[items].drop(columns=item)
            r, low, high, n = _with_rest(responses[item], rest * signs[rest.columns], level)
            verdict = _verdict(bool(keyed[item]), low, high)
            rows.append((item, code, bool(keyed[item]), n, r, low, high, verdict))
    columns = ["item", "construct", "reverse", "n", "r", "ci_low", "ci_high", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def _signs(items: pd.DataFrame, anchors: pd.Series) -> pd.Series:
    """Return the sign of each item on the first axis; all 1 where the axis has no direction."""
    corr = items.corr().fillna(0.0).to_numpy()
    axis = np.linalg.eigh(corr)[1][:, -1]
    direction = axis @ np.where(anchors, 1.0, _DOUBT)
    if abs(direction) < _NO_DIRECTION:
        return pd.Series(1.0, index=items.columns)
    return pd.Series(np.where(axis * direction < 0, -1.0, 1.0), index=items.columns)


def _with_rest(
    item: pd.Series, rest: pd.DataFrame, level: float
) -> tuple[float, float, float, int]:
    """Return the correlation of an item with the rest, Fisher's interval, and n."""
    mean = ((rest - rest.mean()) / rest.std()).mean(axis=1)
    both = item.notna() & mean.notna()
    n = int(both.sum())
    if n < 4:
        return np.nan, np.nan, np.nan, n
    r = float(np.corrcoef(item[both], mean[both])[0, 1])
    z = np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15))
    half = stats.norm.ppf(0.5 + level / 2) / np.sqrt(n - 3)
    return r, float(np.tanh(z - half)), float(np.tanh(z + half)), n


def _verdict(reverse: bool, low: float, high: float) -> str:
    """Return what the interval of the correlation says of an item's direction."""
    if high < 0:
        return ALREADY_TURNED if reverse else NOT_TURNED
    return FINE if low > 0 else UNCLEAR


def describe_scale_use(
    folder: StudyFolder, responses: pd.DataFrame, *, items: list[str]
) -> pd.DataFrame:
    """Describe how items use their scale.

    Returns
    -------
    DataFrame
        Columns ``item, construct, n, n_categories, n_used, difficulty, spread, mode_share, floor,
        ceiling, sparse``. ``difficulty`` is ``(mean - low) / (high - low)``, 0 if all chose the
        lowest end and 1 if all the highest (the index of classical test theory, so a high value
        means an easy item); ``spread`` is the standard deviation (divisor n) over the largest
        possible one, half the scale; ``mode_share`` the share of the most frequent answer;
        ``sparse`` the categories with fewer than ``THRESHOLDS["cell_size"]`` answers.

    Notes
    -----
    Missing-data rule: each item over those who answered it. Hand-calculated in the tests.
    """
    constructs = folder.items.set_index("item")["construct"]
    least = THRESHOLDS["cell_size"].value
    rows = []
    for item in items:
        x, scale = responses[item].dropna().to_numpy(float), folder.scale_of(item)
        width = scale.high - scale.low
        counts = pd.Series(x).value_counts()
        n_categories = int(width) + 1
        full = counts.reindex(np.arange(scale.low, scale.high + 1), fill_value=0)
        n = max(len(x), 1)
        rows.append(
            (item, constructs[item], len(x), n_categories, int((full > 0).sum()),
             float((x.mean() - scale.low) / width) if len(x) else np.nan,
             float(2 * x.std() / width) if len(x) else np.nan, float(full.max() / n),
             float((x == scale.low).sum() / n), float((x == scale.high).sum() / n),
             int((full < least).sum()))
        )  # fmt: skip
    columns = ["item", "construct", "n", "n_categories", "n_used", "difficulty", "spread"]
    return pd.DataFrame(rows, columns=[*columns, "mode_share", "floor", "ceiling", "sparse"])
