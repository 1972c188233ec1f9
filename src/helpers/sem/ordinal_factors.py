"""Exploratory factors of a study's items, on Pearson or on polychoric correlations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from helpers.errors import ModelSpecError, listing, nearest
from helpers.measurement.study_factors import StudyFactors, explore_study
from helpers.measurement.study_scales import study_correlations
from helpers.sem.polychorics import polychoric_correlations

if TYPE_CHECKING:
    from helpers.survey.load import Study

Correlations = Literal["pearson", "polychoric"]


def explore_items(
    study: Study,
    *,
    correlations: Correlations = "pearson",
    model: str | None = "measurement",
    **options: Any,
) -> StudyFactors:
    """Explore the factor structure of a study's items on the correlations asked for.

    Parameters
    ----------
    study : Study
    correlations : {"pearson", "polychoric"}
        Of the codes, or of the normal variables that are supposed to lie behind ordered answers.
        A published matrix stays what it is.
    model : str, optional
        The model whose items are factored.
    **options
        Passed on to ``helpers.measurement.explore_study``.

    Returns
    -------
    StudyFactors

    Raises
    ------
    ModelSpecError
        Unknown kind of correlations.
    EstimationError, DataContractError
        The polychoric correlations cannot be had, or are no correlation matrix.

    Notes
    -----
    Missing-data rule: the same complete rows for both kinds. With polychorics the number of factors
    still follows from Pearson correlations of these rows, because the random data of the parallel
    analysis have the sampling error of those; loadings, adequacy and communalities come from the
    polychorics; tests and indices of fit are left out, since their distribution does not hold.
    Parts checked against R lavaan ``lavCor`` and psych ``fa``; as a whole by planted loadings
    behind coarse, skewed answers (``tests/measurement/test_study_measurement.py``).

    References
    ----------
    Olsson (1979), doi:10.1007/BF02296207.
    """
    if correlations not in get_args(Correlations):
        raise ModelSpecError(
            f"explore_items: correlations= '{correlations}'; allowed are "
            f"{listing(get_args(Correlations))}.{nearest(correlations, get_args(Correlations))}"
        )
    if correlations == "pearson" or not study.has_rows:
        return explore_study(study, model=model, **options)
    given = study_correlations(study, model=model)
    items = list(given.corr.columns)
    found = polychoric_correlations(study.responses, items=items, missing="listwise")
    behind = replace(given, corr=found.matrix, kind="polychoric")
    return explore_study(study, model=model, ordinal=behind, **options)
