"""Regressions of a whole study, by the names of its own variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from helpers.errors import DataContractError, Unavailable, check_level, listing, nearest
from helpers.i18n import _, pick
from helpers.regression.conditional import Moderation, moderation
from helpers.regression.design import Term, attempt, study_term, variable_label
from helpers.regression.dose import DoseResponse, dose_response
from helpers.regression.hierarchical import HierarchicalResult, hierarchical_regression
from helpers.regression.surface import ResponseSurface, response_surface
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study


def study_regression(study: Study, name: str, *, level: float = LEVEL) -> HierarchicalResult:
    """Fit a regression that a study declares under ``regressions``.

    Raises
    ------
    DataContractError
        The study declares none of that name, or a variable of it does not exist.
    """
    check_level(level, "study_regression")
    declared = study.spec.regressions
    if name not in declared:
        raise DataContractError(
            f"study_regression: name= is '{name}'; declared in study.yml are {listing(declared)}."
            f"{nearest(name, declared)} Ask study.offers('regression:{name}') first."
        )
    plan = declared[name]
    steps, left_out = regression_steps(study, plan.steps)
    outcome = study_term(study, plan.outcome)
    if outcome.reference:
        raise DataContractError(
            f"study_regression: outcome= of '{name}' is '{plan.outcome}', a category; a number or "
            "a scale score is needed. Correct regressions in study.yml."
        )
    found = hierarchical_regression(
        outcome.columns.iloc[:, 0],
        steps,
        label=variable_label(study, plan.outcome),
        controls=study.spec.controls,
        left_out=left_out,
        level=level,
    )
    return replace(found, name=name)


def regression_steps(
    study: Study, steps: Sequence[Sequence[str]]
) -> tuple[list[list[Term]], list[str]]:
    """Return the declared steps as terms, and the labels of predictors that have one value.

    In a part of the respondents (those of one platform) a declared predictor may be the same for
    all. It then says nothing and is left out; a step that holds nothing else falls away.
    """
    kept, left_out = [], []
    for step in steps:
        varying = [name for name in step if _varies(study, name)]
        left_out += [variable_label(study, name) for name in step if name not in varying]
        if varying:
            kept.append([study_term(study, name) for name in varying])
    return kept, left_out


def _varies(study: Study, name: str) -> bool:
    """Tell whether a variable takes two values; unknown names are left to ``study_term``."""
    for table in (study.scores, study.responses):
        if name in table.columns:
            return table[name].nunique() > 1
    return True


def regression_title(study: Study, name: str) -> str:
    """Return the title of a declared regression in the current language."""
    declared = study.spec.regressions
    if name not in declared:
        raise DataContractError(
            f"regression_title: name= is '{name}'; declared in study.yml are {listing(declared)}."
            f"{nearest(name, declared)}"
        )
    return pick(declared[name].title.model_dump())


def study_regressions(
    study: Study, *, only: str = "", level: float = LEVEL
) -> dict[str, HierarchicalResult | Unavailable] | Unavailable:
    """Return every regression that a study declares, or the one named, by title.

    One that these respondents do not allow stands last, with the reason; without any other, the
    reason is all there is.
    """
    check_level(level, "study_regressions")
    names = [only] if only else list(study.spec.regressions)
    found = {}
    for name in names:
        title = regression_title(study, name)
        found[title] = attempt(title, study_regression, study, name, level=level)
    lacking = {title: r for title, r in found.items() if isinstance(r, Unavailable)}
    if len(lacking) == len(found) and lacking:
        return next(iter(lacking.values()))
    return {title: r for title, r in found.items() if title not in lacking} | lacking


def first_missing(study: Study, names: list[str]) -> Unavailable | None:
    """Return the first of several variables that the study does not have."""
    for name in names:
        if study.offers(f"construct:{name}") is None:
            continue
        lacking = study.offers(f"item:{name}")
        if lacking is not None:
            return lacking
    return None


def study_moderation(
    study: Study, *, outcome: str, predictor: str, moderator: str, level: float = LEVEL
) -> Moderation | Unavailable:
    """Return a moderation among variables of a study, or which of them it lacks."""
    check_level(level, "study_moderation")
    lacking = first_missing(study, [outcome, predictor, moderator])
    if lacking is not None:
        return lacking
    return attempt(
        _("the moderation"),
        moderation,
        study_term(study, outcome).columns.iloc[:, 0],
        study_term(study, predictor),
        study_term(study, moderator),
        label=variable_label(study, outcome),
        level=level,
    )


def study_dose_response(
    study: Study, *, dose: str, response: str, level: float = LEVEL
) -> DoseResponse | Unavailable:
    """Return the relation of a response to a dose, or which of the two the study lacks."""
    check_level(level, "study_dose_response")
    lacking = first_missing(study, [dose, response])
    if lacking is not None:
        return lacking
    columns = [study_term(study, name).columns.iloc[:, 0] for name in (dose, response)]
    return attempt(_("the relation to the dose"), dose_response, *columns, level=level)


def study_surfaces(
    study: Study,
    *,
    outcome: str = "NFAIL",
    pairs: tuple[tuple[str, str], ...] = (("IQ", "AQ"), ("EQ", "AQ")),
    n_boot: int = 1000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> dict[str, ResponseSurface] | Unavailable:
    """Return F1 as response surfaces of further problems over pairs of qualities, by title.

    Everybody reports at least the one problem that the questionnaire is about, so that one is taken
    off the count. Both qualities are centred at the middle of their scale.
    """
    check_level(level, "study_surfaces")
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    lacking = first_missing(study, [outcome, *names])
    if lacking is not None:
        return lacking
    data = (
        study.scores[names]
        .astype(float)
        .assign(further=study_term(study, outcome).columns.iloc[:, 0] - 1)
    )
    scale = study.scale_of(study.items.loc[study.items["construct"] == names[0], "item"].iloc[0])
    options = {"centre": (scale.low + scale.high) / 2, "n_boot": n_boot, "seed": seed}
    surfaces = {}
    for x, y in pairs:
        found = attempt(
            _("the response surface"), response_surface, data, "further", [x, y], family="count",
            level=level, **options,
        )  # fmt: skip
        if isinstance(found, Unavailable):
            return found
        surfaces[f"x: {variable_label(study, x)}, y: {variable_label(study, y)}"] = found
    return surfaces
