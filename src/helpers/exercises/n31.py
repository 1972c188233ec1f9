"""Right answers of notebook 31."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise
from helpers.measurement.efa import factor_analysis


@exercise("31-1", hint="Call factor_analysis with one factor less, and look at communalities.")
def _fewer(names: Names) -> Any:
    found = names["found"]
    solution = factor_analysis(
        found.correlations.corr,
        n_factors=max(found.n_factors - 1, 1),
        extraction=names["extraction"],
        rotation="none",
    )
    return float(solution.communalities.min())


@exercise("31-2", hint="Think of what an orthogonal rotation does to the factors.")
def _orthogonal(names: Names) -> Any:
    return 0.0


@exercise("31-3", hint="With uncorrelated factors the communality is the sum of squared loadings.")
def _share(names: Names) -> Any:
    return 0.49
