"""Tables and sentences of priorities: one list, how firm it is, and whether methods agree."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.errors import passes_unavailable
from helpers.i18n import _, pick
from helpers.results import CheckResult
from helpers.service.priorities import Agreement, joint_score, ranks, without_each
from helpers.service.priorities_study import METHODS, Urgency
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column
from helpers.tables.numbers import DASH, format_number, format_p, format_percent
from helpers.thresholds import LEVEL


def names_of(urgency: Urgency) -> dict[str, str]:
    """Return the levers' names in the current language, by code."""
    return {lever.code: pick(lever.name.model_dump()) for lever in urgency.declared.levers}


def method_names() -> dict[str, str]:
    """Return what each method asks, in a few words."""
    words = (
        _("Kano"), _("Gap"), _("Room"), _("Drivers"), _("Worst served"), _("What-if"),
    )  # fmt: skip
    return dict(zip(METHODS, words, strict=True))


@passes_unavailable
def list_table(urgency: Urgency, table: pd.DataFrame) -> ApaTable:
    """Return the list of priorities with the firmness of each place."""
    names = names_of(urgency)
    shown = table.assign(
        name=table["code"].map(names),
        place=[f"{rank:g}" for rank in table["rank"]],
        places=[f"{low:g}–{high:g}" for low, high in zip(table["rank_low"], table["rank_high"])],
    )
    return apa_table(
        shown,
        caption=_("One list of priorities"),
        columns=[
            Column("place", _("Place"), "text"),
            Column("name", _("Lever"), "text"),
            Column("score", _("Mean place"), "bounded"),
            Column("places", _("{percent:g}% range").format(percent=100 * LEVEL),
                   "text"),
            Column("p_first", _("Comes first"), "percent", 0),
            Column("p_top3", _("Top three"), "percent", 0),
            Column("n_methods", _("Methods"), "integer"),
        ],
        note=_(
            "Mean over methods of the place each gives, 1 always first, 0 always last. Range, "
            "first and top three: of the places in resamples of the respondents; a first place "
            "that is shared counts for nobody."
        ),
    )  # fmt: skip


@passes_unavailable
def list_picture(urgency: Urgency, table: pd.DataFrame) -> pd.DataFrame:
    """Return places with their intervals, for a forest plot."""
    return pd.DataFrame(
        {
            "label": table["code"].map(names_of(urgency)),
            "estimate": table["rank"],
            "ci_low": table["rank_low"],
            "ci_high": table["rank_high"],
        }
    )


@passes_unavailable
def list_axis() -> str:
    """Return the words under the axis of places."""
    return _("Place on the list, 1 most urgent")


@passes_unavailable
def list_sentence(urgency: Urgency, table: pd.DataFrame) -> str:
    """Say what comes first and how firmly."""
    first, second = table.iloc[0], table.iloc[1]
    names = names_of(urgency)
    text = (
        _(
            "Over {m} methods {first} and {second} share the lead. In {share} of {n} resamples "
            "{first} is first alone, in {top} among the first three."
        )
        if shared_lead(table)
        else _(
            "Over {m} methods {first} comes first and {second} second. In {share} of {n} resamples "
            "{first} is first again, in {top} among the first three."
        )
    )
    return text.format(
        m=len(urgency.methods), first=names[first["code"]], second=names[second["code"]],
        share=format_percent(first["p_first"], 0), top=format_percent(first["p_top3"], 0),
        n=f"{len(urgency.draws):,}",
    )  # fmt: skip


def shared_lead(table: pd.DataFrame) -> bool:
    """Tell whether the first two levers of the list stand level."""
    return bool(table["rank"].iloc[0] == table["rank"].iloc[1])


@passes_unavailable
def methods_table(study: Study, urgency: Urgency) -> ApaTable:
    """Return the place that each method gives each lever, with the chance that it is firm."""
    names, words = names_of(urgency), method_names()
    places, drawn = ranks(urgency.values), ranks(urgency.draws)
    frame = pd.DataFrame({"name": [names[c] for c in urgency.codes]})
    for i, method in enumerate(urgency.methods):
        frame[method] = [
            DASH
            if np.isnan(place)
            else f"{place:g} ({format_percent((drawn[:, i, j] == place).mean(), 0)})"
            for j, place in enumerate(places[i])
        ]
    return apa_table(
        frame,
        caption=_("The place each method gives"),
        columns=[
            Column("name", _("Lever"), "text"),
            *(Column(method, words[method], "text") for method in urgency.methods),
        ],
        note=_(
            "In brackets the share of resamples with the same place. Worst served: {segment}, the "
            "customers whose outcome is lowest. A dash: the method does not speak of the lever."
        ).format(segment=segment_name(study, urgency)),
    )


