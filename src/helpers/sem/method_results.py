"""Results of models with a method factor: one model, the marker steps, the paths side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import Unavailable
from helpers.sem.result import SemResult
from helpers.thresholds import LEVEL

STEPS = ("cfa", "baseline", "method_c", "method_u", "method_r")
"""Models of phase I of the CFA marker technique, in order."""

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

    @property
    def constructs(self) -> int:
        """Number of substantive factors."""
        cfa = self.models["cfa"].result
        return 0 if isinstance(cfa, Unavailable) else len(cfa.latent) - 1

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


@dataclass(frozen=True, slots=True)
class ReliabilityParts:
    """Reliability of every substantive factor, decomposed: phase II of the CFA marker technique.

    Attributes
    ----------
    rows : DataFrame
        One row a factor: construct, n_items, total, substantive, method, share, and ``why`` there
        is no decomposition (``""`` or ``"cross_loading"``, then the numbers are NaN).
    chosen : str
        The decomposed model, ``"method_c"`` or ``"method_u"``.
    marker : str
    n_used, n_dropped : int
    """

    rows: pd.DataFrame
    chosen: str
    marker: str
    n_used: int
    n_dropped: int

    def table(self) -> pd.DataFrame:
        """Return one row a factor."""
        return self.rows


@dataclass(frozen=True, slots=True)
class MarkerSensitivity:
    """Correlations of the factors under stronger method loadings: phase III.

    Attributes
    ----------
    rows : DataFrame
        One row a pair of factors: a, b, baseline, p_baseline, ci_low, ci_high, then for the chosen
        model, ``method_s05`` and ``method_s01`` the correlation and ``p_<model>``; NaN where the
        model is not trustworthy.
    models : dict
        ``"baseline"``, the chosen model, ``"method_s05"``, ``"method_s01"`` -> ``MethodModel``.
    chosen, marker : str
    n_used, n_dropped : int
    """

    rows: pd.DataFrame
    models: Mapping[str, MethodModel]
    chosen: str
    marker: str
    n_used: int
    n_dropped: int

    def table(self) -> pd.DataFrame:
        """Return one row a pair of factors."""
        return self.rows

    def fits(self) -> pd.DataFrame:
        """Return one row a model: key, state, chisq, df, cfi, rmsea, srmr, share."""
        return models_frame(self.models.values())

    def moved(self, key: str, *, level: float = LEVEL) -> dict[str, Any] | None:
        """Return how far a model moves the correlations from the baseline; None if unreadable.

        Keys a, b, baseline, value, change (the pair that moves most), outside (pairs whose
        correlation leaves its baseline interval), clear (pairs that differ from 0 in the baseline
        model), lost (those of them that no longer do), pairs (how many there are).
        """
        if not self.models[key].trustworthy:
            return None
        rows, change = self.rows, self.rows[key] - self.rows["baseline"]
        top = rows.loc[change.abs().idxmax()]
        clear = rows["p_baseline"] < 1 - level
        lost = clear & (rows[f"p_{key}"] >= 1 - level)
        kept = rows[key].between(rows["ci_low"], rows["ci_high"])
        return {"a": top["a"], "b": top["b"], "baseline": float(top["baseline"]),
                "value": float(top[key]), "change": float(change[top.name]),
                "outside": int((~kept).sum()), "clear": int(clear.sum()),
                "lost": int(lost.sum()), "pairs": len(rows)}  # fmt: skip


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
