"""Reference: delays and reviews of real orders, complainers and others of a real survey, by R."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.regression.comparisons import compare_groups
from helpers.regression.dose import BREAKS, dose_response
from helpers.regression.relative import raw_relative_weights

HERE = Path(__file__).parents[1]
REFERENCE = json.loads((HERE / "reference" / "service_real.json").read_text(encoding="utf-8"))
REAL = HERE.parents[1] / "shared" / "realdata"
OLIST = REAL / "olist_orders_reviews" / "olist_orders_reviews_subset.csv"
ACSI = REAL / "acsi_2015" / "acsi2015_three_industries.csv"
CLOSE = 1e-8
"""Closed formulas in both programs."""
PRINTED = 0.005
"""Means printed with two decimals."""
NOT_KNOWN = (98, 99)


@pytest.fixture(scope="module")
def orders():
    if not OLIST.is_file():
        pytest.skip("real data are not part of the project")
    raw = pd.read_csv(OLIST).query("order_status == 'delivered'")
    bought, promised, came = (
        pd.to_datetime(raw[f"order_{name}"])
        for name in ("purchase_timestamp", "estimated_delivery_date", "delivered_customer_date")
    )
    days = (came - bought).dt.total_seconds() / 86400
    late = (came.dt.normalize() > promised).astype(float).where(came.notna())
    return pd.DataFrame({"days": days, "review": raw["review_score"], "late": late})


@pytest.fixture(scope="module")
def customers():
    if not ACSI.is_file():
        pytest.skip("real data are not part of the project")
    raw = pd.read_csv(ACSI)[["SATIS", "REPUR", "OVERALLQ", "HANDLE", "COMP"]]
    return raw.mask(raw.isin(NOT_KNOWN))


def test_reviews_against_days_to_delivery_are_those_of_r(orders):
    wanted, found = REFERENCE["olist"], dose_response(orders["days"], orders["review"])
    assert found.n_used == wanted["n"] and found.n_dropped == len(orders) - wanted["n"]
    shapes = found.shapes.set_index("shape")
    mine = (shapes["aic"] - shapes.loc["linear", "aic"])[["linear", "log", "spline"]]
    assert mine.tolist() == pytest.approx(np.subtract(wanted["aic"], wanted["aic"][0]), abs=1e-6)
    assert found.slope == pytest.approx(wanted["slope"], abs=CLOSE)
    half = (found.slope_high - found.slope_low) / 2
    assert half / wanted["slope_se"] == pytest.approx(1.9604, abs=1e-3)
    assert found.nonlinearity_f == pytest.approx(wanted["f"], abs=1e-6)


def test_reviews_fall_faster_after_two_weeks(orders):
    """The search on a grid finds R's break to one place of the grid, and loses no fit by it."""
    wanted, found = REFERENCE["olist"], dose_response(orders["days"], orders["review"])
    low, high = orders["days"].dropna().quantile([0.1, 0.9])
    assert found.break_at == pytest.approx(wanted["break_at"], abs=(high - low) / (BREAKS - 1))
    assert found.break_low < wanted["break_at"] < found.break_high
    r2 = found.shapes.set_index("shape").loc["threshold", "r2"]
    assert wanted["break_r2"] - 1e-4 < r2 <= wanted["break_r2"] + CLOSE


def test_late_orders_have_the_means_their_provenance_states(orders):
    means = compare_groups(orders["review"], orders["late"]).means
    assert means["mean"].tolist() == pytest.approx([4.27, 2.18], abs=PRINTED)
    assert means["n"].iloc[1] == 342


@pytest.mark.parametrize("name", ["SATIS", "REPUR"])
def test_complainers_against_others_are_those_of_r(customers, name):
    wanted = REFERENCE["acsi"][name]
    found = compare_groups(customers[name], customers["COMP"])
    assert found.means["n"].tolist() == wanted["n"][::-1]
    pair = found.pairs.iloc[0]
    sign = 1 if float(pair["group_1"]) == 1 else -1
    assert sign * pair["difference"] == pytest.approx(wanted["difference"], abs=CLOSE)
    ends = sorted([sign * pair["ci_low"], sign * pair["ci_high"]])
    assert ends == pytest.approx([wanted["low"], wanted["high"]], abs=CLOSE)
    assert pair["df"] == pytest.approx(wanted["df"], abs=1e-6)
    assert sign * pair["g"] == pytest.approx(wanted["g"], abs=CLOSE)


def test_quality_and_handling_share_the_satisfaction_of_complainers(customers):
    rows = customers.query("COMP == 1")[["OVERALLQ", "HANDLE", "SATIS"]].dropna()
    assert len(rows) == REFERENCE["acsi"]["n_handled"]
    weights = raw_relative_weights(rows.corr().to_numpy())
    assert weights == pytest.approx(REFERENCE["acsi"]["weights"], abs=CLOSE)
    assert weights.sum() == pytest.approx(REFERENCE["acsi"]["r2"], abs=CLOSE)
