"""Tables and sentences on latent profiles: how many, what they look like, how they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import passes_unavailable
from helpers.i18n import _, pick
from helpers.regression.design import variable_label
from helpers.results import CheckResult
from helpers.service.classified import ProfileMeans, classification
from helpers.service.profile_choice import ENOUGH_LARGER, Choice
from helpers.service.profile_draws import ProfileDraws
from helpers.service.profiles import Profiles
from helpers.survey.small_cells import GuardedTable
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column
from helpers.tables.numbers import DASH, format_number, format_percent
from helpers.tables.sem_sentences import signed_p
from helpers.thresholds import THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study


def profile_name(number: int) -> str:
    """Return what a profile is called: a number by size, never a person."""
    return _("Segment {number}").format(number=number)


@passes_unavailable
def choice_table(choice: Choice, study: Study) -> ApaTable:
    """Return the solutions side by side."""
    table = choice.table.assign(
        starts=[
            _("{again} of {ends}").format(again=a, ends=e)
            for a, e in zip(choice.table["again"], choice.table["n_ends"])
        ]
    )
    return apa_table(
        table,
        caption=_("How many segments?"),
        columns=[
            Column("k", _("Segments"), "integer"),
            Column("bic", "BIC", "number", 0),
            Column("sabic", "SABIC", "number", 0),
            Column("entropy", _("Entropy"), "bounded"),
            Column("smallest", _("Smallest"), "percent", 0),
            Column("lr", _("Ratio"), "number", 1),
            Column("blrt_p", _("p, bootstrap"), "p"),
            Column("starts", _("Same end"), "text"),
        ],
        note=_(
            "n = {n}, {dropped} left out for a blank. Ratio: likelihood ratio against one segment "
            "fewer, its p from {b} samples drawn without the further segment, or fewer once "
            "{enough} of them reach it. Same end: starts that reached this solution."
        ).format(
            n=choice.best.n_used,
            dropped=choice.best.n_dropped,
            b=choice.n_boot,
            enough=ENOUGH_LARGER,
        )
        + _solutions_set_aside(choice, study),
    )


def _solutions_set_aside(choice: Choice, study: Study) -> str:
    """Say which solutions could not be tried, and which have no spread left within a segment."""
    text, tried = "", max(choice.solutions)
    if tried < choice.most:
        text += " " + _(
            "More than {k} would have as many parameters as there are respondents."
        ).format(k=tried)
    flat = {k: found.collapsed for k, found in choice.solutions.items() if found.collapsed}
    if flat:
        names = dict.fromkeys(name for own in flat.values() for name in own)
        text += " " + _(
            "Not considered: {numbers}; there a segment has no spread left in {names}, so that the "
            "likelihood has no bound."
        ).format(
            numbers=_(", ").join(str(k) for k in flat),
            names=_(", ").join(variable_label(study, name) for name in names),
        )
    return text


@passes_unavailable
def choice_sentence(choice: Choice) -> str:
    """Say how many segments are kept and how sure that is."""
    best, share = choice.best, format_percent(THRESHOLDS["profile_share"].value, 0)
    if best.k == 1:
        text = _(
            "One segment is kept: no solution with more has segments of at least {least}, spread "
            "in every answer, a smaller BIC and, where it was tested, the bootstrap test for it."
        ).format(least=share)
        return text + _rising_words(choice)
    rule = (
        _("by the smallest BIC among those that the bootstrap test asks for")
        if choice.n_boot
        else _("by the smallest BIC")
    )
    return _(
        "Segments kept: {k}, {rule}, with at least {least} in the smallest. Entropy {entropy}: "
        "{say}"
    ).format(
        k=best.k,
        rule=rule,
        least=share,
        entropy=format_number(best.entropy, bounded=True),
        say=_("most people clearly belong to one segment.")
        if THRESHOLDS["entropy"].holds(best.entropy)
        else _("many people lie between segments, so results carry the error of classification."),
    ) + _rising_words(choice)


def _rising_words(choice: Choice) -> str:
    """Say that more segments would fit better still, if that is so."""
    if not choice.rising:
        return ""
    return " " + _(
        "BIC is smallest at the largest number tried, so that still more segments may describe the "
        "answers better, as they do where answers lie along a scale without natural joints."
    )


@passes_unavailable
def profile_picture(found: Profiles, draws: ProfileDraws, study: Study) -> pd.DataFrame:
    """Return means for ``plot_profiles``."""
    table = draws.means
    names = {
        j + 1: f"{profile_name(j + 1)} ({format_percent(share, 0)})"
        for j, share in enumerate(found.shares)
    }
    return pd.DataFrame(
        {
            "profile": table["profile"].map(names),
            "label": [variable_label(study, n) for n in table["name"]],
            "estimate": table["estimate"],
            "ci_low": table["ci_low"],
            "ci_high": table["ci_high"],
        }
    )


@passes_unavailable
def persona_table(found: Profiles, draws: ProfileDraws, study: Study) -> ApaTable:
    """Return every segment in plain words."""
    table = draws.shares.assign(
        name=[profile_name(p) for p in draws.shares["profile"]],
        words=[persona_words(draws, p, study) for p in draws.shares["profile"]],
    )
    return apa_table(
        table,
        caption=_("The segments in plain words"),
        columns=[
            Column("name", _("Segment"), "text"),
            Column("estimate", _("Share"), "percent", 0),
            Column("ci_low", _("Interval, %"), "percent_interval", 0, upper="ci_high"),
            Column("words", _("What its customers say"), "text"),
        ],
        note=_(
            "Much means half a standard deviation or more from everybody's mean, with an interval "
            "that leaves zero out. A segment is a summary of answers, not a person."
        ),
    )


def persona_words(draws: ProfileDraws, profile: int, study: Study) -> str:
    """Say in what a segment lies far from everybody."""
    own = draws.means[draws.means["profile"] == profile]
    cut = THRESHOLDS["profile_distance"].value
    high = own[(own["estimate"] >= cut) & (own["ci_low"] > 0)]
    low = own[(own["estimate"] <= -cut) & (own["ci_high"] < 0)]
    parts = []
    for text, rows in ((_("much more: {names}"), high), (_("much less: {names}"), low)):
        if len(rows):
            names = _(", ").join(variable_label(study, n) for n in rows["name"])
            parts.append(text.format(names=names))
    return _("; ").join(parts) or _("near the mean in everything")


@passes_unavailable
def context_table(counts: Mapping[str, GuardedTable], study: Study) -> ApaTable:
    """Return in which context each segment bought, small counts hidden."""
    rows = []
    for item, guarded in counts.items():
        labels = _codes(study, item)
        for code, row in guarded.table.iterrows():
            cells = {
                # One sign for both kinds of hidden count: "< 5" beside a sum narrows it down.
                f"p{p}": DASH if np.isnan(row[p]) else f"{row[p]:.0f}"
                for p in guarded.table.columns
            }
            context = f"{variable_label(study, item)}: {labels.get(float(code), f'{code:g}')}"
            rows.append({"context": context} | cells)
    profiles = list(next(iter(counts.values())).table.columns)
    hidden = sum(guarded.n_hidden for guarded in counts.values())
    least = next(iter(counts.values())).k
    return apa_table(
        pd.DataFrame(rows),
        caption=_("In which context the segments bought"),
        columns=[
            Column("context", _("Context"), "text"),
            *[Column(f"p{p}", profile_name(int(p)), "text") for p in profiles],
        ],
        note=_(
            "Respondents, each in the most likely segment. A dash: a count below {k}, or "
            "one that would give such a count away ({hidden} in all)."
        ).format(hidden=hidden, k=least),
    )


def _codes(study: Study, item: str) -> dict[float, str]:
    """Return the labels of an item's codes in the current language."""
    labels = study.scale_of(item).labels
    return {float(code): pick(label.model_dump()) for code, label in labels.items()}


