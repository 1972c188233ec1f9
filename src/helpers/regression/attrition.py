"""Who answered a later wave, and weights that make up for those who did not."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats
from statsmodels.tools.sm_exceptions import PerfectSeparationError, PerfectSeparationWarning

from helpers.errors import DataContractError, EstimationError, check_level, listing
from helpers.memo import remembered
from helpers.regression.least_squares import estimable
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Attrition:
    """Who answered again, and weights that make up for it.

    Attributes
    ----------
    model : DataFrame
        term, odds_ratio, ci_low, ci_high, p_value: logit of having answered again.
    balance : DataFrame
        term, difference (those who answered less all, in SD), weighted (the same under weights).
    weights : Series
        Share answering over its predicted chance, for those who answered and have all predictors;
        blank for others.
    n_invited, n_answered, n_unknown : int
        ``n_unknown``: with a blank among the predictors.
    effective : float
        ``sum(w)**2 / sum(w**2)``.
    largest : float
        Largest weight.
    level : float
    method : str
    """

    model: pd.DataFrame
    balance: pd.DataFrame
    weights: pd.Series
    n_invited: int
    n_answered: int
    n_unknown: int
    effective: float
    largest: float
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return the logit of having answered."""
        return self.model

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def _logit(y: Array, x: Array) -> Any:
    """Return a logistic regression, or say that the predictors tell who answered completely."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", PerfectSeparationWarning)
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial()).fit()
        except (PerfectSeparationError, PerfectSeparationWarning, RuntimeWarning):
            raise EstimationError(
                "attrition_weights: predictors= tell completely who answered, so that some have "
                "no chance to answer and nobody to stand for them; overlap is needed. Use fewer "
                "predictors."
            ) from None


@remembered
def attrition_weights(
    data: pd.DataFrame, answered: pd.Series, predictors: Sequence[str], *, level: float = LEVEL
) -> Attrition:
    """Return stabilised inverse-probability weights of those who answered a later wave.

    Parameters
    ----------
    data : DataFrame
        Everybody who was invited, with what was known of them at the first wave.
    answered : Series of bool, same index
        A blank is an error: whoever was invited answered or did not.
    predictors : sequence of str
        Numeric columns. Rows with a blank get no weight and are counted.
    level : float

    Notes
    -----
    ``w = mean(answered) / P(answered | x)``, by logistic regression. The weights make up for loss
    that depends on the predictors, not for loss that depends on the later answer itself (Seaman &
    White 2013). Checked against R ``glm`` (tests/reference/change.R, 1e-6).

    References
    ----------
    Seaman & White (2013), doi:10.1177/0962280210395740.
    """
    check_level(level, "attrition_weights")
    absent = [name for name in predictors if name not in data.columns]
    if absent or not predictors or answered.isna().any():
        raise DataContractError(
            f"attrition_weights: predictors= {listing(absent) or 'none'} are lacking in data=, and "
            f"answered= has {int(answered.isna().sum())} blanks; columns of data= and yes or no "
            "for everybody are needed. Correct the call."
        )
    x = data[list(predictors)].astype(float)
    known = x.notna().all(axis=1)
    came = answered.astype(bool)
    y = came[known].to_numpy(dtype=float)
    if y.sum() < len(predictors) + 2 or (1 - y).sum() < len(predictors) + 2:
        raise DataContractError(
            f"attrition_weights: answered= holds {int(y.sum())} who answered and "
            f"{int((1 - y).sum())} who did not; more of both than predictors are needed. Use fewer "
            "predictors."
        )
    spare = sorted(set(predictors) - set(estimable(x[known])))
    if spare:
        raise DataContractError(
            f"attrition_weights: predictors= hold {listing(spare)}, which never vary or are sums "
            "of the others; independent columns are needed. Leave them out."
        )
    spread = x[known].std(ddof=0)
    inside = (x[known] - x[known].mean()) / spread
    fit = _logit(y, inside.to_numpy())
    b, se = np.asarray(fit.params)[1:] / spread, np.asarray(fit.bse)[1:] / spread
    half = stats.norm.ppf((1 + level) / 2) * se
    chance = pd.Series(np.asarray(fit.fittedvalues), index=inside.index)
    weights = (y.mean() / chance).where(came[known]).reindex(data.index)
    own = weights.dropna()
    there = inside.loc[own.index]
    return Attrition(
        model=pd.DataFrame(
            {"term": list(predictors), "odds_ratio": np.exp(b).to_numpy(),
             "ci_low": np.exp(b - half).to_numpy(), "ci_high": np.exp(b + half).to_numpy(),
             "p_value": 2 * stats.norm.sf(np.abs((b / se).to_numpy()))}
        ),
        balance=pd.DataFrame(
            {"term": list(predictors), "difference": there.mean().to_numpy(),
             "weighted": np.average(there.to_numpy(), axis=0, weights=own.to_numpy())}
        ),
        weights=weights,
        n_invited=len(data),
        n_answered=int(came.sum()),
        n_unknown=int((~known).sum()),
        effective=float(own.sum() ** 2 / (own**2).sum()),
        largest=float(own.max()),
        level=level,
        method="logit, Wald intervals; stabilised inverse-probability weights",
    )  # fmt: skip
