"""Exact likelihood of a latent interaction: brute force, the SEM engine, planted truth."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal

from helpers.errors import DataContractError, EstimationError, ModelSpecError
from helpers.sem.interaction_fit import interaction_by_lms
from helpers.sem.interaction_lms import Layout, log_likelihood

REFERENCE = Path(__file__).parents[1] / "reference"
ITEMS = {"X": ["x1", "x2", "x3"], "Z": ["z1", "z2"], "Y": ["y1", "y2", "y3"]}
ROLES = {"predictor": "X", "moderator": "Z", "outcome": "Y"}
PATHS = {"X": 0.5, "Z": -0.2, "X:Z": 0.3}
LOADINGS = {"X": [1.0, 0.8, 1.2], "Z": [1.0, 0.9], "Y": [1.0, 1.1, 0.7]}
PHI = np.array([[1.0, 0.3], [0.3, 0.8]])
INTEGRAL = 1e-8  # adaptive quadrature's own tolerance
DIFFERENCES = 1e-4  # central differences of a log-likelihood of several hundred


def simulate(n: int, seed: int, product: float = PATHS["X:Z"]) -> pd.DataFrame:
    """Draw items of two normal latent variables and of an outcome with their product."""
    rng = np.random.default_rng(seed)
    x, z = rng.multivariate_normal(np.zeros(2), PHI, n).T
    y = PATHS["X"] * x + PATHS["Z"] * z + product * x * z + 0.7 * rng.standard_normal(n)
    columns = {}
    for name, latent in (("X", x), ("Z", z), ("Y", y)):
        for item, loading in zip(ITEMS[name], LOADINGS[name]):
            columns[item] = 3 + loading * latent + 0.6 * rng.standard_normal(n)
    return pd.DataFrame(columns)


@cache
def sample() -> pd.DataFrame:
    return simulate(1500, 20261121)


@cache
def fitted():
    return interaction_by_lms(sample(), ITEMS, **ROLES)


def theta_of_truth(g3: float = 0.3) -> np.ndarray:
    """The planted values in the order of the parameter vector."""
    parts = []
    for name in "XZY":
        k = len(ITEMS[name])
        parts += [*LOADINGS[name][1:], *[3.0] * k, *[np.log(0.36)] * k]
    slope = PHI[0, 1] / PHI[1, 1]
    within = PHI[0, 0] - slope * PHI[0, 1]
    parts += [slope, 0.5, -0.2, g3, np.log(within), np.log(PHI[1, 1]), np.log(0.49)]
    return np.array(parts)


def values_of(data: pd.DataFrame) -> tuple:
    return tuple(data[ITEMS[name]].to_numpy(copy=True) for name in "XZY")


def brute_force(row: np.ndarray, g3: float) -> float:
    """Log-likelihood of one respondent: all eight items normal given zeta, integrated over zeta."""
    slope = PHI[0, 1] / PHI[1, 1]
    within = PHI[0, 0] - slope * PHI[0, 1]
    seen = np.isfinite(row)
    loading = np.zeros((8, 3))
    loading[:3, 0], loading[3:5, 1], loading[5:, 2] = (LOADINGS[n] for n in "XZY")

    def integrand(zeta: float) -> float:
        b = 0.5 + g3 * zeta
        latent = np.array([slope * zeta, zeta, -0.2 * zeta + b * slope * zeta])
        spread = np.zeros((3, 3))
        spread[0, 0], spread[0, 2], spread[2, 0] = within, b * within, b * within
        spread[2, 2] = b**2 * within + 0.49
        cov = loading @ spread @ loading.T + 0.36 * np.eye(8)
        density = multivariate_normal(
            (3 + loading @ latent)[seen], cov[np.ix_(seen, seen)]
        ).pdf(row[seen])  # fmt: skip
        return density * np.exp(-0.5 * zeta**2 / PHI[1, 1]) / np.sqrt(2 * np.pi * PHI[1, 1])

    value, _error = quad(integrand, -8, 8, points=[-1, 0, 1, 2], epsabs=0, epsrel=1e-10, limit=200)
    return float(np.log(value))


class TestLikelihood:
    def test_against_adaptive_quadrature(self):
        data = sample().head(5).to_numpy(copy=True)
        data[1, [0, 4, 6]] = np.nan
        values = (data[:, :3], data[:, 3:5], data[:, 5:])
        own, _scores = log_likelihood(theta_of_truth(), values)
        np.testing.assert_allclose(own, [brute_force(r, 0.3) for r in data], atol=INTEGRAL)

    def test_scores_are_the_slopes(self):
        values = values_of(sample().head(200))
        values[0][5, 1] = np.nan
        theta = theta_of_truth() + 0.1
        _own, scores = log_likelihood(theta, values)
        for k, unit in enumerate(np.eye(len(theta)) * 1e-5):
            up = log_likelihood(theta + unit, values)[0].sum()
            down = log_likelihood(theta - unit, values)[0].sum()
            assert scores[:, k].sum() == pytest.approx((up - down) / 2e-5, abs=DIFFERENCES)

    def test_without_a_product_it_is_the_engines(self):
        """At the linear model's estimates, g3 = 0, both programs must see one likelihood."""
        from helpers.sem.interaction_fit import _linear_fit, _start

        data = sample().copy()
        data.loc[data.index[::7], "y2"] = np.nan
        for rows in (sample(), data):
            columns = list(ITEMS.values())
            linear = _linear_fit(rows, ("X", "Z", "Y"), columns)
            theta = _start(linear, ("X", "Z", "Y"), columns)
            own = log_likelihood(theta, values_of(rows))[0].sum()
            assert own == pytest.approx(linear.fit_measures["logl"], abs=1e-5)

    def test_nodes_suffice(self):
        values = values_of(sample())
        few = log_likelihood(theta_of_truth(), values, nodes=16)[0].sum()
        many = log_likelihood(theta_of_truth(), values, nodes=60)[0].sum()
        assert few == pytest.approx(many, abs=1e-6)

    def test_layout_counts(self):
        assert Layout((3, 2, 3)).n_parameters == len(theta_of_truth())


