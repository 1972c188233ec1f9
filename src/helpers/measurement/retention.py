"""How many factors: parallel analysis and Velicer's minimum average partial (MAP)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from helpers.errors import DataContractError, Unavailable
from helpers.i18n import _
from helpers.measurement.extraction import check_correlations
from helpers.memo import remembered

Array = NDArray[np.float64]

QUANTILE = 0.95
"""Random eigenvalues are beaten when the observed one lies above this quantile (Glorfeld 1995)."""
BATCH_CELLS = 4_000_000
"""Numbers of random matrices held at once: 32 MB."""


@dataclass(frozen=True, slots=True)
class ParallelAnalysis:
    """Observed eigenvalues against those of random data of the same size.

    Attributes
    ----------
    eigenvalues, random_eigenvalues : tuple of float
        Of the correlation matrix; 95 % quantile of random normal data.
    factor_eigenvalues, random_factor_eigenvalues : tuple of float
        The same with squared multiple correlations on the diagonal.
    n_components, n_factors : int
        How many lead, unbroken from the first, above the random quantile.
    n_used, n_draws, seed : int
    """

    eigenvalues: tuple[float, ...]
    random_eigenvalues: tuple[float, ...]
    factor_eigenvalues: tuple[float, ...]
    random_factor_eigenvalues: tuple[float, ...]
    n_components: int
    n_factors: int
    n_used: int
    n_draws: int
    seed: int

    def table(self) -> pd.DataFrame:
        """Return one row a position, largest eigenvalue first."""
        return pd.DataFrame(
            {
                "position": range(1, len(self.eigenvalues) + 1),
                "eigenvalue": self.eigenvalues,
                "random_eigenvalue": self.random_eigenvalues,
                "factor_eigenvalue": self.factor_eigenvalues,
                "random_factor_eigenvalue": self.random_factor_eigenvalues,
            }
        )

    def text(self) -> str:
        """Return one sentence with the number of factors."""
        return _(
            "Components that parallel analysis keeps: {k} (n = {n}, {draws} random draws, seed "
            "{seed}); the first observed eigenvalue is {first:.2f}, against {random:.2f} in random "
            "data."
        ).format(
            n=self.n_used,
            draws=self.n_draws,
            seed=self.seed,
            k=self.n_components,
            first=self.eigenvalues[0],
            random=self.random_eigenvalues[0],
        )


@dataclass(frozen=True, slots=True)
class MinimumAveragePartial:
    """Mean partial correlation, squared and to the fourth, after m components are taken out.

    ``n_components`` is by the squared ones (1976), ``n_components_fourth`` by the fourth power
    (2000). m counts 0, 1, ...
    """

    average_squared_partials: tuple[float, ...]
    average_fourth_partials: tuple[float, ...]
    n_components: int
    n_components_fourth: int

    def table(self) -> pd.DataFrame:
        """Return one row a number of components."""
        values = self.average_squared_partials
        return pd.DataFrame(
            {
                "n_components": range(len(values)),
                "average_squared_partial": values,
                "average_fourth_partial": self.average_fourth_partials,
            }
        )


@remembered
def parallel_analysis(
    corr: ArrayLike, *, n: int | None, seed: int, n_draws: int = 200
) -> ParallelAnalysis | Unavailable:
    """Compare eigenvalues with those of uncorrelated normal data of the same size.

    Parameters
    ----------
    corr : array_like, shape (p, p)
    n : int or None
        Respondents behind it; None gives ``Unavailable``.
    seed : int
        Given to ``numpy.random.default_rng``.
    n_draws : int
        Random data sets.

    Notes
    -----
    Components: Horn (1965), doi:10.1007/BF02289447, with the 95 % quantile of Glorfeld (1995),
    doi:10.1177/0013164495055003002. Factors: the reduced matrix with squared multiple
    correlations. Random data are drawn as Wishart matrices (Bartlett's decomposition; Smith &
    Hocking 1972, doi:10.2307/2346290), so that time and memory do not grow with n. The observed
    eigenvalues are checked against psych ``fa.parallel(SMC = TRUE)``, the random ones against
    random rows,
    the counts on planted structures.
    """
    matrix = check_correlations(corr, function="parallel_analysis")
    p = len(matrix)
    if n is None:
        return Unavailable(
            _("parallel analysis"), _("the number of respondents behind the matrix is not known")
        )
    if n <= p:
        raise DataContractError(
            f"parallel_analysis: n= is {n} for {p} variables; more rows than variables are needed."
        )
    normal, squares = np.random.default_rng(seed).spawn(2)  # so that batches change nothing
    batch = max(1, BATCH_CELLS // p**2)
    parts = [
        _random_eigenvalues(normal, squares, min(batch, n_draws - done), n, p)
        for done in range(0, n_draws, batch)
    ]
    whole, reduced = (np.concatenate(kind) for kind in zip(*parts, strict=True))
    observed, factors = _eigenvalues(matrix), _eigenvalues(_reduced(matrix))
    limit, factor_limit = (np.quantile(draws, QUANTILE, axis=0) for draws in (whole, reduced))
    return ParallelAnalysis(
        eigenvalues=tuple(observed.tolist()),
        random_eigenvalues=tuple(limit.tolist()),
        factor_eigenvalues=tuple(factors.tolist()),
        random_factor_eigenvalues=tuple(factor_limit.tolist()),
        n_components=_leading(observed > limit),
        n_factors=_leading(factors > factor_limit),
        n_used=n,
        n_draws=n_draws,
        seed=seed,
    )


@remembered
def minimum_average_partial(corr: ArrayLike) -> MinimumAveragePartial:
    """Return Velicer's MAP: the number of components that leaves the least partial correlation.

    The squared criterion is checked against psych ``vss()$map``; the fourth power, whose mean is
    taken in the same way, against its formula in R (tests/reference/efa.R). Velicer (1976),
    doi:10.1007/BF02293557. Velicer, Eaton & Fava (2000), doi:10.1007/978-1-4615-4397-8_3.
    """
    matrix = check_correlations(corr, function="minimum_average_partial")
    p = len(matrix)
    values, vectors = np.linalg.eigh(matrix)
    weights = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))
    squares, fourths = [], []
    for m in range(p - 1):
        rest = matrix - weights[:, :m] @ weights[:, :m].T
        size = np.sqrt(np.diag(rest))
        partial = rest / np.outer(size, size)
        squares.append(float((np.sum(partial**2) - p) / (p * (p - 1))))
        fourths.append(float((np.sum(partial**4) - p) / (p * (p - 1))))
    kept, kept_fourth = int(np.argmin(squares)), int(np.argmin(fourths))
    return MinimumAveragePartial(tuple(squares), tuple(fourths), kept, kept_fourth)


def _random_eigenvalues(
    normal: np.random.Generator, squares: np.random.Generator, draws: int, n: int, p: int
) -> tuple[Array, Array]:
    """Return eigenvalues of whole and reduced correlation matrices of random normal data.

    Sums of squares and products of n normal rows follow a Wishart distribution with n - 1 degrees
    of freedom, which Bartlett's decomposition draws without the rows: a triangle of normal numbers,
    on its diagonal the roots of chi-squares with n - 1, n - 2, ... degrees of freedom.
    """
    triangle = np.tril(normal.standard_normal((draws, p, p)), k=-1)
    roots = np.sqrt(squares.chisquare(n - 1 - np.arange(p), size=(draws, p)))
    triangle[:, np.arange(p), np.arange(p)] = roots
    triangle /= np.sqrt(np.sum(triangle**2, axis=2, keepdims=True))
    matrices = triangle @ triangle.transpose(0, 2, 1)
    return _eigenvalues(matrices), _eigenvalues(_reduced(matrices))


def _reduced(matrices: Array) -> Array:
    """Return matrices with squared multiple correlations on the diagonal."""
    inverse = np.linalg.inv(matrices)
    unique = 1 / np.diagonal(inverse, axis1=-2, axis2=-1)
    return matrices - unique[..., None] * np.eye(matrices.shape[-1])


def _eigenvalues(matrices: Array) -> Array:
    """Return eigenvalues, largest first."""
    return np.linalg.eigvalsh(matrices)[..., ::-1]


def _leading(above: NDArray[np.bool_]) -> int:
    """Count how many lead before the first that is not above."""
    return int(len(above) if above.all() else np.argmin(above))
