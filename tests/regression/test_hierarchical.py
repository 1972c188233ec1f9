"""Hierarchical regression and moderation: reference (base R), property, contract."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError
from helpers.regression import dummy_term, hierarchical_regression, moderation
from helpers.regression.design import Term
from helpers.regression.least_squares import fit_least_squares, leave_one_out_error

EXACT = 1e-8  # the same formulas in double precision


def number(rows: pd.DataFrame, name: str) -> Term:
    return Term(name, name, rows[[name]].astype(float))


def steps_of(rows: pd.DataFrame) -> list[list[Term]]:
    failure = dummy_term(rows["failure"], name="failure", label="failure")
    return [
        [number(rows, "age"), failure],
        [number(rows, "fair"), number(rows, "speed")],
        [number(rows, "hours")],
    ]


@pytest.fixture(scope="module")
def result(rows):
    return hierarchical_regression(rows["sat"], steps_of(rows), label="sat")


def test_steps_agree_with_r(result, expected):
    theirs = expected["hierarchical"]
    for row, step in zip(result.steps.to_dict("records"), theirs["steps"], strict=True):
        for name in ("r2", "adj_r2", "aic"):
            assert row[name] == pytest.approx(step[name], abs=EXACT)
        mine = result.coefficients[result.coefficients["step"] == row["step"]]
        for column, name in {"b": "b", "se": "se", "df": "df", "p_value": "p"}.items():
            assert np.allclose(mine[column], step[name], atol=EXACT, rtol=EXACT)
        assert np.allclose(mine["beta"].iloc[1:], step["beta"], atol=EXACT)
        assert np.allclose(mine["vif"].iloc[1:], step["vif"], atol=EXACT)


def test_gains_agree_with_r(result, expected):
    theirs = expected["hierarchical"]
    # R's anova of three models divides by the last model's error; ours, as the gain of one step is
    # defined, by the error of the step itself; they meet in the last step
    assert result.steps["f_change"].iloc[2] == pytest.approx(theirs["f"][1], rel=EXACT)
    assert result.steps["p_change"].iloc[2] == pytest.approx(theirs["p"][1], rel=1e-6)
    assert np.allclose(result.steps["p_robust"].iloc[1:], theirs["p_robust"], rtol=1e-6)
    gain = result.steps["delta_r2"]
    assert np.allclose(result.steps["f2"], gain / (1 - result.steps["r2"]))


def test_diagnostics_agree_with_r(result, rows, expected):
    theirs = expected["hierarchical"]
    assert result.cooks_max == pytest.approx(theirs["cooks_max"], rel=EXACT)
    assert result.influential_share == pytest.approx(theirs["influential"])
    assert result.breusch_pagan_p == pytest.approx(theirs["breusch_pagan_p"], rel=1e-6)
    x = pd.concat([t.columns for step in steps_of(rows) for t in step], axis=1)
    fit = fit_least_squares(rows["sat"], x)
    assert leave_one_out_error(fit) == pytest.approx(theirs["press"], rel=EXACT)


def test_moderation_agrees_with_r(rows, expected):
    theirs = expected["moderation"]
    got = moderation(
        rows["sat"], number(rows, "hours"), number(rows, "speed"), controls=[number(rows, "age")]
    )
    assert got.product == pytest.approx(theirs["product"], rel=EXACT)
    assert got.delta_r2 == pytest.approx(theirs["delta_r2"], abs=EXACT)
    assert np.allclose(got.slopes["slope"], theirs["slopes"], rtol=EXACT)
    assert np.allclose(got.slopes["se"], theirs["se"], rtol=1e-6)
    assert len(got.region) == len(theirs["roots"]) == 2
    assert np.allclose(got.region, theirs["roots"], rtol=1e-6)
    assert set(got.lines["moderator"]) == set(got.slopes["at"])


def test_rows_are_the_same_in_every_step(rows):
    holed = rows.copy()
    holed.loc[:9, "hours"] = np.nan
    before = holed.copy()
    got = hierarchical_regression(holed["sat"], steps_of(holed), label="sat")
    assert (got.n_used, got.n_dropped) == (230, 10)
    assert (got.steps["df_resid"] == 230 - 1 - got.steps["df_added"].cumsum()).all()
    pd.testing.assert_frame_equal(holed, before)


def test_unit_of_a_predictor_does_not_change_its_standardised_slope(rows, result):
    scaled = rows.assign(hours=rows["hours"] * 60)
    got = hierarchical_regression(scaled["sat"], steps_of(scaled), label="sat")
    assert np.allclose(got.last()["beta"], result.last()["beta"], atol=EXACT)


def test_robust_intervals_cover_planted_slopes():
    rng, hits, runs = np.random.default_rng(3), 0, 300
    for _run in range(runs):
        x = rng.normal(size=120)
        y = pd.Series(0.4 * x + rng.normal(size=120) * (0.5 + np.abs(x)))
        fit = fit_least_squares(y, pd.DataFrame({"x": x}))
        hits += abs(fit.b[1] - 0.4) <= 1.98 * fit.se()[1]
    assert abs(hits / runs - 0.95) < 0.04  # three binomial standard errors at 300 runs


@pytest.mark.slow
def test_intervals_of_a_rare_category_cover():
    """Recovery: three people of 120 are a category that does not differ; by n - k 12 % miss it."""
    rng = np.random.default_rng(1)
    held, group = 0, (np.arange(120) < 3) * 1.0
    for _again in range(300):
        table = pd.DataFrame({"x": rng.normal(size=120), "rare": group})
        y = table["x"] + rng.normal(size=120)
        terms = [[number(table, "x")], [number(table, "rare")]]
        row = hierarchical_regression(y, terms, label="y").last().iloc[1]
        held += row["ci_low"] <= 0 <= row["ci_high"]
    assert held / 300 > 0.94


def test_dummies_follow_the_labels():
    values = pd.Series(pd.Categorical(["b", "a", None, "b"], categories=["c", "b", "a"]))
    term = dummy_term(values, name="f", label="type")
    assert term.reference == "b" and list(term.columns) == ["type: a"]
    assert term.columns["type: a"].tolist()[:2] == [0.0, 1.0]
    assert np.isnan(term.columns["type: a"].iloc[2])


def test_bad_input_is_named(rows):
    age = number(rows, "age")
    with pytest.raises(DataContractError, match="enter age twice"):
        hierarchical_regression(rows["sat"], [[age], [age]], label="sat")
    with pytest.raises(DataContractError, match="has an empty step"):
        hierarchical_regression(rows["sat"], [[age], []], label="sat")
    double = Term("d", "d", (2 * rows[["age"]] + 1).set_axis(["d"], axis=1))
    with pytest.raises(EstimationError, match="sums of others: d among age, d"):
        hierarchical_regression(rows["sat"], [[age, double]], label="sat")
    with pytest.raises(DataContractError, match="more rows than coefficients"):
        hierarchical_regression(rows["sat"].head(3), [[age]], label="sat")
    failure = dummy_term(rows["failure"], name="failure", label="failure")
    with pytest.raises(DataContractError, match="'failure' is a category"):
        moderation(rows["sat"], age, failure)
