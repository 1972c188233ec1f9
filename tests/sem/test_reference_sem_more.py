"""Reference: residuals, implied moments, scores, modification indices and differences of lavaan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

NEEDS = {
    "test_implied_moments": "implied",
    "test_residuals": "residuals",
    "test_explained_variance": "r2",
    "test_factor_scores": "scores",
    "test_modification_indices": "modindices",
    "test_errors_of_standardised_values": "estimates",
    "test_polychorics_and_thresholds": "polychorics",
}
"""What each test reads of a case; it runs on the cases that store it."""

MOMENT = 3e-5  # implied moments inherit the tolerance of the estimates
ORDINAL = 1e-3
POLYCHORIC = 1e-4  # lavaan and we stop the one-dimensional searches at different points
RESIDUAL = 1e-3  # z values: a residual over its error, both small differences of large numbers
SCORE = 1e-4  # in units of the latent variable
MODIFICATION = 1e-4  # relative, and absolute below 1
TO_COVARIATE = 5e-4  # paths to fixed covariates: little information, lavaan's stop moves them
ROUNDING = 1e-12
STANDARDISED_ERROR = 1e-4  # relative: lavaan's delta method rests on numerical derivatives
STANDARDISED_ERROR_ORDINAL = 2e-3
STANDARDISED_ERROR_NEGATIVE = 1e-3  # lavaan's differences are rough beside a negative variance
DIFFERENCE = 1e-4  # relative: a difference of two statistics, each to 1e-5


def square(stored: dict[str, Any]) -> pd.DataFrame:
    """Rebuild a symmetric matrix from its stored lower triangle."""
    names = stored["names"]
    out = np.full((len(names), len(names)), np.nan)
    for i, row in enumerate(stored["lower"]):
        for j, value in enumerate(row):
            out[i, j] = out[j, i] = np.nan if value in (None, "NA") else value
    return pd.DataFrame(out, index=names, columns=names)


def near(theirs: pd.DataFrame, ours: pd.DataFrame, tolerance: float, what: str) -> None:
    """Compare two labelled matrices where lavaan has numbers."""
    own = ours.loc[theirs.index, theirs.columns].to_numpy(float)
    stored = theirs.to_numpy(float)
    gap = np.where(np.isfinite(stored), np.abs(stored - own) - tolerance * np.abs(stored), -1.0)
    i, j = np.unravel_index(np.argmax(np.nan_to_num(gap, nan=np.inf)), gap.shape)
    assert (gap <= tolerance).all(), (
        f"{what} {theirs.index[i]},{theirs.columns[j]}: lavaan {stored[i, j]:.8g}, "
        f"ours {own[i, j]:.8g}"
    )


def groups_of(entries: dict[object, Any] | list[Any]) -> list[Any]:
    """Return what is stored by group in the order of the groups."""
    return list(entries.values()) if isinstance(entries, dict) else entries


def test_implied_moments(case: dict[str, Any], fitted: Any) -> None:
    tolerance = ORDINAL if case["ordinal"] else MOMENT
    for stored, ours in zip(
        groups_of(case["implied"]), groups_of(fitted(case).implied), strict=True
    ):
        near(square(stored["cov"]), ours["cov"], tolerance, "implied covariance")
        if "mean" in stored and not case["ordinal"]:
            mean = ours["mean"].loc[stored["cov"]["names"]]
            assert mean.to_numpy() == pytest.approx(stored["mean"], abs=tolerance, rel=tolerance)


def test_residuals(case: dict[str, Any], fitted: Any) -> None:
    """Correlation residuals, and residuals over their standard errors."""
    ours = groups_of(fitted(case).residuals)
    for kind, tolerance in (("cor", MOMENT), ("normalized", RESIDUAL), ("standardized", RESIDUAL)):
        tolerance = ORDINAL if case["ordinal"] else tolerance
        for stored, own in zip(groups_of(case["residuals"].get(kind, [])), ours, strict=False):
            if kind in own:
                near(square(stored["cov"]), own[kind], tolerance, kind)
            else:
                assert case["ordinal"], f"no {kind} residuals"


def test_explained_variance(case: dict[str, Any], fitted: Any) -> None:
    table = fitted(case).r_squared
    labels = case.get("group_labels") or [""]
    tolerance = ORDINAL if case["ordinal"] else MOMENT
    for label, stored in zip(labels, groups_of(case["r2"]), strict=True):
        own = table[table["group"].astype(str) == str(label)] if len(labels) > 1 else table
        values = own.set_index("variable")["r_squared"]
        for name, value in stored.items():
            assert values[name] == pytest.approx(value, abs=tolerance), (label, name)


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_factor_scores(case: dict[str, Any], method: str, fitted: Any) -> None:
    """The first five rows of every group."""
    result = fitted(case)
    scores = result.scores(method=method)
    column = case["options"].get("group") if case.get("options") else None
    for label, stored in zip(
        case.get("group_labels") or [None],
        groups_of(case["scores"][method]),
        strict=True,
    ):
        own = scores
        if column is not None:
            own = scores[scores[column].astype(str) == str(label)]
        own = own[stored["names"]].head(5).to_numpy(float)
        assert own == pytest.approx(np.array(stored["values"], dtype=float), abs=SCORE)


def test_modification_indices(case: dict[str, Any], fitted: Any) -> None:
    """lavaan's fifteen largest, with expected changes."""
    from helpers.sem import modification_indices

    labels = [str(g) for g in case.get("group_labels") or []]
    table = modification_indices(fitted(case))
    ours = {}
    for row in table.itertuples():
        group = labels.index(str(row.group)) + 1 if labels else 1
        ours[(row.lhs, row.op, row.rhs, group)] = row
        if row.op == "~~":
            ours[(row.rhs, row.op, row.lhs, group)] = row
    tolerance = ORDINAL if case["ordinal"] else MODIFICATION
    covariates = fitted(case).table.names.covariate
    bad = []
    for stored in case["modindices"]:
        if stored["mi"] < ROUNDING:
            continue  # lavaan lists moments of fixed covariates, whose index is nil
        loose = max(tolerance, TO_COVARIATE if stored["lhs"] in covariates else 0.0)
        key = (stored["lhs"], stored["op"], stored["rhs"], stored["group"])
        if key not in ours:
            bad.append(f"{key} is missing (lavaan {stored['mi']:.6g})")
            continue
        for name in ("mi", "epc", "sepc_lv", "sepc_all"):
            if stored.get(name) is None:
                continue
            own = float(getattr(ours[key], name))
            if own != pytest.approx(stored[name], rel=loose, abs=loose):
                bad.append(f"{key} {name}: lavaan {stored[name]:.8g}, ours {own:.8g}")
    assert not bad, "\n".join(bad[:12])


