"""Estimates that speak to hypotheses which no row of a structural model answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import DataContractError, SuiteError, Unavailable, check_level
from helpers.i18n import _, pick
from helpers.regression.comparisons import compare_groups
from helpers.regression.conditional import moderation
from helpers.regression.design import Term, study_term, variable_label
from helpers.regression.subsets import complete_numbers, resampled_correlations
from helpers.specification import Hypothesis, HypothesisTest
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study

N_BOOT = 2000
SEED = 20261121


@dataclass(frozen=True, slots=True)
class Evidence:
    """One estimate that speaks to a hypothesis.

    Attributes
    ----------
    quantity : str
        What was estimated, in the language of the run.
    estimate, ci_low, ci_high : float
    p_value : float
        NaN where the interval is the only test.
    null : float
        Value under "no effect".
    n_used : int
    """

    quantity: str
    estimate: float
    ci_low: float
    ci_high: float
    p_value: float
    null: float
    n_used: int


def hypothesis_evidence(
    study: Study, hypothesis: Hypothesis, *, level: float = LEVEL
) -> list[Evidence | Unavailable]:
    """Estimate what each declared test of a hypothesis asks for.

    Returns
    -------
    list of Evidence or Unavailable
        In the order of the study file; ``Unavailable`` where the study lacks a variable.
    """
    check_level(level, "hypothesis_evidence")
    estimate = {
        "moderation": _moderation,
        "difference": _difference,
        "comparison": _comparison,
        "change": _change,
    }.get(hypothesis.kind)
    if estimate is None:
        return []
    found: list[Evidence | Unavailable] = []
    for test in hypothesis.tests:
        try:
            found.append(estimate(study, test, level))
        except SuiteError as error:
            what = _("the test of hypothesis {id}").format(id=hypothesis.id)
            found.append(Unavailable(what, str(error)))
    return found


def _counted(study: Study, test: HypothesisTest) -> pd.Series:
    """Return which respondents a test counts."""
    if test.only is None:
        return pd.Series(True, index=study.responses.index)
    return study.responses[test.only.item].isin(test.only.accept)


def _values(study: Study, test: HypothesisTest, name: str) -> pd.Series:
    """Return one numeric variable of the respondents that count."""
    return study_term(study, name).columns.iloc[:, 0][_counted(study, test)]


def _term(study: Study, test: HypothesisTest, name: str, codes: list[int]) -> Term:
    """Return a variable of the respondents that count, or 1 for some codes of a category."""
    rows = _counted(study, test)
    if not codes:
        term = study_term(study, name)
        return Term(term.name, term.label, term.columns[rows], term.reference)
    answers = study.responses.loc[rows, name]
    values = answers.isin(codes).astype(float).where(answers.notna())
    labels = study.scale_of(name).labels
    label = " / ".join(pick(labels[c].model_dump()) for c in codes if c in labels)
    return Term(name, label, pd.DataFrame({name: values}))


def _moderation(study: Study, test: HypothesisTest, level: float) -> Evidence:
    """Return the product term of predictor and moderator."""
    result = moderation(
        _values(study, test, test.outcome),
        _term(study, test, test.predictor, test.predictor_codes),
        _term(study, test, test.moderator, test.moderator_codes),
        level=level,
    )
    quantity = _("change of the slope of {outcome} on {predictor} per unit of {moderator}")
    return Evidence(
        quantity.format(
            outcome=variable_label(study, test.outcome),
            predictor=result.predictor,
            moderator=result.moderator,
        ),
        result.product,
        result.product_low,
        result.product_high,
        result.product_p,
        0.0,
        result.n_used,
    )


def _difference(study: Study, test: HypothesisTest, level: float) -> Evidence:
    """Return omega squared of an outcome over the groups."""
    values = _values(study, test, test.outcome)
    result = compare_groups(values, study.groups.loc[values.index, test.group], level=level)
    if isinstance(result.omega_sq, Unavailable):
        raise_unavailable(result.omega_sq)
    quantity = _("share of the variance of {outcome} between the groups (omega squared)")
    return Evidence(
        quantity.format(outcome=variable_label(study, test.outcome)),
        float(result.omega_sq),
        float(result.omega_sq_low),
        float(result.omega_sq_high),
        float(result.welch_p),
        0.0,
        result.n_used,
    )


def raise_unavailable(value: Unavailable) -> None:
    """Turn a value that is not available into an error that the caller reports."""
    raise SuiteError(value.why)


def _comparison(study: Study, test: HypothesisTest, level: float) -> Evidence:
    """Return the share of R squared that goes to the core predictors, with a bootstrap interval.

    The two blocks share R squared by the average of entering first and entering last (Lindeman,
    Merenda & Gold 1980; for two blocks the Shapley value).
    """
    names = [test.outcome, *test.core, *test.others]
    data = pd.concat([_values(study, test, n).rename(n) for n in names], axis=1)
    values, _dropped = complete_numbers(data, names[0], names[1:], caller="hypothesis_evidence")
    z = np.column_stack([values[:, -1], values[:, :-1]])
    core = slice(1, 1 + len(test.core))
    drawn, _failed = resampled_correlations(values, n_boot=N_BOOT, seed=SEED)
    order = [len(names) - 1, *range(len(names) - 1)]
    draws = np.array([_core_share(r[np.ix_(order, order)], core) for r in drawn])
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    labels = ", ".join(variable_label(study, n) for n in test.core)
    return Evidence(
        _("share of the explained variance that goes to {labels}").format(labels=labels),
        _core_share(np.corrcoef(z, rowvar=False), core),
        float(low),
        float(high),
        float("nan"),
        0.5,
        len(z),
    )


def _core_share(r: np.ndarray, core: slice) -> float:
    """Return the core block's average share of R squared from a correlation matrix."""
    k = len(r)
    own = list(range(k))[core]
    rest = [j for j in range(1, k) if j not in own]
    full = _r_squared(r, own + rest)
    return float((_r_squared(r, own) + full - _r_squared(r, rest)) / (2 * full))


