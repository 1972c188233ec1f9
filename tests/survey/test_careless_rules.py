"""Contract and recovery: who is marked careless, who is excluded, and what that does."""

from __future__ import annotations

import csv
import hashlib
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.errors import CodebookError, Unavailable
from helpers.specification import AtLeast, Screening
from helpers.study import read_folder
from helpers.survey.careless_indices import careless_indices
from helpers.survey.load import load_study, open_folder
from helpers.survey.mark_agreement import (
    correlations_of_indices,
    describe_marks,
    several_signs,
)
from helpers.survey.mark_definitions import exclusion_rules, mark_definitions
from helpers.survey.pairwise import pairwise_moments
from helpers.survey.readers.metadata import empty_metadata
from helpers.survey.screening import Marks, exclude_marked, mark_responses
from helpers.survey.sensitivity import CARELESS, PLANTED_FLAGS, detection_by_mark
from helpers.tables.survey_careless import careless_checks, straight_lines_sentence

UNIVER = Path(__file__).parents[3] / "shared" / "realdata" / "univer_orientation_services"
SATISFACTION = ["informat", "willingn", "officeho", "compete", "global"]
BYTES_PER_ROW = 800
"""The input takes 192 bytes a row and the 11 indices 88; four copies of both would be too many."""


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


@pytest.mark.parametrize("mark", ["longstring", "low_variability", "autocorrelation"])
def test_equal_answers_alone_exclude_nobody(mark):
    with pytest.raises(ValueError, match=f"{mark} may not exclude alone.*Goldammer et al. 2024"):
        Screening(exclude=[mark])


def test_nor_do_two_signs_of_equal_answers():
    with pytest.raises(ValueError, match="longstring \\+ low_variability may not exclude"):
        Screening(exclude_jointly=[["longstring", "low_variability"]])
    with pytest.raises(
        ValueError, match="longstring, low_variability would be enough.*raise k to 3"
    ):
        AtLeast(k=2, of=["speeding", "longstring", "low_variability"])


def test_impossible_rules_say_what_is_possible():
    with pytest.raises(ValueError, match="k is 3, but of names 2 marks"):
        AtLeast(k=3, of=["speeding", "even_odd"])
    with pytest.raises(ValueError, match="names a mark twice"):
        AtLeast(k=1, of=["speeding", "speeding"])
    with pytest.raises(ValueError, match="say the same; keep one"):
        Screening(min_seconds_per_item=2, cutoffs={"speeding": 1})


def test_a_refused_rule_is_named_with_its_line_in_the_study_file(make_study, toy_spec):
    toy_spec["screening"] = {"exclude": ["longstring"]}
    with pytest.raises(CodebookError, match="may not exclude alone"):
        open_folder(make_study(spec=toy_spec))


def test_at_least_k_by_hand():
    table = pd.DataFrame(
        {
            "speeding": [1, 1, 0, 1, 0],
            "even_odd": [0, 1, 1, 1, 0],
            "longstring": [0, 0, 1, 1, 1],
        }
    ).astype(bool)
    marks = Marks(table.assign(respondent_id=list("abcde")), {})
    rule = Screening(exclude_at_least=AtLeast(k=2, of=list(table)))
    cleaned = exclude_marked(marks, rule)
    assert cleaned.kept.tolist() == [True, False, False, False, True]
    assert cleaned.flow["rule"].tolist() == ["2 of speeding | even_odd | longstring"]
    assert exclusion_rules(rule)[0].least == 2


def test_cutoffs_of_the_study_take_the_place_of_the_suites(study):
    strict = Screening(cutoffs={"even_odd": 0.9, "mahalanobis": 0.5})
    definition, source = mark_definitions(strict)["even_odd"]
    assert "below 0.9" in definition
    assert "declared in the study file" in source
    own = study.spec.screening.model_copy(update={"cutoffs": {"even_odd": 0.9}})
    folder = replace(study.folder, spec=study.spec.model_copy(update={"screening": own}))
    marks = mark_responses(folder, study.intake.meta, study.intake.answers)
    values = marks.indices.table["even_odd"]
    assert marks.table["even_odd"].equals((values < 0.9).rename("even_odd"))


def test_planted_carelessness_is_told_from_sound_answers(study):
    """Recovery: each kind is found by the sign made for it, and no sign hits 1 % of sound rows."""
    found = detection_by_mark(study).set_index("mark")
    assert found.loc["speeding", "speeder"] == 1
    assert found.loc["longstring", "straight_liner"] == 1
    assert found.loc["mahalanobis", "speeder"] > 0.9
    assert found.loc["mahalanobis", "inattentive"] > 0.9
    assert found.loc["even_odd", "speeder"] > 0.8
    assert found.loc["contradictions", "straight_liner"] > 0.7
    assert (found["false_alarms"] < 0.01).all()
    kinds = pd.read_csv(study.folder.folder / PLANTED_FLAGS)["kind"]
    assert found["n_careless"].iloc[0] == kinds.isin(CARELESS).sum()


