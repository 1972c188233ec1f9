"""Fit the formulas F1-F7 of a study and hold each against its freer rival."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, EstimationError, Unavailable, check_level, listing
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.counts import fit_poisson
from helpers.regression.formulas import Formula, formulas
from helpers.regression.hierarchical import spoken_p
from helpers.regression.least_squares import compare_nested, estimable, fit_least_squares
from helpers.regression.prediction import (
    FOLDS,
    CrossValidated,
    Predict,
    Vuong,
    bounds_test,
    cross_validate,
    normal_loglik,
    vuong_test,
)
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

COLUMNS = (
    "formula", "says", "rival", "n_used", "test", "statistic", "df", "p_value", "aic_formula",
    "aic_rival", "delta_aic", "delta_bic", "vuong_z", "vuong_p", "cv_formula", "cv_rival",
    "delta_error", "delta_error_se",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CountTest:
    """The test of constraints on a count whose variance need not equal its mean.

    Attributes
    ----------
    dispersion : float
        Pearson's chi-square of the rival over its degrees of freedom: how many times the variance
        is that of a Poisson count.
    f, p_value : float
        Likelihood ratio per constraint over the dispersion.
    df, df_resid : int
    """

    dispersion: float
    f: float
    df: int
    df_resid: int
    p_value: float

    def text(self) -> str:
        """Return one sentence for the note of a table."""
        return _(
            "The variance of the count is {ratio:.2f} times that of a Poisson count; divided by "
            "it, the test is F({df}, {rest}) = {f:.2f}, p {p}."
        ).format(
            ratio=self.dispersion, df=self.df, rest=self.df_resid, f=self.f,
            p=spoken_p(self.p_value),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FormulaResult:
    """A formula held against its rival.

    Attributes
    ----------
    formula : Formula
    n_used, n_dropped : int
        Listwise over the variables of this formula.
    statistic, p_value : float or Unavailable
        F test (likelihood ratio for counts) of the constraints.
    df : int or Unavailable
        Number of constraints.
    aic_formula, aic_rival : float
        On the same outcome.
    delta_bic : float
        The rival's BIC less the formula's.
    scaled : CountTest or Unavailable
        Of counts: the same test without the assumption that variance and mean are equal.
    vuong : Vuong or Unavailable
        For models that are not nested; above zero the formula is nearer to the data.
    crossed : CrossValidated
        Root mean squared error of prediction, ten folds repeated five times, seeded.
    weights : DataFrame
        The rival's free weights: term, estimate, se, ci_low, ci_high, stated (NaN where the formula
        fixes none), p_stated (robust t test of the stated weight), bound_low, bound_high, p_bounds
        (of "the weight lies between the bounds"; NaN where the formula says none).
    level : float
    seed : int
    """

    formula: Formula
    n_used: int
    n_dropped: int
    statistic: float | Unavailable
    df: int | Unavailable
    p_value: float | Unavailable
    aic_formula: float
    aic_rival: float
    delta_bic: float
    scaled: CountTest | Unavailable
    vuong: Vuong | Unavailable
    crossed: CrossValidated
    weights: pd.DataFrame
    level: float
    seed: int

    def table(self) -> pd.DataFrame:
        """Return the rival's weights."""
        return self.weights

    def row(self) -> dict[str, Any]:
        """Return the formula's row of the overview, in the language of the run."""
        worded = {formula.id: formula for formula in formulas()}.get(self.formula.id, self.formula)
        has_vuong = not isinstance(self.vuong, Unavailable)
        return {
            "formula": self.formula.id, "says": worded.says, "rival": worded.rival,
            "n_used": self.n_used, "test": "LR" if self.formula.counts else "F",
            "statistic": self.statistic, "df": self.df, "p_value": self.p_value,
            "aic_formula": self.aic_formula, "aic_rival": self.aic_rival,
            "delta_aic": self.aic_rival - self.aic_formula, "delta_bic": self.delta_bic,
            "vuong_z": self.vuong.z if has_vuong else self.vuong,
            "vuong_p": self.vuong.p_value if has_vuong else self.vuong,
            "cv_formula": self.crossed.first, "cv_rival": self.crossed.second,
            "delta_error": self.crossed.difference, "delta_error_se": self.crossed.se,
        }  # fmt: skip

    def text(self) -> str:
        """Return one sentence on whether the rival fits better."""
        better = self.aic_rival < self.aic_formula
        if isinstance(self.p_value, Unavailable):
            text = (
                _("{id}: the rival fits better (AIC lower by {gap:.1f}; n = {n}).")
                if better
                else _("{id}: the formula fits at least as well (AIC lower by {gap:.1f}; n = {n}).")
            )
            return text.format(
                id=self.formula.id, gap=abs(self.aic_rival - self.aic_formula), n=self.n_used
            )
        return _(
            "{id}: the formula's constraints are tested with p {p}; the error of prediction is "
            "{ours:.3f} for the formula and {theirs:.3f} for its rival (n = {n})."
        ).format(
            id=self.formula.id,
            p=spoken_p(self.p_value),
            ours=self.crossed.first,
            theirs=self.crossed.second,
            n=self.n_used,
        )


