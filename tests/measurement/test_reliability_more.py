"""Reliability beyond alpha: reference (semTools, psych, lavaan), property, recovery, contract."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError, ModelSpecError
from helpers.measurement.hierarchical import hierarchical_omega, schmid_leiman
from helpers.measurement.moment_draws import covariance_draws
from helpers.measurement.pls_reliability import estimate_rho_a
from helpers.measurement.reliability import estimate_reliability
from helpers.measurement.reliability_intervals import _statistics, reliability_intervals
from helpers.sem.model_reliability import omega_categorical, second_order_omega

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-9  # closed formulas
FITTED = 5e-5  # lavaan's stop
EXTRACTED = 1e-3  # psych's minres and rotation stop on looser rules than ours
CASES = ("items", "ecsi_mobi", "bfi", "influencer", "univer_orientation_services")


@pytest.fixture(scope="module", params=CASES)
def one_case(request, real_data):
    """Return one data set with its reference numbers."""
    whole = json.loads((REFERENCE / "reliability.json").read_text(encoding="utf-8"))
    simulated = request.param == "items"
    data = pd.read_csv(REFERENCE / "psych_items.csv") if simulated else real_data(request.param)
    return data, whole[request.param]


def wanted(reference: dict, part: str) -> dict:
    """Return a part of the reference, or skip."""
    if part not in reference:
        pytest.skip("no such reference for this data set")
    return reference[part]


def test_omega_categorical_agrees_with_semtools(one_case):
    data, reference = one_case
    expected = wanted(reference, "categorical")
    got = omega_categorical(data[expected["items"]], construct="F")
    assert got.n_used == expected["n"]
    assert got.value == pytest.approx(expected["value"], abs=FITTED)
    assert got.ci_low < got.value < got.ci_high


def test_second_order_omega_agrees_with_lavaan(one_case):
    data, reference = one_case
    expected = wanted(reference, "second")
    found = second_order_omega(data, expected["facets"], construct="H")
    for got, name in zip(found, ("omega_h", "omega_t"), strict=True):
        values = [got.value, got.se, got.ci_low, got.ci_high]
        assert np.allclose(values, expected[name], atol=FITTED), name
    assert found[0].value == pytest.approx(expected["semtools_omega_h"], abs=FITTED)


def test_schmid_leiman_agrees_with_psych(one_case):
    data, reference = one_case
    expected = wanted(reference, "leiman")
    rows = data[expected["items"]]
    got = hierarchical_omega(rows, construct="G", n_factors=expected["n_factors"], n_boot=0)
    assert got.n_used == expected["n"]
    assert np.allclose(got.general, expected["general"], atol=EXTRACTED)
    assert got.omega_h == pytest.approx(expected["omega_h"], abs=EXTRACTED)
    assert got.omega_t == pytest.approx(expected["omega_t"], abs=EXTRACTED)


def test_rho_a_agrees_with_the_formulas_in_r(one_case):
    data, reference = one_case
    expected = wanted(reference, "rho_a")
    names = list(expected["scales"])
    links = None
    if expected["links"] != "all":
        links = [(n, expected["links"]) for n in names if n != expected["links"]]
    got = estimate_rho_a(data, expected["scales"], links=links, n_boot=0)
    assert np.allclose(got.rows["rho_a"], expected["values"], atol=1e-8)


def test_cr_and_ave_intervals_agree_with_lavaan(one_case):
    data, reference = one_case
    expected = wanted(reference, "one")
    got = reliability_intervals(data[expected["items"]], construct="F", n_boot=50)
    assert got.n_used == expected["n"]
    assert np.allclose([got.cr, got.cr_low, got.cr_high], expected["cr"], atol=FITTED)
    assert np.allclose([got.ave, got.ave_low, got.ave_high], expected["ave"], atol=FITTED)


def test_statistics_of_a_fixed_resample_agree_with_psych(one_case):
    data, reference = one_case
    expected = wanted(reference, "half")
    half = data[[f"A{i}" for i in range(1, 5)]].dropna().iloc[:199:2]
    got = _statistics(np.cov(half.to_numpy(float).T)[None])[0]
    assert got[0] == pytest.approx(expected["std"], abs=EXACT)
    assert np.allclose(got[1:5], expected["rest"], atol=EXACT)
    assert np.allclose(got[5:9], expected["without"], atol=EXACT)


def test_draws_are_covariances_of_resampled_rows(answers):
    values = answers[["A1", "A2", "A3"]].dropna().to_numpy(float)[:30]
    got = np.concatenate(list(covariance_draws(values, n_boot=5, seed=3)))
    rng = np.random.default_rng(3)
    for cov, places in zip(got, rng.integers(0, 30, size=(5, 30)), strict=True):
        assert np.allclose(cov, np.cov(values[places].T), atol=EXACT)


def parallel(n: int, seed: int) -> pd.DataFrame:
    """Return four parallel items with loading 0.7; standardised alpha is 0.793."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 1))
    return pd.DataFrame(
        0.7 * factor + np.sqrt(0.51) * rng.normal(size=(n, 4)), columns=list("abcd")
    )


def test_intervals_cover_the_planted_value():
    truth = 4 * 0.49 / (1 + 3 * 0.49)
    hits = [
        got.standardized_low <= truth <= got.standardized_high
        for got in (
            reliability_intervals(parallel(200, s), construct="F", n_boot=300) for s in range(60)
        )
    ]
    assert np.mean(hits) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 60)


def test_omega_categorical_of_many_categories_is_omega():
    items = parallel(3000, 4)
    codes = (items * 1.5 + 4).round().clip(1, 7)
    got = omega_categorical(codes, construct="F")
    assert got.value == pytest.approx(estimate_reliability(codes, construct="F").omega, abs=0.005)


def test_planted_general_factor_comes_back():
    """Items load .8 on facets, facets .7 on the general factor: .56 each, facet rest .8 x .714."""
    rng = np.random.default_rng(8)
    general = rng.normal(size=(6000, 1))
    factors = 0.7 * general + np.sqrt(0.51) * rng.normal(size=(6000, 3))
    data = pd.DataFrame(
        {f"x{f}{i}": 0.8 * factors[:, f] + 0.6 * rng.normal(size=6000) for f in range(3)
         for i in range(4)}
    )  # fmt: skip
    common, special, error = (12 * 0.56) ** 2, 3 * (4 * 0.8) ** 2 * 0.51, 12 * 0.36
    truth = common / (common + special + error)
    got = hierarchical_omega(data, construct="G", n_factors=3, n_boot=20, seed=1)
    assert got.omega_h == pytest.approx(truth, abs=0.02)
    facets = {f"f{f}": [f"x{f}{i}" for i in range(4)] for f in range(3)}
    model, _total = second_order_omega(data, facets, construct="H")
    assert model.ci_low < truth < model.ci_high


def test_wrong_use_is_named(answers):
    with pytest.raises(DataContractError, match="at least 3 are needed"):
        omega_categorical(answers[["A1", "A2"]], construct="A")
    with pytest.raises(ModelSpecError, match="at least 3 are needed"):
        second_order_omega(answers, {"A": ["A1", "A2"], "B": ["B1", "B2"]}, construct="H")
    with pytest.raises(DataContractError, match="n_factors= is 1"):
        schmid_leiman(answers.corr(), n_factors=1)
    with pytest.raises(DataContractError, match="at least two constructs"):
        estimate_rho_a(answers, {"A": ["A1", "A2"]})
    copies = answers.assign(A2=answers["A1"])[["A1", "A2", "A3", "A4"]]
    with pytest.raises(EstimationError):
        omega_categorical(copies, construct="A")
