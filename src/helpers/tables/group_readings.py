"""Group means of the constructs: printed table, picture, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import SuiteError, Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.regression.comparisons import GroupComparison, compare_groups
from helpers.survey.groups import comparable_groups
from helpers.tables.apa import ApaTable
from helpers.tables.concluding import comparison_table

if TYPE_CHECKING:
    from helpers.survey.load import Study

COMPARED_ROLES = ("satisfaction", "mediator", "outcome")
"""Roles of the constructs whose means are compared."""

MOST_DRAWN = 4
"""Outcomes drawn side by side; more are hard to read."""


def construct_means(study: Study, group: str) -> dict[str, GroupComparison] | Unavailable:
    """Compare the scale scores of satisfaction, mediators and outcomes between groups.

    Returns
    -------
    dict or Unavailable
        Name of the construct in the current language -> comparison.
    """
    lacking = study.offers("scores", f"group:{group}")
    if lacking is not None:
        return lacking
    try:
        labels = comparable_groups(study, group).labels
    except SuiteError as error:
        return Unavailable(_("the comparison of groups"), str(error))
    codes = [c.code for c in study.spec.constructs if c.role in COMPARED_ROLES]
    scores = study.scores
    return {
        study.construct_name(code): compare_groups(scores[code], labels)
        for code in codes
        if code in scores.columns
    }


@passes_unavailable
def means_table(compared: Mapping[str, GroupComparison]) -> ApaTable:
    """Return the means of every construct by group, with Welch's test and omega squared."""
    frames = []
    for outcome, result in compared.items():
        frame = result.means.assign(outcome=outcome)
        tests = {
            "statistic": result.welch_f,
            "df1": result.welch_df1,
            "df2": result.welch_df2,
            "p_value": result.welch_p,
            "effect_size": result.omega_sq,
        }
        for key, value in tests.items():
            blank = [None] * (len(frame) - 1)
            frame[key] = [None if isinstance(value, Unavailable) else value, *blank]
        frames.append(frame)
    caption = _("Means of the scale scores by group, Welch's F, and omega squared")
    return comparison_table(pd.concat(frames, ignore_index=True), caption=caption)


@passes_unavailable
def means_sentence(compared: Mapping[str, GroupComparison]) -> str:
    """Read the construct that goes most with the grouping aloud."""
    tested = {k: r for k, r in compared.items() if not isinstance(r.omega_sq, Unavailable)}
    if not tested:
        return _("No two groups are large enough to be compared.")
    strongest = max(tested, key=lambda k: tested[k].omega_sq)
    sentence = _("The grouping goes most with {construct}. {text}")
    return sentence.format(construct=strongest, text=tested[strongest].text())


@passes_unavailable
def means_picture(compared: Mapping[str, GroupComparison]) -> pd.DataFrame:
    """Return the means as ``plot_group_means`` takes them; ``outcome`` is the series."""
    shown = sorted(compared, key=lambda k: _size(compared[k]), reverse=True)[:MOST_DRAWN]
    frames = [compared[name].means.assign(outcome=name) for name in shown]
    frame = pd.concat(frames, ignore_index=True)
    return frame[["group", "outcome", "n", "mean", "ci_low", "ci_high"]]


def _size(result: GroupComparison) -> float:
    """Return omega squared, or -1 if there is none."""
    return -1.0 if isinstance(result.omega_sq, Unavailable) else float(result.omega_sq)
