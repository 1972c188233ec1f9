"""FIML fits: against ML on complete rows, a likelihood written out by hand, and bad input.

Agreement with lavaan stands in test_reference_sem.py (cases ``fiml_*``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from helpers.errors import DataContractError, EstimationError, ModelSpecError
from helpers.sem import fit

MODEL = "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\ng ~ f"
ITEMS = [f"y{j}" for j in range(1, 7)]
CONVERGED = 1e-6
"""Both searches stop at a millionth of a standard error or before."""


def survey(n: int = 400, seed: int = 9) -> pd.DataFrame:
    """Complete rows of two factors, loadings .8 to 1.2, path .5, item means 1 to 6."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n)
    g = 0.5 * f + rng.normal(size=n) * 0.8
    loads = np.array([1, 0.8, 1.2, 1, 0.9, 1.1])
    latent = np.column_stack([f, f, f, g, g, g])
    rows = latent * loads + rng.normal(size=(n, 6)) * 0.7 + np.arange(1, 7)
    return pd.DataFrame(rows, columns=ITEMS)


def with_blanks(data: pd.DataFrame, seed: int = 4) -> pd.DataFrame:
    """Blank 15 % at random, and y5, y6 where y1 is high."""
    rng = np.random.default_rng(seed)
    out = data.mask(rng.random(data.shape) < 0.15)
    out.loc[data["y1"] > 2.2, ["y5", "y6"]] = np.nan
    return out


@pytest.fixture(scope="module")
def blanks() -> pd.DataFrame:
    return with_blanks(survey())


def loglik_by_hand(data: pd.DataFrame, mean: np.ndarray, cov: np.ndarray) -> float:
    total = 0.0
    for row in data.to_numpy(float):
        at = np.flatnonzero(~np.isnan(row))
        if len(at):
            total += multivariate_normal(mean[at], cov[np.ix_(at, at)]).logpdf(row[at])
    return total


class TestLikelihood:
    def test_complete_rows_give_ml(self):
        data = survey()
        fiml = fit(MODEL, data, missing="fiml")
        ml = fit(MODEL, data, meanstructure=True, information="observed")
        assert np.allclose(fiml.estimates["est"], ml.estimates["est"], atol=CONVERGED)
        assert np.allclose(fiml.estimates["se"], ml.estimates["se"], rtol=CONVERGED)
        for name in ("chisq", "df", "logl", "cfi", "rmsea", "baseline_chisq"):
            assert fiml.fit_measures[name] == pytest.approx(ml.fit_measures[name], rel=1e-7)

    def test_complete_rows_give_mlr(self):
        data = survey()
        fiml = fit(MODEL, data, missing="fiml", estimator="MLR").fit_measures
        mlr = fit(MODEL, data, meanstructure=True, estimator="MLR").fit_measures
        for name in ("chisq_scaled", "chisq_scaling_factor", "baseline_chisq_scaled"):
            assert fiml[name] == pytest.approx(mlr[name], rel=1e-7)

    def test_loglik_is_the_sum_over_rows(self, blanks):
        result = fit(MODEL, blanks, missing="fiml")
        state = result.states[0]
        by_hand = loglik_by_hand(blanks[list(result.observed)], state.mu, state.sigma)
        assert result.fit_measures["logl"] == pytest.approx(by_hand, rel=1e-10)

    @pytest.mark.slow
    def test_no_direction_raises_the_likelihood(self, blanks):
        result = fit(MODEL, blanks, missing="fiml")
        rows = blanks[list(result.observed)]
        best = result.fit_measures["logl"]
        for k in range(0, len(result.theta), 4):
            error = np.sqrt(result.vcov[k, k])
            values = []
            for sign in (-1, 1):
                x = result.theta.copy()
                x[k] += sign * 0.05 * error
                state = result.model[0].state(x)
                values.append(loglik_by_hand(rows, state.mu, state.sigma))
            assert max(values) < best

    def test_errors_are_the_curvature_of_the_likelihood(self, blanks):
        """Along one parameter: second difference of the likelihood against the information."""
        result = fit(MODEL, blanks, missing="fiml")
        rows = blanks[list(result.observed)]
        information = np.linalg.inv(result.vcov)
        for k in (0, 4, 8, len(result.theta) - 1):
            step = 1e-3 / np.sqrt(information[k, k]) * 10
            ends = []
            for sign in (-1, 1):
                x = result.theta.copy()
                x[k] += sign * step
                state = result.model[0].state(x)
                ends.append(loglik_by_hand(rows, state.mu, state.sigma))
            second = (ends[0] + ends[1] - 2 * result.fit_measures["logl"]) / step**2
            assert -second == pytest.approx(information[k, k], rel=1e-3)


