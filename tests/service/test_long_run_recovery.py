"""Recovery, slow: planted ratios of the later wave, and what the weights make up for."""

import numpy as np
import pytest

from helpers.paths import data_folder
from helpers.regression.attrition import attrition_weights
from helpers.service.lifecycle import change_ratio, trimmed_weights
from helpers.survey.simulate.answers import group_ratings
from helpers.survey.simulate.latents import make_latents
from helpers.survey.simulate.modules import followup_table
from helpers.survey.simulate.people import make_people
from helpers.survey.simulate.population import read_population

SEEDS = range(401, 441)
N = 1000
NO_RECOVERY = 4

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def population():
    return read_population(data_folder() / "online_shopping" / "population.yml")


@pytest.fixture(scope="module")
def waves(population):
    """The later wave of everybody, with what weights are made from and who answered."""
    out = []
    for seed in SEEDS:
        people = make_people(population, seed, N)
        latents = make_latents(population, people, seed)
        ratings = group_ratings(population, people, latents, seed)[["RS5", "OS5"]]
        persons = people.assign(**ratings)
        table = followup_table(population, persons, latents, seed)
        known = persons[["AGE", "RS5", "FREQ", "MEAS"]].reset_index(drop=True)
        out.append(table.reset_index(drop=True).join(known))
    return out


@pytest.mark.parametrize("outcome", ["purchases", "amount"])
@pytest.mark.parametrize("recovered", [True, False])
def test_intervals_cover_the_planted_ratios(waves, population, outcome, recovered):
    """Coverage of 95 % within four standard errors, over 40 samples."""
    spec = population["tables"]["T6"]
    if not recovered:
        spec = population["modules"]["followup"]["no_recovery"]
    planted = spec[f"{outcome}_ratio"]
    ending = "N" if outcome == "purchases" else "CNY"
    hits = 0
    for table in waves:
        rows = table[table["answered"] & ((table["MEAS"] != NO_RECOVERY) == recovered)]
        found = change_ratio(rows[f"FU_PRE_{ending}"], rows[f"FU_POST_{ending}"])
        hits += found.ci_low <= planted <= found.ci_high
    assert hits / len(waves) >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / len(waves))


def test_weights_bring_the_answers_nearer_to_everybody(waves):
    plain, weighted = [], []
    for table in waves:
        lost = attrition_weights(table, table["answered"], ["AGE", "RS5", "FREQ"])
        weights = trimmed_weights(lost.weights, 0.99)
        own = table["MEAS"] != NO_RECOVERY
        rows = table[own & table["answered"]]
        everybody = change_ratio(table.loc[own, "FU_PRE_N"], table.loc[own, "FU_POST_N"]).ratio
        one = change_ratio(rows["FU_PRE_N"], rows["FU_POST_N"]).ratio
        two = change_ratio(rows["FU_PRE_N"], rows["FU_POST_N"], weights=weights[rows.index]).ratio
        plain.append(np.log(one / everybody))
        weighted.append(np.log(two / everybody))
    assert abs(np.mean(weighted)) < abs(np.mean(plain))
    assert abs(np.mean(weighted)) < 3 * np.std(weighted) / np.sqrt(len(weighted))
