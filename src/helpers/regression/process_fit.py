"""Least squares of several equations, once and in every bootstrap sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import EstimationError, listing
from helpers.memo import remembered
from helpers.regression.least_squares import FULL
from helpers.regression.process_paths import Equation
from helpers.resampling import resampled_counts

Array = NDArray[np.float64]


def design_columns(
    kept: pd.DataFrame, equations: list[Equation], center: bool, products: tuple[str, ...]
) -> pd.DataFrame:
    """Return a constant, every variable, and every product that an equation takes."""
    own = kept.copy()
    terms = {t for e in equations for t in e.terms if ":" in t}
    if center and terms:
        used = [v for v in products if v and any(v in t.split(":") for t in terms)]
        own[used] = own[used] - own[used].mean()
    for term in sorted(terms):
        a, b = term.split(":")
        own[term] = own[a] * own[b]
    own.insert(0, "const", 1.0)
    return own


def least_squares(
    columns: pd.DataFrame, equation: Equation, errors: str
) -> tuple[Array, Array, int, float]:
    """Return coefficients, their covariance, residual df, R squared."""
    design = columns[["const", *equation.terms]].to_numpy()
    y = columns[equation.outcome].to_numpy()
    n, k = design.shape
    if np.linalg.matrix_rank(design) < k:
        raise EstimationError(
            f"process: the predictors of '{equation.outcome}', {listing(equation.terms)}, are sums "
            "of one another; independent ones are needed. Leave one out."
        )
    inverse = np.linalg.inv(design.T @ design)
    b = inverse @ (design.T @ y)
    residual = y - design @ b
    if errors == "HC3":
        leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
        if leverage.max() > 1 - FULL:
            raise EstimationError(
                f"process: a predictor of '{equation.outcome}' among {listing(equation.terms)} "
                "rests on one row (a category that one respondent has), so that HC3 does not "
                "exist; two rows at least are needed. Leave it out."
            )
        scaled = design * (residual / (1 - leverage))[:, None]
        cov = inverse @ (scaled.T @ scaled) @ inverse
    else:
        cov = inverse * (residual @ residual / (n - k))
    r2 = 1 - residual @ residual / ((y - y.mean()) @ (y - y.mean()))
    return b, cov, n - k, float(r2)


@remembered
def bootstrap_coefficients(
    columns: pd.DataFrame, equations: list[Equation], n_boot: int, rng: np.random.Generator
) -> tuple[list[Array], int]:
    """Return the coefficients of every equation in every sample, and how many samples failed.

    A sample fails where predictors are collinear in it; it is left out of every equation.
    """
    values = columns.to_numpy()
    n, p = values.shape
    names = list(columns.columns)
    left, right = np.triu_indices(p)
    products = values[:, left] * values[:, right]
    drawn: list[list[Array]] = [[] for _e in equations]
    failed = 0
    for counts in resampled_counts(n, n_boot, rng):
        cross = np.zeros((len(counts), p, p))
        cross[:, left, right] = cross[:, right, left] = counts @ products
        solved, good = [], np.ones(len(counts), dtype=bool)
        for equation in equations:
            at = [names.index(t) for t in ("const", *equation.terms)]
            b, fine = _solve_scaled(cross, at, names.index(equation.outcome))
            solved.append(b)
            good &= fine
        failed += int((~good).sum())
        for k, b in enumerate(solved):
            drawn[k].append(b[good])
    if failed == n_boot:
        raise EstimationError(
            f"process: all {n_boot} bootstrap samples have collinear predictors; more rows or "
            "fewer predictors are needed."
        )
    return [np.concatenate(parts) for parts in drawn], failed


def _solve_scaled(cross: Array, at: list[int], outcome: int) -> tuple[Array, NDArray[np.bool_]]:
    """Solve the normal equations of all samples, columns scaled; say which are not singular."""
    own = cross[:, at][:, :, at]
    scale = np.sqrt(np.einsum("bii->bi", own))
    scale = np.where(scale > 0, scale, 1.0)
    own = own / scale[:, :, None] / scale[:, None, :]
    fine = np.linalg.cond(own) < 1e12
    own[~fine] = np.eye(len(at))
    b = np.linalg.solve(own, (cross[:, at, outcome] / scale)[..., None])[..., 0] / scale
    return b, fine
