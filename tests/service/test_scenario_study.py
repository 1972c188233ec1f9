"""Contract: what a study declares for scenarios, what it lacks, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from helpers.errors import DataContractError, Unavailable
from helpers.sem.study_fit import ModelFit
from helpers.service.budget import paying_steps
from helpers.service.scenario_checks import straightness
from helpers.service.scenario_study import (
    LeverSlopes,
    lever_slopes,
    mixed_slopes,
    prior_lines,
    prior_tip,
    raised,
    read_plan,
    study_frontier,
    study_projects,
    study_scenario,
)
from helpers.service.scenarios import Slopes, scenario, tipping_weight
from helpers.service_specification import Lever
from helpers.survey.load import load_study
from helpers.tables import service_scenarios as show


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def plan(study):
    return read_plan(study)


@pytest.fixture
def found():
    estimate = np.array([0.18, 0.16, 0.05, 0.05, 0.02])
    draws = estimate + 0.015 * np.random.default_rng(1).normal(size=(600, 5))
    return LeverSlopes(Slopes(estimate, draws), 942, "montecarlo", 0, None)


def test_plan_holds_what_the_study_says(study, plan):
    assert plan.levers.codes[0] == "timeliness"
    assert (plan.levers.top == 7).all()
    assert plan.levers.cost.tolist() == [4.0, 12.0, 2.0, 7.0, 3.0]
    by_hand = study.scores["SPEED"].mean()
    assert plan.levers.scores[:, 0].mean() == pytest.approx(by_hand, abs=1e-12)
    sizes = [len(plan.customers(f"{code:g}").scores) for code in plan.segments]
    assert sum(sizes) == len(plan.levers.scores)


def test_a_study_without_scenarios_says_so():
    assert isinstance(read_plan(load_study("ecsi_mobile")), Unavailable)


def test_what_is_unavailable_is_passed_on(plan):
    lost = Unavailable("slopes", "reason")
    assert study_scenario(plan, lost, {}, value=1.0, seed=1) is lost
    assert study_frontier(plan, lost, value=1.0, seed=1) is lost
    assert study_projects(plan, lost, 1.0) is lost
    assert prior_lines(plan, lost) is lost
    assert show.slopes_sentence(None, plan, lost) is lost


def test_an_unknown_segment_is_refused(plan):
    with pytest.raises(DataContractError, match="allowed are all, 1, 2, 3"):
        plan.customers("9")


def test_without_ratings_there_is_no_prior(plan, found):
    bare = replace(plan, prior=np.array([1.0, np.nan, 1, 1, 1]))
    assert isinstance(mixed_slopes(bare, found, 0.5), Unavailable)
    assert mixed_slopes(bare, found, 0.0) is found
    assert isinstance(prior_tip(bare, found), Unavailable)
    assert isinstance(show.prior_sentence(bare, prior_tip(bare, found)), Unavailable)
    assert isinstance(prior_lines(bare, found), Unavailable)
    assert isinstance(show.prior_table(bare, found), Unavailable)


def test_a_negative_cost_is_refused_in_the_study_file():
    given = {"code": "a", "name": {"en": "a", "zh": "a"}, "variable": "X", "cost": -1}
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Lever.model_validate(given)


def test_a_scenario_outside_the_data_warns(study, plan, found):
    inside = study_scenario(plan, found, {"timeliness": 1.0}, value=60.0, seed=1)
    outside = study_scenario(plan, found, {"timeliness": 3.0}, value=60.0, seed=1)
    assert "WARNING" not in show.scenario_sentence(study, plan, inside)
    assert "plan hold: timeliness; read" in show.scenario_sentence(study, plan, outside)


def test_returns_diminish(plan, found):
    gains = [
        study_scenario(plan, found, {"apology": step}, value=60.0, seed=1).gain[0]
        for step in (0.0, 1.0, 2.0, 3.0)
    ]
    steps = np.diff(gains)
    assert (steps > 0).all() and (np.diff(steps) < 0).all()


def test_straight_lines_hold_in_a_linear_population(study, plan):
    found = straightness(study, plan)
    assert 0 <= found.p_curve <= 1 and 0 <= found.p_segments <= 1
    assert found.r2_curve >= found.r2
    # The simulated scales are linear in the latent variables: squares add next to nothing.
    assert found.r2_curve - found.r2 < 0.02


@pytest.mark.slow
def test_both_ways_to_draw_agree(study, plan):
    # Monte Carlo from all respondents, bootstrap from those without blanks.
    one = lever_slopes(study, plan, n_draws=2000, seed=1)
    other = lever_slopes(study, plan, n_draws=1000, seed=1, method="bootstrap")
    assert isinstance(one.fitted, ModelFit) and other.n_failed == 0
    # A quarter of the rows are lost, so estimates differ by less than two standard errors.
    gap = np.abs(one.slopes.estimate - other.slopes.estimate)
    assert (gap < 2 * other.slopes.draws.std(axis=0)).all()
    ratio = other.slopes.draws.std(axis=0) / one.slopes.draws.std(axis=0)
    assert ((ratio > 0.8) & (ratio < 1.7)).all()


def test_the_top_of_the_curve_is_the_plan_that_pays(plan, found):
    """Picture and sentence name the same budget."""
    value = plan.declared.value_per_point
    curve = study_frontier(plan, found, value=value, seed=1)
    steps = paying_steps(plan.levers, found.slopes, value)
    top = curve.loc[curve["net"].idxmax()]
    assert top["budget"] == pytest.approx(float(plan.levers.cost @ steps), abs=1e-6)
    assert top["net"] == pytest.approx(
        scenario(plan.levers, found.slopes, steps, value=value, seed=1).net[0], abs=1e-6
    )


def test_slopes_that_cancel_have_no_shares(plan, found):
    slopes = Slopes(np.array([0.1, -0.2, 0.0, 0.0, 0.0]), found.slopes.draws)
    against = replace(found, slopes=slopes)
    for ask in (prior_tip, prior_lines, show.prior_table):
        assert "add up to more than 0" in ask(plan, against).why
    with pytest.raises(DataContractError, match=r"add up to -0\.1"):
        tipping_weight(slopes, plan.prior)


def test_the_first_lever_of_the_study_is_raised_if_none_is_named(plan):
    assert raised(plan, "", 0.5) == {plan.declared.levers[0].code: 0.5}
    assert raised(plan, "apology", 1.0) == {"apology": 1.0}
