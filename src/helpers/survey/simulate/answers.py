"""Answers: latent variables through thresholds, ratings, counts and the formulas."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.survey.simulate.draws import DECIMALS, Draws, by_code, steps
from helpers.survey.simulate.people import NO_RECOVERY
from helpers.survey.simulate.population import Population

AGREEMENT = 7
"""Categories of the agreement scale."""


def make_answers(
    population: Population,
    people: pd.DataFrame,
    latents: pd.DataFrame,
    seed: int,
    reverse: frozenset[str],
) -> pd.DataFrame:
    """Return every answer of honest respondents, coded as in the questionnaire.

    Items in ``reverse`` are answered in the direction of their wording.
    """
    answers = pd.concat(
        [
            agreement_items(population["measurement"], latents, seed, reverse),
            group_ratings(population, people, latents, seed),
            habit_ratings(population["tables"], len(people), seed),
        ],
        axis=1,
    )
    answers = answers.assign(**_formulas(population["formulas"], answers, seed, reverse))
    return pd.concat([people, answers], axis=1)


def agreement_items(
    measurement: dict, latents: pd.DataFrame, seed: int, reverse: frozenset[str]
) -> pd.DataFrame:
    """Return all agreement items; each has its own stream."""
    n = len(latents)
    method = Draws(seed, "method").normal(n)
    share = measurement["method"]
    out = {}
    for construct, spec in measurement["scales"].items():
        profile = np.asarray(measurement["thresholds"][spec["profile"]])
        rows = zip(spec["loadings"], spec["shift"], strict=True)
        for k, (loading, shift) in enumerate(rows, start=1):
            item = f"{construct}{k}"
            own = Draws(seed, item).normal(n)
            noise = np.sqrt(1 - loading**2 - share**2) * own
            # who tends to agree agrees with reverse-worded items too
            habit = -share * method if item in reverse else share * method
            answer = steps(loading * latents[construct].to_numpy() + habit + noise, profile + shift)
            out[item] = AGREEMENT + 1 - answer if item in reverse else answer
    return pd.DataFrame(out)


def group_of(item: str, people: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the groupings whose offsets an item carries, by name."""
    measure, action = people["MEAS"].to_numpy(), people["ACT"].to_numpy()
    had_recovery = measure != NO_RECOVERY
    kind = np.where(had_recovery, people["CTYPE"].to_numpy(), 0)
    return {
        "RS5": {"measure": measure, "type": kind},
        "FAIR5": {"measure": measure},
        "TRN5": {"measure": measure},
        "OS5": {"action": action},
        "LOY10": {"action": action},
        "WOMN": {"action": action},
        "SATB": {"recovery": np.where(had_recovery, 1, 0)},
        "LCHG": {"type": kind, "recovery": np.where(had_recovery, 1, 0)},
    }.get(item, {})


def rating_latent(
    population: Population, item: str, people: pd.DataFrame, latents: pd.DataFrame, seed: int
) -> np.ndarray:
    """Return the latent value behind a rating, without the offsets of its groups."""
    spec = population["ratings"][item]
    return spec["slope"] * latents[spec["factor"]].to_numpy() + spec.get("noise", 0.0) * Draws(
        seed, item
    ).normal(len(people))


def offset_of(population: Population, item: str, people: pd.DataFrame) -> np.ndarray:
    """Return the sum of an item's group offsets."""
    offsets = population["ratings"]["offsets"].get(item, {})
    total = np.zeros(len(people))
    for name, codes in group_of(item, people).items():
        total += np.nan_to_num(by_code(offsets.get(name, {}), codes))
    return total


