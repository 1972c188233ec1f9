"""Latent profiles: how many kinds of respondents there are, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import DataContractError, EstimationError, listing
from helpers.memo import remembered
from helpers.results import Number
from helpers.service.mixture import (
    Mixtures,
    Spread,
    check_spread,
    fit_mixtures,
    free_parameters,
    responsibilities,
    spreadless,
)

Array = NDArray[np.float64]
SAME = 1e-6
"""Relative difference of log likelihoods below which two starts reached the same solution."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """A mixture of k profiles, the largest first.

    Attributes
    ----------
    names : tuple of str
        Indicators.
    k : int
    spread : str
        As in ``helpers.service.mixture``.
    shares : ndarray, shape (k,)
    means : ndarray, shape (k, p)
        In the metric of the indicators.
    standard : ndarray, shape (k, p)
        Means in standard deviations of the whole sample, from its mean.
    posterior : ndarray, shape (n, k)
    rows : ndarray of int, shape (n,)
        Positions of the complete rows in the data.
    loglik, aic, bic, sabic : float
        BIC is ``-2 loglik + q log n``; sabic has ``(n + 2) / 24`` in place of n.
    entropy : float
        ``1 + sum(p log p) / (n log k)``: 1 where everybody's profile is certain.
    n_parameters, n_used, n_dropped : int
    again : int
        How many of the starts that were carried to the end reached this solution.
    n_ends : int
        Starts carried to the end.
    converged : bool
    collapsed : tuple of str
        Indicators that have no spread left within a profile: everybody in it gave one answer, or
        the answers follow exactly from the others. The likelihood of such a solution has no bound,
        so that its BIC says nothing; it is given only where no start led to another.
    fitted : Mixtures
        Parameters on standardised indicators.
    """

    names: tuple[str, ...]
    k: int
    spread: Spread
    shares: Array
    means: Array
    standard: Array
    posterior: Array
    rows: NDArray[np.intp]
    loglik: float
    aic: float
    bic: float
    sabic: float
    entropy: float
    n_parameters: int
    n_used: int
    n_dropped: int
    again: int
    n_ends: int
    converged: bool
    collapsed: tuple[str, ...]
    fitted: Mixtures

    @property
    def assigned(self) -> NDArray[np.intp]:
        """Return the most likely profile of everybody, from 0."""
        return self.posterior.argmax(axis=1)

    def numbers(self) -> list[Number]:
        """Return the shares of the profiles."""
        return [
            Number(f"profile_{j + 1}_share", float(share), "mixing proportion",
                   n_used=self.n_used, method="maximum likelihood (EM)")
            for j, share in enumerate(self.shares)
        ]  # fmt: skip


@remembered
def latent_profiles(
    data: pd.DataFrame,
    k: int,
    *,
    spread: Spread = "equal",
    starts: int = 60,
    seed: int = 20261121,
) -> Profiles:
    """Fit a mixture of k profiles by maximum likelihood.

    Parameters
    ----------
    data : DataFrame, shape (n, p)
        Numeric indicators. Incomplete rows are left out and counted.
    k : int
    spread : {"equal", "free", "tied"}
    starts : int
        Random starts; a fifth of them, ten at least, is carried to the end.
    seed : int

    Raises
    ------
    DataContractError
        More profiles than people, a constant or infinite indicator, an unknown spread.
    EstimationError
        No start gave a likelihood.

    Notes
    -----
    Profiles come in the order of their size, so that their numbers do not hang on the start.
    Checked against R mclust (EEI, VVI, EEE; tests/reference/segments.R), which passes over
    solutions without spread as well, and scikit-learn.

    References
    ----------
    Celeux & Soromenho (1996), doi:10.1007/BF01246098 (entropy).
    Sclove (1987), doi:10.1007/BF02294360 (sabic).
    """
    check_spread(spread, "latent_profiles")
    values, rows = _complete(data, k)
    centre, scale = values.mean(axis=0), values.std(axis=0)
    x = ((values - centre) / scale)[None]
    kept = max(10, starts // 5) if k > 1 else 1
    rng = np.random.default_rng([seed, k])
    found = fit_mixtures(x, k, spread, starts=max(starts, kept), kept=kept, rng=rng)
    if not np.isfinite(found.loglik[0]):
        raise EstimationError(
            f"latent_profiles: k= {k} profiles could not be estimated from any start; take fewer "
            "profiles or spread='equal'."
        )
    best = found.take(np.array([0]))
    best = best_order(best, spread)
    turned, loglik = responsibilities(x, best, spread)
    posterior = turned[0].T
    n, p = values.shape
    value = float(loglik[0]) - n * float(np.log(scale).sum())
    q = free_parameters(k, p, spread)
    return Profiles(
        names=tuple(data.columns), k=k, spread=spread, shares=best.shares[0],
        means=best.means[0] * scale + centre, standard=best.means[0], posterior=posterior,
        rows=rows, loglik=value, aic=-2 * value + 2 * q, bic=-2 * value + q * np.log(n),
        sabic=-2 * value + q * np.log((n + 2) / 24), entropy=entropy(posterior),
        n_parameters=q, n_used=n, n_dropped=len(data) - n,
        again=int((np.abs(found.loglik - found.loglik[0]) < SAME * abs(found.loglik[0])).sum()),
        n_ends=kept, converged=bool(best.converged[0]),
        collapsed=tuple(data.columns[spreadless(best, spread, x.var(axis=1))[0]]), fitted=best,
    )  # fmt: skip


def best_order(at: Mixtures, spread: Spread) -> Mixtures:
    """Return one mixture with its profiles in the order of their size."""
    order = np.argsort(-at.shares[0], kind="stable")
    cov = at.spread if spread == "tied" else at.spread[:, order]
    return Mixtures(at.shares[:, order], at.means[:, order], cov, at.loglik, at.converged)


def entropy(posterior: Array) -> float:
    """Return relative entropy: 1 where every profile is certain, 0 where all are equally likely."""
    n, k = posterior.shape
    if k == 1:
        return 1.0
    logs = np.log(np.where(posterior > 0, posterior, 1.0))
    return 1 + float((posterior * logs).sum()) / (n * np.log(k))


def _complete(data: pd.DataFrame, k: int) -> tuple[Array, NDArray[np.intp]]:
    """Return complete rows and their positions, or say why there can be no profiles."""
    whole = data.astype(float).to_numpy()
    endless = [c for c, strange in zip(data.columns, np.isinf(whole).any(axis=0)) if strange]
    if endless:
        raise DataContractError(
            f"latent_profiles: data= holds infinite values in {listing(endless)}; numbers or "
            "blanks are needed. Correct them."
        )
    rows = np.flatnonzero(~np.isnan(whole).any(axis=1))
    values = whole[rows]
    need = free_parameters(max(k, 1), whole.shape[1], "equal")
    if k < 1 or k > len(values):
        raise DataContractError(
            f"latent_profiles: k= is {k}, and {len(values)} people answered everything; there "
            "must be at least one profile and no more profiles than people. Take fewer profiles."
        )
    if len(values) <= need and k > 1:
        raise DataContractError(
            f"latent_profiles: data= has {len(values)} complete rows for {need} parameters; more "
            "people than parameters are needed. Take fewer profiles or indicators."
        )
    constant = [c for c, s in zip(data.columns, values.std(axis=0)) if not s > 0]
    if constant:
        raise DataContractError(
            f"latent_profiles: data= has constant indicators {listing(constant)}; profiles differ "
            "in what varies. Leave them out."
        )
    return values, rows
