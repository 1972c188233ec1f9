"""Contract: the sliders of a page start where the suite computes, whatever the study declares."""

import re
from dataclasses import replace

import numpy as np
import pytest

from helpers.service.scenario_study import LeverSlopes, Plan
from helpers.service.scenarios import Levers, Slopes
from helpers.service_specification import Scenarios
from helpers.survey.load import load_study
from helpers.tables.calculator import calculator, form

WORDS = {"en": "x", "zh": "x"}


def hard(k: int, slope: float = 0.3) -> tuple[Plan, LeverSlopes]:
    """A plan of k levers for 40 customers, three of them in a segment of their own."""
    rng = np.random.default_rng(5)
    codes = tuple("abc"[:k])
    levers = [{"code": c, "name": WORDS, "variable": f"V{c}", "cost": 1, "most": 2} for c in codes]
    declared = Scenarios(model="m", outcome="Y", value_per_point=0.33, levers=levers)
    scores = rng.integers(1, 8, (40, k)).astype(float)
    table = Levers(codes, scores, np.full(k, 7.0), np.ones(k), np.full(k, 2.0))
    segment = np.repeat([1.0, 2.0], [37, 3])
    draws = slope + 1e-7 * rng.standard_normal((50, k))
    slopes = Slopes(np.full(k, slope), draws)
    plan = Plan(declared, table, segment, np.ones(k), 0)
    return plan, LeverSlopes(slopes, 40, "montecarlo", 0, None)


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


def test_one_lever_has_a_covariance_table_and_keeps_small_variances(study):
    plan, found = hard(1)
    cov = calculator(study, plan, found, steps={"a": 1.0}, value=1.0).data["cov"]
    assert np.shape(cov) == (1, 1)
    assert cov[0][0] == pytest.approx(found.slopes.draws.var(ddof=1))


def test_slopes_without_a_sum_above_zero_have_no_slider_for_ratings(study):
    plan, found = hard(2, slope=-0.1)
    shown = calculator(study, plan, found, steps={"a": 1.0}, value=1.0)
    assert shown.data["prior"] is None and 'data-part="weight"' not in form(shown.data, "", key="k")


@pytest.mark.parametrize(
    ("step", "value"), [(1.25, 0.33), (99.0, 1234567.89), (0.1 + 0.2, 0.004), (0.125, 60.0)]
)
def test_first_positions_stand_on_the_grid_of_their_sliders(study, step, value):
    plan, found = hard(2)
    page = form(calculator(study, plan, found, steps={"a": step}, value=value).data, "", key="k")
    rows = re.findall(r'data-part="(\w+)" min="0" max="(\S+)" step="(\S+)" value="(\S+)"', page)
    starts = [(part, *map(float, numbers)) for part, *numbers in rows]
    for _part, top, grain, start in starts:
        assert start <= top and start / grain == pytest.approx(round(start / grain), abs=1e-6)
    assert starts[0][3] == pytest.approx(step, rel=1e-12)
    assert [start for part, *_rest, start in starts if part == "value"] == [value]


def test_a_segment_too_small_to_be_shown_starts_with_everybody(study):
    plan, found = hard(2)
    plan = replace(plan, declared=plan.declared.model_copy(update={"segment": "CTYPE"}))
    shown = calculator(study, plan, found, steps={"a": 1.0}, value=1.0, segment="2")
    assert shown.segment == shown.data["segment"] == "all"
    assert "2" not in [one["code"] for one in shown.data["segments"]]
