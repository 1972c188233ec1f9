"""Models of later purchases: counts, and amounts in two parts, with weights and robust errors."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats
from statsmodels.discrete.truncated_model import TruncatedLFNegativeBinomialP

from helpers.errors import DataContractError, EstimationError, check_level, listing
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

SPARE = 10
"""Rows that a regression needs beyond its coefficients."""

POWER = 1.5
"""Variance power of the Tweedie model: between counts (1) and amounts without zeros (2)."""

_FAR = 10.0
"""Change of the log outcome by one standard deviation beyond which a fit runs off to infinity."""

_DISPERSED = 1e-6
"""Dispersion below which a negative binomial is a Poisson model."""


@dataclass(frozen=True, slots=True)
class CountModel:
    """A regression of a count.

    Attributes
    ----------
    terms : DataFrame
        term, ratio (of rates), ci_low, ci_high, p_value; the intercept is the rate where all
        predictors are 0.
    dispersion : float
        ``a`` of ``var = mu + a mu**2``; 0 where the counts are no more spread than Poisson's.
    lr, p_poisson : float
        Likelihood-ratio test that ``a`` is 0, on the edge of what is possible (half the p).
    rivals : DataFrame
        model (``poisson``, ``negative_binomial``, ``hurdle``), parameters, loglik, aic, bic,
        zeros (share of zeros the model expects); without weights. NaN where a fit failed.
    zeros : float
        Observed share of zeros.
    n_used, n_dropped : int
    level : float
    method : str
    """

    terms: pd.DataFrame
    dispersion: float
    lr: float
    p_poisson: float
    rivals: pd.DataFrame
    zeros: float
    n_used: int
    n_dropped: int
    level: float
    method: str

    @property
    def best(self) -> str:
        """Return the rival with the smallest BIC."""
        return str(self.rivals.loc[self.rivals["bic"].idxmin(), "model"])


def count_model(
    count: pd.Series,
    predictors: pd.DataFrame,
    *,
    exposure: float = 1.0,
    weights: pd.Series | None = None,
    level: float = LEVEL,
) -> CountModel:
    """Regress a count on predictors: negative binomial, log link, robust errors.

    Parameters
    ----------
    count : Series, shape (n,)
        Whole numbers from 0.
    predictors : DataFrame, same index
        Numeric columns. Rows with a blank anywhere are left out and counted.
    exposure : float
        Length of the period, as in months: the intercept is then a rate of one unit.
    weights : Series, optional
        Of customers; the dispersion is estimated without them.
    level : float

    Raises
    ------
    DataContractError
        Something that is no count, counts that are all alike, or too few rows.
    EstimationError
        A predictor tells some counts without error, so that its ratio has no finite estimate.

    Notes
    -----
    The dispersion is the maximum-likelihood estimate of an unweighted fit; given it, coefficients
    solve the weighted score equations and have sandwich errors (HC0), so that they stay right
    where the spread does not follow the model. The hurdle model joins a logit of any purchase with
    a negative binomial cut off at zero (Mullahy 1986). Checked against R ``MASS::glm.nb``,
    ``sandwich`` and ``pscl::hurdle`` (tests/reference/lifecycle.R).

    References
    ----------
    Mullahy (1986), doi:10.1016/0304-4076(86)90002-3.
    """
    check_level(level, "count_model")
    y, x, w, dropped = _rows(count, predictors, weights, "count_model")
    if (y % 1).any() or y.min() < 0:
        raise DataContractError(
            "count_model: count= holds values that are no whole numbers from 0; counts are needed. "
            "Take amount_model for amounts."
        )
    if np.ptp(y) == 0:
        raise DataContractError(
            f"count_model: count= is {y[0]:g} for all {len(y)} customers; counts that differ are "
            "needed. Choose another outcome."
        )
    offset = np.full(len(y), np.log(exposure))
    _settled(sm.GLM(y, x, family=sm.families.Poisson(), offset=offset), x, list(predictors))
    with warnings.catch_warnings():  # a rival that cannot be fitted is blank in the table
        warnings.simplefilter("ignore")
        rivals, dispersion, lr = _rivals(y, x, offset)
    family = _count_family(dispersion)
    terms = _terms(y, x, w, family, list(predictors), level, offset=offset)
    return CountModel(
        terms, dispersion, lr, float(stats.chi2.sf(lr, 1) / 2) if lr > 0 else 1.0, rivals,
        float((y == 0).mean()), len(y), dropped, level,
        "negative binomial (NB2), sandwich errors (HC0)" + _weighted_words(weights),
    )  # fmt: skip


def amount_model(
    amount: pd.Series,
    predictors: pd.DataFrame,
    *,
    weights: pd.Series | None = None,
    level: float = LEVEL,
) -> tuple[pd.DataFrame, int, int]:
    """Regress an amount that is zero for many: any, how much, and both in one.

    Parameters
    ----------
    amount : Series, shape (n,)
        Not negative.
    predictors, weights, level
        As in ``count_model``.

    Returns
    -------
    (DataFrame, int, int)
        Columns part (``any``: odds ratio of a logit; ``size``: ratio of the mean among those above
        zero, gamma with log link; ``whole``: ratio of the mean of all, Tweedie with log link),
        term, ratio, ci_low, ci_high, p_value, n_used. Then rows used and left out. A part that says
        nothing is left out: everybody bought, too few did, those who did are alike in a predictor,
        or a predictor tells it without error.

    Raises
    ------
    DataContractError
        A negative amount, too few rows, or no part that can be estimated.

    Notes
    -----
    Sandwich errors (HC0), which hold whatever the spread about the mean is. Checked against R
    ``glm`` with ``sandwich`` and ``statmod::tweedie`` (tests/reference/lifecycle.R).
    """
    check_level(level, "amount_model")
    y, x, w, dropped = _rows(amount, predictors, weights, "amount_model")
    if y.min() < 0:
        raise DataContractError(
            f"amount_model: amount= goes down to {y.min():g}; amounts from 0 are needed. Book "
            "returns apart."
        )
    some = y > 0
    log = sm.families.links.Log()
    plans = [
        ("any", some.astype(float), np.full(len(y), True), sm.families.Binomial()),
        ("size", y, some, sm.families.Gamma(link=log)),
        ("whole", y, np.full(len(y), True), sm.families.Tweedie(link=log, var_power=POWER)),
    ]
    parts = []
    for part, values, kept, family in plans:
        if kept.sum() < x.shape[1] + SPARE or np.ptp(values[kept]) == 0:
            continue  # everybody bought, or too few did: that part says nothing
        if np.linalg.matrix_rank(x[kept]) < x.shape[1]:
            continue  # those who bought are all alike in a predictor
        try:
            found = _terms(values[kept], x[kept], w[kept], family, list(predictors), level)
        except EstimationError:
            continue
        parts.append(found.assign(part=part, n_used=int(kept.sum())))
    if not parts:
        raise DataContractError(
            f"amount_model: amount= is above 0 for {int(some.sum())} of {len(y)} customers, and no "
            "part of it can be regressed on the predictors. Take fewer predictors."
        )
    return pd.concat(parts, ignore_index=True), len(y), dropped


def _rows(
    outcome: pd.Series, predictors: pd.DataFrame, weights: pd.Series | None, function: str
) -> tuple[Array, Array, Array, int]:
    """Return outcome, design with a constant, weights of mean 1, and how many rows had a blank."""
    given = pd.Series(1.0, index=outcome.index) if weights is None else weights
    table = predictors.astype(float).assign(_y=outcome, _w=given).astype(float)
    kept = table.dropna()
    width = predictors.shape[1] + 1
    if len(kept) < width + SPARE:
        raise DataContractError(
            f"{function}: {len(kept)} complete rows for {width} coefficients; at least "
            f"{width + SPARE} are needed. Take fewer predictors."
        )
    x = np.column_stack([np.ones(len(kept)), kept[list(predictors)].to_numpy()])
    if np.linalg.matrix_rank(x) < width:
        raise DataContractError(
            f"{function}: predictors= {list(predictors)} hold a constant or repeat each other; "
            "columns that tell customers apart are needed. Leave one out."
        )
    w = kept["_w"].to_numpy()
    return kept["_y"].to_numpy(), x, w / w.mean(), len(table) - len(kept)


def _terms(
    y: Array, x: Array, w: Array, family: Any, names: list[str], level: float,
    *, offset: Array | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return exponentiated coefficients of a weighted GLM with sandwich errors."""
    fit = _settled(sm.GLM(y, x, family=family, var_weights=w, offset=offset), x, names)
    mu = np.asarray(fit.mu)
    slope = 1 / family.link.deriv(mu)
    spread = family.variance(mu)
    bread = np.linalg.inv((x * (w * slope**2 / spread)[:, None]).T @ x)
    scores = x * (w * (y - mu) * slope / spread)[:, None]
    b = np.asarray(fit.params)
    variance = np.diag(bread @ (scores.T @ scores) @ bread)
    if not (variance > 0).all():
        raise _runs_off(names)
    se = np.sqrt(variance)
    half = stats.norm.ppf((1 + level) / 2) * se
    return pd.DataFrame(
        {"term": ["(intercept)", *names], "ratio": np.exp(b), "ci_low": np.exp(b - half),
         "ci_high": np.exp(b + half), "p_value": 2 * stats.norm.sf(np.abs(b / se))}
    )  # fmt: skip


