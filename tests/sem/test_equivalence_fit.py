"""T-size RMSEA and CFI: noncentralities against R, cut-offs against their definition, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest

from helpers.errors import EstimationError, Unavailable
from helpers.sem import equivalence_test, fit
from helpers.sem.equivalence import (
    cfi_cutoffs,
    noncentrality,
    rmsea_cutoffs,
    t_size_cfi,
    t_size_rmsea,
)

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "power.json").read_text("utf-8"))
R_ROOT = 1e-5
"""R's uniroot stops at 1e-10 of noncentralities near 400; pchisq itself is good to 1e-12."""
HS = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


def test_noncentralities_of_the_worked_example():
    t = REFERENCE["t_size"]
    assert abs(noncentrality(t["chisq"], t["df"], 0.05) - t["delta"]) < R_ROOT
    by_hand = np.sqrt(t["delta"] / (t["df"] * (t["n"] - 1)))
    assert abs(t_size_rmsea(t["chisq"], t["df"], t["n"]) - by_hand) < 1e-8
    cfi = 1 - t["delta_half"] / t["delta_baseline"]
    assert abs(t_size_cfi(t["chisq"], t["df"], t["baseline"], 36) - cfi) < 1e-7


@pytest.mark.parametrize("df, n", [(23, 145), (50, 300), (100, 1000), (24, 301)])
def test_rmsea_cutoffs_are_t_sizes_of_the_usual_cutoffs(df, n):
    # The regression formulas stand for the T-size of a chi-square whose RMSEA is the cut-off
    # (R squared of .9955 and more), which checks every coefficient.
    for cut, formula in zip((0.01, 0.05, 0.08, 0.10), rmsea_cutoffs(df, n)):
        assert abs(t_size_rmsea(df + (n - 1) * df * cut**2, df, n) - formula) < 0.003


@pytest.mark.parametrize("df, n, p, baseline", [(24, 301, 9, 918.9), (50, 400, 12, 1500.0)])
def test_cfi_cutoffs_are_near_t_sizes_of_the_usual_cutoffs(df, n, p, baseline):
    # These leave out the baseline's noncentrality, so they hold on average only (R squared .97).
    base_df = p * (p - 1) // 2
    for cut, formula in zip((0.99, 0.95, 0.92, 0.90), cfi_cutoffs(df, n, p)):
        chisq = df + (1 - cut) * (baseline - base_df)
        assert abs(t_size_cfi(chisq, df, baseline, base_df) - formula) < 0.02


def test_t_size_is_the_end_of_the_rmsea_interval(holzinger):
    # A 90 % interval has 5 % above it, so its upper end is the T-size at alpha .05.
    r = fit(HS, holzinger)
    found = equivalence_test(r).table.set_index("index")
    upper = r.fit_measures["rmsea_ci_upper"] * np.sqrt(301 / 300)
    assert abs(found.loc["RMSEA", "t_size"] - upper) < 1e-6
    assert found.loc["RMSEA", "verdict"] == "mediocre"
    assert found.loc["CFI", "t_size"] < r.fit_measures["cfi"]


def test_refusals(holzinger):
    assert isinstance(equivalence_test(fit("x1 ~ x2", holzinger)), Unavailable)
    assert "one group" in equivalence_test(fit(HS, holzinger, group="school")).why
    with pytest.raises(EstimationError, match="alpha= is 5"):
        equivalence_test(fit(HS, holzinger), alpha=5)
