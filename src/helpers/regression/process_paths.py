"""The equations of conditional process models, and their effects as products of paths."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.i18n import _
from helpers.regression.process_slopes import three_levels

Array = NDArray[np.float64]

MODELS = (1, 4, 6, 7, 8, 14, 58, 59)
MODERATED = {1: "direct", 7: "a", 8: "a direct", 14: "b", 58: "a b", 59: "a b direct"}
"""Which of the paths a (X to M), b (M to Y) and the direct one depend on W."""


@dataclass(frozen=True, slots=True)
class Equation:
    """One regression: its outcome, its terms, and the products among them."""

    outcome: str
    terms: tuple[str, ...]


def list_equations(
    model: int, x: str, y: str, m: tuple[str, ...], w: str, covariates: tuple[str, ...]
) -> list[Equation]:
    """Return the regressions of a model; a product is named ``a:b``."""
    moderated = MODERATED.get(model, "").split()
    found = []
    for k, mediator in enumerate(m):
        terms = [x, *(m[:k] if model == 6 else ())]
        terms += [w, f"{x}:{w}"] if "a" in moderated else []
        found.append(Equation(mediator, (*terms, *covariates)))
    terms = [x, *m]
    terms += [w] if {"b", "direct"} & set(moderated) else []
    terms += [f"{x}:{w}"] if "direct" in moderated else []
    terms += [f"{m[0]}:{w}"] if "b" in moderated else []
    return [*found, Equation(y, (*terms, *covariates))]


def moderator_levels(values: pd.Series, center: bool) -> list[tuple[str, float, float]]:
    """Return name, value and (centred) value of the moderator where effects are read."""
    shift = float(values.mean()) if center else 0.0
    distinct = sorted(values.unique())
    if len(distinct) == 2:
        return [(f"{v:g}", float(v), float(v) - shift) for v in distinct]
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    return [(name, mean + k * sd, mean + k * sd - shift) for name, k in three_levels()]


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect as a sum of products of paths; each path is a sum of coefficients with weights."""

    kind: str
    way: tuple[str, ...]
    products: tuple[tuple[tuple[tuple[str, str, float], ...], ...], ...]
    """Products, paths, (outcome, term, weight)."""
    at: str = ""
    value: float = np.nan
    minus: tuple[tuple[tuple[tuple[str, str, float], ...], ...], ...] = ()
    """Products to be subtracted, for contrasts."""


def list_effects(
    model: int, x: str, y: str, m: tuple[str, ...], w: str, levels: list[tuple[str, float, float]]
) -> list[Effect]:
    """Return the effects of a model, conditional ones at every level of the moderator."""
    moderated = MODERATED.get(model, "").split()
    if not moderated:
        return _plain_ways(model, x, y, m)

    def path(outcome: str, cause: str, letter: str, value: float) -> tuple:
        own = ((outcome, cause, 1.0),)
        return (*own, (outcome, f"{cause}:{w}", value)) if letter in moderated else own

    found = []
    for name, value, own in levels if "direct" in moderated else [("", np.nan, 0.0)]:
        found.append(Effect("direct", (x, y), ((path(y, x, "direct", own),),), name, value))
    if not m:
        return found
    way = (x, m[0], y)
    conditional = []
    for name, value, own in levels:
        product = ((path(m[0], x, "a", own), path(y, m[0], "b", own)),)
        conditional.append(Effect("indirect", way, product, name, value))
    found += conditional
    if {"a", "b"} <= set(moderated):
        for one, two in combinations(conditional, 2):
            label = _("{second} less {first}").format(first=one.at, second=two.at)
            found.append(Effect("contrast", way, two.products, label, np.nan, minus=one.products))
        return found
    a = ((m[0], f"{x}:{w}" if "a" in moderated else x, 1.0),)
    b = ((y, f"{m[0]}:{w}" if "b" in moderated else m[0], 1.0),)
    return [*found, Effect("index", way, ((a, b),))]


def _plain_ways(model: int, x: str, y: str, m: tuple[str, ...]) -> list[Effect]:
    """Return direct, specific indirect, total indirect and total effects of models 4 and 6."""
    direct = ((((y, x, 1.0),),),)
    chains = [(one,) for one in m]
    if model == 6:
        chains = [c for k in range(1, len(m) + 1) for c in combinations(m, k)]
    indirect = []
    for chain in chains:
        way = (x, *chain, y)
        product = tuple(((b, a, 1.0),) for a, b in zip(way[:-1], way[1:]))
        indirect.append(Effect("indirect", way, (product,)))
    every = tuple(e.products[0] for e in indirect)
    found = [Effect("direct", (x, y), direct), *indirect]
    if len(indirect) > 1:
        found.append(Effect("total_indirect", (x, y), every))
    return [*found, Effect("total", (x, y), (*direct, *every))]


def effect_value(
    effect: Effect, place: dict[tuple[str, str], tuple[int, int]], b: list[Array]
) -> Array:
    """Evaluate an effect at coefficients, (n, k) an equation."""

    def total(products: tuple) -> Any:
        out: Any = 0.0
        for paths in products:
            product: Any = 1.0
            for path in paths:
                at = [(place[(y, t)], weight) for y, t, weight in path]
                product = product * sum(weight * b[e][:, j] for (e, j), weight in at)
            out = out + product
        return out

    return np.asarray(total(effect.products) - total(effect.minus), dtype=float)
