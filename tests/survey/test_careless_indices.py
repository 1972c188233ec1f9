"""Reference and property: indices of careless answering against R, and by their meaning."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import DataContractError, Unavailable
from helpers.survey import careless
from helpers.survey.distance import distance_basis, mahalanobis_distance

REFERENCE = Path(__file__).parents[1] / "reference"
ATOL = 1e-9
"""The R script stores 12 digits; the formulas are closed, so only rounding is left."""

BLOCKS = {b: [f"{b}{i}" for i in range(1, 5)] for b in "ABCDEF"}


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "careless_items.csv")


@pytest.fixture(scope="module")
def by_r() -> dict:
    return json.loads((REFERENCE / "careless.json").read_text(encoding="utf-8"))


def agrees(ours: pd.Series, theirs: list) -> None:
    """Compare with R, blanks included."""
    np.testing.assert_allclose(
        ours.to_numpy(float), np.array(theirs, dtype=float), rtol=0, atol=ATOL
    )


def test_runs_and_spread(items, by_r):
    agrees(careless.longest_run(items), by_r["longest"])
    agrees(careless.average_run(items), by_r["average"])
    agrees(careless.intra_individual_variability(items), by_r["spread"])


def test_even_odd(items, by_r):
    keyed = items.copy()
    for block in BLOCKS.values():
        keyed[block[3]] = 8 - keyed[block[3]]
    agrees(careless.even_odd_consistency(keyed, constructs=BLOCKS), by_r["even_odd"])


@pytest.mark.parametrize(("kind", "least"), [("synonyms", 0.6), ("antonyms", -0.6)])
def test_pairs_of_items(items, by_r, kind, least):
    pairs = careless.item_pairs(items.corr(), least=least)
    assert pairs == [tuple(p) for p in by_r[kind]["pairs"]]
    agrees(careless.paired_consistency(items, pairs=pairs), by_r[kind]["r"])


def test_person_total(items, by_r):
    ours = careless.person_total(items, sums=items.sum(), counts=items.count())
    agrees(ours, by_r["person_total"])


def test_autocorrelation(items, by_r):
    agrees(careless.largest_autocorrelation(items, max_lag=8), by_r["autocorrelation"])


def test_contradictions(items, by_r):
    scaled = (items - 1) / 6
    pairs = [tuple(p) for p in by_r["opposite"]]
    agrees(careless.contradictions(scaled, pairs=pairs), by_r["contradictions"])


def test_distance_over_what_is_answered(items, by_r):
    known = by_r["distance"]
    mean = pd.Series(known["mean"], index=items.columns)
    inverse = distance_basis(pd.DataFrame(known["covariance"], items.columns, items.columns))
    ours = mahalanobis_distance(items, mean=mean, inverse=inverse)
    agrees(ours["d2"], known["answered"])
    assert (ours["df"] == items.notna().sum(axis=1)).all()


def test_distance_of_complete_rows_is_that_of_psych(items, by_r):
    known = by_r["distance"]
    full = pd.DataFrame(known["full"], columns=items.columns)
    ours = mahalanobis_distance(full, mean=full.mean(), inverse=distance_basis(full.cov()))
    agrees(ours["d2"], known["psych_complete"])


def test_distance_needs_a_positive_definite_matrix():
    assert isinstance(distance_basis(pd.DataFrame(np.ones((3, 3)))), Unavailable)


def test_planted_patterns_are_seen(items):
    """By construction: row 0 one answer, row 1 the pattern 1-5, row 3 runs of four."""
    assert careless.longest_run(items)[0] == 24
    assert careless.largest_autocorrelation(items, max_lag=8)[1] == pytest.approx(1)
    assert np.isnan(careless.largest_autocorrelation(items, max_lag=8)[0])
    assert careless.average_run(items)[3] == 4


def test_perfectly_inconsistent_halves_are_minus_one():
    keyed = pd.DataFrame([[1, 5, 2, 4, 3, 3, 4, 2.0]], columns=list("abcdefgh"))
    blocks = {"A": ["a", "b"], "B": ["c", "d"], "C": ["e", "f"], "D": ["g", "h"]}
    assert careless.even_odd_consistency(keyed, constructs=blocks)[0] == -1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 50), st.floats(-9, 9))
def test_correlations_do_not_depend_on_unit_or_origin(seed, unit, origin):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 6, 9))
    a[rng.random((6, 9)) < 0.2] = np.nan
    moved = careless.row_correlation(a * unit + origin, b)
    np.testing.assert_allclose(moved, careless.row_correlation(a, b), atol=1e-9)


def test_input_is_not_changed(items):
    before = items.copy()
    careless.person_total(items, sums=items.sum(), counts=items.count())
    careless.paired_consistency(items, pairs=[("A2", "A1"), ("B2", "B1"), ("C2", "C1")])
    pd.testing.assert_frame_equal(items, before)


def test_impossible_requests_say_what_is_possible(items):
    with pytest.raises(DataContractError, match="has 2 with two items or more; at least 3"):
        careless.even_odd_consistency(items, constructs={c: BLOCKS[c] for c in "AB"})
    with pytest.raises(DataContractError, match="max_lag= 22 with 24 items; 1 to 21"):
        careless.largest_autocorrelation(items, max_lag=22)
