"""Contract, hand calculation, and a real study whose reversed item was stored already turned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import CodebookError
from helpers.study import read_folder
from helpers.survey.item_checks import already_turned, describe_scale_use, item_directions
from helpers.survey.load import open_folder
from helpers.survey.scoring import compare_score_rules, count_scores, scale_scores, score_rule

REAL = Path(__file__).parents[3] / "shared" / "realdata"


def scale_rows(n: int = 200, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n)
    cut = {f"SAT{j}": np.clip(np.round(4 + f + rng.normal(size=n)), 1, 7) for j in (1, 2, 3)}
    return pd.DataFrame(cut)


def test_an_item_that_came_in_turned_is_found(make_study):
    folder = read_folder(make_study())  # SAT3 is reverse-keyed
    good = scale_rows()
    right = item_directions(folder, good).set_index("item")
    assert right["verdict"].tolist() == ["fine"] * 3
    twice = good.assign(SAT3=8 - good["SAT3"])
    wrong = item_directions(folder, twice).set_index("item")
    assert wrong["verdict"].to_dict() == {
        "SAT1": "fine", "SAT2": "fine", "SAT3": "already_turned",
    }  # fmt: skip
    assert wrong.loc["SAT3", "r"] == pytest.approx(-right.loc["SAT3", "r"])
    assert wrong.loc["SAT3", "ci_high"] < 0


def test_an_item_worded_the_other_way_without_a_key_is_found(make_study):
    folder = read_folder(make_study())
    rows = scale_rows()
    table = item_directions(folder, rows.assign(SAT1=8 - rows["SAT1"])).set_index("item")
    assert table.loc["SAT1", "verdict"] == "not_turned"


def test_a_correlation_about_zero_is_unclear(make_study):
    folder = read_folder(make_study())
    rows = scale_rows().assign(SAT3=np.random.default_rng(8).integers(1, 8, 200).astype(float))
    assert item_directions(folder, rows).set_index("item").loc["SAT3", "verdict"] == "unclear"


def test_two_items_can_only_tell_that_they_disagree(make_study):
    folder = read_folder(make_study())
    rows = scale_rows()[["SAT1", "SAT2"]]
    table = item_directions(folder, rows.assign(SAT2=8 - rows["SAT2"]))
    assert table["verdict"].tolist() == ["not_turned"] * 2


def test_the_interval_is_fishers_by_hand(make_study):
    folder = read_folder(make_study())
    rows = scale_rows(50)
    row = item_directions(folder, rows).set_index("item").loc["SAT3"]
    rest = rows[["SAT1", "SAT2"]]
    r = rows["SAT3"].corr(((rest - rest.mean()) / rest.std()).mean(axis=1))
    assert row["r"] == pytest.approx(r)
    assert row["ci_low"] == pytest.approx(np.tanh(np.arctanh(r) - 1.959963985 / 47**0.5))


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data lie outside the project")
@pytest.mark.parametrize("reverse", ["0", "1"])
def test_influencer_pl_1_must_not_be_turned_twice(make_study, toy_spec, reverse):
    frame = pd.read_csv(REAL / "influencer" / "influencer_data.csv")
    names = ["pl_1", "pl_2", "pl_3", "pl_4"]
    toy_spec |= {"screening": {}, "data": {"reader": "csv", "file": "raw/main.csv"}}
    items = [{"item": i, "scale": "agree7", "construct": "SAT"} for i in names]
    items[0]["reverse"] = reverse
    content = frame[names].dropna().astype(int).to_csv(index=False)
    study = open_folder(make_study(spec=toy_spec, items=items, content=content))
    assert already_turned(study) == (["pl_1"] if reverse == "1" else [])


BFI_REVERSED = {"A1", "C4", "C5", "E1", "E2", "O2", "O5"}
"""The items that the documentation of R psych names as keyed in reverse."""


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data lie outside the project")
@pytest.mark.parametrize("keyed", [True, False])
def test_reverse_keys_of_the_bfi_are_found(make_study, toy_spec, keyed):
    frame = pd.read_csv(REAL / "bfi" / "bfi.csv")
    scales = "ACENO"
    name = {"en": "x", "zh": "x"}
    toy_spec |= {"screening": {}, "data": {"reader": "csv", "file": "raw/main.csv"}}
    toy_spec["constructs"] = [{"code": s, "name": name} for s in scales]
    toy_spec["scales"]["agree7"] = {"kind": "likert", "low": 1, "high": 6}
    names = [f"{s}{k}" for s in scales for k in range(1, 6)]
    items = [
        {"item": i, "scale": "agree7", "construct": i[0],
         "reverse": "1" if keyed and i in BFI_REVERSED else "0"}
        for i in names
    ]  # fmt: skip
    content = frame[names].astype("Int64").to_csv(index=False)
    study = open_folder(make_study(spec=toy_spec, items=items, content=content))
    table = item_directions(study.folder, study.responses).set_index("item")["verdict"]
    if keyed:
        assert set(table) == {"fine"}
    else:
        assert set(table.index[table == "not_turned"]) == BFI_REVERSED


def test_scale_use_by_hand(make_study):
    folder = read_folder(make_study())
    rows = pd.DataFrame({"SAT1": [1.0, 1, 7, 4, np.nan]})
    row = describe_scale_use(folder, rows, items=["SAT1"]).loc[0]
    assert row[["n", "n_categories", "n_used", "sparse"]].tolist() == [4, 7, 3, 7]
    assert row["difficulty"] == pytest.approx((3.25 - 1) / 6)
    # deviations from 3.25: -2.25 twice, 3.75, 0.75; largest possible sd is 3
    assert row["spread"] == pytest.approx((24.75 / 4) ** 0.5 / 3)
    assert row[["mode_share", "floor", "ceiling"]].tolist() == [0.5, 0.5, 0.25]


def test_scores_follow_the_rule_of_the_study_file(make_study, toy_spec):
    rows = pd.DataFrame(
        {"respondent_id": list("abc"), "SAT1": [1.0, 2, np.nan], "SAT2": [3.0, np.nan, np.nan],
         "SAT3": [5.0, 4, 6]}
    )  # fmt: skip
    folder = read_folder(make_study())
    assert score_rule(folder, "SAT") == 0.5
    assert scale_scores(folder, rows)["SAT"].tolist()[:2] == [3.0, 3.0]
    counted = count_scores(folder, rows).loc[0]
    assert counted[["n_complete", "n_prorated", "n_without"]].tolist() == [1, 1, 1]
    toy_spec["scores"] = {"answered_share": 0.3, "constructs": {"SAT": 1.0}}
    strict = read_folder(make_study(spec=toy_spec))
    assert scale_scores(strict, rows)["SAT"].notna().sum() == 1
    toy_spec["scores"] = {"answered_share": 0.3}
    lenient = read_folder(make_study(spec=toy_spec))
    assert scale_scores(lenient, rows)["SAT"].tolist() == [3.0, 3.0, 6.0]


def test_rules_are_compared_side_by_side(make_study):
    folder = read_folder(make_study())
    rows = pd.DataFrame(
        {"SAT1": [1.0, 2, np.nan, 7], "SAT2": [3.0, np.nan, np.nan, 7], "SAT3": [5.0, 4, 6, 7]}
    )
    table = compare_score_rules(folder, rows, shares=(0.3, 1.0))
    assert table["n"].tolist() == [4, 2]
    assert table["mean"].tolist() == [(3 + 3 + 6 + 7) / 4, 5.0]
    assert table["shift"].iloc[1] == pytest.approx((5 - 4.75) / np.std([3, 3, 6, 7], ddof=1))


def test_a_rule_for_an_unknown_construct_is_a_fault(make_study, toy_spec):
    toy_spec["scores"] = {"constructs": {"SATT": 1.0}}
    with pytest.raises(CodebookError, match="'SATT' is not a construct.*Did you mean 'SAT'"):
        read_folder(make_study(spec=toy_spec))
