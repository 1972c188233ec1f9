"""Simulated answers: populations and shapes against lavaan, properties of draws, bad input."""

import json
from pathlib import Path

import numpy as np
import pytest

from helpers.errors import DataContractError, EstimationError, ModelSpecError
from helpers.sem import fit, simulate
from helpers.sem.simulate_population import build_population, freed_model
from helpers.sem.simulate_shapes import fleishman, normal_correlations

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "power.json").read_text("utf-8"))
EXACT = 1e-10
"""Implied moments are the same arithmetic in both programs."""
LAVAAN_ROOTS = 2e-5
"""lavaan finds coefficients by minimising a sum of squares that it stops at about 1e-10."""
SIGMAS = 4.5
"""Monte Carlo errors that a true mean may lie away: one false alarm in 150,000."""

MODEL = "f =~ .8*x1 + .7*x2 + .6*x3\ng =~ .8*y1 + .7*y2 + .6*y3\ng ~ .3*f"


@pytest.mark.parametrize("stored", REFERENCE["populations"], ids=lambda c: c["model"][:24])
def test_population_is_that_of_simulate_data(stored):
    ours = build_population(stored["model"], standardized=stored["standardized"])
    at = [ours.names.index(name) for name in stored["names"]]
    groups = stored["cov"].values() if isinstance(stored["cov"], dict) else stored["cov"]
    means = stored["mean"].values() if isinstance(stored["mean"], dict) else stored["mean"]
    for g, (cov, mean) in enumerate(zip(groups, means)):
        np.testing.assert_allclose(ours.cov[g][np.ix_(at, at)], cov, atol=EXACT)
        if mean:
            np.testing.assert_allclose(ours.mean[g][at], mean, atol=EXACT)


def test_fleishman_against_lavaan():
    for row in REFERENCE["shapes"]:
        ours = fleishman(row["skewness"], row["kurtosis"])
        np.testing.assert_allclose(ours, [row["b"], row["c"], row["d"]], atol=LAVAAN_ROOTS)


def test_fleishman_against_his_printed_table():
    # Fleishman (1978), Table 1, rows (1.75, 3.75) and (.75, 0), to five decimals.
    np.testing.assert_allclose(fleishman(1.75, 3.75), [0.92966, 0.39950, -0.03647], atol=5e-6)
    np.testing.assert_allclose(fleishman(0.75, 0.0), [1.11251, 0.17363, -0.05033], atol=5e-6)


def test_intermediate_correlations_against_lavaan():
    shapes = [(r["b"], r["c"], r["d"]) for r in REFERENCE["shapes"]]
    for pair in REFERENCE["pairs"]:
        cor = np.array([[1.0, pair["r"]], [pair["r"], 1.0]])
        ours = normal_correlations(cor, [shapes[pair["i"] - 1], shapes[pair["j"] - 1]])
        assert abs(ours[0, 1] - pair["rho"]) < LAVAAN_ROOTS


def test_shape_and_correlation_are_as_asked():
    n = 200_000
    data = simulate(
        MODEL, n, seed=3, standardized=True,
        skewness={"x1": 1.5, "y1": -1.0}, kurtosis={"x1": 3.5, "y1": 2.0},
    )  # fmt: skip
    truth = build_population(MODEL, standardized=True)
    np.testing.assert_allclose(data.corr().to_numpy(), truth.cov[0], atol=0.015)
    assert abs(data["x1"].skew() - 1.5) < 0.08
    assert abs(data["x1"].kurt() - 3.5) < 0.6
    assert abs(data["y1"].skew() + 1.0) < 0.08
    assert abs(data["x2"].skew()) < 0.03


def test_same_seed_same_rows_whatever_the_number_of_sets():
    one = simulate(MODEL, 30, seed=5)
    three = simulate(MODEL, 30, seed=5, n_sets=3)
    assert one.equals(three[0])
    assert not three[0].equals(three[1])
    assert not one.equals(simulate(MODEL, 30, seed=6))


def test_fitted_result_as_population(holzinger):
    r = fit("visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6", holzinger)
    n = 50_000
    data = simulate(r, n, seed=1)
    again = fit(r.syntax, data)
    gap = np.abs(again.theta - r.theta) / np.sqrt(np.diag(again.vcov))
    assert gap.max() < SIGMAS
    np.testing.assert_allclose(data.mean(), holzinger[list(data.columns)].mean(), atol=0.03)


