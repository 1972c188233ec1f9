"""Gaussian mixtures by expectation and maximisation, many at once.

scikit-learn's ``GaussianMixture`` has no model of equal diagonal variances, which latent profile
analysis starts from, and fits one mixture at a time; the bootstrap test of the number of profiles
needs hundreds. Here starts and samples are an axis of the arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.errors import DataContractError, listing, nearest
from helpers.service.mixture_steps import Spread, sampled, step_up

Array = NDArray[np.float64]
SPREADS = ("equal", "free", "tied")
"""Within profiles: variances equal over profiles, own variances (both without covariances), or one
covariance matrix for all; EEI, VVI and EEE of R's mclust, diag and tied of scikit-learn."""

FLOOR = 1e-4
"""Smallest variance within a profile, as a share of the whole: below it a profile is one answer."""
SHORT = 15
"""Steps of the first round, after which the worse starts are given up (Biernacki, Celeux & Govaert
2003, doi:10.1016/S0167-9473(02)00163-9)."""
MOST_STEPS = 2000
_BEHIND = 1e12
"""Taken off log likelihoods that count for nothing; no log likelihood is as large."""
_CYCLE = 3
"""Steps of EM in one cycle: two, and one from where they lead to."""
_FARTHEST = 1000.0
_MOST_LOG = 80.0
"""Log of a variance that single precision still holds."""
BLOCK_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Mixtures:
    """Parameters of several mixtures of k profiles on p indicators.

    Attributes
    ----------
    shares : ndarray, shape (s, k)
    means : ndarray, shape (s, k, p)
    spread : ndarray, shape (s, k, p) or, for ``tied``, (s, p, p)
        Variances, or the common covariance matrix.
    loglik : ndarray, shape (s,)
    converged : ndarray of bool, shape (s,)
    """

    shares: Array
    means: Array
    spread: Array
    loglik: Array
    converged: NDArray[np.bool_]

    def take(self, rows: NDArray[np.intp]) -> Mixtures:
        """Return some of the mixtures."""
        return Mixtures(self.shares[rows], self.means[rows], self.spread[rows],
                        self.loglik[rows], self.converged[rows])  # fmt: skip

    def to(self, kind: type[np.floating]) -> Mixtures:
        """Return the parameters in another precision."""
        return Mixtures(self.shares.astype(kind), self.means.astype(kind),
                        self.spread.astype(kind), self.loglik, self.converged)  # fmt: skip


def check_spread(spread: str, caller: str) -> None:
    """Refuse an unknown kind of spread within profiles."""
    if spread not in SPREADS:
        raise DataContractError(
            f"{caller}: spread= is '{spread}'; allowed are {listing(SPREADS)}."
            f"{nearest(spread, SPREADS)} Choose one of them."
        )


def log_density(x: Array, at: Mixtures, spread: Spread) -> Array:
    """Return log share plus log density of every row under every profile.

    Parameters
    ----------
    x : ndarray, shape (s or 1, n, p)

    Returns
    -------
    ndarray, shape (s, k, n)
        Rows last: sums over a few profiles then run along memory, twenty times as fast.
    """
    means, p = at.means, x.shape[-1]
    if spread == "tied":
        lower = np.linalg.cholesky(at.spread)
        inverse = np.linalg.inv(lower)
        x = x @ np.swapaxes(inverse, -1, -2)
        means = means @ np.swapaxes(inverse, -1, -2)
        logdet = 2 * np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum(axis=-1)[:, None]
        precision = np.ones_like(means)
    else:
        precision = 1 / at.spread
        logdet = np.log(at.spread).sum(axis=-1)
    turned = np.swapaxes(x, -1, -2)
    away = precision @ np.square(turned)
    away -= 2 * ((means * precision) @ turned)
    fixed = (np.square(means) * precision).sum(axis=-1) + logdet + p * np.log(2 * np.pi)
    with np.errstate(divide="ignore"):  # a profile that has died out has share 0
        return -0.5 * away + (np.log(at.shares) - 0.5 * fixed)[..., None]


def responsibilities(x: Array, at: Mixtures, spread: Spread) -> tuple[Array, Array]:
    """Return the posterior of every profile, (s, k, n), and the log likelihood, (s,)."""
    logs = log_density(x, at, spread)
    top = logs.max(axis=-2, keepdims=True)
    np.exp(np.subtract(logs, top, out=logs), out=logs)
    total = logs.sum(axis=-2, keepdims=True)
    logs /= total
    return logs, (np.log(total) + top).sum(axis=(-1, -2))


