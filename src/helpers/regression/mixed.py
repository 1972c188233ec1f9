"""Mixed models for nested data: people within platforms, outcomes within people."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from helpers.errors import DataContractError, EstimationError, listing
from helpers.memo import remembered
from helpers.thresholds import LEVEL


@dataclass(frozen=True, slots=True)
class MixedModel:
    """A linear model with a random intercept.

    Attributes
    ----------
    outcome, group : str
    fixed : DataFrame
        term (``"const"`` first), b, se, z, p_value, ci_low, ci_high (Wald, normal).
    variance_between, variance_within : float
        Of the random intercept and of the residual, given the predictors.
    icc : float
        Share of the outcome's variance that lies between groups, without predictors.
    icc_left : float
        The same given the predictors.
    design_effect : float
        ``1 + (m - 1) icc`` with m the mean group size: by how much the variance of a mean of the
        outcome is larger than with independent rows.
    lr, p_value : float
        Likelihood ratio of the random intercept given the predictors (ML); half the chi-square(1)
        tail, as the variance cannot be below zero.
    n_groups, n_used, n_dropped : int
    smallest, largest : int
        Group sizes.
    level : float
    method : str
    """

    outcome: str
    group: str
    fixed: pd.DataFrame
    variance_between: float
    variance_within: float
    icc: float
    icc_left: float
    design_effect: float
    lr: float
    p_value: float
    n_groups: int
    n_used: int
    n_dropped: int
    smallest: int
    largest: int
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return the fixed effects."""
        return self.fixed

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@remembered
@remembered
def mixed_model(
    data: pd.DataFrame,
    outcome: str,
    predictors: Sequence[str],
    group: str,
    *,
    level: float = LEVEL,
) -> MixedModel:
    """Fit a random intercept by restricted maximum likelihood (REML).

    Parameters
    ----------
    data : DataFrame
        Long form: one row an observation. Rows with a blank in any column used are left out and
        counted.
    outcome : str
    predictors : sequence of str
        Numeric columns; may be empty.
    group : str
        Column that says to which group (platform, person) a row belongs.
    level : float

    Raises
    ------
    DataContractError
        A column is missing, or there are fewer than two groups or no group with two rows.
    EstimationError
        The likelihood was not maximised.

    Notes
    -----
    statsmodels ``MixedLM``, checked against R ``lme4::lmer`` (tests/reference/importance.R, 1e-4:
    both stop short of the maximum by their own tolerance). With few groups the variance between
    them is known badly and normal intervals of predictors that vary between groups are too
    narrow; fixed effects of the groups (0/1 columns) are then the sounder way.

    References
    ----------
    Snijders & Bosker (2012), Multilevel analysis, 2nd edition.
    Self & Liang (1987), doi:10.1080/01621459.1987.10478472, for the test at the boundary.
    """
    names = [outcome, *predictors, group]
    absent = [name for name in names if name not in data.columns]
    if absent:
        raise DataContractError(
            f"mixed_model: data= lacks {listing(absent)}; its columns are "
            f"{listing(list(data.columns))}. Correct the names."
        )
    kept = data[names].dropna()
    sizes = kept[group].value_counts()
    if len(sizes) < 2 or sizes.max() < 2 or len(kept) <= len(predictors) + 3:
        raise DataContractError(
            f"mixed_model: group= '{group}' makes {len(sizes)} groups of at most "
            f"{int(sizes.max()) if len(sizes) else 0} rows; two groups and groups with several "
            "rows are needed. Use an ordinary regression."
        )
    y = kept[outcome].astype(float).to_numpy()
    x = sm.add_constant(kept[list(predictors)].astype(float).to_numpy(), has_constant="add")
    labels = kept[group].to_numpy()
    fit = _fit(y, x, labels, reml=True)
    empty = _fit(y, np.ones((len(y), 1)), labels, reml=True)
    lr = max(0.0, 2 * (_fit(y, x, labels, reml=False).llf - sm.OLS(y, x).fit().llf))
    b, se = np.asarray(fit.fe_params), np.asarray(fit.bse_fe)
    half = stats.norm.ppf((1 + level) / 2) * se
    share = _share(empty)
    return MixedModel(
        outcome=outcome,
        group=group,
        fixed=pd.DataFrame(
            {
                "term": ["const", *predictors], "b": b, "se": se, "z": b / se,
                "p_value": 2 * stats.norm.sf(np.abs(b / se)),
                "ci_low": b - half, "ci_high": b + half,
            }
        ),
        variance_between=float(np.asarray(fit.cov_re)[0, 0]),
        variance_within=float(fit.scale),
        icc=share,
        icc_left=_share(fit),
        design_effect=1 + (float(sizes.mean()) - 1) * share,
        lr=lr,
        p_value=float(stats.chi2.sf(lr, 1) / 2) if lr > 0 else 1.0,
        n_groups=len(sizes),
        n_used=len(kept),
        n_dropped=len(data) - len(kept),
        smallest=int(sizes.min()),
        largest=int(sizes.max()),
        level=level,
        method="REML, Wald intervals; listwise",
    )  # fmt: skip


def _share(fit: Any) -> float:
    """Return the share of variance between groups."""
    between = float(np.asarray(fit.cov_re)[0, 0])
    return between / (between + float(fit.scale))


def _fit(y: np.ndarray, x: np.ndarray, labels: np.ndarray, *, reml: bool) -> Any:
    """Fit one random intercept; a variance of zero between groups is an answer, not a failure."""
    with warnings.catch_warnings(record=True):  # judged below by what they warn of
        fit = MixedLM(y, x, groups=labels).fit(reml=reml, method=["bfgs", "powell"], maxiter=500)
    at_zero = float(np.asarray(fit.cov_re)[0, 0]) < 1e-6 * float(fit.scale)
    if not (fit.converged or at_zero):
        raise EstimationError(
            "mixed_model: the likelihood of data= was not maximised; a variance between groups "
            "that is nearly zero is a common cause. Use an ordinary regression with 0/1 columns "
            "of the groups."
        )
    return fit


def long_outcomes(data: pd.DataFrame, outcomes: Sequence[str], keep: Sequence[str]) -> pd.DataFrame:
    """Return several outcomes of each row below each other: person, outcome, value, and ``keep``.

    Each outcome but the first also gets a 0/1 column of its own name.
    """
    wide = data.reset_index(drop=True)
    parts = []
    for name in outcomes:
        part = wide[list(keep)].assign(person=np.arange(len(wide)), outcome=name, value=wide[name])
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    for name in outcomes[1:]:
        table[name] = (table["outcome"] == name).astype(float)
    return table
