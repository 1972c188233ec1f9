"""Sensitivity to an unmeasured confounder: how strong must it be to undo a path?

A phantom variable of variance 1, uncorrelated with every cause that comes before, is given fixed
standardised paths to the two ends of a path, and the model is fitted again (Harring, McNeish &
Hancock 2017). Without it, the part of the two variables' association that
it would make is read as the path. What strength takes the path to zero is the tipping value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq

from helpers.errors import (
    DataContractError,
    ModelSpecError,
    SuiteError,
    Unavailable,
    check_level,
    listing,
)
from helpers.i18n import _
from helpers.memo import remembered
from helpers.results import to_plain
from helpers.sem.fit import fit, model_text
from helpers.sem.interaction_paths import implied_sd, path_position
from helpers.sem.partable import find_names
from helpers.sem.result import SemResult
from helpers.sem.syntax import parse
from helpers.thresholds import LEVEL

PHANTOM = "UNMEASURED"
STRENGTHS = (0.1, 0.2, 0.3, 0.5, 0.7)
STEP = 0.05
"""Distance between the strengths at which a tipping value is looked for."""


@dataclass(frozen=True, slots=True)
class ConfounderSensitivity:
    """What an unmeasured confounder would do to a path or an indirect effect.

    Attributes
    ----------
    source : str
        Start of the indirect effect; empty for a single path.
    cause, outcome : str
        Ends of the path that is confounded; ``cause`` is the mediator of an indirect effect.
    estimate, ci_low, ci_high : float
        Without a confounder, in the model's metric.
    contours : DataFrame
        Columns to_cause, to_outcome (standardised paths of the confounder), estimate, se, ci_low,
        ci_high, possible (False where the data leave no variance for a confounder so strong).
    border : DataFrame
        Columns to_cause, to_outcome: for each strength toward the cause, the one toward the
        outcome that takes the effect to zero; blank where none can.
    tipping : float or Unavailable
        Strength toward both that takes the effect to zero.
    tipping_interval : float or Unavailable
        Strength toward both from which the interval holds zero.
    strongest_to_cause, strongest_to_outcome : float
        Largest standardised paths, in size, of the model's own variables, for comparison.
    n_used, n_dropped : int
    level : float
    """

    source: str
    cause: str
    outcome: str
    estimate: float
    ci_low: float
    ci_high: float
    contours: pd.DataFrame
    border: pd.DataFrame
    tipping: float | Unavailable
    tipping_interval: float | Unavailable
    strongest_to_cause: float
    strongest_to_outcome: float
    n_used: int
    n_dropped: int
    level: float

    def table(self) -> pd.DataFrame:
        """Return the effect at every pair of strengths."""
        return self.contours

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-safe values."""
        return {n: to_plain(getattr(self, n)) for n in self.__dataclass_fields__}


