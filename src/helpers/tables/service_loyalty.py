"""Tables and sentences on loyalty: its faces, how it forms, and what it goes with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from scipy.stats import kendalltau

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.regression.design import variable_label
from helpers.regression.study_importance import Importance
from helpers.results import CheckResult
from helpers.sem.model_reliability import ModelReliability
from helpers.sem.study_fit import ModelFit
from helpers.service.importance_map import ImportanceMap
from helpers.service.loyalty import Faces
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import DASH, format_interval, format_number, format_percent
from helpers.thresholds import THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study


def quadrant_words() -> dict[str, str]:
    """Return what each quadrant of the map asks for, in the current language."""
    return {
        "act": _("improve first"),
        "keep": _("keep up"),
        "enough": _("enough is done"),
        "later": _("can wait"),
    }


@passes_unavailable
def faces_table(faces: Faces, study: Study) -> ApaTable:
    """Return the loading of every face on loyalty."""
    named = faces.loadings.assign(label=[study.construct_name(n) for n in faces.loadings["name"]])
    return apa_table(
        named,
        caption=_("The faces of {concept} and what they share").format(
            concept=study.construct_name(faces.concept)
        ),
        columns=[
            Column("label", _("Face"), "text"),
            Column("loading", _("Loading"), "bounded"),
            interval_column(bounded=True),
            Column("shared", _("Shared with the others"), "percent", 0),
        ],
        note=_("Standardised loadings on the second-order factor, n = {n}.").format(
            n=faces.fitted.result.n_used
        ),
    )


@passes_unavailable
def faces_picture(faces: Faces, study: Study) -> pd.DataFrame:
    """Return the loadings for a forest plot, in a simulated study with the planted ones."""
    table = faces.loadings
    out = pd.DataFrame(
        {
            "label": [study.construct_name(n) for n in table["name"]],
            "estimate": table["loading"],
            "ci_low": table["ci_low"],
            "ci_high": table["ci_high"],
        }
    )
    planted = planted_faces(study, faces)
    return out if not planted else out.assign(truth=[planted.get(n) for n in table["name"]])


def loading_axis() -> str:
    """Return the words under the axis of loadings."""
    return _("Standardised loading with interval")


@passes_unavailable
def faces_sentence(faces: Faces, study: Study) -> str:
    """Say whether one factor stands above the faces, and what its total score measures."""
    table = faces.loadings
    weak = table.loc[table["loading"].idxmin()]
    strong = table.loc[table["loading"].idxmax()]
    parts = [
        _("Closest to what the faces share is {strong} ({high}), furthest {weak} ({low}).").format(
            strong=study.construct_name(strong["name"]),
            high=format_number(strong["loading"], bounded=True),
            weak=study.construct_name(weak["name"]),
            low=format_number(weak["loading"], bounded=True),
        ),
        target_sentence(faces),
        _omega_sentence(faces.omega_h),
    ]
    return " ".join(part for part in parts if part)


def target_sentence(faces: Faces) -> str:
    """Read the target coefficient aloud."""
    if isinstance(faces.target, Unavailable):
        return faces.target.text()
    text = _(
        "The target coefficient is {target}: the second-order factor accounts for {share} of what "
        "the model '{model}' accounts for."
    )
    return text.format(
        target=format_number(faces.target, bounded=True),
        share=format_percent(faces.target, 0),
        model=faces.target_of,
    )


def _omega_sentence(omega: ModelReliability | Unavailable) -> str:
    """Say how much of a total score is the one thing."""
    if isinstance(omega, Unavailable):
        return omega.text()
    return _(
        "Of the variance of one total score, {share} is due to the factor above the faces "
        "(omega hierarchical {value}, interval {interval})."
    ).format(
        share=format_percent(omega.value, 0),
        value=format_number(omega.value, bounded=True),
        interval=format_interval(omega.ci_low, omega.ci_high, bounded=True),
    )


@passes_unavailable
def map_table(found: ImportanceMap, study: Study, fitted: ModelFit | None = None) -> ApaTable:
    """Return importance, performance and ranks, the most important first."""
    words = quadrant_words()
    shown = found.table.assign(
        label=_cause_names(found, study, fitted),
        ranks=[_range(a, b) for a, b in zip(found.table["rank_low"], found.table["rank_high"])],
        place=[words[q] if len(found.table) > 1 else DASH for q in found.table["quadrant"]],
    )
    columns = [
        Column("label", _("Cause"), "text"),
        Column("importance", _("Importance")),
        interval_column(),
        Column("performance", _("Performance"), "number", 1),
        Column("rank", _("Rank"), "integer"),
        Column("ranks", _("Rank, interval"), "text"),
        Column("place", _("Field"), "text"),
        Column("again", _("again"), "percent", 0),
    ]
    if found.way == "model":
        columns.insert(3, Column("direct", _("Direct part")))
    return apa_table(
        shown,
        caption=_("Importance for {outcome} and performance").format(
            outcome=variable_label(study, found.outcome)
        ),
        columns=columns,
        note=_map_note(found),
    )


def _map_note(found: ImportanceMap) -> str:
    """Say what the columns of a map are."""
    text = _(
        "Importance: points of the outcome (0 to 100) that go with one point more of the cause "
        "(0 to 100). n = {n}; {b} bootstrap draws, {failed} failed. Again: share of draws in the "
        "same field."
    ).format(n=found.n_used, b=found.n_boot, failed=found.n_failed)
    if found.table["turned"].any():
        text += " " + _(
            "Turned: more of it goes with less of the outcome, so its absence is shown (100 less "
            "its mean)."
        )
    if found.way == "drivers" and (found.table["importance"] < 0).any():
        text += " " + _(
            "A slope below zero among drivers that correlate does not say that the driver does "
            "harm; it is what is left of it with the others equal."
        )
    return text


def _cause_names(found: ImportanceMap, study: Study, fitted: ModelFit | None) -> list[str]:
    """Return the causes by name; one that works against the outcome is marked."""
    out = []
    for name, turned in zip(found.table["name"], found.table["turned"]):
        label = variable_label(study, name) if fitted is None else fitted.label(name)
        out.append(_("{name} (turned)").format(name=label) if turned else label)
    return out


def _range(low: int, high: int) -> str:
    """Return ranks as ``1-3``."""
    return str(low) if low == high else f"{low}–{high}"


@passes_unavailable
def map_picture(found: ImportanceMap, study: Study, fitted: ModelFit | None = None) -> pd.DataFrame:
    """Return the map as ``plot_importance_map`` takes it."""
    return found.table.assign(label=_cause_names(found, study, fitted))


@passes_unavailable
def map_cuts(found: ImportanceMap) -> tuple[float, float]:
    """Return the lines of the map."""
    return found.cuts


def map_axes(found: ImportanceMap | Unavailable, study: Study) -> dict[str, str]:
    """Return the words on both axes of a map."""
    outcome = "" if isinstance(found, Unavailable) else variable_label(study, found.outcome)
    return {
        "xlabel": _("Importance: points of {outcome} per point").format(outcome=outcome),
        "ylabel": _("Performance (0 to 100)"),
    }


@passes_unavailable
def map_sentence(found: ImportanceMap, study: Study, fitted: ModelFit | None = None) -> str:
    """Read the first place aloud, how sure it is, and what to improve first."""
    table = found.table.assign(label=_cause_names(found, study, fitted))
    top = table.iloc[0]
    text = _(
        "One point more of {name} is associated with {size} points of {outcome} "
        "({percent:g}% interval {interval})"
    ).format(
        name=top["label"],
        size=format_number(top["importance"]),
        outcome=variable_label(study, found.outcome),
        percent=100 * found.level,
        interval=format_interval(top["ci_low"], top["ci_high"]),
    )
    if len(table) == 1:
        return _("{text}; there is no other cause to compare it with.").format(text=text)
    text = _("{text}, more than any other cause; it is first in {share} of the draws.").format(
        text=text, share=format_percent(top["first"], 0)
    )
    act = table[table["quadrant"] == "act"]
    if act.empty:
        return text + " " + _("Nothing lies among what is important and done worse than average.")
    firm = act["again"] >= THRESHOLDS["again"].value
    names = _(", ").join(act["label"])
    todo = _("Important and done worse than average: {names}.").format(names=names)
    sure = (
        _("New samples would mostly put it in the same field.")
        if firm.all()
        else _("A new sample might place some of it elsewhere.")
    )
    return f"{text} {todo} {sure}"


@passes_unavailable
def formation_picture(found: ImportanceMap, study: Study, fitted: ModelFit) -> pd.DataFrame:
    """Return total effects in points for a forest plot."""
    table = found.table
    return pd.DataFrame(
        {
            "label": _cause_names(found, study, fitted),
            "estimate": table["importance"],
            "ci_low": table["ci_low"],
            "ci_high": table["ci_high"],
        }
    )


def planted_faces(study: Study, faces: Faces) -> dict[str, float]:
    """Return the planted loadings of the faces; empty where nothing was planted."""
    if study.offers("truth") is not None:
        return {}
    return dict(study.truth["structure"]["facets"].get(faces.concept, {}))


@passes_unavailable
def face_checks(faces: Faces, study: Study) -> list[CheckResult]:
    """Check the fits behind the verdict, and hold loadings against what was planted."""
    rivals = faces.rivals
    sound = bool(rivals.measures["admissible"].all())
    checks = [
        CheckResult(
            _("Every rival is admissible"), sound, None, None, "",
            _("Models compared: {n}.").format(n=len(rivals.measures)),
        )
    ]  # fmt: skip
    planted = planted_faces(study, faces)
    for row in faces.loadings.to_dict("records"):
        if row["name"] not in planted:
            continue
        truth = planted[row["name"]]
        text = _("Planted {truth}, estimated {estimate} {interval}.").format(
            truth=format_number(truth, bounded=True),
            estimate=format_number(row["loading"], bounded=True),
            interval=format_interval(row["ci_low"], row["ci_high"], bounded=True),
        )
        name = _("Planted loading: {name}").format(name=study.construct_name(row["name"]))
        inside = bool(row["ci_low"] <= truth <= row["ci_high"])
        checks.append(CheckResult(name, inside, row["loading"], truth, "population.yml", text))
    return checks


def formation_checks(
    found: ImportanceMap | Unavailable, study: Study
) -> list[CheckResult | Unavailable]:
    """Check the draws of the map, and hold the total effect of recovery against the planted one."""
    if isinstance(found, Unavailable):
        return [found]
    cut = THRESHOLDS["failed_replicates"]
    lost = found.n_failed / found.n_boot
    checks: list[CheckResult | Unavailable] = [
        CheckResult(
            _("Bootstrap draws"), cut.holds(lost), lost, cut.value, cut.source,
            _("{failed} of {b} draws could not be estimated.").format(
                failed=found.n_failed, b=found.n_boot
            ),
        )
    ]  # fmt: skip
    planted = planted_total(study)
    rows = found.table[found.table["name"] == "REC"]
    if planted is None or rows.empty:
        return checks
    row = rows.iloc[0]
    text = _("Planted {truth}, estimated {estimate} {interval}.").format(
        truth=format_number(planted), estimate=format_number(row["raw"]),
        interval=format_interval(row["raw_low"], row["raw_high"]),
    )  # fmt: skip
    name = _("Planted total effect: {name}").format(name=study.construct_name("REC"))
    inside = bool(row["raw_low"] <= planted <= row["raw_high"])
    return [*checks, CheckResult(name, inside, row["raw"], planted, "population.yml", text)]


def planted_total(study: Study) -> float | None:
    """Return the planted total effect of recovery on loyalty, in the metric of the model."""
    if study.offers("truth") is not None:
        return None
    paths = study.truth["targets"]["structural"]["paths"]
    return float(paths["tot_loy"]["value"]) if "tot_loy" in paths else None


def driver_checks(result: Importance | Unavailable, study: Study) -> list[CheckResult]:
    """Hold the order of the drivers against the planted one."""
    if isinstance(result, Unavailable) or study.offers("truth") is not None:
        return []
    planted = study.truth["structure"]["drivers"]["loading"]
    table = result.dominance.table()
    if set(table["predictor"]) != set(planted):
        return []
    first = max(planted, key=planted.get)
    tau = float(kendalltau([planted[n] for n in table["predictor"]], table["general"]).statistic)
    text = _(
        "Planted first: {planted}; found first: {found}. Agreement of the two orders: Kendall's "
        "tau = {tau}."
    ).format(
        planted=study.construct_name(first),
        found=study.construct_name(table["predictor"].iloc[0]),
        tau=format_number(tau, bounded=True),
    )
    same = bool(table["predictor"].iloc[0] == first)
    name = _("Planted order of the drivers")
    return [CheckResult(name, same, tau, None, "population.yml", text)]