@remembered
def fit_formula(
    formula: Formula, data: pd.DataFrame, *, level: float = LEVEL, seed: int = 0
) -> FormulaResult:
    """Fit a formula and its rival on the same rows.

    Parameters
    ----------
    formula : Formula
    data : DataFrame
        The columns ``formula.needs``; rows with a blank are left out and counted.
    level : float
    seed : int
        Of the folds.

    Notes
    -----
    Weights that the formula fixes are taken off the outcome, so that both sums of squares are in
    the same unit and the classical F test holds (counts: likelihood ratio, and scaled by Pearson's
    dispersion as ``anova`` of a quasi-Poisson fit does; McCullagh & Nelder 1989, section 4.5.1,
    doi:10.1007/978-1-4899-3242-6). AIC as R's. Checked against base R ``lm``, ``glm`` and
    ``anova``: tests/reference/regression.R.
    """
    check_level(level, "fit_formula")
    table = data[list(formula.needs)].astype(float).dropna()
    y = formula.outcome(table).to_numpy(dtype=float)
    _check_rows(formula, table, y)
    offset = sum(
        (weight * table[name].to_numpy() for name, weight in formula.fixed.items()),
        start=np.zeros(len(y)),
    )
    stated, freer = formula.stated(table), formula.freer(table)
    if formula.counts:
        fits = [_fit_counts(y, x) for x in (stated, freer)]
    else:
        fits = [_fit_linear(y - offset, stated), _fit_linear(y, freer)]
    ours, theirs = fits
    lacking = Unavailable(_("a test of constraints"), _("the two models are not nested"))
    statistic: float | Unavailable = lacking
    df: int | Unavailable = lacking
    p: float | Unavailable = lacking
    vuong: Vuong | Unavailable = Unavailable(_("Vuong's test"), _("the two models are nested"))
    if formula.nested:
        statistic, df, p = _constraint_test(formula, y, offset, stated, freer)
    else:
        sizes = {"k_first": ours["k"], "k_second": theirs["k"]}
        vuong = vuong_test(ours["loglik"], theirs["loglik"], **sizes)
    scaled: CountTest | Unavailable = Unavailable(
        _("a test scaled by the dispersion"), _("the outcome is not a count")
    )
    if formula.counts and formula.nested:
        scaled = _count_test(theirs, statistic, df)
    learn = _learn_counts if formula.counts else _learn_linear
    delta_aic = theirs["aic"] - ours["aic"]
    return FormulaResult(
        formula=formula,
        n_used=len(y),
        n_dropped=len(data) - len(y),
        statistic=statistic,
        df=df,
        p_value=p,
        aic_formula=ours["aic"],
        aic_rival=theirs["aic"],
        delta_bic=delta_aic + (np.log(len(y)) - 2) * (theirs["k"] - ours["k"]),
        scaled=scaled,
        vuong=vuong,
        crossed=cross_validate(
            y,
            learn(y, stated, offset),
            learn(y, freer, np.zeros(len(y))),
            seed=seed,
        ),
        weights=_weights(theirs, formula, level),
        level=level,
        seed=seed,
    )


def _check_rows(formula: Formula, table: pd.DataFrame, y: Array) -> None:
    """Refuse too few rows, variables that repeat one another, and counts that are none."""
    freer = formula.freer(table) if len(table) else pd.DataFrame()
    if len(y) < max(2 * FOLDS, freer.shape[1] + 3) or np.ptp(y) == 0:
        raise DataContractError(
            f"fit_formula: data= has {len(y)} complete rows in {listing(formula.needs)} for "
            f"{formula.id}; {2 * FOLDS} rows and an outcome that varies are needed. Leave the "
            "formula out."
        )
    spare = sorted(set(freer.columns) - set(estimable(freer)))
    if spare:
        raise EstimationError(
            f"fit_formula: data= holds {listing(spare)} for {formula.id}, which never vary or are "
            "sums of the others; columns that vary apart are needed. Leave the formula out."
        )
    if formula.counts and ((y < 0).any() or (y != np.floor(y)).any()):
        raise DataContractError(
            f"fit_formula: data= holds values of '{formula.needs[0]}' for {formula.id} that are no "
            "counts from 1 on (the problem that the questionnaire is about); counts are needed. "
            "Correct the column."
        )