def parameter_ends(row: Any) -> list[str]:
    """Return both names of a parameter, a covariance's in alphabetic order."""
    if row.op == ":=":
        return [row.lhs, ""]
    return sorted((row.lhs, row.rhs)) if row.op == "~~" else [row.lhs, row.rhs]


def test_errors_of_standardised_values(case: dict[str, Any], fitted: Any) -> None:
    """Delta-method errors of the fully standardised solution."""
    stored = pd.DataFrame(case["estimates"], columns=case["estimates_columns"])
    labels = [str(g) for g in case.get("group_labels") or []]
    ours = {}
    for row in fitted(case).standardized.itertuples():
        group = labels.index(str(row.group)) + 1 if str(row.group) in labels else 1
        ends = parameter_ends(row)
        ours[(row.op, *ends, group)] = float(row.se)
    tolerance = STANDARDISED_ERROR_ORDINAL if case["ordinal"] else STANDARDISED_ERROR
    if not fitted(case).admissible:
        tolerance = STANDARDISED_ERROR_NEGATIVE
    bad = []
    for row in stored.itertuples():
        value = pd.to_numeric(row.std_all_se, errors="coerce")
        if not value > 1e-7:
            continue
        ends = parameter_ends(row)
        key = (row.op, *ends, max(row.group, 1))
        own = ours.get(key, np.nan)
        if own != pytest.approx(value, rel=tolerance, abs=tolerance * 1e-2):
            bad.append(
                f"{row.lhs}{row.op}{row.rhs} {row.group}: lavaan {value:.8g}, ours {own:.8g}"
            )
    assert not bad, f"{len(bad)} differ:\n" + "\n".join(bad[:8])


def test_polychorics_and_thresholds(case: dict[str, Any], fitted: Any) -> None:
    """The sample moments of an ordinal fit: implied plus residual."""
    result = fitted(case)
    implied, raw = groups_of(result.implied), groups_of(result.residuals)
    for stored, fit_moments, rest in zip(groups_of(case["polychorics"]), implied, raw, strict=True):
        own = (
            fit_moments["cov"]
            + rest["raw"].loc[fit_moments["cov"].index, fit_moments["cov"].columns]
        )
        near(square(stored["cov"]), own, POLYCHORIC, "sample moment")


def test_difference_of_nested_models(
    difference: dict[str, Any], case_by_id: Any, fitted: Any
) -> None:
    """Plain and scaled chi-square differences (Satorra & Bentler 2001, 2010)."""
    from helpers.sem import compare

    stored = difference
    restricted, free = (fitted(case_by_id(name)) for name in stored["difference"])
    options = {} if stored["method"] == "default" else {"method": stored["method"]}
    found = compare(restricted, free, **options)
    assert found.df_diff == pytest.approx(stored["df_diff"])
    assert found.chisq_diff == pytest.approx(stored["chisq_diff"], rel=DIFFERENCE, abs=DIFFERENCE)
    if stored["chisq_diff"] > 0:  # lavaan gives a negative statistic the p-value 1, we give none
        assert found.p_value == pytest.approx(stored["pvalue"], abs=DIFFERENCE)
