"""Property and contract: regressions on data that do not allow all of what is asked."""

import numpy as np
import pandas as pd
import pytest

from helpers import load_study
from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.regression import (
    compare_groups,
    hierarchical_regression,
    influence,
    mixed_model,
    moderation,
    study_change,
    study_regressions,
)
from helpers.regression.design import Term, dummy_term
from helpers.regression.least_squares import estimable, fit_least_squares
from helpers.regression.process import process
from helpers.regression.study_change import study_against_control, study_paradox
from helpers.regression.study_importance import study_influence, study_nested
from helpers.tables import changing, importance, regressing

SAME = 1e-9  # two ways to one number in double precision


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(8)
    table = pd.DataFrame(rng.normal(size=(90, 3)), columns=["x", "z", "e"])
    kind = rng.choice(["a", "b", "c"], 90).astype(object)
    kind[7] = "alone"
    return table.assign(y=table["x"] + table["e"], kind=kind)


def number(table, name):
    return Term(name, name, table[[name]])


def kinds(table):
    return dummy_term(table["kind"], name="kind", label="kind")


def test_category_of_one_person_has_no_robust_error_and_spoils_no_other(rows):
    whole = hierarchical_regression(rows["y"], [[number(rows, "x")], [kinds(rows)]], label="y")
    others = rows.drop(index=7)
    without = hierarchical_regression(
        others["y"], [[number(others, "x")], [kinds(others)]], label="y"
    )
    assert whole.alone == ("kind: alone",)
    one = whole.last().set_index("term")
    assert np.isnan(one.loc["kind: alone", ["se", "ci_low", "p_value"]].astype(float)).all()
    # a person who is a category of his own tells nothing of the other slopes
    two = without.last().set_index("term")
    np.testing.assert_allclose(one.loc[two.index, ["b", "se"]], two[["b", "se"]], rtol=SAME)
    assert np.isnan(whole.steps["p_robust"].iloc[1])
    assert whole.steps["p_robust"].iloc[0] == pytest.approx(
        fit_least_squares(rows["y"], rows[["x"]]).wald([1])[1]
    )
    assert np.isfinite(whole.cooks_max)
    note = regressing.coefficients_table({"y": whole}).note
    assert "rests on one respondent" in note


def test_influence_survives_a_category_that_only_influential_rows_have(rows):
    table = rows.copy()
    table.loc[[3, 4], "kind"] = "rare"
    table.loc[[3, 4], "y"] += [15, -18]
    found = influence(table["y"], pd.concat([table[["x"]], kinds(table).columns], axis=1))
    slopes = found.slopes.set_index("term")
    assert np.isnan(slopes.loc["kind: rare", "b_without"])
    assert np.isfinite(slopes.loc["x", "b_without"])
    assert "kind: rare" not in regressing.influence_sentence(found)


def test_nobody_above_the_cut_is_said_so(rows):
    x = np.tile([-1.0, 1.0], 20)
    y = x + np.repeat([0.5, -0.5], 20)
    found = influence(pd.Series(y), pd.DataFrame({"x": x}))
    assert found.above_cook == 0
    assert "moves most" not in regressing.influence_sentence(found)


def test_category_lost_to_blanks_falls_away_by_name(rows):
    table = rows.copy()
    table.loc[table["kind"] == "b", "z"] = np.nan
    steps = [[number(table, "z")], [kinds(table)]]
    found = hierarchical_regression(table["y"], steps, label="y")
    assert found.left_out == ("kind: b",)
    assert "kind: b" in regressing.steps_table({"y": found}).note
    kept = table.dropna()
    again = hierarchical_regression(kept["y"], [[number(kept, "z")], [kinds(kept)]], label="y")
    np.testing.assert_allclose(found.last()["b"], again.last()["b"], rtol=SAME)


def test_reference_lost_to_blanks_passes_to_the_next_category(rows):
    table = rows.copy()
    lost = kinds(table).reference
    table.loc[table["kind"] == lost, "z"] = np.nan
    found = hierarchical_regression(table["y"], [[number(table, "z")], [kinds(table)]], label="y")
    kept = table.dropna()
    again = hierarchical_regression(kept["y"], [[number(kept, "z")], [kinds(kept)]], label="y")
    assert found.references == again.references != (f"kind: {lost}",)
    assert found.left_out == (f"kind: {lost}",)
    np.testing.assert_allclose(found.last()["b"], again.last()["b"], rtol=SAME)


def test_columns_that_cannot_be_estimated_are_found_at_any_scale(rows):
    x = rows[["x", "z"]].assign(big=rows["e"] * 1e9 + 1e10, small=rows["y"] ** 2 * 1e-8, one=1.0)
    x["sum"] = x["x"] - 2 * x["z"] + 3
    assert estimable(x) == ["x", "z", "big", "small"]


def test_process_refuses_a_covariate_of_one_person(rows):
    table = rows[["x", "z", "y"]].assign(alone=(rows.index == 7) * 1.0)
    with pytest.raises(EstimationError, match="rests on one row"):
        process(table, model=4, x="x", m="z", y="y", covariates=["alone"], n_boot=10, seed=1)