def _fit_linear(y: Array, x: pd.DataFrame) -> dict[str, Any]:
    """Return AIC and the weights with HC3 errors; no columns: the constant alone."""
    if x.shape[1] == 0:
        loglik = normal_loglik(y - y.mean())
        return {"aic": float(-2 * loglik.sum() + 4), "loglik": loglik, "k": 1}
    fit = fit_least_squares(y, x)
    return {
        "aic": fit.aic, "loglik": normal_loglik(fit.residuals), "k": len(fit.b),
        "terms": fit.terms, "b": fit.b, "se": fit.se(), "law": stats.t(fit.df_resid),
    }  # fmt: skip


def _fit_counts(y: Array, x: pd.DataFrame) -> dict[str, Any]:
    """Return AIC and the weights of a Poisson regression with HC1 errors."""
    design = sm.add_constant(x.to_numpy(dtype=float))
    fit = fit_poisson(y, design, cov_type="HC1")
    return {
        "aic": float(fit.aic), "loglik": stats.poisson.logpmf(y, fit.fittedvalues),
        "k": len(fit.params), "terms": ("const", *x.columns), "b": np.asarray(fit.params),
        "se": np.asarray(fit.bse), "law": stats.norm(),
        "dispersion": float(fit.pearson_chi2 / fit.df_resid), "df_resid": int(fit.df_resid),
    }  # fmt: skip


def _weights(fit: dict[str, Any], formula: Formula, level: float) -> pd.DataFrame:
    """Return the rival's weights, the constant left out, beside what the formula says of them."""
    half = fit["law"].ppf((1 + level) / 2)
    rows = []
    for term, b, se in list(zip(fit["terms"], fit["b"], fit["se"], strict=True))[1:]:
        stated = formula.fixed.get(term, np.nan)
        low, high = formula.bounds.get(term, (np.nan, np.nan))
        rows.append(
            {
                "term": term, "estimate": float(b), "se": float(se), "ci_low": b - half * se,
                "ci_high": b + half * se, "stated": stated,
                "p_stated": float(2 * fit["law"].sf(abs((b - stated) / se))),
                "bound_low": low, "bound_high": high,
                "p_bounds": bounds_test(b, se, low, high) if np.isfinite(low) else np.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _constraint_test(
    formula: Formula, y: Array, offset: Array, stated: pd.DataFrame, freer: pd.DataFrame
) -> tuple[float, int, float]:
    """Return the test of the formula's constraints within its rival."""
    if formula.counts:
        fits = [fit_poisson(y, sm.add_constant(x.to_numpy(dtype=float))) for x in (stated, freer)]
        df = freer.shape[1] - stated.shape[1]
        lr = float(2 * (fits[1].llf - fits[0].llf))
        return lr, df, float(stats.chi2.sf(lr, df))
    free = fit_least_squares(y, freer)
    if stated.shape[1] == 0:
        rest = y - offset
        ssr, df = float(((rest - rest.mean()) ** 2).sum()), len(free.b) - 1
        f = (ssr - free.ssr) / df / (free.ssr / free.df_resid)
        return float(f), df, float(stats.f.sf(f, df, free.df_resid))
    return compare_nested(fit_least_squares(y - offset, stated), free)


def _count_test(freer: dict[str, Any], ratio: float, df: int) -> CountTest:
    """Return the likelihood ratio scaled by the rival's dispersion (quasi-likelihood)."""
    rest, dispersion = freer["df_resid"], freer["dispersion"]
    f = ratio / df / dispersion
    return CountTest(dispersion, f, df, rest, float(stats.f.sf(f, df, rest)))


def _learn_linear(y: Array, x: pd.DataFrame, offset: Array) -> Predict:
    """Return the function that learns by least squares and predicts."""
    design = np.column_stack([np.ones(len(y)), x.to_numpy(dtype=float)])
    rest = y - offset

    def predict(learn: NDArray[np.bool_], new: NDArray[np.bool_]) -> Array:
        return (
            offset[new] + design[new] @ np.linalg.lstsq(design[learn], rest[learn], rcond=None)[0]
        )

    return predict


def _learn_counts(y: Array, x: pd.DataFrame, offset: Array) -> Predict:
    """Return the function that learns by Poisson regression and predicts; it takes no offset."""
    design = np.column_stack([np.ones(len(y)), x.to_numpy(dtype=float)])

    def predict(learn: NDArray[np.bool_], new: NDArray[np.bool_]) -> Array:
        return np.asarray(fit_poisson(y[learn], design[learn]).predict(design[new]))

    return predict
