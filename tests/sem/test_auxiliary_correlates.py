"""Reference: R semTools sem.auxiliary (tests/reference/missing.R); property; contract."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import ModelSpecError
from helpers.sem import auxiliary as auxiliary_module
from helpers.sem import fit
from helpers.sem.auxiliary import AuxiliaryFit, fit_with_auxiliary, se_ratios
from helpers.sem.partable import find_names
from helpers.sem.syntax import parse

REFERENCE = Path(__file__).parents[1] / "reference"
R = json.loads((REFERENCE / "missing.json").read_text(encoding="utf-8"))["auxiliary"]
RAW = pd.read_csv(REFERENCE / "survey_items.csv")
DATA = RAW.assign(age=RAW["age"] / 10)

OPTIMISER = 2e-4
"""lavaan's default search stops at a relative change of about 1e-5 of the likelihood, seen here
as 1e-4 of a standard error in the loadings; ours goes on to 1e-8."""


@pytest.mark.parametrize("name", ["factor", "paths"])
def test_agrees_with_semtools(name):
    case = R[name]
    ours = fit_with_auxiliary(case["model"], DATA, auxiliary=case["aux"], estimator="ML")
    table = ours.estimates.set_index(["lhs", "op", "rhs"])
    for row in case["estimates"]:
        if row["op"] == "~1":
            continue
        key = (row["lhs"], row["op"], row["rhs"])
        key = key if key in table.index else (row["rhs"], row["op"], row["lhs"])
        assert table.loc[key, "est"] == pytest.approx(row["est"], abs=OPTIMISER), key
        assert table.loc[key, "se"] == pytest.approx(row["se"], abs=OPTIMISER), key
    for measure in ("chisq", "df", "rmsea"):
        expected = pytest.approx(case["fit"][measure], abs=OPTIMISER)
        assert ours.fit_measures[measure] == expected, measure
    relative = relative_measures(case["model"], case["aux"], ours)
    for measure in ("cfi", "tli"):
        assert relative[measure] == pytest.approx(case["fit"][measure], abs=OPTIMISER)


def relative_measures(model: str, aux: list[str], ours: AuxiliaryFit) -> dict[str, float]:
    """Against semTools' baseline, which also sets the covariances of covariates to zero."""
    names = find_names(parse(model))
    if not names.covariate:
        return ours.fit_measures
    text = auxiliary_module._baseline(names.observed, (), tuple(aux))
    text += "\n" + "\n".join(f"{a} ~~ 0*{b}" for a, b in combinations(names.observed, 2))
    base = fit(text, DATA, estimator="ML", missing="fiml", fixed_x=False)
    return auxiliary_module._measures(ours.result, base)


@pytest.mark.parametrize(
    "model", ["f =~ i1 + i2 + i3 + i4", "f =~ i2 + i3\nf ~ i1\ni4 ~ f", "i3 + i4 ~ i1 + i2"]
)
def test_correlates_of_complete_data_change_nothing(model):
    """Property: without blanks the estimates are those of the model alone."""
    complete = DATA.dropna()
    alone = fit(model, complete, estimator="ML", fixed_x=False, meanstructure=True)
    beside = fit_with_auxiliary(model, complete, auxiliary=["i5", "age"], estimator="ML")
    ratios = se_ratios(beside, alone)
    np.testing.assert_allclose(ratios["est_with"], ratios["est_without"], atol=1e-5)
    assert beside.fit_measures["df"] == alone.fit_measures["df"]
    assert beside.fit_measures["chisq"] == pytest.approx(alone.fit_measures["chisq"], abs=1e-5)


def planted(blank: str) -> pd.DataFrame:
    """Return y = 0.5 x + e with blanks, by chance or where a near copy of y is large."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=600)
    y = 0.5 * x + rng.normal(size=600)
    frame = pd.DataFrame({"x": x, "y": y, "copy": y + 0.3 * rng.normal(size=600)})
    lost = rng.random(600) < 0.6 if blank == "chance" else frame["copy"] > 0.3
    frame.loc[lost, "y"] = np.nan
    return frame


def slopes(frame: pd.DataFrame) -> pd.Series:
    alone = fit("y ~ x", frame, estimator="MLR", missing="fiml", fixed_x=False)
    beside = fit_with_auxiliary("y ~ x", frame, auxiliary=["copy"])
    return se_ratios(beside, alone).query("op == '~'").iloc[0]


def test_a_near_copy_of_blank_answers_gives_back_precision():
    """Recovery: with 60 % of y blank and a copy of reliability .93 most of the loss is made up."""
    slope = slopes(planted("chance"))
    assert slope["ratio"] < 0.8


def test_what_explains_the_blanks_removes_the_bias():
    """Recovery: blanks depend on the copy, so only the fit that knows it finds the slope."""
    slope = slopes(planted("copy"))
    assert abs(slope["est_with"] - 0.5) < 2.5 * slope["se_with"]
    assert abs(slope["est_without"] - 0.5) > 4 * slope["se_without"]


def test_an_item_without_residual_stands_for_its_latent():
    model = "f =~ 1*i2\ni2 ~~ 0*i2\ni3 ~ f"
    found = fit_with_auxiliary(model, DATA, auxiliary=["i5"], estimator="ML")
    plain = fit_with_auxiliary("i3 ~ i2", DATA, auxiliary=["i5"], estimator="ML")
    slope = found.estimates.query("op == '~'")["est"].iloc[0]
    assert slope == pytest.approx(plain.estimates.query("op == '~'")["est"].iloc[0], abs=1e-5)


@pytest.mark.parametrize("names", [[], ["i1"], ["agee"]])
def test_wrong_auxiliary_variables_are_named(names):
    with pytest.raises(ModelSpecError, match="fit_with_auxiliary: auxiliary="):
        fit_with_auxiliary("f =~ i1 + i2 + i3 + i4", DATA, auxiliary=names)
