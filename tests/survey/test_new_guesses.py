"""Contract tests: exports made up by a stranger, and what `study new` takes their columns for."""

import csv
import io

import pandas as pd
import pyreadstat
import pytest

from helpers.survey.new.proposal import propose
from helpers.survey.new.spans import slips_of
from helpers.survey.readers.answers import halves_around_zero
from helpers.survey.readers.detect import read_export

N = 40


def guessed(tmp_path, columns, *, sign=",", headers=()):
    """Return the columns that are proposed for a CSV file of the given columns."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=sign)
    writer.writerow(columns)
    writer.writerows(headers)
    writer.writerows(zip(*columns.values(), strict=True))
    path = tmp_path / "export.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    return propose(read_export(path), place="export.csv")


def around(values, n=N):
    """Return n cells that run through some values."""
    return [values[i % len(values)] for i in range(n)]


@pytest.mark.parametrize(
    "cells",
    [
        ["fine", "mail p1@example.org", ""],
        ["fine", "call 13800138000", ""],
        ["ok", "word " * 60],
    ],
    ids=["e-mail", "phone", "long"],
)
def test_what_somebody_wrote_becomes_no_label(tmp_path, cells):
    found = guessed(tmp_path, {"id": range(N), "remark": around(cells), "s": around([1, 5, 3, 2])})
    assert found.kinds["remark"].kind == "text"
    assert not found.kinds["remark"].labels


@pytest.mark.parametrize("name", ["Q2_4_TEXT", "FAIL[other]", "FAIL_other"])
def test_the_text_beside_a_choice_becomes_no_label(tmp_path, name):
    found = guessed(tmp_path, {"id": range(N), name: around(["blue", ""]), "s": around([1, 5, 3])})
    (column,) = [c for c in found.kinds.values() if c.name == name]
    assert column.kind == "text"


def test_negative_half_of_a_scale_is_no_missing_code(tmp_path):
    cells = around([-3, -2, -1, 0, 1, 2, 3, 3])
    found = guessed(tmp_path, {"sat1": cells, "sat2": cells[::-1]})
    assert (found.kinds["sat1"].low, found.kinds["sat1"].high) == (-3, 3)
    assert not found.kinds["sat1"].missing


@pytest.mark.parametrize(
    "codes", [(-1, 0, 1), (-1, *range(11)), (-2, -1, *range(1, 6)), (-2, 0, 2)]
)
def test_negative_codes_beside_a_scale_stay_apart(codes):
    assert not halves_around_zero(set(map(float, codes)))


def test_codes_in_front_of_labels_are_read_as_codes(tmp_path):
    cells = around(["1 - not at all", "2", "3", "4", "5", "6", "7 (very much)"])
    found = guessed(tmp_path, {"q1": cells, "q2": around(["2", "4", "7 (very much)"])})
    for item in ("q1", "q2"):
        column = found.kinds[item]
        assert (column.kind, column.low, column.high) == ("likert", 1, 7)
    assert found.kinds["q1"].labels == {1: "not at all", 7: "very much"}


def test_numbers_are_read_as_the_file_writes_them(tmp_path):
    hours = [f"{i / 7 + 0.05:.2f}".replace(".", ",") for i in range(N)]
    spent = [f"1.{100 + i},50" for i in range(N)]
    found = guessed(tmp_path, {"id": range(N), "hours": hours, "spent": spent}, sign=";")
    assert found.kinds["hours"].kind == found.kinds["spent"].kind == "number"
    assert found.kinds["spent"].low == 1100.5


def test_signs_for_a_blank_do_not_make_words_of_a_scale(tmp_path):
    cells = around(["1", "7", "-", "3", "n/a", "5", "#NULL!"])
    found = guessed(tmp_path, {"sat1": cells, "sat2": cells[::-1]})
    assert found.kinds["sat1"].kind == "likert"


def test_what_describes_a_person_joins_no_numbered_scale(tmp_path):
    found = guessed(
        tmp_path,
        {"Q9": around(range(11)), "Q8": around(range(11)), "Q5": around([1, 2])},
    )
    assert found.kinds["Q9"].kind == "likert"
    assert found.kinds["Q5"].kind == "category"


def test_choices_with_a_column_each_are_one_question(tmp_path):
    choices = ["Late, or never", "Damaged", "Other (say):"]
    columns = {
        "ResponseId": [f"R_{i:015d}" for i in range(N)],
        "Q2_1": around([choices[0], "", ""]),
        "Q2_2": around(["", choices[1]]),
        "Q2_3": around([choices[2], "", "", ""]),
        "Q3": around(["1", "5", "2"]),
    }
    asked = [f"What went wrong? - Selected Choice - {choice}" for choice in choices]
    header = ["Response ID", *asked, "How satisfied?"]
    found = guessed(tmp_path, columns, headers=[header])
    assert found.kinds["Q2"].kind == "multiple"
    assert found.kinds["Q2"].labels == dict(enumerate(choices, start=1))


def test_values_that_go_on_counting_are_no_slips():
    scale = pd.Series([float(v) for v in range(1, 11)] * 500)
    assert slips_of(pd.concat([scale, pd.Series([11.0, 22.0, 33.0])])) == [11.0, 22.0, 33.0]
    assert slips_of(pd.concat([scale, pd.Series([11.0, 12.0, 13.0])])) == []


@pytest.mark.parametrize("declared", [True, False])
def test_labels_of_missing_codes_are_no_ends_of_a_scale(tmp_path, declared):
    table = pd.DataFrame({"sat1": [float(v) for v in around([1, 7, 4, 99])]})
    labels = {1: "disagree", 7: "agree", 98: "do not know", 99: "refused"}
    options = {"missing_ranges": {"sat1": [{"lo": 90, "hi": 99}]}} if declared else {}
    path = tmp_path / "export.sav"
    pyreadstat.write_sav(table, path, variable_value_labels={"sat1": labels}, **options)
    column = propose(read_export(path), place="export.sav").kinds["sat1"]
    assert (column.low, column.high) == (1, 7)
    assert column.labels == {1: "disagree", 7: "agree"}
    assert column.missing[99] == "refused" and column.missing[98] == "do not know"


def test_choices_of_wenjuanxing_do_not_word_the_question(tmp_path):
    columns = {"序号": range(1, N + 1), "提交答卷时间": ["2026/3/2 9:21:07"] * N}
    columns |= {"第6题(运动)": around([0, 1]), "第6题(阅读)": around([1, 1, 0])}
    found = guessed(tmp_path, columns)
    assert found.items["Q6"].wording == "第6题"
    assert found.kinds["Q6"].labels == {1: "运动", 2: "阅读"}


def test_spellings_of_one_answer_are_one_choice(tmp_path):
    cells = around(["Bus", "bus ", "BUS", "Train", "train"])
    found = guessed(tmp_path, {"id": range(N), "way": cells})
    assert found.kinds["way"].labels == {1: "Bus", 2: "Train"}
