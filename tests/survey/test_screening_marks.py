"""Contract: every received row is accounted for once, and each mark means what it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import DataContractError
from helpers.i18n import in_language
from helpers.specification import MARKS, Screening
from helpers.study import read_folder
from helpers.survey.careless import intra_individual_variability, longest_run
from helpers.survey.load import open_folder
from helpers.survey.mark_agreement import agreement_of_marks, describe_marks
from helpers.survey.readers import metadata
from helpers.survey.screening import Marks, exclude_marked, mark_responses

REFERENCE = Path(__file__).parents[1] / "reference"
AGREE = [f"SAT{i}" for i in range(1, 11)]


@pytest.fixture
def ten_items(make_study, toy_spec):
    """Return the folder of a study with ten scale items and two attention checks."""
    toy_spec["screening"] = {
        "consent": {"item": "CONSENT", "accept": [1]},
        "attention": [{"item": "ATT1", "accept": [6]}, {"item": "ATT2", "accept": [2]}],
        "max_failed_attention": 1,
        "min_seconds_per_item": 2,
        "duplicate_on": ["address", "answers"],
        "exclude": ["no_consent", "unfinished", "duplicate", "speeding"],
        "exclude_jointly": [["longstring", "failed_attention"]],
    }
    items = [{"item": "CONSENT", "scale": "yesno"}]
    items += [{"item": i, "scale": "agree7", "construct": "SAT"} for i in AGREE]
    items += [{"item": i, "scale": "agree7"} for i in ("ATT1", "ATT2")]
    return read_folder(make_study(spec=toy_spec, items=items))


def received(n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return metadata and answers of n careful respondents who differ from each other."""
    meta = metadata.empty_metadata(n)
    meta["finished"] = pd.array([True] * n, dtype="boolean")
    meta["duration_s"] = 600.0
    meta["started_at"] = pd.date_range("2026-03-02", periods=n, freq="h")
    meta["address"] = pd.array(range(1, n + 1), dtype="Int64")
    rng = np.random.default_rng(11)
    answers = pd.DataFrame(rng.integers(1, 8, (n, 10)).astype(float), columns=AGREE)
    answers.insert(0, "CONSENT", 1.0)
    return meta, answers.assign(ATT1=6.0, ATT2=2.0)


def test_seconds_may_come_from_timed_pages(make_study, toy_spec, ten_items):
    meta, answers = received(4)
    meta["page_seconds"] = [600.0, 25.5, 26.0, np.nan]  # 13 answers at 2 seconds take 26
    assert not mark_responses(ten_items, meta, answers).table["speeding"].any()
    toy_spec["screening"] |= {"seconds_from": "pages"}
    items = ten_items.items.to_dict("records")
    folder = read_folder(make_study(spec=toy_spec, items=[
        {k: r[k] for k in ("item", "scale", "construct")} for r in items]))  # fmt: skip
    assert mark_responses(folder, meta, answers).table["speeding"].tolist() == [
        False, True, False, False,
    ]  # fmt: skip
    without = mark_responses(folder, meta.assign(page_seconds=np.nan), answers)
    assert "times" in without.unavailable["speeding"].why


def test_each_mark_hits_its_row_and_no_other(ten_items):
    meta, answers = received(8)
    answers.loc[1, "CONSENT"] = 2
    meta.loc[2, "finished"] = False
    answers.loc[3, AGREE] = answers.loc[0, AGREE]
    meta.loc[3, "address"] = 1
    meta.loc[4, "duration_s"] = 13 * 2 - 0.5  # 13 answers at 2 seconds would take 26
    answers.loc[5, ["ATT1", "ATT2"]] = 4.0
    answers.loc[6, AGREE] = 4.0
    marks = mark_responses(ten_items, meta, answers).table
    drawn_at_random = ("person_total", "mahalanobis")  # as these answers are
    hits = {m: list(np.flatnonzero(marks[m])) for m in MARKS if m not in drawn_at_random}
    assert hits == {
        "preview": [], "screened_out": [], "no_consent": [1], "unfinished": [2],
        "duplicate": [3], "speeding": [4], "failed_attention": [5],
        "longstring": [6], "low_variability": [6],
        "even_odd": [], "synonyms": [], "antonyms": [], "contradictions": [], "autocorrelation": [],
    }  # fmt: skip


def test_flow_adds_up(ten_items):
    meta, answers = received(8)
    answers.loc[1, "CONSENT"] = 2
    meta.loc[1, "finished"] = False  # carries two marks, counted once
    meta.loc[2, "finished"] = False
    answers.loc[6, AGREE] = 4.0
    answers.loc[[5, 6], ["ATT1", "ATT2"]] = 4.0
    marks = mark_responses(ten_items, meta, answers)
    cleaned = exclude_marked(marks, ten_items.spec.screening)
    flow = cleaned.flow.set_index("rule")
    assert (flow["n_before"] - flow["n_hit"] == flow["n_after"]).all()
    assert (flow["n_before"].iloc[1:].to_numpy() == flow["n_after"].iloc[:-1].to_numpy()).all()
    assert flow["n_before"].iloc[0] == 8
    assert flow["n_hit"].sum() + cleaned.n_analysed == 8
    assert flow.loc["unfinished", ["n_hit", "n_marked"]].tolist() == [1, 2]
    assert cleaned.excluded_by.tolist() == [
        "", "no_consent", "unfinished", "", "", "", "longstring + failed_attention", "",
    ]  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.booleans(), min_size=len(MARKS), max_size=len(MARKS)), min_size=1, max_size=30
    )
)
def test_any_marks_add_up(rows):
    """Property: whatever rows carry, each is excluded by at most one rule, or analysed."""
    table = pd.DataFrame([[False] * len(MARKS), *rows], columns=list(MARKS))
    marks = Marks(table.assign(respondent_id=table.index.astype(str)), {})
    rule = Screening(exclude=["preview", "speeding"], exclude_jointly=[["longstring", "duplicate"]])
    cleaned = exclude_marked(marks, rule)
    assert cleaned.flow["n_hit"].sum() + cleaned.n_analysed == len(table)
    carried = table["preview"] | table["speeding"] | (table["longstring"] & table["duplicate"])
    assert (cleaned.kept == ~carried).all()