def method_names() -> dict[str, str]:
    """Return the three ways to take the mean of a segment."""
    return {
        "modal": _("as if certain"),
        "bch": _("corrected (BCH)"),
        "ml": _("corrected (ML)"),
    }


@passes_unavailable
def outcome_picture(means: Mapping[str, ProfileMeans]) -> pd.DataFrame:
    """Return the means of an outcome for a forest plot, three ways."""
    words = method_names()
    parts = [
        found.table.assign(
            label=[profile_name(p) for p in found.table["profile"]], way=words[method]
        )
        for method, found in means.items()
    ]
    return pd.concat(parts, ignore_index=True)


@passes_unavailable
def outcome_sentence(means: Mapping[str, ProfileMeans], study: Study, outcome: str = "") -> str:
    """Read the largest difference between segments aloud, corrected."""
    name = variable_label(study, outcome or study.spec.service.segments.outcome)
    table = means["bch"].table
    if len(table) < 2:
        return _("With one segment there is nothing to compare.")
    high, low = table.loc[table["estimate"].idxmax()], table.loc[table["estimate"].idxmin()]
    rough = means["modal"].table["estimate"]
    return _(
        "{name} is highest in {high} ({high_value}) and lowest in {low} ({low_value}), p {p} that "
        "all are equal. As if everybody's segment were certain, the distance would be {rough} in "
        "place of {corrected}."
    ).format(
        name=name,
        high=profile_name(int(high["profile"])),
        high_value=format_number(high["estimate"]),
        low=profile_name(int(low["profile"])),
        low_value=format_number(low["estimate"]),
        p=signed_p(means["bch"].p_value),
        rough=format_number(rough.max() - rough.min()),
        corrected=format_number(high["estimate"] - low["estimate"]),
    )


def outcome_axis(study: Study, outcome: str = "") -> str:
    """Return the words under the axis of an outcome."""
    plan = study.spec.service.segments
    return _("Mean of {name}").format(name=variable_label(study, outcome or plan.outcome))


@passes_unavailable
def segment_checks(choice: Choice, draws: ProfileDraws) -> list[CheckResult]:
    """Check that the solution was reached again, that segments are not tiny, and their order."""
    best = choice.best
    share = THRESHOLDS["profile_share"]
    certain = THRESHOLDS["entropy"]
    table = classification(best.posterior)
    right = float((best.shares * table.diagonal()).sum())
    return [
        CheckResult(
            _("Reached from several starts"), best.again > 1 or best.k == 1, best.again, None, "",
            _("{again} of {ends} starts carried to the end reached this solution.").format(
                again=best.again, ends=best.n_ends
            ),
        ),
        CheckResult(
            _("Smallest segment"), share.holds(float(best.shares.min())),
            float(best.shares.min()), share.value, share.source,
            _("The smallest segment holds {share} of the respondents.").format(
                share=format_percent(best.shares.min())
            ),
        ),
        CheckResult(
            _("Certainty of the segments"), certain.holds(best.entropy), best.entropy,
            certain.value, certain.source,
            _("About {right} of the respondents are put into their own segment.").format(
                right=format_percent(right, 0)
            ),
        ),
        CheckResult(
            _("Segments keep their numbers"), None, draws.switched, None, "",
            _("In {k} of {b} draws segments had to be put in order again.").format(
                k=draws.switched, b=draws.n_boot
            ),
        ),
    ]  # fmt: skip
