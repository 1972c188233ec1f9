"""Power by simulation: against the formulas, against single fits, and the same for any workers."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import Unavailable
from helpers.sem import fit, power
from helpers.sem.power_curve import needed_from_curve, probit_line, wilson
from helpers.sem.power_interval import tails_of_fit, tails_of_replicates
from helpers.sem.power_montecarlo import BLOCK, Job, run_block
from helpers.sem.power_replicates import draw_moments, errors_of, estimate, make_plan, values_of
from helpers.sem.power_target import find_target
from helpers.sem.simulate_population import build_population, freed_model, parsed

SAME = 1e-6
"""The batched search stops at 3e-7 standard errors."""
SIGMAS = 4.5
"""Simulation errors by which a true value may be missed: one false alarm in 150,000."""

TWO = "f =~ .8*x1 + .7*x2 + .6*x3\ng =~ .8*y1 + .7*y2 + .6*y3\ng ~ b*f + .3*f"
CHAIN = (
    "x =~ .8*x1 + .8*x2 + .7*x3\nm =~ .8*m1 + .8*m2 + .7*m3\ny =~ .8*y1 + .8*y2 + .7*y3\n"
    "m ~ a*x + .4*x\ny ~ b*m + .4*m + c*x + .1*x\nind := a*b\ntotal := ind + c"
)
PATHS = "m ~ a*x + .4*x\ny ~ b*m + .3*m + .2*x + .1*z\nx ~~ .3*z\nind := a*b"
EQUAL = "f =~ l*x1 + l*x2 + .7*x1 + .6*x3 + .5*x4\nx1 ~~ .2*x2"


@pytest.mark.parametrize(
    "text, target, means",
    [(TWO, "b", False), (CHAIN, "ind", False), (CHAIN, "total", True), (PATHS, "ind", False),
     (EQUAL, "f =~ x3", False), (EQUAL, "x1 ~~ x2", True)],
)  # fmt: skip
def test_replicates_agree_with_single_fits(text, target, means):
    truth = build_population(text)
    syntax = parsed(freed_model(text))
    plan = make_plan(truth, syntax, [150], means=means)
    samples = draw_moments(plan, [150], 4, np.random.default_rng(1))
    found = estimate(plan, samples)
    at = find_target(plan.result.table, target).position
    value, error = values_of(plan, at, found.x), errors_of(plan, at, found.x, samples)
    names = list(plan.result.observed)
    assert found.converged.all()
    for k in range(4):
        given = {"sample_cov": pd.DataFrame(samples[0].cov[k] * 150 / 149, names, names)}
        if means:
            given["sample_mean"] = pd.Series(samples[0].mean[k], names)
        single = fit(syntax.text, n_obs=150, fixed_x=False, **given)
        np.testing.assert_allclose(value[k], single.values[at], atol=SAME)
        np.testing.assert_allclose(error[k], single.standard_errors[at], atol=SAME)
        np.testing.assert_allclose(found.chisq[k], single.test.chisq, atol=1e-5)


def test_drawn_moments_have_the_moments_of_the_wishart():
    truth = build_population(TWO, standardized=True)
    plan = make_plan(truth, parsed(freed_model(TWO)), [40])
    n, b = 40, 20_000
    cov = draw_moments(plan, [n], b, np.random.default_rng(2))[0].cov
    sigma = truth.cov[0]
    mean, variance = cov.mean(axis=0), cov.var(axis=0)
    wanted = (n - 1) / n**2 * (sigma**2 + np.outer(np.diag(sigma), np.diag(sigma)))
    assert (np.abs(mean - sigma * (n - 1) / n) < SIGMAS * np.sqrt(wanted / b)).all()
    np.testing.assert_allclose(variance, wanted, rtol=0.08)


def test_simulated_power_of_a_path_agrees_with_the_formula():
    # A z test and a chi-square difference agree where N is large for the effect's size.
    sizes = [600, 1000]
    text = TWO.replace(".3*f", ".12*f")
    exact = power(text, "b", sizes, standardized=True).table["power"].to_numpy()
    ours = power(
        text, "b", sizes, standardized=True, method="montecarlo", seed=8, n_sets=2000
    ).table
    error = np.sqrt(exact * (1 - exact) / 2000)
    assert (np.abs(ours["power"] - exact) < SIGMAS * error + 0.01).all()
    assert ((ours["coverage"] - 0.95).abs() < SIGMAS * np.sqrt(0.05 * 0.95 / 2000)).all()
    assert (ours["bias"].abs() < SIGMAS * ours["sd"] / np.sqrt(2000)).all()
    assert (ours["se_bias"].abs() < 0.08).all()


def test_simulated_power_of_a_metric_step_agrees_with_the_formula():
    text = "f =~ 1*x1 + c(.9, .6)*x2 + .8*x3 + .8*x4"
    exact = float(power(text, "metric", 1000).table["power"][0])
    ours = power(text, "metric", 1000, method="montecarlo", seed=9, n_sets=1000).table
    error = np.sqrt(exact * (1 - exact) / 1000)
    assert abs(ours["power"][0] - exact) < SIGMAS * error
    assert "coverage" not in ours


def test_without_effect_the_test_rejects_at_its_level():
    model = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ b*f"
    ours = power(
        TWO.replace(".3*f", "0*f"), "b", 400, model=model, standardized=True,
        method="montecarlo", seed=4, n_sets=2000,
    ).table  # fmt: skip
    assert abs(ours["power"][0] - 0.05) < SIGMAS * np.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.slow
def test_needed_n_of_simulation_covers_the_formula():
    text = TWO.replace(".3*f", ".15*f")
    exact = power(text, "b", standardized=True).needed.n
    ours = power(text, "b", standardized=True, method="montecarlo", seed=3, n_sets=1000)
    assert ours.needed.ci_low <= ours.needed.n <= ours.needed.ci_high
    assert abs(ours.needed.n - exact) < 0.06 * exact


def test_numbers_do_not_depend_on_workers_grid_or_number_of_sets():
    options = {"standardized": True, "method": "montecarlo", "seed": 6}
    alone = power(TWO, "b", 120, n_sets=150, **options).table
    among = power(TWO, "b", [100, 120], n_sets=150, **options).table
    assert alone.iloc[0].equals(among.iloc[1])
    truth = build_population(TWO, standardized=True)
    job = Job(truth, freed_model(TWO), "b", "ML", 6, (1.0,))
    part, whole = run_block(job, (120, 0, 10)), run_block(job, (120, 0, BLOCK))
    np.testing.assert_allclose(part.estimate, whole.estimate[:10], rtol=1e-12)


def test_interval_of_an_indirect_effect_agrees_with_monte_carlo_intervals():
    # The same fits, tested by the suite's own Monte Carlo intervals.
    from helpers.sem.montecarlo import monte_carlo_intervals

    truth = build_population(CHAIN, standardized=True)
    syntax = parsed(freed_model(CHAIN))
    plan = make_plan(truth, syntax, [120])
    samples = draw_moments(plan, [120], 12, np.random.default_rng(3))
    found = estimate(plan, samples)
    at = find_target(plan.result.table, "ind").position
    zero, hit = tails_of_replicates(plan, at, found.x, samples, np.random.default_rng(1))
    value = float(plan.result.values[at])
    names = list(plan.result.observed)
    agree = []
    for k in range(12):
        cov = pd.DataFrame(samples[0].cov[k] * 120 / 119, names, names)
        single = fit(syntax.text, sample_cov=cov, n_obs=120, fixed_x=False)
        row = monte_carlo_intervals(single, seed=1).table.set_index("name").loc["ind"]
        # A tail share near .05 may fall on either side with other draws.
        if abs(zero[k] - 0.05) > 0.02:
            agree.append((zero[k] < 0.05) == (row["ci_low"] > 0 or row["ci_high"] < 0))
        if abs(hit[k] - 0.05) > 0.02:
            agree.append((hit[k] >= 0.05) == (row["ci_low"] <= value <= row["ci_high"]))
        from_rows, _hit = tails_of_fit(single, at, value, np.random.default_rng(2))
        assert abs(from_rows - zero[k]) < 0.06
    assert len(agree) > 12 and all(agree)


def test_interval_finds_indirect_effects_more_often_than_the_z_test():
    options = {"standardized": True, "method": "montecarlo", "seed": 2, "n_sets": 600}
    ours = power(CHAIN, "ind", 90, **options)
    timid = power(CHAIN, "ind", 90, test="z", **options)
    assert ours.table["power"][0] > timid.table["power"][0] + 0.03
    assert ours.table["mean"][0] == timid.table["mean"][0]
    assert abs(ours.table["coverage"][0] - 0.95) < SIGMAS * np.sqrt(0.05 * 0.95 / 600) + 0.01


def test_kept_blocks_are_used_again(tmp_path):
    options = {"standardized": True, "method": "montecarlo", "seed": 6, "keep": tmp_path}
    first = power(TWO, "b", [100, 120], n_sets=150, **options).table
    files = sorted(tmp_path.iterdir())
    again = power(TWO, "b", [100, 120], n_sets=150, **options).table
    pd.testing.assert_frame_equal(first, again)
    assert len(files) == 4 and sorted(tmp_path.iterdir()) == files


def test_two_processes_give_the_same_numbers():
    options = {"standardized": True, "method": "montecarlo", "seed": 6, "n_sets": 200}
    one = power(TWO, "b", [100, 120], **options).table
    two = power(TWO, "b", [100, 120], workers=2, **options).table
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.slow
def test_rows_are_drawn_for_blanks_and_shapes():
    ours = power(
        TWO, "b", 250, standardized=True, method="montecarlo", seed=1, n_sets=40,
        missing=0.1, missing_on="x1", skewness=1.0, kurtosis=2.0,
    )  # fmt: skip
    assert ours.estimator == "MLR"
    row = ours.table.iloc[0]
    assert row["n_used"] == 40
    assert abs(row["bias"]) < SIGMAS * row["sd"] / np.sqrt(40)
    assert 0.6 < row["power"] < 1.0


def test_ordinal_items_go_through_wlsmv():
    cuts = {name: [-0.8, 0.2, 1.0] for name in ("x1", "x2", "x3", "y1", "y2", "y3")}
    ours = power(
        TWO, "b", 300, standardized=True, method="montecarlo", seed=1, n_sets=12, thresholds=cuts
    )
    assert ours.estimator == "WLSMV"
    assert ours.table["n_used"][0] >= 11
    assert abs(ours.table["mean"][0] - 0.3) < 0.12


def test_probit_line_against_statsmodels():
    import statsmodels.api as sm

    x, n = np.sqrt(np.array([50.0, 100, 200, 300])), np.full(4, 500.0)
    k = np.array([90.0, 190, 330, 430])
    link = sm.families.Binomial(link=sm.families.links.Probit())
    theirs = sm.GLM(np.column_stack([k, n - k]), sm.add_constant(x), family=link).fit()
    beta, cov = probit_line(x, k, n)
    np.testing.assert_allclose(beta, theirs.params, rtol=1e-6)
    # statsmodels takes the expected information too
    np.testing.assert_allclose(cov, theirs.cov_params(), rtol=1e-5)


def test_wilson_by_hand():
    # 15 of 20: (0.8333 +- ...) from Wilson's formula, printed in Newcombe (1998) as 81/263.
    low, high = wilson(np.array(81.0), np.array(263.0), 0.95)
    assert (round(float(low), 4), round(float(high), 4)) == (0.2553, 0.3662)


def test_curves_that_do_not_determine_an_n():
    n = np.array([50, 100, 200])
    full = np.array([500, 500, 500])
    assert isinstance(needed_from_curve(n, full, full, 0.8, 0.95), Unavailable)
    falling = np.array([400, 300, 200])
    assert isinstance(needed_from_curve(n, falling, full, 0.8, 0.95), Unavailable)