def test_address_alone_is_shared_by_honest_people(ten_items):
    meta, answers = received(5)
    meta["address"] = 1
    assert not mark_responses(ten_items, meta, answers).table["duplicate"].any()


def test_of_duplicates_the_finished_row_stays(ten_items):
    meta, answers = received(3)
    answers.loc[1, AGREE] = answers.loc[0, AGREE]
    meta["address"] = 1
    meta.loc[0, "finished"] = False
    marks = mark_responses(ten_items, meta, answers).table
    assert marks["duplicate"].tolist() == [True, False, False]


def test_blank_attention_check_is_not_failed(ten_items):
    meta, answers = received(2)
    answers.loc[0, ["ATT1", "ATT2"]] = np.nan
    assert not mark_responses(ten_items, meta, answers).table["failed_attention"].any()


def test_nothing_given_is_changed(ten_items):
    meta, answers = received(4)
    before = meta.copy(), answers.copy()
    mark_responses(ten_items, meta, answers)
    pd.testing.assert_frame_equal(meta, before[0])
    pd.testing.assert_frame_equal(answers, before[1])


def test_marks_that_cannot_be_computed_say_why(make_study, toy_spec):
    toy_spec |= {"data": {"reader": "csv", "file": "raw/main.csv"}, "screening": {}}
    folder = make_study(spec=toy_spec, items=[{"item": "CONSENT", "scale": "yesno"}],
                        content="CONSENT\n1\n2\n")  # fmt: skip
    study = open_folder(folder)
    assert set(study.marks.unavailable) == set(MARKS)
    assert study.cleaned.n_analysed == 2
    table = describe_marks(study.marks, study.spec.screening).set_index("mark")
    assert "the export holds no times" in table.loc["speeding", "definition"]
    with in_language("zh"):
        zh = describe_marks(study.marks, study.spec.screening)
    assert not zh["use"].str.contains("[a-z]").any()


def test_rule_that_cannot_be_computed_is_said_in_the_flow(make_study, toy_spec):
    toy_spec["screening"] = {"exclude": ["screened_out"]}
    flow = open_folder(make_study(spec=toy_spec)).flow
    assert flow.loc[0, "n_hit"] == 0
    assert flow.loc[0, "definition"].startswith("not computed, because the study names no")


def test_nobody_left_is_an_error_with_the_counts(ten_items):
    meta, answers = received(3)
    answers["CONSENT"] = 2.0
    marks = mark_responses(ten_items, meta, answers)
    with pytest.raises(DataContractError, match="leaves none of 3 rows \\(no_consent 3\\)"):
        exclude_marked(marks, ten_items.spec.screening)


def test_unknown_column_to_compare_is_named(make_study, toy_spec):
    toy_spec["screening"] = {"duplicate_on": ["adress"]}
    study = open_folder(make_study(spec=toy_spec))
    with pytest.raises(DataContractError, match="Did you mean 'address'"):
        _ = study.marks


def test_weak_marks_may_not_exclude_alone():
    with pytest.raises(ValueError, match="longstring may not exclude alone"):
        Screening(exclude=["longstring"])


def test_agreement_by_hand():
    table = pd.DataFrame({m: [False] * 10 for m in MARKS})
    table["speeding"] = [True] * 4 + [False] * 6
    table["longstring"] = [True] * 2 + [False] * 6 + [True] * 2
    row = agreement_of_marks(Marks(table.assign(respondent_id="x"), {})).iloc[0]
    assert row[["mark_a", "mark_b", "n_a", "n_b", "n_both"]].tolist() == [
        "speeding", "longstring", 4, 4, 2,
    ]  # fmt: skip
    # by hand: agree 6/10, by chance .4*.4 + .6*.6 = .52, kappa (.6 - .52) / .48
    assert row["kappa"] == pytest.approx(0.08 / 0.48)


def test_runs_and_spread_agree_with_r():
    """Reference: R rle() and sd() by row, tests/reference/survey.R."""
    r = json.loads((REFERENCE / "survey.json").read_text(encoding="utf-8"))
    items = pd.DataFrame(r["mardia"]["complete"], dtype=float)
    assert longest_run(items).tolist() == r["careless"]["longest_run"]
    spread = intra_individual_variability(items)
    np.testing.assert_allclose(spread, r["careless"]["spread"], atol=1e-9)  # 12 digits are stored


def test_runs_and_spread_by_hand():
    items = pd.DataFrame([[3, 3, 3, 1], [1, 2, 1, 2], [np.nan] * 4, [5, 5, np.nan, 5]], dtype=float)
    assert longest_run(items).tolist() == [3, 1, 0, 2]
    spread = intra_individual_variability(items)
    assert spread.iloc[0] == pytest.approx(1.0)
    assert spread.iloc[1] == pytest.approx((1 / 3) ** 0.5)
