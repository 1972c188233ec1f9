"""Right answers of notebook 91."""

from __future__ import annotations

from typing import Any

from helpers.exercises.registry import Names, exercise


@exercise(
    "91-1", hint="The chi-square is N times F, and F does not know how many people there are."
)
def _twice(names: Names) -> Any:
    return 2


@exercise(
    "91-2",
    hint="The TLI is built on chi-square per degree of freedom, of both models, less one.",
)
def _tli(names: Names) -> Any:
    return names["measures"]["tli"]


@exercise("91-3", hint="Take the degrees of freedom off chi-square, divide by both, take the root.")
def _rmsea(names: Names) -> Any:
    return (60 / 18060) ** 0.5