def _settled(model: Any, x: Array, names: list[str]) -> Any:
    """Fit a GLM, or say which predictor lets it run off to infinity."""
    try:
        with warnings.catch_warnings():  # what they warn of is told below
            warnings.simplefilter("ignore")
            fit = model.fit(tol=1e-10, tol_criterion="params", maxiter=200)
        steep = np.abs(np.asarray(fit.params)[1:]) * x[:, 1:].std(axis=0)
        far = [name for name, size in zip(names, steep, strict=True) if not size < _FAR]
    except np.linalg.LinAlgError:
        far = names
    if far:
        raise _runs_off(far)
    return fit


def _runs_off(names: list[str]) -> EstimationError:
    """Say which predictors have no finite estimate."""
    return EstimationError(
        f"count_model, amount_model: predictors= {listing(names)}: an outcome is told without "
        "error, so that a ratio has no finite estimate. Leave the predictor out."
    )


def _count_family(dispersion: float) -> Any:
    """Return the negative-binomial family, or Poisson's where there is no dispersion."""
    if dispersion < _DISPERSED:
        return sm.families.Poisson()
    return sm.families.NegativeBinomial(alpha=dispersion)


def _rivals(y: Array, x: Array, offset: Array) -> tuple[pd.DataFrame, float, float]:
    """Return Poisson, negative binomial and hurdle side by side, the dispersion, and its test."""
    scaled = _scaled(x)  # the same model, which the optimiser can climb whatever the units
    poisson = sm.Poisson(y, scaled, offset=offset).fit(disp=0)
    mu = np.asarray(poisson.predict())
    rows = [_rival("poisson", poisson.llf, x.shape[1], len(y), float(np.exp(-mu).mean()))]
    # more spread than Poisson's? otherwise the likelihood has its top at zero dispersion
    rough = float((((y - mu) ** 2 - mu) / mu**2).mean())
    dispersion, lr = 0.0, 0.0
    if ((y - mu) ** 2 - y).sum() > 0:
        start = np.r_[np.asarray(poisson.params), max(rough, 0.01)]
        model = sm.NegativeBinomial(y, scaled, loglike_method="nb2", offset=offset)
        fit = model.fit(start_params=start, method="bfgs", maxiter=500, gtol=1e-8, disp=0)
        dispersion = max(0.0, float(np.asarray(fit.params)[-1]))
        lr = max(0.0, float(2 * (fit.llf - poisson.llf)))
        rows.append(_negative_binomial(fit, dispersion, x.shape[1] + 1, len(y)))
        rows.append(_hurdle(y, scaled, offset, np.asarray(fit.params)))
    return pd.DataFrame(rows), dispersion, lr


