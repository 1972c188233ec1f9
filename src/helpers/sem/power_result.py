"""What a power analysis gives: a curve over N, the N that is needed, and how both were found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.results import to_plain


@dataclass(frozen=True, slots=True)
class NeededN:
    """The smallest N that reaches the power wanted.

    Attributes
    ----------
    n : int
    ci_low, ci_high : int or None
        Interval from the simulation error; None for an exact calculation, or for an end that
        the simulated sizes do not determine.
    """

    n: int
    ci_low: int | None = None
    ci_high: int | None = None


@dataclass(frozen=True, slots=True)
class PowerResult:
    """Power of one hypothesis.

    Attributes
    ----------
    table : DataFrame
        One row a sample size. Analytic: n_obs, power, ncp. Monte Carlo: n_obs, power, ci_low,
        ci_high (Wilson, from the number of replicates), n_sets, n_used, n_failed, n_improper;
        for a parameter or formula also mean, bias, relative_bias, sd, mean_se, se_bias, coverage.
        Replicates that did not converge are not used; improper ones (a negative variance) are.
    needed : NeededN or Unavailable
        N in total, over all groups.
    hypothesis, method, test : str
        What was to be found; ``"analytic"`` or ``"montecarlo"``; the test in words.
    true_value : float or None
        The parameter in the population, in the metric of the fitted model.
    population_rmsea : float or None
        Misfit of the fitted model to the population; 0 if the model holds.
    alpha, target, level : float
        Level of the test, power wanted, level of intervals.
    """

    table: pd.DataFrame
    needed: NeededN | Unavailable
    hypothesis: str
    method: str
    test: str
    alpha: float
    target: float
    true_value: float | None = None
    population_rmsea: float | None = None
    df: int | None = None
    estimator: str = "ML"
    n_sets: int = 0
    seed: int | None = None
    level: float = 0.95
    settings: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Return one sentence: the N needed, for what, by which test."""
        if isinstance(self.needed, Unavailable):
            return self.needed.text()
        words = {
            "what": self.hypothesis, "power": f"{self.target:.2f}", "alpha": f"{self.alpha:g}",
            "n": self.needed.n, "test": self.test,
        }  # fmt: skip
        if self.needed.ci_low is not None and self.needed.ci_high is not None:
            words |= {"low": self.needed.ci_low, "high": self.needed.ci_high}
            return _(
                "For a power of {power} to find {what} at alpha {alpha}, about {n} people are "
                "needed (95% interval of the simulation {low} to {high}; {test})."
            ).format(**words)
        return _(
            "For a power of {power} to find {what} at alpha {alpha}, {n} people are needed "
            "({test})."
        ).format(**words)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-safe values."""
        return to_plain(self)
