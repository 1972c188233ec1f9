"""Contract: what people and programs leave in exports is read for what it is, or named.

Titles and units above the answers, totals below them, signs that nobody sees, times in several
zones or as numbers of days, loops, and dates that look like telephones.
"""

import datetime as dt

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from helpers import paths
from helpers.cli import main
from helpers.errors import DataContractError
from helpers.survey.load import open_folder
from helpers.survey.new import new_study
from helpers.survey.readers import metadata
from helpers.survey.readers.check import check_export
from helpers.survey.readers.detect import detect, read_export

NAMES = "id,sat1,sat2,age\n"
ROWS = [[i, 1 + i % 7, 1 + 3 * i % 7, 20 + i] for i in range(30)]
BODY = "".join(",".join(map(str, row)) + "\n" for row in ROWS)
SUMS = [sum(column) for column in list(zip(*ROWS, strict=True))[1:]]
MEANS = [f"{total / len(ROWS):.1f}" for total in SUMS]


@pytest.fixture
def at(tmp_path):
    """Return what saves a text as a file."""

    def save(text, name="export.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8"))
        return path

    return save


def told(path):
    return [f.sentence for f in check_export(path)[1]]


def made(path, folder):
    (folder / "data").mkdir(exist_ok=True)
    return open_folder(new_study("own", path, folder=folder / "data").folder)


# --- rows that are no respondents ----------------------------------------------------------------


@pytest.mark.parametrize("blank", ["", ",,,\n"])
def test_titles_above_the_names_of_a_text_file_are_named_and_left_out(at, blank):
    path = at(f"Customers 2026,,,\nExported 2 March,,,\n{blank}{NAMES}{BODY}")
    export = read_export(path)
    assert list(export.answers) == ["sat1", "sat2", "age"]
    assert len(export.meta) == len(ROWS)
    assert any("2 rows above the names hold titles (Customers 2026, Exp" in s for s in told(path))
    assert detect(path).columns == {"respondent_id": "id"}


def test_rows_of_separators_are_no_respondents(at):
    path = at(NAMES + BODY + ",,,\n,,,\n")
    assert len(read_export(path).meta) == len(ROWS)
    assert any("2 rows are blank in every cell" in s for s in told(path))


def test_a_respondent_who_answered_nothing_stays(at):
    path = at(NAMES + BODY + "99,,,\n")
    assert len(read_export(path).meta) == len(ROWS) + 1
    assert not any("blank in every cell" in s for s in told(path))


@pytest.mark.parametrize("last", [SUMS, MEANS])
@pytest.mark.parametrize("key", ["", "31"])
def test_a_last_row_of_sums_is_named_and_does_not_widen_scales(at, tmp_path, last, key):
    path = at(NAMES + BODY + ",".join([key, *map(str, last)]) + "\n")
    assert any("sums or means of the rows above" in s for s in told(path))
    study = made(path, tmp_path)
    assert study.scale_of("sat1").high == 7
    assert len(study.intake.meta) == len(ROWS) + 1  # nothing is dropped in silence


def test_a_last_respondent_is_no_total(at):
    assert not any("last row" in s for s in told(at(NAMES + BODY)))
    few = at("id,sat1,sat2\n1,1,2\n2,2,1\n3,3,3\n", "few.csv")
    assert not any("last row" in s for s in told(few))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_row_of_units_is_an_error_that_says_so(at, tmp_path, form):
    rows = [["id", "wait", "paid", "sat1"], ["-", "days", "EUR", "1-7"]]
    rows += [[i, i % 9, 10.5 + i, 1 + i % 7] for i in range(30)]
    path = at("".join(",".join(map(str, row)) + "\n" for row in rows))
    if form == "xlsx":
        book, path = openpyxl.Workbook(), tmp_path / "units.xlsx"
        for row in rows:
            book.active.append(row)
        book.save(path)
    assert any("holds words (days, EUR, 1-7) where all other rows" in s for s in told(path))
    with pytest.raises(DataContractError, match="it seems to hold units or further names"):
        made(path, tmp_path)


def test_names_over_two_rows_are_refused_with_what_to_do(tmp_path):
    book = openpyxl.Workbook()
    for row in [["id", "Satisfaction", None, "age"], [None, "sat1", "sat2", None], *ROWS]:
        book.active.append(row)
    for cells in ("A1:A2", "B1:C1", "D1:D2"):
        book.active.merge_cells(cells)
    book.save(tmp_path / "two.xlsx")
    assert any(
        "(sat1, sat2)" in s and "names into one row" in s for s in told(tmp_path / "two.xlsx")
    )


