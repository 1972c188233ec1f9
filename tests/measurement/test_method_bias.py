"""Method bias: reference (lavaan, psych), hand calculation, recovery of planted bias, contract."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from helpers.errors import DataContractError, ModelSpecError, Unavailable
from helpers.measurement.method_bias import (
    adjust_for_marker,
    marker_p_value,
    partial_for_marker,
    path_coefficients,
)
from helpers.sem.method_factors import marker_models, method_paths

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-9  # closed formulas
FITTED = 2e-5  # both optimisers stop near 1e-6 of a standardised value
CHI = 1e-4
MEASURES = ("chisq", "df", "cfi", "rmsea", "srmr")
MODEL = "A =~ A1 + A2 + A3 + A4\nB =~ B1 + B2 + B3 + B4\nB ~ A"
MARKER = ("C1", "C2", "C3")


@pytest.fixture(scope="module")
def lavaan() -> dict:
    return json.loads((REFERENCE / "method_bias.json").read_text(encoding="utf-8"))


def test_cfa_marker_agrees_with_lavaan(answers, lavaan):
    got = marker_models(MODEL, answers, marker="C", marker_items=MARKER)
    assert got.n_used == lavaan["n"]
    table = got.table().set_index("key")
    for step, expected in lavaan["steps"].items():
        assert np.allclose(table.loc[step, list(MEASURES)].astype(float), expected, atol=CHI), step
    for step, expected in lavaan["share"].items():
        assert table.loc[step, "share"] == pytest.approx(expected, abs=FITTED)
    assert got.chosen == ("method_u" if lavaan["unequal"] else "method_c")
    assert np.allclose(got.comparisons["chisq_diff"][:2], lavaan["differences"], atol=CHI)


def test_paths_agree_with_lavaan(answers, lavaan):
    got = method_paths(MODEL, answers, marker="C", marker_items=MARKER)
    assert got.n_used == lavaan["n"]
    base = lavaan["paths"]["base"]
    row = got.paths.iloc[0]
    assert row["base"] == pytest.approx(base["est"], abs=FITTED)
    assert row["ci_low"] == pytest.approx(base["low"], abs=FITTED)
    assert row["ci_high"] == pytest.approx(base["high"], abs=FITTED)
    for variant in ("marker_equal", "marker_free"):
        assert row[variant] == pytest.approx(lavaan["paths"][variant]["est"], abs=FITTED)
    if lavaan["factor_equal"]["variance"] > 0:
        assert row["factor_equal"] == pytest.approx(
            lavaan["paths"]["factor_equal"]["est"], abs=FITTED
        )
    else:  # held at 0 by us, below 0 in lavaan: the paths are those of the base model
        assert row["factor_equal"] == pytest.approx(base["est"], abs=FITTED)


def test_marker_correction_agrees_with_r(answers, lavaan):
    columns = [f"{s}{i}" for s in "AB" for i in range(1, 5)] + list(MARKER)
    rows = answers[columns].dropna()
    scores = pd.DataFrame({s: rows.filter(regex=f"^{s}").mean(axis=1) for s in "ABC"})
    got = adjust_for_marker(scores, marker="C")
    expected = lavaan["lindell_whitney"]
    pair = got.pairs.iloc[0]
    assert got.r_marker == pytest.approx(expected["r_marker"], abs=EXACT)
    assert got.r_marker_high == pytest.approx(expected["r_marker_high"], abs=EXACT)
    assert pair["r"] == pytest.approx(expected["r"], abs=EXACT)
    assert pair["r_adjusted"] == pytest.approx(expected["adjusted"], abs=EXACT)
    assert pair["p_adjusted"] == pytest.approx(expected["p"], rel=1e-6, abs=1e-12)


def test_correction_by_hand():
    assert partial_for_marker(0.4, 0.1) == pytest.approx(0.3 / 0.9)
    assert partial_for_marker(0.1, 0.1) == 0
    t = 0.5 / np.sqrt(0.75 / 100)
    assert marker_p_value(0.5, n=103) == pytest.approx(2 * stats.t.sf(t, 100))
    with pytest.raises(DataContractError, match="r_marker= is -0.1"):
        partial_for_marker(0.4, -0.1)


def biased(method: float, seed: int, n: int = 4000) -> pd.DataFrame:
    """Return items of A and B (true path 0.5) and marker C, all with the same method loading."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    latent = {"A": a, "B": 0.5 * a + np.sqrt(0.75) * rng.normal(size=n), "C": rng.normal(size=n)}
    shared = rng.normal(size=n)
    return pd.DataFrame(
        {
            f"{s}{i}": load * latent[s] + method * shared + 0.6 * rng.normal(size=n)
            for s in "ABC"
            for i, load in enumerate((0.9, 0.4, 1.0, 0.9), start=1)  # equal ones: not identified
        }
    )


def test_planted_bias_is_found_and_removed():
    data = biased(0.5, 1)
    items = tuple(f"C{i}" for i in range(1, 5))
    steps = marker_models(MODEL, data, marker="C", marker_items=items)
    assert steps.comparisons["p_value"][0] < 1e-6
    got = method_paths(MODEL, data, marker="C", marker_items=items)
    row = got.paths.iloc[0]
    assert row["base"] > 0.58  # inflated: about (0.32 + 0.25) / (0.64 + 0.25), truth 0.5
    for variant in ("marker_equal", "marker_free"):
        assert abs(row[variant] - 0.5) < abs(row["base"] - 0.5)
    assert row["factor_equal"] == pytest.approx(0.5, abs=0.08)
    scores = pd.DataFrame({s: data.filter(regex=f"^{s}").mean(axis=1) for s in "ABC"})
    adjusted = adjust_for_marker(scores, marker="C").pairs.iloc[0]
    clean = pd.DataFrame({s: biased(0.0, 1).filter(regex=f"^{s}").mean(axis=1) for s in "AB"})
    assert adjusted["r_adjusted"] == pytest.approx(clean.corr().loc["A", "B"], abs=0.06)


def test_without_bias_paths_stay():
    data = biased(0.0, 2)
    got = method_paths(MODEL, data, marker=Unavailable("a marker", "none was asked"))
    assert set(got.variants) == {"factor_equal", "factor_free"}
    row = got.paths.iloc[0]
    assert row["ci_low"] <= row["factor_equal"] <= row["ci_high"]


def test_path_coefficients_agree_with_statsmodels(answers):
    rows = answers[["A1", "A2", "B1"]].dropna()
    z = (rows - rows.mean()) / rows.std()
    expected = sm.OLS(z["B1"], z[["A1", "A2"]]).fit().params
    got = path_coefficients(rows.corr(), {"B1": ["A1", "A2"]})
    assert got["B1", "A1"] == pytest.approx(expected["A1"], abs=EXACT)
    assert got["B1", "A2"] == pytest.approx(expected["A2"], abs=EXACT)


def test_wrong_use_is_named(answers):
    with pytest.raises(ModelSpecError, match="neither may be part of the model"):
        marker_models(MODEL, answers, marker="A", marker_items=MARKER)
    with pytest.raises(DataContractError, match="no column C9"):
        marker_models(MODEL, answers, marker="C", marker_items=("C1", "C9"))
    scores = answers[["A1", "A2", "B1"]]
    with pytest.raises(DataContractError, match="Did you mean 'B1'"):
        adjust_for_marker(scores, marker="B12")
    with pytest.raises(DataContractError, match="Did you mean 'second'"):
        adjust_for_marker(scores, marker="B1", rule="secnd")
