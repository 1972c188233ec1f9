"""Contract, property and reference tests of what stands on fits: effects, rivals, groups."""

import numpy as np
import pandas as pd
import pytest
from semopy.examples import holzinger39

from helpers.errors import DataContractError, EstimationError, ModelSpecError, Unavailable
from helpers.sem import bootstrap, fit
from helpers.sem.effects import effects
from helpers.sem.effects_bootstrap import bootstrap_effects
from helpers.sem.groups import invariance, path_differences
from helpers.sem.montecarlo import monte_carlo_intervals, parameter_draws
from helpers.sem.rivals import compare_rivals
from helpers.sem.study_fit import ModelFit, without_labels

DRAWS_TOLERANCE = 0.04
"""20,000 draws place a 2.5 % quantile to about 0.02 standard errors; twice that is allowed."""

CFA = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"

MEDIATION = """
visual =~ x1 + x2 + x3
textual =~ x4 + x5 + x6
speed =~ x7 + x8 + x9
textual ~ a*visual
speed ~ b*textual + c*visual
indirect := a*b
total := a*b + c
"""


@pytest.fixture(scope="module")
def rows():
    return holzinger39.get_data()


@pytest.fixture(scope="module")
def mediated(rows):
    return fit(MEDIATION, rows)


@pytest.fixture(scope="module")
def ladder(rows):
    return invariance(CFA, rows, "school")


def model_fit(title, syntax, data):
    return ModelFit(title, title, syntax, fit(syntax, data), {}, {"data": data})


class TestEffects:
    def test_sum_up_as_the_path_rules_say(self, mediated):
        found = effects(mediated, "visual", "speed", seed=1).table.set_index("kind")["estimate"]
        path = mediated.estimates.set_index("label")["est"]
        assert found["direct"] == pytest.approx(path["c"])
        assert found["indirect"] == pytest.approx(path["a"] * path["b"])
        assert found["total"] == pytest.approx(path["total"])

    def test_standardised_total_is_the_implied_correlation_of_an_only_cause(self, mediated):
        """With one exogenous cause, the standardised total effect is the latent correlation."""
        found = effects(mediated, "visual", "speed", seed=1).row("total")["std_all"]
        cov = next(iter(mediated.implied.values()))["latent_cov"]
        r = cov.loc["visual", "speed"] / np.sqrt(
            cov.loc["visual", "visual"] * cov.loc["speed", "speed"]
        )
        assert found == pytest.approx(r)

    def test_every_way_is_listed_once(self, rows):
        chain = "x2 ~ x1\nx3 ~ x1 + x2\nx4 ~ x1 + x2 + x3"
        found = effects(fit(chain, rows), "x1", "x4", seed=1).table
        ways = set(found.loc[found["kind"].isin(["direct", "indirect"]), "way"])
        assert ways == {
            ("x1", "x4"), ("x1", "x2", "x4"), ("x1", "x3", "x4"), ("x1", "x2", "x3", "x4"),
        }  # fmt: skip

    def test_a_loop_is_an_error(self, rows):
        loop = "x1 ~ x2\nx2 ~ x1 + x3\nx1 ~ x4"
        with pytest.raises(ModelSpecError, match="loop"):
            effects(fit(loop, rows), "x4", "x2", seed=1)

    def test_unknown_variable_names_the_nearest(self, mediated):
        with pytest.raises(ModelSpecError, match="Did you mean 'visual'"):
            effects(mediated, "visuals", "speed", seed=1)


class TestMonteCarlo:
    def test_interval_of_a_sum_is_the_normal_interval(self, rows):
        """A linear function of estimates is normal, so delta and Monte Carlo must agree."""
        linear = MEDIATION.replace("indirect := a*b", "indirect := a + b")
        result = fit(linear.replace("total := a*b + c\n", ""), rows)
        drawn = monte_carlo_intervals(result, seed=3).table.iloc[0]
        delta = result.defined.iloc[0]
        assert drawn["ci_low"] == pytest.approx(delta["ci_low"], abs=DRAWS_TOLERANCE * delta["se"])
        assert drawn["ci_high"] == pytest.approx(
            delta["ci_high"], abs=DRAWS_TOLERANCE * delta["se"]
        )

    def test_draws_have_the_covariance_of_the_estimates(self, mediated):
        drawn = parameter_draws(mediated, 50_000, np.random.default_rng(5))
        sd = np.sqrt(np.diag(mediated.vcov))
        assert np.allclose(drawn.std(axis=0), sd, rtol=0.02)

    def test_same_seed_same_numbers(self, mediated):
        one = monte_carlo_intervals(mediated, seed=7).table
        pd.testing.assert_frame_equal(one, monte_carlo_intervals(mediated, seed=7).table)

    def test_without_definitions_is_an_error(self, rows):
        with pytest.raises(EstimationError, match="no := parameter"):
            monte_carlo_intervals(fit("x1 ~ x2", rows), seed=1)


