"""Recovery: latents, rates of faults and cleaning come out as population.yml plants them."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pandas as pd
import pytest

from helpers.errors import CodebookError
from helpers.paths import data_folder
from helpers.survey.load import load_study
from helpers.survey.simulate.draws import Draws, by_code, steps
from helpers.survey.simulate.latents import implied_correlation, make_latents, residual_sds
from helpers.survey.simulate.modules import KANO_ANSWERS
from helpers.survey.simulate.people import NO_RECOVERY, make_people
from helpers.survey.simulate.population import SECTIONS, read_population

N = 60_000
SE = 1 / np.sqrt(N)
FIVE_SE = 5 * SE
"""Five standard errors of a mean or correlation: one check in two million fails by chance."""

SKEW_ALLOWANCE = 0.01
"""The residual variances are derived for normal latents; recovery quality is a mixture of groups,
which moves variances of what depends on products by less than this."""


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def population():
    return read_population(data_folder() / "online_shopping" / "population.yml")


@pytest.fixture(scope="module")
def people(population):
    return make_people(population, 3, N)


@pytest.fixture(scope="module")
def latents(population, people):
    return make_latents(population, people, 3)


@pytest.fixture(scope="module")
def flags():
    packed = (data_folder() / "online_shopping" / "truth" / "flags.csv.gz").read_bytes()
    return pd.read_csv(io.BytesIO(gzip.decompress(packed)))


def test_latents_are_standardised(latents):
    assert latents.mean().abs().max() < FIVE_SE + SKEW_ALLOWANCE
    assert (latents.var() - 1).abs().max() < np.sqrt(2) * FIVE_SE + SKEW_ALLOWANCE


def test_regression_among_latents_finds_the_planted_paths(population, latents):
    structure = population["structure"]
    for outcome, causes in structure["paths"].items():
        x = latents[list(causes)].copy()
        for first, second, _weight in structure["products"].get(outcome, []):
            x[f"{first}*{second}"] = latents[first] * latents[second]
        x.insert(0, "1", 1.0)
        found, *_rest = np.linalg.lstsq(x.to_numpy(), latents[outcome].to_numpy(), rcond=None)
        planted = [*causes.values(), *(w for *_names, w in structure["products"].get(outcome, []))]
        inflation = (
            np.sqrt(np.diag(np.linalg.inv(np.corrcoef(latents[list(causes)].T))).max())
            if len(causes) > 1
            else 1.0
        )
        assert np.abs(found[1:] - planted).max() < FIVE_SE * inflation, outcome


def test_residuals_correlate_as_planted(population, latents):
    structure = population["structure"]
    rest = {}
    for name, causes in structure["paths"].items():
        rest[name] = latents[name] - sum(path * latents[cause] for cause, path in causes.items())
    for first, second, planted in structure["residual_correlations"]:
        assert abs(np.corrcoef(rest[first], rest[second])[0, 1] - planted) < FIVE_SE


def test_residual_sds_by_hand(population):
    # one cause with path .6 leaves 1 - .36; two causes correlated .6 leave what is left
    toy = {
        "exogenous": ["A"], "order": ["B", "C"],
        "paths": {"B": {"A": 0.6}, "C": {"A": 0.3, "B": 0.5}},
        "products": {}, "residual_correlations": [],
    }  # fmt: skip
    found = residual_sds(toy)
    assert found["B"] == pytest.approx(0.8)
    assert found["C"] == pytest.approx(np.sqrt(1 - (0.09 + 0.25 + 2 * 0.3 * 0.5 * 0.6)))
    assert implied_correlation(toy, "A", "C") == pytest.approx(0.3 + 0.5 * 0.6)


def test_paths_that_explain_too_much_are_refused(population):
    toy = {
        "exogenous": ["A"], "order": ["B"], "paths": {"B": {"A": 1.1}}, "products": {},
        "residual_correlations": [],
    }  # fmt: skip
    with pytest.raises(CodebookError, match=r"causes of B explain 1\.21"):
        residual_sds(toy)


def test_people_have_the_planted_means(population, people):
    types = population["people"]["customer_type"]
    for code in types["shares"]:
        group = people[people["CTYPE"] == code]
        for item, key in (("AGE", "age_mean"), ("FREQ", "purchases_mean")):
            allowed = 5 * group[item].std() / np.sqrt(len(group))
            assert abs(group[item].mean() - types[key][code]) < allowed, (code, item)
    hours = people.groupby("MEAS")["HOURS"].mean()
    for code, mean in population["recovery"]["hours"]["mean"].items():
        assert hours[code] == pytest.approx(mean, rel=0.03)
    assert hours.isna()[NO_RECOVERY]


def test_what_was_received_agrees_with_the_main_measure(people):
    received = people["RECV"].str.split(",").map(set)
    assert received[people["MEAS"] == 1].map(lambda s: "1" in s).all()
    assert received[people["MEAS"] == 2].map(lambda s: "3" in s).all()
    assert received[people["MEAS"] == 3].map(lambda s: "5" in s and not s & set("1234")).all()
    assert (people.loc[people["MEAS"] == NO_RECOVERY, "RECV"] == "9").all()
    assert (people["CAUSE"] != "").all()


def test_cleaning_finds_every_planted_fault(study, flags):
    marked = study.marked
    assert marked["respondent_id"].tolist() == flags["respondent_id"].tolist()
    honest = (flags["kind"] == "honest") & ~flags["attention_slip"]
    assert ((marked["excluded_by"].fillna("") == "") == honest).all()
    rule = {
        "preview": "preview", "no_consent": "no_consent", "screened_out": "screened_out",
        "unfinished": "unfinished", "duplicate": "duplicate", "speeder": "speeding",
        "straight_liner": "failed_attention", "inattentive": "failed_attention",
    }  # fmt: skip
    for kind, name in rule.items():
        assert (marked.loc[flags["kind"] == kind, "excluded_by"] == name).all(), kind


def test_faults_have_the_planted_numbers(study, population, flags):
    spec, n = population["contamination"], population["n"]
    many = flags["kind"].value_counts()
    for kind, key in (
        ("preview", "previews"), ("duplicate", "duplicates"), ("speeder", "speeders"),
        ("unfinished", "unfinished"), ("screened_out", "screened_out"),
    ):  # fmt: skip
        # rates of persons are taken before the doubles are added
        assert abs(many[kind] - spec[key] * n) <= 3, kind
    assert flags["impossible_age"].sum() >= spec["impossible_ages"]
    assert flags.loc[flags["kind"] != "duplicate", "hostile_text"].sum() == spec["hostile"]


def test_impossible_answers_are_missing_in_the_responses(study):
    items = study.items[(study.items["module"] == "main") & (study.items["scale"] == "agree7")]
    answers = study.responses[items["item"].tolist()]
    assert answers.stack().dropna().between(1, 7).all()
    ages = study.responses["AGE"].dropna()
    assert ages.between(18, 95).all()


def test_blanks_at_random_depend_on_age_and_device_only_where_planted(study, population):
    data = study.responses
    planted = set(population["contamination"]["blank_mar"])
    older = data["AGE"] > data["AGE"].median()
    for item in ("IMG3", "WOM3", "LFEE1"):
        assert item in planted
        blank = data[item].isna()
        assert blank[older].mean() > blank[~older].mean()
    free = [f"RSAT{k}" for k in (1, 2, 3, 4)]
    assert data[free].isna().to_numpy().mean() < 0.02


def test_reverse_worded_items_are_asked_in_their_direction(study):
    turned = study.responses[["RSAT1", "RSAT4"]].dropna()
    assert np.corrcoef(turned.T)[0, 1] > 0.4
    kept = study.cleaned.kept
    asked = study.raw.loc[kept, ["RSAT1", "RSAT4"]].apply(pd.to_numeric, errors="coerce").dropna()
    assert np.corrcoef(asked.T)[0, 1] < -0.3


def test_marker_is_unrelated_to_satisfaction(study):
    scores = study.scores
    r = scores[["MRK", "RSAT", "OSAT", "LOY"]].corr()["MRK"].drop("MRK")
    assert r.abs().max() < 0.1


def test_kano_pairs_follow_the_planted_classes(study, population):
    table = study.module("kano")
    spec = population["modules"]["kano"]
    names = list(KANO_ANSWERS)
    for k, shares in enumerate(spec["attributes"], start=1):
        pairs = list(zip(table[f"KF{k:02d}"], table[f"KD{k:02d}"], strict=True))
        for name, planted in zip(names, shares, strict=True):
            functional, dysfunctional = KANO_ANSWERS[name]
            found = np.mean([f in functional and d in dysfunctional for f, d in pairs])
            allowed = spec["slip"] + 5 * np.sqrt(planted * (1 - planted) / len(pairs))
            assert abs(found - planted) < allowed, (k, name)


def test_pilot_effect_is_found_with_the_covariate(study, population):
    table = study.module("pilot")
    treated = (table["PI_ARM"] == 2).to_numpy(dtype=float)
    strata = table.groupby("PI_STRATUM")["PI_ARM"].value_counts().unstack()
    assert (strata[1] - strata[2]).abs().max() <= 1
    x = np.column_stack([np.ones(len(table)), treated, table["PI_PRE_CNY"]])
    y = table["PI_POST_CNY"].to_numpy(dtype=float)
    found, *_rest = np.linalg.lstsq(x, y, rcond=None)
    spread = np.std(y - x @ found, ddof=3)
    planted = population["modules"]["pilot"]["effect_amount"]
    assert abs(found[1] - planted) < 3 * spread * 2 / np.sqrt(len(table))


def test_coders_agree_as_accurate_coders_would(study, population):
    table = study.module("cases")
    first, second = population["modules"]["cases"]["type_accuracy"]
    # both right, or both wrong in the same of four ways
    expected = first * second + (1 - first) * (1 - second) / 4
    found = (table["CA_TYPE1"] == table["CA_TYPE2"]).mean()
    assert abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / len(table))


def test_draws_are_the_same_for_the_same_name_and_differ_by_name():
    assert (Draws(1, "a").uniform(5) == Draws(1, "a").uniform(5)).all()
    assert (Draws(1, "a").uniform(5) != Draws(1, "b").uniform(5)).all()


def test_draws_have_their_means():
    many = 40_000
    draws = Draws(2, "means")
    assert abs(draws.normal(many).mean()) < 5 / np.sqrt(many)
    counts = draws.counts(np.full(many, 3.0), 2.0)
    assert abs(counts.mean() - 3) < 5 * np.sqrt((3 + 9 / 2) / many)
    choice = draws.choice({4: 0.25, 9: 0.75}, many)
    assert abs((choice == 9).mean() - 0.75) < 5 * np.sqrt(0.1875 / many)
    assert set(draws.integers(2, 4, 500)) == {2, 3, 4}


def test_steps_count_the_thresholds_passed():
    assert steps(np.array([-2.0, 0.0, 0.5, 9.0]), [-1.0, 0.2, 1.0]).tolist() == [1, 2, 3, 4]
    assert by_code({1: 0.5, 2: 7.0}, np.array([2, 1]))[0] == 7.0


def test_truth_that_lacks_a_section_is_refused(tmp_path):
    path = tmp_path / "population.yml"
    path.write_text("seed: 1\nn: 5\n", encoding="utf-8")
    with pytest.raises(CodebookError, match="lacks field_period"):
        read_population(path)
    assert "tables" in SECTIONS


def test_planted_tables_agree_with_what_the_simulation_reads(population):
    types, four = population["people"]["customer_type"], population["tables"]["T4"]
    assert four["age"] == types["age_mean"] and four["share_men"] == types["share_men"]
    assert four["purchases"] == types["purchases_mean"]
    assert population["tables"]["T1"]["hours"] == population["recovery"]["hours"]["mean"]
    six = population["tables"]["T6"]
    raised = six["share_raised"]
    assert raised["recovery"] / raised["none"] == pytest.approx(six["loyalty_ratio"])


def test_both_tables_of_satisfaction_have_one_mean(population):
    """T1 and T4 speak of the same answers, so their means over all groups must be equal."""
    tables = population["tables"]
    measures = {k: v for k, v in population["recovery"]["measure"].items() if k != NO_RECOVERY}
    types = population["people"]["customer_type"]["shares"]

    def overall(means, shares):
        return sum(means[k] * shares[k] for k in shares) / sum(shares.values())

    by_measure = overall(tables["T1"]["satisfaction"], measures)
    assert by_measure == pytest.approx(overall(tables["T4"]["satisfaction"], types))
