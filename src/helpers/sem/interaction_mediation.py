"""Moderated mediation among latent variables: conditional indirect effects and their index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import ModelSpecError, check_level
from helpers.memo import remembered
from helpers.regression.process_slopes import three_levels
from helpers.results import to_plain
from helpers.sem.interaction_paths import implied_sd, path_position
from helpers.sem.montecarlo import DRAWS, parameter_draws
from helpers.sem.result import SemResult
from helpers.thresholds import LEVEL

Array = np.ndarray

INDEX = "index"


@dataclass(frozen=True, slots=True)
class ModeratedMediation:
    """An indirect effect that depends on a latent moderator.

    Attributes
    ----------
    source, mediator, outcome, moderator : str
    stage : str
        ``"first"`` if the moderator changes source to mediator, ``"second"`` if mediator to
        outcome.
    table : DataFrame
        Columns kind (``indirect`` or ``index``), at, moderator_value (in SD), estimate, ci_low,
        ci_high. The index is the change of the indirect effect per SD of the moderator.
    n_draws, seed : int
    level : float
    """

    source: str
    mediator: str
    outcome: str
    moderator: str
    stage: str
    table: pd.DataFrame
    n_draws: int
    seed: int
    level: float

    @property
    def index(self) -> pd.Series:
        """The row of the index of moderated mediation."""
        return self.table[self.table["kind"] == INDEX].iloc[0]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-safe values."""
        return {n: to_plain(getattr(self, n)) for n in self.__dataclass_fields__}


@remembered
def moderated_mediation(
    result: SemResult,
    *,
    source: str,
    mediator: str,
    outcome: str,
    moderator: str,
    product: str,
    n_draws: int = DRAWS,
    seed: int,
    level: float = LEVEL,
) -> ModeratedMediation:
    """Give conditional indirect effects and the index of moderated mediation.

    With the product on the mediator, the indirect effect at ``w`` is ``(a1 + a3 w) b`` and its
    index ``a3 b``; with the product on the outcome it is ``a (b1 + b3 w)`` and ``a b3``.

    Parameters
    ----------
    result : SemResult
        A fit of a model with the latent product (``helpers.sem.interaction.with_products``).
    source, mediator, outcome, moderator, product : str
    n_draws, seed : int
        Monte Carlo draws of the estimates.
    level : float

    Raises
    ------
    ModelSpecError
        A path is not in the model, or the product points to both mediator and outcome: then the
        indirect effect is a curve in the moderator and has no index.

    Notes
    -----
    Hayes (2015), doi:10.1080/00273171.2014.962683. Checked by hand: with two coefficients drawn
    from a normal distribution the quantiles are those of their product.
    """
    check_level(level, "moderated_mediation")
    targets = {r.lhs for r in result.table.rows if r.op == "~" and r.rhs == product}
    hit = [v for v in (mediator, outcome) if v in targets]
    if len(hit) != 1:
        found = "both of them" if hit else "neither"
        raise ModelSpecError(
            f"moderated_mediation: product= '{product}' points to {found}, '{mediator}' and "
            f"'{outcome}'; an index needs exactly one. Change outcomes= of with_products."
        )
    first = hit[0] == mediator
    cause = source if first else mediator
    a = path_position(result, mediator, source)
    b = path_position(result, outcome, mediator)
    change = path_position(result, hit[0], product)
    sd = implied_sd(result, moderator)
    rng = np.random.default_rng(seed)
    drawn = parameter_draws(result, n_draws, rng)

    def indirect(x: Array, w: float) -> Array:
        moved = x[:, a if cause == source else b] + w * sd * x[:, change]
        return moved * x[:, b if cause == source else a]

    def index(x: Array) -> Array:
        return sd * x[:, change] * x[:, b if cause == source else a]

    rows = [
        _row("indirect", at, w, lambda x, w=w: indirect(x, w), result, drawn, level)
        for at, w in three_levels()
    ]
    rows.append(_row(INDEX, "", np.nan, index, result, drawn, level))
    return ModeratedMediation(
        source, mediator, outcome, moderator, "first" if first else "second",
        pd.DataFrame(rows), n_draws, seed, level,
    )  # fmt: skip


def _row(
    kind: str,
    at: str,
    value: float,
    function: Callable[[Array], Array],
    result: SemResult,
    drawn: Array,
    level: float,
) -> dict[str, Any]:
    """Return one effect with the quantiles of its draws."""
    low, high = np.quantile(function(drawn), [(1 - level) / 2, (1 + level) / 2])
    return {
        "kind": kind, "at": at, "moderator_value": value,
        "estimate": float(function(result.theta[None])[0]),
        "ci_low": float(low), "ci_high": float(high),
    }  # fmt: skip
