"""Permutation test of measurement invariance, for groups too small for asymptotic tests.

If a measure is invariant, who stands in which group does not matter to it. Group labels are dealt
out anew many times, both steps are fitted to every deal, and the observed change of fit is placed
among the changes found: ``p = (k + 1) / (B + 1)`` with k deals at least as bad (Jorgensen, Kite,
Chen & Short 2018, doi:10.1037/met0000152; Phipson & Smyth 2010, doi:10.2202/1544-6115.1585). It
needs no cut-off for the change of CFI, and no large groups.

All deals are solved together on moments: rows and their products once, sums by one matrix product
per group, then a batched search (``permutation_solve``), started from the solution in which all
groups have the moments of all respondents - what they would be if labels meant nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import EstimationError, listing
from helpers.memo import remembered
from helpers.sem import fitindices
from helpers.sem.bootstrap_batch import compile_model
from helpers.sem.bootstrap_draws import TILE, Products, build_products, resampled, stream
from helpers.sem.bootstrap_kernels import BatchMoments
from helpers.sem.bootstrap_refit import Refit
from helpers.sem.bootstrap_solve import Model, group_shares
from helpers.sem.bootstrap_values import chi_squares
from helpers.sem.fit import fit
from helpers.sem.permutation_solve import solve_deals
from helpers.sem.result import SemResult

Array = np.ndarray

LEAST = 99
"""Fewer deals cannot place a p-value of .05 (a hundredth is the finest step of 99)."""


@dataclass(frozen=True, slots=True)
class PermutationTest:
    """Observed changes of fit among those of permuted group labels.

    Attributes
    ----------
    table : DataFrame
        One row a measure: measure (chisq, cfi, rmsea), observed, median, critical (the 95th worst
        percentile of the deals), as_bad, used, p_value. With ``free`` given the measures are
        changes, restricted less free.
    draws : DataFrame
        The measures of every deal that was solved.
    n_perm, n_failed : int
        Deals drawn; deals in which a fit failed (left out of ``used``).
    n_used : int
        Respondents with complete answers.
    n_per_group : dict
    seed : int
    """

    table: pd.DataFrame
    draws: pd.DataFrame
    n_perm: int
    n_failed: int
    n_used: int
    n_per_group: dict[str, int]
    seed: int

    def row(self, measure: str) -> pd.Series:
        """Return the row of one measure."""
        return self.table.set_index("measure").loc[measure]


@remembered
def permutation_test(
    restricted: SemResult, free: SemResult | None = None, *, n_perm: int = 500, seed: int
) -> PermutationTest:
    """Test a step of invariance by permuting group labels.

    Parameters
    ----------
    restricted, free : SemResult
        Two steps of the ladder, fitted by ML to rows with groups. Without ``free`` the fit of
        ``restricted`` itself is placed (the test of configural invariance).
    n_perm : int
        Deals of the labels, at least 99.
    seed : int

    Returns
    -------
    PermutationTest

    Raises
    ------
    EstimationError
        Not ML on complete rows, no groups, a model with ``:=`` constraints by formula, different
        rows, too few deals, or every deal failing.

    Notes
    -----
    Rows with a missing answer are not used. The same seed gives the same deals. Checked deal by
    deal against ``fit`` and against lavaan on stored deals: ``tests/reference/invariance.R``.
    """
    if free is None:
        return permutation_ladder({"one": restricted}, n_perm=n_perm, seed=seed)["one"]
    steps = {"free": free, "restricted": restricted}
    return permutation_ladder(steps, n_perm=n_perm, seed=seed)["restricted"]


@remembered
def permutation_ladder(
    steps: Mapping[str, SemResult], *, n_perm: int = 500, seed: int
) -> dict[str, PermutationTest]:
    """Test every step of a ladder by the same deals, each model solved once.

    Parameters
    ----------
    steps : mapping
        Step -> fit, in rising order. The first is placed by its own fit, the others by the change
        from the step before.
    n_perm, seed
        As in ``permutation_test``.
    """
    fits = list(steps.values())
    _check(fits, n_perm)
    moments = fits[0].moments
    products = build_products(np.concatenate([m.data for m in moments]), 0)
    own = [BatchMoments(m.cov[None], m.mean[None], np.array([float(m.n)])) for m in moments]
    sizes = [m.n for m in moments]
    models = [_compiled_at_null(result) for result in fits]
    observed = [_measures(r, *m, own)[0] for r, m in zip(fits, models)]
    tiles: list[list[Array]] = [[] for _fit in fits]
    for tile in range(-(-n_perm // TILE)):
        size = min(TILE, n_perm - tile * TILE)
        samples = _deal(products, sizes, stream(seed, tile), size)
        for found, result, compiled in zip(tiles, fits, models):
            found.append(_measures(result, *compiled, samples))
    draws = [np.concatenate(found) for found in tiles]
    out = {}
    for k, (step, result) in enumerate(steps.items()):
        change = (observed[k], draws[k])
        if k:
            change = (observed[k] - observed[k - 1], draws[k] - draws[k - 1])
        out[step] = _assemble(result, *change, n_perm, seed)
    return out


def permuted_labels(sizes: list[int], seed: int, n_perm: int) -> Array:
    """Return the group, from 0, of every row in every deal, (n_perm, N).

    Rows stand as in the fit: group after group. For checks by other programs.
    """
    deals = []
    for tile in range(-(-n_perm // TILE)):
        deals.append(_labels(sizes, stream(seed, tile))[: n_perm - tile * TILE])
    return np.concatenate(deals)


def _labels(sizes: list[int], rng: np.random.Generator) -> Array:
    """Deal the labels of one tile."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return rng.permuted(np.tile(labels, (TILE, 1)), axis=1)


