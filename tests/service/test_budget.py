"""Reference: the best use of a budget against brute force and all subsets."""

from itertools import product

import numpy as np
import pytest

from helpers.errors import DataContractError
from helpers.service.budget import (
    best_steps,
    first_points_pay,
    frontier,
    paying_steps,
    pieces,
    whole_projects,
)
from helpers.service.scenarios import Levers, Slopes, reach

SOLVED = 1e-7
"""Feasibility and optimality tolerance of the HiGHS solver behind linprog."""


def case(seed=5, n=40):
    rng = np.random.default_rng(seed)
    scores = np.round(rng.uniform(1, 7, size=(n, 3)) * 3) / 3
    estimate = np.array([0.3, 0.12, 0.05])
    levers = Levers(
        ("a", "b", "c"), scores, np.full(3, 7.0), np.array([4.0, 1.0, 0.5]), np.array([2.0, 1, 1.5])
    )
    return levers, Slopes(estimate, estimate + 0.02 * rng.normal(size=(500, 3)))


@pytest.mark.parametrize("budget", [0.5, 2.0, 5.0, 20.0])
def test_no_plan_on_a_fine_grid_is_better(budget):
    levers, slopes = case()
    steps = best_steps(levers, slopes, budget)
    assert levers.cost @ steps <= budget + SOLVED
    best = slopes.estimate @ reach(levers.scores, steps, levers.top)
    grids = [np.linspace(0, most, 25) for most in levers.most]
    rivals = np.array([g for g in product(*grids) if levers.cost @ g <= budget])
    rises = np.minimum(rivals[:, None, :], levers.top - levers.scores[None]).mean(axis=1)
    assert best >= (rises @ slopes.estimate).max() - SOLVED
    # The grid comes close, so that the bound above is no empty promise.
    assert best <= (rises @ slopes.estimate).max() + 0.03


def test_pieces_bought_by_gain_per_cost_bring_the_same():
    levers, slopes = case()
    cut = pieces(levers, slopes)
    for budget in (1.0, 3.3, 7.0):
        left, gain = budget, 0.0
        for k in np.argsort(-cut.gain / cut.cost):
            width = min(cut.width[k], left / cut.cost[k])
            left, gain = left - width * cut.cost[k], gain + width * cut.gain[k]
        steps = best_steps(levers, slopes, budget)
        found = slopes.estimate @ reach(levers.scores, steps, levers.top)
        assert found == pytest.approx(gain, abs=SOLVED)


def test_pieces_add_up_to_the_reach():
    levers, slopes = case()
    cut = pieces(levers, slopes)
    whole = np.bincount(cut.lever, weights=cut.gain * cut.width)
    wanted = slopes.estimate * reach(levers.scores, levers.most, levers.top)
    assert whole == pytest.approx(wanted, abs=1e-9)  # cuts are rounded to nine digits


def test_frontier_never_falls_and_its_best_is_what_pays():
    levers, slopes = case()
    table = frontier(levers, slopes, np.linspace(0, 10, 201), value=20.0, seed=1)
    assert (np.diff(table["gain"]) > -SOLVED).all()
    steps = paying_steps(levers, slopes, 20.0)
    net = 20 * slopes.estimate @ reach(levers.scores, steps, levers.top) - levers.cost @ steps
    assert net >= table["net"].max() - SOLVED
    assert net <= table["net"].max() + 0.05


def test_a_lever_that_harms_is_left_alone():
    levers, slopes = case()
    harmful = Slopes(slopes.estimate * [-1, 1, 1], slopes.draws * [-1, 1, 1])
    assert best_steps(levers, harmful, 99.0)[0] == 0
    assert first_points_pay(levers, harmful, 20.0)[0] == 0


def test_whole_projects_against_all_subsets():
    rng = np.random.default_rng(2)
    for _case in range(12):
        gain, cost = rng.normal(1, 1, size=7), rng.uniform(0.2, 3, size=7)
        budget = rng.uniform(1, 8)
        taken = whole_projects(gain, cost, budget)
        assert cost[taken].sum() <= budget + SOLVED
        sets = np.array(list(product([0, 1], repeat=7)))
        best = (sets @ gain)[sets @ cost <= budget].max()
        assert gain[taken].sum() == pytest.approx(best, abs=SOLVED)


def test_bad_budgets_are_refused():
    levers, slopes = case()
    with pytest.raises(DataContractError, match="budget= is -1"):
        best_steps(levers, slopes, -1.0)
    with pytest.raises(DataContractError, match="nothing negative"):
        whole_projects([1.0], [-1.0], 2.0)
