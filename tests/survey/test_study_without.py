"""Contract: a study that lacks something is told so, and what is told is true."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable
from helpers.i18n import in_language
from helpers.survey.load import open_folder
from helpers.tables import study_report as paper
from helpers.tables import survey_missing as missing
from helpers.tables import survey_sample as sample

from .conftest import ROWS, qualtrics_text, respondent


def test_a_single_item_is_not_tested_for_chance(make_study):
    study = open_folder(make_study())
    found = missing.joint_test(study, ["SAT1"])
    assert isinstance(found, Unavailable)
    assert missing.little_sentence(found) is found
    assert "fewer than two of the items vary" in found.text()


def test_an_item_without_spread_is_left_out_of_the_test(make_study):
    rows = [respondent(i, "1", str(1 + i % 5), str(1 + i % 3), "2", "6", "1", "30")
            for i in range(1, 13)]  # fmt: skip
    rows += [respondent(20, "1", "4", "", "2", "6", "1", "30")]
    study = open_folder(make_study(content=qualtrics_text(rows)))
    assert study.responses["SAT3"].std() == 0
    both = missing.joint_test(study, ["SAT1", "SAT2"])
    assert missing.joint_test(study, ["SAT1", "SAT2", "SAT3"]).statistic == both.statistic


def test_background_that_was_asked_is_not_denied(make_study):
    study = open_folder(make_study(content=qualtrics_text(ROWS)))
    assert "AGE" in study.responses
    assert "study file names no number among its controls" in sample.numbers_table(study).text()
    dependence = missing.missing_dependence(study)
    assert "study file names no controls" in dependence.text()


def test_a_paper_without_rivals_says_so(make_study):
    study = open_folder(make_study())
    compared = paper.rivals(study)
    assert isinstance(paper.rivals_table(compared), Unavailable)
    assert "the study file states none" in paper.rivals_sentence(compared).text()


def test_the_question_is_that_of_the_study(make_study, toy_spec):
    study = open_folder(make_study())
    assert paper.question(study).endswith("go together: Satisfaction.")
    toy_spec["constructs"].append(
        {"code": "DJ", "name": {"en": "Fairness", "zh": "公平"}, "role": "justice"}
    )
    assert "recovery" in paper.question(open_folder(make_study(spec=toy_spec)))


def test_the_abstract_ends_its_title_as_the_language_does(make_study):
    study = open_folder(make_study())
    nothing = pd.DataFrame()
    lacking = study.model("structural")
    assert paper.abstract(study, lacking, nothing).startswith("Toy study. ")
    with in_language("zh"):
        assert paper.abstract(study, lacking, nothing).startswith("示例研究。")
