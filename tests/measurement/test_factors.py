"""Factor analysis: reference (R factanal, psych, lavaan), recovery, property, contract."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.measurement.adequacy import sampling_adequacy, single_factor_share, sphericity_test
from helpers.measurement.efa import explore_factors, factor_analysis
from helpers.measurement.extraction import extract
from helpers.measurement.recovery import compare_structure
from helpers.measurement.retention import minimum_average_partial, parallel_analysis
from helpers.measurement.rotation import rotate

EXACT = 1e-9  # closed formulas in double precision
ML, MINRES, PA = 1e-6, 2e-5, 1e-6  # psych's minres stops on a looser rule than ours
ROTATED = 1e-6  # gradient below 1e-7 on both sides


def correlations(data: pd.DataFrame, reference: dict) -> np.ndarray:
    return np.corrcoef(data[reference["factors"]["names"]].dropna().to_numpy().T)


def matched(loadings: np.ndarray, phi: np.ndarray, target: np.ndarray) -> tuple:
    """Return loadings and phi with factors in the order and sign of the target."""
    cost = -np.abs(loadings.T @ target)
    order = linear_sum_assignment(cost.T)[1]
    sign = np.sign((loadings[:, order] * target).sum(axis=0))
    return loadings[:, order] * sign, phi[np.ix_(order, order)] * np.outer(sign, sign)


@pytest.mark.parametrize(("method", "tolerance"), [("ml", ML), ("minres", MINRES), ("pa", PA)])
def test_extraction_agrees_with_r(case, method, tolerance):
    data, reference = case
    got = extract(correlations(data, reference), reference["n_factors"], method)
    assert got.converged
    assert np.allclose(got.loadings, reference["factors"][method]["loadings"], atol=tolerance)


@pytest.mark.parametrize("method", ["varimax", "promax", "oblimin"])
def test_rotation_agrees_with_r(case, method):
    data, reference = case
    expected = reference["factors"]
    got = rotate(np.array(expected["ml"]["loadings"]), method)
    loadings, phi = matched(got.loadings, got.phi, np.array(expected[method]))
    assert np.allclose(loadings, expected[method], atol=ROTATED)
    if method == "varimax":
        assert np.array_equal(phi, np.eye(len(phi)))
    else:
        _target, their_phi = matched(
            np.array(expected[method]),
            np.array(expected[f"{method}_phi"]),
            np.array(expected[method]),
        )
        assert np.allclose(phi, their_phi, atol=ROTATED)


def test_fit_agrees_with_r(case):
    data, reference = case
    expected = reference["factors"]
    got = factor_analysis(
        correlations(data, reference), n_factors=reference["n_factors"], n=expected["n"]
    )
    assert got.chi2 == pytest.approx(expected["ml"]["statistic"], rel=1e-8)
    assert got.df == expected["ml"]["dof"]


def test_adequacy_and_retention_agree_with_psych(case):
    data, reference = case
    expected, corr = reference["factors"], correlations(data, reference)
    kmo = sampling_adequacy(corr)
    assert kmo.kmo == pytest.approx(expected["kmo"], abs=EXACT)
    assert np.allclose(kmo.msa, expected["msa"], atol=EXACT)
    bartlett = sphericity_test(corr, n=expected["n"])
    assert bartlett.chi2 == pytest.approx(expected["bartlett"], rel=EXACT)
    assert bartlett.df == expected["bartlett_df"]
    partials = minimum_average_partial(corr).average_squared_partials
    assert np.allclose(partials[1:9], expected["map"], atol=EXACT)
    parallel = parallel_analysis(corr, n=expected["n"], seed=1, n_draws=5)
    assert np.allclose(parallel.eigenvalues, expected["pc_values"], atol=EXACT)
    assert np.allclose(parallel.factor_eigenvalues, expected["fa_smc_values"], atol=EXACT)


def test_engine_references_agree(survey):
    data, psych, _semtools = survey
    items = data.drop(columns="group")
    got = explore_factors(items, n_factors=7, rotation="varimax")
    expected = psych["fa_ml_varimax"]
    assert np.allclose(got.communalities, expected["communality"], atol=1e-4)  # psych's optimiser
    assert got.chi2 == pytest.approx(expected["STATISTIC"], rel=1e-4)
    minres = explore_factors(items, n_factors=7, extraction="minres", rotation="none")
    assert np.allclose(minres.communalities, psych["fa_minres_none"]["communality"], atol=1e-4)
    assert sampling_adequacy(items.corr()).kmo == pytest.approx(psych["KMO"]["MSA"], abs=EXACT)
    parallel = parallel_analysis(items.corr(), n=len(items), seed=2)
    assert parallel.n_components == psych["fa_parallel"]["ncomp"]
    assert np.allclose(parallel.eigenvalues[:9], psych["fa_parallel"]["pc_values"], atol=1e-6)


def planted(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return data, loadings and factor correlations of a simple structure."""
    loadings = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.75], [0.65]]))
    phi = np.array([[1.0, 0.4, 0.3], [0.4, 1.0, 0.2], [0.3, 0.2, 1.0]])
    corr = loadings @ phi @ loadings.T
    np.fill_diagonal(corr, 1)
    data = np.random.default_rng(seed).multivariate_normal(np.zeros(12), corr, size=n)
    return data, loadings, phi


