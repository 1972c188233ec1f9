"""Find the offsets that make the tables T1 to T7 come out as planted.

The numbers are stored in ``population.yml``; this file says how they were found, and a slow test
finds them again. A mean of a rating is a nonlinear consequence of thresholds and of the mixture of
groups, so each offset is found by bisection on one large simulated population.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pandas as pd

from helpers.survey.simulate import answers, latents
from helpers.survey.simulate.draws import steps
from helpers.survey.simulate.modules import followup_table
from helpers.survey.simulate.people import NO_RECOVERY, make_people
from helpers.survey.simulate.population import Population

CALIBRATION_SEED = 7
CALIBRATION_N = 400_000
DIGITS = 4
_SWEEPS = 12
_HALVINGS = 30


def calibrated(
    population: Population, *, n: int = CALIBRATION_N, seed: int = CALIBRATION_SEED
) -> Population:
    """Return the population with every computed number filled in.

    Parameters
    ----------
    population : Population
        What was planted.
    n : int
        Size of the simulated population on which the numbers are found.
    seed : int
        Its seed.
    """
    out = copy.deepcopy(population)
    people = make_people(out, seed, n)
    out["recovery"]["scale"] = _scale(out, people, seed)
    table = latents.make_latents(out, people, seed)
    _calibrate_groups(out, people, table, seed)
    _calibrate_change(out, people, table, seed)
    _calibrate_followup(out, people, table, seed)
    for item, (name, mean) in answers.habit_items(out["tables"]).items():
        latent = answers.habit_latent(out["tables"][name], item, n, seed)
        spec = out["tables"][name]
        spec.setdefault("offsets", {})[item] = (
            _solve(lambda x, z=latent, s=spec: answers.ten_steps(x + s["sd"] * z), mean, (0, 14))
            if name == "T7"
            else _solve(lambda x, z=latent, s=spec: steps(z + x, s["thresholds"]), mean)
        )
    return out


def _scale(population: Population, people: pd.DataFrame, seed: int) -> dict[str, list[float]]:
    raw = latents.raw_recovery(population, people, seed)
    scale = {k: [round(float(v.mean()), DIGITS), round(float(v.std()), DIGITS)]
             for k, v in raw.items()}  # fmt: skip
    return {**scale, "SEV": latents.severity_scale(population)}


def _calibrate_groups(
    population: Population, people: pd.DataFrame, table: pd.DataFrame, seed: int
) -> None:
    offsets = population["ratings"]["offsets"] = {}
    for item, targets in rating_targets(population).items():
        latent = answers.rating_latent(population, item, people, table, seed)
        groups = answers.group_of(item, people)
        read = _reader(population["ratings"][item])
        found = {name: dict.fromkeys(goals, 0.0) for name, goals in targets.items()}
        for _ in range(_SWEEPS if len(targets) > 1 else 1):
            for name, goals in targets.items():
                for code, goal in goals.items():
                    chosen = groups[name] == code
                    rest = latent + _others(found, groups, name)
                    found[name][code] = _solve(
                        lambda x, z=rest[chosen], r=read: r(z + x), goal, (-6, 10)
                    )
        offsets[item] = found


def rating_targets(population: Population) -> dict[str, dict[str, dict[int, float]]]:
    """Return item -> grouping -> code -> planted mean, for the ratings with group offsets."""
    one, three, four, six = (population["tables"][t] for t in ("T1", "T3", "T4", "T6"))
    none, base = one["no_recovery"], three["base"]
    recovered = _weighted(one["satisfaction"], population["recovery"]["measure"])
    before = recovered / six["satisfaction_ratio"]

    def lifted(level: float, lifts: dict) -> dict[int, float]:
        return {4: level, **{k: level * (1 + lift) for k, lift in lifts.items()}}

    return {
        "RS5": {
            "type": {k: four["satisfaction"][k] for k in (2, 3)},
            "measure": {**one["satisfaction"], NO_RECOVERY: none["satisfaction"]},
        },
        "FAIR5": {"measure": {**one["fairness"], NO_RECOVERY: none["fairness"]}},
        "TRN5": {"measure": {**one["transparency"], NO_RECOVERY: none["transparency"]}},
        "OS5": {"action": lifted(base["satisfaction"], three["satisfaction_lift"])},
        "LOY10": {"action": lifted(base["loyalty"], three["loyalty_lift"])},
        "WOMN": {"action": {4: base["acts"], **three["word_of_mouth_acts"]}},
        "SATB": {"recovery": {1: before, 0: before}},
    }


def _weighted(values: dict[int, float], shares: dict[int, float]) -> float:
    return sum(values[k] * shares[k] for k in values) / sum(shares[k] for k in values)


def _calibrate_change(
    population: Population, people: pd.DataFrame, table: pd.DataFrame, seed: int
) -> None:
    """Find the offsets by type and the third threshold of the change in loyalty."""
    spec, tables = population["ratings"]["LCHG"], population["tables"]
    latent = answers.rating_latent(population, "LCHG", people, table, seed)
    kind = answers.group_of("LCHG", people)["type"]
    by_type = dict.fromkeys(tables["T4"]["loyalty_change"], 0.0)
    raised = tables["T6"]["share_raised"]
    unchanged = 3
    for _ in range(_SWEEPS):
        for code, change in tables["T4"]["loyalty_change"].items():
            by_type[code] = _solve(
                lambda x, z=latent[kind == code]: steps(z + x, spec["thresholds"]),
                unchanged + change,
            )
        shifted = latent + np.select([kind == c for c in by_type], list(by_type.values()), 0.0)
        spec["thresholds"][2] = round(
            float(np.quantile(shifted[kind > 0], 1 - raised["recovery"])), DIGITS
        )
    none = round(
        float(spec["thresholds"][2] - np.quantile(latent[kind == 0], 1 - raised["none"])), DIGITS
    )
    population["ratings"]["offsets"]["LCHG"] = {"type": by_type, "recovery": {0: none, 1: 0.0}}


def _calibrate_followup(
    population: Population, people: pd.DataFrame, table: pd.DataFrame, seed: int
) -> None:
    """Find the growth of purchases and prices that give the ratios among those who answer."""
    persons = people.assign(
        **answers.group_ratings(population, people, table, seed)[["RS5", "OS5"]]
    )
    spec, six = population["modules"]["followup"], population["tables"]["T6"]
    goals = {
        0: (spec["no_recovery"]["purchases_ratio"], spec["no_recovery"]["amount_ratio"]),
        1: (six["purchases_ratio"], six["amount_ratio"]),
    }
    group = answers.group_of("SATB", people)["recovery"]
    spec["offsets"] = {"purchases": {0: 0.0, 1: 0.0}, "ticket": {0: 0.0, 1: 0.0}}
    for _ in range(2):
        found = followup_table(population, persons, table, seed)
        for code, (purchases, amount) in goals.items():
            rows = found[(group == code) & found["answered"]]
            got = rows["FU_POST_N"].sum() / rows["FU_PRE_N"].sum()
            paid = rows["FU_POST_CNY"].sum() / rows["FU_PRE_CNY"].sum()
            more = float(np.log(purchases / got))
            spec["offsets"]["purchases"][code] += more
            spec["offsets"]["ticket"][code] += float(np.log(amount / paid)) - more
    for offsets in spec["offsets"].values():
        offsets.update({code: round(value, DIGITS) for code, value in offsets.items()})


def _reader(spec: dict) -> Callable[[np.ndarray], np.ndarray]:
    """Return what turns latent values into expected answers."""
    if "thresholds" in spec:
        return lambda z: steps(z, spec["thresholds"])
    if "size" in spec:
        return np.exp
    return answers.ten_steps


def _others(found: dict, groups: dict, but: str) -> np.ndarray:
    """Return the offsets of all groupings but one."""
    n = len(next(iter(groups.values())))
    total = np.zeros(n)
    for name, values in found.items():
        if name != but:
            for code, value in values.items():
                total += value * (groups[name] == code)
    return total


def _solve(
    answer: Callable[[float], np.ndarray], goal: float, limits: tuple[float, float] = (-6, 6)
) -> float:
    """Return the offset at which the mean answer, rising with the offset, reaches the goal."""
    low, high = limits
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if answer(middle).mean() < goal:
            low = middle
        else:
            high = middle
    return round(float((low + high) / 2), DIGITS)
