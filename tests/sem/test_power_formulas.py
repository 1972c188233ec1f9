"""Power by formula: against semTools, published tables, and limits that must hold."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, ModelSpecError, Unavailable
from helpers.sem import fit, power, power_of_rmsea
from helpers.sem.power_analytic import power_rmsea, power_z

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "power.json").read_text("utf-8"))
CHI_SQUARE = 1e-6
"""Two programs' noncentral chi-square distributions."""
LAVAAN_STOP = 5e-5
"""SSpower takes lavaan's chi-square at its default stop."""

TWO = "f =~ .8*x1 + .7*x2 + .6*x3\ng =~ .8*y1 + .7*y2 + .6*y3\ng ~ b*f + .3*f"
CHAIN = (
    "x =~ .8*x1 + .8*x2 + .7*x3\nm =~ .8*m1 + .8*m2 + .7*m3\ny =~ .8*y1 + .8*y2 + .7*y3\n"
    "m ~ a*x + .4*x\ny ~ b*m + .4*m + c*x + .1*x\nind := a*b"
)


def test_rmsea_power_against_semtools():
    r = REFERENCE["rmsea"]
    for k, (df, n) in enumerate(zip(r["df"], r["n"])):
        assert abs(power_rmsea(n, df, 0.05, 0.08) - r["close"][k]) < CHI_SQUARE
        assert abs(power_rmsea(n, df, 0.05, 0.01) - r["not_close"][k]) < CHI_SQUARE
        assert abs(power_rmsea(n, df, 0.05, 0.08, n_groups=2) - r["two_groups"][k]) < CHI_SQUARE


def test_rmsea_power_against_macCallum_browne_sugawara():
    # Table 2 (1996), power to three decimals: df, N, close fit, not-close fit.
    printed = [(5, 100, 0.127, 0.081), (10, 100, 0.169, 0.105)]
    for df, n, close, not_close in printed:
        assert abs(power_rmsea(n, df, 0.05, 0.08) - close) < 0.0006
        assert abs(power_rmsea(n, df, 0.05, 0.01) - not_close) < 0.0006


def test_rmsea_sample_sizes_against_semtools():
    r = REFERENCE["sizes"]
    for k, df in enumerate(r["df"]):
        assert power_of_rmsea("close", df).needed.n == r["close"][k]
        assert power_of_rmsea("not-close", df).needed.n == r["not_close"][k]


@pytest.mark.parametrize("stored", REFERENCE["difference"], ids=lambda c: c["hypothesis"])
def test_chi_square_difference_against_sspower(stored):
    ours = power(
        stored["pop"], stored["hypothesis"], stored["n"], standardized=stored["standardized"]
    )
    np.testing.assert_allclose(ours.table["power"], stored["power"], atol=LAVAAN_STOP)
    assert ours.df == 1


def test_metric_step_against_two_fits_in_lavaan():
    stored = REFERENCE["step"]
    ours = power(stored["pop"], "metric", stored["n"])
    assert ours.df == 3
    np.testing.assert_allclose(ours.table["ncp"], stored["ncp"], rtol=1e-4)


def test_rmsea_hypothesis_takes_df_from_the_model():
    ours = power(TWO, "close", 300, standardized=True)
    assert ours.df == 8
    assert ours.table["power"][0] == power_rmsea(300, 8, 0.05, 0.08)


def test_needed_n_is_the_first_that_reaches_the_target():
    n = power(TWO, "b", standardized=True, target=0.9).needed.n
    table = power(TWO, "b", [n - 1, n], standardized=True).table
    assert table["power"][0] < 0.9 <= table["power"][1]


def test_indirect_effect_by_the_delta_method():
    # By hand: estimate over error of a fit to the population's moments at N = 400.
    from helpers.sem.simulate_population import build_population, freed_model

    truth = build_population(CHAIN, standardized=True)
    names = list(truth.names)
    cov = pd.DataFrame(truth.cov[0] * 400 / 399, index=names, columns=names)
    r = fit(freed_model(CHAIN), sample_cov=cov, n_obs=400)
    z = float(r.defined["z"][0])
    ours = power(CHAIN, "ind", 400, standardized=True)
    assert abs(ours.table["power"][0] - power_z(z, 0.05)) < 1e-6
    assert abs(ours.true_value - float(r.defined["est"][0])) < 1e-8


