"""Which recovery goes with more in which group: adjusted means, doubly robust, honestly split.

Nobody was given a recovery by lot. What is compared are people alike in everything adjusted for;
what was not measured may still decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, check_level, listing
from helpers.memo import remembered
from helpers.thresholds import LEVEL, THRESHOLDS

Array = NDArray[np.float64]
LEAST_CHANCE = 0.02
"""Chances of a treatment below it are raised to it, so that nobody counts as more than fifty."""
NORMAL_DRAWS = 40_000
RIDGE = 1.0
"""Penalty on standardised covariates: as much as one further person."""


@dataclass(frozen=True, slots=True)
class Uplift:
    """Treatments compared within groups.

    Attributes
    ----------
    means : DataFrame
        group, treatment, n, raw (plain mean), estimate (adjusted mean), ci_low, ci_high.
    contrasts : DataFrame
        group, treatment, estimate (adjusted mean less that of the reference), se, ci_low, ci_high,
        joint_low, joint_high (all contrasts at once), p_value, p_adjusted.
    differences : DataFrame
        treatment, chisq, df, p_value: do the contrasts differ between groups?
    policy : dict
        Value of giving each group what did best in the other half of the sample, less the value
        of giving everybody what did best there: gain, ci_low, ci_high.
    choice : DataFrame
        group, half (1, 2), treatment: what each half of the sample chose.
    left_out : tuple
        Groups in which a treatment has too few people.
    reference : float
    raised : float
        Share of chances raised to ``LEAST_CHANCE``.
    critical : float
        Multiplier of the joint intervals.
    n_used, n_dropped, folds, seed : int
    level : float
    """

    means: pd.DataFrame
    contrasts: pd.DataFrame
    differences: pd.DataFrame
    policy: dict[str, float]
    choice: pd.DataFrame
    left_out: tuple[object, ...]
    reference: float
    raised: float
    critical: float
    n_used: int
    n_dropped: int
    folds: int
    seed: int
    level: float


def robust_scores(
    outcome: Array,
    treatment: Array,
    covariates: Array,
    codes: Sequence[float],
    *,
    folds: int = 5,
    seed: int = 20261121,
) -> tuple[Array, float]:
    """Return everybody's doubly robust score under each treatment.

    ``m_a(x) + 1[A = a] (y - m_a(x)) / e_a(x)``, with the outcome model ``m`` (least squares within
    the treatment, penalised) and the chance ``e`` (multinomial logit, penalised) both fitted to the
    other folds. The mean of the scores is the adjusted mean; it is consistent if either model is
    right (Robins, Rotnitzky & Zhao 1994, doi:10.1080/01621459.1994.10476818; Chernozhukov et al.
    2018, doi:10.1111/ectj.12097).

    Returns
    -------
    ndarray, shape (n, number of codes), and the share of chances that were raised
    """
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import StratifiedKFold

    scale = covariates.std(axis=0)
    x = (covariates - covariates.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    scores, raised = np.empty((len(outcome), len(codes))), 0.0
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for train, test in split.split(x, treatment):
        chance = LogisticRegression(C=1 / RIDGE, max_iter=1000).fit(x[train], treatment[train])
        found = chance.predict_proba(x[test])[:, np.searchsorted(chance.classes_, codes)]
        raised += float((found < LEAST_CHANCE).sum())
        found = np.maximum(found, LEAST_CHANCE)
        for j, code in enumerate(codes):
            own = train[treatment[train] == code]
            expected = Ridge(alpha=RIDGE).fit(x[own], outcome[own]).predict(x[test])
            got = (treatment[test] == code) / found[:, j]
            scores[test, j] = expected + got * (outcome[test] - expected)
    return scores, raised / scores.size


@remembered
def compare_treatments(
    data: pd.DataFrame,
    *,
    outcome: str,
    treatment: str,
    group: str,
    covariates: Sequence[str],
    codes: Sequence[float] = (),
    folds: int = 5,
    seed: int = 20261121,
    level: float = LEVEL,
) -> Uplift:
    """Compare treatments within groups by doubly robust adjusted means.

    Parameters
    ----------
    data : DataFrame
        Numeric columns; rows with a blank, or with another treatment, are left out and counted.
    outcome, treatment, group : str
        The group must be settled before the treatment; a group made from what came after it
        (such as how the recovery was felt) would hold part of the effect.
    covariates : sequence of str
        Numeric or 0/1 columns settled before the treatment; none is allowed. The group is always
        adjusted for: where it decides who gets which treatment, an adjustment without it would
        compare people of different groups. Columns that are the same for everybody in a group say
        nothing more and are not used.
    codes : sequence of float
        Treatments, the reference first; all, in order, if empty.
    folds, seed : int
    level : float

    Raises
    ------
    DataContractError
        Fewer than two treatments, an outcome that never varies, no group in which each treatment
        has enough people, or folds that are fewer than two or more than a treatment has people.

    Notes
    -----
    Groups in which a treatment has fewer people than ``thresholds`` ask for a group are left out
    and named; their people take no part in anything. Joint intervals use the largest of all
    contrasts in absolute size (Gaussian, from the covariance of the scores). The gain of a choice
    is estimated in the half of the sample that did not make it, both ways round. Checked in samples
    with planted effects (single and joint intervals hold their level, also where the group decides
    the treatment) and by hand.
    """
    check_level(level, "compare_treatments")
    names = [outcome, treatment, group, *covariates]
    order = list(codes) or sorted(data[treatment].dropna().unique())
    if len(order) < 2:
        raise DataContractError(
            f"compare_treatments: codes= are {listing(order)}; at least two treatments are needed. "
            "Name the reference and another one."
        )
    rows = data[data[treatment].isin(order)][names].astype(float).dropna()
    sizes = pd.crosstab(rows[group], rows[treatment]).reindex(columns=order, fill_value=0)
    enough = sizes.min(axis=1) >= THRESHOLDS["group_size"].value
    groups = sizes.index[enough].tolist()
    if not groups:
        raise DataContractError(
            f"compare_treatments: group= '{group}' has no category in which every treatment has "
            f"{THRESHOLDS['group_size'].value:g} people; take larger groups or fewer treatments."
        )
    rows = rows[rows[group].isin(groups)]
    _check_rows(rows, outcome, sizes[enough], folds)
    scores, raised = robust_scores(
        rows[outcome].to_numpy(), rows[treatment].to_numpy(),
        _adjusted_for(rows[list(covariates)], rows[group]), order, folds=folds, seed=seed,
    )  # fmt: skip
    means = _means(rows, scores, outcome, treatment, group, order, groups, level)
    contrasts, critical = _contrasts(scores, rows[group].to_numpy(), groups, order, level, seed)
    policy, choice = _policy(scores, rows[group].to_numpy(), groups, order, level, seed)
    return Uplift(
        means=means, contrasts=contrasts, differences=_differences(contrasts), policy=policy,
        choice=choice, left_out=tuple(sizes.index[~enough].tolist()), reference=float(order[0]),
        raised=raised, critical=critical, n_used=len(rows), n_dropped=len(data) - len(rows),
        folds=folds, seed=seed, level=level,
    )  # fmt: skip


def _check_rows(rows: pd.DataFrame, outcome: str, sizes: pd.DataFrame, folds: int) -> None:
    """Refuse an outcome that never varies, and folds that cannot be made."""
    if rows[outcome].nunique() < 2:
        raise DataContractError(
            f"compare_treatments: outcome= '{outcome}' is {rows[outcome].iloc[0]:g} for everybody; "
            "an outcome must vary. Choose another one."
        )
    fewest = int(sizes.sum().min())
    if not 2 <= folds <= fewest:
        raise DataContractError(
            f"compare_treatments: folds= is {folds}; from 2 to {fewest} are possible, the number "
            "of people with the rarest treatment. Choose 5."
        )


def _adjusted_for(covariates: pd.DataFrame, group: pd.Series) -> Array:
    """Return the covariates that differ within groups, and a 0/1 column for every group."""
    own = covariates.loc[:, (covariates.groupby(group).nunique() > 1).any()]
    return np.column_stack([own.to_numpy(), pd.get_dummies(group, dtype=float).to_numpy()])


def _means(
    rows: pd.DataFrame, scores: Array, outcome: str, treatment: str, group: str,
    codes: Sequence[float], groups: Sequence[float], level: float,
) -> pd.DataFrame:  # fmt: skip
    """Return plain and adjusted means of every treatment in every group."""
    z = stats.norm.ppf(0.5 + level / 2)
    out = []
    for name in groups:
        inside = (rows[group] == name).to_numpy()
        for j, code in enumerate(codes):
            own = rows.loc[inside & (rows[treatment] == code).to_numpy(), outcome]
            mean = float(scores[inside, j].mean())
            half = z * float(scores[inside, j].std(ddof=1)) / np.sqrt(inside.sum())
            out.append(
                {
                    "group": name, "treatment": float(code), "n": len(own), "raw": own.mean(),
                    "estimate": mean, "ci_low": mean - half, "ci_high": mean + half,
                }
            )  # fmt: skip
    return pd.DataFrame(out)


def _contrasts(
    scores: Array, group: Array, groups: Sequence[float], codes: Sequence[float], level: float,
    seed: int,
) -> tuple[pd.DataFrame, float]:  # fmt: skip
    """Return treatments against the reference in every group, with joint intervals."""
    out, blocks = [], []
    for name in groups:
        away = scores[group == name, 1:] - scores[group == name, :1]
        cov = np.atleast_2d(np.cov(away.T)) / len(away)
        blocks.append(cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov))))
        for j, code in enumerate(codes[1:]):
            out.append(
                {
                    "group": name, "treatment": float(code), "estimate": float(away[:, j].mean()),
                    "se": float(np.sqrt(cov[j, j])),
                }
            )  # fmt: skip
    table = pd.DataFrame(out)
    rng = np.random.default_rng(seed)
    width = len(codes) - 1
    draws = [rng.multivariate_normal(np.zeros(width), b, NORMAL_DRAWS) for b in blocks]
    largest = np.abs(np.concatenate(draws, axis=1)).max(axis=1)
    critical = float(np.quantile(largest, level))
    z = (table["estimate"] / table["se"]).abs()
    single = stats.norm.ppf(0.5 + level / 2) * table["se"]
    table["ci_low"], table["ci_high"] = table["estimate"] - single, table["estimate"] + single
    table["joint_low"] = table["estimate"] - critical * table["se"]
    table["joint_high"] = table["estimate"] + critical * table["se"]
    table["p_value"] = 2 * stats.norm.sf(z)
    table["p_adjusted"] = [float((1 + (largest >= one).sum()) / (NORMAL_DRAWS + 1)) for one in z]
    return table, critical


def _differences(contrasts: pd.DataFrame) -> pd.DataFrame:
    """Test for every treatment whether its contrast differs between groups (Cochran's Q)."""
    out = []
    for code, own in contrasts.groupby("treatment", sort=False):
        weight = 1 / own["se"] ** 2
        middle = float((weight * own["estimate"]).sum() / weight.sum())
        chisq = float((weight * (own["estimate"] - middle) ** 2).sum())
        df = len(own) - 1
        p = float(stats.chi2.sf(chisq, df)) if df else float("nan")
        out.append({"treatment": code, "chisq": chisq, "df": df, "p_value": p})
    return pd.DataFrame(out)


def _policy(
    scores: Array, group: Array, groups: Sequence[float], codes: Sequence[float], level: float,
    seed: int,
) -> tuple[dict[str, float], pd.DataFrame]:  # fmt: skip
    """Choose in one half of the sample, value the choice in the other, both ways round."""
    half = np.random.default_rng(seed).permutation(len(group)) % 2
    gains, made = np.zeros(len(group)), []
    for side in (0, 1):
        learn, judge = half == side, half != side
        common = int(scores[learn].mean(axis=0).argmax())
        for name in groups:
            best = int(scores[learn & (group == name)].mean(axis=0).argmax())
            made.append({"group": name, "half": side + 1, "treatment": float(codes[best])})
            own = judge & (group == name)
            gains[own] = scores[own, best] - scores[own, common]
    middle = float(gains.mean())
    width = stats.norm.ppf(0.5 + level / 2) * float(gains.std(ddof=1)) / np.sqrt(len(gains))
    policy = {"gain": middle, "ci_low": middle - width, "ci_high": middle + width}
    return policy, pd.DataFrame(made)