class TestRivals:
    CHAIN = "x2 ~ x1\nx3 ~ x2"
    TURNED = "x2 ~ x3\nx1 ~ x2"
    FORK = "x1 ~ x2\nx3 ~ x2\nx1 ~~ 0*x3"
    COLLIDER = "x2 ~ x1 + x3\nx1 ~~ 0*x3"
    FULL = "x2 ~ x1\nx3 ~ x2 + x1"

    def fits(self, rows, *syntaxes):
        free = [s + "\nx1 ~~ x1" for s in syntaxes]
        return [model_fit(s, s, rows) for s in free]

    def test_chain_turned_chain_and_fork_are_equivalent(self, rows):
        """Verma & Pearl: the three imply the same single vanishing partial correlation."""
        found = compare_rivals(self.fits(rows, self.CHAIN, self.TURNED, self.FORK))
        assert len(found.equivalent) == 3
        assert found.differences.empty

    def test_collider_is_not_equivalent_to_the_chain(self, rows):
        found = compare_rivals(self.fits(rows, self.CHAIN, self.COLLIDER))
        assert not found.equivalent

    def test_nested_pair_is_tested(self, rows):
        chain, full = self.fits(rows, self.CHAIN, self.FULL)
        found = compare_rivals([chain, full]).differences
        assert list(found["restricted"]) == [chain.title]
        expected = chain.result.fit_measures["chisq"] - full.result.fit_measures["chisq"]
        assert found["delta_chisq"].iloc[0] == pytest.approx(expected)

    def test_nesting_without_common_rows_is_found(self, rows):
        """One factor is two factors with correlation 1, though no row table contains the other."""
        one = model_fit("one", "f =~ x1 + x2 + x3 + x4 + x5 + x6", rows)
        two = model_fit("two", "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6", rows)
        found = compare_rivals([one, two]).differences
        assert list(found["restricted"]) == ["one"]

    def test_models_of_other_variables_are_not_compared(self, rows):
        a = model_fit("a", "x1 ~ x2", rows)
        b = model_fit("b", "x3 ~ x4", rows)
        found = compare_rivals([a, b])
        assert found.differences.empty
        assert not found.equivalent

    def test_what_failed_is_kept_with_its_reason(self, rows):
        lost = Unavailable("the model", "it has no data")
        assert compare_rivals([model_fit("a", "x1 ~ x2", rows), lost]).unavailable == (lost,)


class TestGroups:
    def test_ladder_equals_lavaan(self, ladder):
        """Published in lavaan's own documentation: chi-square of the four steps."""
        published = {"configural": 115.851, "metric": 124.044, "scalar": 164.103, "strict": 181.511}
        table = ladder.table.set_index("step")
        for step, chisq in published.items():
            assert table.loc[step, "chisq"] == pytest.approx(chisq, abs=5e-4)
        assert list(table["df"]) == [48, 54, 60, 69]

    def test_differences_and_verdict(self, ladder):
        table = ladder.table.set_index("step")
        assert table.loc["metric", "delta_chisq"] == pytest.approx(8.192, abs=1e-3)
        assert table.loc["scalar", "delta_p"] < 0.001
        assert table.loc["metric", "holds"] is True
        assert table.loc["scalar", "holds"] is False
        assert ladder.reached == "metric"

    def test_small_group_is_named(self, rows):
        few = pd.concat([rows[rows["school"] == "Pasteur"], rows[rows["school"] != "Pasteur"][:12]])
        with pytest.raises(DataContractError, match=r"Grant-White \(12\)"):
            invariance(CFA, few, "school")

    def test_one_group_is_an_error(self, rows):
        with pytest.raises(DataContractError, match="at least 2 groups"):
            invariance(CFA, rows[rows["school"] == "Pasteur"], "school")

    def test_path_differences_of_independent_groups(self, rows):
        """Nothing shared: the variance of the difference is the sum of the two variances."""
        result = fit("x1 ~ x2", rows, group="school")
        found = path_differences(result).iloc[0]
        own = result.estimates.query("op == '~'")
        assert found["difference"] == pytest.approx(own["est"].iloc[1] - own["est"].iloc[0])
        assert found["se"] == pytest.approx(np.sqrt((own["se"] ** 2).sum()))


