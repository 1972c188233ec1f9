"""Standard errors and tests with incomplete rows."""

from __future__ import annotations

import numpy as np

from helpers.sem.infer import solve_information
from helpers.sem.optimize import Solution
from helpers.sem.options import Settings
from helpers.sem.problem import Problem
from helpers.sem.result import Test
from helpers.sem.robust import Inference

Array = np.ndarray


def incomplete_inference(
    problem: Problem, solution: Solution, basis: Array | None, settings: Settings
) -> Inference:
    """Compute errors and test of full-information maximum likelihood.

    ML takes the inverse information (observed unless expected is asked for). MLR takes the
    sandwich of it and the casewise scores, and scales the test by ``(tr(A1^-1 B1) -
    tr(A0^-1 B0)) / df`` with the saturated model's (1) and the model's (0) information A and
    outer product of scores B.

    Notes
    -----
    Checked against lavaan 0.6-14, ``missing = "ml"`` with ``estimator = "ML"`` and ``"MLR"``.

    References
    ----------
    Yuan & Bentler (2000), doi:10.1111/0081-1750.00078, in the form of Asparouhov & Muthen (2005).
    """
    target, x = problem.target, solution.x
    n_z = len(x) if basis is None else basis.shape[1]
    df = problem.n_moments - n_z
    chisq = 2.0 * sum(g.n * max(f, 0.0) for g, f in zip(target.groups, target.group_values(x)))
    plain = Test(float(chisq), df)
    if problem.extra is None and settings.estimator == "ML":
        return Inference(None, plain, n_z)  # the baseline: only its test is asked for
    inverse, _reduced = solve_information(target.information(x, settings.information), basis)
    if inverse is None:
        return Inference(None, plain, n_z)
    if settings.estimator == "ML":
        return Inference(inverse / problem.n, plain, n_z)
    middle = target.meat(x)
    vcov = inverse @ middle @ inverse / problem.n
    if df <= 0:
        test = Test(plain.chisq, df, scaled=plain.chisq, df_scaled=df, scaling=float("nan"))
        return Inference(vcov, test, n_z)
    h1 = sum(group.trace(problem.fixed_x, settings.information) for group in target.groups)
    h0 = float(np.sum(middle * inverse))
    c = (h1 - h0) / df
    test = Test(
        plain.chisq, df, scaled=plain.chisq / c, df_scaled=df, scaling=c, trace=h1 - h0,
        h0_scaling=h0 / len(x), h1_scaling=h1 / problem.n_moments,
    )  # fmt: skip
    return Inference(vcov, test, n_z)
