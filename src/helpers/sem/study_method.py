"""Method bias of a study's structural model: marker, method factor, corrected scale means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, SuiteError, Unavailable
from helpers.i18n import _
from helpers.measurement.method_bias import MarkerAdjustment, adjust_for_marker, path_coefficients
from helpers.sem.marker_phases import marker_sensitivity, reliability_parts
from helpers.sem.method_factors import marker_models, method_paths
from helpers.sem.method_results import (
    MarkerModels,
    MarkerSensitivity,
    MethodPaths,
    ReliabilityParts,
)
from helpers.sem.syntax import Syntax, parse

if TYPE_CHECKING:
    from helpers.survey.load import Study


@dataclass(frozen=True, slots=True)
class StudyMarker:
    """The marker variable of a study: code and items."""

    code: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarkerPaths:
    """Paths among scale means, before and after the marker correction.

    Attributes
    ----------
    adjustment : MarkerAdjustment
    paths : DataFrame
        One row a path: outcome, predictor, scores, scores_adjusted, scores_adjusted_high
        (standardised regression weights from the three correlation matrices).
    """

    adjustment: MarkerAdjustment
    paths: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return one row a path."""
        return self.paths


def study_marker(study: Study) -> StudyMarker | Unavailable:
    """Return the construct whose role in the study file is ``marker``."""
    what = _("a marker variable")
    if not study.has_rows:
        return Unavailable(what, _("the study is a published matrix without respondents"))
    named = [c.code for c in study.spec.constructs if c.role == "marker"]
    for code in named:
        items = study.items_of(code)
        if len(items) > 1:
            return StudyMarker(code, tuple(items))
    return Unavailable(what, _("the study asked no construct that theory leaves unrelated"))


def study_marker_models(
    study: Study, model: str, *, missing: str = "listwise"
) -> MarkerModels | Unavailable:
    """Run the CFA marker technique on the latents of one of the study's models."""
    marker = study_marker(study)
    if isinstance(marker, Unavailable):
        return marker
    specification = study.model(model)
    if isinstance(specification, Unavailable):
        return specification
    try:
        return marker_models(
            specification.syntax,
            study.responses,
            marker=marker.code,
            marker_items=marker.items,
            missing=missing,
        )
    except SuiteError as error:
        return Unavailable(_("the CFA marker technique"), str(error))


def study_reliability_parts(
    steps: MarkerModels | Unavailable,
) -> ReliabilityParts | Unavailable:
    """Decompose the reliability of the constructs: phase II of the CFA marker technique."""
    what = _("reliability decomposed by the CFA marker technique")
    usable = _usable(steps, what)
    return usable if isinstance(usable, Unavailable) else reliability_parts(usable)


def study_marker_sensitivity(
    study: Study, steps: MarkerModels | Unavailable, *, missing: str = "listwise"
) -> MarkerSensitivity | Unavailable:
    """Hold stronger method loadings: phase III of the CFA marker technique."""
    what = _("correlations under stronger method loadings")
    usable = _usable(steps, what)
    if isinstance(usable, Unavailable):
        return usable
    if usable.constructs < 2:
        return Unavailable(what, _("the model has only one construct beside the marker"))
    return marker_sensitivity(usable, study.responses, missing=missing)


def _usable(steps: MarkerModels | Unavailable, what: str) -> MarkerModels | Unavailable:
    """Return phase I if the later ones can build on it, or why they cannot."""
    if isinstance(steps, Unavailable):
        return steps
    if steps.models["baseline"].trustworthy and steps.models[steps.chosen].trustworthy:
        return steps
    return Unavailable(
        what, _("the baseline model or the one with method loadings has no admissible solution")
    )


def study_method_paths(
    study: Study, model: str, *, missing: str = "listwise"
) -> MethodPaths | Unavailable:
    """Return every path of a structural model without and with a method factor."""
    specification = study.model(model)
    if isinstance(specification, Unavailable):
        return specification
    marker = study_marker(study)
    lacking = isinstance(marker, Unavailable)
    try:
        return method_paths(
            specification.syntax,
            study.responses,
            marker=marker if isinstance(marker, Unavailable) else marker.code,
            marker_items=() if isinstance(marker, Unavailable) else marker.items,
            missing=missing,
        )
    except SuiteError as error:
        what = _("a latent method factor") if lacking else _("models with a method factor")
        return Unavailable(what, str(error))


def study_marker_paths(
    study: Study, model: str, *, rule: str = "smallest"
) -> MarkerPaths | Unavailable:
    """Correct the scale means of a structural model's variables for the marker.

    A latent variable is the mean of its observed items (respondents who answered all of them); an
    observed variable of a path stands for itself. The paths are regressions among these scores, so
    that they are attenuated by measurement error, unlike those of the latent model.
    """
    marker = study_marker(study)
    if isinstance(marker, Unavailable):
        return marker
    specification = study.model(model)
    if isinstance(specification, Unavailable):
        return specification
    syntax = parse(specification.syntax)
    equations = structural_equations(syntax)
    scores = _scores(study, syntax, equations)
    scores[marker.code] = study.responses[list(marker.items)].mean(axis=1, skipna=False)
    try:
        adjusted = adjust_for_marker(scores, marker=marker.code, rule=rule)
        return MarkerPaths(adjusted, _score_paths(adjusted, equations))
    except DataContractError as error:
        return Unavailable(_("the marker correction"), str(error))


def structural_equations(syntax: Syntax) -> dict[str, list[str]]:
    """Return outcome -> predictors of a model's ``~`` lines."""
    out: dict[str, list[str]] = {}
    for term in syntax.terms:
        if term.op == "~":
            out.setdefault(term.lhs, []).append(term.rhs)
    return out


def _scores(study: Study, syntax: Syntax, equations: Mapping[str, list[str]]) -> pd.DataFrame:
    """Return the mean of the items of every variable in the equations; blanks give a blank."""
    blocks: dict[str, list[str]] = {}
    for term in syntax.terms:
        if term.op == "=~":
            blocks.setdefault(term.lhs, []).append(term.rhs)
    names = dict.fromkeys([*equations, *(p for own in equations.values() for p in own)])
    order = [t.lhs for t in syntax.terms if t.op == "=~" and t.lhs in names]
    columns = {name: _items_of(name, blocks) for name in dict.fromkeys([*order, *names])}
    return pd.DataFrame(
        {name: study.responses[own].mean(axis=1, skipna=False) for name, own in columns.items()}
    )


def _items_of(name: str, blocks: Mapping[str, list[str]]) -> list[str]:
    """Return the observed items below a variable; of a second-order latent, all its facets'."""
    if name not in blocks:
        return [name]
    return [item for part in blocks[name] for item in _items_of(part, blocks)]


def _score_paths(adjusted: MarkerAdjustment, equations: Mapping[str, list[str]]) -> pd.DataFrame:
    """Return standardised regression weights before and after the correction."""
    plain = path_coefficients(adjusted.corr, equations)
    matrices = {
        "scores_adjusted": adjusted.adjusted,
        "scores_adjusted_high": adjusted.adjusted_high,
    }
    frame = pd.DataFrame(
        {
            "outcome": [o for o, _p in plain],
            "predictor": [p for _o, p in plain],
            "scores": np.array(list(plain.values())),
        }
    )
    for name, matrix in matrices.items():
        weights = path_coefficients(matrix, equations)
        frame[name] = [weights[pair] for pair in plain]
    return frame
