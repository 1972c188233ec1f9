"""Method bias from observed scores: the marker-variable correction of Lindell and Whitney.

Formulas on correlations stand apart from the function that takes scale scores. The methods that
need a latent variable (CFA marker, latent method factor) are in ``helpers.sem.method_factors``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from helpers.errors import DataContractError, check_level, listing, nearest
from helpers.measurement.rows import complete_rows
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]
Rule = Literal["smallest", "second"]


@dataclass(frozen=True, slots=True)
class MarkerAdjustment:
    """Correlations among scales before and after the marker correction.

    Attributes
    ----------
    marker : str
        Column that is unrelated by theory to the others.
    r_marker : float
        Correlation that is taken for method variance (never below 0).
    r_marker_high : float
        Its upper confidence bound (Fisher z), for the sensitivity analysis.
    taken_from : str
        The scale whose correlation with the marker this is.
    marker_correlations : Series
        Correlation of the marker with every other scale.
    corr, adjusted, adjusted_high : DataFrame
        Correlations as observed; corrected for ``r_marker``; corrected for ``r_marker_high``.
    pairs : DataFrame
        One row a pair: a, b, r, p_value, r_adjusted, p_adjusted, r_adjusted_high,
        p_adjusted_high, lost (significant before at ``1 - level``, not after).
    n_used, n_dropped : int
    rule : str
    level : float
    """

    marker: str
    r_marker: float
    r_marker_high: float
    taken_from: str
    marker_correlations: pd.Series
    corr: pd.DataFrame
    adjusted: pd.DataFrame
    adjusted_high: pd.DataFrame
    pairs: pd.DataFrame
    n_used: int
    n_dropped: int
    rule: str
    level: float

    def table(self) -> pd.DataFrame:
        """Return one row a pair of scales."""
        return self.pairs

    def marker_rows(self) -> pd.DataFrame:
        """Return the marker's correlations: construct, r, ci_low, ci_high (Fisher z)."""
        r = self.marker_correlations.to_numpy(dtype=float)
        half = stats.norm.ppf((1 + self.level) / 2) / np.sqrt(self.n_used - 3)
        low, high = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
        names = list(self.marker_correlations.index)
        return pd.DataFrame({"construct": names, "r": r, "ci_low": low, "ci_high": high})

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def partial_for_marker(r: ArrayLike, r_marker: float) -> Array:
    """Return correlations with the share of the marker taken out: ``(r - r_m) / (1 - r_m)``.

    The partial correlation given a method factor that is related equally, by ``sqrt(r_m)``, to
    every variable. Checked by hand and against a partial correlation of R (tests/reference/
    method_bias.R). Lindell & Whitney (2001), doi:10.1037/0021-9010.86.1.114, equation 4.
    """
    if not 0 <= r_marker < 1:
        raise DataContractError(
            f"partial_for_marker: r_marker= is {r_marker:.3g}; a correlation from 0 to below 1 is "
            "needed. Take the size of the smallest correlation with the marker."
        )
    return (np.asarray(r, dtype=float) - r_marker) / (1 - r_marker)


def marker_p_value(r_adjusted: ArrayLike, *, n: int) -> Array:
    """Return two-sided p of adjusted correlations, from t on ``n - 3`` degrees of freedom.

    ``t = r / sqrt((1 - r^2) / (n - 3))`` (Lindell & Whitney 2001, equation 5): one degree of
    freedom less than a plain correlation, as for a partial correlation. NaN where an adjusted
    value lies beyond -1: such a value is no correlation, and the assumption does not hold.
    """
    r = np.asarray(r_adjusted, dtype=float)
    r = np.where(np.abs(r) > 1, np.nan, r)
    with np.errstate(divide="ignore"):
        t = np.abs(r) / np.sqrt((1 - r**2) / (n - 3))
    return 2 * stats.t.sf(t, n - 3)


