"""Specification curve: rows, models and estimates against what can be had without it."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import ModelSpecError, Unavailable
from helpers.sem import specification_choices as choices
from helpers.sem import specification_curve as curves
from helpers.sem.specification_curve import Specification, SpecificationCurve, specification_curve
from helpers.survey.load import load_study
from helpers.workers import run_blocks

SAME_MINIMUM = 1e-6
"""Two minimisations of the same function, and least squares against likelihood."""

LAVAAN_STOPS = 1e-5
"""lavaan's default stop leaves estimates up to about 2e-6 off here."""

REFERENCE = Path(__file__).parents[1] / "reference" / "specification_curve.json"
LAVAAN = json.loads(REFERENCE.read_text())["rows"]

OPTIONS = {"estimators": ["ML"], "missing": ["listwise"]}


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def material(study):
    return choices.make_material(study, choices.direct_effects(study), curves.SCALES)


@pytest.fixture(scope="module")
def curve(study):
    return specification_curve(study, **OPTIONS)


def specification(**changes) -> Specification:
    values = {"model": "structural", "controls": "without", "exclusion": "declared"}
    values |= {"missing": "listwise", "estimator": "ML", "scale": "scores"}
    return Specification(**values | changes)


# reference: least squares by hand


def test_paths_among_mean_scores_are_those_of_least_squares(study, material):
    data = study.responses
    means = pd.DataFrame(
        {
            code: data[[f"{code}{k}" for k in range(1, count + 1)]].mean(axis=1).where(
                data[[f"{code}{k}" for k in range(1, count + 1)]].notna().mean(axis=1) >= 0.5
            )
            for code, count in (
                ("REC", 4), ("NEG", 3), ("BID", 3), ("RSAT", 4), ("OSAT", 3), ("TRU", 3),
                ("IMG", 3), ("WOM", 3),
            )
        }
    )  # fmt: skip
    faces = data[["LREP1", "LREC1", "LPRI1", "LTOL1", "LFEE1"]]
    means["LOY"] = faces.mean(axis=1).where(faces.notna().mean(axis=1) >= 0.5)
    z = means.dropna()
    z = (z - z.mean()) / z.std()
    expected = np.linalg.lstsq(z[["REC", "NEG", "BID"]], z["RSAT"], rcond=None)[0][0]
    found = curves.fit_specification(material, specification())
    row = next(r for r in found if (r["outcome"], r["predictor"]) == ("RSAT", "REC"))
    assert row["n_used"] == len(z)
    assert abs(row["estimate"] - expected) < SAME_MINIMUM


def test_summary_counts_what_a_hand_counts():
    base = {"hypothesis": "H", "outcome": "y", "predictor": "x", "sign": "+", "declared": False}
    numbers = [(0.3, 0.1, 0.5, ""), (0.1, -0.1, 0.3, ""), (-0.2, -0.3, -0.1, ""),
               (9.0, 8.0, 10.0, "not admissible"), (np.nan, np.nan, np.nan, "failed")]  # fmt: skip
    table = pd.DataFrame(
        [base | dict(zip(("estimate", "ci_low", "ci_high", "reason"), row)) for row in numbers]
    )
    table.loc[0, "declared"] = True
    row = SpecificationCurve(table, (), {}, 0.95).summary.iloc[0]
    assert (row["n_all"], row["n"], row["declared"]) == (5, 3, 0.3)
    assert (row["median"], row["low"], row["high"]) == (0.1, -0.2, 0.3)
    shares = [row["share_sign"], row["share_clear"], row["share_in_line"]]
    assert np.allclose(shares, [2 / 3, 2 / 3, 1 / 3])


# contract: which rows and which models


def test_each_rule_is_left_out_alone(study, material):
    marks = study.marks.table
    real = ~marks["preview"]
    rules = [r for r in study.spec.screening.exclude if r not in choices.ALWAYS_OUT]
    for left in rules:
        others = [r for r in study.spec.screening.exclude if r != left]
        expected = (~marks[others].any(axis=1))[real].to_numpy()
        name = f"without:{left}"
        name = material.same_rows.get(name, name)
        assert np.array_equal(material.kept[name], expected)
    everyone = (~marks["no_consent"])[real].to_numpy()
    assert np.array_equal(material.kept["none"], everyone)
    assert material.kept["declared"].sum() == len(study.responses)


