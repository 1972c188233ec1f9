"""Power by hypothesis: what sample finds an effect of a planned size, and how surely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, ModelSpecError, Unavailable, listing, nearest
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.fit import model_text
from helpers.sem.power_analytic import (
    RMSEA_VALUES,
    check_rmsea,
    check_shares,
    grid_around,
    power_rmsea,
    smallest_n,
)
from helpers.sem.power_curve import needed_from_curve
from helpers.sem.power_formula import REFERENCE_N, Formula
from helpers.sem.power_montecarlo import (
    Job,
    plans_of,
    rejected,
    run_sizes,
    summarise,
)
from helpers.sem.power_result import NeededN, PowerResult
from helpers.sem.power_target import RMSEA_HYPOTHESES
from helpers.sem.result import SemResult
from helpers.sem.simulate_data import make_recipe
from helpers.sem.simulate_population import (
    Population,
    build_population,
    freed_model,
    with_thresholds,
)
from helpers.thresholds import LEVEL

METHODS = ("analytic", "montecarlo")
TESTS = ("z", "interval")


@remembered
def power(
    population: object,
    hypothesis: str,
    n_obs: int | Sequence[int] | None = None,
    *,
    model: object = None,
    method: str = "analytic",
    target: float = 0.80,
    alpha: float = 1.0 - LEVEL,
    n_sets: int = 500,
    seed: int | None = None,
    estimator: str | None = None,
    test: str | None = None,
    std_lv: bool = False,
    rmsea0: float | None = None,
    rmsea1: float | None = None,
    groups: Sequence[object] = (),
    shares: Sequence[float] = (),
    standardized: bool = False,
    skewness: float | Mapping[str, float] | None = None,
    kurtosis: float | Mapping[str, float] | None = None,
    thresholds: Mapping[str, Sequence[float]] | None = None,
    missing: float | Mapping[str, float] = 0.0,
    missing_on: str | None = None,
    missing_slope: float = 1.0,
    workers: int = 1,
    scheduler: str | None = None,
    keep: str | Path | None = None,
) -> PowerResult:
    """Power of a hypothesis over sample sizes, and the N that reaches a target.

    Parameters
    ----------
    population : str, object with ``.syntax``, or SemResult
        Planning values: a model text with values, see ``simulate``, or a fitted model whose
        estimates are taken as true. Power at the N and the estimates of a study just tested
        ("observed power") restates its p-value; give the effect that matters instead.
    hypothesis : str
        A label or a relation (``"y ~ x"``, ``"f ~~ g"``); a ``:=`` name; ``"metric"``,
        ``"scalar"`` or ``"strict"`` (the step does not hold; several groups); ``"close"`` or
        ``"not-close"`` (tests of RMSEA).
    n_obs : int or sequence of int, optional
        Sizes over all groups. Default: around the N needed by formula.
    model : str or object with ``.syntax``, optional
        The model that will be fitted. Default: the population's, with its values free.
    method : {"analytic", "montecarlo"}
        Analytic: chi-square difference (Satorra & Saris) for a parameter or a step, delta-method z
        test for a formula, noncentral chi-square for RMSEA. Monte Carlo: z test of a
        parameter, Monte Carlo interval of a formula, chi-square difference of a step.
    target, alpha : float
        Power wanted; level of the two-sided test.
    n_sets : int
        Replicates per sample size.
    seed : int
        Needed for Monte Carlo.
    estimator : str, optional
        Default ML for complete normal data, WLSMV with ``thresholds``, else MLR. Blanks are
        handled by FIML.
    test : {"z", "interval"}, optional
        Test of a ``:=`` formula in the simulation; the default interval is the better one for
        products, which are skewed.
    rmsea0, rmsea1 : float, optional
        RMSEA tested and in truth. Defaults .05 and .08 (close), .05 and .01 (not-close).
    groups, standardized, skewness, kurtosis, thresholds, missing, missing_on, missing_slope
        As in ``simulate``.
    shares : sequence of float
        Share of each group in N; equal by default.
    workers, scheduler, keep
        Processes of this machine, address of a Dask scheduler, folder for finished blocks: see
        ``helpers.workers.run_blocks``. The numbers are the same for any of them.

    Returns
    -------
    PowerResult

    Raises
    ------
    ModelSpecError
        A hypothesis that is not in the model, with the nearest name; a model that is not
        identified; values that no data have.
    DataContractError
        Sizes that are not above the number of variables, shares outside 0 to 1, no seed.

    Notes
    -----
    Formulas are checked against ``semTools::findRMSEApower``, ``findRMSEAsamplesize`` and
    ``SSpower`` and published tables (``tests/reference/power.R``), Monte Carlo against the
    formulas within its own simulation error.

    References
    ----------
    Satorra & Saris (1985), doi:10.1007/BF02294150. MacCallum, Browne & Sugawara (1996),
    doi:10.1037/1082-989X.1.2.130. Muthen & Muthen (2002), doi:10.1207/S15328007SEM0904_8.

    Examples
    --------
    >>> text = "f =~ .8*x1 + .7*x2 + .6*x3; g =~ .8*y1 + .7*y2 + .6*y3; g ~ .3*f"
    >>> power(text, "g ~ f", standardized=True).needed.n
    145
    """
    check_shares(alpha, target)
    if method not in METHODS:
        raise ModelSpecError(
            f"power: method= is '{method}'; allowed are {listing(METHODS)}."
            f"{nearest(method, METHODS)} Choose one of them."
        )
    truth = build_population(population, groups=groups, standardized=standardized)
    truth = with_thresholds(truth, thresholds)
    text = _model_of(population, model, truth)
    data = {"skewness": skewness, "kurtosis": kurtosis, "missing": missing,
            "missing_on": missing_on, "missing_slope": missing_slope}  # fmt: skip
    plain = make_recipe(truth, **data).plain
    chosen = estimator or ("ML" if plain else "WLSMV" if truth.thresholds else "MLR")
    job = Job(
        truth, text, str(hypothesis).strip(), chosen.upper(), 0 if seed is None else int(seed),
        _group_shares(shares, truth), data, std_lv,
    )  # fmt: skip
    if job.hypothesis in RMSEA_HYPOTHESES:
        _only_analytic(job, method)
        return _of_rmsea(job, n_obs, rmsea0, rmsea1, target=target, alpha=alpha)
    if job.step and truth.n_groups < 2:
        raise ModelSpecError(
            f"power: hypothesis= '{hypothesis}' compares groups, but the population has one; give "
            f"values per group, as in c(.8, .6)*x1, or name a parameter."
        )
    formula = Formula(job)
    job = replace(job, interval=_by_interval(formula, method, test))
    needed = smallest_n(lambda n: formula.power(n, alpha), target, formula.least)
    sizes = _sizes(n_obs, needed, formula.least)
    if method == "analytic":
        if not plain or chosen.upper() != "ML":
            raise ModelSpecError(
                "power: method= is 'analytic', but the data are not complete, normal and analysed "
                "by ML; formulas hold for these only. Use method='montecarlo'."
            )
        return formula.result(sizes, needed, target=target, alpha=alpha)
    return _by_simulation(
        job, formula, sizes, n_sets, seed, target=target, alpha=alpha,
        place={"workers": workers, "scheduler": scheduler, "keep": keep},
    )  # fmt: skip


def _by_interval(formula: Formula, method: str, test: str | None) -> bool:
    """Tell whether the simulation tests a formula by its Monte Carlo interval."""
    defined = formula.target is not None and formula.target.row is None
    if test is not None and test not in TESTS:
        raise ModelSpecError(
            f"power: test= is '{test}'; allowed are {listing(TESTS)}.{nearest(test, TESTS)} Choose "
            f"one of them."
        )
    if test == "interval" and not (defined and method == "montecarlo"):
        raise ModelSpecError(
            "power: test= is 'interval', which is for := formulas in a simulation; this hypothesis "
            "has a test of its own. Leave test= out."
        )
    return method == "montecarlo" and defined and test != "z"


def _model_of(population: object, model: object, truth: Population) -> str:
    """Return the text of the model that is fitted."""
    if model is not None:
        return model_text(model)
    if isinstance(population, SemResult):
        return truth.model
    return freed_model(truth.model)


def _group_shares(shares: Sequence[float], truth: Population) -> tuple[float, ...]:
    """Return the share of every group in N."""
    if not len(shares):
        return (1.0 / truth.n_groups,) * truth.n_groups
    values = np.array(shares, dtype=float)
    if len(values) != truth.n_groups or (values <= 0).any():
        raise DataContractError(
            f"power: shares= are {listing(shares)} for {truth.n_groups} groups; one number above 0 "
            f"per group is needed. Correct shares=."
        )
    return tuple(float(v) for v in values / values.sum())


def _only_analytic(job: Job, method: str) -> None:
    """Tests of RMSEA are by formula."""
    if method != "analytic":
        raise ModelSpecError(
            f"power: method= is '{method}' for '{job.hypothesis}'; tests of RMSEA are planned by "
            f"formula, from the degrees of freedom alone. Leave method= out."
        )


def _sizes(n_obs: Any, needed: NeededN | Unavailable, least: int) -> np.ndarray:
    """Return the sample sizes asked for, or sizes around the N needed."""
    if n_obs is None:
        return grid_around(needed, least)
    given = list(n_obs) if isinstance(n_obs, Sequence | np.ndarray | range) else [n_obs]
    bad = [n for n in given if isinstance(n, bool | str) or int(n) != n or n < least]
    if bad or not given:
        raise DataContractError(
            f"power: n_obs= is {listing(given)}; whole numbers of at least {least} are needed for "
            f"this model (more people than variables in every group). Correct n_obs=."
        )
    return np.unique(np.array(given, dtype=int))


def _of_rmsea(
    job: Job, n_obs: Any, rmsea0: float | None, rmsea1: float | None, *, target: float, alpha: float
) -> PowerResult:
    """Power of a test of RMSEA."""
    plan = plans_of(job, REFERENCE_N)[0]
    return power_of_rmsea(
        job.hypothesis, plan.result.test.df, n_obs, rmsea0=rmsea0, rmsea1=rmsea1, target=target,
        alpha=alpha, n_groups=job.population.n_groups,
    )  # fmt: skip


@remembered
def power_of_rmsea(
    hypothesis: str,
    df: int,
    n_obs: int | Sequence[int] | None = None,
    *,
    rmsea0: float | None = None,
    rmsea1: float | None = None,
    target: float = 0.80,
    alpha: float = 1.0 - LEVEL,
    n_groups: int = 1,
) -> PowerResult:
    """Power of the tests of close and of not-close fit, from degrees of freedom alone.

    Parameters
    ----------
    hypothesis : {"close", "not-close"}
        Close: reject ``rmsea0`` if the truth is the larger ``rmsea1``. Not-close: reject
        ``rmsea0`` if the truth is the smaller ``rmsea1``.
    df : int
    n_obs, rmsea0, rmsea1, target, alpha
        As in ``power``.

    Notes
    -----
    Checked against semTools and MacCallum, Browne & Sugawara (1996, Tables 2 and 4).
    """
    check_shares(alpha, target)
    if hypothesis not in RMSEA_HYPOTHESES:
        raise ModelSpecError(
            f"power: hypothesis= is '{hypothesis}'; allowed are {listing(RMSEA_HYPOTHESES)}."
            f"{nearest(hypothesis, RMSEA_HYPOTHESES)} Choose one of them."
        )
    standard = RMSEA_VALUES[hypothesis]
    low = standard[0] if rmsea0 is None else float(rmsea0)
    high = standard[1] if rmsea1 is None else float(rmsea1)
    check_rmsea(hypothesis, df, low, high)

    def at(n: int) -> float:
        return power_rmsea(n, df, low, high, alpha=alpha, n_groups=n_groups)

    needed = smallest_n(at, target, 5)
    sizes = _sizes(n_obs, needed, 2)
    table = pd.DataFrame({"n_obs": sizes, "power": [at(int(n)) for n in sizes]})
    kind = _("close fit") if hypothesis == "close" else _("not-close fit")
    test = _("test of {kind}, RMSEA {low} against {high}, df = {df}").format(
        kind=kind, low=f"{low:.2f}", high=f"{high:.2f}", df=df
    )
    name = _("a misfit of the model") if hypothesis == "close" else _("that the model fits")
    return PowerResult(table, needed, name, "analytic", test, alpha, target, df=df)


def _by_simulation(
    job: Job,
    formula: Formula,
    sizes: np.ndarray,
    n_sets: int,
    seed: int | None,
    *,
    target: float,
    alpha: float,
    place: dict[str, Any],
) -> PowerResult:
    """Run the simulation and build its result."""
    if seed is None:
        raise DataContractError(
            "power: seed= is missing; a simulation must be repeatable. Give any whole number."
        )
    if isinstance(n_sets, bool) or int(n_sets) != n_sets or n_sets < 1:
        raise DataContractError(
            f"power: n_sets= is {n_sets}; a whole number of at least 1 is needed. Correct it."
        )
    blocks = run_sizes(job, sizes, int(n_sets), **place)
    table = summarise(blocks, formula.true_value, alpha=alpha, level=LEVEL)
    hits = np.array([(rejected(b, alpha) & b.converged).sum() for b in blocks.values()])
    used = table["n_used"].to_numpy()
    if not used.all():
        needed: NeededN | Unavailable = Unavailable(
            _("the N needed"), _("at some sizes no replicate converged")
        )
    else:
        needed = needed_from_curve(sizes, hits, used, target, LEVEL)
    test = _("chi-square difference, df = {df}").format(df=formula.df)
    if formula.target is not None:
        test = _("Monte Carlo interval") if job.interval else _("z test")
    base = formula.result(sizes, needed, target=target, alpha=alpha)
    settings = {k: v for k, v in job.data.items() if v} | {"shares": list(job.shares)}
    return replace(
        base, table=table, method="montecarlo", estimator=job.estimator, n_sets=int(n_sets),
        seed=job.seed, test=test, level=LEVEL, settings=settings,
    )  # fmt: skip
