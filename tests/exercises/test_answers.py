"""Contract: an answer is right, wrong, of the wrong kind, or not there; nothing gives it away."""

import importlib
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import ReportError, Unavailable
from helpers.exercises import registry
from helpers.exercises.agreement import agrees, expected_kind, largest
from helpers.i18n import in_language

HINT = "Look at the second table again."


@pytest.fixture
def one(monkeypatch):
    """Register one exercise with a given right answer, and take it away again."""
    monkeypatch.setattr(registry, "_EXERCISES", {})

    def register(right, **options):
        registry.exercise("98-1", hint=HINT, **options)(
            right if callable(right) else lambda names: right
        )

    return register


@pytest.mark.parametrize(
    ("right", "answers", "not_yet"),
    [
        (0.8166, [0.817, 0.8166, np.float64(0.81664)], [0.816, 0.8, 10**400, -(10**400)]),
        (12, [12, 12.0, np.int64(12)], [13, 12.001]),
        (True, [True, np.bool_(True)], [False, 1, "yes"]),
        ("Trust", ["trust", " TRUST ", "t rust"], ["TRS", 3]),
        ((0.5, "a"), [(0.5, "A"), [0.5, "a"], np.array([0.5, "a"], object)], [(0.5,), (0.4, "a")]),
        ({"a", "b"}, [{"B", "a"}, ["a", "b"]], [{"a"}, {"a", "b", "c"}]),
        (float("nan"), [float("nan")], [0.0]),
    ],
)
def test_what_agrees(right, answers, not_yet):
    assert all(agrees(a, right, decimals=3) for a in answers)
    assert not any(agrees(a, right, decimals=3) for a in not_yet)


def test_of_tied_values_each_is_right():
    means = pd.Series([4.0, 2.0, 4.0, np.nan], index=["A1", "A2", "A3", "A4"])
    right = largest(means)
    assert agrees("A1", right, decimals=3) and agrees("a3", right, decimals=3)
    assert not agrees("A2", right, decimals=3) and not agrees("A4", right, decimals=3)
    assert "text" in expected_kind(3, right)
    assert not agrees("A1", largest(means.iloc[3:]), decimals=3)


def test_a_number_rounded_as_asked_is_right_and_one_step_off_is_not():
    assert agrees(0.12, 0.1249, decimals=2)
    assert agrees(0.125, 0.1255, decimals=3)
    assert not agrees(0.13, 0.1249, decimals=2)


def test_tables_agree_in_any_order_of_columns():
    right = pd.DataFrame({"item": ["a", "b"], "r": [0.1, 0.2]})
    assert agrees(right[["r", "item"]], right, decimals=3)
    assert not agrees(right.iloc[::-1], right, decimals=3)
    assert not agrees(right.rename(columns={"r": "q"}), right, decimals=3)


@pytest.mark.parametrize(
    ("answer", "right", "word"),
    [
        ("x", 1.0, "number"),
        (True, 1.0, "number"),
        (1.0, True, "True or False"),
        (1.0, "x", "text"),
        (1.0, (1.0, 2.0), "2 values"),
        ((1.0, "x"), (1.0, 2.0), "number"),
        (1.0, {"x"}, "set"),
        ([1], pd.DataFrame({"r": [1]}), "columns r"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_told_what_is_expected(answer, right, word):
    assert not agrees(answer, right, decimals=3)
    assert word in expected_kind(answer, right)


class TestGrade:
    def test_right(self, one):
        one(lambda names: names["a"] + 1)
        assert registry.grade("98-1", 3, {"a": 2}).status == "right"

    def test_wrong_shows_the_hint_and_never_the_answer(self, one):
        one(0.7315)
        graded = registry.grade("98-1", 0.5, {})
        assert graded.status == "wrong"
        assert HINT in graded.text
        assert "73" not in graded.text

    @pytest.mark.parametrize("answer", [None, ...])
    def test_no_answer_yet(self, one, answer):
        one(0.7315)
        graded = registry.grade("98-1", answer, {})
        assert graded.status == "unanswered"
        assert "not answered" in graded.text

    def test_an_exercise_that_does_not_apply_says_why(self, one):
        one(Unavailable("the paths", "the study has no rows"))
        graded = registry.grade("98-1", ..., {})
        assert graded.status == "unavailable"
        assert "has no rows" in graded.text

    def test_a_variable_that_is_not_there_yet(self, one):
        one(lambda names: names["toy"])
        with pytest.raises(ReportError, match="'toy'.*Run the cells above"):
            registry.grade("98-1", 3, {})

    def test_an_unknown_exercise_is_named_with_the_nearest(self, one):
        one(1)
        with pytest.raises(ReportError, match="Did you mean '98-1'"):
            registry.grade("98-2", 3, {})

    def test_in_chinese(self, one):
        one(1)
        with in_language("zh"):
            assert "正确" in registry.grade("98-1", 1, {}).text
            assert "尚未" in registry.grade("98-1", None, {}).text


@pytest.mark.parametrize(("id", "hint"), [("1-1", HINT), ("98-1", " "), ("98", HINT)])
def test_a_bad_registration_is_refused(one, id, hint):
    with pytest.raises(ReportError, match="exercise: "):
        registry.exercise(id, hint=hint)


NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def checked_in(path: Path) -> list[str]:
    """Return the exercises whose answers a notebook checks, in order."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    return re.findall(r'lesson\.check_answer\("([^"]+)", answer_(?:\d+)\)', code)


@pytest.mark.parametrize("number", registry.notebooks_with_exercises())
def test_every_exercise_is_checked_in_its_notebook_and_the_reverse(number):
    importlib.import_module(f"helpers.exercises.n{number}")
    registered = [id for id in registry._EXERCISES if id.startswith(f"{number}-")]
    (path,) = [p for p in NOTEBOOKS if p.name.startswith(number)]
    assert checked_in(path) == registered
    assert registered == [f"{number}-{k}" for k in range(1, len(registered) + 1)]


def test_no_notebook_checks_what_is_not_registered():
    checking = {path.name[:2] for path in NOTEBOOKS if checked_in(path)}
    assert checking <= {*registry.notebooks_with_exercises()}
