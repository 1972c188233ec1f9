"""Hierarchical regression: blocks of predictors entered in steps, on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.diagnostic import het_breuschpagan

from helpers.errors import DataContractError, check_level, listing
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.design import Term, terms_in_use
from helpers.regression.least_squares import (
    LeastSquares,
    estimable,
    fit_least_squares,
    inflation_factors,
    robust_degrees,
)
from helpers.results import CheckResult, Number
from helpers.thresholds import LEVEL, THRESHOLDS


@dataclass(frozen=True, slots=True)
class HierarchicalResult:
    """A regression in steps.

    Attributes
    ----------
    outcome : str
    steps : DataFrame
        One row a step: step, added, r2, adj_r2, delta_r2, f_change, df_added, df_resid, p_change,
        p_robust (Wald test of the added block with HC3), f2 (Cohen, of the added block), aic.
    coefficients : DataFrame
        One row a step and term: step, term, b, se (HC3), df (Bell-McCaffrey), ci_low, ci_high,
        p_value, beta, beta_low, beta_high, vif (of a category: the generalised factor, the same for
        all its columns), code (the term in no language).
    cooks_max, influential_share, largest_shift : float
        Of the last step: largest Cook's distance; share of rows above 4 / n; largest change of a
        standardised slope when those rows are left out.
    breusch_pagan_p : float
    references : tuple of str
        Reference category of each categorical predictor.
    alone : tuple of str
        Terms that rest on one respondent, whose robust errors do not exist (NaN).
    controls : tuple of str
        Terms that are controls, not what the regression is about.
    left_out : tuple of str
        Labels of predictors that have one value in these data, and of categories that nobody
        among the complete rows has.
    n_used, n_dropped : int
        Listwise over the outcome and the predictors of *all* steps.
    level : float
    method : str
    name : str
        Name in ``study.yml``, in no language; empty for one made by hand.
    """

    outcome: str
    steps: pd.DataFrame
    coefficients: pd.DataFrame
    cooks_max: float
    influential_share: float
    largest_shift: float
    breusch_pagan_p: float
    references: tuple[str, ...]
    alone: tuple[str, ...]
    controls: tuple[str, ...]
    left_out: tuple[str, ...]
    n_used: int
    n_dropped: int
    level: float
    method: str
    name: str = ""

    def table(self) -> pd.DataFrame:
        """Return one row a step."""
        return self.steps

    def last(self) -> pd.DataFrame:
        """Return the coefficients of the last step, without the constant."""
        final = self.coefficients["step"] == self.coefficients["step"].max()
        return self.coefficients[final & (self.coefficients["term"] != "const")].reset_index(
            drop=True
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def text(self) -> str:
        """Return one sentence that reads the last step's gain."""
        last = self.steps.iloc[-1]
        return _(
            "The last step raises R² of {outcome} by {delta:.3f} to {r2:.3f} (F({df1}, {df2}) = "
            "{f:.2f}, p {p}; n = {n})."
        ).format(
            outcome=self.outcome,
            delta=last["delta_r2"],
            r2=last["r2"],
            df1=int(last["df_added"]),
            df2=int(last["df_resid"]),
            f=last["f_change"],
            p=spoken_p(last["p_change"]),
            n=self.n_used,
        )

    def numbers(self, name: str) -> list[Number]:
        """Return R² of the last step and its standardised slopes, with definitions."""
        out = [
            Number(
                id=f"r2_{name}",
                value=float(self.steps["r2"].iloc[-1]),
                definition=_("R² of the last step, outcome {outcome}").format(outcome=self.outcome),
                n_used=self.n_used,
                engine="statsmodels",
            )
        ]
        for row in self.last().to_dict("records"):
            out.append(
                Number(
                    id=f"beta_{name}_{row['code']}",
                    value=row["beta"],
                    definition="standardised slope of the last step",
                    ci_low=row["beta_low"],
                    ci_high=row["beta_high"],
                    level=self.level,
                    n_used=self.n_used,
                    method="HC3",
                    engine="statsmodels",
                )
            )
        return out

    def checks(self) -> tuple[CheckResult, ...]:
        """Return collinearity, influence and equal error variance as checks."""
        final = self.last()
        worst = final.loc[final["vif"].idxmax()]
        vif, cook = THRESHOLDS["vif"], THRESHOLDS["cooks_distance"]
        return (
            CheckResult(
                name=_("Collinearity (VIF)"),
                passed=vif.holds(worst["vif"]),
                value=worst["vif"],
                threshold=vif.value,
                source=vif.source,
                text=_("The largest VIF is {value:.2f} ({term}).").format(
                    value=worst["vif"], term=worst["term"]
                ),
            ),
            CheckResult(
                name=_("Influence (Cook's distance)"),
                passed=cook.holds(self.cooks_max),
                value=self.cooks_max,
                threshold=cook.value,
                source=cook.source,
                text=self._influence_text(),
            ),
            CheckResult(
                name=_("Equal error variance (Breusch-Pagan)"),
                passed=None,
                value=self.breusch_pagan_p,
                threshold=None,
                source="Breusch & Pagan (1979), doi:10.2307/1911963",
                text=_("p {p}; the HC3 errors in use do not need equal variances.").format(
                    p=spoken_p(self.breusch_pagan_p)
                ),
            ),
        )

    def _influence_text(self) -> str:
        """Say how far the rows of large Cook's distance carry the slopes."""
        if np.isnan(self.largest_shift):
            text = _(
                "The largest Cook's distance is {value:.3f}; {share:.1%} of the rows lie above "
                "4/n, and without them too few rows are left to fit the model again."
            )
        else:
            text = _(
                "The largest Cook's distance is {value:.3f}; {share:.1%} of the rows lie above "
                "4/n, and without them no standardised slope moves by more than {shift:.2f}."
            )
        return text.format(
            value=self.cooks_max, share=self.influential_share, shift=self.largest_shift
        )


