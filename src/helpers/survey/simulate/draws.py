"""Random draws that stay the same from one version of NumPy to the next.

Only uniform numbers come from the generator; everything else is made from them by inverse
distribution functions. Each part of the study has its own stream, named, so that a change in one
part leaves the others as they were.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special, stats

DECIMALS = 9
"""Latent values are rounded before they meet a threshold, so that the last bits of a platform's
arithmetic cannot move an answer."""

_EDGE = 2.0**-54


class Draws:
    """A named stream of random numbers.

    Parameters
    ----------
    seed : int
        The study's seed.
    name : str
        The part of the study that draws.
    """

    def __init__(self, seed: int, name: str) -> None:
        key = np.random.SeedSequence([seed, zlib.crc32(name.encode())])
        self._generator = np.random.Generator(np.random.PCG64(key))

    def uniform(self, *shape: int) -> np.ndarray:
        """Return uniform numbers strictly between 0 and 1."""
        return self._generator.random(shape) + _EDGE

    def normal(self, *shape: int) -> np.ndarray:
        """Return standard normal numbers."""
        return np.round(special.ndtri(self.uniform(*shape)), DECIMALS)

    def chance(self, probability: float | np.ndarray, n: int) -> np.ndarray:
        """Return booleans that are true with the given probability."""
        return self.uniform(n) < probability

    def choice(self, shares: Mapping[int, float] | Sequence[float], n: int) -> np.ndarray:
        """Return codes with the given shares; a sequence has the codes 1, 2, 3, ..."""
        if not isinstance(shares, Mapping):
            shares = dict(enumerate(shares, start=1))
        codes = np.array(list(shares))
        limits = np.cumsum(list(shares.values()))
        place = np.searchsorted(np.round(limits / limits[-1], 12), self.uniform(n))
        return codes[np.minimum(place, len(codes) - 1)]

    def integers(self, low: int, high: int, n: int) -> np.ndarray:
        """Return whole numbers from low to high, both included."""
        return low + np.floor(self.uniform(n) * (high - low + 1)).astype(int)

    def gamma(self, shape: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Return gamma numbers with the given shape and mean."""
        return special.gammaincinv(shape, self.uniform(len(mean))) * mean / shape

    def poisson(self, mean: np.ndarray) -> np.ndarray:
        """Return Poisson counts."""
        return stats.poisson.ppf(self.uniform(len(mean)), mean).astype(int)

    def counts(self, mean: np.ndarray, size: float) -> np.ndarray:
        """Return negative binomial counts with variance ``mean + mean**2 / size``."""
        share = size / (size + np.asarray(mean, dtype=float))
        return stats.nbinom.ppf(self.uniform(len(mean)), size, share).astype(int)

    def order(self, n: int) -> np.ndarray:
        """Return the places 0 to n - 1 in random order."""
        return np.argsort(self.uniform(n), kind="stable")


def steps(latent: np.ndarray, thresholds: Sequence[float], *, low: int = 1) -> np.ndarray:
    """Return the answer category of latent values: ``low`` plus the thresholds passed."""
    return low + np.searchsorted(np.asarray(thresholds), np.round(latent, DECIMALS), side="left")


def by_code(table: Mapping[int, float], codes: np.ndarray) -> np.ndarray:
    """Return each code's value; a code that the table lacks is NaN."""
    out = np.full(len(codes), np.nan)
    for code, value in table.items():
        out[codes == int(code)] = value
    return out
