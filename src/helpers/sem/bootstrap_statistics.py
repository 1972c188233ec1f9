"""What a bootstrap computes besides parameters: fit measures by name, or a function of a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from helpers.errors import EstimationError, ModelSpecError, SuiteError, Unavailable, nearest
from helpers.sem import fitindices as fi
from helpers.sem.fitmeasures import n_for_indices
from helpers.sem.result import SemResult

Array = np.ndarray
Wanted = str | Sequence[str] | Callable[[SemResult], object] | None

FAST = ("chisq", "fmin", "cfi", "tli", "rmsea")
"""Measures that follow from the test statistics of model and baseline."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Fit measures by name."""

    names: tuple[str, ...]
    needs_result: bool
    df: int
    baseline_df: int
    n: float
    n_groups: int

    def of_tests(self, chisq: Array, baseline: Array, n: Array) -> Array:
        """Compute the measures of every replicate from its test statistics."""
        ways = {
            "chisq": lambda t, b, n: t,
            "fmin": lambda t, b, n: t / (2.0 * n),
            "cfi": lambda t, b, n: fi.cfi(t, self.df, b, self.baseline_df),
            "tli": lambda t, b, n: fi.tli(t, self.df, b, self.baseline_df),
            "rmsea": lambda t, b, n: fi.rmsea(t, self.df, self.n, self.n_groups),
        }
        rows = zip(chisq, baseline, n)
        return np.array([[ways[name](*row) for name in self.names] for row in rows])

    def of_result(self, result: SemResult) -> Array:
        """Take the measures from a fit; NaN where one is not available."""
        found = [result.fit_measures.get(name, np.nan) for name in self.names]
        return np.array([np.nan if isinstance(v, Unavailable) else v for v in found], dtype=float)


@dataclass(frozen=True, slots=True)
class Computed:
    """Values of a function of a fit."""

    names: tuple[str, ...]
    function: Callable[[SemResult], object]
    needs_result: bool = True

    def of_tests(self, chisq: Array, baseline: Array, n: Array) -> Array:
        """A function of a fit needs the fit."""
        raise EstimationError("bootstrap: statistics= is a function; it needs whole fits.")

    def of_result(self, result: SemResult) -> Array:
        """Evaluate the function; NaN where it cannot be computed."""
        try:
            return _as_columns(self.function(result))[1]
        except (SuiteError, ArithmeticError, np.linalg.LinAlgError):
            return np.full(len(self.names), np.nan)


def _as_columns(value: object) -> tuple[tuple[str, ...], Array]:
    """Names and numbers of what a function returned."""
    if isinstance(value, Mapping) or hasattr(value, "items"):
        pairs = list(value.items())
        return tuple(str(k) for k, _v in pairs), np.array([v for _k, v in pairs], dtype=float)
    numbers = np.atleast_1d(np.asarray(value, dtype=float))
    if numbers.ndim != 1:
        raise ModelSpecError(
            f"bootstrap: statistics= returned an array of shape {numbers.shape}; a number, a list "
            "of numbers or a dict of numbers is needed. Flatten it."
        )
    if len(numbers) == 1:
        return ("statistic",), numbers
    return tuple(f"statistic_{k + 1}" for k in range(len(numbers))), numbers


def build_statistics(result: SemResult, wanted: Wanted) -> tuple[Measures | Computed, Array]:
    """Prepare the statistics and compute them for the full sample.

    Raises
    ------
    ModelSpecError
        A name is not a fit measure of this result, or the function returns no numbers.
    """
    if callable(wanted):
        try:
            names, values = _as_columns(wanted(result))
        except (TypeError, ValueError) as error:
            if isinstance(error, SuiteError):
                raise
            raise ModelSpecError(
                f"bootstrap: statistics= is a function that failed on the fit itself ({error}); a "
                "number, a list or a dict of numbers is needed. Try it on the result first."
            ) from error
        return Computed(names, wanted), values
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted or ())
    known = result.fit_measures if names else {}
    for name in names:
        if isinstance(known.get(name, Unavailable("", "")), Unavailable | str):
            raise ModelSpecError(
                f"bootstrap: statistics= names '{name}', which is not a fit measure of this "
                f"result;{nearest(str(name), known)} See result.fit_measures for the names."
            )
    base_df = 0 if isinstance(result.baseline, Unavailable) else result.baseline.df
    fast = all(name in FAST for name in names)
    found = Measures(
        names, not fast, result.test.df, base_df, n_for_indices(result), result.n_groups
    )
    return found, np.array([known[name] for name in names], dtype=float)