def _r_squared(r: np.ndarray, columns: list[int]) -> float:
    """Return R squared of variable 0 on some others."""
    return float(r[0, columns] @ np.linalg.solve(r[np.ix_(columns, columns)], r[0, columns]))


def _change(study: Study, test: HypothesisTest, level: float) -> Evidence:
    """Return the ratio of two means of the same people, after to before (delta method, logs)."""
    data = study.module(test.module) if test.module else study.responses
    if isinstance(data, Unavailable):
        raise_unavailable(data)
    if "in_sample" in data.columns:
        counted = study.responses.loc[_counted(study, test), "respondent_id"]
        data = data[data["in_sample"] & data["respondent_id"].isin(counted)]
    pair = data[[test.before, test.outcome]].astype(float).dropna()
    before, after = pair[test.before].to_numpy(), pair[test.outcome].to_numpy()
    if len(pair) < 3 or before.mean() <= 0 or after.mean() <= 0:
        raise DataContractError(
            f"hypothesis_evidence: '{test.before}' and '{test.outcome}' have {len(pair)} complete "
            "pairs; three pairs and means above zero are needed for a ratio."
        )
    log_ratio = np.log(after.mean() / before.mean())
    part = after / after.mean() - before / before.mean()
    se = part.std(ddof=1) / np.sqrt(len(part))
    quantile = stats.norm.ppf(0.5 + level / 2)
    quantity = _("ratio of means of the same people: {after} / {before}")
    return Evidence(
        quantity.format(after=study.item_label(test.outcome), before=study.item_label(test.before)),
        float(np.exp(log_ratio)),
        float(np.exp(log_ratio - quantile * se)),
        float(np.exp(log_ratio + quantile * se)),
        float(2 * stats.norm.sf(abs(log_ratio) / se)),
        1.0,
        len(pair),
    )
