"""How the marks of careless answering are defined, how often they hit, and how far they agree."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.specification import MARKS, Screening
from helpers.survey.careless_indices import INDICES
from helpers.survey.mark_definitions import mark_definitions
from helpers.survey.screening import Marks

SIGNS = (
    "speeding", "failed_attention", "even_odd", "synonyms", "antonyms", "person_total",
    "mahalanobis", "contradictions", "autocorrelation", "longstring", "low_variability",
)  # fmt: skip
"""Marks that speak of carelessness; the others say that a row is no respondent's, or not whole."""


def describe_marks(marks: Marks, screening: Screening) -> pd.DataFrame:
    """Return every mark with definition, source, count, share, and whether it excludes."""
    definitions = mark_definitions(screening)
    together = {m for group in screening.exclude_jointly for m in group}
    together |= set(screening.exclude_at_least.of) if screening.exclude_at_least else set()
    rows = []
    for mark in MARKS:
        use = _("excludes") if mark in screening.exclude else _("marks only")
        if mark in together and mark not in screening.exclude:
            use = _("excludes with another mark")
        lacking = marks.unavailable.get(mark)
        rows.append(
            {
                "mark": mark,
                "definition": definitions[mark][0] if lacking is None else lacking.why,
                "source": definitions[mark][1],
                "n": int(marks.table[mark].sum()) if lacking is None else pd.NA,
                "share": float(marks.table[mark].mean()) if lacking is None else np.nan,
                "use": use if lacking is None else _("not available"),
            }
        )
    return pd.DataFrame(rows).astype({"n": "Int64"})


def agreement_of_marks(marks: Marks) -> pd.DataFrame:
    """Compare marks pair by pair: how many rows carry both, and Cohen's kappa.

    Kappa is ``(p_o - p_e) / (1 - p_e)`` with ``p_o`` the share of rows on which two marks agree and
    ``p_e`` the share expected from the two marginals (Cohen 1960,
    doi:10.1177/001316446002000104). Marks that hit nobody, or that cannot be computed, are left
    out: agreement on nothing says nothing.
    """
    used = [m for m in MARKS if m not in marks.unavailable and marks.table[m].any()]
    rows = []
    for a, b in combinations(used, 2):
        x, y = marks.table[a], marks.table[b]
        agree = float((x == y).mean())
        chance = float(x.mean() * y.mean() + (1 - x.mean()) * (1 - y.mean()))
        kappa = (agree - chance) / (1 - chance) if chance < 1 else np.nan
        rows.append((a, b, int(x.sum()), int(y.sum()), int((x & y).sum()), kappa))
    return pd.DataFrame(rows, columns=["mark_a", "mark_b", "n_a", "n_b", "n_both", "kappa"])


def correlations_of_indices(marks: Marks) -> pd.DataFrame | Unavailable:
    """Return Spearman's correlations of the indices, each pair over the rows that have both.

    Signs are turned so that a high value always speaks for carelessness: then indices that see the
    same thing correlate positively.
    """
    if marks.indices is None:
        return Unavailable(
            _("correlations of the indices"), _("the marks were given without their indices")
        )
    table = marks.indices.table
    usable = [i for i in INDICES if i not in marks.indices.unavailable and table[i].nunique() > 1]
    if len(usable) < 2:
        return Unavailable(
            _("correlations of the indices"), _("fewer than two indices can be computed")
        )
    return careless_high(table[usable]).corr(method="spearman")


def careless_high(indices: pd.DataFrame) -> pd.DataFrame:
    """Return indices with those turned of which a low value speaks for carelessness."""
    low = {"seconds_per_item", "low_variability", "even_odd", "synonyms", "person_total",
           "mahalanobis"}  # fmt: skip
    return pd.DataFrame({i: -indices[i] if i in low else indices[i] for i in indices})


def several_signs(marks: Marks) -> pd.DataFrame:
    """Return how many rows carry 0, 1, 2, ... signs of carelessness, and at least so many."""
    used = [m for m in SIGNS if m not in marks.unavailable]
    count = marks.table[used].sum(axis=1)
    ks = range(int(count.max()) + 1 if len(count) else 1)
    rows = [(k, int((count == k).sum()), int((count >= k).sum())) for k in ks]
    return pd.DataFrame(rows, columns=["signs", "n", "n_at_least"])
