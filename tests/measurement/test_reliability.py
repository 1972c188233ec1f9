"""Reliability: reference (R psych, lavaan), property and contract tests."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, Unavailable
from helpers.measurement.reliability import (
    average_variance_extracted,
    coefficient_alpha,
    composite_reliability,
    describe_items,
    estimate_reliability,
    inter_item_correlations,
    omega_total,
)

EXACT = 1e-9  # closed formulas in double precision
SEARCHED = 2e-6  # two optimisers that stop on their own rules

BLOCKS = {"comp": "c1 c2 c3 c4", "time": "t1 t2 t3", "sat": "y1 y2 y3 y4", "loy": "l1 l2 l3 l4 l5"}


def test_alpha_and_items_agree_with_psych(case):
    data, reference = case
    for code, expected in reference["reliability"].items():
        items = data[reference["scales"][code]]
        got = estimate_reliability(items, construct=code)
        assert got.n_used == expected["n"]
        assert got.n_used + got.n_dropped == len(data)
        pairs = [
            (got.alpha, "alpha"), (got.alpha_low, "ci_low"), (got.alpha_high, "ci_high"),
            (got.standardized_alpha, "std_alpha"), (got.mean_inter_item_r, "average_r"),
        ]  # fmt: skip
        for value, name in pairs:
            assert value == pytest.approx(expected[name], abs=EXACT), (code, name)
        assert np.allclose(got.items["item_rest"], expected["item_rest"], atol=EXACT)
        if items.shape[1] > 2:
            without = got.items["alpha_if_deleted"].astype(float)
            assert np.allclose(without, expected["alpha_if_deleted"], atol=EXACT)


def test_omega_cr_ave_agree_with_lavaan(case):
    data, reference = case
    compared = 0
    for code, expected in reference["reliability"].items():
        got = estimate_reliability(data[reference["scales"][code]], construct=code)
        if isinstance(got.omega, Unavailable):
            # lavaan fits two items never, and a Heywood case with a loading above 1
            assert max(expected.get("std_loadings", [2.0])) > 1
            continue
        compared += 1
        names = {"omega": "omega", "omega_low": "omega_ci_low", "omega_high": "omega_ci_high"}
        for mine, theirs in {**names, "cr": "cr", "ave": "ave"}.items():
            assert getattr(got, mine) == pytest.approx(expected[theirs], abs=SEARCHED), (code, mine)
    assert compared >= 3


def test_alpha_agrees_with_stored_engine_references(survey):
    data, psych, _semtools = survey
    for code, items in BLOCKS.items():
        got = estimate_reliability(data[items.split()], construct=code)
        expected = psych["alpha"][code]
        assert got.alpha == pytest.approx(expected["raw"], abs=EXACT)
        assert got.standardized_alpha == pytest.approx(expected["std"], abs=EXACT)
        assert np.allclose(got.items["item_rest"], expected["r_drop"], atol=EXACT)
    omega = estimate_reliability(data[BLOCKS["loy"].split()], construct="loy")
    # psych factors the correlation matrix, so its omega is that of standardised items, and it
    # takes minres loadings; it differs from omega of the raw items in the third decimal
    assert omega.omega == pytest.approx(psych["omega_comp"]["omega.tot"], abs=2e-3)


def test_formulas_by_hand():
    assert omega_total([1.0, 2.0], [1.0, 2.0]) == pytest.approx(9 / 12)
    assert composite_reliability([0.8, 0.6]) == pytest.approx(1.96 / (1.96 + 0.36 + 0.64))
    assert average_variance_extracted([0.8, 0.6]) == pytest.approx(0.5)
    parallel = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1.0, 2, 3, 4]})
    assert coefficient_alpha(parallel, construct="X").alpha == pytest.approx(1.0)


def test_order_of_rows_and_items_and_origin_do_not_matter(answers):
    items = answers[["A1", "A2", "A3", "A4"]]
    base = estimate_reliability(items, construct="A")
    other = estimate_reliability(
        items.sample(frac=1, random_state=1)[["A3", "A1", "A4", "A2"]] + 10, construct="A"
    )
    assert other.alpha == pytest.approx(base.alpha, abs=EXACT)
    assert other.omega == pytest.approx(base.omega, abs=SEARCHED)


def test_feldt_interval_covers_planted_alpha():
    rng = np.random.default_rng(5)
    truth, covered, runs = 4 / 3 * (1 - 4 * 2 / 20), 0, 400
    for _run in range(runs):  # parallel items: variance 2, covariance 1
        data = rng.normal(size=(80, 1)) + rng.normal(size=(80, 4))
        got = coefficient_alpha(pd.DataFrame(data, columns=list("abcd")), construct="X")
        covered += got.ci_low <= truth <= got.ci_high
    assert abs(covered / runs - 0.95) < 0.035  # three binomial standard errors at 400 runs


def test_input_is_not_changed_and_blanks_are_counted(answers):
    items = answers[["A1", "A2", "A3", "A4"]]
    before = items.copy()
    result = coefficient_alpha(items, construct="A")
    pd.testing.assert_frame_equal(items, before)
    assert result.n_dropped == int(items.isna().any(axis=1).sum()) > 0
    assert inter_item_correlations(items).shape == (4, 4)


def test_two_items_give_reasons_in_place_of_omega(answers):
    result = estimate_reliability(answers[["A1", "A2"]], construct="A")
    assert isinstance(result.omega, Unavailable)
    assert isinstance(
        describe_items(answers[["A1", "A2"]])["alpha_if_deleted"].iloc[0], Unavailable
    )
    assert "not identified" in result.omega.text()


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (pd.DataFrame({"a": [1.0, 2, 3]}), r"coefficient_alpha: items= has 1 column\(s\) \['a'\]"),
        (pd.DataFrame({"a": [1.0, 2], "b": [2.0, 1]}), "has 2 complete rows of 2; at least 3"),
        (pd.DataFrame({"a": [1.0, 2, 3], "b": [4.0] * 3}), "columns that never vary: b"),
        (pd.DataFrame({"a": [1.0, 2, 3], "b": list("xyz")}), "not numeric: b"),
    ],
)
def test_bad_items_are_named(items, message):
    with pytest.raises(DataContractError, match=message):
        coefficient_alpha(items, construct="X")


def test_unstandardised_loadings_are_refused():
    with pytest.raises(DataContractError, match="standardised loadings between -1 and 1"):
        composite_reliability([1.4, 0.6])
