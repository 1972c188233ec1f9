"""Who answers, what went wrong, and what the shop did: everything before the attitudes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.survey.simulate.draws import Draws, by_code, steps
from helpers.survey.simulate.population import Population

NO_RECOVERY = 4
"""Code of the measure that stands for no recovery at all."""

NO_ACTION = 4
"""Code of the action that stands for none of the three."""

APOLOGY_ONLY = 3


def make_people(population: Population, seed: int, n: int) -> pd.DataFrame:
    """Return background, context, failure and recovery of n persons, coded as in items.csv."""
    draws = Draws(seed, "people")
    table = pd.DataFrame(_background(population["people"], draws, n))
    table = table.assign(**_failure(population["people"], draws, n))
    table = table.assign(**_recovery(population["recovery"], draws, n))
    table["CAUSE"] = _causes(population["people"]["causes"], table["FTYPE"].to_numpy(), draws)
    table["RECV"] = _received(population["recovery"]["extras"], table, draws)
    return table


def _background(people: dict, draws: Draws, n: int) -> dict[str, np.ndarray]:
    kinds = people["customer_type"]
    kind = draws.choice(kinds["shares"], n)
    floor = kinds["age_floor"]
    age = floor + draws.gamma(
        by_code(kinds["age_shape"], kind), by_code(kinds["age_mean"], kind) - floor
    )
    education = draws.choice(people["education"], n)
    wealth = people["income"]
    income = (
        wealth["by_education"] * (education - wealth["centre_education"])
        + wealth["by_age"] * (age - wealth["centre_age"]) / 10
        + draws.normal(n)
    )
    return {
        "CTYPE": kind,
        "CTYPB": draws.choice(people["customer_type_b"], n),
        "AGE": np.round(age).astype(int),
        "GENDER": np.where(draws.chance(by_code(kinds["share_men"], kind), n), 1, 2),
        "EDU": education,
        "INCOME": steps(income, wealth["thresholds"]),
        "FREQ": draws.counts(by_code(kinds["purchases_mean"], kind), kinds["purchases_size"]),
        "PLATF": draws.choice(people["platform"], n),
    }


def _failure(people: dict, draws: Draws, n: int) -> dict[str, np.ndarray]:
    since, worth = people["days_since"], people["purchase_value"]
    price = np.exp(worth["log_mean"] + worth["log_sd"] * draws.normal(n))
    context = {item: draws.choice(shares, n) for item, shares in people["context"].items()}
    return {
        "FTYPE": draws.choice(people["failure_type"], n),
        "DAYS": draws.integers(since["low"], since["high"], n),
        "PVAL": np.clip(np.round(price), worth["low"], worth["high"]).astype(int),
        **context,
    }


def _recovery(recovery: dict, draws: Draws, n: int) -> dict[str, np.ndarray]:
    measure = draws.choice(recovery["measure"], n)
    action = np.where(measure == NO_RECOVERY, NO_ACTION, draws.choice(recovery["action"], n))
    spread = recovery["hours"]["log_sd"]
    mean = by_code(recovery["hours"]["mean"], measure)
    # the mean of a log-normal variable is exp(mu + sd**2 / 2)
    hours = mean * np.exp(spread * draws.normal(n) - spread**2 / 2)
    return {"MEAS": measure, "ACT": action, "HOURS": np.round(hours, 1)}


def _causes(table: dict, failure: np.ndarray, draws: Draws) -> np.ndarray:
    chances = np.array([table[code] for code in failure])
    named = draws.uniform(*chances.shape) < chances
    most_likely = chances.argmax(axis=1)
    named[np.arange(len(failure)), most_likely] |= ~named.any(axis=1)
    return _joined(named)


def _received(extras: dict, people: pd.DataFrame, draws: Draws) -> np.ndarray:
    measure, action = people["MEAS"].to_numpy(), people["ACT"].to_numpy()
    n = len(people)
    paid = measure < APOLOGY_ONLY
    any_recovery = measure != NO_RECOVERY
    named = np.column_stack([
        measure == 1,
        paid & draws.chance(extras["refund"], n),
        measure == 2,
        paid & draws.chance(extras["warranty"], n),
        any_recovery & ((measure == APOLOGY_ONLY) | draws.chance(extras["apology"], n)),
        any_recovery & draws.chance(extras["explanation"], n),
        action == 2,
        any_recovery & ((action == 3) | draws.chance(extras["follow_up"], n)),
        ~any_recovery,
    ])  # fmt: skip
    return _joined(named)


def _joined(named: np.ndarray) -> np.ndarray:
    """Return the numbers of the true columns, from 1, joined by commas."""
    return np.array([",".join(str(k + 1) for k in np.flatnonzero(row)) for row in named])
