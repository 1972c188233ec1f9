"""Reference, property and contract: importance, change, dose, surfaces, mixed models in corners."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.regression import (
    attrition_weights,
    bounds_test,
    change_effect,
    compare_change,
    compare_groups,
    cross_validate,
    dominance,
    dose_response,
    fit_formula,
    hedges_g,
    mixed_model,
    omega_squared,
    ordered_logit,
    planned_contrasts,
    relative_weights,
    response_surface,
)
from helpers.regression.counts import fit_poisson
from helpers.regression.formulas import formulas
from helpers.regression.subsets import resampled_correlations, subset_r2
from helpers.tables import dosing

TIGHT = 1e-6  # lme4 stops at about 1e-8 of the parameters; shares of variance follow
CURVED = 1e-5  # degrees of freedom: two numerical second derivatives


@pytest.fixture(scope="module")
def nested():
    path = Path(__file__).parents[1] / "reference" / "mixed.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", ["even", "odd", "none"])
def test_random_intercept_and_its_degrees_of_freedom_agree_with_lmertest(rows, nested, case):
    at = np.arange(len(rows))
    odd = np.floor(np.sqrt(at))
    data = rows.assign(
        even=np.repeat(np.arange(1, 25), 10), odd=odd, cross=at % 8, place=np.cos(odd),
        y=rows["sat"] + np.sin(odd * 2.4) * 0.6 + 1000,
    )  # fmt: skip
    data["y24"] = data["sat"] + np.sin(data["even"] * 2.4) * 0.5
    asked = {
        "even": ("y24", ["fair", "speed"], "even"),
        "odd": ("y", ["fair", "place"], "odd"),
        "none": ("sat", ["fair", "speed"], "cross"),
    }
    mine, ref = mixed_model(data, *asked[case]), nested[case]
    np.testing.assert_allclose(mine.fixed["b"], ref["b"], rtol=TIGHT)
    np.testing.assert_allclose(mine.fixed["se"], ref["se"], rtol=TIGHT)
    np.testing.assert_allclose(mine.fixed["df"], ref["df"], rtol=CURVED)
    np.testing.assert_allclose(mine.fixed["p_value"], ref["p"], atol=TIGHT)
    variances = [mine.variance_between, mine.variance_within]
    np.testing.assert_allclose(variances, ref["variances"], rtol=TIGHT, atol=1e-9)
    assert mine.icc == pytest.approx(ref["icc"], abs=TIGHT)
    assert mine.lr == pytest.approx(ref["lr"], abs=TIGHT)


def test_mixed_model_refuses_what_has_no_answer(rows):
    data = rows.assign(g=np.arange(240) % 8, one=1.0, twice=2 * rows["fair"])
    for spare in (["fair", "one"], ["fair", "twice"]):
        with pytest.raises(EstimationError, match=f"hold {spare[1]}"):
            mixed_model(data, "sat", spare, "g")
    with pytest.raises(EstimationError, match="no differences within groups"):
        mixed_model(data.assign(sat=data["g"] * 1.0), "sat", [], "g")
    with pytest.raises(DataContractError, match="never varies"):
        mixed_model(data.assign(sat=3.0), "sat", ["fair"], "g")


@pytest.mark.parametrize("ends", [(1.0, 30.0), (5.0, 400.0)])
def test_heaps_of_equal_doses_do_not_spoil_the_break(ends):
    # a fifth of the answers at the longest (or shortest) time that the questionnaire offers
    rng = np.random.default_rng(4)
    dose = pd.Series(rng.exponential(20, 600).clip(*ends), name="hours")
    response = pd.Series(-0.1 * np.minimum(dose, 15) + 0.2 * rng.normal(size=600), name="sat")
    found = dose_response(dose, response)
    assert found.break_low <= 15 <= found.break_high
    assert np.isfinite(found.shapes.drop(columns="shape").to_numpy(dtype=float)).all()


def test_a_break_that_is_nowhere_is_said_to_be_nowhere():
    rng = np.random.default_rng(0)
    dose = pd.Series(rng.uniform(0.1, 0.9, 300), name="days")
    found = dose_response(dose, pd.Series(dose + rng.normal(size=300), name="sat"))
    assert any(found.break_open)
    said = dosing.break_sentence(found)
    assert "do not say" in said and f"{found.break_at:.3f}" in said


def dummies(n, seed):
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, n, p=[0.45, 0.45, 0.1])
    kind[:3] = 0, 1, 2
    x = pd.DataFrame({"k1": kind == 1, "k2": kind == 2}).astype(float)
    return x.assign(x=rng.normal(size=n), y=rng.normal(size=n))


def test_draws_with_collinear_predictors_fail_and_are_counted():
    data = dummies(12, 3)  # without anybody of the reference the two columns add up to one
    for found in (
        relative_weights(data, "y", ["k1", "k2", "x"], n_boot=2000),
        dominance(data, "y", ["k1", "k2", "x"], n_boot=2000),
    ):
        assert found.n_failed > 0
        table = found.table().select_dtypes("number")
        assert np.isfinite(table.to_numpy()).all()
    drawn, failed = resampled_correlations(data.to_numpy(), n_boot=500, seed=1)
    assert len(drawn) + failed == 500
    assert subset_r2(drawn).max() < 1 + 1e-6


def test_importance_refuses_what_cannot_be_shared():
    turned = pd.DataFrame(
        {"a": [1.0, -1, 1, -1] * 5, "b": [1.0, 1, -1, -1] * 5, "y": [1.0, -1, -1, 1] * 5}
    )
    with pytest.raises(EstimationError, match="explain nothing"):
        relative_weights(turned, "y", ["a", "b"], n_boot=10)
    with pytest.raises(DataContractError, match="alone; two are needed"):
        dominance(dummies(30, 1), "y", ["x"])
    with pytest.raises(EstimationError, match="two draws are needed"):
        relative_weights(dummies(30, 1), "y", ["x", "k1"], n_boot=1)


def test_ordered_logit_without_a_maximum_is_refused():
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=(2, 200))
    data = pd.DataFrame({"x": x, "z": z, "sum": x + z, "apart": np.digitize(x, [-1, 0, 1])})
    data["item"] = np.digitize(x + rng.logistic(size=200), [-1, 0, 1])
    with pytest.raises(EstimationError, match="no maximum"):
        ordered_logit(data, "apart", ["x"])
    with pytest.raises(EstimationError, match="no maximum"):
        ordered_logit(data.assign(top=(data["item"] == 3) * 1.0), "item", ["z", "top"])
    with pytest.raises(EstimationError, match="hold sum"):
        ordered_logit(data, "item", ["x", "z", "sum"])
    with pytest.raises(DataContractError, match="different columns"):
        ordered_logit(data, "item", ["x", "x"])


def test_weights_must_stand_for_somebody():
    rng = np.random.default_rng(5)
    x, y = (pd.Series(rng.normal(size=60)) for _ in range(2))
    group = pd.Series(np.tile([0.0, 1.0], 30))
    for weight in (-1.0, 0.0):
        with pytest.raises(DataContractError, match="hold 1 that are not above"):
            compare_change(x, y, group, weights=pd.Series(np.r_[weight, np.ones(59)]))
    for before in (group, x * 0):
        with pytest.raises(DataContractError, match="never vary within"):
            compare_change(before, y, group)
    with pytest.raises(DataContractError, match="above zero is needed"):
        change_effect(x, y, bound=-0.2)


def test_attrition_needs_overlap_and_an_answer_for_everybody():
    rng = np.random.default_rng(5)
    data = pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"]).assign(c=1.0)
    came = pd.Series(rng.random(80) < 0.6)
    with pytest.raises(EstimationError, match="overlap is needed"):
        attrition_weights(data, data["a"] > 0, ["a", "b"])
    with pytest.raises(DataContractError, match="hold c"):
        attrition_weights(data, came, ["a", "c"])
    # a blank would otherwise count as having answered
    with pytest.raises(DataContractError, match="3 blanks"):
        attrition_weights(data, came.astype(object).where(data.index > 2), ["a"])


def test_differences_of_any_size_have_an_interval():
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 40))
    for gap in (30.0, 3000.0, 1e6):
        g, low, high = hedges_g(a + gap, b)
        assert low < g < high and low > 0.6 * g
    # by the definition: t lies at the tails of the noncentral t of either end
    g, low, high = hedges_g(a + 30, b)
    t = float(stats.ttest_ind(a + 30, b).statistic)
    tails = stats.nct.cdf(t, 78, t * np.array([low, high]) / g)
    np.testing.assert_allclose(tails, [0.975, 0.025], atol=1e-9)
    group = np.repeat([0.0, 100.0], 40)
    far = compare_groups(pd.Series(np.r_[a, b] * 1e-6 + group), pd.Series(group))
    assert 0.999 < far.omega_sq_low <= far.omega_sq <= 1


def test_values_without_spread_are_refused():
    flat, cells = pd.Series(np.ones(40)), pd.Series(["a", "b"] * 20)
    with pytest.raises(EstimationError, match="never vary within the cells"):
        planned_contrasts(flat, cells, {"m": {"a": 1, "b": -1}})
    with pytest.raises(DataContractError, match="are empty or do not"):
        planned_contrasts(flat, cells, {"m": {}})
    with pytest.raises(EstimationError, match="hedges_g"):
        hedges_g(np.ones(5), np.ones(5))
    with pytest.raises(EstimationError, match="omega_squared"):
        omega_squared([np.ones(3), np.ones(4)])
    found = compare_groups(flat, cells, least=5)
    assert isinstance(found.welch_f, Unavailable) and "vary" in found.welch_f.why


def test_surfaces_that_are_not_determined_are_refused():
    rng = np.random.default_rng(9)
    data = pd.DataFrame(rng.integers(1, 8, size=(200, 2)).astype(float), columns=["a", "b"])
    data["n"] = np.r_[np.zeros(198), 1, 2]
    with pytest.raises(EstimationError, match="sums of one another"):
        same = data.assign(b=data["a"], n=rng.poisson(1, 200))
        response_surface(same, "n", ["a", "b"], family="count")
    with pytest.raises(EstimationError, match="without a surface"):
        response_surface(data, "n", ["a", "b"], family="count", n_boot=50)
    with pytest.raises(DataContractError, match="n_boot= is 0"):
        response_surface(data, "n", ["a", "b"], n_boot=0)


def test_formula_of_counts_refuses_nobody_with_a_problem():
    f1 = next(f for f in formulas() if f.id == "F1")
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.uniform(1, 7, size=(100, 3)), columns=["IQ", "EQ", "AQ"])
    data["NFAIL"] = rng.poisson(1, 100)  # 0 problems less the one that everybody has are -1
    with pytest.raises(DataContractError, match="no counts from 1 on"):
        fit_formula(f1, data)
    with pytest.raises(DataContractError, match="20 rows"):
        fit_formula(f1, data.assign(NFAIL=data["NFAIL"] + 1).head(12))


def test_formulas_say_what_equal_answers_do_not_allow():
    """Contract: heaps of equal answers end in a sentence, not in an index out of range."""
    rng = np.random.default_rng(3)
    known = {f.id: f for f in formulas()}
    names = ["DSAT", "LOGQ", "IQ", "EQ", "AQ"]
    data = pd.DataFrame(rng.integers(1, 8, size=(80, 5)).astype(float), columns=names)
    for heap in (np.full(80, 6.0), np.where(np.arange(80) < 78, 6.0, 5.0), data["LOGQ"] > 4):
        with pytest.raises(DataContractError, match="so alike|varies"):
            fit_formula(known["F2b"], data.assign(LOGQ=heap))
    three = fit_formula(known["F2b"], data.assign(LOGQ=np.repeat([1, 2, 3], [50, 15, 15])))
    assert (three.df, "at most four" in three.row()["rival"]) == (1, True)
    # one respondent alone with another problem; and problems wherever displayed quality is 7
    alone = data.assign(NFAIL=np.r_[3, np.ones(79)])
    apart = data.assign(NFAIL=np.where(data["IQ"] > 6, 3, 1))
    for counts in (alone, apart):
        with pytest.raises(EstimationError, match="no maximum"):
            fit_formula(known["F1"], counts)


def test_counts_with_an_outlier_have_the_weights_of_the_score_equations():
    rng = np.random.default_rng(9)
    design = np.column_stack([np.ones(90), rng.normal(size=90)])
    counts = rng.poisson(np.exp(design @ [0.2, 0.5])).astype(float)
    counts[0] = 60
    fit = fit_poisson(counts, design)
    np.testing.assert_allclose(design.T @ (counts - np.exp(design @ fit.params)), 0, atol=1e-5)
    with pytest.raises(EstimationError, match="no maximum"):
        fit_poisson(np.zeros(90), design)


def test_doses_of_zero_are_counted_and_told():
    rng = np.random.default_rng(5)
    dose = pd.Series(np.r_[np.zeros(12), rng.uniform(1, 50, 88)], name="hours")
    response = pd.Series(rng.normal(size=100), name="sat")
    response[99] = np.nan
    found = dose_response(dose, response)
    assert (found.n_used, found.n_dropped, found.n_zero) == (87, 13, 12)
    note = dosing.dose_table(found).note
    assert "n = 87, 1 left out for a blank" in note and "dose of zero" in note and "12." in note
    assert "dose of zero" in dosing.break_sentence(found)
    assert found.slope == dose_response(dose[dose > 0], response[dose > 0]).slope
    with pytest.raises(DataContractError, match="0 complete rows above 0, 100 of 0"):
        dose_response(dose * 0, response.fillna(1.0))
    with pytest.raises(DataContractError, match="below 0"):
        dose_response(dose - 1, response)


def test_a_response_that_never_varies_or_lies_on_two_lines_is_refused():
    dose = pd.Series(np.linspace(1, 41, 81), name="hours")
    with pytest.raises(DataContractError, match="never varies"):
        dose_response(dose, dose * 0)
    with pytest.raises(EstimationError, match="exactly"):
        dose_response(dose, np.minimum(dose, 21.0).rename("sat"))


def test_tests_refuse_what_makes_no_question():
    with pytest.raises(DataContractError, match="bounds"):
        bounds_test(0.5, 0.1, 1, 0)
    with pytest.raises(DataContractError, match="folds= is 10"):
        cross_validate(np.zeros(5), lambda a, b: b, lambda a, b: b, seed=1)
