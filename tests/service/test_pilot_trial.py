"""Reference: effects in a two-arm trial against R, published values and simulated trials."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.service.pilot import arm_effect
from helpers.service.pilot_design import (
    allocation_check,
    balance,
    cuped,
    detectable,
    stratified_effect,
)
from helpers.service.pilot_study import Trial, trial_effects, trial_looks
from helpers.service.sequential import boundaries, crossing
from helpers.service_specification import Pilot
from helpers.tables.service_pilot import (
    detectable_sentence,
    effects_sentence,
    estimators_picture,
)

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "pilot.json").read_text(encoding="utf-8")
)
CLOSE = 1e-9
"""Closed formulas in both programs; the stored digits end at 1e-12."""
PRINTED = 5e-4
"""Published values are printed to three or four digits."""


@pytest.fixture
def rows():
    return pd.DataFrame(REFERENCE["rows"])


def test_amount_is_welch(rows):
    found, wanted = arm_effect(rows["amount"], rows["arm"], kind="amount"), REFERENCE["amount"]
    assert found.estimate == pytest.approx(wanted["estimate"], abs=CLOSE)
    assert (found.ci_low, found.ci_high) == pytest.approx((wanted["low"], wanted["high"]), abs=1e-8)
    assert found.p_value == pytest.approx(wanted["p"], abs=CLOSE)


def test_share_agrees_with_the_z_test_and_with_newcombe(rows):
    found = arm_effect(rows["share"], rows["arm"], kind="share")
    assert found.p_value == pytest.approx(REFERENCE["share_p"], abs=CLOSE)
    # Newcombe (1998), method 10, first example: 56/70 against 48/80.
    outcome = np.r_[np.ones(56), np.zeros(14), np.ones(48), np.zeros(32)]
    arm = np.r_[np.ones(70), np.zeros(80)]
    printed = arm_effect(outcome, arm, kind="share")
    assert printed.estimate == pytest.approx(0.2, abs=CLOSE)
    assert (printed.ci_low, printed.ci_high) == pytest.approx((0.0524, 0.3339), abs=PRINTED)


def test_rating_is_the_area_under_the_curve(rows):
    found, wanted = arm_effect(rows["rating"], rows["arm"], kind="rating"), REFERENCE["rating"]
    assert found.estimate == pytest.approx(wanted["auc"], abs=CLOSE)
    assert found.p_value == pytest.approx(wanted["p"], abs=CLOSE)
    logit = [np.log(x / (1 - x)) for x in (found.ci_low, found.ci_high)]
    half = 1.959963984540054 * wanted["se"] / (wanted["auc"] * (1 - wanted["auc"]))
    assert (logit[1] - logit[0]) / 2 == pytest.approx(half, abs=1e-8)


def test_count_is_a_poisson_regression_with_robust_errors(rows):
    found, wanted = arm_effect(rows["count"], rows["arm"], kind="count"), REFERENCE["count"]
    assert found.estimate == pytest.approx(wanted["ratio"], abs=1e-8)
    half = np.log(found.ci_high / found.ci_low) / 2
    assert half / 1.959963984540054 == pytest.approx(wanted["se_log"], abs=1e-7)


def test_cuped_is_the_analysis_of_covariance(rows):
    found, wanted = cuped(rows["amount"], rows["arm"], rows["before"]), REFERENCE["ancova"]
    assert found.theta == pytest.approx(wanted["slope"], abs=CLOSE)
    assert found.adjusted.estimate == pytest.approx(wanted["effect"], abs=CLOSE)


def test_cuped_by_hand():
    """Four customers: y = x + 3 in the arm on trial, y = x in the control arm, repeated."""
    x = np.tile([1.0, 2.0, 3.0, 6.0], 10)
    arm = np.repeat([0.0, 1.0], 20)
    y = x + 3 * arm + np.tile([0.5, -0.5, 0.25, -0.25], 10)
    found = cuped(y, arm, x)
    assert found.adjusted.estimate == pytest.approx(3.0, abs=CLOSE)
    assert found.saved > 0.9
    assert found.plain.estimate == pytest.approx(3.0, abs=CLOSE)


def test_strata_are_weighted_and_compared(rows):
    found, parts, p = stratified_effect(rows["amount"], rows["arm"], rows["stratum"])
    wanted = REFERENCE["strata"]
    assert found.estimate == pytest.approx(wanted["effect"], abs=1e-8)
    half = (found.ci_high - found.ci_low) / 2
    assert half / 1.959963984540054 == pytest.approx(wanted["se"], abs=1e-8)
    assert p == pytest.approx(wanted["q_p"], abs=1e-8)
    assert parts["n_used"].sum() == len(rows)


def test_allocation_and_balance(rows):
    assert allocation_check(rows["arm"]) == pytest.approx(
        (REFERENCE["allocation"]["chisq"], REFERENCE["allocation"]["p"]), abs=CLOSE
    )
    table = balance(rows[["before"]], rows["arm"])
    one, zero = (rows.loc[rows["arm"] == code, "before"] for code in (1, 0))
    by_hand = (one.mean() - zero.mean()) / np.sqrt((one.var() + zero.var()) / 2)
    assert table["smd"].iloc[0] == pytest.approx(by_hand, abs=CLOSE)
    assert table["expected"].iloc[0] == pytest.approx(np.sqrt(1 / 70 + 1 / 50), abs=CLOSE)


def test_what_could_be_detected():
    """64 in each arm find half a standard deviation with power .80 (Cohen 1988, table 2.4.1)."""
    assert detectable(1.0, 64, 64) == pytest.approx(0.495, abs=PRINTED)


@pytest.mark.parametrize(
    ("spending", "printed"),
    [
        ("obrien_fleming", [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ("pocock", [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]),
    ],
)
def test_boundaries_of_five_equal_looks(spending, printed):
    """As printed in the documentation of the R package gsDesign and in Proschan et al. (2006)."""
    found = boundaries([0.2, 0.4, 0.6, 0.8, 1.0], spending=spending)
    assert found.table["bound"].to_numpy() == pytest.approx(printed, abs=PRINTED)
    assert crossing(found.table["information"], found.table["bound"]).sum() == pytest.approx(
        0.05, abs=1e-6
    )


def test_peeking_raises_the_error_as_armitage_found():
    """Armitage, McPherson and Rowe (1969), table 2: two-sided 5 % at each of k looks."""
    for looks, printed in ((1, 0.050), (2, 0.083), (3, 0.107), (4, 0.126), (5, 0.142), (10, 0.193)):
        shares = np.arange(1, looks + 1) / looks
        assert crossing(shares, [1.959964] * looks).sum() == pytest.approx(printed, abs=PRINTED)


def test_simulated_trials_stop_as_often_as_computed():
    rng = np.random.default_rng(5)
    shares = np.array([0.25, 0.5, 1.0])
    bounds = boundaries(shares).table["bound"].to_numpy()
    steps = rng.normal(size=(200_000, 3)) * np.sqrt(np.diff(shares, prepend=0))
    drift = 2.5
    z = (steps.cumsum(axis=1) + drift * shares) / np.sqrt(shares)
    out = np.abs(z) >= bounds
    first = np.where(out.any(axis=1), out.argmax(axis=1), -1)
    simulated = [(first == i).mean() for i in range(3)]
    assert crossing(shares, bounds, drift=drift) == pytest.approx(simulated, abs=0.005)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """1,000 trials a kind: coverage of the 95 % interval within four standard errors (.028)."""
    rng = np.random.default_rng(11)
    arm = np.repeat([0.0, 1.0], 120)
    hits = dict.fromkeys(("amount", "share", "count"), 0)
    for _ in range(1000):
        draws = {
            "amount": (rng.gamma(2, 30, 240) + 9 * arm, 9.0),
            "share": ((rng.random(240) < 0.3 + 0.1 * arm).astype(float), 0.1),
            "count": (rng.negative_binomial(3, 3 / (3 + np.where(arm, 1.2, 2.0))), 0.6),
        }
        for kind, (outcome, truth) in draws.items():
            found = arm_effect(outcome, arm, kind=kind)
            hits[kind] += found.ci_low <= truth <= found.ci_high
    assert all(abs(n / 1000 - 0.95) < 0.028 for n in hits.values()), hits


def test_practical_size():
    rng = np.random.default_rng(3)
    arm = np.repeat([0.0, 1.0], 500)
    large = arm_effect(rng.normal(size=1000) + 2 * arm, arm, kind="amount")
    none = arm_effect(rng.normal(size=1000), arm, kind="amount")
    assert large.size(1.0) == "matters" and large.size(None) == "open"
    assert none.size(1.0) == "negligible"


def test_holm_is_that_of_statsmodels():
    """The study view corrects with statsmodels; the smallest p is multiplied by their number."""
    assert multipletests([0.01, 0.04, 0.03], method="holm")[1] == pytest.approx([0.03, 0.06, 0.06])


@pytest.mark.parametrize(
    ("outcome", "arm", "kind", "error", "text"),
    [
        ([1.0] * 30, [0.0, 2.0] * 15, "amount", DataContractError, "0 and 1 are needed"),
        ([1.0] * 12, [0.0, 1.0] * 6, "amount", DataContractError, "at least 10"),
        ([2.0] * 40, [0.0, 1.0] * 20, "share", DataContractError, "which codes count as success"),
        ([0.0] * 40, [0.0, 1.0] * 20, "count", EstimationError, "counts nothing"),
        ([1.0] * 40, [0.0, 1.0] * 20, "mood", DataContractError, "allowed are amount, share"),
    ],
)
def test_bad_input_says_what_is_needed(outcome, arm, kind, error, text):
    with pytest.raises(error, match=text):
        arm_effect(np.array(outcome), np.array(arm), kind=kind)


def test_shares_of_information_must_rise():
    with pytest.raises(DataContractError, match="rising shares"):
        boundaries([0.5, 0.4, 1.0])


def test_a_covariate_must_vary():
    with pytest.raises(EstimationError, match="does not vary"):
        cuped(np.arange(40.0), np.repeat([0.0, 1.0], 20), np.ones(40))


def test_boundaries_of_many_looks():
    """First look by the closed formula: the two-sided error that may be spent there."""
    looks = 20
    table = boundaries(np.arange(1, looks + 1) / looks, level=0.99).table
    spent = 4 * norm.sf(norm.isf(0.01 / 4) * np.sqrt(looks))
    assert table["bound"].iloc[0] == pytest.approx(norm.isf(spent / 2), abs=1e-6)
    assert crossing(table["information"], table["bound"]).sum() == pytest.approx(0.01, abs=1e-9)


def test_a_look_too_early_to_stop_leaves_the_others_as_they_are():
    early, plain = boundaries([1e-4, 0.5, 1.0]).table, boundaries([0.5, 1.0]).table
    assert np.isinf(early["bound"].iloc[0])
    assert early["bound"].iloc[1:].tolist() == pytest.approx(plain["bound"].tolist(), abs=1e-6)


def test_an_unknown_spending_function_is_refused():
    with pytest.raises(DataContractError, match="obrien_fleming, pocock"):
        boundaries([0.5, 1.0], spending="linear")


@pytest.mark.parametrize("kind", ["amount", "rating", "count"])
def test_answers_without_spread_have_no_effect_to_tell(kind):
    with pytest.raises(EstimationError, match="does not vary"):
        arm_effect(np.ones(40), np.repeat([0, 1], 20), kind=kind)


def test_arms_that_do_not_overlap_have_an_interval():
    """Where 1 lies z standard errors away, the error taken at the end itself (Newcombe 2006)."""
    found = arm_effect(
        np.r_[np.ones(12), np.full(20, 2)], np.repeat([0, 1], [12, 20]), kind="rating"
    )
    t, others = found.ci_low, (12 + 20) / 2 - 1
    variance = t * (1 - t) * (1 + others * ((1 - t) / (2 - t) + t / (1 + t))) / (12 * 20)
    assert (found.estimate, found.ci_high) == (1.0, 1.0)
    assert (1 - t) / np.sqrt(variance) == pytest.approx(norm.ppf(0.975), abs=1e-6)
    turned = arm_effect(
        np.r_[np.full(20, 2), np.ones(12)], np.repeat([0, 1], [20, 12]), kind="rating"
    )
    assert turned.ci_high == pytest.approx(1 - found.ci_low)


def test_a_stratum_without_an_arm_is_named():
    y, arm = np.arange(40.0), np.repeat([0, 1], 20)
    with pytest.raises(EstimationError, match="stratum= 1 has fewer than two"):
        stratified_effect(y, arm, np.r_[np.ones(10), np.full(30, 2)])


def test_cuped_needs_customers_in_both_arms():
    with pytest.raises(EstimationError, match="0 and 20 customers"):
        cuped(np.arange(20.0), np.ones(20), np.arange(20.0))


def test_balance_of_what_does_not_differ_is_blank():
    table = balance(pd.DataFrame({"x": np.ones(20)}), np.repeat([0, 1], 10))
    assert np.isnan(table.loc[0, ["smd", "variance_ratio"]].astype(float)).all()


def test_allocation_against_the_share_that_was_meant():
    arm = np.r_[np.zeros(100), np.ones(200), [np.nan] * 5]
    assert allocation_check(arm, expected=2 / 3) == pytest.approx((0.0, 1.0))
    assert allocation_check(arm)[0] == pytest.approx(2 * 50**2 / 150)


def pilot(**outcome: object) -> Trial:
    """A trial with a constant primary outcome and two that differ."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"arm": np.repeat([0.0, 1.0], 40), "stratum": 0.0, "first": 1.0})
    frame["n"] = rng.poisson(3 - 2 * frame["arm"]).astype(float)
    frame["y"] = rng.normal(size=80) + frame["arm"]
    names = {"name": {"en": "calls", "zh": "来电"}}
    plans = [
        {"item": i, "kind": k, **names}
        for i, k in (("first", "amount"), ("n", "count"), ("y", "amount"))
    ]
    plans[1] |= outcome
    plan = Pilot(module="m", arm="arm", control=0, treated=1, outcomes=plans)
    return Trial(frame, plan, 0)