@remembered
def confounder_sensitivity(
    model: object,
    data: pd.DataFrame | None = None,
    *,
    sample_cov: pd.DataFrame | None = None,
    n_obs: int | None = None,
    cause: str,
    outcome: str,
    source: str = "",
    strengths: tuple[float, ...] = STRENGTHS,
    level: float = LEVEL,
) -> ConfounderSensitivity:
    """Find how strong an unmeasured confounder must be to undo a path or an indirect effect.

    Parameters
    ----------
    model : str or object with ``.syntax``
    data : DataFrame, optional
        Complete rows are used; the others are counted.
    sample_cov, n_obs : optional
        Instead of data.
    cause, outcome : str
        Ends of the path that the confounder may have made.
    source : str, optional
        With it, the effect is the indirect one, source to cause times cause to outcome.
    strengths : tuple of float
        Standardised paths of the confounder, between 0 and 1, for the table.
    level : float

    Raises
    ------
    ModelSpecError
        The path is not in the model, or a strength is not between 0 and 1.
    DataContractError, EstimationError
        As ``helpers.sem.fit``.

    Notes
    -----
    Plain maximum likelihood. Standardised by the SDs that the model without the confounder
    implies. The confounder works in the direction of the effect: toward the outcome it has the
    sign of the path. An exogenous cause is correlated with it instead. Checked against the closed
    form ``(s_my - u v) / s_mm`` of three variables (partial moments given the first) and against
    lavaan: tests/reference/moderation.R.

    Examples
    --------
    >>> cov = pd.DataFrame([[1.0, 0.25], [0.25, 1.0]], index=["x", "y"], columns=["x", "y"])
    >>> found = confounder_sensitivity("y ~ x", sample_cov=cov, n_obs=400, cause="x", outcome="y")
    >>> round(found.tipping, 2)
    0.5
    """
    check_level(level, "confounder_sensitivity")
    if not all(0 < s < 1 for s in strengths):
        raise ModelSpecError(
            f"confounder_sensitivity: strengths= are {listing(strengths)}; standardised paths "
            "between 0 and 1 are needed."
        )
    text = model_text(model)
    call, dropped = _moments(text, data, sample_cov, n_obs)
    base = fit(text, **call)
    ends = (cause, outcome, source)
    start, se = _effect(base, ends)
    half = float(stats.norm.ppf((1 + level) / 2))
    sign = 1.0 if base.theta[path_position(base, outcome, cause)] >= 0 else -1.0

    def refit(toward_cause: float, toward_outcome: float) -> tuple[float, float] | None:
        own = _with_phantom(text, base, cause, outcome, toward_cause, sign * toward_outcome)
        try:
            result = fit(own, **call)
        except SuiteError:  # no solution with so strong a confounder: reported as not possible
            return None
        if not (result.converged and result.admissible) or isinstance(result.vcov, Unavailable):
            return None
        return _effect(result, ends)

    direction = 1.0 if start >= 0 else -1.0

    def to_zero(found: tuple[float, float]) -> float:
        return direction * found[0]

    def to_doubt(found: tuple[float, float]) -> float:
        return direction * found[0] - half * found[1]

    def equal(u: float) -> tuple[float, float] | None:
        return refit(u, u)

    border = [_tipping(lambda v, u=u: refit(u, v), to_zero) for u in strengths]
    standard = base.standardized
    return ConfounderSensitivity(
        source, cause, outcome, start, start - half * se, start + half * se,
        contours=_contours(refit, strengths, half),
        border=pd.DataFrame(
            {"to_cause": strengths, "to_outcome": [np.nan if b is None else b for b in border]}
        ),
        tipping=_or_unavailable(_tipping(equal, to_zero)),
        tipping_interval=_or_unavailable(_tipping(equal, to_doubt)),
        strongest_to_cause=_strongest(standard, cause),
        strongest_to_outcome=_strongest(standard, outcome),
        n_used=base.n_obs, n_dropped=dropped, level=level,
    )  # fmt: skip


def _moments(
    text: str, data: pd.DataFrame | None, cov: pd.DataFrame | None, n_obs: int | None
) -> tuple[dict[str, Any], int]:
    """Return the arguments of every fit, moments in place of rows, and the rows left out."""
    if (data is None) == (cov is None):
        raise DataContractError(
            "confounder_sensitivity: exactly one of data= and sample_cov= is needed. Give rows, or "
            "covariances with n_obs=."
        )
    if data is None:
        return {"sample_cov": cov, "n_obs": n_obs, "fixed_x": False}, 0
    names = list(find_names(parse(text)).observed)
    absent = [n for n in names if n not in data.columns]
    if absent:
        raise DataContractError(
            f"confounder_sensitivity: data= has no column {listing(absent)}; the model's items are "
            "needed."
        )
    kept = data[names].astype(float).dropna()
    call = {"sample_cov": kept.cov(), "n_obs": len(kept), "fixed_x": False}
    return call, len(data) - len(kept)


