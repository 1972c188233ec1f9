"""Right answers of notebook 72."""

from __future__ import annotations

from typing import Any

from helpers.errors import Unavailable
from helpers.exercises.registry import Names, exercise
from helpers.service.kano import EVALUATION


@exercise("72-1", hint="Look up the row of the first answer and the column of the second.")
def _pair(names: Names) -> Any:
    return EVALUATION[0][3]  # like it; can live without it


@exercise("72-2", hint="Only must-be, one-dimensional, attractive and indifferent answers count.")
def _better(names: Names) -> Any:
    return (20 + 30) / (40 + 30 + 20 + 5)


@exercise("72-3", hint="Count the rows of the table whose category strength lies below 0.25.")
def _weak(names: Names) -> Any:
    kano = names["kano"]
    return kano if isinstance(kano, Unavailable) else int((kano["strength"] < 0.25).sum())
