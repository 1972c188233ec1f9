"""How large non-invariance is, item by item: dMACS of Nye and Drasgow.

The expected answer to an item at latent standing eta is ``tau + lambda' eta``. Between a reference
and a focal group it differs by ``delta(eta)``, and

    dMACS = sqrt( integral of delta(eta)^2 f(eta) d eta ) / SD,

with f the normal density of the focal group and SD the item's standard deviation pooled over the
two groups, ``((n_R - 1) SD_R + (n_F - 1) SD_F) / (n_R + n_F - 2)`` (Nye & Drasgow 2011,
doi:10.1037/a0022955). For linear items the integral is
``(dtau + dlambda' m)^2 + dlambda' V dlambda`` with the focal group's latent means m and covariances
V. Without the square the integral says by how much the item shifts the observed mean of the focal
group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.errors import EstimationError, Unavailable, listing, nearest
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.constraints import build_reduction
from helpers.sem.model import GroupModel, State
from helpers.sem.optimize import scoring
from helpers.sem.partable import build_table
from helpers.sem.result import SemResult
from helpers.sem.syntax import parse

Array = np.ndarray


def item_dmacs(
    delta_intercept: float, delta_loading: Array, mean: Array, cov: Array, sd: float
) -> tuple[float, float]:
    """Return dMACS and the shift of the observed mean for one item.

    Parameters
    ----------
    delta_intercept : float
        Reference less focal.
    delta_loading, mean : array, shape (m,)
        Loadings, reference less focal; latent means of the focal group.
    cov : array, shape (m, m)
        Latent covariances of the focal group.
    sd : float
        Pooled standard deviation of the item.

    Returns
    -------
    tuple of float
        dMACS, 0 or more, in standard deviations; and the mean shift in units of the answer scale:
        how much higher the focal group would answer under the reference group's parameters.

    Examples
    --------
    >>> import numpy as np
    >>> d, shift = item_dmacs(0.3, np.array([0.4]), np.array([0.0]), np.array([[1.0]]), 1.0)
    >>> round(d, 3), shift
    (0.5, 0.3)
    """
    shift = float(delta_intercept + delta_loading @ mean)
    spread = float(delta_loading @ cov @ delta_loading)
    return float(np.sqrt(max(shift**2 + spread, 0.0)) / sd), shift


def dmacs(result: SemResult, *, reference: object = None) -> pd.DataFrame:
    """Compute dMACS of every item from a fit in which loadings or intercepts differ.

    Parameters
    ----------
    result : SemResult
        Groups on one latent scale: a partially invariant fit. Items held equal have dMACS 0.
    reference : group label, optional
        By default the first group.

    Returns
    -------
    DataFrame
        item, reference, focal, dmacs, mean_shift, loading_reference, loading_focal (of the item's
        first factor), intercept_reference, intercept_focal, sd.

    Raises
    ------
    EstimationError
        One group, no means, ordered items, or an unknown reference.

    Notes
    -----
    Checked by hand calculation and by numerical integration: ``tests/sem``.
    """
    _check(result)
    labels = list(result.group_labels)
    base = 0 if reference is None else _position(reference, labels)
    rows = []
    for item in result.observed:
        rows += _item_rows(result, result.states, result.theta, item, base)
    return pd.DataFrame([row for row in rows if row is not None])


@remembered
def item_bias(result: SemResult, *, reference: object = None) -> pd.DataFrame | Unavailable:
    """Compute dMACS of every item with all other items as anchors.

    Parameters
    ----------
    result : SemResult
        The scalar step by normal-theory ML (MLR and FIML too). For each item in turn its loadings
        and intercept are released, the others stay equal, and the model is estimated again.
    reference : group label, optional

    Returns
    -------
    DataFrame or Unavailable
        As from ``dmacs``. ``Unavailable`` where no item's model could be estimated.

    Notes
    -----
    Anchors that differ themselves blur the picture: read it together with the log of
    ``partial_invariance``. Checked against refits by ``fit``.
    """
    _check(result)
    labels = list(result.group_labels)
    base = 0 if reference is None else _position(reference, labels)
    rows: list[dict[str, object] | None] = []
    for item in result.observed:
        theta = _released_estimates(result, item)
        if theta is not None:
            states = [model.state(theta) for model in result.model]
            rows += _item_rows(result, states, theta, item, base)
    kept = [row for row in rows if row is not None]
    if not kept:
        return Unavailable(_("effect sizes of the items"), _("no item could be released"))
    return pd.DataFrame(kept)


def _released_estimates(result: SemResult, item: str) -> Array | None:
    """Estimate the model with one item's parameters free over groups; None if it fails."""
    options = result.table.options
    first = [r for r in result.table.rows if r.group == 1]
    own = [r.name for r in first if r.op == "=~" and r.rhs == item and r.free]
    own += [f"{item}~1"]
    partial = tuple(dict.fromkeys((*options.group_partial, *own)))
    table = build_table(
        parse(result.syntax), result.table.names, replace(options, group_partial=partial)
    )
    reduction = build_reduction(table)  # releasing moves no free row, so x stays the same
    found = scoring(result.context.target, reduction, reduction.reduce(result.theta))
    return found.x if found.converged else None