def group_ratings(
    population: Population, people: pd.DataFrame, latents: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Return the ratings behind T1, T3, T4 and T6."""
    out = {}
    for item, spec in population["ratings"].items():
        if item in ("from", "offsets"):
            continue
        latent = rating_latent(population, item, people, latents, seed)
        latent = latent + offset_of(population, item, people)
        if "thresholds" in spec:
            out[item] = steps(latent, spec["thresholds"])
        elif "size" in spec:
            mean = np.exp(np.round(latent, DECIMALS))
            out[item] = np.minimum(Draws(seed, f"{item} count").counts(mean, spec["size"]),
                                   spec["high"])  # fmt: skip
        else:
            out[item] = ten_steps(latent)
    return pd.DataFrame(out)


def ten_steps(latent: np.ndarray) -> np.ndarray:
    """Return latent values as whole numbers from 0 to 10."""
    return np.clip(np.floor(np.round(latent, DECIMALS) + 0.5), 0, 10).astype(int)


def habit_latent(table: dict, item: str, n: int, seed: int) -> np.ndarray:
    """Return a standard normal rating tendency, partly a person's habit."""
    habit = Draws(seed, f"{item[:2]} habit").normal(n)
    own = Draws(seed, item).normal(n)
    return table["halo"] * habit + np.sqrt(1 - table["halo"] ** 2) * own


def habit_items(tables: dict) -> dict[str, tuple[str, float]]:
    """Return item -> (table, planted mean) of the ratings behind T2, T5 and T7."""
    out = {}
    for name in ("T2", "T5"):
        for letter, content in (("S", "satisfaction"), ("L", "loyalty")):
            for k, mean in tables[name][content].items():
                out[f"{name}{letter}{k}"] = (name, mean)
    for k, mean in tables["T7"]["importance"].items():
        out[f"T7_{k}"] = ("T7", mean)
    return out


def habit_ratings(tables: dict, n: int, seed: int) -> pd.DataFrame:
    """Return the ratings behind T2, T5 and T7."""
    out = {}
    for item, (name, _) in habit_items(tables).items():
        table = tables[name]
        latent = habit_latent(table, item, n, seed)
        offset = table["offsets"][item]
        if name == "T7":
            out[item] = ten_steps(offset + table["sd"] * latent)
        else:
            out[item] = steps(latent + offset, table["thresholds"])
    return pd.DataFrame(out)


def _formulas(
    formulas: dict, answers: pd.DataFrame, seed: int, reverse: frozenset[str]
) -> dict[str, np.ndarray]:
    """Return the answers that follow F1 to F4 from other answers, as a regression finds them."""
    n = len(answers)
    f1, f2, f3, f4 = (formulas[name] for name in ("F1", "F2", "F3", "F4"))
    quality = {c: _mean_of(answers, c, reverse) for c in ("EQ", "IQ", "AQ", "LOGQ")}
    rate = (
        f1["intercept"]
        + f1["displayed_gap"] * (quality["IQ"] - quality["AQ"])
        + f1["expected_gap"] * (quality["EQ"] - quality["AQ"])
    )
    further = Draws(seed, "NFAIL").poisson(np.exp(np.round(rate, DECIMALS)))
    logistics = quality["LOGQ"] - f2["kink"]
    delivery = (
        f2["intercept"]
        + f2["slope_below"] * np.minimum(logistics, 0)
        + f2["slope_above"] * np.maximum(logistics, 0)
    )
    personal = (
        f3["intercept"] + f3["expectation_met"] * answers["EXM5"] + f3["speed"] * answers["SPD5"]
    )
    honest = (
        f4["intercept"] + f4["transparency"] * answers["TRN5"] + f4["reputation"] * answers["REP5"]
    )
    return {
        # at least the one problem the questionnaire is about
        "NFAIL": np.minimum(1 + further, f1["high"]),
        "DSAT": _slider(delivery, f2["noise"] * Draws(seed, "DSAT").normal(n)),
        "PSAT": _slider(personal, f3["noise"] * Draws(seed, "PSAT").normal(n)),
        "HSAT": _slider(honest, f4["noise"] * Draws(seed, "HSAT").normal(n)),
    }


def _slider(value: pd.Series | np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return a slider's position from 0 to 10, in tenths."""
    return np.clip(np.round(np.round(np.asarray(value) + noise, DECIMALS), 1), 0, 10)


def _mean_of(answers: pd.DataFrame, construct: str, reverse: frozenset[str]) -> np.ndarray:
    items = [c for c in answers.columns if c[:-1] == construct and c[-1].isdigit()]
    keyed = [AGREEMENT + 1 - answers[c] if c in reverse else answers[c] for c in items]
    return np.mean(np.column_stack(keyed), axis=1)