def _scaled(x: Array) -> Array:
    """Return a design with every column but the constant in standard deviations about its mean."""
    columns = x[:, 1:]
    return np.column_stack([x[:, 0], (columns - columns.mean(axis=0)) / columns.std(axis=0)])


def _negative_binomial(fit: Any, dispersion: float, k: int, n: int) -> dict[str, object]:
    """Return the negative binomial's row."""
    mu = np.asarray(fit.predict())
    none = np.exp(-mu) if dispersion < _DISPERSED else (1 + dispersion * mu) ** (-1 / dispersion)
    return _rival("negative_binomial", fit.llf, k, n, float(none.mean()))


def _hurdle(y: Array, x: Array, offset: Array, start: Array) -> dict[str, object]:
    """Return the hurdle model's row; without numbers where a part cannot be fitted."""
    some = y > 0
    spare = min(some.sum(), (~some).sum())
    parameters = 2 * x.shape[1] + 1
    if spare < x.shape[1]:
        return _rival("hurdle", float("nan"), parameters, len(y), float("nan"))
    try:
        any_ = sm.GLM(some.astype(float), x, family=sm.families.Binomial())
        any_ = _settled(any_, x, ["" for _column in x.T[1:]])
    except EstimationError:
        return _rival("hurdle", float("nan"), parameters, len(y), float("nan"))
    model = TruncatedLFNegativeBinomialP(y[some], x[some], offset=offset[some], p=2)
    size = model.fit(start_params=start, method="bfgs", maxiter=500, disp=0)
    both = float(any_.llf + size.llf) if size.mle_retvals["converged"] else float("nan")
    return _rival("hurdle", both, parameters, len(y), float((~some).mean()))


def _rival(name: str, loglik: float, k: int, n: int, zeros: float) -> dict[str, object]:
    """Return one row of the comparison."""
    return {
        "model": name, "parameters": k, "loglik": float(loglik), "aic": 2 * k - 2 * float(loglik),
        "bic": k * float(np.log(n)) - 2 * float(loglik), "zeros": zeros,
    }  # fmt: skip


def _weighted_words(weights: pd.Series | None) -> str:
    """Return what a method says of weights."""
    return "" if weights is None else ", weighted"
