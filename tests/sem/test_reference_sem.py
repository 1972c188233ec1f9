"""Reference: every number of ``helpers.sem.fit`` against lavaan 0.6-14.

The cases (model, data recipe, keyword arguments, numbers) are written by
``tests/reference/sem_*.R``; see ``tests/reference/README.md``.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

NEEDS = {
    "test_estimates": "estimates",
    "test_standard_errors": "estimates",
    "test_standardised_values": "estimates",
    "test_fit_measures": "estimates",
}
"""What each test reads of a case; it runs on the cases that store it."""

ESTIMATE = 3e-5  # or that share of a standard error above 1: flat maxima end searches early
ESTIMATE_ORDINAL = 1e-3  # the polychorics below carry 1e-4 into every estimate
STANDARD_ERROR = 1e-4  # relative; second derivatives at estimates that differ by ESTIMATE
STANDARD_ERROR_ORDINAL = 1e-3
CHI_SQUARE = 1e-5  # relative
CHI_SQUARE_ORDINAL = 1e-3
INDEX = 1e-5  # absolute, for measures on the scale of 0 to 1
INDEX_ORDINAL = 1e-4
LIKELIHOOD = 1e-8  # relative; flat at its maximum, so far closer than the estimates

NOT_COMPARED = {"logl", "unrestricted_logl", "aic", "bic", "bic2"}
"""Likelihood measures, compared apart under ``LIKELIHOOD``."""

CORE = {
    "npar", "chisq", "df", "pvalue", "cfi", "tli", "rmsea", "rmsea_ci_lower", "rmsea_ci_upper",
    "rmsea_pvalue", "srmr", "baseline_chisq", "baseline_df", "logl", "aic", "bic",
    "chisq_scaled", "df_scaled", "pvalue_scaled", "chisq_scaling_factor", "cfi_scaled",
    "tli_scaled", "rmsea_scaled", "cfi_robust", "tli_robust", "rmsea_robust",
}  # fmt: skip
"""Measures that must be present wherever lavaan has them."""


def expected_table(case: dict[str, Any]) -> pd.DataFrame:
    """Return lavaan's estimates, one row a parameter, indexed by lhs, op, rhs, group number."""
    table = pd.DataFrame(case["estimates"], columns=case["estimates_columns"])
    table.loc[table["op"] == ":=", "rhs"] = ""
    return table.set_index(["lhs", "op", "rhs", "group"])


def our_table(result: Any, case: dict[str, Any]) -> pd.DataFrame:
    """Return our estimates under the same index; covariances are found in both directions."""
    table = result.estimates.copy()
    labels = [str(g) for g in case.get("group_labels") or []]
    number = {label: k for k, label in enumerate(labels, start=1)}
    defined = table["op"] == ":="
    table["group"] = [number.get(str(g), 1) for g in table["group"]]
    table.loc[defined, "group"], table.loc[defined, "rhs"] = 0, ""
    flipped = table[(table["op"] == "~~") & (table["lhs"] != table["rhs"])]
    flipped = flipped.rename(columns={"lhs": "rhs", "rhs": "lhs"})
    both = pd.concat([table, flipped], ignore_index=True)
    return both.set_index(["lhs", "op", "rhs", "group"])


