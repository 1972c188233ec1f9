"""Plans from a study's model: the effect is what it says, refusals, tables and sentences."""

import numpy as np
import pytest

from helpers.errors import ModelSpecError, Unavailable
from helpers.i18n import in_language
from helpers.sem import fit
from helpers.sem.power_replicates import make_plan
from helpers.sem.power_study import (
    plan_study,
    planned_population,
    power_curves,
    simulate_plan,
    study_cutoffs,
    study_t_size,
)
from helpers.sem.simulate_population import parsed
from helpers.sem.study_fit import ModelFit, fit_model
from helpers.survey.load import load_study
from helpers.tables import sem_power as tables

CHAIN = "v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6\ns =~ x7 + x8 + x9\nt ~ a*v\ns ~ b*t + c*v\ni := a*b"


@pytest.fixture(scope="module")
def chain(holzinger):
    return ModelFit("chain", "Chain", CHAIN, fit(CHAIN, holzinger), {"s": "Speed"}, {})


@pytest.fixture(scope="module")
def matrix():
    return fit_model(load_study("maxham_netemeyer_2003"), "structural")


@pytest.mark.parametrize("path, effect", [("s ~ t", 0.1), ("t ~ v", 0.5), ("s ~ v", -0.2)])
def test_planned_path_has_its_size_and_other_things_stay(chain, path, effect):
    population = planned_population(chain.result, path, effect)
    again = make_plan(population, parsed(CHAIN), [500]).result
    ours = again.estimates.set_index(["lhs", "op", "rhs"])
    before = chain.result.estimates.set_index(["lhs", "op", "rhs"])
    key = tuple(path.replace("~", " ~ ").split())
    assert abs(ours.loc[key, "std_all"] - effect) < 1e-6
    outcome = (key[0], "~~", key[0])
    same = [k for k in before.index if k[1] != ":=" and k not in (key, outcome)]
    np.testing.assert_allclose(ours.loc[same, "est"], before.loc[same, "est"], atol=1e-5)
    # The outcome keeps its variance, and so do its items.
    at = list(population.names).index({"s": "x7", "t": "x4"}[key[0]])
    assert abs(population.cov[0][at, at] - chain.result.states[0].sigma[at, at]) < 1e-6


def test_effect_too_large_for_the_outcome(chain):
    with pytest.raises(ModelSpecError, match="leaves room for"):
        planned_population(chain.result, "s ~ v", 1.1)
    refused = plan_study(chain, path="s ~ v", effect=1.1)
    assert isinstance(refused, Unavailable)
    assert "path of 1.1 from v leaves Speed no variance" in refused.why


def test_path_that_is_not_there(chain):
    with pytest.raises(ModelSpecError, match="Did you mean 's~v'"):
        plan_study(chain, path="v ~ s")
    with pytest.raises(ModelSpecError, match="is not a path"):
        plan_study(chain, path="i")


def test_plan_takes_the_weakest_path_to_the_last_outcome(chain):
    plan = plan_study(chain)
    rows = chain.rows("~")
    rows = rows[rows["lhs"] == "s"]
    assert plan.predictor == rows.loc[rows["std_all"].abs().idxmin(), "rhs"]
    assert plan.results["indirect"].hypothesis.startswith("i :=")


def test_tables_and_sentences_in_both_languages(chain):
    plan = plan_study(chain, path="c", effect=0.3)
    simulated = simulate_plan(plan, n_sets=60, seed=1)
    n = plan.results["path"].needed.n
    for language, word in (("en", "people"), ("zh", "人")):
        with in_language(language):
            assert len(tables.needed_table(plan).cells) == 4
            assert f"{n}" in tables.plan_sentence(plan)
            assert word in tables.plan_sentence(plan)
            assert len(tables.curve_table(simulated).cells) == len(simulated.table)
            assert word in tables.curve_sentence(simulated)
            checks = tables.power_checks(simulated, plan)
            assert [c.passed for c in checks if c.passed is False] == []
    curves = power_curves(plan, simulated)
    line = curves[curves["source"] == "formula"]
    assert np.all(np.diff(line["power"]) > 0)


def test_cutoffs_and_t_size_read_aloud(chain):
    found = study_cutoffs(chain, n_sets=60, seed=1)
    row = found.table.set_index("index").loc["rmsea"]
    assert not row["within"]
    assert "larger than sampling alone" in tables.cutoffs_sentence(found)
    assert "cross-loading" in tables.cutoffs_table(found, chain).note
    t_size = study_t_size(chain)
    upper = t_size.table.set_index("index").loc["RMSEA", "t_size"]
    assert f"{upper:.3f}"[1:] in tables.t_size_sentence(t_size)


def test_matrix_without_n_plans_paths_but_not_tests_of_its_own_fit(matrix):
    plan = plan_study(matrix)
    assert plan.results["path"].needed.n > 0
    assert "how many people" in study_t_size(matrix).why
    assert "how many people" in study_cutoffs(matrix, n_sets=50, seed=1).why
    assert isinstance(tables.t_size_table(study_t_size(matrix)), Unavailable)


def test_matrix_with_n_has_both():
    study = load_study("maxham_netemeyer_2003", n_obs=300)
    fitted = fit_model(study, "structural")
    assert study_t_size(fitted).n_used == 300
    assert study_cutoffs(fitted, n_sets=40, seed=1).n_obs == 300


def test_unavailable_passes_through():
    nothing = Unavailable("a model", "the study has none")
    plan = plan_study(nothing)
    assert plan is nothing
    assert simulate_plan(plan, n_sets=10, seed=1) is nothing
    assert tables.needed_table(plan) is nothing
    assert tables.power_checks(nothing, nothing) == [nothing]
