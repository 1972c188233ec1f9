"""Contract, property, planted-truth and bad-input tests of group comparison."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from semopy.examples import holzinger39

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.sem import fit
from helpers.sem.dmacs import dmacs, item_bias, item_dmacs
from helpers.sem.groups import invariance, path_differences
from helpers.sem.joined_categories import join_categories
from helpers.sem.latent_means import latent_means
from helpers.sem.partial_invariance import partial_invariance, partial_ladder
from helpers.sem.permutation import permutation_test, permuted_labels

CFA = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
SEARCH_TOLERANCE = 1e-7
"""The batched search stops 3e-5 standard errors from the minimum; chi-square is off by its
square."""
PLANTED = "f =~ y1 + y2 + y3 + y4 + y5"
LOADINGS = np.array([1.0, 0.9, 0.8, 0.9, 1.0])


@pytest.fixture(scope="module")
def rows():
    return holzinger39.get_data().reset_index(drop=True)


@pytest.fixture(scope="module")
def planted():
    """SIMULATED: group b has the latent mean 0.5, and answers y2 higher by 0.8 than it should."""
    rng = np.random.default_rng(11)
    parts = []
    for label, mean, shift in (("a", 0.0, 0.0), ("b", 0.5, 0.8)):
        f = mean + rng.standard_normal(800)
        y = f[:, None] * LOADINGS + 0.7 * rng.standard_normal((800, 5))
        y[:, 1] += shift
        parts.append(pd.DataFrame(y, columns=[f"y{k}" for k in range(1, 6)]).assign(g=label))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def steps(rows):
    equal = ((), ("loadings",), ("loadings", "intercepts"))
    return [fit(CFA, rows, group="school", group_equal=e) for e in equal]


class TestPlantedBias:
    def test_the_biased_intercept_alone_is_released(self, planted):
        found = partial_ladder(PLANTED, planted, "g")
        assert found.released == ("y2~1",)
        assert found.reached == "scalar"
        assert found.searches["metric"].released == ()

    def test_latent_mean_is_recovered_after_the_release(self, planted):
        found = latent_means(partial_ladder(PLANTED, planted, "g").final).iloc[0]
        assert found["d_low"] < 0.5 < found["d_high"]
        full = latent_means(partial_invariance(PLANTED, planted, "g", step="scalar").full).iloc[0]
        assert full["d"] > found["d"]

    def test_dmacs_of_the_biased_item(self, planted):
        """y2 has a pooled deviation of 1.14 in the population: 0.8 / 1.14 = 0.70."""
        final = partial_ladder(PLANTED, planted, "g").final
        found = dmacs(final).set_index("item")
        assert found.loc["y2", "dmacs"] == pytest.approx(0.8 / np.sqrt(0.81 + 0.49), abs=0.08)
        others = found.drop("y2")["dmacs"]
        assert others.to_numpy() == pytest.approx(np.zeros(4), abs=1e-12)

    def test_share_is_never_exceeded(self, planted):
        found = partial_invariance(PLANTED, planted, "g", step="scalar", max_share=0.0)
        assert found.released == ()
        assert found.stopped == "share"
        assert found.holds is False

    def test_two_anchors_stay_even_if_all_may_be_released(self, planted):
        moved = planted.copy()
        b = moved["g"] == "b"
        moved.loc[b, ["y3", "y4", "y5"]] += np.array([-0.9, 0.9, 1.4])
        found = partial_invariance(PLANTED, moved, "g", step="scalar", max_share=1.0)
        assert found.share["released"].iloc[0] <= 3

    def test_a_free_loading_takes_its_intercept_with_it(self, planted):
        found = partial_invariance(PLANTED, planted, "g", step="scalar", released=("f=~y2",))
        assert found.released == ("f=~y2", "y2~1")
        assert found.holds is True


class TestDmacs:
    def test_hand_calculation(self):
        """Shift 0.2 + 0.3 * 0.5 = 0.35, spread 0.3^2 * 1.44 = 0.1296: sqrt(0.2521) / 1.2."""
        size, shift = item_dmacs(0.2, np.array([0.3]), np.array([0.5]), np.array([[1.44]]), 1.2)
        assert shift == pytest.approx(0.35)
        assert size == pytest.approx(0.5020956 / 1.2, abs=1e-6)

    def test_closed_form_equals_the_integral(self):
        size, shift = item_dmacs(-0.4, np.array([0.25]), np.array([0.3]), np.array([[0.8]]), 1.5)
        density = norm(0.3, np.sqrt(0.8)).pdf
        square = quad(lambda e: (-0.4 + 0.25 * e) ** 2 * density(e), -12, 12)[0]
        plain = quad(lambda e: (-0.4 + 0.25 * e) * density(e), -12, 12)[0]
        assert size == pytest.approx(np.sqrt(square) / 1.5, rel=1e-8)
        assert shift == pytest.approx(plain, rel=1e-8)

    def test_item_bias_equals_a_refit(self, rows):
        equal = ("loadings", "intercepts")
        scalar = fit(CFA, rows, group="school", group_equal=equal, std_lv=True)
        free = fit(CFA, rows, group="school", group_equal=equal, std_lv=True,
                   group_partial=("visual=~x3", "x3~1"))  # fmt: skip
        found = item_bias(scalar).set_index("item").loc["x3", "dmacs"]
        assert found == pytest.approx(dmacs(free).set_index("item").loc["x3", "dmacs"], abs=1e-7)

    def test_pooled_deviation(self, rows):
        a, b = (part["x3"] for _label, part in rows.groupby("school", sort=False))
        wanted = ((len(a) - 1) * a.std() + (len(b) - 1) * b.std()) / (len(a) + len(b) - 2)
        found = dmacs(fit(CFA, rows, group="school")).set_index("item")
        assert found.loc["x3", "sd"] == pytest.approx(wanted)

    def test_unknown_reference_names_the_groups(self, steps):
        with pytest.raises(EstimationError, match="groups are Pasteur, Grant-White"):
            dmacs(steps[2], reference="Pastuer")


class TestPermutation:
    def test_deals_equal_single_fits(self, rows, steps):
        found = permutation_test(steps[2], steps[1], n_perm=99, seed=3)
        labels = permuted_labels([156, 145], 3, 99)
        ordered = pd.concat([rows[rows["school"] == g] for g in steps[0].group_labels])
        for deal in (0, 57, 98):
            dealt = ordered.assign(school=labels[deal].astype(str))
            pair = [
                fit(CFA, dealt, group="school", group_equal=e)
                for e in (("loadings", "intercepts"), ("loadings",))
            ]
            wanted = pair[0].test.chisq - pair[1].test.chisq
            assert found.draws["chisq"].iloc[deal] == pytest.approx(wanted, abs=SEARCH_TOLERANCE)

    def test_p_counts_the_observed_deal(self, steps):
        found = permutation_test(steps[2], steps[1], n_perm=99, seed=3)
        assert found.row("chisq")["as_bad"] == 0
        assert found.row("chisq")["p_value"] == pytest.approx(1 / 100)

    def test_deals_keep_the_group_sizes(self):
        labels = permuted_labels([7, 4, 9], 5, 130)
        assert labels.shape == (130, 20)
        assert all((np.bincount(row) == [7, 4, 9]).all() for row in labels)

    def test_same_seed_same_numbers(self, steps):
        one, two = (permutation_test(steps[0], n_perm=99, seed=8).draws for _k in range(2))
        pd.testing.assert_frame_equal(one, two)

    @pytest.mark.slow
    def test_p_is_uniform_where_labels_mean_nothing(self, rows):
        """Labels dealt at random: the mean of 20 uniform values has a deviation of 0.065."""
        rng = np.random.default_rng(2)
        values = []
        for _k in range(20):
            dealt = rows.assign(g=rng.permutation(["a"] * 150 + ["b"] * 151))
            pair = [fit(CFA, dealt, group="g", group_equal=e) for e in (("loadings",), ())]
            values.append(permutation_test(*pair, n_perm=99, seed=1).row("chisq")["p_value"])
        assert 0.25 < np.mean(values) < 0.75

    @pytest.mark.parametrize("n_perm", [0, 50, 99.0, True])
    def test_too_few_deals(self, steps, n_perm):
        with pytest.raises(EstimationError, match="at least 99"):
            permutation_test(steps[0], n_perm=n_perm, seed=1)

    def test_robust_fits_are_refused(self, rows):
        robust = fit(CFA, rows, group="school", estimator="MLR")
        with pytest.raises(EstimationError, match="estimator='ML'"):
            permutation_test(robust, seed=1)


class TestBadInput:
    def test_one_group(self, rows):
        one = rows[rows["school"] == "Pasteur"]
        with pytest.raises(DataContractError, match="at least 2 groups"):
            partial_invariance(CFA, one, "school", step="metric")

    def test_group_too_small_for_a_step(self, rows):
        """Thirty-one people, but only eight complete rows: every step says which group fails."""
        few = rows.copy()
        at = few.index[few["school"] == "Grant-White"]
        few = few.drop(at[31:])
        few.loc[at[8:31], "x1"] = np.nan
        found = invariance(CFA, few, "school")
        assert found.reached is None
        assert all(isinstance(r, Unavailable) for r in found.steps.values())
        assert "Grant-White" in found.steps["metric"].why

    def test_group_without_a_category(self, rows):
        cut = rows.copy()
        for k in range(1, 10):
            cut[f"x{k}"] = pd.qcut(rows[f"x{k}"], 4, labels=False) + 1
        lost = (cut["school"] == "Pasteur") & (cut["x2"] == 4)
        cut.loc[lost, "x2"] = 3
        found = invariance(CFA, cut, "school", ordered=True)
        assert found.reached is None
        assert "category 4 of x2" in found.steps["thresholds"].why
        assert "Pasteur" in found.steps["thresholds"].why

    def test_ordinal_ladder_needs_a_measurement_model(self, rows):
        model = CFA.replace("x", "x") + "\nspeed ~ visual"
        data = rows.assign(
            **{f"x{k}": pd.qcut(rows[f"x{k}"], 4, labels=False) for k in range(1, 10)}
        )
        found = invariance(model, data, "school", ordered=True)
        assert "measurement model" in found.steps["thresholds"].why

    def test_two_categories_do_not_show_thresholds_apart(self, rows):
        cut = rows.copy()
        for k in range(1, 10):
            cut[f"x{k}"] = (rows[f"x{k}"] > rows[f"x{k}"].median()).astype(int)
        found = invariance(CFA, cut, "school", ordered=True, steps=("configural", "thresholds"))
        assert "two categories" in found.steps["thresholds"].why

    def test_configural_holds_nothing_to_release(self, rows):
        with pytest.raises(EstimationError, match="holds nothing equal"):
            partial_invariance(CFA, rows, "school", step="configural")

    def test_unknown_step(self, rows):
        with pytest.raises(EstimationError, match="Did you mean 'metric'"):
            partial_invariance(CFA, rows, "school", step="metrik")

    def test_share_outside_its_range(self, rows):
        with pytest.raises(EstimationError, match="between 0 and 1"):
            partial_invariance(CFA, rows, "school", step="metric", max_share=1.5)

    def test_means_that_are_fixed_cannot_be_compared(self, steps):
        with pytest.raises(EstimationError, match="same latent means"):
            latent_means(steps[1])


class TestJoinedCategories:
    DATA = pd.DataFrame(
        {
            "x": [1, 2, 3, 4, 5, 2, 3, 4, 2, 3],
            "y": [1, 2, 1, 2, 1, 1, 2, 2, 1, 2],
            "g": ["a"] * 5 + ["b"] * 5,
        }
    )

    def test_ends_are_joined_towards_the_middle_in_all_groups(self):
        """Group b chose neither 1 nor 5."""
        joined, log = join_categories(self.DATA, ["x", "y"], "g")
        assert joined["x"].tolist() == [2, 2, 3, 4, 4, 2, 3, 4, 2, 3]
        assert joined["y"].tolist() == self.DATA["y"].tolist()
        assert log[["item", "category", "joined_with", "group", "n"]].to_numpy().tolist() == [
            ["x", 1, 2, "b", 0], ["x", 5, 4, "b", 0],
        ]  # fmt: skip
        assert self.DATA["x"].max() == 5

    def test_then_the_ordinal_ladder_can_be_fitted(self, rows):
        cut = rows.copy()
        for k in range(1, 10):
            cut[f"x{k}"] = pd.qcut(rows[f"x{k}"], 5, labels=False) + 1
        cut.loc[(cut["school"] == "Pasteur") & (cut["x2"] == 5), "x2"] = 4
        joined, log = join_categories(cut, [f"x{k}" for k in range(1, 10)], "school")
        assert log["item"].tolist() == ["x2"]
        assert invariance(CFA, joined, "school", ordered=True).reached is not None

    def test_nothing_left_is_an_error(self):
        lone = self.DATA.assign(x=[1] * 5 + [2] * 5)
        with pytest.raises(DataContractError, match="one category left of 'x'"):
            join_categories(lone, ["x"], "g")


def test_path_differences_on_a_common_scale(rows):
    """A single predictor: the pooled deviations are those of the rows within groups."""
    found = path_differences(fit("x1 ~ x2", rows, group="school")).iloc[0]
    groups = rows.groupby("school")
    variance = {v: (groups[v].var(ddof=0) * groups.size()).sum() / len(rows) for v in ("x1", "x2")}
    wanted = found["difference"] * np.sqrt(variance["x2"] / variance["x1"])
    assert found["std_difference"] == pytest.approx(wanted)
