"""Reading single paths and standard deviations off a fitted model."""

from __future__ import annotations

import numpy as np

from helpers.errors import ModelSpecError, listing
from helpers.sem.result import SemResult


def path_position(result: SemResult, outcome: str, cause: str) -> int:
    """Return the place of a free path in the parameter vector."""
    paths = {(r.lhs, r.rhs): r.free for r in result.table.rows if r.op == "~" and r.group == 1}
    if not paths.get((outcome, cause)):
        raise ModelSpecError(
            f"path_position: result= has no free path '{outcome} ~ {cause}'; free paths are "
            f"{listing(f'{a} ~ {b}' for (a, b), free in paths.items() if free)}."
        )
    return paths[(outcome, cause)] - 1


def implied_sd(result: SemResult, name: str) -> float:
    """Return the model-implied standard deviation of a variable."""
    at = result.model[0].names.index(name)
    return float(np.sqrt(result.states[0].total[at, at]))
