"""Planned contrasts between the means of cells: does the recovery match the failure?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from helpers.errors import DataContractError, EstimationError, Unavailable, check_level, listing
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.comparisons import small_sample_factor
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study

MATCH = {
    "first_class": {"11": 1.0, "10": -1.0},
    "second_class": {"01": -1.0, "00": 1.0},
    "match": {"11": 0.5, "10": -0.5, "01": -0.5, "00": 0.5},
}
"""Cells: class of the failure, then class of the measure. Each contrast is a match less a mismatch:
in the first class of failures, in the second, and over both (half the product of the two)."""


@dataclass(frozen=True, slots=True)
class PlannedContrasts:
    """Weighted sums of cell means, stated before the result.

    Attributes
    ----------
    cells : DataFrame
        cell, n, mean, sd, ci_low, ci_high (t interval by the cell's own SD).
    contrasts : DataFrame
        name, estimate, se, df (Welch-Satterthwaite), t, p_value, p_adjusted (Holm), ci_low,
        ci_high (single), joint_low, joint_high (Bonferroni: all hold together at the level), g
        (over the pooled SD of the cells used, small-sample corrected).
    n_used, n_dropped : int
    level : float
    method : str
    """

    cells: pd.DataFrame
    contrasts: pd.DataFrame
    n_used: int
    n_dropped: int
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return one row a contrast."""
        return self.contrasts

    def contrast(self, name: str) -> pd.Series:
        """Return one contrast."""
        return self.contrasts.set_index("name").loc[name]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@remembered
def planned_contrasts(
    values: pd.Series,
    cells: pd.Series,
    contrasts: Mapping[str, Mapping[str, float]],
    *,
    level: float = LEVEL,
) -> PlannedContrasts:
    """Estimate contrasts of cell means without assuming equal variances.

    Parameters
    ----------
    values, cells : Series, same index
        Rows with a blank in either are left out and counted.
    contrasts : mapping of str to mapping
        Weight of each cell used; the weights of a contrast add up to zero.
    level : float

    Notes
    -----
    ``psi = sum(w_c m_c)``, ``se**2 = sum(w_c**2 s_c**2 / n_c)``, df of Welch and Satterthwaite. The
    p-values are adjusted together by Holm, the joint intervals by Bonferroni, so that the chance of
    any false one is at most ``1 - level``. Checked against base R (tests/reference/change.R, 1e-8)
    and, for two cells, against Welch's t test.

    Raises
    ------
    DataContractError
        A contrast names an unknown cell, is empty, its weights do not add up to zero, or a cell has
        fewer than two rows.
    EstimationError
        All cells of a contrast hold the same value throughout.
    """
    check_level(level, "planned_contrasts")
    kept = pd.DataFrame({"value": values.astype(float), "cell": cells}).dropna()
    groups = {str(name): part["value"] for name, part in kept.groupby("cell", observed=True)}
    used = {cell for weights in contrasts.values() for cell in weights}
    thin = sorted(c for c in used if c not in groups or len(groups[c]) < 2)
    unbalanced = [
        name for name, w in contrasts.items()
        if abs(sum(w.values())) > 1e-9 or not any(w.values())
    ]  # fmt: skip
    if not contrasts or thin or unbalanced:
        raise DataContractError(
            f"planned_contrasts: contrasts= {listing(unbalanced) or 'none'} are empty or do not "
            f"add up to zero and the cells {listing(thin) or 'none'} have fewer than two rows; "
            f"known cells are {listing(groups)}. Correct the weights or join cells."
        )
    mean = {c: float(v.mean()) for c, v in groups.items()}
    spread = {c: float(v.var()) / len(v) for c, v in groups.items()}
    df_within = sum(len(groups[c]) - 1 for c in used)
    pooled = np.sqrt(sum((len(groups[c]) - 1) * groups[c].var() for c in used) / df_within)
    rows = []
    for name, weights in contrasts.items():
        estimate = sum(w * mean[c] for c, w in weights.items())
        parts = {c: w**2 * spread[c] for c, w in weights.items()}
        se = float(np.sqrt(sum(parts.values())))
        if se <= 0:
            raise EstimationError(
                f"planned_contrasts: values= never vary within the cells of '{name}'; a spread is "
                "needed to judge a difference. Compare other cells."
            )
        df = se**4 / sum(v**2 / (len(groups[c]) - 1) for c, v in parts.items() if v > 0)
        single, joint = (
            float(stats.t.ppf(1 - (1 - level) / 2 / m, df)) * se for m in (1, len(contrasts))
        )
        rows.append(
            {
                "name": name, "estimate": estimate, "se": se, "df": df, "t": estimate / se,
                "p_value": float(2 * stats.t.sf(abs(estimate / se), df)),
                "ci_low": estimate - single, "ci_high": estimate + single,
                "joint_low": estimate - joint, "joint_high": estimate + joint,
                "g": estimate / pooled * small_sample_factor(df_within),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    adjusted = multipletests(table["p_value"], method="holm")[1]
    table.insert(table.columns.get_loc("p_value") + 1, "p_adjusted", adjusted)
    return PlannedContrasts(
        cells=pd.DataFrame([_cell(c, v, level) for c, v in groups.items()]),
        contrasts=table,
        n_used=len(kept),
        n_dropped=len(values) - len(kept),
        level=level,
        method="Welch-Satterthwaite; Holm, Bonferroni; listwise",
    )


def _cell(name: str, values: pd.Series, level: float) -> dict[str, Any]:
    """Return the description of one cell."""
    n, mean = len(values), float(values.mean())
    sd = float(values.std()) if n > 1 else float("nan")
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * sd / np.sqrt(n) if n > 1 else sd
    low, high = mean - half, mean + half
    return {"cell": name, "n": n, "mean": mean, "sd": sd, "ci_low": low, "ci_high": high}


@dataclass(frozen=True, slots=True)
class Match:
    """Whether measures fit failures, for one outcome.

    Attributes
    ----------
    outcome : str
        Construct or item.
    planned : PlannedContrasts
        Cells ``"11" "10" "01" "00"``: failure in the first class, measure in the first class.
    fine : DataFrame
        failure, measure (codes), n, mean, ci_low, ci_high: every kind of failure and measure.
    failure, measure : str
        Items.
    failure_codes, measure_codes : tuple of int
        The first class of each.
    other_failures, other_measures : tuple of int
        The second class.
    """

    outcome: str
    planned: PlannedContrasts
    fine: pd.DataFrame
    failure: str
    measure: str
    failure_codes: tuple[int, ...]
    measure_codes: tuple[int, ...]
    other_failures: tuple[int, ...]
    other_measures: tuple[int, ...]


def study_match(
    study: Study, hypothesis: str, outcomes: list[str], *, level: float = LEVEL
) -> list[Match] | Unavailable:
    """Contrast matched with mismatched recoveries, by the classes that a hypothesis declares.

    Parameters
    ----------
    study : Study
    hypothesis : str
        Id of a moderation whose test names ``predictor_codes`` (measures) and ``moderator_codes``
        (failures).
    outcomes : list of str
        Constructs or items.
    """
    check_level(level, "study_match")
    from helpers.regression.design import attempt, study_term
    from helpers.regression.study_views import first_missing

    what = _("the match of failure and recovery")
    declared = {h.id: h for h in study.spec.hypotheses}.get(hypothesis)
    tests = [] if declared is None else [t for t in declared.tests if t.predictor_codes]
    if not tests or not tests[0].moderator_codes:
        return Unavailable(what, _("the study states no hypothesis on it with classes of both"))
    lacking = first_missing(study, outcomes)
    if lacking is not None:
        return lacking
    test = tests[0]
    answers = study.responses
    counted = pd.Series(True, index=answers.index)
    if test.only is not None:
        counted = answers[test.only.item].isin(test.only.accept)
    rows = answers.loc[counted, [test.moderator, test.predictor]].dropna()
    failure, measure = rows[test.moderator], rows[test.predictor]
    cells = _class(failure, test.moderator_codes) + _class(measure, test.predictor_codes)
    found = []
    for name in outcomes:
        values = study_term(study, name).columns.iloc[:, 0].loc[rows.index]
        planned = attempt(what, planned_contrasts, values, cells, MATCH, level=level)
        if isinstance(planned, Unavailable):
            return planned
        found.append(
            Match(
                outcome=name, planned=planned, fine=_fine(values, failure, measure, level),
                failure=str(test.moderator), measure=str(test.predictor),
                failure_codes=tuple(test.moderator_codes),
                measure_codes=tuple(test.predictor_codes),
                other_failures=_others(failure, test.moderator_codes),
                other_measures=_others(measure, test.predictor_codes),
            )
        )  # fmt: skip
    return found


def _class(values: pd.Series, codes: list[int]) -> pd.Series:
    """Return ``"1"`` for the codes of the first class and ``"0"`` for others."""
    return values.isin(codes).map({True: "1", False: "0"})


def _others(values: pd.Series, codes: list[int]) -> tuple[int, ...]:
    """Return the codes that occur outside the first class."""
    return tuple(sorted({int(v) for v in values} - set(codes)))


def _fine(values: pd.Series, failure: pd.Series, measure: pd.Series, level: float) -> pd.DataFrame:
    """Return the mean of every kind of failure and measure."""
    table = pd.DataFrame({"failure": failure, "measure": measure, "value": values}).dropna()
    rows = []
    for (first, second), part in table.groupby(["failure", "measure"]):
        own = _cell("", part["value"], level)
        own.pop("cell")
        rows.append({"failure": int(first), "measure": int(second), **own})
    return pd.DataFrame(rows)
