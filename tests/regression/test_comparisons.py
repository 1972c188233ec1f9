"""Comparisons, dose-response and formulas: reference (base R, psych), recovery, contract."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, Unavailable
from helpers.regression import compare_groups, compare_paired, dose_response, fit_formula, formulas
from helpers.regression.comparisons import small_sample_factor
from helpers.regression.dose import KNOT_QUANTILES, restricted_cubic
from helpers.regression.formulas import Formula
from helpers.regression.least_squares import fit_least_squares

EXACT = 1e-8  # the same formulas in double precision
SOLVED = 1e-5  # noncentral distributions: R and scipy stop at other precisions


def test_group_tests_agree_with_r(rows, expected):
    theirs = expected["comparison"]
    got = compare_groups(rows["sat"], rows["failure"])
    first = got.pairs.iloc[0]
    assert (first["group_1"], first["group_2"]) == ("delay", "error")
    for mine, name in {"t": "t", "df": "df", "p_value": "p"}.items():
        assert first[mine] == pytest.approx(theirs[name], rel=EXACT)
    assert [first["ci_low"], first["ci_high"]] == pytest.approx(theirs["ci"], rel=EXACT)
    assert np.allclose(got.pairs["p_adjusted"], theirs["holm"], rtol=1e-6)
    assert got.welch_f == pytest.approx(theirs["welch_f"], rel=EXACT)
    assert [got.welch_df1, got.welch_df2] == pytest.approx(theirs["welch_df"], rel=EXACT)
    assert got.welch_p == pytest.approx(theirs["welch_p"], rel=1e-6)


def test_effect_sizes_agree_with_r_and_psych(rows, expected):
    theirs = expected["comparison"]
    got = compare_groups(rows["sat"], rows["failure"])
    first = got.pairs.iloc[0]
    assert first["g"] == pytest.approx(theirs["g"], rel=EXACT)
    assert [first["g_low"], first["g_high"]] == pytest.approx(theirs["g_ci"], rel=SOLVED)
    counts = got.means.set_index("group")["n"]
    correction = small_sample_factor(counts["delay"] + counts["error"] - 2)
    assert first["g_low"] / correction == pytest.approx(theirs["d_psych"][0], abs=1e-3)
    assert got.omega_sq == pytest.approx(theirs["omega"], rel=EXACT)
    assert [got.omega_sq_low, got.omega_sq_high] == pytest.approx(theirs["omega_ci"], rel=SOLVED)


def test_paired_change_agrees_with_r(rows, expected):
    theirs = expected["paired"]
    got = compare_paired(rows["before"], rows["sat"])
    assert got.change == pytest.approx(theirs["change"], rel=EXACT)
    assert [got.ci_low, got.ci_high] == pytest.approx(theirs["ci"], rel=EXACT)
    assert (got.t, got.p_value) == pytest.approx((theirs["t"], theirs["p"]), rel=1e-6)
    assert got.ratio == pytest.approx(theirs["ratio"], rel=EXACT)
    assert [got.ratio_low, got.ratio_high] == pytest.approx(theirs["ratio_ci"], rel=EXACT)


def test_dose_response_agrees_with_r(rows, expected):
    theirs = expected["dose"]
    got = dose_response(rows["hours"], rows["sat"])
    plain = got.shapes.set_index("shape").loc[["linear", "log", "spline"]]
    assert np.allclose(plain["aic"], theirs["aic"], atol=1e-6)
    assert np.allclose(plain["r2"], theirs["r2"], atol=EXACT)
    assert got.slope == pytest.approx(theirs["slope"], rel=EXACT)
    assert (got.nonlinearity_f, got.nonlinearity_p) == pytest.approx(
        (theirs["f"], theirs["p"]), rel=1e-6
    )
    knots = np.quantile(rows["hours"], KNOT_QUANTILES)
    fit = fit_least_squares(rows["sat"], pd.DataFrame(restricted_cubic(rows["hours"], knots)))
    new = np.column_stack([np.ones(3), restricted_cubic([5.0, 20.0, 60.0], knots)])
    assert np.allclose(new @ fit.b, theirs["fitted"], atol=1e-8)


def test_planted_shape_is_found():
    rng = np.random.default_rng(4)
    hours = pd.Series(rng.gamma(2, 14, 900) + 1)
    straight = dose_response(hours, 5 - 0.03 * hours + rng.normal(0, 0.5, 900))
    curved = dose_response(hours, 5 - 0.6 * np.log2(hours) + rng.normal(0, 0.5, 900))
    assert (straight.best, curved.best) == ("linear", "log")
    assert curved.slope_low < -0.6 < curved.slope_high


def example(**changes) -> Formula:
    parts = {
        "id": "X", "says": "x", "rival": "y", "needs": ("sat", "fair", "speed"),
        "outcome": lambda t: t["sat"], "stated": lambda t: t[[]],
        "freer": lambda t: t[["fair", "speed"]], "fixed": {"fair": 0.8, "speed": 0.6},
    }  # fmt: skip
    return Formula(**(parts | changes))


def test_constraint_tests_agree_with_r(rows, expected):
    theirs = expected["formulas"]
    got = fit_formula(example(), rows)
    assert (got.statistic, got.p_value) == pytest.approx((theirs["f"], theirs["p"]), rel=1e-6)
    assert got.df == 2
    assert [got.aic_formula, got.aic_rival] == pytest.approx(theirs["aic"], rel=EXACT)
    counts = example(
        outcome=lambda t: (t["hours"] / 10).round(), needs=("hours", "fair", "speed"), fixed={},
        stated=lambda t: t[["fair"]], counts=True,
        freer=lambda t: t[["fair", "speed"]].assign(fair2=t["fair"] ** 2),
    )  # fmt: skip
    poisson = fit_formula(counts, rows)
    assert poisson.statistic == pytest.approx(theirs["lr"], rel=1e-6)
    assert [poisson.aic_formula, poisson.aic_rival] == pytest.approx(theirs["count_aic"], rel=1e-8)
    assert np.allclose(poisson.weights["estimate"], theirs["count_b"][1:], atol=1e-6)
    scaled = poisson.scaled
    assert [scaled.dispersion, scaled.f, scaled.p_value] == pytest.approx(
        [theirs["dispersion"], theirs["scaled_f"], theirs["scaled_p"]], rel=1e-6
    )
    assert (scaled.df, scaled.df_resid) == (2, len(rows) - 4)
    assert "1.57 times" in scaled.text()
    assert isinstance(got.scaled, Unavailable)  # least squares estimates the variance itself


def planted(seed: int, **changes: float) -> pd.DataFrame:
    """Return answers that follow F3 and F4 as stated, but for the changes."""
    w = {"a": 0.8, "b": 0.6, "c": 0.7, "d": 0.5} | changes
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.integers(1, 6, (400, 4)), columns=["EXM5", "SPD5", "TRN5", "REP5"])
    noise = rng.normal(0, 0.8, (400, 2))
    return x.assign(
        PSAT=1 + w["a"] * x["EXM5"] + w["b"] * x["SPD5"] + noise[:, 0],
        HSAT=1.5 + w["c"] * x["TRN5"] + w["d"] * x["REP5"] + noise[:, 1],
    )


def test_a_true_formula_is_kept_and_a_false_one_is_not():
    known = {formula.id: formula for formula in formulas()}
    kept = [fit_formula(known["F3"], planted(seed)).p_value > 0.05 for seed in range(100)]
    assert 0.88 <= np.mean(kept) <= 1.0  # 95 % but for three binomial standard errors
    assert fit_formula(known["F3"], planted(1, a=0.4)).p_value < 0.001
    result = fit_formula(known["F4"], planted(2))
    assert result.weights["stated"].tolist() == [0.7, 0.5]
    assert result.crossed.first == pytest.approx(0.8, abs=0.1)


def test_every_formula_runs_and_is_nested_as_it_says(rows):
    rng = np.random.default_rng(1)
    for formula in formulas():
        data = pd.DataFrame({name: rng.integers(1, 8, 200).astype(float) for name in formula.needs})
        result = fit_formula(formula, data)
        assert isinstance(result.p_value, Unavailable) != formula.nested
        if formula.nested:
            assert 0 <= result.p_value <= 1 and result.statistic >= -1e-9
    assert {formula.id[:2] for formula in formulas()} == {f"F{i}" for i in range(1, 8)}


def test_small_groups_are_described_not_tested(rows):
    groups = rows["failure"].where(rows.index > 4, "rare")
    got = compare_groups(rows["sat"], groups)
    assert got.means.set_index("group")["compared"].to_dict()["rare"] is False
    assert "rare" not in set(got.pairs["group_1"]) | set(got.pairs["group_2"])
    alone = compare_groups(rows["sat"].head(40), rows["failure"].head(40))
    assert isinstance(alone.text(), Unavailable)


def test_bad_input_is_named(rows):
    with pytest.raises(DataContractError, match="has 1 group"):
        compare_groups(rows["sat"], pd.Series(["a"] * len(rows)))
    with pytest.raises(DataContractError, match="same amount for everybody"):
        compare_paired(rows["sat"], rows["sat"] + 1)
    with pytest.raises(DataContractError, match="doses above 0"):
        dose_response(rows["hours"] - 50, rows["sat"])
    with pytest.raises(DataContractError, match="four knots"):
        dose_response((rows["hours"] > 5) + 1, rows["sat"])
