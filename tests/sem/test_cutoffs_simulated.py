"""Simulated cut-offs: against the chi-square distribution, single fits, planted misfit."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from helpers.errors import EstimationError, Unavailable
from helpers.sem import fit, fit_cutoffs
from helpers.sem.cutoffs import indices, misspecify
from helpers.sem.power_replicates import draw_moments, estimate, make_plan
from helpers.sem.simulate_population import build_population, parsed

HS = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
ONE = "f =~ x1 + x2 + x3 + x4 + x5 + x6"


@pytest.fixture(scope="module")
def three_factors(holzinger):
    return fit(HS, holzinger)


@pytest.mark.parametrize("text", [HS, f"{HS}\nspeed ~ ageyr + sex + visual\nx3 ~~ x4"])
def test_indices_of_replicates_agree_with_fit(text, holzinger):
    plan = make_plan(build_population(fit(text, holzinger)), parsed(text), [200])
    samples = draw_moments(plan, [200], 3, np.random.default_rng(1))
    found = estimate(plan, samples)
    ours = indices(plan, found.x, found.chisq, samples, 200)
    names = list(plan.result.observed)
    for k in range(3):
        cov = pd.DataFrame(samples[0].cov[k] * 200 / 199, names, names)
        single = fit(text, sample_cov=cov, n_obs=200).fit_measures
        for name in ("chisq", "rmsea", "srmr", "cfi", "tli"):
            assert abs(ours[name][k] - single[name]) < 1e-5


def test_rmsea_of_the_correct_model_follows_the_chi_square(three_factors):
    found = fit_cutoffs(three_factors, seed=2, n_obs=1000, n_sets=2000)
    df = three_factors.test.df
    wanted = np.sqrt((chi2.ppf(0.95, df) - df) / (df * 1000))
    ours = found.table.set_index("index").loc["rmsea", "cutoff"]
    assert abs(ours / wanted - 1) < 0.08
    assert found.n_failed == 0


def test_levels_are_ordered_and_named(three_factors):
    found = fit_cutoffs(three_factors, seed=2, n_sets=200)
    table = found.table.set_index("index")
    assert len(found.omitted["minor"]) == 1
    assert len(found.omitted["moderate"]) == 2
    assert found.omitted["minor"][0].kind == "cross-loading"
    assert table.loc["rmsea", "detects_moderate"] >= table.loc["rmsea", "detects_minor"] > 0.05
    # Chi-square 85.3 on 24 df: no sample from the model itself fits so badly.
    assert not table["within"].any()


def test_omitted_cross_loading_is_what_it_says(three_factors):
    plan = make_plan(build_population(three_factors), parsed(HS), [301])
    (relation,), population = misspecify(plan, 0.3, 1)
    freed = f"{HS}\n{relation.first} =~ {relation.second}"
    again = make_plan(population, parsed(freed), [301]).result
    assert 2 * 301 * again.f < 1e-6
    rows = again.estimates.query("lhs == @relation.first and rhs == @relation.second")
    assert abs(float(rows["std_all"].iloc[0]) - 0.3) < 1e-6
    np.testing.assert_allclose(np.diag(population.cov[0]), np.diag(plan.population.cov[0]))


def test_one_factor_gets_a_residual_correlation(holzinger):
    r = fit(ONE, holzinger.assign(**_one_factor(holzinger)))
    plan = make_plan(build_population(r), parsed(ONE), [301])
    (relation,), population = misspecify(plan, 0.3, 1)
    assert relation.kind == "residual correlation"
    again = make_plan(
        population, parsed(f"{ONE}\n{relation.first} ~~ {relation.second}"), [301]
    ).result
    rows = again.estimates.query("op == '~~' and lhs == @relation.first")
    row = rows[rows["rhs"] == relation.second]
    assert abs(float(row["std_all"].iloc[0]) - 0.3) < 1e-6


def _one_factor(data):
    from helpers.sem import simulate

    text = "f =~ .8*x1 + .7*x2 + .7*x3 + .6*x4 + .6*x5 + .5*x6"
    return simulate(text, len(data), seed=3, standardized=True).to_dict("series")


def test_same_seed_same_numbers(three_factors):
    one, two = (fit_cutoffs(three_factors, seed=4, n_sets=40) for _ in range(2))
    pd.testing.assert_frame_equal(one.draws, two.draws)


def test_refusals(three_factors, holzinger):
    assert isinstance(fit_cutoffs(fit("x1 ~ x2", holzinger), seed=1), Unavailable)
    for options in ({"n_sets": 5}, {"size": 1.2}, {"n_obs": 5}, {"level": 0.2}):
        with pytest.raises(EstimationError, match=next(iter(options))):
            fit_cutoffs(three_factors, seed=1, **options)
