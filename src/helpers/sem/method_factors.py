"""Method bias with latent variables: the CFA marker technique and a latent method factor.

Every model is written as text in lavaan's language, so that it can be read, and run elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, EstimationError, ModelSpecError, Unavailable, listing
from helpers.i18n import _
from helpers.sem.compare import compare
from helpers.sem.fit import fit
from helpers.sem.method_results import MarkerModels, MethodModel, MethodPaths
from helpers.sem.result import SemResult
from helpers.sem.syntax import Syntax, parse
from helpers.thresholds import LEVEL

METHOD = "METHOD"
"""Name of the latent method factor in the model texts."""


def substantive_items(syntax: Syntax) -> list[str]:
    """Return the observed items of a model's latent variables, in the order of the text."""
    latents = {t.lhs for t in syntax.terms if t.op == "=~"}
    items = [t.rhs for t in syntax.terms if t.op == "=~" and t.rhs not in latents]
    return list(dict.fromkeys(items))


def measurement_part(text: str) -> str:
    """Return a model of the first-order latents alone, all correlated: its ``=~`` terms."""
    syntax = parse(text)
    latents = {t.lhs for t in syntax.terms if t.op == "=~"}
    blocks: dict[str, list[str]] = {}
    for term in syntax.terms:
        if term.op == "=~" and term.rhs not in latents:
            blocks.setdefault(term.lhs, []).append(term.rhs)
    return "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in blocks.items())


def marker_models(
    model: str,
    data: pd.DataFrame,
    *,
    marker: str,
    marker_items: Sequence[str],
    missing: str = "listwise",
) -> MarkerModels:
    """Run the CFA marker technique of Williams, Hartman and Cavazotte.

    Parameters
    ----------
    model : str
        Its ``=~`` lines are used; all first-order latents are correlated.
    data : DataFrame
        Items of the model and of the marker, turned the same way.
    marker : str
        Name of the marker variable, not among the latents of the model.
    marker_items : sequence of str
        Its items, at least two (three where it stands alone).
    missing : {"listwise", "fiml"}

    Returns
    -------
    MarkerModels

    Raises
    ------
    ModelSpecError, DataContractError
        The marker's name or items are taken, or absent from the data; no latent in the model.

    Notes
    -----
    All latent variances are 1. **CFA**: marker correlated with all. **Baseline**: marker
    uncorrelated, its loadings and residual variances fixed at their CFA values. **Method-C**: in
    addition, equal loadings of all substantive items on the marker. **Method-U**: free loadings.
    **Method-R**: C or U, whichever was chosen, with the correlations of the substantive factors
    fixed at their baseline values. ML; models are compared only where both are admissible. This is
    phase I; ``helpers.sem.marker_phases`` holds phases II and III. Checked against lavaan:
    tests/reference/method_bias.R.

    References
    ----------
    Williams, Hartman & Cavazotte (2010), doi:10.1177/1094428110366036.
    """
    text = measurement_part(model)
    items = _checked_items("marker_models", text, data, marker, marker_items)
    rows = data[[*items, *marker_items]].astype(float)
    plain = f"{text}\n{marker} =~ {' + '.join(marker_items)}"
    models = {"cfa": fitted_method_model("cfa", plain, rows, items, marker, missing)}
    cfa = _needed(models["cfa"])
    fixed = _fixed_marker(cfa, marker, marker_items)
    latents = [name for name in cfa.latent if name != marker]
    apart = "\n".join(f"{marker} ~~ 0*{name}" for name in latents)
    base = f"{text}\n{fixed}\n{apart}"
    equal = f"{base}\n{marker} =~ " + " + ".join(f"method*{i}" for i in items)
    free = f"{base}\n{marker} =~ {' + '.join(items)}"
    for key, own in (("baseline", base), ("method_c", equal), ("method_u", free)):
        models[key] = fitted_method_model(key, own, rows, items, marker, missing)
    found = [_compared(models["baseline"], models["method_c"])]
    found.append(_compared(models["method_c"], models["method_u"]))
    unequal = found[1]["p_value"] is not None and found[1]["p_value"] < 1 - LEVEL
    chosen = "method_u" if unequal else "method_c"
    held = _held_correlations(_needed(models["baseline"]), latents)
    own = f"{free if unequal else equal}\n{held}"
    models["method_r"] = fitted_method_model("method_r", own, rows, items, marker, missing)
    found.append(_compared(models["method_r"], models[chosen]))
    return MarkerModels(marker, models, pd.DataFrame(found), chosen, cfa.n_obs, cfa.n_dropped)


