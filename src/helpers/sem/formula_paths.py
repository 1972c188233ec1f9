"""F5 with latent variables: the same two paths free of measurement error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, check_level
from helpers.i18n import _
from helpers.regression.design import Term, attempt
from helpers.regression.hierarchical import hierarchical_regression
from helpers.sem.fit import fit
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study


@dataclass(frozen=True, slots=True)
class LatentFormula:
    """Standardised slopes among scale scores beside standardised paths among latent variables.

    Attributes
    ----------
    paths : DataFrame
        outcome, predictor (constructs), beta, beta_low, beta_high (least squares, HC3), latent,
        latent_low, latent_high (MLR, FIML).
    trustworthy : bool
        Whether the latent model converged to an admissible solution.
    n_used : int
    level : float
    """

    paths: pd.DataFrame
    trustworthy: bool
    n_used: int
    level: float


def study_latent_formula(
    study: Study,
    *,
    outcomes: tuple[str, ...] = ("RSAT", "LOY"),
    predictors: tuple[str, ...] = ("REC", "SEV"),
    level: float = LEVEL,
) -> LatentFormula | Unavailable:
    """Fit linear formulas among constructs once with scores and once with latent variables.

    A construct with facets is measured by the first item of each. The errors of the outcomes may
    correlate, so that each keeps its own regression. Slopes among scores are too small where scales
    are unreliable; the difference between the columns is what the scales lose. What these
    respondents do not allow (items that repeat one another) is ``Unavailable``.
    """
    check_level(level, "study_latent_formula")
    for name in (*outcomes, *predictors):
        lacking = study.offers(f"construct:{name}")
        if lacking is not None:
            return lacking
    measured = {name: _indicators(study, name) for name in (*outcomes, *predictors)}
    thin = [name for name, items in measured.items() if len(items) < 3]
    if thin:
        return Unavailable(
            _("the formula with latent variables"),
            _("{construct} has fewer than three items").format(construct=thin[0]),
        )
    what = _("the formula with latent variables")
    return attempt(what, _both_ways, study, measured, outcomes, predictors, level)


def _both_ways(
    study: Study,
    measured: Mapping[str, Sequence[str]],
    outcomes: Sequence[str],
    predictors: Sequence[str],
    level: float,
) -> LatentFormula:
    """Fit the formulas among latent variables and among scores."""
    lines = [f"{name} =~ {' + '.join(items)}" for name, items in measured.items()]
    lines += [f"{outcome} ~ {' + '.join(predictors)}" for outcome in outcomes]
    lines += [f"{a} ~~ {b}" for i, a in enumerate(outcomes) for b in outcomes[i + 1 :]]
    result = fit("\n".join(lines), study.responses, estimator="MLR", missing="fiml")
    latent = result.standardized
    latent = latent[latent["op"] == "~"].set_index(["lhs", "rhs"])
    rows = []
    for outcome in outcomes:
        terms = [Term(p, p, study.scores[[p]].astype(float)) for p in predictors]
        own = hierarchical_regression(study.scores[outcome], [terms], label=outcome, level=level)
        slopes = own.last().set_index("term")
        for predictor in predictors:
            path, slope = latent.loc[(outcome, predictor)], slopes.loc[predictor]
            rows.append(
                {
                    "outcome": outcome, "predictor": predictor, "beta": slope["beta"],
                    "beta_low": slope["beta_low"], "beta_high": slope["beta_high"],
                    "latent": path["est_std"], "latent_low": path["ci_low"],
                    "latent_high": path["ci_high"],
                }
            )  # fmt: skip
    trustworthy = bool(result.converged and result.admissible)
    return LatentFormula(pd.DataFrame(rows), trustworthy, int(result.n_used), level)


def _indicators(study: Study, name: str) -> list[str]:
    """Return the items that measure a construct."""
    facets = {c.code: c.facets for c in study.spec.constructs}[name]
    items = study.items
    if facets:
        return [items.loc[items["construct"] == f, "item"].iloc[0] for f in facets]
    return items.loc[items["construct"] == name, "item"].tolist()
