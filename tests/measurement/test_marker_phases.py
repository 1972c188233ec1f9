"""CFA marker technique, phases II and III: reference (lavaan), recovery, hand, contract."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import EstimationError, ModelSpecError
from helpers.sem.marker_phases import marker_sensitivity, reliability_parts
from helpers.sem.method_factors import marker_models
from helpers.sem.method_results import MarkerModels
from helpers.tables import marker_phases as words

REFERENCE = Path(__file__).parents[1] / "reference"
FITTED = 2e-5  # both optimisers stop near 1e-6 of a standardised value
CHI = 1e-3  # the held loadings differ by some 1e-6, and enter the chi-square
SAMPLED = 0.028  # three standard errors of a part at n = 4000 (.0094 at most over twelve seeds)
MODEL = "A =~ A1 + A2 + A3 + A4\nB =~ B1 + B2 + B3 + B4"
MARKER = ("C1", "C2", "C3")
MEASURES = ["chisq", "df", "cfi", "rmsea", "srmr"]


@pytest.fixture(scope="module")
def lavaan() -> dict:
    text = (REFERENCE / "method_bias.json").read_text(encoding="utf-8")
    return json.loads(text)["phases"]


@pytest.fixture(scope="module")
def first(answers) -> MarkerModels:
    return marker_models(MODEL, answers, marker="C", marker_items=MARKER)


@pytest.mark.parametrize("chosen", ["method_c", "method_u"])
def test_reliability_parts_agree_with_lavaan(first, lavaan, chosen):
    got = reliability_parts(first, chosen=chosen).rows.set_index("construct")
    for construct, expected in lavaan[chosen]["parts"].items():
        for name, value in expected.items():
            assert got.loc[construct, name] == pytest.approx(value, abs=FITTED), (construct, name)


@pytest.mark.parametrize("chosen", ["method_c", "method_u"])
def test_sensitivity_agrees_with_lavaan(first, answers, lavaan, chosen):
    got = marker_sensitivity(first, answers, chosen=chosen)
    row, fits = got.rows.iloc[0], got.fits().set_index("key")
    base = lavaan["baseline"]
    assert [row["baseline"], row["ci_low"], row["ci_high"]] == pytest.approx(
        [base["r"], base["low"], base["high"]], abs=FITTED
    )
    for key in ("method_s05", "method_s01"):
        expected = lavaan[chosen][key]
        assert row[key] == pytest.approx(expected["r"], abs=FITTED), key
        assert np.allclose(fits.loc[key, MEASURES].astype(float), expected["measures"], atol=CHI)
        assert got.moved(key)["change"] == pytest.approx(expected["r"] - base["r"], abs=FITTED)


def planted(seed: int, n: int, method: tuple[float, ...], correlation: float) -> pd.DataFrame:
    """Return standard items of A, B (loading .7) on which the marker C loads as ``method`` says."""
    rng = np.random.default_rng(seed)
    a, c, own = rng.normal(size=(3, n))
    latent = {"A": a, "B": correlation * a + np.sqrt(1 - correlation**2) * own}
    names = [f"{s}{i}" for s in "AB" for i in range(1, 5)]
    items = {
        name: 0.7 * latent[name[0]] + m * c + np.sqrt(0.51 - m**2) * rng.normal(size=n)
        for name, m in zip(names, method, strict=True)
    }
    marker = {i: 0.8 * c + 0.6 * rng.normal(size=n) for i in MARKER}
    return pd.DataFrame(items | marker)


def test_planted_method_share_is_recovered():
    strength = (0.3, 0.3, 0.3, 0.3, 0.5, 0.5, 0.1, 0.1)  # unequal, so that Method-U is chosen
    data = planted(5, 4000, strength, 0.4)
    found = marker_models(MODEL, data, marker="C", marker_items=MARKER)
    assert found.chosen == "method_u"
    got = reliability_parts(found).rows.set_index("construct")
    for construct, own in (("A", strength[:4]), ("B", strength[4:])):
        true, way = 2.8**2, sum(own) ** 2
        whole = true + way + sum(0.51 - m**2 for m in own)
        assert got.loc[construct, "substantive"] == pytest.approx(true / whole, abs=SAMPLED)
        assert got.loc[construct, "method"] == pytest.approx(way / whole, abs=SAMPLED)


def test_sensitivity_brackets_what_was_planted():
    data = planted(6, 4000, (0.4,) * 8, 0.4)
    found = marker_models(MODEL, data, marker="C", marker_items=MARKER)
    row = marker_sensitivity(found, data).rows.iloc[0]
    assert row["baseline"] > 0.47  # inflated by the marker that all items share
    assert row["method_c"] == pytest.approx(0.4, abs=0.05)
    assert row["method_s01"] < row["method_s05"] < row["method_c"]


def test_one_row_of_the_frame_by_hand(first, answers):
    free = first.models["method_u"].result.estimates
    load = free[(free["op"] == "=~") & (free["lhs"] == "C") & (free["rhs"] == "B1")].iloc[0]
    got = marker_sensitivity(first, answers, chosen="method_u").models["method_s05"]
    held = got.result.estimates
    value = held[(held["lhs"] == "C") & (held["rhs"] == "B1")]["est"].iloc[0]
    assert value == pytest.approx(load["ci_high"], abs=1e-9)  # a positive loading


def test_a_model_that_cannot_be_read_gives_no_correlation():
    data = planted(0, 150, (0.6,) * 8, -0.95)  # a stronger method pushes the correlation past -1
    found = marker_models(MODEL, data, marker="C", marker_items=MARKER)
    got = marker_sensitivity(found, data, chosen="method_u")
    assert got.models["method_u"].trustworthy
    assert got.models["method_s01"].state == "inadmissible"
    assert got.moved("method_s01") is None and got.moved("method_u") is not None
    assert got.rows["method_s01"].isna().all()


def test_an_item_of_two_factors_has_no_decomposition(answers):
    crossed = "A =~ A1 + A2 + B1\nB =~ B1 + B2 + B3 + B4\nD =~ A3 + A4"
    found = marker_models(crossed, answers, marker="C", marker_items=MARKER)
    rows = reliability_parts(found, chosen="method_c").rows.set_index("construct")
    assert rows["why"].to_dict() == {"A": "cross_loading", "B": "cross_loading", "D": ""}
    assert rows["total"].notna().tolist() == [False, False, True]


def test_wrong_use_is_named(first, answers):
    with pytest.raises(ModelSpecError, match="Did you mean 'method_u'"):
        reliability_parts(first, chosen="method-u")
    single = marker_models("A =~ A1 + A2 + A3 + A4", answers, marker="C", marker_items=MARKER)
    with pytest.raises(ModelSpecError, match="at least 2 are needed"):
        marker_sensitivity(single, answers)
    broken = {**first.models, "method_c": found_inadmissible(first)}
    models = MarkerModels("C", broken, first.comparisons, "method_c", 0, 0)
    with pytest.raises(EstimationError, match="'method_c', which is inadmissible"):
        reliability_parts(models)


def found_inadmissible(first: MarkerModels):
    """Return Method-C with a result that says it is not admissible."""
    from dataclasses import replace

    model = first.models["method_c"]
    return replace(model, result=replace(model.result, admissible=False))


class Names:
    """What the tables need of a study: the name of a construct."""

    @staticmethod
    def construct_name(code: str) -> str:
        return f"scale {code}"


def test_words_follow_the_numbers_when_the_method_is_strong():
    data = planted(6, 4000, (0.4,) * 8, 0.4)
    found = marker_models(MODEL, data, marker="C", marker_items=MARKER)
    text = words.comparisons_sentence(found)
    assert "The items share variance with the marker (p < .001)." in text
    assert "The correlations of the constructs change with it (p < .001)." in text
    assert "By Method-C the marker accounts for 1" in text  # .4 squared is .16
    parts = words.reliability_parts_sentence(Names, reliability_parts(found))
    assert parts.startswith("The method takes most from scale ")
    moved = words.sensitivity_sentence(Names, marker_sensitivity(found, data))
    assert "Inside their baseline intervals: 0 of 1 correlations" in moved


def test_words_where_a_model_cannot_be_read():
    data = planted(0, 150, (0.6,) * 8, -0.95)
    found = marker_models(MODEL, data, marker="C", marker_items=MARKER)
    stronger = marker_sensitivity(found, data, chosen="method_u")
    text = words.sensitivity_sentence(Names, stronger)
    assert "Method-S(.01) has no admissible solution, so that it says nothing." in text
    table = words.sensitivity_table(Names, stronger, 12)
    assert "Method-S(.01): not admissible." in table.note
    assert table.cells[0][-1] == "–"


def test_steps_that_cannot_be_compared_say_so(first):
    broken = {**first.models, "method_u": found_inadmissible(first)}
    steps = first.comparisons.assign(p_value=[0.5, np.nan, np.nan])
    models = MarkerModels("C", broken, steps, "method_c", 10, 0)
    text = words.comparisons_sentence(models)
    assert "Whether the items do so unequally cannot be tested, so Method-C is taken." in text
    assert "no sign that the items share variance with the marker (p = .500)" in text
    assert "A dash" not in words.comparisons_table(first).note
