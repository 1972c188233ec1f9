"""Resamples of incomplete rows taken together: the likelihood of each one's own rows decides."""

import numpy as np
import pandas as pd
import pytest

from helpers.sem import bootstrap_blanks as blanks
from helpers.sem import fit
from helpers.sem.bootstrap_batch import compile_model
from helpers.sem.bootstrap_incomplete import incomplete_sample
from helpers.sem.bootstrap_refit import with_fixed
from helpers.sem.fiml_likelihood import derivatives, loglik
from helpers.sem.fiml_patterns import missing_patterns
from helpers.sem.fiml_target import model_gradient
from helpers.sem.moments import GroupMoments

FACTORS = "f =~ y0 + y1 + y2 + y3\nh =~ y4 + y5 + y6 + y7\nh ~ f"
MODELS = {
    "factors": (FACTORS, 0.1, None),
    "residuals": (FACTORS + "\ny0 ~~ y4", 0.1, None),
    "covariates": (FACTORS + "\nf ~ z1 + z2", 0.1, True),
    "random covariates": (FACTORS + "\nf ~ z1 + z2", 0.1, False),
    "mostly blank": (FACTORS, 0.6, None),
}
DRAWS = 5


@pytest.fixture(scope="module")
def complete() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    z, noise = rng.normal(size=(400, 2)), rng.normal(size=(400, 2))
    f = 0.4 * z[:, 0] + noise[:, 0]
    factors = np.column_stack([f, 0.5 * f + noise[:, 1]])
    y = 3 + 0.8 * np.repeat(factors, 4, axis=1) + rng.normal(size=(400, 8))
    names = [f"y{k}" for k in range(8)]
    return pd.DataFrame(np.column_stack([y, z]), columns=[*names, "z1", "z2"])


@pytest.fixture(scope="module", params=MODELS)
def drawing(request, complete):
    """A fitted model, its kernel, and replicates around the estimates with their counts."""
    syntax, share, fixed_x = MODELS[request.param]
    rng = np.random.default_rng(3)
    holes = complete.copy()
    holes.iloc[:, :8] = holes.iloc[:, :8].mask(rng.random((400, 8)) < share)
    result = fit(syntax, holes, missing="fiml", fixed_x=fixed_x)
    rows = result.moments[0].data
    counts = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), DRAWS).astype(float)
    kernel = compile_model(result).kernels[0]
    x = result.theta + 0.3 * rng.normal(size=(DRAWS, len(result.theta))) / np.sqrt(len(rows))
    return result, rows, counts, kernel, x


def own_model(result, rows):
    """The model and the patterns of one resample's rows, taken one by one."""
    names = result.table.names
    at = [names.observed.index(v) for v in names.covariate if result.fixed_x]
    p = rows.shape[1]
    cov, mean = np.zeros((p, p)), np.zeros(p)
    if at:
        mean[at] = rows[:, at].mean(axis=0)
        cov[np.ix_(at, at)] = np.cov(rows[:, at].T, bias=True)
    model = with_fixed(
        result.model[0], result.table.rows, 1, GroupMoments("", len(rows), cov, mean, None)
    )
    return model, missing_patterns(rows)


def drawn(rows, counts):
    """The rows of a resample, repeated."""
    return np.repeat(rows, counts.astype(int), axis=0)


