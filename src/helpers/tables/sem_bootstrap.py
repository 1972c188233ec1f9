"""Bootstrapped effects: printed table, picture, and sentences."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.results import CheckResult
from helpers.sem.effects import Effects
from helpers.sem.effects_bootstrap import BootstrappedEffects
from helpers.sem.study_fit import ModelFit
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column, interval_label
from helpers.tables.numbers import format_interval, format_number, format_p
from helpers.tables.sem_sentences import mediation_verdict, state_sentence
from helpers.tables.sem_tables import basis_of, effect_names
from helpers.thresholds import THRESHOLDS

MOST_DRAWN = 8
"""Indirect ways drawn; the table holds all."""


@passes_unavailable
def effects_table(fit: ModelFit, found: BootstrappedEffects) -> ApaTable:
    """Return the effects with bootstrap intervals, raw and standardised."""
    frame = found.effects.table.copy()
    frame["effect"] = effect_names(fit, frame)
    frame["way"] = [" → ".join(way) for way in frame["way"]]
    level = found.effects.level
    columns = [
        Column("effect", _("Effect"), "text"),
        Column("estimate", _("Estimate"), decimals=3),
        interval_column(level=level, decimals=3),
        Column("p_value", "p", "p"),
        Column("std_all", _("Standardised"), "bounded", 3),
        interval_column("std_low", "std_high", label=interval_label(level), bounded=True),
    ]
    caption = _("Effects of {source} on {outcome}").format(
        source=fit.label(found.effects.source), outcome=fit.label(found.effects.outcome)
    )
    basis = basis_of(fit, errors=f"bootstrap, {found.boot.n_boot} replicates")
    return apa_table(frame, caption=caption, columns=columns, note=found.boot.text(), basis=basis)


@passes_unavailable
def effects_forest(fit: ModelFit, found: BootstrappedEffects) -> pd.DataFrame:
    """Return the standardised effects as ``plot_forest`` takes them: sums and largest ways."""
    table = found.effects.table
    table = table[table["kind"] != "proportion"]
    sums = table["kind"] != "indirect"
    largest = table.loc[~sums, "std_all"].abs().nlargest(MOST_DRAWN).index
    table = table[sums | table.index.isin(largest)]
    frame = table[["std_all", "std_low", "std_high"]].copy()
    frame.columns = ["estimate", "ci_low", "ci_high"]
    frame.insert(0, "label", effect_names(fit, table))
    return frame


@passes_unavailable
def effect_sentence(fit: ModelFit, found: BootstrappedEffects) -> str:
    """Read the sum of the indirect effects, else the total effect, aloud."""
    if not fit.trustworthy:
        return state_sentence(fit)
    row = found.effects.row("total_indirect")
    kind = _("all indirect effects together")
    if row is None:
        row, kind = found.effects.row("total"), _("the total effect")
    return _(
        "From {source} to {outcome}, {kind} amount to {estimate}, {percent}% bootstrap CI {ci}, "
        "p {p}; standardised {std} {std_ci}."
    ).format(
        source=fit.label(found.effects.source),
        outcome=fit.label(found.effects.outcome),
        kind=kind,
        estimate=format_number(row["estimate"], 3),
        percent=f"{100 * found.effects.level:g}",
        ci=format_interval(row["ci_low"], row["ci_high"], 3),
        p=_signed(row["p_value"]),
        std=format_number(row["std_all"], bounded=True),
        std_ci=format_interval(row["std_low"], row["std_high"], bounded=True),
    )


@passes_unavailable
def proportion_sentence(found: BootstrappedEffects) -> str | Unavailable:
    """Read the proportion mediated aloud, with its caveat."""
    row = found.effects.row("proportion")
    if row is None:
        return Unavailable(
            _("the proportion mediated"), _("the model has no direct beside an indirect way")
        )
    return _(
        "Proportion mediated: {share}, {percent}% CI {ci}. It is a ratio of two estimates: with a "
        "small total effect, or effects of opposite sign, it means nothing."
    ).format(
        share=format_number(row["estimate"]),
        percent=f"{100 * found.effects.level:g}",
        ci=format_interval(row["ci_low"], row["ci_high"]),
    )


@passes_unavailable
def verdict(fit: ModelFit, found: BootstrappedEffects) -> str:
    """Name the kind of mediation from the bootstrap intervals."""
    return mediation_verdict(fit, found.effects)


@passes_unavailable
def check(found: BootstrappedEffects, drawn: Effects) -> CheckResult:
    """Hold the bootstrap intervals of the effects against the Monte Carlo intervals.

    The two are computed in different ways; their ends should differ by little beside the width.
    """
    ours = found.effects.table[found.effects.table["kind"] != "proportion"]
    theirs = drawn.table
    width = (ours["ci_high"] - ours["ci_low"]).to_numpy()
    gaps = [(ours[end] - theirs[end]).abs().to_numpy() / width for end in ("ci_low", "ci_high")]
    largest = float(max(gap.max() for gap in gaps))
    cut = THRESHOLDS["interval_gap"]
    text = _(
        "The ends of the bootstrap and the Monte Carlo intervals differ by at most {gap} of the "
        "width of the interval."
    ).format(gap=format_number(largest, bounded=True))
    name = _("Bootstrap against Monte Carlo")
    return CheckResult(name, cut.holds(largest), largest, cut.value, cut.source, text)


@passes_unavailable
def failures(found: BootstrappedEffects) -> CheckResult:
    """Count the replicates that failed."""
    boot = found.boot
    share = boot.n_failed / boot.n_boot
    cut = THRESHOLDS["failed_replicates"]
    text = _("{failed} of {n} replicates failed, {odd} were inadmissible.").format(
        failed=boot.n_failed, n=boot.n_boot, odd=boot.n_inadmissible
    )
    name = _("Failed replicates")
    return CheckResult(name, cut.holds(share), share, cut.value, cut.source, text)


def checks(
    found: BootstrappedEffects | Unavailable, drawn: Effects | Unavailable
) -> list[CheckResult | Unavailable]:
    """Return the checks of a bootstrap of effects."""
    if isinstance(found, Unavailable):
        return [found]
    return [check(found, drawn), failures(found)]


def _signed(p: float) -> str:
    """Return ``= .012`` or ``< .001``."""
    text = format_p(p)
    return text if text.startswith("<") else f"= {text}"
