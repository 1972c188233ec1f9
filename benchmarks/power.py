"""Time Monte Carlo power beside one call of ``fit`` a replicate, in one run on one machine.

    python benchmarks/power.py [--quick]

All data are SIMULATED with a fixed seed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: one thread on both sides

import argparse
import statistics
import sys
import time

import numpy as np
import pandas as pd
from inference import MODEL
from sem import mission_data

from helpers.sem import fit, power
from helpers.sem.power_replicates import draw_moments, make_plan
from helpers.sem.simulate_population import build_population, parsed

SEED = 20250401
SIZES = (200, 300, 400, 500, 600, 700, 800, 1000)


def single_fit(population: object, count: int) -> float:
    """Seconds of one call of ``fit`` on drawn covariances, median."""
    truth = build_population(population)
    plan = make_plan(truth, parsed(MODEL), [600])
    cov = draw_moments(plan, [600], count, np.random.default_rng(SEED))[0].cov
    names, spent = list(plan.result.observed), []
    for k in range(count):
        frame = pd.DataFrame(cov[k], names, names)
        started = time.perf_counter()
        found = fit(MODEL, sample_cov=frame, n_obs=600)
        _errors = found.standard_errors
        spent.append(time.perf_counter() - started)
    return statistics.median(spent)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    quick = parser.parse_args().quick
    n_sets, rounds = (200, 1) if quick else (1000, 3)
    population = fit(MODEL, mission_data(600)["continuous"])
    alone = 1000 * single_fit(population, 10 if quick else 40)
    print(f"one call of fit on a covariance matrix, with errors: {alone:.2f} ms")
    for hypothesis in ("b1", "serial"):
        for workers in (1, 2):
            spent = []
            for _ in range(rounds):
                started = time.perf_counter()
                power(
                    population, hypothesis, SIZES, method="montecarlo", seed=SEED,
                    n_sets=n_sets, workers=workers,
                )  # fmt: skip
                spent.append(time.perf_counter() - started)
            total = statistics.median(spent)
            each = 1000 * total / (n_sets * len(SIZES))
            print(
                f"power of {hypothesis:7} {n_sets} samples x {len(SIZES)} sizes, {workers} "
                f"process(es): {total:6.2f} s, {each:.2f} ms a sample, {alone / each:5.1f} x fit",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
