"""CFA validity: reference (lavaan), recovery of a planted correlation, contract."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import ModelSpecError
from helpers.sem import fit
from helpers.sem.latent_validity import distinctness_tests, grade_of, latent_validity

REFERENCE = Path(__file__).parents[1] / "reference"
FITTED = 5e-5  # lavaan stops near 1e-6 of an estimate; intervals add its numeric second derivatives
CHI = 1e-3
CASES = ("items", "items_robust", "bank_satisfaction", "corp_reputation", "ecsi_mobi", "influencer")


@pytest.fixture(scope="module", params=CASES)
def fitted(request, real_data):
    """Return one case: reference, rows, the free model's text and our validity result."""
    whole = json.loads((REFERENCE / "validity.json").read_text(encoding="utf-8"))
    reference = whole[request.param]
    simulated = request.param.startswith("items")
    data = pd.read_csv(REFERENCE / "psych_items.csv") if simulated else real_data(request.param)
    text = "\n".join(f"{k} =~ {' + '.join(v)}" for k, v in reference["scales"].items())
    result = fit(text, data, estimator=reference["estimator"], std_lv=True)
    return reference, data, text, latent_validity(result)


def test_cr_ave_and_intervals_agree_with_lavaan(fitted):
    reference, _data, _text, got = fitted
    assert got.n_used == reference["n"]
    own = got.constructs.set_index("construct")
    for row in reference["defined"]:
        kind, name = row["name"].split("_", 1)
        values = own.loc[name, [kind, f"{kind}_low", f"{kind}_high"]].astype(float)
        assert np.allclose(values, [row["est"], row["low"], row["high"]], atol=FITTED), row["name"]


def test_loadings_and_correlations_agree_with_lavaan(fitted):
    reference, _data, _text, got = fitted
    loadings = got.loadings.set_index("item")
    for row in reference["loadings"]:
        values = loadings.loc[row["item"], ["loading", "ci_low", "ci_high"]].astype(float)
        assert np.allclose(values, [row["est"], row["low"], row["high"]], atol=FITTED)
    pairs = {frozenset((r["a"], r["b"])): r for r in got.pairs.to_dict("records")}
    for row in reference["correlations"]:
        mine = pairs[frozenset((row["a"], row["b"]))]
        values = [mine["r"], mine["ci_low"], mine["ci_high"]]
        assert np.allclose(values, [row["est"], row["low"], row["high"]], atol=FITTED)


def test_distinctness_agrees_with_lavaan(fitted):
    reference, data, text, got = fitted
    a, b = reference["pair"]
    own = {frozenset((r["a"], r["b"])): r for r in got.pairs.to_dict("records")}
    pair = pd.DataFrame([{"a": a, "b": b, "r": own[frozenset((a, b))]["r"]}])
    items = [i for block in reference["scales"].values() for i in block]
    row = distinctness_tests(text, data[items], pair).iloc[0]
    assert [row["chisq_phi"], row["df_phi"]] == pytest.approx(reference["phi"], abs=CHI)
    assert [row["chisq_merged"], row["df_merged"]] == pytest.approx(reference["merged"], abs=CHI)


def test_fornell_larcker_uses_latent_correlations(answers):
    text = "A =~ A1 + A2 + A3 + A4\nB =~ B1 + B2 + B3 + B4"
    got = latent_validity(fit(text, answers))
    table = got.fornell_larcker()
    r = got.pairs["r"].iloc[0]
    assert table.loc[1, "A"] == pytest.approx(r)
    assert table.loc[0, "A"] == pytest.approx(np.sqrt(got.constructs["ave"].iloc[0]))
    means = answers[[f"{s}{i}" for s in "AB" for i in range(1, 5)]].dropna()
    observed = np.corrcoef(means.iloc[:, :4].mean(axis=1), means.iloc[:, 4:].mean(axis=1))[0, 1]
    assert r > observed  # scale means are attenuated


def test_one_construct_asked_twice_is_found():
    rng = np.random.default_rng(5)
    one, other = rng.normal(size=(2, 600))
    data = pd.DataFrame(
        {f"{s}{i}": 0.8 * f + 0.6 * rng.normal(size=600) for s, f in
         (("A", one), ("B", one), ("C", other)) for i in (1, 2, 3)}
    )  # fmt: skip
    text = "\n".join(f"{s} =~ {s}1 + {s}2 + {s}3" for s in "ABC")
    got = latent_validity(fit(text, data))
    assert (got.pairs.loc[0, "a"], got.pairs.loc[0, "b"]) == ("A", "B")
    assert got.pairs.loc[0, "grade"] == "severe" and got.pairs.loc[2, "grade"] == "none"
    tests = distinctness_tests(text, data, got.pairs)
    assert tests.loc[0, "p_phi"] > 0.01 and tests.loc[0, "p_merged"] > 0.01
    assert (tests.loc[1:, "p_phi"] < 1e-6).all()


def test_grades_follow_the_interval():
    assert [grade_of(0.5, h) for h in (0.79, 0.85, 0.95, 1.01)] == [
        "none", "marginal", "moderate", "severe"
    ]  # fmt: skip
    assert grade_of(-0.93, -0.5) == "moderate"
    assert grade_of(np.nan, np.nan) == "unknown"


def test_one_construct_is_refused(answers):
    with pytest.raises(ModelSpecError, match="1 construct"):
        latent_validity(fit("A =~ A1 + A2 + A3 + A4", answers))
