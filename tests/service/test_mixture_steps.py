"""Contract: a step of expectation and maximisation is the textbook's; a test may end early."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from helpers.service import mixture_steps, profile_choice
from helpers.service.mixture import random_starts
from helpers.service.mixture_steps import sampled, step_up
from helpers.service.profiles import latent_profiles

SPREADS = ("equal", "free", "tied")


def parameters(spread, rng, *, s=3, k=3, p=4):
    """Return any shares, means and spread of s mixtures."""
    shares = rng.dirichlet(np.ones(k), size=s)
    means = rng.normal(size=(s, k, p))
    if spread == "tied":
        root = rng.normal(size=(s, p, p))
        return shares, means, root @ np.swapaxes(root, 1, 2) + np.eye(p)
    within = rng.uniform(0.5, 2, size=(s, 1 if spread == "equal" else k, p))
    return shares, means, np.repeat(within, k, axis=1) if spread == "equal" else within


def by_the_book(x, shares, means, within, spread):
    """Return one step for one sample, profile by profile (McLachlan & Peel 2000, chapter 3)."""
    k, n = len(shares), len(x)
    covs = [within if spread == "tied" else np.diag(within[j]) for j in range(k)]
    logs = np.array([np.log(shares[j]) + multivariate_normal(means[j], covs[j]).logpdf(x)
                     for j in range(k)])  # fmt: skip
    posterior = np.exp(logs - logsumexp(logs, axis=0))
    sizes = posterior.sum(axis=1)
    new = posterior @ x / sizes[:, None]
    inside = [(posterior[j] * (x - new[j]).T) @ (x - new[j]) for j in range(k)]
    if spread == "free":
        within = np.array([np.diag(inside[j]) / sizes[j] for j in range(k)])
    else:
        pooled = sum(inside) / n
        within = pooled if spread == "tied" else np.tile(np.diag(pooled), (k, 1))
    return (sizes / n, new, within), logsumexp(logs, axis=0).sum()


@pytest.mark.parametrize("rows", [200, 700], ids=["one stretch", "three stretches"])
@pytest.mark.parametrize("shared", [True, False], ids=["one sample", "own samples"])
@pytest.mark.parametrize("spread", SPREADS)
def test_a_step_is_that_of_the_textbook(spread, shared, rows, monkeypatch):
    monkeypatch.setattr(mixture_steps, "CACHE_BYTES", 1)
    rng = np.random.default_rng(4)
    x = rng.normal(size=(1 if shared else 3, rows, 4))
    here = parameters(spread, rng)
    found, loglik = step_up(sampled(x, spread, floor=np.zeros((len(x), 4))), here)
    for i in range(3):
        own = x[0 if shared else i]
        expected, total = by_the_book(own, *(part[i] for part in here), spread)
        assert loglik[i] == pytest.approx(total, rel=1e-12)
        for part, value in zip(found, expected, strict=True):
            np.testing.assert_allclose(part[i], value, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("spread", ["equal", "free"])
def test_single_precision_ranks_starts_as_double_does(spread):
    rng = np.random.default_rng(8)
    x = rng.normal(size=(1, 400, 5)) + 2 * rng.integers(0, 2, size=(1, 400, 1))
    start = random_starts(x, 3, spread, starts=30, rng=rng)
    logliks = []
    for kind in (np.float64, np.float32):
        at = tuple(getattr(start, f).astype(kind) for f in ("shares", "means", "spread"))
        sample = sampled(x.astype(kind), spread, floor=(1e-4 * x.var(axis=1)).astype(kind))
        for _ in range(15):
            at, loglik = step_up(sample, at)
        assert at[1].dtype == kind
        logliks.append(loglik)
    np.testing.assert_allclose(logliks[1], logliks[0], rtol=2e-5)


@pytest.fixture(scope="module")
def pair():
    data = pd.DataFrame(np.random.default_rng(3).normal(size=(120, 3)), columns=list("abc"))
    return data, latent_profiles(data, 1), latent_profiles(data, 2)


@pytest.mark.parametrize("cores", [1, 4])
def test_a_test_ends_when_enough_samples_are_as_large(pair, cores, monkeypatch):
    data, one, two = pair
    monkeypatch.setattr(profile_choice.os, "cpu_count", lambda: cores)
    ratio, p = profile_choice.bootstrap_ratio.__wrapped__(data, one, two, n_boot=99, seed=5)
    drawn = np.concatenate(
        [profile_choice._drawn_ratios(one, 2, 20, 5, (i, size)) for i, size in
         enumerate([10] * 9 + [9])]
    )  # fmt: skip
    larger = np.cumsum(drawn >= ratio)
    assert larger[-1] > profile_choice.ENOUGH_LARGER, "the case no longer ends early"
    last = 1 + int(np.argmax(larger == profile_choice.ENOUGH_LARGER))
    assert last < 99
    assert p == pytest.approx(profile_choice.ENOUGH_LARGER / last)
