"""Simulated answers from a population: normal or not, complete or not, numbers or categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from helpers.errors import DataContractError, ModelSpecError, listing, nearest
from helpers.sem.simulate_population import Population, build_population, with_thresholds
from helpers.sem.simulate_shapes import fleishman, normal_correlations, per_variable

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that one simulated set depends on besides its random numbers.

    ``roots`` are (p, p) factors of the normals' correlations or covariances, ``shapes`` Fleishman
    coefficients (p, 3) or None, ``scales`` standard deviations of the variables, all per group.
    """

    population: Population
    roots: tuple[Array, ...]
    shapes: Array | None
    scales: tuple[Array, ...]
    missing: Array
    """Share of blanks of every variable, (p,)."""
    missing_on: int | None
    missing_slope: float

    @property
    def makes_blanks(self) -> bool:
        """Tell whether any answer can be blank."""
        return bool((self.missing > 0).any())

    @property
    def plain(self) -> bool:
        """Tell whether data are complete, normal and continuous: their moments say all."""
        return self.shapes is None and not self.makes_blanks and not self.population.thresholds


def simulate(
    population: object,
    n_obs: int | Sequence[int] | Mapping[object, int],
    *,
    seed: int,
    n_sets: int = 1,
    groups: Sequence[object] = (),
    standardized: bool = False,
    skewness: float | Mapping[str, float] | None = None,
    kurtosis: float | Mapping[str, float] | None = None,
    thresholds: Mapping[str, Sequence[float]] | None = None,
    missing: float | Mapping[str, float] = 0.0,
    missing_on: str | None = None,
    missing_slope: float = 1.0,
) -> pd.DataFrame | list[pd.DataFrame]:
    """Simulate answers from a model with known values, or from a fitted model.

    Parameters
    ----------
    population : str, object with ``.syntax``, or SemResult
        Model text whose values are the truth (``f =~ .8*x1 + .7*x2``; ``c(.8, .6)*x1`` for
        groups; ``x1 | -1*t1 + 0*t2`` for cut points), as ``lavaan::simulateData``: loadings and
        variances without a value are 1, all else 0. A fitted result gives its estimates.
    n_obs : int, or one per group
        Respondents. A single number with several groups is the size of each group.
    seed : int
        For ``numpy.random.SeedSequence``; set k does not depend on how many sets are drawn.
    n_sets : int
        Number of data sets.
    groups : sequence
        Labels of the groups, by default 1, 2, ...; they stand in the column ``group``.
    standardized : bool
        Values are standardised: residual variances are chosen so that every variance is 1.
    skewness, kurtosis : float or dict
        Skewness and excess kurtosis of all or of named observed variables (Vale & Maurelli).
    thresholds : dict
        Item -> rising cut points on the item's own scale; such items come as 1, 2, 3, ...
    missing : float or dict
        Share of blanks, of all or of named variables.
    missing_on : str, optional
        A variable on which blanks depend (missing at random); it stays complete itself. Without
        it blanks are completely at random.
    missing_slope : float
        Change in the log odds of a blank for one standard deviation of ``missing_on``.

    Returns
    -------
    DataFrame, or list of DataFrames if ``n_sets`` is above 1

    Raises
    ------
    ModelSpecError, DataContractError, EstimationError
        Values that no covariance matrix has, unknown variables, sizes below 1, shapes that
        cannot be made.

    Notes
    -----
    Implied moments are checked against ``lavaan::simulateData``, coefficients of shapes against
    lavaan and Fleishman's table: ``tests/reference/power.R``. Where predicted variables predict
    others, lavaan's ``standardized = TRUE`` leaves variances other than 1; here all are 1.

    Examples
    --------
    >>> data = simulate("f =~ .8*x1 + .7*x2 + .6*x3", 200, seed=1, standardized=True)
    >>> data.shape
    (200, 3)
    """
    if not isinstance(n_sets, int) or n_sets < 1:
        raise DataContractError(f"simulate: n_sets= is {n_sets}; at least 1 is needed.")
    truth = build_population(population, groups=groups, standardized=standardized)
    sizes = group_sizes_of(n_obs, truth, "simulate")
    recipe = make_recipe(
        with_thresholds(truth, thresholds), skewness=skewness, kurtosis=kurtosis,
        missing=missing, missing_on=missing_on, missing_slope=missing_slope,
    )  # fmt: skip
    streams = np.random.SeedSequence(seed).spawn(n_sets)
    sets = [draw(recipe, sizes, np.random.default_rng(stream)) for stream in streams]
    return sets[0] if n_sets == 1 else sets


