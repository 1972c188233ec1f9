"""Contract: a study opens into cleaned rows, scores, groups, and says what it cannot offer."""

from __future__ import annotations

import copy
import hashlib
import pickle
from dataclasses import replace

import numpy as np
import pytest

from helpers.errors import CodebookError, DataContractError, Unavailable
from helpers.i18n import in_language
from helpers.survey.load import Study, load_study, open_folder

from .conftest import ITEMS

LATER = "respondent_id\nR_1\nR_4\n"
NUMBERED = "WHO\n12\n14\n"


def test_responses_hold_the_kept_rows_with_reverse_items_turned(make_study):
    study = open_folder(make_study())
    assert study.responses["respondent_id"].tolist() == ["R_1", "R_2", "R_3"]
    assert study.responses.columns[0] == "respondent_id"
    assert study.responses["SAT3"].tolist() == [6.0, 7.0, 3.0]
    assert study.raw["SAT3"].tolist()[:3] == [2.0, 1.0, 5.0]


def test_multiple_answers_become_one_column_each(make_study):
    responses = open_folder(make_study()).responses
    assert responses[["PROB_1", "PROB_2", "PROB_3"]].iloc[0].tolist() == [1.0, 0.0, 1.0]
    assert responses.loc[2, ["PROB_1", "PROB_2", "PROB_3"]].isna().all()


def test_declared_missing_code_becomes_missing_with_its_reason(make_study):
    study = open_folder(make_study())
    assert np.isnan(study.responses.loc[1, "AGE"])
    reasons = study.reasons.set_index(["respondent_id", "item"])["reason"]
    assert reasons["R_2", "AGE"] == "refused"
    assert reasons["R_3", "SAT2"] == "not answered"


def test_identifiers_are_nowhere(make_study):
    study = open_folder(make_study())
    text = study.raw.to_csv() + study.marked.to_csv()
    assert "192.0.2" not in text
    assert "31.2" not in text
    assert study.intake.dropped["LocationLatitude"] == "direct identifier"
    assert study.raw["address"].tolist() == [1, 2, 3, 4, 5]


def test_scores_are_means_where_half_the_items_are_answered(make_study):
    scores = open_folder(make_study()).scores
    # by hand: (5+6+6)/3, (7+7+7)/3, and (3+3)/2 since one of three is blank
    assert scores["SAT"].tolist() == pytest.approx([17 / 3, 7.0, 3.0])


GROUPS = {"consent": {"item": "CONSENT", "title": {"en": "consent", "zh": "同意"}}}


def test_groups_carry_labels_in_the_current_language(make_study, toy_spec):
    study = open_folder(make_study(spec=toy_spec | {"groups": GROUPS}))
    assert study.groups["consent"].tolist() == ["Yes", "Yes", "Yes"]
    with in_language("zh"):
        assert study.groups["consent"].tolist() == ["是", "是", "是"]


def test_offers_says_what_is_lacking(make_study, toy_spec):
    study = open_folder(make_study(spec=toy_spec | {"groups": GROUPS}))
    assert study.offers("rows", "timing", "scores", "construct:SAT", "group:consent") is None
    assert isinstance(study.offers("rows", "truth"), Unavailable)
    assert "these data were observed" in study.offers("truth").text()
    assert isinstance(study.offers("model:none"), Unavailable)
    assert isinstance(study.module("none"), Unavailable)
    assert isinstance(study.matrix, Unavailable)
    assert isinstance(study.truth, Unavailable)


def test_unknown_need_lists_the_allowed(make_study):
    with pytest.raises(CodebookError, match="'row' is not known; allowed are rows, matrix"):
        open_folder(make_study()).offers("row")


def test_unknown_study_lists_the_known():
    with pytest.raises(CodebookError, match="not a study below data/; known are"):
        load_study("no_such_study")


def test_study_survives_pickling(make_study):
    study = open_folder(make_study())
    assert pickle.loads(pickle.dumps(study)).responses.equals(study.responses)


def test_n_obs_is_refused_where_rows_are_counted(make_study):
    with pytest.raises(DataContractError, match="has respondents of its own"):
        open_folder(make_study(), n_obs=100)


def test_module_is_linked_by_its_key(make_study, toy_spec):
    folder = make_study(spec=_with_module(toy_spec))
    (folder / "raw" / "later.csv").write_text(LATER, encoding="utf-8")
    study = open_folder(folder)
    module = study.module("later")
    assert module["respondent_id"].tolist() == ["R_1", "R_4"]
    assert module["in_sample"].tolist() == [True, False]
    assert study.offers("module:later") is None


def test_module_may_be_keyed_by_a_number(make_study, toy_spec):
    toy_spec |= {"data": {"reader": "csv", "file": "raw/main.csv"}, "screening": {}}
    spec = _with_module(toy_spec)
    spec["modules"]["later"]["key"] = "WHO"
    spec["modules"]["later"]["source"]["sha256"] = hashlib.sha256(NUMBERED.encode()).hexdigest()
    items = [
        {"item": "CONSENT", "scale": "yesno"},
        {"item": "WHO", "scale": "years", "module": "later"},
    ]
    folder = make_study(spec=spec, items=items, content="respondent_id,CONSENT\n12,1\n13,1\n")
    (folder / "raw" / "later.csv").write_text(NUMBERED, encoding="utf-8")
    module = open_folder(folder).module("later")
    assert module["respondent_id"].tolist() == ["12", "14"]
    assert module["in_sample"].tolist() == [True, False]


def _with_module(spec):
    """Return the study file with a second file of two respondents."""
    spec = copy.deepcopy(spec)
    spec["modules"] = {
        "later": {
            "title": {"en": "Later", "zh": "之后"},
            "source": {
                "reader": "csv",
                "file": "raw/later.csv",
                "sha256": hashlib.sha256(LATER.encode()).hexdigest(),
            },
            "key": "respondent_id",
        }
    }
    return spec


def test_scales_and_factors_are_counted_by_items_on_a_scale(make_study, toy_spec):
    assert open_folder(make_study()).offers("scales", "factors") is None
    single = [i | {"construct": ""} if i["item"] != "SAT1" else i for i in ITEMS]
    alone = open_folder(make_study(items=single))
    assert "no construct has two items" in alone.offers("scales").text()
    assert "fewer than three variables" in alone.offers("factors").text()


def test_a_published_matrix_offers_the_reliabilities_it_printed():
    study = load_study("maxham_netemeyer_2003")
    assert study.offers("scales", "factors") is None
    bare = study.spec.model_copy(
        update={"matrix": study.spec.matrix.model_copy(update={"reliability": {}})}
    )
    folder = replace(study.folder, spec=bare)
    assert isinstance(Study(folder).offers("scales"), Unavailable)
