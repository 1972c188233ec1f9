"""Fits to ordered items: planted truth, invariances and bad input.

Agreement with lavaan stands in test_reference_sem.py (cases ``ordinal_*``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError, ModelSpecError
from helpers.sem import fit

MODEL = "f =~ u1 + u2 + u3 + u4"
ITEMS = ["u1", "u2", "u3", "u4"]
LOADINGS = np.array([0.8, 0.7, 0.6, 0.75])
CUTS = [[-1.0, 0.0, 1.0], [-0.5, 0.5], [0.2], [-1.2, -0.3, 0.4, 1.3]]
CONVERGED = 1e-6


def answers(n: int = 1500, seed: int = 21, slope: float = 0.0) -> pd.DataFrame:
    """Ordered answers to four items of one factor; ``slope`` is the factor's on covariate w."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=n)
    f = slope * w + rng.normal(size=n)
    latent = f[:, None] * LOADINGS + rng.normal(size=(n, 4)) * np.sqrt(1 - LOADINGS**2)
    codes = {
        item: 1 + np.searchsorted(cuts, latent[:, j])
        for j, (item, cuts) in enumerate(zip(ITEMS, CUTS, strict=True))
    }
    return pd.DataFrame({**codes, "w": w, "group": np.where(rng.random(n) < 0.5, "A", "B")})


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return answers()


def ordinal_fit(data: pd.DataFrame, model: str = MODEL, **options):
    options = {"estimator": "WLSMV", "ordered": ITEMS, "std_lv": True} | options
    return fit(model, data, **options)


class TestRecovery:
    def test_loadings_and_thresholds(self, data):
        table = ordinal_fit(data).estimates
        loadings = table[table["op"] == "=~"]
        assert np.all(np.abs(loadings["est"] - LOADINGS) < 4 * loadings["se"])
        thresholds = table[table["op"] == "|"]
        assert np.all(np.abs(thresholds["est"] - np.concatenate(CUTS)) < 4 * thresholds["se"])

    def test_scale_of_a_group(self):
        """Group B's responses vary 1.5 times as much: its scales are 1 / 1.5."""
        rng = np.random.default_rng(5)
        n = 6000
        f = rng.normal(size=n)
        latent = f[:, None] * LOADINGS + rng.normal(size=(n, 4)) * np.sqrt(1 - LOADINGS**2)
        second = np.arange(n) >= n // 2
        latent[second] *= 1.5
        data = pd.DataFrame(
            {item: 1 + np.searchsorted([-0.8, 0.1, 0.9], latent[:, j])
             for j, item in enumerate(ITEMS)}
        ).assign(group=np.where(second, "B", "A"))  # fmt: skip
        result = ordinal_fit(
            data, "f =~ u1 + u2 + u3 + u4\nf ~~ c(1, 2.25)*f\nf ~ 0*1", group="group",
            group_equal=["thresholds", "loadings"],
        )  # fmt: skip
        table = result.estimates
        scales = table[(table["op"] == "~*~") & (table["group"] == "B")]
        assert np.all(np.abs(scales["est"] - 1 / 1.5) < 4 * scales["se"])
        assert np.all(scales["se"] < 0.05)

    def test_path_from_a_covariate(self):
        """The factor is identified by its residual variance of 1; the path is .6."""
        result = ordinal_fit(answers(3000, slope=0.6), MODEL + "\nf ~ w")
        row = result.estimates.query("op == '~'").iloc[0]
        assert abs(row["est"] - 0.6) < 4 * row["se"]


class TestProperties:
    def test_one_threshold_per_cut_and_no_free_residuals(self, data):
        table = ordinal_fit(data).estimates
        assert (table["op"] == "|").sum() == sum(len(cuts) for cuts in CUTS)
        own = table[(table["op"] == "~~") & table["lhs"].isin(ITEMS)]
        loadings = table[table["op"] == "=~"]["est"].to_numpy()
        assert np.allclose(own["est"], 1 - loadings**2, atol=1e-10)
        assert (own["free"] == 0).all()

    def test_marker_and_unit_variance_fit_alike(self, data):
        a, b = ordinal_fit(data), ordinal_fit(data, std_lv=False)
        assert a.fit_measures["chisq"] == pytest.approx(b.fit_measures["chisq"], rel=1e-8)
        assert a.fit_measures["chisq_scaled"] == pytest.approx(
            b.fit_measures["chisq_scaled"], rel=1e-6
        )

    def test_order_and_reversal_of_answers(self, data):
        turned = data.iloc[::-1].copy()
        turned[ITEMS] = 10 - 2 * turned[ITEMS]
        a, b = ordinal_fit(data), ordinal_fit(turned)
        for name in ("chisq", "chisq_scaled", "baseline_chisq_scaled"):
            assert a.fit_measures[name] == pytest.approx(b.fit_measures[name], rel=1e-6)
        loadings = [np.abs(r.estimates.query("op == '=~'")["est"]) for r in (a, b)]
        assert np.allclose(*loadings, atol=CONVERGED)

    def test_dwls_has_the_estimates_of_wlsmv(self, data):
        a, b = ordinal_fit(data), ordinal_fit(data, estimator="DWLS")
        assert np.allclose(a.estimates["est"], b.estimates["est"], atol=CONVERGED)
        assert a.fit_measures["chisq"] == pytest.approx(b.fit_measures["chisq"], rel=1e-9)
        assert "chisq_scaled" not in b.fit_measures

    def test_wls_weighs_by_the_full_matrix(self, data):
        """Full weights: the statistic equals r' Gamma^-1 r (n - 1) at its own minimum."""
        result = ordinal_fit(data, estimator="WLS")
        sample, target = result.context.extra.samples[0], result.context.target
        r = sample.moments - target.implied(result.model[0], result.states[0])
        by_hand = (sample.n_used - 1) * r @ np.linalg.solve(sample.gamma, r)
        assert result.fit_measures["chisq"] == pytest.approx(by_hand, rel=1e-8)

    def test_groups_apart_add_up(self, data):
        whole = ordinal_fit(data, group="group").fit_measures["chisq"]
        parts = [ordinal_fit(part).fit_measures["chisq"] for _, part in data.groupby("group")]
        assert whole == pytest.approx(sum(parts), rel=1e-7)

    def test_jacobian_against_differences(self):
        """Scales, thresholds, slopes and a second group together."""
        data = answers(800, slope=0.4)
        result = ordinal_fit(
            data, MODEL + "\nf ~ w", group="group", group_equal=["thresholds", "loadings"]
        )
        target, x = result.context.target, result.theta
        for model in result.model:
            exact = target.jacobian(model, model.state(x))
            for k in range(len(x)):
                step = np.zeros(len(x))
                step[k] = 1e-6
                high = target.implied(model, model.state(x + step))
                low = target.implied(model, model.state(x - step))
                assert np.allclose(exact[:, k], (high - low) / 2e-6, atol=1e-7)

    def test_blank_rows_are_dropped_and_counted(self, data):
        holes = data.copy()
        holes[ITEMS] = holes[ITEMS].astype(float)
        holes.loc[:49, "u1"] = np.nan
        result = ordinal_fit(holes)
        assert (result.n_obs, result.n_dropped) == (len(data) - 50, 50)
        other = ordinal_fit(data.iloc[50:])
        assert np.allclose(result.estimates["est"], other.estimates["est"], atol=CONVERGED)


