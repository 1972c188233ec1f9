"""Steps of the ladder of measurement invariance as models: what each holds equal, and how.

Continuous items follow lavaan: loadings, then intercepts, then residual variances are held equal.
Ordered items follow Wu & Estabrook (2016, doi:10.1007/s11336-016-9506-0) in the delta
parameterisation: thresholds first (the items' means and scales free in later groups, the latent
variables still standardised), then loadings, then intercepts. Their strict step needs residual
variances, which this parameterisation does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from helpers.errors import EstimationError, listing, nearest
from helpers.i18n import _
from helpers.sem.partable import Names, find_names
from helpers.sem.syntax import parse

LADDER: dict[str, tuple[str, ...]] = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
"""Steps for continuous items and what each holds equal, in lavaan's words."""

ORDINAL_LADDER: dict[str, tuple[str, ...]] = {
    "configural": (),
    "thresholds": ("thresholds",),
    "thresholds_loadings": ("thresholds", "loadings"),
    "thresholds_loadings_intercepts": ("thresholds", "loadings"),
}
"""Steps for ordered items. At the last, intercepts are equal because all are zero."""

RELEASABLE: dict[str, str] = {
    "metric": "=~",
    "scalar": "~1",
    "strict": "~~",
    "thresholds": "|",
    "thresholds_loadings": "=~",
    "thresholds_loadings_intercepts": "~1",
}
"""The operator of the parameters that a step is the first to hold equal."""

SCALAR = ("scalar", "thresholds_loadings_intercepts")
"""Steps from which latent means may be compared."""


@dataclass(frozen=True, slots=True)
class StepModel:
    """A step of the ladder as text and options of ``helpers.sem.fit``."""

    text: str
    options: dict[str, Any]


def step_label(step: str) -> str:
    """Return the name of a step in the current language."""
    labels = {
        "configural": _("configural"),
        "metric": _("metric (loadings equal)"),
        "scalar": _("scalar (loadings, intercepts equal)"),
        "strict": _("strict (loadings, intercepts, residuals equal)"),
        "thresholds": _("thresholds equal"),
        "thresholds_loadings": _("thresholds, loadings equal"),
        "thresholds_loadings_intercepts": _("thresholds, loadings, intercepts equal"),
    }
    return labels[step]


def ladder_of(ordered: bool) -> dict[str, tuple[str, ...]]:
    """Return the ladder for continuous or ordered items."""
    return ORDINAL_LADDER if ordered else LADDER


def check_steps(steps: Sequence[str], *, ordered: bool) -> None:
    """Refuse steps that the ladder does not have."""
    known = ladder_of(ordered)
    unknown = [s for s in steps if s not in known]
    if unknown:
        raise EstimationError(
            f"invariance: steps= has {listing(unknown)}; allowed are {listing(known)}."
            f"{nearest(unknown[0], known)} Choose among them."
        )


def step_model(
    step: str, text: str, *, ordered: bool, n_groups: int, released: Sequence[str] = ()
) -> StepModel:
    """Write a step of the ladder as a model.

    Parameters
    ----------
    step : str
        A step of ``LADDER``, or of ``ORDINAL_LADDER`` for ordered items.
    text : str
        The measurement model.
    ordered : bool
        Whether all items are ordered categories.
    n_groups : int
    released : sequence of str
        Parameters left free over groups, such as ``"f=~x2"``, ``"x2~1"`` or ``"x2|t1"``.

    Raises
    ------
    EstimationError
        The ordinal ladder is asked for a text that is more than a measurement model.
    """
    if not ordered:
        return StepModel(text, {"group_equal": LADDER[step], "group_partial": tuple(released)})
    names = _measured(text)
    intercepts = [name[:-2] for name in released if name.endswith("~1")]
    others = tuple(name for name in released if not name.endswith("~1"))
    lines = [text]
    free = f"c({', '.join(['0'] + ['NA'] * (n_groups - 1))})"
    if step in ("thresholds", "thresholds_loadings"):
        lines += [f"{item} ~ {free}*1" for item in names.observed]
        lines += [f"{latent} ~ 0*1" for latent in names.latent]
    elif step == "thresholds_loadings_intercepts":
        lines += [f"{item} ~ {free}*1" for item in intercepts]
    options = {
        "group_equal": ORDINAL_LADDER[step],
        "group_partial": others,
        "std_lv": True,
        "ordered": names.observed,
    }
    return StepModel("\n".join(lines), options)


def _measured(text: str) -> Names:
    """Return the names of a measurement model; anything more is an error."""
    syntax = parse(text)
    others = [f"{t.lhs} {t.op} {t.rhs or '1'}" for t in syntax.terms if t.op not in ("=~", "~~")]
    if others or syntax.constraints or syntax.defined:
        found = listing([*others, *(c[0] for c in syntax.constraints)]) or "a := formula"
        raise EstimationError(
            f"invariance: model= has {found} with ordered items; the steps of Wu and Estabrook "
            "set thresholds, intercepts and scales themselves and need a measurement model of =~ "
            "and ~~ only. Leave the other terms out."
        )
    return find_names(syntax)
