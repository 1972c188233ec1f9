"""Relative weights and dominance: reference (R), published values, hand calculation, contract."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError
from helpers.regression import dominance, relative_weights, subset_r2
from helpers.regression.subsets import resampled_correlations

EXACT = 1e-8  # the same formulas in double precision
PRINTED = 5e-9  # half a unit of the last digit that is printed
X = ["fair", "speed", "hours", "age"]
GROEMPING_2006 = {  # lmg of R's swiss, as printed
    "Agriculture": 0.05709122, "Examination": 0.17117303, "Education": 0.26013468,
    "Catholic": 0.10557015, "Infant.Mortality": 0.11276592,
}  # fmt: skip


@pytest.fixture(scope="module")
def theirs():
    path = Path(__file__).parents[1] / "reference" / "importance.json"
    return json.loads(path.read_text(encoding="utf-8"))["importance"]


@pytest.fixture(scope="module")
def swiss(theirs):
    return pd.DataFrame(theirs["swiss"])


def test_relative_weights_agree_with_r(rows, theirs, swiss):
    mine = relative_weights(rows, "sat", X, n_boot=200)
    assert np.allclose(mine.weights["weight"], theirs["johnson"], atol=EXACT)
    assert mine.weights["weight"].sum() == pytest.approx(theirs["r2"], abs=EXACT)
    again = relative_weights(swiss, "Fertility", list(GROEMPING_2006), n_boot=50)
    assert np.allclose(again.weights["weight"], theirs["swiss_johnson"], atol=EXACT)


def test_general_dominance_agrees_with_published_values(swiss):
    mine = dominance(swiss, "Fertility", list(GROEMPING_2006), n_boot=0)
    assert np.allclose(mine.general["general"], list(GROEMPING_2006.values()), atol=PRINTED)


def test_conditional_dominance_agrees_with_all_regressions_in_r(rows, theirs):
    mine = dominance(rows, "sat", X, n_boot=0)
    gains = mine.conditional.pivot(index="predictor", columns="size", values="gain").loc[X]
    assert np.allclose(gains, theirs["conditional"], atol=EXACT)
    assert mine.general["general"].sum() == pytest.approx(mine.r2, abs=EXACT)


def test_two_predictors_by_hand():
    """r1 = .5, r2 = .3, r12 = .4: R2 = (.25 + .09 - 2 (.5)(.3)(.4)) / .84 = .22 / .84."""
    corr = np.array([[1, 0.4, 0.5], [0.4, 1, 0.3], [0.5, 0.3, 1]])
    both = 0.22 / 0.84
    assert subset_r2(corr) == pytest.approx([0, 0.25, 0.09, both])
    rng = np.random.default_rng(1)
    raw = rng.standard_normal((500, 3))
    raw = (raw - raw.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T))).T
    data = pd.DataFrame(raw @ np.linalg.cholesky(corr).T, columns=["a", "b", "y"])
    mine = dominance(data, "y", ["a", "b"], n_boot=0)
    first = (0.25 + both - 0.09) / 2
    assert mine.general["general"].tolist() == pytest.approx([first, both - first])
    assert mine.pairs.loc[0, ["complete", "conditional", "general"]].tolist() == [1, 1, 1]


def test_a_suppressor_is_not_completely_dominated():
    """x2 alone explains nothing but helps x1: neither dominates the other in every subset."""
    corr = np.array([[1, 0.6, 0.5, 0.1], [0.6, 1, 0, 0.1], [0.5, 0, 1, 0.45], [0.1, 0.1, 0.45, 1]])
    corr[[2, 3]] = corr[[3, 2]]
    corr[:, [2, 3]] = corr[:, [3, 2]]
    r2 = subset_r2(corr)
    # alone 0 < .01 yet together with x1 the second adds (.5 * .6)**2 / (1 - .36)
    assert r2[2] == pytest.approx(0) and r2[3] - r2[1] == pytest.approx(0.3**2 / 0.64)


def test_resampled_correlations_are_those_of_the_drawn_rows(rows):
    values = rows[[*X, "sat"]].to_numpy()
    draws, failed = resampled_correlations(values, n_boot=3, seed=5)
    picked = np.random.default_rng(5).integers(0, len(values), size=(3, len(values)))
    assert failed == 0
    for draw, own in zip(draws, picked, strict=True):
        assert np.allclose(draw, np.corrcoef(values[own].T), atol=1e-12)


def test_noise_is_not_above_noise_and_a_cause_is():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((400, 3))
    data = pd.DataFrame(x, columns=["cause", "weak", "none"])
    data["y"] = x @ [0.6, 0.0, 0.0] + rng.standard_normal(400)
    mine = relative_weights(data, "y", ["cause", "weak", "none"], n_boot=1000)
    assert mine.weights["above_noise"].tolist() == [True, False, False]
    found = dominance(data, "y", ["cause", "weak"], n_boot=200)
    assert found.pairs["complete"].iloc[0] == 1 and found.pairs["complete_again"].iloc[0] > 0.99


def test_order_of_rows_and_units_do_not_matter(rows):
    mixed = rows.sample(frac=1, random_state=1).assign(hours=lambda d: d["hours"] * 60)
    for function in (relative_weights, dominance):
        a, b = (function(d, "sat", X, n_boot=10) for d in (rows, mixed))
        left, right = (r.weights["weight"] if hasattr(r, "weights") else r.general["general"]
                       for r in (a, b))  # fmt: skip
        assert np.allclose(left, right, atol=EXACT)


def test_bad_input_is_named(rows):
    with pytest.raises(EstimationError, match="sum of others"):
        dominance(rows.assign(twice=rows["fair"] * 2), "sat", ["fair", "twice"])
    with pytest.raises(DataContractError, match="different columns"):
        relative_weights(rows, "sat", ["fair", "nope"])
    with pytest.raises(DataContractError, match="1 constant|flat constant"):
        dominance(rows.assign(flat=1.0), "sat", ["fair", "flat"])
    with pytest.raises(DataContractError, match="at most 15"):
        subset_r2(np.eye(17))
    blank = rows.assign(fair=rows["fair"].where(rows.index > 9))
    assert relative_weights(blank, "sat", X, n_boot=10).n_dropped == 10
