"""How much a plain logit flatters itself: the optimism of Harrell, by bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import rankdata

from helpers.errors import EstimationError
from helpers.service.risk_scores import checked_outcome

Array = NDArray[np.float64]

STEPS = 30
"""Newton steps at most."""

_SETTLED = 1e-8
_FAR = 30.0
"""A coefficient of standardised columns beyond this runs off to infinity."""

_JITTER = 1e-9
"""Added to the diagonal of the information, so that a column absent from a draw has an inverse."""

_BLOCK = 20_000_000
"""Numbers held in memory at once while draws are fitted."""

MEASURES = ("auc", "brier", "intercept", "slope")


@dataclass(frozen=True, slots=True)
class Optimism:
    """Apparent and corrected performance of a plain logit.

    Attributes
    ----------
    table : DataFrame
        One row a measure (``auc brier intercept slope``): apparent, training, test, optimism
        (training less test), corrected (apparent less optimism).
    n_boot, n_failed : int
        Draws asked for, and those left out because the logit did not settle in them.
    n_used : int
    """

    table: pd.DataFrame
    n_boot: int
    n_failed: int
    n_used: int


def plain_optimism(columns: Array, outcome: Array, *, draws: int = 200, seed: int = 1) -> Optimism:
    """Correct the performance of an unpenalised logit for having been fitted on the same customers.

    In each bootstrap draw the logit is fitted and judged on the draw (training) and on all
    customers (test); the mean difference is the optimism.

    Parameters
    ----------
    columns : array, shape (n, p)
        Numbers without blanks.
    outcome : array, shape (n,)
        0/1 without blanks.

    Notes
    -----
    All draws are fitted at once by Newton steps on weighted rows. Checked against R
    ``rms::validate``: tests/reference/risk.R. Harrell, Lee & Mark (1996), Statistics
    in Medicine 15, 361-387.

    Raises
    ------
    EstimationError
        Fewer than ten customers of either outcome, or a logit that does not settle.
    """
    y = np.asarray(outcome, dtype=float)
    checked_outcome(y, "plain_optimism")
    sd = columns.std(axis=0)
    x = np.column_stack(
        [np.ones(len(y)), (columns - columns.mean(axis=0)) / np.where(sd > 0, sd, 1)]
    )
    whole, settled = weighted_logits(x, y, np.ones((1, len(y))))
    if not settled[0]:
        raise EstimationError(
            "plain_optimism: columns= tell some outcomes without error, so that a plain logit has "
            "no finite estimate. Leave predictors out, or read the penalised one only."
        )
    apparent = np.array(_measures(y, x @ whole[0], np.ones(len(y)))[:2] + (0.0, 1.0))
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // (x.size))
    training, test, failed = [], [], 0
    for start in range(0, draws, block):
        size = min(block, draws - start)
        weights = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=size).astype(float)
        fits, settled = weighted_logits(x, y, weights)
        failed += int((~settled).sum())
        lines = fits[settled] @ x.T
        again = _recalibrated(lines, y)
        for line, row, drawn in zip(lines, again, weights[settled], strict=True):
            training.append((*_measures(y, line, drawn), 0.0, 1.0))
            test.append((*_measures(y, line, np.ones(len(y))), *row))
    if not training:
        raise EstimationError(
            "plain_optimism: columns= let the logit settle in no bootstrap draw. Leave out "
            "predictors with rare categories."
        )
    learned, held = np.mean(training, axis=0), np.mean(test, axis=0)
    table = pd.DataFrame(
        {
            "measure": MEASURES,
            "apparent": apparent,
            "training": learned,
            "test": held,
            "optimism": learned - held,
            "corrected": apparent - (learned - held),
        }
    )
    return Optimism(table, draws, failed, len(y))


def weighted_logits(x: Array, y: Array, weights: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Fit one logit for each row of weights, all at once.

    Parameters
    ----------
    x : array, shape (n, p) or (b, n, p)
        Columns with the constant, shared or one set a fit.
    y : array, shape (n,)
    weights : array, shape (b, n)

    Returns
    -------
    (array of shape (b, p), bool array of shape (b,))
        Coefficients, and whether each fit settled at finite values.
    """
    own = x if x.ndim == 3 else x[None]
    beta = np.zeros((len(weights), own.shape[2]))
    moved = np.full(len(weights), np.inf)
    ridge = _JITTER * np.eye(own.shape[2])
    for _step in range(STEPS):
        line = (own @ beta[:, :, None])[:, :, 0]
        p = expit(line)
        score = ((weights * (y - p))[:, None, :] @ own)[:, 0, :]
        turned = np.swapaxes(own, 1, 2) * (weights * p * (1 - p))[:, None, :]
        step = np.linalg.solve(turned @ own + ridge, score[:, :, None])[:, :, 0]
        step = np.clip(step, -2, 2)  # a long first step may overshoot
        beta += step
        moved = np.abs(step).max(axis=1)
        if moved.max() < _SETTLED:
            break
    return beta, (moved < _SETTLED) & (np.abs(beta).max(axis=1) < _FAR)


def _recalibrated(lines: Array, y: Array) -> Array:
    """Return calibration intercept and slope, fitted together, of each line on all customers."""
    design = np.stack([np.ones_like(lines), lines], axis=2)
    return weighted_logits(design, y, np.ones_like(lines))[0]


def _measures(y: Array, line: Array, weights: Array) -> tuple[float, float]:
    """Return area under the curve and Brier score of weighted customers."""
    brier = float(np.average((y - expit(line)) ** 2, weights=weights))
    times = weights.astype(int)
    seen, drawn = np.repeat(y, times), np.repeat(line, times)
    ones = int(seen.sum())
    ranks = rankdata(drawn)[seen == 1].sum()
    area = (ranks - ones * (ones + 1) / 2) / (ones * (len(seen) - ones))
    return float(area), brier
