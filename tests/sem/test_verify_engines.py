"""Reference: the bundled models agree with semopy, and with lavaan where R has it."""

import pytest

from helpers import load_study
from helpers.sem.outside import lavaan_available
from helpers.sem.verify import verdict, verify_studies

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def table():
    return verify_studies([load_study("maxham_netemeyer_2003")])


def test_every_model_has_a_row_with_semopy(table):
    assert set(table["model"]) == set(load_study("maxham_netemeyer_2003").spec.models)
    assert table["engine"].str.startswith("semopy").any()


def test_what_cannot_be_compared_says_why(table):
    lost = table[table["agrees"].isna()]
    assert (lost["remark"].str.len() > 0).all()


@pytest.mark.skipif(not lavaan_available(), reason="Rscript with lavaan is not installed")
def test_lavaan_agrees(table):
    own = table[table["engine"].str.startswith("lavaan")]
    assert len(own) == table["model"].nunique()
    assert own["agrees"].all()
    assert (own["df"] == 0).all()


def test_verdict_counts_a_disagreement(table):
    wrong = table.assign(agrees=[False, *[None] * (len(table) - 1)])
    text, agrees = verdict(wrong)
    assert not agrees
    assert text.startswith("0 of 1 comparisons")
