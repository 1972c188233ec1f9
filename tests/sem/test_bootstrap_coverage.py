"""Recovery: intervals contain planted values as often as they promise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.sem import bootstrap, fit
from helpers.sem.bootstrap_intervals import intervals

MODEL = "m ~ a*x\ny ~ b*m + c*x\nind := a*b"
TRUTH = {"a": 0.4, "b": 0.35, "c": 0.2, "ind": 0.14}
STUDIES, ROWS, DRAWS = 600, 150, 799
PROMISED = 0.95
CHANCE = 3 * np.sqrt(0.95 * 0.05 / STUDIES)  # three standard errors of a coverage: 2.7 %
KINDS = ("percentile", "bc", "bca", "normal")


def study(seed: int) -> pd.DataFrame:
    """One mediation study with skewed disturbances."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=ROWS)
    m = TRUTH["a"] * x + rng.gamma(4.0, 0.5, ROWS) - 2.0
    y = TRUTH["b"] * m + TRUTH["c"] * x + rng.gamma(4.0, 0.5, ROWS) - 2.0
    return pd.DataFrame({"x": x, "m": m, "y": y})


@pytest.mark.slow
def test_coverage_of_every_kind():
    hits = {(kind, name): 0 for kind in KINDS for name in TRUTH}
    for seed in range(STUDIES):
        result = fit(MODEL, study(seed))
        b = bootstrap(result, n_boot=DRAWS, seed=seed, ci="bca")
        labels = list(result.estimates["label"])
        at = [labels.index(name) for name in TRUTH]
        for kind in KINDS:
            found = b.raw
            if kind != "bca":
                found = intervals(b.draws.values, result.values, kind, PROMISED)
            for k, (name, value) in zip(at, TRUTH.items()):
                hits[kind, name] += int(found.low[k] <= value <= found.high[k])
    share = {key: n / STUDIES for key, n in hits.items()}
    wrong = {key: c for key, c in share.items() if abs(c - PROMISED) > CHANCE}
    assert not wrong, share
