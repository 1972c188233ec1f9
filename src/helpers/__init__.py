"""Helpers of the service-recovery notebooks; ``load_study`` opens a study.

Rooms are imported when used, so that ``import helpers.sem`` costs no more than it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.survey.load import load_study as load_study

__version__ = "0.1.0"
__all__ = ["__version__", "load_study"]


def __getattr__(name: str) -> Any:
    """Import ``load_study`` on first use."""
    if name == "load_study":
        from helpers.survey.load import load_study

        return load_study
    raise AttributeError(f"module 'helpers' has no attribute '{name}'")
