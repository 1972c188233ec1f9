"""Standard errors and tests of every complete-data estimator, from one interface."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from helpers.sem.discrepancy import NormalTheory, Quadratic
from helpers.sem.infer import (
    meat,
    observed_information,
    solve_information,
    trace_weight_gamma,
    trace_weight_gamma_fixed,
)
from helpers.sem.optimize import Solution
from helpers.sem.options import Settings
from helpers.sem.problem import Problem
from helpers.sem.result import Test

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Inference:
    """Covariance of the estimates over all free rows (None: singular), test, parameters."""

    vcov: Array | None
    test: Test
    npar: int


def chi_square(problem: Problem, solution: Solution, settings: Settings) -> float:
    """The plain test statistic: ``2 sum_g n_g f_g``, n - 1 in place of n for Wishart."""
    less = 1 if settings.likelihood == "wishart" else 0
    values = problem.target.group_values(solution.x)
    if settings.discrepancy != "ML":
        less = 1
    return float(sum(2.0 * (m.n - less) * max(f, 0.0) for m, f in zip(problem.moments, values)))


def divisor_n(problem: Problem, settings: Settings) -> float:
    """N of the standard errors: N for normal-likelihood ML, else N - G."""
    if settings.discrepancy == "ML" and settings.likelihood == "normal":
        return float(problem.n)
    return float(problem.n - len(problem.moments))


def information_matrix(problem: Problem, x: Array) -> Array:
    """Expected information per observation, groups weighted by N."""
    target = problem.target
    if isinstance(target, NormalTheory | Quadratic):
        target = replace(target, weights=problem.weights)
    return target.pieces(x)[2]


def robust_inference(
    problem: Problem, solution: Solution, basis: Array | None, settings: Settings
) -> Inference:
    """Compute errors and test at a solution.

    Parameters
    ----------
    basis : array, shape (n_x, n_z), or None
        Directions in which the free rows may move; None for all.
    """
    if settings.missing == "fiml":
        from helpers.sem.fiml_inference import incomplete_inference

        return incomplete_inference(problem, solution, basis, settings)
    if settings.ordered:
        from helpers.sem.ordinal_inference import ordinal_inference

        return ordinal_inference(problem, solution, basis, settings)
    n_z = len(solution.x) if basis is None else basis.shape[1]
    df = problem.n_moments - n_z
    chisq = chi_square(problem, solution, settings)
    expected = information_matrix(problem, solution.x)
    n = divisor_n(problem, settings)
    plain = Test(chisq, df)
    if settings.discrepancy == "ML" and settings.estimator in ("MLR", "MLM", "MLMV"):
        return _normal_robust(problem, solution, basis, settings, expected, plain, n_z)
    if settings.estimator == "WLSMV":
        from helpers.sem.gamma import least_squares_robust

        vcov, test = least_squares_robust(problem, solution.x, basis, expected, plain, n)
        return Inference(vcov, test, n_z)
    information = expected
    if settings.information == "observed":
        information = observed_information(
            problem.models, problem.moments, problem.weights, solution.x, problem.means
        )
    inverse, _reduced = solve_information(information, basis)
    return Inference(None if inverse is None else inverse / n, plain, n_z)


def _normal_robust(
    problem: Problem,
    solution: Solution,
    basis: Array | None,
    settings: Settings,
    expected: Array,
    plain: Test,
    n_z: int,
) -> Inference:
    """MLM, MLMV and MLR."""
    x, models, moments = solution.x, problem.models, problem.moments
    information = expected
    if settings.information == "observed":
        information = observed_information(models, moments, problem.weights, x, problem.means)
    inverse, _reduced = solve_information(information, basis)
    if inverse is None:
        return Inference(None, plain, n_z)
    middle = meat(
        models, moments, problem.weights, x,
        means=problem.means, centred=settings.estimator != "MLR", fixed=problem.fixed_x,
    )  # fmt: skip
    vcov = inverse @ middle @ inverse / divisor_n(problem, settings)
    if plain.df <= 0:
        return Inference(vcov, _saturated(plain), n_z)
    if settings.estimator == "MLMV":
        from helpers.sem.gamma import scaled_shifted

        return Inference(vcov, scaled_shifted(problem, x, inverse, plain), n_z)
    structured = settings.estimator == "MLM"
    h1 = saturated_trace(problem, x, structured)
    h0 = float(np.sum(middle * inverse))
    c = (h1 - h0) / plain.df
    test = Test(
        plain.chisq, plain.df, scaled=plain.chisq / c, df_scaled=plain.df, scaling=c,
        trace=h1 - h0,
        h0_scaling=h0 / len(x) if not structured else None,
        h1_scaling=h1 / problem.n_moments if not structured else None,
    )  # fmt: skip
    return Inference(vcov, test, n_z)


def _saturated(plain: Test) -> Test:
    """A scaled test of a saturated model equals the plain one."""
    return Test(plain.chisq, plain.df, scaled=plain.chisq, df_scaled=plain.df, scaling=float("nan"))


def saturated_trace(problem: Problem, x: Array, structured: bool) -> float:
    """Sum over groups of tr(W Gamma), less the part of fixed covariates."""
    total = 0.0
    for model, sample in zip(problem.models, problem.moments):
        if structured and problem.fixed_x:
            total += trace_weight_gamma_fixed(model, sample, x, problem.means, problem.fixed_x)
            continue
        total += trace_weight_gamma(
            model, sample, x, means=problem.means, structured=structured, fixed=problem.fixed_x
        )
    return total
