"""Fitting a latent interaction: by product indicators, or by the exact likelihood (LMS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import minimize

from helpers.errors import (
    DataContractError,
    EstimationError,
    ModelSpecError,
    Unavailable,
    check_level,
    listing,
)
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.fit import fit
from helpers.sem.interaction import with_products
from helpers.sem.interaction_lms import NODES, STRUCTURE, Layout, log_likelihood
from helpers.sem.interaction_paths import implied_sd, path_position
from helpers.sem.interaction_result import LatentInteraction, summarise
from helpers.sem.result import SemResult
from helpers.thresholds import LEVEL

Array = np.ndarray

SMALLEST_SHARE = 0.02
"""Start of a residual variance at least, as a share of the item's variance."""
VANISHED = 1e-3
"""A variance below this share of the whole counts as zero."""
STEP = 1e-4
"""Step of the central differences that turn scores into the Hessian."""
NEWTON_STEPS = 10
DECREMENT = 1e-6
"""A Newton step that promises less than this of log-likelihood ends the search."""


@dataclass(frozen=True, slots=True)
class LmsFit:
    """The exact maximum-likelihood fit of one latent interaction.

    Attributes
    ----------
    estimates : DataFrame
        Columns lhs, op, rhs, est, se: loadings, intercepts, residual variances, the latent
        covariance matrix, paths, disturbance. Robust (sandwich) errors.
    log_likelihood, log_likelihood_linear : float
        With and without the product; the linear model is that of the SEM engine.
    iterations, nodes : int
    """

    estimates: pd.DataFrame
    log_likelihood: float
    log_likelihood_linear: float
    iterations: int
    nodes: int


@remembered
def interaction_by_products(
    model: object,
    data: pd.DataFrame,
    *,
    predictor: str,
    moderator: str,
    outcome: str,
    pairs: str = "matched",
    first: Sequence[str] = (),
    second: Sequence[str] = (),
    estimator: str = "MLR",
    missing: str = "listwise",
    level: float = LEVEL,
) -> LatentInteraction:
    """Estimate a latent interaction by double-mean-centred product indicators.

    Parameters
    ----------
    model, data, predictor, moderator, pairs, first, second
        As ``helpers.sem.interaction.with_products``.
    outcome : str
        Construct that the product points to.
    estimator, missing : str
        As ``helpers.sem.fit``. Products are not normal, so robust errors are the default. A product
        is blank where either of its items is; means are taken over the answers given.
    level : float

    Notes
    -----
    Checked against R lavaan and semTools: tests/reference/moderation.R. No likelihood-ratio test
    is given: leaving the product out leaves its items out of the data as well.
    """
    check_level(level, "interaction_by_products")
    extended = with_products(
        model, data, predictor=predictor, moderator=moderator, outcomes=[outcome], pairs=pairs,
        first=first, second=second,
    )  # fmt: skip
    result = fit(extended.syntax, extended.data, estimator=estimator, missing=missing)
    if isinstance(result.vcov, Unavailable):
        raise EstimationError(
            f"interaction_by_products: model= has no standard errors; {result.vcov.why}."
        )
    at = [path_position(result, outcome, v) for v in (predictor, moderator, extended.product)]
    sd = {
        role: implied_sd(result, name)
        for role, name in (("predictor", predictor), ("moderator", moderator),
                           ("outcome", outcome))
    }  # fmt: skip
    why = _("the model without the product leaves items out")
    none = Unavailable(_("the likelihood-ratio test"), why)
    return summarise(
        result.theta[at], result.vcov[np.ix_(at, at)], sd, names=(predictor, moderator, outcome),
        level=level, method="products", converged=bool(result.converged),
        admissible=bool(result.admissible), problems=result.problems, lr_chisq=none, lr_p=none,
        n_used=result.n_obs, n_dropped=result.n_dropped, fit=result,
    )  # fmt: skip