def test_observed_data_have_no_planted_truth(make_study):
    assert isinstance(detection_by_mark(open_folder(make_study())), Unavailable)


def test_indices_that_speak_of_the_same_thing_correlate(study):
    r = correlations_of_indices(study.marks)
    assert r.loc["even_odd", "synonyms"] > 0.5
    assert np.allclose(np.diag(r), 1)
    bare = Marks(study.marks.table, {})
    assert isinstance(correlations_of_indices(bare), Unavailable)


def test_signs_are_counted_once_a_row(study):
    table = several_signs(study.marks)
    assert table["n"].sum() == len(study.marks.table)
    assert table["n_at_least"].iloc[0] == len(study.marks.table)
    assert (careless_checks(study)[0].passed) is True


def test_moments_in_blocks_are_those_of_pandas(study):
    """Reference: pandas cov and corr, pairwise complete."""
    items = [f"REC{k}" for k in range(1, 5)]
    ends = dict.fromkeys(items, (1.0, 7.0))
    found = pairwise_moments(study.intake.answers, items=items, ends=ends, block=7)
    scaled = (study.intake.answers[items] - 1) / 6
    np.testing.assert_allclose(found.covariance, scaled.cov(), atol=1e-13)
    np.testing.assert_allclose(found.correlation, scaled.corr(), atol=1e-12)
    np.testing.assert_allclose(found.mean, scaled.mean(), atol=1e-13)


def test_order_of_rows_does_not_matter(study):
    meta, answers = study.intake.meta, study.intake.answers
    turned = careless_indices(study.folder, meta.iloc[::-1], answers.iloc[::-1]).table
    straight = study.marks.indices.table
    pd.testing.assert_frame_equal(turned.iloc[::-1], straight, atol=1e-9, rtol=0)


def test_memory_beyond_the_input_is_small(make_study, toy_spec):
    """50,000 rows of 24 items: blocks of rows are worked on, the table is never copied whole."""
    names = [f"{c}{k}" for c in "ABCD" for k in range(1, 7)]
    toy_spec["constructs"] = [{"code": c, "name": {"en": c, "zh": c}} for c in "ABCD"]
    toy_spec["screening"] = {}
    items = [{"item": i, "scale": "agree7", "construct": i[0]} for i in names]
    folder = read_folder(make_study(spec=toy_spec, items=items))
    rng = np.random.default_rng(5)
    answers = pd.DataFrame(rng.integers(1, 8, (50_000, 24)).astype(float), columns=names)
    meta = empty_metadata(50_000)
    tracemalloc.start()
    found = careless_indices(folder, meta, answers)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.table["mahalanobis"].notna().all()
    assert peak / 50_000 < BYTES_PER_ROW


@pytest.fixture
def univer(tmp_path):
    """Return a study folder around the real file: five satisfaction items, 2,179 students."""
    path = UNIVER / "univer.csv"
    if not path.is_file():
        pytest.skip("the real file lies outside the project")
    folder = tmp_path / "univer"
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "main.csv").write_bytes(path.read_bytes())
    names = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    with (folder / "items.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["item", "construct", "scale", "wording_en", "wording_zh"])
        for name in names:
            likert = name in SATISFACTION
            kind, construct = ("seven", "SAT") if likert else ("number", "")
            writer.writerow([name, construct, kind, name, name])
    text = {"en": "Orientation service", "zh": "新生咨询服务"}
    spec = {
        "id": "univer", "title": text, "kind": "survey", "provenance": text, "licence": "GPL",
        "citation": "none",
        "data": {"reader": "csv", "file": "raw/main.csv",
                 "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        "scales": {"seven": {"kind": "likert", "low": 1, "high": 7}, "number": {"kind": "number"}},
        "constructs": [{"code": "SAT", "name": text}],
        "screening": {
            "exclude": ["failed_attention", "speeding", "even_odd", "mahalanobis"],
            "exclude_jointly": [["longstring", "contradictions"]],
            "exclude_at_least": {"k": 3, "of": ["even_odd", "synonyms", "longstring",
                                                "low_variability"]},
        },
    }  # fmt: skip
    (folder / "study.yml").write_text(yaml.safe_dump(spec, allow_unicode=True), encoding="utf-8")
    return open_folder(folder)


def test_honest_straight_liners_of_univer_are_not_thrown_out(univer):
    """Live: one in five gives the same answer to all five items, which is plausible there."""
    answers = univer.intake.answers[SATISFACTION]
    straight = answers.nunique(axis=1) == 1
    assert 0.15 < straight.mean() < 0.25
    assert univer.cleaned.n_analysed == univer.cleaned.n_received == 2179
    table = describe_marks(univer.marks, univer.spec.screening).set_index("mark")
    assert "no block of items is long enough" in table.loc["longstring", "definition"]
    assert straight_lines_sentence(univer).startswith("Runs of equal answers are not judged")
