"""Regression: steps, moderation, comparisons, importance, change, dose, surfaces, F1-F7."""

from helpers.regression.attrition import attrition_weights
from helpers.regression.change import change_effect, compare_change
from helpers.regression.comparisons import compare_groups, hedges_g, omega_squared
from helpers.regression.conditional import moderation
from helpers.regression.contrasts import planned_contrasts, study_match
from helpers.regression.design import dummy_term, study_term, variable_label
from helpers.regression.dominance import dominance
from helpers.regression.dose import dose_response, restricted_cubic
from helpers.regression.formula_fit import fit_formula
from helpers.regression.formulas import formulas
from helpers.regression.hierarchical import hierarchical_regression
from helpers.regression.influence import influence
from helpers.regression.mixed import long_outcomes, mixed_model
from helpers.regression.ordered import ordered_logit
from helpers.regression.paired import compare_paired
from helpers.regression.prediction import bounds_test, cross_validate, vuong_test
from helpers.regression.relative import relative_weights
from helpers.regression.study_formulas import study_formulas
from helpers.regression.study_views import (
    regression_title,
    study_dose_response,
    study_moderation,
    study_regression,
    study_regressions,
    study_surfaces,
)
from helpers.regression.subsets import subset_r2
from helpers.regression.surface import response_surface

__all__ = [
    "attrition_weights",
    "bounds_test",
    "change_effect",
    "compare_change",
    "compare_groups",
    "compare_paired",
    "cross_validate",
    "dominance",
    "dose_response",
    "dummy_term",
    "fit_formula",
    "formulas",
    "hedges_g",
    "hierarchical_regression",
    "influence",
    "long_outcomes",
    "mixed_model",
    "moderation",
    "omega_squared",
    "ordered_logit",
    "planned_contrasts",
    "regression_title",
    "relative_weights",
    "response_surface",
    "restricted_cubic",
    "study_dose_response",
    "study_formulas",
    "study_match",
    "study_moderation",
    "study_regression",
    "study_regressions",
    "study_surfaces",
    "study_term",
    "subset_r2",
    "variable_label",
    "vuong_test",
]
