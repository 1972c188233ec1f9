"""Contract: widgets of scenarios follow their sliders, and none are made without a frontend."""

import numpy as np
import pytest

from helpers.i18n import in_language
from helpers.service.scenario_study import LeverSlopes, read_plan
from helpers.service.scenarios import Slopes
from helpers.survey.load import load_study
from helpers.tables import calculator_widget
from helpers.tables.calculator import calculator


@pytest.fixture(scope="module")
def shown():
    study = load_study("online_shopping")
    slope = np.array([0.18, 0.17, 0.05, 0.05, 0.02])
    draws = slope + 0.015 * np.random.default_rng(4).normal(size=(400, 5))
    found = LeverSlopes(Slopes(slope, draws), 942, "montecarlo", 0, None)
    with in_language("en"):
        return calculator(study, read_plan(study), found, steps={"timeliness": 1.0}, value=60.0)


def test_the_result_follows_the_sliders(shown):
    box = calculator_widget.widget(shown)
    *controls, outcome = box.children
    named = {control.description: control for control in controls}
    assert outcome.value == shown.first_sentence()
    named["compensation"].value = 0.5
    named["Weight of the ratings"].value = 0.25
    named["Customers"].value = "2"
    wanted = shown.result(
        {"timeliness": 1.0, "compensation": 0.5}, weight=0.25, value=60.0, segment="2"
    )
    assert outcome.value == wanted


def test_a_negative_worth_is_refused_in_words(shown):
    *controls, outcome = calculator_widget.widget(shown).children
    next(c for c in controls if "Worth" in c.description).value = -5.0
    assert outcome.value == "The worth of a point is 0 or more."


def test_no_widgets_without_a_frontend(monkeypatch):
    assert not calculator_widget.live()

    class Shell:
        kernel = object()
        user_ns: dict = {}

    monkeypatch.setattr("IPython.get_ipython", lambda: Shell())
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert not calculator_widget.live()
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/81.ipynb")
    assert calculator_widget.live()
