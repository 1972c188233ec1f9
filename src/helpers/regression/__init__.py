"""Regression: hierarchical steps, moderation, mean comparisons, dose and response, F1-F7."""

from helpers.regression.comparisons import compare_groups, compare_paired, hedges_g, omega_squared
from helpers.regression.conditional import moderation
from helpers.regression.design import dummy_term, study_term, variable_label
from helpers.regression.dose import dose_response, restricted_cubic
from helpers.regression.formula_fit import fit_formula, study_formulas
from helpers.regression.formulas import formulas
from helpers.regression.hierarchical import (
    hierarchical_regression,
    regression_title,
    study_regression,
)
from helpers.regression.study_views import (
    study_dose_response,
    study_moderation,
    study_regressions,
)

__all__ = [
    "compare_groups",
    "compare_paired",
    "dose_response",
    "dummy_term",
    "fit_formula",
    "formulas",
    "hedges_g",
    "hierarchical_regression",
    "moderation",
    "omega_squared",
    "regression_title",
    "restricted_cubic",
    "study_dose_response",
    "study_formulas",
    "study_moderation",
    "study_regression",
    "study_regressions",
    "study_term",
    "variable_label",
]
