"""Property and contract: profiles, their outcomes and slopes by context where data are thin."""

import warnings

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.service import segments
from helpers.service.classified import profile_means
from helpers.service.profile_choice import bootstrap_ratio, choose_profiles
from helpers.service.profiles import latent_profiles
from helpers.service.uplift import compare_treatments
from helpers.survey.load import load_study
from helpers.tables.service_context import context_tests_table, uplift_table
from helpers.tables.service_segments import choice_sentence, choice_table, segment_checks


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def noise():
    return pd.DataFrame(np.random.default_rng(4).normal(size=(150, 3)), columns=list("abc"))


def short_scale():
    """Answers of two profiles on four items; on the last one nearly everybody says 4."""
    rng = np.random.default_rng(6)
    which = rng.random(300) < 0.4
    answers = rng.normal(size=(300, 3)) + 2.5 * which[:, None]
    spike = np.where(np.arange(300) % 10 == 0, 5.0, 4.0)
    return pd.DataFrame(answers, columns=["COMP", "APOL", "PERS"]).assign(SPEED=spike)


def test_a_solution_with_spread_is_preferred_to_one_without():
    """Planted 60 to 40; the profile of those who all say 4 has a likelihood without bound."""
    found = latent_profiles(short_scale(), 2)
    assert found.collapsed == ()
    assert found.shares.tolist() == pytest.approx([0.6, 0.4], abs=0.085)  # three binomial errors
    assert latent_profiles(short_scale(), 3).collapsed == ("SPEED",)
    choice = choose_profiles(short_scale(), most=3, n_boot=19)
    assert choice.chosen == 2 and np.isnan(choice.table["blrt_p"].iloc[2])


def test_a_solution_without_spread_is_told_and_not_chosen(study):
    """Answers of two values only: any two profiles leave no spread, and BIC would take them."""
    rng = np.random.default_rng(6)
    data = pd.DataFrame(rng.normal(size=(300, 1)), columns=["COMP"])
    data["SPEED"] = np.where(rng.random(300) < 0.3, 5.0, 4.0)
    choice = choose_profiles(data, most=3, n_boot=9)
    table = choice.table.set_index("k")
    assert choice.solutions[2].collapsed == ("SPEED",)
    assert table.loc[2, "bic"] < table.loc[1, "bic"] - 500
    assert choice.chosen == 1 and not choice.rising
    assert np.isnan(table["blrt_p"]).all()
    assert "no spread left in timeliness" in choice_table(choice, study).note
    assert "One segment is kept" in choice_sentence(choice)


@pytest.mark.parametrize("spread", ["equal", "free", "tied"])
def test_an_indicator_that_repeats_another_leaves_no_spread_in_tied_profiles(noise, spread):
    found = latent_profiles(noise.assign(d=noise["a"]), 2, spread=spread)
    assert found.collapsed == (("a", "d") if spread == "tied" else ())


def test_few_people_allow_fewer_profiles(study):
    """Six indicators: five profiles have 4 + 30 + 6 = 40 parameters, four have 33."""
    data = pd.DataFrame(np.random.default_rng(2).normal(size=(38, 6))).rename(columns=str)
    choice = choose_profiles(data, most=6, n_boot=0)
    assert max(choice.solutions) == 4 and choice.most == 6
    assert "More than 4 would have" in choice_table(choice, study).note


def test_one_profile_is_a_solution_like_any_other(noise):
    choice = choose_profiles(noise, most=2, n_boot=19)
    assert choice.chosen == 1
    assert segment_checks(choice, _Draws())[0].passed
    with pytest.raises(DataContractError, match="most= is 0"):
        choose_profiles(noise, most=0)
    with pytest.raises(DataContractError, match="infinite values in a"):
        latent_profiles(noise.assign(a=np.inf), 2)


class _Draws:
    switched, n_boot = 0, 10


def test_without_tests_no_test_is_claimed(noise):
    data = noise.copy()
    data.iloc[:60] += 4
    assert "bootstrap" not in choice_sentence(choose_profiles(data, most=2, n_boot=0))
    assert "bootstrap" in choice_sentence(choose_profiles(data, most=2, n_boot=19))


def test_outcomes_that_have_no_means_are_refused(noise):
    data = noise.copy()
    data.iloc[:60] += 4
    found = latent_profiles(data, 2)
    some = np.where(found.assigned == 0, np.arange(150.0), np.nan)
    for method in ("modal", "bch", "ml"):
        with pytest.raises(DataContractError, match="is 7 for everybody"):
            profile_means(np.full(150, 7.0), found.posterior, method=method)
        with pytest.raises(DataContractError, match="is blank for everybody"):
            profile_means(np.full(150, np.nan), found.posterior, method=method)
        with pytest.raises(EstimationError, match="fewer than two of the people put into 2"):
            profile_means(some, found.posterior, method=method)


