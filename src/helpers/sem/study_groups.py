"""A study's groups compared: invariance of its measures, then its structural paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import SuiteError, Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.sem.compare import compare
from helpers.sem.groups import Invariance, group_sizes, invariance, path_differences
from helpers.sem.study_fit import ModelFit, fit_model, model_data, without_labels

if TYPE_CHECKING:
    from helpers.survey.load import Study


@dataclass(frozen=True, slots=True)
class GroupPaths:
    """Structural paths of a model in each group.

    Attributes
    ----------
    free : ModelFit
        Loadings equal over groups, paths free.
    equal : ModelFit or Unavailable
        Paths held equal too.
    delta_chisq, delta_df, p_value : float
        Test of equal paths, all at once; NaN if it cannot be given.
    differences : DataFrame
        As from ``path_differences``.
    """

    free: ModelFit
    equal: ModelFit | Unavailable
    delta_chisq: float
    delta_df: float
    p_value: float
    differences: pd.DataFrame


def study_invariance(
    study: Study, model: str, group: str, *, estimator: str = "ML", missing: str = "listwise"
) -> Invariance | Unavailable:
    """Fit the ladder of invariance for a model and a grouping of the study file."""
    lacking = study.offers("rows", f"group:{group}", f"model:{model}")
    if lacking is not None:
        return lacking
    data = model_data(study, model, group)
    if isinstance(data, Unavailable):
        return data
    syntax = without_labels(study.model(model).syntax)
    try:
        return invariance(syntax, data, group, estimator=estimator, missing=missing)
    except SuiteError as error:
        return Unavailable(_("the comparison of groups"), str(error))


def study_group_paths(
    study: Study, model: str, group: str, *, estimator: str = "ML", missing: str = "listwise"
) -> GroupPaths | Unavailable:
    """Fit a structural model in groups, paths free and paths equal, and compare the paths."""
    lacking = study.offers("rows", f"group:{group}", f"model:{model}")
    if lacking is not None:
        return lacking
    data = model_data(study, model, group)
    try:
        group_sizes(data, group)
    except SuiteError as error:
        return Unavailable(_("the comparison of groups"), str(error))
    call = {"estimator": estimator, "missing": missing, "group": group}
    free = fit_model(study, model, group_equal=("loadings",), **call)
    equal = fit_model(study, model, group_equal=("loadings", "regressions"), **call)
    return _joined(free, equal)


@passes_unavailable
def _joined(free: ModelFit, equal: ModelFit) -> GroupPaths:
    """Put both fits and their test together."""
    test = compare(equal.result, free.result)
    return GroupPaths(
        free, equal, test.delta_chisq, test.delta_df, test.p_value, path_differences(free.result)
    )


def group_title(study: Study, group: str) -> str:
    """Return the title of a grouping in the current language, or its name."""
    grouping = study.spec.groups.get(group)
    return pick(grouping.title.model_dump()) if grouping else group
