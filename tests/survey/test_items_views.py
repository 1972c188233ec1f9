"""Contract: tables and sentences of items, blanks and crossed groupings hold what was computed."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import load_study
from helpers.errors import Unavailable
from helpers.i18n import in_language
from helpers.plots import attached_alt_text
from helpers.plots.imputation import plot_imputation_trace
from helpers.study import read_folder
from helpers.survey.imputation import impute
from helpers.survey.item_checks import item_directions
from helpers.survey.small_cells import guard_small_cells
from helpers.tables import items_together as together
from helpers.tables import missing_treatments as treat
from helpers.tables import survey_sample as sample


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


def toy_rows() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    f = rng.normal(size=120)
    return pd.DataFrame(
        {f"SAT{j}": np.clip(np.round(4 + f + rng.normal(size=120)), 1, 7) for j in (1, 2, 3)}
    )


def test_an_item_turned_twice_is_named_in_both_languages(make_study):
    rows = toy_rows()
    table = item_directions(read_folder(make_study()), rows.assign(SAT3=8 - rows["SAT3"]))
    check = together.directions_check(table)
    assert check.passed is False
    assert "SAT3" in check.text
    assert "would be turned twice" in together.directions_sentence(table)
    with in_language("zh"):
        assert "会被反转两次" in together.directions_sentence(table)
        assert "会被反转两次" in together.directions_table(table).markdown()


def test_items_as_expected_pass(make_study):
    table = item_directions(read_folder(make_study()), toy_rows())
    assert together.directions_check(table).passed is True
    assert "No item of 3 points the other way" in together.directions_sentence(table)
    assert "SAT3" in together.directions_table(table).markdown()  # the reverse-keyed one is shown


def test_scores_pairs_carry_fishers_interval_and_skip_own_facets(study):
    scales = together.score_correlations(study)
    pairs = together.score_pairs(study, scales)
    assert not ((pairs["first"] == "DJ") & (pairs["second"] == "JUS")).any()
    row = pairs.iloc[0]
    both = study.scores[[row["first"], row["second"]]].dropna()
    assert row["n"] == len(both)
    assert row["r"] == pytest.approx(both.corr().iloc[0, 1])
    half = 1.959963985 / (row["n"] - 3) ** 0.5
    assert row["ci_high"] == pytest.approx(np.tanh(np.arctanh(row["r"]) + half))


def test_coarse_items_ask_for_a_categorical_estimator(make_study, toy_spec):
    toy_spec["scales"]["agree7"] = {"kind": "likert", "low": 1, "high": 3}
    toy_spec["screening"] = {}
    items = [{"item": f"SAT{j}", "scale": "agree7", "construct": "SAT"} for j in (1, 2, 3)]
    folder = read_folder(make_study(spec=toy_spec, items=items))
    rows = toy_rows().clip(3, 5) - 2
    described = sample.describe_items(folder, rows, items=["SAT1", "SAT2", "SAT3"])
    normality = sample.MardiaResult(1, 9, 10, 0.5, 15, 15, 0.1, 0.9, 120, 0, 3)
    steps, normal = together.estimator_checks(folder, described, normality)
    assert steps.passed is False
    assert "WLSMV" in steps.text
    assert normal.passed is True


def test_small_cells_of_crossed_groupings_are_dashes():
    counts = pd.DataFrame({"a": [2, 30], "b": [40, 50]}, index=pd.Index(["x", "y"], name="one"))
    guarded = guard_small_cells(counts, 5)
    guarded.table.columns.name = "other"
    text = sample.crossed_table(guarded).markdown()
    assert "| 2 |" not in text
    assert "Hidden: counts below 5: 1; others that would give them away: 3." in text
    assert guarded.n_hidden == 4
    assert "All 4 cells are hidden" in sample.crossed_sentence(guarded)


def test_the_largest_shown_cell_is_read_aloud():
    counts = pd.DataFrame(
        {"a": [2, 30, 21], "b": [40, 50, 60], "c": [3, 70, 80]},
        index=pd.Index(["x", "y", "z"], name="one"),
    )
    guarded = guard_small_cells(counts, 5)
    guarded.table.columns.name = "other"
    shown = guarded.table.stack()
    text = sample.crossed_sentence(guarded)
    assert f"respondents: {int(shown.max())}" in text
    assert f"{guarded.n_hidden} of 9" in text


def test_crossed_groupings_add_up(study):
    counts = sample.crossed_counts(study, "gender, device")
    known = study.groups[["gender", "device"]].notna().all(axis=1).sum()
    assert counts.n_hidden > 0 or counts.table.to_numpy().sum() == known
    assert isinstance(sample.crossed_counts(study, "gender"), Unavailable)
    assert isinstance(sample.crossed_counts(study, "gender, shoe"), Unavailable)


def test_reasons_of_blanks_add_up(study):
    reasons = treat.blank_reasons(study)
    items = treat.answered_items(study)
    assert reasons["cells"].sum() == study.responses[items].isna().sum().sum()
    hours = study.responses["MEAS"] == 4
    not_asked = reasons.set_index("reason").loc["not asked", "cells"]
    assert not_asked == hours.sum()
    assert str(int(not_asked)) in treat.blank_reasons_sentence(reasons)


def test_the_trace_is_drawn_with_a_panel_for_each_item():
    rows = toy_rows()
    rows.loc[:10, "SAT1"] = np.nan
    rows.loc[5:20, "SAT2"] = np.nan
    made = impute(rows, m=3, n_cycles=2)
    ax = plot_imputation_trace(treat.imputation_trace(made))
    assert [a.get_title(loc="left") for a in ax.figure.axes] == ["SAT1", "SAT2"]
    assert len(ax.lines) == 3 + 1
    assert "2 cycles in 3 chains" in attached_alt_text(ax)
    plt.close(ax.figure)


def test_too_few_rows_for_mardia_are_said_not_raised(study, monkeypatch):
    items = [f"REC{j}" for j in (1, 2, 3, 4)]
    monkeypatch.setattr(type(study), "responses", study.responses.head(4))
    found = sample.joint_normality(study, items)
    assert isinstance(found, Unavailable)
    assert isinstance(sample.mardia_table(found), Unavailable)
    assert isinstance(sample.mardia_sentence(found), Unavailable)
    assert sample.mardia_numbers(found) == []
    assert together.estimator_checks(study, pd.DataFrame({"item": items}), found)[1] is found
