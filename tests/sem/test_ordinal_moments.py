"""Ordinal moments: against lavaan (tests/reference/ordinal.R), planted truth and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, owens_t

from helpers.errors import DataContractError, EstimationError
from helpers.sem.bivariate_normal import bivariate_cdf, bivariate_density, density_slope
from helpers.sem.ordinal import OrdinalMoments, ordered_levels, ordinal_moments
from helpers.sem.ordinal_conditional import conditional_moments

REFERENCE = Path(__file__).parents[1] / "reference"
CORRELATION = 1e-6
"""Absolute; lavaan's search for a polyserial correlation stops near 2e-7."""

GAMMA = 1e-6
"""Relative to the largest element; it inherits the correlations' difference."""

CLOSED_FORM = 1e-12
CASES = ("ordered", "mixed", "empty_cell", "pairwise")


@pytest.fixture(scope="module")
def reference() -> dict:
    return json.loads((REFERENCE / "ordinal.json").read_text())


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "ordinal_data.csv")


def moments_of(case: dict, data: pd.DataFrame) -> OrdinalMoments:
    items = case["items"]
    return ordinal_moments(
        data[items].to_numpy(float)[: case["rows"]],
        ordered=[item in case["ordered"] for item in items],
        names=items,
        missing=case["missing"],
    )


@pytest.mark.parametrize("name", CASES)
class TestAgainstLavaan:
    def test_moments(self, name, reference, data):
        case = reference[name]
        ours = moments_of(case, data)
        assert ours.n_used == case["nobs"]
        thresholds = ours.thresholds[~ours.threshold_is_mean]
        assert np.allclose(thresholds, case["th"], rtol=0, atol=CLOSED_FORM)
        assert np.allclose(ours.mean, case["mean"], rtol=CLOSED_FORM, atol=CLOSED_FORM)
        assert np.allclose(ours.cov, case["cov"], rtol=0, atol=CORRELATION)
        assert np.allclose(ours.moments, case["wls_obs"], rtol=0, atol=CORRELATION)

    def test_asymptotic_covariance_and_weights(self, name, reference, data):
        case = reference[name]
        ours = moments_of(case, data)
        theirs = np.array(case["gamma"])
        assert np.allclose(ours.gamma, theirs, rtol=0, atol=GAMMA * np.abs(theirs).max())
        assert np.allclose(ours.weights, case["wls_v"], rtol=GAMMA)


def test_moments_given_covariates(reference, data):
    case = reference["conditional"]
    items, ordered = case["items"], [item in case["ordered"] for item in case["items"]]
    rows = data[[*items, *case["covariates"]]].dropna()
    values = rows[items].to_numpy(float)
    ours = conditional_moments(
        values,
        rows[case["covariates"]].to_numpy(float),
        ordered=ordered,
        names=items,
        covariate_names=case["covariates"],
        levels=ordered_levels(values, ordered=ordered, names=items),
    )
    theirs = np.array(case["gamma"])
    assert ours.n_used == case["nobs"]
    assert np.allclose(ours.moments, case["wls_obs"], rtol=0, atol=CORRELATION)
    assert np.allclose(ours.gamma, theirs, rtol=0, atol=GAMMA * np.abs(theirs).max())


def test_covariate_that_separates_is_named(data):
    rows = data[["d2", "y1"]].dropna().to_numpy(float)
    with pytest.raises(EstimationError, match="probit regression of d2"):
        conditional_moments(
            rows,
            rows[:, :1] * 3.0,
            ordered=[True, False],
            names=["d2", "y1"],
            covariate_names=["x"],
            levels=ordered_levels(rows, ordered=[True, False], names=["d2", "y1"]),
        )


def test_irrelevant_covariate_leaves_the_moments(data):
    """A covariate of pure noise: residual moments near those without it, slopes near 0."""
    rows = data[["a7", "b5", "y1"]].dropna().to_numpy(float)
    flags, names = [True, True, False], ["a7", "b5", "y1"]
    levels = ordered_levels(rows, ordered=flags, names=names)
    noise = np.random.default_rng(6).normal(size=(len(rows), 1))
    given = conditional_moments(
        rows, noise, ordered=flags, names=names, covariate_names=["x"], levels=levels
    )
    alone = ordinal_moments(rows, ordered=flags)
    assert np.abs(given.cor - alone.cor).max() < 0.03
    slopes = given.slopes[:2, 0] / np.sqrt(np.diag(given.gamma)[[11, 12]] / len(rows))
    assert np.abs(slopes).max() < 3.5


