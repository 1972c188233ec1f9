"""Fit the formulas F1-F7 of a study and hold each against its freer rival."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.regression.formulas import Formula, formulas
from helpers.regression.hierarchical import spoken_p
from helpers.regression.least_squares import compare_nested, fit_least_squares
from helpers.results import CheckResult
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study

Array = NDArray[np.float64]

FOLDS = 10
COLUMNS = (
    "formula", "says", "rival", "n_used", "test", "statistic", "df", "p_value", "aic_formula",
    "aic_rival", "delta_aic", "cv_formula", "cv_rival", "delta_error",
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
    cv_formula, cv_rival : float
        Root mean squared error of prediction, ten folds, seeded.
    weights : DataFrame
        The rival's free weights: term, estimate, ci_low, ci_high, stated (NaN where the formula
        fixes none).
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
    cv_formula: float
    cv_rival: float
    weights: pd.DataFrame
    level: float
    seed: int

    def table(self) -> pd.DataFrame:
        """Return the rival's weights."""
        return self.weights

    def row(self) -> dict[str, Any]:
        """Return the formula's row of the overview."""
        return {
            "formula": self.formula.id, "says": self.formula.says, "rival": self.formula.rival,
            "n_used": self.n_used, "test": "LR" if self.formula.counts else "F",
            "statistic": self.statistic, "df": self.df, "p_value": self.p_value,
            "aic_formula": self.aic_formula, "aic_rival": self.aic_rival,
            "delta_aic": self.aic_rival - self.aic_formula,
            "cv_formula": self.cv_formula, "cv_rival": self.cv_rival,
            "delta_error": self.cv_rival - self.cv_formula,
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
            ours=self.cv_formula,
            theirs=self.cv_rival,
            n=self.n_used,
        )


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
    the same unit and the classical F test holds (counts: likelihood ratio). AIC as R's. Checked
    against base R ``lm``, ``glm`` and ``anova``: tests/reference/regression.R.
    """
    table = data[list(formula.needs)].astype(float).dropna()
    y = formula.outcome(table).to_numpy(dtype=float)
    offset = sum(
        (weight * table[name].to_numpy() for name, weight in formula.fixed.items()),
        start=np.zeros(len(y)),
    )
    stated, freer = formula.stated(table), formula.freer(table)
    if formula.counts:
        fits = [_fit_counts(y, x, level) for x in (stated, freer)]
    else:
        fits = [_fit_linear(y - offset, stated, level), _fit_linear(y, freer, level)]
    ours, theirs = fits
    lacking = Unavailable(_("a test of constraints"), _("the two models are not nested"))
    statistic: float | Unavailable = lacking
    df: int | Unavailable = lacking
    p: float | Unavailable = lacking
    if formula.nested:
        statistic, df, p = _constraint_test(formula, y, offset, stated, freer)
    folds = _folds(len(y), seed)
    predict = _predict_counts if formula.counts else _predict_linear
    return FormulaResult(
        formula=formula,
        n_used=len(y),
        n_dropped=len(data) - len(y),
        statistic=statistic,
        df=df,
        p_value=p,
        aic_formula=ours["aic"],
        aic_rival=theirs["aic"],
        cv_formula=_cv_error(y, stated, offset, folds, predict),
        cv_rival=_cv_error(y, freer, np.zeros(len(y)), folds, predict),
        weights=theirs["weights"].assign(
            stated=[formula.fixed.get(term, np.nan) for term in theirs["weights"]["term"]]
        ),
        level=level,
        seed=seed,
    )


def _fit_linear(y: Array, x: pd.DataFrame, level: float) -> dict[str, Any]:
    """Return AIC and the weights with HC3 intervals; no columns: the constant alone."""
    if x.shape[1] == 0:
        n = len(y)
        ssr = float(((y - y.mean()) ** 2).sum())
        aic = n * (np.log(2 * np.pi * ssr / n) + 1) + 4
        return {"aic": float(aic), "weights": pd.DataFrame()}
    fit = fit_least_squares(y, x)
    half = stats.t.ppf((1 + level) / 2, fit.df_resid) * fit.se()
    return {"aic": fit.aic, "weights": _weights(fit.terms, fit.b, half)}


def _fit_counts(y: Array, x: pd.DataFrame, level: float) -> dict[str, Any]:
    """Return AIC and the weights of a Poisson regression with HC1 intervals."""
    design = sm.add_constant(x.to_numpy(dtype=float))
    fit = sm.GLM(y, design, family=sm.families.Poisson()).fit(cov_type="HC1")
    half = stats.norm.ppf((1 + level) / 2) * fit.bse
    weights = _weights(("const", *x.columns), fit.params, half)
    return {"aic": float(fit.aic), "weights": weights}


def _weights(terms: tuple[str, ...], b: Array, half: Array) -> pd.DataFrame:
    """Return weights with intervals, the constant left out."""
    frame = pd.DataFrame({"term": terms, "estimate": b, "ci_low": b - half, "ci_high": b + half})
    return frame.iloc[1:].reset_index(drop=True)


def _constraint_test(
    formula: Formula, y: Array, offset: Array, stated: pd.DataFrame, freer: pd.DataFrame
) -> tuple[float, int, float]:
    """Return the test of the formula's constraints within its rival."""
    if formula.counts:
        family = sm.families.Poisson()
        fits = [
            sm.GLM(y, sm.add_constant(x.to_numpy(dtype=float)), family=family).fit()
            for x in (stated, freer)
        ]
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


