"""Groups: does the measure mean the same in each, and do the paths differ?

The ladder of measurement invariance fits the same model with more and more parameters held equal
over groups: configural, metric (loadings), scalar (and intercepts), strict (and residuals); for
ordered items thresholds come first, see ``helpers.sem.ladder_steps``. Latent means may be compared
once the scalar step holds, structural paths once the metric step holds (Vandenberg & Lance 2000,
doi:10.1177/109442810031002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import (
    DataContractError,
    EstimationError,
    SuiteError,
    Unavailable,
    check_level,
    listing,
)
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.compare import compare
from helpers.sem.fit import fit, model_text
from helpers.sem.ladder_steps import LADDER, check_steps, ladder_of, step_label, step_model
from helpers.sem.result import SemResult
from helpers.thresholds import LEVEL, THRESHOLDS

__all__ = [
    "LADDER", "Invariance", "fit_step", "group_sizes", "invariance", "measure_of",
    "path_differences", "step_difference", "step_label",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Invariance:
    """The ladder of measurement invariance.

    Attributes
    ----------
    steps : dict
        Step -> ``SemResult``, or ``Unavailable`` where the fit failed.
    table : DataFrame
        One row a step: step, chisq, df, p_value, cfi, rmsea, srmr, delta_chisq, delta_df,
        delta_p, delta_cfi, delta_rmsea, delta_srmr, holds. Differences are to the step before.
        ``holds`` is True, False, or None where a verdict is withheld (a fit did not converge or
        is not admissible, or there is no step before).
    group : str
    group_sizes : dict
        Label -> respondents.
    reached : str or None
        The highest step that holds together with all steps below it; None if no verdict.
    """

    steps: dict[str, SemResult | Unavailable]
    table: pd.DataFrame
    group: str
    group_sizes: dict[str, int]
    reached: str | None


@remembered
def invariance(
    model: Any,
    data: pd.DataFrame,
    group: str,
    *,
    estimator: str = "ML",
    missing: str = "listwise",
    steps: Sequence[str] | None = None,
    ordered: bool = False,
    **options: Any,
) -> Invariance:
    """Fit the ladder of measurement invariance.

    Parameters
    ----------
    model : str or model object
        A measurement model in lavaan syntax.
    data : DataFrame
        Items and the grouping column.
    group : str
        Name of the grouping column.
    estimator, missing : str
        As in ``fit``.
    steps : sequence of str, optional
        Steps in rising order, out of ``LADDER`` (or ``ORDINAL_LADDER``); by default all.
    ordered : bool
        Treat all items as ordered categories, estimated by WLSMV: configural, thresholds,
        thresholds and loadings, and intercepts too (Wu & Estabrook 2016).

    Returns
    -------
    Invariance
        A step holds if CFI falls by no more than ``delta_cfi`` and RMSEA rises by no more than
        ``delta_rmsea`` of ``THRESHOLDS`` (Cheung & Rensvold 2002; Chen 2007); the chi-square
        difference is shown beside it.

    Raises
    ------
    DataContractError
        The column is absent, has one value, or a group has fewer people than
        ``THRESHOLDS["group_size"]``.
    EstimationError
        A step is unknown.
    """
    steps = tuple(ladder_of(ordered)) if steps is None else tuple(steps)
    check_steps(steps, ordered=ordered)
    sizes = group_sizes(data, group)
    if ordered:
        estimator, missing = "WLSMV", "listwise"
    call = {"estimator": estimator, "missing": missing, **options}
    fits = {
        step: fit_step(step, model, data, group, ordered=ordered, n_groups=len(sizes), **call)
        for step in steps
    }
    rows: list[dict[str, Any]] = []
    before: SemResult | None = None
    for step, result in fits.items():
        rows.append(_step_row(step, result, before))
        before = result if isinstance(result, SemResult) else None
    return Invariance(fits, pd.DataFrame(rows), group, sizes, _reached(rows))


def group_sizes(data: pd.DataFrame, group: str, *, least: float | None = None) -> dict[str, int]:
    """Count the respondents of each group; too few, or a single group, is an error.

    ``least`` is the smallest size allowed; by default ``THRESHOLDS["group_size"]``.
    """
    if group not in data.columns:
        raise DataContractError(
            f"invariance: group= '{group}' is not a column; name one of "
            f"{listing(c for c in data.columns if data[c].nunique() < 12)}."
        )
    counts = data[group].value_counts(sort=False)
    sizes = {str(k): int(v) for k, v in counts.items() if v > 0}
    least = THRESHOLDS["group_size"].value if least is None else least
    if len(sizes) < 2:
        raise DataContractError(
            f"invariance: group= '{group}' has {len(sizes)} value(s); at least 2 groups are "
            "needed. Choose another grouping."
        )
    small = {k: v for k, v in sizes.items() if v < least}
    if small:
        raise DataContractError(
            f"invariance: group= '{group}' has groups with too few people: "
            f"{listing(f'{k} ({v})' for k, v in small.items())}; at least {least:.0f} are needed "
            "in each. Join groups or leave them out."
        )
    return sizes


@remembered
def fit_step(
    step: str,
    model: Any,
    data: pd.DataFrame,
    group: str,
    *,
    ordered: bool,
    n_groups: int,
    released: Sequence[str] = (),
    **options: Any,
) -> SemResult | Unavailable:
    """Fit one step, with some parameters released; a failure becomes a value with its reason."""
    try:
        written = step_model(
            step, model_text(model), ordered=ordered, n_groups=n_groups, released=released
        )
        two = _two_categories(data, written.options.get("ordered", ()))
        if two and step in ("thresholds", "thresholds_loadings"):
            raise EstimationError(
                f"invariance: ordered= has items with two categories ({listing(two)}), which do "
                "not show thresholds, loadings and intercepts apart. Compare the last step with "
                "the configural one, steps=('configural', 'thresholds_loadings_intercepts')."
            )
        return fit(written.text, data, group=group, **{**options, **written.options})
    except SuiteError as error:
        why = str(error).rstrip(".")
        return Unavailable(_("the {step} model").format(step=step_label(step)), why)


def _two_categories(data: pd.DataFrame, items: Sequence[str]) -> list[str]:
    """Return the ordered items with two categories."""
    return [item for item in items if item in data.columns and data[item].nunique() < 3]


def measure_of(result: SemResult, name: str) -> float:
    """Return a robust or scaled measure where the estimator has one.

    With ordered items the scaled one: lavaan's robust CFI and RMSEA (Savalei 2021) are not defined
    for the steps that free scales, and steps must be compared in one coin.
    """
    found = result.fit_measures
    keys = (f"{name}_scaled", name)
    if not result.table.names.ordered:
        keys = (f"{name}_robust", *keys)
    for key in keys:
        value = found.get(key)
        if isinstance(value, int | float) and np.isfinite(value):
            return float(value)
    return float("nan")


def _step_row(
    step: str, result: SemResult | Unavailable, before: SemResult | None
) -> dict[str, Any]:
    """Return one row of the ladder."""
    names = ("chisq", "df", "cfi", "rmsea", "srmr")
    blank = dict.fromkeys(
        ("delta_chisq", "delta_df", "delta_p", "delta_cfi", "delta_rmsea", "delta_srmr"), np.nan
    )
    if isinstance(result, Unavailable):
        return {"step": step, **dict.fromkeys(names, np.nan), "p_value": np.nan, **blank,
                "holds": None}  # fmt: skip
    row: dict[str, Any] = {"step": step, **{n: measure_of(result, n) for n in names}}
    row |= {"p_value": measure_of(result, "pvalue"), **blank, "holds": None}
    if before is None:
        return row
    return row | step_difference(result, before)


@remembered
def step_difference(result: SemResult, before: SemResult) -> dict[str, Any]:
    """Return what a step costs against a freer one: differences, test and verdict.

    ``holds`` is None where a fit did not converge or is not admissible. The test is scaled where
    the estimator is; it is left out (NaN) where it cannot be given.
    """
    row: dict[str, Any] = {"delta_chisq": np.nan, "delta_df": np.nan, "delta_p": np.nan}
    try:
        test = compare(result, before)
        tested = (test.delta_chisq, test.delta_df, test.p_value)
        row |= {k: v for k, v in zip(row, tested) if not isinstance(v, Unavailable)}
    except EstimationError:  # a search that stopped short of the minimum; no verdict below
        row["delta_df"] = result.test.df - before.test.df
    for name in ("cfi", "rmsea", "srmr"):
        row[f"delta_{name}"] = measure_of(result, name) - measure_of(before, name)
    row["holds"] = None
    if np.isfinite(row["delta_chisq"]) and all(
        r.converged and r.admissible for r in (result, before)
    ):
        row["holds"] = bool(
            THRESHOLDS["delta_cfi"].holds(-row["delta_cfi"])
            and THRESHOLDS["delta_rmsea"].holds(row["delta_rmsea"])
        )
    return row


def _reached(rows: Sequence[dict[str, Any]]) -> str | None:
    """Return the highest step that holds with all steps below it."""
    if len(rows) < 2 or np.isnan(rows[0]["cfi"]) or rows[1]["holds"] is None:
        return None
    reached = rows[0]["step"]
    for row in rows[1:]:
        if row["holds"] is not True:
            break
        reached = row["step"]
    return reached


def path_differences(result: SemResult, *, level: float = LEVEL) -> pd.DataFrame:
    """Compare every structural path between each two groups.

    Parameters
    ----------
    result : SemResult
        A fit with groups and free paths; loadings should be held equal.

    Returns
    -------
    DataFrame
        One row a path and pair of groups: outcome, predictor, group_a, group_b, estimate_a,
        estimate_b, difference, se, ci_low, ci_high, p_value, std_difference. The standard error
        uses the joint covariance of the estimates (Wald test). ``std_difference`` is the
        difference times ``sd(predictor) / sd(outcome)``, standard deviations pooled over groups:
        a difference of slopes, not of spreads (Kim & Ferree 1981,
        doi:10.1177/004912418101000203).
    """
    check_level(level, "path_differences")
    table = result.estimates
    scale = _pooled_deviations(result)
    paths = table[(table["op"] == "~") & (table["free"] > 0)]
    quantile = stats.norm.ppf(0.5 + level / 2)
    rows = []
    for (outcome, predictor), own in paths.groupby(["lhs", "rhs"], sort=False):
        for a, b in combinations(own.itertuples(), 2):
            difference = b.est - a.est
            se = _difference_se(result, int(a.free) - 1, int(b.free) - 1)
            rows.append(
                {
                    "outcome": outcome,
                    "predictor": predictor,
                    "group_a": a.group,
                    "group_b": b.group,
                    "estimate_a": a.est,
                    "estimate_b": b.est,
                    "difference": difference,
                    "se": se,
                    "ci_low": difference - quantile * se,
                    "ci_high": difference + quantile * se,
                    "p_value": 2 * stats.norm.sf(abs(difference / se)) if se > 0 else np.nan,
                    "std_difference": difference * scale[predictor] / scale[outcome],
                }
            )
    return pd.DataFrame(rows)


def _pooled_deviations(result: SemResult) -> dict[str, float]:
    """Return the model's standard deviation of every variable, variances pooled over groups."""
    shares = np.array(result.n_per_group) / result.n_obs
    variance = sum(w * np.diag(s.total) for w, s in zip(shares, result.states))
    return dict(zip(result.model[0].names, np.sqrt(np.maximum(variance, 0.0)).tolist()))


def _difference_se(result: SemResult, a: int, b: int) -> float:
    """Return the standard error of the difference of two free parameters."""
    if isinstance(result.vcov, Unavailable):
        return float("nan")
    variance = result.vcov[a, a] + result.vcov[b, b] - 2 * result.vcov[a, b]
    return float(np.sqrt(max(variance, 0.0)))