class TestProperties:
    def test_blanks_that_depend_on_answers_are_no_bias(self):
        """y5, y6 blank where y1 is high: FIML recovers the path within four errors."""
        result = fit(MODEL, with_blanks(survey(3000)), missing="fiml")
        row = result.estimates.query("op == '~'").iloc[0]
        assert abs(row["est"] - 0.5) < 4 * row["se"]

    def test_order_of_rows_and_empty_rows(self, blanks):
        a = fit(MODEL, blanks, missing="fiml")
        empty = pd.DataFrame(np.nan, index=range(7), columns=ITEMS)
        b = fit(MODEL, pd.concat([blanks.iloc[::-1], empty], ignore_index=True), missing="fiml")
        assert (b.n_obs, b.n_dropped) == (a.n_obs, a.n_dropped + 7)
        assert np.allclose(a.estimates["est"], b.estimates["est"], atol=CONVERGED)
        assert np.allclose(a.estimates["se"], b.estimates["se"], rtol=CONVERGED)

    def test_every_row_twice(self, blanks):
        a = fit(MODEL, blanks, missing="fiml", estimator="MLR")
        b = fit(MODEL, pd.concat([blanks, blanks]), missing="fiml", estimator="MLR")
        assert b.fit_measures["chisq"] == pytest.approx(2 * a.fit_measures["chisq"], rel=1e-6)
        assert np.allclose(a.estimates["se"], np.sqrt(2) * b.estimates["se"], rtol=1e-5)

    def test_nonlinear_constraint_holds(self, blanks):
        model = "f =~ y1 + a*y2 + b*y3\ng =~ y4 + y5 + y6\ng ~ f\na*b == 1"
        result = fit(model, blanks, missing="fiml")
        named = result.estimates.set_index("label")["est"]
        assert result.converged
        assert named["a"] * named["b"] == pytest.approx(1, abs=1e-7)
        free = fit(MODEL, blanks, missing="fiml").fit_measures
        assert result.fit_measures["df"] == free["df"] + 1
        assert result.fit_measures["chisq"] >= free["chisq"]

    def test_saturated_model_has_no_robust_indices(self, blanks):
        result = fit("y2 ~ y1", blanks, missing="fiml", estimator="MLR", fixed_x=False)
        assert result.fit_measures["df"] == 0
        assert not result.fit_measures["cfi_robust"]

    def test_rows_with_a_blank_covariate_are_dropped(self, blanks):
        result = fit("y4 ~ y1 + y2", blanks, missing="fiml")
        usable = blanks[["y1", "y2"]].notna().all(axis=1)
        assert result.n_obs == int(usable.sum())
        assert result.n_obs + result.n_dropped == len(blanks)


class TestBadInput:
    def test_pair_never_together(self, blanks):
        bad = blanks.copy()
        bad.loc[: len(bad) // 2, "y1"] = np.nan
        bad.loc[len(bad) // 2 :, "y6"] = np.nan
        with pytest.raises(DataContractError, match="y1 with y6"):
            fit(MODEL, bad, missing="fiml")

    def test_group_is_named(self, blanks):
        bad = blanks.assign(group=np.where(np.arange(len(blanks)) % 2, "east", "west"))
        bad.loc[bad["group"] == "west", "y3"] = np.nan
        with pytest.raises(DataContractError, match="no observed value in y3 in group 'west'"):
            fit(MODEL, bad, missing="fiml", group="group")

    def test_without_means(self, blanks):
        with pytest.raises(ModelSpecError, match="needs means"):
            fit(MODEL, blanks, missing="fiml", meanstructure=False)

    def test_copied_item(self, blanks):
        bad = blanks.assign(y2=blanks["y1"])
        with pytest.raises(EstimationError, match="singular covariance matrix of y1, y2 "):
            fit(MODEL, bad, missing="fiml")

    def test_too_few_rows(self, blanks):
        few = survey().iloc[:6]
        with pytest.raises(DataContractError, match="6 rows with values for 6 variables"):
            fit(MODEL, few, missing="fiml")
