"""The CFA marker technique, phases II and III: reliability decomposed, and how sure the method is.

Phase I, the five models and their comparisons, is ``helpers.sem.method_factors.marker_models``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy.special import ndtri

from helpers.errors import EstimationError, ModelSpecError, listing, nearest
from helpers.sem.method_factors import fitted_method_model
from helpers.sem.method_results import (
    MarkerModels,
    MarkerSensitivity,
    MethodModel,
    ReliabilityParts,
)
from helpers.sem.result import SemResult
from helpers.sem.syntax import parse

Chosen = Literal["method_c", "method_u"]

SENSITIVITY_LEVELS: Mapping[str, float] = {"method_s05": 0.95, "method_s01": 0.99}
"""Models of phase III and the level of the interval whose end they hold (Williams et al. 2010)."""


def reliability_parts(found: MarkerModels, *, chosen: Chosen | None = None) -> ReliabilityParts:
    """Decompose the reliability of every substantive factor: phase II of the CFA marker technique.

    With completely standardised loadings ``s`` on the factor and ``m`` on the marker, and residual
    variances ``t``, all summed over the items of the factor::

        total       = (sum s)^2 / ((sum s)^2 + sum t)                      in the baseline model
        substantive = (sum s)^2 / ((sum s)^2 + (sum m)^2 + sum t)          in the chosen model
        method      = (sum m)^2 / ((sum s)^2 + (sum m)^2 + sum t)          in the chosen model
        share       = method / total

    Parameters
    ----------
    found : MarkerModels
        Phase I.
    chosen : {"method_c", "method_u"}, optional
        The model that is decomposed; by default the one that phase I chose.

    Returns
    -------
    ReliabilityParts

    Raises
    ------
    ModelSpecError
        An unknown ``chosen``.
    EstimationError
        The baseline or the chosen model may not be read.

    Notes
    -----
    Total reliability of the baseline model is composite reliability (omega) of the sum of
    standardised items. Substantive and method reliability add up to that of the chosen model,
    which need not equal that of the baseline exactly. Loadings of opposite sign on the marker
    cancel, as they do in a sum of items. No interval is given: the method part is a square, whose
    delta-method error vanishes near 0; phase III carries the uncertainty. A factor with an
    item that loads on a second substantive factor has no such decomposition; its row holds the
    reason ``cross_loading``. Blank answers: as in phase I. Checked against lavaan:
    tests/reference/method_bias.R.

    References
    ----------
    Williams, Hartman & Cavazotte (2010), doi:10.1177/1094428110366036.
    """
    key = _chosen("reliability_parts", found, chosen)
    base = _readable("reliability_parts", found.models["baseline"])
    method = _readable("reliability_parts", found.models[key])
    blocks = _blocks(found)
    items = [i for own in blocks.values() for i in own]
    shared = {i for i in items if items.count(i) > 1}
    rows = [
        _decomposed(base, method, found.marker, name, own, crossed=bool(shared & set(own)))
        for name, own in blocks.items()
    ]
    return ReliabilityParts(pd.DataFrame(rows), key, found.marker, found.n_used, found.n_dropped)


def marker_sensitivity(
    found: MarkerModels,
    data: pd.DataFrame,
    *,
    chosen: Chosen | None = None,
    missing: str = "listwise",
) -> MarkerSensitivity:
    """Ask what stronger method loadings would do: phase III of the CFA marker technique.

    The loadings of the substantive items on the marker are held at the end farther from 0 of
    their 95 % interval in the chosen model, **Method-S(.05)**, and of their 99 % interval,
    **Method-S(.01)**: ``m + sign(m) z se(m)`` with unstandardised m and z = 1.96 and 2.58. All
    else is estimated again, and the correlations of the substantive factors are set beside those
    of the baseline model.

    Parameters
    ----------
    found : MarkerModels
        Phase I.
    data : DataFrame
        The rows that phase I was given.
    chosen : {"method_c", "method_u"}, optional
        The model whose intervals are taken; by default the one that phase I chose.
    missing : {"listwise", "fiml"}
        As in phase I.

    Returns
    -------
    MarkerSensitivity
        A model that does not converge or is not admissible keeps its state and gives no
        correlations.

    Raises
    ------
    ModelSpecError
        An unknown ``chosen``; fewer than two substantive factors.
    EstimationError
        The baseline or the chosen model may not be read.

    Notes
    -----
    All loadings are moved to their ends at once, which is far less likely than one of them lying
    there. With free loadings each moves in the direction of its own sign, so that a loading that
    is near 0 by chance is strengthened too. Checked against lavaan: tests/reference/method_bias.R.

    References
    ----------
    Williams, Hartman & Cavazotte (2010), doi:10.1177/1094428110366036.
    """
    key = _chosen("marker_sensitivity", found, chosen)
    base = _readable("marker_sensitivity", found.models["baseline"])
    method = _readable("marker_sensitivity", found.models[key])
    blocks = _blocks(found)
    if len(blocks) < 2:
        raise ModelSpecError(
            f"marker_sensitivity: found= has the factor {listing(blocks)}; at least 2 are needed "
            "for a correlation. Give a model with two latent variables."
        )
    items = list(dict.fromkeys(i for own in blocks.values() for i in own))
    loads = _method_loadings(method, found.marker, items)
    models = {"baseline": found.models["baseline"], key: found.models[key]}
    rows = data[[*items, *_marker_items(found, items)]].astype(float)
    for name, level in SENSITIVITY_LEVELS.items():
        held = loads["est"] + np.copysign(float(ndtri(0.5 + level / 2)) * loads["se"], loads["est"])
        terms = " + ".join(f"{value:.12g}*{item}" for item, value in held.items())
        text = f"{found.models['baseline'].syntax}\n{found.marker} =~ {terms}"
        models[name] = fitted_method_model(name, text, rows, items, found.marker, missing)
    frame = _correlation_frame(models, list(blocks), base)
    return MarkerSensitivity(frame, models, key, found.marker, found.n_used, found.n_dropped)


def _chosen(function: str, found: MarkerModels, chosen: str | None) -> str:
    """Return the model of phase I to go on with."""
    allowed = get_args(Chosen)
    if chosen is None:
        return found.chosen
    if chosen not in allowed:
        raise ModelSpecError(
            f"{function}: chosen= is '{chosen}'; allowed are {listing(allowed)}."
            f"{nearest(chosen, allowed)} Choose one of them."
        )
    return chosen


def _readable(function: str, model: MethodModel) -> SemResult:
    """Return a fit that may be read, or say why it may not."""
    if not model.trustworthy or not isinstance(model.result, SemResult):
        raise EstimationError(
            f"{function}: found= holds the model '{model.key}', which is {model.state}; a "
            "converged and admissible one is needed. Look at the loadings of phase I."
        )
    return model.result


def _blocks(found: MarkerModels) -> dict[str, list[str]]:
    """Return factor -> items of the baseline model, the marker left out."""
    out: dict[str, list[str]] = {}
    for term in parse(found.models["baseline"].syntax).terms:
        if term.op == "=~" and term.lhs != found.marker:
            out.setdefault(term.lhs, []).append(term.rhs)
    return out


def _marker_items(found: MarkerModels, items: Sequence[str]) -> list[str]:
    """Return the marker's own items."""
    terms = parse(found.models["cfa"].syntax).terms
    own = [t.rhs for t in terms if t.op == "=~" and t.lhs == found.marker]
    return [i for i in own if i not in items]


