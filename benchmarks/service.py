"""Time the main computation of each managerial notebook at 1,000 and at 100,000 customers.

    python benchmarks/service.py [--quick] [--only 72,81]

Data are SIMULATED with a fixed seed and handed over as plain tables, so that what is timed is the
analysis, not the reading of a study. Bootstraps take 5,000 draws, as the notebooks do. Each line is
one process on one thread; the notebooks' promise is 30 seconds at 1,000. The ratio says how the
cost grows with a hundredfold of customers; --quick stops at 10,000.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: one thread

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from helpers.regression.relative import raw_relative_weights
from helpers.resampling import resampled_counts
from helpers.sem import fit
from helpers.sem.montecarlo import parameter_draws
from helpers.service.budget import default_budgets, frontier
from helpers.service.coding import krippendorff_alpha
from helpers.service.importance_map import driver_map
from helpers.service.kano import kano_classes
from helpers.service.lifecycle import change_ratio
from helpers.service.pilot import arm_effect
from helpers.service.pilot_design import cuped
from helpers.service.priorities import priority_list, weighted_correlations
from helpers.service.process import part_importance
from helpers.service.profile_choice import bootstrap_ratio
from helpers.service.profile_draws import resample_profiles
from helpers.service.profiles import latent_profiles
from helpers.service.quality_gaps import gap_index
from helpers.service.risk_model import out_of_sample
from helpers.service.scenario_study import slopes_of
from helpers.service.scenarios import Levers
from helpers.service.uplift import compare_treatments
from helpers.service.wording import keyness

SEED = 20260701
DRAWS = 5000
SMALL, LARGE, QUICK = 1_000, 100_000, 10_000
CODES = list("abcde")
Task = Callable[[], object]


def ratings(n: int, k: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return scale means of 1 to 7 in thirds that share one factor, and an outcome ``y``."""
    shared = rng.normal(size=n)
    scores = 4 + 0.9 * shared[:, None] + rng.normal(size=(n, k))
    data = pd.DataFrame(np.clip(np.round(3 * scores) / 3, 1, 7), columns=CODES[:k])
    data["y"] = np.clip(np.round(3 * (4 + shared + 0.5 * rng.normal(size=n))) / 3, 1, 7)
    return data


def process(n: int, rng: np.random.Generator) -> Task:
    """70: relative weights of five elements with bootstrap ranks."""
    data = ratings(n, 5, rng)
    return lambda: part_importance(data, "y", CODES, n_boot=DRAWS)


def gaps(n: int, rng: np.random.Generator) -> Task:
    """71: weighted index of five gaps."""
    perceived, expected = ratings(n, 5, rng), ratings(n, 5, rng)
    gap = perceived[CODES] - expected[CODES]
    return lambda: gap_index(gap, perceived[CODES], perceived["y"], n_boot=DRAWS)


def kano(n: int, rng: np.random.Generator) -> Task:
    """72: classes of ten pairs and their firmness."""
    names = [f"{side}{k}" for side in "fd" for k in range(10)]
    data = pd.DataFrame(rng.integers(1, 6, size=(n, 20)).astype(float), columns=names)
    pairs = [(f"A{k}", f"f{k}", f"d{k}") for k in range(10)]
    return lambda: kano_classes(data, pairs, n_boot=DRAWS)


def profiles(n: int, rng: np.random.Generator) -> Task:
    """73: three latent profiles of five scores."""
    data = ratings(n, 5, rng)[CODES] + 2.0 * rng.integers(0, 3, size=(n, 1))
    return lambda: latent_profiles(data, 3)


def ratio_test(n: int, rng: np.random.Generator) -> Task:
    """73: is a third profile needed? Samples are drawn without it, 99 as in the notebook."""
    data = ratings(n, 5, rng)[CODES] + 2.0 * rng.integers(0, 3, size=(n, 1))
    smaller, larger = latent_profiles(data, 2), latent_profiles(data, 3)
    return lambda: bootstrap_ratio(data, smaller, larger, n_boot=99)


def profile_draws(n: int, rng: np.random.Generator) -> Task:
    """73: intervals of three profiles."""
    data = ratings(n, 5, rng)[CODES] + 2.0 * rng.integers(0, 3, size=(n, 1))
    found = latent_profiles(data, 3)
    return lambda: resample_profiles(data, found, n_boot=DRAWS)


def uplift(n: int, rng: np.random.Generator) -> Task:
    """73: which recovery for which segment, doubly robust."""
    data = ratings(n, 5, rng)
    data["measure"] = rng.integers(1, 4, size=n).astype(float)
    data["group"] = rng.integers(1, 4, size=n).astype(float)
    return lambda: compare_treatments(
        data, outcome="y", treatment="measure", group="group", covariates=CODES
    )


def drivers(n: int, rng: np.random.Generator) -> Task:
    """74: map of five drivers."""
    data = ratings(n, 5, rng)
    ranges = dict.fromkeys([*CODES, "y"], (1.0, 7.0))
    return lambda: driver_map(data, "y", CODES, ranges=ranges, n_boot=DRAWS)


def coders(n: int, rng: np.random.Generator) -> Task:
    """75: Krippendorff's alpha of two coders."""
    first = rng.integers(1, 6, size=n)
    second = np.where(rng.random(n) < 0.8, first, rng.integers(1, 6, size=n))
    codes = pd.DataFrame({"one": first, "two": second}).astype(float)
    return lambda: krippendorff_alpha(codes, n_boot=DRAWS)


