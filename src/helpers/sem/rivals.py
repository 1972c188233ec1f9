"""Rival models for the same data: fit side by side, nested differences, equivalence.

Models that imply the same covariances whatever the values of their parameters are equivalent, and
no data can tell them apart (Lee & Hershberger 1990, doi:10.1207/s15327906mbr2503_4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import SuiteError, Unavailable
from helpers.i18n import pick
from helpers.sem.compare import compare
from helpers.sem.fit import fit
from helpers.sem.study_fit import ModelFit, fit_model

if TYPE_CHECKING:
    from helpers.survey.load import Study

SAME_CHISQ = 1e-4
"""Largest chi-square at which a model counts as reproducing a matrix exactly."""

MEASURES = ("chisq", "df", "cfi", "tli", "rmsea", "srmr", "aic", "bic")


@dataclass(frozen=True, slots=True)
class RivalTable:
    """Rival models side by side.

    Attributes
    ----------
    fits : dict
        Title -> ``ModelFit``.
    unavailable : tuple of Unavailable
        Rivals that could not be fitted, with the reasons.
    measures : DataFrame
        One row a model: model, chisq, df, cfi, tli, rmsea, srmr, aic, bic, admissible.
    differences : DataFrame
        One row a nested pair: restricted, free, delta_chisq, delta_df, p_value, method.
    equivalent : tuple of pairs of str
        Titles of models that imply the same covariances.
    """

    fits: dict[str, ModelFit]
    unavailable: tuple[Unavailable, ...]
    measures: pd.DataFrame
    differences: pd.DataFrame
    equivalent: tuple[tuple[str, str], ...]

    @property
    def best(self) -> str | None:
        """Return the admissible model with the smallest BIC, or None."""
        sound = self.measures[self.measures["admissible"]].dropna(subset=["bic"])
        return None if sound.empty else str(sound.loc[sound["bic"].idxmin(), "model"])


def compare_rivals(fits: Sequence[ModelFit | Unavailable]) -> RivalTable:
    """Set rival models side by side.

    Parameters
    ----------
    fits : sequence of ModelFit or Unavailable
        Fitted to the same data with the same estimator.

    Returns
    -------
    RivalTable
        Nested pairs are found by trying (``nested_pair``) and tested by ``helpers.sem.compare``
        (scaled differences for robust estimators).
    """
    fitted = {f.title: f for f in fits if isinstance(f, ModelFit)}
    lost = tuple(f for f in fits if isinstance(f, Unavailable))
    rows = [_measures(title, f) for title, f in fitted.items()]
    columns = ["model", *MEASURES, "admissible"]
    differences, equivalent = [], []
    for (a, fit_a), (b, fit_b) in combinations(fitted.items(), 2):
        if equivalent_fits(fit_a, fit_b):
            equivalent.append((a, b))
        elif (pair := nested_pair(a, fit_a, b, fit_b)) and fit_a.n_known:
            differences.append(_difference(*pair))
    return RivalTable(
        fits=fitted,
        unavailable=lost,
        measures=pd.DataFrame(rows, columns=columns),
        differences=pd.DataFrame(
            [d for d in differences if d],
            columns=["restricted", "free", "delta_chisq", "delta_df", "p_value", "method"],
        ),
        equivalent=tuple(equivalent),
    )


def compare_study_rivals(
    study: Study, *, estimator: str = "MLR", missing: str = "fiml"
) -> dict[str, RivalTable]:
    """Fit every comparison of the study file; the key is its title in the current language.

    A model that stands in several comparisons is fitted once.
    """
    named = [m for c in study.spec.comparisons.values() for m in c.models]
    fits = {
        m: fit_model(study, m, estimator=estimator, missing=missing) for m in dict.fromkeys(named)
    }
    return {
        pick(c.title.model_dump()): compare_rivals([fits[m] for m in c.models])
        for c in study.spec.comparisons.values()
    }


def equivalent_fits(a: ModelFit, b: ModelFit) -> bool:
    """Tell whether two models with equal freedom each reproduce what the other implies."""
    if set(a.result.observed) != set(b.result.observed):
        return False
    same_df = a.result.fit_measures["df"] == b.result.fit_measures["df"]
    return same_df and reproduces(a, b) and reproduces(b, a)


def nested_pair(
    title_a: str, a: ModelFit, title_b: str, b: ModelFit
) -> tuple[str, ModelFit, str, ModelFit] | None:
    """Return (restricted title, fit, free title, fit) if one model is nested in the other.

    Nested means that the freer model can reproduce every covariance matrix that the restricted one
    implies. That is tried out: the freer model is fitted to the matrix that the restricted model
    implies, and reproduces it or not (Bentler & Satorra 2010, doi:10.1037/a0019625).
    """
    if set(a.result.observed) != set(b.result.observed):
        return None
    df_a, df_b = a.result.fit_measures["df"], b.result.fit_measures["df"]
    if df_a > df_b and reproduces(b, a):
        return title_a, a, title_b, b
    if df_b > df_a and reproduces(a, b):
        return title_b, b, title_a, a
    return None


def reproduces(free: ModelFit, restricted: ModelFit) -> bool:
    """Tell whether a model reproduces the covariances that another one implies."""
    implied = next(iter(restricted.result.implied.values()))["cov"]
    try:
        again = fit(free.syntax, sample_cov=implied, n_obs=restricted.result.n_obs)
    except SuiteError:
        return False
    return bool(again.converged and again.fit_measures["chisq"] < SAME_CHISQ)


def _measures(title: str, model: ModelFit) -> dict[str, object]:
    """Return one row of the table of fit measures."""
    found = model.fit_measures
    row: dict[str, object] = {"model": title}
    for name in MEASURES:
        value = found.get(f"{name}_scaled") if name in ("chisq", "df") else None
        value = found.get(f"{name}_robust") if name in ("cfi", "tli", "rmsea") else value
        if not isinstance(value, int | float) or math.isnan(value):
            value = found.get(name)
        row[name] = value if isinstance(value, int | float) else np.nan
    return row | {"admissible": model.trustworthy}


def _difference(
    title: str, restricted: ModelFit, free_title: str, free: ModelFit
) -> dict[str, object] | None:
    """Return one row of the table of nested differences."""
    try:
        test = compare(restricted.result, free.result)
    except SuiteError:
        return None
    if isinstance(test.p_value, Unavailable):
        return None
    return {
        "restricted": title,
        "free": free_title,
        "delta_chisq": test.delta_chisq,
        "delta_df": test.delta_df,
        "p_value": test.p_value,
        "method": test.method,
    }
