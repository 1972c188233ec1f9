"""Tables and sentences of the CFA marker technique: comparisons, reliability, sensitivity."""

from __future__ import annotations

import pandas as pd

from helpers.errors import passes_unavailable
from helpers.i18n import _
from helpers.results import Basis
from helpers.sem.marker_phases import SENSITIVITY_LEVELS
from helpers.sem.method_results import MarkerModels, MarkerSensitivity, ReliabilityParts
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.method_bias import state_name
from helpers.tables.numbers import format_number, format_percent
from helpers.tables.sem_sentences import signed_p
from helpers.thresholds import LEVEL

# Proper names, the same in every language.
NAMES = {
    "method_c": "Method-C",
    "method_u": "Method-U",
    "method_s05": "Method-S(.05)",
    "method_s01": "Method-S(.01)",
}

SHOWN = 0.0005
"""A share below this is printed as 0.0%."""


@passes_unavailable
def comparisons_table(found: MarkerModels) -> ApaTable:
    """Return the three comparisons of the CFA marker technique."""
    questions = {
        "baseline": _("Is there method variance? (Method-C against Baseline)"),
        "method_c": _("Is it unequal over items? (Method-U against Method-C)"),
        "method_r": _("Does it move the correlations? (Method-R against {model})").format(
            model=NAMES[found.chosen]
        ),
    }
    frame = found.comparisons.assign(
        question=[questions[k] for k in found.comparisons["restricted"]]
    )
    columns = [
        Column("question", _("Question"), "text"),
        Column("chisq_diff", "Δχ²"),
        Column("df_diff", "Δdf", "integer"),
        Column("p_value", "p", "p"),
    ]
    note = _("A dash: one of the two models has no admissible solution.")
    return apa_table(
        frame,
        caption=_("Steps of the CFA marker technique"),
        columns=columns,
        note=note if frame["chisq_diff"].isna().any() else "",
    )


@passes_unavailable
def comparisons_sentence(found: MarkerModels) -> str:
    """Read the three steps aloud, each with its verdict; a step without one says so."""
    verdicts = [
        _present(*_step(found, 0)),
        _unequal(*_step(found, 1)),
        _moving(*_step(found, 2)),
    ]
    share = found.models[found.chosen].share
    if found.models[found.chosen].trustworthy:
        verdicts.append(
            _(
                "By {model} the marker accounts for {share} of an item's variance on average."
            ).format(
                model=NAMES[found.chosen],
                share=format_percent(share),
            )
        )
    return " ".join(verdicts)


def _step(found: MarkerModels, step: int) -> tuple[str, bool | None]:
    """Return p of a comparison in words, and whether it is significant; None without one."""
    p = found.comparisons["p_value"].iloc[step]
    return ("", None) if pd.isna(p) else (signed_p(float(p)), bool(p < 1 - LEVEL))


def _present(p: str, significant: bool | None) -> str:
    """Say whether the items share variance with the marker."""
    if significant is None:
        return _("Whether the items share variance with the marker cannot be tested.")
    text = (
        _("The items share variance with the marker (p {p}).")
        if significant
        else _("There is no sign that the items share variance with the marker (p {p}).")
    )
    return text.format(p=p)


def _unequal(p: str, significant: bool | None) -> str:
    """Say whether the method loadings differ, and which model is taken."""
    if significant is None:
        return _("Whether the items do so unequally cannot be tested, so Method-C is taken.")
    text = (
        _("Its loadings differ over the items (p {p}), so Method-U is taken.")
        if significant
        else _(
            "No difference of its loadings over the items is seen (p {p}), so Method-C is taken."
        )
    )
    return text.format(p=p)


def _moving(p: str, significant: bool | None) -> str:
    """Say whether the correlations of the factors change."""
    if significant is None:
        return _("Whether the correlations of the constructs change cannot be tested.")
    text = (
        _("The correlations of the constructs change with it (p {p}).")
        if significant
        else _("No change of the correlations of the constructs is seen (p {p}).")
    )
    return text.format(p=p)


@passes_unavailable
def reliability_parts_table(study: Study, found: ReliabilityParts) -> ApaTable:
    """Return the reliability of every construct, and its substantive and method parts."""
    frame = found.rows.assign(name=[study.construct_name(c) for c in found.rows["construct"]])
    columns = [
        Column("name", _("Construct"), "text"),
        Column("n_items", _("Items"), "integer"),
        Column("total", _("Total"), "bounded", 3),
        Column("substantive", _("Substantive part"), "bounded", 3),
        Column("method", _("Method part"), "bounded", 3),
        Column("share", _("Share of total"), "percent", 1),
    ]
    note = _(
        "Maximum likelihood, n = {n}. Total: reliability of the sum of the standardised items in "
        "the baseline model. Parts: by the loadings of {model}; they need not add up to the total "
        "of another model. Share: method part over total."
    ).format(n=found.n_used, model=NAMES[found.chosen])
    if found.rows["why"].eq("cross_loading").any():
        note += " " + _(
            "A dash: an item of the construct loads on another construct as well, so that the "
            "formula does not hold."
        )
    return apa_table(
        frame,
        caption=_("Reliability of the constructs, decomposed by the marker"),
        columns=columns,
        note=note,
        basis=Basis(n_used=found.n_used, estimator="ML"),
    )