def test_study_new_names_hidden_rows(tmp_path, monkeypatch, capsys):
    book = openpyxl.Workbook()
    for row in [["id", "sat1", "sat2", "age"], *ROWS]:
        book.active.append(row)
    book.active.row_dimensions[5].hidden = True
    book.save(tmp_path / "hidden.xlsx")
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(paths, "data_folder", lambda: tmp_path / "data")
    assert main(["new", "own", "--from", str(tmp_path / "hidden.xlsx")]) == 0
    assert "1 rows of the sheet are hidden (rows 5)" in capsys.readouterr().out


def test_answers_from_nought_to_four_are_a_scale_of_five(at, tmp_path):
    rows = "".join(f"{i},{i % 5},{2 * i % 5},{3 * i % 5}\n" for i in range(30))
    scale = made(at("id,sat1,sat2,sat3\n" + rows), tmp_path).scale_of("sat1")
    assert (scale.kind, scale.low, scale.high) == ("likert", 0, 4)


def test_a_first_respondent_with_words_is_no_row_of_units(at):
    rows = "1,none,none\n" + "".join(f"{i},{i % 5},{i % 3}\n" for i in range(2, 30))
    assert not any("units" in s for s in told(at("id,a,b\n" + rows)))


# --- signs and times -----------------------------------------------------------------------------


def test_signs_of_no_width_do_not_make_another_code_or_name(at, tmp_path):
    text = "\ufeff\ufeffid,\ufeffsat1,sat2\u200b\n" + "".join(
        f"{i},{chr(0xFEFF) if i == 20 else ''}{1 + i % 7},{1 + 3 * i % 7}\u200b\n"
        for i in range(30)
    )
    export = read_export(at(text))
    assert list(export.answers) == ["sat1", "sat2"]
    assert export.answers["sat1"].tolist() == [str(1 + i % 7) for i in range(30)]
    assert made(at(text), tmp_path).responses["sat2"].tolist() == [1 + 3 * i % 7 for i in range(30)]


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("46083.38536", "2026-03-02 09:14:55"),
        ("46083", "2026-03-02 00:00:00"),
        ("123", None),
        ("4608338", None),
    ],
)
def test_a_spreadsheets_numbers_of_days_are_times(cell, time):
    found = metadata.parse_times(pd.Series([cell])).iloc[0]
    assert (None if pd.isna(found) else str(found)) == time


def test_days_and_zones_are_named(at):
    stamps = ["2026-03-02T09:14:55Z", "2026-03-02T17:14:55+08:00"]
    rows = "".join(f"{i},{stamps[i % 2]},46083.4,{1 + i % 7}\n" for i in range(30))
    path = at("id,started_at,End Time,sat1\n" + rows)
    assert dict(detect(path).columns) == {
        "respondent_id": "id", "started_at": "started_at", "ended_at": "End Time",
    }  # fmt: skip
    sentences = told(path)
    assert any("times stand in 2 zones (+08:00, Z)" in s for s in sentences)
    assert any("spreadsheet's count of days (first: 46083.4)" in s for s in sentences)
    assert any("15 rows end before they begin (first: respondent row 2)" in s for s in sentences)
    assert read_export(path).meta["duration_s"].isna().sum() == 15


def test_one_zone_is_no_remark(at):
    rows = "".join(f"{i},2026-03-02 09:{i:02}:55 AM,{1 + i % 7}\n" for i in range(30))
    assert not any("zones" in s for s in told(at("id,start,sat1\n" + rows)))


def test_a_column_that_only_sounds_like_a_time_stays_an_answer(at):
    rows = "".join(f"{i},{1 + i % 7},{1 + 2 * i % 7}\n" for i in range(30))
    assert list(read_export(at("id,start,sat1\n" + rows)).answers) == ["start", "sat1"]


def test_dates_are_not_categories(at, tmp_path):
    rows = "".join(f"{i},2026-03-0{1 + i % 3},{1 + i % 7}\n" for i in range(30))
    assert made(at("id,bought,sat1\n" + rows), tmp_path).scale_of("bought").kind == "text"


