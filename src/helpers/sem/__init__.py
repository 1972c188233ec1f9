"""Structural equation models: specify, estimate, judge, compare.

Names are imported on first use, so that ``import helpers.sem`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "fit": "helpers.sem.fit",
    "SemResult": "helpers.sem.result",
    "compare": "helpers.sem.compare",
    "Comparison": "helpers.sem.compare",
    "modification_indices": "helpers.sem.modindices",
    "factor_scores": "helpers.sem.scores",
    "agreement": "helpers.sem.agreement",
    "Agreement": "helpers.sem.agreement",
    "parse": "helpers.sem.syntax",
    "invariance": "helpers.sem.groups",
    "bootstrap": "helpers.sem.bootstrap",
    "simulate": "helpers.sem.power",
    "power": "helpers.sem.power",
    "lower_triangle": "helpers.sem.moments",
}

__all__ = list(_HOMES)


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
    return sorted(_HOMES)