def _deal(
    products: Products, sizes: list[int], rng: np.random.Generator, size: int
) -> list[BatchMoments]:
    """Return the moments of every group in the deals of one tile."""
    labels = _labels(sizes, rng)[:size]
    return [resampled(products, (labels == g).astype(float), True) for g in range(len(sizes))]


def _compiled_at_null(result: SemResult) -> tuple[SemResult, Model]:
    """Fit the model to groups that all have the moments of all rows, and compile it there."""
    rows = np.concatenate([m.data for m in result.moments])
    names = list(result.observed)
    cov = pd.DataFrame(np.cov(rows.T).reshape(len(names), -1), names, names)
    mean = pd.Series(rows.mean(axis=0), names)
    options = result.table.options
    labels = list(result.group_labels)
    null = fit(
        result.syntax, sample_cov=dict.fromkeys(labels, cov),
        sample_mean=dict.fromkeys(labels, mean), n_obs=dict(zip(labels, result.n_per_group)),
        group_equal=options.group_equal, group_partial=options.group_partial,
        std_lv=options.std_lv, fixed_x=result.fixed_x, meanstructure=True,
    )  # fmt: skip
    return null, compile_model(null)


def _measures(
    result: SemResult, null: SemResult, model: Model, samples: list[BatchMoments]
) -> Array:
    """Return chi-square, CFI and RMSEA of every deal, (b, 3); NaN where the fit failed."""
    x = _estimates(null, model, samples)
    chisq, base = chi_squares(null.context, model, x, samples, 0)
    chisq[~np.isfinite(x).all(axis=1)] = np.nan
    df, df0, n = result.test.df, result.baseline.df, result.n_obs
    cfi = [fitindices.cfi(a, df, b, df0) for a, b in zip(chisq, base)]
    rmsea = [fitindices.rmsea(a, df, n, result.n_groups) for a in chisq]
    return np.column_stack([chisq, cfi, rmsea])