def climb(x: Array, start: Mixtures, spread: Spread, *, steps: int, tolerance: float) -> Mixtures:
    """Run expectation and maximisation until the log likelihood rises by less than the tolerance.

    Parameters
    ----------
    x : ndarray, shape (s or 1, n, p)
    start : Mixtures
        s mixtures.
    steps : int
    tolerance : float
        Relative to the size of the log likelihood.
    """
    at = (start.shares.copy(), start.means.copy(), np.array(start.spread))
    loglik = np.full(len(at[0]), -np.inf)
    done = np.zeros(len(at[0]), dtype=bool)
    whole = sampled(x, spread, floor=_floor(x, spread))
    live, sample = np.arange(len(loglik)), whole
    for _step in range(0, steps, _CYCLE):
        here = tuple(part[live] for part in at)
        first, before = step_up(sample, here)
        second, now = step_up(sample, first)
        ended = now - before < tolerance * np.abs(now)
        if not ended.all() and spread != "tied":
            far = _extrapolated(here, first, second, sample.floor)
            third, reached = step_up(sample, far)
            better = (reached > now) & ~ended
            second = tuple(np.where(_as(better, b), b, a) for a, b in zip(second, third))
            now = np.where(better, reached, now)
        for part, new in zip(at, second):
            part[live] = new
        done[live], loglik[live] = ended, now
        if ended.any():
            live = np.flatnonzero(~done)
            sample = whole.take(live)
            if not len(live):
                break
    return Mixtures(*at, loglik, done)


def _floor(x: Array, spread: Spread) -> Array:
    """Return the smallest variances of each sample, or what is added to common covariances."""
    whole = x.var(axis=-2)
    return np.full_like(whole, 1e-9) if spread == "tied" else FLOOR * whole


def _extrapolated(
    here: tuple[Array, ...], first: tuple[Array, ...], second: tuple[Array, ...], floor: Array
) -> tuple[Array, ...]:
    """Return where two steps of EM lead to: the third scheme of SQUAREM, for each mixture.

    Shares and variances move on the log scale and stay positive. Where the new place is no better
    than the second step, ``climb`` keeps that step, so the likelihood never falls.

    References
    ----------
    Varadhan & Roland (2008), doi:10.1111/j.1467-9469.2007.00585.x.
    """
    tiny = np.finfo(here[0].dtype).tiny
    logs = [(np.log(a + tiny), b, np.log(c)) for a, b, c in (here, first, second)]
    went = [b - a for a, b in zip(logs[0], logs[1])]
    bent = [c - b - w for b, c, w in zip(logs[1], logs[2], went)]
    size = [np.sqrt(sum(np.square(v).sum(axis=tuple(range(1, v.ndim))) for v in vectors))
            for vectors in (went, bent)]  # fmt: skip
    length = np.clip(size[0] / np.maximum(size[1], tiny), 1.0, _FARTHEST)
    shares, means, cov = (
        a + 2 * _as(length, a) * w + np.square(_as(length, a)) * b
        for a, w, b in zip(logs[0], went, bent)
    )
    shares = np.exp(shares - shares.max(axis=1, keepdims=True))
    cov = np.maximum(np.exp(np.minimum(cov, _MOST_LOG)), floor[:, None, :])
    return shares / shares.sum(axis=1, keepdims=True), means, cov


