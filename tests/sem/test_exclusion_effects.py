"""Contract and hand check: the main results with and without the exclusions."""

from __future__ import annotations

import pandas as pd
import pytest

from helpers.errors import Unavailable
from helpers.measurement import coefficient_alpha
from helpers.sem.exclusion_effects import (
    compare_paths,
    compare_reliability,
    rows_without_exclusions,
)
from helpers.survey.load import load_study
from helpers.tables.exclusion_effects import conclusion_checks, paths_sentence

ATOL = 1e-12
"""The same rows and the same formula."""


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


def test_previews_and_people_who_did_not_consent_never_count(study):
    marks = study.marks.table
    never = marks["preview"] | marks["no_consent"]
    rows = rows_without_exclusions(study)
    assert len(rows) == int((~never).sum())
    assert not rows["respondent_id"].isin(marks.loc[never, "respondent_id"]).any()


def test_alpha_is_that_of_the_rows_named(study):
    table = compare_reliability(study).set_index("construct")
    items = study.items_of("REC")
    for ending, rows in (("kept", study.responses), ("all", rows_without_exclusions(study))):
        own = coefficient_alpha(rows[items], construct="REC")
        assert table.loc["REC", f"alpha_{ending}"] == pytest.approx(own.alpha, abs=ATOL)
        assert table.loc["REC", f"n_{ending}"] == len(rows[items].dropna())


def test_careless_rows_lower_alpha_of_most_scales(study):
    """Recovery: random answers were planted, and they make items less alike."""
    table = compare_reliability(study)
    assert (table["alpha_all"] < table["alpha_kept"]).mean() > 0.8


def test_a_study_without_exclusions_says_so():
    study = load_study("online_shopping")
    study.__dict__["cleaned"] = study.cleaned.__class__(
        pd.Series(True, index=study.cleaned.kept.index),
        study.cleaned.excluded_by,
        study.cleaned.flow,
    )
    assert isinstance(compare_paths(study), Unavailable)
    assert isinstance(compare_reliability(study), Unavailable)


def test_a_changed_conclusion_is_named():
    """By hand: the first interval keeps its side of zero, the second takes in zero."""
    table = pd.DataFrame(
        {
            "label": ["a → b", "b → c"], "n_kept": 10, "n_all": 12,
            "est_kept": [0.3, 0.2], "ci_low_kept": [0.1, 0.05], "ci_high_kept": [0.5, 0.35],
            "est_all": [0.4, 0.1], "ci_low_all": [0.2, -0.1], "ci_high_all": [0.6, 0.3],
        }
    )  # fmt: skip
    check = conclusion_checks(table)[0]
    assert check.passed is False
    assert "b → c" in check.text
    assert "a → b" not in check.text
    assert paths_sentence(table).startswith("1 of 2 paths")
