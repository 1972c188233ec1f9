"""Loyalty of a study: is it one thing with several faces, and what does it go with?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import SuiteError, Unavailable, check_level, listing, passes_unavailable
from helpers.i18n import _
from helpers.regression.study_importance import numeric_table
from helpers.results import Number
from helpers.sem.model_reliability import ModelReliability, second_order_omega
from helpers.sem.rivals import RivalTable, compare_rivals
from helpers.sem.study_fit import ModelFit, fit_model
from helpers.service.importance_map import ImportanceMap, driver_map, model_map
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study


@dataclass(frozen=True, slots=True)
class Faces:
    """Loyalty as a factor of factors, beside its rivals.

    Attributes
    ----------
    concept : str
    rivals : RivalTable
    fitted : ModelFit
        The model in force.
    loadings : DataFrame
        One row a face: name, loading (standardised), ci_low, ci_high, shared (its square).
    target : float or Unavailable
        Chi-square of the freer first-order model over that of the second-order model.
    target_of : str
        Title of that first-order model.
    omega_h, omega_t : ModelReliability or Unavailable
        Share of the variance of the total score due to the second-order factor, and to all factors.
    """

    concept: str
    rivals: RivalTable
    fitted: ModelFit
    loadings: pd.DataFrame
    target: float | Unavailable
    target_of: str
    omega_h: ModelReliability | Unavailable
    omega_t: ModelReliability | Unavailable

    def numbers(self) -> list[Number]:
        """Return second-order loadings with their definition."""
        return [
            Number(
                f"face_{row['name']}", row["loading"], "standardised second-order loading",
                row["ci_low"], row["ci_high"], LEVEL, self.fitted.result.n_used,
                method=self.fitted.result.method,
            )
            for row in self.loadings.to_dict("records")
        ]  # fmt: skip


def study_faces(
    study: Study, *, estimator: str = "MLR", missing: str = "fiml"
) -> Faces | Unavailable:
    """Return the faces of loyalty as the models of the study file describe them.

    The model named first is the one in force. The target coefficient sets the fit of the freer
    first-order model against that of the second-order model: 1 where the second-order factor
    accounts for all that the faces share (Marsh & Hocevar 1985, doi:10.1037/0033-2909.97.3.562).
    """
    what = _("the faces of loyalty")
    plan = study.spec.service.loyalty
    if plan is None or not plan.models:
        return Unavailable(what, _("the study file names no model of them"))
    fits = [fit_model(study, m, estimator=estimator, missing=missing) for m in plan.models]
    first = fits[0]
    if isinstance(first, Unavailable):
        return first
    loadings = second_order_loadings(first, plan.concept)
    if loadings.empty:
        return Unavailable(
            what, _("the model '{name}' has no factor of factors").format(name=first.title)
        )
    rivals = compare_rivals(fits)
    target, target_of = target_coefficient(rivals, first)
    omegas = _omegas(study, first, plan.concept)
    return Faces(plan.concept, rivals, first, loadings, target, target_of, *omegas)


def second_order_loadings(fitted: ModelFit, concept: str) -> pd.DataFrame:
    """Return standardised loadings of factors on the factor above them."""
    table = fitted.result.standardized
    own = table[(table["op"] == "=~") & (table["lhs"] == concept)]
    own = own[own["rhs"].isin(fitted.latents)]
    return pd.DataFrame(
        {
            "name": own["rhs"], "loading": own["est_std"], "ci_low": own["ci_low"],
            "ci_high": own["ci_high"], "shared": own["est_std"] ** 2,
        }
    ).reset_index(drop=True)  # fmt: skip


def target_coefficient(rivals: RivalTable, first: ModelFit) -> tuple[float | Unavailable, str]:
    """Return chi-square of the freer first-order model over that of the model in force.

    The freer model is the one with the fewest degrees of freedom among those in which the model in
    force is nested. Plain chi-squares.
    """
    pairs = rivals.differences
    freer = [t for t in pairs.loc[pairs["restricted"] == first.title, "free"] if t in rivals.fits]
    if not freer:
        why = _("no freer model of the same items stands beside it")
        return Unavailable(_("the target coefficient"), why), ""
    title = min(freer, key=lambda t: rivals.fits[t].result.fit_measures["df"])
    above = rivals.fits[title].result.fit_measures["chisq"]
    return float(above) / float(first.result.fit_measures["chisq"]), title


def _omegas(
    study: Study, fitted: ModelFit, concept: str
) -> tuple[ModelReliability | Unavailable, ModelReliability | Unavailable]:
    """Return omega hierarchical and total of the sum of all items."""
    rows = fitted.rows("=~")
    faces = rows.loc[rows["lhs"] == concept, "rhs"]
    own = {face: rows.loc[rows["lhs"] == face, "rhs"].tolist() for face in faces}
    items = [item for part in own.values() for item in part]
    try:
        return second_order_omega(study.responses[items].astype(float), own, construct=concept)
    except SuiteError as error:
        lost = Unavailable(_("the reliability of the total score"), str(error))
        return lost, lost


def study_formation(
    study: Study, *, estimator: str = "MLR", missing: str = "fiml"
) -> ModelFit | Unavailable:
    """Return the fitted model of how loyalty forms."""
    plan = study.spec.service.loyalty
    if plan is None or plan.formation is None:
        return Unavailable(_("the formation of loyalty"), _("the study file names no model of it"))
    return fit_model(study, plan.formation, estimator=estimator, missing=missing)


@passes_unavailable
def formation_map(
    study: Study,
    fitted: ModelFit,
    *,
    n_boot: int = 5000,
    seed: int = 20261121,
    level: float = LEVEL,
    workers: int = 1,
) -> ImportanceMap | Unavailable:
    """Return importance and performance in the model of how loyalty forms.

    Without verdicts where the fit is not admissible: then there is no map.
    """
    check_level(level, "formation_map")
    what = _("the map of importance and performance")
    if not fitted.trustworthy:
        return Unavailable(what, _("the solution is not admissible"))
    outcome = _in_model(study, fitted, study.spec.service.loyalty.concept)
    ranges = item_ranges(study, list(fitted.result.observed))
    try:
        return model_map(
            fitted.result, fitted.data["data"], outcome, ranges=ranges, n_boot=n_boot, seed=seed,
            level=level, workers=workers,
        )  # fmt: skip
    except SuiteError as error:
        return Unavailable(what, str(error))


def _in_model(study: Study, fitted: ModelFit, concept: str) -> str:
    """Return what stands for a concept in a model: a concept of one item may stand as its item."""
    own = study.items_of(concept)
    ends = set(fitted.rows("~")["lhs"])
    return own[0] if concept not in ends and len(own) == 1 and own[0] in ends else concept


def study_driver_map(
    study: Study, *, n_boot: int = 5000, seed: int = 20261121, level: float = LEVEL
) -> ImportanceMap | Unavailable:
    """Return importance and performance of the drivers that the study file names."""
    check_level(level, "study_driver_map")
    plan = study.spec.service.loyalty
    what = _("the map of the drivers")
    if plan is None:
        return Unavailable(what, _("the study file names none"))
    names = [plan.concept, *plan.drivers]
    spans = {name: construct_range(study, name) for name in names}
    lacking = [name for name, span in spans.items() if span is None]
    if lacking:
        why = _("{names} have no lowest and highest value").format(names=listing(lacking))
        return Unavailable(what, why)
    try:
        return driver_map(
            numeric_table(study, names), plan.concept, plan.drivers, ranges=spans, n_boot=n_boot,
            seed=seed, level=level,
        )  # fmt: skip
    except SuiteError as error:
        return Unavailable(what, str(error))


def construct_range(study: Study, name: str) -> tuple[float, float] | None:
    """Return the lowest and highest possible score of a construct or item, where it has them."""
    facets = {c.code: c.facets for c in study.spec.constructs}.get(name, [])
    items = [i for f in facets for i in study.items_of(f)] if facets else []
    if not items:
        items = study.items_of(name) if name in study.construct_codes else [name]
    spans = item_ranges(study, items)
    if len(spans) < len(items) or not items:
        return None
    low, high = zip(*spans.values())
    return sum(low) / len(low), sum(high) / len(high)


def item_ranges(study: Study, items: list[str]) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest answer of items whose scale has both."""
    scales = {item: study.scale_of(item) for item in items}
    return {
        item: (float(scale.low), float(scale.high))
        for item, scale in scales.items()
        if scale.low is not None and scale.high is not None
    }