def words(n: int, rng: np.random.Generator) -> Task:
    """75: key words of complaints of twenty words each."""
    vocabulary = np.array([f"word{k}" for k in range(500)])
    documents = [list(row) for row in vocabulary[rng.zipf(1.5, size=(n, 20)) % 500]]
    target = list(rng.random(n) < 0.3)
    return lambda: keyness(documents, target)


def purchases(n: int, rng: np.random.Generator) -> Task:
    """76: purchases after over before, weighted."""
    rate = rng.gamma(2.0, 2.0, size=n)
    before, after = rng.poisson(rate).astype(float), rng.poisson(1.2 * rate).astype(float)
    weights = rng.uniform(0.5, 2.0, size=n)
    return lambda: change_ratio(before, after, weights=weights)


def trial(n: int, rng: np.random.Generator) -> Task:
    """77: effects of four kinds, and CUPED."""
    arm, before = rng.integers(0, 2, size=n).astype(float), rng.gamma(2.0, 50.0, size=n)
    amount = before + 10 * arm + rng.normal(0, 40, size=n)
    count, share = rng.poisson(2.0, size=n).astype(float), (rng.random(n) < 0.4).astype(float)
    rating = rng.integers(1, 6, size=n).astype(float)
    outcomes = {"amount": amount, "share": share, "rating": rating, "count": count}

    def run() -> object:
        found = [arm_effect(values, arm, kind=kind) for kind, values in outcomes.items()]
        return found, cuped(amount, arm, before)

    return run


def risk(n: int, rng: np.random.Generator) -> Task:
    """78: penalised logit, penalty chosen anew in 25 held-out parts."""
    columns = rng.normal(size=(n, 20))
    outcome = (rng.random(n) < 1 / (1 + np.exp(2 - columns[:, 0]))).astype(float)
    return lambda: out_of_sample(columns, outcome)


def priorities(n: int, rng: np.random.Generator) -> Task:
    """80: two methods in the same resamples, and their list."""
    values = ratings(n, 5, rng).to_numpy()
    whole = np.ones((1, n))

    def methods(counts: np.ndarray) -> np.ndarray:
        weights = raw_relative_weights(weighted_correlations(counts, values))
        room = 7 - counts @ values[:, :-1] / n
        return np.stack([weights, weights * room], axis=1)

    def run() -> object:
        draws = [methods(counts) for counts in resampled_counts(n, DRAWS, rng)]
        return priority_list(CODES, methods(whole)[0], np.concatenate(draws))

    return run


def scenarios(n: int, rng: np.random.Generator) -> Task:
    """81: a model of eighteen items, draws of its total effects, frontier of 25 budgets."""
    latent = rng.normal(size=(n, 3)) + 0.6 * rng.normal(size=(n, 1))
    quality = latent @ [0.5, 0.3, 0.1] + 0.6 * rng.normal(size=n)
    middle = 0.6 * quality + 0.7 * rng.normal(size=n)
    loyal = 0.3 * quality + 0.5 * middle + 0.7 * rng.normal(size=n)
    factors = dict(zip(("A", "B", "C", "R", "S", "L"), (*latent.T, quality, middle, loyal)))
    items = {
        f"{name}{k}": np.clip(np.round(4 + factor + 0.6 * rng.normal(size=n)), 1, 7)
        for name, factor in factors.items()
        for k in range(3)
    }
    data = pd.DataFrame(items)
    text = "\n".join(f"{name} =~ {name}0 + {name}1 + {name}2" for name in factors)
    text += "\nR ~ A + B + C\nS ~ R\nL ~ R + S"
    scores = np.column_stack([data[[f"{c}{k}" for k in range(3)]].mean(axis=1) for c in "ABC"])
    levers = Levers(tuple("ABC"), scores, np.full(3, 7.0), np.array([4.0, 9.0, 2.0]), np.ones(3))

    def run() -> object:
        result = fit(text, data, estimator="MLR")
        slopes = slopes_of(result, list("ABC"), "L", parameter_draws(result, DRAWS, rng))
        return frontier(levers, slopes, default_budgets(levers), value=60.0, seed=1)

    return run


TASKS = {
    "70 process": process, "71 gaps": gaps, "72 kano": kano, "73 profiles": profiles,
    "73 ratio test": ratio_test, "73 draws": profile_draws, "73 uplift": uplift,
    "74 drivers": drivers, "75 coders": coders, "75 words": words,
    "76 purchases": purchases, "77 trial": trial, "78 risk": risk, "80 priorities": priorities,
    "81 scenarios": scenarios,
}  # fmt: skip


def seconds(make: Callable[[int, np.random.Generator], Task], n: int) -> float:
    """Return how long a task takes; its data are made before the clock starts."""
    run = make(n, np.random.default_rng(SEED))
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="stop at 10,000 customers")
    parser.add_argument("--only", default="", metavar="72,81", help="these notebooks")
    given = parser.parse_args()
    large = QUICK if given.quick else LARGE
    only = tuple(filter(None, given.only.split(",")))
    print(f"seconds, {DRAWS:,} draws where there is a bootstrap; one thread")
    print(f"{'notebook':16}{SMALL:>12,}{large:>12,}{'ratio':>10}")
    for name, make in TASKS.items():
        if only and not name.startswith(only):
            continue
        few, many = seconds(make, SMALL), seconds(make, large)
        print(f"{name:16}{few:12.2f}{many:12.2f}{many / few:10.1f}", flush=True)


if __name__ == "__main__":
    main()