def spoken_p(p: float) -> str:
    """Return a p-value as it stands in a sentence: ``= .012``, ``< .001`` or ``> .999``."""
    if p > 0.999:
        return "> .999"
    return "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".", 1)


@remembered
def hierarchical_regression(
    outcome: pd.Series,
    steps: Sequence[Sequence[Term]],
    *,
    label: str,
    controls: Sequence[str] = (),
    left_out: Sequence[str] = (),
    level: float = LEVEL,
) -> HierarchicalResult:
    """Fit a regression in steps, every step on the rows that are complete for all.

    Parameters
    ----------
    outcome : Series
    steps : sequence of sequences of Term
        Blocks in the order of entry; each step keeps those before.
    label : str
        Name of the outcome in sentences.
    controls : sequence of str
        Names of terms that are controls; their columns are copied into the result.
    left_out : sequence of str
        Labels of predictors that the caller left out; copied into the result.
    level : float
        Confidence level of the intervals.

    Notes
    -----
    ``beta`` is ``b * sd(x) / sd(y)``, with SDs of the rows used, 0/1 columns included; its interval
    is that of b rescaled. Intervals and p-values of single terms take the degrees of freedom of
    Bell and McCaffrey (``robust_degrees``), which are few for a rare category. ``f_change`` is the
    classical F test of the added block, ``p_robust`` its HC3 Wald counterpart.
    ``f2 = delta R2 / (1 - R2)`` (Cohen 1988). Checked against base R: tests/reference/regression.R.
    """
    check_level(level, "hierarchical_regression")
    if not steps or not all(steps):
        raise DataContractError(
            "hierarchical_regression: steps= is empty or has an empty step; at least one predictor "
            "a step is needed."
        )
    names = [name for step in steps for term in step for name in term.columns]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DataContractError(
            f"hierarchical_regression: steps= enter {listing(doubled)} twice; each predictor "
            "enters once. Take it out of one step."
        )
    used, complete, gone = terms_in_use(outcome, steps)
    if not used:
        raise DataContractError(
            f"hierarchical_regression: steps= hold {listing(gone)}, each with one category among "
            f"{int(complete.sum())} complete rows; predictors that vary are needed. Choose others."
        )
    columns = [pd.concat([term.columns for term in step], axis=1) for step in used]
    kept = pd.concat([outcome.rename("__outcome"), *columns], axis=1)[complete]
    y = kept["__outcome"].to_numpy(dtype=float)
    fits: list[LeastSquares] = []
    for upto in range(1, len(columns) + 1):
        names = [str(c) for block in columns[:upto] for c in block.columns]
        fits.append(fit_least_squares(y, kept[names]))
    last_x = kept.drop(columns="__outcome")
    last = fits[-1]
    high = last.cooks > 4 / last.n
    return HierarchicalResult(
        outcome=label,
        steps=_step_table(fits, used),
        coefficients=pd.concat(
            [_coefficients(i, fit, kept, y, used, level) for i, fit in enumerate(fits, start=1)],
            ignore_index=True,
        ).assign(code=lambda table: table["term"].map(_codes(steps))),
        cooks_max=float(np.nanmax(last.cooks)),
        influential_share=float(high.mean()),
        largest_shift=_largest_shift(last, last_x, y, ~high),
        breusch_pagan_p=float(
            het_breuschpagan(last.residuals, np.column_stack([np.ones(last.n), last_x]))[1]
        ),
        references=tuple(
            f"{term.label}: {term.reference}" for step in used for term in step if term.reference
        ),
        alone=last.alone,
        controls=tuple(
            str(column)
            for step in used
            for term in step
            if term.name in controls
            for column in term.columns
        ),
        left_out=(*left_out, *gone),
        n_used=len(kept),
        n_dropped=len(outcome) - len(kept),
        level=level,
        method="OLS, HC3, Bell-McCaffrey; listwise over all steps",
    )


