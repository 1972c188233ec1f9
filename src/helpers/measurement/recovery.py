"""Does the factor structure found agree with the scales as they were designed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.i18n import _
from helpers.measurement.efa import FactorSolution
from helpers.results import CheckResult
from helpers.thresholds import THRESHOLDS


def compare_structure(
    solution: FactorSolution, blocks: Mapping[str, Sequence[str]]
) -> tuple[pd.DataFrame, CheckResult]:
    """Compare the factor on which each item loads most with the scale it was written for.

    A factor is named after the scale whose items lead on it with the largest sum of squared
    loadings. Of several factors named after one scale the heaviest is that scale's own; items that
    lead on another one are not with their scale, which has come apart.

    Returns
    -------
    table : DataFrame
        One row an item: item, construct, factor (number), loading (the largest in size),
        second_loading (the next), belongs_to (the scale the factor is named after, or that it is a
        further factor of that scale), met.
    check : CheckResult
        Share of items on the factor of their own scale; ``passed`` asks for all of them.
    """
    owner = {item: code for code, items in blocks.items() for item in items}
    size = np.abs(solution.loadings)
    leading = size.argmax(axis=1)
    ranked = np.sort(size, axis=1)
    table = pd.DataFrame(
        {
            "item": solution.items,
            "construct": [owner.get(item, "") for item in solution.items],
            "factor": leading + 1,
            "loading": solution.loadings[np.arange(len(size)), leading],
            "second_loading": ranked[:, -2] if size.shape[1] > 1 else 0.0,
        }
    )
    weight = (table["loading"] ** 2).groupby([table["factor"], table["construct"]]).sum()
    table["belongs_to"] = table["factor"].map(_names_of_factors(weight.unstack(fill_value=0.0)))
    table["met"] = table["belongs_to"] == table["construct"]
    rule = THRESHOLDS["loading_low"]
    hits = int(table["met"].sum())
    weak = int((table["loading"].abs() < rule.value).sum())
    check = CheckResult(
        name=_("Items load on the factor of their own scale"),
        passed=hits == len(table),
        value=hits / len(table),
        threshold=1.0,
        source=rule.source,
        text=_(
            "Items that load most on the factor of their own scale: {hits} of {of}; without a "
            "loading of {cut:.2f} or more: {weak}."
        ).format(hits=hits, of=len(table), weak=weak, cut=rule.value),
    )
    return table, check


def _names_of_factors(weight: pd.DataFrame) -> dict[int, str]:
    """Return what each factor is called, from the sums of squared leading loadings by scale."""
    named = weight.idxmax(axis=1)
    heaviest = weight.max(axis=1).groupby(named).idxmax()
    return {
        factor: scale
        if heaviest[scale] == factor
        else _("{scale}, a further factor").format(scale=scale)
        for factor, scale in named.items()
    }
