"""What matters most in a study: importance, a single item, and nested data, by its own names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import DataContractError, Unavailable, check_level, listing
from helpers.i18n import _
from helpers.regression.design import attempt, study_term, terms_in_use
from helpers.regression.dominance import Dominance, dominance
from helpers.regression.influence import Influence, influence
from helpers.regression.mixed import MixedModel, long_outcomes, mixed_model
from helpers.regression.ordered import OrderedLogit, ordered_logit
from helpers.regression.relative import RelativeWeights, relative_weights
from helpers.regression.study_views import regression_steps
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study

NOT_PREDICTORS = ("outcome", "marker", "control", "context")
MOST_DEFAULT = 8


@dataclass(frozen=True, slots=True)
class Importance:
    """Two answers to "what matters most", on the same rows.

    Attributes
    ----------
    outcome : str
    predictors : tuple of str
        Constructs.
    weights : RelativeWeights
    dominance : Dominance
    """

    outcome: str
    predictors: tuple[str, ...]
    weights: RelativeWeights
    dominance: Dominance


def importance_names(study: Study, outcome: str, predictors: str) -> tuple[str, list[str]]:
    """Return the outcome and predictors asked for, or those that the roles of the study suggest.

    Without an outcome: the construct of role ``outcome`` with facets, else the first of the role.
    Without predictors: the constructs of role ``driver`` if there are two or more, else all
    constructs with a score that are not outcomes, markers, controls or context, eight at most.
    """
    scored = [c for c in study.spec.constructs if c.code in study.scores.columns]
    if not outcome:
        ends = [c for c in scored if c.role == "outcome"] or scored[-1:]
        outcome = next((c.code for c in ends if c.facets), ends[0].code)
    if predictors:
        return outcome, [name.strip() for name in predictors.split(",")]
    inside = {facet for c in scored for facet in c.facets} | {outcome}
    chosen = [c.code for c in scored if c.role == "driver" and c.code not in inside]
    if len(chosen) < 2:
        chosen = [c.code for c in scored if c.role not in NOT_PREDICTORS and c.code not in inside]
    return outcome, chosen[:MOST_DEFAULT]


def numeric_table(study: Study, names: list[str]) -> pd.DataFrame:
    """Return variables of a study as numeric columns under their own names."""
    columns = {}
    for name in names:
        term = study_term(study, name)
        if term.reference:
            raise DataContractError(
                f"numeric_table: names= holds '{name}', a category; numbers and scale scores are "
                f"needed here, such as {listing(study.construct_codes, 5)}. Leave it out."
            )
        columns[name] = term.columns.iloc[:, 0]
    return pd.DataFrame(columns)


def study_importance(
    study: Study,
    *,
    outcome: str = "",
    predictors: str = "",
    n_boot: int = 5000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> Importance | Unavailable:
    """Return relative weights and dominance of predictors of a study.

    Parameters
    ----------
    study : Study
    outcome : str
        Construct or item; empty takes what ``importance_names`` says.
    predictors : str
        Codes with commas between them; empty likewise.
    n_boot : int
        For relative weights; dominance takes a fifth of it.
    seed : int
    level : float
    """
    check_level(level, "study_importance")
    outcome, names = importance_names(study, outcome, predictors)
    if len(names) < 2:
        return Unavailable(
            _("the importance of predictors"), _("the study has fewer than two of them")
        )
    data = numeric_table(study, [outcome, *names])
    options = {"seed": seed, "level": level}
    what = _("the importance of predictors")
    weights = attempt(what, relative_weights, data, outcome, names, n_boot=n_boot, **options)
    if isinstance(weights, Unavailable):
        return weights
    shared = attempt(what, dominance, data, outcome, names, n_boot=n_boot // 5, **options)
    if isinstance(shared, Unavailable):
        return shared
    return Importance(outcome=outcome, predictors=tuple(names), weights=weights, dominance=shared)


def study_single_item(
    study: Study, *, item: str = "", outcome: str = "", predictors: str = "", level: float = LEVEL
) -> OrderedLogit | Unavailable:
    """Return an ordered logit of one agreement item on the predictors of ``importance_names``.

    ``item`` empty: the first agreement item of the outcome, or of its first facet.
    """
    check_level(level, "study_single_item")
    outcome, names = importance_names(study, outcome, predictors)
    if not item:
        facets = {c.code: c.facets for c in study.spec.constructs}.get(outcome, [])
        own = study.items[study.items["construct"].isin([outcome, *facets])]
        likert = [i for i in own["item"] if study.scale_of(i).kind == "likert"]
        if not likert:
            return Unavailable(
                _("an ordered logit"), _("the outcome has no item on an agreement scale")
            )
        item = likert[0]
    lacking = study.offers(f"item:{item}")
    if lacking is not None:
        return lacking
    data = numeric_table(study, [item, *names])
    return attempt(_("an ordered logit"), ordered_logit, data, item, names, level=level)


def study_nested(
    study: Study, *, group: str, outcome: str = "", predictors: str = "", level: float = LEVEL
) -> MixedModel | Unavailable:
    """Return a random intercept of the categories of a grouping (people within platforms)."""
    check_level(level, "study_nested")
    lacking = study.offers(f"group:{group}")
    if lacking is not None:
        return lacking
    outcome, names = importance_names(study, outcome, predictors)
    item = study.spec.groups[group].item
    data = numeric_table(study, [outcome, *names]).assign(**{item: study.responses[item]})
    what = _("a model of respondents within groups")
    return attempt(what, mixed_model, data, outcome, names, item, level=level)


def study_repeated(
    study: Study, *, outcome: str = "", predictors: str = "", level: float = LEVEL
) -> MixedModel | Unavailable:
    """Return a random intercept of people, the facets of the outcome being rows within them."""
    check_level(level, "study_repeated")
    outcome, names = importance_names(study, outcome, predictors)
    facets = {c.code: c.facets for c in study.spec.constructs}.get(outcome, [])
    if len(facets) < 2:
        return Unavailable(
            _("a model of outcomes within people"), _("the outcome has no facets in this study")
        )
    wide = numeric_table(study, [*facets, *names])
    table = long_outcomes(wide, facets, names)
    what = _("a model of outcomes within people")
    columns = [*names, *facets[1:]]
    return attempt(what, mixed_model, table, "value", columns, "person", level=level)


def study_influence(study: Study, name: str, *, level: float = LEVEL) -> Influence | Unavailable:
    """Return the influence of single respondents on a regression that the study declares."""
    check_level(level, "study_influence")
    lacking = study.offers(f"regression:{name}")
    if lacking is not None:
        return lacking
    plan = study.spec.regressions[name]
    outcome = study_term(study, plan.outcome).columns.iloc[:, 0]
    steps, _left_out = regression_steps(study, plan.steps)
    used, _rows, _gone = terms_in_use(outcome, steps)
    columns = [term.columns for step in used for term in step]
    return attempt(
        _("the influence of single respondents"), influence, outcome, pd.concat(columns, axis=1),
        level=level,
    )  # fmt: skip
