"""Reference and property: one list from several methods, its firmness, and their agreement."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare

from helpers.errors import DataContractError
from helpers.regression.relative import raw_relative_weights, relative_weights
from helpers.resampling import resampled_counts
from helpers.service.priorities import (
    agreement,
    concordance,
    joint_score,
    priority_list,
    ranks,
    weighted_correlations,
    weighted_ratios,
    without_each,
)
from helpers.service.scenarios import Levers, Slopes, scenario

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "priorities.json").read_text(encoding="utf-8")
)
STORED = 1e-12
"""R stores fifteen digits."""
CLOSE = 1e-12
"""The same arithmetic in another order."""


def judgements(m=6, k=7, seed=4, ties=True):
    values = np.random.default_rng(seed).normal(size=(m, k)) + np.arange(k) * 0.4
    return np.round(values) if ties else values


@pytest.mark.parametrize("ties", [False, True])
def test_concordance_is_friedmans(ties):
    values = judgements(ties=ties)
    m, k = values.shape
    statistic = friedmanchisquare(*values.T).statistic
    assert concordance(values) == pytest.approx(statistic / (m * (k - 1)), abs=CLOSE)


def test_concordance_at_its_ends():
    assert concordance([[1, 2, 3], [10, 20, 30]]) == pytest.approx(1.0, abs=CLOSE)
    assert concordance([[1, 2, 3], [3, 2, 1]]) == pytest.approx(0.0, abs=CLOSE)


def test_permutation_p_is_the_exact_one():
    values = judgements(m=3, k=4, ties=False)
    order = ranks(values)
    every = [np.array(list(permutations(row))) for row in order[1:]]
    sums = order[0] + every[0][:, None, :] + every[1][None, :, :]
    spread = ((sums - sums.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
    seen = ((order.sum(axis=0) - order.sum(axis=0).mean()) ** 2).sum()
    exact = float((spread >= seen - 1e-9).mean())
    found = agreement(values, n_permutations=20_000, seed=1)
    # Four standard errors of a share from 20,000 draws.
    assert found.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def test_joint_score_by_hand():
    values = np.array([[9.0, 5.0, 1.0, np.nan], [1.0, 2.0, 3.0, 4.0]])
    # First method: places 1, .5, 0 of three; second: 0, 1/3, 2/3, 1 of four.
    wanted = [0.5, (0.5 + 1 / 3) / 2, (0 + 2 / 3) / 2, 1.0]
    assert joint_score(values) == pytest.approx(wanted, abs=CLOSE)
    heavy = joint_score(values, [3.0, 1.0])
    assert heavy[0] == pytest.approx(0.75, abs=CLOSE)


def test_order_of_methods_and_scale_of_values_do_not_matter():
    values = judgements()
    moved = joint_score(np.exp(values[::-1]) * 7)
    assert moved == pytest.approx(joint_score(values), abs=CLOSE)


def test_list_counts_its_draws():
    values = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    swapped = values[:, [1, 0, 2]]
    draws = np.stack([values] * 75 + [swapped] * 25)
    table = priority_list(["a", "b", "c"], values, draws)
    assert list(table["code"]) == ["a", "b", "c"]
    assert list(table["p_first"]) == [0.75, 0.25, 0.0]
    assert list(table["p_top3"]) == [1.0, 1.0, 1.0]
    assert table["rank_high"].tolist() == [2.0, 2.0, 3.0]


def test_without_each_names_the_lever_that_hangs_on_a_method():
    values = np.array([[5.0, 1.0, 0.0], [2.0, 3.0, 1.0]])
    table = without_each(["a", "b", "c"], ["x", "y"], values)
    assert table["first"].tolist() == ["b", "a"]


def test_resampled_statistics_are_those_of_the_drawn_rows():
    rng = np.random.default_rng(6)
    values = rng.normal(size=(60, 3))
    counts = np.concatenate(list(resampled_counts(60, 4, rng)))
    assert (counts.sum(axis=1) == 60).all()
    known = (rng.random((60, 3)) < 0.7).astype(float)
    correlations, ratios = (
        weighted_correlations(counts, values),
        weighted_ratios(counts, values * known, known),
    )
    for b, count in enumerate(counts):
        rows = np.repeat(np.arange(60), count.astype(int))
        assert correlations[b] == pytest.approx(np.corrcoef(values[rows].T), abs=1e-10)
        seen = pd.DataFrame(values[rows]).where(known[rows] > 0).mean()
        assert ratios[b] == pytest.approx(seen.to_numpy(), abs=1e-10)


def test_resampled_places_have_the_spread_of_another_bootstrap():
    # The draws behind relative weights, made by this module and by that of the regression room.
    rng = np.random.default_rng(7)
    data = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "y"])
    data["y"] += 0.6 * data["a"] + 0.3 * data["b"]
    counts = np.concatenate(list(resampled_counts(200, 4000, rng)))
    drawn = raw_relative_weights(weighted_correlations(counts, data.to_numpy()))
    other = relative_weights(data, "y", ["a", "b"], n_boot=4000, seed=1).weights
    # Quantiles of 4,000 draws, two sets: within a twentieth of the width of the interval.
    for k in range(2):
        low, high = np.quantile(drawn[:, k], [0.025, 0.975])
        width = other["ci_high"][k] - other["ci_low"][k]
        assert low == pytest.approx(other["ci_low"][k], abs=width / 20)
        assert high == pytest.approx(other["ci_high"][k], abs=width / 20)


def test_bad_input_is_refused():
    with pytest.raises(DataContractError, match="at least 2 and 3"):
        agreement([[1.0, 2.0, np.nan], [1.0, 2.0, 3.0]], seed=1)
    with pytest.raises(DataContractError, match="one weight of"):
        joint_score([[1.0, 2.0]], [-1.0])


def test_a_crosswalk_to_nowhere_is_refused():
    from pydantic import ValidationError

    from helpers.service_specification import Service

    lever = {"code": "a", "name": {"en": "a", "zh": "a"}, "kano": ["A99"]}
    other = {"code": "b", "name": {"en": "b", "zh": "b"}}
    with pytest.raises(ValidationError, match="lever 'a' names kano A99"):
        Service.model_validate({"priorities": {"levers": [lever, other]}})


@pytest.mark.parametrize("name", ["plain", "tied"])
def test_concordance_agrees_with_r(name):
    assert concordance(REFERENCE[name]) == pytest.approx(REFERENCE[f"w_{name}"], abs=STORED)


def test_a_resample_agrees_with_r():
    values = np.array(REFERENCE["scores"])
    counts = np.array([REFERENCE["counts"]], dtype=float)
    found = raw_relative_weights(weighted_correlations(counts, values))[0]
    assert found == pytest.approx(REFERENCE["weights"], abs=STORED)


def test_a_scenario_agrees_with_r():
    given = {name: np.array(REFERENCE[name], dtype=float) for name in ("scores", "steps", "slope")}
    top, most = np.full(3, 7.0), np.full(3, 2.0)
    levers = Levers(("a", "b", "c"), given["scores"], top, np.array(REFERENCE["cost"]), most)
    slopes = Slopes(given["slope"], np.tile(given["slope"], (10, 1)))
    found = scenario(levers, slopes, given["steps"], value=60.0, seed=1)
    assert found.reach == pytest.approx(REFERENCE["rise"], abs=STORED)
    assert found.net[0] == pytest.approx(REFERENCE["net"], abs=1e-10)
