"""Contract: every form of a platform's file gives the same answers; faults are named."""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib.util
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import CodebookError, DataContractError
from helpers.specification import Source
from helpers.study import StudyFolder, read_folder
from helpers.survey.load import open_folder
from helpers.survey.readers import metadata, read_source
from helpers.survey.readers.cells import split_rows
from helpers.survey.readers.layout import Layout
from helpers.survey.readers.qualtrics import read_qualtrics

EXPORTS = Path(__file__).parents[3] / "shared" / "realdata" / "survey_exports"

META = "序号,提交答卷时间,所用时间,来源,来源详情,来自IP"
WJX_TEXT = (
    META + ",1、您同意参加吗？,2、请评价—1.结果公平,2.总体满意 ,3、遇到的问题,4、年龄\n"
    "1,2026/3/2 9:21:07,372秒,微信,N/A,192.0.2.17(上海-上海),"
    "是,同意,非常同意,发货延迟┋商品破损,30\n"
    "2,2026/3/2 9:24:40,6分12秒,链接,N/A,192.0.2.17(上海-上海),"
    "是,一般,(空),其他【请注明】〖发错颜色〗,41\n"
    "4,2026/3/2 10:03:15,1小时2分5秒,链接,N/A,192.0.2.61(国外-未知),"
    "否,(跳过),(跳过),(跳过),(跳过)\n"
)
WJX_NUMBER = (
    META + ",1、您同意参加吗？,2、请评价—1.结果公平,2.总体满意 ,第3题(发货延迟),"
    "第3题(商品破损),第3题(其他【请注明】),4、年龄\n"
    "1,2026/3/2 9:21:07,372秒,微信,N/A,192.0.2.17(上海-上海),1,6,7,1,1,0,30\n"
    "2,2026/3/2 9:24:40,6分12秒,链接,N/A,192.0.2.17(上海-上海),1,4,-2,0,0,1,41\n"
    "4,2026/3/2 10:03:15,1小时2分5秒,链接,N/A,192.0.2.61(国外-未知),2,-3,-3,-3,-3,-3,-3\n"
)
WJX_ITEMS = [
    {"item": "CONSENT", "scale": "yesno", "column": "1、您同意参加吗？"},
    {"item": "SAT1", "scale": "agree7", "construct": "SAT", "column": "2、请评价—1.结果公平"},
    {"item": "SAT2", "scale": "agree7", "construct": "SAT", "column": "2.总体满意"},
    {"item": "PROB", "scale": "problem", "column": "3、遇到的问题"},
    {"item": "AGE", "scale": "years", "column": "4、年龄"},
]


def wjx(make_study, toy_spec, text: str, encoding: str = "utf-8-sig") -> StudyFolder:
    """Write a Wenjuanxing study and read its folder."""
    toy_spec["data"] = {"reader": "wenjuanxing", "file": "raw/main.csv"}
    if encoding == "gb18030":
        toy_spec["data"]["encoding"] = "gb18030"
    toy_spec["screening"] = {}
    folder = make_study(spec=toy_spec, items=WJX_ITEMS, content=text.encode(encoding))
    return read_folder(folder)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_wenjuanxing_text_and_number_forms_agree(make_study, toy_spec, encoding):
    folder = wjx(make_study, toy_spec, WJX_TEXT, encoding)
    text = read_source(folder, folder.spec.data)
    folder = wjx(make_study, toy_spec, WJX_NUMBER, encoding)
    number = read_source(folder, folder.spec.data)
    pd.testing.assert_frame_equal(text.answers, number.answers)
    pd.testing.assert_frame_equal(text.reasons, number.reasons)


def test_wenjuanxing_keeps_skipped_apart_from_empty(make_study, toy_spec):
    folder = wjx(make_study, toy_spec, WJX_TEXT)
    reasons = read_source(folder, folder.spec.data).reasons.set_index(["row", "item"])["reason"]
    assert reasons[1, "SAT2"] == "not answered"
    assert reasons[2, "SAT2"] == "skipped by the questionnaire"


def test_wenjuanxing_metadata(make_study, toy_spec):
    folder = wjx(make_study, toy_spec, WJX_TEXT)
    meta = read_source(folder, folder.spec.data).meta
    assert meta["respondent_id"].tolist() == ["1", "2", "4"]
    assert meta["duration_s"].tolist() == [372.0, 372.0, 3725.0]
    assert meta["ended_at"].iloc[0] == pd.Timestamp("2026-03-02 09:21:07")
    assert meta["address"].tolist() == [1, 1, 2]


def test_wrong_encoding_is_named(make_study, toy_spec):
    toy_spec["data"] = {"reader": "wenjuanxing", "file": "raw/main.csv"}
    toy_spec["screening"] = {}
    folder = make_study(spec=toy_spec, items=WJX_ITEMS, content=WJX_TEXT.encode("gb18030"))
    with pytest.raises(DataContractError, match="is not utf-8 at byte 0.*often gb18030"):
        open_folder(folder)


