"""Reference: R lavaan lavCor and psych polychoric (tests/reference/missing.R); contract."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError
from helpers.sem.polychorics import polychoric_correlations

REFERENCE = Path(__file__).parents[1] / "reference"
R = json.loads((REFERENCE / "missing.json").read_text(encoding="utf-8"))["polychoric"]
DATA = pd.read_csv(REFERENCE / "survey_items.csv")
REAL = Path(__file__).parents[3] / "shared" / "realdata"
ITEMS = ["i1", "i2", "i3", "i4", "i5"]

LAVAAN = 2e-5
"""lavaan's search for each correlation stops at a relative change of 1e-6 or so."""

PSYCH = 1e-4
"""psych uses optimize() with its default tolerance of 1e-4."""


@pytest.fixture(scope="module")
def complete():
    return polychoric_correlations(DATA, items=ITEMS, missing="listwise")


def test_estimates_and_errors_agree_with_lavaan(complete):
    table = complete.pairs.set_index(["first", "second"])
    assert complete.n_used == R["n"]
    for row in R["lavaan"]:
        ours = table.loc[(row["lhs"], row["rhs"])]
        assert ours["rho"] == pytest.approx(row["est"], abs=LAVAAN)
        assert ours["se"] == pytest.approx(row["se"], abs=LAVAAN)


def test_estimates_agree_with_psych(complete):
    np.testing.assert_allclose(complete.matrix, R["psych"], atol=PSYCH)


def test_the_interval_is_fishers_by_hand(complete):
    row = complete.pairs.iloc[0]
    z = np.arctanh(row["rho"]) + 1.959963984540054 * row["se"] / (1 - row["rho"] ** 2)
    assert row["ci_high"] == pytest.approx(np.tanh(z))
    assert row["ci_low"] < row["rho"] < row["ci_high"]


def test_each_pair_counts_its_own_people():
    found = polychoric_correlations(DATA, items=ITEMS)
    for row in found.pairs.itertuples():
        both = DATA[[row.first, row.second]].dropna()
        assert row.n == len(both)
        cells = pd.crosstab(both[row.first], both[row.second]).reindex(
            index=range(1, 8), columns=range(1, 8), fill_value=0
        )
        assert row.empty_cells == int((cells == 0).to_numpy().sum())
        assert row.smallest_cell == int(cells.to_numpy().min())
        assert row.pearson == pytest.approx(both.corr().iloc[0, 1])


def test_planted_correlation_of_coarse_answers_is_recovered():
    """Recovery: two cuts of a normal pair with r = .6; Pearson's r is too small, rho is not."""
    rng = np.random.default_rng(6)
    z = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=4000)
    rows = pd.DataFrame(np.digitize(z, [-0.2, 1.0]) + 1, columns=["a", "b"])
    row = polychoric_correlations(rows, items=["a", "b"]).pairs.iloc[0]
    assert abs(row["rho"] - 0.6) < 3 * row["se"]
    assert row["pearson"] < 0.6 - 5 * row["se"]


def test_one_item_makes_no_pair():
    with pytest.raises(DataContractError, match="at least 2 ordered items"):
        polychoric_correlations(DATA, items=["i1"])


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data lie outside the project")
def test_service_items_with_ceilings_agree_with_lavaan():
    """2,179 answers to five seven-step items of which half lie at one end."""
    stored = json.loads((REFERENCE / "missing_real.json").read_text(encoding="utf-8"))["univer"]
    frame = pd.read_csv(REAL / "univer_orientation_services" / "univer.csv")
    names = ["informat", "willingn", "officeho", "compete", "global"]
    found = polychoric_correlations(frame, items=names, missing="listwise").pairs
    table = found.set_index(["first", "second"])
    for row in stored:
        ours = table.loc[(row["lhs"], row["rhs"])]
        assert ours["rho"] == pytest.approx(row["est"], abs=LAVAAN)
        assert ours["se"] == pytest.approx(row["se"], abs=LAVAAN)