def _estimates(null: SemResult, model: Model, samples: list[BatchMoments]) -> Array:
    """Estimate every deal; what the fast search leaves in doubt goes to guarded scoring.

    In doubt are deals that did not converge, that ended above their start, and those with a
    variance that is not positive: there the fast search may have stopped at a saddle.
    """
    x, converged = solve_deals(model, samples)
    share = group_shares(samples)
    with np.errstate(all="ignore"):
        start = np.broadcast_to(model.x, x.shape)
        f = model.value(x, samples, share)
        doubtful = ~converged | ~(f <= model.value(start, samples, share) + 1e-12)
        for kernel, sample in zip(model.kernels, samples):
            doubtful |= ~(kernel.spread(x, sample).residual > 0).all(axis=1)
    for b in np.flatnonzero(doubtful):
        here = [s.take(np.array([b])) for s in samples]
        again = Refit(null, here).solve()
        if again.x is None:
            x[b] = np.nan
        elif not converged[b] or not f[b] <= model.value(again.x[None], here, share[b : b + 1])[0]:
            x[b] = again.x
    return x


def _assemble(
    result: SemResult, observed: Array, draws: Array, n_perm: int, seed: int
) -> PermutationTest:
    """Place the observed values among the deals."""
    good = np.isfinite(draws).all(axis=1)
    if not good.any() or not np.isfinite(observed).all():
        raise EstimationError(
            f"permutation_test: {int(good.sum())} of {n_perm} deals could be fitted; groups of "
            f"{listing(result.n_per_group)} are too small for {len(result.observed)} items. Use a "
            "smaller model, or join groups."
        )
    used = draws[good]
    names = ("chisq", "cfi", "rmsea")
    sign = np.array([1.0, -1.0, 1.0])  # a lower CFI is worse
    rows = []
    for k, name in enumerate(names):
        worse = sign[k] * used[:, k]
        as_bad = int((worse >= sign[k] * observed[k] - 1e-9 * max(1.0, abs(observed[k]))).sum())
        rows.append({
            "measure": name, "observed": observed[k], "median": float(np.median(used[:, k])),
            "critical": sign[k] * float(np.quantile(worse, 0.95)), "as_bad": as_bad,
            "used": len(used), "p_value": (as_bad + 1) / (len(used) + 1),
        })  # fmt: skip
    sizes = {str(k): n for k, n in zip(result.group_labels, result.n_per_group)}
    return PermutationTest(
        pd.DataFrame(rows), pd.DataFrame(used, columns=names), n_perm, int((~good).sum()),
        result.n_obs, sizes, seed,
    )  # fmt: skip


def _check(fits: list[SemResult], n_perm: int) -> None:
    """Refuse what the batched search cannot do."""
    for result in fits:
        plain = result.estimator == "ML" and result.missing == "listwise"
        if not plain or result.n_groups < 2 or result.moments[0].data is None:
            raise EstimationError(
                f"permutation_test: restricted= or free= was fitted by {result.estimator} with "
                f"missing='{result.missing}' to {result.n_groups} group(s); ML on complete rows of "
                "at least two groups is needed. Fit with estimator='ML', missing='listwise', data= "
                "and group=."
            )
        if not result.meanstructure or result.context.reduction.nonlinear is not None:
            raise EstimationError(
                "permutation_test: restricted= or free= has no means, or == constraints by "
                "formula; the test needs means and equalities only. Leave meanstructure=False and "
                "the formulas out."
            )
        if result.n_per_group != fits[0].n_per_group or set(result.observed) != set(
            fits[0].observed
        ):
            raise EstimationError(
                "permutation_test: restricted= and free= have different rows or items; both must "
                "explain the same. Fit both to the same data."
            )
    if isinstance(n_perm, bool) or not isinstance(n_perm, int) or n_perm < LEAST:
        raise EstimationError(
            f"permutation_test: n_perm= is {n_perm!r}; a whole number of at least {LEAST} is "
            "needed. Use for example n_perm=500."
        )