def adjust_for_marker(
    scores: pd.DataFrame, *, marker: str, rule: Rule = "smallest", level: float = LEVEL
) -> MarkerAdjustment:
    """Correct the correlations among scale scores for method variance seen in a marker.

    Parameters
    ----------
    scores : DataFrame, shape (n_respondents, k)
        One column a scale, the marker among them; at least two others. Rows with a blank are
        dropped and counted.
    marker : str
        A scale that by theory is related to none of the others.
    rule : {"smallest", "second"}
        Which of the correlations with the marker, in size, stands for method variance; the second
        smallest is the more cautious choice.
    level : float
        Of the upper bound in the sensitivity analysis, and for ``lost``.

    Raises
    ------
    DataContractError
        An unknown marker or rule, fewer than two other scales, fewer than five complete rows.

    Notes
    -----
    The correction assumes that the method adds the same to every correlation, in the direction in
    which the items are worded; it cannot see bias that the marker does not share. Checked against
    R (tests/reference/method_bias.R), the formulas by hand.

    References
    ----------
    Lindell & Whitney (2001), doi:10.1037/0021-9010.86.1.114. Malhotra, Kim & Patil (2006),
    doi:10.1287/mnsc.1060.0597.
    """
    check_level(level, "adjust_for_marker")
    others = [str(c) for c in scores.columns if c != marker]
    if marker not in scores.columns or len(others) < 2:
        raise DataContractError(
            f"adjust_for_marker: marker= is '{marker}' beside {listing(others)}; a column of "
            f"scores= and two others are needed.{nearest(marker, map(str, scores.columns))}"
        )
    if rule not in get_args(Rule):
        raise DataContractError(
            f"adjust_for_marker: rule= is '{rule}'; allowed are {listing(get_args(Rule))}."
            f"{nearest(rule, get_args(Rule))} Choose one of them."
        )
    frame = scores[[*others, marker]]
    values, dropped = complete_rows(frame, function="adjust_for_marker", least_rows=5)
    n = len(values)
    corr = pd.DataFrame(np.corrcoef(values.T), index=frame.columns, columns=frame.columns)
    own = corr.loc[others, marker]
    place = own.abs().sort_values(kind="stable").index[0 if rule == "smallest" else 1]
    r_m = abs(float(own[place]))
    high = float(np.tanh(np.arctanh(r_m) + stats.norm.ppf((1 + level) / 2) / np.sqrt(n - 3)))
    observed = corr.loc[others, others]
    return MarkerAdjustment(
        marker=marker,
        r_marker=r_m,
        r_marker_high=high,
        taken_from=str(place),
        marker_correlations=own,
        corr=observed,
        adjusted=_adjusted(observed, r_m),
        adjusted_high=_adjusted(observed, high),
        pairs=_pairs(observed, r_m, high, n, level),
        n_used=n,
        n_dropped=dropped,
        rule=rule,
        level=level,
    )


def _adjusted(corr: pd.DataFrame, r_marker: float) -> pd.DataFrame:
    """Return a whole matrix of adjusted correlations, ones on the diagonal."""
    values = partial_for_marker(corr.to_numpy(), r_marker)
    return pd.DataFrame(values, index=corr.index, columns=corr.columns)


def _pairs(corr: pd.DataFrame, r_m: float, high: float, n: int, level: float) -> pd.DataFrame:
    """Return every pair once, as observed and adjusted, with tests."""
    names = list(corr.columns)
    first, second = np.triu_indices(len(names), 1)
    r = corr.to_numpy()[first, second]
    plain = 2 * stats.t.sf(np.abs(r) / np.sqrt((1 - r**2) / (n - 2)), n - 2)
    less, least = partial_for_marker(r, r_m), partial_for_marker(r, high)
    p_less, p_least = marker_p_value(less, n=n), marker_p_value(least, n=n)
    return pd.DataFrame(
        {
            "a": [names[i] for i in first],
            "b": [names[j] for j in second],
            "r": r,
            "p_value": plain,
            "r_adjusted": less,
            "p_adjusted": p_less,
            "r_adjusted_high": least,
            "p_adjusted_high": p_least,
            "lost": (plain < 1 - level) & (p_less >= 1 - level),
        }
    )


def path_coefficients(
    corr: pd.DataFrame, equations: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], float]:
    """Return standardised regression weights of every equation from a correlation matrix.

    ``beta = R_xx^-1 r_xy`` for each outcome. Keys are (outcome, predictor). Checked against
    statsmodels on standardised scores. An equation whose predictors are collinear after the
    adjustment raises ``DataContractError``.
    """
    out: dict[tuple[str, str], float] = {}
    for outcome, predictors in equations.items():
        names = list(predictors)
        inner = corr.loc[names, names].to_numpy(dtype=float)
        if float(np.linalg.eigvalsh(inner)[0]) <= 1e-8:
            raise DataContractError(
                f"path_coefficients: corr= of {listing(names)} is not positive definite; the "
                "predictors of an equation must not determine each other. Take one out."
            )
        weights = np.linalg.solve(inner, corr.loc[names, outcome].to_numpy(dtype=float))
        out |= {(outcome, name): float(w) for name, w in zip(names, weights, strict=True)}
    return out
