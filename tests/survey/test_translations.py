"""Contract: what stands in one language only is shown as such, listed by check, never copied."""

import csv

import pandas as pd
import pyreadstat
import pytest
import yaml
from pydantic import ValidationError

from helpers.i18n import in_language, pick
from helpers.specification import Bilingual
from helpers.survey.codebook import check_study
from helpers.survey.load import open_folder
from helpers.survey.new import new_study
from helpers.survey.new.words import language_of
from helpers.survey.questionnaire.instrument import make_instrument
from helpers.survey.questionnaire.steps import steps_by_hand

AGREE = ["strongly disagree", "disagree", "neutral", "agree", "strongly agree"]
GERMAN = ["stimmt nicht", "stimmt wenig", "stimmt mittel", "stimmt ziemlich", "stimmt sehr"]


@pytest.fixture
def english(tmp_path):
    rows = "".join(f"{i},{AGREE[i % 5]},{AGREE[(i + 1) % 5]},{20 + i}\n" for i in range(10))
    header = "id,sat_1,sat_2,age\n"
    (tmp_path / "e.csv").write_text(header + rows, encoding="utf-8")
    (tmp_path / "data").mkdir(exist_ok=True)
    return new_study("english", tmp_path / "e.csv", folder=tmp_path / "data").folder


@pytest.fixture
def chinese(tmp_path):
    words = ["非常不同意", "不同意", "一般", "同意", "非常同意"]
    rows = "".join(
        f"{i},2026/3/2 9:{i + 10}:07,{30 + i}秒,{words[i % 5]},{words[(i + 2) % 5]}\n"
        for i in range(10)
    )
    header = "序号,提交答卷时间,所用时间,1、补偿是公平的,2、我很满意\n"
    (tmp_path / "c.csv").write_text(header + rows, encoding="utf-8")
    (tmp_path / "data").mkdir(exist_ok=True)
    return new_study("chinese", tmp_path / "c.csv", folder=tmp_path / "data").folder


def cells(folder, column):
    with (folder / "items.csv").open(encoding="utf-8", newline="") as handle:
        return [row[column] for row in csv.DictReader(handle)]


@pytest.mark.parametrize(
    ("text", "language"),
    [("The refund was fair.", "en"), ("补偿是公平的", "zh"), ("Q3 的补偿", "zh"), ("3", ""),
     ("", ""), ("配送が遅い", "en"), ("배송", "en"), ("zufrieden", "en")],
)  # fmt: skip
def test_the_language_of_a_text(text, language):
    assert language_of(text) == language


def test_a_text_in_one_language_stands_in_for_the_other():
    only = Bilingual(en="late")
    assert (only.zh, only.lacks) == ("late", "zh")
    assert Bilingual(zh="晚").lacks == "en"
    assert Bilingual(en="late", zh="晚").lacks == ""
    assert only == Bilingual(en="late")
    with pytest.raises(ValidationError, match="a text under en, zh or both is needed"):
        Bilingual()
    with in_language("en"):
        assert pick({"en": "", "zh": "晚"}) == "晚"


def test_an_english_export_leaves_the_chinese_to_be_written(english):
    assert set(cells(english, "wording_zh")) == {""}
    assert all(cells(english, "wording_en"))
    scale = yaml.safe_load((english / "study.yml").read_text("utf-8"))["scales"]["scale5"]
    assert scale["labels"][5] == {"en": "strongly agree"}
    study = open_folder(english)
    assert study.wording("sat_1") == "sat_1"
    with in_language("zh"):
        assert study.wording("sat_1") == "sat_1［未翻译］"


def test_a_chinese_export_leaves_the_english_to_be_written(chinese):
    assert set(cells(chinese, "wording_en")) == {""}
    study = open_folder(chinese)
    assert study.wording("Q1") == "补偿是公平的 [not translated]"
    with in_language("zh"):
        assert study.wording("Q1") == "补偿是公平的"
    labels = study.scale_of("Q1").labels
    assert pick(labels[5].model_dump()) == "非常同意"


def test_check_lists_what_is_not_translated_as_notes(english, chinese):
    for folder, language, column in ((english, "Chinese", "zh"), (chinese, "English", "en")):
        findings = check_study(folder)
        told = [f for f in findings if f"no wording in {language}" in f.sentence]
        assert len(told) == len(cells(folder, "item"))
        assert {f.severity for f in told} == {"note"}
        assert all(f"wording_{column}" in f.sentence for f in told)
        assert any(f"labels.5 has no text in {language}" in f.sentence for f in findings)
        assert not [f for f in findings if f.severity == "error"]


def test_check_sees_a_wording_that_was_copied(make_study):
    folder = make_study()
    told = [f.sentence for f in check_study(folder) if "no wording in" in f.sentence]
    path = folder / "items.csv"
    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    copied = [r for r in rows if r["wording_en"] == r["wording_zh"] != ""]
    assert len(told) == len(copied)


def test_the_questionnaire_says_what_is_left_to_translate(english):
    with in_language("zh"):
        steps = steps_by_hand(make_instrument(open_folder(english)), "docx")
    assert any("请翻译" in step and "sat_1" in step for step in steps)
    assert not any(
        "ranslate" in s for s in steps_by_hand(make_instrument(open_folder(english)), "docx")
    )


@pytest.mark.parametrize(("measure", "kind"), [("ordinal", "likert"), ("nominal", "category")])
def test_an_order_that_the_file_declares_makes_a_scale(measure, kind, tmp_path):
    """Words of a language that is not known are ordered by their codes, if SPSS calls them so."""
    frame = pd.DataFrame({"id": range(20), "urteil": [float(1 + i % 5) for i in range(20)]})
    path = tmp_path / "d.sav"
    labels = {"urteil": dict(enumerate(GERMAN, start=1))}
    measures = {"id": "scale", "urteil": measure}
    pyreadstat.write_sav(frame, str(path), variable_value_labels=labels, variable_measure=measures)
    (tmp_path / "data").mkdir(exist_ok=True)
    made = new_study("d", path, folder=tmp_path / "data")
    scale = open_folder(made.folder).scale_of("urteil")
    assert scale.kind == kind
    assert scale.labels[5].en == "stimmt sehr"
    told = [g for g in made.guesses if g.place == "urteil" and "declares them ordered" in g.because]
    assert bool(told) is (kind == "likert")
