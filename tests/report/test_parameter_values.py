"""Contract: a value out of a parameter's range is told before anything runs."""

from pathlib import Path
from typing import get_args

import pytest

from helpers.errors import CodebookError, ReportError
from helpers.report.batch.settings import read_batch
from helpers.report.parameter_values import CHOICES, RANGES, wrong_value
from helpers.report.parameters import assign, declared, defaults
from helpers.service.coding_alpha import Resample
from helpers.service.risk_model import Rule
from helpers.service.sequential import MOST_LOOKS, Spending

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("looks", 0, "a number from 1 to 100"),
        ("looks", 1000, "a number from 1 to 100"),
        ("n_boot", 0, "1 or more"),
        ("seed", -1, "0 or more"),
        ("trim", 0.5, "a number above 0.5 and at most 1"),
        ("years", float("inf"), "a number above 0 and at most 100"),
        ("margin", -0.3, "a number from 0 to 1, or -1 for what the study file says. "),
        ("margin", float("nan"), "a number from 0 to 1"),
        ("step", 0.0, "a number above 0"),
        ("spending", "pocok", "obrien_fleming, pocock. Did you mean 'pocock'?"),
    ],
)
def test_a_value_out_of_range_says_what_is_needed(name, value, words):
    assert f"parameter {name}= is" in wrong_value("77_x.ipynb", name, value)
    assert words in wrong_value("77_x.ipynb", name, value) + " "


@pytest.mark.parametrize(
    ("name", "value"),
    [("margin", -1.0), ("margin", 0.0), ("trim", 1.0), ("looks", 1), ("words", ""), ("title", "x")],
)
def test_a_value_in_range_is_passed(name, value):
    assert wrong_value("76_x.ipynb", name, value) == ""


def test_a_notebook_may_have_a_range_of_its_own():
    assert wrong_value("51_x.ipynb", "n_boot", 0) == ""


def test_every_default_is_allowed_and_every_name_is_a_parameter():
    names = set()
    for path in NOTEBOOKS:
        names |= declared(path).keys()
        told = [wrong_value(path.name, name, value) for name, value in defaults(path).items()]
        assert not any(told)
    assert {name.split()[0] for name in (*RANGES, *CHOICES)} <= names


def test_the_words_are_those_of_the_functions():
    assert CHOICES["resample"] == get_args(Resample)
    assert CHOICES["spending"] == get_args(Spending)
    assert CHOICES["rule"] == get_args(Rule)
    assert RANGES["looks"].high == MOST_LOOKS


def test_all_faults_of_values_are_told_at_once():
    kinds = {"77_x.ipynb": {"looks": "int", "spending": "str"}}
    with pytest.raises(ReportError) as error:
        assign({"looks": "0", "spending": "x"}, kinds)
    assert "looks=" in str(error.value) and "spending=" in str(error.value)


def test_a_batch_file_is_refused_with_its_line(project):
    project.notebook("77_looks", "1", parameters='study: str = "toy"\nlooks: int = 5')
    path = project.root / "b.yml"
    path.write_text("study: toy\nmatrix: {looks: [5, 0]}", encoding="utf-8")
    with pytest.raises(CodebookError) as error:
        read_batch(path)
    assert "looks= is 0" in str(error.value) and "line 2, key" in str(error.value)
