"""Reference: profiles against mclust and scikit-learn, outcomes and context against R, plants."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.plots.profiles import plot_profiles
from helpers.service.classified import classification, profile_means
from helpers.service.mixture import (
    climb,
    draw_samples,
    random_starts,
    responsibilities,
)
from helpers.service.mixture_steps import sampled, step_up
from helpers.service.profile_choice import bootstrap_ratio, choose_profiles
from helpers.service.profile_draws import resample_profiles
from helpers.service.profiles import entropy, latent_profiles
from helpers.service.segments import (
    context_counts,
    context_tests,
    hurried_difference,
    indicator_data,
    moderated_slopes,
    study_profiles,
    study_uplift,
)
from helpers.service.uplift import compare_treatments, robust_scores
from helpers.survey.load import load_study
from helpers.tables.service_context import uplift_sentence
from helpers.tables.service_segments import persona_table, profile_picture

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "segments.json").read_text(encoding="utf-8")
)
SEARCHED = 1e-3
"""Both programs climb until a step gains about 1e-9 of the log likelihood; what is left of a slow
climb lies in the fourth digit."""


@pytest.fixture(scope="module")
def iris():
    from sklearn.datasets import load_iris

    x = load_iris().data
    return pd.DataFrame((x - x.mean(axis=0)) / x.std(axis=0, ddof=1), columns=list("abcd"))


@pytest.fixture(scope="module")
def blobs():
    """Three planted profiles, two of them near each other, and an outcome of each."""
    rng = np.random.default_rng(5)
    true = rng.choice(3, size=600, p=[0.5, 0.3, 0.2])
    centre = np.array([[0, 0, 0, 0], [1.6, 1.4, 0.2, 0], [-1.5, 0.3, 1.8, -1.2]])
    data = pd.DataFrame(centre[true] + rng.normal(0, 0.9, (600, 4)), columns=list("abcd"))
    outcome = np.array([4.0, 6.0, 2.5])[true] + rng.normal(0, 1, 600)
    return data, true, outcome


@pytest.mark.parametrize("spread", ["equal", "free", "tied"])
@pytest.mark.parametrize("k", [2, 3])
def test_likelihood_is_that_of_mclust(iris, spread, k):
    found = latent_profiles(iris, k, spread=spread, starts=100)
    wanted = REFERENCE["mixtures"][spread][f"k{k}"]
    # random starts may find a better solution than R's; never a worse one
    assert found.loglik >= wanted["loglik"] - SEARCHED
    if found.loglik < wanted["loglik"] + SEARCHED:
        assert found.shares.tolist() == pytest.approx(wanted["shares"], abs=SEARCHED)


def test_free_variances_agree_with_scikit_learn(blobs):
    from sklearn.mixture import GaussianMixture

    data = blobs[0]
    found = latent_profiles(data, 3, spread="free")
    theirs = GaussianMixture(3, covariance_type="diag", n_init=20, tol=1e-10, max_iter=5000,
                             reg_covar=0, random_state=1).fit(data)  # fmt: skip
    assert found.loglik == pytest.approx(theirs.score(data) * len(data), abs=SEARCHED)
    assert found.bic == pytest.approx(theirs.bic(data), abs=2 * SEARCHED)
    assert found.aic == pytest.approx(theirs.aic(data), abs=2 * SEARCHED)


def test_ratio_test_agrees_with_mclust(iris):
    one, two = latent_profiles(iris, 1), latent_profiles(iris, 2)
    ratio, p = bootstrap_ratio(iris, one, two, n_boot=39)
    assert ratio == pytest.approx(REFERENCE["lrt"]["ratio"][0], abs=2 * SEARCHED)
    assert p == pytest.approx(1 / 40)
    none = REFERENCE["none"]
    plain = pd.DataFrame(none["rows"])
    one, two = latent_profiles(plain, 1), latent_profiles(plain, 2, starts=100)
    ratio, p = bootstrap_ratio(plain, one, two, n_boot=99, starts=10)
    assert ratio >= none["ratio"] - SEARCHED  # random starts may do better than one clustering
    assert p > 0.1


def test_planted_profiles_come_back(blobs):
    data, true, _outcome = blobs
    choice = choose_profiles(data, most=4, n_boot=19)
    assert choice.chosen == 3
    best = choice.best
    assert best.shares.tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.06)  # 3 binomial errors
    assert np.diff(best.shares).max() <= 0
    assert (best.assigned == true).mean() > 0.85
    assert choice.table["blrt_p"].iloc[1:3].tolist() == [0.05, 0.05]
    n, q, ll = best.n_used, best.n_parameters, best.loglik
    assert q == 2 + 12 + 4
    assert best.bic == pytest.approx(-2 * ll + q * np.log(n))
    assert best.sabic == pytest.approx(-2 * ll + q * np.log((n + 2) / 24))


def test_numbers_do_not_hang_on_the_start(blobs):
    one, two = (latent_profiles(blobs[0], 3, seed=s) for s in (1, 2))
    assert one.means == pytest.approx(two.means, abs=1e-2)
    assert one.rows.tolist() == list(range(600))


def test_entropy_by_hand():
    assert entropy(np.full((5, 2), 0.5)) == pytest.approx(0)
    assert entropy(np.eye(3)) == pytest.approx(1)
    p = np.array([[0.9, 0.1]])
    hand = 1 + (0.9 * np.log(0.9) + 0.1 * np.log(0.1)) / np.log(2)
    assert entropy(p) == pytest.approx(hand)


def test_drawn_samples_have_the_moments_of_the_mixture(blobs):
    found = latent_profiles(blobs[0], 3, spread="tied")
    drawn = draw_samples(found.fitted, "tied", 600, samples=90, rng=np.random.default_rng(1))
    assert drawn.mean(axis=(0, 1)) == pytest.approx(np.zeros(4), abs=0.02)
    assert drawn.var(axis=(0, 1)) == pytest.approx(np.ones(4), abs=0.03)


def test_intervals_of_profiles_hold_the_planted_shares(blobs):
    found = latent_profiles(blobs[0], 3)
    draws = resample_profiles(blobs[0], found, n_boot=100)
    table = draws.shares
    assert ((table["ci_low"] <= [0.5, 0.3, 0.2]) & (table["ci_high"] >= [0.5, 0.3, 0.2])).all()
    assert draws.switched == 0


def test_classification_correction_by_hand():
    """Two profiles: the corrected means solve the mixing of the groups' sums."""
    rng = np.random.default_rng(2)
    p = np.column_stack([q := rng.beta(2, 1, 400), 1 - q])
    y = rng.normal(5, 1, 400) - p[:, 1]
    table, put = classification(p), p.argmax(axis=1)
    assert table.sum(axis=1) == pytest.approx([1, 1])
    sums = np.array([y[put == s].sum() for s in (0, 1)])
    sizes = np.array([(put == s).sum() for s in (0, 1)])
    hand = np.linalg.solve(table.T, sums) / np.linalg.solve(table.T, sizes)
    assert profile_means(y, p, method="bch").table["estimate"].tolist() == pytest.approx(hand)