class TestOneByOne:
    def test_scores_are_those_of_the_resampled_rows(self, drawing):
        result, rows, counts, kernel, x = drawing
        sample = incomplete_sample(result.table, rows, counts)
        got = kernel.score(x, sample)
        for b in range(DRAWS):
            model, patterns = own_model(result, drawn(rows, counts[b]))
            state = model.state(x[b])
            here = derivatives(patterns, state.mu, state.sigma)
            want = model_gradient(model, state, here.d_mean, here.d_cov, len(x[b]))
            full = np.zeros(len(x[b]))
            np.add.at(full, kernel.at, got[b])
            assert np.allclose(full, want / patterns.n_used, rtol=0, atol=1e-10)

    def test_values_differ_as_the_loglikelihoods_do(self, drawing):
        result, rows, counts, kernel, x = drawing
        sample = incomplete_sample(result.table, rows, counts)
        start = np.broadcast_to(result.theta, x.shape)
        got = kernel.value(x, sample) - kernel.value(start, sample)
        for b in range(DRAWS):
            model, patterns = own_model(result, drawn(rows, counts[b]))
            moved, still = model.state(x[b]), model.state(result.theta)
            want = loglik(patterns, still.mu, still.sigma) - loglik(patterns, moved.mu, moved.sigma)
            assert got[b] == pytest.approx(want / patterns.n_used, abs=1e-10)

    def test_some_replicates_are_what_they_were_among_all(self, drawing):
        result, rows, counts, kernel, x = drawing
        sample = incomplete_sample(result.table, rows, counts)
        at = np.array([3, 1])
        alone = kernel.score(x[at], sample.take(at))
        assert np.allclose(alone, kernel.score(x, sample)[at], rtol=0, atol=1e-12)

    def test_few_sums_and_short_pieces_change_nothing(self, drawing, monkeypatch):
        result, rows, counts, kernel, x = drawing
        usual = kernel.score(x, incomplete_sample(result.table, rows, counts))
        monkeypatch.setattr(blanks, "_SUMS_HELD", 0)
        monkeypatch.setattr(blanks, "_HELD", 300)
        sample = incomplete_sample(result.table, rows, counts)
        assert len(sample.layout.summed) <= 1
        assert np.allclose(kernel.score(x, sample), usual, rtol=0, atol=1e-11)


class TestHardResamples:
    @pytest.fixture
    def fitted(self, complete):
        holes = complete.iloc[:, :8].copy()
        holes.iloc[:200, 0] = np.nan
        holes.iloc[210:, 7] = np.nan  # ten rows answer both the first and the last item
        return fit(FACTORS, holes, missing="fiml")

    def test_a_pair_that_no_one_answers_is_not_usable(self, fitted):
        rows = fitted.moments[0].data
        counts = np.ones((2, len(rows)))
        counts[1, 200:210] = 0.0
        sample = incomplete_sample(fitted.table, rows, counts)
        assert sample.usable.tolist() == [True, False]
        kernel = compile_model(fitted).kernels[0]
        score = kernel.score(np.tile(fitted.theta, (2, 1)), sample)
        assert np.isfinite(score[0]).all() and np.isnan(score[1]).any()

    def test_a_variable_without_variance_is_not_usable(self, fitted):
        rows = fitted.moments[0].data.copy()
        rows[:100, 3] = 2.5
        counts = np.ones((2, len(rows)))
        counts[1, 100:] = 0.0
        layout = blanks.blank_layout(rows)
        assert blanks.usable_resamples(layout, counts).tolist() == [True, False]

    def test_an_indefinite_matrix_spoils_its_own_replicate_only(self, fitted):
        rows = fitted.moments[0].data
        sample = incomplete_sample(fitted.table, rows, np.ones((3, len(rows))))
        x = np.tile(fitted.theta, (3, 1))
        variance = next(
            r.free - 1 for r in fitted.table.rows if r.op == "~~" and r.lhs == r.rhs == "y2"
        )
        x[1, variance] = -50.0
        score = compile_model(fitted).kernels[0].score(x, sample)
        assert np.isnan(score[1]).any()
        assert np.abs(score[[0, 2]]).max() < 1e-4  # the full sample's estimates

    def test_rows_without_any_answer_weigh_nothing(self, fitted):
        rows = fitted.moments[0].data
        more = np.vstack([rows, np.full((5, 8), np.nan)])
        counts = np.ones((1, len(rows)))
        usual = incomplete_sample(fitted.table, rows, counts)
        empty = incomplete_sample(fitted.table, more, np.ones((1, len(more))))
        kernel, x = compile_model(fitted).kernels[0], fitted.theta[None, :]
        assert np.allclose(kernel.score(x, usual), kernel.score(x, empty), rtol=0, atol=1e-12)
