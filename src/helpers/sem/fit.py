"""The public call: a model, data or moments, options; out comes a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from helpers.blas import one_thread
from helpers.errors import DataContractError, ModelSpecError
from helpers.memo import remembered
from helpers.sem.engine import finish, solve
from helpers.sem.moments import (
    GroupMoments,
    check_columns,
    moments_given,
    moments_of_data,
    split_rows,
    to_float,
)
from helpers.sem.optimize import Solution, scoring
from helpers.sem.options import Settings, check_options
from helpers.sem.partable import Names, Options, build_table, find_names
from helpers.sem.problem import (
    Problem,
    baseline_table,
    build_problem,
    check_counting,
    fill_fixed,
    simple_start,
)
from helpers.sem.result import SemResult
from helpers.sem.syntax import Syntax, parse

Array = np.ndarray


def model_text(model: object) -> str:
    """Take the text of a model: lavaan syntax, or an object that can write it."""
    if isinstance(model, str):
        return model
    text = getattr(model, "syntax", None)
    if text is None and hasattr(model, "to_lavaan"):
        text = model.to_lavaan
    text = text() if callable(text) else text
    if not isinstance(text, str):
        raise ModelSpecError(
            f"fit: model= is a {type(model).__name__}; lavaan text, or an object with .syntax or "
            f".to_lavaan() is needed. Write for example 'f =~ x1 + x2 + x3'."
        )
    return text


@lru_cache(maxsize=64)
def _parsed(text: str) -> Syntax:
    """Parse a model text once."""
    return parse(text)


@remembered
@one_thread
def fit(
    model: object,
    data: pd.DataFrame | None = None,
    *,
    sample_cov: object = None,
    sample_mean: object = None,
    sample_sd: object = None,
    n_obs: object = None,
    estimator: str = "ML",
    missing: str = "listwise",
    group: str | None = None,
    group_equal: Sequence[str] | str = (),
    group_partial: Sequence[str] | str = (),
    ordered: Sequence[str] | str | bool = (),
    meanstructure: bool | None = None,
    std_lv: bool = False,
    fixed_x: bool | None = None,
    information: str | None = None,
    likelihood: str = "normal",
    bounds: str | None = None,
) -> SemResult:
    """Fit a structural equation model.

    All variables stand in ``v = A v + e``, ``Sigma = F (I - A)^-1 S (I - A)^-T F'``. ML minimises
    ``log|Sigma| + tr(S Sigma^-1) - log|S| - p (+ mean terms)`` by Fisher scoring.

    Parameters
    ----------
    model : str or object with ``.syntax`` or ``.to_lavaan()``
        Model in lavaan's language, see ``helpers.sem.syntax.parse``. Defaults as
        ``lavaan::sem``: first loading fixed at 1, exogenous latents covary, observed covariates
        fixed at their sample moments.
    data : DataFrame, shape (n_rows, ...)
        Rows with a missing value in a model variable are dropped and counted, unless
        ``missing="fiml"``. Never modified.
    sample_cov, sample_mean, sample_sd, n_obs
        Instead of data: a labelled covariance matrix (divisor N - 1), or correlations with
        ``sample_sd``; a dict or list of them for several groups.
    estimator : {"ML", "MLR", "MLM", "MLMV", "GLS", "ULS", "WLS", "WLSMV", "DWLS"}
    group : str
        Column that separates groups; labels are kept, in order of appearance.
    group_equal : names of ``helpers.sem.partable.GROUP_EQUAL``
    group_partial : names of parameters left free over groups, such as ``"f=~x2"``
    ordered : names of items treated as ordered categories; True for all that are no covariates
    meanstructure : bool, optional
        Default as lavaan: on with groups, FIML, ``~1`` and given means in several groups.
    information : {"expected", "observed"}, optional
        Default as lavaan: observed for MLR and FIML, else expected.
    fixed_x : bool, optional
        Take moments of observed covariates as given. Default as lavaan: yes for ML and its robust
        forms and with ordered items, no for least squares otherwise.
    likelihood : {"normal", "wishart"}
    bounds : {"pos_var"}, optional
        Keep variances from becoming negative.

    Returns
    -------
    SemResult

    Raises
    ------
    ModelSpecError
        Syntax, unknown names, options that do not go together, models that are not identified.
    DataContractError, EstimationError
        Data that cannot be analysed: too few rows, no variance, singular covariances.

    Notes
    -----
    Checked against lavaan 0.6 (R): ``tests/reference/``.

    Examples
    --------
    >>> import pandas as pd
    >>> cov = pd.DataFrame([[2.0, 1.0], [1.0, 2.0]], index=["x", "y"], columns=["x", "y"])
    >>> r = fit("y ~ x", sample_cov=cov, n_obs=101)
    >>> round(float(r.estimates["est"][0]), 3)
    0.5
    """
    text = model_text(model)
    syntax = _parsed(text)
    grouped = group is not None or isinstance(sample_cov, dict | list | tuple)
    if ordered is True:
        roles = find_names(syntax)
        ordered = [name for name in roles.observed if name not in roles.covariate]
    settings = check_options(
        estimator=estimator, missing=missing, information=information, likelihood=likelihood,
        group=group, group_equal=group_equal, group_partial=group_partial, ordered=ordered,
        std_lv=std_lv, fixed_x=fixed_x, bounds=bounds, has_data=data is not None,
        meanstructure=meanstructure, grouped=grouped,
    )  # fmt: skip
    if (data is None) == (sample_cov is None):
        raise DataContractError(
            "fit: data= and sample_cov= are " + ("both missing" if data is None else "both given")
            + "; exactly one of them is needed. Give data=, or sample_cov= with n_obs=."
        )  # fmt: skip
    if data is not None and (settings.ordered or settings.missing == "fiml"):
        if settings.ordered:
            from helpers.sem.fit_ordinal import fit_ordinal as special
        else:
            from helpers.sem.fit_incomplete import fit_incomplete as special
        return special(text, syntax, data, settings, group, meanstructure)
    names = find_names(syntax)
    means = _wants_means(syntax, settings, grouped, meanstructure, sample_mean, given=data is None)
    if data is not None:
        moments = _moments(data, names, group, settings.divisor)
    else:
        moments = moments_given(
            sample_cov, names.observed, sample_mean=sample_mean, sample_sd=sample_sd,
            n_obs=n_obs, divisor=settings.divisor,
        )  # fmt: skip
        if means and any(m.mean is None for m in moments):
            raise DataContractError(
                "fit: sample_mean= is missing, but the model has means; give the means, or set "
                "meanstructure=False. Add sample_mean= with one value per variable."
            )
    return fit_moments(text, syntax, names, moments, settings, group=group, means=means)


def _wants_means(
    syntax: Syntax,
    settings: Settings,
    grouped: bool,
    asked: bool | None,
    sample_mean: object,
    given: bool,
) -> bool:
    """Decide on the mean structure as lavaan does."""
    stated = any(t.op == "~1" for t in syntax.terms)
    equal = {"intercepts", "means"} & set(settings.group_equal)
    if asked is not None:
        if not asked and stated:
            raise ModelSpecError(
                "fit: meanstructure= is False, but the model has intercepts (~1); one of the two "
                "has to give. Leave meanstructure= out, or delete the ~1 terms."
            )
        return asked
    if stated or equal:
        return True
    if given:
        return sample_mean is not None
    return grouped


def _moments(
    data: pd.DataFrame, names: Names, group: str | None, divisor: int
) -> list[GroupMoments]:
    """Moments of every group of the data."""
    check_columns(data, names.observed)
    values = to_float(data, names.observed)
    out = []
    for label, at in split_rows(data, group):
        part = values if at is None else values[at]
        out.append(
            moments_of_data(
                part,
                names.observed,
                label=label,
                many=group is not None,
                divisor=divisor,
                index=data.index if at is None else data.index[at],
                positions=np.arange(len(part)) if at is None else at,
            )
        )
    if group is not None:  # rows without a group belong nowhere; they count as dropped
        unplaced = int(data[group].isna().sum())
        out[0] = replace(out[0], n_dropped=out[0].n_dropped + unplaced)
    return out


def fit_moments(
    text: str,
    syntax: Syntax,
    names: Names,
    moments: list[GroupMoments],
    settings: Settings,
    *,
    group: str | None,
    means: bool,
) -> SemResult:
    """Fit to complete-data moments."""
    options = Options(
        n_groups=len(moments), meanstructure=means, std_lv=settings.std_lv,
        fixed_x=settings.fixed_x, group_equal=settings.group_equal,
        group_partial=settings.group_partial,
    )  # fmt: skip
    table = fill_fixed(build_table(syntax, names, options), moments, means)
    problem = build_problem(
        table, moments, estimator=settings.discrepancy, means=means, fixed_x=settings.fixed_x
    )
    check_counting(problem)
    solution = solve(problem, settings.bounds)
    base = build_problem(
        baseline_table(table, moments, means), moments,
        estimator=settings.discrepancy, means=means, fixed_x=settings.fixed_x,
    )  # fmt: skip
    base_solution = baseline_solution(base)
    return finish(text, problem, solution, base, base_solution, settings, group)


def baseline_solution(base: Problem) -> Solution:
    """Estimate the baseline model; under ML its estimates are the sample's own moments."""
    x = simple_start(base)
    for row in base.table.rows:
        if row.free and row.op == "~~":
            at = [base.table.names.observed.index(name) for name in (row.lhs, row.rhs)]
            x[row.free - 1] = base.moments[row.group - 1].cov[at[0], at[1]]
    if base.estimator == "ML":
        return Solution(x, x, base.target.value(x), True, 0, 0.0)
    return scoring(base.target, base.reduction, x)
