"""Contract: the overview counts what the study asked, also where only scales were published."""

from __future__ import annotations

from helpers.survey import overview
from helpers.survey.load import load_study, open_folder

from .conftest import STUDY


def test_published_scales_count_their_questions():
    study = load_study("maxham_netemeyer_2003")
    stated = study.spec.matrix.n_items
    table = overview.constructs(study).set_index("Code")["Items"]
    assert table.to_dict() == stated
    assert overview.constructs_sentence(study) == "24 questions measure 7 constructs."


def test_questions_of_a_survey_are_rows_of_its_codebook(make_study):
    assert overview.constructs_sentence(open_folder(make_study())).startswith("3 questions")


def test_hypotheses_are_counted_with_those_that_have_a_direction(make_study):
    stated = [
        {"id": f"H{i}", "kind": "direct", "sign": sign, "text": {"en": "x", "zh": "x"}}
        for i, sign in enumerate(["+", "-", "different"])
    ]
    study = open_folder(make_study(spec=STUDY | {"hypotheses": stated}))
    told = overview.hypotheses_sentence(study)
    assert told == "Hypotheses stated by the study: 3; with a direction: 2."