@remembered
def interaction_by_lms(
    data: pd.DataFrame,
    items: Mapping[str, Sequence[str]],
    *,
    predictor: str,
    moderator: str,
    outcome: str,
    nodes: int = NODES,
    level: float = LEVEL,
) -> LatentInteraction:
    """Estimate a latent interaction by its exact likelihood (LMS).

    ``outcome = g1 predictor + g2 moderator + g3 predictor moderator + d``; predictor, moderator,
    disturbance and residuals are normal, the outcome is not.

    Parameters
    ----------
    data : DataFrame
        Respondents; never modified. A blank item leaves its respondent's likelihood; respondents
        without any item of one construct are dropped and counted.
    items : mapping
        Construct -> items, the marker first; at least two each.
    predictor, moderator, outcome : str
    nodes : int
        Quadrature points.
    level : float

    Raises
    ------
    ModelSpecError
        A construct has fewer than two items, or none.
    DataContractError
        A column is absent or has one value.
    EstimationError
        The search did not converge.

    Notes
    -----
    Klein & Moosbrugger (2000), doi:10.1007/BF02296338. Robust errors ``H^-1 S'S H^-1``. Checked:
    without a product the likelihood is the SEM engine's; the integral against adaptive
    quadrature; planted truth with the intervals' coverage; on the example data of the R package
    modsem (``oneInt``) the log-likelihood is -17493.57, where its authors print -17493.60 with
    fixed nodes and an earlier stop, and -17831.87 without the product, as they print.
    Limits: one interaction, no further predictor of the outcome, two items a construct at least.
    """
    check_level(level, "interaction_by_lms")
    names = (predictor, moderator, outcome)
    columns = [_columns(data, items, name) for name in names]
    values = [data[c].to_numpy(float) for c in columns]
    kept = np.all([np.isfinite(v).any(axis=1) for v in values], axis=0)
    values = tuple(v[kept] for v in values)
    linear = _linear_fit(data.loc[kept], names, columns)
    theta, iterations = _search(_start(linear, names, columns), values, nodes)
    value, scores, hessian = _curvature(theta, values, nodes)
    bread = np.linalg.inv(-hessian)
    vcov = bread @ (scores.T @ scores) @ bread
    table, sd, paths = _natural(theta, vcov, names, columns)
    linear_value = float(linear.fit_measures["logl"])
    chisq = max(2 * (value - linear_value), 0.0)
    own = LmsFit(table, value, linear_value, iterations, nodes)
    problems = _lms_problems(table, data, sd, names)
    return summarise(
        theta[paths], vcov[np.ix_(paths, paths)], sd, names=names, level=level, method="lms",
        converged=True, admissible=not problems, problems=problems, lr_chisq=chisq,
        lr_p=float(stats.chi2.sf(chisq, 1)), n_used=int(kept.sum()),
        n_dropped=int((~kept).sum()), fit=own,
    )  # fmt: skip


def _lms_problems(
    table: pd.DataFrame, data: pd.DataFrame, sd: Mapping[str, float], names: tuple[str, str, str]
) -> tuple[str, ...]:
    """Return what makes a solution inadmissible: variances that vanish, paths beyond 1."""
    total = {**dict(zip(names, sd.values())), **data.std(numeric_only=True).to_dict()}
    own = table[(table["op"] == "~~") & (table["lhs"] == table["rhs"])]
    gone = [n for n, v in zip(own["lhs"], own["est"]) if v < VANISHED * total[n] ** 2]
    paths = table.set_index(["lhs", "op", "rhs"])["est"]
    outcome = names[2]
    large = [
        f"{outcome} ~ {n}"
        for n in names[:2]
        if abs(paths[(outcome, "~", n)]) * total[n] > total[outcome]
    ]
    found = []
    if gone:
        found.append(_("The variance of {names} is at its limit, zero.").format(
            names=listing(gone)))  # fmt: skip
    if large:
        found.append(_("Standardised values exceed 1 in absolute size: {names}.").format(
            names=listing(large)))  # fmt: skip
    return tuple(found)