class TestRecovery:
    def test_planted_paths(self):
        """Within 3.3 standard errors: one such test in a thousand would fail by chance."""
        table = fitted().fit.estimates.set_index(["lhs", "op", "rhs"])
        for cause, truth in PATHS.items():
            row = table.loc[("Y", "~", cause)]
            assert abs(row["est"] - truth) < 3.3 * row["se"], cause
            assert row["se"] < 0.05

    def test_planted_measurement_and_variances(self):
        table = fitted().fit.estimates.set_index(["lhs", "op", "rhs"])
        truth = {("Y", "~~", "Y"): 0.49, ("X", "~~", "X"): 1.0, ("X", "~~", "Z"): 0.3,
                 ("Z", "~~", "Z"): 0.8, ("X", "=~", "x3"): 1.2, ("y1", "~~", "y1"): 0.36,
                 ("y1", "~1", ""): 3.0}  # fmt: skip
        for key, value in truth.items():
            row = table.loc[key]
            assert abs(row["est"] - value) < 3.3 * row["se"], key

    def test_standardised_product(self):
        """Variance of the outcome by hand; the product's is f11 f22 + f12^2 (Kenny & Judd 1984)."""
        sd_y = np.sqrt(0.25 + 0.04 * 0.8 + 2 * 0.5 * -0.2 * 0.3 + 0.09 * (0.8 + 0.09) + 0.49)
        row = fitted().row("product")
        assert row["std_low"] < 0.3 * np.sqrt(0.8) / sd_y < row["std_high"]

    def test_likelihood_ratio_sees_the_product(self):
        assert fitted().lr_chisq > 50
        assert fitted().lr_p < 1e-10

    def test_no_product_planted_none_found(self):
        found = interaction_by_lms(simulate(600, 4, product=0.0), ITEMS, **ROLES)
        assert found.lr_p > 0.001
        assert abs(found.row("product")["estimate"]) < 3.3 * found.row("product")["se"]

    @pytest.mark.slow
    def test_wald_and_likelihood_ratio_agree_near_zero(self):
        """Both test the same; for a small product they differ by less than a fifth."""
        found = interaction_by_lms(simulate(1500, 5, product=0.1), ITEMS, **ROLES)
        row = found.row("product")
        wald = (row["estimate"] / row["se"]) ** 2
        assert wald == pytest.approx(found.lr_chisq, rel=0.2)

    @pytest.mark.slow
    def test_coverage_of_the_interval(self):
        """60 samples of 400: by chance alone, 51 or fewer of 60 happen once in a thousand."""
        hit = 0
        for seed in range(60):
            row = interaction_by_lms(simulate(400, seed), ITEMS, **ROLES).row("product")
            hit += row["ci_low"] <= PATHS["X:Z"] <= row["ci_high"]
        assert hit > 51


