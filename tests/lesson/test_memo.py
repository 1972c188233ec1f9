"""Property: what is remembered is what would be computed; no word reaches the other language."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from helpers import memo
from helpers.errors import Unavailable
from helpers.i18n import _, in_language, language
from helpers.memo import kept, remembered
from helpers.workers import run_blocks

calls: list[str] = []


@remembered
def total(values, *, plus=0):
    calls.append("total")
    return float(np.sum(values)) + plus


@remembered
def lack(value):
    calls.append("lack")
    return Unavailable(_("p-value"), _("the model is saturated"))


@remembered
def around(value):
    calls.append("around")
    return (lack(value), total(np.array([value])))


@remembered
def table(n):
    calls.append("table")
    return pd.DataFrame({"x": range(n)})


@remembered
def failing(value):
    calls.append("failing")
    raise ValueError(value)


def spoken(block):
    return _("p-value") if block else ""


@remembered
def blocks(kinds):
    calls.append("blocks")
    return run_blocks(spoken, kinds, workers=2)


@dataclass(frozen=True)
class Box:
    values: np.ndarray
    name: str = "b"
    seen: list = field(default_factory=list, compare=False)

    @kept
    def plain(self):
        self.seen.append("plain")
        return self.values.sum()

    @kept
    def told(self):
        self.seen.append("told")
        return _("p-value")

    @kept
    def both(self):
        return f"{self.told} {self.plain}"


@pytest.fixture(autouse=True)
def remembering():
    calls.clear()
    memo.start()
    yield
    memo.stop()


def test_equal_arguments_are_computed_once():
    a = np.array([1.0, 2.0])
    assert total(a) == total(a.copy(), plus=0) == 3.0
    assert calls == ["total"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.array([1.0, 2.0]), np.array([2.0, 1.0])),
        (np.array([1.0, 2.0]), np.array([1, 2])),
        (pd.Series([1.0, 2.0]), pd.Series([1.0, 2.0], index=[1, 0])),
        (pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": [1.0]})),
        ([1, 2], (1, 2)),
        ([1], [True]),
        ([0.0], [-0.0]),
    ],
)
def test_arguments_that_differ_are_computed_apart(first, second):
    total(first)
    total(second)
    assert len(calls) == 2


def test_categories_count_with_their_order():
    first = pd.Series(pd.Categorical(["a", "b"], categories=["a", "b"], ordered=True)).to_frame("x")
    second = first.assign(x=first["x"].cat.reorder_categories(["b", "a"], ordered=True))
    assert memo._key(first) != memo._key(second)


def test_what_cannot_be_compared_is_computed_each_time():
    seeds = [np.random.default_rng(1), np.random.default_rng(1)]

    @remembered
    def drawn(rng):
        calls.append("drawn")
        return rng.normal()

    drawn(seeds[0])
    drawn(seeds[0])
    assert calls == ["drawn", "drawn"]


def test_words_are_made_again_in_the_other_language():
    english = lack(1).text()
    with in_language("zh"):
        chinese = lack(1).text()
        assert lack(1).text() == chinese
    assert english != chinese
    assert lack(1).text() == english
    assert calls == ["lack", "lack"]


def test_a_function_speaks_if_one_below_it_does_and_numbers_below_are_not_computed_again():
    around(1.0)
    with in_language("zh"):
        around(1.0)
    assert calls == ["around", "lack", "total", "around", "lack"]


def test_a_remembered_answer_that_speaks_makes_its_caller_speak():
    lack(1.0)
    around(1.0)  # what it asks for is remembered already
    with in_language("zh"):
        told = around(1.0)[0].text()
    assert "饱和" in told


def test_a_worker_that_speaks_is_heard():
    english = blocks((0, 1))
    with in_language("zh"):
        assert blocks((0, 1)) != english
    assert calls == ["blocks", "blocks"]
    assert blocks((0, 0)) == ["", ""]
    with in_language("zh"):
        blocks((0, 0))
    assert calls.count("blocks") == 3


def test_tables_are_handed_out_as_copies():
    mine = table(3)
    mine.loc[0, "x"] = 99
    assert table(3)["x"].tolist() == [0, 1, 2]
    assert calls == ["table"]


def test_errors_are_not_remembered():
    for _round in range(2):
        with pytest.raises(ValueError):
            failing(1)
    assert calls == ["failing", "failing"]


def test_nothing_is_remembered_before_start():
    memo.stop()
    total([1])
    total([1])
    assert calls == ["total", "total"]


def test_a_kept_value_is_kept_for_each_language_if_it_holds_words():
    box = Box(np.array([1.0, 2.0]))
    english = box.both
    with in_language("zh"):
        chinese = box.both
        assert box.told in chinese
        assert box.both == chinese
    assert box.both == english != chinese
    assert box.seen == ["told", "plain", "told"]


def test_asking_a_kept_word_counts_as_speaking():
    box = Box(np.array([1.0]))
    assert box.told

    @remembered
    def read(_number):
        return box.told

    first = read(1)
    with in_language("zh"):
        assert read(1) != first


def test_the_language_itself_is_not_lost():
    with in_language("zh"):
        assert language() == "zh"
    assert language() == "en"
