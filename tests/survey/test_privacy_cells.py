"""Contract, reference and property tests: k-anonymity, salted codes, small cells of tables."""

import hashlib
import hmac
import itertools
import stat

import numpy as np
import pandas as pd
import pytest

from helpers import load_study
from helpers.errors import DataContractError, ReportError
from helpers.survey.privacy import (
    CODE_LENGTH,
    SALT_FILE,
    k_anonymity,
    quasi_identifiers,
    salted_codes,
    study_salt,
)
from helpers.survey.small_cells import guard_small_cells

QUASI = ["race", "birth", "gender", "zip"]
SWEENEY = pd.DataFrame(
    [
        ("black", 1965, "m", "0214*", "short breath"),
        ("black", 1965, "m", "0214*", "chest pain"),
        ("black", 1965, "f", "0213*", "hypertension"),
        ("black", 1965, "f", "0213*", "hypertension"),
        ("black", 1964, "f", "0213*", "obesity"),
        ("black", 1964, "f", "0213*", "chest pain"),
        ("white", 1964, "m", "0213*", "chest pain"),
        ("white", 1964, "m", "0213*", "obesity"),
        ("white", 1964, "m", "0213*", "short breath"),
        ("white", 1967, "m", "0213*", "chest pain"),
        ("white", 1967, "m", "0213*", "chest pain"),
    ],
    columns=[*QUASI, "problem"],
)
"""Sweeney (2002), doi:10.1142/S0218488502001648, figure 2: 2-anonymous over four columns."""


def test_published_table_is_two_anonymous():
    found = k_anonymity(SWEENEY, QUASI, k=2, sensitive=["problem"])
    assert found.smallest == 2
    assert found.reached
    assert len(found.cells) == 5
    # the cell of black women born 1965 shares one problem, which k-anonymity does not prevent
    assert found.diversity == {"problem": 1}


def test_published_table_is_not_three_anonymous():
    found = k_anonymity(SWEENEY, QUASI, k=3)
    assert not found.reached
    assert found.n_below == 8  # four cells of two
    assert found.share_below == pytest.approx(8 / 11)


def test_a_blank_hides_nobody():
    people = pd.DataFrame({"age": [30, 30, np.nan], "place": ["a", "a", "a"]})
    found = k_anonymity(people, ["age", "place"], k=2)
    assert (found.n_unique, found.smallest) == (1, 1)


def test_order_of_rows_does_not_matter():
    turned = SWEENEY.iloc[::-1]
    one, two = (k_anonymity(t, QUASI, k=3) for t in (SWEENEY, turned))
    assert one.cells.equals(two.cells)


@pytest.mark.parametrize(
    ("columns", "k", "message"),
    [
        (None, 2, "columns= is not given"),
        (["race", "gendre"], 2, "gendre are not in the table.*Did you mean 'gender'"),
        (QUASI, 0, "k= is 0; at least 1"),
    ],
)
def test_wrong_use_is_said(columns, k, message):
    with pytest.raises(DataContractError, match=message):
        k_anonymity(SWEENEY, columns, k=k)


def test_a_study_names_its_quasi_identifiers():
    study = load_study("online_shopping")
    assert quasi_identifiers(study) == ("AGE", "GENDER", "EDU", "INCOME", "PLATF")
    found = k_anonymity(study)
    sizes = study.responses.groupby(list(found.columns), dropna=False).size()
    assert found.n_used == len(study.responses)
    assert found.n_unique == (sizes == 1).sum()


def test_a_matrix_has_nobody_to_recognise():
    found = k_anonymity(load_study("maxham_netemeyer_2003"))
    assert found.columns == ()
    assert "no quasi-identifiers" in found.text()


def test_codes_are_keyed_hashes():
    salt = bytes(range(32))
    keys = pd.Series(["R_1", "R_2", None, "R_1"])
    codes = salted_codes(keys, salt)
    by_hand = hmac.new(salt, b"R_1", hashlib.sha256).hexdigest()[:CODE_LENGTH]
    assert codes[0] == codes[3] == by_hand
    assert codes[1] != codes[0]
    assert codes.isna().tolist() == [False, False, True, False]
    assert salted_codes(keys, bytes(32))[0] != by_hand


def test_a_short_salt_is_refused():
    with pytest.raises(DataContractError, match="salt= has 3 bytes"):
        salted_codes(pd.Series(["a"]), b"abc")


def test_the_salt_is_made_once_and_for_its_owner(tmp_path):
    salt = study_salt(tmp_path)
    assert study_salt(tmp_path) == salt
    assert len(salt) == 32
    assert stat.S_IMODE((tmp_path / SALT_FILE).stat().st_mode) == 0o600


def test_a_damaged_salt_is_refused(tmp_path):
    study_salt(tmp_path)
    (tmp_path / SALT_FILE).write_text("no salt", encoding="ascii")
    with pytest.raises(ReportError, match="cannot be used"):
        study_salt(tmp_path)


def test_a_small_count_takes_a_rectangle_with_it():
    table = pd.DataFrame({"a": [2, 20, 11], "b": [30, 40, 8], "c": [7, 18, 9]})
    guarded = guard_small_cells(table, k=5)
    # the cheapest rectangle through the 2 is that with 11, 7 and 9
    assert guarded.secondary.to_numpy().tolist() == [
        [False, False, True],
        [False, False, False],
        [True, False, True],
    ]
    assert guarded.primary.to_numpy().sum() == 1


def test_a_column_of_counts_hides_one_more():
    guarded = guard_small_cells(pd.Series([1, 30, 20, 0]), k=5)
    assert guarded.table[0].isna().tolist() == [True, False, True, False]


def test_large_counts_and_zeros_are_shown():
    table = pd.DataFrame({"a": [0, 20], "b": [30, 40]})
    guarded = guard_small_cells(table, k=5)
    assert guarded.n_hidden == 0
    assert guarded.table.equals(table.astype(float))
    assert guarded.note() == ""


@pytest.mark.parametrize("bad", [-1.0, 2.5, np.nan])
def test_what_is_no_count_is_refused(bad):
    with pytest.raises(DataContractError, match="negative, blank or not whole"):
        guard_small_cells(pd.DataFrame({"a": [bad, 2.0]}))


def possible(counts, hidden):
    """All tables of two rows that a reader could think of: same sums, same counts shown."""
    columns = counts.sum(axis=0)
    choices = [
        range(1, columns[j]) if hidden[:, j].all() else [counts[0, j]]
        for j in range(counts.shape[1])
    ]
    for first in itertools.product(*choices):
        if sum(first) == counts[0].sum():
            yield np.array([first, columns - first])


@pytest.mark.parametrize("seed", range(12))
def test_no_small_count_follows_from_the_rest(seed):
    counts = np.random.default_rng(seed).integers(1, 6, size=(2, 3))
    guarded = guard_small_cells(pd.DataFrame(counts), k=3)
    hidden = guarded.table.isna().to_numpy()
    tables = list(possible(counts, hidden)) if hidden.any() else []
    for place in zip(*np.nonzero(guarded.primary.to_numpy())):
        seen = {int(t[place]) for t in tables}
        assert len(seen) > 1 or hidden.all()
        # a count hidden alone in its column would follow from the column's sum
        assert hidden[:, place[1]].sum() == 2