class TestHonesty:
    def test_negative_residual_variance_is_a_problem(self):
        """Correlations .75, .75, .2 of three items ask for a loading of 1.68."""
        rng = np.random.default_rng(2)
        cor = np.array([[1, 0.75, 0.75], [0.75, 1, 0.2], [0.75, 0.2, 1]])
        latent = rng.multivariate_normal(np.zeros(3), cor, size=3000)
        rows = pd.DataFrame(1 + np.digitize(latent, [-0.5, 0.5]), columns=ITEMS[:3])
        result = ordinal_fit(rows, "f =~ u1 + u2 + u3", ordered=ITEMS[:3])
        assert result.converged
        assert not result.admissible
        assert any("variance of u1" in problem for problem in result.problems)

    def test_correlation_at_the_limit_is_a_problem(self, data):
        rows = data.copy()
        rows["u2"] = np.minimum(rows["u1"], 3)  # the answers of u2 are those of u1, cut short
        result = ordinal_fit(rows)
        assert not result.admissible
        assert any("u1 - u2" in problem for problem in result.problems)


class TestBadInput:
    def test_ordered_name_that_the_model_lacks(self, data):
        with pytest.raises(ModelSpecError, match="u22.*Did you mean 'u2'"):
            ordinal_fit(data, ordered=[*ITEMS, "u22"])

    def test_ordered_covariate(self, data):
        rows = data.assign(w=(data["w"] > 0).astype(int))
        with pytest.raises(ModelSpecError, match="covariates w.*fixed_x=False"):
            ordinal_fit(rows, MODEL + "\nf ~ w", ordered=[*ITEMS, "w"])

    def test_free_residual_variance(self, data):
        with pytest.raises(ModelSpecError, match="variance of the ordered item 'u2'"):
            ordinal_fit(data, MODEL + "\nu2 ~~ NA*u2")

    @pytest.mark.parametrize(("term", "found"), [("u3 | t2", "2 categories"), ("u1 | x", "t1, t2")])
    def test_threshold_that_cannot_be(self, data, term, found):
        with pytest.raises(ModelSpecError, match=found):
            ordinal_fit(data, f"{MODEL}\n{term}")

    def test_group_without_a_category(self, data):
        bad = data[(data["group"] == "A") | ((data["u1"] > 1) & (data["u4"] < 5))]
        with pytest.raises(DataContractError, match="category 1 of u1, 5 of u4 in group B"):
            ordinal_fit(bad, group="group")

    def test_too_few_rows_for_full_weights(self, data):
        """One row for every category of every item: at most 14 rows for 16 moments."""
        rows = {data.index[data[i] == c][0] for i in ITEMS for c in data[i].unique()}
        with pytest.raises(EstimationError, match="for 16 moments.*more rows than moments"):
            ordinal_fit(data.loc[sorted(rows)], estimator="WLS")

    def test_without_means(self, data):
        with pytest.raises(ModelSpecError, match="thresholds are means"):
            ordinal_fit(data, meanstructure=False)


def test_all_items_ordered():
    """``ordered=True`` is the list of all observed variables that are no covariates."""
    rng = np.random.default_rng(5)
    trait = rng.normal(size=400)
    items = {f"u{k}": np.digitize(trait + rng.normal(size=400), [-0.5, 0.7]) for k in range(1, 5)}
    data = pd.DataFrame({**items, "age": rng.normal(size=400)})
    model = "f =~ u1 + u2 + u3 + u4\nf ~ age"
    every = fit(model, data, ordered=True, estimator="WLSMV")
    named = fit(model, data, ordered=list(items), estimator="WLSMV")
    assert every.table.names.ordered == tuple(items)
    assert every.fit_measures["chisq_scaled"] == named.fit_measures["chisq_scaled"]
    smaller = fit("f =~ u1 + u2 + u3", data, ordered=list(items), estimator="WLSMV")
    assert smaller.table.names.ordered == ("u1", "u2", "u3")  # as lavaan: other columns are let be