@pytest.mark.parametrize("headers", [1, 2, 3])
def test_qualtrics_with_one_two_or_three_header_rows(headers):
    lines = [
        "StartDate,Status,ResponseId,Q1",
        "Anfangsdatum,Antworttyp,Antwort-ID,Frage",
        '"{""ImportId"":""startDate""}","{""ImportId"":""status""}",'
        '"{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}"',
        "2026-03-01 18:02:11,Survey Preview,R_1,5",
        "2026-03-01 18:03:11,IP Address,R_2,6",
    ]
    kept = lines[:headers] + lines[3:]
    export = read_qualtrics(split_rows("\n".join(kept), "f.csv"), "f.csv", Layout("qualtrics"))
    assert export.answers["Q1"].tolist() == ["5", "6"]
    assert export.meta["preview"].tolist() == [True, False]


TIMED = (
    "StartDate,ResponseId,Q1,T1_First Click,T1_Page Submit,Q2,T2_Page Submit\n"
    "Start,Response ID,How?,Timing - First Click,Timing - Page Submit,Why?,Timing - Page Submit\n"
    '"{""ImportId"":""startDate""}","{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}",'
    '"{""ImportId"":""QID9_FIRST_CLICK""}","{""ImportId"":""QID9_PAGE_SUBMIT""}",'
    '"{""ImportId"":""QID2""}","{""ImportId"":""QID8_PAGE_SUBMIT""}"\n'
    "2026-03-02 09:14:55,R_1,5,1.2,10.5,4,20.25\n"
    "2026-03-02 09:24:55,R_2,5,0.4,3.5,,\n"
    "2026-03-02 09:34:55,R_3,5,,,4,\n"
)


def test_seconds_on_timed_pages_are_summed_and_said():
    rows = split_rows(TIMED, "toy.csv")
    export = read_qualtrics(rows, "toy.csv", Layout("qualtrics"))
    seconds = export.meta["page_seconds"]
    assert seconds[:2].tolist() == [30.75, 3.5] and np.isnan(seconds[2])
    assert list(export.answers) == ["Q1", "Q2"]
    said = [f.sentence for f in export.findings if "timed" in f.sentence]
    assert said and said[0].startswith("2 pages were timed; their sum is kept (median 17 seconds)")


def test_quoted_line_breaks_and_packed_files_are_read(make_study, toy_spec):
    text = 'respondent_id,CONSENT,NOTE\n7,1,"two lines,\nand a comma"\n'
    toy_spec |= {"data": {"reader": "csv", "file": "raw/main.csv.gz"}, "screening": {}}
    items = [{"item": "CONSENT", "scale": "yesno"}, {"item": "NOTE", "scale": "open"}]
    study = open_folder(
        make_study(spec=toy_spec, items=items, content=gzip.compress(text.encode()))
    )
    assert study.texts["NOTE"].tolist() == ["two lines,\nand a comma"]
    assert "NOTE" not in study.responses


def test_table_without_id_numbers_its_rows(make_study, toy_spec):
    toy_spec |= {"data": {"reader": "csv", "file": "raw/main.csv"}, "screening": {}}
    items = [{"item": "CONSENT", "scale": "yesno"}]
    study = open_folder(make_study(spec=toy_spec, items=items, content="CONSENT\n1\n2\n"))
    assert study.responses["respondent_id"].tolist() == ["1", "2"]
    assert study.offers("timing").why == "the export holds no times"


def test_labels_and_codes_read_the_same(make_study, toy_spec):
    toy_spec |= {"data": {"reader": "csv", "file": "raw/main.csv"}, "screening": {}}
    items = [{"item": "SAT1", "scale": "agree7", "construct": "SAT"}]
    text = 'SAT1\n7\nStrongly  agree\n非常同意\n"7 - strongly agree"\n7.0\n'
    study = open_folder(make_study(spec=toy_spec, items=items, content=text))
    assert study.responses["SAT1"].tolist() == [7.0] * 5


def test_joined_choices_may_hold_the_separator(make_study, toy_spec):
    toy_spec |= {"data": {"reader": "qualtrics", "file": "raw/main.csv"}, "screening": {}}
    text = 'ResponseId,PROB\nR_1,"Wrong item, or wrong size,Late delivery"\nR_2,Other\n'
    folder = make_study(spec=toy_spec, items=[{"item": "PROB", "scale": "problem"}], content=text)
    chosen = open_folder(folder).responses[["PROB_1", "PROB_2", "PROB_3"]]
    assert chosen.to_numpy().tolist() == [[1, 1, 0], [0, 0, 1]]


def test_package_that_is_not_installed_names_the_extra(make_study, toy_spec):
    toy_spec["data"] = {
        "reader": "csv", "package": "no_such_package_here", "resource": "a.csv", "extra": "real",
        "sha256": "0" * 64,
    }  # fmt: skip
    with pytest.raises(
        DataContractError, match=r"pip install 'service-recovery-notebooks\[real\]'"
    ):
        open_folder(make_study(spec=toy_spec))