def test_declared_rows_are_the_cleaned_answers(study, material):
    kept = material.rows[material.kept["declared"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, study.responses[list(kept)].astype(float))


def test_controls_are_models_that_add_only_control_variables(study):
    assert choices.control_models(study, "structural") == ["structural_controls"]
    assert choices.control_models(study, "measurement") == []


def test_second_order_constructs_are_means_of_their_facets():
    syntax, parts = choices.score_model("G =~ A + B\nA =~ a1 + a2\nB =~ b1 + b2\ny ~ G\na1 ~~ b1")
    assert syntax == "y ~ G"
    assert list(parts)[-1] == "G"
    version = choices.Version(
        "m", "without", "scores", syntax, parts, ("y",), (), (), (), True
    )  # fmt: skip
    rows = pd.DataFrame(
        {"a1": [1.0, 2], "a2": [3.0, 2], "b1": [5.0, 4], "b2": [7.0, 4], "y": [0.0, 1]}
    )
    assert version.columns(rows)["G"].tolist() == [4.0, 3.0]


def test_every_combination_is_there_once(curve, material):
    own = curve.table.groupby(["hypothesis"])
    for _name, rows in own:
        assert len(rows) == len(material.kept) * 2 * 2
        assert not rows.duplicated(list(curves.CHOICES)).any()
        assert rows["declared"].sum() == 1


def test_ordered_items_go_with_latent_constructs_and_complete_rows(material):
    found = curves.specifications(material, ["WLSMV"], ["fiml", "listwise"])
    assert {(s.missing, s.scale) for s in found} == {("listwise", "latent")}
    assert {s.exclusion for s in found if s.controls == "with"} == {"declared"}
    assert {s.exclusion for s in found if s.controls == "without"} == set(material.kept)


def test_a_specification_that_fails_is_listed_with_its_reason(material):
    few = np.zeros(len(material.rows), bool)
    few[:5] = True
    broken = replace(material, kept={**material.kept, "declared": few})
    rows = curves.fit_specification(broken, specification(scale="latent"))
    assert [r["outcome"] for r in rows] == ["RSAT", "LOY"]
    assert all(np.isnan(r["estimate"]) and not r["converged"] and r["reason"] for r in rows)


# recovery: the simulated study was made with these signs


def test_planted_signs_are_found_in_every_specification(curve):
    assert (curve.summary["share_sign"] == 1).all()
    assert (curve.summary["n"] == curve.summary["n_all"]).all()


# property: where it runs changes nothing


def test_processes_and_kept_blocks_give_the_same_numbers(material, tmp_path):
    blocks = curves.specifications(material, ["ML"], ["listwise"])[:6]
    function = partial(curves.fit_specification, material)
    here = run_blocks(function, blocks, keep=tmp_path)
    assert run_blocks(function, blocks, workers=2) == here
    assert run_blocks(function, blocks, keep=tmp_path) == here
    assert len(list(tmp_path.iterdir())) == len(blocks)


# contract: bad input, and what a study lacks


def test_a_study_without_exclusions_blanks_or_controls_says_so():
    found = specification_curve(load_study("ecsi_mobile"), estimators=["ML"])
    assert found.same_rows == {"none": "declared"}
    assert set(found.table["missing"]) == {"listwise"}
    assert len(found.omitted) == 2


def test_a_published_matrix_has_no_specifications():
    assert isinstance(specification_curve(load_study("maxham_netemeyer_2003")), Unavailable)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimators": ["WLSM"]}, "estimators= has 'WLSM'.*Did you mean 'WLSMV'"),
        ({"missing": []}, "missing= is empty; a list from fiml, listwise is needed"),
        ({"scales": ["sum"]}, "scales= has 'sum'"),
    ],
)
def test_unknown_choices_are_errors(study, options, message):
    with pytest.raises(ModelSpecError, match=message):
        specification_curve(study, **options)


# reference: lavaan on the same rows


@pytest.mark.parametrize("stored", LAVAAN, ids=lambda c: f"{c['exclusion']}-{c['estimator']}")
def test_specifications_agree_with_lavaan(material, stored):
    names = ("model", "exclusion", "missing", "estimator", "scale")
    block = Specification(controls="", **{name: stored[name] for name in names})
    rows = curves.fit_specification(material, block)
    row = next(r for r in rows if r["outcome"] == stored["outcome"])
    assert row["n_used"] == stored["n"]
    assert abs(row["estimate"] - stored["est"]) < LAVAAN_STOPS
    assert abs(row["se"] - stored["se"]) < LAVAAN_STOPS
