"""Measurement: reliability, factor structure and validity of scales."""

from helpers.measurement.adequacy import (
    sampling_adequacy,
    single_factor_share,
    sphericity_test,
)
from helpers.measurement.efa import (
    FactorSolution,
    explore_factors,
    factor_analysis,
    factor_scores,
)
from helpers.measurement.method_bias import adjust_for_marker
from helpers.measurement.recovery import compare_structure
from helpers.measurement.reliability import (
    average_variance_extracted,
    coefficient_alpha,
    composite_reliability,
    describe_items,
    estimate_reliability,
    inter_item_correlations,
    omega_total,
)
from helpers.measurement.retention import minimum_average_partial, parallel_analysis
from helpers.measurement.rotation import rotate
from helpers.measurement.study_factors import (
    StudyFactors,
    explore_study,
    study_htmt,
)
from helpers.measurement.study_scales import (
    StudyCorrelations,
    StudyReliability,
    estimate_study_reliability,
    scale_blocks,
    study_correlations,
)
from helpers.measurement.validity import estimate_htmt, fornell_larcker, htmt_ratios

__all__ = [
    "FactorSolution",
    "StudyCorrelations",
    "StudyFactors",
    "StudyReliability",
    "adjust_for_marker",
    "average_variance_extracted",
    "coefficient_alpha",
    "compare_structure",
    "composite_reliability",
    "describe_items",
    "estimate_htmt",
    "estimate_reliability",
    "estimate_study_reliability",
    "explore_factors",
    "explore_study",
    "factor_analysis",
    "factor_scores",
    "fornell_larcker",
    "htmt_ratios",
    "inter_item_correlations",
    "minimum_average_partial",
    "omega_total",
    "parallel_analysis",
    "rotate",
    "sampling_adequacy",
    "scale_blocks",
    "single_factor_share",
    "sphericity_test",
    "study_correlations",
    "study_htmt",
]
