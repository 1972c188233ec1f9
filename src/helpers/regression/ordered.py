"""Ordered logit for a single item, with the check of proportional odds (Brant 1990)."""

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
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.tools.sm_exceptions import PerfectSeparationError, PerfectSeparationWarning

from helpers.errors import DataContractError, EstimationError, Unavailable, check_level, listing
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.least_squares import estimable
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

GRADIENT, NO_END = 1e-4, 50.0
"""Largest element of the gradient per row that counts as a maximum; and the standard error, per SD
of a predictor in log odds, from which on the likelihood is flat: the slope has no end."""


@dataclass(frozen=True, slots=True)
class OrderedLogit:
    """A proportional-odds model of one ordered item.

    Attributes
    ----------
    outcome : str
    coefficients : DataFrame
        term, b (log odds of a higher answer), se, z, p_value, odds_ratio, ci_low, ci_high (of the
        odds ratio).
    thresholds : DataFrame
        between (``"1|2"``), value: log odds at which the answer passes, all predictors zero.
    brant : DataFrame or Unavailable
        term, chi2, df, p_value; the first row, term ``""``, tests all slopes jointly.
    top_share : DataFrame
        term, at_low, at_high: mean chance of the highest answer when the term is set one SD below
        and above its mean for everybody (0/1 terms: at 0 and 1), the others as they are.
    log_likelihood, mcfadden, lr, p_value : float
        Against the model of thresholds alone.
    df, n_used, n_dropped : int
    level : float
    method : str
    """

    outcome: str
    coefficients: pd.DataFrame
    thresholds: pd.DataFrame
    brant: pd.DataFrame | Unavailable
    top_share: pd.DataFrame
    log_likelihood: float
    mcfadden: float
    lr: float
    p_value: float
    df: int
    n_used: int
    n_dropped: int
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return one row a predictor."""
        return self.coefficients

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@remembered
def ordered_logit(
    data: pd.DataFrame, outcome: str, predictors: Sequence[str], *, level: float = LEVEL
) -> OrderedLogit:
    """Fit ``log odds(y > j) = x b - threshold_j`` to an item with at least three categories.

    Parameters
    ----------
    data : DataFrame
        Rows with a blank in any column used are left out and counted.
    outcome : str
        Ordered codes; categories that nobody chose do not exist for the model.
    predictors : sequence of str
        Numeric columns.
    level : float
        Of the Wald intervals.

    Raises
    ------
    DataContractError
        A column is missing or twice, the outcome has fewer than three categories, or rows are too
        few.
    EstimationError
        Predictors are collinear, or the likelihood has no maximum (a predictor that tells
        categories apart completely).

    Notes
    -----
    statsmodels ``OrderedModel``; checked against R ``MASS::polr`` and ``ordinal::clm``, Brant's
    test against its formula written in R (tests/reference/importance.R). Brant's test compares the
    slopes of the separate logits of ``y > j``; in large samples it also finds departures that do
    not matter.

    References
    ----------
    McCullagh (1980), doi:10.1111/j.2517-6161.1980.tb01109.x.
    Brant (1990), doi:10.2307/2532457.
    """
    check_level(level, "ordered_logit")
    y, x, dropped = _ordered_rows(data, outcome, predictors)
    spread = x.std(ddof=0).to_numpy()
    centre = x.mean().to_numpy()
    scaled = (x.to_numpy() - centre) / spread
    with warnings.catch_warnings(record=True):  # judged below by what they warn of
        fit = OrderedModel(y, scaled, distr="logit").fit(
            method="bfgs", maxiter=1000, disp=False, gtol=1e-8
        )
        errors = np.asarray(fit.bse)[: x.shape[1]]
    slope = np.abs(fit.model.score(fit.params)).max() / len(y)
    if not slope < GRADIENT or not (errors < NO_END).all():
        raise EstimationError(
            f"ordered_logit: outcome= '{outcome}' has no maximum of the likelihood that can be "
            f"reached (gradient {slope:.1e} a row); categories that a predictor tells apart "
            "completely are a common cause. Leave predictors out or join categories."
        )
    k = x.shape[1]
    b, se = fit.params[:k] / spread, errors / spread
    half = stats.norm.ppf((1 + level) / 2) * se
    passes = np.asarray(fit.model.transform_threshold_params(fit.params)[1:-1])
    codes = np.unique(y)
    null = _null_likelihood(y)
    lr = 2 * (fit.llf - null)
    return OrderedLogit(
        outcome=outcome,
        coefficients=pd.DataFrame(
            {
                "term": list(predictors), "b": b, "se": se, "z": b / se,
                "p_value": 2 * stats.norm.sf(np.abs(b / se)), "odds_ratio": np.exp(b),
                "ci_low": np.exp(b - half), "ci_high": np.exp(b + half),
            }
        ),
        thresholds=pd.DataFrame(
            {
                "between": [f"{a:g}|{c:g}" for a, c in zip(codes[:-1], codes[1:], strict=True)],
                "value": passes + centre @ b,
            }
        ),
        brant=brant_test(y, x),
        top_share=_top_share(x, b, float(passes[-1] + centre @ b)),
        log_likelihood=float(fit.llf),
        mcfadden=float(1 - fit.llf / null),
        lr=float(lr),
        p_value=float(stats.chi2.sf(lr, k)),
        df=k,
        n_used=len(y),
        n_dropped=dropped,
        level=level,
        method="maximum likelihood, Wald intervals; listwise",
    )  # fmt: skip


def _ordered_rows(
    data: pd.DataFrame, outcome: str, predictors: Sequence[str]
) -> tuple[Array, pd.DataFrame, int]:
    """Return codes of the outcome, the predictors, and the number of incomplete rows."""
    names = [outcome, *predictors]
    absent = [name for name in names if name not in data.columns]
    if absent or not predictors or len(set(names)) < len(names):
        raise DataContractError(
            f"ordered_logit: outcome= and predictors= are {listing(names)}; different columns of "
            f"data= are needed ({listing(list(data.columns))}). Correct the names."
        )
    kept = data[[outcome, *predictors]].astype(float).dropna()
    y, x = kept[outcome].to_numpy(), kept[list(predictors)]
    categories, flat = len(np.unique(y)), [c for c in x.columns if x[c].nunique() < 2]
    if categories < 3 or flat or len(y) < 10 * (categories + x.shape[1]):
        raise DataContractError(
            f"ordered_logit: outcome= '{outcome}' has {categories} categories in {len(y)} complete "
            f"rows, constant predictors: {listing(flat) or 'none'}; at least 3 categories, ten "
            "rows a parameter and predictors that vary are needed. Use a logit for two categories."
        )
    spare = sorted(set(predictors) - set(estimable(x)))
    if spare:
        raise EstimationError(
            f"ordered_logit: predictors= hold {listing(spare)}, sums of the others; independent "
            "columns are needed. Leave them out."
        )
    return y, x, len(data) - len(kept)


def _null_likelihood(y: Array) -> float:
    """Return the log-likelihood of the shares of the categories."""
    counts = np.unique(y, return_counts=True)[1]
    return float((counts * np.log(counts / len(y))).sum())


def _top_share(x: pd.DataFrame, b: Array, last: float) -> pd.DataFrame:
    """Return the mean chance of the highest answer at two values of each predictor."""
    rows = []
    for j, name in enumerate(x.columns):
        rest = x.to_numpy() @ b - x[name].to_numpy() * b[j]
        ends = (x[name].mean() - x[name].std(), x[name].mean() + x[name].std())
        if set(x[name].unique()) <= {0.0, 1.0}:
            ends = (0.0, 1.0)
        low, high = (float(np.mean(1 / (1 + np.exp(last - rest - b[j] * v)))) for v in ends)
        rows.append({"term": name, "at_low": low, "at_high": high})
    return pd.DataFrame(rows)


def brant_test(y: Array, x: pd.DataFrame) -> pd.DataFrame | Unavailable:
    """Test whether the slopes of all logits ``y > j`` are equal; one row jointly, one a predictor.

    Wald test of ``b_1 = b_j`` with Brant's covariance of the separate logits,
    ``(X'W_jX)^-1 X'W_jlX (X'W_lX)^-1`` and ``W_jl = pi_l (1 - pi_j)`` for ``j <= l``.
    """
    cuts = np.unique(y)[:-1]
    if len(cuts) < 2:
        return Unavailable(_("Brant's test"), _("the item has two categories only"))
    design = sm.add_constant(x.to_numpy(dtype=float), has_constant="add")
    logits = [_binary(np.asarray(y > cut, dtype=float), design) for cut in cuts]
    if any(fit is None for fit in logits):
        return Unavailable(
            _("Brant's test"), _("a predictor tells two categories apart completely")
        )
    if len(x) <= len(cuts) * (x.shape[1] + 1):
        return Unavailable(_("Brant's test"), _("the rows are too few for separate logits"))
    slopes = np.array([fit[0] for fit in logits])  # type: ignore[index]
    chance = [fit[1] for fit in logits]  # type: ignore[index]
    inverse = [np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design) for p in chance]
    m, k = len(cuts), x.shape[1]
    cov = np.empty((m, k, m, k))
    for j in range(m):
        for other in range(j, m):
            weight = chance[other] * (1 - chance[j])
            block = inverse[j] @ ((design * weight[:, None]).T @ design) @ inverse[other]
            cov[j, :, other, :] = block[1:, 1:]
            cov[other, :, j, :] = block[1:, 1:].T
    contrast = np.column_stack([np.ones(m - 1), -np.eye(m - 1)])
    if np.linalg.eigvalsh(cov.reshape(m * k, m * k))[0] <= 0:
        return Unavailable(
            _("Brant's test"), _("the covariance of the separate logits is not positive definite")
        )
    rows = [_wald("", slopes[:, 1:], cov, contrast, list(range(k)))]
    for i, name in enumerate(x.columns):
        rows.append(_wald(str(name), slopes[:, 1:], cov, contrast, [i]))
    return pd.DataFrame(rows)


def _binary(y: Array, design: Array) -> tuple[Array, Array] | None:
    """Return coefficients and chances of one logit, or None if the classes are separated."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", PerfectSeparationWarning)
        try:
            fit = sm.GLM(y, design, family=sm.families.Binomial()).fit(tol=1e-12)
        except (PerfectSeparationError, PerfectSeparationWarning):
            return None
    return np.asarray(fit.params), np.asarray(fit.fittedvalues)


def _wald(
    term: str, slopes: Array, cov: NDArray[np.float64], contrast: Array, columns: list[int]
) -> dict[str, Any]:
    """Return the Wald test that the slopes of some predictors are equal over the logits."""
    m, own = len(slopes), len(columns)
    wide = np.kron(contrast, np.eye(own))
    b = slopes[:, columns].ravel()
    v = cov[:, columns][:, :, :, columns].reshape(m * own, m * own)
    gap = wide @ b
    chi2 = float(gap @ np.linalg.solve(wide @ v @ wide.T, gap))
    df = len(gap)
    return {"term": term, "chi2": chi2, "df": df, "p_value": float(stats.chi2.sf(chi2, df))}