def test_labels_are_taken_off_and_nothing_else():
    text = "f =~ NA*x1 + l*x2 + 1*x3\ny ~ b*f + start(0.5)*x\nind := l*b\nb == 0"
    assert without_labels(text) == "f =~ NA*x1 + x2 + 1*x3\ny ~ f + start(0.5)*x"


class TestResultTables:
    def test_tables_of_a_single_group_are_found_by_their_own_name(self, mediated):
        assert mediated.implied["cov"] is next(iter(mediated.implied.values()))["cov"]
        assert mediated.residuals["raw"].shape == (9, 9)
        with pytest.raises(KeyError):
            mediated.implied["nosuch"]

    def test_scores_are_a_table_and_can_be_asked_for_another_method(self, mediated):
        assert list(mediated.scores.columns) == ["visual", "textual", "speed"]
        pd.testing.assert_frame_equal(
            pd.DataFrame(mediated.scores), mediated.scores(method="regression")
        )
        bartlett = mediated.scores(method="bartlett")
        assert (bartlett.var() > mediated.scores.var()).all()


class TestBootstrappedEffects:
    @pytest.fixture
    def drawn(self, rows):
        fitted = model_fit("mediation", MEDIATION, rows)
        return fitted, bootstrap_effects(fitted, n_boot=400, seed=11, ci="percentile")

    def test_estimates_are_those_of_the_paths(self, drawn, mediated):
        table = drawn[1].effects.table.set_index("kind")
        path = mediated.estimates.set_index("label")["est"]
        assert table.loc["indirect", "estimate"] == pytest.approx(path["indirect"], abs=1e-6)
        assert table.loc["total", "estimate"] == pytest.approx(path["total"], abs=1e-6)

    def test_interval_of_a_defined_effect_is_the_bootstrap_of_its_definition(self, drawn):
        """The same draws give the same interval, whether the model names the effect or we do."""
        fitted, found = drawn
        direct = bootstrap(fitted.result, n_boot=400, seed=11, ci="percentile").estimates
        named = direct[direct["label"] == "indirect"].iloc[0]
        ours = found.effects.table.set_index("kind").loc["indirect"]
        assert ours["ci_low"] == pytest.approx(named["ci_low"], abs=1e-6)
        assert ours["ci_high"] == pytest.approx(named["ci_high"], abs=1e-6)

    def test_standardised_effect_is_the_raw_one_rescaled(self, drawn):
        fitted, found = drawn
        drawn_from_normal = effects(fitted.result, "visual", "speed", seed=1).table
        own = found.effects.table.query("kind != 'proportion'")["std_all"]
        pd.testing.assert_series_equal(own, drawn_from_normal["std_all"], atol=1e-6)

    def test_proportion_mediated_is_the_ratio(self, drawn):
        table = drawn[1].effects.table.set_index("kind")["estimate"]
        assert table["proportion"] == pytest.approx(table["indirect"] / table["total"])

    def test_a_matrix_has_nobody_to_draw(self, mediated):
        cov = mediated.implied["cov"]
        result = fit(MEDIATION, sample_cov=cov, n_obs=300)
        fitted = ModelFit("m", "m", MEDIATION, result, {}, {"sample_cov": cov, "n_obs": 300})
        assert isinstance(bootstrap_effects(fitted, n_boot=10, seed=1), Unavailable)

    def test_none_asked_for_is_said(self, drawn):
        assert "n_boot is 0" in bootstrap_effects(drawn[0], n_boot=0, seed=1).why
