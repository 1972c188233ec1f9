"""The formulas F1-F7 of a whole study: which hold, and which cannot be fitted and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, check_level
from helpers.i18n import _
from helpers.regression.design import attempt
from helpers.regression.formula_fit import COLUMNS, FormulaResult, fit_formula
from helpers.regression.formulas import formulas
from helpers.regression.hierarchical import spoken_p
from helpers.results import CheckResult
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study


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
        return whole[["formula", *(c for c in whole.columns if c != "formula")]]

    def checks(self) -> tuple[CheckResult, ...]:
        """Hold each weight that a formula fixes against the interval of the free estimate."""
        fixed = self.weights().dropna(subset="stated")
        bounded = self.weights().dropna(subset="bound_low")
        inside = tuple(
            CheckResult(
                name=_("{formula}: bounds of the weight of {term}").format(
                    formula=w.formula, term=w.term
                ),
                passed=bool(w.p_bounds > 1 - LEVEL),
                value=float(w.estimate),
                threshold=None,
                source="Silvapulle & Sen (2005)",
                text=_(
                    "The formula says {low:g} to {high:g}; the free estimate is {value:.3f}; p {p} "
                    "of the bounds (chi-bar-square)."
                ).format(low=w.bound_low, high=w.bound_high, value=w.estimate,
                         p=spoken_p(w.p_bounds)),
            )
            for w in bounded.itertuples()
        )  # fmt: skip
        return inside + tuple(
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
        """Return one sentence on which rivals do better by likelihood."""
        aic = [r.formula.id for r in self.results if r.aic_rival < r.aic_formula]
        bic = [r.formula.id for r in self.results if r.delta_bic < 0]
        return _(
            "Of {of} comparisons, the rival does better by AIC in {k} ({which}), by BIC, which "
            "charges more for every free weight, in {m} ({those})."
        ).format(
            of=len(self.results), k=len(aic), which=", ".join(aic) or _("none"), m=len(bic),
            those=", ".join(bic) or _("none"),
        )  # fmt: skip

    def result(self, name: str) -> FormulaResult | Unavailable:
        """Return one formula's result, or the reason that it has none."""
        found = {result.formula.id: result for result in self.results} | dict(self.lacking)
        return found[name]


def study_formulas(
    study: Study, *, level: float = LEVEL, seed: int = 0
) -> FormulaTable | Unavailable:
    """Fit every formula whose variables a study has; ``Unavailable`` if it has none of them."""
    check_level(level, "study_formulas")
    results, lacking = [], []
    for formula in formulas():
        missing = _first_missing(study, formula.needs)
        if missing is None:
            data = pd.DataFrame({name: _variable(study, name) for name in formula.needs})
            what = _("the formula {id}").format(id=formula.id)
            found = attempt(what, fit_formula, formula, data, level=level, seed=seed)
            if isinstance(found, Unavailable):
                lacking.append((formula.id, found))
            else:
                results.append(found)
        else:
            lacking.append((formula.id, missing))
    if not results:
        return Unavailable(
            _("the formulas F1 to F7"),
            _("the study asks for none of the variables they need, or too few answered them"),
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
