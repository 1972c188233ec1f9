"""Monte Carlo intervals for functions of estimates, such as indirect effects.

Estimates are drawn from their joint normal distribution; the function is evaluated at each draw
and its quantiles are the interval (MacKinnon, Lockwood & Williams 2004,
doi:10.1207/s15327906mbr3901_4; Preacher & Selig 2012, doi:10.1080/19312458.2012.679848). The
interval need not be symmetric, as the distribution of a product is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import EstimationError, Unavailable, check_level, passes_unavailable
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.expressions import evaluate_defined
from helpers.sem.result import SemResult
from helpers.sem.study_fit import ModelFit
from helpers.thresholds import LEVEL

DRAWS = 20_000


@dataclass(frozen=True, slots=True)
class MonteCarloIntervals:
    """Monte Carlo intervals of the ``:=`` parameters of one fit.

    Attributes
    ----------
    table : DataFrame
        Columns name, estimate, ci_low, ci_high.
    n_draws, seed : int
    level : float
    """

    table: pd.DataFrame
    n_draws: int
    seed: int
    level: float


@remembered
def monte_carlo_intervals(
    result: SemResult, *, n_draws: int = DRAWS, seed: int, level: float = LEVEL
) -> MonteCarloIntervals:
    """Give each ``:=`` parameter of a fit a Monte Carlo interval.

    Parameters
    ----------
    result : SemResult
        A fit with standard errors and at least one ``:=``.
    n_draws : int
        Draws of the parameter vector.
    seed : int
        For ``numpy.random.default_rng``.
    level : float
        Confidence level as a proportion.

    Raises
    ------
    EstimationError
        The fit has no ``:=`` or no standard errors.
    """
    check_level(level, "monte_carlo_intervals")
    if not result.table.defined:
        raise EstimationError(
            "monte_carlo_intervals: result= has no := parameter; name one in the model."
        )
    values = _label_draws(result, parameter_draws(result, n_draws, np.random.default_rng(seed)))
    tail = (1 - level) / 2
    table = result.estimates
    estimates = table[table["op"] == ":="].set_index("lhs")["est"]
    rows = []
    for name, draws in evaluate_defined(result.table.defined, values).items():
        low, high = np.quantile(np.real(draws), [tail, 1 - tail])
        rows.append((name, float(estimates[name]), float(low), float(high)))
    table = pd.DataFrame(rows, columns=["name", "estimate", "ci_low", "ci_high"])
    return MonteCarloIntervals(table, n_draws, seed, level)


def parameter_draws(result: SemResult, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the free parameters from their joint normal distribution, (n_draws, n_free)."""
    if isinstance(result.vcov, Unavailable):
        raise EstimationError(f"parameter_draws: result= has no standard errors; {result.vcov.why}")
    values, vectors = np.linalg.eigh(result.vcov)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    return result.theta + rng.standard_normal((n_draws, len(values))) @ root.T


def _label_draws(result: SemResult, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return the draws of every label, each (n_draws,)."""
    drawn: dict[str, np.ndarray] = {}
    for label, position in result.table.label_index().items():
        row = result.table.rows[position]
        drawn[label] = x[:, row.free - 1] if row.free else np.full(len(x), row.fixed)
    return drawn


@passes_unavailable
@remembered
def effect_intervals(
    fit: ModelFit, *, n_draws: int = DRAWS, seed: int
) -> MonteCarloIntervals | Unavailable:
    """Give the ``:=`` effects of a study's model intervals, or say why there are none."""
    what = _("intervals of the effects")
    if not fit.n_known:
        return Unavailable(what, _("the source does not say how many people answered"))
    if not fit.result.table.defined:
        return Unavailable(what, _("the model defines no effect"))
    try:
        return monte_carlo_intervals(fit.result, n_draws=n_draws, seed=seed)
    except EstimationError as error:
        return Unavailable(what, str(error))