def method_paths(
    model: str,
    data: pd.DataFrame,
    *,
    marker: str | Unavailable,
    marker_items: Sequence[str] = (),
    missing: str = "listwise",
) -> MethodPaths:
    """Fit a structural model without and with a method factor, and set the paths side by side.

    Parameters
    ----------
    model : str
        A structural model with latent variables.
    data : DataFrame
        Its observed variables, and the marker's items. All models use the same rows: listwise,
        those that answered the model's and the marker's items.
    marker : str or Unavailable
        With a name, the substantive items load on the marker (equally; freely), its own loadings
        and residuals held at their CFA values, the marker uncorrelated with what starts the model.
        Without one, a **latent method factor** alone: equal loadings of 1 with a free variance, or
        free loadings with the variance 1, uncorrelated with what starts the model.
    missing : {"listwise", "fiml"}

    Returns
    -------
    MethodPaths

    Notes
    -----
    The latent method factor has no indicator of its own: with equal loadings it adds one
    parameter; with free ones it is identified only because items of several factors share it, and
    takes up any other shared cause too, so that it may over-correct (Richardson, Simmering &
    Sturman 2009, doi:10.1177/1094428109332834). A variance estimated below 0 is held at 0: there
    is then no sign of method variance, and the paths are those of the base model. Checked against
    lavaan: tests/reference/method_bias.R.

    References
    ----------
    Podsakoff, MacKenzie, Lee & Podsakoff (2003), doi:10.1037/0021-9010.88.5.879. Williams, Hartman
    & Cavazotte (2010), doi:10.1177/1094428110366036.
    """
    syntax = parse(model)
    taken = [] if isinstance(marker, Unavailable) else [marker]
    items = _checked_items("method_paths", model, data, taken[0] if taken else METHOD, marker_items)
    observed = _observed(syntax)
    rows = data[list(dict.fromkeys([*observed, *marker_items]))].astype(float)
    if missing == "listwise":
        rows = rows.dropna()
    models = {"base": fitted_method_model("base", model, rows, items, "", missing, std_lv=False)}
    starts = _exogenous(syntax)
    texts = _factor_texts(model, items, starts)
    if taken:
        texts = _marker_texts(model, rows, items, starts, taken[0], marker_items, missing) | texts
    for key, own in texts.items():
        name = METHOD if key.startswith("factor") else taken[0]
        models[key] = fitted_method_model(key, own, rows, items, name, missing, std_lv=False)
    if _variance_below_zero(models["factor_equal"]):
        held = MethodModel("factor_equal", model, models["base"].result, 0.0, held=True)
        models["factor_equal"] = held
    base = _needed(models["base"])
    dropped = int(len(data) - len(rows)) + base.n_dropped
    return MethodPaths(_path_frame(models), models, marker, base.n_obs, dropped, tuple(texts))


def _factor_texts(model: str, items: Sequence[str], starts: Sequence[str]) -> dict[str, str]:
    """Return the structural model with a latent method factor: equal loadings, free loadings."""
    apart = "\n".join(f"{METHOD} ~~ 0*{name}" for name in starts)
    ones = " + ".join(f"1*{i}" for i in items)
    free = " + ".join([f"NA*{items[0]}", *items[1:]])
    return {
        "factor_equal": f"{model}\n{METHOD} =~ {ones}\n{METHOD} ~~ {METHOD}\n{apart}",
        "factor_free": f"{model}\n{METHOD} =~ {free}\n{METHOD} ~~ 1*{METHOD}\n{apart}",
    }


def _marker_texts(
    model: str,
    rows: pd.DataFrame,
    items: Sequence[str],
    starts: Sequence[str],
    marker: str,
    marker_items: Sequence[str],
    missing: str,
) -> dict[str, str]:
    """Return the structural model with the marker behind all items: equally, and freely."""
    plain = f"{measurement_part(model)}\n{marker} =~ {' + '.join(marker_items)}"
    cfa = _needed(fitted_method_model("cfa", plain, rows, items, marker, missing))
    apart = "\n".join(f"{marker} ~~ 0*{name}" for name in starts)
    base = f"{model}\n{_fixed_marker(cfa, marker, marker_items)}\n{marker} ~~ 1*{marker}\n{apart}"
    return {
        "marker_equal": f"{base}\n{marker} =~ " + " + ".join(f"method*{i}" for i in items),
        "marker_free": f"{base}\n{marker} =~ {' + '.join(items)}",
    }


def _checked_items(
    function: str, text: str, data: pd.DataFrame, name: str, marker_items: Sequence[str]
) -> list[str]:
    """Return the substantive items after checking the names that a method factor needs."""
    syntax = parse(text)
    items = substantive_items(syntax)
    latents = {t.lhs for t in syntax.terms if t.op == "=~"}
    if len(items) < 3:
        raise ModelSpecError(
            f"{function}: model= has {len(items)} items of latent variables; at least 3 are "
            "needed. Give a model with =~ lines."
        )
    if name in latents or set(marker_items) & set(items):
        raise ModelSpecError(
            f"{function}: marker= is '{name}' with the items {listing(marker_items)}; neither may "
            "be part of the model. Choose a variable that the model leaves out."
        )
    absent = [i for i in [*items, *marker_items] if i not in data.columns]
    if absent:
        raise DataContractError(
            f"{function}: data= has no column {listing(absent)}; the items of the model and of the "
            "marker are needed."
        )
    return items


def _observed(syntax: Syntax) -> list[str]:
    """Return every observed variable of a model."""
    latents = {t.lhs for t in syntax.terms if t.op == "=~"}
    names = [v for t in syntax.terms if t.op in ("=~", "~", "~~") for v in (t.lhs, t.rhs)]
    return [v for v in dict.fromkeys(names) if v not in latents and v != "1"]


