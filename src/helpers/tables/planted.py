"""Planted truth beside estimates: tables, a picture, and whether enough intervals cover."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.results import CheckResult
from helpers.tables.apa import ApaTable
from helpers.tables.concluding import recovery_table
from helpers.tables.numbers import format_percent
from helpers.thresholds import THRESHOLDS


@passes_unavailable
def rows(recovered: pd.DataFrame) -> pd.DataFrame:
    """Return recovered quantities with the column names of printed tables."""
    return recovered.rename(columns={"quantity": "label", "where": "table"})


@passes_unavailable
def table(recovered: pd.DataFrame, kind: str) -> ApaTable:
    """Return the printed table; ``kind`` is ``tables`` or ``formulas``."""
    captions = {
        "tables": _("Tables T1 to T7: planted values and estimates"),
        "formulas": _("Formulas F1 to F7: planted weights and estimates"),
    }
    return recovery_table(recovered, caption=captions[kind])


@passes_unavailable
def of_table(shown: ApaTable) -> pd.DataFrame:
    """Return the rows behind a printed recovery table."""
    return shown.frame


@passes_unavailable
def sentence(recovered: pd.DataFrame) -> str:
    """Say how many intervals cover, and name those that do not."""
    missed = recovered.loc[~recovered["covered"].astype(bool)]
    text = _("Intervals that cover what was planted: {hits} of {total}.").format(
        hits=len(recovered) - len(missed), total=len(recovered)
    )
    if missed.empty:
        return text
    names = _("; ").join(f"{r.table} {r.label}" for r in missed.itertuples())
    return text + " " + _("These do not: {names}.").format(names=names)


@passes_unavailable
def forest(shown: ApaTable) -> pd.DataFrame:
    """Return paths with intervals and truth as ``plot_forest`` takes them."""
    return shown.frame[["label", "estimate", "ci_low", "ci_high", "truth"]]


def checks(*parts: pd.DataFrame | Unavailable) -> list[CheckResult | Unavailable]:
    """Hold the share of covering intervals, all parts together, against the one asked for."""
    lost = [part for part in parts if isinstance(part, Unavailable)]
    known = [part["covered"].astype(bool) for part in parts if not isinstance(part, Unavailable)]
    if not known:
        return list(lost)
    covered = pd.concat(known)
    cut = THRESHOLDS["coverage"]
    text = _("{share} of {total} intervals cover; at least {least} are asked for.").format(
        share=format_percent(covered.mean()), total=len(covered), least=format_percent(cut.value, 0)
    )
    passed = cut.holds(float(covered.mean()))
    name = _("Coverage of the planted truth")
    return [CheckResult(name, passed, float(covered.mean()), cut.value, cut.source, text), *lost]
