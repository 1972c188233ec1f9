"""Convergent and discriminant validity from a confirmatory factor model, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from helpers.errors import EstimationError, ModelSpecError, Unavailable
from helpers.measurement.validity import fornell_larcker
from helpers.memo import remembered
from helpers.sem.compare import compare
from helpers.sem.fit import fit
from helpers.sem.result import SemResult
from helpers.sem.standardize import standard_jacobian
from helpers.thresholds import THRESHOLDS

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class LatentValidity:
    """Validity of the constructs of one confirmatory factor model.

    Attributes
    ----------
    constructs : DataFrame
        One row a construct: construct, n_items, cr, cr_low, cr_high, ave, ave_low, ave_high.
    loadings : DataFrame
        One row an item: construct, item, loading (standardised), se, ci_low, ci_high.
    pairs : DataFrame
        One row a pair: a, b, r (latent correlation), se, ci_low, ci_high, grade. ``grade`` holds
        the interval against the cut-offs: ``"none"``, ``"marginal"``, ``"moderate"``, ``"severe"``
        problem of discriminant validity.
    correlations : DataFrame, shape (k, k)
    n_used, n_dropped : int
    method : str
        The estimator of the model.
    level : float
    """

    constructs: pd.DataFrame
    loadings: pd.DataFrame
    pairs: pd.DataFrame
    correlations: pd.DataFrame
    n_used: int
    n_dropped: int
    method: str
    level: float

    def table(self) -> pd.DataFrame:
        """Return one row a construct."""
        return self.constructs

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def fornell_larcker(self) -> pd.DataFrame:
        """Return the Fornell-Larcker table: root AVE against **latent** correlations."""
        ave = dict(zip(self.constructs["construct"], self.constructs["ave"], strict=True))
        return fornell_larcker(ave, self.correlations)


@remembered
def latent_validity(result: SemResult) -> LatentValidity:
    """Return CR, AVE and latent correlations of a fitted measurement model, with intervals.

    ``CR = (sum l)^2 / ((sum l)^2 + sum(1 - l^2))`` and ``AVE = mean(l^2)`` from standardised
    loadings l (Fornell & Larcker 1981); correlations are the standardised covariances of the
    latents. All standard errors by the delta method from the covariance of the parameters, so that
    they are robust where the fit was.

    Parameters
    ----------
    result : SemResult
        One group, converged, each latent with two observed items and more, all latents correlated
        (or predicting one another: then the model-implied correlations, without an interval).

    Raises
    ------
    ModelSpecError
        Several groups, or fewer than two latents with two items.
    EstimationError
        The model has no standard errors.

    Notes
    -----
    Checked against lavaan (``standardizedSolution`` and ``:=``): tests/reference/validity.R.
    Grades by Rönkkö & Cho (2022), doi:10.1177/1094428120968614: a problem is marginal where the
    interval of the size of r reaches .80, moderate at .90, severe at 1.
    """
    blocks = _blocks(result)
    if isinstance(result.vcov, Unavailable):
        raise EstimationError(
            f"latent_validity: result= has no standard errors ({result.vcov.why}); intervals need "
            "them. Look at the problems of the fit."
        )
    jac = standard_jacobian(result.table, result.model, result.states, result.theta)
    cov = jac @ result.vcov @ jac.T
    half = float(ndtri(0.5 + result.level / 2))
    correlations = _latent_correlations(result, list(blocks))
    return LatentValidity(
        constructs=pd.DataFrame([_construct(n, b, result, cov, half) for n, b in blocks.items()]),
        loadings=_loadings(blocks, result),
        pairs=_pairs(correlations, result, half),
        correlations=correlations,
        n_used=result.n_obs,
        n_dropped=result.n_dropped,
        method=result.estimator,
        level=result.level,
    )


def _blocks(result: SemResult) -> dict[str, list[int]]:
    """Return construct -> places of its loadings among the rows of the model."""
    if result.n_groups > 1:
        raise ModelSpecError(
            f"latent_validity: result= has {result.n_groups} groups; one is needed. Fit without "
            "group=."
        )
    found: dict[str, list[int]] = {}
    for k, row in enumerate(result.table.rows):
        if row.op == "=~" and row.rhs in result.observed:
            found.setdefault(row.lhs, []).append(k)
    used = {name: places for name, places in found.items() if len(places) > 1}
    if len(used) < 2:
        raise ModelSpecError(
            f"latent_validity: result= has {len(used)} construct(s) with at least two items; two "
            "are needed to tell constructs apart."
        )
    return used


def _construct(
    name: str, places: list[int], result: SemResult, cov: Array, half: float
) -> dict[str, Any]:
    """Return CR and AVE of one construct with delta-method intervals."""
    loadings = result.standard_values.std_all[places]
    own = cov[np.ix_(places, places)]
    total, errors = float(loadings.sum()), float(np.sum(1 - loadings**2))
    below = total**2 + errors
    cr, ave = total**2 / below, float(np.mean(loadings**2))
    slope_cr = 2 * total * errors / below**2 + 2 * loadings * total**2 / below**2
    slope_ave = 2 * loadings / len(loadings)
    se_cr, se_ave = (float(np.sqrt(max(s @ own @ s, 0.0))) for s in (slope_cr, slope_ave))
    return {
        "construct": name, "n_items": len(places),
        "cr": cr, "cr_low": cr - half * se_cr, "cr_high": cr + half * se_cr,
        "ave": ave, "ave_low": ave - half * se_ave, "ave_high": ave + half * se_ave,
    }  # fmt: skip


def _loadings(blocks: dict[str, list[int]], result: SemResult) -> pd.DataFrame:
    """Return standardised loadings with intervals."""
    places = [k for own in blocks.values() for k in own]
    rows = result.standardized.iloc[places]
    rows = rows.rename(columns={"lhs": "construct", "rhs": "item", "est_std": "loading"})
    return rows[["construct", "item", "loading", "se", "ci_low", "ci_high"]].reset_index(drop=True)


def _latent_correlations(result: SemResult, names: list[str]) -> pd.DataFrame:
    """Return the model-implied correlations of the latents."""
    cov = next(iter(result.implied.values()))["latent_cov"].loc[names, names]
    sd = np.sqrt(np.diag(cov.to_numpy()))
    return pd.DataFrame(cov.to_numpy() / np.outer(sd, sd), index=names, columns=names)


def _pairs(correlations: pd.DataFrame, result: SemResult, half: float) -> pd.DataFrame:
    """Return every pair with its correlation, interval and grade; largest first."""
    table = result.standardized
    own = table[(table["op"] == "~~") & (table["lhs"] != table["rhs"])]
    errors = {frozenset(pair): se for *pair, se in zip(own["lhs"], own["rhs"], own["se"])}
    predicted = {row.lhs for row in result.table.rows if row.op == "~"}
    rows = []
    names = list(correlations.columns)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            free = not {a, b} & predicted
            se = float(errors.get(frozenset((a, b)), np.nan)) if free else np.nan
            r = float(correlations.loc[a, b])
            low, high = r - half * se, r + half * se
            rows.append({"a": a, "b": b, "r": r, "se": se, "ci_low": low, "ci_high": high,
                         "grade": grade_of(low, high)})  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame.loc[frame["r"].abs().sort_values(ascending=False).index].reset_index(drop=True)


def grade_of(low: float, high: float) -> str:
    """Return how far an interval of a latent correlation reaches toward 1, in size."""
    reach = max(abs(low), abs(high))
    if np.isnan(reach):
        return "unknown"
    if reach >= 1:
        return "severe"
    if reach >= THRESHOLDS["latent_r_high"].value:
        return "moderate"
    return "marginal" if reach >= THRESHOLDS["latent_r"].value else "none"


@remembered
def distinctness_tests(
    text: str, data: pd.DataFrame, pairs: pd.DataFrame, *, most: int = 12
) -> pd.DataFrame:
    """Test for each pair of constructs whether they may be one.

    Two restricted models a pair, each against the free one by a chi-square difference: the
    correlation fixed at 1 (at -1 for a negative one; 1 degree of freedom), and the two merged into
    one factor (k - 1 degrees of freedom for k factors).

    Parameters
    ----------
    text : str
        A measurement model: ``=~`` lines alone, latents correlated freely.
    data : DataFrame
        Its items; complete rows are used.
    pairs : DataFrame
        Columns a, b, r, as ``LatentValidity.pairs``; the first ``most`` are tested.

    Returns
    -------
    DataFrame
        a, b, r, chisq_phi, df_phi, p_phi, chisq_merged, df_merged, p_merged (NaN where a
        restricted model does not converge), n_used.

    Notes
    -----
    Plain ML. The covariance parameter is not bounded at 1, so the difference has its usual
    distribution. Small p: the two are not one, which is less than being well apart. Anderson &
    Gerbing (1988), doi:10.1037/0033-2909.103.3.411. Checked against lavaan:
    tests/reference/validity.R.
    """
    blocks = {row[0].strip(): row[1] for row in (line.split("=~") for line in text.splitlines())}
    kept = data.astype(float).dropna()
    items = [i.strip() for own in blocks.values() for i in own.split("+")]
    moments = {"sample_cov": kept[items].cov(), "n_obs": len(kept[items])}
    free = fit(text, **moments, std_lv=True)
    rows = []
    for a, b, r in pairs[["a", "b", "r"]].head(most).itertuples(index=False):
        one = f"{text}\n{a} ~~ {1 if r >= 0 else -1}*{b}"
        merged = {k: v for k, v in blocks.items() if k not in (a, b)}
        joined = {a: f"{blocks[a]} + {blocks[b]}", **merged}
        whole = "\n".join(f"{k} =~ {v}" for k, v in joined.items())
        row: dict[str, Any] = {"a": a, "b": b, "r": r}
        for name, own in (("phi", one), ("merged", whole)):
            row |= {f"{k}_{name}": v for k, v in _difference(own, free, moments).items()}
        rows.append(row | {"n_used": len(kept)})
    return pd.DataFrame(rows)


def _difference(text: str, free: SemResult, moments: dict[str, Any]) -> dict[str, float]:
    """Return the chi-square difference of a restricted model; NaN where it has no solution."""
    try:
        restricted = fit(text, **moments, std_lv=True)
        if restricted.converged:
            found = compare(restricted, free)
            p = np.nan if isinstance(found.p_value, Unavailable) else found.p_value
            return {"chisq": found.chisq_diff, "df": found.df_diff, "p": p}
    except EstimationError:  # no solution under the restriction: reported as a blank row
        pass
    return {"chisq": np.nan, "df": np.nan, "p": np.nan}