def _standardised(result: SemResult, factor: str, items: Sequence[str]) -> np.ndarray:
    """Return completely standardised loadings of items on a factor."""
    table = result.estimates
    own = table[(table["op"] == "=~") & (table["lhs"] == factor)].set_index("rhs")["std_all"]
    return own.loc[list(items)].to_numpy(dtype=float)


def _residual_sum(result: SemResult, items: Sequence[str]) -> float:
    """Return the sum of the items' completely standardised residual variances."""
    table = result.estimates
    own = table[(table["op"] == "~~") & (table["lhs"] == table["rhs"])].set_index("lhs")["std_all"]
    return float(own.loc[list(items)].sum())


def _decomposed(
    base: SemResult,
    method: SemResult,
    marker: str,
    name: str,
    items: Sequence[str],
    *,
    crossed: bool,
) -> dict[str, Any]:
    """Return total, substantive and method reliability of one factor."""
    row: dict[str, Any] = {"construct": name, "n_items": len(items)}
    if crossed:
        unknown = dict.fromkeys(("total", "substantive", "method", "share"), np.nan)
        return row | unknown | {"why": "cross_loading"}
    own = _standardised(base, name, items).sum() ** 2
    total = own / (own + _residual_sum(base, items))
    true = _standardised(method, name, items).sum() ** 2
    way = _standardised(method, marker, items).sum() ** 2
    whole = true + way + _residual_sum(method, items)
    return row | {"total": float(total), "substantive": float(true / whole),
                  "method": float(way / whole), "share": float(way / whole / total),
                  "why": ""}  # fmt: skip


def _method_loadings(result: SemResult, marker: str, items: Sequence[str]) -> pd.DataFrame:
    """Return unstandardised method loadings with standard errors, by item."""
    table = result.estimates
    own = table[(table["op"] == "=~") & (table["lhs"] == marker) & table["rhs"].isin(list(items))]
    return own.set_index("rhs")[["est", "se"]]


def _correlation_frame(
    models: Mapping[str, MethodModel], latents: Sequence[str], base: SemResult
) -> pd.DataFrame:
    """Return one row a pair: the baseline with its interval, then every model's correlation."""
    out = _correlations(base, latents)
    for key, model in models.items():
        if key == "baseline":
            continue
        if not model.trustworthy or not isinstance(model.result, SemResult):
            out[key], out[f"p_{key}"] = np.nan, np.nan
            continue
        own = _correlations(model.result, latents)
        out[key], out[f"p_{key}"] = own["baseline"], own["p_baseline"]
    return out


def _correlations(result: SemResult, latents: Sequence[str]) -> pd.DataFrame:
    """Return the correlations of the substantive factors with intervals and tests."""
    table = result.standardized
    rows = table[(table["op"] == "~~") & (table["lhs"] != table["rhs"])
                 & table["lhs"].isin(list(latents)) & table["rhs"].isin(list(latents))]  # fmt: skip
    names = {"lhs": "a", "rhs": "b", "est_std": "baseline", "p_value": "p_baseline"}
    rows = rows.rename(columns=names).sort_values(["a", "b"], key=_places(latents))
    return rows[[*names.values(), "ci_low", "ci_high"]].reset_index(drop=True)


def _places(latents: Sequence[str]) -> Any:
    """Return a sort key: the order of the factors in the model."""
    place = {name: k for k, name in enumerate(latents)}
    return lambda column: column.map(place)