def test_no_other_outcome_takes_the_place_of_the_primary_one():
    effects = trial_effects(pilot())
    assert isinstance(effects[0], Unavailable)
    plain = [effect.effect.p_value for effect in effects[1:]]
    assert [e.p_holm for e in effects[1:]] == pytest.approx(
        list(multipletests(plain, method="holm")[1])
    )
    assert effects_sentence(effects).startswith("The primary outcome cannot be compared.")
    assert isinstance(
        estimators_picture(effects, Unavailable("a", "b"), Unavailable("a", "b")), Unavailable
    )


def test_the_smallest_change_of_a_count_is_a_share_of_its_mean():
    trial = pilot(smallest=0.5)
    effect = trial_effects(trial)[1]
    assert f"{0.5 * effect.effect.control:.2f}" in detectable_sentence(trial, [effect])


def test_ratings_and_differences_of_means_share_no_picture():
    trial = pilot(kind="rating")
    effect = trial_effects(trial)[1]
    strata = stratified_effect(
        trial.frame["n"], trial.frame["arm"], np.repeat([1, 2], 40)[::-1] * 0
    )
    assert isinstance(estimators_picture([effect], strata, Unavailable("a", "b")), Unavailable)


def test_looks_at_an_outcome_that_cannot_be_compared_say_so():
    assert isinstance(trial_looks(pilot()), Unavailable)


@pytest.mark.parametrize("looks", [0, -2, 1000])
def test_looks_out_of_range_are_refused_by_name(looks):
    with pytest.raises(DataContractError, match=f"looks= is {looks}; a whole number from 1 to 100"):
        trial_looks(pilot(), looks=looks)
