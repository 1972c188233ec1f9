"""Change, contrasts, attrition, influence, break of a dose: reference (R), property, contract."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.errors import DataContractError
from helpers.regression import (
    attrition_weights,
    change_effect,
    compare_change,
    dose_response,
    influence,
    planned_contrasts,
)
from helpers.regression.dose import _break

EXACT = 1e-8  # the same formulas in double precision
TAIL = 1e-6  # noncentral t: R stops short of full precision
OLIST = (
    Path(__file__).parents[3]
    / "shared"
    / "realdata"
    / "olist_orders_reviews/olist_orders_reviews_subset.csv"
)


@pytest.fixture(scope="module")
def theirs():
    path = Path(__file__).parents[1] / "reference" / "change.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_effect_sizes_agree_with_r(rows, theirs):
    ref, mine = theirs["effect"], change_effect(rows["before"], rows["sat"])
    assert mine.dz == pytest.approx(ref["dz"], abs=EXACT)
    assert [mine.dz_low, mine.dz_high] == pytest.approx(ref["dz_ci"], abs=TAIL)
    assert mine.dav == pytest.approx(ref["dav"], abs=EXACT)
    assert [mine.dav_low, mine.dav_high] == pytest.approx(ref["dav_ci"], abs=EXACT)
    assert mine.bound == pytest.approx(ref["bound"], abs=EXACT)
    assert mine.tost_p == pytest.approx(ref["tost"], abs=EXACT) and not mine.equivalent
    turned = change_effect(rows["sat"], rows["before"])
    assert turned.dz == pytest.approx(-mine.dz) and turned.dz_low == pytest.approx(-mine.dz_high)


def test_interval_of_dav_agrees_with_a_published_example():
    """statpsych ci.stdmean.ps: means 110.4 and 102.1, SD 15.3 and 14.6, r .75, n 25."""
    raw = np.random.default_rng(1).standard_normal((25, 2))
    raw -= raw.mean(axis=0)
    raw = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T))).T
    raw = raw @ np.linalg.cholesky([[1, 0.75], [0.75, 1]]).T * [15.3, 14.6] + [110.4, 102.1]
    mine = change_effect(pd.Series(raw[:, 1]), pd.Series(raw[:, 0]))
    found = [mine.dav, mine.dav_low, mine.dav_high]
    assert found == pytest.approx([0.5550319, 0.2394905, 0.8705732], abs=5e-8)


def test_equivalence_is_scipys_two_one_sided_tests(rows):
    small = rows["before"] + np.random.default_rng(1).normal(0.02, 0.3, len(rows))
    mine = change_effect(rows["before"], small, bound=0.15)
    gap = small - rows["before"]
    parts = [stats.ttest_1samp(gap, at, alternative=way).pvalue
             for at, way in ((-0.15, "greater"), (0.15, "less"))]  # fmt: skip
    assert mine.tost_p == pytest.approx(max(parts)) and mine.equivalent


def test_three_ways_of_change_agree_with_r(rows, theirs):
    ref, late = theirs["change"], (rows["failure"] == "delay").astype(float)
    mine = compare_change(rows["before"], rows["sat"], late)
    for way in ("change", "ancova", "after"):
        got = mine.effect(way)[["estimate", "se", "df"]].tolist()
        assert got == pytest.approx(ref[way], abs=EXACT, rel=EXACT)
    assert mine.slope == pytest.approx(ref["slope"], abs=EXACT)
    weights = 1.0 + (rows["age"] > 40)
    weighted = compare_change(rows["before"], rows["sat"], late, weights=weights)
    got = weighted.effect("ancova")[["estimate", "se", "df"]].tolist()
    assert got == pytest.approx(ref["weighted"], abs=EXACT, rel=EXACT)


@pytest.mark.slow
def test_intervals_cover_where_one_group_is_small():
    """Recovery: nothing differs between sixty people and three; by n - k, 11 % would miss it."""
    rng = np.random.default_rng(12)
    group = pd.Series(np.repeat([1.0, 0.0], [60, 3]))
    held = 0
    for _again in range(300):
        before, after = (pd.Series(rng.normal(size=63)) for _wave in range(2))
        row = compare_change.__wrapped__(before, after, group).effect("change")
        held += row["ci_low"] <= 0 <= row["ci_high"]
    assert held / 300 > 0.94


def test_lords_paradox():
    """Two groups that both stay as they are: no change, but a difference by covariance."""
    rng = np.random.default_rng(5)
    group = pd.Series(np.repeat([0.0, 1.0], 2000))
    person = pd.Series(rng.normal(group, 1.0))
    before, after = (person + rng.normal(0, 0.7, 4000) for _ in range(2))
    mine = compare_change(before, after, group)
    assert mine.effect("change")["ci_low"] < 0 < mine.effect("change")["ci_high"]
    reliability = 1 / (1 + 0.49)
    assert mine.effect("ancova")["estimate"] == pytest.approx(1 - reliability, abs=0.1)


def test_contrasts_agree_with_r_and_welch(rows, theirs):
    ref = theirs["contrasts"]
    plan = {
        "one": {"delay": 1.0, "error": -1.0},
        "two": {"delay": 1.0, "error": -0.5, "payment": -0.5},
    }
    mine = planned_contrasts(rows["sat"], rows["failure"], plan)
    for name in plan:
        got = mine.contrast(name)[["estimate", "se", "df", "p_value"]].astype(float).tolist()
        assert got == pytest.approx(ref[name], rel=EXACT)
    assert mine.contrasts["p_adjusted"].tolist() == pytest.approx(ref["holm"], rel=EXACT)
    groups = dict(tuple(rows.groupby("failure")["sat"]))
    welch = stats.ttest_ind(groups["delay"], groups["error"], equal_var=False)
    assert mine.contrast("one")["t"] == pytest.approx(welch.statistic)


def test_attrition_weights_agree_with_r(rows, theirs):
    ref = theirs["attrition"]
    came = pd.Series(ref["came"], dtype=bool)
    mine = attrition_weights(rows, came, ["age", "before"])
    assert np.allclose(mine.model["odds_ratio"], ref["odds"], rtol=TAIL)
    assert np.allclose(mine.model["p_value"], ref["p"], rtol=1e-5)
    assert np.allclose(mine.weights.dropna(), ref["weights"], rtol=TAIL)
    before, after = mine.balance["difference"].abs().max(), mine.balance["weighted"].abs().max()
    assert after < before / 2


def test_influence_agrees_with_r(rows, theirs):
    ref, mine = theirs["influence"], influence(rows["sat"], rows[["fair", "speed", "age"]])
    own = mine.rows.sort_values("row")
    assert np.allclose(own["cooks"], ref["cooks"], atol=EXACT)
    assert np.allclose(own["leverage"], ref["leverage"], atol=EXACT)
    assert np.allclose(own["studentised"], ref["rstudent"], atol=EXACT)
    assert np.allclose(own["dfbetas"].abs(), np.abs(ref["dfbetas"]).max(axis=1), atol=EXACT)
    assert mine.above_cook == int((np.array(ref["cooks"]) > 4 / 240).sum())


@pytest.mark.parametrize(("case", "slope"), [("plain", 0.0), ("bent", -0.15)])
def test_the_break_agrees_with_a_search_in_r(rows, theirs, case, slope):
    response = rows["sat"] + slope * rows["hours"].clip(upper=25)
    ref, mine = theirs["break_"][case], dose_response(rows["hours"], response.rename("y"))
    assert any(mine.break_open) == (case == "plain")
    assert mine.break_at == pytest.approx(ref["at"], abs=EXACT)
    assert [mine.break_low, mine.break_high] == pytest.approx(ref["ci"], abs=EXACT)
    aic = mine.shapes.set_index("shape").loc["threshold", "aic"]
    assert aic == pytest.approx(ref["aic"], abs=1e-6)


@pytest.mark.slow
def test_the_interval_of_a_break_covers():
    """Recovery: ends at the last place tried inside the interval would cover 86 % here."""
    rng = np.random.default_rng(2)
    held = 0
    for _again in range(600):
        x = rng.uniform(1, 50, 150)
        y = -0.08 * np.minimum(x, 20) + rng.normal(0, 0.3, 150)
        _at, low, high, _reached = _break(x, y, 0.95)
        held += low <= 20 <= high
    assert held / 600 > 0.91


def test_a_planted_threshold_is_found():
    rng = np.random.default_rng(6)
    hours = pd.Series(rng.uniform(1, 100, 800))
    happy = 6 - 0.08 * np.minimum(hours, 40) + rng.normal(0, 0.5, 800)
    mine = dose_response(hours, happy)
    assert mine.break_low <= 40 <= mine.break_high and mine.best in ("threshold", "spline")
    gain = mine.shapes.set_index("shape").loc["threshold"]
    assert gain["cv_gain"] < -2 * gain["cv_se"]


@pytest.mark.skipif(not OLIST.is_file(), reason="the real orders are not part of the project")
def test_real_delays_go_with_lower_reviews():
    """Late deliveries of real orders: the provenance file states means of 2.18 and 4.27."""
    orders = pd.read_csv(OLIST)
    done, due = (pd.to_datetime(orders[f"order_{name}_date"])
                 for name in ("delivered_customer", "estimated_delivery"))  # fmt: skip
    late = (done.dt.normalize() - due.dt.normalize()).dt.days
    score = orders["review_score"]
    behind = (late > 0) & done.notna()
    assert score[behind].mean() == pytest.approx(2.18, abs=0.1)
    dose = (late + 60).where(done.notna() & (late > -40) & (late < 40))
    mine = dose_response(dose, score)
    assert mine.best in ("threshold", "spline")
    shapes = mine.shapes.set_index("shape")
    assert shapes.loc["threshold", "cv_gain"] < -2 * shapes.loc["threshold", "cv_se"]
    assert 50 <= mine.break_at <= 70  # reviews fall from about the promised day on


def test_bad_input_of_change_is_named(rows):
    with pytest.raises(DataContractError, match="change that varies"):
        change_effect(rows["sat"], rows["sat"] + 1)
    with pytest.raises(DataContractError, match="0 and 1"):
        compare_change(rows["before"], rows["sat"], rows["age"])
    with pytest.raises(DataContractError, match="add up to zero"):
        planned_contrasts(rows["sat"], rows["failure"], {"bad": {"delay": 1.0}})
    with pytest.raises(DataContractError, match="more of both"):
        attrition_weights(rows, pd.Series(True, index=rows.index), ["age"])