@pytest.mark.parametrize("case", ["three_step", "own_spread"])
def test_likelihood_of_the_third_step_agrees_with_optim(case):
    """The posteriors are made so that the classification table is the one of the script."""
    given = REFERENCE["three_step"]
    table, put = np.array(given["D"]), np.array(given["put"])
    share = 0.4
    joint = np.array([1 - share, share])[:, None] * table
    rows = (joint / joint.sum(axis=0)).T  # posterior of the profiles for either group
    sizes = joint.sum(axis=0)
    weight = np.round(sizes * 10_000).astype(int)
    spare = np.repeat([0, 1], weight)  # rows without an outcome fix the table
    posterior = np.vstack([rows[put], rows[spare]])
    y = np.r_[REFERENCE[case]["y"], np.full(len(spare), np.nan)]
    found = profile_means(y, posterior, method="ml")
    assert classification(posterior) == pytest.approx(table, abs=0.01)
    assert found.table["estimate"].tolist() == pytest.approx(REFERENCE[case]["means"], abs=0.02)
    assert found.n_dropped == len(spare)


def test_corrections_undo_the_error_of_classification(blobs):
    data, _true, outcome = blobs
    found = latent_profiles(data, 3)
    ways = {m: profile_means(outcome, found.posterior, method=m) for m in ("modal", "bch", "ml")}
    for method in ("bch", "ml"):
        table = ways[method].table
        assert table["estimate"].tolist() == pytest.approx([4.0, 6.0, 2.5], abs=0.35)
        assert ways[method].p_value < 0.001
    spans = {m: np.ptp(w.table["estimate"]) for m, w in ways.items()}
    assert spans["modal"] < min(spans["bch"], spans["ml"])


def test_context_test_agrees_with_r():
    given = REFERENCE["context"]
    data = pd.DataFrame({k: given[k] for k in ("z", "w", "out")})
    context = pd.DataFrame({"g": given["g"]}, dtype=float)
    found = moderated_slopes(data, context, [("out", "z", ["w"])])
    row = found.table.iloc[0]
    assert row["f"] == pytest.approx(given["f"], abs=1e-8)
    assert row["p_value"] == pytest.approx(given["p"], abs=1e-8)
    assert row["p_fdr"] == row["p_value"]
    assert found.slopes["slope"].is_monotonic_increasing