def _exogenous(syntax: Syntax) -> list[str]:
    """Return latent variables that nothing in the model points to."""
    latents = list(dict.fromkeys(t.lhs for t in syntax.terms if t.op == "=~"))
    caused = {t.lhs for t in syntax.terms if t.op == "~"}
    caused |= {t.rhs for t in syntax.terms if t.op == "=~"}
    return [name for name in latents if name not in caused]


def fitted_method_model(
    key: str,
    text: str,
    rows: pd.DataFrame,
    items: Sequence[str],
    method: str,
    missing: str,
    *,
    std_lv: bool = True,
) -> MethodModel:
    """Fit one model; one that cannot be fitted is kept with its reason."""
    own = "fiml" if missing == "fiml" and rows.isna().to_numpy().any() else "listwise"
    try:
        result = fit(text, rows, missing=own, std_lv=std_lv)
    except EstimationError as error:
        return MethodModel(key, text, Unavailable(_("the model with a method factor"), str(error)),
                           np.nan)  # fmt: skip
    table = result.estimates
    on = table[(table["op"] == "=~") & (table["lhs"] == method) & table["rhs"].isin(list(items))]
    share = float((on["std_all"] ** 2).mean()) if len(on) and result.converged else np.nan
    return MethodModel(key, text, result, share)


def _variance_below_zero(model: MethodModel) -> bool:
    """Tell whether a free method variance was estimated below 0."""
    if isinstance(model.result, Unavailable) or not model.result.converged:
        return False
    table = model.result.estimates
    own = table[(table["op"] == "~~") & (table["lhs"] == METHOD) & (table["rhs"] == METHOD)]
    return bool(float(own["est"].iloc[0]) < 0)


def _needed(model: MethodModel) -> SemResult:
    """Return a fit that the others build on, or say that there is none."""
    if isinstance(model.result, Unavailable) or not model.result.converged:
        why = model.result.why if isinstance(model.result, Unavailable) else "no convergence"
        raise EstimationError(
            f"method_factors: the model '{model.key}' has no solution ({why}); the other models "
            "start from it. Look at the measurement model alone first."
        )
    return model.result


def _fixed_marker(cfa: SemResult, marker: str, marker_items: Sequence[str]) -> str:
    """Write the marker's loadings and residual variances, fixed at their CFA values."""
    table = cfa.estimates
    loads = table[(table["op"] == "=~") & (table["lhs"] == marker)].set_index("rhs")["est"]
    own = table[(table["op"] == "~~") & (table["lhs"] == table["rhs"])].set_index("lhs")["est"]
    terms = " + ".join(f"{loads[i]:.12g}*{i}" for i in marker_items)
    return "\n".join([f"{marker} =~ {terms}", *(f"{i} ~~ {own[i]:.12g}*{i}" for i in marker_items)])


def _held_correlations(base: SemResult, latents: Sequence[str]) -> str:
    """Write the covariances of the substantive factors, fixed at their values in a model."""
    table = base.estimates
    rows = table[(table["op"] == "~~") & (table["lhs"] != table["rhs"])
                 & table["lhs"].isin(list(latents)) & table["rhs"].isin(list(latents))]  # fmt: skip
    return "\n".join(
        f"{a} ~~ {value:.12g}*{b}" for a, b, value in zip(rows["lhs"], rows["rhs"], rows["est"])
    )


def _compared(restricted: MethodModel, free: MethodModel) -> dict[str, Any]:
    """Return the chi-square difference of two admissible models, or why there is none."""
    row: dict[str, Any] = {"restricted": restricted.key, "free": free.key, "chisq_diff": np.nan,
                           "df_diff": np.nan, "p_value": None, "why": ""}  # fmt: skip
    for model in (restricted, free):
        if not model.trustworthy:
            return row | {"why": f"{model.key}: {model.state}"}
    found = compare(restricted.result, free.result)
    p = None if isinstance(found.p_value, Unavailable) else float(found.p_value)
    return row | {"chisq_diff": found.chisq_diff, "df_diff": found.df_diff, "p_value": p}


def _path_frame(models: Mapping[str, MethodModel]) -> pd.DataFrame:
    """Return the standardised paths of all models side by side."""
    base = _paths(_needed(models["base"]))
    out = base.rename(columns={"lhs": "outcome", "rhs": "predictor", "est_std": "base"})
    for key, model in models.items():
        if key == "base":
            continue
        if not model.trustworthy or isinstance(model.result, Unavailable):
            out[key] = np.nan
            continue
        own = _paths(model.result).set_index(["lhs", "rhs"])["est_std"]
        out[key] = [own[pair] for pair in zip(out["outcome"], out["predictor"])]
    return out


def _paths(result: SemResult) -> pd.DataFrame:
    """Return standardised paths with intervals."""
    table = result.standardized
    rows = table[table["op"] == "~"]
    return rows[["lhs", "rhs", "est_std", "ci_low", "ci_high"]].reset_index(drop=True)
