"""Latent profiles: how many kinds of respondents there are, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import DataContractError, EstimationError, check_level, listing
from helpers.memo import remembered
from helpers.results import Number
from helpers.service.mixture import (
    Mixtures,
    Spread,
    check_spread,
    draw_samples,
    fit_mixtures,
    free_parameters,
    responsibilities,
    spreadless,
)
from helpers.thresholds import LEVEL, THRESHOLDS

Array = NDArray[np.float64]
SAME = 1e-6
"""Relative difference of log likelihoods below which two starts reached the same solution."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """A mixture of k profiles, the largest first.

    Attributes
    ----------
    names : tuple of str
        Indicators.
    k : int
    spread : str
        As in ``helpers.service.mixture``.
    shares : ndarray, shape (k,)
    means : ndarray, shape (k, p)
        In the metric of the indicators.
    standard : ndarray, shape (k, p)
        Means in standard deviations of the whole sample, from its mean.
    posterior : ndarray, shape (n, k)
    rows : ndarray of int, shape (n,)
        Positions of the complete rows in the data.
    loglik, aic, bic, sabic : float
        BIC is ``-2 loglik + q log n``; sabic has ``(n + 2) / 24`` in place of n.
    entropy : float
        ``1 + sum(p log p) / (n log k)``: 1 where everybody's profile is certain.
    n_parameters, n_used, n_dropped : int
    again : int
        How many of the starts that were carried to the end reached this solution.
    n_ends : int
        Starts carried to the end.
    converged : bool
    collapsed : tuple of str
        Indicators that have no spread left within a profile: everybody in it gave one answer, or
        the answers follow exactly from the others. The likelihood of such a solution has no bound,
        so that its BIC says nothing; it is given only where no start led to another.
    fitted : Mixtures
        Parameters on standardised indicators.
    """

    names: tuple[str, ...]
    k: int
    spread: Spread
    shares: Array
    means: Array
    standard: Array
    posterior: Array
    rows: NDArray[np.intp]
    loglik: float
    aic: float
    bic: float
    sabic: float
    entropy: float
    n_parameters: int
    n_used: int
    n_dropped: int
    again: int
    n_ends: int
    converged: bool
    collapsed: tuple[str, ...]
    fitted: Mixtures

    @property
    def assigned(self) -> NDArray[np.intp]:
        """Return the most likely profile of everybody, from 0."""
        return self.posterior.argmax(axis=1)

    def numbers(self) -> list[Number]:
        """Return the shares of the profiles."""
        return [
            Number(f"profile_{j + 1}_share", float(share), "mixing proportion",
                   n_used=self.n_used, method="maximum likelihood (EM)")
            for j, share in enumerate(self.shares)
        ]  # fmt: skip


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
def latent_profiles(
    data: pd.DataFrame,
    k: int,
    *,
    spread: Spread = "equal",
    starts: int = 60,
    seed: int = 20261121,
) -> Profiles:
    """Fit a mixture of k profiles by maximum likelihood.

    Parameters
    ----------
    data : DataFrame, shape (n, p)
        Numeric indicators. Incomplete rows are left out and counted.
    k : int
    spread : {"equal", "free", "tied"}
    starts : int
        Random starts; a fifth of them, ten at least, is carried to the end.
    seed : int

    Raises
    ------
    DataContractError
        More profiles than people, a constant or infinite indicator, an unknown spread.
    EstimationError
        No start gave a likelihood.

    Notes
    -----
    Profiles come in the order of their size, so that their numbers do not hang on the start.
    Checked against R mclust (EEI, VVI, EEE; tests/reference/segments.R), which passes over
    solutions without spread as well, and scikit-learn.

    References
    ----------
    Celeux & Soromenho (1996), doi:10.1007/BF01246098 (entropy).
    Sclove (1987), doi:10.1007/BF02294360 (sabic).
    """
    check_spread(spread, "latent_profiles")
    values, rows = _complete(data, k)
    centre, scale = values.mean(axis=0), values.std(axis=0)
    x = ((values - centre) / scale)[None]
    kept = max(10, starts // 5) if k > 1 else 1
    rng = np.random.default_rng([seed, k])
    found = fit_mixtures(x, k, spread, starts=max(starts, kept), kept=kept, rng=rng)
    if not np.isfinite(found.loglik[0]):
        raise EstimationError(
            f"latent_profiles: k= {k} profiles could not be estimated from any start; take fewer "
            "profiles or spread='equal'."
        )
    best = found.take(np.array([0]))
    best = best_order(best, spread)
    turned, loglik = responsibilities(x, best, spread)
    posterior = turned[0].T
    n, p = values.shape
    value = float(loglik[0]) - n * float(np.log(scale).sum())
    q = free_parameters(k, p, spread)
    return Profiles(
        names=tuple(data.columns), k=k, spread=spread, shares=best.shares[0],
        means=best.means[0] * scale + centre, standard=best.means[0], posterior=posterior,
        rows=rows, loglik=value, aic=-2 * value + 2 * q, bic=-2 * value + q * np.log(n),
        sabic=-2 * value + q * np.log((n + 2) / 24), entropy=entropy(posterior),
        n_parameters=q, n_used=n, n_dropped=len(data) - n,
        again=int((np.abs(found.loglik - found.loglik[0]) < SAME * abs(found.loglik[0])).sum()),
        n_ends=kept, converged=bool(best.converged[0]),
        collapsed=tuple(data.columns[spreadless(best, spread, x.var(axis=1))[0]]), fitted=best,
    )  # fmt: skip


def best_order(at: Mixtures, spread: Spread) -> Mixtures:
    """Return one mixture with its profiles in the order of their size."""
    order = np.argsort(-at.shares[0], kind="stable")
    cov = at.spread if spread == "tied" else at.spread[:, order]
    return Mixtures(at.shares[:, order], at.means[:, order], cov, at.loglik, at.converged)


def entropy(posterior: Array) -> float:
    """Return relative entropy: 1 where every profile is certain, 0 where all are equally likely."""
    n, k = posterior.shape
    if k == 1:
        return 1.0
    logs = np.log(np.where(posterior > 0, posterior, 1.0))
    return 1 + float((posterior * logs).sum()) / (n * np.log(k))


def _complete(data: pd.DataFrame, k: int) -> tuple[Array, NDArray[np.intp]]:
    """Return complete rows and their positions, or say why there can be no profiles."""
    whole = data.astype(float).to_numpy()
    endless = [c for c, strange in zip(data.columns, np.isinf(whole).any(axis=0)) if strange]
    if endless:
        raise DataContractError(
            f"latent_profiles: data= holds infinite values in {listing(endless)}; numbers or "
            "blanks are needed. Correct them."
        )
    rows = np.flatnonzero(~np.isnan(whole).any(axis=1))
    values = whole[rows]
    need = free_parameters(max(k, 1), whole.shape[1], "equal")
    if k < 1 or k > len(values):
        raise DataContractError(
            f"latent_profiles: k= is {k}, and {len(values)} people answered everything; there "
            "must be at least one profile and no more profiles than people. Take fewer profiles."
        )
    if len(values) <= need and k > 1:
        raise DataContractError(
            f"latent_profiles: data= has {len(values)} complete rows for {need} parameters; more "
            "people than parameters are needed. Take fewer profiles or indicators."
        )
    constant = [c for c, s in zip(data.columns, values.std(axis=0)) if not s > 0]
    if constant:
        raise DataContractError(
            f"latent_profiles: data= has constant indicators {listing(constant)}; profiles differ "
            "in what varies. Leave them out."
        )
    return values, rows


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
    ``p = (1 + count(LR* >= LR)) / (B + 1)`` (McLachlan 1987, doi:10.2307/2347790). A sample whose
    larger mixture is not climbed to its top has too small a ratio, and p comes out too small; with
    four random starts it does, with twenty p is uniform where no further profile exists.

    Returns
    -------
    (float, float)
        Likelihood ratio ``2 (loglik_k - loglik_{k-1})`` and p.

    Notes
    -----
    Checked against R ``mclustBootstrapLRT``: ratio to 1e-3, p within its Monte Carlo error; and in
    samples without the further profile, of which 5 % have p up to .05.
    """
    rng = np.random.default_rng([seed, larger.k])
    samples = draw_samples(smaller.fitted, smaller.spread, smaller.n_used, samples=n_boot, rng=rng)
    best = []
    for k in (smaller.k, larger.k):
        ends = 1 if k == 1 else 2
        own = starts if k > 1 else 1
        found = fit_mixtures(samples, k, smaller.spread, starts=max(own, ends), kept=ends,
                             rng=rng, tolerance=1e-6, steps=500)  # fmt: skip
        best.append(found.loglik[::ends])
    ratio = 2 * (larger.loglik - smaller.loglik)
    drawn = 2 * (best[1] - best[0])
    return float(ratio), float((1 + (drawn >= ratio).sum()) / (n_boot + 1))


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
