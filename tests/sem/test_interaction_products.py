"""Reference and contract: product indicators against semTools and lavaan; slopes and regions."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, ModelSpecError, Unavailable
from helpers.regression.process_slopes import SlopeLine, johnson_neyman, simple_slopes
from helpers.sem import fit
from helpers.sem.interaction import pair_items, product_indicators, with_products
from helpers.sem.interaction_fit import interaction_by_products
from helpers.sem.interaction_mediation import moderated_mediation

REFERENCE = Path(__file__).parents[1] / "reference"
BASE = "comp =~ c1 + c2 + c3 + c4\nsat =~ s1 + s2 + s3\nloy =~ l1 + l2 + l3\nloy ~ comp + sat"
ROLES = {"predictor": "comp", "moderator": "sat", "outcome": "loy"}
DIGITS = 1e-9  # R writes twelve digits
ESTIMATES = 2e-5  # lavaan's nlminb stops this far from the minimum of models this size
ERRORS = 2e-5


@pytest.fixture(scope="module")
def expected() -> dict:
    return json.loads((REFERENCE / "moderation.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "sem_survey.csv.gz")


@pytest.fixture(scope="module")
def product_fit(data):
    return interaction_by_products(BASE, data, **ROLES, estimator="ML")


class TestReference:
    @pytest.mark.parametrize("pairs", ["matched", "all"])
    def test_indicators_as_semtools(self, data, expected, pairs):
        first = ["c1", "c2", "c3"] if pairs == "matched" else ["c1", "c2", "c3", "c4"]
        own = product_indicators(data, pair_items(first, ["s1", "s2", "s3"], pairs))
        theirs = expected[f"indicators_{pairs}"]
        assert set(own) == set(theirs)
        for name, values in theirs.items():
            np.testing.assert_allclose(own[name].head(6), values, atol=DIGITS)

    @pytest.mark.parametrize("pairs", ["matched", "all"])
    @pytest.mark.parametrize("estimator", ["ML", "MLR"])
    def test_model_as_lavaan(self, data, expected, pairs, estimator):
        case = expected[f"products_{pairs}_{estimator}"]
        own = interaction_by_products(BASE, data, **ROLES, pairs=pairs, estimator=estimator)
        for name in ("chisq", "df", "logl"):
            assert own.fit.fit_measures[name] == pytest.approx(case["fit"][name], abs=1e-4)
        table = own.fit.estimates.replace("comp_x_sat", "prod")
        table = table.set_index(["lhs", "op", "rhs"])
        for row in case["rows"]:
            key = (row["lhs"], row["op"], row["rhs"])
            assert table.loc[key, "est"] == pytest.approx(row["est"], abs=ESTIMATES), key
            assert table.loc[key, "se"] == pytest.approx(row["se"], abs=ERRORS), key

    def test_standardised_paths_of_parts_are_lavaans(self, expected, product_fit):
        paths = [r for r in expected["products_matched_ML"]["rows"] if r["op"] == "~"]
        std = {r["rhs"]: r["est.std"] for r in paths}
        assert product_fit.row("predictor")["std"] == pytest.approx(std["comp"], abs=ESTIMATES)
        assert product_fit.row("moderator")["std"] == pytest.approx(std["sat"], abs=ESTIMATES)


class TestByHand:
    def test_product_counts_in_both_sds(self, product_fit):
        sd = product_fit.sd
        row = product_fit.row("product")
        hand = row["estimate"] * sd["predictor"] * sd["moderator"] / sd["outcome"]
        assert row["std"] == pytest.approx(hand, rel=1e-12)

    def test_slopes_are_path_plus_product(self, product_fit):
        std = product_fit.paths["std"].to_numpy()
        hand = std[0] + np.array([-1, 0, 1]) * std[2]
        np.testing.assert_allclose(product_fit.slopes["slope"], hand, rtol=1e-12)

    def test_interval_touches_zero_at_every_end(self):
        cov = np.array([[0.01, 0.001], [0.001, 0.004]])
        line = SlopeLine(0.25, 0.20, cov, 0.0, 1.0, -9.0, 3.0)
        region = johnson_neyman(line)
        assert len(region.ends) == 2
        slope, se = line.at(np.array(region.ends))
        np.testing.assert_allclose(np.abs(slope), line.critical * se, rtol=1e-9)
        assert region.regions["sign"].tolist() == ["-", "0", "+"]

    def test_slope_error_by_the_variance_formula(self):
        cov = np.array([[0.04, -0.01], [-0.01, 0.02]])
        table = simple_slopes(SlopeLine(1.0, 0.5, cov, 2.0, 1.5, -4.0, 8.0, df=50))
        se = [np.sqrt(0.04 - 0.02 * w + 0.02 * w**2) for w in (0.5, 2.0, 3.5)]
        np.testing.assert_allclose(table["se"], se, rtol=1e-12)
        np.testing.assert_allclose(table["slope"], [1.25, 2.0, 2.75], rtol=1e-12)

    def test_index_is_product_of_paths(self, data):
        text = (
            (
                "comp =~ c1 + c2 + c3\nsat =~ s1 + s2 + s3\nloy =~ l1 + l2 + l3\n"
                "age =~ age\nsat ~ comp + age\nloy ~ sat + comp + age"
            )
            .replace("age =~ age\n", "old =~ 1*age\nage ~~ 0*age\n")
            .replace("+ age", "+ old")
        )
        model = with_products(text, data, predictor="comp", moderator="old", outcomes=["sat"])
        result = fit(model.syntax, model.data)
        found = moderated_mediation(
            result, source="comp", mediator="sat", outcome="loy", moderator="old",
            product=model.product, n_draws=4000, seed=5,
        )  # fmt: skip
        table = result.estimates.set_index(["lhs", "op", "rhs"])["est"]
        sd = data["age"].std(ddof=0)
        a1, a3 = table["sat", "~", "comp"], table["sat", "~", model.product]
        b = table["loy", "~", "sat"]
        assert found.stage == "first"
        assert found.index["estimate"] == pytest.approx(a3 * sd * b, rel=1e-6)
        assert found.table["estimate"].iloc[0] == pytest.approx((a1 - a3 * sd) * b, rel=1e-6)

    def test_index_interval_beside_the_delta_method(self, data, product_fit):
        text = BASE.replace("loy ~ comp + sat", "sat ~ comp\nloy ~ comp + sat")
        model = with_products(
            text, data, predictor="comp", moderator="sat", outcomes=["loy"]
        )  # fmt: skip
        result = fit(model.syntax, model.data)
        found = moderated_mediation(
            result, source="comp", mediator="sat", outcome="loy", moderator="comp",
            product=model.product, n_draws=20_000, seed=5,
        )  # fmt: skip
        table = result.estimates.set_index(["lhs", "op", "rhs"])
        a, c = table.loc[("sat", "~", "comp")], table.loc[("loy", "~", model.product)]
        sd = np.sqrt(table.loc[("comp", "~~", "comp"), "est"])
        se = sd * np.hypot(a["est"] * c["se"], c["est"] * a["se"])
        width = found.index["ci_high"] - found.index["ci_low"]
        assert width == pytest.approx(2 * 1.96 * se, rel=0.1)  # a product is not quite normal


class TestProperty:
    def test_input_is_not_changed(self, data):
        before = data.copy()
        interaction_by_products(BASE, data, **ROLES)
        pd.testing.assert_frame_equal(data, before)

    def test_scale_and_origin_of_items_do_not_matter(self, data, product_fit):
        moved = data.copy()
        items = ["c1", "c2", "c3", "c4"]
        moved[items] = 10 + 3 * moved[items]
        other = interaction_by_products(BASE, moved, **ROLES, estimator="ML")
        np.testing.assert_allclose(other.paths["std"], product_fit.paths["std"], atol=1e-6)

    def test_roles_are_symmetric_in_the_product(self, data, product_fit):
        turned = interaction_by_products(
            BASE, data, predictor="sat", moderator="comp", outcome="loy", estimator="ML"
        )
        assert turned.row("product")["std"] == pytest.approx(
            product_fit.row("product")["std"], abs=1e-6
        )

    def test_shared_items_have_correlated_residuals(self, data):
        model = with_products(BASE, data, predictor="comp", moderator="sat", outcomes=["loy"],
                              pairs="all")  # fmt: skip
        covariances = [line for line in model.syntax.splitlines() if "~~" in line]
        assert len(covariances) == 12 * (2 + 3) // 2

    def test_single_item_moderator(self, data):
        text = "comp =~ c1 + c2 + c3\nold =~ age\nloy =~ l1 + l2 + l3\nloy ~ comp + old"
        found = interaction_by_products(
            text, data, predictor="comp", moderator="old", outcome="loy", estimator="ML"
        )
        assert found.trustworthy
        products = {r.rhs for r in found.fit.table.rows if "." in r.rhs and r.op == "=~"}
        assert len(products) == 3
        crossed = [r for r in found.fit.table.rows if r.op == "~~" and r.lhs != r.rhs]
        assert not [r for r in crossed if {r.lhs, r.rhs} <= products]  # age carries no error

    def test_no_likelihood_ratio_is_a_value(self, product_fit):
        assert isinstance(product_fit.lr_p, Unavailable)


class TestBadInput:
    def test_moderator_with_one_value(self, data):
        with pytest.raises(DataContractError, match="1 value in 's1'"):
            interaction_by_products(BASE, data.assign(s1=4.0), **ROLES)

    def test_blank_moderator(self, data):
        with pytest.raises(DataContractError, match="0 value in 's1'"):
            product_indicators(data.assign(s1=np.nan), [("c1", "s1")])

    def test_unknown_construct(self, data):
        with pytest.raises(ModelSpecError, match="Did you mean 'sat'"):
            with_products(BASE, data, predictor="comp", moderator="sta", outcomes=["loy"])

    def test_unknown_outcome(self, data):
        with pytest.raises(ModelSpecError, match="Did you mean 'loy'"):
            with_products(BASE, data, predictor="comp", moderator="sat", outcomes=["lov"])

    def test_product_without_its_parts(self, data):
        with pytest.raises(ModelSpecError, match="loy ~ sat"):
            with_products(BASE.replace("comp + sat", "comp"), data, predictor="comp",
                          moderator="sat", outcomes=["loy"])  # fmt: skip

    def test_two_single_items(self, data):
        text = "comp =~ c1\nsat =~ s1\nloy =~ l1 + l2 + l3\nloy ~ comp + sat"
        with pytest.raises(ModelSpecError, match="one item each"):
            with_products(text, data, predictor="comp", moderator="sat", outcomes=["loy"])

    def test_variable_with_itself(self, data):
        with pytest.raises(ModelSpecError, match="two constructs"):
            with_products(BASE, data, predictor="sat", moderator="sat", outcomes=["loy"])

    def test_absent_item_and_text(self, data):
        with pytest.raises(DataContractError, match="no column 'c1'"):
            product_indicators(data.drop(columns="c1"), [("c1", "s1")])
        with pytest.raises(DataContractError, match="text in 'platform'"):
            product_indicators(data.assign(platform="a"), [("platform", "s1")])

    def test_unknown_pairing(self):
        with pytest.raises(ModelSpecError, match="allowed are matched, all"):
            pair_items(["a"], ["b"], "match")

    def test_region_without_range(self):
        line = SlopeLine(1.0, 0.1, np.eye(2), 0.0, 0.0, 2.0, 2.0)
        with pytest.raises(DataContractError, match="a range is needed"):
            johnson_neyman(line)

    def test_product_on_both_has_no_index(self, data):
        text = BASE.replace("loy ~ comp + sat", "sat ~ comp\nloy ~ comp + sat")
        model = with_products(text, data, predictor="comp", moderator="sat", outcomes=["loy"])
        result = fit(model.syntax, model.data)
        with pytest.raises(ModelSpecError, match="neither"):
            moderated_mediation(
                result, source="comp", mediator="sat", outcome="loy", moderator="comp",
                product="nothing", seed=1,
            )  # fmt: skip
