"""FIML moments: against lavaan (tests/reference/fiml.R), finite differences and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from helpers.errors import DataContractError, EstimationError
from helpers.sem import fiml

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-9
"""Relative; closed forms on both sides, apart only by the order of sums."""

SATURATED = 2e-5
"""Relative to the largest; lavaan's optimiser stops there, ours at 1e-10."""

DIFFERENCE = 1e-6
"""Relative; central differences with a step of 1e-5."""


@pytest.fixture(scope="module")
def expected() -> dict:
    return json.loads((REFERENCE / "fiml.json").read_text())


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    return np.genfromtxt(REFERENCE / "fiml_data.csv", delimiter=",", skip_header=1)


@pytest.fixture(scope="module")
def patterns(data: np.ndarray) -> fiml.MissingPatterns:
    return fiml.missing_patterns(data, names=[f"x{j}" for j in range(1, 6)])


def close(ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> bool:
    theirs = np.asarray(theirs)
    return np.allclose(ours, theirs, rtol=tolerance, atol=tolerance * np.abs(theirs).max())


def complete_patterns(n: int, p: int, seed: int = 3) -> tuple[np.ndarray, fiml.MissingPatterns]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + 5
    return rows, fiml.missing_patterns(rows)


class TestAgainstLavaan:
    def test_empty_rows_are_dropped_and_counted(self, patterns):
        assert (patterns.n_total, patterns.n_used, patterns.n_dropped) == (140, 137, 3)
        assert 76 not in patterns.used_rows

    def test_loglik_at_given_moments(self, patterns, expected):
        ours = fiml.loglik(patterns, np.array(expected["mu"]), np.array(expected["sigma"]))
        assert ours == pytest.approx(expected["loglik"], rel=EXACT)

    def test_gradient_and_scores(self, patterns, expected):
        mu, sigma = np.array(expected["mu"]), np.array(expected["sigma"])
        gradient = np.concatenate(fiml.gradient(patterns, mu, sigma))
        scores = fiml.casewise_scores(patterns, mu, sigma)
        assert close(gradient, expected["gradient"], EXACT)
        assert close(scores.sum(axis=0), expected["gradient"], EXACT)
        assert close(scores[[0, 24, 136]], expected["scores_first"], EXACT)

    def test_information_is_lavaans_unit_information_times_rows(self, patterns, expected):
        mu, sigma = np.array(expected["mu"]), np.array(expected["sigma"])
        n = patterns.n_used
        assert close(fiml.expected_information(patterns, sigma) / n, expected["expected"], EXACT)
        assert close(
            fiml.observed_information(patterns, mu, sigma) / n, expected["observed"], EXACT
        )

    def test_saturated_moments(self, patterns, expected):
        ours = fiml.saturated_em(patterns)
        theirs = expected["saturated"]
        assert ours.converged
        assert ours.loglik >= theirs["loglik"] - 1e-7
        assert ours.loglik == pytest.approx(theirs["loglik"], rel=1e-8)
        assert close(ours.mean, theirs["mean"], SATURATED)
        assert close(ours.cov, theirs["cov"], SATURATED)


class TestProperties:
    def test_gradient_vanishes_at_the_saturated_moments(self, patterns):
        found = fiml.saturated_em(patterns)
        here = fiml.derivatives(patterns, found.mean, found.cov, information="expected")
        gradient = np.concatenate([here.d_mean, here.d_cov])
        step = np.linalg.solve(here.information, gradient)
        errors = np.sqrt(np.diag(np.linalg.inv(here.information)))
        assert np.abs(step / errors).max() < 1e-7

    def test_observed_information_is_the_derivative_of_the_gradient(self, patterns, expected):
        mu, sigma = np.array(expected["mu"]), np.array(expected["sigma"])
        row, column = fiml.vech_positions(5)
        size = 5 + len(row)
        numeric = np.empty((size, size))
        for j in range(size):
            ends = []
            for sign in (1, -1):
                moved_mu, moved = mu.copy(), sigma.copy()
                if j < 5:
                    moved_mu[j] += sign * 1e-5
                else:
                    a, b = row[j - 5], column[j - 5]
                    moved[a, b] += sign * 1e-5
                    moved[b, a] = moved[a, b]
                ends.append(np.concatenate(fiml.gradient(patterns, moved_mu, moved)))
            numeric[j] = (ends[1] - ends[0]) / 2e-5
        assert close(fiml.observed_information(patterns, mu, sigma), numeric, DIFFERENCE)

    def test_complete_rows_give_the_sample_moments(self):
        rows, patterns = complete_patterns(300, 4)
        found = fiml.saturated_em(patterns)
        assert np.allclose(found.mean, rows.mean(axis=0), atol=1e-10)
        assert np.allclose(found.cov, np.cov(rows.T, bias=True), atol=1e-9)

    def test_sufficient_statistics_do_not_change_the_likelihood(self, data):
        """Rows repeated thirty times stand as statistics; the likelihood is thirtyfold."""
        once = fiml.missing_patterns(data)
        often = fiml.missing_patterns(np.repeat(data, 30, axis=0))
        assert len(often.values) < often.n_used / 2
        mu, sigma = np.nanmean(data, axis=0), np.diag(np.nanvar(data, axis=0)) + 0.1
        few = fiml.derivatives(once, mu, sigma, information="observed")
        many = fiml.derivatives(often, mu, sigma, information="observed")
        assert many.loglik == pytest.approx(30 * few.loglik, rel=EXACT)
        assert close(many.d_cov, 30 * few.d_cov, EXACT)
        assert close(many.information, 30 * few.information, EXACT)
        scores = fiml.casewise_scores(often, mu, sigma)
        assert close(scores.sum(axis=0), np.concatenate([many.d_mean, many.d_cov]), EXACT)

    def test_order_of_rows_and_scale_of_variables(self, data):
        found = fiml.saturated_em(fiml.missing_patterns(data))
        scale = np.array([1e3, 1, 1e-3, 7, 1])
        moved = fiml.saturated_em(fiml.missing_patterns(data[::-1] * scale + 2))
        assert close(moved.mean, found.mean * scale + 2, 1e-7)
        assert close(moved.cov / np.outer(scale, scale), found.cov, 1e-7)

    def test_input_is_not_changed(self, data):
        before = data.copy()
        fiml.saturated_em(fiml.missing_patterns(data))
        assert np.array_equal(before, data, equal_nan=True)

    def test_loglik_of_an_indefinite_matrix(self, patterns):
        sigma = np.ones((5, 5))
        assert fiml.loglik(patterns, np.zeros(5), sigma) == -np.inf
        with pytest.raises(EstimationError, match="not positive definite"):
            fiml.gradient(patterns, np.zeros(5), sigma)


class TestBadInput:
    def test_infinite_value_is_named(self, data):
        bad = data.copy()
        bad[3, 1] = np.inf
        with pytest.raises(DataContractError, match="infinite values in x2"):
            fiml.missing_patterns(bad, names=["x1", "x2", "x3", "x4", "x5"])

    def test_empty_column_is_named(self, data):
        bad = data.copy()
        bad[:, 4] = np.nan
        with pytest.raises(DataContractError, match="no observed value in V5"):
            fiml.missing_patterns(bad)

    def test_constant_column_is_named(self, data):
        bad = data.copy()
        bad[:, 0] = np.where(np.isnan(bad[:, 0]), np.nan, 2.0)
        with pytest.raises(DataContractError, match="constant in V1"):
            fiml.missing_patterns(bad)

    def test_pair_never_together_is_named(self):
        rows = np.random.default_rng(1).normal(size=(60, 3))
        rows[:30, 0] = np.nan
        rows[30:, 2] = np.nan
        with pytest.raises(DataContractError, match="never observed together: a with c;"):
            fiml.missing_patterns(rows, names=["a", "b", "c"])

    def test_determined_variable_is_named(self):
        rows = np.random.default_rng(4).normal(size=(80, 4))
        rows = np.column_stack([rows, rows[:, 0] + rows[:, 1]])
        rows[:5, 2] = np.nan
        with pytest.raises(EstimationError, match="singular covariance matrix of V1, V2, V5 "):
            fiml.saturated_em(fiml.missing_patterns(rows))
