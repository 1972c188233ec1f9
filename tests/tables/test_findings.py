"""Contract and recovery: hypotheses are judged by their interval, and verdicts are withheld."""

import math

import pandas as pd
import pytest

from helpers import load_study
from helpers.errors import Unavailable
from helpers.regression.hypotheses import Evidence, hypothesis_evidence
from helpers.tables.findings import findings, findings_sentence, hypothesis_fits, judge


def evidence(low, high, null=0.0):
    return Evidence("x", (low + high) / 2, low, high, math.nan, null, 100)


@pytest.mark.parametrize(
    ("sign", "low", "high", "verdict"),
    [
        ("+", 0.1, 0.3, True),
        ("+", -0.3, -0.1, False),
        ("+", -0.1, 0.3, None),
        ("-", -0.3, -0.1, True),
        ("-", 0.1, 0.3, False),
        ("different", -0.3, -0.1, True),
        ("none", 0.1, 0.3, False),
        ("+", math.nan, math.nan, None),
    ],
)
def test_judged_by_the_interval(sign, low, high, verdict):
    assert judge(sign, evidence(low, high)) is verdict


def test_judged_against_the_null_of_a_ratio():
    assert judge("+", evidence(0.9, 1.2, null=1.0)) is None
    assert judge("+", evidence(1.1, 1.2, null=1.0)) is True


@pytest.fixture(scope="module")
def shopping():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def found(shopping):
    return findings(shopping, hypothesis_fits(shopping))


def test_every_hypothesis_has_a_row(shopping, found):
    assert list(dict.fromkeys(found["hypothesis"])) == [h.id for h in shopping.spec.hypotheses]


def test_planted_effects_are_found(found):
    clear = found[found["hypothesis"].isin(["H1", "H2", "H3", "H10"])]
    assert all(clear["verdict"])


def test_nothing_planted_is_contradicted(found):
    assert not any(v is False for v in found["verdict"])


def test_change_ratio_is_the_ratio_of_the_two_means(shopping):
    hypothesis = next(h for h in shopping.spec.hypotheses if h.id == "H10")
    first = hypothesis_evidence(shopping, hypothesis)[0]
    data = shopping.module("followup")
    kept = shopping.responses.loc[shopping.responses["MEAS"].isin([1, 2, 3]), "respondent_id"]
    pair = data[data["respondent_id"].isin(kept)][["FU_PRE_N", "FU_POST_N"]].dropna()
    assert first.estimate == pytest.approx(pair["FU_POST_N"].mean() / pair["FU_PRE_N"].mean())
    assert first.n_used == len(pair)


def test_a_missing_variable_is_said_not_skipped(shopping):
    hypothesis = next(h for h in shopping.spec.hypotheses if h.id == "H8")
    test = hypothesis.tests[0].model_copy(update={"moderator": "NOSUCH"})
    lost = hypothesis_evidence(shopping, hypothesis.model_copy(update={"tests": [test]}))
    assert isinstance(lost[0], Unavailable)
    assert "NOSUCH" in lost[0].why


def test_matrix_without_n_gets_no_verdict():
    study = load_study("maxham_netemeyer_2003")
    table = findings(study, hypothesis_fits(study))
    assert table["estimate"].notna().all()
    assert table["verdict"].isna().all()


def test_sentence_sorts_hypotheses():
    table = pd.DataFrame({"hypothesis": ["A", "A", "B", "C"], "verdict": [True, True, None, False]})
    text = findings_sentence(table)
    assert "every estimate: A." in text
    assert "Open in at least one estimate: B." in text
    assert "Contradicted in at least one: C." in text


def test_sentence_leaves_out_a_kind_that_no_hypothesis_has():
    table = pd.DataFrame({"hypothesis": ["A", "B"], "verdict": [None, None]})
    assert findings_sentence(table) == "Open in at least one estimate: A, B."
