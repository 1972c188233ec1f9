"""Mixed models for nested data: people within platforms, outcomes within people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from helpers.errors import DataContractError, EstimationError, check_level, listing
from helpers.memo import remembered
from helpers.regression.least_squares import estimable
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

GRID = np.concatenate([np.linspace(0, 0.99, 100), 1 - np.geomspace(5e-3, 1e-6, 12)])
"""Shares of variance at which the likelihood is looked at first: it may have two maxima."""
NOTHING, ALL = 1e-7, 1 - 2e-6
"""A share below the first counts as none, one above the second as everything."""
STEP = 1e-3
"""Step of the derivatives by the logarithms of the variances."""


@dataclass(frozen=True, slots=True)
class MixedModel:
    """A linear model with a random intercept.

    Attributes
    ----------
    outcome, group : str
    fixed : DataFrame
        term (``"const"`` first), b, se, df (Satterthwaite), t, p_value, ci_low, ci_high.
    variance_between, variance_within : float
        Of the random intercept and of the residual, given the predictors.
    icc : float
        Share of the outcome's variance that lies between groups, without predictors.
    icc_left : float
        The same given the predictors.
    design_effect : float
        ``1 + (m - 1) icc`` with ``m = sum(n_j**2) / sum(n_j)``, the size of the group of a row:
        by how much the variance of a mean of the outcome is larger than with independent rows.
    lr, p_value : float
        Likelihood ratio of the random intercept given the predictors (ML); half the chi-square(1)
        tail, as the variance cannot be below zero.
    n_groups, n_used, n_dropped : int
    smallest, largest : int
        Group sizes.
    level : float
    method : str
    """

    outcome: str
    group: str
    fixed: pd.DataFrame
    variance_between: float
    variance_within: float
    icc: float
    icc_left: float
    design_effect: float
    lr: float
    p_value: float
    n_groups: int
    n_used: int
    n_dropped: int
    smallest: int
    largest: int
    level: float
    method: str

    def table(self) -> pd.DataFrame:
        """Return the fixed effects."""
        return self.fixed

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@remembered
def mixed_model(
    data: pd.DataFrame,
    outcome: str,
    predictors: Sequence[str],
    group: str,
    *,
    level: float = LEVEL,
) -> MixedModel:
    """Fit a random intercept by restricted maximum likelihood (REML).

    Parameters
    ----------
    data : DataFrame
        Long form: one row an observation. Rows with a blank in any column used are left out and
        counted.
    outcome : str
    predictors : sequence of str
        Numeric columns; may be empty.
    group : str
        Column that says to which group (platform, person) a row belongs.
    level : float

    Raises
    ------
    DataContractError
        A column is missing, or there are fewer than two groups or no group with two rows.
    EstimationError
        Collinear predictors, or rows that do not differ within groups.

    Notes
    -----
    With one random intercept the likelihood depends, once fixed effects and residual variance are
    put in, on one number, the share of variance between groups, and sums within groups are all it
    needs; so its maximum is found to the last digits, at the boundary too. Checked against R
    ``lme4::lmer`` and ``lmerTest`` (tests/reference/importance.R, mixed.R; 1e-6). statsmodels'
    ``MixedLM`` stops short of it and takes its errors from a Hessian that holds the variance of
    the groups as well, up to 1 % off. Where that variance is zero the degrees of freedom are those
    of least squares. With few groups it is known badly; fixed effects of the groups (0/1 columns)
    are then the sounder way.

    References
    ----------
    Snijders & Bosker (2012), Multilevel analysis, 2nd edition.
    Kish (1965), Survey sampling, for the design effect.
    Satterthwaite (1946), doi:10.2307/3002019, for the degrees of freedom.
    Self & Liang (1987), doi:10.1080/01621459.1987.10478472, for the test at the boundary.
    """
    check_level(level, "mixed_model")
    kept = _complete(data, outcome, predictors, group)
    sizes = kept[group].value_counts()
    y = kept[outcome].to_numpy(dtype=float)
    x = kept[list(predictors)].astype(float)
    labels = pd.factorize(kept[group])[0]
    full, empty = _Sums.of(y, x.to_numpy(), labels), _Sums.of(y, np.empty((len(y), 0)), labels)
    fit, share = full.fit(reml=True), empty.fit(reml=True).rho
    lr = max(0.0, full.at(0.0, reml=False).deviance - full.fit(reml=False).deviance)
    b, cov = full.own_units(fit)
    se, df = np.sqrt(np.diag(cov)), full.satterthwaite(fit)
    half = stats.t.ppf((1 + level) / 2, df) * se
    return MixedModel(
        outcome=outcome,
        group=group,
        fixed=pd.DataFrame(
            {
                "term": ["const", *predictors], "b": b, "se": se, "df": df, "t": b / se,
                "p_value": 2 * stats.t.sf(np.abs(b / se), df), "ci_low": b - half,
                "ci_high": b + half,
            }
        ),
        variance_between=fit.sigma2 * fit.rho / (1 - fit.rho) * full.y_scale**2,
        variance_within=fit.sigma2 * full.y_scale**2,
        icc=share,
        icc_left=fit.rho,
        design_effect=1 + (float((sizes**2).sum() / sizes.sum()) - 1) * share,
        lr=lr,
        p_value=float(stats.chi2.sf(lr, 1) / 2) if lr > 0 else 1.0,
        n_groups=len(sizes),
        n_used=len(kept),
        n_dropped=len(data) - len(kept),
        smallest=int(sizes.min()),
        largest=int(sizes.max()),
        level=level,
        method="REML, Satterthwaite; listwise",
    )  # fmt: skip


def _complete(
    data: pd.DataFrame, outcome: str, predictors: Sequence[str], group: str
) -> pd.DataFrame:
    """Return the complete rows, or say what they lack."""
    names = [outcome, *predictors, group]
    absent = [name for name in names if name not in data.columns]
    if absent or len(set(names)) < len(names):
        raise DataContractError(
            f"mixed_model: outcome=, predictors= and group= are {listing(names)}; different "
            f"columns of data= are needed ({listing(list(data.columns))}). Correct the names."
        )
    kept = data[names].dropna()
    sizes = kept[group].value_counts()
    if len(sizes) < 2 or sizes.max() < 2 or len(kept) <= len(predictors) + 3:
        raise DataContractError(
            f"mixed_model: group= '{group}' makes {len(sizes)} groups of at most "
            f"{int(sizes.max()) if len(sizes) else 0} rows; two groups and groups with several "
            "rows are needed. Use an ordinary regression."
        )
    numbers = kept[[outcome, *predictors]].astype(float)
    if not np.isfinite(numbers.to_numpy()).all() or np.ptp(numbers[outcome]) == 0:
        raise DataContractError(
            f"mixed_model: outcome= '{outcome}' never varies, or a column holds infinite values; "
            "finite numbers and an outcome that varies are needed. Check the columns."
        )
    spare = sorted(set(predictors) - set(estimable(numbers[list(predictors)])))
    if spare:
        raise EstimationError(
            f"mixed_model: predictors= hold {listing(spare)}, which never vary or are sums of the "
            "others; independent columns are needed. Leave them out."
        )
    return kept


@dataclass(frozen=True, slots=True)
class _Fit:
    """A random intercept at one share of variance, in standard units."""

    rho: float
    deviance: float
    b: Array
    inverse: Array
    sigma2: float


@dataclass(frozen=True, slots=True)
class _Sums:
    """All that a random intercept needs of the data, columns standardised.

    With ``theta = between / within`` the inverse of a group's covariance is, over the residual
    variance, ``I - theta / (1 + n theta) J``: the cross-products of all rows less those of the
    groups' sums.
    """

    cross: Array
    sums: Array
    sizes: Array
    n: int
    y_centre: float
    y_scale: float
    centre: Array
    scale: Array

    @classmethod
    def of(cls, y: Array, x: Array, labels: Array) -> _Sums:
        """Take the sums of an outcome, predictors (without a constant), and groups 0, 1, ..."""
        centre, scale = x.mean(axis=0), x.std(axis=0)
        own = (float(y.mean()), float(y.std()))
        columns = np.column_stack([np.ones(len(y)), (x - centre) / scale, (y - own[0]) / own[1]])
        sums = np.column_stack([np.bincount(labels, c) for c in columns.T])
        return cls(columns.T @ columns, sums, np.bincount(labels), len(y), *own, centre, scale)

    def at(self, rho: float, *, reml: bool) -> _Fit:
        """Return the profile at a share of variance, its residual variance the best one."""
        theta = rho / (1 - rho)
        weighted = self.sums * (theta / (1 + self.sizes * theta))[:, None]
        products = self.cross - self.sums.T @ weighted
        p = len(products) - 1
        inverse = np.linalg.inv(products[:p, :p])
        b = inverse @ products[:p, p]
        rest = max(float(products[p, p] - products[:p, p] @ b), 1e-300)
        free = self.n - p if reml else self.n
        deviance = free * (np.log(2 * np.pi * rest / free) + 1)
        deviance += float(np.log1p(self.sizes * theta).sum())
        deviance += float(np.linalg.slogdet(products[:p, :p])[1]) if reml else 0.0
        return _Fit(rho, deviance, b, inverse, rest / free)

    def fit(self, *, reml: bool) -> _Fit:
        """Find the share of variance of the largest likelihood."""
        values = [self.at(rho, reml=reml).deviance for rho in GRID]
        best = int(np.argmin(values))
        ends = (GRID[max(best - 1, 0)], GRID[min(best + 1, len(GRID) - 1)])
        found = optimize.minimize_scalar(
            lambda rho: self.at(rho, reml=reml).deviance, bounds=ends, method="bounded",
            options={"xatol": 1e-12},
        )  # fmt: skip
        rho = float(found.x)
        if rho > ALL or self.at(rho, reml=reml).sigma2 < 1e-12:
            raise EstimationError(
                "mixed_model: data= hold no differences within groups beyond the predictors; a "
                "residual variance above zero is needed. Compare the groups' means instead."
            )
        return self.at(0.0 if rho < NOTHING else rho, reml=reml)

    def own_units(self, fit: _Fit) -> tuple[Array, Array]:
        """Return fixed effects and their covariance in the units of the data."""
        turn = self._turn()
        b = turn @ fit.b
        b[0] += self.y_centre
        return b, turn @ fit.inverse @ turn.T * fit.sigma2

    def _turn(self) -> Array:
        """Return the map from standard to own units; the outcome's mean comes on top."""
        turn = np.diag(np.r_[1.0, 1 / self.scale])
        turn[0, 1:] = -self.centre / self.scale
        return turn * self.y_scale

    def satterthwaite(self, fit: _Fit) -> Array:
        """Return each fixed effect's degrees of freedom: ``2 v**2 / var(v)``, v its variance.

        The variance of v comes from the curvature of the REML likelihood by the logarithms of the
        two variances (central differences), by the delta method.
        """
        p = len(fit.b)
        if fit.rho == 0:
            return np.full(p, float(self.n - p))
        start = np.log([fit.sigma2, fit.sigma2 * fit.rho / (1 - fit.rho)])
        steps = STEP * np.eye(2)
        slope = np.array(
            [self._variances(start + e) - self._variances(start - e) for e in steps]
        ) / (2 * STEP)
        curve = np.empty((2, 2))
        for i, j in ((0, 0), (0, 1), (1, 1)):
            corners = [
                sign * self._deviance(start + one * steps[i] + two * steps[j])
                for one, two, sign in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
            ]
            curve[i, j] = curve[j, i] = sum(corners) / (4 * STEP**2)
        spread = np.einsum("ip,ij,jp->p", slope, 2 * np.linalg.inv(curve), slope)
        return 2 * self._variances(start) ** 2 / spread

    def _products(self, logs: Array) -> tuple[Array, float, Array]:
        """Return weighted cross-products, the residual variance and theta at two log variances."""
        within, between = np.exp(logs)
        theta = between / within
        weighted = self.sums * (theta / (1 + self.sizes * theta))[:, None]
        return self.cross - self.sums.T @ weighted, within, theta

    def _variances(self, logs: Array) -> Array:
        """Return the variances of the fixed effects, in own units, at two log variances."""
        products, within, _theta = self._products(logs)
        turn = self._turn()
        return np.diag(turn @ np.linalg.inv(products[:-1, :-1]) @ turn.T) * within

    def _deviance(self, logs: Array) -> float:
        """Return -2 log restricted likelihood at two log variances, up to a constant."""
        products, within, theta = self._products(logs)
        p = len(products) - 1
        rest = products[p, p] - products[:p, p] @ np.linalg.solve(products[:p, :p], products[:p, p])
        logdet = np.linalg.slogdet(products[:p, :p])[1] + np.log1p(self.sizes * theta).sum()
        return float((self.n - p) * np.log(within) + logdet + rest / within)


def long_outcomes(data: pd.DataFrame, outcomes: Sequence[str], keep: Sequence[str]) -> pd.DataFrame:
    """Return several outcomes of each row below each other: person, outcome, value, and ``keep``.

    Each outcome but the first also gets a 0/1 column of its own name.
    """
    wide = data.reset_index(drop=True)
    parts = []
    for name in outcomes:
        part = wide[list(keep)].assign(person=np.arange(len(wide)), outcome=name, value=wide[name])
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    for name in outcomes[1:]:
        table[name] = (table["outcome"] == name).astype(float)
    return table
