"""Elements, steps and hours of the recovery that a study file declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import (
    DataContractError,
    SuiteError,
    Unavailable,
    check_level,
    passes_unavailable,
)
from helpers.i18n import _
from helpers.regression.design import study_term, variable_label
from helpers.regression.dose import DoseResponse, dose_response
from helpers.results import Number
from helpers.service.process import (
    DoublingSlope,
    PartImportance,
    doubling_slope,
    mean_intervals,
    mean_ranks,
    part_importance,
    to_hundred,
)
from helpers.service_specification import Measured, Process
from helpers.survey.privacy import least_cell
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study


@dataclass(frozen=True, slots=True)
class Recovery:
    """The recovery of a study, one row a respondent.

    Attributes
    ----------
    elements, steps : DataFrame
        Scores of 0 to 100 under the codes of the parts; a blank in any measure of a part makes
        the part blank.
    outcome : Series
        On its own scale.
    hours, measure, rating : Series or None
    plan : Process
    """

    elements: pd.DataFrame
    steps: pd.DataFrame
    outcome: pd.Series
    hours: pd.Series | None
    measure: pd.Series | None
    rating: pd.Series | None
    plan: Process


@passes_unavailable
def read_process(study: Study) -> Recovery | Unavailable:
    """Return the recovery that a study declares under ``service.process``."""
    plan = study.spec.service.process
    if plan is None:
        return Unavailable(_("the recovery process"), _("the study file declares none"))
    optional = [
        None if name is None else pd.to_numeric(study.responses[name]).astype(float)
        for name in (plan.hours, plan.measure, plan.rating)
    ]
    return Recovery(
        _scores(study, plan.elements), _scores(study, plan.steps),
        study_term(study, plan.outcome).columns.iloc[:, 0], *optional, plan,
    )  # fmt: skip


def scale_ends(study: Study, name: str) -> tuple[float, float]:
    """Return both ends of the answer scale of an item, or of the mean of a construct's items.

    Raises
    ------
    DataContractError
        The scale of an item has no ends.
    """
    items = [name] if name in set(study.items["item"]) else _items_of(study, name)
    scales = [study.scale_of(item) for item in items]
    if any(scale.low is None or scale.high is None for scale in scales):
        raise DataContractError(
            f"scale_ends: name= '{name}' is answered on a scale without low and high; both are "
            "needed. Add them to study.yml."
        )
    lows, highs = ([float(getattr(scale, end)) for scale in scales] for end in ("low", "high"))
    return sum(lows) / len(lows), sum(highs) / len(highs)


def _items_of(study: Study, construct: str) -> list[str]:
    """Return the items of a construct or of its facets."""
    facets = {c.code: c.facets for c in study.spec.constructs}.get(construct, [])
    return [item for code in (construct, *facets) for item in study.items_of(code)]


def _scores(study: Study, parts: Sequence[Measured]) -> pd.DataFrame:
    """Return the score of every part: mean of its measures, each from 0 to 100."""
    columns = {}
    for part in parts:
        measures = [
            to_hundred(study_term(study, name).columns.iloc[:, [0]], *scale_ends(study, name))
            for name in part.measures
        ]
        columns[part.code] = pd.concat(measures, axis=1).mean(axis=1, skipna=False)
    return pd.DataFrame(columns, index=study.responses.index)


@passes_unavailable
def part_levels(scores: pd.DataFrame, *, level: float = LEVEL) -> pd.DataFrame | Unavailable:
    """Return the level of every part with interval and with the interval of its rank."""
    check_level(level, "part_levels")
    if scores.shape[1] < 2:
        return Unavailable(_("a comparison of parts"), _("the study file names fewer than two"))
    try:
        ranks = mean_ranks(scores, level=level).drop(columns="mean")
        return mean_intervals(scores, level=level).merge(ranks, on="code")
    except SuiteError as error:
        return Unavailable(_("a comparison of parts"), str(error))


@passes_unavailable
def element_importance(
    recovery: Recovery, *, n_boot: int = 5000, level: float = LEVEL
) -> PartImportance | Unavailable:
    """Return what of the outcome goes with each element."""
    check_level(level, "element_importance")
    name = recovery.plan.outcome
    if name in recovery.elements:
        name = "outcome"
    data = recovery.elements.assign(**{name: recovery.outcome.to_numpy()})
    try:
        return part_importance(data, name, list(recovery.elements), n_boot=n_boot, level=level)
    except SuiteError as error:
        return Unavailable(_("the weights of the elements"), str(error))


@passes_unavailable
def wait_curve(
    recovery: Recovery, study: Study, *, level: float = LEVEL
) -> DoseResponse | Unavailable:
    """Return the outcome against the hours to the response, in four shapes."""
    check_level(level, "wait_curve")
    if recovery.hours is None:
        return _no_hours()
    hours = recovery.hours.rename(variable_label(study, str(recovery.plan.hours)))
    try:
        return dose_response(hours, recovery.outcome, level=level)
    except SuiteError as error:
        return Unavailable(_("the wait"), str(error))


@passes_unavailable
def wait_slope(recovery: Recovery, *, level: float = LEVEL) -> DoublingSlope | Unavailable:
    """Return the change of the outcome per doubling of hours, without and within measures."""
    check_level(level, "wait_slope")
    if recovery.hours is None:
        return _no_hours()
    try:
        return doubling_slope(recovery.hours, recovery.outcome, recovery.measure, level=level)
    except SuiteError as error:
        return Unavailable(_("the wait"), str(error))


def _no_hours() -> Unavailable:
    """Return that a study asks for no hours."""
    return Unavailable(_("the wait"), _("the study file names no item of hours"))


@passes_unavailable
def by_measure(
    recovery: Recovery, study: Study, *, level: float = LEVEL
) -> pd.DataFrame | Unavailable:
    """Return hours, rating and outcome by the measure received.

    A measure with fewer respondents than the study's smallest cell is left out.

    Returns
    -------
    DataFrame
        measure (code), quantity (``hours rating outcome``), mean, ci_low, ci_high, n_used.
    """
    check_level(level, "by_measure")
    if recovery.measure is None:
        return Unavailable(
            _("a comparison of measures"), _("the study file names no item of the measure received")
        )
    values = {"hours": recovery.hours, "rating": recovery.rating, "outcome": recovery.outcome}
    least = max(least_cell(study), 10)
    rows = []
    for code, part in recovery.measure.dropna().groupby(recovery.measure):
        for name, column in values.items():
            if column is None or column[part.index].notna().sum() < least:
                continue
            found = mean_intervals(column[part.index].to_frame(name), level=level)
            rows.append(found.assign(measure=float(code), quantity=name))
    if not rows:
        return Unavailable(
            _("a comparison of measures"),
            _("no measure was received by {n} respondents or more").format(n=least),
        )
    table = pd.concat(rows, ignore_index=True)
    return table[["measure", "quantity", "mean", "ci_low", "ci_high", "n_used"]]


def process_numbers(importance: PartImportance | Unavailable) -> list[Number]:
    """Return each element's share of R² for ``results.json``; none where there are no weights."""
    if isinstance(importance, Unavailable):
        return []
    return importance.weights.numbers()
