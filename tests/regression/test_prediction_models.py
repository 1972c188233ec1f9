"""Ordered logit, mixed models, surfaces, Vuong, cross-validation: reference (R), hand, contract."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.errors import DataContractError, Unavailable
from helpers.regression import (
    bounds_test,
    cross_validate,
    mixed_model,
    ordered_logit,
    response_surface,
    vuong_test,
)
from helpers.regression.least_squares import fit_least_squares
from helpers.regression.ordered import brant_test
from helpers.regression.prediction import normal_loglik

EXACT = 1e-8  # the same formulas in double precision
STOPS = 1e-4  # two optimisers, each stopping by its own rule


@pytest.fixture(scope="module")
def theirs():
    path = Path(__file__).parents[1] / "reference" / "importance.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_ordered_logit_agrees_with_clm_and_polr(rows, theirs):
    ref = theirs["ordered"]
    data = rows.assign(grade=ref["grade"])
    mine = ordered_logit(data, "grade", ["fair", "speed", "age"])
    assert np.allclose(mine.coefficients["b"], ref["b"], atol=STOPS)
    assert np.allclose(mine.coefficients["b"], ref["polr_b"], atol=STOPS)
    assert np.allclose(mine.coefficients["se"], ref["se"], atol=STOPS)
    assert np.allclose(mine.thresholds["value"], ref["thresholds"], atol=10 * STOPS)
    assert mine.log_likelihood == pytest.approx(ref["loglik"], abs=1e-6)
    brant = mine.brant[["chi2", "df", "p_value"]].to_numpy()
    assert np.allclose(brant, ref["brant"], atol=1e-6)


def test_brant_finds_slopes_that_differ_and_keeps_those_that_do_not():
    rng = np.random.default_rng(2)
    n, p = 4000, []
    x = pd.DataFrame({"x": rng.standard_normal(n)})
    latent = x["x"] + rng.logistic(size=n)
    p.append(brant_test(np.digitize(latent, [-1, 1]).astype(float), x)["p_value"].iloc[0])
    spread = x["x"] + rng.logistic(size=n) * np.exp(0.5 * x["x"])
    p.append(brant_test(np.digitize(spread, [-1, 1]).astype(float), x)["p_value"].iloc[0])
    assert p[0] > 0.01 and p[1] < 1e-6
    assert isinstance(brant_test(np.array([0.0, 1, 0, 1]), x.head(4)), Unavailable)


def test_random_intercept_agrees_with_lme4(rows, theirs):
    ref = theirs["mixed"]
    data = rows.assign(g=np.repeat(np.arange(1, 25), 10))
    data["y"] = data["sat"] + np.sin(data["g"] * 2.4) * 0.5
    mine = mixed_model(data, "y", ["fair", "speed"], "g")
    assert np.allclose(mine.fixed["b"], ref["b"], atol=STOPS)
    assert np.allclose(mine.fixed["se"], ref["se"], atol=STOPS)
    assert np.allclose(
        [mine.variance_between, mine.variance_within], ref["variances"], rtol=10 * STOPS
    )
    assert mine.icc == pytest.approx(ref["icc"], abs=STOPS)
    assert mine.lr == pytest.approx(ref["lr"], abs=1e-3)
    assert mine.design_effect == pytest.approx(1 + 9 * mine.icc)
    assert mine.p_value == pytest.approx(stats.chi2.sf(mine.lr, 1) / 2)


def test_design_effect_of_unequal_groups_is_the_ratio_of_variances():
    """By hand: the variance of a mean of correlated rows over that of independent ones."""
    rng = np.random.default_rng(4)
    shop = np.repeat(np.arange(12), [60, 30, 10, 5, 5, 4, 3, 2, 1, 1, 1, 1])
    table = pd.DataFrame(
        {"y": rng.normal(size=12)[shop] + rng.normal(size=len(shop)), "shop": shop}
    )
    found = mixed_model(table, "y", [], "shop")
    same = shop[:, None] == shop
    alike = np.where(same, found.icc, 0.0)
    np.fill_diagonal(alike, 1.0)
    assert found.design_effect == pytest.approx(alike.sum() / len(shop))


def test_no_variance_between_groups_is_an_answer(rows):
    mine = mixed_model(rows.assign(g=np.arange(240) % 8), "sat", ["fair", "speed"], "g")
    assert mine.icc < 0.05 and 0 < mine.p_value <= 1


@pytest.mark.parametrize("family", ["normal", "count"])
def test_surface_agrees_with_r(rows, theirs, family):
    ref = theirs["surface"][family]
    data = rows.assign(n=np.round(rows["hours"] / 10))
    outcome = "sat" if family == "normal" else "n"
    mine = response_surface(data, outcome, ["fair", "speed"], centre=3, family=family, n_boot=20)
    assert np.allclose(mine.coefficients["b"], ref["b"], atol=1e-7)
    assert np.allclose(mine.coefficients["se"], ref["se"], atol=1e-7)
    assert np.allclose(mine.lines["estimate"], ref["a"], atol=1e-7)
    assert np.allclose(mine.lines["se"], ref["a_se"], atol=1e-7)
    assert np.allclose(mine.shape["estimate"], ref["shape"], rtol=1e-5)
    assert mine.gain_statistic == pytest.approx(ref["f" if family == "normal" else "lr"], rel=1e-7)


def test_a_planted_ridge_along_equality_comes_back():
    """z = 5 - (x - y)**2: best where both agree (a1 = a2 = a3 = 0, a4 = -4, first axis x = y)."""
    rng = np.random.default_rng(8)
    data = pd.DataFrame(rng.integers(1, 8, (2000, 2)).astype(float), columns=["x", "y"])
    data["z"] = 5 - (data["x"] - data["y"]) ** 2 + rng.normal(0, 1, 2000)
    mine = response_surface(data, "z", ["x", "y"], centre=4, n_boot=200)
    truth = {"a1": 0, "a2": 0, "a3": 0, "a4": -4, "a5": 0}
    for name, value in truth.items():
        line = mine.line(name)
        assert abs(line["estimate"] - value) < 4 * line["se"]
    assert mine.shape.set_index("name").loc["p11", "estimate"] == pytest.approx(1, abs=0.05)


def test_count_surface_draws_are_refits_of_the_drawn_rows(rows):
    """The batched Newton of a draw meets statsmodels on the rows of that draw."""
    import statsmodels.api as sm

    from helpers.regression.surface import _draws, _terms

    z = np.round(rows["hours"] / 10).to_numpy()
    terms = _terms(rows["fair"] - 3, rows["speed"] - 3)
    design = sm.add_constant(terms.to_numpy())
    start = sm.GLM(z, design, family=sm.families.Poisson()).fit().params
    drawn, failed = _draws(z, terms, start, "count", 2, 4)
    picked = np.random.default_rng(4).integers(0, len(z), size=(2, len(z)))
    for b, own in zip(drawn, picked, strict=True):
        again = sm.GLM(z[own], design[own], family=sm.families.Poisson()).fit(tol=1e-12)
        assert np.allclose(b, again.params, atol=1e-6)
    assert failed == 0


def test_vuong_agrees_with_r_and_turns_its_sign(rows, theirs):
    parts = [normal_loglik(fit_least_squares(rows["sat"], rows[c]).residuals)
             for c in (["fair"], ["speed", "age"])]  # fmt: skip
    mine = vuong_test(*parts, k_first=2, k_second=3)
    assert mine.z == pytest.approx(theirs["vuong"]["z"], abs=EXACT)
    assert vuong_test(*parts[::-1], k_first=3, k_second=2).z == pytest.approx(-mine.z)
    with pytest.raises(DataContractError, match="same likelihood"):
        vuong_test(parts[0], parts[0], k_first=2, k_second=2)


def test_bounds():
    """Inside nothing speaks against the bounds; 1.96 errors outside the one-sided p is .025."""
    assert bounds_test(0.4, 0.1, 0, 1) == 1.0
    assert bounds_test(1.196, 0.1, 0, 1) == pytest.approx(0.025, abs=1e-4)
    assert bounds_test(-0.1645, 0.1, 0, 1) == pytest.approx(0.05, abs=1e-4)


def test_cross_validation_by_hand():
    """Two folds of one row: each is predicted by the other, or by zero."""
    y = np.array([1.0, 3.0])

    def zero(learn, new):
        return np.zeros(new.sum())

    def other(learn, new):
        return y[learn]

    mine = cross_validate(y, zero, other, seed=0, folds=2, repeats=1)
    assert mine.first == pytest.approx(np.sqrt((1 + 9) / 2))
    assert mine.second == pytest.approx(2.0)
    gap = np.array([4 - 1, 4 - 9])
    expected = np.sqrt((1 / 2 + 1 / 1) * gap.var(ddof=1)) / (mine.first + mine.second)
    assert mine.se == pytest.approx(expected)


def test_bad_input_of_models_is_named(rows):
    with pytest.raises(DataContractError, match="at least 3 categories"):
        ordered_logit(rows.assign(two=rows["sat"] > 3), "two", ["fair"])
    with pytest.raises(DataContractError, match="sat, nope; different columns"):
        ordered_logit(rows, "sat", ["nope"])
    with pytest.raises(DataContractError, match="groups with several rows"):
        mixed_model(rows.assign(g=rows.index), "sat", ["fair"], "g")
    with pytest.raises(DataContractError, match="no counts"):
        response_surface(rows, "sat", ["fair", "speed"], family="count")
    with pytest.raises(DataContractError, match="two columns"):
        response_surface(rows, "sat", ["fair"])