def _codes(steps: Sequence[Sequence[Term]]) -> dict[str, str]:
    """Return column -> name of its variable, with the place of the category where it is one."""
    codes = {"const": "const"}
    for term in (term for step in steps for term in step):
        for k, column in enumerate(term.columns, start=2):
            codes[str(column)] = f"{term.name}_{k}" if term.reference else term.name
    return codes


def _step_table(fits: Sequence[LeastSquares], steps: Sequence[Sequence[Term]]) -> pd.DataFrame:
    """Return fit and gain of each step."""
    rows = []
    before_r2, before_k = 0.0, 1
    for i, (fit, step) in enumerate(zip(fits, steps, strict=True), start=1):
        added = len(fit.terms) - before_k
        delta = fit.r2 - before_r2
        f = delta / added / ((1 - fit.r2) / fit.df_resid)
        _f, p_robust = fit.wald(list(range(before_k, len(fit.terms))))
        rows.append(
            {
                "step": i,
                "added": ", ".join(term.label for term in step),
                "r2": fit.r2,
                "adj_r2": fit.adj_r2,
                "delta_r2": delta,
                "f_change": f,
                "df_added": added,
                "df_resid": fit.df_resid,
                "p_change": float(stats.f.sf(f, added, fit.df_resid)),
                "p_robust": p_robust,
                "f2": delta / (1 - fit.r2),
                "aic": fit.aic,
            }
        )
        before_r2, before_k = fit.r2, len(fit.terms)
    return pd.DataFrame(rows)


def _coefficients(
    step: int,
    fit: LeastSquares,
    kept: pd.DataFrame,
    y: np.ndarray,
    steps: Sequence[Sequence[Term]],
    level: float,
) -> pd.DataFrame:
    """Return the coefficients of one step with robust intervals."""
    x = kept[list(fit.terms[1:])]
    terms = [term for block in steps for term in block]
    owner = {str(c): i for i, term in enumerate(terms) for c in term.columns}
    se, df = fit.se(), robust_degrees(np.column_stack([np.ones(fit.n), x]))
    half = stats.t.ppf((1 + level) / 2, df) * se
    scale = np.r_[np.nan, x.std(ddof=1).to_numpy() / np.std(y, ddof=1)]
    return pd.DataFrame(
        {
            "step": step,
            "term": fit.terms,
            "b": fit.b,
            "se": se,
            "df": df,
            "ci_low": fit.b - half,
            "ci_high": fit.b + half,
            "p_value": 2 * stats.t.sf(np.abs(fit.b / se), df),
            "beta": fit.b * scale,
            "beta_low": (fit.b - half) * scale,
            "beta_high": (fit.b + half) * scale,
            "vif": np.r_[np.nan, inflation_factors(x, [owner[str(c)] for c in x])],
        }
    )


def _largest_shift(fit: LeastSquares, x: pd.DataFrame, y: np.ndarray, keep: np.ndarray) -> float:
    """Return how far a standardised slope moves at most when some rows are left out.

    Terms that cannot be estimated without these rows are not compared. NaN if too few rows remain.
    """
    inside = x[keep]
    varying = estimable(inside)
    if not varying or len(inside) <= len(varying) + 2 or np.ptp(y[keep]) == 0:
        return float("nan")
    again = fit_least_squares(y[keep], inside[varying])
    scale = x.std(ddof=1) / np.std(y, ddof=1)
    before = pd.Series(fit.b[1:], index=list(fit.terms[1:]))
    after = pd.Series(again.b[1:], index=list(again.terms[1:]))
    return float(((after - before) * scale).abs().max())
