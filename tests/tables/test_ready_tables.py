"""Contract and hand calculation: ready tables print what they are given, and count rightly."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.errors import ReportError, Unavailable
from helpers.i18n import in_language
from helpers.tables import (
    categories_table,
    comparison_table,
    correlation_table,
    descriptives_table,
    efa_table,
    hypotheses_table,
    recovery_table,
    regression_table,
    reliability_table,
)
from helpers.thresholds import THRESHOLDS

NAMES = ["SAT", "TRU", "LOY"]


def corr():
    values = np.array([[1, 0.5, -0.25], [0.5, 1, 0.0612345], [-0.25, 0.0612345, 1]])
    return pd.DataFrame(values, NAMES, NAMES)


def test_correlations_stand_below_a_diagonal_of_reliabilities():
    table = correlation_table(
        corr(),
        means=dict.fromkeys(NAMES, 4.0),
        sds=dict.fromkeys(NAMES, 1.5),
        reliabilities={"SAT": 0.88765, "TRU": 0.9},
        labels={"SAT": "Satisfaction"},
        n_used=1200,
    )
    assert table.cells == (
        ("1. Satisfaction", "4.00", "1.50", "(.89)", "", ""),
        ("2. TRU", "4.00", "1.50", ".50", "(.90)", ""),
        ("3. LOY", "4.00", "1.50", "−.25", ".06", "—"),
    )
    rows = list(csv.reader(io.StringIO(table.csv())))
    assert float(rows[1][3]) == 0.88765
    assert float(rows[3][4]) == 0.0612345


def test_the_least_correlation_that_differs_from_zero():
    """By scipy's t test, the r of the note is beyond the level and .01 less is not."""
    n = 60
    note = correlation_table(corr(), n_used=n).note
    least = float(note.split("|r| of ")[1].split(" ")[0])
    r = np.array([least - 0.01, least])
    p = 2 * stats.t.sf(r * np.sqrt((n - 2) / (1 - r**2)), n - 2)
    assert p[0] > 0.05 > p[1]


def test_correlations_need_matching_names():
    with pytest.raises(ReportError, match="the same names in the same order"):
        correlation_table(corr().loc[["TRU", "SAT", "LOY"]])


def test_reliability_prints_cutoffs_with_sources_and_reasons():
    lost = Unavailable("omega", "the model did not converge")
    data = pd.DataFrame(
        {"name": ["Trust", "Loyalty"], "n_items": [3, 4], "alpha": [0.91, 0.68],
         "alpha_low": [0.9, 0.6], "alpha_high": [0.92, 0.7], "omega": [0.9, lost]}
    )  # fmt: skip
    table = reliability_table(data)
    assert table.cells[0] == ("Trust", "3", ".91", "[.90, .92]", ".90")
    assert table.cells[1][-1] == "–ᵃ"
    assert THRESHOLDS["alpha"].source in table.note
    assert "AVE" not in table.note
    assert "did not converge" in table.note


def test_small_loadings_are_hidden_in_print_but_not_in_the_csv():
    data = pd.DataFrame({"item": ["S1"], "f1": [0.81], "f2": [0.123456], "communality": [0.67]})
    table = efa_table(data, hide_below=0.3, labels={"S1": "I am satisfied"})
    assert table.cells == (("I am satisfied", ".81", "", ".67"),)
    assert "0.123456" in table.csv()
    assert ".30 in size" in table.note


def test_recovery_counts_the_intervals_that_cover():
    data = pd.DataFrame(
        {"label": ["a", "b", "c"], "truth": [0.5, 0.2, 0.1], "estimate": [0.45, 0.4, 0.1],
         "ci_low": [0.4, 0.3, np.nan], "ci_high": [0.5, 0.5, np.nan]}
    )  # fmt: skip
    table = recovery_table(data)
    assert [cells[-1] for cells in table.cells] == ["yes", "no", "–"]
    assert table.note == "Intervals that cover the planted truth: 1 of 2."


def test_regression_steps():
    data = pd.DataFrame(
        {"step": [1, 2, 2], "term": ["AGE", "AGE", "REC"], "estimate": [0.01, 0.02, 0.5],
         "ci_low": [0.0, 0.0, 0.4], "ci_high": [0.02, 0.03, 0.6], "p_value": [0.06, 0.04, 1e-9]}
    )  # fmt: skip
    steps = pd.DataFrame({"step": [1, 2], "r2": [0.02, 0.31], "delta_r2": [np.nan, 0.29],
                          "p_value": [np.nan, 1e-9], "n": [1200, 1200]})  # fmt: skip
    table = regression_table(data, steps=steps, labels={"REC": "Recovery"})
    assert table.sections == ((0, "Step 1"), (1, "Step 2"))
    assert table.cells[2] == ("Recovery", "0.50", "[0.40, 0.60]", "< .001")
    assert table.note == (
        "Step 1: R² = .02, n = 1,200; Step 2: R² = .31, ΔR² = .29, p < .001, n = 1,200."
    )


def test_a_test_is_printed_once_per_outcome():
    data = pd.DataFrame(
        {"outcome": ["SAT", "SAT"], "group": ["a", "b"], "n": [10, 12], "mean": [3.1, 3.9],
         "statistic": [5.2, np.nan], "p_value": [0.03, np.nan]}
    )  # fmt: skip
    table = comparison_table(data)
    assert [cells[-2:] for cells in table.cells] == [("5.20", ".030"), ("", "")]


def test_shares_are_printed_as_percentages():
    data = pd.DataFrame(
        {"item": ["Q", "Q"], "category": ["x", "y"], "n": [1, 3], "share": [0.25, 0.75],
         "ci_low": [0.0455, 0.3006], "ci_high": [0.6994, 0.9544]}
    )  # fmt: skip
    table = categories_table(data)
    assert table.cells[0] == ("x", "1", "25.0%", "[4.5, 69.9]")
    assert "0.0455" in table.csv()


def test_items_and_hypotheses():
    items = pd.DataFrame(
        {"item": ["S1", "T1"], "construct": ["SAT", "TRU"], "mean": [4.2, 3.0], "sd": [1.0, 1.1]}
    )
    assert descriptives_table(items).sections == ((0, "SAT"), (1, "TRU"))
    found = pd.DataFrame(
        {"hypothesis": ["H1"], "expected_sign": ["+"], "estimate": [0.4], "finding": ["held up"]}
    )
    table = hypotheses_table(found)
    assert table.cells == (("H1", "+", "0.40", "held up"),)
    assert "'+" in table.csv()


def test_a_missing_column_is_named():
    with pytest.raises(ReportError, match="descriptives_table: data= .*'sd' is needed"):
        descriptives_table(pd.DataFrame({"item": ["a"], "mean": [1.0]}))


def test_captions_are_translated():
    with in_language("zh"):
        assert (
            hypotheses_table(pd.DataFrame({"hypothesis": ["H1"], "finding": ["支持"]})).caption
            == "研究假设与结论"
        )
