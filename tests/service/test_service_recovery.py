"""Recovery, slow: planted drivers, totals and context over several simulated samples."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from helpers.paths import data_folder
from helpers.sem import fit
from helpers.service.importance_map import driver_map, model_map
from helpers.service.segments import moderated_slopes
from helpers.study import read_folder
from helpers.survey.simulate.answers import agreement_items
from helpers.survey.simulate.latents import make_latents
from helpers.survey.simulate.people import make_people
from helpers.survey.simulate.population import read_population

SEEDS = range(301, 321)
N = 1000
DRIVERS = ("DSQ", "DCX", "DIM", "DPV", "DRM", "DTE")
ELEMENTS = ("COMP", "SPEED", "APOL", "PERS", "FOLL")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder():
    return read_folder(data_folder() / "online_shopping")


@pytest.fixture(scope="module")
def population(folder):
    return read_population(folder.folder / "population.yml")


@pytest.fixture(scope="module")
def samples(folder, population):
    """Honest answers without blanks, turned where an item is reversed, and people."""
    reverse = frozenset(folder.items.loc[folder.items["reverse"], "item"])
    out = []
    for seed in SEEDS:
        people = make_people(population, seed, N)
        latents = make_latents(population, people, seed)
        answers = agreement_items(population["measurement"], latents, seed, reverse)
        turned = {i: 8.0 - answers[i] for i in answers if i in reverse}
        out.append((answers.astype(float).assign(**turned), people))
    return out


def scored(answers, code):
    return answers[[c for c in answers if re.fullmatch(rf"{code}\d", c)]].mean(axis=1)


def test_drivers_come_in_their_planted_order(samples, population):
    truth = population["structure"]["drivers"]["loading"]
    taus, firsts = [], []
    for answers, _people in samples:
        data = pd.DataFrame({d: scored(answers, d) for d in DRIVERS})
        faces = ("LREP", "LREC", "LPRI", "LTOL", "LFEE")
        data["LOY"] = np.mean([scored(answers, f) for f in faces], axis=0)
        spans = dict.fromkeys(data, (1.0, 7.0))
        names = driver_map(data, "LOY", DRIVERS, ranges=spans, n_boot=50).table["name"]
        taus.append(kendalltau([truth[n] for n in names], -np.arange(len(names))).statistic)
        firsts.append(names.iloc[0] == max(truth, key=truth.get))
    assert np.mean(taus) > 0.7
    assert np.mean(firsts) >= 0.7


def test_total_effect_of_recovery_is_covered(samples, folder, population):
    """20 intervals at 95%: fewer than 16 hits has probability .003 at most."""
    syntax = folder.spec.models["structural"].syntax
    target = population["targets"]["structural"]["paths"]["tot_loy"]["value"]
    hits = []
    for answers, _people in samples:
        items = list(dict.fromkeys(re.findall(r"\b[A-Z]+[0-9]\b", syntax)))
        spans = dict.fromkeys(items, (1.0, 7.0))
        found = model_map(fit(syntax, answers[items]), answers, "LOY", ranges=spans, n_boot=300)
        row = found.table.set_index("name").loc["REC"]
        hits.append(row["raw_low"] <= target <= row["raw_high"])
    assert sum(hits) >= 16


def test_timeliness_weighs_more_on_hurried_days(samples):
    found = []
    for answers, people in samples:
        data = pd.DataFrame({e: scored(answers, e) for e in ELEMENTS})
        data["REC"] = scored(answers, "REC")
        hurried = people["DAYT"].isin([3, 4]).astype(float)
        others = [e for e in ELEMENTS if e != "SPEED"]
        pairs = [("REC", "SPEED", others)]
        tests = moderated_slopes(data, hurried.to_frame("hurried"), pairs)
        slopes = tests.slopes.set_index("category")["slope"]
        found.append((slopes[1.0] - slopes[0.0], tests.table["p_value"].iloc[0]))
    steeper, p = np.array(found).T
    assert (steeper > 0).mean() >= 0.9
    assert 0.05 < steeper.mean() < 0.25 / 1.53 + 0.03  # planted, less the error of the scales
    assert (p < 0.05).mean() > 0.4
