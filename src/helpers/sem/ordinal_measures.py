"""Fit measures that ordered items need in their own form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.sem.discrepancy import invert, weigh
from helpers.sem.gamma import normal_weight
from helpers.sem.infer import solve_information
from helpers.sem.model import vech_index
from helpers.sem.optimize import tangent

if TYPE_CHECKING:
    from helpers.sem.result import SemResult

Array = np.ndarray


def ordinal_residuals(result: SemResult) -> dict[str, float]:
    """Return RMR, SRMR and CRMR over correlations, and over correlations and thresholds.

    As in lavaan, variances (those of covariates too) count in the divisor of RMR and SRMR but not
    in the sum, and SRMR itself is the one without thresholds.
    """
    total: dict[str, float] = {}
    target = result.context.target
    for sample, model, state, n in zip(
        result.context.extra.samples, result.model, result.states, result.n_per_group
    ):
        p = len(sample.names)
        count_of_variances = p + len(sample.covariates)
        first, second = np.triu_indices(p, 1)
        implied = model.explained_cov(state)
        raw = (sample.cov - implied)[first, second]
        sd, sd_model = np.sqrt(np.diag(sample.cov)), np.sqrt(np.abs(np.diag(implied)))
        own = sample.cov[first, second] / (sd[first] * sd[second])
        model_own = implied[first, second] / (sd_model[first] * sd_model[second])
        nth = len(sample.thresholds)
        gap = (sample.moments - target.implied(model, state))[:nth][~sample.threshold_is_mean]
        parts = {
            "rmr": (raw, len(raw) + count_of_variances),
            "srmr_bentler": (raw / (sd[first] * sd[second]), len(raw) + count_of_variances),
            "crmr": (own - model_own, len(raw)),
        }
        for name, (residual, count) in parts.items():
            squares = float(residual @ residual)
            values = {
                f"{name}_nomean": np.sqrt(squares / count),
                name: np.sqrt((squares + float(gap @ gap)) / (count + len(gap))),
            }
            for key, value in values.items():
                total[key] = total.get(key, 0.0) + n / result.n_obs * float(value)
    return total | {"srmr": total["srmr_bentler_nomean"]}


def ordinal_count(result: SemResult) -> int:
    """Return the number of sample moments of all groups."""
    return sum(len(sample.moments) for sample in result.context.extra.samples)


def ordinal_corrected(result: SemResult) -> dict[str, float] | Unavailable:
    """Return the statistics behind the robust CFI, TLI and RMSEA of WLSMV.

    The maximum-likelihood discrepancy of the polychoric correlations at the WLSMV estimates,
    ``N F_ML(R, P(theta))``, with scaling ``tr(M' V M Gamma) / df``, ``M = I - D E^-1 D' W``, over
    the correlations alone: ``V`` is the normal-theory weight at the model, ``W`` that of WLSMV,
    ``D`` the Jacobian, ``E = D' W D``. For the baseline, ``-N log|R|`` with ``tr(Gamma) / df``.

    References
    ----------
    Savalei (2021), doi:10.1080/00273171.2020.1717922. Checked against lavaan 0.6-14.
    """
    why = _obstacle(result)
    if why:
        return Unavailable(_("robust CFI, TLI and RMSEA"), why)
    problem, x = result.context, result.theta
    target = problem.target
    shares = problem.weights
    jacobians = [target.jacobian(m, s) for m, s in zip(result.model, result.states)]
    information = sum(
        share * (d.T @ weigh(w, d)) for d, w, share in zip(jacobians, target.weight, shares)
    )
    basis = tangent(problem.reduction, x, len(problem.reduction.reduce(x)))
    inverse, _reduced = solve_information(information, basis)
    if inverse is None:
        return Unavailable(
            _("robust CFI, TLI and RMSEA"),
            _("the information matrix is singular at the estimates"),
        )
    statistic = null = null_trace = 0.0
    pieces = []
    for sample, state, d, w, share in zip(
        problem.extra.samples, result.states, jacobians, target.weight, shares
    ):
        k = len(sample.names) * (len(sample.names) - 1) // 2
        weight, logdet = invert(state.sigma)
        sample_logdet = float(np.linalg.slogdet(sample.cor)[1])
        n = sample.n_used
        statistic += n * (
            logdet + float(np.sum(weight * sample.cor)) - sample_logdet - len(sample.names)
        )
        null -= n * sample_logdet
        null_trace += float(np.trace(sample.gamma[-k:, -k:])) / share
        pieces.append((d[-k:], share * w[-k:], share * _pairs_weight(weight), share))
    trace = _correction(pieces, [s.gamma for s in problem.extra.samples], inverse)
    df, df0 = result.test.df, result.baseline.df
    c = trace / df
    return {
        "x": statistic, "df": df, "c": c, "scaled": statistic / c,
        "x0": null, "df0": df0, "c0": null_trace / df0,
    }  # fmt: skip


def _obstacle(result: SemResult) -> str:
    """Return why the robust indices have no form here, or nothing."""
    samples = result.context.extra.samples
    if result.test.df <= 0:
        return _("the model is saturated, there is nothing to test")
    if any(sample.covariates for sample in samples):
        return _("they have no form given covariates")
    if not all(all(sample.ordered) for sample in samples):
        return _("they are defined only where every item is ordered")
    if any(np.linalg.eigvalsh(sample.cor)[0] < 1e-8 for sample in samples):
        return _("the polychoric correlations are not positive definite")
    shared = [row.shared for row in result.table.rows if row.op == "|" and row.free]
    fitted = all(row.free for row in result.table.rows if row.op == "|")
    scaled = any(row.op in ("~*~", "~1") and row.free for row in result.table.rows)
    if scaled or not fitted or len(set(filter(None, shared))) < len(list(filter(None, shared))):
        return _("they are defined only where the thresholds are free")
    return ""


def _pairs_weight(inverse: Array) -> Array:
    """Normal-theory weight of the covariances below the diagonal."""
    r, s = vech_index(len(inverse))
    below = np.flatnonzero(r != s)
    return normal_weight(inverse, False)[np.ix_(below, below)]


def _correction(pieces: list[tuple], gammas: list[Array], inverse: Array) -> float:
    """Return tr(M' V M Gamma); M couples groups that share parameters."""
    total = 0.0
    for g, (d, _w, v, _share) in enumerate(pieces):
        for h, (e, w, _v, share) in enumerate(pieces):
            k = len(w)
            m = -(d @ inverse @ (e.T * w))
            if g == h:
                m[np.diag_indices(k)] += 1.0
            total += float(np.sum((m.T @ v @ m) * gammas[h][-k:, -k:])) / share
    return total
