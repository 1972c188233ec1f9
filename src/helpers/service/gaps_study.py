"""Expected and perceived service quality that a study file declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import commonprefix
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.errors import (
    DataContractError,
    SuiteError,
    Unavailable,
    check_level,
    passes_unavailable,
)
from helpers.i18n import _
from helpers.measurement.reliability import coefficient_alpha
from helpers.regression.design import study_term
from helpers.regression.surface import ResponseSurface, response_surface
from helpers.results import Number
from helpers.service.process import mean_ranks
from helpers.service.quality_gaps import (
    GapIndex,
    GapModels,
    difference_reliability,
    expected_mean,
    gap_index,
    gap_models,
    paired_gaps,
    tolerance_zone,
)
from helpers.service_specification import Dimension, Servqual
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study

SIDES = ("expected", "perceived", "adequate")


@dataclass(frozen=True, slots=True)
class Quality:
    """Expected and perceived quality, one row a respondent of the module in the sample.

    Attributes
    ----------
    items : dict of str to DataFrame
        Side (``expected perceived``, ``adequate`` if asked) -> answers; the columns are the items
        of the perceptions, so that a pair has one name.
    scores : dict of str to DataFrame
        Side -> mean of the items of each dimension, under its code; a blank item makes it blank.
    owners : dict of str to str
        Item of the perceptions -> its dimension.
    outcome : Series or None
        From the main questionnaire, by respondent.
    low, high : float
        Ends of the answer scale.
    plan : Servqual
    """

    items: dict[str, pd.DataFrame]
    scores: dict[str, pd.DataFrame]
    owners: dict[str, str]
    outcome: pd.Series | None
    low: float
    high: float
    plan: Servqual


@passes_unavailable
def read_quality(study: Study) -> Quality | Unavailable:
    """Return what a study declares under ``service.servqual``."""
    plan = study.spec.service.servqual
    if plan is None:
        return Unavailable(_("expected and perceived quality"), _("the study file declares none"))
    rows = study.responses if plan.module == "main" else study.module(plan.module)
    if isinstance(rows, Unavailable):
        return rows
    if "in_sample" in rows:
        rows = rows[rows["in_sample"]].reset_index(drop=True)
    asked = SIDES if all(d.adequate for d in plan.dimensions) else SIDES[:2]
    items, scores = {}, {}
    for side in asked:
        parts = {d.code: _answers(study, rows, plan, d, side) for d in plan.dimensions}
        items[side] = pd.concat(parts.values(), axis=1)
        scores[side] = pd.DataFrame(
            {code: part.mean(axis=1, skipna=False) for code, part in parts.items()}
        )
    owners = {
        item: d.code for d in plan.dimensions for item in _items(study, d.perceived, plan.module)
    }
    scale = study.scale_of(items["perceived"].columns[0])
    outcome = None
    if plan.outcome is not None:
        values = study_term(study, plan.outcome).columns.iloc[:, 0]
        known = pd.Series(values.to_numpy(), index=study.responses["respondent_id"].to_numpy())
        outcome = known.reindex(rows["respondent_id"]).reset_index(drop=True).rename(plan.outcome)
    return Quality(items, scores, owners, outcome, float(scale.low), float(scale.high), plan)


def _items(study: Study, name: str, module: str) -> list[str]:
    """Return the items of a construct in a module, or the item of that name."""
    return study.items_of(name, module) or [name]


def _answers(
    study: Study, rows: pd.DataFrame, plan: Servqual, dimension: Dimension, side: str
) -> pd.DataFrame:
    """Return one side of a dimension under the names of the perceived items."""
    own = _items(study, str(getattr(dimension, side)), plan.module)
    names = _items(study, dimension.perceived, plan.module)
    if len(own) != len(names):
        raise DataContractError(
            f"read_quality: {side}= of '{dimension.code}' has {len(own)} items and perceived= has "
            f"{len(names)}; every item needs its partner. Correct service.servqual in study.yml."
        )
    return rows[own].astype(float).set_axis(names, axis=1)


@passes_unavailable
def dimension_gaps(quality: Quality, *, level: float = LEVEL) -> pd.DataFrame | Unavailable:
    """Return the gap of every dimension, with reliabilities and with the place of each gap.

    A reliability that cannot be computed is ``Unavailable``. ``rank`` 1 is the widest gap;
    ``rank_low`` and ``rank_high`` are the places that the sample leaves possible (``mean_ranks``).
    """
    check_level(level, "dimension_gaps")
    try:
        table = paired_gaps(
            quality.scores["expected"], quality.scores["perceived"], high=quality.high, level=level
        )
        ranks = _gap_ranks(quality, level)
    except SuiteError as error:
        return Unavailable(_("the gaps of the dimensions"), str(error))
    reliability = [_reliability(quality, code) for code in table["code"]]
    names = ["alpha_expected", "alpha_perceived", "alpha_gap"]
    table = table.join(pd.DataFrame(reliability, columns=names))
    return table.merge(ranks, on="code")


def _gap_ranks(quality: Quality, level: float) -> pd.DataFrame:
    """Return the place of the gap of every dimension, the widest first."""
    lacking = quality.scores["expected"] - quality.scores["perceived"]
    if lacking.shape[1] < 2:
        return pd.DataFrame({"code": lacking.columns, "rank": 1, "rank_low": 1, "rank_high": 1})
    return mean_ranks(lacking, level=level)[["code", "rank", "rank_low", "rank_high"]]


def _reliability(quality: Quality, code: str) -> tuple[object, object, object]:
    """Return alpha of expectations, of perceptions, and the reliability of their difference."""
    names = [n for n, owner in quality.owners.items() if owner == code]
    if len(names) < 2:
        lacking = Unavailable(_("a reliability"), _("the dimension has one item"))
        return lacking, lacking, lacking
    alphas = [_alpha(quality.items[side][names], code) for side in SIDES[:2]]
    for one in alphas:
        if isinstance(one, Unavailable):
            return alphas[0], alphas[1], one
    both = pd.concat([quality.scores[side][code] for side in SIDES[:2]], axis=1).dropna()
    sds, r = both.std(ddof=1).to_numpy(), float(both.corr().iloc[0, 1])
    try:
        gap = difference_reliability((alphas[0], alphas[1]), (sds[0], sds[1]), r)
    except SuiteError as error:
        return alphas[0], alphas[1], Unavailable(_("a reliability"), str(error))
    return alphas[0], alphas[1], gap


def _alpha(items: pd.DataFrame, code: str) -> float | Unavailable:
    """Return coefficient alpha, or why there is none."""
    try:
        return coefficient_alpha(items, construct=code).alpha
    except SuiteError as error:
        return Unavailable(_("a reliability"), str(error))


@passes_unavailable
def item_gaps(quality: Quality, *, level: float = LEVEL) -> pd.DataFrame | Unavailable:
    """Return the gap of every pair of items, with its dimension."""
    check_level(level, "item_gaps")
    expected = quality.items["expected"][list(quality.items["perceived"])]
    try:
        table = paired_gaps(expected, quality.items["perceived"], high=quality.high, level=level)
    except SuiteError as error:
        return Unavailable(_("the gaps of the items"), str(error))
    return table.assign(dimension=table["code"].map(quality.owners))


@passes_unavailable
def quality_index(
    quality: Quality, *, n_boot: int = 5000, level: float = LEVEL
) -> GapIndex | Unavailable:
    """Return the plain and the weighted index of the gaps."""
    check_level(level, "quality_index")
    if quality.outcome is None:
        return _no_outcome()
    gaps = quality.scores["perceived"] - quality.scores["expected"]
    own = quality.scores["perceived"]
    try:
        return gap_index(gaps, own, quality.outcome, n_boot=n_boot, level=level)
    except SuiteError as error:
        return Unavailable(_("an index of the gaps"), str(error))


@passes_unavailable
def quality_models(quality: Quality) -> GapModels | Unavailable:
    """Return how well gaps, perceptions and both go with the outcome."""
    if quality.outcome is None:
        return _no_outcome()
    sides = (quality.scores["expected"], quality.scores["perceived"])
    try:
        return gap_models(*sides, quality.outcome)
    except SuiteError as error:
        return Unavailable(_("a comparison of gaps and perceptions"), str(error))


@passes_unavailable
def quality_surface(
    quality: Quality, *, n_boot: int = 1000, level: float = LEVEL
) -> ResponseSurface | Unavailable:
    """Return the outcome over expectation and perception, means over all dimensions."""
    check_level(level, "quality_surface")
    if quality.outcome is None:
        return _no_outcome()
    means = {s: quality.scores[s].mean(axis=1, skipna=False) for s in SIDES[:2]}
    data = pd.DataFrame({"outcome": quality.outcome, **means})
    centre = (quality.low + quality.high) / 2
    try:
        return response_surface(
            data, "outcome", list(SIDES[:2]), centre=centre, n_boot=n_boot, level=level
        )
    except SuiteError as error:
        return Unavailable(_("the surface of expectation and perception"), str(error))


def _no_outcome() -> Unavailable:
    """Return that nothing is there for the gaps to go with."""
    return Unavailable(_("what the gaps go with"), _("the study file names no outcome for them"))


@passes_unavailable
def quality_zone(quality: Quality, *, level: float = LEVEL) -> pd.DataFrame | Unavailable:
    """Return where perceptions lie in the zone of tolerance, if adequate levels were asked."""
    check_level(level, "quality_zone")
    if "adequate" not in quality.scores:
        return Unavailable(
            _("the zone of tolerance"),
            _("the questionnaire did not ask for the lowest level that would do"),
        )
    sides = (quality.scores[side] for side in ("adequate", "expected", "perceived"))
    try:
        return tolerance_zone(*sides, level=level)
    except SuiteError as error:
        return Unavailable(_("the zone of tolerance"), str(error))


def short_wordings(study: Study, quality: Quality) -> dict[str, str]:
    """Return the wordings of the perceived items without what they all begin with."""
    words = {name: study.wording(name) for name in quality.items["perceived"]}
    start = len(commonprefix(list(words.values()))) if len(words) > 1 else 0
    return {name: text[start:].rstrip(".。") or text for name, text in words.items()}


def planted_gaps(truth: Mapping[str, Any]) -> dict[str, float]:
    """Return the planted gap of each dimension of the simulated study.

    Answers are steps of a standard normal variable cut at thresholds that were moved down for
    expectations and by dimension for perceptions; the mean of the steps follows exactly.
    """
    spec = truth["modules"]["servqual"]
    cuts = truth["measurement"]["thresholds"][spec["profile"]]
    wish = expected_mean(cuts, spec["expected_shift"])
    return {code: expected_mean(cuts, s) - wish for code, s in spec["perceived_shift"].items()}


def gap_numbers(table: pd.DataFrame | Unavailable, *, level: float = LEVEL) -> list[Number]:
    """Return the gap of every dimension for ``results.json``; none where there are no gaps."""
    check_level(level, "gap_numbers")
    if isinstance(table, Unavailable):
        return []
    return [
        Number(
            f"gap_{row['code']}", row["gap"], "mean of perceived less expected", row["ci_low"],
            row["ci_high"], level, row["n_used"], method="paired t",
        )
        for row in table.to_dict("records")
    ]  # fmt: skip
