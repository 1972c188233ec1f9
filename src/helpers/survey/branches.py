"""Which respondent was asked which item: the branches of the questionnaire."""

from __future__ import annotations

import pandas as pd

from helpers.study import StudyFolder


def asked(folder: StudyFolder, responses: pd.DataFrame, items: list[str]) -> pd.DataFrame:
    """Return which respondent was asked which item, by ``shown_if`` of the codebook.

    A blank behind a branch that was not taken is no missing answer. Where the branching answer
    itself is blank, the item counts as not asked.
    """
    out = pd.DataFrame(True, index=responses.index, columns=items)
    rules = folder.items.set_index("item")["shown_if"]
    for item in items:
        rule = rules.get(item, "")
        if not rule:
            continue
        on, _sign, codes = rule.partition("=")
        allowed = [float(c) for c in codes.split("|")]
        chosen = [f"{on.strip()}_{c.strip()}" for c in codes.split("|")]
        if on.strip() in responses:
            out[item] = responses[on.strip()].isin(allowed)
        elif all(c in responses for c in chosen):
            out[item] = (responses[chosen] == 1).any(axis=1)
    return out