def _effect(result: SemResult, ends: tuple[str, str, str]) -> tuple[float, float]:
    """Return the effect and its standard error (delta method for a product)."""
    cause, outcome, source = ends
    if isinstance(result.vcov, Unavailable):
        raise ModelSpecError(
            f"confounder_sensitivity: model= has no standard errors; {result.vcov.why}."
        )
    b = path_position(result, outcome, cause)
    if not source:
        return float(result.theta[b]), float(np.sqrt(result.vcov[b, b]))
    a = path_position(result, cause, source)
    slope = np.array([result.theta[b], result.theta[a]])
    cov = result.vcov[np.ix_([a, b], [a, b])]
    return float(result.theta[a] * result.theta[b]), float(np.sqrt(slope @ cov @ slope))


def _with_phantom(
    text: str, base: SemResult, cause: str, outcome: str, to_cause: float, to_outcome: float
) -> str:
    """Write the model with a phantom variable of the given standardised strengths.

    A latent variable needs an indicator: an observed outcome serves as one, its path being the
    loading; for a latent outcome an item is taken, with a loading of 0.
    """
    terms = parse(text).terms
    items = [t.rhs for t in terms if t.op == "=~" and t.lhs == outcome]
    endogenous = {t.lhs for t in terms if t.op == "~"}
    causes = [t.rhs for t in terms if t.op == "~" and t.rhs not in endogenous]
    measured = {t.rhs for t in terms if t.op == "=~"}
    alone = {t.lhs for t in terms if t.op == "=~"} - endogenous - measured
    exogenous = [v for v in dict.fromkeys([*causes, *sorted(alone)]) if v != cause]
    u, v = to_cause * implied_sd(base, cause), to_outcome * implied_sd(base, outcome)
    lines = [text.strip("\n"), f"{PHANTOM} ~~ 1*{PHANTOM}"]
    if items:
        lines += [f"{PHANTOM} =~ 0*{items[0]}", f"{outcome} ~ {v:.12g}*{PHANTOM}"]
    else:
        lines.append(f"{PHANTOM} =~ {v:.12g}*{outcome}")
    indicator = items[0] if items else outcome
    if not any(t.op == "~~" and t.lhs == t.rhs == indicator for t in terms):
        lines.append(f"{indicator} ~~ {indicator}")  # else 0, as for the only item of a latent
    free = cause not in endogenous
    lines.append(f"{PHANTOM} ~~ {u:.12g}*{cause}" if free else f"{cause} ~ {u:.12g}*{PHANTOM}")
    lines += [f"{PHANTOM} ~~ 0*{other}" for other in exogenous]
    return "\n".join(lines) + "\n"


def _contours(
    refit: Callable[[float, float], tuple[float, float] | None],
    strengths: tuple[float, ...],
    half: float,
) -> pd.DataFrame:
    """Return the effect at every pair of strengths."""
    rows = []
    for u in strengths:
        for v in strengths:
            estimate, se = refit(u, v) or (np.nan, np.nan)
            rows.append(
                {"to_cause": u, "to_outcome": v, "estimate": estimate, "se": se,
                 "ci_low": estimate - half * se, "ci_high": estimate + half * se,
                 "possible": bool(np.isfinite(estimate))}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _tipping(
    refit: Callable[[float], tuple[float, float] | None],
    distance: Callable[[tuple[float, float]], float],
) -> float | None:
    """Return the least strength at which a distance falls to zero; None if none can."""
    before = 0.0
    found = refit(before)
    if found is None:
        return None
    if distance(found) <= 0:
        return 0.0
    for after in np.arange(STEP, 1.0, STEP):
        found = refit(float(after))
        if found is None:
            return None
        if distance(found) <= 0:
            return float(
                brentq(lambda u: distance(refit(u) or (np.nan, np.nan)), before, after, xtol=1e-4)
            )
        before = float(after)
    return None


def _or_unavailable(value: float | None) -> float | Unavailable:
    """Return the tipping value, or why there is none."""
    if value is not None:
        return value
    why = _("no confounder of equal strength toward both fits into the unexplained variance")
    return Unavailable(_("a tipping value"), why)


def _strongest(standard: pd.DataFrame, outcome: str) -> float:
    """Return the largest standardised path, in size, that points to a variable; NaN if none."""
    own = standard[(standard["op"] == "~") & (standard["lhs"] == outcome)]["est_std"].abs()
    return float(own.max()) if len(own) else float("nan")
