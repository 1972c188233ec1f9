"""Reference: R lavaan, psych and base R (tests/reference/survey.R); contract: faults are named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.study import StudyFolder, read_folder
from helpers.survey.branches import asked
from helpers.survey.intervals import wilson_interval
from helpers.survey.missing import (
    describe_missing,
    estimate_missing_predictors,
    little_test,
    missing_patterns,
)
from helpers.survey.normal_em import complete_moments

REFERENCE = Path(__file__).parents[1] / "reference"
R = json.loads((REFERENCE / "survey.json").read_text(encoding="utf-8"))
DATA = pd.read_csv(REFERENCE / "survey_items.csv")
ITEMS = ["i1", "i2", "i3", "i4", "i5"]

EM_TOLERANCE = 1e-6
"""Both EM runs stop at a change of 1e-8 or less in a moment; some multiple of that is left."""

PRINTED = 1e-9
"""Twelve digits are stored."""

OPTIMISER = 1e-5
"""R's glm stops at a relative change of 1e-8 in the deviance, about 1e-5 in a coefficient."""


def test_little_agrees_with_r():
    result = little_test(DATA, items=ITEMS)
    assert result.statistic == pytest.approx(R["little"]["statistic"], abs=EM_TOLERANCE)
    assert result.df == R["little"]["df"]
    assert result.p_value == pytest.approx(R["little"]["p_value"], abs=EM_TOLERANCE)
    assert result.n_patterns == R["little"]["n_patterns"]
    np.testing.assert_allclose(result.moments.mean, R["little"]["mean"], atol=EM_TOLERANCE)
    np.testing.assert_allclose(result.moments.cov, R["little"]["cov"], atol=EM_TOLERANCE)


def test_little_by_hand():
    """Two items, y blank for half: EM gives the regression estimate of y's mean."""
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4, 5, 6], "y": [1.0, 3, 2, np.nan, np.nan, np.nan]})
    result = little_test(frame, items=["x", "y"])
    # complete rows: slope 0.5, intercept 1; mean of x is 3.5, so mu_y = 1 + 0.5 * 3.5
    assert result.moments.mean == pytest.approx([3.5, 2.75], abs=EM_TOLERANCE)
    assert result.df == (2 + 1) - 2
    # y given x does not tell the patterns apart, so only x counts: 3 * 1.5^2 / var for each
    var = np.var([1, 2, 3, 4, 5, 6])
    assert result.statistic == pytest.approx(2 * 3 * 1.5**2 / var, abs=EM_TOLERANCE)


def test_little_does_not_depend_on_units_or_order():
    base = little_test(DATA, items=ITEMS)
    changed = DATA.assign(i1=DATA["i1"] * 1000 - 5).sample(frac=1, random_state=3)
    other = little_test(changed, items=ITEMS[::-1])
    assert other.statistic == pytest.approx(base.statistic, abs=EM_TOLERANCE)


def test_little_without_blanks_is_unavailable():
    result = little_test(DATA, items=["i2", "i4"])
    assert isinstance(result, Unavailable)
    assert "no answer is missing" in result.text()


def test_little_drops_and_counts_empty_rows():
    frame = pd.concat([DATA, pd.DataFrame([dict.fromkeys(DATA, np.nan)])], ignore_index=True)
    result = little_test(frame, items=ITEMS)
    assert (result.n_used, result.n_dropped) == (240, 1)
    assert result.statistic == pytest.approx(R["little"]["statistic"], abs=EM_TOLERANCE)


@pytest.mark.parametrize("items", [["i1"], ["i1", "flat"]])
def test_little_names_what_it_cannot_use(items):
    with pytest.raises(DataContractError, match="at least 2 items that vary"):
        little_test(DATA.assign(flat=3.0), items=items)


def test_em_that_has_not_settled_is_an_error(monkeypatch):
    monkeypatch.setattr("helpers.survey.normal_em.MOST_STEPS", 2)
    with pytest.raises(EstimationError, match="has not settled after 2 steps"):
        complete_moments(DATA[ITEMS].to_numpy(float))


def test_logit_agrees_with_r():
    table = estimate_missing_predictors(DATA, items=ITEMS, predictors=DATA[["age"]])
    row = table.set_index("item").loc["i3"]
    assert row["chi2"] == pytest.approx(R["logit"]["chi2"], abs=OPTIMISER)
    assert np.log(row["odds_ratio"]) == pytest.approx(R["logit"]["coef"], abs=OPTIMISER)
    half = (np.log(row["ci_high"]) - np.log(row["ci_low"])) / 2
    assert half == pytest.approx(1.959963985 * R["logit"]["se"], abs=OPTIMISER)
    assert row["n_missing"] == R["logit"]["n_missing"]


def test_logit_leaves_out_items_with_few_blanks():
    result = estimate_missing_predictors(DATA, items=["i2", "i4"], predictors=DATA[["age"]])
    assert isinstance(result, Unavailable)


@pytest.mark.parametrize(
    ("case", "expected"), list(zip([(0, 12), (5, 20), (57, 240)], R["wilson"]))
)
def test_wilson_agrees_with_r(case, expected):
    assert wilson_interval(*case) == pytest.approx(tuple(expected), abs=PRINTED)


def test_shares_and_patterns_add_up():
    table = describe_missing(DATA, items=ITEMS).set_index("item")
    assert (table["n_answered"] + table["n_missing"] == 240).all()
    assert table["n_missing"].to_dict() == DATA[ITEMS].isna().sum().to_dict()
    patterns = missing_patterns(DATA, items=ITEMS)
    assert patterns["n"].sum() == 240
    assert len(patterns) == R["little"]["n_patterns"]
    assert patterns["pattern"].iloc[0] == ""


def test_blanks_behind_a_branch_are_no_missing_answers(make_study, toy_spec):
    items = [
        {"item": "CONSENT", "scale": "yesno"}, {"item": "PROB", "scale": "problem"},
        {"item": "SAT1", "scale": "agree7", "construct": "SAT", "shown_if": "CONSENT=1"},
        {"item": "SAT2", "scale": "agree7", "construct": "SAT", "shown_if": "PROB=2|3"},
    ]  # fmt: skip
    folder: StudyFolder = read_folder(make_study(spec=toy_spec | {"screening": {}}, items=items))
    rows = pd.DataFrame({"CONSENT": [1, 1, 2, np.nan], "SAT1": [5, np.nan, np.nan, np.nan],
                         "PROB_1": [1, 0, 0, 0.0], "PROB_2": [0, 1, 0, 0.0],
                         "PROB_3": [0, 0, 1, 0.0], "SAT2": np.nan})  # fmt: skip
    was_asked = asked(folder, rows, ["SAT1", "SAT2"])
    assert was_asked["SAT1"].tolist() == [True, True, False, False]
    assert was_asked["SAT2"].tolist() == [False, True, True, False]
    table = describe_missing(rows, items=["SAT1"], was_asked=was_asked)
    assert table.loc[0, ["n_asked", "n_missing"]].tolist() == [2, 1]


def test_wilson_ends_are_exact_where_all_or_nobody_did():
    assert wilson_interval(250, 250)[1] == 1.0
    assert wilson_interval(0, 250)[0] == 0.0