def moods(n=120):
    """Three categories; in the third the predictor is 4 for all but one person."""
    rng = np.random.default_rng(8)
    g = np.repeat([1.0, 2.0, 3.0], n // 3)
    x = np.where(g == 3, 4.0, np.round(rng.normal(4, 1, n), 2))
    x[-1] = 5.0
    data = pd.DataFrame({"x": x, "y": 0.5 * x + rng.normal(0, 0.3, n)})
    return data, pd.DataFrame({"g": g})


def test_a_slope_that_hangs_on_one_person_is_left_out():
    """With the category the robust F divides two rounding errors and comes out significant."""
    data, context = moods()
    pairs = [("y", "x", [])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = segments.moderated_slopes(data, context, pairs)
    assert found.left_out[["category", "n"]].to_numpy().tolist() == [[3.0, 40]]
    without = segments.moderated_slopes(data[:80], context[:80], pairs)
    pd.testing.assert_frame_equal(found.table, without.table)
    assert found.slopes["category"].tolist() == [1.0, 2.0]


def test_people_with_blanks_do_not_make_a_category_large_enough():
    data, context = moods()
    data.loc[:19, "x"] = np.nan
    found = segments.moderated_slopes(data, context, [("y", "x", [])])
    assert found.table.empty and len(found.untested) == 1
    assert found.left_out["n"].tolist() == [20, 40]


def test_a_context_without_two_categories_is_told(study, monkeypatch):
    few = study.responses.iloc[:40]
    monkeypatch.setattr(type(study), "responses", property(lambda self: few))
    monkeypatch.setattr(
        segments, "study_term",
        lambda study, name: _Term(pd.DataFrame({name: few["HOURS"].to_numpy(dtype=float)})),
    )  # fmt: skip
    found = segments.context_tests(study)
    assert isinstance(found, Unavailable) and "no context has two categories" in found.text()


class _Term:
    def __init__(self, columns):
        self.columns = columns


def test_people_of_groups_too_small_take_no_part():
    """Seven people of a third group, all with one treatment, leave the overlap of the others."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"x": rng.normal(size=300), "group": np.repeat([0.0, 1.0], 150)})
    data["treatment"] = np.tile([0.0, 1.0], 150)
    data["outcome"] = data["x"] + rng.normal(size=300)
    few = data.head(7).assign(group=2.0, treatment=1.0)
    names = {"outcome": "outcome", "treatment": "treatment", "group": "group", "covariates": ["x"]}
    found = compare_treatments(pd.concat([data, few], ignore_index=True), **names)
    assert (found.left_out, found.n_used, found.n_dropped) == ((2.0,), 300, 7)
    assert found.raised == 0
    pd.testing.assert_frame_equal(found.contrasts, compare_treatments(data, **names).contrasts)


def test_a_part_of_a_study_is_not_adjusted_for_what_made_it_the_part():
    part = load_study("online_shopping where platform = 1")
    found = segments.study_uplift(part)
    assert segments.same_for_all(part) == ["PLATF"]
    assert found["customer_type_b"].n_used > 100
    note = uplift_table(found, part).note
    assert "not adjusted for: " in note and "platform" in note


def test_days_of_one_kind_have_no_difference_to_find():
    assert segments.hurried_difference(load_study("online_shopping where day_type = 2")) is None


def test_categories_left_out_are_named_below_the_table(study):
    found = segments.context_tests(study)
    lost = pd.DataFrame(
        [("REC", "SPEED", "MOOD", 3.0, 12)], columns=["outcome", "predictor", "context",
                                                      "category", "n"],
    )  # fmt: skip
    told = segments.ContextTests(
        found.table, found.slopes, lost, found.table.iloc[:2][["outcome", "predictor", "context"]],
        found.level,
    )  # fmt: skip
    note = context_tests_table(told, study).note
    assert "mood at the purchase: bad" in note and "could not be compared" in note
    assert "Left out" not in context_tests_table(found, study).note


def test_profiles_of_unequal_spread_have_their_means():
    """Planted 4, 6 and 3 with spreads of 1, 2 and 0.5; one spread for all leads to 6.6 for 6."""
    rng = np.random.default_rng(3)
    true = rng.choice(3, 4000, p=[0.5, 0.3, 0.2])
    centre = 2 * np.array([[0, 0, 0, 0], [1, 1, 0.2, 0], [-1, 0.3, 1.3, -1]])
    data = pd.DataFrame(centre[true] + rng.normal(size=(4000, 4)), columns=list("abcd"))
    outcome = np.array([4.0, 6.0, 3.0])[true] + np.array([1.0, 2.0, 0.5])[true] * rng.normal(
        size=4000
    )
    found = latent_profiles(data, 3)
    for method in ("bch", "ml"):
        table = profile_means(outcome, found.posterior, method=method).table
        assert (((table["estimate"] - [4, 6, 3]) / table["se"]).abs() < 4).all()  # 1 in 5,000
        assert (table["se"] < 0.1).all()


@pytest.mark.slow
def test_the_ratio_test_is_uniform_where_there_is_no_further_profile():
    """Mean of 100 uniform p-values: 0.51 (the least p is 1 / 40) with standard error 0.03."""
    ps = []
    for sample in range(100):
        rng = np.random.default_rng([9, sample])
        data = pd.DataFrame(rng.normal(size=(200, 6))).rename(columns=str)
        one, two = latent_profiles(data, 1), latent_profiles(data, 2)
        ps.append(bootstrap_ratio(data, one, two, n_boot=39, seed=sample)[1])
    assert np.mean(ps) == pytest.approx(0.51, abs=0.09)
    assert np.mean(np.array(ps) <= 0.05) <= 0.115  # three standard errors above 0.05