def test_power_without_effect_is_alpha():
    ours = power(TWO.replace(".3*f", "0*f"), "b", 500, model=MODEL_OF_TWO, standardized=True)
    assert abs(ours.table["power"][0] - 0.05) < 1e-6
    assert isinstance(ours.needed, Unavailable)
    assert "zero" in ours.text()


MODEL_OF_TWO = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ b*f"


def test_label_relation_and_mirrored_covariance_name_the_same_parameter():
    text = "f =~ .8*x1 + .7*x2 + .6*x3\ng =~ .8*y1 + .7*y2 + .6*y3\nf ~~ r*g + .3*g"
    found = [power(text, name, 200).table["power"][0] for name in ("r", "f ~~ g", "g~~f")]
    assert found[0] == found[1] == found[2]


def test_parameter_of_one_group_is_tested_in_that_group_alone(holzinger):
    text = "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9"
    r = fit(text, holzinger, group="school", meanstructure=True)
    for group, name in ((1, "visual ~~ speed"), (2, "visual~~speed.g2")):
        zeros = ["NA", "NA"]
        zeros[group - 1] = "0"
        held = f"{text}\nvisual ~~ c({zeros[0]}, {zeros[1]})*speed"
        # Weights of the groups as in the sample, so that the two programs' samples agree.
        shares = [n / r.n_obs for n in r.n_per_group]
        ours = power(r, name, r.n_obs, shares=shares)
        assert ours.df == 1
        moments = {
            label: pd.DataFrame(s.sigma * n / (n - 1), r.observed, r.observed)
            for label, n, s in zip(r.group_labels, r.n_per_group, r.states)
        }
        sizes = dict(zip(r.group_labels, r.n_per_group))
        theirs = fit(held, sample_cov=moments, n_obs=sizes).test.chisq
        assert abs(ours.table["ncp"][0] - theirs) < 0.01 * theirs


def test_misfit_of_a_wrong_model_is_reported():
    wrong = "f =~ x1 + x2 + x3 + y1 + y2 + y3"
    ours = power(TWO, "f =~ y1", 200, model=wrong, standardized=True)
    assert ours.population_rmsea > 0.1
    assert power(TWO, "b", 200, standardized=True).population_rmsea < 1e-6


BAD = [
    (("g ~ x",), {}, ModelSpecError, "Did you mean 'g~f'"),
    (("f ~ g",), {}, ModelSpecError, "Did you mean 'g~f'"),
    (("bb",), {}, ModelSpecError, "Did you mean 'b'"),
    (("f =~ x1",), {}, ModelSpecError, "is fixed at 1"),
    (("metric",), {}, ModelSpecError, "the population has one"),
    (("b", 0), {}, DataContractError, "at least 7"),
    (("b", [100, -5]), {}, DataContractError, "n_obs= is 100, -5"),
    (("b",), {"alpha": 5}, DataContractError, "alpha= is 5"),
    (("b",), {"target": 0.01}, DataContractError, "not above alpha"),
    (("b",), {"method": "analytical"}, ModelSpecError, "Did you mean 'analytic'"),
    (("b",), {"missing": 0.1}, ModelSpecError, "formulas hold for these only"),
    (("b",), {"method": "montecarlo"}, DataContractError, "seed= is missing"),
    (("b",), {"method": "montecarlo", "seed": 1, "n_sets": 0}, DataContractError, "n_sets= is 0"),
    (("close",), {"method": "montecarlo", "seed": 1}, ModelSpecError, "planned by formula"),
    (("close",), {"rmsea0": 0.08, "rmsea1": 0.05}, DataContractError, "rmsea0 must be below"),
    (("not-close",), {"rmsea1": 0.08}, DataContractError, "rmsea0 must be above"),
    (("b",), {"model": "f =~ x1 + x2 + z9\ng =~ y1 + y2\ng ~ b*f"}, ModelSpecError, "names 'z9'"),
    (("b",), {"test": "interval"}, ModelSpecError, "has a test of its own"),
    (("b",), {"test": "wald"}, ModelSpecError, "allowed are z, interval"),
    (("b",), {"shares": (0.5, 0.5)}, DataContractError, "for 1 groups"),
]


@pytest.mark.parametrize("arguments, options, error, words", BAD, ids=[b[3] for b in BAD])
def test_bad_input(arguments, options, error, words):
    with pytest.raises(error, match=words):
        power(TWO, *arguments, standardized=True, **options)


def test_saturated_model_has_no_test_of_fit():
    with pytest.raises(ModelSpecError, match="at least 1 degree of freedom"):
        power("y ~ .3*x", "close", 100)
