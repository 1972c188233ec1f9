"""Recovery: the marks find the faults that were planted in the simulated study."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.survey.branches import asked
from helpers.survey.load import load_study
from helpers.survey.sensitivity import PLANTED_FLAGS, planted_faults
from helpers.tables.survey_missing import answered_items, missing_dependence

MARK_OF_KIND = {
    "preview": "preview",
    "no_consent": "no_consent",
    "screened_out": "screened_out",
    "unfinished": "unfinished",
    "duplicate": "duplicate",
    "speeder": "speeding",
    "inattentive": "failed_attention",
    "straight_liner": "longstring",
}

SLIPS = 0.02
"""Honest people may miss an attention check: about one in a hundred is planted to."""


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def flags(study):
    return pd.read_csv(study.folder.folder / PLANTED_FLAGS).set_index("respondent_id")


@pytest.mark.parametrize(("kind", "mark"), MARK_OF_KIND.items())
def test_every_planted_fault_carries_its_mark(study, flags, kind, mark):
    marks = study.marks.table.set_index("respondent_id")[mark]
    planted = flags.index[flags["kind"] == kind]
    assert len(planted) > 0
    assert marks[planted].all()


def test_sound_rows_are_kept(study, flags):
    honest = flags.index[flags["kind"] == "honest"]
    lost = ~pd.Series(honest).isin(study.responses["respondent_id"])
    assert lost.mean() < SLIPS
    slipped = flags.loc[honest[lost], "attention_slip"]
    assert slipped.all()


def test_straight_lining_alone_excludes_nobody(study, flags):
    assert "longstring" not in set(study.cleaned.flow["rule"])
    honest = flags["kind"] == "honest"
    marks = study.marks.table.set_index("respondent_id").loc[flags.index[honest]]
    assert not marks["longstring"].any()


def test_planted_codes_outside_the_scale_are_found(study, flags):
    """Rows that reached the end and have no blank, since a blank may cover a planted code."""
    outside = study.intake.reasons.query("reason == 'outside the scale'")["row"].value_counts()
    found = outside.reindex(study.intake.meta.index, fill_value=0)
    found.index = study.intake.meta["respondent_id"]
    whole = (flags["share_reached"] == 1) & (flags["n_blank_mcar"] + flags["n_blank_mar"] == 0)
    planted = (flags["n_out_of_range"] + flags["impossible_age"])[whole]
    assert planted.sum() > 20
    pd.testing.assert_series_equal(
        found[planted.index], planted, check_names=False, check_dtype=False, check_index_type=False
    )


def test_planted_dependence_of_blanks_is_found(study):
    """Blanks of three items were planted to depend on age; their odds rise with it."""
    table = missing_dependence(study).set_index("item")
    for item in ("LFEE1", "WOM3"):
        assert table.loc[item, "strongest"] == "AGE"
        assert table.loc[item, "ci_low"] > 1


def test_branch_blanks_are_not_counted(study):
    was_asked = asked(study.folder, study.responses, answered_items(study))
    not_asked = ~was_asked["HOURS"]
    assert not_asked.sum() > 0
    assert study.responses.loc[not_asked, "HOURS"].isna().all()
    assert study.responses.loc[was_asked["HOURS"], "HOURS"].notna().mean() > 0.95


def test_every_module_is_read_and_linked(study):
    for name in study.spec.modules:
        module = study.module(name)
        assert module["in_sample"].mean() > 0.9
        assert not module["respondent_id"].duplicated().any()
        numbers = module.select_dtypes("number")
        assert np.isfinite(numbers.to_numpy()).any()


def test_planted_table_adds_up(study):
    table = planted_faults(study)
    assert table["n"].sum() == study.cleaned.n_received
    assert table["n_excluded"].sum() == study.cleaned.n_received - study.cleaned.n_analysed


def test_nothing_that_names_a_person_is_kept(study):
    text = study.raw.drop(columns=["OPEN"]).to_csv()
    for pattern in (r"\b192\.0\.2\.\d", r"\b198\.51\.100\.\d", r"\b203\.0\.113\.\d", r"@"):
        assert not pd.Series([text]).str.contains(pattern).iloc[0]
    assert {"IPAddress", "LocationLatitude"} <= set(study.intake.dropped)