@pytest.mark.parametrize("method", ["ml", "minres", "pa"])
def test_planted_structure_comes_back_from_its_own_matrix(method):
    _data, loadings, phi = planted(3, 0)
    corr = loadings @ phi @ loadings.T
    np.fill_diagonal(corr, 1)
    got = factor_analysis(corr, n_factors=3, extraction=method, rotation="oblimin")
    found, correlations_ = matched(got.loadings, got.phi, loadings)
    assert np.allclose(found, loadings, atol=1e-4)  # exact up to where extraction and rotation stop
    assert np.allclose(correlations_, phi, atol=1e-4)


def test_number_of_factors_is_found():
    data, _loadings, _phi = planted(600, 3)
    corr = np.corrcoef(data.T)
    parallel = parallel_analysis(corr, n=600, seed=4)
    assert (parallel.n_components, parallel.n_factors) == (3, 3)
    assert minimum_average_partial(corr).n_components == 3
    noise = np.random.default_rng(6).normal(size=(600, 12))
    assert parallel_analysis(np.corrcoef(noise.T), n=600, seed=4).n_components <= 1


def test_random_eigenvalues_are_those_of_random_rows():
    """4,000 tables of 40 normal rows, drawn here; the error of a 95% quantile is about 0.01."""
    rows = np.random.default_rng(1).standard_normal((4000, 40, 6))
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.sqrt((rows**2).sum(axis=1, keepdims=True))
    drawn = np.linalg.eigvalsh(rows.transpose(0, 2, 1) @ rows)[:, ::-1]
    found = parallel_analysis(np.eye(6), n=40, seed=2, n_draws=4000)
    assert np.allclose(found.random_eigenvalues, np.quantile(drawn, 0.95, axis=0), atol=0.04)


def test_parallel_analysis_is_seeded_and_free_of_batching(monkeypatch):
    data, _loadings, _phi = planted(200, 7)
    corr = np.corrcoef(data.T)
    first = parallel_analysis(corr, n=200, seed=9, n_draws=40)
    assert first == parallel_analysis(corr, n=200, seed=9, n_draws=40)
    monkeypatch.setattr("helpers.measurement.retention.BATCH_CELLS", 12 * 12 * 7)
    again = parallel_analysis(corr, n=200, seed=9, n_draws=40)
    assert np.allclose(again.random_eigenvalues, first.random_eigenvalues, atol=EXACT)


def test_chi_square_of_a_true_model_is_its_degrees_of_freedom_on_average():
    values = [
        explore_factors(pd.DataFrame(planted(300, seed)[0]), n_factors=3, rotation="none")
        for seed in range(60)
    ]
    mean = np.mean([value.chi2 for value in values])
    df = values[0].df
    assert abs(mean - df) < 3 * np.sqrt(2 * df / 60)  # three standard errors of the mean


def test_signs_and_order_are_fixed(answers):
    got = explore_factors(answers, n_factors=3)
    assert (got.loadings.sum(axis=0) > 0).all()
    assert (np.diff((got.loadings**2).sum(axis=0)) <= 0).all()
    assert got.n_dropped == int(answers.isna().any(axis=1).sum())
    implied = got.loadings @ got.phi @ got.loadings.T
    assert np.allclose(np.diag(implied), got.communalities, atol=1e-6)
    for order in list(permutations(range(3)))[:3]:
        turned = answers[[f"{'ABC'[k]}{i}" for k in order for i in range(1, 5)]]
        assert explore_factors(turned, n_factors=3).chi2 == pytest.approx(got.chi2, rel=1e-6)


def test_structure_is_compared_with_the_scales(answers):
    blocks = {code: [f"{code}{i}" for i in range(1, 5)] for code in "ABC"}
    table, check = compare_structure(explore_factors(answers, n_factors=3), blocks)
    assert check.passed is True and check.value == 1
    wrong = {**blocks, "A": ["A1", "A2", "A3", "C1"], "C": ["A4", "C2", "C3", "C4"]}
    table, check = compare_structure(explore_factors(answers, n_factors=3), wrong)
    assert check.passed is False
    assert set(table.loc[~table["met"], "item"]) == {"A4", "C1"}


def test_single_factor_share_by_hand():
    corr = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    share = single_factor_share(corr)
    assert share.component_share == pytest.approx(2.5 / 4)
    assert share.factor_share == pytest.approx(0.5, abs=1e-6)
    assert share.check().passed is None


def test_without_n_there_is_a_reason():
    corr = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    assert isinstance(sphericity_test(corr, n=None), Unavailable)
    assert isinstance(parallel_analysis(corr, n=None, seed=1), Unavailable)
    assert isinstance(factor_analysis(corr, n_factors=1).chi2, Unavailable)


def test_bad_input_is_named():
    corr = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    with pytest.raises(DataContractError, match="n_factors= is 2 for 4 variables; at most 1"):
        factor_analysis(corr, n_factors=2)
    with pytest.raises(DataContractError, match="Did you mean 'oblimin'"):
        rotate(np.eye(4)[:, :2], "oblimim")
    with pytest.raises(DataContractError, match="allowed are ml, minres, pa"):
        extract(corr, 1, "paf")
    with pytest.raises(EstimationError, match="positive definite"):
        sampling_adequacy(np.ones((3, 3)))
    with pytest.raises(DataContractError, match="diagonal other than 1"):
        sampling_adequacy(2 * corr)
