"""Cut-offs of fit indices simulated for one model and one N.

The familiar cut-offs were found for a few models; how far an index moves when a model is wrong
depends on loadings, number of items and N (McNeish & Wolf 2023, doi:10.1037/met0000425). Here
samples are drawn from populations close to the fitted model and the model is fitted to each:

- ``correct``: the fitted model itself. Its worst 5 % of values are what sampling alone does.
- ``minor``: the fitted model and one relation that it leaves out: a cross-loading where there are
  two constructs with items of their own, else a correlation of two residuals.
- ``moderate``: as many such relations as there are constructs less one, at least two.

Which relations, and of what size, stands in the result. This is the idea of the dynamic cut-offs
with levels of our own making, not the published ladder of misspecified models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import EstimationError, Unavailable
from helpers.i18n import _
from helpers.memo import remembered
from helpers.results import to_plain
from helpers.sem.bootstrap_kernels import BatchMoments
from helpers.sem.power_replicates import Plan, draw_moments, estimate, make_plan
from helpers.sem.result import SemResult
from helpers.sem.simulate_population import Population, build_population, parsed
from helpers.thresholds import LEVEL

Array = np.ndarray

INDICES = ("rmsea", "srmr", "cfi", "tli")
HIGH_IS_WORSE = {"rmsea": True, "srmr": True, "cfi": False, "tli": False}
LEVELS = ("correct", "minor", "moderate")
BLOCK = 100


@dataclass(frozen=True, slots=True)
class Misspecification:
    """The relation that the second population has and the model leaves out.

    Attributes
    ----------
    kind : {"cross-loading", "residual correlation"}
    first, second : str
        Construct and item, or two items.
    size : float
        Standardised.
    """

    kind: str
    first: str
    second: str
    size: float


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Simulated cut-offs for a model at an N.

    Attributes
    ----------
    table : DataFrame
        index, observed; cutoff: the value that ``level`` of samples from the model itself do not
        exceed (for CFI and TLI: do not fall below); within: whether the observed value is on its
        good side (None without a verdict); minor, moderate: the value that ``level`` of samples
        from these populations exceed (fall below); detects_minor, detects_moderate: share of
        them beyond the cut-off.
    omitted : dict
        Level -> tuple of ``Misspecification``; a level that the population cannot hold is absent.
    draws : DataFrame
        level and the indices of every replicate.
    n_obs, n_sets, n_failed, seed : int
    level : float
    """

    table: pd.DataFrame
    omitted: dict[str, tuple[Misspecification, ...]]
    draws: pd.DataFrame
    n_obs: int
    n_sets: int
    n_failed: int
    seed: int
    level: float

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-safe values, without the single draws."""
        found = {k: getattr(self, k) for k in self.__slots__ if k != "draws"}
        return to_plain(found)


@remembered
def fit_cutoffs(
    result: SemResult,
    *,
    seed: int,
    n_obs: int | None = None,
    n_sets: int = 500,
    size: float = 0.30,
    level: float = LEVEL,
) -> Cutoffs | Unavailable:
    """Simulate cut-offs of RMSEA, SRMR, CFI and TLI for a fitted model at its N.

    Parameters
    ----------
    result : SemResult
        One group, continuous items, converged and admissible. Samples are complete and normal,
        whatever the data were.
    seed : int
    n_obs : int, optional
        Default: the fit's own N.
    n_sets : int
        Samples per level.
    size : float
        Standardised size of the omitted relation.
    level : float
        Share of samples on the right side of a cut-off.

    Returns
    -------
    Cutoffs, or Unavailable
        For several groups, ordinal items, no degrees of freedom, an inadmissible fit.

    Raises
    ------
    EstimationError
        ``n_sets`` below 20, ``size`` not between 0 and 1, N not above the number of variables.

    Notes
    -----
    Checked: under ``correct`` the 95th percentile of RMSEA agrees with the chi-square
    distribution, single replicates agree with ``fit``.
    """
    n = int(result.n_obs if n_obs is None else n_obs)
    _check(result, n, n_sets, size, level)
    reason = _hindrance(result)
    if reason:
        return Unavailable(_("simulated cut-offs of fit"), reason)
    plan = make_plan(build_population(result), parsed(result.syntax), [n])
    omitted = {name: misspecify(plan, size, count) for name, count in _counts(result).items()}
    populations = {"correct": plan.population}
    populations |= {name: found[1] for name, found in omitted.items() if found is not None}
    draws, failed = [], 0
    for name, population in populations.items():
        frame, lost = _simulate(
            replace(plan, population=population), n, n_sets, seed, LEVELS.index(name)
        )
        draws.append(frame.assign(level=name))
        failed += lost
    every = pd.concat(draws, ignore_index=True)
    relations = {name: found[0] for name, found in omitted.items() if found is not None}
    table = _summary(result, every, level)
    return Cutoffs(table, relations, every, n, int(n_sets), failed, int(seed), level)


def _check(result: SemResult, n: int, n_sets: int, size: float, level: float) -> None:
    """Check the arguments."""
    p = len(result.observed)
    wrong = [
        ("n_obs", n, n <= p, f"more people than the {p} variables"),
        ("n_sets", n_sets, int(n_sets) != n_sets or n_sets < 20, "a whole number of at least 20"),
        ("size", size, not 0 < size < 1, "a number above 0 and below 1"),
        ("level", level, not 0.5 < level < 1, "a number above 0.5 and below 1"),
    ]
    for name, value, bad, need in wrong:
        if bad:
            raise EstimationError(
                f"fit_cutoffs: {name}= is {value}; {need} is needed. Correct {name}=."
            )


def _hindrance(result: SemResult) -> str:
    """Say why cut-offs cannot be simulated; empty if they can."""
    if result.n_groups > 1:
        return _("the model has several groups")
    if result.table.names.ordered:
        return _("the items are ordinal")
    if result.test.df < 1:
        return _("the model has no degrees of freedom")
    if not (result.converged and result.admissible):
        return _("the model did not converge or is not admissible")
    return ""


def _counts(result: SemResult) -> dict[str, int]:
    """Number of omitted relations of each level."""
    constructs = set(_owners(result).values())
    return {"minor": 1, "moderate": max(2, len(constructs) - 1)}


def misspecify(
    plan: Plan, size: float, count: int
) -> tuple[tuple[Misspecification, ...], Population] | None:
    """Add relations of a size to the population that the model leaves out; None if it cannot be.

    Items are tried from the largest residual variance down, each once, and each construct's items
    in turn. A cross-loading comes from the first other construct for which the item's residual can
    give way, so that variances stay as they are. A residual correlation joins two items of one
    construct.
    """
    result = plan.result
    model, state = result.model[0], result.states[0]
    _a, s, _m = model.matrices(result.theta)
    owners = _owners(result)
    constructs = [c for c in dict.fromkeys(owners.values()) if list(owners.values()).count(c) > 1]
    total, found = state.total.copy(), []
    if len(constructs) > 1:
        for item in _in_turn(owners, np.diag(s) / np.diag(state.total)):
            others = (c for c in constructs if c != owners[item])
            source = next((c for c in others if _load(total, item, c, size, s[item, item])), None)
            if source is not None:
                found.append(("cross-loading", source, item))
            if len(found) == count:
                break
    else:
        found = _correlate(total, s, owners, size, count)
    p = model.n_observed
    if len(found) < count or np.linalg.eigvalsh(total[:p, :p])[0] <= 0:
        return None
    names = model.names
    relations = tuple(Misspecification(kind, names[i], names[j], size) for kind, i, j in found)
    full = plan.population.cov[0].copy()
    full[np.ix_(plan.order, plan.order)] = total[:p, :p]
    return relations, replace(plan.population, cov=(full,))


def _in_turn(owners: dict[int, int], residual: Array) -> list[int]:
    """Order items: of every construct the one with the largest residual, then the second, ..."""
    ranks: dict[int, int] = {}
    place: dict[int, int] = {}
    for item in sorted(owners, key=lambda i: -residual[i]):
        place[item] = ranks[owners[item]] = ranks.get(owners[item], -1) + 1
    return sorted(owners, key=lambda i: (place[i], -residual[i]))


def _load(total: Array, item: int, construct: int, size: float, residual: float) -> bool:
    """Add a standardised cross-loading in place, the item's variance kept; False if it cannot be.

    The item becomes ``y + w c``; its residual shrinks by what the addition explains.
    """
    weight = size * np.sqrt(total[item, item] / total[construct, construct])
    added = 2.0 * weight * total[item, construct] + weight**2 * total[construct, construct]
    if added >= residual:
        return False
    variance = total[item, item]
    total[item, :] += weight * total[construct, :]
    total[:, item] = total[item, :]
    total[item, item] = variance
    return True


def _correlate(
    total: Array, s: Array, owners: dict[int, int], size: float, count: int
) -> list[tuple[str, int, int]]:
    """Add residual correlations in place, every item in one of them at most."""
    found: list[tuple[str, int, int]] = []
    free = set(owners)
    for i, j in ((i, j) for i in owners for j in owners if i < j and owners[i] == owners[j]):
        if len(found) < count and {i, j} <= free and s[i, j] == 0:
            total[i, j] += size * np.sqrt(s[i, i] * s[j, j])
            total[j, i] = total[i, j]
            free -= {i, j}
            found.append(("residual correlation", i, j))
    return found


def _owners(result: SemResult) -> dict[int, int]:
    """Item -> construct, for items that load on one construct only."""
    index = {name: k for k, name in enumerate(result.model[0].names)}
    found: dict[int, list[int]] = {}
    for row in result.table.rows:
        if row.op == "=~" and row.rhs in result.observed:
            found.setdefault(index[row.rhs], []).append(index[row.lhs])
    return {item: c[0] for item, c in found.items() if len(c) == 1}


def _simulate(plan: Plan, n: int, n_sets: int, seed: int, level: int) -> tuple[pd.DataFrame, int]:
    """Draw and fit all samples of one population."""
    frames, failed = [], 0
    for block, first in enumerate(range(0, n_sets, BLOCK)):
        size = min(BLOCK, n_sets - first)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(level, block)))
        samples = [s.take(np.arange(size)) for s in draw_moments(plan, [n], BLOCK, rng)]
        found = estimate(plan, samples)
        keep = found.converged & np.isfinite(found.chisq)
        failed += int((~keep).sum())
        frames.append(indices(plan, found.x, found.chisq, samples, n)[keep])
    return pd.concat(frames, ignore_index=True), failed


def indices(
    plan: Plan, x: Array, chisq: Array, samples: list[BatchMoments], n: int
) -> pd.DataFrame:
    """Fit indices of every replicate of one group, by the formulas of ``fitindices``."""
    cov, df, base = samples[0].cov, plan.result.test.df, plan.result.baseline.df
    deviation = np.sqrt(np.einsum("bii->bi", cov))
    null = n * _independence(cov, plan.result)
    lost = np.maximum(chisq - df, 0.0)
    most = np.maximum(null - base, lost)
    rows, columns = np.tril_indices(cov.shape[1])
    implied = np.stack([plan.result.model[0].state(v).sigma for v in x])
    gap = (cov - implied) / (deviation[:, :, None] * deviation[:, None, :])
    with np.errstate(all="ignore"):
        return pd.DataFrame(
            {
                "chisq": chisq,
                "rmsea": np.sqrt(lost / (n * df)),
                "srmr": np.sqrt((gap[:, rows, columns] ** 2).mean(axis=1)),
                "cfi": np.where(most > 0, 1.0 - lost / most, 1.0),
                "tli": 1.0 - (chisq - df) * base / ((null - base) * df),
            }
        )


def _independence(cov: Array, result: SemResult) -> Array:
    """Twice f of the baseline model, in which only observed covariates correlate, (b,)."""
    names = result.table.names
    given = [k for k, name in enumerate(names.observed) if name in names.covariate]
    alone = np.delete(np.arange(cov.shape[1]), given)
    out = np.log(np.einsum("bii->bi", cov)[:, alone]).sum(axis=1) - np.linalg.slogdet(cov)[1]
    if given:
        out += np.linalg.slogdet(cov[:, np.array(given)[:, None], given])[1]
    return out


def _summary(result: SemResult, draws: pd.DataFrame, level: float) -> pd.DataFrame:
    """Cut-offs of every index beside the fit's own value."""
    by_level = dict(list(draws.groupby("level", sort=False)))
    return pd.DataFrame([_row(name, result, by_level, level) for name in INDICES])


def _row(
    name: str, result: SemResult, by_level: dict[str, pd.DataFrame], level: float
) -> dict[str, Any]:
    """Cut-offs of one index."""
    high = HIGH_IS_WORSE[name]
    sign = 1.0 if high else -1.0
    cutoff = float(np.quantile(by_level["correct"][name], level if high else 1.0 - level))
    observed = _observed(result, name)
    within = bool(sign * observed <= sign * cutoff) if np.isfinite(observed) else None
    row = {"index": name, "observed": observed, "cutoff": cutoff, "within": within}
    for other in LEVELS[1:]:
        values = by_level[other][name] if other in by_level else None
        edge, share = np.nan, np.nan
        if values is not None:
            edge = float(np.quantile(values, 1.0 - level if high else level))
            share = float((sign * values > sign * cutoff).mean())
        row |= {other: edge, f"detects_{other}": share}
    return row


def _observed(result: SemResult, name: str) -> float:
    """Return the fit's own index: robust, else scaled, else plain."""
    for key in (f"{name}_robust", f"{name}_scaled", name):
        value = result.fit_measures.get(key)
        if isinstance(value, float) and np.isfinite(value):
            return value
    return np.nan