def test_bad_outcomes_are_refused(rows):
    x = rows[["x"]]
    with pytest.raises(EstimationError, match="gives y= exactly"):
        fit_least_squares(2 * rows["x"] + 1, x)
    with pytest.raises(DataContractError, match="infinite"):
        fit_least_squares(rows["y"].where(rows["x"] < 1, np.inf), x)
    with pytest.raises(EstimationError, match="never vary or are sums of others: one"):
        fit_least_squares(rows["y"], x.assign(one=1.0))


def test_region_says_on_which_side_of_zero(rows):
    for sign in (1, -1):
        y = sign * (rows["x"] * (2 + rows["z"])) + 0.3 * rows["e"]
        found = moderation(y, number(rows, "x"), number(rows, "z"))
        above = found.regions.set_index("sign")["high"]["+" if sign > 0 else "-"]
        assert above == pytest.approx(rows["z"].max())
        word = "above" if sign > 0 else "below"
        assert f"lies {word} zero from" in found.region_text()


@pytest.fixture(scope="module")
def one_platform():
    return load_study("online_shopping where platform = 2")


def test_predictor_that_one_platform_shares_is_left_out_by_name(one_platform):
    results = study_regressions(one_platform)
    assert all("platform" in " ".join(r.left_out).lower() for r in results.values())
    assert "Left out" in regressing.steps_table(results).note
    assert not isinstance(study_influence(one_platform, "loyalty"), Unavailable)
    assert isinstance(study_nested(one_platform, group="platform"), Unavailable)


def test_too_few_respondents_end_in_a_reason():
    few = load_study("online_shopping where platform = 4 and failure_type = 1")
    results = study_regressions(few)
    assert isinstance(results, Unavailable)
    assert "complete rows" in results.why
    for said in (regressing.steps_table, regressing.gain_sentences, regressing.slopes_picture):
        assert said(results) is results
    assert regressing.regression_checks(results) == [results]
    assert regressing.regression_numbers(results) == []


def test_collinearity_of_a_category_does_not_depend_on_its_reference(rows):
    """Property: a rare category of reference makes its columns collinear, not the variable."""
    kind = np.array(["b", "c"])[np.arange(90) % 2].astype(object)
    kind[:3] = "a"
    first = pd.Categorical(kind, ["a", "b", "c"])
    second = pd.Categorical(kind, ["b", "a", "c"])
    found = []
    for order in (first, second):
        term = dummy_term(pd.Series(order), name="kind", label="kind")
        result = hierarchical_regression(rows["y"], [[number(rows, "x"), term]], label="y")
        assert result.last()["vif"].nunique() == 2  # one of the number, one of the category
        found.append(result.last()["vif"].tolist())
        assert result.checks()[0].passed
    np.testing.assert_allclose(found[0], found[1], rtol=SAME)


def test_few_people_are_not_told_from_the_difference_to_all(shopping_with_few_unrecovered):
    """Contract: three people without recovery show in no row, and in no row beside all."""
    study = shopping_with_few_unrecovered
    rule = {"hypothesis": "H10", "before": "PRESAT"}
    found = study_paradox(study, after="OSAT", satisfied="RSAT", excellent_from=6.0, **rule)
    assert set(found.hidden) == {"recovered", "none"}
    assert found.row("all") is not None and found.row("recovered") is None
    note = changing.paradox_table(found, study).note
    assert "fewer than 5 persons" in note and "n = 3" not in note
    control = study_against_control(study, ["OSAT"], **rule)
    assert isinstance(control, Unavailable) and "fewer than 5" in control.why


@pytest.fixture
def shopping_with_few_unrecovered(monkeypatch):
    study = load_study("online_shopping")
    answers = study.responses["MEAS"]
    gone = answers.index[answers == 4][3:]
    flag = answers.isin([1, 2, 3]).astype(float).where(answers.notna())
    flag.loc[gone] = np.nan
    monkeypatch.setattr(study_change, "recovered_flag", lambda *_a: flag)
    return study


def test_sizes_of_small_groups_are_not_told():
    """Contract: the size of the smallest group would tell what the merged sample table hides."""
    study = load_study("online_shopping")
    table = pd.DataFrame({"y": np.arange(60.0) % 7, "g": [1] * 40 + [2] * 17 + [3] * 3})
    for rows, size in (
        (table, "< 5 - 40"),
        (table[table["g"] != 2], "< 5"),
        (table[:57], "17 - 40"),
    ):
        models = {"group": mixed_model(rows, "y", [], "g")}
        assert importance.nested_table(models, study).frame["sizes"].item() == size


def test_equal_means_are_not_said_to_differ():
    values = pd.Series(np.tile([1.0, 2.0, 3.0], 40))
    groups = pd.Series(np.repeat(["a", "b", "c"], [60, 54, 6]))
    found = compare_groups(values, groups)
    assert found.omega_sq == 0 and "differ" not in found.text()
    assert found.n_used == 120 and "n = 114" in found.text()  # those who were compared
