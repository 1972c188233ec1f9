"""Structural equation models: specify, estimate, judge, compare.

Names beyond ``fit``, ``compare``, ``bootstrap`` and ``agreement`` are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Bound here, not on first use: a submodule of the same name would hide the function otherwise.
from helpers.sem.agreement import agreement
from helpers.sem.bootstrap import bootstrap
from helpers.sem.compare import compare
from helpers.sem.fit import fit

_HOMES = {
    "SemResult": "helpers.sem.result",
    "Comparison": "helpers.sem.compare",
    "modification_indices": "helpers.sem.modindices",
    "factor_scores": "helpers.sem.scores",
    "Agreement": "helpers.sem.outside",
    "parse": "helpers.sem.syntax",
    "invariance": "helpers.sem.groups",
    "simulate": "helpers.sem.simulate_data",
    "power": "helpers.sem.power_analysis",
    "power_of_rmsea": "helpers.sem.power_analysis",
    "equivalence_test": "helpers.sem.equivalence",
    "fit_cutoffs": "helpers.sem.cutoffs",
    "lower_triangle": "helpers.sem.moments",
    "explore_items": "helpers.sem.ordinal_factors",
    "fit_with_auxiliary": "helpers.sem.auxiliary",
    "polychoric_correlations": "helpers.sem.polychorics",
}

__all__ = ["agreement", "bootstrap", "compare", "fit", *_HOMES]


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'helpers.sem' has no attribute '{name}'")
    home = import_module(_HOMES[name])
    value = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List public names."""
    return sorted(__all__)
