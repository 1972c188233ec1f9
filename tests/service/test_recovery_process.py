"""Reference and recovery: parts of the recovery against R, by hand, and against planted order."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy import stats

from helpers.errors import DataContractError, EstimationError
from helpers.plots import attached_alt_text
from helpers.plots.plane import plot_plane
from helpers.service import process_study
from helpers.service.process import (
    doubling_slope,
    mean_intervals,
    mean_ranks,
    part_importance,
    rank_intervals,
    to_hundred,
)
from helpers.survey.load import load_study
from helpers.tables import dosing
from helpers.tables import service_process as show

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "process.json").read_text(encoding="utf-8")
)
CLOSE = 1e-9
"""Closed formulas in both programs; the stored digits end at 1e-12."""


@pytest.fixture
def rows():
    return pd.DataFrame(REFERENCE["rows"])


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


def test_percent_of_the_scale_by_hand():
    found = to_hundred(pd.DataFrame({"a": [1.0, 4.0, 7.0, np.nan]}), 1, 7)
    assert found["a"].tolist()[:3] == [0, 50, 100] and np.isnan(found["a"].iloc[3])
    with pytest.raises(DataContractError, match="high= 1 is not above low= 7"):
        to_hundred(found, 7, 1)


def test_means_are_students(rows):
    found, wanted = mean_intervals(rows[["a", "b"]]).set_index("code").loc["a"], REFERENCE["mean"]
    assert found["mean"] == pytest.approx(wanted["estimate"], abs=CLOSE)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((wanted["low"], wanted["high"]))
    assert found["n_dropped"] == 1
    with pytest.raises(DataContractError, match="has 5 answers in 'a'"):
        mean_intervals(rows[["a"]].iloc[3:8])


@pytest.mark.parametrize("which", ["plain", "within"])
def test_slopes_are_those_of_lm_with_hc3(rows, which):
    found, wanted = doubling_slope(rows["hours"], rows["y"], rows["measure"]), REFERENCE[which]
    assert getattr(found, which) == pytest.approx(wanted["b"], abs=CLOSE)
    half = (getattr(found, f"{which}_high") - getattr(found, f"{which}_low")) / 2
    assert half / stats.t.ppf(0.975, wanted["df"]) == pytest.approx(wanted["se"], abs=CLOSE)


def test_a_gift_that_decides_the_wait_is_told_apart():
    """Satisfaction hangs on the measure only; the plain slope mistakes the wait for it."""
    rng = np.random.default_rng(3)
    measure = np.repeat([1.0, 2.0], 400)
    hours = pd.Series(np.exp(rng.normal(2 + measure, 0.4)))
    y = pd.Series(6 - measure + rng.normal(size=800))
    found = doubling_slope(hours, y, pd.Series(measure))
    assert found.plain_high < -0.3
    assert found.within_low < 0 < found.within_high


def test_bad_hours_are_refused(rows):
    with pytest.raises(DataContractError, match="the smallest 0"):
        doubling_slope(rows["hours"] * 0, rows["y"])
    with pytest.raises(EstimationError, match="do not vary"):
        doubling_slope(rows["hours"] * 0 + 5, rows["y"])


def test_ranks_of_separate_and_of_equal_quantities():
    rng = np.random.default_rng(1)
    draws = rng.normal([3.0, 0.0, 0.0], [0.1, 1.0, 1.0], size=(4000, 3))
    found = rank_intervals(draws, ["a", "b", "c"]).set_index("code")
    assert found.loc["a", ["rank_low", "rank_high"]].tolist() == [1, 1]
    assert found.loc["b", ["rank_low", "rank_high"]].tolist() == [2, 3]
    assert found.loc["c", "last"] == pytest.approx(0.5, abs=0.04)  # 4 SE of 4,000 draws: .032
    assert found["first"].sum() == pytest.approx(1, abs=CLOSE)


def test_ranks_of_means_hold_their_level():
    """Two equal means: each comes first in about half of all samples' draws."""
    rng = np.random.default_rng(2)
    first = [
        mean_ranks(pd.DataFrame(rng.normal(size=(50, 2)), columns=["a", "b"]), n_draws=400)["first"]
        for _sample in range(200)
    ]
    assert np.mean([part[0] for part in first]) == pytest.approx(0.5, abs=0.09)
    # Uniform over samples, as a p-value should be.
    assert np.mean([part[0] < 0.05 for part in first]) == pytest.approx(0.05, abs=0.062)


def test_the_planted_leader_comes_first():
    rng = np.random.default_rng(4)
    common = rng.normal(size=(1500, 1))
    parts = pd.DataFrame(0.6 * common + 0.8 * rng.normal(size=(1500, 3)), columns=list("abc"))
    parts["y"] = 0.2 * parts["a"] + 0.6 * parts["b"] + rng.normal(size=1500)
    found = part_importance(parts, "y", ["a", "b", "c"], n_boot=400)
    assert found.table()["code"].iloc[0] == "b"
    assert found.ranks.set_index("code").loc["b", "first"] > 0.99
    assert found.weights.weights["weight"].sum() == pytest.approx(found.weights.r2, abs=CLOSE)