def planted_treatments(n, seed):
    """Treatment 1 helps group 0 only; who gets it hangs on x, which also moves the outcome."""
    rng = np.random.default_rng(seed)
    x, group = rng.normal(size=n), rng.integers(0, 2, n)
    treatment = (rng.random(n) < 1 / (1 + np.exp(-0.9 * x))).astype(float)
    outcome = 4 + x + np.where(group == 0, 0.8, 0.0) * treatment + rng.normal(0, 0.7, n)
    return pd.DataFrame({"x": x, "group": group, "treatment": treatment, "outcome": outcome})


def test_planted_uplift_comes_back_and_the_plain_difference_is_wrong():
    data = planted_treatments(1500, 4)
    found = compare_treatments(
        data, outcome="outcome", treatment="treatment", group="group", covariates=["x"]
    )
    table = found.contrasts
    away = (table["estimate"] - [0.8, 0.0]) / table["se"]
    assert away.abs().max() < 4  # chance 1 in 8,000
    plain = found.means.pivot(index="group", columns="treatment", values="raw")
    assert (plain[1.0] - plain[0.0] > [1.3, 0.5]).all()
    assert found.differences["p_value"].iloc[0] < 0.001
    assert (table["ci_high"] < table["joint_high"]).all()
    assert found.critical == pytest.approx(2.236, abs=0.02)  # two independent normals, 95%


def group_decides(n, seed):
    """The group decides treatment and outcome; treatment 1 brings 0.5 in group 0 only."""
    rng = np.random.default_rng(seed)
    x, group = rng.normal(size=n), rng.integers(0, 2, n)
    chance = 1 / (1 + np.exp(-(np.where(group == 0, 1.2, -1.2) + 0.5 * x)))
    treatment = (rng.random(n) < chance).astype(float)
    outcome = 3 + 2 * (group == 0) + x + 0.5 * (group == 0) * treatment + rng.normal(size=n)
    return pd.DataFrame({"x": x, "group": group, "treatment": treatment, "outcome": outcome})


NAMES = {"outcome": "outcome", "treatment": "treatment", "group": "group"}


def test_the_group_is_adjusted_for_though_nobody_names_it():
    """Without it the adjusted differences come out near 1.6 and 1.3."""
    data = group_decides(4000, 1)
    found = compare_treatments(data, covariates=["x"], **NAMES).contrasts
    assert ((found["estimate"] - [0.5, 0.0]) / found["se"]).abs().max() < 4  # 1 in 8,000
    named = compare_treatments(
        data.assign(first=(data["group"] == 0) * 1.0), covariates=["x", "first"], **NAMES
    ).contrasts
    pd.testing.assert_frame_equal(found, named)


def test_no_covariates_leave_the_plain_means_of_the_groups():
    rng = np.random.default_rng(3)
    data = group_decides(400, 2).assign(treatment=rng.permutation(np.tile([0.0, 1.0], 200)))
    found = compare_treatments(data, covariates=[], **NAMES).means
    assert found["estimate"].tolist() == pytest.approx(found["raw"].tolist(), abs=0.1)


def test_outcomes_and_folds_that_lead_nowhere_are_refused():
    data = group_decides(400, 2)
    with pytest.raises(DataContractError, match="'outcome' is 5 for everybody"):
        compare_treatments(data.assign(outcome=5.0), covariates=["x"], **NAMES)
    for folds in (1, 300):
        with pytest.raises(DataContractError, match=f"folds= is {folds}; from 2 to"):
            compare_treatments(data, covariates=["x"], folds=folds, **NAMES)


def test_choosing_by_group_is_told_by_its_sign():
    study = load_study("online_shopping")
    one = study_uplift(study)["failure_type"]

    def said(low, high):
        policy = {"gain": (low + high) / 2, "ci_low": low, "ci_high": high}
        return uplift_sentence({"failure_type": replace(one, policy=policy)}, study)

    assert "more than chance" in said(0.1, 0.3) and "worse" not in said(0.1, 0.3)
    assert "may be chance" in said(-0.1, 0.3)
    assert "did worse" in said(-0.3, -0.1)
    assert "changes nothing" in said(0.0, 0.0)


@pytest.mark.slow
def test_intervals_cover_where_the_group_decides():
    """Six hundred intervals at 95%: 0.92 to 0.98 is three standard errors."""
    hits = []
    for seed in range(300):
        found = compare_treatments(
            group_decides(500, seed), covariates=["x"], seed=seed, **NAMES
        ).contrasts
        hits += ((found["ci_low"] < [0.5, 0]) & (found["ci_high"] > [0.5, 0])).tolist()
    assert np.mean(hits) == pytest.approx(0.95, abs=0.03)


