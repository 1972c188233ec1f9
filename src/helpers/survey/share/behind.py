"""Answers behind a branch that would tell what a shareable copy hides."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from helpers.study import StudyFolder
from helpers.survey.branches import asked


def telling_rows(
    folder: StudyFolder, answers: pd.DataFrame, shown: pd.DataFrame
) -> Mapping[str, tuple[str, pd.Series]]:
    """Return where an item must be blank, as its being asked would tell a hidden answer.

    Whoever was asked what follows "paid by card" did pay by card, even if the copy does not say
    how anybody paid. So an item behind a branch on a quasi-identifier is blanked for all who look
    alike in it, if some of them were asked and others not, and for all whose quasi-identifier is
    blank in the copy; what stands behind a blanked item is blanked with it.

    Parameters
    ----------
    folder : StudyFolder
    answers : DataFrame
        As they were given, one row a respondent.
    shown : DataFrame, same index
        Quasi-identifiers as the copy shows them.

    Returns
    -------
    mapping of str to (str, Series of bool)
        Item -> the item it would tell, and the rows to blank; only items with such rows.

    Notes
    -----
    Samarati (2001), doi:10.1109/69.971193, asks that a table be judged with what can be inferred
    from it; the branches of a questionnaire are public.
    """
    main = folder.items[folder.items["module"] == "main"]
    found: dict[str, tuple[str, pd.Series]] = {}
    grown = True
    while grown:  # a branch may lie behind another, in any order of the codebook
        grown = False
        for item, rule in zip(main["item"], main["shown_if"], strict=True):
            on = rule.partition("=")[0].strip()
            if not rule or item in found:
                continue
            if on in found:
                found[item], grown = found[on], True
            elif on in shown:
                rows = _mixed(asked(folder, answers, [item])[item], answers[on], shown[on])
                if rows.any():
                    found[item], grown = (on, rows), True
    return found


def _mixed(was_asked: pd.Series, given: pd.Series, shown: pd.Series) -> pd.Series:
    """Return the rows whose shown value leaves open whether they were asked."""
    mixed = was_asked.groupby(shown).transform("nunique") > 1
    blanked = shown.isna()
    return mixed | (blanked & bool(given[blanked].notna().any()))