class TestProperty:
    @pytest.mark.slow
    def test_order_of_rows_and_input(self):
        before = sample().copy()
        turned = interaction_by_lms(sample().iloc[::-1], ITEMS, **ROLES)
        pd.testing.assert_frame_equal(sample(), before)
        np.testing.assert_allclose(turned.paths["estimate"], fitted().paths["estimate"], atol=1e-5)

    @pytest.mark.slow
    def test_units_do_not_matter(self):
        other = interaction_by_lms(sample() * 10 - 4, ITEMS, **ROLES)
        np.testing.assert_allclose(other.paths["std"], fitted().paths["std"], atol=1e-4)
        assert other.lr_chisq == pytest.approx(fitted().lr_chisq, abs=1e-3)

    def test_blank_items_keep_their_respondents(self):
        data = sample().copy()
        data.loc[:100, "x2"] = np.nan
        data.loc[:4, ITEMS["Z"]] = np.nan
        found = interaction_by_lms(data, ITEMS, **ROLES)
        assert (found.n_used, found.n_dropped) == (1495, 5)
        row = found.row("product")
        assert abs(row["estimate"] - PATHS["X:Z"]) < 3.3 * row["se"]

    def test_json(self):
        assert fitted().to_dict()["method"] == "lms"
        assert "SD" in fitted().text()


class TestAdmissible:
    def test_path_beyond_one(self):
        """Two nearly equal causes: one path grows beyond 1, the other turns."""
        rng = np.random.default_rng(8)
        n = 600
        data = simulate(n, 8)
        x = rng.standard_normal(n)
        z = 0.97 * x + 0.25 * rng.standard_normal(n)
        y = 2.0 * x - 1.4 * z + 0.3 * rng.standard_normal(n)
        for name, latent in (("X", x), ("Z", z), ("Y", y)):
            for item in ITEMS[name]:
                data[item] = latent + 0.2 * rng.standard_normal(n)
        found = interaction_by_lms(data, ITEMS, **ROLES)
        assert not found.trustworthy
        assert "exceed 1" in found.problems[0]
        assert "no verdict" in found.text()

    def test_planted_sample_has_no_problem(self):
        assert fitted().trustworthy
        assert fitted().problems == ()


class TestBadInput:
    def test_single_item(self):
        with pytest.raises(ModelSpecError, match="at least two items"):
            interaction_by_lms(sample(), {**ITEMS, "Z": ["z1"]}, **ROLES)

    def test_unknown_construct(self):
        with pytest.raises(ModelSpecError, match="of 'W' are none"):
            interaction_by_lms(sample(), ITEMS, predictor="X", moderator="W", outcome="Y")

    def test_moderator_with_one_value(self):
        with pytest.raises(DataContractError, match="one value in z1"):
            interaction_by_lms(sample().assign(z1=2.0), ITEMS, **ROLES)

    def test_items_that_have_nothing_in_common(self):
        noise = np.random.default_rng(1).standard_normal((300, 8))
        data = pd.DataFrame(noise, columns=[i for own in ITEMS.values() for i in own])
        try:
            found = interaction_by_lms(data, ITEMS, **ROLES)
        except EstimationError as error:
            assert "items that go together" in str(error)
        else:
            assert not found.trustworthy

    def test_absent_column(self):
        with pytest.raises(DataContractError, match="no column z2"):
            interaction_by_lms(sample().drop(columns="z2"), ITEMS, **ROLES)
