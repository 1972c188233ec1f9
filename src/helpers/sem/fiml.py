"""Incomplete data by full-information maximum likelihood: the moments side.

Public names of the files beside it: grouping of rows by pattern, the likelihood with its
derivatives, and the saturated model. None of them knows a model.
"""

from __future__ import annotations

from helpers.sem.fiml_likelihood import (
    Derivatives,
    casewise_scores,
    derivatives,
    expected_information,
    gradient,
    loglik,
    observed_information,
    vech_positions,
)
from helpers.sem.fiml_patterns import MissingPatterns, missing_patterns
from helpers.sem.fiml_saturated import SaturatedMoments, saturated_em

__all__ = [
    "Derivatives",
    "MissingPatterns",
    "SaturatedMoments",
    "casewise_scores",
    "derivatives",
    "expected_information",
    "gradient",
    "loglik",
    "missing_patterns",
    "observed_information",
    "saturated_em",
    "vech_positions",
]
