"""Property and contract: what must hold of any bootstrap, and what bad input is told."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError, ModelSpecError
from helpers.sem import bootstrap, fit
from helpers.sem.bootstrap_batch import Job, run_draws
from helpers.sem.bootstrap_draws import TILE, build_units
from helpers.sem.bootstrap_intervals import intervals, level_at, quantile
from helpers.sem.bootstrap_job import Wish, build_job
from helpers.sem.bootstrap_refit import Refit
from helpers.sem.result import SemResult

MODEL = "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\ng ~ b*f\ntwice := 2*b"
ITEMS = [f"y{j}" for j in range(1, 7)]
SAME = 1e-5  # in standard errors: the fast search stops at 3e-6 of one
ROUNDING = 1e-9
MONTE_CARLO = 0.10  # standard errors from 1,000 draws vary by 2.2 %; four and a half times that


def survey(n: int = 300, seed: int = 9, path: float = 0.5) -> pd.DataFrame:
    """Two factors, three items each, with a column of six regions and 60 clusters of equal size."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n)
    g = path * f + rng.normal(size=n) * 0.8
    loads = np.array([1, 0.8, 1.2, 1, 0.9, 1.1])
    rows = np.column_stack([f, f, f, g, g, g]) * loads + rng.normal(size=(n, 6)) * 0.7 + 3
    out = pd.DataFrame(rows, columns=ITEMS)
    return out.assign(region=np.arange(n) % 6, team=np.arange(n) % (n // 5),
                      sex=np.where(np.arange(n) % 2, "m", "f"))  # fmt: skip


def compiled(result: SemResult, seed: int) -> Job:
    """The job behind a plain bootstrap."""
    wish = Wish(100, seed, "percentile", "nonparametric", None, None, None, None, "keep", 0.95)
    return build_job(result, wish, seed)[0]


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return survey()


@pytest.fixture(scope="module")
def result(data):
    return fit(MODEL, data)


@pytest.fixture(scope="module")
def drawn(result):
    return bootstrap(result, n_boot=1000, seed=5, statistics=("chisq", "cfi"))


class TestDraws:
    def test_workers_do_not_change_numbers(self, result, drawn):
        forked = bootstrap(result, n_boot=1000, seed=5, statistics=("chisq", "cfi"), workers=2)
        for name in ("theta", "values", "standardized", "statistics"):
            assert np.array_equal(getattr(drawn.draws, name), getattr(forked.draws, name))
        assert drawn.estimates.equals(forked.estimates)

    def test_a_job_sent_to_another_process_gives_the_same_numbers(self, result):
        job = compiled(result, 5)
        sent = pickle.loads(pickle.dumps(job))
        assert np.array_equal(run_draws(sent, 1, 40).values, run_draws(job, 1, 40).values)

    def test_finished_tiles_are_kept(self, result, tmp_path):
        first = bootstrap(result, n_boot=300, seed=1, ci="percentile", keep=tmp_path)
        seen = []
        again = bootstrap(result, n_boot=300, seed=1, ci="percentile", keep=tmp_path,
                          progress=lambda done, of: seen.append((done, of)))  # fmt: skip
        assert seen == [(3, 3)] and np.array_equal(first.draws.theta, again.draws.theta)

    def test_order_of_tiles_does_not_change_numbers(self, result, drawn):
        job = compiled(result, 5)
        third = run_draws(job, 2, TILE)
        assert np.array_equal(third.theta, drawn.draws.theta[2 * TILE : 3 * TILE])

    def test_more_draws_keep_the_first_ones(self, result, drawn):
        few = bootstrap(result, n_boot=70, seed=5, ci="percentile")
        scale = result.standard_errors[[r.free > 0 for r in result.table.rows] + [False]]
        gap = np.abs(few.draws.theta - drawn.draws.theta[:70]) / scale
        assert gap.max() < SAME

    def test_seed_decides_and_is_reported(self, result, drawn):
        again = bootstrap(result, n_boot=60, seed=6, ci="percentile")
        assert not np.allclose(again.draws.theta, drawn.draws.theta[:60])
        unseeded = bootstrap(result, n_boot=60, ci="percentile")
        repeated = bootstrap(result, n_boot=60, ci="percentile", seed=unseeded.seed)
        assert np.array_equal(unseeded.draws.theta, repeated.draws.theta)

    def test_rows_are_drawn_within_strata_and_groups(self, data):
        result = fit(MODEL, data, group="sex")
        units = build_units(result.moments, data["region"], None)
        counts = units.draw(1, 0, 50)
        places = np.concatenate([m.positions for m in result.moments])
        region = data["region"].to_numpy()[places]
        for own in range(6):
            assert (counts[:, region == own].sum(axis=1) == (region == own).sum()).all()
        assert (counts[:, : result.n_per_group[0]].sum(axis=1) == result.n_per_group[0]).all()

    def test_clusters_are_drawn_whole(self, data, result):
        counts = build_units(result.moments, None, data["team"]).draw(1, 0, 50)
        for team in range(5):
            own = counts[:, data["team"] == team]
            assert (own == own[:, :1]).all()
        assert len(np.unique(counts.sum(axis=1))) == 1

    def test_clustered_errors_exceed_plain_ones_where_rows_repeat(self, data):
        doubled = pd.concat([data[ITEMS]] * 4, ignore_index=True)
        person = np.tile(np.arange(len(data)), 4)
        result = fit(MODEL, doubled)
        plain = bootstrap(result, n_boot=1000, seed=1, ci="percentile")
        whole = bootstrap(result, n_boot=1000, seed=1, ci="percentile", clusters=person)
        k = list(result.estimates["label"]).index("b")
        ratio = whole.estimates["se_boot"][k] / plain.estimates["se_boot"][k]
        assert ratio == pytest.approx(2.0, rel=2 * MONTE_CARLO)

    def test_input_is_not_changed(self, data):
        before = data.copy()
        bootstrap(fit(MODEL, data), n_boot=20, seed=1, ci="percentile")
        pd.testing.assert_frame_equal(data, before)


class TestReplicates:
    def test_fast_search_agrees_with_guarded_scoring(self, result):
        job = compiled(result, 3)
        samples = job.samples(job.counts(0, 25))
        found = run_draws(job, 0, 25)
        scale = np.sqrt(np.diag(result.vcov))
        for b in range(25):
            alone = Refit(result, [s.take(np.array([b])) for s in samples]).solve()
            assert (np.abs(alone.x - found.theta[b]) / scale).max() < SAME

    def test_robust_errors_have_the_same_replicates(self, data, drawn):
        robust = bootstrap(fit(MODEL, data, estimator="MLR"), n_boot=200, seed=5, ci="percentile")
        assert np.allclose(robust.draws.theta, drawn.draws.theta[:200], rtol=0, atol=1e-6)

    def test_unit_of_an_item_does_not_matter(self, data, drawn):
        other = data.assign(y5=1000.0 * data["y5"])
        b = bootstrap(fit(MODEL, other), n_boot=1000, seed=5)
        for column in ("est", "ci_low", "ci_high"):
            there = drawn.standardized[column]
            assert np.allclose(b.standardized[column], there, rtol=0, atol=1e-6)

    def test_formulas_follow_their_parameters(self, drawn):
        table = drawn.estimates.set_index("label")
        for column in ("est", "se_boot", "ci_low", "ci_high"):
            assert table[column]["twice"] == pytest.approx(2 * table[column]["b"], rel=ROUNDING)

    def test_parametric_errors_agree_with_maximum_likelihood(self, result):
        b = bootstrap(result, n_boot=1000, seed=2, method="parametric", ci="normal")
        free = result.standard_errors > 0
        ratio = b.estimates["se_boot"][free] / result.standard_errors[free]
        assert np.allclose(ratio, 1.0, atol=2 * MONTE_CARLO)
        ratio = b.standardized["se_boot"] / result.standardized["se"]
        assert np.allclose(ratio[result.standardized["se"] > 0], 1.0, atol=2 * MONTE_CARLO)

    def test_draws_under_the_model_have_its_chi_square(self, result):
        for method in ("parametric", "bollen-stine"):
            b = bootstrap(
                result, n_boot=1000, seed=2, method=method, ci="percentile", statistics="chisq"
            )
            df = result.test.df  # mean df and variance 2 df, four standard errors apart at most
            assert abs(b.draws.statistics.mean() - df) < 4 * np.sqrt(2 * df / 1000)
            assert 0 < b.test_p() <= 1

    def test_a_function_of_a_fit(self, result, drawn):
        b = bootstrap(
            result, n_boot=20, seed=5, ci="percentile",
            statistics=lambda r: {"chisq": r.fit_measures["chisq"], "b": r.theta[4]},
        )  # fmt: skip
        assert np.allclose(b.draws.statistics[:, 0], drawn.draws.statistics[:20, 0], rtol=1e-6)
        assert np.allclose(b.draws.statistics[:, 1], b.draws.theta[:, 4])

    def test_failed_replicates_are_counted_and_left_out(self, data, result):
        flat = np.zeros((1, len(data)), dtype=int)  # one row over and over: no variance
        good = np.random.default_rng(1).integers(0, len(data), (30, len(data)))
        b = bootstrap(result, indices=np.concatenate([flat, good]), seed=1, ci="percentile")
        assert (b.n_failed, b.n_used, b.draws.status[0]) == (1, 30, 2)
        assert np.isnan(b.draws.values[0]).all()

    def test_rule_for_inadmissible_replicates(self):
        small = fit("f =~ y1 + y2 + y3\nf ~~ f", survey(40, seed=3)[["y1", "y2", "y3"]])
        kept = bootstrap(small, n_boot=300, seed=1, ci="percentile")
        dropped = bootstrap(small, n_boot=300, seed=1, ci="percentile", inadmissible="drop")
        assert kept.n_inadmissible == dropped.n_inadmissible > 0
        assert kept.n_used - dropped.n_used == kept.n_inadmissible
        bad = kept.draws.status == 1
        assert (kept.draws.theta[bad].min(axis=1) < 0).any()

    def test_progress_counts_up_to_all(self, result):
        seen = []
        bootstrap(result, n_boot=300, seed=1, progress=lambda done, of: seen.append((done, of)))
        assert seen == [(k, 6) for k in range(1, 7)]  # three tiles of draws, three left-outs


class TestOtherEstimators:
    def test_incomplete_rows_search_agrees_with_whole_fits(self, data):
        holes = data[ITEMS].mask(np.random.default_rng(2).random((300, 6)) < 0.1)
        result = fit(MODEL, holes, missing="fiml")
        fast = bootstrap(result, n_boot=6, seed=1, ci="percentile")
        whole = bootstrap(result, n_boot=6, seed=1, ci="percentile", statistics="chisq")
        assert np.allclose(fast.draws.values, whole.draws.values, rtol=0, atol=1e-6)
        assert np.allclose(fast.draws.standardized, whole.draws.standardized, rtol=0, atol=1e-6)
        assert (fast.draws.status == whole.draws.status).all()

    def test_a_lost_category_takes_its_items_thresholds_only(self, data):
        cut = data[ITEMS].apply(lambda v: np.digitize(v, [2.0, 3.0, 4.0]))
        cut.loc[0, "y1"] = 9  # one row alone in the highest category
        result = fit(MODEL, cut, estimator="WLSMV", ordered=ITEMS)
        rng = np.random.default_rng(1)
        without = rng.integers(1, 300, (1, 300))
        usual = np.concatenate([rng.integers(0, 300, (2, 299)), np.zeros((2, 1), int)], axis=1)
        b = bootstrap(result, indices=np.concatenate([without, usual]), seed=1, ci="percentile")
        lost = np.isnan(b.draws.values[0])
        table = result.estimates
        assert (lost == ((table["op"] == "|") & (table["lhs"] == "y1"))).all()
        assert np.isfinite(b.draws.values[1:]).all() and b.n_failed == 0
        assert "lack a category" in b.text()
        alone = fit(MODEL, cut.iloc[without[0]].reset_index(drop=True), estimator="WLSMV",
                    ordered=ITEMS)  # fmt: skip
        k = list(table["label"]).index("b")
        there = alone.estimates.set_index("label")["est"]["b"]
        assert b.draws.values[0, k] == pytest.approx(there, abs=1e-9)

    def test_constraints_that_are_not_linear_are_kept(self, data):
        result = fit("f =~ y1 + p*y2 + q*y3\np*q == 1", data)
        b = bootstrap(result, n_boot=8, seed=1, ci="percentile")
        at = [list(result.estimates["label"]).index(v) for v in "pq"]
        assert np.allclose(b.draws.values[:, at].prod(axis=1), 1.0, atol=1e-8)


class TestIntervals:
    @pytest.mark.parametrize("kind", ["percentile", "bc", "bca", "normal", "student"])
    @pytest.mark.parametrize("b", [99, 500])
    def test_p_is_below_the_level_where_the_interval_excludes_zero(self, kind, b):
        rng = np.random.default_rng(4)
        values = rng.normal(0.0, 2.5, 200)
        draws = values + 0.2 + rng.gamma(2.0, 0.7, (b, 200)) - 1.4
        found = intervals(
            draws, values, kind, 0.95, acceleration=rng.normal(0, 0.05, 200),
            errors=rng.gamma(20, 0.05, (b, 200)), standard_errors=np.ones(200),
        )  # fmt: skip
        outside = (found.low > 0) | (found.high < 0)
        assert 20 < outside.sum() < 180
        assert np.array_equal(found.p < 0.05, outside)
        assert found.p.min() >= 2 / (b + 1)

    def test_level_inverts_quantile(self):
        ordered = np.sort(np.random.default_rng(1).normal(size=200))
        for level in (0.011, 0.025, 0.3, 0.5, 0.86, 0.975):
            assert level_at(ordered, quantile(ordered, level)) == pytest.approx(level, abs=ROUNDING)

    def test_a_statistic_without_spread(self, result):
        b = bootstrap(result, n_boot=50, seed=1, ci="percentile", statistics=lambda r: 7.0)
        row = b.statistics.iloc[0]
        assert (row["ci_low"], row["ci_high"], row["se_boot"]) == (7.0, 7.0, 0.0)
        assert np.isnan(row["p_value"])
        fixed = b.estimates[b.estimates["rhs"] == "y1"].iloc[0]
        assert (fixed["ci_low"], fixed["ci_high"]) == (1.0, 1.0)

    def test_mirrored_draws_mirror_the_interval(self):
        rng = np.random.default_rng(2)
        draws, value = rng.gamma(3.0, 1.0, (400, 1)), np.array([3.0])
        for kind, a in (("bca", 0.04), ("bc", 0.0), ("percentile", 0.0)):
            one = intervals(draws, value, kind, 0.9, acceleration=np.array([a]))
            two = intervals(-draws, -value, kind, 0.9, acceleration=np.array([-a]))
            assert one.low == pytest.approx(-two.high) and one.high == pytest.approx(-two.low)


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "error", "says"),
        [
            ({"n_boot": 0}, ModelSpecError, "n_boot= is 0; a whole number of at least 1"),
            ({"n_boot": 2.5}, ModelSpecError, "n_boot= is 2.5"),
            ({"ci": "bcaa"}, ModelSpecError, "ci= is 'bcaa'; allowed are"),
            ({"method": "wild"}, ModelSpecError, "method= is 'wild'; allowed are"),
            ({"ci": "bca", "method": "parametric"}, ModelSpecError, "ci= is 'bca' with method="),
            ({"statistics": "cfy"}, ModelSpecError, "statistics= names 'cfy'"),
            ({"statistics": lambda r: r.nothing}, AttributeError, "nothing"),
            ({"statistics": lambda r: "high"}, ModelSpecError, "statistics= is a function that"),
            ({"strata": [1, 2]}, DataContractError, r"strata= has shape \(2,\)"),
            ({"indices": [[0, 999]]}, DataContractError, "indices= has 999"),
            ({"workers": 0}, ModelSpecError, "workers= is 0"),
            ({"level": 95}, ModelSpecError, "level= is 95"),
            ({"inadmissible": "hide"}, ModelSpecError, "inadmissible= is 'hide'"),
        ],
    )
    def test_options(self, result, options, error, says):
        with pytest.raises(error, match=says):
            bootstrap(result, seed=1, **({"n_boot": 10, "ci": "percentile"} | options))

    def test_bca_with_few_draws_warns(self, result):
        with pytest.warns(UserWarning, match="use ci='percentile', or at least as many"):
            b = bootstrap(result, n_boot=100, seed=1)
        assert "unstable" in b.text()

    def test_moments_cannot_be_resampled(self, data):
        result = fit(MODEL, sample_cov=data[ITEMS].cov(), n_obs=300)
        with pytest.raises(EstimationError, match="cannot be resampled"):
            bootstrap(result, n_boot=10, seed=1)
        assert bootstrap(result, n_boot=10, seed=1, method="parametric", ci="normal").n_used == 10

    def test_draws_under_the_model_need_complete_ml(self, data):
        for options in ({"missing": "fiml"}, {"estimator": "GLS"}):
            result = fit(MODEL, data, **options)
            with pytest.raises(ModelSpecError, match="available for ML on complete data"):
                bootstrap(result, n_boot=10, seed=1, method="bollen-stine", ci="percentile")

    def test_robust_tests_need_rows(self, data):
        result = fit(MODEL, data, estimator="MLR")
        with pytest.raises(ModelSpecError, match="need robust tests or errors"):
            bootstrap(result, n_boot=10, seed=1, method="parametric", ci="student")

    def test_all_replicates_failing_say_why(self, data, result):
        flat = np.zeros((5, len(data)), dtype=int)
        with pytest.raises(EstimationError, match="because a variable has no variance"):
            bootstrap(result, indices=flat, seed=1, ci="percentile")

    def test_cell_of_one(self, data, result):
        alone = np.where(np.arange(len(data)) == 3, 1, 0)
        with pytest.raises(DataContractError, match="a single unit"):
            bootstrap(result, n_boot=10, seed=1, strata=alone)
