"""Segments and context of a study: profiles, personas, moderation by context, what suits whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests

from helpers.errors import SuiteError, Unavailable, check_level, passes_unavailable
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.design import study_term
from helpers.regression.least_squares import fit_least_squares
from helpers.service.classified import METHODS, ProfileMeans, profile_means
from helpers.service.mixture import Spread
from helpers.service.profile_choice import Choice, choose_profiles
from helpers.service.profiles import Profiles
from helpers.service.uplift import Uplift, compare_treatments
from helpers.survey.small_cells import GuardedTable, guard_small_cells
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.service_specification import Segments
    from helpers.survey.load import Study


@dataclass(frozen=True, slots=True)
class ContextTests:
    """Does the context change what goes with what?

    Attributes
    ----------
    table : DataFrame
        outcome, predictor, context (item), f, df, p_value, p_fdr (Benjamini & Hochberg over all
        rows), n_used; sorted by p_value.
    slopes : DataFrame
        outcome, predictor, context, category (code), slope, ci_low, ci_high, n.
    left_out : DataFrame
        outcome, predictor, context, category, n: categories of a test with too few people, or in
        which all but one person have the same value of the predictor.
    untested : DataFrame
        outcome, predictor, context: tests for which fewer than two categories are left, or whose
        slopes cannot be told apart.
    level : float
    """

    table: pd.DataFrame
    slopes: pd.DataFrame
    left_out: pd.DataFrame
    untested: pd.DataFrame
    level: float


def _plan(study: Study) -> Segments | Unavailable:
    """Return what the study file says of segments."""
    plan = study.spec.service.segments
    return plan or Unavailable(_("the segments"), _("the study file declares none"))


def indicator_data(study: Study) -> pd.DataFrame | Unavailable:
    """Return the indicators of the profiles, one row a respondent."""
    plan = _plan(study)
    if isinstance(plan, Unavailable):
        return plan
    columns = {n: study_term(study, n).columns.iloc[:, 0] for n in plan.indicators}
    return pd.DataFrame(columns).astype(float)


def study_profiles(
    study: Study,
    *,
    most: int = 6,
    spread: Spread = "equal",
    n_boot: int = 99,
    seed: int = 20261121,
) -> Choice | Unavailable:
    """Return the profiles of a study's respondents, one to ``most``, and the number chosen."""
    data = indicator_data(study)
    if isinstance(data, Unavailable):
        return data
    try:
        return choose_profiles(data, most=most, spread=spread, n_boot=n_boot, seed=seed)
    except SuiteError as error:
        return Unavailable(_("latent profiles"), str(error))


@passes_unavailable
def outcome_means(
    study: Study, found: Profiles, *, outcome: str = "", level: float = LEVEL
) -> dict[str, ProfileMeans] | Unavailable:
    """Return the means of an outcome by profile, by every method of ``profile_means``."""
    check_level(level, "outcome_means")
    name = outcome or study.spec.service.segments.outcome
    values = study_term(study, name).columns.iloc[:, 0].to_numpy()[found.rows]
    try:
        return {m: profile_means(values, found.posterior, method=m, level=level) for m in METHODS}
    except SuiteError as error:
        return Unavailable(_("the means of the profiles"), str(error))


@passes_unavailable
def context_counts(study: Study, found: Profiles) -> dict[str, GuardedTable] | Unavailable:
    """Return how many of each profile were in each context, small counts hidden.

    Everybody counts in the most likely profile; the key is the item, rows are its codes.
    """
    if not study.spec.service.segments.context:
        return Unavailable(_("segments by context"), _("the study file names no context"))
    put = pd.Series(found.assigned + 1)
    out = {}
    for item in study.spec.service.segments.context:
        answers = study.responses[item].iloc[found.rows].reset_index(drop=True)
        out[item] = guard_small_cells(pd.crosstab(answers, put))
    return out


