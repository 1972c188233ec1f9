"""Planning the next study from a fitted model: what N finds a path of a size that would matter.

All values of the population are those of the fitted model, except the path in question, which is
set to the smallest size that would matter. Taking the estimate itself would answer another
question: power at the estimate and N of the study just made ("observed power") is a function of
its p-value and says nothing new (Hoenig & Heisey 2001, doi:10.1198/000313001300339897).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.errors import ModelSpecError, SuiteError, Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.sem.cutoffs import Cutoffs, fit_cutoffs
from helpers.sem.equivalence import TSize, equivalence_test
from helpers.sem.power_analysis import power, power_of_rmsea
from helpers.sem.power_result import PowerResult
from helpers.sem.power_target import find_target
from helpers.sem.result import SemResult
from helpers.sem.simulate_population import Population, build_population
from helpers.sem.study_fit import ModelFit
from helpers.thresholds import LEVEL, THRESHOLDS

ROUNDS = 50
"""Most rounds in which the residual variance of the outcome gives way to the path."""
SETTLED = 1e-12


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """Power by formula for one path, one indirect effect and the fit of a study's model.

    Attributes
    ----------
    fit : ModelFit
        The model whose estimates stand for the population.
    outcome, predictor : str
        Ends of the path.
    effect : float
        Its standardised size in the population.
    estimated : float
        Its standardised estimate in the study, for comparison.
    population : Population
    results : dict
        ``"path"``, ``"indirect"``, ``"close"``, ``"not-close"`` -> PowerResult or Unavailable.
    """

    fit: ModelFit
    outcome: str
    predictor: str
    effect: float
    estimated: float
    population: Population
    results: dict[str, PowerResult | Unavailable]

    @property
    def relation(self) -> str:
        """The path as a hypothesis."""
        return f"{self.outcome} ~ {self.predictor}"


@passes_unavailable
def plan_study(
    fit: ModelFit,
    *,
    path: str = "",
    effect: float = 0.15,
    indirect: str = "",
    target: float | None = None,
    alpha: float = 1.0 - LEVEL,
) -> StudyPlan | Unavailable:
    """Find by formula the N that a path, an indirect effect and tests of fit need.

    Parameters
    ----------
    fit : ModelFit
    path : str
        Label or relation; empty for the weakest path to the last outcome.
    effect : float
        Smallest standardised size of the path that would matter; its sign counts.
    indirect : str
        Name of a ``:=`` effect, planned at the fitted values; empty for the first.
    target, alpha : float
        Power wanted (default from ``THRESHOLDS``) and level of the tests.

    Returns
    -------
    StudyPlan or Unavailable
        Unavailable where the fit may not be trusted or the population cannot hold the effect.
    """
    what = _("a plan for the next study")
    if not fit.trustworthy:
        return Unavailable(what, _("the model did not converge or is not admissible"))
    target = THRESHOLDS["power"].value if target is None else target
    outcome, predictor = _path(fit, path)
    rows = fit.rows("~")
    own = rows[(rows["lhs"] == outcome) & (rows["rhs"] == predictor)].iloc[0]
    try:
        population = planned_population(fit.result, f"{outcome}~{predictor}", effect)
    except ModelSpecError:
        why = _(
            "a standardised path of {effect} from {predictor} leaves {outcome} no variance beside "
            "its other predictors; set a smaller effect, one of the other sign, or another path"
        )
        names = {"predictor": fit.label(predictor), "outcome": fit.label(outcome)}
        return Unavailable(what, why.format(effect=f"{effect:g}", **names))
    options = {"target": target, "alpha": alpha, "model": fit.syntax}
    results = {"path": _try(population, f"{outcome} ~ {predictor}", **options)}
    results["indirect"] = _indirect(fit, indirect, **options)
    for hypothesis in ("close", "not-close"):
        results[hypothesis] = _fit_power(fit, hypothesis, target, alpha)
    return StudyPlan(
        fit, outcome, predictor, float(effect), float(own["std_all"]), population, results
    )


def _path(fit: ModelFit, path: str) -> tuple[str, str]:
    """Return the ends of the path asked for, or of the weakest one to the last outcome."""
    if path:
        row = find_target(fit.result.table, path).row
        if row is None or row.op != "~":
            raise ModelSpecError(
                f"plan_study: path= is '{path}', which is not a path; name a relation such as "
                f"'y ~ x' or its label. Formulas go to indirect=."
            )
        return row.lhs, row.rhs
    rows = fit.rows("~")
    rows = rows[(rows["free"] > 0) & (rows["lhs"] == rows["lhs"].iloc[-1])]
    weakest = rows.loc[rows["std_all"].abs().idxmin()]
    return str(weakest["lhs"]), str(weakest["rhs"])


def _try(population: object, hypothesis: str, **options: object) -> PowerResult | Unavailable:
    """Return power by formula, or why there is none."""
    try:
        return power(population, hypothesis, **options)
    except SuiteError as error:
        return Unavailable(_("the power by formula"), str(error))


def _indirect(fit: ModelFit, name: str, **options: object) -> PowerResult | Unavailable:
    """Power of an indirect effect at the fitted values."""
    if not fit.result.table.defined:
        return Unavailable(_("the power of an indirect effect"), _("the model defines no effect"))
    chosen = name or fit.result.table.defined[0][0]
    return _try(fit.result, chosen, **options)


def _fit_power(
    fit: ModelFit, hypothesis: str, target: float, alpha: float
) -> PowerResult | Unavailable:
    """Power of a test of RMSEA with the model's degrees of freedom."""
    df = int(fit.result.test.df)
    if df < 1:
        why = _("the model has no degrees of freedom")
        return Unavailable(_("the power of a test of fit"), why)
    return power_of_rmsea(hypothesis, df, target=target, alpha=alpha)