def test_the_study_recovers_table_t1(study):
    recovery = process_study.read_process(study)
    found = process_study.by_measure(recovery, study)
    planted = {("hours", 1): 12, ("hours", 2): 24, ("hours", 3): 48,
               ("rating", 1): 4.5, ("rating", 2): 4.0, ("rating", 3): 3.0}  # fmt: skip
    hits = [
        row.ci_low <= planted[row.quantity, int(row.measure)] <= row.ci_high
        for row in found.itertuples()
        if (row.quantity, int(row.measure)) in planted
    ]
    assert len(hits) == 6 and sum(hits) >= 5
    (check,) = show.planted_measures(study, found)
    assert check.passed and check.value == sum(hits) / 6


def test_scores_of_the_study_by_hand(study):
    recovery = process_study.read_process(study)
    by_hand = 100 * (study.scores["SPEED"].mean() - 1) / 6
    found = process_study.part_levels(recovery.elements).set_index("code")
    assert found.loc["timeliness", "mean"] == pytest.approx(by_hand, abs=CLOSE)
    assert found["rank"].tolist() == found["mean"].rank(ascending=False).astype(int).tolist()


def test_a_study_without_hours_says_so(study):
    from dataclasses import replace

    bare = replace(process_study.read_process(study), hours=None, measure=None)
    assert "no item of hours" in process_study.wait_slope(bare).text()
    assert "measure received" in process_study.by_measure(bare, study).text()
    assert "fewer than two" in process_study.part_levels(bare.steps.iloc[:, :1]).text()


def test_names_on_the_plane_lie_apart():
    rng = np.random.default_rng(6)
    x, y = rng.uniform(0.2, 0.8, (2, 10))
    x[1], y[1] = x[0] + 0.01, y[0] + 0.01
    data = pd.DataFrame({
        "label": [f"attribute of service {i}" for i in range(10)],
        "x": x, "x_low": x - 0.04, "x_high": x + 0.04, "y": y, "y_low": y - 0.04,
        "y_high": y + 0.04,
    })  # fmt: skip
    ax = plot_plane(data, limits=(0, 1, 0, 1), corners=("a", "b", "c", "d"))
    ax.figure.canvas.draw()
    names = [Text.get_window_extent(text) for text in ax.texts]
    assert len(names) == 14
    pairs = [(i, j) for i in range(14) for j in range(i) if names[i].overlaps(names[j])]
    assert not pairs
    assert "attribute of service 9" in attached_alt_text(ax)


def test_the_best_shape_is_read_at_both_ends(study):
    recovery = process_study.read_process(study)
    curve = process_study.wait_curve(recovery, study)
    drawn = curve.curve[curve.curve["moderator"] == curve.best]
    text = show.shape_sentence(curve)
    for place in (drawn["x"].idxmin(), drawn["x"].idxmax()):
        assert f"{drawn.loc[place, 'estimate']:.2f}" in text
        assert f"{drawn.loc[place, 'x']:.0f}" in text


def test_waits_of_zero_and_constant_outcomes_leave_the_rest(study):
    recovery = process_study.read_process(study)
    at_once = replace(recovery, hours=recovery.hours.where(recovery.hours.index > 5, 0.0))
    assert "above 0" in process_study.wait_slope(at_once).text()
    curve = process_study.wait_curve(at_once, study)
    assert curve.n_zero > 0 and "dose of zero" in dosing.break_sentence(curve)
    pleased = replace(recovery, outcome=recovery.outcome * 0 + 7)
    lacking = process_study.element_importance(pleased, n_boot=10)
    assert "RSAT constant" in lacking.text() and show.weights_check(lacking) == [lacking]
    assert process_study.process_numbers(lacking) == []
    few = recovery.elements.iloc[:8]
    assert "8 complete rows" in process_study.part_levels(few).text()


def test_measures_that_few_received_are_not_compared(study):
    recovery = process_study.read_process(study)
    rare = replace(recovery, measure=recovery.measure.where(recovery.measure.index < 12))
    assert "no measure was received by 10" in process_study.by_measure(rare, study).text()
    others = process_study.by_measure(recovery, study).query("measure > 3")
    assert show.planted_measures(study, others) == []


def test_the_ends_of_a_construct_are_the_mean_ends_of_its_items(study):
    assert process_study.scale_ends(study, "SPEED") == (1.0, 7.0)
    ends = {"SPEED1": (1, 7), "SPEED2": (1, 7), "SPEED3": (0, 10)}
    mixed = SimpleNamespace(
        items=study.items, spec=study.spec, items_of=study.items_of,
        scale_of=lambda item: SimpleNamespace(low=ends[item][0], high=ends[item][1]),
    )  # fmt: skip
    assert process_study.scale_ends(mixed, "SPEED") == (2 / 3, 8.0)