def segment_name(study: Study, urgency: Urgency) -> str:
    """Return the name of the segment served worst."""
    if not urgency.segment:
        return DASH
    label = study.scale_of(str(urgency.declared.segment)).labels.get(int(float(urgency.segment)))
    return urgency.segment if label is None else pick(label.model_dump())


@passes_unavailable
def crosswalk_table(study: Study, urgency: Urgency) -> ApaTable:
    """Return what belongs to each lever in each method."""
    service = study.spec.service
    kano = {a.code: a.name for a in service.kano.attributes} if service.kano else {}
    quality = {d.code: d.name for d in service.servqual.dimensions} if service.servqual else {}
    elements = {e.code: e.name for e in service.process.elements} if service.process else {}
    rows = []
    for lever in urgency.declared.levers:
        drivers = [study.construct_name(code) for code in lever.drivers]
        rows.append(
            {
                "name": pick(lever.name.model_dump()),
                "kano": _joined([pick(kano[c].model_dump()) for c in lever.kano]),
                "servqual": _joined([pick(quality[c].model_dump()) for c in lever.servqual]),
                "elements": _joined([pick(elements[c].model_dump()) for c in lever.elements]),
                "drivers": _joined(drivers),
            }
        )
    return apa_table(
        pd.DataFrame(rows),
        caption=_("What belongs to each lever"),
        columns=[
            Column("name", _("Lever"), "text"),
            Column("kano", _("Kano attributes"), "text"),
            Column("servqual", _("Dimensions of quality"), "text"),
            Column("elements", _("Elements of recovery"), "text"),
            Column("drivers", _("Drivers of loyalty"), "text"),
        ],
        note=_("Declared in the study file: a judgement, to be changed there."),
    )


def _joined(names: list[str]) -> str:
    """Return names as a list, or a dash."""
    return _("; ").join(names) or DASH


@passes_unavailable
def agreement_sentence(found: Agreement) -> str:
    """Say how far the methods agree."""
    p = format_p(found.p_value)
    return _(
        "Over the {k} levers that all {m} methods know, Kendall's W is {w} (permutation p {p}): "
        "{verdict}"
    ).format(
        k=found.n_levers, m=found.n_methods, w=format_number(found.w, bounded=True),
        p=p if p.startswith("<") else f"= {p}",
        verdict=_("the methods order them more alike than chance would.")
        if found.p_value < 1 - LEVEL
        else _("that the methods agree is not shown; read them one by one."),
    )  # fmt: skip


@passes_unavailable
def methods_check(urgency: Urgency) -> CheckResult:
    """Return whether the first place hangs on a single method."""
    names, words = names_of(urgency), method_names()
    table = without_each(urgency.codes, list(urgency.methods), urgency.values)
    whole = urgency.codes[int(np.nanargmin(ranks(joint_score(urgency.values))))]
    changed = table[table["first"] != whole]
    text = (
        _("Whichever method is left out, {name} stays first.").format(name=names[whole])
        if changed.empty
        else _(
            "Left out one at a time, these methods bring another lever to the first place: "
            "{methods}."
        ).format(methods=_(", ").join(words[m] for m in changed["method"]))
    )
    return CheckResult(
        _("First place without each method"), bool(changed.empty), float(len(changed)), None, "",
        text,
    )  # fmt: skip


@passes_unavailable
def absent_check(urgency: Urgency) -> list[CheckResult]:
    """Return which methods the study could not be asked."""
    if not urgency.absent:
        return []
    words = method_names()
    text = _("Not asked, because the study does not offer them: {methods}.").format(
        methods=_(", ").join(words[m] for m in urgency.absent)
    )
    return [CheckResult(_("Methods left out"), None, float(len(urgency.absent)), None, "", text)]


@passes_unavailable
def planted_check(study: Study, table: pd.DataFrame) -> list[CheckResult]:
    """Hold the two leading levers against the two largest planted weights of the recovery."""
    if study.offers("truth") is not None or study.spec.service.scenarios is None:
        return []
    elements = study.truth["recovery"]
    weights = dict(zip(elements["elements"]["order"], elements["quality"]["weights"], strict=True))
    variables = {x.code: x.variable for x in study.spec.service.scenarios.levers}
    largest = sorted(weights, key=weights.get, reverse=True)[:2]
    leading = [variables.get(code) for code in table["code"].head(2)]
    text = _("Planted to weigh most: {planted}; first on the list: {found}.").format(
        planted=_(", ").join(study.construct_name(c) for c in largest),
        found=_(", ").join(study.construct_name(c) for c in leading if c),
    )
    passed = set(leading) == set(largest)
    return [CheckResult(_("Planted order"), passed, None, None, "population.yml", text)]