def planned_population(result: SemResult, hypothesis: str, effect: float) -> Population:
    """Take a fit's population with one path at a standardised size, variances as fitted.

    The outcome's residual variance gives way, so that the outcome keeps its variance and the
    effect has exactly the size asked for.

    Raises
    ------
    ModelSpecError
        The outcome has not that much variance left.
    """
    base = build_population(result)
    target = find_target(result.table, hypothesis)
    if target.row is None or target.row.op != "~" or result.n_groups > 1:
        raise ModelSpecError(
            f"planned_population: hypothesis= is '{hypothesis}'; a free path of a model of one "
            f"group is needed. Name it as 'y ~ x'."
        )
    model, theta = result.model[0], result.theta.copy()
    y, x = model.names.index(target.row.lhs), model.names.index(target.row.rhs)
    residual = next(
        (r for r in result.table.rows if r.op == "~~" and r.lhs == r.rhs == target.row.lhs), None
    )
    kept = result.states[0].total[y, y]
    for _round in range(ROUNDS):
        total = model.state(theta).total
        path = effect * np.sqrt(kept / total[x, x])
        surplus = total[y, y] - kept
        moved = abs(path - theta[target.row.free - 1]) + abs(surplus)
        theta[target.row.free - 1] = path
        if residual is not None and residual.free:
            after = model.state(theta).total[y, y]
            theta[residual.free - 1] -= after - kept
        if moved < SETTLED * max(kept, 1.0):
            break
    state = model.state(theta)
    left = model.matrices(theta)[1][y, y]
    if left <= 0 or np.linalg.eigvalsh(state.sigma)[0] <= 0:
        raise ModelSpecError(
            f"planned_population: effect= is {effect:g} for '{target.name}'; that is more than the "
            f"variance of {target.row.lhs} leaves room for beside its other predictors. Choose a "
            f"smaller effect."
        )
    return replace(base, cov=(state.sigma.copy(),))


@passes_unavailable
def simulate_plan(
    plan: StudyPlan, *, n_sets: int, seed: int, n_obs: tuple[int, ...] = ()
) -> PowerResult | Unavailable:
    """Check the plan for the path by simulation: power, bias and coverage over N."""
    formula = plan.results["path"]
    if isinstance(formula, Unavailable):
        return formula
    if isinstance(formula.needed, Unavailable):
        return formula.needed
    middle, least = formula.needed.n, len(plan.population.names) + 1
    sizes = n_obs or tuple(
        sorted({max(least, round(middle * part)) for part in (0.5, 0.75, 1.0, 1.25, 1.5)})
    )
    return power(
        plan.population, plan.relation, sizes, model=plan.fit.syntax, method="montecarlo",
        n_sets=n_sets, seed=seed, target=formula.target, alpha=formula.alpha,
    )  # fmt: skip


def formula_at(plan: StudyPlan, sizes: np.ndarray) -> pd.DataFrame:
    """Power of the path by formula at some sizes: n_obs, power."""
    formula = plan.results["path"]
    return power(
        plan.population, plan.relation, sizes, model=plan.fit.syntax, target=formula.target,
        alpha=formula.alpha,
    ).table[["n_obs", "power"]]  # fmt: skip


@passes_unavailable
def power_curves(plan: StudyPlan, simulated: PowerResult) -> pd.DataFrame | Unavailable:
    """Power of the path by formula and by simulation over the simulated sizes.

    Columns source (``"formula"`` or ``"simulation"``), n_obs, power, ci_low, ci_high.
    """
    sizes = simulated.table["n_obs"]
    grid = np.unique(np.linspace(sizes.min(), sizes.max(), 41).astype(int))
    line = formula_at(plan, grid).assign(source="formula", ci_low=np.nan, ci_high=np.nan)
    points = simulated.table.assign(source="simulation")[list(line.columns)]
    return pd.concat([line, points], ignore_index=True)


@passes_unavailable
def study_t_size(fit: ModelFit) -> TSize | Unavailable:
    """Give the equivalence test of a study's model, or say why not."""
    if not fit.n_known:
        return _unknown_n(_("the equivalence test of fit"))
    return equivalence_test(fit.result)


@passes_unavailable
def study_cutoffs(fit: ModelFit, *, n_sets: int, seed: int) -> Cutoffs | Unavailable:
    """Simulate cut-offs of fit for a study's model, or say why not."""
    if not fit.n_known:
        return _unknown_n(_("simulated cut-offs of fit"))
    return fit_cutoffs(fit.result, n_sets=n_sets, seed=seed)


def _unknown_n(what: str) -> Unavailable:
    """Say that the number of respondents is not known."""
    return Unavailable(what, _("the source does not say how many people answered"))
