"""Right answers of notebook 92."""

from __future__ import annotations

import math
from typing import Any

from helpers.errors import Unavailable
from helpers.exercises.registry import Names, exercise
from helpers.sem.study_fit import fit_model
from helpers.survey.simulate.recovery import recovery_of_paths


@exercise("92-1", hint="Five of a hundred intervals of 95% miss.")
def _misses(names: Names) -> Any:
    return 2


@exercise("92-2", hint="All of them cover: multiply the single probabilities.")
def _all(names: Names) -> Any:
    return math.exp(40 * math.log(0.95))


@exercise("92-3", hint="See the column covered of the table of recovered paths.")
def _missed_paths(names: Names) -> Any:
    study = names["lesson"].study
    again = fit_model(study, "structural", estimator="MLR", missing="fiml")
    if isinstance(again, Unavailable):
        return again
    return int((~recovery_of_paths(again.estimates, study.truth)["covered"].astype(bool)).sum())
