"""Contract: a table with one row an answer, or one column a respondent, is called so."""

import numpy as np
import pandas as pd
import pytest

from helpers.survey.new import new_study
from helpers.survey.readers.check import check_export


@pytest.fixture
def wide():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.integers(1, 6, (40, 6)), columns=[f"sat{k}" for k in range(1, 7)])
    table.insert(0, "person", range(1, 41))
    return table


def sentences(table, path):
    table.to_csv(path, index=False)
    return " ".join(finding.sentence for finding in check_export(path)[1])


def long(table):
    return table.melt("person", var_name="question", value_name="answer")


LONG = "each value of 'person' stands in up to 6 rows, one for each value of 'question'"


@pytest.mark.parametrize("order", [0, 1], ids=["by question", "shuffled"])
def test_one_row_an_answer(wide, tmp_path, order):
    table = long(wide).sample(frac=1, random_state=order) if order else long(wide)
    assert LONG in sentences(table, tmp_path / "long.csv")


def test_it_is_said_when_a_study_is_made(wide, tmp_path):
    long(wide).to_csv(tmp_path / "long.csv", index=False)
    made = new_study("mine", tmp_path / "long.csv", folder=tmp_path)
    assert any(LONG in finding.sentence for finding in made.findings)


def test_answers_that_are_left_out(wide, tmp_path):
    assert LONG in sentences(long(wide).drop(index=range(0, 60, 3)), tmp_path / "long.csv")


def test_waves_below_each_other(wide, tmp_path):
    waves = pd.concat([wide.assign(wave=k) for k in (1, 2, 3)])
    assert "one for each value of 'wave'" in sentences(waves, tmp_path / "waves.csv")


def test_one_row_a_respondent(wide, tmp_path):
    crossed = wide.rename(columns={"person": "respondent_id"})
    crossed = crossed.assign(shop=np.arange(40) // 4, version=np.arange(40) % 4 + 1)
    tables = (wide, wide.drop(columns="person"), pd.concat([wide, wide]), crossed)
    for k, table in enumerate(tables):
        assert "not respondents" not in sentences(table, tmp_path / f"{k}.csv")


def test_one_column_a_respondent(wide, tmp_path):
    turned = wide.set_index("person").T.reset_index(names="question")
    assert "If every column is a respondent" in sentences(turned, tmp_path / "turned.csv")


def test_answers_without_names_are_not_called_turned(wide, tmp_path):
    path = tmp_path / "bare.csv"
    wide.to_csv(path, index=False, header=False)
    sentence = " ".join(finding.sentence for finding in check_export(path)[1])
    assert "header row is missing" in sentence
    assert "turned" not in sentence
