"""Reasons of blanks kept apart; Little's test of a published example; real files by codebook."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.survey.branches import asked
from helpers.survey.load import Study, open_folder
from helpers.survey.missing import (
    blanks_by_reason,
    estimate_missing_predictors,
    little_test,
)

REFERENCE = Path(__file__).parents[1] / "reference"
R = json.loads((REFERENCE / "missing.json").read_text(encoding="utf-8"))
REAL = Path(__file__).parents[3] / "shared" / "realdata"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the real data lie outside the project")

EM_TOLERANCE = 1e-5
"""Both EM runs stop at a small change in a moment; the variances of airquality reach 8000."""


def test_little_of_airquality_agrees_with_r_and_with_print():
    air = pd.DataFrame(R["air"]["data"]).astype(float)
    result = little_test(air, items=list(air))
    assert result.statistic == pytest.approx(R["air"]["statistic"], abs=EM_TOLERANCE)
    assert (result.df, result.n_patterns) == (R["air"]["df"], R["air"]["n_patterns"])
    # The R package naniar prints 35.1, 14, 0.00142 and 4 patterns for the same data.
    assert round(result.statistic, 1) == 35.1
    assert round(result.p_value, 5) == 0.00142


def test_what_was_not_asked_is_no_missing_answer():
    rows = pd.DataFrame({"respondent_id": ["1", "2", "3"], "A": [1, np.nan, np.nan], "B": np.nan})
    was_asked = pd.DataFrame({"A": [True, True, True], "B": [True, True, False]})
    reasons = pd.DataFrame(
        {"respondent_id": ["2", "1", "3"], "item": ["A", "B", "B"],
         "reason": ["refused", "skipped by the questionnaire", "not answered"]}
    )  # fmt: skip
    table = blanks_by_reason(rows, reasons, was_asked=was_asked).set_index("reason")
    assert table["cells"].sum() == 5
    assert table["cells"].to_dict() == {
        "not answered": 2, "refused": 1, "not asked": 1, "skipped by the questionnaire": 1,
    }  # fmt: skip
    assert table["is_missing"].to_dict() == {
        "not answered": True, "refused": True, "not asked": False,
        "skipped by the questionnaire": False,
    }  # fmt: skip


def test_false_discovery_rate_by_hand():
    rng = np.random.default_rng(2)
    z = pd.DataFrame({"z": rng.normal(size=400)})
    rows = pd.DataFrame({f"i{k}": rng.normal(size=400) for k in range(3)})
    for k, weight in enumerate((2.0, 0.4, 0.0)):
        rows.loc[rng.random(400) < 1 / (1 + np.exp(2 - weight * z["z"])), f"i{k}"] = np.nan
    table = estimate_missing_predictors(rows, items=list(rows), predictors=z)
    p = np.sort(table["p_value"])
    by_hand = np.minimum.accumulate((p * 3 / np.array([1, 2, 3]))[::-1])[::-1]
    np.testing.assert_allclose(np.sort(table["q_value"]), by_hand)
    assert (table["q_value"] <= table["p_holm"] + 1e-12).all()


@pytest.fixture
def real_study(make_study: Callable[..., Path], toy_spec: dict[str, Any]) -> Callable[..., Study]:
    def make(frame: pd.DataFrame, items: list[dict[str, str]], high: int, **scales: Any) -> Study:
        agree = {"kind": "likert", "low": 1, "high": high}
        age = {"kind": "number", "low": 0, "high": 120}
        toy_spec["scales"] |= {"agree7": agree, "years": age, **scales}
        toy_spec["screening"] = {}
        toy_spec["data"] = {"reader": "csv", "file": "raw/main.csv"}
        folder = make_study(spec=toy_spec, items=items, content=frame.to_csv(index=False))
        return open_folder(folder)

    return make


@real
def test_acsi_codes_are_blanks_by_codebook_and_complaint_handling_is_asked_of_complainers(
    real_study,
):
    frame = pd.read_csv(REAL / "acsi_2015" / "acsi2015_three_industries.csv", dtype=str)
    names = ["SATIS", "COMP", "HANDLE"]
    codes = "98=does not know;99=refused"
    items = [{"item": n, "scale": "agree7", "construct": "SAT", "missing_codes": codes}
             for n in ("SATIS", "HANDLE")]  # fmt: skip
    items += [{"item": "COMP", "scale": "complained", "missing_codes": codes}]  # fmt: skip
    items[1]["shown_if"] = "COMP=1"
    labels = {0: {"en": "no", "zh": "否"}, 1: {"en": "yes", "zh": "是"}}
    complained = {"kind": "category", "labels": labels}
    study = real_study(frame[names], items, 10, complained=complained)
    answers = study.responses
    assert answers["SATIS"].max() == 10
    was_asked = asked(study.folder, answers, ["SATIS", "HANDLE"])
    table = blanks_by_reason(answers, study.reasons, was_asked=was_asked).set_index("reason")
    not_complained = int((frame["COMP"] != "1").sum())
    assert table.loc["not asked", "cells"] == not_complained
    told = frame.loc[frame["COMP"] == "1", "HANDLE"].isin(["98", "99"]).sum()
    told += frame["SATIS"].isin(["98", "99"]).sum()
    by_code = table.reindex(["does not know", "refused"]).fillna(0)["cells"].sum()
    assert by_code == told


@real
def test_corp_reputation_minus_99_is_a_blank_by_codebook(real_study):
    frame = pd.read_csv(REAL / "corp_reputation" / "corp_rep_data.csv", dtype=str)
    names = ["cusl_1", "cusl_2", "cusl_3", "cusa"]
    items = [{"item": n, "scale": "agree7", "construct": "SAT", "missing_codes": "-99=no answer"}
             for n in names]  # fmt: skip
    study = real_study(frame[names], items, 7)
    blank = (frame[names] == "-99").sum().sum()
    assert blank > 0
    assert study.responses[names].isna().sum().sum() == blank
    assert study.reasons["reason"].tolist() == ["no answer"] * blank


@real
def test_little_of_a_real_inventory_agrees_with_r():
    stored = json.loads((REFERENCE / "missing_real.json").read_text(encoding="utf-8"))["bfi"]
    bfi = pd.read_csv(REAL / "bfi" / "bfi.csv")
    result = little_test(bfi, items=[f"{scale}{k}" for scale in "AC" for k in range(1, 6)])
    assert (result.df, result.n_patterns) == (stored["df"], stored["n_patterns"])
    assert result.statistic == pytest.approx(stored["statistic"], abs=EM_TOLERANCE)
