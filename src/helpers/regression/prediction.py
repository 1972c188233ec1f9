"""Models held against each other: repeated cross-validation, and Vuong's test without nesting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError
from helpers.memo import remembered

Array = NDArray[np.float64]
Predict = Callable[[NDArray[np.bool_], NDArray[np.bool_]], Array]
"""From the rows to learn from and the rows to predict (masks) to predictions of the latter."""

FOLDS, REPEATS = 10, 5


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """Error of prediction of two models on the same folds.

    Attributes
    ----------
    first, second : float
        Root mean squared error, all repeats together.
    difference : float
        ``second - first``: below zero the second predicts better.
    se : float
        Of the difference, corrected for folds that share rows (Nadeau & Bengio 2003).
    """

    first: float
    second: float
    difference: float
    se: float


@remembered
def cross_validate(
    y: Array,
    first: Predict,
    second: Predict,
    *,
    seed: int,
    folds: int = FOLDS,
    repeats: int = REPEATS,
) -> CrossValidated:
    """Predict each fold from the others by two models, with new folds in every repeat.

    Notes
    -----
    The variance of the mean difference over J folds is ``(1 / J + 1 / (folds - 1)) s**2``, where
    ``s**2`` is the variance of the folds' differences in mean squared error; by the delta method
    it becomes that of the root. Checked by hand for two rows a fold
    (tests/regression/test_prediction_models.py).

    References
    ----------
    Nadeau & Bengio (2003), doi:10.1023/A:1024068626366.
    """
    rng = np.random.default_rng(seed)
    n = len(y)
    if not 2 <= folds <= n or repeats < 1:
        raise DataContractError(
            f"cross_validate: folds= is {folds} and repeats= {repeats} for {n} rows; two folds or "
            "more, none of them empty, are needed. Use fewer folds."
        )
    squares = np.empty((2, repeats * folds))
    for repeat in range(repeats):
        fold_of = rng.permutation(np.arange(n) % folds)
        for fold in range(folds):
            out = fold_of == fold
            for k, predict in enumerate((first, second)):
                squares[k, repeat * folds + fold] = np.mean((y[out] - predict(~out, out)) ** 2)
    gap = squares[1] - squares[0]
    one, two = np.sqrt(squares.mean(axis=1))
    spread = float(np.sqrt((1 / len(gap) + 1 / (folds - 1)) * gap.var(ddof=1)))
    return CrossValidated(float(one), float(two), float(two - one), spread / float(one + two))


@dataclass(frozen=True, slots=True)
class Vuong:
    """Vuong's test of two models that are not nested.

    Attributes
    ----------
    z, p_value : float
        Two-sided; above zero the first model is nearer to the truth.
    omega2 : float
        Variance of the pointwise differences; near zero the models cannot be told apart.
    """

    z: float
    p_value: float
    omega2: float


def vuong_test(first: Array, second: Array, *, k_first: int, k_second: int) -> Vuong:
    """Compare the pointwise log-likelihoods of two non-nested models on the same rows.

    ``z = (sum(d) - (k1 - k2) log(n) / 2) / (sqrt(n) sd(d))`` with ``d`` the pointwise differences;
    the correction is that of BIC.

    Notes
    -----
    The test holds only where the models are not equivalent (``omega2`` clearly above zero). Checked
    against the formula in R (tests/reference/importance.R, 1e-8).

    References
    ----------
    Vuong (1989), doi:10.2307/1912557.
    """
    d = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    n, omega2 = len(d), float(np.var(d))
    if omega2 <= 1e-12:
        raise DataContractError(
            "vuong_test: first= and second= give every row the same likelihood; models that "
            "differ are needed. Compare nothing."
        )
    z = (d.sum() - (k_first - k_second) * np.log(n) / 2) / np.sqrt(n * omega2)
    return Vuong(float(z), float(2 * stats.norm.sf(abs(z))), omega2)


def normal_loglik(residuals: Array) -> Array:
    """Return each row's log-likelihood of a least-squares fit, the ML variance plugged in."""
    variance = float(np.mean(residuals**2))
    return -0.5 * (np.log(2 * np.pi * variance) + residuals**2 / variance)


def bounds_test(estimate: float, se: float, low: float, high: float) -> float:
    """Return the p-value of "the weight lies between two bounds" against "it lies outside".

    The distance ``T = ((estimate - nearest bound) / se)**2`` is zero inside; at a bound it follows
    a half-and-half mixture of zero and chi-square(1) (chi-bar-square), so that
    ``p = P(chi2_1 >= T) / 2`` outside and 1 inside. Silvapulle & Sen (2005).
    """
    if not (se > 0 and low <= high):
        raise DataContractError(
            f"bounds_test: se= is {se}, low= {low} and high= {high}; an error above zero and "
            "bounds in order are needed. Correct the call."
        )
    gap = max(low - estimate, estimate - high, 0.0)
    return 1.0 if gap == 0 else float(stats.chi2.sf((gap / se) ** 2, 1) / 2)
