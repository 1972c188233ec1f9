"""The levers, slopes and segments that a study file declares for scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import (
    DataContractError,
    EstimationError,
    SuiteError,
    Unavailable,
    listing,
    passes_unavailable,
)
from helpers.i18n import _
from helpers.results import Number
from helpers.sem.bootstrap import bootstrap
from helpers.sem.effects import model_edges, model_ways
from helpers.sem.montecarlo import parameter_draws
from helpers.sem.result import SemResult
from helpers.sem.study_fit import ModelFit, fit_model
from helpers.service.budget import default_budgets, frontier, paying_steps, project_table
from helpers.service.scenarios import (
    Levers,
    Scenario,
    Slopes,
    prior_sensitivity,
    scenario,
    tipping_weight,
    with_prior,
)
from helpers.service_specification import Scenarios

if TYPE_CHECKING:
    from helpers.survey.load import Study

Array = NDArray[np.float64]
Method = Literal["montecarlo", "bootstrap"]
ALL = "all"


@dataclass(frozen=True)
class Plan:
    """What a study declares for scenarios, with its customers.

    Attributes
    ----------
    declared : Scenarios
    levers : Levers
        Customers with every score.
    segment : array, shape (n,)
        Code of each customer's segment; NaN where it is blank or none is declared.
    prior : array, shape (k,)
        Mean importance of each lever as asked; NaN where no item is named.
    n_dropped : int
        Customers without every score.
    """

    declared: Scenarios
    levers: Levers
    segment: Array
    prior: Array
    n_dropped: int

    @cached_property
    def segments(self) -> list[float]:
        """Return the codes of the segments, in order."""
        return sorted(float(code) for code in np.unique(self.segment[~np.isnan(self.segment)]))

    @property
    def has_prior(self) -> bool:
        """Tell whether every lever has a prior importance."""
        return bool(np.isfinite(self.prior).all())

    def customers(self, segment: str = ALL) -> Levers:
        """Return the levers with the customers of one segment, or with all of them.

        Raises
        ------
        DataContractError
            The segment does not exist.
        """
        if segment == ALL:
            return self.levers
        known = [f"{code:g}" for code in self.segments]
        if segment not in known:
            raise DataContractError(
                f"customers: segment= is '{segment}'; allowed are {listing([ALL, *known])}. "
                "Choose one of them."
            )
        return self.levers.of(self.segment == float(segment))


@passes_unavailable
def read_plan(study: Study) -> Plan | Unavailable:
    """Return what a study declares for scenarios, with the scores of its customers."""
    declared = study.spec.service.scenarios
    if declared is None:
        return Unavailable(_("scenarios"), _("the study file declares none"))
    answers = study.responses.set_index("respondent_id")
    scored = study.scores.set_index("respondent_id")
    table = answers.join(scored[[name for name in scored if name not in answers]])
    names = [lever.variable for lever in declared.levers]
    scores = table[names].astype(float)
    kept = scores.notna().all(axis=1).to_numpy()
    segment = np.full(len(table), np.nan)
    if declared.segment is not None:
        segment = table[declared.segment].to_numpy(dtype=float)
    priors = [
        np.nan if lever.prior is None else float(table[lever.prior].mean())
        for lever in declared.levers
    ]
    levers = Levers(
        tuple(lever.code for lever in declared.levers),
        scores.to_numpy()[kept],
        np.array([_top(study, name) for name in names]),
        np.array([lever.cost for lever in declared.levers]),
        np.array([lever.most for lever in declared.levers]),
    )
    return Plan(declared, levers, segment[kept], np.array(priors), int((~kept).sum()))


def _top(study: Study, name: str) -> float:
    """Return the upper end of the scale of a construct or item."""
    item = study.items_of(name)[0] if name in study.construct_codes else name
    return float(study.scale_of(item).high)


@dataclass(frozen=True, slots=True)
class LeverSlopes:
    """Slopes of the levers with the fit behind them.

    Attributes
    ----------
    slopes : Slopes
    n_used : int
        Respondents behind the fit.
    method : str
        ``montecarlo`` or ``bootstrap``: how the draws were made.
    n_failed : int
        Resamples that could not be estimated.
    fitted : ModelFit
    """

    slopes: Slopes
    n_used: int
    method: Method
    n_failed: int
    fitted: ModelFit


@passes_unavailable
def lever_slopes(
    study: Study, plan: Plan, *, n_draws: int, seed: int, method: Method = "montecarlo"
) -> LeverSlopes | Unavailable:
    """Fit the declared model and return what a point of each lever brings.

    The total effect of a lever on the outcome, sum over all ways of the products of paths, in
    points of the mean of the outcome's items for a point of the mean of the lever's items:
    multiplied by the mean loading of the outcome and divided by that of the lever.

    Parameters
    ----------
    study : Study
    plan : Plan
    n_draws, seed : int
    method : {"montecarlo", "bootstrap"}
        ``montecarlo`` draws from the estimates' normal distribution (robust covariance, every
        respondent by full-information maximum likelihood); ``bootstrap`` refits resamples of the
        respondents without blanks.

    Returns
    -------
    LeverSlopes or Unavailable
        ``Unavailable`` where the model cannot be trusted or lacks a lever.
    """
    name = plan.declared.model
    what = _("what a point of each lever brings")
    fitted = fit_model(study, name, missing="fiml" if method == "montecarlo" else "listwise")
    if isinstance(fitted, Unavailable):
        return fitted
    if not fitted.trustworthy:
        return Unavailable(what, _("the model does not converge to admissible values"))
    try:
        draws, failed = _draws(fitted.result, n_draws, seed, method)
        variables = [lever.variable for lever in plan.declared.levers]
        slopes = slopes_of(fitted.result, variables, plan.declared.outcome, draws)
    except SuiteError as error:
        return Unavailable(what, str(error))
    return LeverSlopes(slopes, int(fitted.result.n_obs), method, failed, fitted)


def _draws(result: SemResult, n: int, seed: int, method: Method) -> tuple[Array, int]:
    """Return draws of the free parameters, and how many resamples failed."""
    if method == "montecarlo":
        return parameter_draws(result, n, np.random.default_rng(seed)), 0
    if method != "bootstrap":
        raise EstimationError(
            f"lever_slopes: method= is '{method}'; allowed are montecarlo, bootstrap. Choose one."
        )
    found = bootstrap(result, n_boot=n, seed=seed, ci="percentile")
    return found.draws.theta[found.draws.used], found.n_failed


def slopes_of(result: SemResult, levers: list[str], outcome: str, draws: Array) -> Slopes:
    """Return the total effects of levers on an outcome in points of their item means.

    Parameters
    ----------
    result : SemResult
        A single-group fit without loops.
    levers : list of str
        Variables of the model, latent or observed.
    outcome : str
    draws : array, shape (B, n_free)
        Of the free parameters.

    Raises
    ------
    ModelSpecError
        A lever is not in the model or no way leads from it to the outcome.
    """
    edges = model_edges(result)
    at = np.vstack([result.theta[None, :], draws])
    scale = _per_item_mean(result, outcome, at)
    columns = []
    for lever in levers:
        total = np.zeros(len(at))
        for way in model_ways(edges, lever, outcome):
            paths = [_values(result, edges[pair], at) for pair in zip(way[:-1], way[1:])]
            total += np.prod(paths, axis=0)
        columns.append(total * scale / _per_item_mean(result, lever, at))
    found = np.column_stack(columns)
    return Slopes(found[0], found[1:])


def _values(result: SemResult, k: int, at: Array) -> Array:
    """Return the values of one row of the parameter table, one for each vector in ``at``."""
    row = result.table.rows[k]
    return at[:, row.free - 1] if row.free else np.full(len(at), row.fixed)


def _per_item_mean(result: SemResult, name: str, at: Array) -> Array:
    """Return by how much the mean of a factor's items moves with one unit of the factor.

    An observed variable is its own item; factors of a second order go through their facets.
    """

    def leaves(factor: str) -> list[Array]:
        rows = [
            k
            for k, row in enumerate(result.table.rows)
            if row.op == "=~" and row.lhs == factor and row.group == 1
        ]
        if not rows:
            return [np.ones(len(at))]
        return [
            _values(result, k, at) * below
            for k in rows
            for below in leaves(result.table.rows[k].rhs)
        ]

    return np.mean(leaves(name), axis=0)


@passes_unavailable
def raised(plan: Plan, lever: str, step: float) -> dict[str, float]:
    """Return one lever with the points by which it is raised; an empty code is the first lever."""
    return {lever or plan.levers.codes[0]: step}


@passes_unavailable
def study_scenario(
    plan: Plan,
    found: LeverSlopes,
    steps: Mapping[str, float],
    *,
    value: float,
    seed: int,
    segment: str = ALL,
) -> Scenario:
    """Return what raising levers by so many points brings and costs in a segment."""
    customers = plan.customers(segment)
    wanted = customers.steps(dict(steps))
    return scenario(customers, found.slopes, wanted, value=value, seed=seed)


@passes_unavailable
def study_frontier(plan: Plan, found: LeverSlopes, *, value: float, seed: int) -> pd.DataFrame:
    """Return the best plan for each budget, from nothing to every lever as far as considered."""
    best = float(plan.levers.cost @ paying_steps(plan.levers, found.slopes, value))
    budgets = default_budgets(plan.levers, best=best)
    return frontier(plan.levers, found.slopes, budgets, value=value, seed=seed)


@passes_unavailable
def study_projects(plan: Plan, found: LeverSlopes, budget: float) -> pd.DataFrame:
    """Return which levers to take as whole projects within a budget."""
    return project_table(plan.levers, found.slopes, budget)


@passes_unavailable
def prior_tip(plan: Plan, found: LeverSlopes) -> float | None | Unavailable:
    """Return the weight of the prior at which another lever leads; None if none ever does."""
    lacking = without_shares(plan, found)
    return tipping_weight(found.slopes, plan.prior) if lacking is None else lacking


@passes_unavailable
def prior_lines(plan: Plan, found: LeverSlopes) -> pd.DataFrame | Unavailable:
    """Return shares of importance at every weight of the prior, in steps of a twentieth."""
    lacking = without_shares(plan, found)
    if lacking is not None:
        return lacking
    weights = np.linspace(0, 1, 21)
    return prior_sensitivity(plan.levers.codes, found.slopes, plan.prior, weights)


@passes_unavailable
def mixed_slopes(plan: Plan, found: LeverSlopes, weight: float) -> LeverSlopes | Unavailable:
    """Return slopes mixed with the prior importance asked for; unchanged at weight 0."""
    if weight == 0:
        return found
    lacking = without_shares(plan, found)
    if lacking is not None:
        return lacking
    return replace(found, slopes=with_prior(found.slopes, plan.prior, weight))


def without_shares(plan: Plan, found: LeverSlopes) -> Unavailable | None:
    """Return why importance by data and by rating cannot be held together; None if they can."""
    what = _("prior weights")
    if not plan.has_prior:
        return Unavailable(what, _("not every lever has a prior importance"))
    if not found.slopes.estimate.sum() > 0:
        return Unavailable(what, _("the slopes of the levers do not add up to more than 0"))
    return None


def scenario_numbers(found: Scenario | Unavailable) -> list[Number]:
    """Return a scenario for ``results.json``; nothing where there is none."""
    if isinstance(found, Unavailable):
        return []
    parts = {"gain": found.gain, "net": found.net}
    words = {
        "gain": "points of the outcome, sum of slope times reach",
        "net": "worth of the gain less cost, for one customer",
    }
    numbers = [
        Number(
            f"scenario_{k}", v[0], words[k], v[1], v[2], found.level, found.n_used, method="draws"
        )
        for k, v in parts.items()
    ]
    pays = Number("scenario_pays", found.p_pays, "share of draws with a positive net benefit")
    return [*numbers, pays]