def context_tests(study: Study, *, level: float = LEVEL) -> ContextTests | Unavailable:
    """Test whether the context changes how recovery goes with satisfaction, and what makes it.

    Two questions for every context: does the slope of the outcome on recovery differ between its
    categories, and does the slope of recovery on each of its elements (the others held equal)?
    """
    check_level(level, "context_tests")
    plan = _plan(study)
    if isinstance(plan, Unavailable):
        return plan
    if plan.recovery is None or not plan.context:
        return Unavailable(
            _("moderation by context"), _("the study file names no recovery or no context")
        )
    roles = {c.code: c.role for c in study.spec.constructs}
    elements = [n for n in plan.indicators if roles.get(n) == "recovery" and n != plan.recovery]
    names = list(dict.fromkeys([plan.outcome, plan.recovery, *elements]))
    data = pd.DataFrame({n: study_term(study, n).columns.iloc[:, 0] for n in names})
    context = study.responses[list(plan.context)].astype(float)
    pairs = [(plan.outcome, plan.recovery, [])] + [
        (plan.recovery, e, [o for o in elements if o != e]) for e in elements
    ]
    found = moderated_slopes(data, context, pairs, level=level)
    if len(found.table):
        return found
    return Unavailable(
        _("moderation by context"),
        _("no context has two categories of at least {n} people whose slopes can be told").format(
            n=int(THRESHOLDS["group_size"].value)
        ),
    )


@remembered
def moderated_slopes(
    data: pd.DataFrame,
    context: pd.DataFrame,
    pairs: Sequence[tuple[str, str, list[str]]],
    *,
    level: float = LEVEL,
) -> ContextTests:
    """Test whether slopes differ between the categories of each context.

    Parameters
    ----------
    data : DataFrame
        Numeric columns.
    context : DataFrame
        Codes, one column a context. Rows with a blank in a test are left out of it; so are
        categories with fewer people than ``thresholds`` ask for a group, and those in which the
        predictor varies through one person at most: a slope would be that person's, with no error.
    pairs : sequence of (outcome, predictor, controls)
    level : float

    Notes
    -----
    Least squares with HC3 errors; the test is the robust F of all product terms. p is corrected for
    all tests together (Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x). Checked
    against R with sandwich and car (tests/reference/segments.R).
    """
    check_level(level, "moderated_slopes")
    tests, slopes, lost, untested = [], [], [], []
    for name in context:
        for outcome, predictor, controls in pairs:
            about = {"outcome": outcome, "predictor": predictor, "context": name}
            own = data[[outcome, predictor, *controls]].assign(category=context[name]).dropna()
            kept, left = _categories(own["category"], own[predictor])
            lost += [about | {"category": c, "n": n} for c, n in left.items()]
            found = _one_test(own[own["category"].isin(kept)], outcome, predictor, controls, level)
            if found is None:
                untested.append(about)
                continue
            tests.append(about | found[0])
            slopes += [about | line for line in found[1]]
    table = pd.DataFrame(tests)
    if len(table):
        table["p_fdr"] = multipletests(table["p_value"], method="fdr_bh")[1]
        table = table.sort_values("p_value", ignore_index=True)
    keys = ["outcome", "predictor", "context"]
    return ContextTests(
        table, pd.DataFrame(slopes), pd.DataFrame(lost, columns=[*keys, "category", "n"]),
        pd.DataFrame(untested, columns=keys), level,
    )  # fmt: skip


def _categories(category: pd.Series, x: pd.Series) -> tuple[list[float], dict[float, int]]:
    """Return categories in which a slope can be estimated, and the sizes of the others."""
    kept, left = [], {}
    for code, own in x.groupby(category):
        others = len(own) - own.value_counts().iloc[0]
        if len(own) >= THRESHOLDS["group_size"].value and others > 1:
            kept.append(float(code))
        else:
            left[float(code)] = len(own)
    return kept, left


