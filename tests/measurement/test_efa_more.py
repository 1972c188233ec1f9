"""Factor analysis on every data set: reference (psych, GPArotation), property, contract."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment

from helpers.measurement.efa import explore_factors, factor_analysis, factor_scores
from helpers.measurement.retention import minimum_average_partial
from helpers.measurement.rotation import rotate

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-9  # closed formulas
ROTATED = 1e-6  # gradients below 1e-7 and 1e-8
LOADINGS = 1e-4  # extraction and rotation together, the aim of the suite
CASES = (
    "items",
    "bfi",
    "bank_satisfaction",
    "ecsi_mobi",
    "corp_reputation",
    "influencer",
    "univer_orientation_services",
)


@pytest.fixture(scope="module", params=CASES)
def efa(request, real_data):
    """Return one data set with its reference numbers."""
    reference = json.loads((REFERENCE / "efa.json").read_text(encoding="utf-8"))[request.param]
    simulated = request.param == "items"
    data = pd.read_csv(REFERENCE / "psych_items.csv") if simulated else real_data(request.param)
    return data[reference["names"]], reference


def matched(loadings: np.ndarray, phi: np.ndarray, target: np.ndarray) -> tuple:
    """Return loadings and phi with factors in the order and sign of the target."""
    order = linear_sum_assignment(-np.abs(loadings.T @ target).T)[1]
    sign = np.sign((loadings[:, order] * target).sum(axis=0))
    return loadings[:, order] * sign, phi[np.ix_(order, order)] * np.outer(sign, sign)


def test_oblimin_finds_the_best_of_gparotations_starts(efa):
    _data, reference = efa
    target = np.array(reference["oblimin"])
    got = rotate(np.array(reference["unrotated"]), "oblimin")
    loadings, phi = matched(got.loadings, got.phi, target)
    assert np.allclose(loadings, target, atol=ROTATED)
    assert np.allclose(phi, reference["phi"], atol=ROTATED)


def test_whole_analysis_agrees_with_r(efa):
    data, reference = efa
    got = explore_factors(data, n_factors=reference["n_factors"])
    assert got.n_used == reference["n"]
    loadings, _phi = matched(got.loadings, got.phi, np.array(reference["oblimin"]))
    assert np.allclose(loadings, reference["oblimin"], atol=LOADINGS)
    if reference["dof"]:
        assert got.chi2 == pytest.approx(reference["statistic"], rel=1e-6)
        n, m, p = reference["n"], reference["n_factors"], len(reference["names"])
        factor = n - 1 - (2 * p + 5) / 6  # Bartlett's, of no factor; 2m / 3 less with m factors
        null = reference["null_chisq"] / factor / reference["null_dof"]

        def tli(statistic: float) -> float:
            own = statistic / (factor - 2 * m / 3) / reference["dof"]
            return (null - own) / (null - 1 / (factor - 2 * m / 3))

        # psych's own indices rest on its own chi-square, which stops above factanal's
        assert tli(reference["psych_statistic"]) == pytest.approx(reference["psych_tli"], abs=1e-6)
        assert got.tli == pytest.approx(tli(reference["statistic"]), rel=1e-6)
        gap = reference["statistic"] - reference["psych_statistic"]
        assert got.bic == pytest.approx(reference["psych_bic"] + gap, rel=1e-6)
        ratio = reference["statistic"] / reference["dof"]
        rmsea = np.sqrt(max(ratio - 1, 0) / (reference["n"] - 1))
        assert got.rmsea == pytest.approx(rmsea, rel=1e-6)


def test_fourth_power_map_agrees_with_its_formula(efa):
    data, reference = efa
    got = minimum_average_partial(np.corrcoef(data.dropna().to_numpy(float).T))
    expected = reference["map4"]
    assert np.allclose(got.average_fourth_partials[: len(expected)], expected, atol=EXACT)
    assert got.n_components_fourth == int(np.argmin(got.average_fourth_partials))


def test_scores_agree_with_psych(efa):
    data, reference = efa
    rows = data.dropna()
    got = explore_factors(rows, n_factors=reference["n_factors"])
    scores = factor_scores(rows, got).to_numpy()
    pattern = np.array(reference["oblimin"])
    order = linear_sum_assignment(-np.abs(got.loadings.T @ pattern).T)[1]
    sign = np.sign((got.loadings[:, order] * pattern).sum(axis=0))
    expected = np.array(reference["scores"])
    assert np.allclose(scores[:5, order] * sign, expected, atol=1e-3)  # weights amplify 1e-4


def test_scores_of_a_blank_row_are_blank(answers):
    got = explore_factors(answers, n_factors=3)
    scores = factor_scores(answers, got)
    blank = answers.isna().any(axis=1)
    assert scores[blank].isna().all(axis=None) and scores[~blank].notna().all(axis=None)
    assert scores.corr().iloc[0, 1] > got.phi[0, 1]  # scores by regression correlate too highly


def test_random_starts_do_not_change_a_single_optimum(answers):
    unrotated = explore_factors(answers, n_factors=3, rotation="none").loadings
    first, second = rotate(unrotated, seed=1), rotate(unrotated, seed=2)
    assert np.allclose(first.loadings, second.loadings, atol=ROTATED)


def test_a_heywood_case_is_said():
    """A factor of two items whose correlation product exceeds 1 leaves no proper solution."""
    corr = np.array(
        [[1, 0.9, 0.9, 0.1], [0.9, 1, 0.7, 0.1], [0.9, 0.7, 1, 0.1], [0.1, 0.1, 0.1, 1]]
    )
    got = factor_analysis(corr, n_factors=1, n=300)
    assert not got.proper
