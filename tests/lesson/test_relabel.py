"""Property: every name is replaced wherever it stands alone, and the original stays as it was."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from helpers.memo import kept
from helpers.relabel import relabelled

NAMES = {"men": "男", "women": "女"}


@dataclass(frozen=True, slots=True)
class Row:
    group: str
    n: int


@dataclass(frozen=True)
class Fit:
    labels: tuple[str, ...]
    rows: dict[str, Row]
    moments: np.ndarray

    @kept
    def table(self):
        return pd.DataFrame({"group": list(self.labels), "mean": self.moments})


def fit():
    return Fit(("men", "women"), {"men": Row("men", 3)}, np.array([1.0, 2.0]))


def test_fields_keys_and_kept_tables_are_renamed_and_the_original_is_not():
    mine = fit()
    before = mine.table
    theirs = relabelled(mine, NAMES)
    assert theirs.labels == ("男", "女")
    assert theirs.rows == {"男": Row("男", 3)}
    assert theirs.__dict__["table"]["group"].tolist() == ["男", "女"]
    assert theirs.moments is mine.moments
    assert mine.labels == ("men", "women")
    assert before["group"].tolist() == ["men", "women"]


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_cells_of_every_kind_of_text_column(kind):
    table = pd.DataFrame({"g": pd.Series(["men", "other"], dtype=kind), "x": [1.5, 2.5]})
    told = relabelled(table, NAMES)
    assert told["g"].tolist() == ["男", "other"]
    assert told["x"].tolist() == [1.5, 2.5]
    assert table["g"].tolist() == ["men", "other"]


def test_indexes_and_columns():
    table = pd.DataFrame([[1.0, 2.0]], columns=["men", "x"], index=["women"])
    told = relabelled(table, NAMES)
    assert list(told.columns) == ["男", "x"]
    assert list(told.index) == ["女"]
    pairs = pd.Series([1.0], index=pd.MultiIndex.from_tuples([("men", "women")]))
    assert relabelled(pairs, NAMES).index.tolist() == [("男", "女")]


def test_a_word_in_an_english_sentence_is_no_name():
    assert relabelled("men and women", NAMES) == "men and women"
    assert relabelled("方差为负（组 men）。", NAMES) == "方差为负（组 男）。"


def test_names_that_stay_change_nothing():
    mine = fit()
    assert relabelled(mine, {"men": "men"}) is mine
