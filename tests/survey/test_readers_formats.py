"""Reference and contract: every platform's layout, SPSS against haven, codebook on real data."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from helpers.errors import DataContractError
from helpers.i18n import in_language
from helpers.study import read_folder
from helpers.survey import identifiers
from helpers.survey.load import open_folder
from helpers.survey.readers import metadata, read_source
from helpers.survey.readers.cells import split_rows
from helpers.survey.readers.detect import detect, read_export
from helpers.survey.readers.labelled import read_spss, read_stata
from helpers.survey.readers.layout import Layout
from helpers.survey.readers.reading import read_file

from .old_workbook import xls

REFERENCE = Path(__file__).parents[1] / "reference"
REAL = Path(__file__).parents[3] / "shared" / "realdata"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the real data lie outside the project")

LEGACY = (
    "V1,V2,V3,V5,V6,V7,V8,V9,V10,Q1,LocationLatitude,\n"
    "ResponseID,ResponseSet,Name,EmailAddress,IPAddress,Status,StartDate,EndDate,Finished,"
    "The parcel came late.,LocationLatitude,\n"
    "R_0aAbBcCdDeEfFgG,Default,Anonymous,,192.0.2.40,0,2016-05-01 10:00:00,2016-05-01 10:06:00,"
    "1,6,31.2,\n"
    "R_1aAbBcCdDeEfFgG,Default,Anonymous,,192.0.2.41,1,2016-05-01 11:00:00,2016-05-01 11:01:00,"
    "0,,31.2,\n"
)
MONKEY = (
    "Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,"
    "<p>What happened&nbsp;?</p>,,,How fair was it?,,Your age\n"
    ",,,,,,Late,Damaged,Other (please specify),The refund,The apology,Response\n"
    "118000000123,46,03/13/2026 09:14:55,03/13/2026 09:21:07,192.0.2.17,,Late,Damaged,,4,5,31\n"
    "118000000124,46,03/13/2026 09:30:01,03/13/2026 09:30:44,192.0.2.18,,,,colour,,,\n"
)
LIME = (
    '"id";"submitdate";"lastpage";"startlanguage";"startdate";"datestamp";"ipaddr";"PROB[SQ001]";'
    '"PROB[SQ002]";"PROB[SQ003]";"DJ[SQ001]";"AGE";"interviewtime";"groupTime12"\n'
    '"1";"2026-03-02 09:21:07";"3";"en";"2026-03-02 09:14:55";"2026-03-02 09:21:07";"192.0.2.17";'
    '"Y";"";"Y";"A5";"31.0000000000";"372.41";"201.2"\n'
    '"2";"";"1";"zh-Hans";"2026-03-02 10:00:00";"2026-03-02 10:00:58";"192.0.2.18";"";"";"";"A2";'
    '"N/A";"58.02";"58.02"\n'
)
GOOGLE = (
    "时间戳记,What went wrong?,How far do you agree? [Refund],Age\n"
    '2026/03/02 9:14:55 AM GMT+8,"Late delivery;Other",5,31\n'
    "2026/03/02 9:30:01 PM GMT+8,Late delivery,4,52\n"
)


def saved(tmp_path: Path, content: str | bytes, name: str = "export.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


# --- platforms -----------------------------------------------------------------------------------


def test_legacy_qualtrics(tmp_path):
    path = saved(tmp_path, "\ufeff" + LEGACY)
    found = detect(path)
    export = read_export(path, found)
    assert (found.reader, found.header_rows) == ("qualtrics_legacy", 2)
    assert export.meta["respondent_id"].tolist() == ["R_0aAbBcCdDeEfFgG", "R_1aAbBcCdDeEfFgG"]
    assert export.meta["finished"].tolist() == [True, False]
    assert export.meta["preview"].tolist() == [False, True]
    assert export.meta["duration_s"].tolist() == [360, 60]
    assert export.questions == {"Q1": "The parcel came late."}
    assert list(export.answers) == ["Q1"]
    assert {"Name", "EmailAddress", "IPAddress", "LocationLatitude"} <= set(export.dropped)


def test_surveymonkey_two_header_rows(tmp_path):
    path = saved(tmp_path, MONKEY)
    found = detect(path)
    export = read_export(path, found)
    assert (found.reader, found.dates, found.header_rows) == ("surveymonkey", "month-first", 2)
    assert list(export.answers) == [
        "What happened ? - Late", "What happened ? - Damaged",
        "What happened ? - Other (please specify)", "How fair was it? - The refund",
        "How fair was it? - The apology", "Your age",
    ]  # fmt: skip
    assert export.meta["started_at"].iloc[0] == pd.Timestamp("2026-03-13 09:14:55")
    assert export.meta["duration_s"].tolist() == [372, 43]
    assert export.meta["respondent_id"].tolist() == ["118000000123", "118000000124"]
    assert "Email Address" in export.dropped


def test_limesurvey_codes_and_several_answers(make_study, toy_spec):
    toy_spec["data"] = {"reader": "limesurvey", "file": "raw/main.csv", "delimiter": ";"}
    toy_spec["screening"] = {}
    items = [
        {"item": "SAT1", "scale": "agree7", "construct": "SAT", "column": "DJ[SQ001]"},
        {"item": "PROB", "scale": "problem"},
        {"item": "AGE", "scale": "years"},
    ]
    folder = read_folder(make_study(spec=toy_spec, items=items, content=LIME))
    intake = read_source(folder, folder.spec.data)
    assert intake.answers["SAT1"].tolist() == [5, 2]
    assert intake.answers[["PROB_1", "PROB_2", "PROB_3"]].iloc[0].tolist() == [1, 0, 1]
    assert intake.meta["finished"].tolist() == [True, False]
    assert intake.meta["duration_s"].tolist() == [372.41, 58.02]
    assert intake.meta["page_seconds"].tolist() == [201.2, 58.02]  # one of the pages was timed
    reasons = intake.reasons.set_index(["row", "item"])["reason"]
    assert reasons[1, "AGE"] == "skipped by the questionnaire"


def test_limesurvey_with_code_and_text_in_the_header(tmp_path):
    text = LIME.replace('"DJ[SQ001]"', '"DJ[SQ001]. How far do you agree? [The refund]"')
    export = read_export(saved(tmp_path, text))
    assert export.questions["DJ[SQ001]"] == "How far do you agree? [The refund]"


def test_google_forms_in_another_language(make_study, toy_spec, tmp_path):
    found = detect(saved(tmp_path, GOOGLE))
    assert found.reader == "google_forms"
    toy_spec |= {"data": {"reader": "google_forms", "file": "raw/main.csv"}, "screening": {}}
    items = [
        {"item": "PROB", "scale": "problem", "column": "What went wrong?"},
        {"item": "SAT1", "scale": "agree7", "construct": "SAT",
         "column": "How far do you agree? [Refund]"},
        {"item": "AGE", "scale": "years", "column": "Age"},
    ]  # fmt: skip
    study = open_folder(make_study(spec=toy_spec, items=items, content=GOOGLE))
    assert study.responses["PROB_3"].tolist() == [1, 0]
    assert study.intake.meta["ended_at"].iloc[1] == pd.Timestamp("2026-03-02 21:30:01")


def test_wenjuanxing_matrix_rows_carry_their_question(tmp_path):
    text = (
        "序号,提交答卷时间,所用时间,1、商家的处理—1.补偿公平,2.态度礼貌,2、性别 [单选题],"
        "3、此前—1.补偿公平,2.态度礼貌\n"
        "1,2026/3/2 9:21:07,１５分2秒,５,４,女,3,2\n"
    )
    export = read_export(saved(tmp_path, text.encode("gb18030")))
    assert export.questions["2.态度礼貌"] == "1、商家的处理 - 2.态度礼貌"
    assert export.questions["2.态度礼貌 (2)"] == "3、此前 - 2.态度礼貌"
    assert export.questions["2、性别"] == "2、性别"
    assert export.meta["duration_s"].tolist() == [902]


def test_reordered_columns_are_read_the_same(make_study):
    first = open_folder(make_study()).responses
    folder = make_study()
    rows = split_rows((folder / "raw" / "main.csv").read_text("utf-8"), "f").astype("str")
    turned = rows.iloc[:, ::-1].to_csv(index=False, header=False)
    pd.testing.assert_frame_equal(open_folder(make_study(content=turned)).responses, first)


def test_wenjuanxing_workbook_reads_as_its_csv(tmp_path):
    """Property: XLSX with true numbers and dates, and the CSV of the same cells."""
    text = "序号,提交答卷时间,所用时间,1、满意吗,2、理由\n1,2026-03-02 09:21:07,372秒,5,(空)\n"
    book = openpyxl.Workbook()
    book.active.append(["序号", "提交答卷时间", "所用时间", "1、满意吗", "2、理由"])
    stamp = pd.Timestamp("2026-03-02 09:21:07").to_pydatetime()
    book.active.append([1, stamp, "372秒", 5, "(空)"])
    book.save(tmp_path / "export.xlsx")
    one, two = read_export(tmp_path / "export.xlsx"), read_export(saved(tmp_path, text))
    pd.testing.assert_frame_equal(one.meta, two.meta)
    pd.testing.assert_frame_equal(one.answers.astype("str"), two.answers.astype("str"))


def test_old_workbook_format(tmp_path):
    """Reference: a file written by hand, byte by byte."""
    rows = [
        ["序号", "提交答卷时间", "所用时间", "1、满意吗"],
        [1, "2026/3/2 9:21:07", "15分2秒", 5],
    ]
    path = saved(tmp_path, xls(rows), "export.xls")
    found = detect(path)
    export = read_export(path, found)
    assert (found.reader, found.sheet) == ("wenjuanxing", "Sheet1")
    assert export.answers["1、满意吗"].tolist() == ["5"]
    assert export.meta["duration_s"].tolist() == [902]
    assert export.meta["respondent_id"].tolist() == ["1"]


# --- statistics programs -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["haven.sav", "haven.zsav"])
def test_spss_agrees_with_haven(name):
    """Reference: tests/reference/haven.R writes the file and reads it back, exact."""
    expected = json.loads((REFERENCE / "haven.json").read_text(encoding="utf-8"))["sav"]
    found = read_spss(REFERENCE / name, name)
    cells = found.rows.iloc[1:].astype("str").set_axis(list(expected), axis=1)
    for column, told in expected.items():
        values = ["" if v is None else v for v in told["values"]]
        if not isinstance(values[0], str):
            assert [float(c) if c else "" for c in cells[column]] == values
        else:
            assert cells[column].tolist() == values
        assert found.questions.get(column) == told["label"]
        labels = {v: k for k, v in told["labels"].items()} if told["labels"] else {}
        assert found.value_labels.get(column, {}) == labels
    assert found.missing_codes == {
        "sat1": {expected["sat1"]["na_values"]: "not applicable"},
        "sat2": dict.fromkeys((-99, -98), "declared missing in the file"),
    }


def test_stata_agrees_with_haven():
    """Reference: as above; tagged missing values keep their letter."""
    expected = json.loads((REFERENCE / "haven.json").read_text(encoding="utf-8"))["dta"]
    found = read_stata(REFERENCE / "haven.dta", "haven.dta")
    cells = found.rows.iloc[1:, 4].astype("str").tolist()
    told = [f".{t}" if t else "" if v is None else f"{v:g}"
            for v, t in zip(expected["sat"], expected["tag"])]  # fmt: skip
    assert cells == told
    assert found.value_labels["sat"] == {v: k for k, v in expected["labels"].items()}
    assert found.tokens == {".a": "declared missing in the file (.a)"}


@pytest.mark.parametrize("declared", [b"UTF-8", b"GBK\0\0", b"ASCII", b"L1\0\0\0"])
def test_chinese_labels_of_spss_whatever_encoding_is_declared(declared, tmp_path):
    path = tmp_path / "gbk.sav"
    pyreadstat.write_sav(
        pd.DataFrame({"q1": [1.0, 2.0]}), str(path), column_labels=["AAAABBBB"],
        variable_value_labels={"q1": {1: "CCCCDD", 2: "EEEE"}},
    )  # fmt: skip
    raw = path.read_bytes().replace(b"UTF-8", declared)
    for latin, chinese in (("AAAABBBB", "处理满意"), ("CCCCDD", "不满意"), ("EEEE", "满意")):
        raw = raw.replace(latin.encode(), chinese.encode("gbk"))
    path.write_bytes(raw)
    found = read_spss(path, "gbk.sav")
    assert found.questions == {"q1": "处理满意"}
    assert found.value_labels == {"q1": {1: "不满意", 2: "满意"}}
    assert bool(found.findings) is not declared.startswith(b"GBK")


def spss_study(make_study, toy_spec, tmp_path, labels: dict[int, str], items=None):
    """Return a study folder on an SPSS file with these value labels."""
    path = tmp_path / "made.sav"
    frame = pd.DataFrame({"SAT1": [1.0, 7.0, 99.0, np.nan]})
    pyreadstat.write_sav(
        frame, str(path), variable_value_labels={"SAT1": labels},
        missing_ranges={"SAT1": [99]},
    )  # fmt: skip
    toy_spec |= {"data": {"reader": "spss", "file": "raw/main.sav"}, "screening": {}}
    items = items or [{"item": "SAT1", "scale": "agree7", "construct": "SAT"}]
    return read_folder(make_study(spec=toy_spec, items=items, content=path.read_bytes()))


def test_codes_that_spss_declares_missing_become_missing(make_study, toy_spec, tmp_path):
    folder = spss_study(make_study, toy_spec, tmp_path, {99: "not applicable"})
    intake = read_source(folder, folder.spec.data)
    assert intake.answers["SAT1"].tolist()[:2] == [1, 7]
    assert intake.reasons["reason"].tolist() == ["not applicable", "not answered"]


def test_labels_that_contradict_codes_are_an_error(make_study, toy_spec, tmp_path):
    labels = {1: "Strongly agree", 7: "Strongly disagree"}
    folder = spss_study(make_study, toy_spec, tmp_path, labels)
    intake = read_source(folder, folder.spec.data, strict=False)
    told = [f.sentence for f in intake.findings if f.severity == "error"]
    assert "'Strongly agree' is 1 in the file and 7 in study.yml" in told[0]


# --- answers under a codebook --------------------------------------------------------------------


def plain_study(make_study, toy_spec, text: str, items: list[dict[str, str]], **source: str):
    """Return the intake of a plain table, faults listed."""
    toy_spec |= {"data": {"reader": "csv", "file": "raw/main.csv", **source}, "screening": {}}
    folder = read_folder(make_study(spec=toy_spec, items=items, content=text))
    return read_source(folder, folder.spec.data, strict=False)


SAT1 = {"item": "SAT1", "scale": "agree7", "construct": "SAT"}
AGE = {"item": "AGE", "scale": "years"}


@pytest.mark.parametrize(
    ("cells", "severity", "sentence"),
    [
        ("7 - strongly disagree\n", "error", "name a code and a label that do not belong together"),
        ('"3,5"\n', "error", "1 answers are written with a comma ('3,5')"),
        ("8\n", "mark", "answers outside the scale: 1 (8); allowed are 1 to 7"),
        ("-99\n", "error", "1 cells hold the code -99, which looks like a missing code"),
        ("delighted\n", "error", "no label of the scale: 'delighted'"),
        ("4.5\n", "mark", "answers outside the scale: 1 (4.5)"),
    ],
)
def test_answers_that_the_codebook_does_not_know(make_study, toy_spec, cells, severity, sentence):
    intake = plain_study(make_study, toy_spec, "SAT1\n5\n" + cells, [SAT1])
    told = {f.severity: f.sentence for f in intake.findings}
    assert sentence in told[severity]
    assert intake.answers["SAT1"].tolist()[0] == 5
    assert np.isnan(intake.answers["SAT1"].iloc[1])


@pytest.mark.parametrize(
    ("text", "source", "ages"),
    [
        ("AGE\n31,5\n40\n", {"delimiter": ";", "decimal": ","}, [31.5, 40]),
        ("AGE\n１８\n４０\n", {}, [18, 40]),
        ("AGE;x\n1.000,5;\n40,0;\n", {"delimiter": ";", "decimal": ","}, [1000.5, 40]),
    ],
)
def test_numbers_with_commas_and_full_width_digits(make_study, toy_spec, text, source, ages):
    toy_spec["scales"]["years"]["high"] = 2000
    intake = plain_study(make_study, toy_spec, text, [AGE], **source)
    assert intake.answers["AGE"].tolist() == ages


def test_grouped_thousands_are_read_and_said(make_study, toy_spec):
    toy_spec["scales"]["years"]["high"] = 2000
    intake = plain_study(make_study, toy_spec, 'AGE\n"1,234"\n', [AGE])
    assert intake.answers["AGE"].tolist() == [1234]
    assert "1 numbers have signs between their thousands ('1,234')" in intake.findings[0].sentence


def test_blanks_behind_a_branch_are_not_asked(make_study, toy_spec):
    items = [{"item": "CONSENT", "scale": "yesno"}, SAT1 | {"shown_if": "CONSENT=1"}]
    intake = plain_study(make_study, toy_spec, "CONSENT,SAT1\n1,5\n1,\n2,\n2,4\n", items)
    reasons = intake.reasons.set_index("row")["reason"]
    assert reasons.to_dict() == {1: "not answered", 2: "not asked"}
    told = [f.sentence for f in intake.findings]
    assert any("1 respondents answered item 'SAT1', though by shown_if" in t for t in told)
    assert intake.answers["SAT1"].iloc[3] == 4


def test_a_column_that_identifies_by_its_cells_cannot_be_an_item(make_study, toy_spec):
    text = "SAT1,WHO\n5,a@example.org\n6,b@example.org\n"
    items = [SAT1, {"item": "WHO", "scale": "open"}]
    intake = plain_study(make_study, toy_spec, text, items)
    told = [f.sentence for f in intake.findings if f.severity == "error"]
    assert "item 'WHO' asks for a column that is not read (direct identifier)" in told[0]
    assert "WHO" not in intake.answers


def test_a_reader_that_does_not_fit_the_file_is_named(make_study, toy_spec):
    toy_spec |= {"data": {"reader": "spss", "file": "raw/main.csv"}, "screening": {}}
    folder = read_folder(make_study(spec=toy_spec, items=[SAT1], content="SAT1\n5\n"))
    with pytest.raises(ValueError, match="reader= 'spss' does not fit .* which is a text file"):
        read_source(folder, folder.spec.data)


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2026-03-02 09:14:55", "year-first", "2026-03-02 09:14:55"),
        ("2026/3/2 9:14", "year-first", "2026-03-02 09:14"),
        ("2026-03-02T09:14:55Z", "year-first", "2026-03-02 09:14:55"),
        ("2026年3月2日 下午1:05", "year-first", "2026-03-02 13:05"),
        ("02.03.2026 09:14", "day-first", "2026-03-02 09:14"),
        ("02/03/2026 12:05 AM", "month-first", "2026-02-03 00:05"),
        ("13/03/2026", "month-first", "2026-03-13"),
        ("02/03/2026", "year-first", None),
        ("2026-02-30 10:00", "year-first", None),
        ("soon", "year-first", None),
    ],
)
def test_times_in_every_form(text, order, expected):
    found = metadata.parse_times(pd.Series([text]), order=order).iloc[0]
    assert found == pd.Timestamp(expected) if expected else found is pd.NaT


def test_identity_numbers_by_their_check_digit():
    """Reference: the example number printed in GB 11643-1999."""
    assert identifiers.has_check_digit("11010519491231002X")
    assert not identifiers.has_check_digit("110105194912310021")


@pytest.mark.parametrize(
    ("column", "is_one"),
    [("IPAddress", True), ("5、您的手机号码", True), ("Please enter your e-mail address", True),
     ("微信昵称", True), ("1、手机部数", False), ("How was our e-mail support?", False),
     ("brand name", False)],
)  # fmt: skip
def test_identifiers_by_name(column, is_one):
    assert identifiers.by_name(column) is is_one


# --- splitting -----------------------------------------------------------------------------------


def test_lone_quotes_do_not_hide_or_invent_ragged_rows():
    text = 'a,b\n1,27" screen\n2,"two\nlines, quoted"\n3,5" x 3"\n'
    rows = split_rows(text, "f.csv").astype("str")
    assert rows[1].tolist() == ["b", '27" screen', "two\nlines, quoted", '5" x 3"']


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a,b,c\n1,2\r3,4\n5,6,7\n", "2 cells in record 2"),  # a break of old Macs within a cell
        ("a,b\n1,2\n5", "1 cells in record 3"),
        ("a,b\n" + "1,2\n" * 9_000 + "1,2,3\n4\n", "record 9002"),
        ("a,b\r\n1,2\r\n\r\n3\r\n", "1 cells in record 4"),
    ],
)
def test_rows_of_another_width_are_refused_wherever_they_stand(text, found):
    with pytest.raises(DataContractError, match=found):
        split_rows(text, "f.csv")


def test_blank_lines_and_every_line_end_are_no_rows():
    for text in ("a,b\n\n1,2\r\n\r\n", "a,b\r1,2\r", "a,b\r\n1,2\r\n", "a,b\n1,2"):
        assert split_rows(text, "f.csv").astype(object).to_numpy().tolist() == [
            ["a", "b"],
            ["1", "2"],
        ]


def test_leading_zeros_and_long_files_stay_text():
    """Property: parts of a long file are joined without turning texts into numbers."""
    n = 60_001  # more than one part
    rows = split_rows("id,q\n" + "".join(f"{i:06d},{i % 7}\n" for i in range(n)), "f.csv")
    assert rows[0].iloc[-1] == "060000"
    assert rows[1].iloc[1:].astype("str").astype(int).tolist() == [i % 7 for i in range(n)]
    assert rows[1].cat.codes.dtype == np.int8


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_encodings_are_found_and_read_alike(encoding, tmp_path):
    text = "序号,提交答卷时间,1、满意吗\n1,2026/3/2 9:21:07,非常满意\n2,2026/3/2 9:22:07,一般\n"
    export = read_export(saved(tmp_path, text.encode(encoding)))
    assert export.answers["1、满意吗"].tolist() == ["非常满意", "一般"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        (
            "big5",
            "編號,您滿意嗎,意見\n1,非常滿意,送貨太慢了\n2,普通,沒有意見\n3,不滿意,客服態度很差\n",
        ),
        ("shift_jis", "番号,満足度,意見\n1,とても満足,配送が遅い\n2,普通,特になし\n"),
        ("euc_kr", "번호,만족도,의견\n1,매우 만족,배송이 늦었습니다\n2,보통,없음\n"),
        ("cp1251", "номер,оценка,причина\n1,хорошо,доставка задержалась\n2,плохо,товар цел\n"),
        ("cp1252", "id,raison\n1,livré trop tard\n2,déçu par le délai à l'été\n"),
    ],
)
def test_other_encodings_are_guesses_and_say_so(encoding, text, tmp_path):
    path = saved(tmp_path, text.encode(encoding))
    found = detect(path)
    guess = next(g for g in found.guesses if g.what == "encoding")
    assert (guess.found, guess.sure) == (encoding, False)
    assert guess.alternatives
    assert read_export(path, found).answers.iloc[0, -1] == text.split("\n")[1].split(",")[-1]


def test_several_columns_without_a_name(tmp_path):
    found = read_export(saved(tmp_path, "a,,,b\n1,,2,3\n4,,,5\n6,,7,\n"))
    assert list(found.answers) == ["a", "b"]
    assert [f.sentence for f in found.findings] == [
        "a column without a name holds 2 cells; every column needs a name. Name it in the header "
        "row."
    ]


def test_detection_speaks_chinese(tmp_path):
    with in_language("zh"):
        assert "来源：google_forms（第一列为时间戳" in detect(saved(tmp_path, GOOGLE)).text()


def test_what_was_detected_can_be_declared(make_study, toy_spec, tmp_path):
    """Property: the keys for study.yml read the file as detection does."""
    found = detect(saved(tmp_path, LIME))
    assert found.source_keys() == {"reader": "limesurvey", "delimiter": ";"}
    layout = Layout(**found.source_keys())
    again = read_file(tmp_path / "export.csv", layout, "export.csv")
    pd.testing.assert_frame_equal(again.answers, read_export(tmp_path / "export.csv").answers)


# --- real files ----------------------------------------------------------------------------------


@real
@pytest.mark.parametrize(
    ("name", "reader", "headers", "form"),
    [
        ("qualtrics_three_header_rows.csv", "qualtrics", 3, "text"),
        ("qualtrics_numeric_one_header.csv", "qualtrics", 1, "text"),
        ("qualtrics_german_labels_one_row.csv", "qualtrics", 3, "mixed"),
        ("qualtrics_legacy_bom.csv", "qualtrics_legacy", 2, "mixed"),
        ("wjx_phone_800_text.csv", "wenjuanxing", 1, "text"),
        ("wjx_phone_800_number.csv", "wenjuanxing", 1, "number"),
    ],
)
def test_real_exports_are_recognised(name, reader, headers, form):
    found = detect(REAL / "survey_exports" / name)
    assert (found.reader, found.header_rows, found.form) == (reader, headers, form)


@real
def test_corporate_reputation_minus_99_becomes_missing(make_study, toy_spec):
    """Reference: counts by pandas on the same file."""
    path = REAL / "corp_reputation" / "corp_rep_data.csv"
    frame = pd.read_csv(path)
    toy_spec["scales"]["any"] = {"kind": "number"}
    items = [{"item": c, "scale": "any", "missing_codes": "-99=missing"} for c in frame]
    toy_spec |= {"data": {"reader": "csv", "file": "raw/main.csv"}, "screening": {}}
    study = open_folder(make_study(spec=toy_spec, items=items, content=path.read_bytes()))
    answers = study.intake.answers
    assert answers.isna().sum().sum() == (frame == -99).sum().sum() > 0
    assert set(study.intake.reasons["reason"]) == {"missing"}


@real
def test_acsi_98_and_99_become_missing_but_98_stays_an_age(make_study, toy_spec):
    """Reference: counts by pandas; HANDLE is asked of those who complained only."""
    path = REAL / "acsi_2015" / "acsi2015_three_industries.csv"
    frame = pd.read_csv(path)
    frame.loc[0, "AGE"] = 98
    toy_spec["scales"] |= {
        "ten": {"kind": "likert", "low": 1, "high": 10}, "any": {"kind": "number"},
        "flag": {"kind": "category", "labels": {
            0: {"en": "no", "zh": "否"}, 1: {"en": "yes", "zh": "是"}}},
    }  # fmt: skip
    codes = "98=do not know;99=refused"
    items = [
        {"item": c, "scale": {"COMP": "flag", "SATIS": "ten", "HANDLE": "ten"}.get(c, "any"),
         "missing_codes": "" if c in ("AGE", "INDUSTRY", "YEAR") else codes,
         "shown_if": "COMP=1" if c == "HANDLE" else ""}
        for c in frame
    ]  # fmt: skip
    toy_spec |= {"data": {"reader": "csv", "file": "raw/main.csv"}, "screening": {}}
    content = frame.to_csv(index=False)
    study = open_folder(make_study(spec=toy_spec, items=items, content=content))
    answers, reasons = study.intake.answers, study.intake.reasons
    assert answers["AGE"].iloc[0] == 98
    assert answers["SATIS"].isna().sum() == frame["SATIS"].isin([98, 99]).sum()
    handle = reasons[reasons["item"] == "HANDLE"]["reason"].value_counts()
    not_asked = (frame["COMP"] != 1) & frame["HANDLE"].isna()
    assert handle["not asked"] == not_asked.sum() > 0
    asked_blank = (frame["COMP"] == 1) & frame["HANDLE"].isna()
    assert handle.get("not answered", 0) == asked_blank.sum()


def test_nothing_heavy_is_imported_with_the_readers():
    assert importlib.util.find_spec("openpyxl") is not None
    code = (
        "import sys, helpers.survey.readers.detect\n"
        "heavy = {'openpyxl', 'python_calamine', 'pyreadstat'}\n"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
