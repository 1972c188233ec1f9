"""Contract: the specification curve in words and tables; failures are shown, never dropped."""

import pandas as pd
import pytest

from helpers.errors import ModelSpecError, Unavailable
from helpers.i18n import in_language
from helpers.plots.specification_curve import plot_specification_curve
from helpers.sem.specification_curve import SpecificationCurve
from helpers.survey.load import load_study
from helpers.tables import sem_robustness as robust

NOT_MADE = Unavailable("a version with controls", "there is none")


@pytest.fixture(scope="module")
def study():
    return load_study("ecsi_mobile")


def make_curve(*, reasons=("", "", "not admissible")) -> SpecificationCurve:
    fixed = {"hypothesis": "E3", "outcome": "CUSL", "predictor": "CUSCO", "sign": "+",
             "model": "structural", "missing": "listwise", "controls": "without",
             "scale": "latent"}  # fmt: skip
    rows = [
        fixed | {"specification": 1, "exclusion": "declared", "estimator": "ML", "estimate": 0.4,
                 "ci_low": 0.2, "ci_high": 0.6, "declared": True, "reason": reasons[0]},
        fixed | {"specification": 2, "exclusion": "without:speeding", "estimator": "ML",
                 "estimate": -0.1, "ci_low": -0.3, "ci_high": 0.1, "declared": False,
                 "reason": reasons[1]},
        fixed | {"specification": 3, "exclusion": "declared", "estimator": "MLR", "estimate": 2.0,
                 "ci_low": 1.0, "ci_high": 3.0, "declared": False, "reason": reasons[2]},
    ]  # fmt: skip
    return SpecificationCurve(pd.DataFrame(rows), (NOT_MADE,), {"none": "declared"}, 0.95)


def test_sentence_reads_the_numbers(study):
    curve = make_curve()
    text = robust.path_sentence(study, curve, robust.key_path(curve))
    assert text.startswith("E3: complaint handling → loyalty: over 2 specifications")
    assert "median of .15 and runs from −.10 to .40; as declared it is .40" in text
    assert "50% of them have the expected sign, and in 50% the interval excludes zero" in text


def test_failures_are_listed_with_their_reason(study):
    table = robust.failures_table(study, make_curve()).markdown()
    assert "not admissible" in table and "MLR" in table
    checks = robust.robustness_checks(study, make_curve())
    assert [c.passed for c in checks] == [False, False]
    assert checks[0].text == "Specifications that converged and are admissible: 2 of 3."


def test_without_failures_the_list_says_so(study):
    found = robust.failures_table(study, make_curve(reasons=("", "", "")))
    assert "all of them converged" in found.text()


def test_nothing_that_counts_is_said_and_not_drawn(study):
    curve = make_curve(reasons=("a", "b", "c"))
    key = robust.key_path(curve)
    assert isinstance(robust.choices_table(study, curve, key), Unavailable)
    assert isinstance(plot_specification_curve(robust.curve_frame(curve, key)), Unavailable)
    assert "nothing is said" in robust.path_sentence(study, curve, key)
    assert "no choice can be compared" in robust.choice_sentence(curve, key)
    assert [c.passed for c in robust.robustness_checks(study, curve)] == [False, None]


def test_a_study_without_a_curve_passes_its_reason_on(study):
    key = robust.key_path(NOT_MADE)
    assert key is NOT_MADE
    assert robust.summary_table(study, NOT_MADE) is NOT_MADE
    assert robust.robustness_checks(study, NOT_MADE) == [NOT_MADE]


def test_choice_that_moves_most_is_named():
    curve = make_curve()
    text = robust.choice_sentence(curve, robust.key_path(curve))
    assert "'Rows excluded': from −.10 (declared, without the rule: Too fast) to .40" in text


def test_choices_with_one_level_are_not_drawn():
    curve = make_curve()
    frame = robust.curve_frame(curve, robust.key_path(curve))
    assert list(frame) == ["estimate", "ci_low", "ci_high", "declared", "Rows excluded"]


def test_what_was_not_tried_is_said():
    text = robust.omitted_sentence(make_curve())
    assert NOT_MADE.text() in text and "joint test" in text and "same rows" in text


def test_chinese_has_no_english_left(study):
    with in_language("zh"):
        curve = make_curve()
        text = robust.path_sentence(study, curve, robust.key_path(curve))
        table = robust.choices_table(study, curve, robust.key_path(curve)).markdown()
    assert "specification" not in text + table and "rule" not in table


def test_an_unknown_path_lists_the_known_ones():
    with pytest.raises(ModelSpecError, match="known are CUSL ~ CUSCO. Did you mean"):
        robust.key_path(make_curve(), "CUSL ~ CUSC")
