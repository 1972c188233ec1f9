"""Contract: what sentences of the managerial notebooks say follows the sign of the numbers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.errors import Unavailable
from helpers.sem import fit
from helpers.service.risk_data import _columns
from helpers.service.risk_scores import performance
from helpers.service.scenarios import Levers, Slopes
from helpers.tables import brief
from helpers.tables.service_priorities import list_sentence
from helpers.tables.service_risk import performance_sentence

WORDS = ("speed", "money")


@pytest.fixture
def plan():
    """Two levers, seven points each, one of them costly."""
    levers = [
        SimpleNamespace(code=c, variable=c, name=SimpleNamespace(model_dump=lambda c=c: {"en": c}))
        for c in WORDS
    ]
    declared = SimpleNamespace(
        levers=levers, outcome="loyalty", value_per_point=10.0,
        currency=SimpleNamespace(model_dump=lambda: {"en": "CNY"}),
    )  # fmt: skip
    scores = np.random.default_rng(1).uniform(2, 6, (50, 2))
    known = Levers(WORDS, scores, np.full(2, 7.0), np.array([1.0, 99.0]), np.ones(2))
    return SimpleNamespace(declared=declared, levers=known)


@pytest.fixture
def study():
    """Names of constructs are their codes."""
    names = ["rec", "sat", "loyalty"]
    return SimpleNamespace(construct_codes=names, construct_name=lambda code: code)


def slopes(*estimate: float) -> SimpleNamespace:
    """Slopes known without error."""
    return SimpleNamespace(slopes=Slopes(np.array(estimate), np.tile(estimate, (20, 1))))


def test_one_lever_that_pays_is_raised_alone(plan):
    alone = brief.what_pays(plan, slopes(0.5, 0.5), seed=1).text
    assert alone.startswith("Worth its cost: speed. To raise it")
    plan.levers.cost[1] = 1.0
    assert "Raised together" in brief.what_pays(plan, slopes(0.5, 0.5), seed=1).text


def test_a_negative_slope_is_not_called_higher(plan, study):
    assert "0.50 points higher" in brief.one_lever(study, plan, slopes(0.5, 0.2)).text
    assert "points higher" not in brief.one_lever(study, plan, slopes(-0.5, -0.7)).text


@pytest.mark.parametrize("point", ["one_lever", "what_pays", "recovery_to_loyalty", "net_picture"])
def test_a_declared_plan_whose_model_gives_no_slopes_says_why(plan, study, point):
    why = Unavailable("the slopes", "the solution is not admissible")
    given = (plan, why) if point in ("what_pays", "net_picture") else (study, plan, why)
    options = {} if point == "one_lever" else {"seed": 1}
    told = getattr(brief, point)(*given, **options)
    assert (told if point == "net_picture" else told.text) is why


def chain(direct: float) -> SimpleNamespace:
    """A path model: speed and money to rec, rec to loyalty by sat and directly."""
    rng, n = np.random.default_rng(2), 400
    data = pd.DataFrame(rng.normal(size=(n, 2)), columns=list(WORDS))
    data["rec"] = data.sum(axis=1) + rng.normal(size=n)
    data["sat"] = 0.6 * data["rec"] + rng.normal(size=n)
    data["loyalty"] = 0.6 * data["sat"] + direct * data["rec"] + rng.normal(size=n)
    model = "rec ~ speed + money\nsat ~ rec\nloyalty ~ sat + rec"
    return SimpleNamespace(fitted=SimpleNamespace(result=fit(model, data)))


def test_the_way_of_recovery_names_what_the_model_holds(plan, study):
    found = brief.recovery_to_loyalty(study, plan, chain(0.5), seed=1).text
    assert "goes with more loyalty" in found and "runs through sat." in found
    assert "word of mouth" not in found


def test_ways_of_either_sign_have_no_share(plan, study):
    found = brief.recovery_to_loyalty(study, plan, chain(-0.8), seed=1).text
    assert "goes with less loyalty" in found and "runs through" not in found


@pytest.mark.parametrize(("second", "words"), [(1.5, "share the lead"), (2.0, "comes first")])
def test_levers_that_stand_level_share_the_lead(plan, second, words):
    table = pd.DataFrame(
        {"code": WORDS, "rank": [1.5 if second == 1.5 else 1.0, second], "p_first": 0.5,
         "p_top3": 1.0}
    )  # fmt: skip
    urgency = SimpleNamespace(declared=plan.declared, methods=("kano", "gap"), draws=np.zeros(9))
    assert words in list_sentence(urgency, table)
    if second == 1.5:
        assert "level at the top" in brief.first_of_all(urgency, table).text


def test_risks_worse_than_a_flat_one_save_nothing():
    rng = np.random.default_rng(3)
    risk, left = rng.uniform(0.05, 0.95, 80), np.tile([0.0, 1.0], 40)
    found = performance(left, risk)
    model = SimpleNamespace(unseen=found, apparent=found)
    assert found.scaled_brier < 0
    assert "no better than a flat risk" in performance_sentence(model)


def test_a_blank_category_is_not_the_first_one():
    answers = pd.DataFrame({"TYPE": [1.0, 2.0, np.nan, 3.0] * 40})
    asked = SimpleNamespace(
        scores=pd.DataFrame(), responses=answers,
        scale_of=lambda _name: SimpleNamespace(kind="category"),
    )  # fmt: skip
    table = _columns(asked, "TYPE")
    blank = answers["TYPE"].isna()
    assert table.loc[blank, ["TYPE=2", "TYPE=3"]].isna().all(axis=None)
    few = SimpleNamespace(**{**vars(asked), "responses": answers.iloc[:8]})
    assert "TYPE=blank" in table and table["TYPE=blank"].sum() == blank.sum()
    assert "TYPE=blank" not in _columns(few, "TYPE")