class TestBivariateNormal:
    def test_against_owens_t(self):
        rng = np.random.default_rng(5)
        h, k = rng.normal(size=(2, 60, 20)) * 1.5
        rho = np.concatenate([rng.uniform(-0.99, 0.99, 50), [0.999, -0.999, 0.96, 0.9935, 0.9985]])
        rho = np.concatenate([rho, rng.uniform(-0.1, 0.1, 5)])
        r = rho[:, None]
        root = np.sqrt(1 - r * r)
        truth = 0.5 * (ndtr(h) + ndtr(k)) - 0.5 * (h * k < 0)
        truth -= owens_t(h, (k - r * h) / (h * root)) + owens_t(k, (h - r * k) / (k * root))
        assert np.abs(bivariate_cdf(h, k, rho) - truth).max() < CLOSED_FORM

    def test_quadrant(self):
        rho = np.linspace(-0.95, 0.95, 9)
        zero = np.zeros((9, 1))
        truth = 0.25 + np.arcsin(rho) / (2 * np.pi)
        assert np.allclose(bivariate_cdf(zero, zero, rho)[:, 0], truth, atol=CLOSED_FORM)

    def test_derivatives(self):
        h, k, rho = np.array([[0.3, -1.0]]), np.array([[0.8, 0.2]]), np.array([0.6])
        step = 1e-5
        slope = (bivariate_cdf(h, k, rho + step) - bivariate_cdf(h, k, rho - step)) / (2 * step)
        density = bivariate_density(h, k, rho)
        assert np.allclose(density, slope, atol=1e-9)
        bend = bivariate_density(h, k, rho + step) - bivariate_density(h, k, rho - step)
        assert np.allclose(density * density_slope(h, k, rho), bend / (2 * step), atol=1e-8)


