"""Describe the sample and the items, without showing cells that point at single persons."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import listing
from helpers.i18n import _, pick
from helpers.study import StudyFolder
from helpers.survey.intervals import wilson_interval
from helpers.survey.normality import kurtosis, skewness
from helpers.thresholds import LEVEL, THRESHOLDS


def describe_sample(
    folder: StudyFolder, responses: pd.DataFrame, *, items: list[str]
) -> pd.DataFrame:
    """Count the categories of background questions, with shares and Wilson intervals.

    Parameters
    ----------
    folder : StudyFolder
        The study, for labels and wording.
    responses : DataFrame
        Cleaned answers.
    items : list of str
        Questions answered by categories or on a scale with labels.

    Returns
    -------
    DataFrame
        Columns ``item, category, n, share, ci_low, ci_high``. Shares are of those who answered.

    Notes
    -----
    Categories with fewer people than the study's ``privacy: k`` (else
    ``THRESHOLDS["cell_size"]``) are merged into one row, and if
    that row is still smaller the next smallest category joins it, so that no row and no difference
    between rows shows fewer persons. A question with one category left is not shown in detail.
    """
    parts = [_categories(folder, responses[item], item) for item in items]
    columns = ["item", "category", "n", "share", "ci_low", "ci_high"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _categories(folder: StudyFolder, answers: pd.Series, item: str) -> pd.DataFrame:
    """Return the rows of one question."""
    labels = folder.scale_of(item).labels
    counts = answers.dropna().value_counts().sort_index()
    counts = counts.reindex([float(c) for c in labels] or counts.index, fill_value=0)
    names = [
        pick(labels[int(c)].model_dump()) if int(c) in labels else f"{c:g}" for c in counts.index
    ]
    merged = merge_small(pd.Series(counts.to_numpy(), index=names), folder.spec.privacy.k)
    total = int(merged.sum())
    rows = [
        (
            folder.wording(item),
            name,
            int(n),
            n / total if total else np.nan,
            *wilson_interval(int(n), total),
        )
        for name, n in merged.items()
    ]
    return pd.DataFrame(rows, columns=["item", "category", "n", "share", "ci_low", "ci_high"])


def merge_small(counts: pd.Series, k: int | None = None) -> pd.Series:
    """Merge counts below k into one row; zero counts need no protection.

    Parameters
    ----------
    counts : Series
    k : int, optional
        Smallest count that may be shown; ``THRESHOLDS["cell_size"]`` if not given.

    Examples
    --------
    >>> merge_small(pd.Series({"a": 40, "b": 20, "c": 2})).tolist()
    [40, 22]
    """
    least = int(THRESHOLDS["cell_size"].value) if k is None else k
    small = counts[(counts > 0) & (counts < least)]
    if small.empty:
        return counts
    hidden = list(small.index)
    rest = counts.drop(hidden)
    while counts[hidden].sum() < least and (rest > 0).any():
        hidden.append(rest[rest > 0].idxmin())
        rest = counts.drop(hidden)
    name = _("{names} (merged, fewer than {k} persons in one)").format(
        names=listing([n for n in counts.index if n in hidden], most=4), k=least
    )
    return pd.concat([rest, pd.Series({name: counts[hidden].sum()})])


def describe_numbers(
    responses: pd.DataFrame, *, items: list[str], folder: StudyFolder
) -> pd.DataFrame:
    """Describe numeric background questions: n, mean with t interval, sd, quartiles.

    Least and largest values are left out on purpose: they are single persons.
    """
    rows = []
    for item in items:
        x = responses[item].dropna().astype(float)
        mean, half = _mean_interval(x)
        quartiles = x.quantile([0.25, 0.5, 0.75])
        rows.append(
            (folder.wording(item), len(x), mean, mean - half, mean + half, x.std(), *quartiles)
        )
    columns = ["item", "n", "mean", "ci_low", "ci_high", "sd", "q1", "median", "q3"]
    return pd.DataFrame(rows, columns=columns)


def describe_items(
    folder: StudyFolder, responses: pd.DataFrame, *, items: list[str]
) -> pd.DataFrame:
    """Describe scale items.

    Returns
    -------
    DataFrame
        Columns ``item, construct, n, n_missing, mean, ci_low, ci_high, sd, skewness, kurtosis,
        floor, ceiling``: t interval of the mean; skewness and excess kurtosis as the third and
        fourth standardised moments (g1, g2: divisor n); ``floor`` and ``ceiling`` are the shares of
        answers on the lowest and highest scale end, reverse-keyed items turned.

    Notes
    -----
    Missing-data rule: each item over those who answered it. Checked against R psych
    ``describe(type = 1)``: ``tests/reference/survey.R``.
    """
    rows = []
    constructs = folder.items.set_index("item")["construct"]
    for item in items:
        x = responses[item].dropna().astype(float)
        scale = folder.scale_of(item)
        mean, half = _mean_interval(x)
        row = [item, constructs[item], len(x), int(responses[item].isna().sum())]
        row += [mean, mean - half, mean + half, x.std(), skewness(x), kurtosis(x)]
        row += [float((x == end).mean()) for end in (scale.low, scale.high)]
        rows.append(row)
    columns = ["item", "construct", "n", "n_missing", "mean", "ci_low", "ci_high", "sd"]
    columns += ["skewness", "kurtosis", "floor", "ceiling"]
    return pd.DataFrame(rows, columns=columns)


def answer_shares(
    folder: StudyFolder, responses: pd.DataFrame, *, items: list[str]
) -> pd.DataFrame:
    """Return how answers spread over the scale: columns ``item, answer, n, share``.

    Each share is of those who answered the item; codes nobody chose have share 0.
    """
    parts = []
    for item in items:
        scale = folder.scale_of(item)
        codes = np.arange(scale.low, scale.high + 1)
        counts = responses[item].value_counts().reindex(codes, fill_value=0)
        share = counts / max(int(counts.sum()), 1)
        parts.append(
            pd.DataFrame({"item": item, "answer": codes, "n": counts.values, "share": share.values})
        )
    return pd.concat(parts, ignore_index=True)


def _mean_interval(x: pd.Series) -> tuple[float, float]:
    """Return the mean and the half-width of its t interval."""
    n = len(x)
    if n < 2:
        return (float(x.mean()), float("nan"))
    return float(x.mean()), float(stats.t.ppf(0.5 + LEVEL / 2, n - 1) * x.std() / np.sqrt(n))