def _one_test(
    own: pd.DataFrame, outcome: str, predictor: str, controls: Sequence[str], level: float
) -> tuple[dict[str, float], list[dict[str, float]]] | None:
    """Return the robust test of all products and the slope in every category, if there are any."""
    codes = np.sort(own["category"].unique())
    k = len(codes)
    if k < 2:
        return None
    member = (own["category"].to_numpy()[:, None] == codes).astype(float)
    products = member * own[[predictor]].to_numpy()
    design = np.column_stack([products, member[:, 1:], own[list(controls)].to_numpy()])
    try:
        fitted = fit_least_squares(own[outcome], pd.DataFrame(design, index=own.index))
    except SuiteError:
        return None
    slopes, cov = fitted.b[1 : k + 1], fitted.cov[1 : k + 1, 1 : k + 1]
    if np.isnan(cov).any():
        return None
    contrast = np.eye(k)[1:] - np.eye(k)[0]
    away = contrast @ slopes
    f = float(away @ np.linalg.solve(contrast @ cov @ contrast.T, away)) / (k - 1)
    half = stats.t.ppf(0.5 + level / 2, fitted.df_resid) * np.sqrt(np.diag(cov))
    lines = [
        {
            "category": float(code), "slope": float(slopes[j]),
            "ci_low": float(slopes[j] - half[j]), "ci_high": float(slopes[j] + half[j]),
            "n": int(member[:, j].sum()),
        }
        for j, code in enumerate(codes)
    ]  # fmt: skip
    p_value = float(stats.f.sf(f, k - 1, fitted.df_resid))
    return {"f": f, "df": k - 1, "p_value": p_value, "n_used": len(own)}, lines


def hurried_difference(study: Study, *, level: float = LEVEL) -> tuple[float, float, float] | None:
    """Return how much steeper recovery rises with timeliness on the planted hurried days.

    Estimate and interval; None where nothing was planted, the study lacks the items, or all days
    of a part of it are of one kind.
    """
    check_level(level, "hurried_difference")
    needs = ("truth", "item:DAYT", "construct:SPEED", "construct:REC")
    if study.offers(*needs) is not None:
        return None
    days = study.truth["recovery"]["quality"]["hurried_days"]
    others = ["COMP", "APOL", "PERS", "FOLL"]
    hurried = study.responses["DAYT"].isin(days).astype(float)
    own = study.scores[["REC", "SPEED", *others]].assign(hurried=hurried).dropna()
    if own["hurried"].nunique() < 2:
        return None
    design = own[["SPEED", "hurried", *others]].assign(product=own["SPEED"] * own["hurried"])
    fitted = sm.OLS(own["REC"], sm.add_constant(design)).fit(cov_type="HC3")
    low, high = fitted.conf_int(1 - level).loc["product"]
    return float(fitted.params["product"]), float(low), float(high)


def study_uplift(
    study: Study, *, folds: int = 5, seed: int = 20261121, level: float = LEVEL
) -> dict[str, Uplift | Unavailable] | Unavailable:
    """Return treatments compared within each grouping that the study file names."""
    check_level(level, "study_uplift")
    plan = _plan(study)
    if isinstance(plan, Unavailable):
        return plan
    if plan.treatment is None or not plan.groups:
        return Unavailable(
            _("recoveries compared within groups"),
            _("the study file names no treatment, or no grouping settled before it"),
        )
    return {g: _group_uplift(study, plan, g, folds, seed, level) for g in plan.groups}


def same_for_all(study: Study) -> list[str]:
    """Return the items to adjust for that all respondents answered alike, as in a part of a study.

    They cannot have decided who was given what, and fall away.
    """
    asked = [name for name in study.spec.service.segments.adjust if name in study.responses]
    return [name for name in asked if study.responses[name].nunique() < 2]


def _group_uplift(
    study: Study, plan: Segments, group: str, folds: int, seed: int, level: float
) -> Uplift | Unavailable:
    """Return treatments compared within one grouping."""
    lacking = study.offers(f"group:{group}")
    if lacking is not None:
        return lacking
    item = study.spec.groups[group].item
    same = same_for_all(study)
    covariates = [
        study_term(study, n).columns.to_numpy(dtype=float) for n in plan.adjust if n not in same
    ]
    blocks = np.column_stack([np.empty((len(study.responses), 0)), *covariates])
    names = [f"covariate_{j}" for j in range(blocks.shape[1])]
    data = pd.DataFrame(blocks, columns=names)
    data[plan.outcome] = study_term(study, plan.outcome).columns.iloc[:, 0].to_numpy()
    data[plan.treatment] = study.responses[plan.treatment].to_numpy(dtype=float)
    data[item] = study.responses[item].to_numpy(dtype=float)
    try:
        return compare_treatments(
            data, outcome=plan.outcome, treatment=plan.treatment, group=item, covariates=names,
            codes=[float(c) for c in plan.treatment_codes], folds=folds, seed=seed, level=level,
        )  # fmt: skip
    except SuiteError as error:
        return Unavailable(_("recoveries compared within groups"), str(error))
