"""How many latent profiles there are: solutions side by side, and tests of further profiles."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import DataContractError, check_level
from helpers.memo import remembered
from helpers.service.mixture import Spread, draw_samples, fit_mixtures, free_parameters
from helpers.service.profiles import Profiles, latent_profiles
from helpers.thresholds import LEVEL, THRESHOLDS

Array = NDArray[np.float64]
ENOUGH_LARGER = 10
"""Samples with a ratio as large as the one tested after which a bootstrap test ends."""
_TOGETHER = 10
"""Samples of a bootstrap test that are drawn and fitted together."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Solutions with one profile and more, and the one to go on with.

    Attributes
    ----------
    solutions : dict
        k -> ``Profiles``.
    table : DataFrame
        k, loglik, n_parameters, aic, bic, sabic, entropy, smallest (share), again, n_ends,
        collapsed (True where an indicator has no spread left in a profile), lr and blrt_p (k
        against k - 1; NaN where not tested).
    chosen : int
    rising : bool
        True where BIC is smallest at the largest number tried, of the solutions that are not
        collapsed and have no profile below the share that ``thresholds`` asks for.
    most : int
        The largest number asked for; where people are too few for it, fewer were tried.
    n_boot, seed : int
    """

    solutions: dict[int, Profiles]
    table: pd.DataFrame
    chosen: int
    rising: bool
    most: int
    n_boot: int
    seed: int

    @property
    def best(self) -> Profiles:
        """Return the solution chosen."""
        return self.solutions[self.chosen]


@remembered
def bootstrap_ratio(
    data: pd.DataFrame,
    smaller: Profiles,
    larger: Profiles,
    *,
    n_boot: int = 99,
    starts: int = 20,
    seed: int = 20261121,
) -> tuple[float, float]:
    """Test k against k - 1 profiles by the bootstrap of the likelihood ratio.

    Samples are drawn from the smaller solution, both are fitted to each, and
    ``p = (1 + count(LR* >= LR)) / (B + 1)`` (McLachlan 1987, doi:10.2307/2347790). Drawing ends
    when ``ENOUGH_LARGER`` of the samples reach the ratio; after L samples p is then
    ``ENOUGH_LARGER / L``, which is as exact (Besag & Clifford 1991, doi:10.1093/biomet/78.2.301).
    A sample whose larger mixture is not climbed to its top has too small a ratio, and p comes out
    too small; with four random starts it does, with twenty p is uniform where no further profile
    exists.

    Returns
    -------
    (float, float)
        Likelihood ratio ``2 (loglik_k - loglik_{k-1})`` and p.

    Notes
    -----
    Checked against R ``mclustBootstrapLRT``: ratio to 1e-3, p within its Monte Carlo error; and in
    samples without the further profile, of which 5 % have p up to .05.
    """
    ratio = 2 * (larger.loglik - smaller.loglik)
    sizes = [min(_TOGETHER, n_boot - start) for start in range(0, n_boot, _TOGETHER)]
    threads = min(4, os.cpu_count() or 1)
    reached = np.zeros(0, dtype=bool)
    with ThreadPoolExecutor(threads) as pool:
        for first in range(0, len(sizes), threads):
            wave = list(enumerate(sizes))[first : first + threads]
            drawn = list(pool.map(partial(_drawn_ratios, smaller, larger.k, starts, seed), wave))
            reached = np.append(reached, np.concatenate(drawn) >= ratio)
            if reached.sum() >= ENOUGH_LARGER:
                samples = int(np.flatnonzero(reached)[ENOUGH_LARGER - 1]) + 1
                return float(ratio), ENOUGH_LARGER / samples
    return float(ratio), float((1 + reached.sum()) / (n_boot + 1))


def _drawn_ratios(
    smaller: Profiles, larger: int, starts: int, seed: int, block: tuple[int, int]
) -> Array:
    """Return the ratios of a block of samples without the further profile.

    A block draws from its own seed, so that the number of threads changes no number.
    """
    number, size = block
    rng = np.random.default_rng([seed, larger, number])
    samples = draw_samples(smaller.fitted, smaller.spread, smaller.n_used, samples=size, rng=rng)
    best = []
    for k in (smaller.k, larger):
        ends = 1 if k == 1 else 2
        own = starts if k > 1 else 1
        found = fit_mixtures(samples, k, smaller.spread, starts=max(own, ends), kept=ends,
                             rng=rng, tolerance=1e-6, steps=500)  # fmt: skip
        best.append(found.loglik[::ends])
    return 2 * (best[1] - best[0])


@remembered
def choose_profiles(
    data: pd.DataFrame,
    *,
    most: int = 6,
    spread: Spread = "equal",
    n_boot: int = 99,
    starts: int = 60,
    seed: int = 20261121,
    level: float = LEVEL,
) -> Choice:
    """Fit one to ``most`` profiles and choose how many to go on with.

    Chosen is the smallest BIC among the solutions in which every indicator has spread left, whose
    smallest profile holds the share that ``thresholds`` asks for and whose bootstrap ratio test,
    against one profile fewer, says that the further profile is needed. Tests stop at the first
    number that is not needed or has no spread left; with ``n_boot`` 0 nothing is tested. Numbers of
    profiles with as many parameters as people are not tried.

    Raises
    ------
    DataContractError
        ``most`` below one; else as ``latent_profiles``.

    References
    ----------
    Nylund, Asparouhov & Muthen (2007), doi:10.1080/10705510701575396.
    """
    check_level(level, "choose_profiles")
    if most < 1:
        raise DataContractError(
            f"choose_profiles: most= is {most}; at least one profile is needed. Choose 5."
        )
    people = int(data.notna().all(axis=1).sum())
    tried = [k for k in range(2, most + 1) if free_parameters(k, data.shape[1], "equal") < people]
    solutions = {
        k: latent_profiles(data, k, spread=spread, starts=starts, seed=seed) for k in (1, *tried)
    }
    tests = _ratio_tests(data, solutions, n_boot=n_boot, seed=seed, level=level)
    table = pd.DataFrame([_row(s, tests.get(k)) for k, s in solutions.items()])
    sound = table["smallest"].map(THRESHOLDS["profile_share"].holds) & ~table["collapsed"]
    fit = sound & ~(table["blrt_p"] > 1 - level)
    if n_boot:
        fit &= table["k"] <= max(tests, default=1)
    fit |= table["k"] == 1
    chosen = int(table.loc[table["bic"].where(fit).idxmin(), "k"])
    lowest = int(table.loc[table["bic"].where(sound | (table["k"] == 1)).idxmin(), "k"])
    rising = len(solutions) > 1 and lowest == max(solutions)
    return Choice(solutions, table, chosen, rising, most, n_boot, seed)


def _ratio_tests(
    data: pd.DataFrame, solutions: dict[int, Profiles], *, n_boot: int, seed: int, level: float
) -> dict[int, tuple[float, float]]:
    """Return ratio and p of every number of profiles up to the first that is not needed."""
    tests: dict[int, tuple[float, float]] = {}
    for k in sorted(solutions)[1:]:
        if not n_boot or solutions[k].collapsed or solutions[k - 1].collapsed:
            break
        tests[k] = bootstrap_ratio(data, solutions[k - 1], solutions[k], n_boot=n_boot, seed=seed)
        if tests[k][1] > 1 - level:
            break
    return tests


def _row(found: Profiles, test: tuple[float, float] | None) -> dict[str, float | int]:
    """Return one solution as a row of the table of choices."""
    ratio, p = (np.nan, np.nan) if test is None else test
    return {
        "k": found.k, "loglik": found.loglik, "n_parameters": found.n_parameters,
        "aic": found.aic, "bic": found.bic, "sabic": found.sabic, "entropy": found.entropy,
        "smallest": float(found.shares.min()), "again": found.again, "n_ends": found.n_ends,
        "collapsed": bool(found.collapsed), "lr": ratio, "blrt_p": p,
    }  # fmt: skip