def test_months_of_spss_are_no_telephones(tmp_path):
    """SPSS keeps them as seconds since 1582: numbers of eleven digits that begin with 13 or 14."""
    months = [dt.datetime(2026, 1 + i % 12, 1) for i in range(30)]
    seconds = [(m - dt.datetime(1582, 10, 14)).total_seconds() for m in months]
    frame = pd.DataFrame({"id": np.arange(30.0), "month": seconds, "long": ["x" * 900] * 30})
    path = tmp_path / "months.sav"
    pyreadstat.write_sav(frame, str(path), variable_format={"month": "MOYR8"})
    export = read_export(path)
    assert export.answers["month"].tolist() == [m.date().isoformat() for m in months]
    assert not export.dropped
    assert set(export.answers["long"]) == {"x" * 900}


# --- platforms -----------------------------------------------------------------------------------


def test_qualtrics_loops_keep_their_question_and_other_is_a_choice(at, tmp_path):
    names = ["StartDate", "EndDate", "Status", "Progress", "Duration (in seconds)", "Finished",
             "RecordedDate", "ResponseId", "1_Q5", "2_Q5", "Q8_1", "Q8_4", "Q8_4_TEXT"]  # fmt: skip
    asked = "Which channels? - Selected Choice - "
    labels = [
        *names[:8],
        "Shop one - How fair?",
        "Shop two - How fair?",
        f"{asked}Phone, or mail",
        f"{asked}Other (please specify)",
        "Which channels? - Other (please specify) - Text",
    ]
    rows = [names, labels, [f'{{""ImportId"":""x{i}""}}' for i in range(len(names))]]
    for i in range(20):
        when = [f"2026-03-02 09:{i:02}:00", f"2026-03-02 09:{i:02}:50", "IP Address", "100", "50"]
        other = ["Other (please specify)", "by pigeon"] if i % 4 == 0 else ["", ""]
        phone = "Phone, or mail" if i % 2 else ""
        rows.append(
            [*when, "True", when[1], f"R_{i:015d}", 1 + i % 5, 1 + 2 * i % 5, phone, *other]
        )
    text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows) + "\n"
    study = made(at(text), tmp_path)
    assert study.items["item"].tolist() == ["Q5_1", "Q5_2", "Q8", "Q8_4_TEXT"]
    assert [t.en for t in study.scale_of("Q8").labels.values()] == [
        "Phone, or mail", "Other (please specify)",
    ]  # fmt: skip
    assert study.responses["Q8_4"].sum() == 5
    assert study.scale_of("Q8_4_TEXT").kind == "text"


def test_the_sign_between_choices_of_wenjuanxing_always_joins(at, tmp_path):
    cells = ["发货延迟┋商品破损", "发货延迟", "其他【请注明】〖发错颜色〗", "(跳过)"]
    rows = "".join(f"{i},2026/3/2 9:{i:02}:07,{100 + i}秒,{cells[i % 4]}\n" for i in range(1, 41))
    study = made(at("序号,提交答卷时间,所用时间,1、遇到的问题\n" + rows), tmp_path)
    scale = study.scale_of("Q1")
    assert scale.kind == "multiple"
    assert {t.zh for t in scale.labels.values()} == {"发货延迟", "商品破损", "其他【请注明】"}


@pytest.mark.parametrize(
    ("write", "numbers"),
    [
        (lambda i: f"{20 + i}岁", [20, 21, 22]),
        (lambda i: f'"${1000 + i:,}.50"', [1000.5, 1001.5, 1002.5]),
        (lambda i: f"{i + 1} day{'s' if i else ''}", [1, 2, 3]),
        (lambda i: f"{i}%", [0, 1, 2]),
        (lambda i: f"{20 + i}岁" if i % 4 else f"{20 + i}", [20, 21, 22]),
    ],
)
def test_numbers_beside_their_unit_are_numbers_and_it_is_said(at, tmp_path, write, numbers):
    path = at("id,q,sat1\n" + "".join(f"{i},{write(i)},{1 + i % 7}\n" for i in range(30)))
    study = made(path, tmp_path)
    assert study.scale_of("q").kind == "number"
    assert study.responses["q"].tolist()[:3] == numbers
    assert study.responses["q"].notna().all()
    sentences = [f.sentence for f in study.intake.findings]
    assert any("stand beside their unit" in s for s in sentences)
    marks = (study.folder.folder / "items.csv").read_text("utf-8")
    assert "numbers beside their unit" in marks


def test_numbers_of_several_units_are_not_compared(at, tmp_path):
    rows = "".join(f"{i},{i + 1} {'days' if i % 2 else 'hours'},{1 + i % 7}\n" for i in range(30))
    assert made(at("id,q,sat1\n" + rows), tmp_path).scale_of("q").kind == "text"