def planted(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return answers with a known latent correlation matrix and known thresholds."""
    rng = np.random.default_rng(seed)
    cor = np.array([[1, 0.6, -0.4], [0.6, 1, 0.1], [-0.4, 0.1, 1.0]])
    cuts = [np.array([-1.0, 0.0, 1.2]), np.array([0.3]), np.array([-0.5, 0.5])]
    latent = rng.multivariate_normal(np.zeros(3), cor, size=n)
    rows = np.column_stack([np.searchsorted(c, latent[:, j]) + 1 for j, c in enumerate(cuts)])
    return rows.astype(float), cor, cuts


class TestRecovery:
    def test_planted_correlations_within_their_errors(self):
        rows, cor, cuts = planted(4000, 11)
        found = ordinal_moments(rows, ordered=[True] * 3)
        errors = np.sqrt(np.diag(found.gamma) / 4000)
        truth = np.concatenate([*cuts, cor[np.triu_indices(3, 1)]])
        assert np.abs((found.moments - truth) / errors).max() < 3.5

    def test_gamma_is_the_variance_over_samples(self):
        """200 samples of 300: SD of the moments against the error each sample states."""
        draws = [ordinal_moments(planted(300, seed)[0], ordered=[True] * 3) for seed in range(200)]
        spread = np.std([d.moments for d in draws], axis=0)
        stated = np.sqrt(np.mean([np.diag(d.gamma) for d in draws], axis=0) / 300)
        assert np.all(np.abs(stated / spread - 1) < 0.2)


class TestProperties:
    def test_reversed_item_turns_the_sign(self):
        rows, _, _ = planted(500, 2)
        turned = rows.copy()
        turned[:, 0] = 5 - turned[:, 0]
        a = ordinal_moments(rows, ordered=[True] * 3)
        b = ordinal_moments(turned, ordered=[True] * 3)
        assert np.allclose(a.cor[0, 1:], -b.cor[0, 1:], atol=1e-10)
        assert np.allclose(a.thresholds[:3], -b.thresholds[:3][::-1], atol=1e-12)

    def test_numbers_of_the_categories_do_not_matter(self):
        rows, _, _ = planted(500, 2)
        a = ordinal_moments(rows, ordered=[True] * 3)
        b = ordinal_moments(rows * 3 - 7, ordered=[True] * 3)
        assert np.array_equal(a.moments, b.moments)
        assert np.array_equal(a.gamma, b.gamma)

    def test_order_of_variables(self):
        rows, _, _ = planted(500, 2)
        a = ordinal_moments(rows, ordered=[True, False, True])
        b = ordinal_moments(rows[:, ::-1], ordered=[True, False, True])
        assert np.allclose(a.cov, b.cov[::-1, ::-1], atol=1e-9)
        assert np.allclose(sorted(a.weights), sorted(b.weights), rtol=1e-7)

    def test_rows_in_chunks_and_twice(self):
        """Every row 18 times: same moments, same gamma; 9000 rows pass in three chunks."""
        rows, _, _ = planted(500, 2)
        a = ordinal_moments(rows, ordered=[True, False, True])
        b = ordinal_moments(np.tile(rows, (18, 1)), ordered=[True, False, True])
        assert np.allclose(a.moments, b.moments, atol=1e-9)
        assert np.allclose(a.gamma, b.gamma, rtol=1e-7, atol=1e-9)

    def test_dummy_as_continuous_variable(self):
        """A share p has the variance p (1 - p) / n; its variance moves with (1 - 2 p)^2 of that."""
        rows = planted(2000, 2)[0]
        share = rows[:, 1].mean() - 1
        found = ordinal_moments(rows[:, :2], ordered=[True, False])
        variance = share * (1 - share)
        assert found.gamma[3, 3] == pytest.approx(variance, rel=1e-9)
        assert found.gamma[4, 4] == pytest.approx(variance * (1 - 2 * share) ** 2, rel=1e-9)

    def test_continuous_variables_only(self):
        """Fourth-moment errors under normality: var(s2) = 2 s4, var(mean) = s2."""
        rng = np.random.default_rng(8)
        rows = rng.multivariate_normal([1, 2], [[4, 1], [1, 1]], size=20000)
        found = ordinal_moments(rows, ordered=[False, False])
        assert np.allclose(found.cov, np.cov(rows.T, bias=True), atol=1e-9)
        assert np.allclose(np.diag(found.gamma), [4, 1, 32, 2, 5], rtol=0.06)

    def test_input_is_not_changed(self, data):
        rows = data[["a7", "y1"]].to_numpy(float)
        before = rows.copy()
        ordinal_moments(rows, ordered=[True, False])
        assert np.array_equal(rows, before, equal_nan=True)


class TestBadInput:
    def rows(self) -> np.ndarray:
        return planted(200, 1)[0]

    def test_group_without_a_category(self):
        rows = self.rows()
        levels = ordered_levels(rows, ordered=[True] * 3, names="abc")
        part = rows[rows[:, 0] != 4]
        with pytest.raises(DataContractError, match="no answer in category 4 of a in group north"):
            ordinal_moments(part, ordered=[True] * 3, names="abc", levels=levels, group="north")

    def test_unused_scale_point_is_no_category(self):
        rows = self.rows()
        rows[rows[:, 0] == 2, 0] = 3
        found = ordinal_moments(rows, ordered=[True] * 3)
        assert found.levels[0].tolist() == [1, 3, 4]

    @pytest.mark.parametrize(
        ("column", "message"),
        [
            (np.ones(200), "has 1 categories"),
            (np.linspace(0, 1, 200), "not whole numbers"),
            (np.arange(200.0), "has 200 categories; at most 20"),
            (np.r_[np.inf, np.ones(199)], "infinite values in V1"),
        ],
    )
    def test_unfit_columns(self, column, message):
        rows = self.rows()
        rows[:, 0] = column
        with pytest.raises(DataContractError, match=message):
            ordinal_moments(rows, ordered=[True] * 3)

    def test_constant_continuous_variable(self):
        rows = self.rows()
        rows[:, 0] = 2
        with pytest.raises(DataContractError, match="constant in V1"):
            ordinal_moments(rows, ordered=[False, True, True])

    def test_perfect_agreement(self):
        rows = self.rows()
        rows[:, 0] = rows[:, 1]
        with pytest.raises(EstimationError, match="V1 with V2"):
            ordinal_moments(rows, ordered=[True] * 3)
