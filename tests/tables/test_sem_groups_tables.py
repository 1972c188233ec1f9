"""Printed tables and sentences of group comparison say what the results hold."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import Unavailable
from helpers.sem import fit
from helpers.sem.dmacs import dmacs
from helpers.sem.groups import invariance
from helpers.sem.latent_means import latent_means
from helpers.sem.partial_invariance import partial_ladder
from helpers.sem.permutation import permutation_ladder
from helpers.sem.study_groups import LatentMeans
from helpers.tables import sem_groups as deep
from helpers.tables.sem_comparisons import ladder_sentence, ladder_table

MODEL = "f =~ y1 + y2 + y3 + y4"


@pytest.fixture(scope="module")
def rows():
    """SIMULATED: group b answers y3 higher by 1 than its latent mean says."""
    rng = np.random.default_rng(4)
    f = rng.standard_normal(600)
    y = f[:, None] * [1.0, 0.9, 0.8, 0.9] + 0.6 * rng.standard_normal((600, 4))
    y[300:, 2] += 1.0
    return pd.DataFrame(y, columns=["y1", "y2", "y3", "y4"]).assign(g=["a"] * 300 + ["b"] * 300)


@pytest.fixture(scope="module")
def partial(rows):
    return partial_ladder(MODEL, rows, "g")


def test_log_names_the_release(partial):
    text = deep.release_table(partial).markdown()
    assert "y3~1" in text
    assert "50%" in text


def test_sentence_names_step_and_release(partial):
    sentence = deep.release_sentence(partial)
    assert "in part" in sentence
    assert sentence.endswith("released: y3~1.")


def test_sentence_says_why_a_search_ended(rows):
    stopped = partial_ladder(MODEL, rows, "g", max_share=0.0)
    sentence = deep.release_sentence(stopped)
    assert "metric" in sentence
    assert "too few would anchor" in sentence
    assert "0%" in deep.release_table(stopped).markdown()


def test_permutation_sentence_reads_the_last_step(rows):
    steps = {
        name: fit(MODEL, rows, group="g", group_equal=equal)
        for name, equal in (("configural", ()), ("metric", "loadings"),
                            ("scalar", ("loadings", "intercepts")))
    }  # fmt: skip
    tests = permutation_ladder(steps, n_perm=99, seed=1)
    assert "p = .010, 99 deals" in deep.permutation_sentence(tests)
    assert "ΔCFI" in deep.permutation_table(tests).markdown()


def test_latent_means_and_their_picture(partial):
    table = latent_means(partial.final).assign(name="satisfaction")
    means = LatentMeans(table, partial.released, True)
    assert "y3~1" in deep.latent_means_table(means).markdown()
    assert "satisfaction, b against a" in deep.latent_means_sentence(means)
    assert list(deep.latent_means_picture(means)["group"]) == ["b"]
    doubtful = LatentMeans(table, (), False)
    assert deep.latent_means_sentence(doubtful).startswith("No verdict")


def test_largest_item_is_read_aloud(partial):
    bias = dmacs(partial.final)
    assert "The largest is item y3, b against a" in deep.dmacs_sentence(bias)
    assert "y3" in deep.dmacs_table(bias).markdown()


def test_what_is_unavailable_is_passed_on():
    lost = Unavailable("the comparison", "no groups")
    for function in (deep.release_table, deep.permutation_table, deep.dmacs_sentence,
                     deep.latent_means_picture):  # fmt: skip
        assert function(lost) is lost
    assert deep.partial_checks(lost) == [lost]


def test_checks_count_released_items(partial):
    check = deep.partial_checks(partial)[-1]
    assert check.passed
    assert "1 of 4 items" in check.text


def test_ladder_shows_srmr_and_says_why_it_is_missing(rows):
    assert "ΔSRMR" in ladder_table(invariance(MODEL, rows, "g")).markdown()
    coded = rows.assign(**{f"y{k}": (rows[f"y{k}"] > 0).astype(int) for k in range(1, 5)})
    coded.loc[coded["g"] == "b", "y1"] = 1
    sentence = ladder_sentence(invariance(MODEL, coded, "g", ordered=True))
    assert "category 0 of y1 in group b" in sentence