def _columns(data: pd.DataFrame, items: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """Return the items of one construct after checking them."""
    own = list(items.get(name, ()))
    if len(own) < 2:
        raise ModelSpecError(
            f"interaction_by_lms: items= of '{name}' are {listing(own) or 'none'}; at least two "
            "items a construct are needed to tell it from error. Use interaction_by_products, or "
            "helpers.regression.process for observed variables."
        )
    absent = [c for c in own if c not in data.columns]
    if absent:
        raise DataContractError(
            f"interaction_by_lms: data= has no column {listing(absent)}; the items of '{name}' are "
            "needed. Check the names."
        )
    constant = [c for c in own if data[c].nunique() < 2]
    if constant:
        raise DataContractError(
            f"interaction_by_lms: data= has one value in {listing(constant)} of '{name}'; items "
            "that vary are needed. Choose another variable."
        )
    return own


def _linear_fit(
    data: pd.DataFrame, names: tuple[str, str, str], columns: Sequence[Sequence[str]]
) -> SemResult:
    """Fit the same model without the product by the SEM engine."""
    lines = [f"{name} =~ {' + '.join(own)}" for name, own in zip(names, columns)]
    lines.append(f"{names[2]} ~ {names[0]} + {names[1]}")
    used = data[[c for own in columns for c in own]].astype(float)
    blank = bool(used.isna().to_numpy().any())
    return fit("\n".join(lines), used, meanstructure=True, missing="fiml" if blank else "listwise")


def _start(
    linear: SemResult, names: tuple[str, str, str], columns: Sequence[Sequence[str]]
) -> Array:
    """Start from the linear model, product 0."""
    table = linear.estimates
    est = {(a, op, b): e for a, op, b, e in table[["lhs", "op", "rhs", "est"]].to_numpy()}
    parts: list[float] = []
    least: dict[str, float] = {}
    for name, own in zip(names, columns):
        marker = abs(est[(name, "~~", name)]) + abs(est[(own[0], "~~", own[0])])
        least[name] = SMALLEST_SHARE * marker
        spread = max(est[(name, "~~", name)], least[name])
        parts += [est[(name, "=~", c)] for c in own[1:]]
        parts += [est[(c, "~1", "")] for c in own]
        for c in own:
            total = est[(name, "=~", c)] ** 2 * spread + abs(est[(c, "~~", c)])
            parts.append(np.log(max(est[(c, "~~", c)], SMALLEST_SHARE * total)))
    x, z, y = names
    spread = max(est[(z, "~~", z)], least[z])
    slope = est.get((x, "~~", z), est.get((z, "~~", x))) / spread
    within = max(est[(x, "~~", x)] - slope**2 * spread, least[x])
    disturbance = max(est[(y, "~~", y)], least[y])
    parts += [slope, est[(y, "~", x)], est[(y, "~", z)], 0.0]
    return np.array([*parts, np.log(within), np.log(spread), np.log(disturbance)], dtype=float)


def _search(start: Array, values: tuple[Array, ...], nodes: int) -> tuple[Array, int]:
    """Maximise: quasi-Newton in coordinates scaled by the scores' covariance, then Newton."""
    n = len(values[0])
    _value, scores = log_likelihood(start, values, nodes=nodes)
    root = np.linalg.cholesky(scores.T @ scores / n + 1e-8 * np.eye(len(start)))

    def objective(z: Array) -> tuple[float, Array]:
        value, own = log_likelihood(start + np.linalg.solve(root.T, z), values, nodes=nodes)
        return -value.sum() / n, -np.linalg.solve(root, own.sum(axis=0)) / n

    found = minimize(objective, np.zeros(len(start)), jac=True, method="BFGS",
                     options={"gtol": 1e-5})  # fmt: skip
    theta = start + np.linalg.solve(root.T, found.x)
    for extra in range(NEWTON_STEPS):
        _value, scores, hessian = _curvature(theta, values, nodes)
        if not np.isfinite(hessian).all() or np.linalg.eigvalsh(hessian)[-1] >= 0:
            break
        gradient = scores.sum(axis=0)
        step = np.linalg.solve(-hessian, gradient)
        if gradient @ step < DECREMENT:
            return theta, int(found.nit) + extra
        theta = theta + step
    raise EstimationError(
        "interaction_by_lms: data= give a likelihood without a maximum that could be reached; "
        "items that go together and enough respondents are needed. Check the scales, or use "
        "interaction_by_products."
    )


def _curvature(theta: Array, values: tuple[Array, ...], nodes: int) -> tuple[float, Array, Array]:
    """Return log-likelihood, scores and Hessian (central differences of the scores' sums)."""
    value, scores = log_likelihood(theta, values, nodes=nodes)
    rows = []
    for unit in np.eye(len(theta)) * STEP:
        up = log_likelihood(theta + unit, values, nodes=nodes)[1].sum(axis=0)
        down = log_likelihood(theta - unit, values, nodes=nodes)[1].sum(axis=0)
        rows.append((up - down) / (2 * STEP))
    hessian = np.array(rows)
    return float(value.sum()), scores, (hessian + hessian.T) / 2


def _natural(
    theta: Array, vcov: Array, names: tuple[str, str, str], columns: Sequence[Sequence[str]]
) -> tuple[pd.DataFrame, dict[str, float], list[int]]:
    """Return estimates with errors in the usual metric, the SDs, and the places of the paths."""
    se = np.sqrt(np.diag(vcov))
    rows: list[tuple[str, str, str, float, float]] = []
    layout = Layout(tuple(len(own) for own in columns))
    for name, own, (a, b, c) in zip(names, columns, layout.blocks()):
        rows.append((name, "=~", own[0], 1.0, 0.0))
        rows += [(name, "=~", i, t, s) for i, t, s in zip(own[1:], theta[a], se[a])]
        rows += [(i, "~1", "", t, s) for i, t, s in zip(own, theta[b], se[b])]
        rows += [(i, "~~", i, np.exp(t), np.exp(t) * s) for i, t, s in zip(own, theta[c], se[c])]
    first = len(theta) - len(STRUCTURE)
    slope, g1, g2, g3 = theta[first : first + 4]
    within, spread, disturbance = np.exp(theta[first + 4 :])
    x, z, y = names
    covariance, total = slope * spread, within + slope**2 * spread
    jac = np.zeros((2, len(STRUCTURE)))
    jac[0, [0, 5]] = spread, covariance
    jac[1, [0, 4, 5]] = 2 * slope * spread, within, slope**2 * spread
    latent = jac @ vcov[first:, first:] @ jac.T
    rows += [
        (y, "~", x, g1, se[first + 1]), (y, "~", z, g2, se[first + 2]),
        (y, "~", f"{x}:{z}", g3, se[first + 3]),
        (x, "~~", x, total, np.sqrt(latent[1, 1])), (x, "~~", z, covariance, np.sqrt(latent[0, 0])),
        (z, "~~", z, spread, spread * se[first + 5]),
        (y, "~~", y, disturbance, disturbance * se[first + 6]),
    ]  # fmt: skip
    explained = g1**2 * total + g2**2 * spread + 2 * g1 * g2 * covariance
    explained += g3**2 * (total * spread + covariance**2)
    sd = {"predictor": np.sqrt(total), "moderator": np.sqrt(spread),
          "outcome": np.sqrt(explained + disturbance)}  # fmt: skip
    table = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "est", "se"])
    return table, {k: float(v) for k, v in sd.items()}, [first + 1, first + 2, first + 3]
