"""The attitudes: recovery as received, the structural model, facets and drivers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.errors import CodebookError
from helpers.survey.simulate.draws import Draws, by_code
from helpers.survey.simulate.people import APOLOGY_ONLY, NO_RECOVERY
from helpers.survey.simulate.population import Population

PRICE_SENSITIVE = 2


def make_latents(population: Population, people: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return one column a latent variable, each of mean 0 and variance 1 in the population."""
    raw = raw_recovery(population, people, seed)
    scale = population["recovery"]["scale"]
    latents = {name: (raw[name] - scale[name][0]) / scale[name][1] for name in raw}
    draws = Draws(seed, "latents")
    n = len(people)
    latents["SEV"] = (_severity(population, people, draws) - scale["SEV"][0]) / scale["SEV"][1]
    latents["PRESAT"] = draws.normal(n)
    _add_structure(population["structure"], latents, draws, n)
    _add_facets(population["structure"], latents, draws, n)
    _add_drivers(population["structure"], latents, draws, n)
    return pd.DataFrame(latents)


def raw_recovery(population: Population, people: pd.DataFrame, seed: int) -> dict[str, np.ndarray]:
    """Return the five elements of recovery and its quality, before they are standardised."""
    recovery = population["recovery"]
    draws = Draws(seed, "recovery")
    n = len(people)
    elements = _elements(recovery["elements"], people, draws, n)
    quality = recovery["quality"]
    sensitive = (people["CTYPB"] == PRICE_SENSITIVE).to_numpy()
    latent = sum(w * e for w, e in zip(quality["weights"], elements.values(), strict=True))
    hurried = people["DAYT"].isin(quality["hurried_days"]).to_numpy()
    latent = (
        latent
        + quality["hurried_speed"] * hurried * elements["SPEED"]
        + quality["price_sensitive_compensation"] * sensitive * elements["COMP"]
        + quality["match_bonus"] * matched(population, people)
        + quality["noise_sd"] * draws.normal(n)
    )
    return {**elements, "REC": latent}


def matched(population: Population, people: pd.DataFrame) -> np.ndarray:
    """Tell whether the measure suits the failure: goods or money for orders, regret for service."""
    order = people["FTYPE"].isin(population["people"]["order_related"]).to_numpy()
    measure = people["MEAS"].to_numpy()
    return np.where(order, measure < APOLOGY_ONLY, measure == APOLOGY_ONLY)


def residual_sds(structure: dict) -> dict[str, float]:
    """Return the residual standard deviations that give every latent variance 1.

    Each latent is a linear combination of exogenous latents and residuals; a product of two
    latents of mean 0 adds ``b**2 * (1 + r**2)`` and is uncorrelated with them. Derived for normal
    variables; `tests/survey/test_simulate_population.py` checks it on a large sample.
    """
    order = structure["exogenous"] + structure["order"]
    place = {name: i for i, name in enumerate(order)}
    loading = np.eye(len(order))
    omega = np.eye(len(order))
    sds: dict[str, float] = {}
    for name in structure["order"]:
        own = place[name]
        row = np.zeros(len(order))
        for cause, path in structure["paths"][name].items():
            row += path * loading[place[cause]]
        explained = row @ omega @ row
        for first, second, weight in structure.get("products", {}).get(name, []):
            r = loading[place[first]] @ omega @ loading[place[second]]
            explained += weight**2 * (1 + r**2)
        if explained >= 1:
            raise CodebookError(
                f"residual_sds: structure= lets the causes of {name} explain {explained:.2f} of "
                "its variance; less than 1 is needed. Lower its paths in population.yml."
            )
        sds[name] = float(np.sqrt(1 - explained))
        omega[own, own] = sds[name] ** 2
        for first, second, r in structure["residual_correlations"]:
            if second == name:
                other = place[first]
                omega[own, other] = omega[other, own] = r * sds[first] * sds[name]
        row[own] = 1.0
        loading[own] = row
    return sds


