"""Regressions of whole studies: recovery of planted weights, and reasons where variables lack."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from helpers import load_study
from helpers.errors import DataContractError, Unavailable
from helpers.regression import (
    fit_formula,
    formulas,
    study_dose_response,
    study_formulas,
    study_moderation,
    study_regression,
    study_regressions,
    study_term,
)
from helpers.tables import dosing, regressing
from helpers.tables import formulas as readings


@pytest.fixture(scope="module")
def shopping():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def fitted(shopping):
    return study_formulas(shopping, seed=1)


def test_planted_weights_come_back(shopping, fitted):
    planted = shopping.truth["formulas"]
    names = {
        "F3": {"EXM5": "expectation_met", "SPD5": "speed"},
        "F4": {"TRN5": "transparency", "REP5": "reputation"},
    }
    for formula, terms in names.items():
        weights = fitted.result(formula).weights.set_index("term")
        for term, name in terms.items():
            low, high = weights.loc[term, ["ci_low", "ci_high"]]
            # sliders end at 0 and 10, which bends the planted line by at most .02
            assert low - 0.02 <= planted[formula][name] <= high + 0.02, (formula, term)


def test_planted_shapes_come_back(shopping, fitted):
    f2 = shopping.truth["formulas"]["F2"]
    known = {formula.id: formula for formula in formulas()}["F2a"]
    planted = dataclasses.replace(
        known,
        freer=lambda t: t[["LOGQ"]].assign(above=np.maximum(t["LOGQ"] - f2["kink"], 0)),
    )
    data = pd.concat([shopping.responses["DSAT"], shopping.scores["LOGQ"]], axis=1)
    weights = fit_formula(planted, data).weights.set_index("term")
    bend = f2["slope_above"] - f2["slope_below"]
    for term, truth in {"LOGQ": f2["slope_below"], "above": bend}.items():
        # sliders end at 10, which flattens the planted lines by at most .05
        assert weights.loc[term, "ci_low"] - 0.05 < truth < weights.loc[term, "ci_high"] + 0.05
    for rival in ("F2a", "F2b"):  # a kink is planted, so a line is not enough
        assert fitted.result(rival).p_value < 0.001
    # F6 as stated gives the earlier satisfaction the weight 1; the planted weight is below 1
    assert fitted.result("F6").p_value < 0.001


def test_steps_hold_categories_by_their_labels(shopping):
    term = study_term(shopping, "GENDER")
    assert term.reference == "male" and list(term.columns) == ["gender: female"]
    result = study_regression(shopping, "loyalty")
    assert result.n_used + result.n_dropped == len(shopping.responses)
    assert (np.diff(result.steps["r2"]) > 0).all()
    recovery = result.last().set_index("term").loc["recovery quality"]
    assert recovery["ci_low"] > 0  # a positive path is planted (H2)


def test_moderation_has_the_planted_sign(shopping):
    result = study_moderation(shopping, outcome="RSAT", predictor="REC", moderator="SEV")
    assert result.product < 0 and (result.slopes["ci_low"] > 0).all()
    assert regressing.moderation_checks(result, "-")[0].value == result.product


def test_hours_act_by_their_logarithm(shopping):
    result = study_dose_response(shopping, dose="HOURS", response="SPEED")
    assert result.best != "linear"  # planted: a slope on log(hours / 24)
    assert result.slope_high < 0


def test_what_a_study_lacks_is_said(shopping):
    published = load_study("maxham_netemeyer_2003")
    assert isinstance(study_formulas(published), Unavailable)
    lacking = study_moderation(shopping, outcome="RSAT", predictor="REC", moderator="NOPE")
    assert isinstance(lacking, Unavailable) and "NOPE" in lacking.text()
    assert regressing.moderation_labels(lacking) == {}
    assert dosing.dose_sentence(lacking) is lacking
    with pytest.raises(DataContractError, match="Did you mean 'loyalty'"):
        study_regressions(shopping, only="loyalti")
    with pytest.raises(DataContractError, match="'CAUSE', an item of kind 'multiple'"):
        study_term(shopping, "CAUSE")


def test_tables_hold_the_numbers_of_the_results(shopping, fitted):
    results = study_regressions(shopping)
    steps = regressing.steps_table(results).frame
    assert len(steps) == sum(len(r.steps) for r in results.values())
    assert len(readings.formulas_table(fitted).frame) == 10
    assert set(regressing.slopes_picture(results)["label"]).isdisjoint({"gender: female"})
