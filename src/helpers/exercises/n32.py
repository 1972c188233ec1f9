"""Right answers of notebook 32."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise("32-1", hint="MLR corrects standard errors and tests; what does it do to the estimates?")
def _same_estimates(names: Names) -> Any:
    return 0.0


@exercise("32-2", hint="Compare result.n_obs of both fits.", decimals=0)
def _lost(names: Names) -> Any:
    fitted = names["fitted"].result
    study = names["lesson"].study
    if not study.has_rows:
        return 0
    complete = study.responses[list(fitted.observed)].notna().all(axis=1)
    return int(fitted.n_obs - complete.sum())


@exercise("32-3", hint="Square the loading; the rest is not accounted for.")
def _rest(names: Names) -> Any:
    return 0.64
