"""Recovery and agreement: the treatments of missing answers side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers import load_study
from helpers.errors import Unavailable
from helpers.sem.missing_methods import METHODS, compare_missing_methods
from helpers.sem.study_fit import fit_model, model_data
from helpers.tables.missing_treatments import (
    imputation_sentence,
    imputation_trace,
    trace_data,
    treatments_checks,
    treatments_figure,
    treatments_sentence,
    treatments_table,
)
from helpers.tables.survey_missing import known_predictors


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def compared(study):
    return compare_missing_methods(
        study, "mediation_partial", auxiliary=known_predictors(study), m=5
    )


def test_every_method_gives_every_path(study, compared):
    counts = compared.paths.groupby("method").size()
    assert counts.to_dict() == dict.fromkeys(METHODS, 3)
    used = compared.paths.groupby("method")["n_used"].first()
    assert used["listwise"] == len(model_data(study, "mediation_partial").dropna())
    assert used["fiml"] == used["imputation"] == len(study.responses)


def test_fiml_is_the_fit_of_the_suite(study, compared):
    own = fit_model(study, "mediation_partial").estimates.query("op == '~'")
    ours = compared.paths.query("method == 'fiml'")
    np.testing.assert_allclose(ours["est"], own["est"])
    np.testing.assert_allclose(ours["se"], own["se"])
    assert (ours["shift"] == 0).all()


def test_imputation_agrees_with_fiml_within_chance(compared):
    """Blanks are few: the two ways differ by a small part of a standard error."""
    assert compared.paths.query("method == 'imputation'")["shift"].abs().max() < 0.2
    fmi = compared.paths.query("method == 'imputation'")["fmi"]
    assert ((fmi > 0) & (fmi < 0.2)).all()


def test_readings_hold_the_numbers(study, compared):
    table = treatments_table(compared)
    first = compared.paths.iloc[0]
    assert f"{first['est']:.2f}".replace("-", "−") in table.markdown()
    assert f"{first['rhs']} → {first['lhs']}" in table.markdown()
    text = treatments_sentence(compared)
    kept = compared.paths.query("method == 'listwise'")["n_used"].iloc[0]
    assert f"{kept} of {len(study.responses)}" in text
    figure = treatments_figure(study, compared)
    assert set(figure) >= {"label", "estimate", "ci_low", "ci_high", "treatment"}
    assert imputation_trace(compared.imputations, most=2)["item"].nunique() == 2


def test_a_study_without_blanks_has_nothing_to_compare():
    study = load_study("ecsi_mobile")
    result = compare_missing_methods(study, "structural", auxiliary=pd.DataFrame())
    assert isinstance(result, Unavailable)
    assert isinstance(treatments_table(result), Unavailable)


@pytest.mark.slow
def test_too_few_people_to_impute_is_said_and_the_rest_stands(study, monkeypatch):
    small = study.responses.head(25).copy()
    small.loc[small.index[:3], "REC1"] = np.nan
    monkeypatch.setattr(type(study), "responses", small)
    result = compare_missing_methods(
        study, "mediation_partial", auxiliary=known_predictors(study), m=3
    )
    assert "imputation" in result.unavailable
    assert "too few answers" in result.unavailable["imputation"].text()
    assert "imputation" not in set(result.paths["method"])
    assert imputation_sentence(result) is result.unavailable["imputation"]
    assert isinstance(trace_data(result), Unavailable)
    assert [type(c) for c in treatments_checks(result)] == [Unavailable]
    assert treatments_table(result).markdown()
