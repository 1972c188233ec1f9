"""Reference (R psych, tests/reference/survey.R), property and contract tests of item measures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError
from helpers.specification import Privacy
from helpers.study import read_folder
from helpers.survey.describe import (
    answer_shares,
    describe_items,
    describe_numbers,
    describe_sample,
    merge_small,
)
from helpers.survey.normality import kurtosis, mardia_test, skewness
from helpers.survey.scoring import items_for, mean_score, reverse_coded, scale_scores

R = json.loads(
    (Path(__file__).parents[1] / "reference" / "survey.json").read_text(encoding="utf-8")
)
ITEMS = ["i1", "i2", "i3", "i4", "i5"]
COMPLETE = pd.DataFrame(R["mardia"]["complete"], columns=ITEMS)
ENGINES = Path(__file__).parents[3] / "shared" / "engines"

PRINTED = 1e-9
"""Twelve digits are stored."""


def test_mardia_agrees_with_psych_after_its_divisor():
    result = mardia_test(COMPLETE, items=ITEMS)
    shrink = (240 - 1) / 240
    assert result.skewness * shrink**3 == pytest.approx(R["mardia"]["b1p"], abs=PRINTED)
    assert result.kurtosis * shrink**2 == pytest.approx(R["mardia"]["b2p"], abs=PRINTED)


@pytest.mark.skipif(not ENGINES.is_dir(), reason="the engine prototypes lie outside the project")
@pytest.mark.parametrize("name", ["cont", "likert"])
def test_mardia_on_26_items_agrees_with_psych(name):
    reference = json.loads((ENGINES / "reference.json").read_text(encoding="utf-8"))
    frame = pd.read_csv(ENGINES / "data" / f"{name}.csv").select_dtypes("number")
    frame = frame[reference["psych_polychoric"]["names"]]
    result, mardia = mardia_test(frame, items=list(frame)), reference[f"psych_{name}"]["mardia"]
    shrink = (len(frame) - 1) / len(frame)
    assert result.skewness * shrink**3 == pytest.approx(mardia["b1p"], rel=1e-8)
    assert result.kurtosis * shrink**2 == pytest.approx(mardia["b2p"], rel=1e-8)


def test_mardia_does_not_change_under_linear_maps():
    mixing = np.random.default_rng(1).normal(size=(5, 5))
    moved = pd.DataFrame(COMPLETE.to_numpy() @ mixing + 7, columns=ITEMS)
    a, b = mardia_test(COMPLETE, items=ITEMS), mardia_test(moved, items=ITEMS)
    assert a.kurtosis == pytest.approx(b.kurtosis, rel=1e-9)
    assert a.skewness == pytest.approx(b.skewness, rel=1e-9)


def test_mardia_names_dependent_items():
    with pytest.raises(DataContractError, match="no item that follows from the others"):
        mardia_test(COMPLETE.assign(s=COMPLETE.sum(axis=1)), items=[*ITEMS, "s"])


def test_skewness_and_kurtosis_agree_with_psych():
    for i, item in enumerate(ITEMS):
        assert skewness(COMPLETE[item]) == pytest.approx(R["describe"]["skew"][i], abs=PRINTED)
        assert kurtosis(COMPLETE[item]) == pytest.approx(R["describe"]["kurtosis"][i], abs=PRINTED)


def test_items_are_described_on_their_scale(make_study, toy_spec):
    folder = read_folder(make_study())
    responses = pd.DataFrame(
        {"SAT1": [1.0, 1, 7, 4, np.nan], "SAT2": 4.0, "SAT3": [7.0, 7, 7, 1, 2]}
    )
    table = describe_items(folder, responses, items=["SAT1", "SAT2"]).set_index("item")
    assert table.loc["SAT1", ["n", "n_missing"]].tolist() == [4, 1]
    assert table.loc["SAT1", "mean"] == pytest.approx(13 / 4)
    assert table.loc["SAT1", ["floor", "ceiling"]].tolist() == [0.5, 0.25]
    assert np.isnan(table.loc["SAT2", "skewness"])
    # by hand: t(.975, 3) = 3.182446, sd = 2.872281
    half = 3.182446 * 2.872281 / 2
    assert table.loc["SAT1", "ci_high"] - 13 / 4 == pytest.approx(half, abs=1e-5)
    shares = answer_shares(folder, responses, items=["SAT1"]).set_index("answer")
    assert shares["n"].tolist() == [2, 0, 0, 1, 0, 0, 1]
    assert shares["share"].sum() == pytest.approx(1)


def test_reverse_coding_twice_gives_the_answers_as_asked(make_study):
    folder = read_folder(make_study())
    answers = pd.DataFrame({"SAT1": [1.0, 7], "SAT3": [1.0, np.nan]})
    before = answers.copy()
    once = reverse_coded(folder, answers)
    assert once["SAT3"].iloc[0] == 7.0
    assert once["SAT1"].tolist() == [1.0, 7.0]
    pd.testing.assert_frame_equal(reverse_coded(folder, once), answers)
    pd.testing.assert_frame_equal(answers, before)


def test_reverse_coding_needs_scale_ends(make_study, toy_spec):
    items = [{"item": "AGE", "scale": "plain", "reverse": "1"}]
    toy_spec["scales"]["plain"] = {"kind": "number"}
    folder = read_folder(make_study(spec=toy_spec | {"screening": {}}, items=items))
    with pytest.raises(DataContractError, match="has no low and high"):
        reverse_coded(folder, pd.DataFrame({"AGE": [1.0]}))


def test_unknown_construct_lists_the_known(make_study):
    folder = read_folder(make_study())
    assert items_for(folder, "SAT") == ["SAT1", "SAT2", "SAT3"]
    with pytest.raises(DataContractError, match="'SATT' is not a construct.*Did you mean 'SAT'"):
        items_for(folder, "SATT")


def test_second_order_score_needs_all_facets(make_study, toy_spec):
    name = {"en": "x", "zh": "x"}
    toy_spec["constructs"] = [
        {"code": "A", "name": name}, {"code": "B", "name": name},
        {"code": "T", "name": name, "facets": ["A", "B"]},
    ]  # fmt: skip
    items = [{"item": "A1", "scale": "agree7", "construct": "A"},
             {"item": "B1", "scale": "agree7", "construct": "B"}]  # fmt: skip
    folder = read_folder(make_study(spec=toy_spec | {"screening": {}}, items=items))
    rows = pd.DataFrame({"respondent_id": ["1", "2"], "A1": [2.0, 2.0], "B1": [4.0, np.nan]})
    scores = scale_scores(folder, rows)
    assert scores["T"].iloc[0] == 3.0
    assert np.isnan(scores["T"].iloc[1])


def test_mean_score_states_its_rule():
    frame = pd.DataFrame({"a": [1.0, np.nan], "b": [3.0, np.nan], "c": [np.nan, 5.0]})
    assert mean_score(frame, min_share=0.5).iloc[0] == 2.0
    assert np.isnan(mean_score(frame, min_share=0.5).iloc[1])
    assert mean_score(frame, min_share=0.3).iloc[1] == 5.0
    with pytest.raises(DataContractError, match="above 0 and at most 1"):
        mean_score(frame, min_share=0)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"a": 40, "b": 20}, [40, 20]),
        ({"a": 40, "b": 20, "c": 2}, [40, 22]),
        ({"a": 40, "b": 3, "c": 4}, [40, 7]),
        ({"a": 40, "b": 3, "c": 0}, [0, 43]),
        ({"a": 3}, [3]),
    ],
)
def test_small_cells_are_merged(counts, expected):
    merged = merge_small(pd.Series(counts))
    assert merged.tolist() == expected
    assert merged.sum() == sum(counts.values())


def test_sample_description_hides_small_cells(make_study):
    folder = read_folder(make_study())
    rows = pd.DataFrame(
        {"CONSENT": [1.0] * 30 + [2.0] * 10 + [np.nan] * 2, "AGE": [20.0, 40.0] * 21}
    )
    table = describe_sample(folder, rows, items=["CONSENT"])
    assert table["n"].tolist() == [30, 10]
    assert table["share"].tolist() == [0.75, 0.25]
    small = describe_sample(folder, rows.iloc[:32], items=["CONSENT"])
    assert small["n"].tolist() == [32]
    strict = replace(folder, spec=folder.spec.model_copy(update={"privacy": Privacy(k=12)}))
    merged = describe_sample(strict, rows, items=["CONSENT"])  # the study's own k, not the suite's
    assert merged["n"].tolist() == [40] and "fewer than 12 persons" in merged["category"].iloc[0]
    assert describe_numbers(rows, items=["AGE"], folder=folder)["mean"].tolist() == [30.0]
