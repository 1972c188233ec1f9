"""Discriminant validity: reference (R semTools), hand calculation, recovery, contract."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError
from helpers.measurement.validity import estimate_htmt, fornell_larcker, htmt_ratios

EXACT = 1e-9  # closed formulas in double precision


def lower(result, which: str, names: list[str]) -> np.ndarray:
    """Return the ratios in the order of R's lower triangle, column by column."""
    square = result.matrix(which).reindex(index=names, columns=names).to_numpy()
    return square.T[np.triu_indices(len(names), 1)]


@pytest.mark.parametrize("which", ["htmt", "htmt2"])
def test_ratios_agree_with_semtools(case, which):
    data, reference = case
    expected = reference["validity"]
    got = estimate_htmt(data, reference["scales"], n_boot=0)
    assert got.n_used == expected["n"]
    ratios = lower(got, which, expected[which]["names"])
    assert np.allclose(ratios, expected[which]["lower"], atol=EXACT)


def test_ratios_agree_with_engine_references(survey):
    data, _psych, semtools = survey
    blocks = {
        "comp": "c",
        "apol": "a",
        "time": "t",
        "sev": "s",
        "sat": "y",
        "trust": "r",
        "loy": "l",
    }
    scales = {k: [c for c in data if c[0] == v and c[1:].isdigit()] for k, v in blocks.items()}
    got = estimate_htmt(data, scales, n_boot=0)
    for which in ("htmt", "htmt2"):
        expected = semtools[which]
        assert np.allclose(lower(got, which, expected["names"]), expected["lower"], atol=1e-8)


def test_ratio_by_hand():
    corr = np.eye(4)
    corr[0, 1] = corr[1, 0] = 0.64
    corr[2, 3] = corr[3, 2] = 0.25
    corr[:2, 2:] = [[0.2, 0.1], [-0.3, 0.4]]
    corr[2:, :2] = corr[:2, 2:].T
    blocks = [[0, 1], [2, 3]]
    assert htmt_ratios(corr, blocks)[0] == pytest.approx(0.25 / 0.4)
    geometric = (0.2 * 0.1 * 0.3 * 0.4) ** 0.25 / 0.4
    assert htmt_ratios(corr, blocks, geometric=True)[0] == pytest.approx(geometric)
    stacked = htmt_ratios(np.stack([corr, corr]), blocks)
    assert stacked.shape == (2, 1)


def test_a_bootstrap_draw_is_the_ratio_of_the_resampled_rows(answers, monkeypatch):
    """The draws by counts equal the ratio computed from the resampled rows themselves."""
    rows = answers.dropna().to_numpy()
    scales = {code: [f"{code}{i}" for i in range(1, 5)] for code in "ABC"}
    got = estimate_htmt(answers, scales, n_boot=3, seed=8)
    drawn = np.random.default_rng(8).integers(0, len(rows), size=(3, len(rows)))
    blocks = [range(4), range(4, 8), range(8, 12)]
    by_rows = np.array([htmt_ratios(np.corrcoef(rows[index].T), blocks) for index in drawn])
    limits = np.quantile(by_rows, [0.025, 0.975], axis=0)
    assert np.allclose(got.pairs["htmt_low"], limits[0], atol=EXACT)
    assert np.allclose(got.pairs["htmt_high"], limits[1], atol=EXACT)
    monkeypatch.setattr("helpers.resampling.CELLS", len(rows))
    again = estimate_htmt(answers, scales, n_boot=3, seed=8)
    assert np.allclose(again.pairs["htmt_low"], got.pairs["htmt_low"], atol=EXACT)


def test_intervals_hold_the_latent_correlation(answers):
    """HTMT estimates the latent correlation when loadings are alike; 0.5, 0.3, 0.4 are planted."""
    scales = {code: [f"{code}{i}" for i in range(1, 5)] for code in "ABC"}
    result = estimate_htmt(answers, scales, n_boot=1000, seed=2)
    truth = [0.5, 0.3, 0.4]
    assert ((result.pairs["htmt_low"] < truth) & (truth < result.pairs["htmt_high"])).all()
    assert result.n_failed == 0 and len(result.checks()) == 3


def test_fornell_larcker_by_hand():
    corr = pd.DataFrame([[1, 0.75], [0.75, 1]], index=["A", "B"], columns=["A", "B"])
    table = fornell_larcker({"A": 0.64, "B": 0.49}, corr)
    assert table["met"].tolist() == [True, False]
    assert table.loc[1, "A"] == 0.75 and np.isnan(table.loc[0, "B"])
    assert table.loc[1, "B"] == pytest.approx(0.7)


def test_single_items_are_left_out_and_named(answers):
    scales = {"A": ["A1", "A2"], "B": ["B1", "B2"], "S": ["C1"]}
    assert estimate_htmt(answers, scales, n_boot=0).left_out == ("S",)
    with pytest.raises(DataContractError, match="1 construct"):
        estimate_htmt(answers, {"A": ["A1", "A2"], "S": ["C1"]})
    with pytest.raises(DataContractError, match="missing"):
        estimate_htmt(answers, {"A": ["A1", "A9"], "B": ["B1", "B2"]})
