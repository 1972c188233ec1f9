"""Measurement invariance in depth: released equalities, permutation, latent means, dMACS."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.results import Basis, CheckResult
from helpers.sem.ladder_steps import step_label
from helpers.sem.partial_invariance import (
    EXHAUSTED,
    FAILED,
    HOLDS,
    NOTHING_CLEAR,
    PartialInvariance,
    PartialLadder,
)
from helpers.sem.permutation import PermutationTest
from helpers.sem.study_groups import LatentMeans
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number
from helpers.tables.sem_sentences import signed_p
from helpers.thresholds import LEVEL, THRESHOLDS

MOST_ITEMS = 12
"""Items shown in the table of dMACS; all are in the saved data of a run."""


@passes_unavailable
def release_table(partial: PartialLadder) -> ApaTable | Unavailable:
    """Return the log of the search: every fit, what was released, what it changed."""
    frame = partial.log
    if frame.empty:
        return next(s for s in partial.searches.values() if isinstance(s, Unavailable))
    frame["step_name"] = [step_label(s) for s in frame["step"]]
    frame["shown"] = [name or _("nothing released") for name in frame["release"]]
    columns = [
        Column("shown", _("Released"), "text"),
        Column("score", _("Score χ²")),
        Column("chisq", "χ²"),
        Column("df", "df", "integer"),
        Column("gain_chisq", _("Gain in χ²")),
        Column("delta_chisq", "Δχ²"),
        Column("delta_p", "p", "p"),
        Column("delta_cfi", "ΔCFI", "bounded", 3),
        Column("delta_rmsea", "ΔRMSEA", "bounded", 3),
        Column("delta_srmr", "ΔSRMR", "bounded", 3),
        Column("holds", _("Holds"), "truth"),
    ]
    share = next(s.max_share for s in partial.searches.values() if isinstance(s, PartialInvariance))
    anchors = THRESHOLDS["anchors"].value
    note = _(
        "Differences Δ are to the step below, the gain is to the row above. Of the equalities the "
        "step adds, the one with the largest score test is released, until the step holds; at most "
        "{percent}% of a factor's items, and at least {anchors} items of each stay equal."
    ).format(percent=f"{100 * share:g}", anchors=f"{anchors:g}")
    return apa_table(
        frame, caption=_("Search for partial invariance"), columns=columns, note=note,
        section="step_name",
    )  # fmt: skip


@passes_unavailable
def release_sentence(partial: PartialLadder) -> str:
    """Say how far the ladder reaches in full or in part, what was released and why it ended."""
    last = list(partial.searches.values())[-1]
    if isinstance(last, Unavailable):
        return last.text()
    if partial.reached is None:
        return _("No verdict on invariance is given, because a fit is missing or not admissible.")
    if partial.released:
        sentence = _(
            "Up to the step '{step}', invariance holds in part; released: {names}."
        ).format(step=step_label(partial.reached), names=_(", ").join(partial.released))
    else:
        sentence = _("Up to the step '{step}', invariance holds in full; nothing is released.")
        sentence = sentence.format(step=step_label(partial.reached))
    if last.holds:
        return sentence
    return f"{sentence} {_stopped(last)}"


def _stopped(search: PartialInvariance) -> str:
    """Say why a search ended."""
    reasons = {
        HOLDS: _("The step holds."),
        EXHAUSTED: _("No more items may be released, as too few would anchor the factor."),
        NOTHING_CLEAR: _("No single equality can be blamed for what is left."),
        FAILED: _("A fit failed."),
    }
    return _("At the step '{step}' the search ended: {why}").format(
        step=step_label(search.step), why=reasons[search.stopped]
    )


@passes_unavailable
def permutation_table(tests: Mapping[str, PermutationTest]) -> ApaTable:
    """Return the permutation tests of every step."""
    names = {"chisq": ("χ²", "Δχ²"), "cfi": ("CFI", "ΔCFI"), "rmsea": ("RMSEA", "ΔRMSEA")}
    frames = []
    for k, (step, test) in enumerate(tests.items()):
        frame = test.table.copy()
        frame["name"] = [names[m][int(k > 0)] for m in frame["measure"]]
        for column in ("observed", "median", "critical"):
            frame[column] = [
                format_number(v, 2 if m == "chisq" else 4)
                for v, m in zip(frame[column], frame["measure"])
            ]
        frames.append(frame.assign(step=step_label(step)))
    first = next(iter(tests.values()))
    columns = [
        Column("name", _("Measure"), "text"),
        Column("observed", _("As observed"), "text"),
        Column("median", _("Median of the deals"), "text"),
        Column("critical", _("Worst 5% from"), "text"),
        Column("p_value", "p", "p"),
    ]
    note = _(
        "{deals} deals of the group labels among {n} complete rows; plain ML. p is the share of "
        "deals at least as bad, the observed one included; {failed} deals could not be fitted."
    ).format(
        deals=first.n_perm, n=first.n_used, failed=max(t.n_failed for t in tests.values())
    )  # fmt: skip
    return apa_table(
        pd.concat(frames, ignore_index=True), caption=_("Permutation tests of invariance"),
        columns=columns, note=note, section="step",
        basis=Basis(first.n_used, "ML", f"permutation, {first.n_perm} deals"),
    )  # fmt: skip


@passes_unavailable
def permutation_sentence(tests: Mapping[str, PermutationTest]) -> str:
    """Read the change of CFI of the last step aloud."""
    step, test = list(tests.items())[-1]
    row = test.row("cfi")
    return _(
        "Step '{step}': CFI changes by {observed}; if labels meant nothing, 5% of the deals would "
        "change by {critical} or worse (p {p}, {deals} deals)."
    ).format(
        step=step_label(step),
        observed=format_number(row["observed"], 4),
        critical=format_number(row["critical"], 4),
        p=signed_p(row["p_value"]),
        deals=test.n_perm - test.n_failed,
    )


@passes_unavailable
def latent_means_table(means: LatentMeans) -> ApaTable:
    """Return the differences of latent means of every pair of groups."""
    frame = means.table.copy()
    order = {name: i for i, name in enumerate(frame["name"].drop_duplicates())}
    frame = frame.sort_values("name", key=lambda names: names.map(order), kind="stable")
    frame["pair"] = [f"{r.group_b} – {r.group_a}" for r in frame.itertuples()]
    columns = [
        Column("pair", _("Groups"), "text"),
        Column("difference", _("Difference")),
        Column("se", "SE"),
        Column("p_value", "p", "p"),
        Column("d", "d"),
        interval_column("d_low", "d_high"),
    ]
    note = _(
        "Latent means, first less second group named; d is the difference in pooled latent "
        "standard deviations, with its interval. Each p and interval stands for itself: none is "
        "adjusted for the {k} comparisons. Free over groups: {names}."
    ).format(k=len(frame), names=_(", ").join(means.released) or _("nothing"))
    caption = _("Latent means compared between groups")
    return apa_table(frame, caption=caption, columns=columns, note=note, section="name")


@passes_unavailable
def latent_means_sentence(means: LatentMeans) -> str:
    """Read the largest latent difference aloud."""
    if not means.trustworthy:
        return _("No verdict on latent means is given, because the fit is not admissible.")
    table = means.table
    row = table.loc[table["d"].abs().idxmax()]
    clear = int(((table["d_low"] > 0) | (table["d_high"] < 0)).sum())
    return _(
        "Comparisons of latent means whose interval holds no zero: {clear} of {total}. "
        "The largest: {construct}, {b} against {a}, d = {d}, {percent}% CI {ci}."
    ).format(
        clear=clear,
        total=len(table),
        construct=row["name"],
        a=row["group_a"],
        b=row["group_b"],
        d=format_number(row["d"]),
        percent=f"{100 * LEVEL:g}",
        ci=format_interval(row["d_low"], row["d_high"]),
    )


@passes_unavailable
def latent_means_picture(means: LatentMeans) -> pd.DataFrame:
    """Return the differences from the first group as ``plot_latent_means`` takes them."""
    table = means.table[means.table["group_a"] == means.table["group_a"].iloc[0]]
    return pd.DataFrame(
        {
            "label": table["name"],
            "group": table["group_b"],
            "reference": table["group_a"],
            "estimate": table["d"],
            "ci_low": table["d_low"],
            "ci_high": table["d_high"],
        }
    )


@passes_unavailable
def dmacs_table(bias: pd.DataFrame) -> ApaTable:
    """Return the items with the largest dMACS."""
    frame = bias.sort_values("dmacs", ascending=False, kind="stable").head(MOST_ITEMS)
    frame = frame.assign(pair=[f"{r.focal} – {r.reference}" for r in frame.itertuples()])
    columns = [
        Column("item", _("Item"), "text"),
        Column("pair", _("Groups"), "text"),
        Column("dmacs", "dMACS"),
        Column("mean_shift", _("Shift of the mean")),
        Column("loading_reference", _("Loading, reference")),
        Column("loading_focal", _("Loading, focal")),
        Column("intercept_reference", _("Intercept, reference")),
        Column("intercept_focal", _("Intercept, focal")),
    ]
    cut = THRESHOLDS["dmacs"]
    note = _(
        "The {shown} largest of {total}. Each item is released in turn, all others are anchors. "
        "The shift is what the focal group would answer more under the reference group's "
        "parameters. dMACS is never negative, so chance alone makes it larger than zero; below "
        "{cut} an effect is negligible ({source})."
    ).format(shown=len(frame), total=len(bias), cut=format_number(cut.value), source=cut.source)
    caption = _("Size of non-invariance of the items")
    return apa_table(frame, caption=caption, columns=columns, note=note)


@passes_unavailable
def dmacs_sentence(bias: pd.DataFrame) -> str:
    """Read the largest dMACS aloud."""
    row, cut = bias.loc[bias["dmacs"].idxmax()], THRESHOLDS["dmacs"]
    over = int((bias["dmacs"] > cut.value).sum())
    return _(
        "Item comparisons with dMACS above {cut}: {over} of {total}. The largest is "
        "item {item}, {focal} against {reference}: {dmacs} standard deviations."
    ).format(
        over=over,
        total=len(bias),
        cut=format_number(cut.value),
        item=row["item"],
        focal=row["focal"],
        reference=row["reference"],
        dmacs=format_number(row["dmacs"]),
    )


def partial_checks(partial: PartialLadder | Unavailable) -> list[CheckResult | Unavailable]:
    """Return, factor by factor, whether enough items anchor the comparison."""
    if isinstance(partial, Unavailable):
        return [partial]
    checks: list[CheckResult | Unavailable] = []
    searches = [s for s in partial.searches.values() if isinstance(s, PartialInvariance)]
    for search in searches:
        name = _("Released: {step}").format(step=step_label(search.step))
        worst = search.share.sort_values("share", ascending=False, kind="stable").iloc[0]
        cut = THRESHOLDS["partial_share"]
        text = _("At most {released} of {items} items of a factor are released ({factor}).").format(
            released=worst["released"], items=worst["items"], factor=worst["factor"]
        )
        value = float(worst["share"])
        checks.append(CheckResult(name, cut.holds(value), value, cut.value, _(cut.source), text))
    return [*checks, *(s for s in partial.searches.values() if isinstance(s, Unavailable))]