@pytest.mark.slow
def test_joint_intervals_cover_together():
    """25 samples at 95%: fewer than 20 joint hits has probability .001."""
    hits = 0
    for seed in range(25):
        found = compare_treatments(
            planted_treatments(500, seed), outcome="outcome", treatment="treatment",
            group="group", covariates=["x"], seed=seed,
        ).contrasts  # fmt: skip
        hits += bool(((found["joint_low"] < [0.8, 0]) & (found["joint_high"] > [0.8, 0])).all())
    assert hits >= 20


def test_scores_by_hand_without_covariates_that_matter():
    """With a constant covariate the adjusted mean is near the plain mean of the treatment."""
    rng = np.random.default_rng(1)
    treatment = np.tile([0.0, 1.0], 200)
    outcome = treatment * 2 + rng.normal(size=400)
    scores, raised = robust_scores(outcome, treatment, np.ones((400, 1)), [0.0, 1.0])
    plain = [outcome[treatment == a].mean() for a in (0, 1)]
    assert scores.mean(axis=0) == pytest.approx(plain, abs=0.01)  # folds differ in size by chance
    assert raised == 0


def test_simulated_study_gives_back_the_weight_of_timeliness():
    study = load_study("online_shopping")
    tests = context_tests(study)
    first = tests.table.iloc[0]
    assert (first["outcome"], first["predictor"], first["context"]) == ("REC", "SPEED", "DAYT")
    assert first["p_fdr"] < 0.05
    slopes = tests.slopes.query("predictor == 'SPEED' and context == 'DAYT'")["slope"].tolist()
    assert min(slopes[2:]) > max(slopes[:2])  # holidays and festivals against the other days
    estimate, low, high = hurried_difference(study)
    assert low > 0 and low < 0.25 / 1.53 < high
    uplift = study_uplift(study)["failure_type"]
    table = uplift.contrasts.set_index(["group", "treatment"])["estimate"]
    assert table[1.0, 1.0] > table[4.0, 1.0]  # compensation fits order failures
    assert set(uplift.left_out) == {3.0, 5.0}


def test_study_profiles_are_guarded_and_shown():
    study = load_study("online_shopping")
    choice = study_profiles(study, most=3, n_boot=0)
    best, data = choice.best, indicator_data(study)
    counts = context_counts(study, best)
    assert set(counts) == {"DAYT", "PLACE", "COMPY", "MOOD", "DEVICE"}
    shown = np.concatenate([g.table.to_numpy().ravel() for g in counts.values()])
    assert not ((shown > 0) & (shown < 5)).any()
    draws = resample_profiles(data, best, n_boot=20)
    assert len(persona_table(best, draws, study).frame) == best.k
    assert len(plot_profiles(profile_picture(best, draws, study)).lines) == best.k + 1
    assert isinstance(study_profiles(load_study("maxham_netemeyer_2003")), Unavailable)


def test_bad_input_says_what_is_needed(blobs):
    data = blobs[0]
    with pytest.raises(DataContractError, match="no more profiles than people"):
        latent_profiles(data.head(5), 6)
    with pytest.raises(DataContractError, match="more people than parameters"):
        latent_profiles(data.head(12), 3)
    with pytest.raises(DataContractError, match="constant indicators"):
        latent_profiles(data.assign(a=1.0), 2)
    with pytest.raises(DataContractError, match="allowed are"):
        latent_profiles(data, 2, spread="diag")
    with pytest.raises(DataContractError, match="add up to 1"):
        profile_means([1.0, 2.0], [[0.5, 0.2], [0.5, 0.5]])
    with pytest.raises(EstimationError, match="nobody is put into"):
        profile_means([1.0, 2.0], [[0.6, 0.4], [0.7, 0.3]])
    rows = planted_treatments(200, 1)
    names = {"outcome": "outcome", "treatment": "treatment", "group": "group", "covariates": ["x"]}
    with pytest.raises(DataContractError, match="at least two treatments"):
        compare_treatments(rows, codes=[1.0], **names)
    with pytest.raises(DataContractError, match="no category in which"):
        compare_treatments(rows.head(40), **names)


@pytest.mark.parametrize("spread", ["equal", "free"])
def test_leaps_end_no_lower_than_plain_steps(spread):
    """Two thousand plain steps of EM from the same starts are the rival."""
    rng = np.random.default_rng(5)
    x = (rng.normal(size=(1, 300, 4)) + rng.integers(0, 3, size=(1, 300, 1))) / 1.3
    start = random_starts(x, 3, spread, starts=12, rng=rng)
    found = climb(x, start, spread, steps=2000, tolerance=1e-11)
    sample = sampled(x, spread, floor=1e-4 * x.var(axis=1))
    at = (start.shares, start.means, start.spread)
    for _ in range(2000):
        at, plain = step_up(sample, at)
    leap = responsibilities(x, found, spread)[1]
    assert (np.sort(leap) >= np.sort(plain) - 1e-4).all()
    assert leap.max() == pytest.approx(plain.max(), abs=1e-4)