@passes_unavailable
def reliability_parts_sentence(study: Study, found: ReliabilityParts) -> str:
    """Read the construct of which the method takes most aloud."""
    rows = found.rows.dropna(subset=["share"])
    if rows.empty:
        return _("No construct has items of its own alone, so that no reliability is decomposed.")
    top = rows.loc[rows["share"].idxmax()]
    weakest = rows.loc[rows["substantive"].idxmin()]
    if top["share"] < SHOWN:
        return _(
            "The method's part is less than {least} of the reliability of every construct."
        ).format(least=format_percent(2 * SHOWN))
    return _(
        "The method takes most from {name}: {method} of a reliability of {total}, which is "
        "{share}. Without the method's part the lowest reliability is {low}, that of {weakest}."
    ).format(
        name=study.construct_name(top["construct"]),
        method=format_number(top["method"], 3, bounded=True),
        total=format_number(top["total"], 3, bounded=True),
        share=format_percent(top["share"]),
        low=format_number(weakest["substantive"], 3, bounded=True),
        weakest=study.construct_name(weakest["construct"]),
    )


@passes_unavailable
def sensitivity_table(study: Study, found: MarkerSensitivity, most: int) -> ApaTable:
    """Return the correlations that move most, under the method loadings of every model."""
    held = list(SENSITIVITY_LEVELS)
    frame = _largest_changes(found, most)
    frame = frame.assign(
        pair=[f"{study.construct_name(a)} – {study.construct_name(b)}"
              for a, b in zip(frame["a"], frame["b"])]
    )  # fmt: skip
    columns = [
        Column("pair", _("Pair"), "text"),
        Column("baseline", _("Baseline"), "bounded", 3),
        interval_column(decimals=3, bounded=True),
        *(Column(key, NAMES[key], "bounded", 3) for key in (found.chosen, *held)),
    ]
    note = _(
        "Correlations of the latent variables, the {shown} of {of} that move most; n = {n}. "
        "Method-S: every method loading held at the end farther from 0 of its {low:.0%} or "
        "{high:.0%} interval in {model}."
    ).format(
        shown=len(frame),
        of=len(found.rows),
        n=found.n_used,
        low=SENSITIVITY_LEVELS["method_s05"],
        high=SENSITIVITY_LEVELS["method_s01"],
        model=NAMES[found.chosen],
    )
    faults = [
        f"{NAMES[key]}: {state_name(found.models[key].state)}"
        for key in held
        if not found.models[key].trustworthy
    ]
    return apa_table(
        frame,
        caption=_("Correlations of the constructs under stronger method loadings"),
        columns=columns,
        note=" ".join([note, *(f"{fault}." for fault in faults)]),
        basis=Basis(n_used=found.n_used, estimator="ML"),
    )


@passes_unavailable
def sensitivity_sentence(study: Study, found: MarkerSensitivity) -> str:
    """Read how far the correlations move under stronger method loadings."""
    return " ".join(_moved_sentence(study, found, key) for key in SENSITIVITY_LEVELS)


def _moved_sentence(study: Study, found: MarkerSensitivity, key: str) -> str:
    """Read one of the two models aloud."""
    moved = found.moved(key)
    if moved is None:
        return _("{model} has no admissible solution, so that it says nothing.").format(
            model=NAMES[key]
        )
    text = _(
        "Under {model} the correlation of {a} with {b} moves most, from {before} to {after}. "
        "Inside their baseline intervals: {kept} of {pairs} correlations; still different from 0: "
        "{still} of the {clear} that were."
    )
    return text.format(
        model=NAMES[key],
        a=study.construct_name(moved["a"]),
        b=study.construct_name(moved["b"]),
        before=format_number(moved["baseline"], 3, bounded=True),
        after=format_number(moved["value"], 3, bounded=True),
        pairs=moved["pairs"],
        kept=moved["pairs"] - moved["outside"],
        clear=moved["clear"],
        still=moved["clear"] - moved["lost"],
    )


def _largest_changes(found: MarkerSensitivity, most: int) -> pd.DataFrame:
    """Return the pairs that any model moves most from the baseline, in that order."""
    keys = [found.chosen, *SENSITIVITY_LEVELS]
    change = found.rows[keys].sub(found.rows["baseline"], axis=0).abs().max(axis=1)
    order = change.sort_values(ascending=False, kind="stable").index
    return found.rows.loc[order].head(most)
