"""Contract: tables and sentences say what the data say, in both languages."""

from __future__ import annotations

import re

import numpy as np
import pytest

from helpers.errors import Unavailable
from helpers.i18n import in_language
from helpers.survey.load import load_study, open_folder
from helpers.survey.missing import little_test, missing_patterns
from helpers.survey.normality import mardia_test
from helpers.survey.sensitivity import compare_exclusions, detection_by_mark, planted_faults
from helpers.tables import survey_careless as careless
from helpers.tables import survey_cleaning as cleaning
from helpers.tables import survey_intake as intake
from helpers.tables import survey_missing as missing
from helpers.tables import survey_sample as sample

CODES = {
    "Wilson",
    "Welch",
    "Mardia",
    "Little",
    "Cohen",
    "Holm",
    "Benjamini",
    "Hochberg",
    "FIML",
    "kappa",
    "PANEL",
}
"""Names and codes that stay Latin in Chinese text; item codes hold a digit or are capitals."""


def all_views(study) -> tuple[list[str], list[object]]:
    """Return every sentence and every table of the four notebooks for one study."""
    compared, planted = compare_exclusions(study), planted_faults(study)
    detected = detection_by_mark(study)
    items = missing.core_items(study)
    counted, little = missing.missing_by_item(study), little_test(study.responses, items=items)
    dependence, counts = missing.missing_dependence(study), sample.sample_counts(study)
    described = sample.items_described(study, "all", items)
    normality = mardia_test(study.responses, items=items)
    checks = careless.careless_checks(study) + intake.account_checks(study)
    checks += cleaning.flow_checks(study) + cleaning.planted_checks(planted)
    checks += missing.missing_checks(counted, little, dependence)
    checks += sample.group_checks(study) + sample.item_checks(described)
    sentences = [
        cleaning.intake_sentence(study.intake),
        cleaning.flow_sentence(study.cleaned),
        careless.marks_sentence(study),
        careless.signs_sentence(study),
        careless.agreement_sentence(study),
        careless.correlations_sentence(study),
        careless.straight_lines_sentence(study),
        careless.detection_sentence(detected),
        cleaning.exclusions_sentence(study, compared),
        cleaning.planted_sentence(planted),
        missing.missing_sentence(counted),
        missing.patterns_sentence(missing_patterns(study.responses, items=items)),
        missing.little_sentence(little),
        missing.predictors_sentence(dependence),
        sample.sample_sentence(study, counts),
        sample.items_sentence(study, described),
        sample.shares_sentence(sample.item_shares(study, described)),
        normality.text(),
        *(c.text() if isinstance(c, Unavailable) else c.text for c in checks),
    ]
    tables = [
        cleaning.reasons_table(study),
        cleaning.flow_table(study.cleaned),
        intake.source_table(study),
        intake.dropped_table(study.intake),
        careless.marks_table(study),
        careless.indices_table(study),
        careless.signs_table(study),
        careless.agreement_table(study),
        careless.detection_table(detected),
        cleaning.exclusions_table(study, compared, 5),
        cleaning.planted_table(planted),
        missing.missing_table(study, counted, 5),
        missing.little_table(little),
        missing.predictors_table(dependence),
        sample.sample_table(counts, study),
        sample.numbers_table(study),
        sample.items_table(study, described),
        sample.mardia_table(normality),
    ]
    return sentences, tables


def english_words(text: str) -> set[str]:
    """Return the English words in a Chinese text: lower-case runs that are no name or code."""
    words = set(re.findall(r"[A-Za-z]*[a-z]{3,}[A-Za-z]*", text))
    return words - CODES


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


def test_sentences_of_the_simulated_study_are_chinese(study):
    with in_language("zh"):
        sentences, tables = all_views(study)
        left = {word for s in sentences for word in english_words(s)}
        captions = {w for t in tables for w in english_words(t.caption + " " + t.note)}
        headings = {w for t in tables for c in t.columns for w in english_words(c.label)}
    assert not left
    assert not captions
    assert not headings


@pytest.mark.slow
def test_no_sentence_holds_an_unfilled_field_or_nan(study):
    sentences, _tables = all_views(study)
    for sentence in sentences:
        assert not re.search(r"[{}]|\bnan\b|None|np\.", sentence), sentence
        assert sentence.endswith("."), sentence


def test_flow_is_read_with_its_interval(make_study):
    sentence = cleaning.flow_sentence(open_folder(make_study()).cleaned)
    # 3 of 5; Wilson by R prop.test(3, 5, correct = FALSE): 0.2307 to 0.8824
    assert sentence.startswith("Of 5 rows received, 3 are analysed (60.0")
    assert "23.1" in sentence
    assert "88.2" in sentence


def test_study_without_background_says_so(make_study, toy_spec):
    study = open_folder(make_study(spec=toy_spec | {"screening": {}}))
    assert isinstance(sample.sample_table(sample.sample_counts(study), study), Unavailable)
    assert isinstance(sample.numbers_table(study), Unavailable)
    assert isinstance(cleaning.flow_table(study.cleaned), Unavailable)
    assert isinstance(cleaning.flow_picture(study.cleaned), Unavailable)
    assert "5 respondents" in sample.sample_sentence(study, sample.sample_counts(study))
    assert cleaning.flow_sentence(study.cleaned).startswith("All 5 rows received are analysed")


def test_missing_sentence_names_the_item_with_most_blanks(make_study):
    counted = missing.missing_by_item(open_folder(make_study()))
    top = counted.iloc[0]
    assert top["share"] == pytest.approx(1 / 3)
    assert top["item"] in missing.missing_sentence(counted)
    assert np.isfinite(counted["share"]).all()