def _folds(n: int, seed: int) -> Array:
    """Return the fold of each row, folds of equal size."""
    return np.random.default_rng(seed).permutation(np.arange(n) % FOLDS)


def _cv_error(
    y: Array,
    x: pd.DataFrame,
    offset: Array,
    folds: Array,
    predict: Callable[[Array, Array, Array], Array],
) -> float:
    """Return the root mean squared error of predicting each fold from the others."""
    design = np.column_stack([np.ones(len(y)), x.to_numpy(dtype=float)])
    errors = np.empty(len(y))
    for fold in range(FOLDS):
        out = folds == fold
        predicted = predict(design[~out], (y - offset)[~out], design[out]) + offset[out]
        errors[out] = y[out] - predicted
    return float(np.sqrt(np.mean(errors**2)))


def _predict_linear(design: Array, y: Array, new: Array) -> Array:
    """Predict by least squares."""
    return new @ np.linalg.lstsq(design, y, rcond=None)[0]


def _predict_counts(design: Array, y: Array, new: Array) -> Array:
    """Predict by Poisson regression."""
    return np.asarray(sm.GLM(y, design, family=sm.families.Poisson()).fit().predict(new))


@dataclass(frozen=True, slots=True)
class FormulaTable:
    """All formulas of a study: results, and reasons where a variable is lacking."""

    results: tuple[FormulaResult, ...]
    lacking: tuple[tuple[str, Unavailable], ...]

    def table(self) -> pd.DataFrame:
        """Return one row a formula; one that cannot be fitted keeps its row with the reason."""
        rows = [result.row() for result in self.results]
        says = {formula.id: formula for formula in formulas()}
        for name, why in self.lacking:
            head = {"formula": name, "says": says[name].says, "rival": says[name].rival}
            rows.append({**dict.fromkeys(COLUMNS, why), **head})
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        return frame.sort_values("formula", ignore_index=True)

    def weights(self) -> pd.DataFrame:
        """Return the rivals' free weights with intervals, beside the weights that formulas fix."""
        parts = [result.weights.assign(formula=result.formula.id) for result in self.results]
        whole = pd.concat(parts, ignore_index=True)
        return whole[["formula", "term", "estimate", "ci_low", "ci_high", "stated"]]

    def checks(self) -> tuple[CheckResult, ...]:
        """Hold each weight that a formula fixes against the interval of the free estimate."""
        fixed = self.weights().dropna(subset="stated")
        return tuple(
            CheckResult(
                name=_("{formula}: weight of {term}").format(formula=w.formula, term=w.term),
                passed=bool(w.ci_low <= w.stated <= w.ci_high),
                value=float(w.estimate),
                threshold=float(w.stated),
                source=_("the formula as the study states it"),
                text=_(
                    "The formula says {stated:.2f}; the free estimate is {value:.3f} ({low:.3f} to "
                    "{high:.3f})."
                ).format(stated=w.stated, value=w.estimate, low=w.ci_low, high=w.ci_high),
            )
            for w in fixed.itertuples()
        )

    def text(self) -> str:
        """Return one sentence on how many rivals predict better than the formula."""
        better = [r.formula.id for r in self.results if r.aic_rival < r.aic_formula]
        return _("By AIC the freer rival does better for {k} of {of} rows: {which}.").format(
            k=len(better), of=len(self.results), which=", ".join(better) or "-"
        )

    def result(self, name: str) -> FormulaResult | Unavailable:
        """Return one formula's result, or the reason that it has none."""
        found = {result.formula.id: result for result in self.results} | dict(self.lacking)
        return found[name]


def study_formulas(
    study: Study, *, level: float = LEVEL, seed: int = 0
) -> FormulaTable | Unavailable:
    """Fit every formula whose variables a study has; ``Unavailable`` if it has none of them."""
    results, lacking = [], []
    for formula in formulas():
        missing = _first_missing(study, formula.needs)
        if missing is None:
            data = pd.DataFrame({name: _variable(study, name) for name in formula.needs})
            results.append(fit_formula(formula, data, level=level, seed=seed))
        else:
            lacking.append((formula.id, missing))
    if not results:
        return Unavailable(
            _("the formulas F1 to F7"), _("the study asks for none of the variables they need")
        )
    return FormulaTable(tuple(results), tuple(lacking))


def _first_missing(study: Study, needs: tuple[str, ...]) -> Unavailable | None:
    """Return the first variable that the study does not offer."""
    for name in needs:
        known = name in study.construct_codes or name in set(study.items["item"])
        if not known:
            return study.offers(f"item:{name}")
    return None


def _variable(study: Study, name: str) -> pd.Series:
    """Return a scale score or an item's answers."""
    table = study.scores if name in study.scores.columns else study.responses
    return pd.to_numeric(table[name]).astype(float)
