"""Who left, and what was known before: outcome and predictors of the risk a study declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import DataContractError, Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.service_specification import Risk
from helpers.thresholds import THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study

Array = NDArray[np.float64]

BLANK = "blank"
"""Code of the column that marks customers who were not asked, or did not answer."""


@dataclass(frozen=True, slots=True)
class RiskData:
    """Who left, and what was known before.

    Attributes
    ----------
    columns : DataFrame
        One column a number (named by the item or construct), one a category but the first
        (``item=code``), and ``item=blank`` where many were not asked; no respondent ids.
    outcome : array
        1 where the customer left.
    fairness, segments : DataFrame
        Codes of the groupings that the study file names.
    plan : Risk
    n_dropped : int
        Customers whose outcome is unknown.
    """

    columns: pd.DataFrame
    outcome: Array
    fairness: pd.DataFrame
    segments: pd.DataFrame
    plan: Risk
    n_dropped: int

    @property
    def matrix(self) -> Array:
        """Return the columns as numbers, blanks as NaN."""
        return self.columns.to_numpy(dtype=float)

    @property
    def filled(self) -> Array:
        """Return the columns with the median in place of blanks."""
        return self.columns.fillna(self.columns.median()).fillna(0.0).to_numpy(dtype=float)


@passes_unavailable
def read_risk(study: Study) -> RiskData | Unavailable:
    """Return outcome and predictors of the risk that a study declares.

    Raises
    ------
    DataContractError
        The outcome is among the predictors.
    """
    plan = study.spec.service.risk
    if plan is None:
        return Unavailable(_("the risk of leaving"), _("the study file declares none"))
    if plan.outcome.item in plan.predictors:
        raise DataContractError(
            f"read_risk: predictors= hold the outcome '{plan.outcome.item}' itself; only what is "
            "known before may predict. Take it out of service.risk in study.yml."
        )
    answers = _answers(study, plan)
    if isinstance(answers, Unavailable):
        return answers
    kept = answers.notna().to_numpy()
    columns = pd.concat([_columns(study, name) for name in plan.predictors], axis=1)
    return RiskData(
        columns[kept].reset_index(drop=True),
        answers[kept].isin(plan.outcome.accept).to_numpy(dtype=float),
        _codes(study, plan.fairness, kept),
        _codes(study, plan.segments, kept),
        plan,
        int((~kept).sum()),
    )


def _answers(study: Study, plan: Risk) -> pd.Series | Unavailable:
    """Return the outcome's answers in the order of the responses."""
    if plan.module == "main":
        return study.responses[plan.outcome.item]
    module = study.module(plan.module)
    if isinstance(module, Unavailable):
        return module
    own = module.drop_duplicates("respondent_id").set_index("respondent_id")[plan.outcome.item]
    return study.responses["respondent_id"].map(own)


def _columns(study: Study, name: str) -> pd.DataFrame:
    """Return one predictor as columns, with a mark of its own where many answers lack.

    A blank stays blank in every column of a category: it is not taken for the first one.
    """
    if name in study.scores.columns:
        values, kind = study.scores[name], "number"
    else:
        values, kind = study.responses[name], study.scale_of(name).kind
    values = values.astype(float)
    found = {name: values}
    if kind == "category":
        codes = sorted(values.dropna().unique())
        known = values.notna()
        found = {
            f"{name}={code:g}": (values == code).astype(float).where(known) for code in codes[1:]
        }
    if values.isna().sum() >= THRESHOLDS["group_size"].value:
        found[f"{name}={BLANK}"] = values.isna().astype(float)
    return pd.DataFrame(found)


def _codes(study: Study, groupings: list[str], kept: Array) -> pd.DataFrame:
    """Return the codes of groupings."""
    found = {name: study.responses[study.spec.groups[name].item] for name in groupings}
    return pd.DataFrame(found, index=study.responses.index)[kept].reset_index(drop=True)