def test_package_resource_is_found_without_importing(make_study, toy_spec, tmp_path, monkeypatch):
    package = tmp_path / "site" / "carrier_of_rows"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('was imported')\n")
    content = b"CONSENT\n1\n"
    (package / "rows.csv").write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    importlib.invalidate_caches()
    toy_spec |= {"screening": {}, "data": {
        "reader": "csv", "package": "carrier_of_rows", "resource": "rows.csv",
        "sha256": hashlib.sha256(content).hexdigest(),
    }}  # fmt: skip
    folder = make_study(spec=toy_spec, items=[{"item": "CONSENT", "scale": "yesno"}])
    assert len(open_folder(folder).responses) == 1


def test_identifier_cannot_be_an_item(make_study, toy_spec):
    toy_spec["screening"] = {}
    items = [{"item": "WHO", "scale": "open", "column": "IPAddress"}]
    with pytest.raises(CodebookError, match="IPAddress identify persons"):
        open_folder(make_study(spec=toy_spec, items=items))


def test_declared_columns_are_checked(make_study, toy_spec):
    toy_spec["data"]["columns"] = {"duration_s": "Dauer"}
    with pytest.raises(CodebookError, match="column 'Dauer' is not in the file"):
        open_folder(make_study(spec=toy_spec))
    toy_spec["data"]["columns"] = {"duration": "Progress"}
    with pytest.raises(CodebookError, match="Did you mean 'duration_s'"):
        open_folder(make_study(spec=toy_spec))


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("372", 372),
        ("372秒", 372),
        ("6分12秒", 372),
        ("15分", 900),
        ("00:06:12", 372),
        ("6:12", 372),
    ],
)
def test_durations_in_every_form(cell, seconds):
    assert metadata.parse_seconds(pd.Series([cell])).tolist() == [seconds]


def test_unreadable_metadata_is_counted_not_dropped_in_silence():
    cells = {"duration_s": pd.Series(["372", "soon", ""])}
    meta, findings = metadata.fill(metadata.empty_metadata(3), cells, "f.csv")
    assert meta["duration_s"].tolist()[0] == 372
    assert np.isnan(meta["duration_s"].iloc[1])
    assert "1 cells cannot be read (first: 'soon')" in findings[0].sentence


@pytest.mark.skipif(not EXPORTS.is_dir(), reason="the real exports lie outside the project")
def test_real_wenjuanxing_forms_agree_cell_by_cell(make_study, toy_spec):
    """Reference: the publisher's own two downloads of one survey, 800 rows."""
    number = (EXPORTS / "wjx_phone_800_number.csv").read_bytes()
    text = (EXPORTS / "wjx_phone_800_text.csv").read_bytes()
    header = next(csv.reader(io.StringIO(number.decode("utf-8-sig"))))
    options = [h[4:-1] for h in header if h.startswith("第6题(")]
    labels = {i + 1: {"en": f"option {i + 1}", "zh": o} for i, o in enumerate(options)}
    frame = pd.read_csv(io.BytesIO(text))
    toy_spec["scales"]["hobby"] = {"kind": "multiple", "labels": labels}
    toy_spec |= {"data": {"reader": "wenjuanxing", "file": "raw/main.csv"}, "screening": {}}
    items = [{"item": "HOB", "scale": "hobby", "column": "6、兴趣爱好"}]
    intakes = []
    for content in (number, text):
        folder = read_folder(make_study(spec=toy_spec, items=items, content=content))
        intakes.append(read_source(folder, folder.spec.data, strict=False))
    pd.testing.assert_frame_equal(intakes[0].answers, intakes[1].answers)
    assert intakes[1].answers["HOB_1"].sum() == frame["6、兴趣爱好"].str.contains("运动").sum()


@pytest.mark.skipif(not EXPORTS.is_dir(), reason="the real exports lie outside the project")
@pytest.mark.parametrize(
    ("name", "rows", "previews"),
    [("qualtrics_three_header_rows.csv", 100, 2), ("qualtrics_choice_text_one_header.csv", 100, 2),
     ("qualtrics_numeric_one_header.csv", 100, 2), ("qualtrics_german_labels_one_row.csv", 1, 0)],
)  # fmt: skip
def test_real_qualtrics_exports(name, rows, previews):
    """Reference: numbers of rows and previews as the publisher states them."""
    text = (EXPORTS / name).read_text(encoding="utf-8-sig")
    export = read_qualtrics(split_rows(text, name), name, Layout("qualtrics"))
    assert len(export.meta) == rows
    assert export.meta["preview"].sum() == previews
    if rows == 100:
        assert (~export.meta["finished"]).sum() == 6
    assert "IPAddress" not in export.answers


def test_source_is_found_from_its_folder_only():
    with pytest.raises(ValueError, match="study's own folder"):
        Source(reader="csv", file="../secret.csv", sha256="0" * 64)
