"""Convergent and discriminant validity of a study's measurement model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import SuiteError, Unavailable
from helpers.i18n import _
from helpers.sem.latent_validity import LatentValidity, distinctness_tests, latent_validity
from helpers.sem.method_factors import measurement_part, substantive_items
from helpers.sem.study_fit import fit_model
from helpers.sem.syntax import parse

if TYPE_CHECKING:
    from helpers.survey.load import Study


def study_validity(
    study: Study, model: str, *, estimator: str = "MLR", missing: str = "fiml"
) -> LatentValidity | Unavailable:
    """Fit a measurement model and return CR, AVE and latent correlations with intervals."""
    what = _("the validity of the constructs")
    fitted = fit_model(study, model, estimator=estimator, missing=missing)
    if isinstance(fitted, Unavailable):
        return fitted
    if not fitted.trustworthy or not fitted.n_known:
        return Unavailable(what, " ".join(fitted.result.problems) or _("the number of respondents "
                           "behind the matrix is not known"))  # fmt: skip
    try:
        return latent_validity(fitted.result)
    except SuiteError as error:
        return Unavailable(what, str(error))


def study_distinctness(
    study: Study, model: str, validity: LatentValidity | Unavailable, *, most: int = 12
) -> pd.DataFrame | Unavailable:
    """Test whether the pairs with the largest latent correlations may be one construct."""
    if isinstance(validity, Unavailable):
        return validity
    specification = study.model(model)
    if isinstance(specification, Unavailable):
        return specification
    if not study.has_rows:
        return Unavailable(
            _("tests of a correlation of 1"),
            _("the study is a published matrix without respondents"),
        )
    text = measurement_part(specification.syntax)
    rows = study.responses[substantive_items(parse(text))]
    try:
        return distinctness_tests(text, rows, validity.pairs, most=most)
    except SuiteError as error:
        return Unavailable(_("tests of a correlation of 1"), str(error))
