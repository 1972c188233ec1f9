"""Tables and sentences of the Kano analysis: classes, their firmness, Better and Worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.regression.design import variable_label
from helpers.results import CheckResult
from helpers.service.kano import LEAST, LETTERS, quarter
from helpers.service.kano_study import planted_shares
from helpers.survey.intervals import wilson_interval
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column, interval_label
from helpers.tables.numbers import DASH, format_interval, format_number, format_percent
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study


def class_names() -> dict[str, str]:
    """Return the six classes in words."""
    return {
        "M": _("must-be"),
        "O": _("one-dimensional"),
        "A": _("attractive"),
        "I": _("indifferent"),
        "R": _("reverse"),
        "Q": _("questionable"),
    }


def attribute_names(study: Study) -> dict[str, str]:
    """Return the names of the attributes by code, in the current language."""
    plan = study.spec.service.kano
    return {a.code: pick(a.name.model_dump()) for a in plan.attributes} if plan else {}


@passes_unavailable
def classes_table(study: Study, found: pd.DataFrame) -> ApaTable:
    """Return the shares of the six classes of every attribute."""
    names = class_names()
    shares = found[list(LETTERS)].div(found["n_used"], axis=0)
    table = found[["code", "n_used"]].join(shares)
    table["name"] = found["code"].map(attribute_names(study))
    table["class"] = found["modal"].map(names)
    half, blank = int(found["n_half"].sum()), int(found["n_blank"].sum())
    return apa_table(
        table,
        caption=_("Kano classes: share of respondents, by attribute"),
        columns=[
            Column("name", _("Attribute"), "text"),
            Column("class", _("Most frequent class"), "text"),
            *(Column(letter, letter, "percent", 0) for letter in LETTERS),
            Column("n_used", "n", "integer"),
        ],
        note=" ".join(
            [
                _("; ").join(f"{letter}: {name}" for letter, name in names.items()) + ".",
                _(
                    "{half} pairs with one side missing and {blank} without any answer count for "
                    "no class."
                ).format(half=half, blank=blank),
                _("A tie is settled in this order.") if found["tied"].any() else "",
                _attributes_left_out(study, found),
            ]
        ).strip(),
    )


def _attributes_left_out(study: Study, found: pd.DataFrame) -> str:
    """Name the attributes that too few people answered."""
    lost = [name for code, name in attribute_names(study).items() if code not in set(found["code"])]
    if not lost:
        return ""
    return _("Left out, with fewer than {least} answers to both questions: {names}.").format(
        least=LEAST, names=_(", ").join(lost)
    )


@passes_unavailable
def classes_sentence(study: Study, found: pd.DataFrame) -> str:
    """Name the attributes of each class."""
    attributes, parts = attribute_names(study), []
    for letter, name in class_names().items():
        own = [attributes[code] for code in found.loc[found["modal"] == letter, "code"]]
        if own:
            parts.append(_("{name}: {attributes}").format(name=name, attributes=_(", ").join(own)))
    return _("Most frequent class by attribute. {parts}.").format(parts=_("; ").join(parts))


def _class_pair(row: dict[str, object]) -> str:
    """Return the first and the second class of an attribute, if anybody answered by the second."""
    names = class_names()
    second = names[str(row["second"])] if row[str(row["second"])] else DASH
    return f"{names[str(row['modal'])]} / {second}"


@passes_unavailable
def firmness_table(study: Study, found: pd.DataFrame) -> ApaTable:
    """Return how far the most frequent class lies before the second."""
    return apa_table(
        found.assign(
            name=found["code"].map(attribute_names(study)),
            classes=[_class_pair(row) for row in found.to_dict("records")],
        ),
        caption=_("How firmly each class is held"),
        columns=[
            Column("name", _("Attribute"), "text"),
            Column("classes", _("First / second class"), "text"),
            Column("strength", _("Category strength"), "percent", 0),
            Column("strength_low", interval_label(), "percent_interval", 0, upper="strength_high"),
            Column("total", _("Total strength"), "percent", 0),
            Column("fong_clear", _("Clear by Fong's test"), "truth"),
            Column("stable", _("Same class in draws"), "percent", 0),
        ],
        note=_(
            "Category strength: share of the first class less that of the second; its score "
            "interval heeds that both are of one sample, which Fong's test does not. Total "
            "strength: share of must-be, one-dimensional and attractive. Same class: share of "
            "bootstrap draws."
        ),
    )


@passes_unavailable
def firmness_sentence(study: Study, found: pd.DataFrame) -> str:
    """Count the attributes whose class is firm, and name the mixed ones."""
    least = THRESHOLDS["again"]
    firm = found["stable"] >= least.value
    mixed = (found["strength"] < THRESHOLDS["category_strength"].value) & (
        found["total"] >= THRESHOLDS["total_strength"].value
    )
    names = attribute_names(study)
    text = _(
        "Attributes that keep their class in at least {share} of the draws: {firm} of {total}."
    ).format(firm=int(firm.sum()), total=len(found), share=format_percent(least.value, 0))
    listed = _(", ").join(names[code] for code in found.loc[mixed, "code"]) or _("none")
    return f"{text} " + _(
        "Mixed by Lee and Newcomb (1997), with a category strength below {low}: {names}."
    ).format(low=format_percent(THRESHOLDS["category_strength"].value, 0), names=listed)


@passes_unavailable
def better_table(study: Study, found: pd.DataFrame) -> ApaTable:
    """Return Better and Worse, and the mean values of the two questions."""
    names = class_names()
    quarters = [quarter(f, d) for f, d in zip(found["functional"], found["dysfunctional"])]
    return apa_table(
        found.assign(
            name=found["code"].map(attribute_names(study)),
            quarter=[names.get(q, DASH) for q in quarters],
        ),
        caption=_("What offering an attribute brings and what leaving it out costs"),
        columns=[
            Column("name", _("Attribute"), "text"),
            Column("better", _("Better"), "bounded"),
            interval_column("better_low", "better_high", bounded=True),
            Column("worse", _("Worse"), "bounded"),
            interval_column("worse_low", "worse_high", bounded=True),
            Column("functional", _("Offered")),
            Column("dysfunctional", _("Not offered")),
            Column("quarter", _("Quarter"), "text"),
        ],
        note=_(
            "Better: share of those who are pleased by the attribute; worse: share of those"
            " who are annoyed by its absence, negative. Both among must-be, "
            "one-dimensional, attractive and indifferent answers. Offered and not offered: "
            "means of DuMouchel's values, −2 to 4; the quarter is parted at 2, and none is "
            "given below −1, where an attribute is disliked or its absence liked."
        ),
    )


@passes_unavailable
def better_picture(study: Study, found: pd.DataFrame) -> pd.DataFrame:
    """Return the plane of Better against minus Worse as ``plot_plane`` takes it."""
    return pd.DataFrame(
        {
            "label": found["code"].map(attribute_names(study)),
            "x": -found["worse"], "x_low": -found["worse_high"], "x_high": -found["worse_low"],
            "y": found["better"], "y_low": found["better_low"], "y_high": found["better_high"],
            "class": found["modal"].map(class_names()),
        }
    ).dropna(subset=["x", "y"])  # fmt: skip


def better_labels() -> dict[str, object]:
    """Return axis labels and the names of the four quarters."""
    names = class_names()
    return {
        "xlabel": _("Worse without it (sign turned)"),
        "ylabel": _("Better with it"),
        "corners": tuple(names[letter] for letter in "IMAO"),
        "cross": (0.5, 0.5),
        "limits": (0.0, 1.0, 0.0, 1.0),
        "group": "class",
    }


@passes_unavailable
def better_sentence(study: Study, found: pd.DataFrame) -> str:
    """Read the attribute that pleases most and the one whose absence annoys most."""
    known = found.dropna(subset=["better", "worse"])
    if known.empty:
        return _("Nobody gave an answer from which better and worse are counted.")
    names = attribute_names(study)
    up = known[known["better"] == known["better"].max()]
    down = known[known["worse"] == known["worse"].min()]
    first, last = up.iloc[0], down.iloc[0]
    return _(
        "Pleases most when offered: {up}, better {better} {better_interval}. Annoys most when left "
        "out: {down}, worse {worse} {worse_interval}."
    ).format(
        up=_(", ").join(names[code] for code in up["code"]),
        better=format_number(first["better"], bounded=True),
        better_interval=format_interval(first["better_low"], first["better_high"], bounded=True),
        down=_(", ").join(names[code] for code in down["code"]),
        worse=format_number(last["worse"], bounded=True),
        worse_interval=format_interval(last["worse_low"], last["worse_high"], bounded=True),
    )


@passes_unavailable
def quarters_sentence(found: pd.DataFrame) -> str:
    """Say for how many attributes the mean values lead to the same class."""
    quarters = [quarter(f, d) for f, d in zip(found["functional"], found["dysfunctional"])]
    same = sum(a == b for a, b in zip(quarters, found["modal"]))
    return _(
        "For {same} of {total} attributes the means of the answers lead to the same class as the "
        "most frequent pair."
    ).format(same=same, total=len(found))


@passes_unavailable
def asymmetry_table(study: Study, result: tuple[pd.DataFrame, int]) -> ApaTable:
    """Return the slopes below and above the middle of each rating."""
    table, n = result
    kinds = {
        "basic": _("costs more than it brings"),
        "exciting": _("brings more than it costs"),
        "even": _("not told apart"),
    }
    outcome = study.spec.service.kano.outcome
    return apa_table(
        table.assign(
            name=[variable_label(study, code) for code in table["code"]],
            kind=table["kind"].map(kinds),
        ),
        caption=_("Penalty and reward: slopes of {outcome} below and above the middle").format(
            outcome=variable_label(study, outcome)
        ),
        columns=[
            Column("name", _("Rating"), "text"),
            Column("below", _("Slope below")),
            Column("above", _("Slope above")),
            Column("bend", _("Above less below")),
            interval_column("bend_low", "bend_high"),
            Column("kind", _("Reading"), "text"),
        ],
        note=_("All ratings together; the middle is the median; HC3 errors; n = {n}.").format(n=n),
    )


@passes_unavailable
def asymmetry_sentence(result: tuple[pd.DataFrame, int]) -> str:
    """Say how many slopes bend."""
    table, _n = result
    bent = int((table["kind"] != "even").sum())
    return _(
        "Ratings whose slopes below and above the middle differ beyond their interval: "
        "{bent} of {total}."
    ).format(bent=bent, total=len(table))


def kano_checks(study: Study, found: pd.DataFrame | Unavailable) -> list[CheckResult | Unavailable]:
    """Check questionable answers and, in the simulated study, the planted shares and classes."""
    if isinstance(found, Unavailable):
        return [found]
    share = float(found["Q"].sum() / found["n_used"].sum())
    text = _("{share} of the pairs contradict themselves; {pairs} pairs had one side only.").format(
        share=format_percent(share), pairs=int(found["n_half"].sum())
    )
    checks = [
        CheckResult(_("Questionable answers"), None, share, None, "Berger et al. (1993)", text)
    ]
    if study.offers("truth") is not None or "kano" not in study.truth.get("modules", {}):
        return checks
    return [*checks, *_planted(study, found)]


def _planted(study: Study, found: pd.DataFrame) -> list[CheckResult]:
    """Hold shares and classes against the planted ones."""
    own = study.spec.service.kano.attributes
    truth = planted_shares(study.truth).set_axis([a.code for a in own]).loc[found["code"]]
    hits = [
        low <= truth[letter].iloc[i] <= high
        for i, row in enumerate(found.to_dict("records"))
        for letter in LETTERS
        for low, high in [wilson_interval(int(row[letter]), int(row["n_used"]), level=LEVEL)]
    ]
    covered, cut = sum(hits) / len(hits), THRESHOLDS["coverage"]
    same = int((truth.idxmax(axis=1).to_numpy() == found["modal"].to_numpy()).sum())
    return [
        CheckResult(
            _("Planted shares of classes"), cut.holds(covered), covered, cut.value, cut.source,
            _("Intervals that cover the planted share: {hits} of {total}.").format(
                hits=sum(hits), total=len(hits)),
        ),
        CheckResult(
            _("Planted classes"), same == len(found), same / len(found), None, "population.yml",
            _("Attributes with the class that was planted most often: {same} of {total}.").format(
                same=same, total=len(found)),
        ),
    ]  # fmt: skip
