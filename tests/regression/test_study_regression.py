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
    study_match,
    study_moderation,
    study_regression,
    study_regressions,
    study_surfaces,
    study_term,
)
from helpers.regression.study_change import study_changes, study_later, study_paradox
from helpers.regression.study_importance import study_importance, study_nested, study_repeated
from helpers.sem.formula_paths import study_latent_formula
from helpers.tables import changing, dosing, importance, regressing
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


def test_formula_f5_is_larger_without_measurement_error(shopping):
    """Planted: RSAT on REC, directly and through NEG and BID, .42 + .45 x .25 + .45 x .18."""
    result = study_latent_formula(shopping)
    first = result.paths.iloc[0]
    assert result.trustworthy and first["latent"] > first["beta"]
    assert first["latent_low"] < 0.42 + 0.45 * 0.25 + 0.45 * 0.18 < first["latent_high"]
    assert isinstance(study_latent_formula(load_study("maxham_netemeyer_2003")), Unavailable)


def test_items_that_repeat_one_another_leave_the_latent_formula_out(shopping, monkeypatch):
    same = shopping.responses.assign(SEV2=shopping.responses["SEV1"])
    monkeypatch.setattr(type(shopping), "responses", property(lambda _self: same))
    found = study_latent_formula(shopping)
    assert isinstance(found, Unavailable) and "SEV1" in found.why


def test_drivers_come_back_in_the_planted_order(shopping):
    planted = shopping.truth["structure"]["drivers"]["loading"]
    result = study_importance(shopping, n_boot=500)
    assert set(result.predictors) == set(planted) and result.outcome == "LOY"
    order = sorted(planted, key=planted.get, reverse=True)
    weights = result.weights.weights.set_index("predictor")
    # neighbours lie within each other's intervals; first and last are apart
    assert weights.loc[order[0], "ci_low"] > weights.loc[order[-1], "ci_high"]
    rank = weights.loc[order, "weight"].rank().to_numpy()
    assert np.corrcoef(rank, -np.arange(6))[0, 1] > 0.8
    assert len(importance.pairs_table(result, shopping).frame) == 15


@pytest.mark.slow
def test_nesting_of_people_and_of_outcomes(shopping):
    people = study_repeated(shopping)
    assert people.n_groups > 900 and 0.2 < people.icc < 0.6 and people.p_value < 1e-6
    platforms = study_nested(shopping, group="platform")
    assert platforms.n_groups == 4 and platforms.icc < 0.05  # none is planted
    said = importance.nested_sentence({"group": platforms, "person": people})
    assert "fewer than the 30 groups" in said


def test_paradox_and_double_deviation(shopping):
    paradox = study_paradox(
        shopping, before="PRESAT", after="OSAT", satisfied="RSAT", excellent_from=6.0,
        hypothesis="H10",
    )  # fmt: skip
    assert paradox.row("excellent")["ci_low"] > 0 > paradox.row("none")["ci_high"]
    table = study_changes(shopping, [("SATB", "RS5"), ("FU_PRE_N", "FU_POST_N")], module="followup")
    planted = shopping.truth["tables"]["T6"]
    low, high = table.loc[0, ["ratio_low", "ratio_high"]]
    assert low < planted["satisfaction_ratio"] < high  # T6: about 1.5 times
    low, high = table.loc[1, ["ratio_low", "ratio_high"]]
    assert low < planted["purchases_ratio"] < high
    later = study_later(
        shopping, before="FU_PRE_N", after="FU_POST_N", module="followup",
        predictors=["AGE", "RS5"], hypothesis="H10",
    )  # fmt: skip
    # planted: answering again rises with age (0.020 a year) and with satisfaction (0.18 a step)
    odds = later.attrition.model.set_index("term")
    for term, truth in {"AGE": 0.020, "RS5": 0.18}.items():
        assert odds.loc[term, "ci_low"] < np.exp(truth) < odds.loc[term, "ci_high"]
    assert later.attrition.balance["weighted"].abs().max() < 0.01
    assert all(c.passed for c in changing.paradox_checks(paradox, later))


def test_match_is_found_where_it_was_planted(shopping):
    quality, satisfied = study_match(shopping, "H6", ["REC", "RSAT"])
    assert quality.planned.contrast("match")["joint_low"] > 0
    assert quality.failure_codes == (1, 2, 3) and quality.other_measures == (3,)
    cells = quality.planned.cells.set_index("cell")["mean"]
    by_hand = (cells["11"] - cells["10"] - cells["01"] + cells["00"]) / 2
    assert quality.planned.contrast("match")["estimate"] == pytest.approx(by_hand)
    assert satisfied.planned.n_used == quality.planned.n_used
    assert isinstance(study_match(load_study("ecsi_mobile"), "H6", ["CUSA"]), Unavailable)


def test_gaps_carry_f1(shopping):
    """Planted: further problems rise with both gaps; the surface has no curvature of its own."""
    for surface in study_surfaces(shopping, n_boot=50).values():
        assert surface.line("a3")["ci_low"] > 0 and surface.gain_p > 0.01
        even = surface.line("a1")
        assert even["ci_low"] < 0 < even["ci_high"]  # equal qualities, no further problems
