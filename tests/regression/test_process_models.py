"""Conditional process models: lavaan's path models, statsmodels, hand calculation, bad input."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from helpers.errors import DataContractError, EstimationError, ModelSpecError
from helpers.regression.process import process
from helpers.regression.process_fit import bootstrap_coefficients, design_columns
from helpers.regression.process_paths import list_equations

REFERENCE = Path(__file__).parents[1] / "reference"
CENTRED = {7: (), 8: (), 14: ("m",), 58: ("m",), 59: ("m",)}
LAVAAN = 2e-6  # where lavaan's optimiser stops, in these units
QUICK = {"n_boot": 40, "n_draws": 40, "seed": 1}


@pytest.fixture(scope="module")
def expected() -> dict:
    return json.loads((REFERENCE / "moderation.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    """The mean scores that moderation.R makes of the same rows."""
    d = pd.read_csv(REFERENCE / "sem_survey.csv.gz")
    return pd.DataFrame(
        {
            "x": d[["c1", "c2", "c3", "c4"]].mean(axis=1),
            "m": d[["s1", "s2", "s3", "s4"]].mean(axis=1),
            "y": d[["l1", "l2", "l3"]].mean(axis=1),
            "w": d["age"].astype(float),
            "n": d["s1"] - d["s4"] + 0.1 * d["age"],
        }
    )


def run(scores: pd.DataFrame, model: int, **options):
    mediators = {1: (), 4: ("m", "n"), 6: ("m", "n")}.get(model, ("m",))
    moderator = "" if model in (4, 6) else "w"
    return process(scores, model=model, x="x", m=mediators, w=moderator, y="y",
                   **(QUICK | options))  # fmt: skip


def defined(rows: list[dict]) -> list[float]:
    return [r["est"] for r in rows if r["op"] == ":="]


class TestLavaan:
    @pytest.mark.parametrize("model", [7, 8, 14, 58, 59])
    def test_conditional_indirect_effects(self, scores, expected, model):
        effects = run(scores, model).effects
        own = effects[effects["kind"].isin(["indirect", "index"])]["estimate"]
        np.testing.assert_allclose(own, defined(expected[f"process_m{model}"]), atol=LAVAAN)

    @pytest.mark.parametrize("model", [4, 6])
    def test_indirect_and_total_effects(self, scores, expected, model):
        effects = run(scores, model).effects
        own = effects[effects["kind"].isin(["indirect", "total"])]["estimate"]
        np.testing.assert_allclose(own, defined(expected[f"process_m{model}"]), atol=LAVAAN)

    @pytest.mark.parametrize("model", [1, 4, 6, 7, 8, 14, 58, 59])
    def test_every_path(self, scores, expected, model):
        table = run(scores, model).coefficients.set_index(["outcome", "term"])["estimate"]
        names = {"xc": "x", "mc": "m", "wc": "w", "xw": "x:w", "mw": "m:w"}
        rows = [r for r in expected[f"process_m{model}"] if r["op"] == "~"]
        assert len(rows) == len(table) - len(set(table.index.get_level_values(0)))
        for row in rows:
            key = (names.get(row["lhs"], row["lhs"]), names.get(row["rhs"], row["rhs"]))
            assert table[key] == pytest.approx(row["est"], abs=LAVAAN), key


class TestStatsmodels:
    @pytest.mark.parametrize("errors", ["HC3", "classical"])
    def test_model_8_with_a_covariate(self, scores, errors):
        own = process(scores, model=8, x="x", m="m", w="w", y="y", covariates=["n"], center=False,
                      errors=errors, **QUICK)  # fmt: skip
        kind = "HC3" if errors == "HC3" else "nonrobust"
        for outcome, formula in (("m", "m ~ x * w + n"), ("y", "y ~ x * w + m + n")):
            theirs = smf.ols(formula, scores).fit(cov_type=kind, use_t=True)
            table = own.coefficients[own.coefficients["outcome"] == outcome].set_index("term")
            for name, term in (("Intercept", "const"), ("x", "x"), ("x:w", "x:w"), ("n", "n")):
                assert table.loc[term, "estimate"] == pytest.approx(theirs.params[name], rel=1e-7)
                assert table.loc[term, "se"] == pytest.approx(theirs.bse[name], rel=1e-6)
                assert table.loc[term, "p_value"] == pytest.approx(theirs.pvalues[name], abs=1e-8)
                low = theirs.conf_int().loc[name, 0]
                assert table.loc[term, "ci_low"] == pytest.approx(low, abs=1e-7)
            r2 = own.equations.set_index("outcome").loc[outcome, "r2"]
            assert r2 == pytest.approx(theirs.rsquared, abs=1e-10)


class TestByHand:
    def test_index_and_conditional_effects_of_model_7(self, scores):
        own = run(scores, 7, center=False)
        table = own.coefficients.set_index(["outcome", "term"])["estimate"]
        a1, a3, b = table["m", "x"], table["m", "x:w"], table["y", "m"]
        effects = own.effects.set_index("kind")
        assert effects.loc["index", "estimate"] == pytest.approx(a3 * b, rel=1e-12)
        at = scores["w"].mean() + scores["w"].std() * np.array([-1, 0, 1])
        hand = (a1 + a3 * at) * b
        np.testing.assert_allclose(effects.loc["indirect", "estimate"], hand, rtol=1e-12)

    def test_contrasts_of_model_59(self, scores):
        effects = run(scores, 59).effects
        low, middle, high = effects[effects["kind"] == "indirect"]["estimate"]
        contrasts = effects[effects["kind"] == "contrast"]["estimate"].tolist()
        assert contrasts == pytest.approx([middle - low, high - low, high - middle], abs=1e-12)

    def test_total_effect_is_the_regression_without_mediators(self, scores):
        theirs = smf.ols("y ~ x", scores).fit().params["x"]
        for model in (4, 6):
            total = run(scores, model).effects.set_index("kind").loc["total", "estimate"]
            assert total == pytest.approx(theirs, rel=1e-10)

    def test_bootstrap_is_least_squares_on_the_drawn_rows(self, scores):
        equations = list_equations(58, "x", "y", ("m",), "w", ())
        columns = design_columns(scores, equations, True, ("x", "m", "w"))
        drawn, failed = bootstrap_coefficients(columns, equations, 3, np.random.default_rng(7))
        rows = np.random.default_rng(7).integers(0, len(scores), size=(3, len(scores)))
        assert failed == 0
        for k in range(3):
            own = columns.iloc[rows[k]]
            for equation, b in zip(equations, drawn):
                design = own[["const", *equation.terms]].to_numpy()
                hand = np.linalg.lstsq(design, own[equation.outcome].to_numpy(), rcond=None)[0]
                np.testing.assert_allclose(b[k], hand, atol=1e-8)

    def test_monte_carlo_interval_of_a_product(self, scores):
        """Beside the normal interval by the delta method; a product is nearly normal here."""
        own = run(scores, 4, n_draws=40_000, errors="classical")
        table = own.coefficients.set_index(["outcome", "term"])
        a, b = table.loc[("m", "x")], table.loc[("y", "m")]
        se = np.hypot(a["estimate"] * b["se"], b["estimate"] * a["se"])
        row = own.effects[own.effects["kind"] == "indirect"].iloc[0]
        assert row["mc_high"] - row["mc_low"] == pytest.approx(2 * 1.96 * se, rel=0.05)

    def test_region_touches_zero(self):
        rng = np.random.default_rng(2)
        x, w = rng.standard_normal((2, 300))
        frame = pd.DataFrame({"x": x, "w": w + 4})
        frame["y"] = 0.4 * x * w + rng.standard_normal(300)
        own = process(frame, model=1, x="x", w="w", y="y", **QUICK)
        assert len(own.region.ends) == 2
        theirs = smf.ols("y ~ x * w", frame).fit(cov_type="HC3", use_t=True)
        cov = theirs.cov_params()
        for end in own.region.ends:
            slope = theirs.params["x"] + theirs.params["x:w"] * end
            variance = cov.loc["x", "x"] + 2 * end * cov.loc["x", "x:w"]
            se = np.sqrt(variance + end**2 * cov.loc["x:w", "x:w"])
            from scipy.stats import t

            assert abs(slope) == pytest.approx(t.ppf(0.975, 296) * se, rel=1e-6)


class TestRecovery:
    def test_planted_model_14(self):
        rng = np.random.default_rng(20261121)
        n = 2000
        x, w = rng.standard_normal((2, n))
        m = 0.5 * x + rng.standard_normal(n)
        y = 0.2 * x + (0.4 + 0.2 * w) * m + 0.1 * w + rng.standard_normal(n)
        own = process(pd.DataFrame({"x": x, "w": w, "m": m, "y": y}), model=14, x="x", m="m",
                      w="w", y="y", n_boot=800, seed=3)  # fmt: skip
        index = own.effects[own.effects["kind"] == "index"].iloc[0]
        assert index["boot_low"] < 0.5 * 0.2 < index["boot_high"]
        assert index["mc_low"] < 0.5 * 0.2 < index["mc_high"]
        assert index["boot_high"] - index["boot_low"] < 0.08
        wide = index["boot_high"] - index["boot_low"]
        assert index["mc_high"] - index["mc_low"] == pytest.approx(wide, rel=0.15)


class TestProperty:
    @pytest.mark.parametrize("model", [1, 7, 8, 14, 58, 59])
    def test_centring_changes_no_effect(self, scores, model):
        one, two = (run(scores, model, center=c).effects["estimate"] for c in (True, False))
        np.testing.assert_allclose(one, two, rtol=1e-7, atol=1e-10)

    def test_same_seed_same_numbers(self, scores):
        one, two = run(scores, 7), run(scores, 7)
        pd.testing.assert_frame_equal(one.effects, two.effects)

    def test_a_moderator_of_two_values_is_read_at_these(self, scores):
        own = run(scores.assign(w=(scores["w"] > 40).astype(float)), 7)
        assert own.effects.loc[own.effects["kind"] == "indirect", "at"].tolist() == ["0", "1"]

    def test_blanks_are_counted_and_input_kept(self, scores):
        blank = scores.copy()
        blank.loc[:9, "m"] = np.nan
        before = blank.copy()
        own = run(blank, 7)
        assert (own.n_used, own.n_dropped) == (len(scores) - 10, 10)
        pd.testing.assert_frame_equal(blank, before)


class TestBadInput:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"model": 5}, "allowed are 1, 4, 6, 7, 8, 14, 58, 59"),
            ({"x": "z"}, "'z' is not a column"),
            ({"w": ""}, "takes a moderator"),
            ({"m": ()}, "exactly 1 are needed"),
            ({"m": ("m", "n")}, "exactly 1 are needed"),
            ({"errors": "HC9"}, "allowed are HC3, classical"),
            ({"n_boot": 0}, "n_boot= is 0"),
            ({"w": "x"}, "'?x'? has more than one role"),
            ({"model": 6, "w": ""}, "at least 2 are needed"),
            ({"model": 4}, "takes no moderator"),
        ],
    )
    def test_requests(self, scores, change, message):
        request = {"model": 7, "x": "x", "m": "m", "w": "w", "y": "y"} | QUICK | change
        with pytest.raises(ModelSpecError, match=message):
            process(scores, **request)

    def test_moderator_with_one_value(self, scores):
        with pytest.raises(DataContractError, match="one value in w"):
            run(scores.assign(w=3.0), 7)

    def test_text(self, scores):
        with pytest.raises(DataContractError, match="text in 'w'"):
            run(scores.assign(w="a"), 7)

    def test_too_few_rows(self, scores):
        with pytest.raises(DataContractError, match="complete rows"):
            run(scores.head(5), 7)

    def test_collinear(self, scores):
        with pytest.raises(EstimationError, match="sums of one another"):
            run(scores.assign(n=scores["x"] + scores["m"]), 4)
