"""Auxiliary variables for full-information maximum likelihood: saturated correlates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import ModelSpecError, listing, nearest
from helpers.memo import remembered
from helpers.sem import fitindices
from helpers.sem.fit import fit, model_text
from helpers.sem.partable import Options, build_table, find_names
from helpers.sem.result import SemResult
from helpers.sem.syntax import parse


@dataclass(frozen=True, slots=True)
class AuxiliaryFit:
    """A model fitted with auxiliary variables beside it.

    Attributes
    ----------
    estimates : DataFrame
        Rows of the model itself, as ``SemResult.estimates``; those of the auxiliary variables are
        left out.
    fit_measures : dict
        ``chisq df pvalue rmsea cfi tli``, as of the model itself: the auxiliary variables are
        saturated in the model and in the baseline. (SRMR and information criteria of the joint
        model say nothing about the model and are not given.)
    auxiliary : tuple of str
    result : SemResult
        The joint fit.
    """

    estimates: pd.DataFrame
    fit_measures: dict[str, float]
    auxiliary: tuple[str, ...]
    result: SemResult

    @property
    def converged(self) -> bool:
        """Tell whether the joint fit converged."""
        return self.result.converged

    @property
    def n_used(self) -> int:
        """Return the respondents behind the estimates."""
        return self.result.n_used


@remembered
def fit_with_auxiliary(
    model: object,
    data: pd.DataFrame,
    *,
    auxiliary: Sequence[str],
    estimator: str = "MLR",
    **options: Any,
) -> AuxiliaryFit:
    """Fit a model by FIML with auxiliary variables that inform on blanks.

    Each auxiliary variable correlates with the residual of every observed variable of the model,
    with its observed covariates and with the other auxiliary variables (Graham 2003). Degrees of
    freedom and the meaning of the model stay as they are; what the auxiliary variables know of
    blank answers enters the likelihood.

    Parameters
    ----------
    model : str or object with ``.syntax``
        As in ``helpers.sem.fit``.
    data : DataFrame
        Holds the model's variables and the auxiliary ones, which may have blanks of their own.
    auxiliary : sequence of str
        Numeric variables that are not in the model.
    estimator : {"ML", "MLR"}
    **options
        Passed on to ``helpers.sem.fit``, except ``missing``, ``fixed_x`` and ``ordered``.

    Returns
    -------
    AuxiliaryFit

    Raises
    ------
    ModelSpecError
        No auxiliary variable, one that is in the model or not in the data, or several groups.

    Notes
    -----
    Observed covariates become random (``fixed_x=False``), or rows with a blank covariate would be
    lost. An item whose residual variance is fixed at zero carries its correlation at its latent
    variable. The baseline keeps the covariances among observed covariates, as the plain fit does;
    semTools drops them there. Checked against R semTools ``sem.auxiliary``:
    ``tests/reference/missing.R``.

    References
    ----------
    Graham (2003), doi:10.1207/S15328007SEM1001_4. Enders & Mansolf (2018),
    doi:10.1037/met0000102 (baseline model).
    """
    text = model_text(model)
    names = find_names(parse(text))
    chosen = tuple(dict.fromkeys(auxiliary))
    _check_auxiliary(chosen, names.observed, data, options)
    partners = _partners(text)
    joint = "\n".join([text, *_among(names.covariate), _covariances(chosen, partners)])
    given = data[list(dict.fromkeys([*names.observed, *chosen]))].astype(float)
    shared = {"missing": "fiml", "fixed_x": False, **options}
    result = fit(joint, given, estimator=estimator, **shared)
    baseline = fit(_baseline(names.observed, names.covariate, chosen), given, **shared)
    table = result.estimates
    own = ~(table["lhs"].isin(chosen) | table["rhs"].isin(chosen))
    return AuxiliaryFit(
        table[own].reset_index(drop=True), _measures(result, baseline), chosen, result
    )


def _check_auxiliary(
    chosen: tuple[str, ...], observed: tuple[str, ...], data: pd.DataFrame, options: dict[str, Any]
) -> None:
    """Raise if the auxiliary variables cannot stand beside the model."""
    inside = [name for name in chosen if name in observed]
    absent = [name for name in chosen if name not in data.columns]
    if not chosen or inside or absent or options.get("group") is not None:
        hint = nearest(absent[0], data.columns) if absent else ""
        raise ModelSpecError(
            f"fit_with_auxiliary: auxiliary= {listing(chosen) or 'nothing'}; in the model already: "
            f"{listing(inside) or 'none'}, not in the data: {listing(absent) or 'none'}, group= "
            f"{options.get('group')}. Columns of the data outside the model and a single group are "
            f"needed. Choose other variables.{hint}"
        )


def _partners(text: str) -> list[str]:
    """Return what carries the correlations: observed variables, or the latent of a fixed item."""
    syntax = parse(text)
    names = find_names(syntax)
    rows = build_table(syntax, names, Options(meanstructure=True, fixed_x=False)).rows
    exact = {
        row.lhs
        for row in rows
        if row.op == "~~" and row.lhs == row.rhs and not row.free and row.fixed == 0
    }
    latent_of = {row.rhs: row.lhs for row in rows if row.op == "=~"}
    found = [latent_of.get(name, name) if name in exact else name for name in names.observed]
    return list(dict.fromkeys(found))


def _covariances(chosen: tuple[str, ...], partners: list[str]) -> str:
    """Return the lines that saturate the auxiliary variables."""
    lines = [f"{name} ~~ {' + '.join(partners)}" for name in chosen]
    for k, name in enumerate(chosen):
        lines.append(f"{name} ~~ {' + '.join(chosen[k:])}")
    return "\n".join(lines)


def _baseline(
    observed: tuple[str, ...], covariates: tuple[str, ...], chosen: tuple[str, ...]
) -> str:
    """Return the baseline: no relations in the model, all with the auxiliary variables."""
    lines = [f"{name} ~~ {name}" for name in observed]
    lines += _among(covariates)
    return "\n".join([*lines, _covariances(chosen, list(observed))])


def _among(covariates: tuple[str, ...]) -> list[str]:
    """Return the covariances of covariates; a covariate that is named in ``~~`` loses its own."""
    return [f"{a} ~~ {b}" for k, a in enumerate(covariates) for b in covariates[k + 1 :]]


def _measures(result: SemResult, baseline: SemResult) -> dict[str, float]:
    """Return the fit of the model itself."""
    test, base = result.test, baseline.test
    n = result.n_obs
    return {
        "chisq": test.chisq,
        "df": test.df,
        "pvalue": fitindices.p_chisq(test.chisq, test.df),
        "rmsea": fitindices.rmsea(test.chisq, test.df, n),
        "cfi": fitindices.cfi(test.chisq, test.df, base.chisq, base.df),
        "tli": fitindices.tli(test.chisq, test.df, base.chisq, base.df),
    }


def se_ratios(with_auxiliary: AuxiliaryFit, without: SemResult) -> pd.DataFrame:
    """Return how much the auxiliary variables help: the errors of both fits side by side.

    Returns
    -------
    DataFrame
        Columns ``lhs op rhs est_without est_with se_without se_with ratio`` of the free rows that
        both fits have; ``ratio`` below 1 is a gain in precision, and its square is about the
        share of the sample that would do as well.
    """
    keys = ["lhs", "op", "rhs"]
    left = without.estimates.loc[without.estimates["free"] > 0, [*keys, "est", "se"]]
    right = with_auxiliary.estimates[[*keys, "est", "se"]]
    both = left.merge(right, on=keys, suffixes=("_without", "_with"))
    both["ratio"] = both["se_with"] / both["se_without"].replace(0, np.nan)
    return both[[*keys, "est_without", "est_with", "se_without", "se_with", "ratio"]]