def _as(values: Array, like: Array) -> Array:
    """Return one value a mixture, ready to meet an array of its parameters."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


def random_starts(
    x: Array, k: int, spread: Spread, *, starts: int, rng: np.random.Generator
) -> Mixtures:
    """Return starting values: k rows as means, the whole spread, equal shares."""
    s, n, p = x.shape
    rows = rng.random((s * starts, n)).argpartition(k - 1, axis=1)[:, :k] if n > k else None
    if rows is None:
        rows = np.tile(np.arange(k) % n, (s * starts, 1))
    source = np.repeat(np.arange(s), starts)
    means = x[source[:, None], rows]
    whole = x.var(axis=1)[source] + FLOOR
    cov = whole[:, None, :] * np.ones((1, k, 1))
    if spread == "tied":
        cov = whole[:, :, None] * np.eye(p)
    empty = np.full(len(source), -np.inf)
    return Mixtures(np.full((len(source), k), 1 / k), means, cov, empty, empty > 0)


def fit_mixtures(
    x: Array,
    k: int,
    spread: Spread,
    *,
    starts: int,
    kept: int,
    rng: np.random.Generator,
    tolerance: float = 1e-9,
    steps: int = MOST_STEPS,
) -> Mixtures:
    """Fit a mixture of k profiles to each of several samples; the best comes first.

    Parameters
    ----------
    x : ndarray, shape (s, n, p)
        Samples of equal size.
    k : int
    spread : str
    starts, kept : int
        Random starts of each sample, and how many of them go on after the first round.
    tolerance, steps
        As in ``climb``, for those that go on.

    Returns
    -------
    Mixtures
        ``s * kept`` mixtures; those of one sample stand together, the best of them first. Mixtures
        with an indicator that has no spread left come after all others: their likelihood has no
        bound, so that they would win for nothing (``spreadless``).
    """
    n = x.shape[1]
    step = max(1, int(BLOCK_BYTES // (8 * n * max(k, x.shape[2]) * starts)))
    parts = []
    for at in range(0, len(x), step):
        own = x[at : at + step]
        short = _short_runs(own, k, spread, starts=starts, rng=rng)
        best = _best(short.loglik, len(own), starts, kept)
        wide = own if len(own) == 1 else np.repeat(own, kept, axis=0)
        long = climb(wide, short.take(best), spread, steps=steps, tolerance=tolerance)
        flat = spreadless(long, spread, wide.var(axis=1)).any(axis=1)
        worth = np.where(flat, long.loglik - _BEHIND, long.loglik)
        parts.append(long.take(_best(worth, len(own), kept, kept)))
    return Mixtures(*(np.concatenate([getattr(p, f) for p in parts])
                      for f in ("shares", "means", "spread", "loglik", "converged")))  # fmt: skip


def _short_runs(
    x: Array, k: int, spread: Spread, *, starts: int, rng: np.random.Generator
) -> Mixtures:
    """Return random starts after the first round of steps.

    Steps are taken in single precision, in half the time: the round only tells which starts are
    worth going on with. A common covariance matrix may be too near to singular for that.
    """
    kind = np.float64 if spread == "tied" else np.float32
    first = random_starts(x, k, spread, starts=starts, rng=rng).to(kind)
    wide = (x if len(x) == 1 else np.repeat(x, starts, axis=0)).astype(kind)
    return climb(wide, first, spread, steps=SHORT, tolerance=0.0).to(np.float64)


def spreadless(at: Mixtures, spread: Spread, whole: Array) -> NDArray[np.bool_]:
    """Return which indicators have no variance left within a profile, the others given, (s, p).

    ``whole``, (s or 1, p), is the variance of each indicator in the sample; "none" is ``FLOOR`` of
    it.
    """
    if spread == "tied":
        left = 1 / np.diagonal(np.linalg.inv(at.spread), axis1=-2, axis2=-1)
    else:
        left = at.spread.min(axis=-2)
    return left <= FLOOR * (1 + 1e-6) * whole


def _best(loglik: Array, samples: int, each: int, kept: int) -> NDArray[np.intp]:
    """Return the positions of the best mixtures of every sample, best first."""
    table = np.where(np.isfinite(loglik), loglik, -np.inf).reshape(samples, each)
    order = (-table).argsort(axis=1, kind="stable")[:, :kept]
    return (order + each * np.arange(samples)[:, None]).ravel()


def draw_samples(
    at: Mixtures, spread: Spread, n: int, *, samples: int, rng: np.random.Generator
) -> Array:
    """Draw samples from the first of the mixtures, (samples, n, p)."""
    shares, means = at.shares[0] / at.shares[0].sum(), at.means[0]
    k, p = means.shape
    which = rng.choice(k, size=(samples, n), p=shares)
    noise = rng.standard_normal((samples, n, p))
    if spread == "tied":
        return means[which] + noise @ np.linalg.cholesky(at.spread[0]).T
    return means[which] + noise * np.sqrt(at.spread[0])[which]


def free_parameters(k: int, p: int, spread: Spread) -> int:
    """Return the number of free parameters of a mixture."""
    inside = {"equal": p, "free": k * p, "tied": p * (p + 1) // 2}[spread]
    return k - 1 + k * p + inside