def test_groups_have_their_own_values_and_labels():
    text = "f =~ c(.8, .4)*x1 + .7*x2 + .9*x3\nf ~ c(0, 1)*1"
    data = simulate(text, {"old": 20_000, "new": 10_000}, seed=2, groups=("old", "new"))
    assert data["group"].value_counts().to_dict() == {"old": 20_000, "new": 10_000}
    means = data.groupby("group")["x3"].mean()
    assert abs(means["old"]) < 0.05
    assert abs(means["new"] - 0.9) < 0.07


def test_thresholds_cut_items():
    text = MODEL + "\nx1 | -1*t1 + 0.5*t2"
    data = simulate(text, 100_000, seed=4, standardized=True, thresholds={"y1": [0.0]})
    from scipy.stats import norm

    shares = data["x1"].value_counts(normalize=True).sort_index()
    wanted = np.diff(norm.cdf([-np.inf, -1, 0.5, np.inf]))
    np.testing.assert_allclose(shares, wanted, atol=0.008)
    assert set(data["y1"]) == {1.0, 2.0}


def test_blanks_completely_at_random():
    data = simulate(MODEL, 50_000, seed=7, missing={"x1": 0.2, "y2": 0.05})
    shares = data.isna().mean()
    assert abs(shares["x1"] - 0.2) < 0.01
    assert abs(shares["y2"] - 0.05) < 0.005
    assert shares.drop(["x1", "y2"]).eq(0).all()


def test_blanks_at_random_depend_on_another_variable_and_keep_their_share():
    data = simulate(
        MODEL, 50_000, seed=7, standardized=True, missing={"x1": 0.3}, missing_on="x2",
        missing_slope=1.5,
    )  # fmt: skip
    blank = data["x1"].isna()
    assert abs(blank.mean() - 0.3) < 0.01
    assert data["x2"][blank].mean() - data["x2"][~blank].mean() > 0.8
    assert data["x2"].notna().all()


def test_freed_model_keeps_labels_zeros_and_formulas():
    text = freed_model("f =~ .8*x1 + .7*x2 + .6*x3\nx1 ~~ 0*x2\ny ~ b*f + .3*f\ntwice := 2*b")
    assert text.splitlines() == [
        "f =~ x1", "f =~ x2", "f =~ x3", "x1 ~~ 0*x2", "y ~ b*f", "twice := 2*b",
    ]  # fmt: skip


BAD = [
    ({"n_obs": 0}, DataContractError, "n_obs= is 0"),
    ({"n_obs": 2.5}, DataContractError, "whole numbers"),
    ({"n_obs": [10, 10]}, DataContractError, "2 sizes for 1 groups"),
    ({"n_obs": 10, "n_sets": 0}, DataContractError, "n_sets= is 0"),
    (
        {"n_obs": 10, "skewness": 2.0, "kurtosis": 0.0},
        EstimationError,
        "excess kurtosis must be above",
    ),
    ({"n_obs": 10, "skewness": {"x11": 1}}, ModelSpecError, "Did you mean 'x1'"),
    ({"n_obs": 10, "missing": 1.2}, DataContractError, "shares from 0"),
    ({"n_obs": 10, "missing": 0.1, "missing_on": "x9"}, ModelSpecError, "not an observed variable"),
    ({"n_obs": 10, "thresholds": {"x1": [1, 0]}}, ModelSpecError, "rising cut points"),
]


@pytest.mark.parametrize("options, error, words", BAD, ids=[b[2] for b in BAD])
def test_bad_input(options, error, words):
    with pytest.raises(error, match=words.replace("(", r"\(")):
        simulate(MODEL, seed=1, **options)


def test_values_that_no_data_have():
    with pytest.raises(ModelSpecError, match="not positive definite"):
        simulate("x1 ~~ 2*x2\nx1 ~~ 1*x1\nx2 ~~ 1*x2", 10, seed=1)
    with pytest.raises(ModelSpecError, match="all the variance of x1"):
        simulate("f =~ 1.2*x1 + .5*x2 + .5*x3", 10, seed=1, standardized=True)
    with pytest.raises(ModelSpecError, match="breaks its own"):
        simulate("f =~ a*x1 + .5*x1 + b*x2 + .6*x2 + .5*x3\na == b", 10, seed=1)
