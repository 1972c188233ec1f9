"""Reference: later purchases against R; values by hand; bounds and tipping points by argument."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize_scalar

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.service import lifecycle_study
from helpers.service.lifecycle import (
    change_ratio,
    ratio_contrast,
    retention,
    tipping_point,
    trimmed_weights,
)
from helpers.service.lifecycle_models import amount_model, count_model
from helpers.service.lifecycle_regressions import wave_count
from helpers.service.lifecycle_study import (
    OutcomeChange,
    Wave,
    planted_ratios,
    read_wave,
    wave_changes,
    wave_differences,
    wave_numbers,
    wave_retention,
    wave_tipping,
    wave_value,
)
from helpers.service.lifecycle_value import (
    Assumptions,
    customer_value,
    lifetime_value,
    value_difference,
    value_under,
)
from helpers.service_specification import Lifecycle
from helpers.study import list_studies
from helpers.survey.load import load_study
from helpers.tables.brief import long_run
from helpers.tables.service_lifecycle import (
    changes_picture,
    changes_table,
    contrasts_sentence,
    contrasts_table,
    retention_table,
    tipping_sentence,
    wave_checks,
)
from helpers.tables.service_value import value_sentence, value_table

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "lifecycle.json").read_text(encoding="utf-8")
)
CLOSE = 1e-8
"""Closed formulas in both programs."""
FITTED = 1e-4
"""The dispersion is found by iteration in both programs, and all else rests on it."""
SCORED = 1e-6
"""Given the family, both programs solve the same equations by scoring."""


@pytest.fixture
def rows():
    return pd.DataFrame(REFERENCE["rows"])


def test_ratios_are_those_of_a_survey_ratio(rows):
    for weights, wanted in ((None, "plain"), (rows["w"], "weighted")):
        found = change_ratio(rows["before"], rows["after"], weights=weights)
        assert found.ratio == pytest.approx(REFERENCE["ratio"][wanted]["ratio"], abs=CLOSE)
        assert found.se_log == pytest.approx(REFERENCE["ratio"][wanted]["se_log"], abs=CLOSE)


def test_a_ratio_does_not_depend_on_the_scale_of_the_weights(rows):
    one, two = (
        change_ratio(rows["before"], rows["after"], weights=k * rows["w"]) for k in (1.0, 7.0)
    )
    assert (one.ratio, one.ci_low) == pytest.approx((two.ratio, two.ci_low), rel=1e-12)


def test_counts_are_a_negative_binomial_regression(rows):
    found = count_model(rows["after"], rows[["g", "x"]], weights=rows["w"])
    wanted = REFERENCE["count"]
    assert found.dispersion == pytest.approx(wanted["dispersion"], abs=FITTED)
    assert np.log(found.terms["ratio"]).to_numpy() == pytest.approx(wanted["b"], abs=FITTED)
    half = np.log(found.terms["ci_high"] / found.terms["ci_low"]) / 2 / 1.959963984540054
    assert half.to_numpy() == pytest.approx(wanted["se"], abs=FITTED)
    rivals = found.rivals.set_index("model")["loglik"]
    for name, value in wanted["loglik"].items():
        assert rivals[name] == pytest.approx(value, abs=FITTED), name


@pytest.mark.parametrize("part", ["any", "size", "whole"])
def test_amounts_are_three_generalised_linear_models(rows, part):
    found, used, dropped = amount_model(rows["amount"], rows[["g", "x"]], weights=rows["w"])
    own = found[found["part"] == part]
    wanted = REFERENCE["amount"][part]
    assert np.log(own["ratio"]).to_numpy() == pytest.approx(wanted["b"], abs=SCORED)
    half = np.log(own["ci_high"] / own["ci_low"]) / 2 / 1.959963984540054
    assert half.to_numpy() == pytest.approx(wanted["se"], abs=SCORED)
    assert (used, dropped) == (len(rows), 0)


def test_an_exposure_moves_only_the_intercept(rows):
    one, six = (count_model(rows["after"], rows[["g", "x"]], exposure=k) for k in (1.0, 6.0))
    assert six.terms["ratio"][0] * 6 == pytest.approx(one.terms["ratio"][0], rel=FITTED)
    assert six.terms["ratio"][1:].to_numpy() == pytest.approx(one.terms["ratio"][1:], rel=FITTED)


def test_counts_no_more_spread_than_poisson_have_no_dispersion():
    y = pd.Series(np.tile([1, 2, 3, 2], 20))
    found = count_model(y, pd.DataFrame({"x": np.arange(80) % 5}))
    assert found.dispersion == 0
    assert list(found.rivals["model"]) == ["poisson"]
    assert found.p_poisson == 1


def test_a_contrast_of_ratios_covers_the_truth():
    """500 pairs of groups with true ratios 1.2 and .85: coverage within four errors of .95."""
    rng, hits = np.random.default_rng(3), 0
    for _k in range(500):
        rate = rng.gamma(2, 2, size=(2, 150))
        before = rng.poisson(rate)
        after = rng.poisson(rate * np.array([[1.2], [0.85]]))
        found = ratio_contrast(*(change_ratio(before[i], after[i]) for i in (0, 1)))
        hits += found.ci_low <= 1.2 / 0.85 <= found.ci_high
    assert abs(hits / 500 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 500)


def test_tipping_points_bring_the_contrast_to_one(rows):
    one, none = (
        change_ratio(rows.loc[rows["g"] == v, "before"], rows.loc[rows["g"] == v, "after"])
        for v in (1, 0)
    )
    found = tipping_point(one, none, answered=0.4)
    factor = 0.4 + 0.6 * found.point
    assert ratio_contrast(one, none).ratio * factor == pytest.approx(1, abs=CLOSE)
    full = found.table.set_index("lost")["ratio"]
    assert full[1.0] == pytest.approx(ratio_contrast(one, none).ratio, abs=CLOSE)
    assert full[0.0] == pytest.approx(0.4 * full[1.0], abs=CLOSE)
    assert np.isnan(tipping_point(one, none, answered=1.0).point)


def test_bounds_on_retention_by_hand():
    found = retention(pd.Series([0, 2, 1, np.nan, 0]), n_invited=8)
    assert found.share == 0.5
    assert (found.worst, found.best) == (2 / 8, 6 / 8)
    assert found.n_answered == 4


def test_value_by_hand():
    """Half the customers stay, 100 a year, margin .4, discount .25: 40 (.4 + .16 + .064)."""
    given = Assumptions(margin=0.4, discount=0.25, months=12, years=3)
    assert lifetime_value(0.5, 100.0, given) == pytest.approx(24.96, abs=CLOSE)
    half = Assumptions(margin=1.0, discount=0.21, months=6, years=1)
    assert lifetime_value(1.0, 1.0, half) == pytest.approx(1 / 1.1 + 1 / 1.21, abs=CLOSE)


def test_value_from_rows_and_its_moves():
    before = pd.Series([1, 2, 3, 1, 0, 2] * 10)
    after = pd.Series([1, 0, 2, 1, 1, 0] * 10)
    amount = pd.Series([100.0, 0.0, 200.0, 60.0, 40.0, 0.0] * 10)
    given = Assumptions(margin=0.25, discount=0.0, months=12, years=2)
    found = customer_value(before, after, amount, given, n_boot=400)
    assert (found.retention, found.spend) == pytest.approx((0.6, 100.0))
    assert found.value == pytest.approx(25 * (0.6 + 0.36))
    assert found.ci_low < found.value < found.ci_high
    moves = value_under(found).set_index("what")
    assert moves.loc["margin", "higher"] == pytest.approx(30 * 0.96)
    assert moves.loc["retention", "lower"] == pytest.approx(25 * (0.55 + 0.55**2))
    gap, low, high = value_difference(found, found)
    assert gap == 0
    assert low < 0 < high


def test_the_bootstrap_error_is_that_of_the_delta_method():
    """Everybody bought before and spends 1: value is margin times the share who stay."""
    rng = np.random.default_rng(9)
    after = pd.Series((rng.random(400) < 0.7).astype(float))
    given = Assumptions(margin=1.0, discount=0.0, months=12, years=1)
    found = customer_value(pd.Series(np.ones(400)), after, after, given, n_boot=5000)
    share = after.mean()
    # 5,000 draws give a standard deviation to about one part in a hundred
    assert found.draws.std() == pytest.approx(np.sqrt(share * (1 - share) / 400), rel=0.05)


def test_trimmed_weights_are_capped_and_blanks_stay():
    weights = pd.Series([*np.ones(99), 50.0, np.nan])
    found = trimmed_weights(weights, 0.95)
    assert found.max() == 1.0
    assert found.isna().sum() == 1
    assert trimmed_weights(weights, 1.0).equals(weights)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: change_ratio([1.0] * 5, [1.0] * 5), "at least 10"),
        (lambda: change_ratio([1.0] * 20, [-1.0] * 20), "no negative value"),
        (lambda: count_model(pd.Series([0.5] * 30), pd.DataFrame({"x": range(30)})), "whole"),
        (
            lambda: count_model(pd.Series([1] * 30), pd.DataFrame({"x": [1.0] * 30})),
            "hold a constant",
        ),
        (lambda: amount_model(pd.Series([-1.0] * 30), pd.DataFrame({"x": range(30)})), "from 0"),
        (lambda: Assumptions(margin=2, discount=0.1, months=6, years=3), "margin from 0 to 1"),
        (lambda: trimmed_weights(pd.Series([1.0]), 0.2), "quantile"),
        (lambda: retention(pd.Series([1.0, 2.0]), n_invited=1), "invited"),
    ],
)
def test_bad_input_is_said(call, words):
    with pytest.raises(DataContractError, match=words):
        call()


def test_the_simulated_wave_finds_what_was_planted():
    study = load_study("online_shopping")
    wave = read_wave(study)
    planted = planted_ratios(study.truth)
    for change in wave_changes(wave):
        if change.weighted:
            continue
        for group in ("recovered", "none"):
            found, truth = getattr(change, group), planted[change.outcome, group]
            # one fixed data set: within three standard errors of the truth
            assert abs(np.log(found.ratio / truth)) < 3 * found.se_log, (change.outcome, group)
        assert change.contrast.clear
    balance = wave.attrition.balance
    assert balance["weighted"].abs().max() < balance["difference"].abs().max() / 2
    values = wave_value(wave, margin=-1, discount=-1, years=3, n_boot=500)
    assert values["recovered"].assumptions.margin == study.spec.service.lifecycle.margin
    assert values["recovered"].value > values["none"].value


def test_studies_without_a_later_wave_say_so():
    others = [name for name in list_studies() if name != "online_shopping"]
    assert others
    for name in others:
        assert isinstance(read_wave(load_study(name)), Unavailable)


def test_a_wave_that_lost_nobody_has_weights_of_one(monkeypatch):
    study = load_study("online_shopping")
    true = lifecycle_study.linked
    everybody = lambda *given: true(*given).assign(answered_again=True)  # noqa: E731
    monkeypatch.setattr(lifecycle_study, "linked", everybody)
    wave = read_wave(study)
    assert isinstance(wave.attrition, Unavailable)
    assert "too few customers were lost" in wave.attrition.why
    assert wave.frame["weight"].eq(1).all()
    one, two = wave_changes(wave)[:2]
    assert one.contrast.ratio == pytest.approx(two.contrast.ratio, rel=1e-12)


def spread_counts(scale: float = 1.0) -> tuple[pd.Series, pd.DataFrame]:
    """Dispersed counts with a predictor in any unit, as an income in cents."""
    rng = np.random.default_rng(4)
    x = rng.normal(40, 12, 300)
    y = rng.negative_binomial(1.2, 1.2 / (1.2 + np.exp(0.2 + 0.02 * x)))
    return pd.Series(y, dtype=float), pd.DataFrame({"x": scale * x})


def test_a_count_model_does_not_depend_on_units():
    plain, cents = (count_model(*spread_counts(scale)) for scale in (1.0, 1e5))
    assert cents.dispersion == pytest.approx(plain.dispersion, rel=1e-6)
    assert cents.rivals["loglik"].tolist() == pytest.approx(plain.rivals["loglik"].tolist())
    assert np.log(cents.terms["ratio"][1]) * 1e5 == pytest.approx(
        np.log(plain.terms["ratio"][1]), rel=1e-6
    )


def test_counts_that_are_all_alike_are_refused():
    with pytest.raises(DataContractError, match="is 0 for all 60"):
        count_model(pd.Series(np.zeros(60)), pd.DataFrame({"x": np.arange(60.0)}))


def separated() -> tuple[pd.Series, pd.DataFrame]:
    """Nobody of the first half bought, everybody of the second did."""
    rng = np.random.default_rng(5)
    some = np.repeat([0.0, 1.0], 30)
    return pd.Series(some * (rng.poisson(3, 60) + 1)), pd.DataFrame({"half": some})


def test_a_ratio_without_finite_estimate_is_refused_by_name():
    with pytest.raises(EstimationError, match="predictors= half"):
        count_model(*separated())


def test_an_amount_keeps_the_part_that_can_be_estimated():
    amount, half = separated()
    with pytest.raises(DataContractError, match="above 0 for 30 of 60"):
        amount_model(amount, half)
    with pytest.raises(DataContractError, match="above 0 for 0 of 60"):
        amount_model(0 * amount, half)
    amount[:30:2] = np.arange(1.0, 16.0)  # some of the first half bought, all of the second
    assert set(amount_model(amount, half)[0]["part"]) == {"size", "whole"}


def lost_wave(before: float, after: float, n_none: int = 20) -> Wave:
    """A wave of 40 customers with recovery and some without, who all buy alike."""
    n = 40 + n_none
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(
        {
            "before": before * rng.integers(1, 5, n), "after": after * rng.integers(1, 5, n),
            "amount_before": np.nan, "amount_after": np.nan,
            "recovered": np.repeat([1.0, 0.0], [40, n_none]), "answered": True, "weight": 1.0,
        }
    )  # fmt: skip
    recovered = {"item": "r", "accept": [1]}
    plan = Lifecycle(module="m", count_before="b", count_after="a", months=6, recovered=recovered)
    return Wave(frame, plan, Unavailable("weights", "nobody was lost"), 0)


@pytest.mark.parametrize(
    ("wave", "why"),
    [
        (lost_wave(1, 0), "bought nothing in one of the two periods"),
        (lost_wave(0, 1), "bought nothing in one of the two periods"),
    ],
)
def test_a_wave_that_cannot_be_compared_says_why(wave, why):
    changes = wave_changes(wave)
    assert isinstance(changes, Unavailable) and why in changes.why
    assert isinstance(wave_differences(wave)["purchases"], Unavailable)
    assert wave_numbers(changes, Unavailable("value", "none")) == []


def test_a_group_too_small_costs_its_own_row_only():
    wave, why = lost_wave(1, 1, 6), "6 customers without recovery answered"
    changes = wave_changes(wave)
    rows = wave.group("recovered")
    by_hand = rows["after"].sum() / rows["before"].sum()
    assert changes[0].recovered.ratio == pytest.approx(by_hand)
    assert why in changes[0].none.why and why in changes[0].contrast.why
    table = changes_table(changes).frame
    assert table["ratio"].notna().tolist() == [True, False, True]
    assert why in table["weights"].iloc[1]
    assert changes_picture(changes)["group"].tolist() == ["with recovery"]
    assert why in contrasts_table(changes, wave_differences(wave)).frame["way"].iloc[0]
    assert why in contrasts_sentence(changes).why
    assert why in wave_tipping(wave, changes).why and why in long_run(changes).text.why
    assert wave_numbers(changes, Unavailable("value", "none")) == []


def test_a_group_that_told_nothing_keeps_the_worth_and_retention_of_the_other():
    wave = lost_wave(1, 1)
    wave.frame["amount_after"] = 10.0 * wave.frame["after"]
    wave.frame.loc[wave.frame["recovered"] == 0, ["after", "amount_after"]] = np.nan
    wave = replace(wave, plan=wave.plan.model_copy(update={"amount_after": "x"}))
    values = wave_value(wave, margin=0.5, discount=0.0, years=1, n_boot=50)
    own = wave.group("recovered")
    assert values["recovered"].value == pytest.approx(0.5 * 2 * own["amount_after"].mean())
    table = value_table(wave, values).frame
    assert table["value"].notna().tolist() == [True, False]
    assert "too few of the group answered" in table["group"].iloc[1]
    assert isinstance(value_sentence(wave, values), Unavailable)
    assert [n.id for n in wave_numbers([], values)] == ["value_recovered"]
    stay = wave_retention(wave)
    assert stay["recovered"].share == 1 and "nobody of the group" in stay["none"].why
    assert retention_table(stay).frame["share"].notna().tolist() == [True, False]


def test_a_worth_of_nine_customers_is_refused():
    few = pd.Series(np.ones(9))
    with pytest.raises(DataContractError, match="share 9 complete customers; at least 10"):
        customer_value(few, few, few, Assumptions(0.5, 0.0, 12, 2))


def test_nobody_who_buys_later_leaves_a_sentence_in_place_of_a_regression():
    count = wave_count(lost_wave(1, 0))
    assert isinstance(count, Unavailable)
    assert wave_checks(lost_wave(1, 0), count) == [count]


def reading(first: float, second: float) -> str:
    """The sentence on two groups whose purchases changed by these factors."""
    y = np.arange(1.0, 101.0)
    one, two = change_ratio(y, first * y + np.sin(y)), change_ratio(y, second * y + np.cos(y))
    change = OutcomeChange("purchases", True, one, two, ratio_contrast(one, two))
    return contrasts_sentence([change])


def test_fewer_purchases_are_called_fewer():
    assert "more purchases" in reading(2.0, 1.0)
    assert "fewer purchases" in reading(1.0, 2.0)


def test_the_tipping_sentence_fits_the_numbers():
    y = np.arange(1.0, 101.0)
    twice, once = change_ratio(y, 2 * y + np.sin(y)), change_ratio(y, y + np.cos(y))
    rough = change_ratio(y, 2 * y[::-1])
    assert "nobody of them was lost" in tipping_sentence(tipping_point(twice, once, answered=1.0))
    assert tipping_sentence(tipping_point(twice, once, answered=0.9)).startswith("No supposition")
    found = tipping_sentence(tipping_point(twice, once, answered=0.25))
    assert "interval reaches 1 if the lost bought 3" in found and "if they bought 33%" in found
    wide = tipping_sentence(tipping_point(rough, change_ratio(y, 2 * y), answered=0.5))
    assert wide.startswith("The interval holds 1 even if the lost bought as much")


def test_the_dispersion_is_the_top_of_the_profile_likelihood():
    """Held against statsmodels' GLM over a search of the dispersion, without a warning shown."""
    y, x = spread_counts()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = count_model(y[:60], x[:60])
    design = sm.add_constant(x[:60])

    def loss(log_a: float) -> float:
        family = sm.families.NegativeBinomial(alpha=np.exp(log_a))
        return -float(sm.GLM(y[:60], design, family=family).fit().llf)

    best = minimize_scalar(loss, bounds=(-8, 3), method="bounded", options={"xatol": 1e-7})
    assert found.dispersion == pytest.approx(np.exp(best.x), rel=FITTED)
