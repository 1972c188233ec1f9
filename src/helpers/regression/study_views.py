"""Regressions of a whole study, by the names of its own variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.errors import Unavailable
from helpers.regression.conditional import Moderation, moderation
from helpers.regression.design import study_term, variable_label
from helpers.regression.dose import DoseResponse, dose_response
from helpers.regression.hierarchical import HierarchicalResult, regression_title, study_regression
from helpers.regression.surface import ResponseSurface, response_surface
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study


def study_regressions(
    study: Study, *, only: str = "", level: float = LEVEL
) -> dict[str, HierarchicalResult]:
    """Return every regression that a study declares, or the one named, by title."""
    names = [only] if only else list(study.spec.regressions)
    return {
        regression_title(study, name): study_regression(study, name, level=level) for name in names
    }


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
    lacking = first_missing(study, [outcome, predictor, moderator])
    if lacking is not None:
        return lacking
    return moderation(
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
    lacking = first_missing(study, [dose, response])
    if lacking is not None:
        return lacking
    columns = [study_term(study, name).columns.iloc[:, 0] for name in (dose, response)]
    return dose_response(*columns, level=level)


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
    return {
        f"x: {variable_label(study, x)}, y: {variable_label(study, y)}": response_surface(
            data, "further", [x, y], family="count", level=level, **options
        )
        for x, y in pairs
    }
