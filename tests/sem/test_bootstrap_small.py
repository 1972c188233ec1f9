"""Property: small samples, whose resamples lie far from them, are solved together too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.sem import bootstrap, fit
from helpers.sem.bootstrap_batch import run_draws
from helpers.sem.bootstrap_job import Wish, build_job
from helpers.sem.bootstrap_refit import Refit, refit_rows

N, FACTORS, ITEMS = 70, 5, 4
CHAIN = "\n".join(
    [f"f{k} =~ " + " + ".join(f"y{k}_{j}" for j in range(ITEMS)) for k in range(FACTORS)]
    + [f"f{k} ~ f{k - 1}" for k in range(1, FACTORS)]
)
SAME = 1e-4  # in standard errors: both searches stop below a tenth of it


@pytest.fixture(scope="module", params=["listwise", "fiml"])
def small(request):
    """A fit of 20 items in 70 rows."""
    rng = np.random.default_rng(12)
    columns, before = {}, rng.normal(size=N)
    for k in range(FACTORS):
        for j in range(ITEMS):
            columns[f"y{k}_{j}"] = before + rng.normal(size=N)
        before = 0.6 * before + 0.8 * rng.normal(size=N)
    data = pd.DataFrame(columns)
    if request.param == "fiml":
        data = data.mask(rng.random(data.shape) < 0.03)
    return fit(CHAIN, data, missing=request.param)


def test_few_replicates_need_the_guarded_search(small):
    drawn = bootstrap(small, n_boot=60, seed=3, ci="percentile", inadmissible="keep")
    assert drawn.n_retried <= 12, "six steps remembered of forty leave it 21 and 26"


def test_they_end_where_the_guarded_search_ends(small):
    wish = Wish(12, 3, "percentile", "nonparametric", None, None, None, None, "keep", 0.95)
    job = build_job(small, wish, 3)[0]
    tile, counts = run_draws(job, 0, 12), job.counts(0, 12)
    scale = np.asarray(small.standard_errors)[[k for k, r in enumerate(small.table.rows) if r.free]]
    compared = 0
    for b in np.flatnonzero(~tile.retried):
        if small.missing == "fiml":
            found = refit_rows(small, job.rows, counts[b])
            alone = None if isinstance(found, str) else found.theta
        else:
            samples = [s.take(np.array([b])) for s in job.samples(counts)]
            alone = Refit(small, samples).solve().x
        if alone is not None:
            assert np.abs(alone - tile.theta[b]).max() < SAME * scale.max()
            compared += 1
    assert compared >= 8
