"""What was expected against what was perceived: gaps, their reliability, an index, a zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, EstimationError, check_level
from helpers.memo import remembered
from helpers.regression.least_squares import fit_least_squares
from helpers.regression.relative import raw_relative_weights
from helpers.regression.subsets import complete_numbers
from helpers.resampling import check_draws, resampled_counts
from helpers.survey.intervals import wilson_interval
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

LEAST = 10


@dataclass(frozen=True, slots=True)
class GapIndex:
    """One number for all gaps, plain and weighted.

    Attributes
    ----------
    weights : DataFrame
        code, weight (share of R² of the outcome), weight_low, weight_high.
    plain, plain_low, plain_high : float
        Mean of the gaps of the dimensions.
    weighted, weighted_low, weighted_high : float
        Sum of weight times gap; the weights are estimated anew in every draw.
    n_used, n_dropped : int
    n_boot, n_failed, seed : int
    level : float
    """

    weights: pd.DataFrame
    plain: float
    plain_low: float
    plain_high: float
    weighted: float
    weighted_low: float
    weighted_high: float
    n_used: int
    n_dropped: int
    n_boot: int
    n_failed: int
    seed: int
    level: float


@dataclass(frozen=True, slots=True)
class GapModels:
    """Does the outcome go with the gap, or with what was perceived alone?

    Attributes
    ----------
    table : DataFrame
        model (``gap perceived both``), n_parameters, r2, adj_r2, aic.
    gap_f, gap_p : float
        Robust Wald F that expectation and perception have equal and opposite weights.
    expected_f, expected_p : float
        The same that expectations have no weight.
    df : int
        Numerator degrees of freedom of both.
    n_used, n_dropped : int
    """

    table: pd.DataFrame
    gap_f: float
    gap_p: float
    expected_f: float
    expected_p: float
    df: int
    n_used: int
    n_dropped: int

    def r2(self, model: str) -> float:
        """Return R² of one model."""
        return float(self.table.set_index("model").loc[model, "r2"])


def paired_gaps(
    expected: pd.DataFrame, perceived: pd.DataFrame, *, high: float, level: float = LEVEL
) -> pd.DataFrame:
    """Return perceived less expected of each column, with the interval of a paired difference.

    Parameters
    ----------
    expected, perceived : DataFrame, shape (n, k)
        The same k codes in the same order. A blank on one side leaves the pair out; counted.
    high : float
        Upper end of the answer scale: who expects as much cannot be exceeded.
    level : float

    Returns
    -------
    DataFrame
        code, expected, expected_low, expected_high, perceived (and ends), gap, ci_low, ci_high, sd,
        dz (gap over the standard deviation of the differences), r, short, short_low, short_high
        (share of customers who got less than expected, Wilson), ceiling (share who expect the
        utmost), n_used, n_dropped.

    Raises
    ------
    DataContractError
        Columns that do not match, or fewer than ten pairs.

    Notes
    -----
    Parasuraman, Zeithaml & Berry (1988). Checked against R ``t.test(paired = TRUE)``:
    tests/reference/gaps.R.
    """
    check_level(level, "paired_gaps")
    if list(expected.columns) != list(perceived.columns) or len(expected) != len(perceived):
        raise DataContractError(
            f"paired_gaps: expected= has {list(expected.columns)} and perceived= "
            f"{list(perceived.columns)}; the same codes and rows are needed. Correct "
            "service.servqual in study.yml."
        )
    return pd.DataFrame(
        [_gap(code, expected[code], perceived[code], high, level) for code in expected]
    )


def _gap(
    code: str, expected: pd.Series, perceived: pd.Series, high: float, level: float
) -> dict[str, object]:
    """Return one gap."""
    pair = pd.DataFrame({"e": expected, "p": perceived}).astype(float).dropna()
    n = len(pair)
    if n < LEAST:
        raise DataContractError(
            f"paired_gaps: expected= and perceived= have {n} pairs for '{code}'; at least {LEAST} "
            "are needed. Leave it out."
        )
    row: dict[str, object] = {"code": code}
    difference = pair["p"] - pair["e"]
    for name, values in (("expected", pair["e"]), ("perceived", pair["p"]), ("gap", difference)):
        mean, low, high_end = _mean(values, level)
        ends = ("ci_low", "ci_high") if name == "gap" else (f"{name}_low", f"{name}_high")
        row |= {name: mean, ends[0]: low, ends[1]: high_end}
    sd = float(difference.std(ddof=1))
    less = int((difference < 0).sum())
    low, high_end = wilson_interval(less, n, level=level)
    return row | {
        "sd": sd, "dz": float(difference.mean()) / sd if sd > 0 else float("nan"),
        "r": float(pair["e"].corr(pair["p"])), "short": less / n, "short_low": low,
        "short_high": high_end, "ceiling": float((pair["e"] >= high).mean()), "n_used": n,
        "n_dropped": len(expected) - n,
    }  # fmt: skip


def _mean(values: pd.Series, level: float) -> tuple[float, float, float]:
    """Return a mean with Student's interval."""
    n = len(values)
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return float(values.mean()), float(values.mean()) - half, float(values.mean()) + half