def _elements(spec: dict, people: pd.DataFrame, draws: Draws, n: int) -> dict[str, np.ndarray]:
    shared = draws.normal(n)
    hours = people["HOURS"].to_numpy(dtype=float)
    lateness = np.where(people["MEAS"] == NO_RECOVERY, 0.0, np.log(np.maximum(hours, 0.1) / 24))
    out = {}
    for k, name in enumerate(spec["order"]):
        shift = sum(
            by_code({code: row[k] for code, row in spec[table].items()}, people[item].to_numpy())
            for table, item in (("by_measure", "MEAS"), ("by_action", "ACT"), ("by_type", "CTYPE"))
        )
        own = draws.normal(n)
        out[name] = shift + np.sqrt(spec["shared"]) * shared + np.sqrt(1 - spec["shared"]) * own
    out["SPEED"] = out["SPEED"] + spec["speed_by_log_hours"] * lateness
    return out


def _severity(population: Population, people: pd.DataFrame, draws: Draws) -> np.ndarray:
    by_type = population["structure"]["severity_by_type"]
    return by_code(by_type, people["FTYPE"].to_numpy()) + draws.normal(len(people))


def severity_scale(population: Population) -> list[float]:
    """Return mean and standard deviation of raw severity, exactly."""
    shares = population["people"]["failure_type"]
    shift = population["structure"]["severity_by_type"]
    mean = sum(shares[c] * shift[c] for c in shares)
    spread = sum(shares[c] * (shift[c] - mean) ** 2 for c in shares)
    return [round(float(mean), 6), round(float(np.sqrt(1 + spread)), 6)]


def _add_structure(structure: dict, latents: dict, draws: Draws, n: int) -> None:
    sds = residual_sds(structure)
    names = structure["order"]
    correlation = np.eye(len(names))
    for first, second, r in structure["residual_correlations"]:
        i, j = names.index(first), names.index(second)
        correlation[i, j] = correlation[j, i] = r
    residual = draws.normal(n, len(names)) @ np.linalg.cholesky(correlation).T
    for k, name in enumerate(names):
        value = sds[name] * residual[:, k]
        for cause, path in structure["paths"][name].items():
            value = value + path * latents[cause]
        for first, second, weight in structure.get("products", {}).get(name, []):
            value = value + weight * _centred_product(latents, first, second, structure)
        latents[name] = value


def _centred_product(latents: dict, first: str, second: str, structure: dict) -> np.ndarray:
    """Return the product of two latents less its population mean, their correlation."""
    r = implied_correlation(structure, first, second)
    return latents[first] * latents[second] - r


def implied_correlation(structure: dict, first: str, second: str) -> float:
    """Return the correlation of two latents that the paths imply (products left out)."""
    order = structure["exogenous"] + structure["order"]
    sds = residual_sds({**structure, "products": {}})
    paths = np.zeros((len(order), len(order)))
    omega = np.eye(len(order))
    place = {name: i for i, name in enumerate(order)}
    for name, causes in structure["paths"].items():
        omega[place[name], place[name]] = sds[name] ** 2
        for cause, path in causes.items():
            paths[place[name], place[cause]] = path
    for a, b, r in structure["residual_correlations"]:
        i, j = place[a], place[b]
        omega[i, j] = omega[j, i] = r * sds[a] * sds[b]
    total = np.linalg.inv(np.eye(len(order)) - paths)
    return float((total @ omega @ total.T)[place[first], place[second]])


def _add_facets(structure: dict, latents: dict, draws: Draws, n: int) -> None:
    for parent, facets in structure["facets"].items():
        for facet, loading in facets.items():
            own = np.sqrt(1 - loading**2) * draws.normal(n)
            latents[facet] = loading * latents[parent] + own
    path = structure["displayed_on_expected"]
    latents["IQ"] = path * latents["EQ"] + np.sqrt(1 - path**2) * draws.normal(n)
    latents["MRK"] = draws.normal(n)


def _add_drivers(structure: dict, latents: dict, draws: Draws, n: int) -> None:
    drivers = structure["drivers"]
    shared = draws.normal(n)
    for driver, loading in drivers["loading"].items():
        own = np.sqrt(1 - loading**2 - drivers["shared"] ** 2) * draws.normal(n)
        latents[driver] = loading * latents["LOY"] + drivers["shared"] * shared + own
