"""Reference and recovery: gaps of expected and perceived quality against R, by hand, as planted."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.regression import relative_weights
from helpers.service import gaps_study
from helpers.service.quality_gaps import (
    difference_reliability,
    expected_mean,
    gap_index,
    gap_models,
    paired_gaps,
    tolerance_zone,
)
from helpers.survey.load import load_study
from helpers.tables import service_gaps as show

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "gaps.json").read_text(encoding="utf-8")
)
CLOSE = 1e-9
"""Closed formulas in both programs; the stored digits end at 1e-12."""
SOLVED = 1e-7
"""Inverses of the covariance in both programs."""


@pytest.fixture
def sides():
    rows = pd.DataFrame(REFERENCE["rows"])
    expected = rows[["e1", "e2"]].set_axis(["a", "b"], axis=1)
    return expected, rows[["p1", "p2"]].set_axis(["a", "b"], axis=1), rows["y"]


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def quality(study):
    return gaps_study.read_quality(study)


def test_gaps_are_paired_differences(sides):
    expected, perceived, _y = sides
    found, wanted = paired_gaps(expected, perceived, high=7).iloc[0], REFERENCE["gap"]
    assert found["gap"] == pytest.approx(wanted["estimate"], abs=CLOSE)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((wanted["low"], wanted["high"]))
    difference = perceived["a"] - expected["a"]
    assert found["dz"] == pytest.approx(difference.mean() / difference.std(), abs=CLOSE)
    assert found["short"] == pytest.approx((difference < 0).mean(), abs=CLOSE)
    assert found["ceiling"] == pytest.approx((expected["a"] == 7).mean(), abs=CLOSE)


def test_a_pair_with_one_side_missing_is_left_out_and_counted(sides):
    expected, perceived, _y = sides
    blank = perceived.copy()
    blank.loc[[0, 3], "a"] = np.nan
    found = paired_gaps(expected, blank, high=7)
    assert found["n_dropped"].tolist() == [2, 0]
    with pytest.raises(DataContractError, match="have 9 pairs for 'a'"):
        paired_gaps(expected.iloc[:9], perceived.iloc[:9], high=7)
    with pytest.raises(DataContractError, match="the same codes and rows"):
        paired_gaps(expected, perceived[["b", "a"]], high=7)


def test_reliability_of_a_difference_as_in_textbooks():
    """Equal spreads: ((r11 + r22) / 2 - r) / (1 - r); .80, .80 and .60 leave .50."""
    assert difference_reliability((0.8, 0.8), (1, 1), 0.6) == pytest.approx(0.5)
    assert difference_reliability((0.9, 0.7), (2, 1), 0.0) == pytest.approx((3.6 + 0.7) / 5)
    with pytest.raises(EstimationError, match="without variance"):
        difference_reliability((0.8, 0.8), (1, 1), 1.0)


def test_reliability_of_a_difference_in_simulated_parallel_measures():
    """The correlation of two parallel differences is the reliability of one."""
    rng = np.random.default_rng(5)
    n = 200_000
    e_true = rng.normal(size=n)
    p_true = 0.5 * e_true + np.sqrt(0.75) * rng.normal(size=n)
    noise = rng.normal(scale=0.5, size=(4, n))
    first, second = p_true + noise[0] - e_true - noise[1], p_true + noise[2] - e_true - noise[3]
    reliability, sd = 1 / 1.25, np.sqrt(1.25)
    wanted = difference_reliability((reliability, reliability), (sd, sd), 0.5 / 1.25)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(wanted, abs=0.01)


def test_models_and_wald_tests_are_those_of_r(sides):
    found = gap_models(*sides)
    for name, value in REFERENCE["r2"].items():
        assert found.r2(name) == pytest.approx(value, abs=CLOSE)
    assert (found.gap_f, found.expected_f) == pytest.approx(
        (REFERENCE["gap_f"], REFERENCE["expected_f"]), rel=SOLVED
    )
    assert (found.gap_p, found.expected_p) == pytest.approx(
        (REFERENCE["gap_p"], REFERENCE["expected_p"]), rel=1e-6
    )


def test_index_is_weights_times_gaps(sides):
    expected, perceived, y = sides
    gaps = perceived - expected
    found = gap_index(gaps, perceived, y, n_boot=400)
    share = relative_weights(perceived.assign(y=y), "y", ["a", "b"], n_boot=50).weights["share"]
    assert found.weights["weight"].to_numpy() == pytest.approx(share.to_numpy(), abs=CLOSE)
    assert found.weighted == pytest.approx(float(share @ gaps.mean().to_numpy()), abs=CLOSE)
    assert found.plain == pytest.approx(gaps.to_numpy().mean(), abs=CLOSE)
    se = gaps.mean(axis=1).std() / np.sqrt(len(gaps))
    assert found.plain_high - found.plain_low == pytest.approx(2 * 1.96 * se, rel=0.15)
    assert found.weighted_low < found.weighted < found.weighted_high


def test_zone_of_tolerance_by_hand():
    levels = pd.DataFrame({"a": [3.0] * 9 + [6.0]})
    wished = pd.DataFrame({"a": [5.0] * 10})
    got = pd.DataFrame({"a": [2.0, 2, 3, 4, 5, 5, 5, 6, 7, 5]})
    found = tolerance_zone(levels, wished, got).iloc[0]
    assert found["turned"] == 1 and found["n_used"] == 10
    assert found["below"] == pytest.approx(2 / 9) and found["above"] == pytest.approx(2 / 9)
    assert found["within"] == pytest.approx(5 / 9)
    assert found["adequacy"] == pytest.approx(4.4 - 3.3)
    assert found["superiority"] == pytest.approx(-0.6)
    with pytest.raises(DataContractError, match="9 complete rows"):
        tolerance_zone(levels.iloc[:9], wished, got)


def test_the_study_recovers_planted_gaps(study, quality):
    gaps = gaps_study.dimension_gaps(quality).set_index("code")
    planted = gaps_study.planted_gaps(study.truth)
    covered = [
        gaps.loc[code, "ci_low"] <= value <= gaps.loc[code, "ci_high"]
        for code, value in planted.items()
    ]
    assert len(covered) == 5 and sum(covered) >= 4
    order = sorted(planted, key=planted.get)
    assert set(gaps["gap"].nsmallest(2).index) == set(order[:2])


def test_expectations_were_planted_without_weight(quality):
    """The simulated outcome goes with perceptions only, so the gap is a worse predictor."""
    found = gaps_study.quality_models(quality)
    assert found.gap_p < 0.01 < found.expected_p
    assert found.r2("gap") < found.r2("perceived")


def test_planted_mean_by_hand():
    """Two thresholds at zero, unmoved: half of all answers are 1, half are 3."""
    assert expected_mean([0.0, 0.0], 0.0) == pytest.approx(2.0)


def test_sides_of_different_length_are_refused(study):
    plan = study.spec.service.servqual
    wrong = plan.dimensions[0].model_copy(update={"expected": "TANE1"})
    rows = study.module(plan.module)
    with pytest.raises(DataContractError, match="'TAN' has 1 items and perceived= has 3"):
        gaps_study._answers(study, rows, plan, wrong, "expected")


def test_what_was_not_asked_is_unavailable(study, quality):
    assert "lowest level that would do" in gaps_study.quality_zone(quality).text()
    bare = replace(quality, outcome=None)
    for found in (gaps_study.quality_index(bare), gaps_study.quality_surface(bare)):
        assert "names no outcome" in found.text()
    assert "declares none" in gaps_study.read_quality(load_study("ecsi_mobile")).text()


def test_the_variant_changes_the_source(quality):
    other = replace(quality, plan=quality.plan.model_copy(update={"variant": "E-RecS-QUAL"}))
    assert "1988" in show.variant_sentence(quality)
    assert "E-RecS-QUAL" in show.variant_sentence(other) and "2005" in show.variant_sentence(other)


def test_a_zone_is_drawn_where_it_was_asked(quality):
    scores = dict(quality.scores)
    scores["adequate"] = scores["expected"] - 1.5
    zone = gaps_study.quality_zone(replace(quality, scores=scores))
    assert (zone["turned"] == 0).all()
    assert np.allclose(zone[["below", "within", "above"]].sum(axis=1), 1)
    assert len(show.zone_table(quality, zone).cells) == 5


def test_intervals_of_gaps_cover_the_planted_ones(study):
    """Forty samples of 400: 200 intervals; .88 lies four standard errors below .95."""
    from helpers.survey.simulate.modules import _servqual_answers

    spec = study.truth["modules"]["servqual"]
    planted, hits = gaps_study.planted_gaps(study.truth), []
    for seed in range(40):
        latents = pd.DataFrame({"OSAT": np.random.default_rng(seed).normal(size=400)})
        answers = _servqual_answers(spec, study.truth["measurement"], latents, seed)
        sides = [
            pd.DataFrame({d: answers.filter(regex=f"^{d}{side}").mean(axis=1) for d in planted})
            for side in "EP"
        ]
        found = paired_gaps(*sides, high=7).set_index("code")
        hits += [
            found.loc[d, "ci_low"] <= value <= found.loc[d, "ci_high"]
            for d, value in planted.items()
        ]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.07)


def thin(quality, n):
    """The module of the first n people."""
    items = {side: part.iloc[:n] for side, part in quality.items.items()}
    scores = {side: part.iloc[:n] for side, part in quality.scores.items()}
    return replace(quality, items=items, scores=scores, outcome=quality.outcome.iloc[:n])


def test_what_few_people_do_not_allow_is_told_part_by_part(study, quality):
    twenty = thin(quality, 20)
    gaps = gaps_study.dimension_gaps(twenty)
    assert len(gaps) == 5 and len(gaps_study.item_gaps(twenty)) == 15
    assert "30 rows" in gaps_study.quality_surface(twenty).text()
    nine = thin(quality, 9)
    lacking = gaps_study.dimension_gaps(nine)
    assert "9 pairs" in lacking.text() and "9 pairs" in gaps_study.item_gaps(nine).text()
    assert show.gap_checks(study, nine, lacking) == [lacking]
    assert gaps_study.gap_numbers(lacking) == []


def test_an_outcome_that_never_varies_leaves_the_gaps(quality):
    pleased = replace(quality, outcome=quality.outcome * 0 + 7)
    assert "OSAT constant" in gaps_study.quality_index(pleased, n_boot=10).text()
    assert "must vary" in gaps_study.quality_models(pleased).text()
    assert isinstance(gaps_study.quality_surface(pleased), Unavailable)
    assert len(gaps_study.dimension_gaps(pleased)) == 5


def test_equal_answers_leave_no_reliability_and_that_is_said(quality):
    """Everybody answers 7 to all expectations of one dimension: alpha does not exist."""
    names = [n for n, owner in quality.owners.items() if owner == "TAN"]
    items = dict(quality.items)
    items["expected"] = items["expected"].assign(**dict.fromkeys(names, 7.0))
    scores = dict(quality.scores)
    scores["expected"] = scores["expected"].assign(TAN=7.0)
    gaps = gaps_study.dimension_gaps(replace(quality, items=items, scores=scores))
    row = gaps.set_index("code").loc["TAN"]
    assert isinstance(row["alpha_expected"], Unavailable)
    assert isinstance(row["alpha_gap"], Unavailable) and row["alpha_perceived"] > 0.5
    assert show.reliability_table(quality, gaps) is not None


def test_the_sentence_on_gaps_heeds_their_signs(quality):
    gaps = gaps_study.dimension_gaps(quality)

    def said(shift, rows=slice(None)):
        moved = {name: gaps[name] + shift for name in ("gap", "ci_low", "ci_high")}
        return show.gaps_sentence(quality, gaps.assign(**moved).iloc[rows])

    behind, mixed, beyond = said(-2.0), said(-gaps["gap"].mean()), said(5.0)
    assert "furthest behind" in behind and "Nearest to what was expected" in behind
    assert "furthest behind" in mixed and "furthest beyond" in mixed
    assert "falls behind in nothing" in beyond and "Nearest" not in beyond
    assert "Nearest" not in said(-2.0, slice(1)) and "settled" not in said(-2.0, slice(1))
