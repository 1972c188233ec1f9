"""Results of models with a method factor: one model, the marker steps, the paths side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import Unavailable
from helpers.sem.result import SemResult

STEPS = ("cfa", "baseline", "method_c", "method_u", "method_r")
"""Models of the CFA marker technique, in order."""

VARIANTS = ("marker_equal", "marker_free", "factor_equal", "factor_free")
"""Structural models with a method factor: through the marker, or without one."""


@dataclass(frozen=True, slots=True)
class MethodModel:
    """One fitted model with, or without, a method factor.

    Attributes
    ----------
    key : str
        One of ``STEPS``, ``VARIANTS`` or ``"base"``.
    syntax : str
        The whole model in lavaan's language.
    result : SemResult or Unavailable
    share : float
        Mean squared standardised loading of the substantive items on the method factor: the mean
        share of an item's variance that the method factor accounts for; NaN without one.
    held : bool
        The variance of the method factor would be below 0 and is held at 0, so that ``result`` is
        that of the base model.
    """

    key: str
    syntax: str
    result: SemResult | Unavailable
    share: float
    held: bool = False

    @property
    def trustworthy(self) -> bool:
        """Tell whether the model was fitted, converged and is admissible."""
        r = self.result
        return not isinstance(r, Unavailable) and bool(r.converged and r.admissible)

    @property
    def state(self) -> str:
        """``"ok"``, ``"held"``, ``"inadmissible"``, ``"not converged"`` or ``"not fitted"``."""
        if isinstance(self.result, Unavailable):
            return "not fitted"
        if not self.result.converged:
            return "not converged"
        if not self.result.admissible:
            return "inadmissible"
        return "held" if self.held else "ok"


@dataclass(frozen=True, slots=True)
class MarkerModels:
    """The CFA marker technique: five models and their three comparisons.

    Attributes
    ----------
    marker : str
    models : dict
        ``STEPS`` -> ``MethodModel``.
    comparisons : DataFrame
        One row a comparison: restricted, free, chisq_diff, df_diff, p_value, or ``why`` there is
        none. C against baseline: is there method variance; C against U: is it equal over items;
        R against the better of C and U: does it move the correlations of the factors.
    chosen : str
        ``"method_u"`` where U fits better than C, else ``"method_c"``.
    n_used, n_dropped : int
    """

    marker: str
    models: Mapping[str, MethodModel]
    comparisons: pd.DataFrame
    chosen: str
    n_used: int
    n_dropped: int

    def table(self) -> pd.DataFrame:
        """Return one row a model: key, state, chisq, df, cfi, rmsea, srmr, share."""
        return models_frame(self.models.values())


@dataclass(frozen=True, slots=True)
class MethodPaths:
    """Every structural path without and with a method factor.

    Attributes
    ----------
    paths : DataFrame
        One row a path: outcome, predictor, base, ci_low, ci_high (standardised), then one column
        a variant; a column of a model that is not trustworthy holds NaN.
    models : dict
        ``"base"`` and the variants -> ``MethodModel``.
    marker : str or Unavailable
        The marker construct, or why there is none.
    n_used, n_dropped : int
    variants : tuple of str
        Those of ``VARIANTS`` that were fitted.
    """

    paths: pd.DataFrame
    models: Mapping[str, MethodModel]
    marker: str | Unavailable
    n_used: int
    n_dropped: int
    variants: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return one row a path."""
        return self.paths

    def fits(self) -> pd.DataFrame:
        """Return one row a model: key, state, chisq, df, cfi, rmsea, srmr, share."""
        return models_frame(self.models.values())

    def changes(self) -> pd.DataFrame:
        """Return, for each variant that can be read, its path that moves most from the base.

        Columns variant, outcome, predictor, base, adjusted, change, outside (True where the value
        lies outside the interval of the base model).
        """
        rows = []
        for name in self.variants:
            moved = self.paths[name] - self.paths["base"]
            if moved.isna().all():
                continue
            row = self.paths.loc[moved.abs().idxmax()]
            value = float(row[name])
            rows.append(
                {"variant": name, "outcome": row["outcome"], "predictor": row["predictor"],
                 "base": float(row["base"]), "adjusted": value, "change": value - row["base"],
                 "outside": not row["ci_low"] <= value <= row["ci_high"]}
            )  # fmt: skip
        return pd.DataFrame(rows)


def models_frame(models: Iterable[MethodModel]) -> pd.DataFrame:
    """Return one row a model with its state, fit and method share."""
    return pd.DataFrame([_model_row(model) for model in models])


def _model_row(model: MethodModel) -> dict[str, Any]:
    """Return state, fit and method share of one model; fit only where it may be read."""
    row: dict[str, Any] = {"key": model.key, "state": model.state, "share": model.share}
    for name in ("chisq", "df", "cfi", "rmsea", "srmr"):
        found = None
        if not isinstance(model.result, Unavailable) and model.result.converged:
            found = model.result.fit_measures.get(name)
        row[name] = float(found) if isinstance(found, int | float) else np.nan
    return row