def _item_rows(
    result: SemResult, states: Sequence[State], theta: Array, item: str, base: int
) -> list[dict[str, object] | None]:
    """Return one row per focal group, or nothing for a variable that is no indicator."""
    p, at = len(result.observed), result.observed.index(item)
    loads = [_loadings(m, theta, at) for m in result.model]
    if not np.any(loads[base]):
        return [None]
    intercepts = [_intercept(m, theta, at) for m in result.model]
    lead = int(np.abs(loads[base]).argmax())
    rows: list[dict[str, object] | None] = []
    for g, label in enumerate(result.group_labels):
        if g == base:
            continue
        focal, sd = states[g], _pooled_sd(result, at, base, g)
        size, shift = item_dmacs(
            intercepts[base] - intercepts[g], loads[base] - loads[g], focal.eta[p:],
            focal.total[p:, p:], sd,
        )  # fmt: skip
        rows.append(
            {
                "item": item,
                "reference": str(result.group_labels[base]),
                "focal": str(label),
                "dmacs": size,
                "mean_shift": shift,
                "loading_reference": float(loads[base][lead]),
                "loading_focal": float(loads[g][lead]),
                "intercept_reference": float(intercepts[base]),
                "intercept_focal": float(intercepts[g]),
                "sd": sd,
            }
        )
    return rows


def _loadings(model: GroupModel, theta: Array, at: int) -> Array:
    """Loadings of one observed variable on all latent variables."""
    return model.matrices(theta)[0][at, model.n_observed :]


def _intercept(model: GroupModel, theta: Array, at: int) -> float:
    """Intercept of one observed variable."""
    return float(model.matrices(theta)[2][at])


def _pooled_sd(result: SemResult, at: int, a: int, b: int) -> float:
    """Standard deviation of an item pooled over two groups, as Nye and Drasgow pool it."""
    divisor = 0 if result.likelihood == "normal" else 1
    one, two = result.moments[a], result.moments[b]
    sds = [np.sqrt(m.cov[at, at] * m.n / (m.n - 1 + divisor)) for m in (one, two)]
    return float(((one.n - 1) * sds[0] + (two.n - 1) * sds[1]) / (one.n + two.n - 2))


def _position(reference: object, labels: Sequence[object]) -> int:
    """Position of the reference group."""
    texts = [str(label) for label in labels]
    if str(reference) not in texts:
        raise EstimationError(
            f"dmacs: reference= is '{reference}'; groups are {listing(texts)}."
            f"{nearest(str(reference), texts)} Name one of them."
        )
    return texts.index(str(reference))


def _check(result: SemResult) -> None:
    """Refuse fits for which the linear formula does not stand."""
    if result.n_groups < 2 or not result.meanstructure or result.table.names.ordered:
        kind = "ordered" if result.table.names.ordered else "continuous"
        raise EstimationError(
            f"dmacs: result= has {result.n_groups} group(s), {kind} items, "
            f"{'with' if result.meanstructure else 'without'} means; at least two groups, "
            "continuous items and means are needed. Fit with group= and without ordered=."
        )
