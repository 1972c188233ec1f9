"""Asymptotic covariance of sample moments, weights of least squares, and tests made from both.

Gamma is N times the covariance of ``[means, vech(S)]`` without assuming normality (Browne 1984,
doi:10.1111/j.2044-8317.1984.tb00789.x). Moments of fixed covariates carry no variation: every
row then counts with its deviation from its own regression on the covariates.
"""

from __future__ import annotations

import numpy as np

from helpers.errors import EstimationError
from helpers.sem.discrepancy import invert, moment_jacobian, weigh
from helpers.sem.infer import fitted_rows, solve_information
from helpers.sem.model import vech_index
from helpers.sem.moments import GroupMoments
from helpers.sem.problem import Problem
from helpers.sem.result import Test

Array = np.ndarray


def gamma_matrix(sample: GroupMoments, means: bool, fixed: tuple[int, ...] = ()) -> Array:
    """Gamma of one group from its rows, divisor N."""
    d = sample.data - sample.data.mean(axis=0)
    r, s = vech_index(d.shape[1])
    z = d[:, r] * d[:, s]
    first = d
    if fixed:
        hat = fitted_rows(d, fixed)
        z = z - hat[:, r] * hat[:, s]
        first = d - hat
    z = z - z.mean(axis=0)
    if means:
        z = np.concatenate([first, z], axis=1)
    return z.T @ z / len(z)


def normal_weight(inverse: Array, means: bool) -> Array:
    """Normal-theory weight ``1/2 D' (P x P) D``, with ``P`` itself for means."""
    r, s = vech_index(len(inverse))
    c = np.where(r == s, 0.5, 1.0)
    block = inverse[np.ix_(r, r)] * inverse[np.ix_(s, s)]
    block += inverse[np.ix_(r, s)] * inverse[np.ix_(s, r)]
    block *= c * c[:, None]
    if not means:
        return block
    p = len(inverse)
    out = np.zeros((p + len(r), p + len(r)))
    out[:p, :p], out[p:, p:] = inverse, block
    return out


def least_squares_weight(
    sample: GroupMoments, means: bool, estimator: str, fixed: tuple[int, ...] = ()
) -> Array:
    """Weight of WLS (full inverse of Gamma), DWLS (its diagonal) or ULS (ones).

    Moments of fixed covariates get weight zero.
    """
    p = len(sample.cov)
    k = p * (p + 1) // 2 + (p if means else 0)
    if estimator == "ULS":
        return np.ones(k)
    gamma = gamma_matrix(sample, means, fixed)
    variance = np.diag(gamma)
    used = variance > 1e-12 * variance.max()
    if estimator == "DWLS":
        return np.where(used, 1.0 / np.where(used, variance, 1.0), 0.0)
    if sample.n <= int(used.sum()):
        raise EstimationError(
            f"fit: estimator= is 'WLS' with {sample.n} rows for {int(used.sum())} moments; the "
            f"weight matrix needs more rows than moments. Use estimator='WLSMV' or 'MLM'."
        )
    inverse, _logdet = invert(gamma[np.ix_(used, used)])
    if inverse is None:
        raise EstimationError(
            "fit: estimator= is 'WLS', but the weight matrix is singular; more rows, or items with "
            "more distinct values, are needed. Use estimator='WLSMV' or 'MLM'."
        )
    out = np.zeros((k, k))
    out[np.ix_(used, used)] = inverse
    return out


def scaled_shifted_test(
    plain: Test,
    deltas: list[Array],
    weights: list[Array],
    gammas: list[Array],
    shares: Array,
    inverse: Array,
) -> tuple[Test, Array]:
    """Mean-and-variance-adjusted test of Asparouhov & Muthen (2010), and the sandwich's middle.

    With ``U = W - W Delta E^-1 Delta' W``: ``T' = T sqrt(df / tr((U Gamma)^2)) + df - tr(U Gamma)
    sqrt(df / tr((U Gamma)^2))``.

    Parameters
    ----------
    deltas, weights, gammas : one array per group
    shares : array
        Share of every group in N.
    inverse : array, shape (n_x, n_x)
        Inverse information E^-1.
    """  # fmt: skip
    middle = np.zeros_like(inverse)
    twice = np.zeros_like(inverse)
    first = second = 0.0
    for delta, weight, gamma, share in zip(deltas, weights, gammas, shares):
        wd = weigh(weight, delta)
        wg = weigh(weight, gamma)
        first += float(np.trace(wg))
        second += float(np.sum(wg * wg.T))
        gwd = gamma @ wd
        middle += share * (wd.T @ gwd)
        twice += share * (gwd.T @ weigh(weight, gwd))
    eb = inverse @ middle
    trace = first - float(np.trace(eb))
    square = second - 2.0 * float(np.sum(inverse * twice)) + float(np.sum(eb * eb.T))
    if plain.df <= 0 or square <= 0:
        unscaled = Test(
            plain.chisq, plain.df, scaled=plain.chisq, df_scaled=plain.df, scaling=float("nan")
        )
        return unscaled, middle
    a = float(np.sqrt(plain.df / square))
    shift = plain.df - a * trace
    test = Test(
        plain.chisq, plain.df, scaled=plain.chisq * a + shift, df_scaled=plain.df,
        scaling=1.0 / a, shift=shift, trace=trace,
    )  # fmt: skip
    return test, middle


def scaled_shifted(problem: Problem, x: Array, inverse: Array, plain: Test) -> Test:
    """The test of MLMV: normal-theory weights at the model, Gamma from the rows."""
    deltas, weights, gammas = [], [], []
    for model, sample in zip(problem.models, problem.moments):
        state = model.state(x)
        deltas.append(moment_jacobian(model, state, len(x), problem.means))
        weights.append(normal_weight(invert(state.sigma)[0], problem.means))
        gammas.append(gamma_matrix(sample, problem.means, problem.fixed_x))
    return scaled_shifted_test(plain, deltas, weights, gammas, problem.weights, inverse)[0]


def least_squares_robust(
    problem: Problem, x: Array, basis: Array | None, information: Array, plain: Test, n: float
) -> tuple[Array | None, Test]:
    """Robust errors and the mean-and-variance-adjusted test of a least-squares fit."""
    inverse, _reduced = solve_information(information, basis)
    if inverse is None:
        return None, plain
    target = problem.target
    deltas = [target.jacobian(m, m.state(x)) for m in problem.models]
    gammas = [gamma_matrix(s, problem.means, problem.fixed_x) for s in problem.moments]
    test, middle = scaled_shifted_test(
        plain, deltas, target.weight, gammas, problem.weights, inverse
    )
    return inverse @ middle @ inverse / n, test