def aligned(result: Any, case: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return lavaan's and our rows in the same order; a row of lavaan missing here is a failure."""
    theirs, ours = expected_table(case), our_table(result, case)
    missing = theirs.index.difference(ours.index)
    assert missing.empty, f"not in our table: {list(missing)[:5]}"
    return theirs, ours.loc[theirs.index]


def assert_close(
    theirs: pd.Series, ours: pd.Series, *, atol: float | np.ndarray = 0.0, rtol: float = 0.0
) -> None:
    """Compare two columns and show the worst rows."""
    a = pd.to_numeric(theirs).to_numpy(float)
    b = pd.to_numeric(ours, errors="coerce").to_numpy(float)
    known = np.isfinite(a)
    gap = np.abs(a - b) - atol - rtol * np.abs(a)
    bad = known & ~(gap <= 0)
    order = [k for k in np.argsort(-np.nan_to_num(gap, nan=np.inf)) if bad[k]][:6]
    lines = [f"{theirs.index[k]}: lavaan {a[k]:.8g}, ours {b[k]:.8g}" for k in order]
    assert not bad.any(), f"{bad.sum()} of {known.sum()} differ:\n" + "\n".join(lines)


def test_estimates(case: dict[str, Any], fitted: Any) -> None:
    """Every parameter of lavaan's table, in every group, with ``:=``."""
    theirs, ours = aligned(fitted(case), case)
    tolerance = ESTIMATE_ORDINAL if case["ordinal"] else ESTIMATE
    error = pd.to_numeric(theirs["se"], errors="coerce").fillna(0.0).to_numpy()
    assert_close(
        theirs["est"], ours["est"], atol=tolerance * np.maximum(1.0, error), rtol=tolerance
    )


def test_standard_errors(case: dict[str, Any], fitted: Any) -> None:
    """Standard errors under the information and correction lavaan takes by default."""
    theirs, ours = aligned(fitted(case), case)
    tolerance = STANDARD_ERROR_ORDINAL if case["ordinal"] else STANDARD_ERROR
    estimated = theirs["se"] > 0
    assert_close(theirs["se"][estimated], ours["se"][estimated], rtol=tolerance)


def test_standardised_values(case: dict[str, Any], fitted: Any) -> None:
    """Standardised by latent variances alone, and by all variances."""
    theirs, ours = aligned(fitted(case), case)
    tolerance = ESTIMATE_ORDINAL if case["ordinal"] else ESTIMATE
    for column in ("std_lv", "std_all"):
        assert_close(theirs[column], ours[column], atol=tolerance, rtol=tolerance)


def measure_tolerance(name: str, value: float, ordinal: bool) -> float:
    """Return the absolute tolerance of one fit measure."""
    large = abs(value) > 1.0
    if ordinal:
        return CHI_SQUARE_ORDINAL * abs(value) if large else INDEX_ORDINAL
    return (
        max(CHI_SQUARE * abs(value), INDEX)
        if not name.startswith("chisq") or not large
        else (CHI_SQUARE * abs(value))
    )


def own_way(name: str, case: dict[str, Any], theirs: dict[str, float]) -> bool:
    """Tell whether a measure is one of the few on which we do not follow lavaan 0.6-14.

    scaling_factor_h0: with equality constraints lavaan divides by the number of parameters before
    constraints. cn: 1 for a saturated model.
    """
    if name == "scaling_factor_h0":
        equal = (case.get("options") or {}).get("group_equal")
        labels = re.findall(r"(\w+)\*", case["model"])
        return bool(equal) or len(labels) > len(set(labels)) or "==" in case["model"]
    return name.startswith("cn_") and theirs["df"] == 0


def test_fit_measures(case: dict[str, Any], fitted: Any) -> None:
    """Every fit measure both sides know; the core ones must be there."""
    ours = fitted(case).fit_measures
    theirs = {k.replace(".", "_"): float(v) for k, v in case["fit"].items() if v is not None}
    absent = sorted(name for name in CORE & set(theirs) if name not in ours)
    assert not absent, f"not among our fit measures: {absent}"
    bad = []
    for name in sorted(set(theirs) & set(ours)):
        a, b = theirs[name], ours[name]
        if not np.isfinite(a) or own_way(name, case, theirs):
            continue
        if name in NOT_COMPARED:
            tolerance = LIKELIHOOD * abs(a)
        else:
            tolerance = measure_tolerance(name, a, case["ordinal"])
        if not isinstance(b, (int, float, np.number)) or not abs(a - b) <= tolerance:
            bad.append(f"{name}: lavaan {a:.8g}, ours {b}")
    assert not bad, f"{len(bad)} of {len(set(theirs) & set(ours))} differ:\n" + "\n".join(bad)