def group_sizes_of(n_obs: Any, population: Population, function: str) -> tuple[int, ...]:
    """Return the size of every group; sizes below 1 or of a wrong number are an error."""
    if isinstance(n_obs, Mapping):
        absent = [g for g in population.labels if g not in n_obs]
        if absent:
            raise DataContractError(
                f"{function}: n_obs= has no size for group '{absent[0]}'; groups are "
                f"{listing(population.labels)}. Give each a size."
            )
        sizes = [n_obs[g] for g in population.labels]
    elif isinstance(n_obs, Sequence | np.ndarray) and not isinstance(n_obs, str):
        sizes = list(n_obs)
    else:
        sizes = [n_obs] * population.n_groups
    if len(sizes) != population.n_groups:
        raise DataContractError(
            f"{function}: n_obs= has {len(sizes)} sizes for {population.n_groups} groups; one "
            f"per group is needed. Correct n_obs=."
        )
    bad = [n for n in sizes if isinstance(n, bool) or int(n) != n or n < 1]
    if bad:
        raise DataContractError(
            f"{function}: n_obs= is {listing(sizes)}; whole numbers of at least 1 are needed. "
            f"Correct n_obs=."
        )
    return tuple(int(n) for n in sizes)


def make_recipe(
    population: Population,
    *,
    skewness: float | Mapping[str, float] | None = None,
    kurtosis: float | Mapping[str, float] | None = None,
    missing: float | Mapping[str, float] = 0.0,
    missing_on: str | None = None,
    missing_slope: float = 1.0,
) -> Recipe:
    """Prepare what every simulated set of a population shares."""
    names = population.names
    skew, kurt = (
        per_variable(skewness, names, "skewness"),
        per_variable(kurtosis, names, "kurtosis"),
    )
    normal = not (skew.any() or kurt.any())
    shapes = None if normal else np.array([fleishman(s, k) for s, k in zip(skew, kurt)])
    roots, scales = [], []
    for cov in population.cov:
        sd = np.sqrt(np.diag(cov))
        cor = cov / np.outer(sd, sd)
        base = cor if normal else normal_correlations(cor, [tuple(row) for row in shapes])
        roots.append(np.linalg.cholesky(base))
        scales.append(sd)
    share = per_variable(missing, names, "missing")
    if (share < 0).any() or (share >= 1).any():
        raise DataContractError(
            f"simulate: missing= is {listing(share[(share < 0) | (share >= 1)])}; shares from 0 to "
            f"below 1 are needed. Write 0.1 for ten per cent."
        )
    on = _position(missing_on, names)
    if on is not None:
        share[on] = 0.0
    return Recipe(population, tuple(roots), shapes, tuple(scales), share, on, float(missing_slope))


def _position(name: str | None, names: Sequence[str]) -> int | None:
    """Return where the variable stands that blanks depend on."""
    if name is None:
        return None
    if name not in names:
        raise ModelSpecError(
            f"simulate: missing_on= is '{name}', which is not an observed variable; variables are "
            f"{listing(names)}.{nearest(name, names)} Correct the name."
        )
    return list(names).index(name)


def draw(recipe: Recipe, sizes: Sequence[int], rng: np.random.Generator) -> pd.DataFrame:
    """Draw one set of all groups."""
    population = recipe.population
    parts = [draw_group(recipe, g, n, rng) for g, n in enumerate(sizes)]
    frame = pd.DataFrame(np.concatenate(parts), columns=list(population.names))
    if population.n_groups > 1:
        frame[population.grouping] = np.repeat(np.array(population.labels, dtype=object), sizes)
    return frame


def draw_group(recipe: Recipe, g: int, n: int, rng: np.random.Generator) -> Array:
    """Draw the rows of one group, (n, p)."""
    population = recipe.population
    z = rng.standard_normal((n, len(population.names))) @ recipe.roots[g].T
    if recipe.shapes is not None:
        b, c, d = recipe.shapes.T
        z = -c + z * (b + z * (c + z * d))
    values = population.mean[g] + recipe.scales[g] * z
    blanks = _blanks(recipe, z, rng) if recipe.makes_blanks else None
    for name, cuts in population.thresholds.items():
        at = population.names.index(name)
        values[:, at] = 1.0 + np.searchsorted(np.asarray(cuts), values[:, at], side="left")
    if blanks is not None:
        values[blanks] = np.nan
    return values


def _blanks(recipe: Recipe, z: Array, rng: np.random.Generator) -> Array:
    """Choose the cells that are blank, (n, p); ``z`` are standardised values."""
    uniform = rng.random(z.shape)
    if recipe.missing_on is None:
        return uniform < recipe.missing
    log_odds = recipe.missing_slope * z[:, recipe.missing_on]
    chance = np.zeros(z.shape)
    for share in np.unique(recipe.missing[recipe.missing > 0]):
        level = _intercept(float(share), recipe.missing_slope)
        chance[:, recipe.missing == share] = expit(level + log_odds)[:, None]
    return uniform < chance


def _intercept(share: float, slope: float) -> float:
    """Solve for the log odds at the mean that give a share of blanks over a normal variable."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()

    def gap(level: float) -> float:
        return float(weights @ expit(level + slope * nodes)) - share

    reach = 40.0 + 10.0 * abs(slope)
    return float(brentq(gap, -reach, reach, xtol=1e-12))
