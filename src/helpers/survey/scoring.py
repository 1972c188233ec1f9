"""Reverse coding by the scale ends, and scale scores by a stated rule."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers.errors import DataContractError, listing, nearest
from helpers.study import StudyFolder
from helpers.thresholds import THRESHOLDS


def reverse_coded(folder: StudyFolder, answers: pd.DataFrame) -> pd.DataFrame:
    """Return answers with reverse-keyed items turned: ``low + high - answer``.

    Afterwards a high answer means more of the construct for every item. Only items with
    ``reverse`` = 1 in the codebook and an answer scale with both ends are turned; the input is
    not modified. Turning twice gives the answers as asked again.

    Raises
    ------
    DataContractError
        A reverse-keyed item has no scale ends.
    """
    out = answers.copy(deep=False)  # columns are replaced, not written into
    for row in folder.items[folder.items["reverse"]].itertuples():
        if row.item not in out:
            continue
        scale = folder.spec.scales[row.scale]
        if scale.low is None or scale.high is None:
            raise DataContractError(
                f"reverse_coded: item= '{row.item}' is reverse-keyed but its scale '{row.scale}' "
                "has no low and high; both are needed. Add them to study.yml."
            )
        out[row.item] = scale.low + scale.high - out[row.item]
    return out


def scale_scores(
    folder: StudyFolder, responses: pd.DataFrame, *, min_share: float | None = None
) -> pd.DataFrame:
    """Return one score a construct: the mean of its items, on the items' own scale.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    responses : DataFrame
        Cleaned rows, reverse-keyed items already turned (``Study.responses``).
    min_share : float, optional
        Least share of a construct's items that must be answered, for all constructs; what the
        study file says under ``scores`` if not given (see ``score_rule``).

    Returns
    -------
    DataFrame
        ``respondent_id``, then one column a construct with at least one numeric item. A
        second-order construct is the mean of its facets' scores, all of which must be there.

    Notes
    -----
    Missing-data rule: below ``min_share`` the score is missing; at or above it, the mean of the
    items answered, which equals replacing a blank by the person's own mean. Graham (2009),
    doi:10.1146/annurev.psych.58.110405.085530, states when that is defensible: at least half of
    the items, and a coherent scale.
    """
    out = responses[["respondent_id"]].copy()
    for construct in folder.spec.constructs:
        items = [i for i in folder.items_of(construct.code) if _numeric(folder, i)]
        if items:
            share = score_rule(folder, construct.code) if min_share is None else min_share
            out[construct.code] = mean_score(responses[items], min_share=share)
    for construct in folder.spec.constructs:
        facets = [f for f in construct.facets if f in out]
        if construct.code not in out and facets and len(facets) == len(construct.facets):
            out[construct.code] = out[facets].mean(axis=1, skipna=False)
    return out


def score_rule(folder: StudyFolder, construct: str) -> float:
    """Return the least share of a construct's items that must be answered for a score.

    What ``study.yml`` says for the construct, else for all, else the cut-off ``answered_share``.
    """
    rule = folder.spec.scores
    general = rule.answered_share or THRESHOLDS["answered_share"].value
    return rule.constructs.get(construct, general)


def count_scores(folder: StudyFolder, responses: pd.DataFrame) -> pd.DataFrame:
    """Count how each construct's scores came about.

    Returns
    -------
    DataFrame
        Columns ``construct, n_items, min_share, n_complete, n_prorated, n_without``: people who
        answered all items; people whose score is the mean of fewer items; people without score.
        The three add up to all respondents.
    """
    rows = []
    for code in folder.construct_codes:
        items = [i for i in folder.items_of(code) if _numeric(folder, i)]
        if not items:
            continue
        share = score_rule(folder, code)
        answered = responses[items].notna().mean(axis=1)
        complete, scored = int((answered == 1).sum()), int((answered >= share).sum())
        rows.append((code, len(items), share, complete, scored - complete, len(answered) - scored))
    columns = ["construct", "n_items", "min_share", "n_complete", "n_prorated", "n_without"]
    return pd.DataFrame(rows, columns=columns)


def compare_score_rules(
    folder: StudyFolder, responses: pd.DataFrame, *, shares: Sequence[float] = (0.5, 0.75, 1.0)
) -> pd.DataFrame:
    """Return n, mean and standard deviation of every score under several rules.

    Returns
    -------
    DataFrame
        Columns ``construct, min_share, n, mean, sd, shift``: ``shift`` is the change of the mean
        against the first rule in its standard deviations. Only constructs with a blank item are
        listed; for the others no rule makes a difference.
    """
    rows = []
    for code in folder.construct_codes:
        items = [i for i in folder.items_of(code) if _numeric(folder, i)]
        if len(items) < 2 or not responses[items].isna().to_numpy().any():
            continue
        scores = [mean_score(responses[items], min_share=share) for share in shares]
        base, spread = scores[0].mean(), scores[0].std()
        rows += [
            (code, share, int(s.notna().sum()), s.mean(), s.std(), (s.mean() - base) / spread)
            for share, s in zip(shares, scores)
        ]
    columns = ["construct", "min_share", "n", "mean", "sd", "shift"]
    return pd.DataFrame(rows, columns=columns)


def mean_score(items: pd.DataFrame, *, min_share: float) -> pd.Series:
    """Return the row means of items where at least ``min_share`` of them are answered.

    Examples
    --------
    >>> toy = pd.DataFrame({"SAT1": [4.0, 4.0], "SAT2": [2.0, None], "SAT3": [3.0, None]})
    >>> mean_score(toy, min_share=0.5).tolist()
    [3.0, nan]
    """
    if not 0 < min_share <= 1:
        raise DataContractError(
            f"mean_score: min_share= {min_share}; a share above 0 and at most 1 is needed. Give "
            "0.5 for half of the items."
        )
    answered = items.notna().mean(axis=1)
    return items.mean(axis=1).where(answered >= min_share)


def items_for(folder: StudyFolder, construct: str) -> list[str]:
    """Return a construct's scale items; an unknown code is an error that lists the known ones."""
    if construct not in folder.construct_codes:
        raise DataContractError(
            f"items_for: construct= '{construct}' is not a construct of '{folder.id}'; known are "
            f"{listing(folder.construct_codes)}.{nearest(construct, folder.construct_codes)}"
        )
    items = [i for i in folder.items_of(construct) if _numeric(folder, i)]
    if not items:
        raise DataContractError(
            f"items_for: construct= '{construct}' of '{folder.id}' has no scale item of its own; "
            "one is needed. Name one of its facets, or a construct with items in items.csv."
        )
    return items


def _numeric(folder: StudyFolder, item: str) -> bool:
    """Tell whether an item is answered on a scale of numbers."""
    return folder.scale_of(item).kind in ("likert", "number")
