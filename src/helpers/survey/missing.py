"""Missing answers: how many, in which patterns, and whether they depend on what is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataContractError, Unavailable, listing
from helpers.i18n import _
from helpers.memo import remembered
from helpers.survey.intervals import wilson_interval
from helpers.survey.normal_em import NormalMoments, complete_moments
from helpers.survey.normality import told_p
from helpers.survey.pairwise import check_names
from helpers.survey.readers.answers import NOT_ANSWERED
from helpers.survey.readers.wenjuanxing import SKIPPED
from helpers.thresholds import LEVEL, THRESHOLDS

NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class LittleResult:
    """Little's test that answers are missing completely at random.

    Attributes
    ----------
    statistic, df, p_value : float, int, float
        Chi-square with its degrees of freedom.
    n_patterns : int
        Distinct patterns of blanks, the complete one included.
    n_used, n_dropped : int
        Respondents with at least one answer; those with none.
    moments : NormalMoments
        The EM estimates behind the statistic.
    method : str
        What was computed.
    """

    statistic: float
    df: int
    p_value: float
    n_patterns: int
    n_used: int
    n_dropped: int
    moments: NormalMoments
    method: str = "Little (1988), moments by EM"

    def text(self) -> str:
        """Return one sentence in the current language."""
        verdict = (
            _("the blanks are compatible with being missing completely at random")
            if self.p_value >= 1 - LEVEL
            else _("the blanks are not missing completely at random")
        )
        return _(
            "Little's test gives chi-square({df}) = {chi:.1f}, p {p}, over {k} patterns of {n} "
            "respondents: {verdict}."
        ).format(
            df=self.df,
            chi=self.statistic,
            p=told_p(self.p_value),
            k=self.n_patterns,
            n=self.n_used,
            verdict=verdict,
        )


def blanks_by_reason(
    responses: pd.DataFrame, reasons: pd.DataFrame, *, was_asked: pd.DataFrame
) -> pd.DataFrame:
    """Keep apart why cells are blank: not asked, refused, outside the scale, simply left blank.

    Parameters
    ----------
    responses : DataFrame
        Cleaned answers with ``respondent_id``.
    reasons : DataFrame
        Columns ``respondent_id, item, reason``, as ``Study.reasons``.
    was_asked : DataFrame of bool, shape (n_respondents, n_items)
        As from ``asked``; its columns are the items counted.

    Returns
    -------
    DataFrame
        Columns ``reason, cells, items, respondents, is_missing``: most frequent first. A cell
        behind a branch that was not taken has the reason ``NOT_ASKED`` whatever the file says;
        ``is_missing`` is False for it and for what the platform skipped.
    """
    items = list(was_asked.columns)
    blank = responses[items].isna()
    rows, columns = np.nonzero(blank.to_numpy())
    found = pd.DataFrame(
        {"respondent_id": responses["respondent_id"].to_numpy()[rows],
         "item": np.array(items, dtype=object)[columns],
         "asked": was_asked.to_numpy()[rows, columns]}
    )  # fmt: skip
    known = reasons.drop_duplicates(["respondent_id", "item"])
    found = found.merge(known, on=["respondent_id", "item"], how="left")
    found["reason"] = found["reason"].fillna(NOT_ANSWERED).where(found["asked"], NOT_ASKED)
    table = found.groupby("reason").agg(
        cells=("item", "size"), items=("item", "nunique"), respondents=("respondent_id", "nunique")
    )
    table = table.sort_values("cells", ascending=False, kind="stable").reset_index()
    return table.assign(is_missing=~table["reason"].isin([NOT_ASKED, SKIPPED]))


@remembered
def describe_missing(
    responses: pd.DataFrame, *, items: list[str], was_asked: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Count blanks by item among those asked.

    Returns
    -------
    DataFrame
        Columns ``item, n_asked, n_answered, n_missing, share, ci_low, ci_high`` (Wilson interval
        at the suite's level), the item with the largest share first.
    """
    base = pd.DataFrame(True, index=responses.index, columns=items)
    base = base if was_asked is None else was_asked[items]
    rows = []
    for item in items:
        n = int(base[item].sum())
        blank = int((responses[item].isna() & base[item]).sum())
        low, high = wilson_interval(blank, n)
        rows.append((item, n, n - blank, blank, blank / n if n else np.nan, low, high))
    columns = ["item", "n_asked", "n_answered", "n_missing", "share", "ci_low", "ci_high"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("share", ascending=False, kind="stable", ignore_index=True)


@remembered
def missing_patterns(responses: pd.DataFrame, *, items: list[str]) -> pd.DataFrame:
    """Count the patterns of blanks.

    Returns
    -------
    DataFrame
        Columns ``pattern`` (blank items joined by blanks; empty for the complete pattern),
        ``n_blank, n, share``, most frequent first.
    """
    blank = responses[items].isna().to_numpy()
    unique, counts = np.unique(blank, axis=0, return_counts=True)
    rows = [
        (" ".join(np.array(items)[row]), int(row.sum()), int(n), n / len(blank))
        for row, n in zip(unique, counts)
    ]
    table = pd.DataFrame(rows, columns=["pattern", "n_blank", "n", "share"])
    return table.sort_values(["n", "n_blank"], ascending=[False, True], ignore_index=True)


@remembered
def little_test(responses: pd.DataFrame, *, items: list[str]) -> LittleResult | Unavailable:
    """Test whether answers are missing completely at random (Little 1988).

    ``d2 = sum_j n_j (mean_j - mu_j)' Sigma_jj^-1 (mean_j - mu_j)`` over the patterns ``j``, with
    the EM estimates of ``mu`` and ``Sigma`` (maximum likelihood, divisor n) cut to the items that
    the pattern has; df = ``sum_j p_j - p``.

    Parameters
    ----------
    responses : DataFrame, shape (n_respondents, ...)
        Cleaned answers.
    items : list of str
        Numeric items to test together.

    Returns
    -------
    LittleResult or Unavailable
        Unavailable without any blank, or if no item is answered in two patterns: then there is
        nothing to test.

    Raises
    ------
    DataContractError
        Fewer than two items, one named twice, an item without answers or without spread, or fewer
        respondents than items.

    Notes
    -----
    Missing-data rule: rows without any answer carry no information and are dropped and counted.
    The test assumes normality, is sensitive to it in small patterns, and cannot tell missing at
    random from not at random. Little's paper scales Sigma by n / (n - 1); like the usual
    programs we use the maximum-likelihood Sigma, so d2 is larger by that factor. Checked against
    ``tests/reference/survey.R`` (EM moments by R lavaan, statistic by matrix algebra in R), and
    against R's ``airquality``, for which the R package naniar prints 35.1 with 14 df, p = .00142.

    References
    ----------
    Little (1988), doi:10.1080/01621459.1988.10478722.
    """
    check_names(items, "little_test")
    frame = responses[items].astype(float)
    kept = frame[frame.notna().any(axis=1)]
    _check_testable(kept)
    values = kept.to_numpy()
    if not np.isnan(values).any():
        return Unavailable(_("Little's test"), _("no answer is missing"))
    observed = ~np.isnan(values)
    patterns = np.unique(observed, axis=0)
    if patterns.sum() == values.shape[1]:
        return Unavailable(_("Little's test"), _("no item is answered in two patterns of blanks"))
    moments = complete_moments(values)
    statistic, degrees, n_patterns = 0.0, -values.shape[1], 0
    for pattern in patterns:
        rows = values[(observed == pattern).all(axis=1)][:, pattern]
        gap = rows.mean(axis=0) - moments.mean[pattern]
        sigma = moments.cov[np.ix_(pattern, pattern)]
        statistic += len(rows) * float(gap @ np.linalg.solve(sigma, gap))
        degrees += int(pattern.sum())
        n_patterns += 1
    p_value = float(stats.chi2.sf(statistic, degrees))
    return LittleResult(
        statistic, degrees, p_value, n_patterns, len(kept), len(frame) - len(kept), moments
    )


def estimate_missing_predictors(
    responses: pd.DataFrame,
    *,
    items: list[str],
    predictors: pd.DataFrame,
    was_asked: pd.DataFrame | None = None,
) -> pd.DataFrame | Unavailable:
    """Ask whether blanks depend on what is known: one logit an item, all predictors together.

    The outcome is "blank"; predictors are standardised, so an odds ratio belongs to one standard
    deviation. The likelihood-ratio test compares with the model without predictors. Items blank
    for fewer than ``missing_events`` respondents a predictor are left out (too few events), and
    with ``was_asked`` (see ``asked``) people who were not asked. An item does not predict itself.

    Returns
    -------
    DataFrame or Unavailable
        Columns ``item, n_used, n_missing, chi2, df, p_value, p_holm, q_value, strongest,
        odds_ratio, ci_low, ci_high``: p adjusted for the familywise error (Holm), and for the
        false discovery rate (Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x);
        the strongest predictor is the one with the largest absolute z. Unavailable if no
        item has enough blanks.

    Notes
    -----
    Missing-data rule: rows with a blank predictor are dropped. A dependence found here argues
    against "completely at random" and for FIML or imputation with these predictors; its absence
    proves nothing. Checked against R ``glm(family = binomial)``: ``tests/reference/survey.R``.
    """
    rows = []
    for item in items:
        base = was_asked[item] if was_asked is not None else pd.Series(True, responses.index)
        known = predictors[base].drop(columns=item, errors="ignore").dropna()
        known = known.loc[:, known.std() > 0]
        blank = responses.loc[known.index, item].isna().astype(float)
        least = THRESHOLDS["missing_events"].value * known.shape[1]
        if known.shape[1] and min(blank.sum(), (1 - blank).sum()) >= least:
            spread = (known - known.mean()) / known.std()
            rows.append({"item": item, **_logit(blank, spread)})
    if not rows:
        why = _("no item has enough blanks for {k} predictors").format(k=predictors.shape[1])
        if predictors.empty:
            why = _("the study file names no controls that could explain blanks")
        return Unavailable(_("a model of who leaves answers blank"), why)
    table = pd.DataFrame(rows)
    p_values = table["p_value"].to_numpy()
    table.insert(6, "p_holm", _holm(p_values))
    table.insert(7, "q_value", stats.false_discovery_control(p_values))
    return table


def _logit(blank: pd.Series, predictors: pd.DataFrame) -> dict[str, object]:
    """Fit one logit and return its row."""
    import statsmodels.api as sm

    fit = sm.Logit(blank, sm.add_constant(predictors)).fit(disp=0)
    strongest = fit.tvalues.drop("const").abs().idxmax()
    low, high = fit.conf_int(1 - LEVEL).loc[strongest]
    return {
        "n_used": int(fit.nobs),
        "n_missing": int(blank.sum()),
        "chi2": float(fit.llr),
        "df": int(fit.df_model),
        "p_value": float(fit.llr_pvalue),
        "strongest": strongest,
        "odds_ratio": float(np.exp(fit.params[strongest])),
        "ci_low": float(np.exp(low)),
        "ci_high": float(np.exp(high)),
    }


def _holm(p: np.ndarray) -> np.ndarray:
    """Return Holm's adjusted p-values (Holm 1979)."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    out = np.empty_like(p)
    out[order] = np.minimum(stepped, 1.0)
    return out


def _check_testable(frame: pd.DataFrame) -> None:
    """Raise if moments cannot be estimated from these items."""
    flat = [c for c in frame if not frame[c].std() > 0]
    if frame.shape[1] < 2 or flat or len(frame) <= frame.shape[1]:
        raise DataContractError(
            f"little_test: items= {listing(frame.columns)} with {len(frame)} rows, without spread: "
            f"{listing(flat) or 'none'}; at least 2 items that vary and more rows than items are "
            "needed. Choose other items."
        )
