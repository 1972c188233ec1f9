"""Reference and contract: scenarios against hand calculation, planted slopes and closed forms."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, ModelSpecError
from helpers.sem import fit
from helpers.sem.montecarlo import parameter_draws
from helpers.service.scenario_checks import planted_total
from helpers.service.scenario_study import slopes_of
from helpers.service.scenarios import (
    Levers,
    Slopes,
    prior_sensitivity,
    quick,
    reach,
    scenario,
    tipping_weight,
    with_prior,
)

CLOSE = 1e-12
"""Same formula by hand; only rounding of floating point remains."""
MONTE_CARLO = 0.06
"""The 2.5 % quantile of 20,000 draws with spread 1 has an error of 0.019; three times that."""

SCORES = np.array([[5.0, 2.0], [6.5, 3.0], [7.0, 4.0], [3.5, 7.0]])


def levers(**changes):
    given = {
        "codes": ("fast", "kind"), "scores": SCORES, "top": np.array([7.0, 7.0]),
        "cost": np.array([4.0, 1.0]), "most": np.array([1.0, 2.0]),
    }  # fmt: skip
    return Levers(**given | changes)


def slopes(n=20_000):
    rng = np.random.default_rng(3)
    cov = np.array([[0.0025, 0.001], [0.001, 0.0016]])
    return Slopes(np.array([0.3, 0.1]), rng.multivariate_normal([0.3, 0.1], cov, size=n))


def test_reach_by_hand():
    # Room is 2, 0.5, 0, 3.5 and 5, 4, 3, 0; steps of 1 and 2.
    assert reach(SCORES, [1.0, 2.0], [7.0, 7.0]) == pytest.approx([2.5 / 4, 6 / 4], abs=CLOSE)


def test_scenario_by_hand():
    found = scenario(levers(), slopes(), [1.0, 2.0], value=50.0, seed=1)
    gain = 0.3 * 2.5 / 4 + 0.1 * 6 / 4
    assert found.gain[0] == pytest.approx(gain, abs=CLOSE)
    assert found.cost == pytest.approx(6.0, abs=CLOSE)
    assert found.net[0] == pytest.approx(50 * gain - 6, abs=CLOSE)


def test_draws_agree_with_the_normal_formula():
    # Every customer has the same scores, so that only the slopes are uncertain.
    same = levers(scores=np.tile([[4.0, 4.0]], (50, 1)))
    cost = same.cost @ [1.0, 1.0]
    found = scenario(same, slopes(), [1.0, 1.0], value=13.0, seed=1)
    sd = 13 * np.sqrt(0.0025 + 0.0016 + 2 * 0.001)
    assert found.net[1:] == pytest.approx(
        (13 * 0.4 - cost - 1.96 * sd, 13 * 0.4 - cost + 1.96 * sd), abs=MONTE_CARLO
    )
    net, low, high, pays = quick(same, slopes(), [1.0, 1.0], value=13.0)
    assert (net, low, high) == pytest.approx(found.net, abs=MONTE_CARLO)
    assert pays == pytest.approx(found.p_pays, abs=MONTE_CARLO)


def test_uncertain_reach_widens_the_interval():
    sure = Slopes(np.array([0.3, 0.1]), np.tile([0.3, 0.1], (5000, 1)))
    found = scenario(levers(), sure, [1.0, 0.0], value=1.0, seed=1)
    rises = np.minimum(1.0, 7 - SCORES[:, 0])
    half = 1.96 * 0.3 * rises.std(ddof=1) / 2
    assert found.gain[2] - found.gain[0] == pytest.approx(half, rel=0.1)


def test_outside_is_named_and_computed():
    found = scenario(levers(), slopes(), [1.5, 0.0], value=1.0, seed=1)
    assert found.outside == ("fast",)
    assert np.isfinite(found.gain).all()
    assert scenario(levers(), slopes(), [1.0, 0.0], value=1.0, seed=1).outside == ()
    # The mean of `kind` is 4; 3.5 points more lie above the highest score of 7.
    wide = levers(most=np.array([9.0, 9.0]))
    assert scenario(wide, slopes(), [0.0, 3.5], value=1.0, seed=1).outside == ("kind",)


def test_prior_keeps_the_sum_and_its_ends_are_data_and_prior():
    given = slopes()
    mixed = with_prior(given, [1.0, 3.0], 0.4)
    assert mixed.estimate.sum() == pytest.approx(0.4, abs=CLOSE)
    assert with_prior(given, [1.0, 3.0], 0.0).estimate == pytest.approx(given.estimate, abs=CLOSE)
    assert with_prior(given, [1.0, 3.0], 1.0).estimate == pytest.approx([0.1, 0.3], abs=CLOSE)
    # Data shares .75 and .25, prior .25 and .75: lines cross at one half.
    assert tipping_weight(given, [1.0, 3.0]) == pytest.approx(0.5, abs=CLOSE)
    assert tipping_weight(given, [3.0, 1.0]) is None
    lines = prior_sensitivity(("fast", "kind"), given, [1.0, 3.0], [0.49, 0.51])
    leaders = lines.loc[lines.groupby("weight")["share"].idxmax(), "code"]
    assert list(leaders) == ["fast", "kind"]


def test_slopes_of_a_model_are_planted_ones():
    rng = np.random.default_rng(8)
    n = 6000
    a, b = rng.normal(size=(2, n))
    m = 0.5 * a + 0.2 * b + rng.normal(size=n)
    y = 0.4 * m + 0.3 * a + rng.normal(size=n)
    loadings = {"a": (a, (1.0, 0.8, 0.6)), "y": (y, (1.0, 1.2, 1.1))}
    data = pd.DataFrame(
        {
            f"{name}{k}": load * factor + 0.5 * rng.normal(size=n)
            for name, (factor, loads) in loadings.items()
            for k, load in enumerate(loads)
        }
    ).assign(b=b, m=m)
    text = "A =~ a0 + a1 + a2\nY =~ y0 + y1 + y2\nm ~ A + b\nY ~ m + A"
    result = fit(text, data)
    found = slopes_of(result, ["A", "b"], "Y", parameter_draws(result, 4000, rng))
    # Total effects .5 and .08 times the mean loading of Y, 1.1, over that of the lever, .8 and 1.
    truth = np.array([0.5 * 1.1 / 0.8, 0.08 * 1.1])
    low, high = np.quantile(found.draws, [0.001, 0.999], axis=0)
    assert ((low < truth) & (truth < high)).all()
    assert found.draws.mean(axis=0) == pytest.approx(found.estimate, abs=0.005)


def test_planted_total_by_hand():
    paths = {"M": {"X": 0.5}, "Y": {"X": 0.1, "M": 0.4}}
    assert planted_total({"structure": {"paths": paths}}, "X", "Y") == pytest.approx(0.3, abs=CLOSE)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: levers(cost=np.array([-1.0, 2.0])), "cost= is negative or blank for fast"),
        (lambda: levers(scores=np.array([[1.0, np.nan], [2.0, 3.0]])), "1 blanks"),
        (lambda: scenario(levers(), slopes(9), [-1.0, 0.0], value=1.0, seed=1), "steps of 0"),
        (lambda: scenario(levers(), slopes(9), [1.0, 0.0], value=-1.0, seed=1), "a value of 0"),
        (lambda: with_prior(slopes(9), [1.0, 2.0], 1.5), "from 0"),
        (lambda: with_prior(slopes(9), [-1.0, 2.0], 0.5), "importances of 0 or more"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(DataContractError, match=words):
        call()


def test_unknown_levers_and_steps_downwards_are_refused():
    with pytest.raises(ModelSpecError, match="Did you mean 'fast'"):
        levers().steps({"fsat": 1.0})
    with pytest.raises(ModelSpecError, match="moved by -1"):
        levers().steps({"fast": -1.0})
