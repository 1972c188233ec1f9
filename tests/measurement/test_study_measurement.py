"""Measurement of whole studies: the bundled ones, recovery of planted structure, and reasons."""

import numpy as np
import pandas as pd
import pytest

from helpers import load_study
from helpers.errors import DataContractError, ModelSpecError, Unavailable
from helpers.measurement import (
    coefficient_alpha,
    estimate_study_reliability,
    explore_study,
    scale_blocks,
    study_htmt,
)
from helpers.sem import explore_items
from helpers.sem.study_validity import study_validity
from helpers.survey.load import open_folder
from helpers.survey.new import new_study
from helpers.tables import measuring, validity


@pytest.fixture(scope="module")
def shopping():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def published():
    return load_study("maxham_netemeyer_2003")


def test_every_scale_has_its_own_complete_rows(shopping):
    result = estimate_study_reliability(shopping)
    row = result.table().set_index("construct").loc["RSAT"]
    items = shopping.responses[["RSAT1", "RSAT2", "RSAT3", "RSAT4"]]
    alone = coefficient_alpha(items, construct="RSAT")
    assert (row["alpha"], row["n_used"]) == (alone.alpha, int(items.notna().all(axis=1).sum()))
    assert set(result.table()["construct"]) == set(scale_blocks(shopping))
    assert len(result.numbers()) == len(result.table())


def test_order_of_planted_reliabilities_comes_back(shopping):
    """Scales with higher planted loadings have the higher alpha (answers in steps lower both)."""
    truth = shopping.truth["measurement"]["scales"]
    table = estimate_study_reliability(shopping).table().set_index("construct")
    planted = {c: np.mean(np.square(scale["loadings"])) for c, scale in truth.items()}
    both = [(planted[c], float(table.loc[c, "ave"])) for c in planted if c in table.index]
    assert len(both) > 30
    # the sampling error of an AVE is about .02 at this n, the spread of the planted ones .06
    assert np.corrcoef(np.array(both).T)[0, 1] > 0.8


def test_planted_scales_come_back_as_factors(shopping):
    found = explore_study(shopping, model="justice_4", n_factors=4, seed=1)
    table = found.structure()
    assert table["met"].mean() > 0.9
    assert found.solution.converged and found.solution.proper
    assert found.correlations.n_used + found.correlations.n_dropped == len(shopping.responses)


def test_distinct_constructs_pass_htmt(shopping):
    result = study_htmt(shopping, n_boot=200, seed=1)
    assert result.pairs["htmt_high"].max() < 0.9  # the largest planted latent correlation is .72
    assert measuring.htmt_table(result, 5).frame.shape[0] == 5


def test_latent_correlations_are_near_the_planted_ones(shopping):
    """Justice facets are planted with loadings .80 and .70 on one factor, so they correlate .56."""
    found = study_validity(shopping, "justice_4")
    table = found.fornell_larcker().set_index("construct")
    names = list(table.index)
    facets = shopping.truth["structure"]["facets"]["REC"]
    planted = facets["DJ"] * facets["INTJ"]
    assert abs(table.loc[names[2], names[0]] - planted) < 0.1  # method factor and sampling error
    assert validity.fornell_larcker_table(shopping, found).frame.shape[0] == 4


def test_published_matrix_gives_what_was_printed(published):
    result = estimate_study_reliability(published)
    printed = published.spec.matrix.reliability
    assert dict(zip(result.table()["construct"], result.table()["alpha"])) == printed
    assert isinstance(result.table()["omega"].iloc[0], Unavailable)
    assert isinstance(result.table()["alpha_low"].iloc[0], Unavailable)
    assert isinstance(measuring.scale_items_table(published, result, "SSR"), Unavailable)
    known = estimate_study_reliability(load_study("maxham_netemeyer_2003", n_obs=300)).table()
    assert (known["alpha_low"] < known["alpha"]).all()


def test_published_matrix_is_factored_by_map_without_n(published):
    found = explore_study(published, seed=1)
    assert found.correlations.kind == "scales"
    assert isinstance(found.parallel, Unavailable)
    assert found.n_factors == max(1, found.partials.n_components)
    assert isinstance(study_htmt(published), Unavailable)
    assert isinstance(measuring.sphericity_table(found), Unavailable)
    assert not isinstance(explore_study(load_study("maxham_netemeyer_2003", n_obs=300)).parallel,
                          Unavailable)  # fmt: skip


def test_unknown_scale_is_named(shopping):
    result = estimate_study_reliability(shopping)
    with pytest.raises(DataContractError, match="Did you mean 'RSAT'"):
        measuring.chosen_scale(result, "RSATT")


def coarse_items(n: int, loading: float) -> pd.DataFrame:
    """Answers in five skewed steps: two factors correlated .3, four items each."""
    rng = np.random.default_rng(20261122)
    factors = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], n)
    noise = rng.normal(size=(n, 8)) * np.sqrt(1 - loading**2)
    behind = loading * np.repeat(factors, 4, axis=1) + noise
    names = [f"{stem}{k}" for stem in ("fair", "sad") for k in (1, 2, 3, 4)]
    return pd.DataFrame(1 + np.digitize(behind, [0.6, 1.0, 1.4, 1.8]), columns=names)


def test_factors_of_polychorics_return_planted_loadings(tmp_path):
    """Answers in five skewed steps pull Pearson correlations, and so the loadings, down."""
    studies = tmp_path / "data"
    studies.mkdir()
    coarse_items(4000, 0.8).to_csv(tmp_path / "coarse.csv", index=False)
    study = open_folder(new_study("coarse", tmp_path / "coarse.csv", folder=studies).folder)
    loads = {}
    for kind in ("pearson", "polychoric"):
        found = explore_items(study, correlations=kind, n_factors=2, extraction="minres")
        loads[kind] = np.abs(found.solution.loadings).max(axis=1)
    # the sampling error of a loading is about .015 at n = 4,000
    assert np.allclose(loads["polychoric"], 0.8, atol=0.05)
    assert loads["pearson"].mean() < 0.8 - 0.05
    assert isinstance(measuring.neighbours_table(found), Unavailable)
    assert "polychoric" in found.correlations.text().casefold()


def test_pearson_is_the_default_of_exploring(shopping):
    options = {"model": "justice_4", "n_factors": 4, "seed": 1}
    plain, asked = explore_study(shopping, **options), explore_items(shopping, **options)
    assert np.array_equal(plain.solution.loadings, asked.solution.loadings)
    with pytest.raises(ModelSpecError, match="allowed are pearson, polychoric"):
        explore_items(shopping, correlations="polychorik")
