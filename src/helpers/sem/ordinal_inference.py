"""Errors and tests of least squares on ordered items."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from helpers.sem.discrepancy import weigh
from helpers.sem.gamma import scaled_shifted_test
from helpers.sem.infer import solve_information
from helpers.sem.optimize import Solution
from helpers.sem.options import Settings
from helpers.sem.ordinal import OrdinalMoments
from helpers.sem.problem import Problem
from helpers.sem.result import Test
from helpers.sem.robust import Inference

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class IndependenceTarget:
    """The baseline: thresholds, slopes, means and variances as in the sample, no correlations."""

    samples: list[OrdinalMoments]
    weight: list[Array]
    related: tuple[str, ...] = ()
    """Covariates that are not fixed; the baseline keeps their covariances."""

    def test(self, *, robust: bool) -> Test:
        """Return the test; its discrepancy and its expectation have closed forms."""
        chisq = trace = square = 0.0
        df = 0
        for sample, weight in zip(self.samples, self.weight):
            absent = self._absent(sample)
            r, gamma = sample.moments[absent], sample.gamma[np.ix_(absent, absent)]
            w = _conditional_weight(weight, absent)
            wg = weigh(w, gamma)
            chisq += (sample.n_used - 1) * float(r @ weigh(w, r))
            trace += float(np.trace(wg))
            square += float(np.sum(wg * wg.T))
            df += len(absent)
        if not robust:
            return Test(chisq, df)
        a = float(np.sqrt(df / square))
        shift = df - a * trace
        return Test(
            chisq, df, scaled=chisq * a + shift, df_scaled=df, scaling=1.0 / a, shift=shift,
            trace=trace,
        )  # fmt: skip

    def _absent(self, sample: OrdinalMoments) -> Array:
        """Positions of the correlations that the baseline leaves out."""
        first, second = np.triu_indices(len(sample.names), 1)
        kept = np.isin(np.array(sample.names), self.related)
        start = len(sample.moments) - len(first)
        return start + np.flatnonzero(~(kept[first] & kept[second]))


def _conditional_weight(weight: Array, chosen: Array) -> Array:
    """Weight of some moments when the others are fitted freely."""
    if weight.ndim == 1:
        return weight[chosen]
    others = np.setdiff1d(np.arange(len(weight)), chosen)
    a, b = weight[np.ix_(others, others)], weight[np.ix_(others, chosen)]
    return weight[np.ix_(chosen, chosen)] - b.T @ np.linalg.solve(a, b)


def ordinal_inference(
    problem: Problem, solution: Solution, basis: Array | None, settings: Settings
) -> Inference:
    """Compute errors and test of a least-squares fit to ordered items.

    WLSMV takes the sandwich ``E^-1 D' W Gamma W D E^-1 / (N - G)`` with ``E = D' W D`` and the
    mean-and-variance-adjusted test; DWLS, ULS and WLS take ``E^-1 / (N - G)`` and the plain
    statistic. As in lavaan, a group weighs in the statistic with its rows less one.

    Notes
    -----
    Checked against lavaan 0.6-14: ``tests/reference/sem_ordinal.R``.

    References
    ----------
    Muthen, du Toit & Spisic (1997). Asparouhov & Muthen (2010), Simple second order chi-square
    correction (Mplus technical note).
    """
    target, x = problem.target, solution.x
    robust = settings.estimator == "WLSMV"
    n_z = len(x) if basis is None else basis.shape[1]
    if isinstance(target, IndependenceTarget):
        return Inference(None, target.test(robust=robust), n_z)
    deltas = [target.jacobian(m, m.state(x)) for m in problem.models]
    values = target.group_values(x)
    chisq = 2.0 * sum((m.n - 1) * f for m, f in zip(problem.moments, values))
    plain = Test(float(chisq), problem.n_moments - n_z)
    information = sum(
        share * (d.T @ weigh(w, d)) for d, w, share in zip(deltas, target.weight, problem.weights)
    )
    inverse, _reduced = solve_information(information, basis)
    if inverse is None:
        return Inference(None, plain, n_z)
    n = problem.n - len(problem.moments)
    if not robust:
        return Inference(inverse / n, plain, n_z)
    gammas = [sample.gamma for sample in problem.extra.samples]
    test, middle = scaled_shifted_test(
        plain, deltas, target.weight, gammas, problem.weights, inverse
    )
    if plain.df == 0:
        test = replace(test, shift=0.0)
    return Inference(inverse @ middle @ inverse / n, test, n_z)