def difference_reliability(
    reliability: tuple[float, float], sds: tuple[float, float], r: float
) -> float:
    """Return the reliability of a difference of two measures.

    ``(s1² r11 + s2² r22 - 2 r s1 s2) / (s1² + s2² - 2 r s1 s2)``: the closer the two measures go
    together, the less is left in their difference but error (Peter, Churchill & Brown 1993,
    doi:10.1086/209329).

    Parameters
    ----------
    reliability, sds : (float, float)
        Of both measures.
    r : float
        Their correlation.

    Raises
    ------
    EstimationError
        The difference does not vary.

    Examples
    --------
    >>> round(difference_reliability((0.8, 0.8), (1.0, 1.0), 0.5), 2)
    0.6
    """
    (r1, r2), (s1, s2) = reliability, sds
    common = 2 * r * s1 * s2
    whole = s1**2 + s2**2 - common
    if not whole > 0:
        raise EstimationError(
            "difference_reliability: sds= and r= leave a difference without variance; two measures "
            "that differ are needed. Look at the answers of both."
        )
    return float((s1**2 * r1 + s2**2 * r2 - common) / whole)


@remembered
def gap_index(
    gaps: pd.DataFrame,
    perceived: pd.DataFrame,
    outcome: pd.Series,
    *,
    n_boot: int = 5000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> GapIndex:
    """Return the mean gap and the gap weighted by what goes with the outcome.

    Parameters
    ----------
    gaps, perceived : DataFrame, shape (n, k)
        By dimension, under the same codes.
    outcome : Series, shape (n,)
        Rows with a blank anywhere are left out and counted.
    n_boot, seed : int
        Rows drawn with replacement; weights and gaps are taken anew from each draw.
    level : float

    Notes
    -----
    The weights are relative weights (Johnson 2000, doi:10.1207/S15327906MBR3501_1) of the
    perceptions for the outcome: derived, not asked for; they add up to one.
    """
    check_level(level, "gap_index")
    codes = list(gaps.columns)
    names = [f"gap {code}" for code in codes]
    own = "outcome" if outcome.name is None or outcome.name in codes else str(outcome.name)
    data = pd.concat([gaps.set_axis(names, axis=1), perceived[codes], outcome.rename(own)], axis=1)
    values, dropped = _complete(data, names, codes)
    k = len(codes)
    weights = _shares(np.corrcoef(values[:, k:].T))
    means = values[:, :k].mean(axis=0)
    check_draws(n_boot, "gap_index")
    drawn_means, drawn_weights, failed = _resampled(values, k, n_boot, seed)
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(drawn_weights, ends, axis=0)
    plain = np.quantile(drawn_means.mean(axis=1), ends)
    weighted = np.quantile((drawn_means * drawn_weights).sum(axis=1), ends)
    return GapIndex(
        weights=pd.DataFrame(
            {"code": codes, "weight": weights, "weight_low": low, "weight_high": high}
        ),
        plain=float(means.mean()), plain_low=float(plain[0]), plain_high=float(plain[1]),
        weighted=float(means @ weights), weighted_low=float(weighted[0]),
        weighted_high=float(weighted[1]), n_used=len(values), n_dropped=dropped, n_boot=n_boot,
        n_failed=failed, seed=seed, level=level,
    )  # fmt: skip


def _complete(data: pd.DataFrame, names: list[str], codes: list[str]) -> tuple[Array, int]:
    """Return complete rows: gaps, then perceptions and outcome, which are checked."""
    kept = data.astype(float).dropna()
    checked, _none = complete_numbers(kept, kept.columns[-1], codes, caller="gap_index")
    return np.column_stack([kept[names].to_numpy(), checked]), len(data) - len(kept)


def _shares(correlations: Array) -> Array:
    """Return relative weights as shares of R²."""
    weights = raw_relative_weights(correlations)
    return weights / weights.sum(axis=-1, keepdims=True)


def _resampled(values: Array, k: int, n_boot: int, seed: int) -> tuple[Array, Array, int]:
    """Return gap means and weights of resampled rows; draws without variance are counted."""
    n = len(values)
    z = (values[:, k:] - values[:, k:].mean(axis=0)) / values[:, k:].std(axis=0)
    p = z.shape[1]
    columns = np.column_stack([values[:, :k], z, (z[:, :, None] * z[:, None, :]).reshape(n, -1)])
    rng = np.random.default_rng(seed)
    means, weights = [], []
    for counts in resampled_counts(n, n_boot, rng):
        sums = counts @ columns / n
        centre = sums[:, k : k + p]
        cov = sums[:, k + p :].reshape(-1, p, p) - centre[:, :, None] * centre[:, None, :]
        sd = np.sqrt(np.einsum("bii->bi", cov).clip(min=0))
        sound = (sd > 1e-8).all(axis=1)
        means.append(sums[sound, :k])
        scale = sd[sound]
        weights.append(_shares(cov[sound] / scale[:, :, None] / scale[:, None, :]))
    kept = np.concatenate(means)
    return kept, np.concatenate(weights), n_boot - len(kept)


def gap_models(expected: pd.DataFrame, perceived: pd.DataFrame, outcome: pd.Series) -> GapModels:
    """Compare gaps, perceptions alone, and both freely, as predictors of the outcome.

    The gap model is the free one with equal and opposite weights. Whether the data bear that out is
    tested in the free model written as gaps and perceptions: then the weights of the perceptions
    must be zero (Edwards & Parry 1993, doi:10.2307/256822). That perceptions alone do as well is
    Cronin & Taylor's (1992, doi:10.1177/002224299205600304) claim: the weights of the expectations
    must be zero.

    Parameters
    ----------
    expected, perceived : DataFrame, shape (n, k)
        By dimension, under the same codes; rows with a blank anywhere are left out and counted.
    outcome : Series, shape (n,)

    Notes
    -----
    Wald tests with HC3 covariance; checked against R ``lm`` with ``car::linearHypothesis``:
    tests/reference/gaps.R.
    """
    codes = list(expected.columns)
    e = expected.set_axis([f"e {code}" for code in codes], axis=1)
    p = perceived[codes].set_axis([f"p {code}" for code in codes], axis=1)
    rows = pd.concat([e, p, outcome.rename("_y")], axis=1).astype(float).dropna()
    gaps = pd.DataFrame(
        rows[p.columns].to_numpy() - rows[e.columns].to_numpy(), index=rows.index,
        columns=[f"g {code}" for code in codes],
    )  # fmt: skip
    own, y, k = rows[p.columns], rows["_y"], len(codes)
    fits = {
        "gap": fit_least_squares(y, gaps),
        "perceived": fit_least_squares(y, own),
        "both": fit_least_squares(y, pd.concat([rows[e.columns], own], axis=1)),
    }
    turned = fit_least_squares(y, pd.concat([gaps, own], axis=1))
    gap_f, gap_p = turned.wald(list(range(1 + k, 1 + 2 * k)))
    expected_f, expected_p = fits["both"].wald(list(range(1, 1 + k)))
    table = pd.DataFrame(
        [(name, len(f.b), f.r2, f.adj_r2, f.aic) for name, f in fits.items()],
        columns=["model", "n_parameters", "r2", "adj_r2", "aic"],
    )
    return GapModels(
        table, gap_f, gap_p, expected_f, expected_p, k, len(rows), len(outcome) - len(rows)
    )


def tolerance_zone(
    adequate: pd.DataFrame, expected: pd.DataFrame, perceived: pd.DataFrame, *,
    level: float = LEVEL,
) -> pd.DataFrame:  # fmt: skip
    """Return where perceptions lie between what would do and what is wished for.

    Parameters
    ----------
    adequate, expected, perceived : DataFrame, shape (n, k)
        Under the same codes. Rows with a blank in any of the three are left out, code by code.

    Returns
    -------
    DataFrame
        code, adequate, expected, perceived (means), adequacy (perceived less adequate) with
        adequacy_low, adequacy_high, superiority (perceived less expected) and its ends, below,
        within, above (shares of customers; within includes both borders), turned (number of
        customers whose adequate level lies above the expected one: they count in the means only),
        n_used.

    Notes
    -----
    Zeithaml, Berry & Parasuraman (1993), doi:10.1177/0092070393211001. Checked by hand.
    """
    check_level(level, "tolerance_zone")
    found = []
    for code in expected:
        rows = pd.DataFrame(
            {"a": adequate[code], "e": expected[code], "p": perceived[code]}
        ).dropna()  # fmt: skip
        if len(rows) < LEAST:
            raise DataContractError(
                f"tolerance_zone: adequate= has {len(rows)} complete rows for '{code}'; at least "
                f"{LEAST} are needed. Leave it out."
            )
        right = rows[rows["a"] <= rows["e"]]
        below, above = (right["p"] < right["a"]).mean(), (right["p"] > right["e"]).mean()
        row: dict[str, object] = {"code": code, "adequate": rows["a"].mean()}
        row |= {"expected": rows["e"].mean(), "perceived": rows["p"].mean()}
        for name, base in (("adequacy", "a"), ("superiority", "e")):
            mean, low, high = _mean(rows["p"] - rows[base], level)
            row |= {name: mean, f"{name}_low": low, f"{name}_high": high}
        row |= {"below": below, "within": 1 - below - above, "above": above}
        found.append(row | {"turned": len(rows) - len(right), "n_used": len(rows)})
    return pd.DataFrame(found)


def expected_mean(thresholds: Sequence[float], shift: float) -> float:
    """Return the mean of steps cut from a standard normal at shifted thresholds, first step 1."""
    return float(1 + stats.norm.sf(np.asarray(thresholds, dtype=float) + shift).sum())
